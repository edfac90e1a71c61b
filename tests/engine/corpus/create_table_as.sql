create table src (id int primary key, name varchar(10) not null, price numeric(10,2), at timestamptz(3), tags text[])
insert into src values (1, 'a', 1.5, '2024-01-01 00:00:00.1234+00', '{x,y}'), (2, 'b', null, null, null), (3, 'c', 3.25, null, '{}')
create table t1 as select * from src
select * from t1 order by id
create table t2 as select id, price * 2 from src
select * from t2 order by id
create table t3 (a, b) as select id, name from src where id < 3
select * from t3 order by a
create table t4 (a) as select id, name, 'lit' as l, null as n, 1.5, true from src
select * from t4 order by a
insert into t4 values (9, 'x', 'y', 'text', 2.25, false)
create table t5 as select * from src with no data
select * from t5
insert into t5 (id, price) values (1, 123456789.25)
insert into t5 (id, price) values (1, 12345678.255) returning id, name, price
create table t6 as values (1, 'x'), (2, 'y')
select * from t6 order by column1
create table t7 as table src
select count(*) from t7
create table t8 as select 1 union all select 2 order by 1 with data
select * from t8 order by 1
create table t9 as with q as (select id from src) select q.id, row_number() over (order by q.id) from q
select * from t9 order by 1
create table if not exists t9 as select 1 as other
create table if not exists t10 as select 1 as other
select * from t10
create table t9 as select 1 as other
create table t11 (a, b) as select 1
create table t12 as select 1 as a, 2 as a
create table t12 as select 1, 2
create table t12 (a, a) as select 1, 2
create table t13 as select row(1, 2)
create table t14 as select nosuch from src
create table t14 as select * from nosuch
create table nosuch.t14 as select 1 as a
create table t14 as select 1/0 as a
select * from t14
select id, name into t16 from src where id > 1
select * from t16 order by id
select * into t16 from src
select 1 as x into t17 union select 2
select * from t17 order by x
select 1 as x union select 2 into t18
insert into t17 select 1 into t19
select * from (select 1 into t20) q
with w as (select id from src) select id + 1 as up into t21 from w order by id limit 2
select * from t21 order by up
create table t22 on commit drop as select 1 as a
create table t23 with (fillfactor = 70) as select 1 as a
create table t24 with (nosuch = 70) as select 1 as a
create table t25 as select g, g * 1.5 h from generate_series(1, 1000) g
select count(*), sum(h) from t25
create table t26 as select distinct on (tags) tags, name from src order by tags, id
select * from t26 order by name
create table t27 as select grouping(name), name, count(*) from src group by rollup (name)
select * from t27 order by 1, 2
create table t28 as insert into src values (1)
create table t29 as select interval '1 day' as i, interval '1' day(3) as j, array[1, 2] as k, '{}'::jsonb as l, date 'epoch' as d
select * from t29
alter table t29 add primary key (d)
drop table t29
create table t30 as select count(*) from src having count(*) > 100
select * from t30
