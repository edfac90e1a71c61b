create table pt (id int primary key, t text, n numeric(6,2), d date, b bool, a int[], j jsonb)
insert into pt values ($1, $2, $3, $4, $5, $6, $7) returning * @@ 1 ¦ x ¦ 1.5 ¦ 2024-01-01 ¦ t ¦ {1,2} ¦ {"a":1}
insert into pt values ($1, $2, $3, $4, $5, $6, $7) @@ 2 ¦ \N ¦ \N ¦ \N ¦ \N ¦ \N ¦ \N
insert into pt (id) values ($1) @@ x
insert into pt (id) values ($1) @@ 99999999999
insert into pt (id, n) values ($1, $2) @@ 3 ¦ 123456
select * from pt where id = $1 @@ 1
select * from pt where id = $1 @@ 1.0
select * from pt where id = $1 @@ \N
select id from pt where id in ($1, $2) order by id @@ 1 ¦ 2
select id from pt where id = any ($1) order by id @@ {1,2}
select id from pt where t = any ($1) @@ {x,y}
select id from pt where t like $1 @@ x%
select id from pt where d > $1 @@ 2023-01-01
select id from pt where d > $1 - interval '1 day' @@ 2023-01-01
select id from pt where n between $1 and $2 @@ 1 ¦ 2
select id from pt where b = $1 @@ true
select id from pt where j @> $1 @@ {"a":1}
select id from pt where j ->> $1 = $2 @@ a ¦ 1
select id from pt where (id, t) = ($1, $2) @@ 1 ¦ x
select id from pt where $1 is null @@ \N
select id from pt where $1::text is null order by id @@ \N
select id from pt where id = $1 or $1 is null order by id @@ \N
select id from pt order by id limit $1 offset $2 @@ 1 ¦ 1
select id from pt order by id limit $1 @@ x
select id from pt order by $1, id @@ 2
select $1 @@ a
select $1::int @@ 5
select $1::int @@ 5.5
select $1 + 1 @@ 5
select $1 + 1.5 @@ 5
select $1 + $2 @@ 1 ¦ 2
select $1 || 'x' @@ a
select $1 || $2 @@ a ¦ b
select 'x' || $1 @@ 5
select -$1 @@ 5
select not $1 @@ t
select $1 and true @@ f
select $1 = 'a' @@ a
select $1 = $2 @@ a ¦ a
select $1 = 1, $1 + 1 @@ 1
select $1::text, $1::int @@ 1
select $1::int, $1 @@ 1
select $1, $1::int @@ 1
select $1 = 1.5, $1 = 1 @@ 1
select coalesce($1, 5) @@ \N
select coalesce($1, $2, 'x') @@ \N ¦ b
select case when $1 then $2 else 5 end @@ t ¦ 7
select case $1 when 1 then 'one' end @@ 1
select nullif($1, 3) @@ 3
select greatest($1, 2, $2) @@ 1 ¦ 5
select array[$1, $2] @@ a ¦ b
select array[$1, 1] @@ 2
select $1 in (1, 2) @@ 2
select 1 in ($1, $2) @@ 1 ¦ 2
select length($1) @@ abc
select upper($1), lower($2) @@ a ¦ B
select substring($1 from $2 for $3) @@ hello ¦ 2 ¦ 3
select substring($1, $2) @@ hello ¦ 2
select round($1, $2) @@ 1.255 ¦ 2
select abs($1) @@ -5
select to_char($1::timestamp, $2) @@ 2024-01-01 ¦ YYYY
select date_trunc($1, $2::timestamp) @@ day ¦ 2024-01-01 10:00
select extract(year from $1::date) @@ 2024-01-01
select now() - $1 < interval '0' @@ 1 day
select $1::date + $2 @@ 2024-01-01 ¦ 5
select date '2024-01-01' + $1 @@ 5
select timestamp '2024-01-01' + $1 @@ 1 day
select interval '1 day' * $1 @@ 2
select generate_series(1, $1) @@ 3
select * from generate_series($1, $2) @@ 1 ¦ 3
select * from unnest($1::int[]) @@ {1,2}
select * from (values ($1), ($2)) v(x) @@ a ¦ b
select * from (values ($1, 1), (2, $2)) v(x, y) @@ 1 ¦ 5
select $1 union select 1 @@ 2
select $1 union select $2 @@ a ¦ b
select count(*) filter (where id > $1) from pt @@ 1
select sum(id + $1) from pt @@ 10
select id, row_number() over (order by id + $1) from pt order by id @@ 1
select id, lag(id, $1) over (order by id) from pt order by id @@ 1
select id from pt group by id having count(*) > $1 order by 1 @@ 0
select string_agg(t, $1) from pt @@ ,
with x as (select $1::int as v) select v from x @@ 3
with recursive c(n) as (select $1::int union all select n + 1 from c where n < $2) select n from c @@ 1 ¦ 3
update pt set t = $2 where id = $1 returning t @@ 1 ¦ new
update pt set n = n + $1 where id = $2 returning n @@ 1.5 ¦ 1
update pt set d = $1 where id = 1 returning d @@ 2024-13-01
update pt set a = $1 where id = 1 returning a @@ {3
update pt set b = $1 where id = 1 @@ maybe
delete from pt where id = $1 returning id @@ 2
insert into pt (id, t) select $1, $2 returning id, t @@ 10 ¦ sel
insert into pt (id, t) select $1::int + n, $2 from generate_series(1, 2) n returning id @@ 20 ¦ sel
insert into pt (id, t) values ($1, $2) on conflict (id) do update set t = excluded.t || $3 returning t @@ 10 ¦ a ¦ b
insert into pt (id, t) values ($1, lower($2)), ($3, $2) returning id, t @@ 30 ¦ Q ¦ 31
select exists (select 1 from pt where id = $1) @@ 10
select (select t from pt where id = $1) @@ 10
select * from pt p join (select $1::int as k) x on p.id = x.k @@ 10
select t from pt where id = $1::text::int @@ 10
select $1::int[] @@ {1,x}
select $1::uuid @@ zz
select $1::json @@ {
select $1::numeric(4,1) @@ 1.25
select $1::varchar(2) @@ abc
select $1::timestamptz @@ 2024-07-01 10:00
select $1::bytea @@ \x0102
select $1::interval @@ 1 day
select $1::bool @@ yes
select $1::char(3) || '|' @@ a
select $1 is not distinct from $2 @@ 1 ¦ 1
select $2::int @@ 1 ¦ 2
select $1::int + $3::int @@ 1 ¦ 2 ¦ 3
select $0 @@
select 1 @@
select 1; select 2 @@
 @@
begin @@
rollback @@
show timezone @@
select $1::regclass::text @@ pt
select pg_typeof($1) @@ a
select pg_typeof($1::int) @@ 1
select $1 like $2, $1 ~ $2 @@ abc ¦ a.*
select $1 between 1 and 5 @@ 3
select $1 is true @@ t
select id from pt where ($1 = '' or t = $1) order by id @@ new
select id from pt where t = coalesce($1, t) order by id @@ \N
select id from pt where id > $1::numeric order by id @@ 10.5
select id from pt where n = $1 @@ 3
select id from pt where id = $1::int8 @@ 10
select id from pt where lower(t) = lower($1) order by id @@ SEL
select $1::text collate "C" < 'b' @@ a
select cast($1 as int) @@ 4
select int $1 @@ 4
create table px (a int default $1) @@ 1
select * from pt where id = ? @@ 1
