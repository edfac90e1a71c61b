create table o (id int primary key, c int)
create table l (o bigint, n smallint, v int, primary key (o, n))
insert into o select g, nullif(g % 7, 0) from generate_series(1, 60) g
insert into l select g, n, g * n from generate_series(30, 80) g, generate_series(1, 2) n
create index o_c on o (c)
create index l_v on l (v desc)
select o.id, o.c, l.o, l.n from o «join¦left join¦right join» l on o.id = l.o«¦ and l.v > 70» order by o.id, l.o, l.n
select o.id, l.n from o join l on o.id = l.o order by o.id desc, l.n limit 9
select id from o where «¦not »exists (select from l where l.o = o.id«¦ and l.v > 100») order by id
select count(*), sum(o.id), sum(l.v) from o full join l on o.id = l.o
select o.id, l.o from o full join l on o.id = l.o and l.n = 1 order by o.id, l.o, l.n
select l.o, count(o.id) from l left join o on o.id = l.o group by l.o order by l.o desc limit 40
select a.c, b.c, a.id, b.id from o a join o b on a.c = b.c and a.id < b.id order by a.c, a.id, b.id limit 20
