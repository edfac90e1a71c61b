create table vd (k int, u int, n int)
create table ve (k int)
create table vf (u int)
create view vv as select k from vd where u > 0
alter table vd drop column u
drop view vv
create view vv as select k from vd order by u limit 1
alter table vd drop column u
drop view vv
create view vv as select count(*) from vd group by u
alter table vd drop column u
drop view vv
create view vv as select count(*) from vd group by k having sum(u) > 0
alter table vd drop column u
drop view vv
create view vv as select sum(u) from vd
alter table vd drop column u
drop view vv
create view vv as select count(*) filter (where u > 1) from vd
alter table vd drop column u
drop view vv
create view vv as select k, row_number() over (partition by u) as r from vd
alter table vd drop column u
drop view vv
create view vv as select k, row_number() over (order by u) as r from vd
alter table vd drop column u
drop view vv
create view vv as select k, sum(u) over () as r from vd
alter table vd drop column u
drop view vv
create view vv as select distinct on (u) k from vd
alter table vd drop column u
drop view vv
create view vv as select distinct u from vd
alter table vd drop column u
drop view vv
create view vv as select k from vd union select u from vd
alter table vd drop column u
drop view vv
create view vv as select k from ve where exists (select 1 from vd where vd.k = ve.k and vd.u = 1)
alter table vd drop column u
drop view vv
create view vv as select k from ve where k in (select u from vd)
alter table vd drop column u
drop view vv
create view vv as select (select max(u) from vd) as m
alter table vd drop column u
drop view vv
create view vv as select ve.k from ve join vd on vd.u = ve.k
alter table vd drop column u
drop view vv
create view vv as select k from ve join (select u as k from vd) s using (k)
alter table vd drop column u
drop view vv
create view vv as select s.x from ve, lateral (select u as x from vd where vd.k = ve.k) s
alter table vd drop column u
drop view vv
create view vv as with c as (select u from vd) select * from c
alter table vd drop column u
drop view vv
create view vv as with recursive c(n) as (select u from vd union all select n + 1 from c where n < 3) select n from c
alter table vd drop column u
drop view vv
create view vv as select * from vd
alter table vd drop column u
drop view vv
create view vv as select vd.* from vd
alter table vd drop column u
drop view vv
create view vv as table vd
alter table vd drop column u
drop view vv
create view vv as select x from vd, generate_series(1, u) x
alter table vd drop column u
drop view vv
create view vv as select case when u = 1 then k end as c from vd
alter table vd drop column u
drop view vv
create view vv as select array_agg(k order by u) as c from vd
alter table vd drop column u
drop view vv
create view vv as select k, u from vd group by grouping sets ((k), (u))
alter table vd drop column u
drop view vv
create view vv as select k from ve where k > all (select u from vd)
alter table vd drop column u
drop view vv
create view vv as select array(select u from vd) as a
alter table vd drop column u
drop view vv
create view vv as select k from vd where row(k, u) = row(1, 2)
alter table vd drop column u
drop view vv
create view vv as select percentile_cont(0.5) within group (order by u) as p from vd
alter table vd drop column u
drop view vv
create view vv as select k from ve where (k, k) in (select u, k from vd)
alter table vd drop column u
drop view vv
create view vv as select a.k from vd a left join vd b on a.k = b.u
alter table vd drop column u
drop view vv
create view vv as select coalesce(u, 0) + 1 as c from vd
alter table vd drop column u
drop view vv
create view vv as select k from vd limit (select max(u) from vd)
alter table vd drop column u
drop view vv
create view vv as select k from ve except select u from vd
alter table vd drop column u
drop view vv
create view vv as values ((select max(u) from vd))
alter table vd drop column u
drop view vv
create view vv as select k from (select k, u from vd) s where u = 1
alter table vd drop column u
drop view vv
create view vv as select k from vd natural join vf
alter table vd drop column u
drop view vv
create view vv as select rank(1) within group (order by u) as r from vd
alter table vd drop column u
drop view vv
create view v1 as select k from vd where u > 0
alter table vd drop column n
create view v2 as select k from vd
create view v3 as select k from v1
alter table vd drop column u cascade
select table_name from information_schema.views where table_schema = current_schema() order by 1
select * from v2
select view_name, column_name from information_schema.view_column_usage where view_schema = current_schema()
drop table vd cascade
