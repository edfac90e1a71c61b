create table fs (id int primary key, a int[], b text[])
insert into fs values (1, '{1,2}', '{x,y,z}'), (2, '{}', '{q}'), (3, null, null), (4, '{7}', null)
select * from unnest(array[1,2],array['a','b','c']) as t(a,b)
select * from unnest(array[1,2], array[3])
select u.* from unnest(array[1,2], '{}'::int[], array['x']) u(a, b, c) order by a
select * from unnest(null::int[], array[1])
select fs.id, u.* from fs, unnest(fs.a, fs.b) u(x, y) order by 1, 2, 3
select fs.id, u.* from fs left join lateral unnest(fs.a, fs.b) u(x, y) on true order by 1, 2, 3
select * from rows from (generate_series(1, 2), generate_series(1, 3)) as t(a, b)
select * from rows from (generate_series(1, 2), json_each('{"a":1,"b":2,"c":3}')) as t
select * from rows from (json_array_elements('[1,2]'))
select sum(t.a) from rows from (generate_series(1, 2)) as t(a)
insert into fs (id, b) select i, array[t] from unnest(array[10, 11], array['m', 'n']) as v(i, t) returning *
update fs set b = array[v.t] from unnest(array[10, 99], array['new', 'none']) v(i, t) where fs.id = v.i returning id, b
select * from unnest(array[1], 5)
select * from unnest(array[1], array[2]) as t(a, b, c)
select * from unnest($1::int[], $2::text[]) as t(a, b) @@ {1,2} ¦ {x,y}
select count(*) from unnest(array[1,2], array[3,4]) a join unnest(array[1,2]) b on true

select * from unnest(array[1,2,3], array['a','b']) with ordinality
select * from unnest(array[1,2,3], array['a','b']) with ordinality as t(x, y, n) order by n desc
select * from rows from (generate_series(1, 3), unnest(array['a','b'])) with ordinality as t(x, y)
select * from rows from (generate_series(1, 2500), generate_series(1, 1)) with ordinality as t(x, y, n) where n > 2497 order by n
select count(*), max(n) from (select 1) s, lateral unnest(array[1,2], array[3]) with ordinality as t(a, b, n)
select ordinality from unnest(array[]::int[], array[]::text[]) with ordinality
