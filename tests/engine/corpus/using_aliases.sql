create table ul (a int, b int, x text)
create table ur (a int, b int, y text)
insert into ul values (1, 1, 'l1'), (2, 2, 'l2'), (3, 3, 'l3')
insert into ur values (1, 1, 'r1'), (3, 4, 'r3'), (5, 5, 'r5')
select j.a from ul «join¦left join¦right join¦full join» ur using (a) as j order by 1
select j.* from ul full join ur using (a) as j order by 1
select * from ul join ur using (a, b) as j order by 1
select j.a, ul.a, ur.a, a from ul left join ur using (a) as j order by 1
select j.*, ul.x, ur.y from ul join ur using (a, b) as j where j.b = 1
select j.x from ul join ur using (a) as j
select j.b from ul join ur using (a) as j
select k.* from (ul join ur using (a) as j) as k
select j.a from (ul join ur using (a) as j) as k
select * from ul join ur using (a) as ul
select j.a, m.b from ul join ur using (a) as j join ul u2 using (a) as m
select j.a, m.a from ul join ur using (a) as j join ul u2 using (a) as m order by 1
select count(*) from ul join ur using (a) as j group by j.a order by 1
select row_to_json(j) from ul join ur using (a) as j
select array_position(array[1,2,3,2], 2«¦, 3¦, 5¦, -1¦, null¦, 2»)
select array_position('[0:3]={1,2,3,2}'::int[], 2, «0¦1¦2¦3¦4»)
select array_position(array['a','b'], 'b', 1)
