create table t1 (id int primary key, a int not null, b text)
create table t1 (id int)
create table if not exists t1 (id int)
create table t2 (id int, id text)
create table t2 (id nosuchtype)
create table t2 (id int primary key, x int primary key)
create table t2 (id int, primary key (nope))
create table t2 (id int, unique (id, id))
create table t2 (id int check (nope > 1))
create table t2 (id int check (id))
create table t2 (id int default 'x')
create table t2 (id int default (select 1))
create table t2 (id int, b int default id)
create table t2 (id int default max(1))
create table t2 (id int check (id > (select 1)))
create table t2 (id int check (max(id) > 1))
create table t2 (id int default 1 default 2)
create table t2 (id int null not null)
create table t2 (id int generated always as (nope) stored)
create table t2 (id int generated always as (id + 1) stored)
create table t2 (id int, b timestamptz generated always as (now()) stored)
create table t2 (id text generated always as identity)
create table t2 (id int generated always as identity default 1)
create table t2 (id int, constraint c check (id > 0), constraint c check (id < 9))
create table t2 ()
create table t2 (a int)
drop table t2
drop table t2
drop table if exists t2
drop table t2, t1
create table nosuch.t2 (id int)
create table "T2" ("Col A" int, "select" text)
select * from "T2"
insert into "T2" values (1, 'x') returning "Col A", "select"
drop table "T2"
create table aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg (iiiiiiiiiijjjjjjjjjjkkkkkkkkkkllllllllllmmmmmmmmmmnnnnnnnnnnoooooooooo int)
select * from aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg
select * from aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggXXXX

create table like1 (like t1)
create table like2 (like t1 including all, extra int)
create table like3 (x int, like t1 including defaults)
select column_name, is_nullable::text, column_default from information_schema.columns where table_name = 'like2' and table_schema = current_schema() order by ordinal_position
insert into like2 values (1, 1, 'a', 2), (1, 2, 'b', 3)
insert into like1 values (1, 1, 'a'), (1, 2, 'b')
insert into like1 values (1, null, 'a')

create table al (id int primary key, a int, b text)
insert into al values (1, 10, 'x'), (2, 20, null), (3, null, '7')
alter table al add column c int
alter table al add column c int
alter table al add column if not exists c int
alter table al add column d int default 5
alter table al add column e int not null
alter table al add column e int not null default 6
alter table al add column f text check (f <> 'bad') default 'ok'
alter table al add g numeric(5,2) default 1.005
alter table al add column h int generated always as (a + 1) stored
alter table al add column i serial
alter table al add column u int unique
select * from al order by id
alter table al drop column c
alter table al drop column nope
alter table al drop column if exists nope
alter table al alter column b set not null
alter table al alter a set default 99
insert into al (id, b) values (4, 'w') returning a, d, e, f, g, h, i
alter table al alter a drop default
alter table al alter column e drop not null
alter table al alter column a type bigint
alter table al alter column b type int
alter table al alter column b type int using length(b)
select id, b from al order by id
alter table al alter column b type varchar(2)
alter table al alter column b type text using 'v' || b
alter table al alter column nope type int
alter table al rename column a to aa
alter table al rename column aa to b
alter table al rename aa to a2
alter table al rename column nope to x
select a2 from al where id = 1
alter table al add constraint pos check (a2 > 0)
alter table al add constraint pos check (a2 > 1)
alter table al add constraint big check (a2 > 15)
alter table al add constraint big check (a2 > 15) not valid
insert into al (id, a2) values (9, 14)
alter table al validate constraint big
update al set a2 = 100 where a2 < 15
alter table al validate constraint big
alter table al drop constraint pos
alter table al drop constraint pos
alter table al drop constraint if exists pos
alter table al rename constraint big to huge
insert into al (id, a2) values (9, 14)
alter table al add unique (b)
alter table al add constraint uq unique (d)
alter table al drop constraint al_pkey
alter table al add primary key (d)
alter table al add primary key (id)
alter table al add primary key (b)
alter table al rename to al2
alter table al rename to al3
alter table if exists al rename to al3
select count(*) from al2
alter table al2 alter d set default 'x'
alter table al2 alter d set default null, alter e set default 1, add column zz int default 3, drop column f
select zz from al2 where id = 1
alter table al2 drop column id
insert into al2 (d) values (1), (1)
alter table al2 owner to postgres
alter table al2 set schema public
alter table al2 replica identity full
alter table al2 set (fillfactor = 70)
alter table al2 alter column d set statistics 100
alter table al2 enable row level security
drop table if exists al2, public.al2

