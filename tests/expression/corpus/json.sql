'{"a": 1.0, "b": [1, 2, {"c": null}]}'::json
'{"b": 1.0, "a": [1, 2], "a": 3, "cc": "x\u00e9\n"}'::jsonb
' [1,2 , 3] '::json
' [1,2 , 3] '::jsonb
'{"a":1'::json
'{a:1}'::json
''::json
'nul'::json
'[1,]'::json
'01'::json
'1e2'::jsonb
'1.50'::jsonb
'-0'::jsonb
'"\u0000"'::jsonb
'"a\"b"'::jsonb
'"\ud83d\ude00"'::jsonb
'NaN'::jsonb
'null'::jsonb
'true'::jsonb
'{"a": {"b": 1}}'::json -> 'a'
'{"a": {"b" : 1 }}'::json -> 'a'
'{"a": 1.50}'::json ->> 'a'
'{"a": "x"}'::json ->> 'a'
'{"a": null}'::json ->> 'a'
'{"a": null}'::json -> 'a'
'{"a": 1}'::json -> 'b'
'[1,2,3]'::json -> 1
'[1,2,3]'::json -> -1
'[1,2,3]'::json -> 5
'[1,2,3]'::json -> 'a'
'{"a":1}'::json -> 0
'{"a": [1, {"b": 2}]}'::json #> '{a,1,b}'
'{"a": [1, {"b": "x"}]}'::json #>> '{a,1,b}'
'{"a": {"b": 1}}'::jsonb -> 'a'
'{"a": 1.50}'::jsonb ->> 'a'
'{"a": "x"}'::jsonb -> 'a'
'{"a": "x"}'::jsonb ->> 'a'
'{"a": null}'::jsonb ->> 'a'
'[1,2,3]'::jsonb -> 1
'[1,2,3]'::jsonb -> -1
'[1,2,3]'::jsonb ->> 5
'[1,2,3]'::jsonb -> '1'
'{"a": [1, {"b": 2}]}'::jsonb #> '{a,1,b}'
'{"a": [1, {"b": 2}]}'::jsonb #>> '{a,1}'
'{"a": [1, {"b": 2}]}'::jsonb #> '{a,x}'
'{"a": 1}'::jsonb -> 'a' = '1'::jsonb
'{"a":1,"b":2}'::jsonb @> '{"a":1}'
'{"a":1,"b":2}'::jsonb @> '{"a":2}'
'[1,2,3]'::jsonb @> '[3,1]'
'[1,2,3]'::jsonb @> '1'
'[1,[2,3]]'::jsonb @> '[[3]]'
'{"a":1}'::jsonb <@ '{"a":1,"b":2}'
'{"a":1.0}'::jsonb @> '{"a":1}'
'{"a":1}'::jsonb ? 'a'
'["a","b"]'::jsonb ? 'a'
'"a"'::jsonb ? 'a'
'{"a":1}'::jsonb ?| array['x','a']
'{"a":1}'::jsonb ?& array['x','a']
'{"a":1}'::jsonb || '{"b":2}'
'{"a":1}'::jsonb || '{"a":2}'
'[1]'::jsonb || '[2]'
'[1]'::jsonb || '2'
'1'::jsonb || '2'
'{"a":1,"b":2}'::jsonb - 'a'
'["a","b"]'::jsonb - 'a'
'{"a":1,"b":2}'::jsonb - array['a','b']
'[1,2,3]'::jsonb - 1
'[1,2,3]'::jsonb - -1
'{"a":1}'::jsonb - 1
'1'::jsonb - 'a'
'{"a":{"b":1,"c":2}}'::jsonb #- '{a,b}'
'[1,{"a":2}]'::jsonb #- '{1,a}'
'[1]'::jsonb #- '{x}'
jsonb_set('{"a":1}', '{a}', '2')
jsonb_set('{"a":1}', '{b}', '2')
jsonb_set('{"a":1}', '{b}', '2', false)
jsonb_set('[1,2]', '{5}', '9')
jsonb_set('[1,2]', '{-5}', '9')
jsonb_set('{"a":{"b":1}}', '{a,b}', '[1]')
jsonb_set('{"a":1}', '{x,y}', '2')
jsonb_insert('{"a":[0,1,2]}', '{a,1}', '"new"')
jsonb_insert('{"a":[0,1,2]}', '{a,1}', '"new"', true)
jsonb_insert('{"a":1}', '{a}', '2')
jsonb_strip_nulls('{"a":null,"b":[null,{"c":null}]}')
jsonb_pretty('{"a":[1,2],"b":{}}')
jsonb_typeof('1')
jsonb_typeof('null')
json_typeof('[1]')
jsonb_array_length('[1,2]')
jsonb_array_length('{}')
jsonb_array_length('1')
json_array_length('[1,2,3]')
jsonb_extract_path('{"a":{"b":1}}', 'a', 'b')
jsonb_extract_path_text('{"a":{"b":"x"}}', 'a', 'b')
json_extract_path_text('{"a":{"b":"x"}}', 'a', 'b')
to_json(1)
to_json('a"b'::text)
to_json(1.50)
to_json(true)
to_json(array[1,2])
to_json(array[[1,2],[3,4]])
to_json(timestamp '2020-01-01 10:00')
to_json(timestamptz '2020-01-01 10:00+00')
to_json(date '2020-01-01')
to_json('NaN'::float8)
to_json('{"a" : 1}'::json)
to_jsonb(1.50)
to_jsonb('x'::text)
to_jsonb(array['a',null])
to_jsonb('{"b":1,"a":2}'::json)
json_build_array(1, 'a', null, true)
json_build_object('a', 1, 'b', null)
json_build_object('a')
json_build_object(null, 1)
jsonb_build_array(1, 'a', null, true)
jsonb_build_object('b', 1, 'a', array[1,2])
jsonb_build_object(1, 2)
json_build_object()
'5'::jsonb::int4
'5.5'::jsonb::int4
'5.5'::jsonb::numeric
'"x"'::jsonb::int4
'true'::jsonb::bool
'1'::jsonb::bool
'{"a":1}'::json::jsonb
'{"a":1}'::jsonb::json
'{"a":1}'::jsonb::text
'{"a":1}'::text::jsonb
'{"a":1}'::jsonb = '{"a":1.0}'::jsonb
'{"a":1}'::jsonb < '{"a":2}'::jsonb
'[]'::jsonb < 'null'::jsonb
'{}'::jsonb > '[1]'::jsonb
'"a"'::jsonb < '1'::jsonb
array_to_json(array[1,2])
'{"a":1}'::json = '{"a":1}'::json
