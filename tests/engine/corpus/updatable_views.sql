create table vt (id int primary key, name text not null default 'none', price numeric check (price >= 0), made timestamp default '2024-01-01', twice numeric generated always as (price * 2) stored)
insert into vt (id, name, price) values (1, 'a', 10), (2, 'b', 20), (3, 'c', 30)
create view plain as select id, name, price from vt
create view named as select price as cost, id as number, name from vt v where v.price > 15
create view computed as select id, upper(name) as big, price * 2 as doubled, price from vt
create view starred as select * from vt where id < 100
create view above as select number, cost, name as label from named where cost < 100
insert into plain values (4, 'd', 40) returning *
insert into plain (id) values (5) returning id, name, price
insert into plain (price, id) values (1, 6), (default, 7) returning *
insert into plain select id + 10, name, price from vt where id < 3 returning id
insert into plain values (1, 'x', 1)
insert into plain values (50, null, 1)
insert into plain values (50, 'x', -1)
insert into plain values (50, 'x', 1, 2)
insert into plain (id, name) values (50)
insert into plain (nosuch) values (1)
insert into plain (made) values ('2024-01-01')
insert into plain (id, id) values (1, 2)
insert into plain default values
insert into named values (99, 60, 'n') returning *, cost + 1
insert into named (number, cost) values (61, 1) returning number, cost, name
insert into above (number, cost) values (62, 50) returning *
insert into above values (63, 51, 'lab') returning above.*
insert into computed (id, price) values (70, 7) returning *
insert into computed values (71, 'X')
insert into computed (id, big) values (71, 'X')
insert into computed (id, doubled) values (71, default)
insert into starred (id, price) values (80, 8) returning *
insert into starred (id, twice) values (81, 8)
insert into starred values (82, 'n', 1)
select id, name, price, twice from vt order by id
update plain set price = price + 1 where id = 1 returning *
update named set cost = cost * 2 returning number, cost
update named set cost = 0 where number = 1
update above set label = 'L' || number where cost < 60 returning *
update above set nosuch = 1
update computed set big = 'x'
update computed set doubled = default
update computed set price = price - 1 where big = 'A' returning *
update plain p set name = p.name || '!' where p.id in (2, 3) returning p.id, p.name
update plain set name = 'q' where plain.id = 3 returning plain.name
update plain set name = s.n from (values (1, 'one'), (2, 'two')) s (i, n) where plain.id = s.i returning plain.*, s.n
update plain set (name, price) = ('z', 3) where id = 6 returning *
update plain set (name, price) = (select 'w', 4) where id = 6 returning *
update plain set id = 1 where id = 2
update plain set price = -1
update starred set twice = 1
update named set cost = s.cost from named s where s.number = named.number and named.number = 60 returning named.cost
delete from named where number = 1
delete from named where number = 60 returning *
delete from above where label like 'L%' returning number
delete from computed where doubled = 14 returning *
delete from plain using (values (5)) s (i) where plain.id = s.i returning plain.id
delete from plain p where p.id = 4 returning p.*
select id, name, price from vt order by id
with gone as (delete from plain where id > 10 returning id) select count(*) from gone
with made as (insert into named (number, cost) values (90, 50) returning number) select * from made
explain (costs off) delete from nosuch
merge into plain using (values (1)) s (i) on plain.id = s.i when matched then delete

create table nt (id int primary key, v int)
create view nd as select distinct id, v from nt
create view ng as select v, count(*) as n from nt group by v
create view ng2 as select v from nt group by v
create view nh as select 1 as one from nt having true
create view nu as select id from nt union all select v from nt
create view nl as select id, v from nt limit 5
create view no as select id, v from nt offset 1
create view na as select max(v) as m from nt
create view nw as select id, row_number() over (order by id) as r from nt
create view ns as select id, generate_series(1, 2) as s from nt
create view nj as select a.id from nt a join nt b on a.id = b.id
create view nc as select a.id from nt a, nt b
create view nx as select 1 as one
create view nv as values (1, 2)
create view nf as select * from generate_series(1, 3) g
create view nq as select * from (select id from nt) s
create view nn as select id + 1 as i, v * 2 as w from nt
create view ncte as with c as (select 1) select id from nt
create view above_nd as select id, v from nd
insert into «nd¦ng¦ng2¦nh¦nu¦nl¦no¦na¦nw¦ns¦nj¦nc¦nx¦nv¦nf¦nq¦nn¦ncte¦above_nd» values (1)
update «nd¦ng¦nu¦nl¦na¦nw¦ns¦nj¦nx¦nq¦nn¦ncte¦above_nd» set id = 1
delete from «nd¦ng¦ng2¦nh¦nu¦nl¦no¦na¦nw¦ns¦nj¦nc¦nx¦nv¦nf¦nq¦nn¦ncte¦above_nd»
select table_name, is_updatable::text, is_insertable_into::text, check_option from information_schema.views where table_schema = current_schema() and table_name like 'n%' order by 1

