show «timezone¦TimeZone¦datestyle¦intervalstyle¦extra_float_digits¦bytea_output¦client_encoding¦server_encoding¦standard_conforming_strings¦integer_datetimes¦search_path¦transaction_isolation¦default_transaction_isolation¦transaction_read_only¦default_transaction_read_only¦statement_timeout¦lock_timeout¦idle_in_transaction_session_timeout¦client_min_messages¦application_name¦is_superuser¦max_identifier_length¦server_version¦server_version_num¦lc_collate¦lc_ctype¦row_security¦synchronous_commit¦work_mem¦enable_seqscan¦nosuch¦escape_string_warning¦backslash_quote¦array_nulls¦xmloption¦max_connections¦block_size¦in_hot_standby¦default_text_search_config¦lc_messages¦time zone¦transaction isolation level¦session_authorization¦role¦DateStyle¦jit»
set datestyle to '«ISO¦ISO, DMY¦iso,mdy¦German¦SQL¦Postgres, DMY¦bogus¦YMD¦iso, iso»'
show datestyle
select date '2024-02-01', timestamp '2024-02-01 10:00', timestamptz '2024-02-01 10:00+01'
set datestyle to default
set intervalstyle to «iso_8601¦sql_standard¦postgres_verbose¦'bogus'¦postgres»
select interval '1 year 2 mons -3 days 04:05:06.7', interval '0', interval '-1 day', interval '1-2'
set timezone to «'UTC'¦'America/New_York'¦'Nowhere'¦0¦-5¦'+3'¦'<+02>-02'¦local¦default¦interval '-08:00' hour to minute¦'EST'¦'utc'¦'Asia/Kathmandu'¦5.5¦99»
show timezone
select timestamptz '2024-07-01 12:00+00', timestamptz '2024-01-01 12:00', timestamp '2024-07-01'::timestamptz
set time zone 'Europe/Berlin'
set extra_float_digits to «0¦3¦-5¦1¦4¦-16¦'x'¦1.5¦default»
select 0.1::float8, 0.1::float4, 1e15::float8 / 3, 1.0::float4 / 3
reset extra_float_digits
set bytea_output to «escape¦hex¦bogus»
select '\x00417e5cff'::bytea
reset bytea_output
set standard_conforming_strings to off
set statement_timeout to «'1s'¦1000¦'1min'¦-1¦'5 parsecs'¦0¦'1.5s'¦default¦'2147483648'¦'100 us'»
show statement_timeout
set search_path to public
show search_path
set search_path = a, "B c", pg_catalog
show search_path
select current_schema(), current_schemas(true)
set search_path to ''
show search_path
select current_schema
set search_path to compat_settings
set application_name to 'it''s'
show application_name
reset application_name
set nosuch to 1
set nosuch.x to 'y'
show nosuch.x
select current_setting('nosuch.x'), current_setting('nosuch.z', true), current_setting('timezone')
select current_setting('nosuch.z')
select current_setting('nosuch')
select set_config('nosuch.x', 'z', false), set_config('timezone', 'UTC', true)
show timezone
select set_config('timezone', 'bogus', false)
select set_config('nosuch', 'x', false)
reset nosuch.x
show nosuch.x
reset nosuch
set client_min_messages to «debug¦error¦bogus»
set default_transaction_read_only to on
create table ro (a int)
set default_transaction_read_only to «off¦1¦yes¦maybe»
set session characteristics as transaction isolation level serializable
SHOW default_transaction_isolation
reset default_transaction_isolation
set role nosuchrole
set session authorization default
set max_connections to 5
set server_version to '1'
set client_encoding to 'UTF8'
set names 'utf8'
set client_encoding to 'bogus'
set xmloption to content
set seed to 0.5
set timezone
set = 5
set timezone to 'UTC', 'x'
show
reset
discard «all¦plans¦temp¦sequences¦bogus»
set search_path to compat_settings
show all where false
select name, setting from pg_settings where name in ('TimeZone', 'datestyle', 'nosuch', 'server_encoding') order by name
select count(*) > 100 from pg_settings
