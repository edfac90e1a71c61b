# Definitions as they are shown: defaults, checks, index expressions, generated columns.
create type sd_mood as enum ('sad', 'ok', 'it''s')
create domain sd_pos as integer check (value > 0) check (value < 100 and value <> 13)
create domain sd_word as text default 'w' not null check (value ~ '^[a-z]+$') check (length(value) between 1 and 9)
create table sd (a int, b int, big bigint, small smallint, price numeric(10,2), n numeric, r real, d double precision, t text, v varchar(10), c char(3), f boolean, day date, ts timestamp, tz timestamptz, tm time, iv interval, j json, jb jsonb, u uuid, by bytea, ai int[], at text[], "Odd Name" int, "left" text, m sd_mood, p sd_pos, w sd_word, o oid)

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true) from pg_constraint where contypid in ('sd_pos'::regtype, 'sd_word'::regtype) order by 1

create table sdd0 (x int default 5)
create table sdd1 (x int default -5)
create table sdd2 (x int default '7')
create table sdd3 (x int default 1 + 2)
create table sdd4 (x int default (1))
create table sdd5 (x bigint default 5)
create table sdd6 (x bigint default -9223372036854775808)
create table sdd7 (x bigint default 10000000000)
create table sdd8 (x bigint default '5')
create table sdd9 (x smallint default 3)
create table sdd10 (x smallint default -3)
create table sdd11 (x numeric(10,2) default 0)
create table sdd12 (x numeric(10,2) default 0.5)
create table sdd13 (x numeric(10,2) default -0.5)
create table sdd14 (x numeric(10,2) default '1')
create table sdd15 (x numeric default 1e10)
create table sdd16 (x numeric default 1.50)
create table sdd17 (x numeric default 'NaN')
create table sdd18 (x real default 1.5)
create table sdd19 (x real default '1.5')
create table sdd20 (x double precision default 1e300)
create table sdd21 (x double precision default -0.25)
create table sdd22 (x text default 'new')
create table sdd23 (x text default 'it''s')
create table sdd24 (x text default E'a\\b')
create table sdd25 (x text default '')
create table sdd26 (x text default null)
create table sdd27 (x text default 1)
create table sdd28 (x text default lower('ABC'))
create table sdd29 (x text default 'a' || 'b')
create table sdd30 (x text default current_user)
create table sdd31 (x text default session_user)
create table sdd32 (x text default user)
create table sdd33 (x varchar(10) default 'x')
create table sdd34 (x varchar default 'x'::text)
create table sdd35 (x varchar(5) default 'abc'::varchar(3))
create table sdd36 (x char(3) default 'ab')
create table sdd37 (x char(3) default 'ab'::char(2))
create table sdd38 (x boolean default true)
create table sdd39 (x boolean default false)
create table sdd40 (x boolean default 't')
create table sdd41 (x boolean default not true)
create table sdd42 (x boolean default 1 > 2)
create table sdd43 (x date default '2024-1-5')
create table sdd44 (x date default current_date)
create table sdd45 (x date default current_date + 7)
create table sdd46 (x date default date '2024-02-03')
create table sdd47 (x date default now())
create table sdd48 (x timestamp default now())
create table sdd49 (x timestamp default current_timestamp)
create table sdd50 (x timestamp(3) default localtimestamp(3))
create table sdd51 (x timestamp default '2024-01-01 10:00')
create table sdd52 (x timestamptz default now())
create table sdd53 (x timestamptz default current_timestamp)
create table sdd54 (x timestamptz default current_timestamp(2))
create table sdd55 (x timestamptz default '2024-01-01 10:00+02')
create table sdd56 (x timestamptz default now() + interval '1 day')
create table sdd57 (x timestamptz default now() at time zone 'utc')
create table sdd58 (x timestamp default (now() at time zone 'utc'))
create table sdd59 (x timestamp default timezone('utc', now()))
create table sdd60 (x timestamptz default transaction_timestamp())
create table sdd61 (x timestamptz default clock_timestamp())
create table sdd62 (x time default '10:00')
create table sdd63 (x time default current_time)
create table sdd64 (x time default localtime)
create table sdd65 (x time(0) default localtime(0))
create table sdd66 (x timetz default current_time(0))
create table sdd67 (x interval default '1 day 2 hours')
create table sdd68 (x interval default interval '3' month)
create table sdd69 (x interval default interval '1 day' * 2)
create table sdd70 (x interval day default '5')
create table sdd71 (x json default '{}')
create table sdd72 (x json default '[1, 2]'::json)
create table sdd73 (x jsonb default '{"a":  1}')
create table sdd74 (x jsonb default '{}'::jsonb)
create table sdd75 (x jsonb default jsonb_build_object('a', 1))
create table sdd76 (x uuid default gen_random_uuid())
create table sdd77 (x uuid default '00000000-0000-0000-0000-00000000000A')
create table sdd78 (x bytea default '\xdeadbeef')
create table sdd79 (x bytea default '')
create table sdd80 (x int[] default '{}')
create table sdd81 (x int[] default '{1,2}')
create table sdd82 (x int[] default array[1,2,3])
create table sdd83 (x int[] default array[]::int[])
create table sdd84 (x text[] default array['a','b'])
create table sdd85 (x text[] default '{}'::text[])
create table sdd86 (x bigint[] default array[1,2]::bigint[])
create table sdd87 (x numeric[] default array[1,2.5])
create table sdd88 (x sd_mood default 'ok')
create table sdd89 (x sd_mood default 'it''s'::sd_mood)
create table sdd90 (x sd_pos default 5)
create table sdd91 (x sd_pos default '6')
create table sdd92 (x sd_word default 'abc')
create table sdd93 (x sd_mood[] default '{ok,sad}')
create table sdd94 (x int default coalesce(null, 5))
create table sdd95 (x int default case when true then 1 else 2 end)
create table sdd96 (x int default extract(year from current_date))
create table sdd97 (x double precision default random())
create table sdd98 (x double precision default random() * 100)
create table sdd99 (x int default floor(random() * 10)::int)
create table sdd100 (x int default (random() * 10)::int)
create table sdd101 (x text default md5(random()::text))
create table sdd102 (x text default to_char(now(), 'YYYY'))
create table sdd103 (x text default concat('a', 1, null))
create table sdd104 (x text default substring('abc' from 2 for 1))
create table sdd105 (x text default trim('  x '))
create table sdd106 (x text default upper('x'::varchar))
create table sdd107 (x oid default 0)
create table sdd108 (x regclass default 'pg_class')
create table sdd109 (x text default current_schema)
create table sdd110 (x text default current_catalog)
create table sdd111 (x text default current_setting('search_path'))
create table sdd112 (x interval default make_interval(days => 3))
create table sdd113 (x date default make_date(2024, 1, 2))
create table sdd114 (x int default greatest(1, 2))
create table sdd115 (x int default abs(-5))
create table sdd116 (x int default - 5)
create table sdd117 (x int default -(5))
create table sdd118 (x int default +5)
create table sdd119 (x int default 5 % 3)
create table sdd120 (x int default 2 ^ 3)
create table sdd121 (x int default ~ 5)
create table sdd122 (x int default 5 & 3 | 1)
create table sdd123 (x int default 1 << 4)
create table sdd124 (x name default 'abc')
create table sdd125 (x name default current_user)
create table sdd126 (x "char" default 'a')

