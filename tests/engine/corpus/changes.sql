create table t (a int primary key, b numeric(8,2) not null check (b >= 0), c varchar(3), d int default 7, e text unique)
insert into t values (1, 10.5, 'abc'), (2, 20, null, default, 'x')
insert into t (a, b) values (3, 1.005) returning *
insert into t values (1, 1)
insert into t values (4, null)
insert into t values (4, -1)
insert into t values (4, 1, 'toolong')
insert into t values (4, 1, 'ab   ')
insert into t values (5, 1, 'abc   ')
insert into t values (6, 1, 'x', 1, 'x')
insert into t values (6, 1234567.5)
insert into t values ('7', '3.14', 5)
insert into t values (8, true)
insert into t (a, zz) values (8, 1)
insert into t (a, a) values (8, 1)
insert into t (a, b) values (8)
insert into t (a) values (8, 9)
insert into t default values
insert into t select 10 + g, g, 'c' from generate_series(1, 3) g
insert into t (a, b, d) select a + 100, b, d from t where a < 4 returning a, b, d
insert into t (a, b) select a + 200, null from t
select * from t order by a
update t set b = b + 1 where a = 1 returning a, b
update t set b = b - 1000 where a = 1
update t set a = 1 where a = 2
update t set a = case a when 1 then 2 else 1 end where a in (1, 2)
update t set e = 'x' where a = 3
update t set e = null, c = default where a = 3 returning *
update t set (c, d) = ('q', d * 2) where a = 3 returning c, d
update t set d = default where a = 3 returning d
update t set zz = 1
update t set b = 'x'
update t set c = 'long one'
update t set d = 1, d = 2
update t set b = x.b from t x where x.a = t.a + 1 and t.a = 1 returning t.a, t.b, x.a
update t set d = (select max(a) from t) where a = 1 returning d
update t as q set d = q.d + 1 where q.a = 3 returning q.d
update t set d = t2.g from (values (1, 11), (1, 12), (3, 13)) as t2(k, g) where t2.k = t.a and t.a = 3 returning t.a, d
update t set b = b where false
select * from t order by a
delete from t where a = 3 returning *
delete from t using t x where x.a = t.a - 1 and t.a = 2 returning t.a
delete from t where a > 100
delete from t where zz = 1
select count(*) from t
create table k (id int primary key, v text, n int default 0, unique (v))
insert into k values (1, 'a'), (2, 'b')
insert into k values (1, 'z') on conflict do nothing
insert into k values (1, 'z'), (3, 'c') on conflict (id) do nothing returning id
insert into k values (1, 'z') on conflict (id) do update set n = k.n + 1, v = excluded.v returning *
insert into k values (9, 'z') on conflict (v) do update set n = k.n + excluded.id returning *
insert into k values (1, 'b') on conflict (id) do update set v = excluded.v
insert into k values (1, 'q') on conflict (id) do update set n = 5 where k.n > 100 returning *
insert into k values (5, 'e'), (5, 'f') on conflict (id) do update set v = excluded.v
insert into k values (5, 'e'), (5, 'f') on conflict (id) do nothing
insert into k values (1, 'q') on conflict (n) do nothing
insert into k values (1, 'q') on conflict do update set n = 1
insert into k values (1, 'b') on conflict on constraint k_v_key do update set n = 77 returning *
insert into k values (1, 'qq') on conflict on constraint k_pkey do update set (n, v) = (excluded.n + 1, 'w') returning *
select * from k order by id
with moved as (delete from k where id = 1 returning *) select id, v from moved
with w as (insert into k values (20, 'tw') returning id) select * from w
with w as (update k set n = n + 1 returning id, n) select count(*) from w
select * from k order by id
create table g (a int, b int generated always as (a * 2) stored, c text default 'x' || 'y')
insert into g (a) values (1), (2) returning *
insert into g values (1, 2)
insert into g values (3, default) returning *
update g set a = 10 where a = 1 returning *
update g set b = 1
select * from g order by a
create table nn (a int not null, b int, primary key (a, b))
insert into nn values (1, null)
insert into nn values (1, 2), (1, 3), (2, 1)
insert into nn values (1, 2)
select * from nn where a = 1 order by b
select * from nn where a = 1 and b = 3
select * from nn where a in (1, 2) and b in (1, 3) order by a, b
select * from nn where a = 1 and b > 2
select * from nn where (a, b) > (1, 2) order by a, b
select * from nn order by a desc, b desc limit 1
select * from nn where (a, b) in ((1, 2), (2, 1), (9, 9), (1, 2)) order by a, b
select * from nn where (a = 1 and b = 3) or (a = 2 and b = 1 and a + b = 3) or (a = 1 and b = 99) order by a, b
select * from nn where (a = 1 and b = 3) or (a = 2 and b > 0) order by a, b
select * from nn where (a, b) in ((1, null), (2, 1))
select * from nn order by a, b desc
select * from nn order by a, b
create table m (a int, b int)
insert into m values (1,1),(1,1),(null,2),(null,null)
select * from m order by a, b
delete from m where a = 1
select count(*) from m
create unique index m_a on m (a)
insert into m values (5, 1)
insert into m values (5, 2)
insert into m values (null, 2)
create index m_b on m (b desc nulls last, a)
select a, b from m order by b desc nulls last, a
select a from m where b = 2 order by a
truncate m
select * from m
drop table m
drop table m
drop table if exists m
create table t (a int)
create table z (a int, a int)
create table z (a nope)
create table z (a int primary key, b int primary key)
create table z (a int, check (b > 0))
create table z (a int check (a + 1))
create table z (a int default 'x')
create table z (a int default b)
create table z (a numeric(3,5), b char(4), c varchar)
insert into z values (0.001, 'ab', 'x')
insert into z values (1, 'ab', 'x')
select a, b, c, b || '|', length(b), b = 'ab', b = 'ab  ' from z
select * from z where b = 'ab   '
alter table z add column q int default 3
select * from z
alter table z add column r int not null
alter table z drop column q
select * from z
alter table z rename column c to cc
select cc from z
alter table z add constraint zc check (a < 1)
insert into z (a) values (2)
alter table z add constraint zc2 check (a < 0)
alter table z drop constraint zc
alter table z drop constraint zc
alter table z alter column cc set not null
insert into z (a, cc) values (1, null)
alter table z alter cc drop not null
alter table z alter cc set default 'dd'
insert into z (b) values ('q') returning *
alter table z alter cc type int
alter table nn add primary key (b)
create schema s1
create table s1.t (a int)
insert into s1.t values (1)
select * from s1.t
select t.a from s1.t
drop schema s1
drop schema s1 cascade
select * from s1.t
create view vv as select a, b from z where b is not null
select * from vv
create or replace view vv as select a, b, cc from z
select * from vv order by b
drop table z
drop view vv
drop table z
create index on t (d)
create index t_d_idx on t (d)
create index on t (nope)
create unique index on t (d)
drop index t_d_idx
drop index t_d_idx
drop index t_pkey
create table big (id bigint primary key, u uuid, by bytea, f float8, r real, ts timestamptz, dt date, n numeric, bo bool, tx text)
insert into big values (9223372036854775807, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\xdeadbeef', 1e10, 1.5, '2024-02-29 12:00:00+02', '2024-02-29', 12345678901234567890.123, 't', 'é')
insert into big values (-1, null, '', 'NaN', '-Infinity', 'infinity', '-infinity', 'NaN', 'no', '')
insert into big values (9223372036854775808)
insert into big (id, u) values (1, 'nope')
insert into big (id, dt) values (1, '2024-02-30')
select * from big order by id
select id from big where u = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'
select id from big where n = 'NaN'
select id, f from big where f > 5 order by f
create table jobs_sl (id int primary key, state text)
insert into jobs_sl values (1,'new'),(2,'new'),(3,'done')
select id from jobs_sl where state = 'new' order by id limit 1 for update skip locked
select id from jobs_sl where state = 'new' order by id for update nowait
update jobs_sl set state = 'busy' where id = (select id from jobs_sl where state = 'new' order by id limit 1 for update skip locked) returning *
with next as (select id from jobs_sl where state = 'new' order by id for no key update of jobs_sl skip locked limit 5) delete from jobs_sl using next where jobs_sl.id = next.id returning jobs_sl.*
select * from jobs_sl for share nowait
select count(*) from jobs_sl for update skip locked
select distinct state from jobs_sl for update nowait
select 1 as n for update skip locked
