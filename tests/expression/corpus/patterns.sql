'abc' like 'a%'
'abc' like '_b_'
'abc' like '%b%'
'abc' like 'a_'
'abc' not like 'a%'
'ABC' ilike 'a%c'
'ABC' not ilike 'a%c'
'a%c' like 'a\%c'
'abc' like 'a\%c'
'a\c' like 'a\\c'
'abc' like 'abc\'
'a%c' like 'ax%c' escape 'x'
'a%c' like 'a%%c' escape '%'
'abc' like 'abc' escape ''
'abc' like 'abc' escape 'xx'
'abc' like null
'' like '%'
'' like ''
'abc' like ''
'aXbXc' like '%X_X%'
'aab' like '%a_'
E'a\nb' like 'a_b'
'abc'::char(5) like 'abc'
'abc'::char(5) like 'abc%'
'abc' similar to 'abc'
'abc' similar to 'a'
'abc' similar to '%(b|d)%'
'abc' similar to '(b|c)%'
'abc' not similar to 'abc'
'a.c' similar to 'a.c'
'abc' similar to 'a.c'
'abc' similar to 'a[b-d]c'
'aaa' similar to 'a{3}'
'a_c' similar to 'a#_c' escape '#'
'abc' ~ 'b'
'abc' ~ '^b'
'abc' ~* 'B'
'abc' !~ 'b'
'abc' !~* 'B'
'abc' ~ 'a.c$'
E'a\nb' ~ 'a.b'
E'a\n' ~ 'a$'
'abc' ~ '('
'abc' ~ 'a{'
'abc' ~ 'a{2,1}'
'abc' ~ 'a{300}'
'abc' ~ '*a'
'abc' ~ 'a**'
'abc' ~ '['
'abc' ~ ')'
'abc' ~ '[z-a]'
'abc' ~ '[[:foo:]]'
'abc' ~ '[[:alpha:]]+'
'a1_' ~ '^\w+$'
'a b' ~ '\s'
'a-b' ~ '\ma'
'ab' ~ '\yb'
'x' ~ '\q'
'foo.bar' ~ 'foo\.bar'
'aa' ~ '(a)\1'
'ab' ~ '(a)\2'
'abc' ~ '(?i)ABC'
'abc' ~ '***=a.c'
'a.c' ~ '***=a.c'
'abc' ~ '(?=a)abc'
'abc' ~ 'a(?!c)'
'abc' ~ '[^a]bc'
'a]c' ~ 'a[]]c'
'a^c' ~ 'a[x^]c'
'a\c' ~ 'a[\\]c'
'a-c' ~ 'a[a\-z]c'
'abc' ~ ''
'abc' ~ 'a|'
regexp_match('foobarbequebaz', 'ba.')
regexp_match('foobarbequebaz', '(bar)(beque)')
regexp_match('foobarbequebaz', 'xyz')
regexp_match('foobarbequebaz', '(x)?(bar)')
regexp_match('abcd', 'a|ab|abc')
regexp_match('foobarbaz', 'BA.', 'i')
regexp_match('foobarbaz', 'ba.', 'g')
regexp_match('foobarbaz', 'ba.', 'z')
regexp_match('XY1234Z', 'Y*([0-9]{1,3})')
regexp_match('abc', '')
regexp_replace('foobarbaz', 'b..', 'X')
regexp_replace('foobarbaz', 'b..', 'X', 'g')
regexp_replace('foobarbaz', 'b(..)', 'X\1Y', 'g')
regexp_replace('foobarbaz', 'b(..)', '[\&]', 'g')
regexp_replace('foobarbaz', 'b(..)', '\\', 'g')
regexp_replace('foobarbaz', 'B(..)', 'X', 'gi')
regexp_replace('abc', '', '-', 'g')
regexp_replace('abc', 'x*', '-', 'g')
regexp_replace('A PostgreSQL function', 'a|e|i|o|u', 'X', 1, 0, 'i')
regexp_replace('A PostgreSQL function', 'a|e|i|o|u', 'X', 1, 3, 'i')
regexp_replace('abcabc', 'b', 'X', 3)
regexp_replace('abc', 'b', 'X', '1')
regexp_split_to_array('the quick  fox', '\s+')
regexp_split_to_array('the quick', '\s*')
regexp_split_to_array('abc', '')
regexp_split_to_array('abc', 'x')
regexp_split_to_array(',a,', ',')
regexp_count('ABCABCAXYaxy', 'A.')
regexp_count('ABCABCAXYaxy', 'A.', 1, 'i')
regexp_instr('number of your street, town zip, FR', '[^,]+', 1, 2)
regexp_instr('ABCDEFGHI', '(c..)(...)', 1, 1, 0, 'i', 2)
regexp_like('Hello World', 'world')
regexp_like('Hello World', 'world', 'i')
regexp_substr('number of your street, town zip, FR', '[^,]+', 1, 2)
regexp_substr('ABCDEFGHI', '(c..)(...)', 1, 1, 'i', 2)
regexp_substr('abc', 'x')
substring('foobar' from 'o.b')
substring('foobar' from 'o(.)b')
substring('foobar' from 'x')
substring('foobar' similar '%#"o_b#"%' escape '#')
array_append(array[1,2], 3)
array_append(null::int[], 3)
array_append(array[1,2], null)
array_prepend(1, array[2,3])
array_cat(array[1,2], array[3])
array[1,2] || array[3]
array[1,2] || 3
3 || array[1,2]
array[1,2] || null
array[1,2] || 3.5
array[[1,2]] || array[3,4]
array[1] || array[[1,2]]
array[1,2] || '{3}'
array_length(array[1,2,3], 1)
array_length(array[1,2,3], 2)
array_length('{}'::int[], 1)
array_ndims(array[[1,2]])
array_dims(array[[1,2]])
array_lower('[2:3]={1,2}'::int[], 1)
array_upper('[2:3]={1,2}'::int[], 1)
cardinality(array[[1,2],[3,4]])
array_position(array['a','b','c'], 'b')
array_position(array['a',null], null)
array_positions(array[1,2,1], 1)
array_remove(array[1,2,1], 1)
array_remove(array[1,null], null)
array_replace(array[1,2,1], 1, 9)
array_to_string(array[1,null,3], ',')
array_to_string(array[1,null,3], ',', '*')
array_to_string(array[1.5,2.50], ' ')
string_to_array('a,b,c', ',')
string_to_array('a,b,c', ',', 'b')
string_to_array('abc', null)
string_to_array('', ',')
string_to_array('abc', '')
array_fill(7, array[3])
array_fill(7, array[2,2])
trim_array(array[1,2,3], 2)
trim_array(array[1,2,3], 5)
array[1,2,3] @> array[2]
array[1,2,3] @> array[4]
array[1] <@ array[1,2]
array[1,2] && array[2,3]
array[1,null] @> array[null]::int[]
array['a','b'] @> '{a}'
'abc' like any(array['x%','a%'])
'abc' ~ any('{x,b}')
num_nulls(1, null, null)
num_nonnulls(1, null, null)
pg_typeof(1)
pg_typeof('a'::varchar)
pg_typeof(array[1])
length(gen_random_uuid()::text)
1 = any(null::int[])
regexp_match('foo-bar-baz','^(.*?)-(.*)$')
regexp_match('http://x.org/y', '^(https?|ftp)://([^/]+)/(.*)$')
'ab' ~ 'a*?b+'
regexp_replace('John Smith', '(\w+) (\w+)', '\2, \1')
regexp_replace('  a  b ', '\s+', ' ', 'g')
regexp_match('2020-01-31', '(\d{4})-(\d\d)-(\d\d)')
