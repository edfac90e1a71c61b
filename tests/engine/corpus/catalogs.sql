create table ct (id int primary key, name varchar(20) not null default 'n', amount numeric(10,2), tags text[], made timestamptz default now(), unique (name, amount), check (amount > 0))
create index ct_tags on ct (made desc) where amount > 5
create view cv as select id, name from ct
create sequence cs
comment on table ct is 'a table'
comment on column ct.name is 'a column'
select relname, relkind, relnatts, relhasindex, reltype > 0, relispartition, relpersistence, relrowsecurity, relchecks from pg_class where relnamespace = 'compat_catalogs'::regnamespace order by relname
select relname, relkind from pg_class c join pg_namespace n on n.oid = c.relnamespace where nspname = current_schema() and relkind in ('r', 'v') order by 1
select attname, attnum, atttypid::regtype, atttypmod, attnotnull, atthasdef, attidentity, attgenerated, attisdropped, attndims, attlen, attbyval, attalign, attstorage from pg_attribute where attrelid = 'ct'::regclass and attnum > 0 order by attnum
select a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid) from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum where a.attrelid = 'ct'::regclass and a.attnum > 0 order by a.attnum
select conname, contype, conkey, condeferrable, convalidated, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'ct'::regclass order by conname
select indexrelid::regclass::text, indisunique, indisprimary, indisvalid, indnkeyatts, indkey, indpred is not null from pg_index where indrelid = 'ct'::regclass order by 1
select pg_get_indexdef('ct_tags'::regclass), pg_get_indexdef('ct_pkey'::regclass)
select pg_get_indexdef('ct_tags'::regclass, 1, true)
select pg_get_viewdef('cv'::regclass) is not null
select table_name, table_type, is_insertable_into from information_schema.tables where table_schema = current_schema() order by 1
select column_name, ordinal_position, column_default, is_nullable, data_type, character_maximum_length, numeric_precision, numeric_scale, datetime_precision, udt_name, is_identity, is_generated from information_schema.columns where table_schema = current_schema() and table_name = 'ct' order by 2
select constraint_name, constraint_type, table_name from information_schema.table_constraints where table_schema = current_schema() and constraint_name not like '%not_null' order by 1
select constraint_name, column_name, ordinal_position from information_schema.key_column_usage where table_schema = current_schema() order by 1, 3
select table_name, view_definition is not null from information_schema.views where table_schema = current_schema()
select sequence_name, data_type, start_value, minimum_value, increment from information_schema.sequences where sequence_schema = current_schema() order by 1
select schema_name from information_schema.schemata where schema_name in ('pg_catalog', 'information_schema', 'public', current_schema()) order by 1
select schemaname, tablename, hasindexes, hasrules, hastriggers from pg_tables where schemaname = current_schema()
select schemaname, viewname from pg_views where schemaname = current_schema()
select indexname, indexdef from pg_indexes where schemaname = current_schema() order by 1
select nspname from pg_namespace where nspname in ('pg_catalog', 'public', 'information_schema', 'compat_catalogs') order by 1
select typname, typtype, typlen, typbyval, typcategory, typdelim, typelem::regtype, typarray::regtype from pg_type where typname in ('int4', 'text', 'numeric', '_int4', 'bool', 'timestamptz', 'jsonb', 'uuid', 'bytea', 'varchar', 'bpchar', 'name', 'oid', 'record', 'void', 'unknown', 'interval', 'json', 'float8', 'date', 'regclass', '_text') order by typname
select oid, typname, typinput::text, typoutput::text from pg_type where typname in ('int4', 'text') order by 1
select typname from pg_type where oid in (16, 17, 20, 21, 23, 25, 26, 114, 700, 701, 1042, 1043, 1082, 1083, 1114, 1184, 1186, 1266, 1700, 2950, 3802) order by oid
select datname, datcollate, datctype, pg_encoding_to_char(encoding), datallowconn from pg_database where datname = current_database()
select amname, amtype from pg_am order by 1 limit 2
select collname from pg_collation where collname in ('C', 'default', 'POSIX') order by 1
select extname from pg_extension
select proname, pronargs, prorettype::regtype from pg_proc where proname in ('lower', 'now') and pronargs < 2 order by 1, 3
select oprname from pg_operator where oprname = '=' limit 1
select castsource::regtype, casttarget::regtype, castcontext from pg_cast where castsource = 'int4'::regtype and casttarget in ('int8'::regtype, 'numeric'::regtype, 'bool'::regtype) order by 2
select rolname, rolsuper, rolcanlogin from pg_roles where rolname = current_user
select usename, usesuper from pg_user where usename = current_user
select count(*) from pg_stat_activity where pid = pg_backend_pid()
select count(*) >= 0 from pg_locks
select count(*) from pg_trigger where tgrelid = 'ct'::regclass
select count(*) from pg_inherits where inhrelid = 'ct'::regclass
select count(*) from pg_rewrite where ev_class = 'ct'::regclass
select count(*) from pg_policy
select count(*) from pg_publication
select count(*) from pg_foreign_table
select count(*) from pg_event_trigger
select count(*) from pg_partitioned_table
select count(*) from pg_statistic_ext
select count(*) from pg_largeobject_metadata
select count(*) from pg_enum
select count(*) from pg_range where rngtypid = 0
select description from pg_description where objoid = 'ct'::regclass order by objsubid
select obj_description('ct'::regclass, 'pg_class'), col_description('ct'::regclass, 2), col_description('ct'::regclass, 1)
select 'ct'::regclass, 'ct'::regclass::oid > 0, 'ct'::regclass::text, to_regclass('nosuch'), to_regclass('ct')
select 'nosuch'::regclass
select 'compat_catalogs.ct'::regclass, 'pg_class'::regclass::oid
select 'int'::regtype, 'int4'::regtype::oid, '23'::regtype, to_regtype('numeric(5,2)'), to_regtype('nosuch'), 'text[]'::regtype
select 'public'::regnamespace, 'pg_catalog'::regnamespace::oid
select 'lower'::regproc
select 'lower(text)'::regprocedure
select format_type(«23, null¦1043, 24¦1700, 655366¦1184, 3¦1007, -1¦25, 5¦0, null¦99999999, null¦1042, 7¦1186, 32767¦18, -1¦null, 1»)
select pg_table_is_visible('ct'::regclass), pg_type_is_visible(23), pg_function_is_visible(870)
select pg_get_userbyid(10), pg_get_userbyid(99999999)
select pg_encoding_to_char(6), pg_char_to_encoding('UTF8'), getdatabaseencoding(), pg_client_encoding()
select current_database(), current_schema(), current_catalog = current_database(), current_user = session_user, user = current_user
select has_table_privilege('ct', 'select'), has_schema_privilege('public', 'usage'), has_database_privilege(current_database(), 'connect'), has_column_privilege('ct', 'id', 'select')
select has_table_privilege('nosuch', 'select')
select has_table_privilege('ct', 'bogus')
select version() like 'PostgreSQL 15%'
select pg_relation_size('ct') >= 0, pg_total_relation_size('ct') >= 0, pg_size_pretty(10240::bigint), pg_size_pretty(123456789012), pg_size_pretty(-5000), pg_size_pretty(1.5::numeric)
select pg_is_in_recovery(), pg_backend_pid() > 0, pg_postmaster_start_time() < now(), inet_server_port() > 0
select txid_current() > 0
select pg_get_function_identity_arguments('lower(text)'::regprocedure)
select pg_column_size(1), pg_column_size('abc'::text)
select array_to_string(current_schemas(true), ',')
select obj_description(1259, 'pg_class'), shobj_description(1, 'pg_database')
select quote_ident(relname) from pg_class where oid = 'ct'::regclass
select c.oid::regclass, c.reltuples >= -1 from pg_class c where c.oid = 'ct'::regclass
select tableoid::regclass, count(*) from ct group by 1
select tableoid = 'ct'::regclass from ct
select ctid from ct
select xmin from ct
select oid from ct
select attname from pg_attribute where attrelid = 'ct'::regclass and attnum = any ((select conkey from pg_constraint where conname = 'ct_pkey')::int2[])
select unnest(indkey) from pg_index where indexrelid = 'ct_name_amount_key'::regclass
select i.relname, a.attname, generate_subscripts(x.indkey, 1) from pg_index x join pg_class i on i.oid = x.indexrelid join pg_attribute a on a.attrelid = x.indrelid and a.attnum = any (x.indkey) where x.indrelid = 'ct'::regclass and x.indisprimary order by 1, 2
select n.nspname, c.relname, a.attname from pg_catalog.pg_namespace n join pg_catalog.pg_class c on c.relnamespace = n.oid join pg_catalog.pg_attribute a on a.attrelid = c.oid where n.nspname like 'compat\_catalogs' and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped order by 3
select * from information_schema.columns where false
select table_catalog = current_database() from information_schema.tables where table_name = 'ct' and table_schema = current_schema()
select * from pg_catalog.pg_class where relname = 'nosuch'
select count(*) from pg_nosuch
insert into pg_class (relname) values ('x')
delete from information_schema.tables
drop table pg_class
create table pg_catalog.x (a int)
explain select 1 where nope
explain (format bogus) select 1
explain (nosuch) select 1
explain insert into nosuch values (1)
vacuum
vacuum ct
analyze ct
analyze nosuch
vacuum (full, analyze) ct
checkpoint
begin
vacuum
rollback
lock table ct
listen x
notify x
cluster ct
grant select on ct to public
revoke select on ct from public
create role r1
create extension nosuch
create database postgres
drop database nosuch
do $$ begin end $$
call nosuch()
load 'x'
refresh materialized view ct
security label on table ct is 'x'
select 'timestamp(3) with time zone'::regtype, 'pg_catalog.int4'::regtype, 'double precision[]'::regtype, 'public'::regnamespace::text
select to_regtype('numeric(5,2)'), to_regtype('no such'), to_regtype('"char"')
select c.tableoid::regclass, c.oid = 'ct'::regclass from pg_class c where relname = 'ct'
select tableoid::regclass, nspname from pg_namespace where nspname = 'public'
select (information_schema._pg_expandarray(indkey)).n, (information_schema._pg_expandarray(indkey)).x from pg_index where indrelid = 'ct'::regclass order by indexrelid, 1
select (k).nosuch from (select information_schema._pg_expandarray(indkey) as k from pg_index) s
comment on constraint ct_pkey on ct is 'the key'
comment on index ct_tags is 'the index'
comment on constraint nosuch on ct is 'x'
comment on index nosuch is 'x'
comment on type nosuch is 'x'
select obj_description(oid, 'pg_constraint') from pg_constraint where conname = 'ct_pkey'
select obj_description('ct_tags'::regclass, 'pg_class'), obj_description('ct_tags'::regclass, 'pg_type')
