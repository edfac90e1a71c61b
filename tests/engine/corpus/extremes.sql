create table w (id int primary key, a int, b int, c text, f float8)
select «min¦max»(id), count(*) from w
select «min¦max»(id) from w
insert into w select g, nullif(g % 10, 9), g, nullif('c' || g % 100, 'c99'), g / 7.0 from generate_series(1, 300) g
insert into w values (1000, null, null, null, 'NaN'), (1001, 3, null, '', '-Infinity')
create index w_ab on w (a, b)
create index w_c on w (c desc)
create index w_f on w (f)
select «min¦max»(«id¦a¦b¦c¦f») from w
select «min¦max»(«id¦b¦f») from w where «a = 3¦a is null¦id > 290¦c = 'c7'¦false¦a = null»
select «min¦max»(id) + 1 from w where id < 70 having «min¦max»(id) > 1
select x.a, (select «min¦max»(y.b) from w y where y.a = x.a) from w x where id < 12 order by id
select distinct «min¦max»(a) from w limit 1
