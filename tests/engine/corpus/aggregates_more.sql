create table ag (g text, i int, b bigint, s smallint, n numeric(10,3), f float8, r real, t text, d date, o bool, v interval, y bytea, u uuid, j jsonb)
insert into ag values ('a',1,10,1,1.5,0.1,1.25,'x','2024-01-01',true,'1 day','\x01','a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11','1'),('a',2,null,2,2.25,0.2,null,'y','2024-01-03',false,'2 hours','\x02',null,'{"q":1}'),('b',null,30,3,null,'NaN',3.5,null,null,null,null,null,null,null),('b',4,9223372036854775807,32767,0.001,1e300,1e30,'x','infinity',true,'-1 mon','\xff','b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11','"s"'),(null,4,1,-5,'NaN','-Infinity',-1,'','-infinity',false,'1 mon','\x','00000000-0000-0000-0000-000000000000','[]'),('c',null,null,null,null,null,null,null,null,null,null,null,null,null)
select g, «count(*)¦count(i)¦sum(i)¦sum(b)¦sum(s)¦sum(n)¦sum(f)¦sum(r)¦sum(v)¦avg(i)¦avg(b)¦avg(s)¦avg(n)¦avg(f)¦avg(r)¦avg(v)¦min(i)¦max(b)¦min(n)¦max(f)¦min(r)¦max(t)¦min(d)¦max(d)¦max(v)¦min(o)¦max(y)¦max(u)¦max(j)¦bool_and(o)¦bool_or(o)¦every(o)¦bit_and(i)¦bit_or(s)¦bit_xor(b)¦stddev(i)¦stddev_pop(n)¦stddev_samp(f)¦variance(i)¦var_pop(b)¦var_samp(s)¦stddev(r)¦string_agg(t, ',' order by t)¦string_agg(t, '')¦string_agg(y, '\x2c' order by y)¦array_agg(i order by i)¦array_agg(t order by t desc nulls last)¦array_agg(d order by d)¦json_agg(i order by i)¦jsonb_agg(t order by t)¦json_object_agg(coalesce(t, 'k'), i)¦jsonb_object_agg(coalesce(t, 'k'), i)¦corr(i, f)¦covar_pop(i, s)¦covar_samp(s, i)¦regr_slope(s, i)¦regr_intercept(s, i)¦regr_count(s, i)¦regr_r2(s, i)¦regr_avgx(s, i)¦regr_avgy(s, i)¦regr_sxx(s, i)¦regr_syy(s, i)¦regr_sxy(s, i)¦mode() within group (order by i)¦percentile_cont(0.5) within group (order by i)¦percentile_disc(0.5) within group (order by i)¦percentile_cont(array[0, 0.25, 1]) within group (order by s)¦percentile_disc(array[0.1, 0.9]) within group (order by t)¦percentile_cont(0.5) within group (order by v)¦percentile_disc(0.3) within group (order by d desc)¦mode() within group (order by t desc)¦count(distinct i)¦sum(distinct i)¦count(distinct (i, t))¦array_agg(distinct t)¦string_agg(distinct t, '-' order by t)¦count(*) filter (where o)¦sum(i) filter (where i > 1)¦count(i) filter (where false)¦max(i + s)¦sum(i) + count(*)¦any_value(i)¦range_agg(i)¦xmlagg(t)¦count(ag)¦count(ag.*)¦max(least(i, 3))¦sum(i::numeric / 3)¦sum(case when o then 1 end)¦rank(2) within group (order by i)¦dense_rank(2) within group (order by i)¦percent_rank(2) within group (order by i)¦cume_dist(2) within group (order by i)» from ag group by g order by g
select «count(*)¦sum(i)¦sum(b)¦avg(n)¦max(t)¦string_agg(t, ',' order by t)¦bool_and(o)¦array_agg(i order by i nulls first)¦stddev(i)¦percentile_cont(0.25) within group (order by i)¦mode() within group (order by t)¦json_agg(i order by i)¦corr(i, s)¦min(d), max(d)¦sum(f)¦sum(i::float8), avg(i::float8)¦sum(v)¦count(distinct g)¦rank('b') within group (order by g)¦bit_and(s)» from ag «where g = 'a'¦where false¦where i is null¦where i = 4»
select percentile_cont(«-0.1¦1.1¦null¦'NaN'¦0¦1») within group (order by i) from ag
select percentile_disc(0.5) within group (order by t, i) from ag
select percentile_cont(0.5) within group (order by t) from ag
select percentile_cont(i) within group (order by i) from ag
select percentile_cont(i) within group (order by s) from ag group by i order by 1
select percentile_disc(array[[0.1,0.5],[0.7,null]]) within group (order by i) from ag
select string_agg(t) from ag
select string_agg(i, ',') from ag
select string_agg(t, g order by t, g) from ag
select string_agg(distinct t, ',' order by g) from ag
select string_agg(t, null order by t) from ag
select array_agg(distinct i order by i desc) from ag
select array_agg(i order by i, t) filter (where t is not null), array_agg(i order by t desc nulls last, i) from ag
select sum(distinct s), avg(distinct i), count(distinct o), max(distinct i) from ag
select count(distinct j), count(distinct y), count(distinct v), count(distinct u) from ag
select count(distinct i, s) from ag
select bool_and(i) from ag
select bit_and(n) from ag
select sum(o) from ag
select avg(t) from ag
select max(o) from ag
select sum(sum(i)) from ag
select max(max(i)) over () from ag
select sum(i) from ag where sum(i) > 1
select g from ag group by g having sum(i) > 2 and count(*) < 10 order by g
select g from ag where g is not null group by g having bool_or(o) order by g
select g, sum(i) s from ag group by g having s > 1
select g || 'x', length(g), count(*) from ag group by g order by g
select g, i from ag group by g
select upper(g), count(*) from ag group by upper(g) order by 1
select upper(g), count(*) from ag group by 1 order by 2 desc, 1
select count(*) from ag group by upper(g), lower(g) order by 1
select i % 2, o, count(*) from ag group by i % 2, o order by 1, 2
select g, count(*) from ag group by g, g order by g
select sum(2147483647 + 0) from generate_series(1, 3)
select sum(9223372036854775807) from generate_series(1, 2)
select avg(9223372036854775807) from generate_series(1, 2)
select sum(x) from (values (1.10), (2.2), (3.333)) t(x)
select avg(x) from (values (1.10), (2.2), (3.333)) t(x)
select sum(x), avg(x), max(x), stddev(x) from (values ('NaN'::numeric), (1)) t(x)
select sum(x), avg(x), max(x), min(x), stddev(x) from (values ('Infinity'::numeric), (1)) t(x)
select sum(x), avg(x) from (values ('Infinity'::numeric), ('-Infinity')) t(x)
select sum(x), avg(x), stddev(x) from (values ('Infinity'::float8), ('-Infinity')) t(x)
select sum(x) from (values (1e308::float8), (1e308)) t(x)
select avg(x) from (values (1e308::float8), (1e308)) t(x)
select avg(x), sum(x) from (values (0.1::float8), (0.2), (0.3)) t(x)
select avg(x), sum(x) from (values (0.1::float4), (0.2), (0.3)) t(x)
select avg(x), var_samp(x), var_pop(x), stddev(x) from generate_series(1, 7) x
select var_samp(x), stddev_pop(x), variance(x::float8) from (values (5)) t(x)
select corr(x, x), regr_r2(x, 1.0) from generate_series(1, 3) x
select bit_or(x), bit_and(x), bit_xor(x) from (values (1), (2), (4), (null)) t(x)
select max(x), min(x) from (values (array[1,2]), (array[1,3]), (null)) t(x)
select max(x), min(x) from (values (row(1,2)), (row(1,3))) t(x)
select max(x) from (values ('10:00+02'::timetz), ('09:30+01')) t(x)
select max(x), min(x) from (values ('a '::char(2)), ('b')) t(x)
select max('b'), min('a'), max(null)
select sum('1')
select sum('1'::text)
select count(null), count(1), sum(null)
select sum(null::int), avg(null::float8)
select array_agg(null), array_agg(null::int), string_agg(null, ','), json_agg(null)
select count(*) from (select 1 union all select 2) x
select (select count(*) from ag a2 where a2.g = ag.g) from ag order by 1
select sum((select 1)) from ag
select count(*) filter (where (select true)) from ag
select count(*) over (partition by g), sum(count(*)) over () from ag group by g order by 1
select json_agg(ag.g order by g) from ag
select json_agg(x) from (select g, i from ag where g = 'a' order by i) x
select jsonb_agg(x) from (select g, i, d, n from ag where g = 'a' order by i) x
select row_to_json(x) from (select g, i, f, v, o, y from ag order by g, i limit 2) x
select to_jsonb(ag) - 'j' from ag where g = 'c'
select json_object_agg(i, g) from ag where i is not null
select json_object_agg(null, 1)
select jsonb_object_agg(x, x) from (values ('a'), ('b'), ('a')) t(x)
select array_agg(array[i, s] order by s) from ag where g = 'a'
select array_agg(array[i]) from (values (1), (2)) t(i)
select unnest(array_agg(i order by i)) from ag where g = 'a'
select generate_series(1, max(i)) from ag
select g, generate_series(1, 2) from ag where i = 1 group by g
