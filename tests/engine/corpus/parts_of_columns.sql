create type pt as (x int, y int)
create type boxed as (lo pt, hi pt, tags text[])
create table a (id int primary key, arr int[], m int[], t text[], j jsonb, p pt, b boxed, ps pt[], s varchar(3)[])
insert into a (id, arr, m, t, j, p, b) values (1, '{1,2,3}', '{{1,2},{3,4}}', '{a,b}', '{"a": 1, "l": [1, 2]}', '(1,2)', '("(1,2)","(3,4)",{q})'), (2, null, null, null, null, null, null), (3, '{}', '{}', '{}', '[]', '(,)', '(,,)')
update a set arr[2] = 20 returning id, arr
update a set arr[5] = 50 where id = 1 returning arr
update a set arr[-1] = 7 where id = 1 returning arr
update a set arr[1] = 1, arr[2] = 2, arr[3] = arr[1] where id = 2 returning arr
update a set arr[1] = null where id = 2 returning arr
update a set arr[null] = 1 where id = 2
update a set arr['x'] = 1 where id = 2
update a set arr[1] = 'x' where id = 2
update a set arr[1] = true where id = 2
update a set arr[1.6] = 3 where id = 2 returning arr
update a set arr = '{5,6,7,8}'
update a set arr[2:3] = '{60,70}' where id = 1 returning arr
update a set arr[:2] = array[1, 2] where id = 1 returning arr
update a set arr[4:] = array[9] where id = 1 returning arr
update a set arr[5:6] = array[10, 11, 12] where id = 1 returning arr
update a set arr[9:9] = array[13] where id = 1 returning arr
update a set arr[1:3] = array[1] where id = 1
update a set arr[3:1] = array[1] where id = 1
update a set arr[1:2] = null where id = 1 returning arr
update a set arr[1:2] = 5 where id = 1
update a set arr = null where id = 2
update a set arr[2:3] = array[1, 2] where id = 2 returning arr
update a set arr = null where id = 2
update a set arr[:3] = array[1, 2] where id = 2
update a set m[1][2] = 9 where id = 1 returning m
update a set m[3][1] = 9 where id = 1
update a set m[1] = 9 where id = 1
update a set m[1:2][2:2] = array[[7], [8]] where id = 1 returning m
update a set m[2:2] = array[5, 6] where id = 1 returning m
update a set m[1][1] = 1 where id = 2 returning m
update a set m[2][3] = 1 where id = 3 returning m
update a set t[2] = 'it''s' where id = 1 returning t
update a set t[3] = 5 where id = 1 returning t
update a set s[1] = 'abc', s[2] = 'd' where id = 1 returning s
update a set s[1] = 'abcd' where id = 1
update a set j['a'] = '2' where id = 1 returning j
update a set j['b'] = '{"c": [1]}' where id = 1 returning j
update a set j['b']['c'][3] = '"x"' where id = 1 returning j
update a set j['n']['m'] = 'true' where id = 1 returning j
update a set j['n'][1] = '1' where id = 1 returning j
update a set j['l'][-1] = '9' where id = 1 returning j
update a set j['l'][-5] = '9' where id = 1
update a set j['l']['x'] = '9' where id = 1
update a set j['a']['x'] = '9' where id = 1
update a set j['a'] = null where id = 1 returning j
update a set j['z'] = 5 where id = 1
update a set j['z'] = to_jsonb(5) where id = 1 returning j
update a set j['a'] = '1' where id = 2 returning j
update a set j = null where id = 2
update a set j[2] = '1' where id = 2 returning j
update a set j = null where id = 2
update a set j['x'][1]['y'] = '1' where id = 2 returning j
update a set j[0] = '"first"' where id = 3 returning j
update a set j = '5' where id = 3
update a set j['a'] = '1' where id = 3
update a set j[null] = '1' where id = 2
update a set j[1:2] = '1' where id = 2
update a set j['a'] = j['x'] where id = 2 returning j
select j['x'][1]['y'], j['nosuch'], j['x'][0], j['x']['1'] from a where id = 2
select j['l'][0], (j)['l'], a.j['l'][1] from a where id = 1
update a set p.x = 10 returning id, p
update a set p.x = p.x + 1, p.y = (p).x where id = 1
update a set p.x = (p).x + 1, p.y = (p).x where id = 1 returning p
update a set p.z = 1
update a set id.z = 1
update a set p.x = 'a'
update a set p.x = true
update a set b.lo.x = 5, b.hi = row(8, 9), b.tags[2] = 'w' where id = 1 returning b
update a set b.tags = '{z}' where id = 2 returning b
update a set ps[1] = row(1, 2), ps[2].y = 5 where id = 1 returning ps
update a set ps[1].x = 100 where id = 1 returning ps
update a set arr[1] = 1, arr = '{}' where id = 1
update a set arr = '{}', arr[1] = 1 where id = 1
update a set arr[1] = default where id = 1
update a set (arr[1], t[1]) = (77, 'multi') where id = 1 returning arr, t
update a set (arr[1], t[1]) = (select 78, 'sub') where id = 1 returning arr, t
update a set t[1] = x.v from (values (1, 'from')) x(id, v) where x.id = a.id returning t
insert into a (id, arr[1], arr[3], t[2]) values (10, 1, 3, 'two') returning id, arr, t
insert into a (id, p.x, p.y) values (11, 1, 2), (12, 3, null) returning id, p
insert into a (id, b.lo.x, b.tags[1]) values (13, 1, 'x') returning b
insert into a (id, j['a']['b']) values (14, '1') returning j
insert into a (id, arr[1:2]) values (15, '{4,5}') returning arr
insert into a (id, arr[1]) select 16, 5 returning arr
insert into a (id, arr[1], arr) values (17, 1, '{}')
insert into a (id, arr[1]) values (17, default)
insert into a (id, arr[1]) values (17, 'x')
insert into a (id, arr) values (1, '{1}') on conflict (id) do update set arr[2] = excluded.arr[1] + 1000 returning arr
select id, arr, m, t, j, p, b, ps from a order by id
