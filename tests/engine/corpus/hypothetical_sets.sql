create table hs (id int primary key, g text, i int, t text)
insert into hs values (1, 'a', 1, 'x'), (2, 'a', 2, 'y'), (3, 'a', 2, null), (4, 'b', null, 'x'), (5, 'b', 5, 'z'), (6, 'c', null, 'q'), (7, 'b', 1, 'z'), (8, 'a', 7, 'a')
select «rank¦dense_rank¦percent_rank¦cume_dist»(«0¦2¦3¦99¦null») within group (order by i «¦desc¦nulls first¦desc nulls last») from hs
select g, «rank¦dense_rank¦percent_rank¦cume_dist»(2) within group (order by i) from hs group by g order by g
select «rank¦dense_rank¦percent_rank¦cume_dist»(2) within group (order by i) from hs where false
select «rank¦dense_rank¦percent_rank¦cume_dist»(2) within group (order by i) filter (where g = 'a') from hs
select «rank¦percent_rank¦cume_dist»(2, 'y') within group (order by i «¦desc», t «¦desc nulls last») from hs
select «rank¦cume_dist»(«1.5¦'2'¦2::bigint¦'x'¦true») within group (order by i) from hs
select rank('m') within group (order by t), rank(2) within group (order by i) + count(*) from hs
select g from hs group by g having rank(2) within group (order by i) > 1 order by g
select rank(1, 2) within group (order by i) from hs
select rank() within group (order by i) from hs
select rank(1) within group (order by i, t) from hs
select rank(i) within group (order by i) from hs
select row_number(1) within group (order by i) from hs
select ntile(1) within group (order by i) from hs
select id from hs where rank(1) within group (order by i) = 1
select rank(count(*)) within group (order by i) from hs
select rank(2) within group (order by i * 2 - 1) from hs
select rank(max_i) within group (order by i) from hs, (select 5 as max_i) m group by max_i
select rank('[1]'::jsonb) within group (order by to_jsonb(i)) from hs
select rank('{}'::json) within group (order by to_json(i)) from hs