create table ix (a int, b text, c numeric)
insert into ix select n, 'v' || n % 3, n / 2.0 from generate_series(1, 20) n
create index on ix (a)
create index ix_b on ix (b, c desc nulls last)
create index ix_b on ix (b)
create index if not exists ix_b on ix (b)
create unique index ix_u on ix (b)
create unique index ix_u on ix (a) include (c) where a > 5
create index ix_e on ix ((a + 1), lower(b))
create index ix_n on ix (nope)
create index ix_v on ix (a) where random() > 1
create index ix_w on ix ((now()))
create index ix_s on ix using hash (a)
create index ix_x on ix using nosuch (a)
create index concurrently ix_cc on ix (c)
create unique index ix_nn on ix (a) nulls not distinct
select a from ix where a + 1 = 5 and lower(b) = 'v1'
select a from ix where b = 'v1' and c > 5 order by c desc nulls last
select a from ix where a > 17 order by a desc
insert into ix values (20, 'dup', 1)
insert into ix values (null, 'n1', 1), (null, 'n2', 2)
select indexname, indexdef from pg_indexes where schemaname = current_schema() and tablename = 'ix' order by 1
reindex table ix
alter index ix_b rename to ix_b2
alter index nope rename to x
drop index ix_b2
drop index ix_b2
drop index if exists ix_b2
drop table ix
drop index ix_u

create sequence s1
select nextval('s1'), nextval('s1'), currval('s1'), lastval()
create sequence s2 start 10 increment 5 maxvalue 20 cycle
select nextval('s2'), nextval('s2'), nextval('s2'), nextval('s2')
create sequence s3 increment -1
select nextval('s3'), nextval('s3')
create sequence s4 maxvalue 2
select nextval('s4'), nextval('s4')
select nextval('s4')
select setval('s1', 100), nextval('s1')
select setval('s1', 50, false), nextval('s1')
select setval('s4', 9)
select setval('s1', 0)
select currval('s2') > 0
create sequence s5 increment 0
create sequence s5 minvalue 5 maxvalue 4
create sequence s5 start 0
create sequence s5 as smallint
select nextval('s5')
select nextval('nosuch')
select currval('s5')
create sequence s6
select currval('s6')
alter sequence s6 restart with 40
select nextval('s6')
alter sequence s6 increment 10
select nextval('s6')
create sequence if not exists s1
create sequence s1
drop sequence s1, s2
drop sequence s1
select last_value, is_called from s6
select sequencename, start_value, increment_by, max_value, cycle from pg_sequences where schemaname = current_schema() order by 1
create table own (id serial primary key, k bigserial, m int default nextval('s6'))
insert into own default values returning *
select pg_get_serial_sequence('own', 'id') like '%own_id_seq'
drop sequence own_id_seq
drop sequence s6
drop table own
select nextval('own_id_seq')

create table vt (a int, b text)
insert into vt values (1, 'x'), (2, 'y')
create view v1 as select a, upper(b) as ub from vt where a > 1
select * from v1
create view v1 as select 1
create or replace view v1 as select a, upper(b) as ub, 1 as extra from vt
select * from v1 order by a
create or replace view v1 as select a from vt
create or replace view v1 as select b as a, a as ub, 1 as extra from vt
create view v2 (x, y) as select a, b from vt
select x from v2 order by y desc
create view v3 as select * from v2 join v1 on a = x
select * from v3 order by x
create view v4 as select 1 as a, 2 as a
create view v4 as select nope from vt
create view v4 as select * from nosuch
create view v4 (a, b, c) as select 1, 2
create view v5 as values (1, 'q'), (2, 'r')
select column2 from v5 where column1 = 2
create view v6 as with r as (select a from vt) select count(*) from r
select * from v6
drop table vt
drop view v2
drop view v3
drop view v2
drop view nosuch
drop view if exists nosuch
drop table v5
drop view vt
alter view v5 rename to v5b
select count(*) from v5b
insert into v5b values (1, 'x')
update v6 set count = 1
delete from v5b
alter table vt drop column b
alter table vt drop column b cascade
select * from v1
drop table vt cascade
select * from v6

create schema sx
create schema sx
create schema if not exists sx
create table sx.t (a int)
insert into sx.t values (1)
select * from sx.t
select t.a, sx.t.a from sx.t
select sx.t.* from sx.t
drop schema sx
alter schema sx rename to sy
select * from sy.t
drop schema sy cascade
drop schema sy
drop schema if exists sy
create schema pg_foo
create schema sz create table tz (a int) create view vz as select a from tz
select * from sz.vz
drop schema sz cascade

create table cm (a int, b text)
comment on table cm is 'the table'
comment on column cm.a is 'the column'
comment on column cm.nope is 'x'
comment on table nosuch is 'x'
select obj_description('cm'::regclass), col_description('cm'::regclass, 1), col_description('cm'::regclass, 2)
comment on table cm is null
select obj_description('cm'::regclass, 'pg_class')
drop table cm
