create table c (id int primary key, name text not null, city text)
create table o (id int primary key, cid int, amount numeric(10,2), qty smallint, flag boolean, at timestamp)
create index o_cid on o (cid)
create unique index c_name on c (name)
insert into c values (1,'ann','oslo'),(2,'bob','rome'),(3,'cat',null),(4,'dan','oslo')
insert into o select g, nullif(g % 5, 4), g * 1.5, g % 3, g % 2 = 0, timestamp '2024-01-01' + g * interval '1 day' from generate_series(1,30) g
select * from c
select c.* from c order by id desc
select c.name, o.amount from c join o on o.cid = c.id where c.id = 1 order by o.id
select c.name, count(*), sum(amount) from c left join o on o.cid=c.id group by c.name order by 1
select c.name, count(o.id), sum(amount), avg(amount), min(qty), max(at) from c left join o on o.cid=c.id group by c.id order by c.id
select city, count(*) from c group by city having count(*) > 0 order by city nulls first
select city, count(*) from c group by 1 order by 2 desc, 1
select * from c where exists (select 1 from o where o.cid = c.id and o.amount > 25) order by id
select * from c where not exists (select 1 from o where o.cid = c.id and o.amount > 44) order by id
select * from c where id in (select cid from o where amount < 3) order by id
select * from c where id not in (select cid from o where amount < 3) order by id
select * from c where id not in (select cid from o) order by id
select * from c where id not in (select cid from o where false) order by id
select id, id in (select cid from o where id > 28) from c order by id
select id, id = any (select cid from o), id < all (select cid from o where cid > 2) from c order by 1
select id, id > all (select cid from o), id <> all (select cid from o where cid is not null) from c order by 1
select name, (select max(amount) from o where cid = c.id) m from c order by id
select name, (select count(*) from o where cid = c.id and o.amount > 10) from c order by id
select name from c where id = (select max(cid) from o where cid < 3)
select name from c where (select count(*) from o where o.cid = c.id) > 5 order by 1
select (select name from c)
select array(select id from c order by id desc)
with x as (select cid, sum(amount) s from o group by cid) select * from x order by cid
with x as (select * from o), y as (select cid, count(*) n from x group by cid) select y.*, (select count(*) from x) from y order by 1
with x(a,b) as materialized (select id, name from c) select a.a, b.b from x a join x b on a.a = b.a order by 1
with recursive r(n) as (select 1 union all select n+1 from r where n < 5) select * from r
with recursive r(n) as (select 1 union select (n * 2) % 7 from r) select * from r order by 1
with recursive t(a, b) as (select id, name from c where id = 1 union all select c.id, c.name || t.b from c join t on c.id = t.a + 1) select * from t order by a
select 1 union select 2 union all select 2 order by 1
select id from c union select cid from o order by 1
select id from c intersect select cid from o order by 1
select id from c except select cid from o order by 1
select id % 2 from c intersect all select cid % 2 from o order by 1
select cid from o except all select id from c order by 1
select 1 union select 'a'
select 1, 2 union select 1
select null union select 1
select 'a' union select null order by 1
select 1::int union select 2.5 order by 1
(select id from c order by id desc limit 1) union all (select id from c order by id limit 1)
select * from (select 1 as x union all select 2) s where x > 1
select distinct cid from o order by cid
select distinct qty, flag from o order by 1, 2
select distinct on (cid) cid, id from o order by cid, id desc
select distinct on (qty) id, qty from o order by qty, at desc
select distinct cid from o order by id
select distinct on (cid) cid from o order by id
select * from c full join (select distinct cid from o) x on x.cid = c.id order by c.id, x.cid
select * from c right join (select distinct cid from o) x on x.cid = c.id order by c.id, x.cid
select * from c left join o on o.cid = c.id and o.amount > 40 order by c.id, o.id
select * from c left join o on o.cid = c.id where o.id is null order by c.id
select * from c left join o on o.cid = c.id where o.amount > 40 order by c.id, o.id
select * from c natural join (select id, amount from o) q order by id
select * from c join o using (id) where id < 3 order by id
select id, c.id, o.id from c left join o using (id) order by id
select id, c.id, o.id from c full join o using (id) order by id
select id, c.id, o.id from (select * from c where id > 2) c right join o using (id) where o.id < 5 order by id
select * from c a join c b using (id, name) order by id
select count(*) from c, o
select count(*) from c cross join o where c.id = o.qty
select c.name, l.id from c, lateral (select id from o where o.cid = c.id order by id desc limit 1) l order by 1
select c.name, l.id from c left join lateral (select id from o where o.cid = c.id and o.amount > 43 order by id desc limit 1) l on true order by 1
select c.id, g from c, generate_series(1, c.id) g order by 1, 2
select c.id, g.* from c left join lateral generate_series(3, c.id) g on true order by 1, 2
select case when a > 1 then 'x' else 'y' end, coalesce(b, 0) from (values (1, 2), (2, null)) v(a,b)
select a.id, b.id from c a cross join c b where a.id < b.id order by 1, 2
select a.id, b.id, x.id from c a join c b on a.id = b.id + 1 join c x on x.id = b.id order by 1
select a.name, o.id from o join c a on a.id = o.cid join c b on b.id = o.qty where b.name = 'ann' order by 2
select * from o where cid = 1 and amount > 5 order by id
select * from o where cid in (1, 2) and amount > 5 order by id
select * from o where cid = any(array[1,3]) order by id
select * from o where id in (1, 5, 5, null, 99) order by id
select * from o where id not in (1, 2, null) order by id
select * from o where id > 5 and id <= 8 order by id
select * from o where id >= 28 order by id desc
select id from o where id between 3 and 5 or id = 9 order by 1
select id from o where id = 3 or id = 4 order by 1
select id from o where (id = 3 and cid = 3) or (id = 4 and cid is null) order by 1
select id from o where cid is null order by id
select id from o where cid is distinct from 1 order by id
select id from o where flag order by id limit 3
select id from o where not flag order by id limit 3
select id from o where flag is not true order by id limit 3
select name from c where name = 'bob'
select name from c order by name limit 2
select name from c order by name desc
select id from o order by id desc limit 3
select id from o order by id limit 3 offset 2
select id from o order by cid, id limit 4
select id from o order by cid desc nulls last, id desc limit 4
select id, cid from o order by cid nulls first, id limit 8
select id from o order by amount * -1 limit 2
select id as x from o order by x limit 2
select id as x, -id as y from o order by x + 1 desc, y limit 2
select id from o limit 0
select id from o order by id limit null offset 28
select id from o order by id limit -1
select id from o order by id fetch first 2 rows only
select qty from o order by qty fetch first 1 row with ties
select generate_series(1,3)
select generate_series(1,3), 'x'
select id, generate_series(1, id) from c where id < 3 order by 1, 2
select * from generate_series(1, 10, 3) with ordinality
select * from generate_series(1, 3) as g(x) where x <> 2
select * from unnest(array['a','b']) u
select array_agg(id order by id desc), string_agg(name, ',' order by name) from c
select count(distinct cid), count(*) filter (where amount > 10), count(cid) from o
select sum(qty), sum(id), sum(amount), avg(qty), avg(id), avg(amount) from o
select min(name), max(name), min(at), max(at), bool_and(flag), bool_or(flag) from c, o
select sum(amount) from o where false
select count(*) from o where false
select sum(id) from o where false group by cid
select cid, sum(distinct qty) from o group by cid order by cid
select cid % 2, count(*) from o group by cid % 2 order by 1
select cid + 1, cid + 1 + count(*) from o group by cid + 1 order by 1
select qty, flag, count(*) from o group by qty, flag order by 1, 2
select qty q, count(*) from o group by q order by q
select count(*) from o having count(*) > 100
select 1 from o having true
select max(id) + 1 from o
select stddev(id), variance(amount) from o
select * from (select id, amount from o) s where s.amount > 43 order by 1
select s.n from (select count(*) n from o group by cid) s where s.n > 6 order by 1
select s.cid, s.n from (select cid, count(*) n from o group by cid) s where s.cid = 2
select id from c where (id, name) in ((1,'ann'), (2,'bob'), (3, 'x')) order by 1
select id from c where (id, name) > (1,'b') order by 1
select id from c where (id, name) <= (2,'bob') order by 1
select id from c where (id, name) = (2,'bob')
select id from c where (id, name) <> (2,'bob') order by 1
select id from c where row(id, city) is null
select (id, name) in (select id, name from c) from c order by id
select a from (select 1 as a) x order by b
select id, name from c group by id order by id
select name, id from c group by name
select sum(sum(amount)) from o
select count(*) from c where count(*) > 1
select id from c where id = 'x'
select id from c where id = '2'
select id from c where name = 1
select nope(1)
select abs('x')
select 1 + 'a'
select 'a' + 'b'
select 'a' || 1, 1 + 1.5, 2::bigint * 3
select null, 'x', 1, true, 1.50, 99999999999, 1e3
select id from nope
select nope.id from c
select c.nope from c
select id from c a join c b on true
select * from c, c
select c.id from c a
select sum(id) over () from c where false and nope
select 1/0
select id / (id - 1) from c order by id
select case when id = 1 then 0 else 1 / (id - 1) end from c order by id
select * from c where id = 1 for update
select * from c where id = 1 for key share
select count(*) from c for update
select * from c order by 9
select * from c order by 'x'
select id from c group by 5
select id, count(*) from c
values (1,'a'),(2,'b') order by 1 desc limit 1
values (1), ('a')
values (1), (2.5), (null)
values (1, 2), (3)
select * from c where name like 'a%' order by id
select * from c where name like '%a%' and name not like 'd%' order by id
select * from c where name ilike 'A%'
select * from c where name ~ '^[ab]' order by id
select upper(name), length(name), substring(name from 2 for 1), name || coalesce(city, '?') from c order by id
select cast(id as text), id::text || 'x', amount::int, amount::text from o where id < 4 order by id
select date_trunc('month', at), extract(day from at), at::date from o where id = 3
select at + interval '1 month' from o where id = 1
select greatest(id, 3), least(id, 3), nullif(id, 2) from c order by id
select id from c where id in (select id from c where id > 2) or name = 'ann' order by id
select count(*) from (select 1 from c, o where c.id = o.cid) x
select c.id, x.n from c join (select cid, count(*) n from o group by cid) x on x.cid = c.id order by 1
select c.id from c where c.id = (select o.cid from o where o.id = c.id + 0) order by 1
select (select c.name) from c order by 1
select (select sum(o.amount + c.id) from o where o.cid = c.id) from c order by c.id
select exists (select 1 from c where id = 99), exists (select 1 from c)
select id from c where exists (select 1 from o where o.id = 999) or id = 2
select c1.id from c c1 where not exists (select 1 from c c2 where c2.city = c1.city and c2.id < c1.id) order by 1
select id from o o1 where amount = (select max(amount) from o o2 where o2.cid = o1.cid) order by 1
select o.id from o, c where o.cid = c.id and c.city = 'oslo' and o.amount between 10 and 20 order by 1
select x.a from (values (1),(2),(null)) x(a) where x.a in (1, null)
select x.a, x.a in (2, null), x.a not in (2, null) from (values (1),(2),(null)) x(a)
select count(*) from o where cid = 1 and cid = 2
select t1.id from c t1 left join c t2 on t1.id = t2.id + 1 left join c t3 on t3.id = t2.id where t3.name is null order by 1
select a.id, b.id from (select * from c where id < 3) a full join (select * from c where id > 1) b on a.id = b.id and a.id > 0 order by 1, 2
select a.id, b.id from c a left join c b on a.id < b.id and b.name = 'dan' order by 1, 2
select percentile_cont(0.5) within group (order by amount), percentile_disc(0.5) within group (order by amount), mode() within group (order by cid) from o
select cid, percentile_disc(array[0.25, 0.75]) within group (order by amount desc), mode() within group (order by qty desc) from o group by cid order by cid
select percentile_disc(0.9) within group (order by name) filter (where id > 1), percentile_cont(0.5) within group (order by id) from c
select percentile_cont(0.5) within group (order by at - timestamp '2024-01-01') from o
select percentile_cont(0.5) within group (order by amount) from o where false
select percentile_cont(1.5) within group (order by amount) from o
select percentile_cont(0.5) from o
select percentile_cont(amount) from o
select mode(amount) from o
select sum(1) within group (order by amount) from o
select percentile_cont(0.5) within group (order by name) from c
select percentile_cont(0.5) within group (order by amount, qty) from o
select percentile_disc(0.5) within group (order by amount) + count(*) from o having count(*) > 1
select cid, regr_slope(amount, id), regr_intercept(amount, id), regr_r2(amount, id), corr(amount, id), covar_pop(amount, id), regr_count(amount, cid) from o group by cid order by cid
select * from jsonb_each('{"b": 1, "a": [1, {"x": null}], "cc": null}')
select * from jsonb_each_text('{"b": "x", "a": [1, 2], "cc": null}') with ordinality
select key, value from json_each('{"b": 1.50, "a": {"x" : 1}, "b": 2}') e
select e.k, e.v, e.* from json_each_text('{"b": "x", "a": {"x" : 1}, "n": null}') as e(k, v)
select * from jsonb_each('[1]')
select * from json_each('[1]')
select * from json_each('3')
select * from jsonb_each(null)
select c.id, e.value from c, lateral jsonb_each_text(jsonb_build_object('n', c.name, 'i', c.id)) e where e.key = 'n' order by c.id
select key, count(*) from c, jsonb_each(to_jsonb(array[c.id])->0) e group by key
select json_agg(x order by x), jsonb_agg(x), json_object_agg(x::text, x) from (values (0.1::float8), (1e300), (null)) t(x) where x is not null
select row_to_json(c) from c order by id
select row_to_json(t) from (select id, name as "the name", city from c) t order by id
select json_agg(t order by t.id) from (select id, name from c) t
select jsonb_agg(c order by c.id desc), json_agg(c) from c where id = 1
select to_jsonb(c), to_json(c) from c where id = 3
select to_json(row(1, 'a', null)), row_to_json(row(1.50, true, array[1,2])), to_jsonb(row(timestamp '2024-01-01 10:00'))
select json_build_object('customer', c, 'orders', (select json_agg(x order by x.id) from (select id, amount, at from o where o.cid = c.id and o.id < 10) x)) from c order by c.id
select city, json_agg(json_build_object('id', id) order by id) from c group by city order by city
select row_to_json(o) from o join c on c.id = o.cid where o.id < 4 order by o.id
select row_to_json(1)
select json_agg(t) from (select 1 as a where false) t
