# A row that ON CONFLICT DO UPDATE's WHERE leaves as it is may be met again; one that was changed may not.
create table cm (k int primary key, v int)
insert into cm values (1, 10), (2, 20)
insert into cm values (1, 1), (1, 2) on conflict (k) do update set v = 0 where cm.v < 0 returning *
insert into cm values (1, 1), (1, 2) on conflict (k) do update set v = excluded.v where excluded.v = 2 returning *
insert into cm values (1, 2), (1, 1) on conflict (k) do update set v = excluded.v where excluded.v = 2 returning *
insert into cm values (1, 5), (2, 6), (1, 7) on conflict (k) do update set v = excluded.v returning *
insert into cm values (3, 1), (3, 2) on conflict (k) do update set v = excluded.v where false returning *
insert into cm select 1, g from generate_series(1, 900) g on conflict (k) do update set v = excluded.v where excluded.v = 900
insert into cm select 1, g from generate_series(1, 900) g on conflict (k) do update set v = excluded.v where excluded.v in (1, 900)
select * from cm order by k
