create table emp (id int primary key, name text not null, dept int, boss int, pay numeric(8,2), hired date, tags text[], info jsonb)
create table dep (id int primary key, name varchar(10) unique, city text)
create table emptyt (a int, b text)
create table dup (x int, y text)
create index emp_dept on emp (dept)
create index emp_pay on emp (pay desc nulls last, name)
insert into dep values (1,'sales','oslo'),(2,'tech','rome'),(3,'void',null),(4,null,'oslo')
insert into emp values (1,'Ann',1,null,1000.50,'2020-02-29','{a,b}','{"k":1}'),(2,'Bob',1,1,900,'2021-03-01','{}',null),(3,'Cid',2,1,null,'2019-12-31',null,'{"k":2,"z":[1]}'),(4,'Dee',2,3,2500.25,null,'{b}','null'),(5,'Eve',null,3,900,'2021-03-01','{a,null}','[]'),(6,'ann',9,2,0,'infinity','{c}','"s"')
insert into dup values (1,'a'),(1,'a'),(2,'b'),(null,'c'),(null,null),(null,null),(3,'a')
select
select from emp
select distinct from emp
select * from emptyt
select count(*), max(a), sum(a), array_agg(a), string_agg(b, ','), bool_and(a > 0), avg(a), count(distinct b), json_agg(a) from emptyt
select 1 from emptyt group by a
select count(*) from emptyt group by ()
select 1 having true
select 1 having false
select 1 where null
select 1 from emp having count(*) > 100
select id from emp where «dept = 1¦dept <> 1¦not dept = 1¦dept is null¦dept in (1, null)¦dept not in (1, null)¦pay > 900¦pay >= 900 and dept = 1¦pay between 0 and 900¦name like 'A%'¦name ilike 'a%'¦name ~ '^[A-C]'¦hired > '2020-01-01'¦hired = 'infinity'¦'a' = any (tags)¦tags @> '{b}'¦tags = '{}'¦info is null¦info = 'null'¦info ->> 'k' = '1'¦info ? 'k'¦(dept, boss) = (1, 1)¦(dept, boss) in ((1, 1), (2, 3))¦(dept, id) > (1, 1)¦true¦false¦null¦1 = 1¦dept = dept¦id = 3 or dept = 1¦not (id = 3 or dept = 1)¦id in (select id from emptyt)¦not exists (select 1 from emptyt)¦coalesce(dept, 0) = 0¦id = 1.0¦id = '1'¦id < 2.5¦id = 1::bigint¦id = any ('{1,2}')¦id <> all ('{1,2}')¦id = 1 and id = 2¦id is distinct from 1¦length(name) = 3 and id > 4¦name > 'Z'¦name = 'ANN'¦pay is not null and 1000 / nullif(pay, 0) > 1» order by id
select id, name from emp order by «1¦2¦name desc, id¦pay, id¦pay desc, id¦pay desc nulls last, id¦pay nulls first, id desc¦dept nulls first, pay desc nulls last, id¦lower(name), id¦length(name), 1 desc¦-id¦id % 2, id¦(select 1), id¦hired, id¦hired desc nulls last, id desc¦info, id¦tags, id¦tags desc nulls last, id¦'x', id¦3¦0¦-1¦zz¦id using >¦id using <¦name collate "C", id¦null, id¦random() > 2, id»
select id from emp order by id «limit 2¦limit 0¦limit null¦limit all¦offset 4¦limit 2 offset 1¦offset 100¦limit -1¦offset -1¦limit 1.5¦limit '2'¦limit 'x'¦limit (select 2)¦limit 1 + 1¦fetch first row only¦fetch first 2 rows only¦fetch next 3 rows only¦offset 1 row fetch first 1 row only¦limit id¦offset 2 limit 1¦limit 10000000000¦fetch first (1 + 1) rows only»
select pay from emp order by pay desc nulls last fetch first «2¦3¦4» rows with ties
select dept from emp fetch first 1 rows with ties
select name as n from emp order by n limit 1
select name as id, id as name from emp order by id limit 2
select name as x, id as x from emp order by x
select id + 1 as id from emp order by id + 1 desc limit 1
select id as z from emp order by z + 1
select -id as id from emp order by id limit 1
select a.id from emp a order by a.id limit 1
select «*, id¦id, *¦e.*, d.*¦count(*)¦e.id, d.id¦e¦d¦(e).id¦(e).*¦e.name || d.name¦e is null, d is not null¦row(e.*)¦e = e¦d.city as "the city", 1 as "select"¦e.nope¦nope.id¦nope.*¦emp.id¦e.id AS e¦"E".id¦"e"."id"¦E.ID» from emp e join dep d on d.id = e.dept where e.id = 1
select 1 as «a¦"A"¦"a b"¦"select"¦date¦year¦value¦user¦"ünï"¦aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg¦""»
select 1 «a¦year¦select¦from¦value¦over¦type¦name¦x.y¦5»
select 1 «union¦, 2¦, »
select «1, 2, 3¦'a', null, true¦1.0, 2e3¦-1¦- - 1¦current_date = current_date¦case when true then 1 end¦(1)¦((1))¦(select 1)¦array[1]¦row(1)¦(1, 2)¦exists (select 1)¦1 in (1)¦cast(1 as text)¦'1'::int¦int '1'¦not true¦1 is null¦coalesce(1)¦nullif(1, 2)¦greatest(1)¦extract(year from date '2024-01-01')¦now() is null¦current_user is null¦(array[1])[1]¦"length"('a')¦pg_catalog.length('a')¦length('a') as l¦upper('a')::varchar(1)¦trim(' a ')¦substring('a' from 1)¦position('a' in 'a')¦overlay('a' placing 'b' from 1)¦1 + 1¦'a' || 'b'¦'a' like 'b'¦1 between 0 and 2¦'a' at time zone 'x'¦timestamp '2024-01-01' at time zone 'UTC'¦'a' collate "C"¦'{}'::json -> 'a'¦nullif(1, 1) is null¦current_schema¦current_catalog is null¦session_user is null¦current_role is null¦localtime is null¦date '2024-01-01'¦interval '1 day'¦interval '1' day¦b.x from (select 1 as x) b¦true and false¦$$x$$¦e'x'¦U&'x'¦x'1F'¦b'1'¦.5¦5.¦1e1¦'a' 'b'¦''''¦'a'::"char"¦1::int::text::int¦distinct 1¦all 1»
select * from (values (1, 'a'), (2, null)) v
select * from (values (1, 'a'), (2, null)) v(x)
select * from (values (1, 'a'), (2, null)) v(x, y, z)
select * from (values (1), ('2'), (3.5)) v(x)
select * from (values (1), ('x')) v(x)
select * from (values (1, 2), (3)) v
values (1, 'a'), (2, 'b') order by 1 desc
values (1), (null), ('3') order by column1 nulls first limit 2
values (default)
table dep
table dep order by id limit 2
select column2, column1 from (values (1, 2)) t
select * from (select 1)
select * from (select 1) x
select * from (select 1 as a, 2 as a) x
select a from (select 1 as a, 2 as a) x
select x.* from (select 1 as a, 2 as a) x
select * from emp e, emp f where e.id = f.boss order by e.id, f.id
select * from emp e, emp e
select * from emp, emp
select * from dep d(a, b) order by a
select d.c from dep d(a, b, c) order by a
select * from dep d(a, b, c, d)
select id from dep d(a)
select name from emp, dep
select emp.name, dep.name from emp, dep where emp.dept = dep.id order by 1, 2
select dup.* from dup order by dup
select distinct x from dup order by x
select distinct x, y from dup order by y, x
select distinct y from dup order by x
select distinct on (x) x, y from dup order by x, y
select distinct on (y) x, y from dup order by y, x desc nulls last
select distinct on (x) x, y from dup order by y
select distinct on (x, y) y from dup order by x nulls first, y
select distinct on (1) x from dup order by x
select distinct on (2) x from dup
select distinct on (x % 2) x, y from dup where x is not null order by x % 2, x, y
select distinct null from dup
select distinct 'a' from dup
select distinct x is null from dup order by 1
select distinct (x, y) from dup order by 1
select distinct info from emp order by info
select distinct tags from emp order by tags
select count(distinct x), count(x), count(*), sum(distinct x), count(distinct (x, y)), count(distinct y) filter (where x is null) from dup
select x, count(*) from dup group by x order by x
select x as g, count(*) from dup group by g order by g
select x, y, count(*) from dup group by 1, 2 order by 1, 2
select x + 1, count(*) from dup group by x + 1 order by 1
select x, count(*) from dup group by x + 1
select x + 1 + 1 from dup group by x + 1
select x + 1 from dup group by x order by 1
select y from dup group by x
select count(*) from dup group by 3
select count(*) from dup group by 'a'
select count(*) from dup group by count(*)
select x from dup group by x having count(*) > 1 order by x
select x from dup group by x having y = 'a'
select x from dup having x = 1
select count(*) from dup having count(*) > 3
select count(*) from dup where count(*) > 1
select sum(count(*)) from dup
select e.id, e.name, count(*) from emp e group by e.id order by 1
select e.id, d.name from emp e join dep d on d.id = e.dept group by e.id, d.name order by 1
select d.name, count(*) from emp e join dep d on d.id = e.dept group by d.id order by 1
select d.name from emp e join dep d on d.id = e.dept group by e.id
select dept, max(name), min(name), min(pay), max(hired), avg(pay), sum(pay), count(pay) from emp group by dept order by dept
select dept, (select count(*) from dep where dep.id = emp.dept) from emp group by dept order by 1
select dept, (select max(e2.id) from emp e2 where e2.dept = emp.dept) m from emp group by dept order by 1
select (select max(emp.id)) from emp
select (select count(*) from dep where dep.id < max(emp.id)) from emp
select x, case when count(*) > 1 then 'many' else 'one' end from dup group by x order by 1
select coalesce(x, -1), count(*) from dup group by coalesce(x, -1) order by 1
select date_trunc('year', hired), count(*) from emp where hired < 'infinity' group by 1 order by 1
select true group by true
select null, count(*) from dup group by null
select grouping(x) from dup group by x order by x
select x, count(*) from dup group by rollup (x) order by 1, 2
select x, y, count(*) from dup group by cube (x, y) order by 1, 2, 3
select x, y, count(*), grouping(x, y) from dup group by grouping sets ((x), (y), ()) order by 1, 2, 3
select * from generate_series(1, 3)
select * from generate_series(1, 3) g
select g.g, g from generate_series(1, 2) g
select g.* from generate_series(1, 2) as g(n)
select n from generate_series(1, 2) with ordinality as t(n, o) where o = 2
select generate_series(1, 3), generate_series(1, 2)
select generate_series(1, 2), 'x' from dep where id < 3 order by id, 1
select generate_series(1, 3) + 10
select generate_series(1, id) from dep where id < 3 order by 1
select count(*) from (select generate_series(1, 5)) s
select unnest(array[1,2]), unnest(array['a','b','c'])
select id, unnest(tags) from emp order by id, 2
select * from rows from (generate_series(1, 2), generate_series(1, 3)) as t(a, b)
select * from emp where generate_series(1, 2) = 1
select case when true then generate_series(1, 2) end
select coalesce(generate_series(1, 2), 0)
select * from unnest(array[1,2], array[3]) t(a, b)
select * from length('abc')
select * from length('abc') as l
select * from now() n where n is null
select * from upper('a') u(x)
select count(*) from current_date
select * from emp tablesample bernoulli (100)
select * from only dep order by id
select * from dep* order by id
select current_schema(), current_schemas(false)
select id from emp where id = (select min(id) from emp) for update
select id from emp where id = 1 for «share¦no key update¦key share¦update of emp¦update nowait¦update of nope»
select count(*) from emp for update
select distinct dept from emp for update
select dept from emp group by dept for update
select id into newt from emp
select /* comment /* nested */ */ 1 -- end
select 1;
;
select 1; select 2
select '/* no comment */', '-- nor this'
SeLeCt ID fRoM EMP where Id = 1
select "ID" from emp
select id from "EMP"
select id from nosuch
select id from public.nosuch
select id from nosuch.emp
select id from postgres.public.nosuch
select id from a.b.c.d
select nosuch(1)
select emp.nosuch from emp
select 1 +
selec 1
select 'unterminated
select "unterminated
select (1
select 1)
select * fro emp
select * from
select ,
select 1 where
select 1 order by
select 1 limit
select $1
select :x
select @
select 1 as
select * from emp where id == 1
select * from emp whre id = 1
select case end
select cast(1)
select 1::
select array[1
select extract(from now())
select not
select count(distinct) from emp
select count(*, 1) from emp
select count() from emp
select length(*) from emp
select max(*) from emp
select sum(name) from emp
select avg(hired) from emp
select max(true)
select max(info) from emp
select min(tags), max(tags) from emp
select sum(pay order by id) from emp
select distinct on (id) * from emp order by id limit 1
select row_number() over (order by id), generate_series(1, 2) from dep where id < 3 order by 1, 2
select count(*), generate_series(1, 2) from dep
select city, generate_series(1, count(*)) from dep group by city order by 1, 2
select generate_series(1, 2) as g, count(*) from dep group by g order by 1
select generate_series(1, 2) as g, count(*) from dep group by 1 order by 1
select generate_series(1, 2) + count(*) from dep order by 1
select id, generate_series(1, 2), sum(id) over () from dep where id < 3 order by 1, 2
select count(*) from dep having generate_series(1, 2) > 1
select distinct generate_series(1, 2) from dep order by 1
select generate_series(1, 3) from dep order by 1 limit 4
select id from dep order by generate_series(1, 2), id
select max(generate_series(1, 3)) from dep
select array_agg(distinct id), string_agg(distinct name, ','), json_agg(distinct city) from dep
select count(distinct (x, y, x is null)), max(x) from dup