create table ct2 (id int primary key, a int, b int)
create view co as select * from ct2 where a > 0 with check option
create view lo as select * from ct2 where a > 0 with local check option
create view over_co as select * from co where b > 0
create view over_co_c as select * from co where b > 0 with cascaded check option
create view pl as select * from ct2 where a > 10
create view over_pl_l as select * from pl where b > 10 with local check option
create view over_pl_c as select * from pl where b > 10 with cascaded check option
create view bad_c as select distinct a from ct2 with check option
create view bad_d as select a from ct2 limit 1 with check option
insert into co values (1, 1, 1)
insert into co values (2, 0, 1)
insert into co values (2, null, 1)
insert into co values (2, -1, 1), (3, 1, 1)
insert into lo values (2, 0, 1)
insert into over_co values (2, 0, 1)
insert into over_co values (2, 1, 0)
insert into over_co_c values (3, 1, 0)
insert into over_co_c values (3, 0, 1)
insert into over_co_c values (3, 0, 0)
insert into over_pl_l values (4, 1, 11)
insert into over_pl_l values (5, 11, 1)
insert into over_pl_c values (5, 1, 11)
insert into over_pl_c values (5, 11, 1)
insert into over_pl_c values (5, 11, 11)
insert into over_pl_c values (1, 1, 1)
update co set a = 0
update co set b = 5 where id = 1 returning *
update co set a = null where id = 1
update over_pl_c set a = 10
update over_pl_c set a = 12 returning *
update over_pl_l set b = 10
delete from over_pl_c
select * from ct2 order by id
select table_name, is_updatable::text, is_insertable_into::text, check_option from information_schema.views where table_schema = current_schema() and table_name like '%o%' order by 1
begin
insert into co values (20, 5, 5)
update over_co set b = 6 where id = 20 returning *
rollback
select count(*) from co

create view cp as select id from ct2
truncate cp
copy cp from stdin <<< 1¶
create index on cp (id)

create table oc (id int primary key, code text unique, n int default 0, hidden text default 'h')
create view ocv as select code as c, id as i, n, n + 1 as next from oc where n < 100
create view occ as select id, n from oc where n < 10 with check option
insert into ocv (i, c) values (1, 'a'), (2, 'b')
insert into ocv (i, c) values (1, 'z') on conflict do nothing
insert into ocv (i, c) values (1, 'z') on conflict (i) do nothing returning *
insert into ocv (i, c) values (1, 'z') on conflict (i) do update set c = excluded.c returning *
insert into ocv (i, c, n) values (9, 'z', 5) on conflict (c) do update set n = ocv.n + excluded.n + ocv.next where ocv.i = 1 returning i, c, n, next
insert into ocv as v (i, c) values (2, 'q') on conflict (i) do update set (c, n) = (v.c || excluded.c, 7) returning v.*
insert into ocv (i, c) values (1, 'z') on conflict (id) do nothing
insert into ocv (i, c) values (1, 'z') on conflict (n) do nothing
insert into ocv (i, c) values (1, 'z') on conflict (i) do update set code = 'x'
insert into ocv (i, c) values (1, 'z') on conflict (i) do update set next = 3
insert into ocv (i, c) values (1, 'z') on conflict (i) do update set c = excluded.code
insert into ocv (i, c) values (1, 'z') on conflict on constraint oc_pkey do nothing
insert into occ values (1, 5) on conflict (id) do update set n = excluded.n returning *
insert into occ values (1, 5) on conflict (id) do update set n = 10
insert into occ values (3, 50) on conflict (id) do nothing
update oc set n = 500 where id = 2
insert into ocv (i, c) values (2, 'changed') on conflict (i) do update set c = excluded.c returning *
select * from oc order by id
