# What is stored as text (views, checks, defaults, generated columns, indexes) keeps its parentheses.
create table se (id int primary key, a int, b boolean, c int[], check ((not b) is not null or a is null), check ((a = 1) in (true, false) or a is null), check (a between 0 and (9 - 2) or b))
insert into se values (1, 1, true, '{1,2,3}'), (2, null, null, null), (3, 7, false, '{4}')
insert into se values (4, 2, null, null)
insert into se values (5, 8, false, null)
insert into se values (6, 8, true, '{}')
create view se_v as select id, (case when b then c else '{9,8,7}' end)[2:3] as part, (a is not distinct from 7) is not unknown as known, (not b) is null as nothing, (b and a > 0) is true as both from se
select * from se_v order by id
create view se_w as select id, (a between symmetric 7 and 0) between false and b as x, (a < 3) = any (select b) as y, -(2 ^ 2) as z, (-2) ^ 2 as w from se
select * from se_w order by id
create index se_i on se (id) where (not b) is null
select id from se where (not b) is null order by id
select id from se where not b is null order by id
alter table se add column g boolean generated always as ((not b) is null) stored
select id, g from se order by id
alter table se add column h boolean default (not true) is null
select id, h from se order by id

# DISTINCT ON and ORDER BY know a subquery again; NULLIF and IS DISTINCT FROM compare arrays.
select distinct on ((select max(y.a) from se y where y.b = x.b)) id, b from se x order by (select max(y.a) from se y where y.b = x.b), id
select distinct (select max(y.a) from se y where y.b = x.b) from se x order by (select max(y.a) from se y where y.b = x.b) desc nulls last
select nullif(c, '{4}'), nullif(array['a'], array['b']), c is distinct from '{1,2,3}', nullif(array[1], array[1]) from se order by id

# GROUP BY knows a subquery of the select list again.
create table gs (id int primary key, a int, b int)
insert into gs values (1, 1, 5), (2, 1, 6), (3, 2, 6), (4, null, 7)
select (select max(y.b) from gs y where y.a = x.a), count(*) from gs x group by (select max(y.b) from gs y where y.a = x.a) order by 1
select exists (select from gs y where y.a = x.a and y.id <> x.id), sum(b) from gs x group by exists (select from gs y where y.a = x.a and y.id <> x.id) order by 1
select (select max(y.b) from gs y where y.a = x.a) as m, count(*) from gs x group by m order by (select max(y.b) from gs y where y.a = x.a) desc
select (select max(y.b) from gs y where y.a = x.a) from gs x group by rollup ((select max(y.b) from gs y where y.a = x.a)) order by 1