select adrelid::regclass::text, pg_get_expr(adbin, adrelid), pg_get_expr(adbin, adrelid, true) from pg_attrdef where adrelid in (select oid from pg_class where relname like 'sdd%') and adrelid::regclass::text like '%sdd«0¦1¦2¦3¦4¦5¦6¦7¦8¦9»«¦0¦1¦2¦3¦4¦5¦6¦7¦8¦9»'
select table_name, column_default from information_schema.columns where table_schema = current_schema() and table_name like 'sdd«1¦2¦3¦4¦5¦6¦7¦8¦9»«0¦1¦2¦3¦4¦5¦6¦7¦8¦9»%' order by table_name

alter table sd add constraint ck000 check (a > 0)

alter table sd add constraint ck001 check (a > 0 and b < 10)

alter table sd add constraint ck002 check (a > 0 or b < 10 and not f)

alter table sd add constraint ck003 check (not (a > 0 or b > 0))

alter table sd add constraint ck004 check ((a > 0 or b > 0) and (a < 10 or b < 10))

alter table sd add constraint ck005 check (a > 0 and b > 0 and big > 0)

alter table sd add constraint ck006 check (a > 0 or b > 0 or big > 0)

alter table sd add constraint ck007 check (price > 0)

alter table sd add constraint ck008 check (price >= 0.5)

alter table sd add constraint ck009 check (price * 1.19 > 10)

