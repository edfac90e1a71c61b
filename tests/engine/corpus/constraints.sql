create table ck (id int primary key, a int constraint a_pos check (a > 0), b int, c text collate "C" check (length(c) < 5), check (a < b), constraint named check (b <> 13 or a = 1))
insert into ck values (1, 1, 2, 'abc')
insert into ck values (2, «0¦null¦5¦1», «2¦null¦13¦3», «'abc'¦null¦'toolong'»)
delete from ck where id = 2
update ck set a = 3 where id = 1
update ck set b = null where id = 1 returning *
create table un (a int, b int, c text unique, unique (a, b), constraint uq_c unique (b, c))
insert into un values (1, 1, 'x'), (1, 2, 'y'), (null, 1, 'z'), (null, 1, 'w'), (1, null, null), (1, null, null)
insert into un values (1, 1, 'q')
insert into un values (9, 9, 'x')
update un set a = 1 where b = 2 returning a
update un set b = 1 where c = 'y'
create table pk (a int, b text, primary key (a, b))
insert into pk values (1, 'a'), (1, 'b')
insert into pk values (1, 'a')
insert into pk values (null, 'a')
update pk set b = 'b' where b = 'a'
update pk set a = a + 1 returning *
create table nn (a int not null, b int)
insert into nn (b) values (1)
insert into nn values (null)
insert into nn values (1, 1), (null, 2)
select count(*) from nn
alter table nn alter b set not null
insert into nn values (1, 1)
update nn set a = null
create table nd (a int, unique nulls not distinct (a))
insert into nd values (null)
insert into nd values (null)
create table up (id int primary key, v int unique)
insert into up select n, n from generate_series(1, 5) n
update up set v = v + 1
update up set id = id + 1 where id = 5
update up set id = 6 - id where id in (1, 5)
update up set v = 100
select * from up order by id
create table typ (i2 smallint, i4 int, v3 varchar(3), c3 char(3), n numeric(3,1), t time(0), ts timestamptz(0), b bool, by bytea, u uuid, d date, iv interval, f4 real, a int[])
insert into typ («i2¦i4¦v3¦c3¦n¦t¦ts¦b¦by¦u¦d¦iv¦f4¦a») values («32768¦'1'¦1¦'abcd'¦99.96¦'12:00:00.5'¦'2024-01-01'¦'{1}'¦true¦null¦1.5») returning 1
select c3 || '|', v3 || '|', length(c3), octet_length(c3), n, t from typ where c3 is not null or v3 is not null order by 1, 2, n
create table par (id int primary key)
create table chi (id int primary key, p int references par (id))
create table chi2 (id int, p int references nosuch (id))
create table def (a int default 1 + 1, b text default 'a' || 'b', c date default date '2024-01-01' + 1, d timestamp default '2024-01-01', e int[] default '{1,2}', f uuid default null, g numeric(4,1) default 1.25, h bool default not true)
insert into def default values returning *
select column_name, column_default from information_schema.columns where table_name = 'def' and table_schema = current_schema() order by 1
create table gen (a int, b int generated always as (a * 2) stored, c text generated always as (upper(coalesce('x' || a::text, 'none'))) stored)
insert into gen (a) values (1), (null) returning *
update gen set a = 5 where a = 1 returning *
insert into gen (a, b) values (1, 2)
insert into gen (a, b) values (1, default) returning b
select * from gen where b = 10
insert into gen (a) values (2147483647)
