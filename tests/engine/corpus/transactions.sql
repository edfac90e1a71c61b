create table tx (id int primary key, v int)
begin
insert into tx values (1, 1)
savepoint a
insert into tx values (2, 2)
savepoint b
insert into tx values (3, 3)
rollback to a
select * from tx order by id
rollback to b
select 1
rollback to savepoint a
insert into tx values (4, 4)
release savepoint a
release a
rollback
select * from tx
begin; insert into tx values (1, 1); commit
begin
insert into tx values (1, 1)
select 1
commit
select * from tx
begin
select nope
savepoint x
rollback to x
rollback
commit
rollback
savepoint x
release x
rollback to x
start transaction
begin
commit work
begin transaction isolation level «serializable¦repeatable read¦read committed¦read uncommitted»
SHOW transaction_isolation
end
begin read only
insert into tx values (9, 9)
rollback
begin read only
select count(*) from tx
create table txx (a int)
rollback
begin isolation level bogus
begin
set transaction read only
show transaction_read_only
update tx set v = 5
abort
begin
select 1
set transaction isolation level serializable
rollback
set transaction read only
begin read write, isolation level repeatable read
commit and chain
rollback
begin
commit and no chain
begin
savepoint s
insert into tx values (50, 1)
savepoint s
insert into tx values (51, 1)
rollback to s
rollback to s
release s
rollback to s
select id from tx order by id
rollback
begin
insert into tx values (60, 1)
savepoint s
insert into tx values (60, 2)
rollback to s
insert into tx values (61, 1)
commit
select * from tx order by id
begin
create table txd (a int)
insert into txd values (1)
savepoint s
drop table txd
select * from txd
rollback to s
select * from txd
alter table txd add b int default 7
select * from txd
rollback
select * from txd
begin
create table txd2 (a int primary key)
insert into txd2 values (1), (1)
rollback
begin
truncate tx
select count(*) from tx
rollback
select count(*) from tx
insert into tx values (70, 1); select 1/0; insert into tx values (71, 1)
select count(*) from tx where id in (70, 71)
insert into tx values (72, 1); insert into tx values (73, 1)
select count(*) from tx where id in (72, 73)
begin; select 1/0; commit
select 1
rollback
begin; insert into tx values (80, 1); rollback; insert into tx values (81, 1)
select id from tx where id > 79
set local timezone to 'UTC'
begin
set local timezone to 'Asia/Tokyo'
show timezone
savepoint s
set timezone to 'UTC'
rollback to s
show timezone
commit
show timezone
begin
set timezone to 'America/New_York'
rollback
show timezone
begin
declare c cursor for select n from generate_series(1, 10) n
fetch c
fetch 2 from c
fetch forward 1 in c
fetch all from c
fetch c
close c
close c
declare c scroll cursor for select n from generate_series(1, 5) n
select 1
rollback
begin
declare c scroll cursor for select n from generate_series(1, 5) n
fetch last from c
fetch prior from c
fetch first from c
fetch absolute 3 from c
fetch relative 1 from c
fetch relative -2 from c
fetch backward 1 from c
fetch backward all from c
fetch next from c
fetch 0 from c
fetch absolute 0 from c
fetch absolute -1 from c
move 1 from c
move backward 2 from c
fetch forward all from c
fetch -2 from c
move absolute 100 from c
fetch c
declare c cursor for select 1
rollback
begin
declare d no scroll cursor for select n from generate_series(1, 5) n
fetch 2 from d
fetch backward 1 from d
rollback
declare e cursor for select 1
declare h cursor with hold for select n from generate_series(1, 3) n
fetch 2 from h
fetch h
close h
close all
fetch nosuch
begin
declare p cursor for select id, v from tx order by id
fetch 2 from p
insert into tx values (1000, 1)
fetch all from p
savepoint s
declare q cursor for select 1
rollback to s
fetch q
rollback
begin
declare u cursor for update tx set v = 1
rollback
begin
declare w cursor for select nope
rollback
prepare p1 as select $1::int + 1
execute p1(1)
execute p1('2')
execute p1('x')
execute p1
execute p1(1, 2)
execute nosuch
prepare p1 as select 1
prepare p2 (int, text) as select $1, $2 || 'x'
execute p2(1 + 1, 'a')
execute p2(1.5, 'a')
execute p2(null, null)
execute p2(1, 2)
prepare p3 as insert into tx values ($1, $2) returning *
execute p3(2000, 1)
execute p3(2000, 1)
execute p3('2001', (select 5))
execute p3(2001, 5 + 5)
prepare p4 as select $1
execute p4('a')
prepare p5 as select * from tx where id = $1 and v = $2
execute p5(2000, 1)
prepare p6 as select nope
prepare p7 as create table x (a int)
prepare p8 (nosuchtype) as select 1
prepare p9 as select $2::int
execute p9(1, 2)
prepare p10 as select $1 + $2
select name, statement, parameter_types from pg_prepared_statements order by name
deallocate p1
deallocate p1
execute p1(1)
deallocate prepare p2
deallocate all
execute p3(1, 1)
explain execute nosuch
