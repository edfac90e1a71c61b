create table t (id int primary key, balance int, note text default 'new', total int generated always as (balance * 2) stored, check (balance > -1000))
create table s (sid int, delta int, name text)
create table ident (id int generated always as identity primary key, v int unique, w text)
insert into t (id, balance) values (1, 100), (2, 200), (3, 300)
insert into s values (1, 10, 'a'), (2, -20, 'b'), (4, 40, 'd'), (5, null, null)
merge into t using s on t.id = s.sid when matched then update set balance = t.balance + s.delta when not matched then insert (id, balance) values (s.sid, s.delta)
select * from t order by id
merge into t using s on t.id = s.sid when matched and t.balance > 150 then delete when matched then update set note = s.name || '!', balance = default when not matched then do nothing
select * from t order by id
merge into t as x using (select sid, sum(delta) d from s group by sid) y on x.id = y.sid when matched and y.d is null then do nothing when matched then update set (balance, note) = (y.d, 'sum') when not matched and y.d > 0 then insert values (y.sid, y.d, default) when not matched then do nothing
select * from t order by id
merge into t using s on false when not matched and s.sid > 4 then insert (id) values (s.sid + 100) when not matched and s.sid > 3 then insert (id, note) values (s.sid + 200, default)
select * from t order by id
merge into t using s on t.id = s.sid when matched then delete
select * from t order by id
merge into t using s on true when matched then update set balance = s.delta
merge into t using s on true when matched and s.sid = 1 then update set balance = s.delta when matched then do nothing
select * from t order by id
merge into t using s on true when matched then delete
merge into t using s on true when matched and s.sid = 1 then delete when matched and s.sid = 2 then update set balance = 0
merge into t using (values (3, 'x'), (7, 'y')) v (a, b) on v.a = t.id when matched then update set note = v.b when not matched then insert (id, note) values (v.a, v.b)
select * from t order by id
with w as (select 7 k union all select 8) merge into t using w on w.k = t.id when matched then update set note = (select max(name) from s where s.sid < w.k) when not matched then insert (id, balance) values (w.k, (select count(*) from s))
select * from t order by id
merge into t using s on t.id = s.sid and s.sid in (select 1) when matched then update set note = 'one' when not matched and exists (select 1 from t x where x.id = s.sid) then insert (id) values (s.sid + 1000) when not matched then do nothing
merge into t a using t b on a.id = b.id when matched and b.id > 7 then delete
select * from t order by id
merge into t using s on t.id = s.sid when not matched then insert default values
merge into t using s on t.id = s.sid when not matched then insert (id) values (null)
merge into t using s on t.id = s.sid when not matched then insert (id, balance) values (s.sid + 50, -5000)
merge into t using s on t.id = s.sid when not matched then insert (id) values (1)
merge into t using s on t.id = s.sid when not matched then insert (id, total) values (90, 4)
merge into t using s on t.id = s.sid when matched then update set total = 4
merge into t using s on t.id = s.sid when matched then update set total = default
merge into t using s on t.id = s.sid when not matched then insert (id, note) values (s.sid)
merge into t using s on t.id = s.sid when not matched then insert (id) values (s.sid, 1)
merge into t using s on t.id = s.sid when not matched then insert values (1, 2, 'c', default, 5)
merge into t using s on t.id = s.sid when not matched then insert (id, id) values (1, 2)
merge into t using s on t.id = s.sid when not matched then insert (nosuch) values (1)
merge into t using s on t.id = s.sid when not matched then insert (id) values (t.id)
merge into t using s on t.id = s.sid when not matched and t.balance > 1 then insert (id) values (s.sid)
merge into t using s on t.id = s.sid when matched then update set nosuch = 1
merge into t using s on t.id = s.sid when matched then update set balance = 'x'
merge into t using s on t.id = s.sid when matched then update set balance = 1, balance = 2
merge into t using s on t.id = s.sid when matched and count(*) > 1 then delete
merge into t using s on t.id = s.sid when matched then update set balance = sum(s.delta)
merge into t using s on t.id = s.sid when matched and 1 then delete
merge into t using s on t.id = s.sid when matched then delete when matched then do nothing
merge into t using s on t.id = s.sid when not matched then do nothing when not matched and s.sid > 1 then insert (id) values (1)
merge into t using t on t.id = t.id when matched then delete
merge into t using s as t on true when matched then delete
merge into nosuch using s on true when matched then delete
merge into t using nosuch on true when matched then delete
merge into t using s on true when matched then insert (id) values (1)
merge into t using s on true when not matched then delete
create view tv as select * from t
merge into tv using s on true when matched then delete
with x as (merge into t using s on true when matched then delete) select 1
with recursive r as (select 1) merge into t using r on true when matched then delete
merge into t using tv on t.id = tv.id when matched and tv.balance is null then update set balance = tv.id
select * from t order by id
merge into ident using s on ident.v = s.sid when not matched and s.sid < 4 then insert (v, w) values (s.sid, s.name) when not matched then do nothing
select count(*), min(id), max(id) from ident
merge into ident using s on ident.v = s.sid when not matched then insert (id, v) values (s.sid + 10, s.sid)
merge into ident using s on ident.v = s.sid when not matched then insert (id, v) overriding system value values (s.sid + 10, s.sid)
merge into ident using (select 20 v) q on ident.v = q.v when not matched then insert (id, v) overriding user value values (99, q.v)
select count(*), max(v) from ident
merge into ident using s on ident.v = s.sid when matched then update set id = 5
select v, w from ident order by v
merge into ident i using s on i.v = s.sid when matched and s.sid = 2 then delete when matched then update set w = upper(i.w) when not matched and s.sid = 1 then insert (v, w) values (1, 'back')
select v, w from ident order by v
merge into only t using s on t.id = s.sid when matched then do nothing
merge into t using s on t.id = s.sid when matched then do nothing when not matched then do nothing
merge into t using s left join ident i on i.v = s.sid on t.id = i.id when matched then update set note = i.w when not matched and i.id is not null then insert (id, note) values (i.id, i.w)
select note from t order by note
delete from s where sid < 100
merge into t using s on true when matched then delete when not matched then insert (id) values (1)
