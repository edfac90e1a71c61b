create table t (id int primary key, a int, b text)
insert into t select g, g % 3, chr(96 + g) from generate_series(1, 9) g
create function add_one(x int) returns int language sql as 'select x + 1'
select add_one(4), add_one(null), add_one('7')
select id, add_one(a) from t where add_one(a) = 2 order by id
create function plus(int, int) returns int language sql immutable as $$ select $1 + $2; $$
select plus(1, 2), plus(plus(1, 2), 3)
create function plus(text, text) returns text language sql immutable as $$ select $1 || $2 $$
select plus('a'::text, 'b'::text), plus(1, '2')
select plus('a', 'b')
select plus(1.5, 2)
select plus(1)
select nosuch(1)
create function total() returns bigint language sql stable as 'select count(*) from t'
select total(), total() + 1
select id, total() from t where id < 3 order by id
create function first_b(k int) returns text language sql stable as 'select b from t where a = k order by id'
select first_b(1), first_b(2), first_b(99)
select k, first_b(k) from generate_series(0, 3) k order by k
select a, first_b(a) || '!' from t where first_b(a) > 'a' order by id
create function strictly(x int, y int) returns text language sql strict as $$ select 'got ' || coalesce(x, 0) + coalesce(y, 0) $$
create function strictly(x int, y int) returns text language sql strict as $$ select 'got ' || (coalesce(x, 0) + coalesce(y, 0)) $$
select strictly(1, 2), strictly(null, 2), strictly(1, null)
create function loosely(x int, y int) returns text language sql as $$ select 'got ' || (coalesce(x, 0) + coalesce(y, 0)) $$
select loosely(1, 2), loosely(null, 2)
create function ids(m int) returns setof int language sql stable as 'select id from t where a = m order by id'
select * from ids(1)
select ids from ids(2)
select x from ids(2) as x
select q.y + 1 from ids(0) as q (y)
select ids(1)
select t.id, i from t, ids(t.a) i where t.id < 3 order by 1, 2
select t.id, i from t left join lateral ids(t.a + 5) i on true where t.id < 3 order by 1
select count(*) from ids(null)
create function pairs(m int) returns table (num int, letter text) language sql stable as 'select id, b from t where a = m'
select * from pairs(1) order by num
select letter from pairs(2) p where num > 2 order by 1
select p.*, t.id from t cross join lateral pairs(t.a) p where t.id = 4 order by 1
select * from pairs(1) as p (n, l) order by n
select num, count(*) from pairs(0) group by num order by 1
create function strict_set(m int) returns setof int language sql strict as 'select id from t where coalesce(m, 1) = a'
select count(*) from strict_set(null)
select count(*) from strict_set(1)
create function both(x int, out s int, out p int) language sql as 'select x + x, x * x'
select * from both(5)
create function one_out(x int, out s int) language sql as 'select x + x'
select one_out(4)
select * from one_out(4)
create function defaults(a int, b int default 10, c text default 'x') returns text language sql as $$ select a || '-' || b || '-' || c $$
select defaults(1), defaults(1, 2), defaults(1, 2, 'z'), defaults(a => 5, c => 'n'), defaults(7, c => 'k')
select defaults()
select defaults(1, 2, 'z', 4)
select defaults(d => 1)
create function std(x int, y int) returns int language sql return x * y
select std(3, 4)
create function std2(x int) returns text language sql begin atomic select b from t where t.id = x; end
select std2(2), std2(200)
create function x_shadow(id int) returns text language sql as 'select b from t where id = 3'
select x_shadow(1)
create function x_qual(id int) returns text language sql as 'select b from t where t.id = x_qual.id'
select x_qual(2)
create function cast_back() returns numeric language sql as 'select 1'
select cast_back(), pg_typeof(cast_back())
create function nothing() returns void language sql as 'select 1'
select nothing()
create function empty() returns int language sql as 'select 1 where false'
select empty()
create function agg(m int) returns bigint language sql stable as 'select sum(id) from t where a = m'
select a, agg(a) from t group by a order by a
select sum(add_one(id)), add_one(sum(id)::int) from t
select id from t order by add_one(-id) limit 2
select a, count(*) from t group by a having add_one(a) > 1 order by a
update t set a = add_one(a) where id = 9 returning a
insert into t values (add_one(99), std(2, 3), defaults(1)) returning *
create view fv as select id, add_one(a) up, first_b(a) from t
select * from fv order by id limit 3
drop function add_one(int)
create or replace function add_one(x int) returns int language sql as 'select x + 100'
select up from fv where id = 1
create or replace function add_one(x int) returns text language sql as 'select 1'
create or replace function add_one(y int) returns int language sql as 'select y'
create function add_one(x int) returns int language sql as 'select x'
create function bad() returns int language sql as $$ select 'x'::text $$
create function bad() returns int language sql as 'select 1, 2'
create function bad() returns int language sql as ''
create function bad() returns int language sql as 'selec 1'
create function bad() returns int language sql as 'select nosuch'
create function bad() returns int language sql as 'select * from nosuch'
create function bad() returns int language sql as 'select $1'
create function bad(x int) returns int language sql as 'select $2'
create function bad() returns int as 'select 1'
create function bad() returns int language nosuch as 'select 1'
create function bad() language sql as 'select 1'
create function bad() returns int language sql
create function bad(x int, x int) returns int language sql as 'select 1'
create function bad(x int default 1, y int) returns int language sql as 'select 1'
create function bad() returns nosuch language sql as 'select 1'
create function nosuch.bad() returns int language sql as 'select 1'
create function bad() returns int language sql immutable stable as 'select 1'
create function bad() returns table (a int, b int) language sql as 'select 1'
select add_one(1) over ()
select add_one(distinct 1)
select add_one(*)
select * from add_one(3)
select * from add_one(3) as f (v)
select 1 from t where ids(1) = 1
drop function nosuch(int)
drop function if exists nosuch(int)
drop function nosuch
drop function plus
drop function plus(text, text)
select plus(1, 2)
select plus('a'::text, 'b'::text)
drop function ids, pairs(int)
drop function add_one(int) cascade
select * from fv
create function add_one(x int) returns int language sql as 'select x + 5'
select add_one(1)