alter table sd add constraint ck010 check (price * 2 + 1 > n)

alter table sd add constraint ck011 check (price > a)

alter table sd add constraint ck012 check (big = a)

alter table sd add constraint ck013 check (small < big)

alter table sd add constraint ck014 check (r > 1)

alter table sd add constraint ck015 check (r > 1.5)

alter table sd add constraint ck016 check (d > 1)

alter table sd add constraint ck017 check (d = r)

alter table sd add constraint ck018 check (d > price)

alter table sd add constraint ck019 check (t = 'x')

alter table sd add constraint ck020 check (t <> 'x')

alter table sd add constraint ck021 check (t != 'x')

alter table sd add constraint ck022 check (v = 'x')

alter table sd add constraint ck023 check (v = t)

alter table sd add constraint ck024 check (v in ('a', 'b'))

alter table sd add constraint ck025 check (t in ('a', 'b', 'c'))

alter table sd add constraint ck026 check (t not in ('a', 'b'))

alter table sd add constraint ck027 check (t in ('a'))

alter table sd add constraint ck028 check (a in (1, 2, 3))

alter table sd add constraint ck029 check (a not in (1, 2))

alter table sd add constraint ck030 check (a in (1))

alter table sd add constraint ck031 check (a in (b, 1, 2))

alter table sd add constraint ck032 check (a in (b, 1))

alter table sd add constraint ck033 check (a in (1, 2.5))

alter table sd add constraint ck034 check (big in (1, 2))

alter table sd add constraint ck035 check (c = 'abc')

alter table sd add constraint ck036 check (c in ('a', 'b'))

alter table sd add constraint ck037 check (m = 'ok')

alter table sd add constraint ck038 check (m in ('ok', 'sad'))

alter table sd add constraint ck039 check (m <> 'sad'::sd_mood)

alter table sd add constraint ck040 check (p > 0)

alter table sd add constraint ck041 check (p + 1 > 2)

alter table sd add constraint ck042 check (p in (1, 2))

alter table sd add constraint ck043 check (w = 'x')

alter table sd add constraint ck044 check (w like 'a%')

alter table sd add constraint ck045 check (w || 'x' = 'ax')

alter table sd add constraint ck046 check (length(w) > 2)

alter table sd add constraint ck047 check (f)

alter table sd add constraint ck048 check (not f)

alter table sd add constraint ck049 check (f is true)

alter table sd add constraint ck050 check (f is not true)

alter table sd add constraint ck051 check (f is not false)

alter table sd add constraint ck052 check (f is unknown)

alter table sd add constraint ck053 check (f = true)

alter table sd add constraint ck054 check (a is null)

alter table sd add constraint ck055 check (a is not null)

alter table sd add constraint ck056 check (a + 1 is null)

alter table sd add constraint ck057 check (a between 1 and 10)

alter table sd add constraint ck058 check (a not between 1 and 10)

alter table sd add constraint ck059 check (a between symmetric 10 and 1)

alter table sd add constraint ck060 check (t between 'a' and 'b')

alter table sd add constraint ck061 check (a is distinct from b)

alter table sd add constraint ck062 check (a is not distinct from b)

alter table sd add constraint ck063 check (a is distinct from null)

alter table sd add constraint ck064 check (t like 'a%')

alter table sd add constraint ck065 check (t not like 'a%')

alter table sd add constraint ck066 check (t ilike 'a%')

alter table sd add constraint ck067 check (t not ilike 'a%')

alter table sd add constraint ck068 check (v like '%x%')

alter table sd add constraint ck069 check (t like 'a!%' escape '!')

alter table sd add constraint ck070 check (t similar to 'a|b')

alter table sd add constraint ck071 check (t not similar to 'a|b')

alter table sd add constraint ck072 check (t ~ '^a')

alter table sd add constraint ck073 check (t !~ '^a')

alter table sd add constraint ck074 check (t ~* '^a')

alter table sd add constraint ck075 check (v ~ '^a')

alter table sd add constraint ck076 check (length(t) > 3)

alter table sd add constraint ck077 check (length(v) <= 5)

alter table sd add constraint ck078 check (char_length(t) > 3)

alter table sd add constraint ck079 check (lower(t) = t)

alter table sd add constraint ck080 check (upper(v) = 'X')

alter table sd add constraint ck081 check (lower(v) = lower(t))

alter table sd add constraint ck082 check (substring(t from 1 for 2) = 'ab')

