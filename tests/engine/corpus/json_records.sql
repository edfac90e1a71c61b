select * from «json¦jsonb»_to_record('«{"a":1,"b":"x","c":[1,2]}¦{"a":"7","b":{"k" : [1, 2]},"c":[]}¦{}¦{"a":null,"b":null,"c":null}¦{"a":1.5}¦{"a":"x"}¦{"c":{}}¦{"c":"{3,4}"}¦{"c":[1,null,"2"]}¦{"c":[[1,2],[3,4]]}¦{"c":[[1],[2,3]]}¦{"c":[1,[2]]}¦{"a":1,"a":2}¦[]¦1¦null¦"x"¦{"b":true}¦{"b":"\u00e9\n"}¦{"b":1.50}¦{"A":1}¦{"a":99999999999}¦{"a":true}»') as x(a int, b text, c int[])
select * from «json¦jsonb»_to_recordset('«[{"a":1,"b":"x"},{"b":"y","a":2}]¦[]¦[1]¦[null]¦[[]]¦{}¦1¦null¦[{}]¦[{"a":1},2]» ') as x(a int, b varchar(3))
select * from «json¦jsonb»_to_record('{"a":{"x" : 1, "b":[1, 2]},"b":[1, {"y":2}],"d":"2024-02-29","t":"2024-01-01 10:00+00","n":"12.345","u":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11","f":"abcdef","bl":"t"}') as x(«a json, b jsonb¦a jsonb, b json¦a text, b text¦b jsonb[]¦b json[]¦b text[]¦d date, t timestamptz¦n numeric(4,1), u uuid¦f varchar(3)¦f char(8), bl boolean¦d int»)
select x.*, ordinality from jsonb_to_recordset('[{"a":1},{"a":2}]') with ordinality as x(a int)
select r.a, count(*) from jsonb_to_recordset('[{"a":1,"b":2},{"a":1,"b":3},{"a":2}]') as r(a int, b int) group by r.a order by 1
select t.id, x.q from (values (1, '[{"q":5},{"q":6}]'::jsonb), (2, '[]'), (3, '[{"q":7}]')) t(id, items), jsonb_to_recordset(t.items) as x(q int) order by 1, 2
select t.id, x.q from (values (1, '[{"q":5},{"q":6}]'::jsonb), (2, '[]'), (3, null)) t(id, items) left join lateral jsonb_to_recordset(t.items) as x(q int) on true order by 1, 2
select * from json_to_record('{"a":1}')
select * from json_to_record(null) as x(a int)
select * from jsonb_to_recordset(null) as x(a int)
select * from generate_series(1,2) as x(a int)
select * from json_to_record('{"a":1}') as x(a nosuch)
select * from json_to_record('{"a":1}') as x(a int, a int)
select a from json_to_record('{"a":1}') x(a int) where a = 1

create table jr (id int primary key, name text, tags text[])
insert into jr select * from jsonb_to_recordset('[{"id":1,"name":"a","tags":["x","y"]},{"id":2,"name":"b"}]') as x(id int, name text, tags text[]) returning *
update jr set name = x.name from json_to_recordset('[{"id":1,"name":"changed"}]') as x(id int, name text) where jr.id = x.id returning jr.*
