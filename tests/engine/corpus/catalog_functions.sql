create table cf (id serial primary key, a int not null default 7, b text, check (a > 0), unique (a, b))
create table cg (id int references cf (id))
create view cfv as select id from cf
create sequence cfs start 3
create index cf_b on cf (b desc nulls last, a) include (id)
create function cff(a int, b int default 3, out c int, out d int) language sql immutable as 'select a, b'
create type cfe as enum ('x')
create domain cfd as int check (value > 0)
select 'now'::regproc, 'int4pl'::regproc, 'array_in'::regproc::oid, 'pg_catalog.now'::regproc, 'cff'::regproc, '-'::regproc, '1299'::regproc
select 'nosuch'::regproc
select 'abs'::regproc
select 'nosuch.now'::regproc
select 'abs(int)'::regprocedure, 'abs(integer)'::regprocedure::oid, 'now()'::regprocedure, 'array_append(anycompatiblearray, anycompatible)'::regprocedure, 'cff(int,int)'::regprocedure, 'substring(text,int,int)'::regprocedure
select 'abs(text)'::regprocedure
select 'abs'::regprocedure
select '||/'::regoper, '~~'::regoper
select '+'::regoper
select '@@@@'::regoper
select '+(int,int)'::regoperator, '-(none,int4)'::regoperator, '=(text,text)'::regoperator::oid, '||(jsonb,jsonb)'::regoperator, '551'::regoperator, 551::regoper, 96::regoper
select '+(int)'::regoperator
select '+(int,text)'::regoperator
select '"C"'::regcollation, 'default'::regcollation, '"default"'::regcollation::oid, 'pg_catalog."POSIX"'::regcollation
select 'nosuch'::regcollation
select 1299::regproc::text, 16::regtype::text, 'public'::regnamespace::text, 'cf'::regclass::text, 551::regoperator::text, 551::regoperator::varchar
select 'cf'::text::regclass = 'cf'::regclass, 'int4'::name::regtype, current_schema()::regnamespace = current_schema()::text::regnamespace
select to_regproc('now'), to_regproc('nosuch'), to_regproc('abs'), to_regprocedure('abs(int)'), to_regprocedure('abs(text)')
select to_regoper('||/'), to_regoper('+'), to_regoperator('+(int,int)'), to_regoperator('+(int,text)'), to_regnamespace('public'), to_regnamespace('nosuch'), to_regrole('nosuch'), to_regcollation('"C"'), to_regcollation('nosuch')
select to_regtype('int'), to_regtype('nosuch'), to_regclass('cf'), to_regclass('nosuch'), to_regclass('nosuch.cf'), to_regtype('cfe[]'), to_regtype('cfd')
select 'trigger'::regtype, 'internal'::regtype, 'void'::regtype, 'cstring'::regtype, 'anyelement'::regtype, 'record'::regtype, '"any"'::regtype, 'char'::regtype, '"char"'::regtype, 'bpchar'::regtype
select pg_get_functiondef('lower(text)'::regprocedure)
select pg_get_functiondef('«current_database()¦row_number()¦jsonb_set(jsonb,text[],jsonb,bool)¦json_array_elements(json)¦concat_ws(text,"any")¦lpad(text,int)¦int4pl(int,int)¦generate_series(int,int)»'::regprocedure)
select pg_get_functiondef('sum(int)'::regprocedure)
select pg_get_functiondef(0), pg_get_functiondef(99999999)
select pg_get_function_arguments('«lower(text)¦percentile_cont(float8,float8)¦rank("any")¦jsonb_each(jsonb)¦make_interval(int,int,int,int,int,int,float8)¦concat_ws(text,"any")¦pg_get_keywords()¦array_append(anycompatiblearray,anycompatible)¦cff(int,int)»'::regprocedure)
select pg_get_function_identity_arguments('«lower(text)¦percentile_cont(float8,float8)¦rank("any")¦jsonb_each(jsonb)¦make_interval(int,int,int,int,int,int,float8)¦concat_ws(text,"any")¦cff(int,int)»'::regprocedure)
select pg_get_function_result('«lower(text)¦jsonb_each(jsonb)¦generate_series(int,int)¦array_append(anycompatiblearray,anycompatible)¦sum(int)¦now()»'::regprocedure)
select pg_get_function_arg_default('jsonb_set(jsonb,text[],jsonb,bool)'::regprocedure, «0¦1¦4¦5»), pg_get_function_arg_default('lower(text)'::regprocedure, 1)
select proname, pronargs, pronargdefaults, provariadic::regtype, prokind, provolatile, proisstrict, proretset, proparallel, proleakproof, procost, prorows, prorettype::regtype, proargtypes, proallargtypes, proargmodes, proargnames, prosrc, prolang from pg_proc where oid in (870, 1299, 3100, 2108, 3968, 3208, 1067, 89) order by oid
select oprname, oprkind, oprcanmerge, oprcanhash, oprleft::regtype, oprright::regtype, oprresult::regtype, oprcom::regoperator, oprnegate::regoperator, oprcode, oprrest, oprjoin from pg_operator where oid in (96, 551, 98, 484, 3284, 1209, 558) order by oid
select castsource::regtype, casttarget::regtype, castfunc::regprocedure, castcontext, castmethod from pg_cast where castsource in (16, 20, 21, 23, 25, 114, 700, 701, 1043, 1082, 1114, 1184, 1700, 3802) and casttarget in (16, 20, 21, 23, 25, 114, 700, 701, 1043, 1082, 1114, 1184, 1700, 3802) order by 1::regtype::oid, castsource::oid, casttarget::oid
select aggfnoid, aggkind, aggnumdirectargs, aggtransfn, aggfinalfn, aggcombinefn, aggsortop::regoperator, aggtranstype::regtype, agginitval from pg_aggregate where aggfnoid in (2108, 2147, 2803, 2116, 3986, 3974, 4053) order by aggfnoid::oid
select amname, amhandler, amtype from pg_am where amname in ('heap', 'btree') order by 1
select lanname, lanispl, lanpltrusted, lanvalidator::regproc from pg_language where lanname in ('sql', 'c', 'internal') order by 1
select opcname, opcintype::regtype, opcdefault, opcfamily from pg_opclass where opcmethod = 403 and opcintype in (16, 17, 20, 21, 23, 25, 701, 1042, 1082, 1184, 1700, 2950, 3802, 2277, 3500) and opcname not like '%pattern%' order by 1, 2::regtype::oid
select amopstrategy, amopopr::regoperator from pg_amop where amopfamily = 1976 and amoplefttype = 23 and amoprighttype = 23 order by 1
select indkey, indclass, indcollation, indoption from pg_index where indrelid = 'cf'::regclass order by indexrelid::regclass::text
select typname, typlen, typbyval, typtype, typcategory, typispreferred, typisdefined, typdelim, typrelid, typelem::regtype, typarray::regtype, typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typalign, typstorage, typnotnull, typbasetype, typtypmod, typndims, typcollation, typsubscript from pg_type where oid in (16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 28, 30, 114, 700, 701, 705, 1000, 1007, 1009, 1042, 1043, 1082, 1083, 1114, 1184, 1186, 1266, 1700, 2249, 2275, 2276, 2277, 2278, 2279, 2281, 2283, 2950, 3500, 3802, 4072) order by oid
select typname, typtype, typcategory, typinput, typoutput, typreceive, typsend, typalign, typstorage, typarray > 0 from pg_type where typname in ('cfe', '_cfe') order by 1
select pg_describe_object(«'pg_class'::regclass, 'cf'::regclass, 0¦'pg_class'::regclass, 'cf'::regclass, 2¦'pg_class'::regclass, 'cfv'::regclass, 0¦'pg_class'::regclass, 'cfs'::regclass, 0¦'pg_class'::regclass, 'cf_b'::regclass, 0¦'pg_class'::regclass, 'pg_class'::regclass, 0¦'pg_type'::regclass, 23, 0¦'pg_type'::regclass, 'cfe'::regtype, 0¦'pg_proc'::regclass, 870, 0¦'pg_proc'::regclass, 2108, 0¦'pg_operator'::regclass, 551, 0¦'pg_namespace'::regclass, 'public'::regnamespace, 0¦'pg_language'::regclass, 14, 0¦'pg_class'::regclass, 99999999, 0¦0, 0, 0»)
select pg_describe_object('pg_constraint'::regclass, oid, 0) from pg_constraint where conrelid in ('cf'::regclass, 'cg'::regclass) order by 1
select pg_describe_object('pg_attrdef'::regclass, oid, 0) from pg_attrdef where adrelid = 'cf'::regclass order by 1
select * from pg_identify_object(«'pg_class'::regclass, 'pg_class'::regclass, 0¦'pg_class'::regclass, 'pg_class'::regclass, 1¦'pg_type'::regclass, 23, 0¦'pg_proc'::regclass, 870, 0¦'pg_proc'::regclass, 2108, 0¦'pg_operator'::regclass, 551, 0¦'pg_namespace'::regclass, 'public'::regnamespace, 0¦'pg_class'::regclass, 99999999, 0»)
select type, name, schema = current_schema() from pg_identify_object('pg_class'::regclass, 'cf'::regclass, 2)
select * from pg_identify_object_as_address(«'pg_class'::regclass, 'pg_class'::regclass, 1¦'pg_type'::regclass, 23, 0¦'pg_proc'::regclass, 870, 0¦'pg_operator'::regclass, 551, 0»)
select (pg_identify_object('pg_class'::regclass, 'pg_class'::regclass, 0)).identity
select has_table_privilege('cf', '«select¦SELECT, insert¦update with grant option¦truncate¦trigger¦references¦delete¦bogus¦select,¦ select »')
select has_table_privilege('nosuch', 'select')
select has_table_privilege(99999999, 'select'), has_table_privilege('cf'::regclass, 'select'), has_table_privilege('public', 'cf', 'select') is not null
select has_table_privilege('nobody', 'cf', 'select')
select has_table_privilege(99999999, 'bogus')
select has_any_column_privilege('cf', 'select'), has_any_column_privilege('cf', 'update,insert')
select has_any_column_privilege('cf', 'delete')
select has_column_privilege('cf', 'a', 'select'), has_column_privilege('cf', 2::int2, 'update'), has_column_privilege('cf'::regclass, 'a', 'references'), has_column_privilege('cf', 99::int2, 'select')
select has_column_privilege('cf', 'nosuch', 'select')
select has_column_privilege('cf', 'a', 'delete')
select has_schema_privilege('public', 'usage'), has_schema_privilege('public', 'create'), has_schema_privilege(99999999, 'usage')
select has_schema_privilege('nosuch', 'usage')
select has_schema_privilege('public', 'select')
select has_database_privilege(current_database(), 'connect, create, temp, temporary')
select has_database_privilege('nosuch', 'connect')
select has_function_privilege('lower(text)', 'execute'), has_function_privilege('cff(int,int)', 'execute'), has_function_privilege(99999999, 'execute')
select has_function_privilege('nosuch()', 'execute')
select has_function_privilege('lower(text)', 'usage')
select has_sequence_privilege('cfs', 'usage, select, update'), has_sequence_privilege('cf_id_seq', 'usage')
select has_sequence_privilege('cf', 'usage')
select has_sequence_privilege('cfs', 'delete')
select has_type_privilege('int4', 'usage'), has_type_privilege('cfe', 'usage'), has_type_privilege('cfd', 'usage')
select has_type_privilege('nosuch', 'usage')
select has_language_privilege('sql', 'usage')
select has_language_privilege('nosuch', 'usage')
select has_tablespace_privilege('pg_default', 'create')
select has_tablespace_privilege('nosuch', 'create')
select has_server_privilege('nosuch', 'usage')
select has_foreign_data_wrapper_privilege('nosuch', 'usage')
select has_parameter_privilege('work_mem', 'set, alter system')
select has_parameter_privilege('work_mem', 'get')
select pg_has_role(current_user, 'usage'), pg_has_role(current_user, current_user, 'member')
select pg_has_role(current_user, 'bogus')
select pg_has_role('nobody', 'usage')
select pg_size_bytes('«1¦10 kB¦1.5 MB¦-3kb¦ 7 B ¦1e3 kb¦.5 TB¦1 bytes¦1 PB»')
select pg_size_bytes('«x¦1 XB¦kB¦¦1.2.3»')
select pg_size_pretty(«0¦10239¦10240¦-10240¦1048576¦10737418240¦9223372036854775807»::bigint)
select pg_size_pretty(«0¦10239.5¦10240¦1e20»::numeric)
select pg_column_size(«1¦1::bigint¦true¦1.5::float8¦now()¦'2020-01-01'::date¦'abc'::text¦'äbc'::varchar¦'\x0102'::bytea¦null::int4»)
select pg_relation_size('cfv'), pg_table_size('cfv'::regclass), pg_total_relation_size(99999999::regclass), pg_relation_size('cf', 'main') >= 0 is not false
select pg_relation_size('nosuch')
select p, pg_indexam_has_property(403, p), pg_index_has_property('cf_b'::regclass, p), pg_index_column_has_property('cf_b'::regclass, 1, p), pg_index_column_has_property('cf_b'::regclass, 2, p), pg_index_column_has_property('cf_b'::regclass, 3, p), pg_index_column_has_property('cf_b'::regclass, 4, p) from unnest(array['asc', 'desc', 'nulls_first', 'nulls_last', 'orderable', 'distance_orderable', 'returnable', 'search_array', 'search_nulls', 'clusterable', 'index_scan', 'bitmap_scan', 'backward_scan', 'can_order', 'can_unique', 'can_multi_col', 'can_exclude', 'can_include', 'bogus']) p order by p
select pg_relation_is_updatable('cf', false), pg_relation_is_updatable('cfv', false), pg_relation_is_updatable('cfs', false), pg_column_is_updatable('cfv', 1::int2, false), pg_column_is_updatable('cf', 1::int2, true)
select start_value, minimum_value, maximum_value, increment, cycle_option, cache_size, data_type from pg_sequence_parameters('cfs'::regclass)
select count(*), count(distinct catcode) from pg_get_keywords()
select word, catcode, barelabel, catdesc, baredesc from pg_get_keywords() where word in ('select', 'abort', 'between', 'left', 'as', 'char') order by word
select oidvectortypes('23 25 1007'), oidvectortypes('')
select option_name, option_value from pg_options_to_table(array['a=1', 'b', 'c=d=e'])
select pg_collation_for('a'::text), pg_collation_for('a'::name), 1
select pg_collation_for(1)
select pg_encoding_max_length(6), pg_trigger_depth(), row_security_active('cf')
select pg_type_is_visible('cfe'::regtype), pg_type_is_visible(99999999), pg_function_is_visible('cff'::regproc), pg_function_is_visible(99999999), pg_operator_is_visible(551), pg_operator_is_visible(99999999), pg_opclass_is_visible(1978), pg_collation_is_visible(950), pg_table_is_visible(99999999), pg_conversion_is_visible(99999999)
select obj_description(870, 'pg_proc'), obj_description(551, 'pg_operator') , obj_description(23, 'pg_type'), obj_description(403, 'pg_am'), obj_description(14, 'pg_language'), obj_description(99999999, 'pg_proc')
select description from pg_description where classoid = 'pg_proc'::regclass and objoid = 870
select current_setting('work_mem'), current_setting('nosuch.x', true), current_setting('nosuch', true)
select current_setting('nosuch')
select format_type(«2249, null¦2279, null¦2281, -1¦1231, 655366¦1560, null¦1015, 14¦99999999, 3¦1266, 2¦2277, null¦1183, 0»)
select pg_blocking_pids(pg_backend_pid()), inet_client_port() > 0, pg_conf_load_time() <= now()
select routine_name, routine_type, data_type, routine_body, routine_definition, external_language, is_deterministic, is_null_call from information_schema.routines where routine_schema = current_schema()
select routine_name, routine_type, data_type, routine_definition, external_language, is_deterministic from information_schema.routines where routine_schema = 'pg_catalog' and routine_name in ('now', 'sum', 'row_number', 'jsonb_each') and data_type <> 'money' order by specific_name
select ordinal_position, parameter_mode, parameter_name, data_type, udt_name, parameter_default is not null from information_schema.parameters where specific_schema = current_schema() order by 1
select domain_name, constraint_name, is_deferrable from information_schema.domain_constraints where domain_schema = current_schema()
select table_name, column_name, udt_schema, udt_name from information_schema.column_udt_usage where table_schema = current_schema() order by 1, 2
select view_name, table_name, column_name from information_schema.view_column_usage where view_schema = current_schema()
select view_name, table_name from information_schema.view_table_usage where view_schema = current_schema()
select constraint_name, table_name from information_schema.constraint_table_usage where constraint_schema = current_schema() order by 1
select character_set_name, character_repertoire, form_of_use from information_schema.character_sets
select table_name, table_type from information_schema.tables where table_schema in ('pg_catalog', 'information_schema') and table_name in ('pg_class', 'pg_tables', 'columns', 'pg_stat_activity') order by 1
select column_name, ordinal_position, data_type, is_nullable, udt_name from information_schema.columns where table_schema = 'pg_catalog' and table_name = 'pg_namespace' order by 2
select schemaname, tablename from pg_tables where tablename in ('pg_class', 'pg_type') order by 2
select viewname from pg_views where schemaname = 'pg_catalog' and viewname like 'pg_t%' order by 1
select count(*) from pg_timezone_abbrevs where abbrev in ('CET', 'UTC', 'EST')
select name, utc_offset, is_dst, abbrev from pg_timezone_names where name in ('UTC', 'Asia/Tokyo', 'Asia/Kolkata') order by 1
select relname, relkind, relnatts, relnamespace::regnamespace from pg_class where oid in (1259, 1249, 1247, 1255, 2615) order by oid
select attname, atttypid::regtype, attnum, attnotnull, attcollation, attlen, attalign, attstorage from pg_attribute where attrelid = 'pg_class'::regclass and attnum > 0 order by attnum
select attname, attcollation from pg_attribute where attrelid = 'cf'::regclass and attnum > 0 and attname <> 'b' order by attnum
select '«no such¦setof int¦nosuch.x¦double¦timestamp with zone¦int; select 1»'::regtype
select 'cf'::regtype, 'cfv'::regtype, ' int [ ] '::regtype, 'int[3][]'::regtype, 'pg_catalog.int4[]'::regtype, 'varchar(10)'::regtype, 'timestamp(3) with time zone'::regtype, 'numeric(5,2)[]'::regtype
select to_regtype('nosuch.x'), to_regproc('nosuch.x'), to_regclass('nosuch.x')
