create table t (id int primary key, name text, at date)
create table u (id int, t_id int, note varchar(20), n numeric(6,2))
insert into t values (1, 'a b', '2024-01-02'), (2, null, null), (3, 'it''s "q", ok\', '2020-02-29')
insert into u values (10, 1, 'x', 1.5), (11, 1, null, 2), (12, 2, '', null), (13, 9, 'lost', 3)
select t from t order by id
select t from t order by t
select t from t order by t desc
select t.* from t order by t.*
select t, u from t, u where t.id = u.t_id order by u.id
select x from t x order by id
select x from t x(a, b) order by a
select row_to_json(t) from t order by id
select row_to_json(x) from t x(a, b) order by a
select row_to_json(t, true) from t order by id
select row_to_json(t, null) from t order by id
select to_json(t), to_jsonb(t) from t order by id
select json_agg(t order by id) from t
select json_agg(t.* order by id) from t
select jsonb_agg(t order by id) from t
select array_agg(t order by id) from t
select array_to_json(array_agg(t order by id)) from t
select array_to_json(array_agg(t order by id), true) from t
select array_to_json(array[[1,2],[3,4]], true)
select to_jsonb(array_agg(t order by id)) from t
select count(t), count(t.*), count(*) from t
select count(t) filter (where t is not null), count(u) from t left join u on t.id = u.t_id
select (t).id, (t).name from t order by 1
select (t).* from t order by 1
select (t.*).name from t order by 1
select (t).nosuch from t
select (t.id).x from t
select ((t).at).x from t
select name(t) from t order by t.id
select t.t from t
select t is null, t is not null from t order by id
select u is null, u is not null from u order by id
select t.id, u is null, u is not null, not (u is null) from t left join u on t.id = u.t_id order by t.id, u.id
select t.id, u from t left join u on t.id = u.t_id order by t.id, u.id
select t.id, row_to_json(u) from t left join u on t.id = u.t_id order by t.id, u.id
select t.id, coalesce(row_to_json(u)::text, 'none') from t left join u on t.id = u.t_id and u.n > 1 order by t.id, u.id
select row_to_json(t), row_to_json(u) from t full join u on t.id = u.t_id order by t.id, u.id
select t, u from t right join u on t.id = u.t_id order by u.id
select s from (select id, name from t) s order by 1
select row_to_json(s) from (select id, name as n, upper(name) as big from t) s order by s.id
select row_to_json(s) from t left join (select t_id, note, 1 as one from u) s on s.t_id = t.id order by t.id, s.note
select s is null, count(s) from t left join (select t_id, note, 1 as one from u) s on s.t_id = t.id group by s order by 1, 2
select row_to_json(r) from (select t.id, (select json_agg(x) from (select u.id, u.n from u where u.t_id = t.id order by u.id) x) as us from t) r order by r.id
select row_to_json(r)::jsonb -> 'us' from (select t.id, array(select x from (select u.id, u.note from u where u.t_id = t.id order by u.id) x) as us from t) r order by r.id
with c as (select id, name from t) select row_to_json(c), c from c order by c.id
with c as (select * from t) select c is null, (c).name from c order by c.id
with c(a, b) as (values (1, 'x'), (2, null)) select row_to_json(c), to_jsonb(c) from c order by a
select row_to_json(v) from (values (1, 'x'), (2, null)) v order by 1::text
select row_to_json(v) from (values (1, 'x'), (2, null)) v(a, b) order by v.a
select g from generate_series(1, 3) g
select row_to_json(g) from generate_series(1, 3) g
select row_to_json(g) from generate_series(1, 3) g(n)
select to_json(g), to_jsonb(g) from generate_series(1, 2) g
select json_agg(x) from unnest(array[1, 2], array['a', 'b']) x
select json_agg(x) from unnest(array[1, 2], array['a', 'b']) with ordinality x
select json_agg(e) from jsonb_each('{"a": 1, "b": null}') e
select e, (e).key from jsonb_each('{"a": 1, "b": null}') e
select row(t.*, 1) from t order by id
select row(t, 1) from t order by id
select row(t.*, u.*) from t join u on t.id = u.t_id order by u.id
select to_json(row(1, 'a', null, true, 1.50, array[1, 2]))
select row_to_json(row(1, 'a', null))
select row_to_json(row(1, row(2, 'x')))
select row_to_json(row())
select to_jsonb(row(1, 'a'))
select json_build_array(row(1, 2), 3), json_build_object('r', row(1, 'x'))
select json_build_object('t', t, 'n', 1) from t order by id
select jsonb_build_object('t', t) from t order by id
select json_build_object(t, 1) from t
select json_object_agg(id, t order by id) from t
select json_agg(row(1, 2)), jsonb_agg(row(1, 'x'))
select (row(1, 2)).f1, (row(1, 2)).f2
select (row(1, 'x')).f3
select (row(1, 2)).*
select (r).f2 from (select row(id, name) as r from t) s order by 1
select (r).* from (select row(id, name) as r from t) s order by 1
select (s).r from (select row(id, name) as r from t) s order by 1
select t = t, t <> t, t < t, t is distinct from t from t order by id
select a.id, b.id, a = b, a < b, a >= b from t a, t b order by 1, 2
select t = row(1, 'a b', date '2024-01-02') from t order by id
select t = row(1, 'a b'::text, '2024-01-02'::date) from t order by id
select row(1, 'a b', date '2024-01-02') = t from t order by id
select t = row(1, 'a b') from t
select t = '(1,2)' from t
select t = u from t, u
select t < row(2, ''::text, null::date) from t order by id
select t is distinct from row(2, null::text, null::date) from t order by id
select t is not distinct from null from t order by id
select row(1, null) is distinct from row(1, null), row(1, null) = row(1, null), row(1, 2) is not distinct from row(1, 3)
select row(1, 2) is null, row(null, null) is null, row(1, null) is null, row(1, null) is not null, row() is null, row() is not null
select row(null, row(null, null)) is null, row(1, row(null)) is not null
select t in (select t from t where id < 3) from t order by id
select row(1, 'a b', date '2024-01-02') in (select t from t)
select exists (select t from t), (select t from t where id = 2), (select t from t where id = 99)
select (select t from t where id = 2) is null, (select t from t where id = 99) is null
select ((select t from t where id = 1)).name
select distinct t from t order by t
select distinct u.t_id, t from t join u on t.id = u.t_id order by 1
select t, count(*) from t group by t order by t
select t.id, row_to_json(t) from t group by t.id order by 1
select t.id, row_to_json(t), count(u) from t left join u on t.id = u.t_id group by t.id order by 1
select u.id, row_to_json(t) from u left join t on t.id = u.t_id group by u.id, t.id order by 1
select row_to_json(t), count(*) from t group by name
select max(t) from t
select t from t union select t from t order by 1
select t from t union all select t from t order by 1
select t from t except select t from t where id = 1 order by 1
select row(1, 2) union select row(1, 2)
select row(1, 2) union all select row(1, 'x') order by 1
select t::text, t::varchar from t order by id
select t || '' from t order by id
select 'r: ' || t from t order by id
select t::int from t
select length(t::text) from t order by id
select concat(t, '!') from t order by id
select format('%s', t) from t order by id
select pg_typeof(t), pg_typeof(row(1)), pg_typeof(s) from t, (select 1) s limit 1
select case when id = 1 then t end from t order by id
select coalesce(null, t) from t order by id
select nullif(t, t) from t
select greatest(t, t) from t order by id
select array[t, t] from t order by id
select (array_agg(t order by id))[2] from t
select ((array_agg(t order by id))[2]).name from t
select unnest(array_agg(t order by id)) from t
select (unnest(array_agg(t order by id))).id from t
select x from (select unnest(array_agg(t order by id)) as x from t) s
select (x).id, (x).at from (select unnest(array_agg(t order by id)) as x from t) s order by 1
select array[row(1, 'a'), row(2, 'b')]
select lag(t) over (order by id) from t
select first_value(t) over (order by id desc), row_number() over (order by t) from t order by 2
select (first_value(t) over (order by id desc)).name from t
insert into t values (4, 'new', null) returning t
insert into t values (5, 'new', null) returning row_to_json(t), t.*
update t set name = 'up' where id = 4 returning t, row_to_json(t.*)
update t set name = u.note from u where u.t_id = t.id and u.id = 10 returning t, u
delete from t where id = 4 returning to_jsonb(t)
delete from t where t = row(5, 'new'::text, null::date) returning id
delete from t x using u where x.id = u.t_id and x is null
update u set note = row_to_json(u) ->> 'id' where id = 13 returning u
insert into u (id, note) select id, row_to_json(t) ->> 'name' from t where id = 1 returning u
create view v as select id, upper(name) as up from t
select v from v order by id
select row_to_json(v), (v).up from v order by id
select t.id, v from t left join v on v.id = t.id + 1 order by 1
create view w as select row_to_json(t) as j, to_jsonb(t) -> 'name' as n from t
select * from w order by j ->> 'id'
select row_to_json(j) from (t join u on t.id = u.t_id) j order by 1::text
select row_to_json(j) from (t join u using (id)) as j
select row_to_json(j) from (select 1 as a, 2 as b) x join (select 1 as a, 3 as c) y using (a) cross join (select 5 as e) j
select j from (select 1 as a) x left join (select 1 as a, 2 as b) j using (a)
select j from (select 1 as a) x left join (select 2 as a, 2 as b) j using (a)
select x, y from (select 1 as a) x full join (select 2 as a) y using (a) order by a
select l from t cross join lateral (select t.id + 1 as next, t) l order by 1
select (l).next, ((l).t).name from t cross join lateral (select t.id + 1 as next, t) l order by 1
select l from t left join lateral (select u.id, u.note from u where u.t_id = t.id) l on true order by t.id, l.id
select z from t a left join (t b join u c on b.id = c.t_id) on a.id = b.id left join t z on z.id = c.id order by a.id, c.id
select b, c from t a left join (t b left join u c on b.id = c.t_id) on a.id = b.id and b.id < 3 order by a.id, c.id
select t from t where t is not null order by id
select t.id from t where row_to_json(t) ->> 'name' = 'up'
select t.id from t where to_jsonb(t) @> '{"id": 1}'
select exists (select from t where t.*::text like '%a b%')
select * from t where t::text like '(2%'
select json_agg(x order by x.id) filter (where x.id > 1) from t x
select json_agg(distinct to_jsonb(x)) from u x where x.n > 2
select row_to_json(t), row_to_json((select s from (select t.id, u.note) s)) from t join u on t.id = u.t_id where u.id = 10
select jsonb_agg(to_jsonb(t) - 'at' order by id) from t
select jsonb_agg(to_jsonb(t) || jsonb_build_object('us', (select jsonb_agg(u order by id) from u where u.t_id = t.id)) order by id) from t
select json_build_object('type', 'FeatureCollection', 'features', json_agg(row_to_json(f))) from (select id, json_build_object('n', name) as properties from t order by id) f
values (row(1, 2)), (row(3, 4))
select pg_typeof(x) from (values (row(1, 2))) v(x)
create view bad as select row(1, 2) as r
create table bad as select row(1, 2) as r
select sum(t) from t
select t + 1 from t
select abs(t) from t
select q from t
select t.*.id from t
select * from (select t from t) s order by 1
select (s.t).id from (select t from t) s order by 1
select (s.t).* from (select t from t) s order by 1
select s.t.id from (select t from t) s
copy (select t, row(1, 'x y') from t order by id) to stdout
copy (select t from t order by id) to stdout (format csv)
