'a' || 'b'
'a' || 5
5 || 'a'
'a' || 1.50
'a' || true
'a' || null
null || 'a'
'a'::varchar || 'b'::bpchar
'a '::bpchar || 'b'
'a '::char(5) || '|'
'a'::char(3)
'a'::char(3)::text
'abcd'::char(3)
'abcd'::varchar(3)
'abc  '::varchar(3)
length('abc  '::char(5))
octet_length('abc  '::char(5))
'a '::bpchar = 'a'::bpchar
'a '::text = 'a'::text
'a '::char(3) = 'a'
'a'::char(3) < 'b'
'ab'::name
repeat('a', 70)::name
length('héllo')
octet_length('héllo')
bit_length('abc')
char_length('abc')
lower('ÀBC')
upper('straße')
upper('àbc')
initcap('hello wORLD foo-bar o''neil x2y')
substring('hello', 2)
substring('hello', 2, 3)
substring('hello', -1, 3)
substring('hello', 0)
substring('hello', 2, -1)
substring('hello', 10)
substring('hello' from 2 for 2)
substr('hello', 2, 3)
substr('hello'::bytea, 2, 3)
left('hello', 2)
left('hello', -2)
left('hello', 0)
right('hello', 2)
right('hello', -2)
right('hello', 0)
position('l' in 'hello')
position('' in 'hello')
position('x' in 'hello')
strpos('hello', 'lo')
overlay('Txxxxas' placing 'hom' from 2 for 4)
overlay('abc' placing 'x' from 2)
overlay('abc' placing 'x' from 0)
trim('  a  ')
trim(both 'x' from 'xxaxx')
trim(leading 'x' from 'xxaxx')
trim(trailing from 'a  ')
btrim('xyaxy', 'xy')
ltrim('xya', 'yx')
rtrim('axy', 'yx')
btrim('abc', '')
lpad('hi', 5)
lpad('hi', 5, 'xy')
lpad('hello', 2)
lpad('hi', -1)
lpad('hi', 5, '')
rpad('hi', 5, 'xy')
repeat('ab', 3)
repeat('ab', -1)
reverse('abc')
replace('banana', 'a', 'oo')
replace('banana', '', 'x')
translate('12345', '143', 'ax')
split_part('a,b,c', ',', 2)
split_part('a,b,c', ',', -1)
split_part('a,b,c', ',', 5)
split_part('a,b,c', ',', 0)
split_part('abc', '', 1)
split_part('abc', '', 2)
starts_with('alphabet', 'alph')
'alphabet' ^@ 'alph'
ascii('x')
ascii('')
ascii('é')
chr(65)
chr(0)
chr(-1)
chr(1114112)
concat('a', null, 1, true, 1.5)
concat()
concat_ws(',', 'a', null, 'b')
concat_ws(null, 'a')
format('Hello %s', 'World')
format('%s %s %1$s', 'a', 'b')
format('%I %L', 'Foo', 'it''s')
format('%L', null)
format('%I', null)
format('%%')
format('%')
format('%x', 1)
format('%s')
format('|%10s|', 'a')
format('|%-10s|', 'a')
format('|%*s|', 5, 'a')
format('%2$s %s', 'a', 'b', 'c')
quote_ident('foo')
quote_ident('Foo')
quote_ident('select')
quote_ident('a b"c')
quote_literal('it''s')
quote_literal('a\b')
quote_literal(5)
quote_nullable(null)
quote_nullable(5.5)
md5('abc')
md5('abc'::bytea)
sha256('abc')
encode('abc', 'hex')
encode('abc', 'base64')
encode('a\000b'::bytea, 'escape')
encode('abc', 'foo')
encode(repeat('a',60)::bytea, 'base64')
decode('616263', 'hex')
decode('6162g3', 'hex')
decode('616', 'hex')
decode('YWJj', 'base64')
decode('YWJ', 'base64')
decode('a\\b', 'escape')
'\x616263'::bytea
'abc'::bytea
'a\\b'::bytea
'a\b'::bytea
'\000'::bytea
'\x6'::bytea
'\xzz'::bytea
'\x01'::bytea < '\x02'
'\x01'::bytea || '\x02'
get_byte('\x0102', 1)
get_byte('\x0102', 2)
set_byte('\x0102', 1, 255)
length('\x0102'::bytea)
convert_to('é', 'UTF8')
convert_to('é', 'LATIN1')
convert_from('\xc3a9', 'UTF8')
convert_from('\xff', 'UTF8')
'abc' < 'abd'
'a' < 'B'
'Z' < 'a'
'' < 'a'
'é' > 'z'
greatest('a', 'b')
'abc' = 'abc'
'x'::"char"
'xyz'::"char"
''::"char"
'\101'::"char"
'a'::"char" = 'a'
5::text
5::varchar(1)
123::char(2)
1.50::text
true::text
't'::bool
'yes'::bool
'on'::bool
'of'::bool
'o'::bool
'TRUE'::bool
' true '::bool
'maybe'::bool
''::bool
'1'::bool
'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid
'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid
'{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}'::uuid
'a0eebc999c0b4ef8bb6d6bb9bd380a11'::uuid
'x'::uuid
'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1'::uuid
''::uuid
'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid < 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'
'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid::text
'{1,2,3}'::int[]
'{1,NULL,3}'::int[]
'{}'::int[]
'{{1,2},{3,4}}'::int[]
'{{1,2},{3}}'::int[]
'{a,"b c","d\"e",null,"null"}'::text[]
'{a b , c}'::text[]
'[2:3]={1,2}'::int[]
'{1,2'::int[]
'1,2'::int[]
'{1,}'::int[]
'{1,2}x'::int[]
'{a}'::int[]
'{"",x}'::text[]
'{1.5,2}'::numeric(3,1)[]
array[1,2,3]
array[1,2.5,null]
array['a','b']
array[array[1,2],array[3,4]]
array[]::int[]
array[1,2]::text[]
array[1,2]::numeric[]
(array[1,2,3])[2]
(array[1,2,3])[5]
(array[1,2,3])[1:2]
(array[1,2,3])[2:]
(array[[1,2],[3,4]])[2][1]
(array[[1,2],[3,4]])[2]
(array[[1,2],[3,4]])[1:1]
array[1,2] = array[1,2]
array[1,2] < array[1,3]
array[1] < array[1,2]
array[1,2] = array['a']
normalize('é')
