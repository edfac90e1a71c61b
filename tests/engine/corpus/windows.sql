create table w (id int primary key, g text, v int, n numeric(6,2))
insert into w values (1,'a',10,1.5),(2,'a',20,2.5),(3,'a',20,null),(4,'b',5,4),(5,'b',null,5),(6,null,7,6),(7,null,7,7.25),(8,'a',15,8)
select id, row_number() over (order by id) from w order by id
select id, row_number() over (partition by g order by id desc) from w order by id
select id, rank() over (order by v), dense_rank() over (order by v), percent_rank() over (order by v), cume_dist() over (order by v) from w order by id
select id, rank() over (partition by g order by v desc nulls last) from w order by id
select id, ntile(3) over (order by id) from w order by id
select id, lag(v) over (order by id), lead(v, 2) over (order by id), lag(v, 1, -1) over (order by id) from w order by id
select id, first_value(id) over (partition by g order by v), last_value(id) over (partition by g order by v, id), nth_value(id, 2) over (order by id) from w order by id
select id, sum(v) over (), count(*) over (), avg(v) over (partition by g) from w order by id
select id, sum(v) over (order by id), count(v) over (order by v) from w order by id
select id, sum(n) over (order by id rows between 1 preceding and 1 following) from w order by id
select id, sum(v) over (order by id rows between 2 following and 3 following), sum(v) over (order by id rows between unbounded preceding and 1 preceding) from w order by id
select id, sum(id) over (order by v groups between 1 preceding and current row) from w order by id
select id, count(*) over (order by v range between 5 preceding and 5 following) from w order by id
select id, count(*) over (order by v desc range between 5 preceding and 0 following) from w order by id
select id, count(*) over (order by v range between 5 preceding and current row exclude current row), count(*) over (order by v rows between unbounded preceding and unbounded following exclude ties) from w order by id
select id, sum(v) over (order by id rows between unbounded preceding and current row exclude group) from w order by id
select id, count(*) filter (where v > 8) over (order by id) from w order by id
select g, sum(v), rank() over (order by sum(v) desc nulls last), sum(sum(v)) over () from w group by g order by g
select id, sum(v) over win, count(*) over (win rows 1 preceding) from w window win as (order by id) order by id
select * from (select id, row_number() over (partition by g order by v desc, id) rn from w) x where rn = 1 order by id
select id, v - lag(v, 1, 0) over (order by id) as d from w order by d nulls first, id
select distinct rank() over (order by g) from w order by 1
select row_number() over (order by id) r from w order by r desc limit 2
select id from w order by row_number() over (order by v desc nulls last, id) limit 3
select max(id) over (order by id rows between 2 preceding and 1 preceding) from w order by 1
select sum(v) over (order by id) + 1 as x, case when lag(id) over (order by id) is null then 'first' else 'rest' end from w order by id
select string_agg(g, ',') over (order by id) from w order by id
select id from w where row_number() over () = 1
select sum(row_number() over ()) from w
select row_number() over (order by sum(v)) from w group by g order by 1
select count(distinct v) over () from w
select row_number() from w
select abs(1) over () from w
select ntile(0) over () from w
select lag(1, 2, 3, 4) over () from w
select sum(v) over nope from w
select sum(v) over (order by id rows between -1 preceding and current row) from w
select sum(v) over (order by id range between 1 preceding and current row), sum(v) over (order by g range between unbounded preceding and current row) from w order by id
select json_agg(t) over (order by t.a), jsonb_agg(t.a) over (order by t.a rows 1 preceding) from (values (1), (2), (3)) t(a) order by t.a
select corr(a, b) over (), regr_slope(b, a) over (order by a) from (values (1.0, 2), (2, 3), (4, 1)) t(a, b) order by a
select mode() within group (order by a) over () from (values (1)) t(a)
