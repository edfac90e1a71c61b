create table t (id int primary key, name text, n numeric(8,2))
insert into t values (1, 'one', 1.5), (2, 'two', null), (3, null, 3)
create type pt as (x int, y text)
create function full_name(t) returns text language sql as $$ select $1.id || ':' || coalesce($1.name, '-') $$
select full_name(t), t.id from t order by id
select full_name(x) from t x where x.id > 1 order by x.id
select full_name(null), full_name('(9,nine,)'::t), full_name(row(8, 'e', null)::t)
create function bigger(r t, by int) returns boolean language sql stable as $$ select r.n > by $$
select id from t where bigger(t, 2)
select id, bigger(t, 1) from t order by id
create function get_t(int) returns t language sql stable as $$ select * from t where id = $1 $$
select get_t(1), get_t(99)
select (get_t(1)).name, (get_t(1)).*
select * from get_t(2)
select * from get_t(99)
select x.name, x from get_t(1) x
select row_to_json(g) from get_t(3) g
create function all_t() returns setof t language sql stable as $$ select * from t order by id $$
select * from all_t()
select a.name, a from all_t() a where a.id > 1
select all_t()
select (all_t()).name
select count(*) from all_t() a join t on t.id = a.id
create function make_pt(int, text) returns pt language sql immutable as $$ select $1, $2 $$
select make_pt(1, 'a'), (make_pt(1, 'a')).x, make_pt(1, 'a') = row(1, 'a')::pt
select * from make_pt(4, 'q')
create function pt_row(int) returns pt language sql immutable as $$ select row($1, 'lit')::pt $$
select pt_row(5), (pt_row(5)).y
create function bad_pt() returns pt language sql as $$ select 1 $$
create function bad_pt() returns pt language sql as $$ select 'a'::text, 'b'::text $$
create function bad_t() returns t language sql as $$ select id, name from t $$
create function two(int, out a int, out b text) language sql as $$ select $1 + 1, 'b' || $1 $$
select two(1), (two(2)).a, (two(2)).b
select * from two(3)
select (two(id)).* from t order by id
select row_to_json(two(5))
create function many(n int) returns table (i int, sq int) language sql as $$ select g, g * g from generate_series(1, n) g $$
select many(3)
select (many(2)).sq
select * from many(2)
create function rec(int) returns record language sql as $$ select $1, 'x'::text $$
select rec(1)
select * from rec(1)
select * from rec(1) as x(a int, b text)
select * from rec(1) as x(a int)
select * from rec(1) as x(a int, b text, c int)
create function recs() returns setof record language sql as $$ select id, name from t order by id $$
select * from recs() as x(id int, name text)
select x.name, x from recs() as x(id int, name text) where x.id > 1
select recs()
select * from recs()
select * from many(2) as x(a int, b int)
create function ident(anyelement) returns anyelement language sql as $$ select $1 $$
select ident(1), ident('a'::text), ident(array[1, 2]), ident(1.5)
select ident(null)
select ident('a')
select ident(t) from t order by id
select pg_typeof(ident(1::smallint)), pg_typeof(ident(date '2024-01-01'))
create function pick(anyarray, int) returns anyelement language sql immutable as $$ select $1[$2] $$
select pick(array['a', 'b'], 2), pick(array[10, 20], 1), pick('{1,2}'::int8[], 5)
select pick(1, 2)
create function wrap(anyelement) returns anyarray language sql as $$ select array[$1, $1] $$
select wrap(5), wrap('x'::text)
create function larger(anyelement, anyelement) returns anyelement language sql as $$ select case when $1 > $2 then $1 else $2 end $$
select larger(1, 2), larger('b'::text, 'a'), larger(1.5, 2.5)
select larger(1, 2.5)
create function either(anycompatible, anycompatible) returns anycompatible language sql as $$ select coalesce($1, $2) $$
select either(1, 2.5), either(null, 'x'::text), pg_typeof(either(1::int2, 2::int8))
create function each_of(anyarray) returns setof anyelement language sql as $$ select unnest($1) $$
select each_of(array[1, 2, 3])
select * from each_of(array['a', 'b']) e
create function no_input() returns anyelement language sql as $$ select 1 $$
create function plain(anynonarray) returns int language sql as $$ select 1 $$
select plain(1)
select plain(array[1])
drop function ident(anyelement)
select ident(1)
create view v as select id, name from t
create function of_view(v) returns text language sql as $$ select $1.name $$
select of_view(v) from v order by id
drop table t
