create table t (a int primary key, b text, c numeric, d int default 5)
create table u (a int, b text, c numeric)
insert into t values (1,'x',1.5,1),(2,'y',2.5,2),(3,null,3.5,3)
insert into u values (1,'p',10),(2,'q',20),(4,'r',40)
update t set (b, c) = (select b, c from u where u.a = t.a) returning *
select * from t order by a
update t set (b, c) = (select 'k', 7) where a = 1 returning a, b, c
update t set (b, c) = (select b, c from u) where a = 1
update t set (b, c) = (select 1) where a = 1
update t set (b, c) = (select 1, 2, 3) where a = 1
update t set (b, d) = (select 'a', 'b') where a = 1
update t set (b, c) = 1 where a = 1
update t set (b, c) = (1, 2, 3)
update t set (b, c) = row('z', 9), d = 8 where a = 2 returning *
update t set (b, d) = row('z', default) where a = 2 returning *
update t set (b, d) = ('w', default) where a = 2 returning *
update t set (b) = row('q') where a = 2 returning *
update t set (b) = ('q2') where a = 2 returning *
update t set (b, b) = ('q', 'r') where a = 2
update t set (b, c) = (select u.b, v.c from u join u v on u.a = v.a where u.a = t.a + 1), d = (select max(a) from u) returning *
update t set (d, c) = (select count(*), sum(x.c) from u x where x.a <> t.a) from u where u.a = t.a returning t.*, u.a
update t set (b, c) = (values ('m', 3)) where a = 3 returning *
update t set (nosuch, c) = (select 1, 2)
update t set (b, c) = (select b, c from u where u.a = t.a), (d) = (select 3) where a < 3 returning *
update t set (b, c) = (select b, random() from u where u.a = t.a) where a = 99
insert into t (a, b) values (1, 'i') on conflict (a) do update set (b, c) = (select u.b, u.c from u where u.a = excluded.a) returning *
insert into t (a, b) values (2, 'i') on conflict (a) do update set b = (select max(u.b) from u where u.a <= t.a) || excluded.b returning *
insert into t (a, b) values (2, 'i'), (3, 'j'), (9, 'k') on conflict (a) do update set b = excluded.b where exists (select 1 from u where u.a = t.a) returning a, b
insert into t (a, b) values (2, 'i'), (3, 'j') on conflict (a) do update set d = (select count(*) from t x) where t.a in (select a from u) returning a, d
insert into t values (11, 'n') returning a, (select count(*) from t), (select u.b from u where u.a = t.a - 10)
update t set d = d + 1 where a < 3 returning a, (select count(*) from u where u.a <= t.a), exists (select 1 from u where u.c = t.c)
delete from t where a = 11 returning *, (select count(*) from t)
delete from t where a = 9 returning (select max(b) from u), a in (select a from u)
with x as (insert into t values (20, 'cte') returning a, (select count(*) from u) n) select * from x
select * from t where (a, b) = (select 1, 'k') order by a
select (1, 2) = (select 1, 2), (1, 2) <> (select 1, 3), (1, 2) < (select 1, 3), (1, 2) >= (select 1, 3)
select (1, 2) = (select 1, null::int), (1, 2) < (select 2, null::int), (1, 2) <> (select 2, null::int)
select (1, 2) = (select a, a from u where false)
select (1, 2) = (select a, a from u)
select (1, 2) = (select 1)
select (1, 2) = (select 1, 2, 3)
select (1, 'a') = (select 1, 'a')
select (1, 'a') = (select 'a', 1)
select a, (a, c) = (select u.a, u.c from u where u.a = t.a) from t order by a
select a, (a, d) < (select max(u.a), 3 from u where u.a <= t.a + 1) from t order by a
select (a, b) in (select a, b from u) from t order by a
select a from t where (a, b) not in (select a, b from u where b is not null) order by a
select a from t where (a, c) = any (select a, c from u) order by a
select a from t where (a, 1) <> all (select a, 1 from u) order by a
select a from t where (a, 1) < any (select a, 1 from u) order by a
select a from t where (a, 1) >= all (select a, 1 from u) order by a
select (1, 2) in (select 1)
select (1, 2) in ((1, 2), (3, 4)), (1, 2) not in ((1, 3), (3, null)), (1, null) in ((1, 2))
select (1, 2) = any (select 1, 2, 3)
select 1 in (select '1')
select row(1, 2) = row(1, 2), row(1) = row(2), row(1, 2) is distinct from row(1, 3), row(1, null) is not distinct from row(1, null)
select (1, 2) = 1
select (select 1, 2)
select (select a, b from t) = (1, 2)
create table ck (a int check (a in (select 1)))
create table ck (a int check ((select 1) > a))
create table ck (a int default (select 1))
create table ck (a int, b int generated always as ((select 1)) stored)
create index on t ((select 1))
create table ck2 (a int)
alter table ck2 add constraint x check (exists (select 1))
create index on ck2 (a) where a in (select 1)
select * from t where (a, b) = (select u.a, u.b from u where u.a = t.a) and (d, c) > (select 0, 0) order by a