alter table sd add constraint ck083 check (substring(t, 1, 2) = 'ab')

alter table sd add constraint ck084 check (substr(t, 1) = 'b')

alter table sd add constraint ck085 check (substring(t from '^a') = 'b')

alter table sd add constraint ck086 check (left(t, 2) = 'ab')

alter table sd add constraint ck087 check (right(t, 2) = 'ab')

alter table sd add constraint ck088 check (position('a' in t) > 0)

alter table sd add constraint ck089 check (strpos(t, 'a') > 0)

alter table sd add constraint ck090 check (overlay(t placing 'x' from 1 for 2) = 'y')

alter table sd add constraint ck091 check (trim(t) <> '')

alter table sd add constraint ck092 check (trim(both 'x' from t) <> '')

alter table sd add constraint ck093 check (trim(leading from t) <> '')

alter table sd add constraint ck094 check (trim(trailing 'y' from t) <> '')

alter table sd add constraint ck095 check (btrim(t) <> '')

alter table sd add constraint ck096 check (btrim(t, 'x') <> '')

alter table sd add constraint ck097 check (replace(t, 'a', 'b') = t)

alter table sd add constraint ck098 check (t || 'x' = 'ax')

alter table sd add constraint ck099 check (t || a = 'x1')

alter table sd add constraint ck100 check (a || t = '1x')

alter table sd add constraint ck101 check (t || v || c = 'x')

alter table sd add constraint ck102 check (coalesce(a, 0) > 0)

alter table sd add constraint ck103 check (coalesce(t, 'none') = 'x')

alter table sd add constraint ck104 check (coalesce(v, 'none') = 'x')

alter table sd add constraint ck105 check (coalesce(price, 0) > 0)

alter table sd add constraint ck106 check (coalesce(a, big) > 0)

alter table sd add constraint ck107 check (nullif(a, 0) > 1)

alter table sd add constraint ck108 check (nullif(t, '') is not null)

alter table sd add constraint ck109 check (greatest(a, b) > 0)

alter table sd add constraint ck110 check (least(a, b, 5) > 0)

alter table sd add constraint ck111 check (greatest(price, 1) > 0)

alter table sd add constraint ck112 check (case when a > 0 then b > 0 else true end)

alter table sd add constraint ck113 check (case a when 1 then true when 2 then false end)

alter table sd add constraint ck114 check (case when f then 1 else 2 end = 1)

alter table sd add constraint ck115 check (case t when 'a' then 1 else 0 end > 0)

alter table sd add constraint ck116 check (case when a = 1 then 'x' when a = 2 then t else null end = 'x')

alter table sd add constraint ck117 check (a::text = '1')

alter table sd add constraint ck118 check (a::bigint = big)

alter table sd add constraint ck119 check (a::numeric > 1)

alter table sd add constraint ck120 check (a::numeric(10,2) > 1)

alter table sd add constraint ck121 check (price::numeric(5,1) > 1)

alter table sd add constraint ck122 check (price::int > 1)

alter table sd add constraint ck123 check (price::numeric > 1)

alter table sd add constraint ck124 check (t::int > 1)

alter table sd add constraint ck125 check (t::varchar(3) = 'abc')

alter table sd add constraint ck126 check (v::text = 'abc')

alter table sd add constraint ck127 check (v::varchar = 'abc')

alter table sd add constraint ck128 check (v::varchar(3) = 'abc')

alter table sd add constraint ck129 check (c::text = 'abc')

alter table sd add constraint ck130 check (t::sd_mood = 'ok')

alter table sd add constraint ck131 check (m::text = 'ok')

alter table sd add constraint ck132 check (a::sd_pos > 1)

alter table sd add constraint ck133 check ('5'::sd_pos > a)

alter table sd add constraint ck134 check (cast(a as text) = '1')

alter table sd add constraint ck135 check (cast('1' as int) = a)

alter table sd add constraint ck136 check ((a + b)::bigint > 1)

alter table sd add constraint ck137 check ((a + b) * 2 > 1)

alter table sd add constraint ck138 check (a + b * 2 > 1)

alter table sd add constraint ck139 check ((a + b) + big > 1)

alter table sd add constraint ck140 check (a + (b + big) > 1)

alter table sd add constraint ck141 check (a - b - big > 1)

alter table sd add constraint ck142 check (a - (b - big) > 1)

alter table sd add constraint ck143 check (a * b / 2 % 3 > 1)

