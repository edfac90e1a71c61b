# What columns are called that have no AS.
create table cn (a int, b text)
select (select a from cn), (select 1)::int, (select 1), case when true then 1 else (select 2) end
select case when true then 1 else (select 2 as x) end, (select b || 'x' from cn)::varchar, (values (1)), (select 1 union select 1)::text
select (select x.a from cn x)::int8, case when true then 'a' end, case 1 when 1 then 2 else a end from cn
select coalesce(1, 2)::text, nullif(1, 2)::text, (array[1, 2])[1], a::text, (a + 1)::text, (1)::bigint from cn
select (select * from (values (1)) v (q)), (table cn2) from (select 1) x
create table cn2 (z int)
select (select * from (values (1)) v (q)), (table cn2), (select c.* from cn2 c), (select v.q from (values (2)) v (q))::text, array(select * from cn2)
select * from (select (select * from cn2), (select max(a) from cn) from cn) x
create view cn_v as select (select * from cn2), 1 as one
select * from cn_v
