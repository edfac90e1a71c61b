# Subqueries in conditions of outer and lateral joins, over both sides.
create table lj (id int, b int)
insert into lj values (1,2),(2,3),(3,null)
select x.id, c from lj x left join generate_series(1, x.b) f (c) on (select true) order by 1, 2
select x.id, c from lj x left join generate_series(1, x.b) f (c) on f.c = (select max(y.id) from lj y where y.b = x.b) order by 1, 2
select x.id, c from lj x left join generate_series(1, x.b) f (c) on f.c = x.id and exists (select from lj y where y.b = x.b and y.id <= f.c) order by 1, 2
select x.id, y.id from lj x left join lj y on x.id = y.b and x.b >= all (select z.b from lj z where z.b = x.b and z.id > y.id) order by 1, 2
select x.id, y.id from lj x left join lj y on exists (select from lj z where z.b = x.b and z.id = y.id) order by 1, 2
select x.id, y.id from lj x right join lj y on exists (select from lj z where z.b = x.b and z.id = y.id) order by 1, 2
select x.id, (select sum(y.id) from lj y left join lj w on w.id = (select max(z.id) from lj z where z.b = w.b and z.id <> y.id and z.id < x.id)) from lj x order by 1
select x.id from lj x where not exists (select from lj y where y.id = (select max(z.id) from lj z where z.b = y.b and z.id <> x.id)) order by 1
