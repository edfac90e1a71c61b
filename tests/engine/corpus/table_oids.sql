create table to1 (id int primary key, v int)
create table to2 (id int, v int)
insert into to1 values (1, 1), (2, 2)
insert into to2 values (1, 10), (3, 30)
select tableoid::regclass, count(*) from to1 group by 1
select tableoid = 'to1'::regclass from to1
select tableoid::regclass, * from to1 order by id
select a.tableoid::regclass, b.tableoid::regclass, a.id, b.id from to1 a full join to2 b using (id) order by a.id, b.id
select id from to1 where tableoid = 'to1'::regclass and id = 1
select tableoid from to1 a join to2 b using (id)
select s.t::regclass, b.id from (select tableoid as t, id from to1) s right join to2 b on b.id = s.id order by b.id
select tableoid::regclass, sum(v) from to1 group by tableoid
select c.relname, x.v from to1 x join pg_class c on c.oid = x.tableoid order by 2
select (select to1.tableoid::regclass from to2 limit 1) from to1 limit 1
update to1 set v = v + 1 where tableoid = 'to1'::regclass returning tableoid::regclass, id
delete from to2 where tableoid <> 'to2'::regclass
insert into to2 values (4, 4) returning tableoid::regclass
select max(tableoid::regclass::text) from to2
select * from to1 natural join to2
create view to3 as select tableoid as t, id from to1
select t::regclass, id from to3 order by id
select tableoid from to3
select xmin from to1
