create table s (id int primary key, region text, product text, qty int, price numeric(8,2), day date not null)
insert into s select g, (array['n','s',null])[g % 3 + 1], (array['pen','ink','pad','cap'])[g % 4 + 1], g % 7, g * 1.25, date '2024-01-01' + g % 5 from generate_series(1, 60) g
select region, product, sum(qty) from s group by grouping sets ((region), (product)) order by 1, 2, 3
select region, product, sum(qty) from s group by grouping sets ((region, product), (region), ()) order by 1, 2, 3
select region, product, sum(qty), grouping(region, product) from s group by rollup (region, product) order by 4, 1, 2
select region, product, count(*), grouping(region), grouping(product) from s group by cube (region, product) order by 4, 5, 1, 2
select region, product, day, count(*), grouping(region, product, day) g from s group by cube (region, product, day) order by g, 1, 2, 3
select region, count(*) from s group by rollup (region) having count(*) > 20 order by 2, 1
select region, product, count(*) from s group by rollup (region, product) having grouping(product) = 1 order by 1, 3
select region, product, count(*) from s group by rollup (region, product) having region = 'n' order by 2, 3
select region, count(*) from s group by rollup (region) having region is null order by 2
select region, product, count(*) from s group by region, rollup (product) having region = 'n' order by 2, 3
select * from (select region, product, count(*) c from s group by cube (region, product)) q where region = 's' order by 2, 3
select * from (select region, product, count(*) c from s group by region, cube (product)) q where region = 's' order by 2, 3
select region, product, count(*) filter (where qty > 3), sum(price) filter (where product = 'pen') from s group by cube (region, product) order by 1, 2, 3
select region, count(distinct product), string_agg(distinct product, ',' order by product) from s group by rollup (region) order by 1, 2
select count(*) from s group by ()
select count(*) from s where false group by ()
select 1 from s where false group by ()
select count(*), sum(qty) from s where false group by grouping sets ((), ())
select region, count(*) from s where false group by rollup (region)
select region, count(*) from s where false group by grouping sets ((region))
select count(*) from s group by grouping sets ((), (region), ()) order by 1
select region, product, count(*) from s group by distinct rollup (region, product), rollup (region) order by 1, 2, 3
select region, product, count(*) from s group by all rollup (region, product), rollup (region) order by 1, 2, 3
select region, product, count(*) from s group by rollup (region), cube (product) order by 1, 2, 3
select region, product, count(*) from s group by grouping sets (rollup (region), cube (product), (region, product)) order by 1, 2, 3
select region, product, day, count(*) from s group by rollup ((region, product), day) order by 1, 2, 3, 4
select region, product, day, count(*) from s group by cube (region, (product, day)) order by 1, 2, 3, 4
select region, product, day, count(*) from s group by region, grouping sets ((product), (day)) order by 1, 2, 3, 4
select region, product, count(*) from s group by (region, product) order by 1, 2
select region, product, count(*) from s group by (region), ((product)) order by 1, 2
select qty % 2 par, qty % 3, count(*) from s group by rollup (qty % 2, qty % 3) order by 1, 2, 3
select qty % 2 + 1, count(*) from s group by rollup (qty % 2) order by 1, 2
select coalesce(region, 'all'), count(*), grouping(region) from s group by rollup (region) order by 3, 1
select case when grouping(region) = 1 then 'total' else coalesce(region, '-') end r, sum(price) from s group by rollup (region) order by r
select 1 as one, region, count(*) from s group by 1, rollup (2) order by 2, 3
select region r, count(*) from s group by rollup (r) order by 1, 2
select region, sum(qty), rank() over (partition by grouping(region) order by sum(qty) desc, region) from s group by rollup (region) order by 1, 2
select region, product, sum(qty), sum(sum(qty)) over (partition by region) from s group by rollup (region, product) order by 1, 2, 3
select grouping(region, product) from s group by cube (region, product) order by grouping(region, product) desc
select distinct grouping(region, product) from s group by cube (region, product, day) order by 1
select id, region, count(*) from s group by rollup (id) order by id
select id, region, count(*) from s group by id, rollup (product) having id < 4 order by id, 3, region
select s.id, region, product from s group by grouping sets ((id, region), (id, product)) having id < 3 order by 1, 2, 3
select region, avg(price), min(day), max(day) from s group by grouping sets ((region), ()) order by 1, 2
select region, count(*) from s group by rollup (region) order by grouping(region), region limit 2
select region, count(*) from s group by rollup (region) union all select product, count(*) from s group by rollup (product) order by 1, 2
select (select max(x.c) from (select count(*) c from s t where t.region = s.region) x), region from s group by rollup (region) order by 1, 2
select (select count(*) from s t where t.product = s.product) n, product from s group by cube (product) order by 2, 1
select array_agg(qty order by id) from s where id < 8 group by grouping sets ((region), ()) order by 1
select region, grouping(region) from s group by region order by 1
select grouping(product) from s group by rollup (region)
select grouping(qty + 1) from s group by rollup (qty)
select grouping(region) from s
select grouping(1) from s
select region from s where grouping(region) = 1 group by rollup (region)
select sum(grouping(region)) from s group by rollup (region)
select product, count(*) from s group by rollup (region)
select region, product from s group by grouping sets ((region), (day))
select count(*) from s group by cube (id, id, id, id, id, id, id, id, id, id, id, id, id)
select count(*) from s group by cube (id, qty, day), cube (id, qty, day), cube (id, qty, day), cube (id, qty, day), cube (id, qty, day)
select count(*) from s group by rollup (sum(qty))
select count(*) from s group by rollup (nosuch)
select region, product, count(*) from s group by cube (region, product) for update
create view sv as select region, product, grouping(region, product) g, count(*) c from s group by cube (region, product)
select * from sv order by g, region, product
select * from sv where g = 3
create table d (a numeric, b float8)
insert into d values (1.0, 0), (1.00, '-0'), (2, 'nan'), (2.0, 'nan'), (null, null)
select a, b, count(*), grouping(a, b) from d group by cube (a, b) order by 4, 3, 1, 2
select a, count(*) from d group by grouping sets ((a), (a), (b)) order by 1, 2
with q as (select a, grouping(a) g, count(*) c from d group by rollup (a)) select sum(c), g from q group by g order by g
select a + 1, b from d group by grouping sets ((a + 1), (b)) order by 1, 2
select a from d group by grouping sets ((a + 1), (b))
select count(*) over (), region from s group by rollup (region) order by 2
