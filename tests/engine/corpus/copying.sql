create table cp (a int, b text default 'dflt', c numeric(5,2), d bool)
copy cp from stdin <<< 1⇥x⇥1.5⇥t¶2⇥\N⇥\N⇥f¶
copy cp (a, b) from stdin <<< 3⇥a\tb\\c\nd¶4⇥¶
copy cp (a) from stdin <<< 5¶6¶\.¶
copy cp from stdin with (format csv) <<< 7,"a,b ""q""",2.25,true¶8,,,¶9,"",1,f¶
copy cp from stdin csv header <<< a,b,c,d¶10,x,1,t¶
copy cp from stdin with (format csv, header match) <<< a,b,c,d¶11,x,1,t¶
copy cp from stdin with (format csv, header match) <<< a,z,c,d¶11,x,1,t¶
copy cp from stdin with (delimiter '|', null 'NULL') <<< 12|NULL|3|t¶
copy cp from stdin with (format csv, delimiter ';', quote '''', escape '\', null 'nil', force_not_null (b)) <<< 13;'a;\'b';nil;t¶
copy cp from stdin <<< 14⇥x¶
copy cp from stdin <<< 14⇥x⇥1⇥t⇥5¶
copy cp from stdin <<< z⇥x⇥1⇥t¶
copy cp from stdin <<< 15⇥x⇥12345⇥t¶
copy cp from stdin <<< 15⇥x⇥1⇥maybe¶
copy cp from stdin csv <<< 15,"x,1,t¶
copy cp (a, nope) from stdin <<< 1⇥2¶
copy cp (a, a) from stdin <<< 1⇥2¶
copy nosuch from stdin <<< 1¶
copy cp from stdin <<< 
copy cp from stdin where a > 100 <<< 99⇥no⇥1⇥t¶101⇥yes⇥1⇥t¶
copy cp from stdin with (freeze) <<< 1⇥a⇥1⇥t¶
copy cp from stdin with (format bogus) <<< 1¶
copy cp from stdin with (delimiter 'ab') <<< 1¶
copy cp from stdin with (bogus) <<< 1¶
copy cp from stdin with (quote 'x') <<< 1¶
copy cp from stdin with (format csv, force_null (b)) <<< 16,"",1,t¶
copy cp from stdin <<< 17⇥\x41\102\é⇥1⇥t¶
copy (select * from cp order by a) to stdout
copy (select * from cp order by a) to stdout csv header
copy (select * from cp order by a) to stdout with (format csv, force_quote *)
copy (select * from cp order by a) to stdout with (format csv, force_quote (b), null 'NIL', delimiter E'\t')
copy (select * from cp order by a) to stdout with (header, delimiter '|', null '')
copy (select 1, 'a"b', null, E'x\ny', array[1,2], '{"a":1}'::jsonb, '\x01'::bytea, true, 1.50, '') to stdout
copy (select 1, 'a"b', null, E'x\ny', array[1,2], '{"a":1}'::jsonb, '\x01'::bytea, true, 1.50, '') to stdout csv
copy (select '\.' as a, '\N', E'\\', E'\b\f\v\r') to stdout
copy (select '\.') to stdout csv
copy (values (1, 'x'), (2, 'y')) to stdout with (format text, delimiter ',')
copy (select 1 where false) to stdout
copy (select 1 where false) to stdout csv header
copy (insert into cp (a) values (50) returning a) to stdout
copy (delete from cp where a = 50) to stdout
copy cp (a) to stdout with (format csv) 
copy (select 1) to stdout with (format csv, quote '"', quote '''')
copy cp to '/tmp/x'
copy cp from '/etc/passwd'
copy (select 1) from stdin
copy (select nope from cp) to stdout
copy (select 1/0) to stdout
select count(*) from cp
