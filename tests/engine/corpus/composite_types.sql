create type pair as (a int, b text)
create type price as (amount numeric(8,2), currency varchar(3))
create type pair as (a int)
create type twice as (a int, a text)
create type empty_one as ()
create type nested as (p pair, tags text[], at date)
create type bad as (r record)
create type bad as (x nosuch)
select '(1,x)'::pair, '( 1 , x )'::pair, '(1,)'::pair, '(,"")'::pair, '(1,"a ""b"" \\ c")'::pair, '(1,a\,b)'::pair
select pair '(7,q)', cast('(8,"r,s")' as pair)
select '(1,2,3)'::pair
select '(1)'::pair
select '1,2'::pair
select '(1,2'::pair
select '(1,2) x'::pair
select '(x,2)'::pair
select '("1,2)'::pair
select '  (1,2)  '::pair
select '(12345678.5,EUR)'::price
select '(1.005,EURO)'::price
select '("(1,x)","{a,b}",2024-01-02)'::nested
select row(1, 'x')::pair, (1, 'x')::pair, row(1.6, 5)::pair, row(null, null)::pair
select row(1)::pair
select row(1, 'x', 2)::pair
select row('z', 'x')::pair
select row(1, 2.345)::price
select row(2.345, 'EUR')::price, row(2, 'EURO')::price
select row(row(1, 'x'), array['a', 'b'], '2024-01-02')::nested
select (row(1, 'x')::pair).a, (row(1, 'x')::pair).b
select (row(1, 'x')::pair).nosuch
select (row(1, 'x')::pair).*
select ('(1,x)'::pair).*
select (('("(1,x)",,)'::nested).p).b
select ('("(1,x)",,)'::nested).p.b
select null::pair is null, '(,)'::pair is null, '(1,)'::pair is not null, (null::pair).a
select row(1, 'x')::pair = row(1, 'x')::pair, row(1, 'x')::pair < row(1, 'y')::pair, row(1, null)::pair = row(1, null)::pair
select row(1, 'x')::pair = row(1, 'x'::text)
select row(1, 'x')::pair = '(1,x)'
select row(1, 'x')::pair::text, row(1, 'x')::pair || '!'
select '(1,x)'::text::pair
select 5::pair
select row(1, 'x')::pair::int
select to_json(row(1, 'x')::pair), to_jsonb(row(1, 'x')::pair), row_to_json('(1,"q r")'::pair)
select to_jsonb(row(row(1, 'x'), array['a'], '2024-01-02')::nested)
select array[row(1, 'x')::pair, '(2,y)'], '{"(1,x)","(2,\"y z\")"}'::pair[], array_agg(p) from (values ('(3,z)'::pair)) v(p)
select ('{"(1,x)","(2,y)"}'::pair[])[2], (('{"(1,x)","(2,y)"}'::pair[])[2]).b
select unnest('{"(1,x)","(2,y)"}'::pair[])
select (unnest('{"(1,x)","(2,y)"}'::pair[])).*
select array_position('{"(1,x)","(2,y)"}'::pair[], '(2,y)'), '(1,x)'::pair = any ('{"(1,x)","(2,y)"}'::pair[])
select pg_typeof(row(1, 'x')::pair), pg_typeof('{}'::pair[])
select coalesce(null::pair, '(1,x)'), case when true then '(1,x)'::pair else null end
select greatest('(1,x)'::pair, '(2,a)'::pair), nullif('(1,x)'::pair, '(1,x)'::pair)
create table c (id int primary key, p pair, ps pair[], n nested, m price default row(0, 'EUR'))
insert into c values (1, row(1, 'one'), array[row(1, 'x')::pair], row(row(5, 'in'), '{t}', '2024-05-06')), (2, '(2,"t w o")', '{"(2,y)","(3,)"}', null), (3, null, null, null)
insert into c (id, p) values (4, (4, 'four')), (5, row(5, null)::pair)
insert into c (id, p) values (6, row(1, 2, 3))
insert into c (id, p) values (6, 7)
insert into c (id, p) values (6, '(x,y)')
insert into c (id, m) values (7, row(1.999, 'USD')), (8, row(1, 'LONG'))
insert into c (id, m) values (7, row(1.999, 'USD'))
select * from c order by id
select id, p, (p).a, (p).b, (n).p, ((n).p).a, (n).tags[1] from c order by id
select (c.p).b, (c).id from c order by c.id
select id, (p).* from c where (p).a > 1 order by p desc
select p, count(*) from c group by p order by p
select distinct p from c order by p
select c from c order by id
select row_to_json(c) from c order by id
select jsonb_agg(p order by id) from c
select id from c where p = row(1, 'one'::text) or p = '(4,four)'::pair order by id
select id from c where p in ('(1,one)'::pair, '(2,"t w o")') order by id
select id from c where p is null order by id
select id from c where p is not null order by id
select a.id, b.id from c a join c b on a.p = b.p order by 1
select max(id) from c group by (p).b order by 1
update c set p = row(10, 'ten') where id = 1 returning p
update c set p = (select row(11, 'sub')::pair) where id = 1 returning p
update c set p = null where id = 5 returning *
delete from c where (p).a = 4 returning id, p
copy (select id, p, ps, n, m from c order by id) to stdout
copy (select id, p, ps, n, m from c order by id) to stdout (format csv)
copy c (id, p, ps) from stdin <<< 21⇥(21,"a b")⇥{"(1,q)"}¶22⇥\N⇥\N¶
copy c (id, p) from stdin <<< 23⇥(21,x,y)¶
select id, p, ps from c where id > 20 order by id
create index on c (p)
create table k (p pair primary key)
create table k (id int, p pair unique)
alter table c add column q pair
update c set q = p where id = 2 returning q
alter table c alter column q type text
select q from c where id = 2
select (p).a from c where (p).b like 't%'
create table d (id int, p pair check ((p).a > 0), b text generated always as ((p).b) stored, q pair default '(9,nine)')
insert into d (id, p) values (1, '(1,x)') returning *
insert into d (id, p) values (1, '(-1,x)') returning *
alter table d alter column p set not null
alter type pair add attribute c int
alter type pair drop attribute b
alter type pair alter attribute a type bigint
alter type pair rename attribute b to bb
select (p).bb from c where id = 1
select (p).b from c where id = 1
select to_json(p) from c where id = 1
alter type pair rename attribute nosuch to x
alter type pair rename attribute bb to a
alter type pair rename attribute bb to b
drop type pair
drop type nosuch
drop type if exists nosuch
create type free as (x int)
alter type free add attribute y text, add attribute z date
select '(1,b,2024-01-02)'::free
alter type free drop attribute y
alter type free drop attribute y
alter type free drop attribute if exists y
alter type free alter attribute x type numeric
select '(1.5,2024-01-02)'::free
alter type free rename to libre
select '(1.5,2024-01-02)'::libre, to_json('(1.5,2024-01-02)'::libre)
select '(1,2)'::free
alter type libre add attribute me libre
alter type libre add attribute me libre[]
drop type libre
create view vc as select id, p, (p).a as pa from c
select * from vc order by id
select (p).b, (vc).pa from vc order by id
alter type pair rename attribute b to x
drop type nested
drop type pair cascade
select '(1,1)'::c
create table t (id int, name text, at date)
insert into t values (1, 'x', '2024-01-02')
select '(5,five,)'::t, null::t, (null::t).name, row(1, 'a', null)::t
select ('(5,five,)'::t).*
select t = '(1,x,2024-01-02)'::t from t
select array_agg(t) = array['(1,x,2024-01-02)'::t] from t
alter table t add column extra int default 3
select '(5,five,,7)'::t, t from t
alter table t drop column name
select '(5,,7)'::t, row_to_json('(5,,7)'::t), t from t
select jsonb_populate_record(null::t, '{"id": 1, "at": "2024-02-03", "other": 5}')
select * from jsonb_populate_record(null::t, '{"id": 1, "at": "2024-02-03", "other": 5}')
select * from json_populate_record('(7,,8)'::t, '{"id": 1, "extra": null}')
select * from jsonb_populate_recordset(null::t, '[{"id": 1}, {"id": 2, "extra": 9}]')
select r.id, r from json_populate_recordset(null::t, '[{"id": 1}, {"id": 2, "extra": 9}]') r
select (jsonb_populate_record(null::t, '{"id": 4}')).id
insert into t select * from jsonb_populate_record(null::t, '{"id": 11, "at": "2024-02-03"}') returning *
insert into t select r.* from json_populate_recordset(null::t, '[{"id": 12}, {"id": 13, "extra": 9}]') r returning *
create type addr as (street text, no int)
create type person as (name text, home addr, others addr[])
select * from jsonb_populate_record(null::person, '{"name": "a", "home": {"street": "s", "no": 5}, "others": [{"street": "t"}, null]}')
select * from jsonb_to_record('{"a": 1, "h": {"street": "s", "no": "5"}}') as x(a int, h addr)
select jsonb_populate_record(row('old', null, null)::person, '{"home": {"no": 1}}')
select jsonb_populate_record(null::person, null), jsonb_populate_record('(z,,)'::person, null)
select * from jsonb_populate_record(null::person, '[1]')
select typname, typtype, typcategory, typlen, typrelid <> 0, typarray <> 0 from pg_type where typname in ('addr', 'person', 't') order by 1
select typname, typtype, typcategory, typelem::regtype from pg_type where typname in ('_addr', '_t') order by 1
select relname, relkind, relnatts from pg_class where relname in ('addr', 'person') order by 1
select attname, attnum, format_type(atttypid, atttypmod) from pg_attribute where attrelid = (select typrelid from pg_type where typname = 'person') and attnum > 0 order by attnum
select 'addr'::regtype, 'addr[]'::regtype, 't'::regtype, 'addr'::regtype::oid = (select oid from pg_type where typname = 'addr')
select (select reltype from pg_class where relname = 't')::regtype
select column_name, data_type, udt_name from information_schema.columns where table_name = 'c' order by ordinal_position
comment on type addr is 'where'
select obj_description('addr'::regtype, 'pg_type')
create domain upper_pair as addr check ((value).no > 0)
select '(s,1)'::upper_pair, ('(s,1)'::upper_pair).street
select '(s,-1)'::upper_pair
select $1::addr @@ (x,5)
select ($1::addr).no + 1, $2::t @@ (x,5) ¦ (1,,)
