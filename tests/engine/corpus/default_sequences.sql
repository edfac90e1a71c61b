create sequence s
create sequence other
create table t (id int, n int default nextval('s'))
insert into t (id) values (1), (2) returning n
drop sequence s
drop sequence s restrict
drop sequence s, other
select pg_get_serial_sequence('t', 'n')
select column_default from information_schema.columns where table_name = 't' and table_schema = current_schema() order by ordinal_position
alter sequence s rename to s_b
insert into t (id) values (3) returning n
select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = 't'::regclass
drop sequence s
drop sequence s_b
drop sequence s_b cascade
insert into t (id) values (4) returning n
select attname, atthasdef from pg_attribute where attrelid = 't'::regclass and attnum > 0 order by attnum
alter table t alter n set default nextval('other')
insert into t (id) values (5) returning n
drop sequence other
alter table t alter n drop default
drop sequence other
create sequence a
create sequence b
alter table t alter n set default nextval('a') + nextval('b')
insert into t (id) values (6) returning n
drop sequence a
drop sequence b
alter table t add column m bigint default nextval('b'::regclass)
select m from t order by id
drop sequence b
drop sequence b cascade
insert into t (id) values (7) returning n, m
drop sequence a
select 1 from t where id = 7 and n is null
create sequence late
create table t2 (id int, n int default nextval('late'::text))
insert into t2 (id) values (1) returning n
drop sequence late
insert into t2 (id) values (2) returning n
create sequence c1
create table t3 (id int, n int default nextval('c1'), k int default coalesce(nextval('c1'), 2))
drop sequence c1
alter table t3 drop column n
drop sequence c1
create table t4 (like t3 including defaults)
drop table t3
drop sequence c1
insert into t4 (id) values (1) returning k
drop table t4
drop sequence c1
create sequence c2
create table t5 (n int default nextval('c2'))
alter sequence c2 owned by t5.n
drop sequence c2
select pg_get_serial_sequence('t5', 'n')
drop table t5
select nextval('c2')
create sequence c3
create table t7 (id int primary key, n int default nextval('c3'))
begin
drop sequence c3 cascade
rollback
drop sequence c3
insert into t7 (id) values (1) returning n
alter table t7 alter n type bigint
drop sequence c3
create domain dseq as int default nextval('c3')
create table t8 (id int, d dseq)
alter table t7 alter n drop default
drop sequence c3
insert into t8 (id) values (1) returning d is not null
create table t9 (id serial)
create table t10 (id int default nextval('t9_id_seq'))
drop table t9
drop table t9 cascade
insert into t10 default values returning id
create table t11 (id serial primary key)
alter table t11 alter id drop default
alter table t11 alter id set default nextval('t11_id_seq')
insert into t11 default values returning id
drop sequence t11_id_seq
select pg_get_serial_sequence('t11', 'id')
alter sequence t11_id_seq owned by none
alter table t11 alter id drop default
drop sequence t11_id_seq
create schema apart
create sequence apart.s
create table apart.t (id int, n int default nextval('apart.s'))
insert into apart.t (id) values (1) returning n
drop sequence apart.s
drop schema apart
drop schema apart cascade
create sequence e1
create table t12 (id int, n int default nextval('e1'))
create schema apart
alter sequence e1 set schema apart
insert into t12 (id) values (1) returning n
drop sequence apart.e1
select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = 't12'::regclass
drop schema apart cascade
insert into t12 (id) values (2) returning n
create sequence f1
create table t13 (id int, n int default nextval('f1'))
create schema first
create sequence first.f1 start 1000
create table t14 (id int, n int default nextval('f1'))
insert into first.t14 (id) values (1) returning n
create table first.t14 (id int, n int default nextval('f1'))
set search_path to first
insert into compat_default_sequences.t13 (id) values (1) returning n
insert into first.t14 (id) values (1) returning n
select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = 'first.t14'::regclass
set search_path to compat_default_sequences
drop schema first cascade
create table t15 (id serial primary key, v text)
alter sequence t15_id_seq rename to ids
insert into t15 (v) values ('a') returning id
select pg_get_serial_sequence('t15', 'id')
select column_default from information_schema.columns where table_name = 't15' and table_schema = current_schema() order by ordinal_position
create table t16 (like t15 including defaults)
insert into t16 (v) values ('b') returning id
drop table t15
drop table t15 cascade
insert into t16 (v) values ('c') returning id
create sequence g1
create table t17 (id int default nextval('nosuch'))
create table t17 (id int default nextval('t16'))
create table t17 (id int default nextval(''))
create table t17 (id int default nextval(null), k int default setval('g1', 7) + currval('g1'), s text default 'g1')
drop sequence g1
alter table t17 alter k set default 1
drop sequence g1
drop table t17
