create table d (id int primary key, v int unique deferrable initially deferred, t text)
insert into d values (1, 1, 'a'), (2, 2, 'b'), (3, null, 'c'), (4, null, 'd')
insert into d values (5, 1, 'e')
update d set v = v + 1
update d set v = 3 where id in (1, 2)
select * from d order by id
begin
insert into d values (6, 2, 'x')
select id, v from d where v = 2 order by id
select count(*) from d where v = 2
update d set v = 20 where id = 6
commit
begin
insert into d values (7, 2, 'y')
commit
select id, v from d order by id
begin
insert into d values (7, 2, 'y')
set constraints all immediate
rollback
begin
insert into d values (7, 2, 'y')
set constraints d_v_key immediate
commit
begin
set constraints d_v_key immediate
insert into d values (7, 2, 'y')
rollback
begin
insert into d values (8, 30, 'y'), (9, 30, 'z')
delete from d where id = 9
set constraints all immediate
insert into d values (10, 31, 'y')
insert into d values (11, 31, 'y')
rollback
begin
update d set v = 20 where id = 1
update d set v = 2 where id = 6
commit
select id, v from d order by id
begin
insert into d values (12, 20, 'k')
savepoint s
insert into d values (13, 2, 'k')
rollback to s
delete from d where v = 20 and id <> 12
commit
select id, v from d order by v, id
select * from d where v in (2, 20, 3) order by v
select a.id, b.id from d a join d b on a.v = b.v order by 1
insert into d values (1, 100, 'z') on conflict do nothing
insert into d values (1, 100, 'z') on conflict (id) do nothing
insert into d values (100, 2, 'z') on conflict (v) do nothing
insert into d values (100, 2, 'z') on conflict (v) do update set t = 'q'
insert into d values (100, 2, 'z') on conflict on constraint d_v_key do nothing
insert into d values (100, 2, 'z') on conflict on constraint d_v_key do update set t = 'q'
create table r (id int, v int references d (v))
create table i (id int primary key deferrable, v int, constraint iv unique (v) deferrable initially immediate)
create table r (id int, v int references i)
create table r (id int, v int references i (id))
create table r (id int, v int references i (v))
insert into i values (1, 1), (2, 2), (3, 3)
insert into i values (1, 5)
insert into i values (null, 5)
update i set id = id + 1
update i set id = 4 - id + 2, v = 4 - v
select * from i order by id
update i set id = 2
insert into i values (9, 1)
begin
set constraints all deferred
update i set id = 2
select * from i order by v
update i set id = v
commit
select * from i order by id
begin
set constraints iv deferred
update i set v = 7
commit
begin
set constraints iv deferred
insert into i values (1, 7)
rollback
begin
set constraints i_pkey deferred
insert into i values (1, 7)
delete from i where v = 7
commit
select * from i where id = 1
select * from i where id in (1, 3) order by id desc
select id, v from i group by id
select v, count(*) from i group by v order by v
select conname, contype, condeferrable, condeferred, pg_get_constraintdef(oid) from pg_constraint where conrelid in ('i'::regclass, 'd'::regclass) order by 1
select c.relname, indisunique, indisprimary, indimmediate from pg_index join pg_class c on c.oid = indexrelid where indrelid in ('i'::regclass, 'd'::regclass) order by 1
select constraint_name, is_deferrable, initially_deferred from information_schema.table_constraints where table_name in ('i', 'd') and constraint_schema = current_schema() and constraint_type <> 'CHECK' order by 1
select indexdef from pg_indexes where tablename in ('i', 'd') and schemaname = current_schema() order by 1
create table l (like i including indexes)
select conname, condeferrable, condeferred from pg_constraint where conrelid = 'l'::regclass order by 1
alter table d alter constraint d_v_key not deferrable
begin
insert into d values (50, 50, 'p')
alter table d add column more int
rollback
begin
insert into d values (50, 50, 'p')
truncate d
rollback
create table n (a int, b int, unique nulls not distinct (a, b) deferrable initially deferred)
insert into n values (1, null), (1, null)
insert into n values (1, null), (2, null)
begin
insert into n values (1, null)
delete from n where a = 1
commit
table n
create table m (id int primary key, a text, b numeric, unique (b, a) deferrable initially deferred)
insert into m select g, 'x' || g % 10, g from generate_series(1, 300) g
update m set b = 301 - b, a = 'y'
update m set b = 7.00 where id = 3
update m set b = 8.0, a = 'z' where id in (5, 6)
begin
update m set b = 1, a = 'y'
update m set b = id
commit
select count(*), count(distinct b) from m
update m set id = id + 1000
select min(id), count(*) from m where b = 7
merge into m using (values (1001, 2)) s (id, b) on m.id = s.id when matched then update set b = s.b
merge into m using (values (1001, 2000)) s (id, b) on m.id = s.id when matched then update set b = s.b
alter table m drop constraint m_b_a_key
insert into m values (1, 'y', 5), (2, 'y', 5)
create table e (id int)
alter table e add constraint ek unique (id) deferrable initially deferred
insert into e values (1), (1)
alter table e add column k int unique deferrable
alter table e add primary key (k) deferrable initially immediate
insert into e values (1, 1), (2, 2)
insert into e values (3, 2)
insert into e values (3, null)
create table bad (id int unique initially deferred)
create table bad2 (id int unique not deferrable initially deferred)
create table bad2 (id int check (id > 0) deferrable)
create table p (id int primary key, v int unique deferrable initially deferred, boss int references p on delete cascade)
insert into p values (1, 1, null), (2, 2, 1), (3, 3, 2)
begin
insert into p values (4, 1, null)
delete from p where id = 1
commit
table p
create table g (id int primary key, v int constraint gv unique deferrable initially deferred)
insert into g values (1, 1)
begin
insert into g values (2, 1)
alter table g rename to g2
rollback
begin
insert into g values (2, 1)
alter table g drop constraint gv
rollback
begin
insert into g values (2, 1)
drop index gv
rollback
drop index gv
insert into g values (2, 2) on conflict (id) do update set v = 5
alter table g rename constraint gv to gw
begin
insert into g values (3, 1)
set constraints gv immediate
rollback
begin
insert into g values (3, 1)
set constraints gw immediate
rollback
insert into g values (3, 1)
create table h (id int primary key, v int constraint hv unique deferrable initially deferred)
insert into h values (1, 1)
alter index hv rename to hw
begin
insert into h values (2, 1)
commit
alter table h rename constraint hw to hx
begin
insert into h values (2, 1)
set constraints hx immediate
commit
table h
