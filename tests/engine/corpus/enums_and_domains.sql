create type mood as enum ('sad', 'ok', 'happy')
create type mood as enum ('x')
create type twice as enum ('a', 'a')
create type nothing as enum ()
create table person (id int primary key, name text, feels mood default 'ok', all_of mood[])
insert into person values (1, 'ann', 'happy', '{sad,happy}'), (2, 'bob', 'sad', null), (3, 'cid', null, '{}')
insert into person (id, name) values (4, 'dan')
insert into person values (5, 'eve', 'angry')
insert into person values (5, 'eve', 'Happy')
insert into person values (5, 'eve', '')
insert into person values (5, 'eve', 7)
insert into person values (5, 'eve', 'ok'::text)
insert into person values (5, 'eve', 'ok'::text::mood)
select * from person order by id
select id, feels from person order by feels, id
select id, feels from person order by feels desc nulls last, id
select id from person where feels = 'happy'
select id from person where feels > 'sad' order by id
select id from person where feels in ('sad', 'ok') order by id
select id from person where feels = any('{sad,ok}'::mood[]) order by id
select id from person where feels = any(array['sad', 'ok']::mood[]) order by id
select id from person where feels between 'sad' and 'ok' order by id
select id from person where feels = 'angry'
select id from person where feels = 'ok'::text
select id from person where feels::text = 'ok' order by id
select id from person where feels::text like 'h%'
select id from person where all_of @> array['happy'::mood]
select 'sad' = any(all_of), id from person where id = 1
select all_of[2], array_length(all_of, 1), cardinality(all_of) from person order by id
select feels, count(*) from person group by feels order by 1
select distinct feels from person order by 1
select min(feels), max(feels) from person
select array_agg(feels order by id) from person
select string_agg(feels::text, ',' order by id) from person
select count(distinct feels) from person
select feels || '!' from person order by id
select feels || name from person order by id
select upper(feels::text), length(feels::text) from person order by id
select coalesce(feels, 'sad') from person order by id
select coalesce(feels, 'angry') from person order by id
select case when id = 1 then feels else 'ok' end from person order by id
select nullif(feels, 'ok') from person order by id
select greatest(feels, 'ok'), least(feels, 'ok') from person order by id
select 'sad'::mood < 'ok'::mood, 'sad'::mood = 'sad', 'sad'::mood <> 'ok'
select 'sad'::mood < 'angry'
select cast('ok' as mood), mood 'happy'
select 'nope'::mood
select null::mood
select 1::mood
select 'ok'::mood::text, 'ok'::mood::varchar(1), 'ok'::mood::bpchar
select 'ok'::mood::int
select array['sad', 'ok']::mood[]
select '{sad,NULL,happy}'::mood[]
select '{sad,bad}'::mood[]
select enum_first(null::mood), enum_last('ok'::mood), enum_range(null::mood)
select enum_range('ok'::mood, null), enum_range(null, 'ok'::mood), enum_range('ok'::mood, 'ok'::mood)
select unnest(enum_range(null::mood))
select enum_first(1)
select pg_typeof('ok'::mood)
select to_json('ok'::mood), to_jsonb(array['ok'::mood]), json_build_object('a', 'sad'::mood)
select row('ok'::mood, 1)
update person set feels = 'sad' where id = 1 returning id, feels
update person set feels = name where id = 1
update person set all_of = all_of || 'ok'::mood where id = 1 returning all_of
update person set all_of = array_append(all_of, 'sad') where id = 1 returning all_of
select a.id, b.id from person a join person b on a.feels = b.feels where a.id < b.id order by 1, 2
select feels from person union select 'happy' order by 1
select feels from person intersect select 'sad'::mood
with x as (select feels from person) select feels from x where feels = 'sad' limit 1
select id, rank() over (order by feels) from person where feels is not null order by 2, 1
create index person_feels on person (feels)
select id from person where feels = 'ok' order by id
select feels from person where feels >= 'sad' order by feels, id
create unique index on person (feels, id)
create table by_mood (m mood primary key, n int)
insert into by_mood values ('happy', 3), ('sad', 1), ('ok', 2)
insert into by_mood values ('ok', 4)
insert into by_mood values ('ok', 5) on conflict (m) do update set n = excluded.n returning *
select * from by_mood order by m
select m from by_mood where m > 'sad' order by m
select * from by_mood where m = 'ok'
create table checked (m mood check (m <> 'sad'))
insert into checked values ('sad')
insert into checked values ('ok')
alter type mood add value 'ecstatic'
alter type mood add value 'meh' before 'ok'
alter type mood add value 'fine' after 'ok'
alter type mood add value 'ok'
alter type mood add value if not exists 'ok'
alter type mood add value 'x' before 'nope'
insert into by_mood values ('meh', 6), ('fine', 7), ('ecstatic', 8)
select * from by_mood order by m
select enum_range(null::mood)
select 'meh'::mood < 'ok'::mood, 'fine'::mood > 'ok'::mood
alter type mood rename to feeling
select 'ok'::feeling
select 'ok'::mood
select 'bad'::feeling
drop type feeling
drop type nothing
drop type nothing
drop type if exists nothing
drop type if exists nothing, twice
alter table person alter column name type feeling
alter table person add column extra feeling default 'sad'
select id, extra from person order by id
alter table person alter column extra type text
select extra from person where id = 1
create type color as enum ('red', 'green')
alter table person add column c color
alter table person alter column c set default 'red'
insert into person (id) values (20) returning c
drop type color
drop type color cascade
select * from person where id = 20
select typname, typtype, typcategory from pg_type where typname in ('feeling', '_feeling', 'color') order by 1
select enumlabel from pg_enum e join pg_type t on t.oid = e.enumtypid where typname = 'feeling' order by enumsortorder
select format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'by_mood'::regclass and attname = 'm'
create domain posint as int check (value > 0)
create domain posint as int
create domain name20 as varchar(20) not null default 'anon' constraint no_blank check (value <> '') check (length(value) < 15)
create domain bad as int unique
create domain bad as int check (value > (select 1))
create domain bad as int default 'x'
create domain bad as nosuch
select 5::posint
select 0::posint
select null::posint
select '7'::posint + 1
select 'x'::posint
select null::name20
select ''::name20
select 'abcdefghijklmnop'::name20
select 'abcdefghijklmnopqrstuvwxyz'::name20
select cast(1.6 as posint)
create table d (id posint primary key, n name20, many posint default 3)
insert into d values (1, 'a', 2)
insert into d values (-1, 'a', 2)
insert into d values (2, null, 2)
insert into d values (2, '', 2)
insert into d values (2, 'abcdefghijklmnopq')
insert into d (id) values (3) returning *
insert into d (id, many) values (4, null) returning *
insert into d (id, many) values (5, 0)
insert into d select g, 'n' || g, g from generate_series(6, 8) g
update d set many = -1 where id = 1
update d set n = null where id = 1
update d set many = many + 1 returning id, many
select id, n, many from d where id > 1 order by id
select id + many, n || 'x' from d order by id
select max(id), sum(many) from d
select * from d where id = 3
select d.id from d join d e on d.id = e.many order by 1
alter domain posint add constraint small check (value < 5)
alter domain posint add constraint small check (value < 1000)
alter domain posint add check (value <> 500)
insert into d (id) values (2000)
insert into d (id) values (500)
alter domain posint drop constraint small
alter domain posint drop constraint small
alter domain posint drop constraint if exists small
insert into d (id) values (2000)
alter domain posint set not null
update d set many = 9 where many is null
alter domain posint set not null
insert into d (id, many) values (10, null)
alter domain posint drop not null
alter domain posint set default 77
create table d2 (a posint, b int)
insert into d2 (b) values (1) returning *
alter domain posint drop default
insert into d2 (b) values (2) returning *
alter domain posint add constraint odd check (value % 2 = 1) not valid
insert into d2 (a) values (4)
insert into d2 (a) values (5)
alter domain posint validate constraint odd
alter domain posint drop constraint odd
drop domain posint
drop type posint
alter domain posint rename to positive
select 0::positive
insert into d2 values (0)
drop domain positive cascade
select * from d2 order by b
drop domain nosuch
drop domain if exists nosuch
select typname, typtype, typnotnull from pg_type where typname = 'name20'
