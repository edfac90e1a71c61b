# DEFAULT through a view: an inserted row gets the table's default, an updated one NULL.
create table vd (id int primary key, a int default 5, b text not null default 'x', g int generated always as (a + 1) stored)
create view vd_v as select id, a as aa, b, g from vd
create view vd_w as select aa, id from vd_v
insert into vd_v values (1, default, default), (2, 7, 'y')
insert into vd_v (id) values (3)
select * from vd order by id
update vd_v set aa = default where id = 2 returning *
update vd_v set b = default where id = 1
update vd_w set aa = default where id = 1 returning *
update vd_v set (aa, b) = (default, 'z') where id = 3 returning *
update vd_v set (aa, b) = row(1, default) where id = 3 returning *
update vd_v set g = default where id = 3 returning *
insert into vd_v values (3, 9, 'q') on conflict (id) do update set aa = default returning *
insert into vd values (3, 9, 'q') on conflict (id) do update set a = default returning *
update vd set a = default, b = default where id = 3 returning *
select * from vd order by id
