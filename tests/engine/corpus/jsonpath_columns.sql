create table jp (id int primary key, a jsonpath)
insert into jp values (1, '$.a'), (2, 'strict $[*] ? (@ > 1)'), (3, null) returning *
select id from jp order by a
select distinct a from jp
select a from jp group by a
select a from jp union select a from jp
select id from jp where a = '$.a'
select max(a) from jp
select count(distinct a) from jp
select count(a) from jp
select id, jsonb_path_query_array('{"a":[1,2]}', a) from jp order by id
create index on jp (a)
select j, id from jp, (values ('1'::json)) v(j) order by j
select distinct j from (values ('1'::json)) v(j)
