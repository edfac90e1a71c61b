create table t (a int primary key, b int)
insert into t select g, g % 3 from generate_series(1, 20) g
with recursive c as (select 1 n «union¦union all» select n + 1 from c) select * from c «limit 3¦offset 2 limit 3¦limit 0¦where n > 2000 limit 2»
with recursive c(a, b) as (select 1, 1 union all select b, a + b from c) select * from c limit 12
with recursive c as (select 1 n union all select n + 1 from c) select x.n, y.n from c x, c y limit 3
with recursive c as (select 1 n union all select n + 1 from c) select exists (select 1 from c where n = 50)
with recursive c as (select 1 n union all select n + 1 from c) select (select n from c where n > 7 limit 1), (select n from c where n > 3 limit 1)
with recursive c as (select 1 n union all select 11 / (11 - n) from c) select * from c limit 3
with recursive c(n) as (select 1 union all (with d as materialized (select n from c) select d1.n + 1 from d d1, d d2 where d1.n < 5)) select * from c
with recursive c(n) as (select 1 union all (with d as (select n from c where n < 5) select n + 1 from d)) select * from c
with recursive a as (select 1 n union all select n + 1 from a), b as (select n from a union all select n * 2 from b where n < 4) select * from b limit 2
select t.a, x.n from t, lateral (with recursive c as (select t.a n union all select n + 1 from c) select n from c limit 2) x order by 1, 2 limit 5
select t.a, x.n from t, lateral (with recursive c as (select 1 n union all select n + 1 from c) select n from c limit 2) x order by 1, 2 limit 5
select * from (select 1 n union all select g from generate_series(1, 100000) g) x «limit 3¦limit 1 offset 2»
select generate_series(1, 100000) limit 3
select 6 / (4 - g) from (select generate_series(1, 10) g) s limit 3
select count(*) from (select t.a, g from t cross join (select generate_series(1, 100000) g) s limit 2) x
with c as materialized (select generate_series(1, 100000) g) select * from c limit 3
select exists (select generate_series(1, 100000))
create sequence early
select nextval('early') from generate_series(1, 20) limit 3
select nextval('early')