alter table sd add constraint ck144 check ((a % 2) = 0)

alter table sd add constraint ck145 check (-a > 0)

alter table sd add constraint ck146 check (- (a + 1) > 0)

alter table sd add constraint ck147 check (-1 < a)

alter table sd add constraint ck148 check (a > -1)

alter table sd add constraint ck149 check (a > - 1)

alter table sd add constraint ck150 check (@ a > 1)

alter table sd add constraint ck151 check (a & 1 = 1)

alter table sd add constraint ck152 check (a | b # 3 > 0)

alter table sd add constraint ck153 check (~ a > 0)

alter table sd add constraint ck154 check (a << 2 > b >> 1)

alter table sd add constraint ck155 check (n ^ 2 > 1)

alter table sd add constraint ck156 check (|/ d > 1)

alter table sd add constraint ck157 check (day > '2024-01-01')

alter table sd add constraint ck158 check (day > date '2024-01-01')

alter table sd add constraint ck159 check (day > current_date)

alter table sd add constraint ck160 check (day + 1 > day)

alter table sd add constraint ck161 check (day - day > 1)

alter table sd add constraint ck162 check (day + interval '1 day' > ts)

alter table sd add constraint ck163 check (ts > now())

alter table sd add constraint ck164 check (tz > now())

alter table sd add constraint ck165 check (tz > '2024-01-01 00:00:00+00')

alter table sd add constraint ck166 check (ts > '2024-01-01')

alter table sd add constraint ck167 check (ts - interval '1 hour' > ts)

alter table sd add constraint ck168 check (ts - ts > interval '1 day')

alter table sd add constraint ck169 check (tz at time zone 'utc' > ts)

alter table sd add constraint ck170 check ((ts at time zone 'Europe/Berlin') > tz)

alter table sd add constraint ck171 check (extract(year from day) > 2000)

alter table sd add constraint ck172 check (extract(epoch from ts) > 0)

alter table sd add constraint ck173 check (date_part('year', day) > 2000)

alter table sd add constraint ck174 check (date_trunc('day', ts) = ts)

alter table sd add constraint ck175 check (to_char(day, 'YYYY') = '2024')

alter table sd add constraint ck176 check (age(day) > '1 year')

alter table sd add constraint ck177 check (day between '2024-01-01' and '2024-12-31')

alter table sd add constraint ck178 check ((day, day) overlaps (day, interval '1 day'))

alter table sd add constraint ck179 check (tm > '10:00')

alter table sd add constraint ck180 check (iv > '1 day')

alter table sd add constraint ck181 check (iv * 2 > '1 day')

alter table sd add constraint ck182 check (iv = interval '1-2' year to month)

alter table sd add constraint ck183 check (day = any (array['2024-01-01'::date, '2024-01-02']))

alter table sd add constraint ck184 check (a = any (array[1, 2]))

alter table sd add constraint ck185 check (a = any (ai))

alter table sd add constraint ck186 check (a <> all (ai))

alter table sd add constraint ck187 check (a = any ('{1,2}'))

alter table sd add constraint ck188 check (t = any (at))

alter table sd add constraint ck189 check (t like any (array['a%', 'b%']))

alter table sd add constraint ck190 check (v = any (array['a', 'b']))

alter table sd add constraint ck191 check (ai[1] > 0)

alter table sd add constraint ck192 check (ai[1:2] = '{1,2}')

alter table sd add constraint ck193 check (ai[:2] = '{1,2}')

alter table sd add constraint ck194 check (at[a] = 'x')

alter table sd add constraint ck195 check (at[a + 1] = 'x')

alter table sd add constraint ck196 check ((ai || 1)[1] = 1)

alter table sd add constraint ck197 check (ai @> array[1])

alter table sd add constraint ck198 check (ai && '{1}')

alter table sd add constraint ck199 check (array_length(ai, 1) > 0)

alter table sd add constraint ck200 check (cardinality(ai) > 0)

alter table sd add constraint ck201 check (array[a, b] = ai)

alter table sd add constraint ck202 check (array[t, 'x'] = at)

alter table sd add constraint ck203 check (array[[1, 2], [3, 4]] = ai)

alter table sd add constraint ck204 check (ai || 5 = ai)

alter table sd add constraint ck205 check (array_append(ai, 1) = ai)

alter table sd add constraint ck206 check (ai = '{}')

alter table sd add constraint ck207 check (ai = array[]::int[])

alter table sd add constraint ck208 check (jb ->> 'a' = 'x')

alter table sd add constraint ck209 check (jb -> 'a' = '1')

alter table sd add constraint ck210 check ((jb ->> 'a')::int > 1)

alter table sd add constraint ck211 check (jb #>> '{a,b}' = 'x')

alter table sd add constraint ck212 check (jb @> '{"a": 1}')

alter table sd add constraint ck213 check (jb ? 'a')

alter table sd add constraint ck214 check (jb ?| array['a'])

alter table sd add constraint ck215 check (jb['a'] = '1')

alter table sd add constraint ck216 check (jb['a'][0] = '1')

alter table sd add constraint ck217 check (jsonb_typeof(jb) = 'object')

alter table sd add constraint ck218 check (j ->> 'a' = 'x')

alter table sd add constraint ck219 check (u = '00000000-0000-0000-0000-000000000000')

alter table sd add constraint ck220 check (by = '\x00')

alter table sd add constraint ck221 check (length(by) > 1)

alter table sd add constraint ck222 check ("Odd Name" > 0)

alter table sd add constraint ck223 check ("left" = 'x')

alter table sd add constraint ck224 check ((a, b) = (1, 2))

alter table sd add constraint ck225 check ((a, b) < (1, 2))

alter table sd add constraint ck226 check ((a, b) <> (1, 2))

alter table sd add constraint ck227 check (row(a, b) >= row(b, a))

alter table sd add constraint ck228 check ((a, t) in ((1, 'x'), (2, 'y')))

alter table sd add constraint ck229 check (t collate "C" > 'a')

alter table sd add constraint ck230 check (o = 5)

alter table sd add constraint ck231 check (o > a)

alter table sd add constraint ck232 check (round(price, 1) > 1)

alter table sd add constraint ck233 check (round(d) > 1)

alter table sd add constraint ck234 check (floor(price) > 1)

alter table sd add constraint ck235 check (abs(a - b) < 5)

alter table sd add constraint ck236 check (mod(a, 2) = 0)

alter table sd add constraint ck237 check (power(a, 2) > 1)

alter table sd add constraint ck238 check (sqrt(a) > 1)

alter table sd add constraint ck239 check (md5(t) = t)

alter table sd add constraint ck240 check (starts_with(t, 'a'))

alter table sd add constraint ck241 check (regexp_replace(t, 'a', 'b', 'g') = t)

alter table sd add constraint ck242 check (split_part(t, ',', 1) = 'x')

alter table sd add constraint ck243 check (concat(t, a, 'x') = 'y')

alter table sd add constraint ck244 check (concat_ws(',', t, v) = 'y')

alter table sd add constraint ck245 check (format('%s', t) = 'x')

alter table sd add constraint ck246 check (a = 1 and t = 'x' or v = 'y' and not (f or a > 2))

alter table sd add constraint ck247 check ((a > 0) = f)

alter table sd add constraint ck248 check ((a is null) = f)

alter table sd add constraint ck249 check ((a > 0) is true)

alter table sd add constraint ck250 check ((a is null) is not true)

alter table sd add constraint ck251 check ((a = b) is distinct from f)

alter table sd add constraint ck252 check (num_nonnulls(a, b) > 0)

alter table sd add constraint ck253 check (make_date(a, b, 1) > day)

alter table sd add constraint ck254 check (true)

alter table sd add constraint ck255 check (null)

alter table sd add constraint ck256 check (1 = 1)

alter table sd add constraint ck257 check ('a' = 'b')

alter table sd add constraint ck258 check (a = '5')

alter table sd add constraint ck259 check (price = '5')

alter table sd add constraint ck260 check (big > '5')

alter table sd add constraint ck261 check (f = 'yes')

alter table sd add constraint ck262 check (day = '2024-1-5')

alter table sd add constraint ck263 check (t = null)

alter table sd add constraint ck264 check (coalesce(f, false))

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck00%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck01%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck02%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck03%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck04%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck05%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck06%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck07%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck08%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck09%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck10%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck11%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck12%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck13%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck14%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck15%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck16%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck17%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck18%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck19%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck20%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck21%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck22%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck23%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck24%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck25%' order by 1

select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true), pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = 'sd'::regclass and conname like 'ck26%' order by 1

select constraint_name, check_clause from information_schema.check_constraints where constraint_schema = current_schema() and constraint_name like 'ck00%' order by 1

create index sdi00 on sd (a)
create index sdi01 on sd (lower(t))
create index sdi02 on sd (a + b)
create index sdi03 on sd ((a + b) desc nulls last)
create index sdi04 on sd (lower(t), upper(v) desc)
create index sdi05 on sd (coalesce(a, 0))
create index sdi06 on sd ((t || 'x'))
create index sdi07 on sd ((a::bigint))
create index sdi08 on sd ((price * 2))
create index sdi09 on sd ((case when a > 0 then 1 else 2 end))
create index sdi10 on sd (left(t, 2))
create index sdi11 on sd (substring(t from 1 for 2))
create index sdi12 on sd ("Odd Name", "left")
create index sdi13 on sd ((jb ->> 'a'))
create index sdi14 on sd (date_trunc('day', ts))
create index sdi15 on sd ((day + 1))
create index sdi16 on sd ((v::text))
create index sdi17 on sd (abs(a))
create index sdi18 on sd ((-a))
create index sdi19 on sd (greatest(a, b))
create index sdi20 on sd ((a is null))
create index sdi21 on sd ((ai[1]))
create index sdi22 on sd (nullif(a, 0))
create index sdi23 on sd ((lower(t) || v))
create table sdq (a int, b int, f boolean, t text, v varchar)
create index sdp00 on sdq (a) include (b) where a > 0
create index sdp01 on sdq (a) include (b) where a > 0 and f
create index sdp02 on sdq (a) include (b) where t = 'x'
create index sdp03 on sdq (a) include (b) where v in ('a', 'b')
create index sdp04 on sdq (a) include (b) where a is not null
create index sdp05 on sdq (a) include (b) where not f
create index sdp06 on sdq (a) include (b) where f
create index sdp07 on sdq (a) include (b) where lower(t) = 'x' or b is null
create unique index sdu on sdq (a, lower(t)) where b > 0
select indexrelid::regclass::text, pg_get_indexdef(indexrelid, 0, true), pg_get_indexdef(indexrelid, 1, true), pg_get_indexdef(indexrelid, 1, false), pg_get_expr(indpred, indrelid), pg_get_expr(indpred, indrelid, true) from pg_index where indrelid in ('sd'::regclass, 'sdq'::regclass) order by 1
select indexname, indexdef from pg_indexes where schemaname = current_schema() and tablename in ('sd', 'sdq') order by 1

create table sdg0 (a int, b int, price numeric, t text, v varchar, x int generated always as (a + b) stored)
create table sdg1 (a int, b int, price numeric, t text, v varchar, x numeric(10,2) generated always as (price * 1.19) stored)
create table sdg2 (a int, b int, price numeric, t text, v varchar, x text generated always as (lower(t)) stored)
create table sdg3 (a int, b int, price numeric, t text, v varchar, x bigint generated always as (a) stored)
create table sdg4 (a int, b int, price numeric, t text, v varchar, x text generated always as (t || '-' || v) stored)
create table sdg5 (a int, b int, price numeric, t text, v varchar, x boolean generated always as (a > 0) stored)
create table sdg6 (a int, b int, price numeric, t text, v varchar, x text generated always as (case when a > 0 then 'p' else 'n' end) stored)
create table sdg7 (a int, b int, price numeric, t text, v varchar, x varchar(5) generated always as (left(t, 5)) stored)
select adrelid::regclass::text, pg_get_expr(adbin, adrelid), pg_get_expr(adbin, adrelid, true) from pg_attrdef where adrelid::regclass::text like '%sdg%' order by 1
select table_name, column_default, is_generated, generation_expression from information_schema.columns where table_schema = current_schema() and table_name like 'sdg%' and column_name = 'x' order by 1

create table sdr (a int check (a > 0), b int default 1, c int generated always as (a * 2) stored)
create index sdri on sdr ((a + b)) where a < 5
alter table sdr rename column a to "Order"
select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'sdr'::regclass
select pg_get_indexdef('sdri'::regclass)
select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = 'sdr'::regclass order by adnum
create table sds (id serial, n bigserial)
select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = 'sds'::regclass order by adnum

# A precision of 0.
select mod(extract(microseconds from current_timestamp(0))::int, 1000000), mod(extract(microseconds from localtime(0))::int, 1000000)
select mod(extract(microseconds from localtimestamp(0))::int, 1000000), mod(extract(microseconds from current_time(0))::int, 1000000)
