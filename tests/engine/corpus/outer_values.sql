create table ov (id int primary key, g int, v int, d date)
create table ow (id int, n int, g int, v numeric, primary key (id, n))
create index ow_g on ow (g)
insert into ov select i, nullif(i % 7, 0), i % 5, date '2024-01-01' + i from generate_series(1, 40) i
insert into ow select i, j, nullif((i + j) % 6, 0), i * j from generate_series(1, 30) i, generate_series(1, 3) j
select id, (select sum(v) from ow where ow.id = ov.id) from ov order by 1
select id, (select sum(v) from ow where ow.g = ov.g and n «<¦<=¦>» ov.v) from ov order by 1
select id, (select max(w.v) from ow w, ov o where w.id = o.id and o.g = ov.g) from ov order by 1
select id, (select max(w.v) from ow w left join ov o on w.id = o.id and o.g = ov.g where w.n = ov.v) from ov order by 1
select id, (select count(*) from (select g, sum(v) s from ow group by g) x where x.g = ov.g) from ov order by 1
select id, (select count(*) from (select g from ow where n = 1 union all select g from ov) x where x.g = ov.g) from ov order by 1
select ov.id, x.* from ov, lateral (select n, v from ow where ow.id = ov.id order by n desc limit 2) x order by 1, 2
select ov.id, x.* from ov left join lateral (select n, v from ow where ow.g = ov.g and ow.id = ov.v) x on «true¦x.n > 1» order by 1, 2, 3
select ov.id from ov where v «=¦<¦<>» (select min(n) from ow where ow.id = ov.id) order by 1
select ov.id from ov where exists (select from ow join ov o2 on o2.id = ow.id where ow.g = ov.g and o2.v = ov.v) order by 1
select ov.id from ov where id in (select ow.id from ow where ow.n = ov.v and ow.v > (select avg(v) from ow i where i.g = ow.g and i.n = ov.v)) order by 1
select id, (select (select count(*) from ow where ow.id = a.id and ow.n = ov.v) from ov a where a.id = ov.g) from ov order by 1
select id, (select max(n) from ow where id = ov.id and (n = ov.v or n = 1)) from ov order by 1
select id, array(select n from ow where (id, n) = (ov.id, ov.v) order by 1) from ov order by 1
select id, array(select n from ow where id between ov.v and ov.g order by 1, id) from ov where id < 12 order by 1
select count(*) from ov, ow where (ov.id = ow.id and ov.v = 1 and n = 2) or (ov.id = ow.id and ov.v = 3 and n = 3)
select ov.id, n from ov, ow where (ov.id = ow.id and ov.v = 1) or ov.id = ow.id order by 1, 2
select ov.id, n from ov left join ow on (ov.id = ow.id and n = 1) or (ov.id = ow.id and n = 3) order by 1, 2
select ov.id, n from ov full join ow on (ov.id = ow.id and n = 1 and ov.v < 3) or (ov.id = ow.id and n = 3 and ov.g is null) order by 1, 2
select count(*) from ov a, ov b where (a.v = 1 and b.v = 2) or (a.v = 2 and b.v = 1)
select count(*) from ov a, ov b where (a.g = 1 and b.v = 2) or (a.g is null and b.v = 1 and a.id < b.id)
select count(*) from ov where (g = 1 and v = 2) or (g = 1 and v = 3) or (g = 1 and v is null)
select count(*) from ov where (g = 1 and v = 2) or g = 1
select count(*) from ov where not ((g = 1 and v = 2) or (g = 1 and v = 3))
select ((g = 1 and v = 2) or (g = 1 and v = 3)) is null, count(*) from ov group by 1 order by 1
update ov set v = (select max(n) from ow where ow.id = ov.id and ow.g = ov.g) where id < 10 returning id, v
delete from ow where n = 3 and exists (select from ov where ov.id = ow.id and ov.g = ow.g and v is not null) returning id
drop table ov, ow
