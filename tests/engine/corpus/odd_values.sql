select mode() within group (order by 'a')
select mode() within group (order by null)
select cotd(«'-0'¦0¦45¦-45¦90¦-90¦180¦-180¦270¦360¦30¦1¦'NaN'¦1e300»::float8)
select extract(epoch from timetz '«10:00:00.123456+02¦00:00-14¦23:59:59.999999+05:30»')::text, date_part('epoch', timetz '«10:00:00.123456+02¦00:00-14¦23:59:59.999999+05:30»')
select regexp_replace('aBc', 'b+', 'x', '«e¦b¦q¦ei¦bi¦eq¦be»')
select regexp_replace('a(b)', '\(b\)', 'x', '«e¦b»')
select regexp_replace('a(b)+', '(b)+', 'x', '«e¦b»')
select regexp_match('«aéb c¦éa¦aé¦日本 a¦1é»', '«\ma¦\mé¦é\M¦\yé¦a\y¦\ya\y¦\Ya¦\Yé¦b\M»')
select regexp_replace('«aéb c¦éa b¦日本 a»', '«\m¦\M¦\y¦\Y»', '|', 'g')
select to_char(«12.5¦-12.5¦1234¦0¦-0.5», '«9S9¦S99¦99S¦9S¦9S9S¦FML¦FML99¦L99¦999.¦99.¦9.¦FM999.¦9.9S9¦SS¦999.L¦99L9¦9PL9¦9MI9¦9SG9¦MI99¦.¦9V9»')
select to_char(«12.5¦-12.5¦1234¦0¦-0.5»::float8, '«9S9¦S99¦99S¦9S¦9S9S¦FML¦FML99¦L99¦999.¦99.¦9.¦FM999.¦9.9S9¦SS¦999.L¦99L9¦9PL9¦9MI9¦9SG9¦MI99¦.¦9V9»')
select to_char(«12¦-12¦1234¦0», '«9S9¦S99¦99S¦9S¦9S9S¦FML¦FML99¦L99¦999.¦99.¦9.¦FM999.¦9.9S9¦SS¦999.L¦99L9¦9PL9¦9MI9¦9SG9¦MI99¦.¦9V9»')
select to_timestamp('«abc¦x¦¦2024»', '«"abc"¦"x"¦x¦-¦¦ »')
select to_date('«abc¦x¦¦2024»', '«"abc"¦"x"¦x¦-¦¦ »')
select round(0, «1000000¦2000¦-1000000¦2147483647¦-2147483648¦16384»)::text
select length(round(«1.5¦0.0¦1e10»::numeric, «1000000¦-1000000¦16384»)::text)
select length(trunc(«0¦1.5¦0.0¦1e10¦0.00», «1000000¦2000¦-1000000¦2147483647¦-2147483648¦16384»)::text)
select '«a¦é¦\200¦\351»'::"char"::bpchar, '«a¦é¦\200»'::"char"::bpchar(3), '«a¦\200»'::"char"::text
create table emp (id int, dept int)
create table dep (id int)
insert into emp values (1, 1), (2, 1), (3, 2)
insert into dep values (1), (2), (5)
select (select count(*) from dep where dep.id < max(emp.id)) from emp
select (select max(emp.id) from dep limit 1) from emp
select (select max(emp.id) from dep where dep.id = 1) from emp
select dept, (select count(*) from dep where dep.id < max(emp.id)) from emp group by dept order by 1
select (select sum(dep.id + emp.id) from dep) from emp
select dept, (select sum(emp.id) from dep where id = 1) from emp group by dept order by 1
select dept from emp group by dept having (select count(*) from dep where dep.id < max(emp.id)) > 1 order by 1
select dept from emp where exists (select 1 from dep where dep.id < max(emp.id))
select dept from emp group by dept having exists (select 1 from dep where dep.id < max(emp.id)) order by 1
select (select count(*) from dep group by dep.id having dep.id < max(emp.id) limit 1) from emp
select (select max(emp.id) from dep order by max(emp.id) limit 1) from emp
select (select x from (select max(emp.id) x) s) from emp
select string_agg(distinct 'x', ',' order by 'x')
select string_agg(distinct 'x', ',' order by 'x'), string_agg(distinct id::text, ',' order by id::text) from dep
select string_agg(distinct id::text, ',' order by 'x') from dep
select array_agg(distinct 'x' order by 'x') from dep
select count(distinct 'x' order by 'x') from dep
select '1259'::«regtype¦regclass¦regproc¦regprocedure¦regrole¦regnamespace¦regoper»
select '«999999¦0¦23¦2000000000»'::regtype, '«999999¦0¦1259»'::regclass::oid
select 1259::regtype, 1259::oid::regtype::text, 0::regtype
select '«-nan¦+nan¦-NaN»'::«numeric¦float4¦float8¦text::float8¦text::numeric»
select -'NaN'::float8 = 'NaN', ('-nan'::float8)::«numeric¦int¦text¦float4»
select percentile_disc(0.5) within group (order by «'a'¦null»), percentile_cont(0.5) within group (order by '1')
select rank('a') within group (order by 'b')
select length(round(9e131000, «-100000¦-131000¦-131001¦-131002¦-2147483648»)::text), left(round(9.6e131000, «-131000¦-131001¦-131002»)::text, 3)
select length(trunc(9e131000, «-100000¦-131000¦-131001¦-131002¦-2147483648»)::text)
select string_agg(distinct 'x'::text, ',' order by 'x'), count(distinct 'x' order by 'x')
select max(distinct 'x' order by 'x')
select json_agg(distinct 'x' order by 'x')
select jsonb_object_agg(distinct 'x', 'y' order by 'x')
select to_char(«12.5¦-12.5¦1234¦0», '«"a"9.9S"b"¦9.9"b"S¦9S"x"9.9¦9"x"9S.9¦99S.9¦S.9¦9.S9¦9.S¦.S¦.9S¦S9.¦PR¦9.PR¦9.SG¦9.MI¦9.PL¦L.¦FM9.L¦,.¦.,¦9.9.¦9."x"¦FM9,9.S¦0S9¦S,99¦,9S9¦"x"S¦S"x"»')
select 'x' is null, null is null
