create table l (a int, b text, c numeric)
create table r (a int, b text, d date)
create table m (a bigint primary key, b varchar(5), e int)
insert into l values (1,'x',1.0),(2,'y',2.50),(2,'z',null),(null,'x',4),(3,null,5),(7,'q',7)
insert into r values (1,'x','2024-01-01'),(2,'q','2024-01-02'),(2,'y',null),(null,'x','2024-01-04'),(null,null,null),(8,'w','2024-01-08')
insert into m values (1,'x',10),(2,'y',null),(3,null,30),(9,'n',90)
select * from l «join¦inner join¦left join¦left outer join¦right join» r «on l.a = r.a¦on l.a = r.a and l.b = r.b¦on l.a < r.a¦on true¦on false¦on null¦using (a)¦using (a, b)¦on l.a = r.a and l.c > 1¦on l.a = r.a or l.b = r.b¦on l.a is not distinct from r.a¦on l.a + 1 = r.a¦using (a) as j» order by 1, 2, 3, 4, 5
select * from l «full join¦full outer join» r «on l.a = r.a¦on true¦on false¦using (a)¦using (a, b)¦using (b)¦on l.a = r.a and l.b = r.b» order by 1, 2, 3, 4, 5
select * from l «natural join¦natural left join¦natural right join¦natural full join» r order by 1, 2, 3, 4
select * from l natural full join r natural full join m order by 1, 2, 3, 4, 5
select * from l left join r using (a) left join m using (a) order by 1, 2, 4
select a, l.a, r.a from l full join r using (a) order by 1, 2, 3
select a from l join r on true
select b from l join r using (a)
select j.a from l join r using (a) as j order by 1
select l.*, r.d from l left join r using (a, b) where r.d is null order by 1, 2
select * from l join r using (nope)
select * from l join r using (c)
select * from (l join r using (a)) order by 1, 2, 4
select * from (l join r using (a)) j order by 1, 2, 4
select j.b from (l join r using (a, b)) j order by 1
select * from (l cross join m) j (p, q, s, t, u, v) where p = t order by 1, 2
select * from l left join (r join m on r.a = m.a) on l.a = r.a order by 1, 2, 3, 4, 5
select * from l left join r on l.a = r.a left join m on r.a = m.a and m.e is null order by 1, 2, 3, 4, 5
select * from l left join r on l.a = r.a where r.a is null order by 1, 2
select * from l left join r on l.a = r.a and r.a is null order by 1, 2
select * from l right join r on l.a = r.a right join m on m.a = r.a order by 6, 1, 2, 5
select l.a, m.e from l, m where l.a = m.a and m.e > 5 order by 1, 2
select l.a, m.e from l, m where m.a = l.a and l.b = m.b order by 1
select * from l, lateral (select r.d from r where r.a = l.a order by d limit 1) x order by 1, 2
select * from l left join lateral (select max(r.d) as md, count(*) from r where r.a = l.a) x on true order by 1, 2
select * from l, (select r.d from r where r.a = l.a) x
select * from l right join lateral (select l.a) x on true
select * from l cross join lateral generate_series(1, l.a) g where l.a < 3 order by 1, 2, 4
select * from l, generate_series(1, l.a) g where l.a < 3 order by 1, 2, 4
select l.a, u from l, unnest(array[l.a, l.a + 1]) u order by 1, 2
select * from l join r on l.a = r.a join m on nope.a = 1
select * from l x join r x on true
select count(*) from l, r, m where l.a = r.a and r.a = m.a
select count(*) from l a join l b on a.a = b.a join l c on b.a = c.a
select a.b, b.b from l a, l b where a.a = b.a and a.b < b.b order by 1
select * from l where a «in¦not in» (select a from r «where a is not null¦¦where false¦where l.b = r.b») order by a, b
select * from l where «exists¦not exists» (select «*¦1¦null¦a, b¦» from r where «r.a = l.a¦r.a = l.a and r.b = l.b¦r.a > l.a¦false¦r.b = l.b or l.b is null») order by a, b
select * from l where a «= any¦= some¦<> all¦< any¦>= all¦= all» (select a from m «¦where a < 2¦where false») order by a, b
select * from l where a «=¦<¦is distinct from» (select max(a) from m where m.b = l.b) order by a, b
select * from l where (a, b) «in¦not in¦= any¦<> all» (select a, b from r «¦where a is not null») order by a, b
select * from l where (a, b) = (select a, b from r where d = '2024-01-01')
select * from l where (a, b) = (select a, b from r)
select * from l where a = (select a from r where a = 2)
select * from l where a = (select a, b from r)
select * from l where a in (select a, b from r)
select * from l where (a, b) in (select a from r)
select a, (select count(*) from r where r.a = l.a), (select max(d) from r where r.a = l.a), (select d from r where r.a = l.a and d is not null) from l order by a, b
select a, (select b from m where m.a = l.a), exists (select 1 from m where m.a = l.a and m.e is null), a in (select e / 10 from m), a not in (select a from r) from l order by a, b
select a, array(select r.b from r where r.a = l.a order by r.b) from l order by a, l.b
select a, (select array_agg(r.b order by r.b) from r where r.a = l.a) from l order by a, l.b
select (select l.a from r limit 1) from l order by 1
select (select (select l.a + m.a from m where m.a = 1)) from l order by 1
select (select sum(l.a) from r) from l order by 1
select (select sum(r.a + l.a) from r) from l order by 1
select (select a from l where false)
select (select 1, 2)
select (select * from m where a = 1)
select (select m from m where a = 1)
select * from (select a, count(*) n from l group by a) x join r using (a) order by 1, 2, 3, 4
select * from (select distinct a from l) x left join (select distinct a from r) y using (a) order by 1
select * from (select * from l order by c desc nulls last limit 2) x order by a
select x.n from (select count(*) as n from l) x
select * from (select a as x from l) q where x = (select max(x) from (select a as x from r) z) order by 1
select a from l where a = 1 or exists (select 1 from m where m.a = l.a and m.e = 30) order by 1
select a from l where not (a = 1 or exists (select 1 from m where m.a = l.a)) order by 1
select case when exists (select 1 from r where r.a = l.a) then 'yes' else 'no' end, a from l order by a, b
select a from l order by (select max(d) from r where r.a = l.a) desc nulls last, a, b
select a, count(*) from l group by a having count(*) = (select count(*) from r where r.a = l.a) order by 1
select a, sum(c) from l group by a having exists (select 1 from m where m.a = l.a) order by 1
select max((select count(*) from r where r.a = l.a)) from l
select sum(c) filter (where a in (select a from r)) from l
select coalesce((select e from m where m.a = l.a), -1) from l order by 1
select * from l limit (select count(*) from m where a < 3)
select 1 in (select 1 union all select null), 2 in (select 1 union all select null), null in (select 1), null in (select 1 where false), 1 not in (select null::int)
select 1 = any (select 1 union select null), 2 > all (select null::int), 2 > all (select 1 where false), null > all (select 1 where false)
select row(1, 2) in (select 1, 2), row(1, null) in (select 1, 2), row(1, null) in (select 2, 2), row(1, 2) not in (select 1, null::int)
select row(1, 2) < (select 1, 3), row(1, 2) = any (select 1, 2)
with x as (select * from l) select count(*) from x, x y
with x as (select 1 as a), x as (select 2) select * from x
with x (p) as (select a, b from l) select p, b from x order by 1, 2
with x (p, q, s, t) as (select a, b from l) select * from x
with x as (select 1 as v), y as (select v + 1 as v from x) select * from y, x
with y as (select * from x), x as (select 1) select * from y
with x as (select 1 as v) select (with x as (select 2 as v) select v from x), v from x
with x as (select a from l order by a limit 2) select * from x union all select a + 100 from x order by 1
with x as «materialized¦not materialized» (select a from l) select count(*) from x where a = 2
with l as (select 5 as a) select * from l
with unused as (select 1 / 0) select 1
with used as (select 1 / 0 as z) select * from used
with recursive c(n) as (values (1) union all select n + 1 from c where n < 4) select n, n * n from c
with recursive c(n) as (select 1 union select n % 3 + 1 from c) select * from c order by 1
with recursive c(n, t) as (select 1, 'a' union all select n + 1, t || 'b' from c where n < 3) select * from c order by 1
with recursive c(n, t) as (select 1, 'a'::varchar(3) union all select n + 1, t || 'b' from c where n < 3) select * from c
with recursive c as (select 1 as n union all select n + 1.5 from c where n < 3) select * from c
with recursive c as (select n + 1 from c) select * from c
with recursive c as (select 1 as n union all select max(n) from c) select * from c
with recursive c as (select 1 as n union all select n + 1 from c where n < 3 order by 1 limit 2) select * from c
with recursive c as (select 1 as n union all select a.n + b.n from c a, c b where a.n < 3) select * from c
with recursive c as (select 1 as n union all select l.a from l left join c on true where c.n < 2) select * from c
with recursive c as (select 1 as n union all (select n + 1 from c where n < 3 union all select n + 2 from c where n < 3)) select * from c
with recursive c as (select 1 as n intersect select n from c) select * from c
with recursive c as (select 1 as n union all select n + 1 from (select * from c) x where n < 3) select * from c order by 1
with recursive c as (select 1 as n union all select n + 1 from c) select * from c limit 3
with recursive tree(id, path) as (select 1, array[1] union all select t.n, path || t.n from (values (2, 1), (3, 1), (4, 2), (1, 4)) t(n, p) join tree on t.p = tree.id where not t.n = any (path)) select * from tree order by path
with recursive a as (select 1 as x union all select x + 1 from b), b as (select x from a) select * from a
with recursive c(n) as (select 1 union all select n + 1 from c where n < 5), d as (select sum(n) s from c) select * from d
with recursive t(n) as (select 1 union all select n + 1 from t where n < 3) search depth first by n set o select * from t
with x as (insert into m values (50, 'new', 1) returning *) select * from x
with x as (delete from m where a = 50 returning a), y as (select count(*) c from m) select x.a, y.c from x, y
with x as (update m set e = 0 where a = 9 returning e) select e, (select e from m where a = 9) from x
with x as (insert into m values (60, 'a', 1)), y as (insert into m values (61, 'b', 2) returning a) select * from y
with x as (delete from m where a >= 60) select 1
select a from m order by a
insert into m with x as (select 70 as a) select a, 'w', 1 from x returning a
delete from m where a in (with x as (select 70 as a) select a from x) returning a
select * from l where a in (select a from nope)
select x.a from l as x where x.nope = 1
select * from l as "L" where "L".a = 1 order by a
select l.a from l as x
select max(a) from l group by (select 1)
select a, a from l order by a
select q.* from (select a, b from l) as q(z) order by z, b
select * from jsonb_array_elements('[1,2]')
select * from jsonb_array_elements('[1,2]') x
select x.value from jsonb_array_elements('[1,2]') x
select x from jsonb_array_elements('[1,2]') x
select value from json_array_elements_text('["a"]')
select * from json_object_keys('{"a":1}')
select * from json_object_keys('{"a":1}') k
select * from regexp_matches('abab', 'a(b)', 'g')
select * from string_to_table('a,b', ',') s
select * from generate_subscripts(array[1,2], 1) s
select * from regexp_split_to_table('a b', ' ') with ordinality
select * from jsonb_array_elements_text('["a"]') with ordinality as t(a, b)
select * from jsonb_array_elements_text('["a"]') as t(a)
select jsonb_array_elements('[1]')
select x, (with recursive c(n, d) as (select x, 0 union all select n - 1, d + 1 from c where n > 0) select max(d) from c) from (values (1), (3), (0), (3)) v(x) order by x
select x, (with recursive c(n) as (select 0 union all select n + 1 from c where n < x) select count(*) from c) from (values (1), (3), (2)) v(x) order by x
select x, (with a as materialized (select x + 1 as y) select sum(y) from (select * from a union all select * from a) s) from (values (1), (3)) v(x) order by x
select x, y from (values (1), (2)) v(x), lateral (with a as materialized (select x * 10 as y) select a.y from a, a b) s order by x, y
select x, (with a as materialized (select x as y) select s.y from (with b as materialized (select y from a) select b.y + c.y as y from b, b c) s, a) from (values (1), (2), (5)) v(x) order by x
select x, (with a as materialized (select x as y) select max(y) from a where exists (select from a b where b.y > 1)) from (values (1), (2), (5)) v(x) order by x
select generate_series(1, 3), generate_series(1, 2)
select unnest(array[1, 2]), unnest(array['a', 'b', 'c']) order by 2
select x, generate_series(1, x), unnest(array['p', 'q']) from (values (0), (3)) v(x) order by 1, 2
select generate_series(1, 2) + 1 as a, unnest(array[5, 6, 7]) * 2 order by a, 2
select count(*), generate_series(1, 2), generate_series(1, 3) from (values (1), (2)) v(x)
select generate_series(1, 2), generate_series(1, 0)
select generate_series(1, 1500), generate_series(1, 2) order by 1 desc limit 2
select generate_series(1, generate_series(1, 2)), 5
