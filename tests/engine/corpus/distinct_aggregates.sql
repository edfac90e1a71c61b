# ORDER BY of an aggregate with DISTINCT finds its argument: also one that was cast, or has a subquery.
create domain da_d as text
create table da (v varchar(5), d da_d, c char(3), i smallint, n int)
insert into da values ('b', 'x', 'q', 1, 2), ('a', 'x', 'p', 2, 2), (null, 'y', 'q', 1, 3), ('b', null, null, null, null)
select string_agg(distinct v, ',' order by v), string_agg(distinct v, ',' order by v desc) from da
select string_agg(distinct d, ',' order by d), string_agg(distinct c, ',' order by c) from da
select string_agg(distinct d, ',' order by d desc nulls first), string_agg(distinct v || 'x', ',' order by v || 'x') from da
select string_agg(distinct v, ',' order by d) from da
select string_agg(distinct v, ',' order by n) from da
select string_agg(distinct v::text, ',' order by v) from da
select string_agg(distinct v, ',' order by v::text) from da
select array_agg(distinct i order by i desc), sum(distinct i order by i), avg(distinct n order by n) from da
select string_agg(distinct (select max(v) from da y where y.n = da.n), ',' order by (select max(v) from da y where y.n = da.n)) from da
select array_agg(distinct n + 1 order by n + 1 desc), array_agg(distinct n order by n + 1) from da
select string_agg(distinct (select y.v || 'x' from da y where y.n = da.n and y.v <> 'q' order by 1 limit 1), ',' order by (select y.v || 'x' from da y where y.n = da.n and y.v <> 'q' order by 1 limit 1)), array_agg(distinct n + 7 order by n + 7 desc) from da
