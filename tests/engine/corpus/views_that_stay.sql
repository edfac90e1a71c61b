create table vs (a int primary key, b text, c int)
insert into vs values (1, 'x', 10), (2, 'y', 20)
create view vs_all as select * from vs
create view vs_some as select vs.*, a + 1 as next from vs where b <> 'z'
create view vs_over as select * from vs_all
create view vs_natural as select * from vs natural join (values (1, 'left'), (3, 'right')) n (a, side)
create view vs_row as select a, row_to_json(vs) as whole from vs
create view vs_sub as select a, (select max(c) from vs i where i.b = o.b) m from vs o
alter table vs add column side text default 'new'
alter table vs add column d int default 7
select * from «vs_all¦vs_some¦vs_over¦vs_sub» order by a
select a, b, c, side from vs_natural order by a
select * from vs_row order by a
alter table vs rename column b to bb
alter table vs rename column c to "C"
select * from «vs_all¦vs_some¦vs_over¦vs_sub» order by a
select count(*) from vs_natural
update vs_some set b = b || '!' where next = 2 returning b, next
insert into vs_over (a, b) values (5, 'five')
select * from vs order by a
update vs_all set bb = 'no'
alter table vs rename to vs_renamed
select * from «vs_all¦vs_some¦vs_over¦vs_sub» order by a
create table vs (q int)
insert into vs_all values (6, 'six', 60) returning *
select * from vs_over order by a
delete from vs_over where b = 'six'
select count(*) from vs_renamed
alter table vs_renamed drop column d
select * from vs_over order by a
alter table vs_renamed drop column bb
alter view vs_all rename to vs_everything
select * from vs_over order by a
drop table vs
create schema vs_place
alter table vs_renamed set schema vs_place
select * from vs_over order by a
alter table vs_place.vs_renamed rename column a to id
select * from vs_over where a = 1
insert into vs_over (a) values (9) on conflict (a) do nothing
insert into vs_over (a, b) values (9, 'again') on conflict (a) do update set b = excluded.b returning *
drop schema vs_place cascade
select * from vs_over
