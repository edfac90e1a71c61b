create table p (id int primary key, code text unique, a int, b int, unique (a, b))
insert into p values (1, 'one', 1, 1), (2, 'two', 1, 2), (3, 'three', null, 3), (4, null, null, null)
create table c (id int primary key, pid int references p, code text references p (code), a int, b int, foreign key (a, b) references p (a, b))
insert into c values (1, 1, 'one', 1, 1)
insert into c values (2, null, null, null, null), (3, 2, null, 1, null), (4, null, 'two', null, 9)
insert into c values (5, 9, null, null, null)
insert into c values (5, 1, 'nine', null, null)
insert into c values (5, 1, 'one', 1, 9)
insert into c values (5, 1, 'one', 9, 9), (6, 1, 'one', 1, 1)
insert into c (id, pid) select g, g from generate_series(10, 12) g
insert into c (id, pid) select g, 1 from generate_series(10, 12) g
insert into c values (13, 3, null, null, 3) returning *
update c set pid = 77 where id = 10
update c set pid = 2 where id = 10 returning pid
update c set pid = pid + 1 where id between 10 and 12
update c set a = 5, b = 5 where id = 1
update c set a = null, b = 5 where id = 1
update c set a = 1, b = 1 where id = 1
select * from c order by id
delete from p where id = 1
delete from p where id = 4
delete from p where code = 'two'
update p set id = 5 where id = 1
update p set code = 'uno' where id = 1
update p set a = 7 where id = 1
update p set a = 7 where id = 3
update p set id = id where id = 1
update p set code = code, a = a
update p set b = 30 where id = 3
truncate p
truncate p, c
select count(*) from c
select count(*) from p
drop table p
drop table c
drop table p
create table p (id int primary key, n int)
create table c (id int primary key, pid int references p on delete cascade on update cascade)
create table g (id int primary key, cid int references c on delete cascade)
insert into p select g, g from generate_series(1, 6) g
insert into c select g, (g + 1) / 2 from generate_series(1, 12) g
insert into g select g, (g + 1) / 2 from generate_series(1, 24) g
delete from p where id = 1 returning *
select count(*), min(id) from c
select count(*), min(id) from g
update p set id = 60 where id = 6 returning *
select * from c where pid > 5 order by id
update p set n = 0
update c set id = id + 100 where id = 12
delete from c where id = 12
select * from g where cid > 10 order by id
with gone as (delete from p where id = 2 returning id) select * from gone
select count(*) from g
with gone as (delete from p where id = 3 returning id) insert into c select 50, id from gone
with fresh as (insert into p values (70, 1) returning id) insert into c select 70, id from fresh
with fresh as (insert into c values (71, 71)) insert into p values (71, 0)
select * from c where id > 49 order by id
truncate p cascade
select count(*) from g
drop table p cascade
insert into c values (1, 1)
drop table c, g
create table p (id int primary key)
create table sn (id int primary key, pid int references p on delete set null on update set null)
create table sd (id int primary key, pid int default 2 references p on delete set default on update set default)
create table rs (id int primary key, pid int references p on delete restrict on update restrict)
create table nn (id int primary key, pid int not null references p on delete set null)
insert into p select generate_series(1, 9)
insert into sn values (1, 1), (2, 2), (3, 3), (4, null)
insert into sd values (1, 1), (2, 2), (3, 3), (4, null)
delete from p where id = 1
select * from sn order by id
select * from sd order by id
update p set id = 30 where id = 3
select * from sn order by id
select * from sd order by id
delete from p where id = 2
update p set id = 20 where id = 2
insert into rs values (1, 5)
delete from p where id = 5
update p set id = 50 where id = 5
update p set id = 5 where id = 5
insert into nn values (1, 6)
delete from p where id = 6
update p set id = 66 where id = 6
select * from p order by id
create table sq (id serial primary key, pid int default 8 references p on delete set default on update set null, n int not null default 3, twice int generated always as (pid * 2) stored, check (n > 0), check (pid < 100))
insert into sq (pid) values (7), (7), (8)
delete from p where id = 7
select * from sq order by id
update p set id = 80 where id = 8
select * from sq order by id
drop table sn, sd, rs, nn, sq, p
create domain small as int check (value < 50)
create table p (id int primary key)
create table dc (id small references p on update cascade, n int check (n > 0), twice int generated always as (id * 2) stored)
insert into p values (1), (2)
insert into dc values (1, 1)
update p set id = 60 where id = 1
update p set id = 40 where id = 1
select * from dc
alter domain small add constraint even check (value % 2 = 0)
update p set id = 41 where id = 40
update p set id = 42 where id = 40
select * from dc
drop table dc, p
drop domain small
create table p (a int, b int, c int default 0, primary key (a, b))
create table sc (id int primary key, a int default 1, b int default 1, foreign key (a, b) references p on delete set null (b))
create table sdc (id int primary key, a int, b int default 1, foreign key (a, b) references p on delete set default (b))
create table full_ (id int primary key, a int, b int, foreign key (a, b) references p match full)
insert into p values (1, 1), (1, 2), (2, 1), (2, 2)
insert into sc values (1, 1, 2), (2, 2, 2)
insert into sdc values (1, 1, 2)
delete from p where (a, b) = (1, 2)
select * from sc order by id
select * from sdc order by id
insert into full_ values (1, 1, null)
insert into full_ values (1, null, 1)
insert into full_ values (1, null, null), (2, 1, 1)
insert into full_ values (3, 1, 7)
update full_ set a = null where id = 2
update full_ set a = null, b = null where id = 2
update full_ set b = 5 where id = 1
create table bad (a int, b int, foreign key (a, b) references p on delete set null (c))
create table bad (a int, b int, c int, foreign key (a, b) references p on delete set null (c))
drop table sc, sdc, full_, p
create table t (id int primary key, up int references t)
insert into t values (1, 1)
insert into t values (2, 3)
insert into t values (2, 3), (3, 2)
insert into t select g, g + 1 from generate_series(4, 8) g
insert into t select g, nullif(g + 1, 9) from generate_series(4, 8) g
delete from t where id = 8
delete from t where id = 2
delete from t where id in (2, 3)
update t set id = 90 where id = 8
update t set id = id + 100 where id = 1
update t set id = 100, up = 100 where id = 1
update t set up = null
delete from t
drop table t
create table t (id int primary key, up int references t on delete cascade on update cascade)
insert into t values (1, null), (2, 1), (3, 2), (4, 3), (5, 1), (6, 6)
update t set id = id * 10 where id = 1
select * from t order by id
update t set id = 60 where id = 6
delete from t where id = 2
select * from t order by id
delete from t where id = 10
select * from t order by id
drop table t
create table p (id int primary key, code text, n numeric unique, v varchar(5) unique, d date unique, big bigint unique)
insert into p values (1, 'x', 1.5, 'ab', '2020-01-01', 10000000000), (2, 'y', 2, 'cd', '2020-01-02', 20)
create table bad (x text references p)
create table bad (x numeric references p)
create table bad (x int references p (code))
create table bad (x int references p (nothing))
create table bad (x int, foreign key (y) references p)
create table bad (x int, y int, foreign key (x, y) references p)
create table bad (x int, y int, foreign key (x, y) references p (id))
create table bad (x int references q)
create table bad (x int, y int, foreign key (x, y) references p (id, id))
create table bad (x boolean references p (big))
create table nokey (x int)
create table bad (x int references nokey)
create table bad (x int references nokey (x))
create view vw as select id from p
create table bad (x int references vw (id))
create table bad (x int references p deferrable not deferrable)
create table bad (x int references p initially deferred not deferrable)
create table bad (x int check (x > 0) deferrable)
create table bad (x int deferrable)
create table bad (x int generated always as (1) stored references p on delete set null)
create table bad (x int generated always as (1) stored references p on update cascade)
create table k (i2 smallint references p, i8 bigint references p (id), i4 int references p (big), n int references p (n), t text references p (v), i2n smallint references p (n))
insert into k values (1, 2, 20, 2, 'ab', 2)
insert into k (i2) values (7)
insert into k (i8) values (10000000000)
insert into k (n) values (1)
insert into k (t) values ('abc')
delete from p where id = 1
delete from p where id = 2
update p set n = 3 where id = 2
update p set n = 2.0 where id = 2
update p set v = 'zz' where id = 1
update p set big = 21 where id = 2
drop table k
drop view vw
drop table p, nokey
create table p (id int primary key, code text)
create unique index p_code on p (code)
create unique index p_part on p (id) where id > 0
create table c (id int primary key, code text references p (code))
insert into p values (1, 'a'), (2, 'b')
insert into c values (1, 'a')
drop index p_code
alter table p drop constraint p_pkey
alter table p drop column code
alter table p drop column code cascade
insert into c values (2, 'zz')
drop table c, p
create table p (id int primary key, x int unique)
create table c (id int primary key, pid int, x int)
insert into p values (1, 1), (2, 2)
insert into c values (1, 1, 1), (2, 2, 9)
alter table c add constraint c_p foreign key (pid) references p
alter table c add constraint c_p foreign key (pid) references p
alter table c add constraint c_x foreign key (x) references p (x)
alter table c add constraint c_x foreign key (x) references p (x) not valid
insert into c values (3, 1, 9)
insert into c values (3, 1, 2)
update c set pid = 1 where id = 2
update c set x = 8 where id = 2
alter table c validate constraint c_x
update c set x = null where id = 2
alter table c validate constraint c_x
alter table c validate constraint c_x
alter table c validate constraint nothing
alter table c validate constraint c_pkey
alter table c add foreign key (x) references p
alter table c add foreign key (x) references p (x)
alter table c drop constraint c_x
alter table c drop constraint c_x
alter table c drop constraint if exists c_x
insert into c values (4, 1, 99)
alter table c rename constraint c_p to c_parent
insert into c values (5, 99)
alter table p rename to parents
insert into c values (5, 99)
alter table c rename column pid to parent_id
insert into c values (5, 99)
alter table c add column q int references parents (x)
alter table c add column r int default 5 references parents (x)
alter table c add column r int default 2 references parents (x)
select * from c order by id
alter table c alter column parent_id type bigint
insert into c values (5, 99)
alter table parents drop constraint parents_pkey
alter table parents drop constraint p_pkey
alter table parents drop constraint p_pkey cascade
insert into c values (5, 99)
drop table c, parents
create table p (id int primary key)
create table d (id int primary key, pid int references p deferrable initially deferred)
create table e (id int primary key, pid int references p deferrable)
insert into p values (1), (2)
insert into d values (1, 9)
insert into e values (1, 9)
begin
insert into d values (1, 9)
insert into p values (9)
commit
begin
insert into d values (2, 10)
commit
select * from d order by id
begin
insert into e values (2, 10)
commit
begin
set constraints all deferred
insert into e values (2, 10)
insert into d values (3, 10)
insert into p values (10)
commit
begin
set constraints d_pid_fkey immediate
insert into d values (4, 11)
rollback
begin
insert into d values (4, 11)
set constraints d_pid_fkey immediate
rollback
begin
set constraints e_pid_fkey, d_pid_fkey deferred
delete from p where id = 10
insert into p values (10)
set constraints all immediate
commit
begin
set constraints e_pid_fkey deferred
delete from p where id = 10
commit
begin
update p set id = 100 where id = 10
update d set pid = 100 where pid = 10
update e set pid = 100 where pid = 10
commit
begin
set constraints all deferred
update p set id = 100 where id = 10
update d set pid = 100 where pid = 10
update e set pid = 100 where pid = 10
commit
select * from d order by id
select * from e order by id
begin
set constraints nothing deferred
rollback
begin
set constraints d_pkey deferred
rollback
begin
insert into d values (20, 20)
alter table d add x int
rollback
begin
insert into d values (20, 20)
truncate d
rollback
begin
insert into d values (20, 20)
drop table d
rollback
begin
insert into d values (20, 20)
delete from d where id = 20
commit
begin
insert into d values (20, 20)
update d set pid = 1 where id = 20
commit
insert into d values (1, 1) on conflict (id) do update set pid = 77
insert into d values (1, 1) on conflict (id) do update set pid = 2 returning *
insert into e values (1, 1), (50, 88) on conflict do nothing
insert into e values (1, 1) on conflict (id) do update set pid = 88
select conname, contype, condeferrable, condeferred, convalidated, confupdtype, confdeltype, confmatchtype, conkey, confkey, pg_get_constraintdef(oid) from pg_constraint where contype = 'f' and conrelid in ('d'::regclass, 'e'::regclass) order by conname
select constraint_name, unique_constraint_name, match_option, update_rule, delete_rule from information_schema.referential_constraints where constraint_name in ('d_pid_fkey', 'e_pid_fkey') order by 1
select constraint_name, table_name, column_name, ordinal_position, position_in_unique_constraint from information_schema.key_column_usage where table_name in ('d', 'e', 'p') and table_schema = (select n.nspname from pg_namespace n join pg_class c on c.relnamespace = n.oid where c.oid = 'd'::regclass) order by 1, 2, 4
select constraint_name, constraint_type, is_deferrable::text, initially_deferred::text from information_schema.table_constraints where table_name in ('d', 'e') and table_schema = (select n.nspname from pg_namespace n join pg_class c on c.relnamespace = n.oid where c.oid = 'd'::regclass) and constraint_type <> 'CHECK' order by 1
select table_name, column_name, constraint_name from information_schema.constraint_column_usage where constraint_name like '%pid_fkey' and constraint_schema = (select n.nspname from pg_namespace n join pg_class c on c.relnamespace = n.oid where c.oid = 'd'::regclass) order by 3
alter table e alter constraint e_pid_fkey deferrable initially deferred
alter table e alter constraint e_pkey deferrable
alter table e alter constraint nothing deferrable
begin
insert into e values (60, 60)
insert into p values (60)
commit
alter table e alter constraint e_pid_fkey not deferrable
insert into e values (61, 61)
drop table d, e
drop table p
create table p (a int, b int, primary key (a, b))
create table c (x int, y int, constraint weird foreign key (y, x) references p (a, b) match full on update cascade on delete set null (x) deferrable initially deferred)
select pg_get_constraintdef(oid), conkey, confkey, confdelsetcols from pg_constraint where conname = 'weird'
insert into p values (1, 2)
insert into c values (2, 1)
update p set a = 10, b = 20
select * from c
drop table c
create table c (x int, y int, foreign key (x, y) references p (b, a) on update cascade)
insert into c values (20, 10)
update p set a = 11
select * from c
drop table p cascade
select count(*) from pg_constraint where conrelid = 'c'::regclass
drop table c
create table u (id int primary key, a int, b int not null)
insert into u values (1, 1, 1), (2, null, 1)
alter table u alter column a set not null
update u set a = 2 where id = 2
alter table u alter column a set not null
insert into u values (3, null, 1)
alter table u alter column a drop not null
insert into u values (3, null, 1)
alter table u add constraint positive check (a > 1)
alter table u add constraint positive check (a > 1) not valid
insert into u values (4, 0, 1)
update u set b = 5 where id = 1
alter table u validate constraint positive
delete from u where id = 1
alter table u validate constraint positive
select convalidated from pg_constraint where conname = 'positive'
alter table u add constraint positive check (b > 0)
alter table u add check (b > 0), add check (b < 100)
select conname from pg_constraint where conrelid = 'u'::regclass order by 1
alter table u add constraint b_unique unique (b)
update u set b = id
alter table u add constraint b_unique unique (b)
insert into u values (9, 9, 2)
create unique index u_a on u (a)
alter table u add constraint a_key unique using index u_a
insert into u values (10, 2, 10)
alter table u drop constraint u_pkey
create unique index u_id on u (id)
alter table u add constraint u_pk primary key using index u_id
insert into u values (2, 50, 50)
create index u_plain on u (b)
alter table u add unique using index u_plain
alter table u add unique using index nothing
alter table u add constraint a_key unique (a)
alter table u add primary key (a)
create table self (id int primary key, next int unique references self (next))
insert into self values (1, 1), (2, 2)
update self set next = 3 where id = 1
delete from self where id = 1
drop table self, u
create table sr (a int primary key, b int references sr, c int)
insert into sr values (1, 1, 0), (2, 1, 0)
alter table sr drop constraint sr_pkey
alter table sr alter column b type text
alter table sr alter column b type bigint
alter table sr alter column b type int using b + 5
insert into sr values (3, 9, 0)
with gone as (delete from sr where a = 2 returning a) select a, count(*) from gone group by a order by a limit 1
merge into sr using (values (1), (5)) s (x) on sr.a = s.x when matched then update set b = 77 when not matched then insert values (s.x, 1, 0)
merge into sr using (values (1), (5)) s (x) on sr.a = s.x when matched then update set c = 1 when not matched then insert values (s.x, 1, 0)
select * from sr order by a
alter table sr drop column b
alter table sr add column b int references sr
alter table sr drop column a
alter table sr drop column a cascade
drop table sr
create schema elsewhere
create table elsewhere.far (id int primary key)
create table near (id int references elsewhere.far)
select pg_get_constraintdef(oid) from pg_constraint where conname = 'near_id_fkey'
drop schema elsewhere cascade
insert into near values (1)
drop table near
