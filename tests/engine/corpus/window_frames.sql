create table wf (id int primary key, g int, v int, d date, f float8, t text)
insert into wf values (1,1,10,'2024-01-01',1.5,'a'),(2,1,10,'2024-01-02',null,'b'),(3,1,20,'2024-01-02',2.5,'a'),(4,1,null,null,3.5,null),(5,2,5,'2024-01-10','NaN','c'),(6,2,5,'2024-02-01','Infinity','c'),(7,null,0,'2024-02-01',-1,'d'),(8,2,null,'2023-12-31',0,'')
select id, «sum(v)¦count(*)¦count(v)¦max(v)¦min(t)¦first_value(id)¦last_value(id)¦nth_value(id, 2)¦array_agg(id)» over (order by id «rows¦groups» between «unbounded preceding¦1 preceding¦current row» and «current row¦1 following¦unbounded following») from wf order by id
select id, sum(id) over (order by v «¦desc¦nulls first» «groups¦range» between «unbounded preceding¦current row» and «current row¦unbounded following» «¦exclude current row¦exclude group¦exclude ties¦exclude no others») from wf order by id
select id, array_agg(id) over (partition by g order by v, id rows between «2 preceding¦1 following» and «1 preceding¦2 following¦current row») from wf order by id
select id, count(*) over (order by «v¦v desc¦id¦f¦f desc¦v nulls first» range between «5¦0¦1.5» preceding and «5¦0» following) from wf order by id
select id, count(*) over (order by «d¦d desc» range between interval '«1 day¦1 mon¦0¦-1 day»' preceding and «current row¦interval '1 day' following») from wf order by id
select id, sum(v) over (order by id range «1 preceding¦unbounded preceding¦current row¦1 following») from wf order by id
select id, sum(v) over (order by id rows «1 preceding¦unbounded preceding¦current row¦2 following¦unbounded following») from wf order by id
select id, sum(v) over (order by v, id range between 1 preceding and 1 following) from wf
select id, sum(v) over (range between 1 preceding and 1 following) from wf
select id, sum(v) over (groups between 1 preceding and 1 following) from wf
select id, sum(v) over (order by t range between 1 preceding and 1 following) from wf
select id, sum(v) over (rows between 1 following and 1 preceding) from wf
select id, sum(v) over (rows between unbounded following and current row) from wf
select id, sum(v) over (rows between current row and unbounded preceding) from wf
select id, sum(v) over (order by id rows between null preceding and current row) from wf
select id, sum(v) over (order by id rows between v preceding and current row) from wf
select id, sum(v) over (order by id rows between (1 + 1) preceding and current row) from wf order by id
select id, sum(v) over (order by id rows between 1.5 preceding and current row) from wf
select id, sum(v) over (order by id rows between '1' preceding and current row) from wf order by id
select id, «rank()¦dense_rank()¦percent_rank()¦cume_dist()» over («order by v¦partition by g order by v desc¦order by v desc nulls last») from wf order by id
select id, array_agg(id) over (order by v «desc, id¦, id desc» rows between «unbounded preceding¦2 preceding¦current row» and «current row¦unbounded following» exclude «current row¦group¦ties») from wf order by id
select id, «row_number()¦rank()¦ntile(3)¦ntile(100)¦ntile(null)» over («order by v, id¦order by g nulls first, t, id¦partition by g order by id¦partition by v is null order by id») from wf order by id
select id, rank() over (), row_number() over () > 0, ntile(2) over (order by id) from wf order by id
select id, «lag¦lead» («v¦v, 1¦v, 2¦v, 0¦v, -1¦v, null¦v, 1, -99¦v, 100, 0¦t, 1, 'none'¦v, id¦v, 1, id») over (order by id) from wf order by id
select id, lag(v, 1, 'x') over (order by id) from wf
select id, lag(v, 1, 1.5) over (order by id) from wf order by id
select id, first_value(v) over w, last_value(v) over w, nth_value(v, 1) over w from wf window w as (partition by g order by id) order by id
select id, nth_value(v, 0) over (order by id) from wf
select id, nth_value(v, null) over (order by id) from wf order by id
select id, sum(v) over w1, count(*) over w2 from wf window w1 as (order by id), w2 as (w1 rows between 1 preceding and current row) order by id
select id, count(*) over (w order by id) from wf window w as (partition by g) order by id
select id, count(*) over (w partition by g) from wf window w as (order by id)
select id, count(*) over (w order by id) from wf window w as (order by g)
select id, count(*) over w from wf window w as (order by id), w as (order by g)
select id, count(*) over nope from wf
select id, count(*) over (w) from wf window w as (order by id rows 1 preceding)
select id, sum(v) filter (where v > 5) over (order by id) from wf order by id
select id, row_number() filter (where v > 5) over (order by id) from wf
select id, count(distinct v) over (order by id) from wf
select id, array_agg(v order by v) over (partition by g) from wf order by id
select g, sum(v), sum(sum(v)) over (order by g), rank() over (order by count(*) desc, g) from wf group by g order by g
select g, sum(v) over (partition by g) from wf group by g
select sum(row_number() over (order by id)) over (order by id) from wf
select sum(v) over (order by row_number() over ()) from wf
select id from wf where rank() over (order by id) < 3
select g from wf group by g having rank() over (order by g) = 1
select id from wf order by rank() over (order by v desc nulls last), id
select distinct dense_rank() over (order by g) from wf order by 1
select distinct on (g) id, row_number() over (partition by g order by id desc) from wf order by g, id
select id, avg(v) over (order by id rows 2 preceding), avg(f) over (order by id rows 1 preceding) from wf where f < 10 order by id
select id, sum(f) over (order by id), max(f) over (order by id), min(f) over (order by id) from wf order by id
select id, string_agg(t, '') over (order by id), bool_or(v > 10) over (order by id), json_agg(t) over (order by id rows 1 preceding) from wf order by id
select id, stddev(v) over (order by id), var_pop(v) over (order by id), corr(v, id) over (order by id) from wf order by id
select * from (select id, row_number() over (partition by g order by id) as rn from wf) x where rn <= 1 order by id
select count(*) over () from wf limit 1
select count(*) over (), count(*) from wf
select sum(1) over () from wf where false
select id, (select count(*) over () from wf w2 where w2.id <= wf.id limit 1) from wf order by id
select id, sum(v) over (partition by (select 1) order by id) from wf order by id
select id, lag(id) over (order by id) is null, coalesce(lag(id) over (order by id), 0) + 1 from wf order by id
select lower(t) over () from wf
select row_number()
select rank(1) over () from wf
select ntile() over () from wf
select ntile(-1) over () from wf
select id, rank() within group (order by id) from wf
select percentile_cont(0.5) within group (order by v) over () from wf
update wf set v = row_number() over ()
delete from wf where rank() over () = 1
insert into wf values (row_number() over ())
select id, sum(v) over (partition by g, t order by id desc) from wf order by id
select id, dense_rank() over (order by (g, v)) from wf order by id
select id, dense_rank() over (order by null) from wf order by id
select id, count(*) over (partition by null) from wf order by id
select id, count(*) over (order by 1) from wf order by id
select id, rank() over (order by d desc nulls last, id) r from wf order by r
select w.*, row_number() over (order by w.id) from wf w where id < 3 order by 1
select id, lag('a') over (order by id) from wf order by id
select id, first_value(null) over (order by id) from wf order by id
select id, lag(t, 1, 'none') over (order by id), lead(null, 1, 5) over (order by id) from wf order by id
