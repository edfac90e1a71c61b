create table s1 (a int, b text)
create table s2 (a numeric, b varchar(4))
insert into s1 values (1,'x'),(1,'x'),(2,'y'),(null,'z'),(null,null),(null,null),(3,'q')
insert into s2 values (1,'x'),(2.0,'y'),(2.5,'y'),(null,null),(4,'w')
select a, b from s1 «union¦union all¦intersect¦intersect all¦except¦except all¦union distinct» select a, b from s2 order by 1, 2
select a, b from s2 «union¦intersect¦intersect all¦except¦except all» select a, b from s1 order by 1, 2
select a from s1 «union¦union all¦intersect¦except» select «1¦1.5¦null¦'2'¦'x'¦true¦2::int8¦3::float8» order by 1
select 1 «union¦union all¦intersect¦intersect all¦except¦except all» select 1 «union¦union all¦intersect¦except» select 2 order by 1
(select 1 union all select 1) «intersect¦except¦except all¦union» (select 1 union all select 2) order by 1
select 1 union all (select 2 except select 2) order by 1
select 3 as n union all select 1 order by n
select 3 as n union all select 1 as m order by m
select 3 as n union all select 1 order by n + 1
select 3 union all select 1 order by 1 desc limit 1
(select 3 order by 1) union all (select 1 limit 1) order by 1 offset 1
select 3 order by 1 union select 1
select null union select 'a' order by 1
select null union select null
select 'a' union select 'b' order by 1
select '1' union select 2 order by 1
select 'a' union select 2
select 1 union select date '2024-01-01'
select 1, 'a' union select 2
select * from s1 union select a from s2
select 'a'::varchar(3) union all select 'b'::varchar(5)
select 'a'::varchar(3) union all select 'b'::varchar(3)
select 'a'::char(3) union all select 'b'::text
select 1.0::numeric(4,2) union all select 2.0::numeric(4,2)
select 1.0::numeric(4,2) union all select 2.0
select array[1] union select array[2] order by 1
select array[1] union select '{2}' order by 1
select '{"a":1}'::jsonb union select '{"a":1}'
select '{"a":1}'::json union select '{"a":1}'
select '{"a":1}'::json union all select '{"a":1}'
select row(1, 2) union select row(1, 2)
select count(*) from (select a from s1 union select a from s2) x
select * from (select a from s1 intersect select a from s2) x where a > 1
select a from s1 where a in (select 1 union select 3) order by a
values (1), (2) union values (2), (3) order by 1
values (1) union all select 2 union all values (3) order by 1 desc
select 1 union all values (2, 3)
table s2 union table s2 order by 1, 2
table s1 except table s1
with x as (select 1 as v union select 2) select * from x union all select v + 10 from x order by 1
select a, count(*) from s1 group by a union select b::numeric, 1 from (values ('7')) t(b) order by 1, 2
select distinct a from s1 union all select distinct a from s2 order by 1
select a from s1 union select a from s2 for update
(select a from s1 order by a nulls first limit 2) union all (select a from s2 order by a desc nulls last limit 1) order by 1
((select 1) union (select 2)) except (((select 2)))
select 1 as a, 2 as b union select 3, 4 order by b desc, a
select 1 except select null
select null::int intersect select null
select 1 from s1 union select 2 from s1 order by 1
select a from s1 union select a from s2 union select 99 order by a desc nulls last limit 3
select -0.0::float8 union select 0.0::float8
select 1.0 union select 1.00
select 'NaN'::float8 union select 'NaN'::float8
select 'a ' ::char(2) union select 'a'::char(3)
select interval '1 day' union select interval '24 hours'
select (select 1 union select 2)
select exists (select 1 union select 2)
select array(select 1 union select 2 order by 1)
