# integers
1 + 1
2147483647 + 1
-2147483648 - 1
9223372036854775807 + 1
9223372036854775807
9223372036854775808
-9223372036854775808
2147483648
65536 * 65536
65536::int8 * 65536
1::int2 + 1::int2
32767::int2 + 1::int2
1::int2 + 1
1::int2 + 1::int8
7 / 2
-7 / 2
7 / -2
7 % 3
-7 % 3
7 % -3
1 / 0
1 % 0
mod(-7, 3)
(-2147483648) / -1
(-32768)::int2 / (-1)::int2
-(-32768)::int2
abs(-2147483648)
abs(-5)
@ -5
5 & 3
5 | 3
5 # 3
~5
1 << 3
1 << 31
1 << 33
-1 >> 1
-8 >> 1
1::int8 << 40
gcd(12, 18)
lcm(4, 6)
40000::int2
'40000'::int2
'abc'::int4
''::int4
' 12 '::int4
'12a'::int4
'+5'::int8
'1_000'::int4
'99999999999'::int4
3.7::int4
2.5::int4
3.5::int4
-2.5::int4
2.5::float8::int4
3.5::float8::int4
1e10::int4
1e10::float8::int4
'NaN'::float8::int4
'NaN'::numeric::int4
'Infinity'::numeric::int8
5::bool
0::bool
true::int4
true::text
false::varchar(2)
true + 1
-true
to_hex(255)
to_hex(-1)
to_hex(255::int8)
# numeric
1.0 + 1.00
1.10
1.10 * 2.200
0.1 + 0.2
1.0 / 3.0
1 / 3.0
10.0 / 3
2.0 / 3
1000000.0 / 3
1e20 / 3
1e-20 / 3
1 / 1e30
12345678901234567890.123456789 / 7
99999 / 10000.0
10000 / 9999.0
-1.0 / 3
-2.0 / 3
1.0 / 0
0.0 / 5
-1 * 0.0
0.00 - 0.00
'-0'::numeric
'-0.00'::numeric
1e5
1e-5
1.5e3
123456789012345678901234567890
.5
5.
'NaN'::numeric
'NaN'::numeric + 1
'NaN'::numeric = 'NaN'::numeric
'NaN'::numeric > 1e100
'NaN'::numeric < 1
'Infinity'::numeric
'-Infinity'::numeric
'Infinity'::numeric - 'Infinity'::numeric
'Infinity'::numeric * 0
'Infinity'::numeric / 0
1 / 'Infinity'::numeric
'inf'::numeric > 'NaN'::numeric
'1e400'::float8
'abc'::numeric
''::numeric
'1.2.3'::numeric
'1e'::numeric
'  1.5  '::numeric
'1e131072'::numeric
1.005::numeric(5,2)
-1.005::numeric(5,2)
0.125::numeric(5,2)
1000::numeric(5,2)
999.995::numeric(5,2)
999.994::numeric(5,2)
12345::numeric(5,-2)
12355::numeric(3,-1)
0.00123::numeric(3,5)
0.0123::numeric(3,5)
0.5::numeric(1,0)
9.5::numeric(1,0)
'NaN'::numeric(5,2)
'Infinity'::numeric(5,2)
1::numeric(3,3)
'123.456'::numeric(10,2)
123.456::numeric(0,0)
1::numeric(1001,2)
7.5 % 2
-7.5 % 2
7.5 % 0
mod(5.5, 2.25)
div(7.5, 2)
div(-7.5, 2)
abs(-1.50)
- 1.50
- 0.00
ceil(1.2)
ceil(-1.2)
ceil(-0.5)
floor(-1.2)
floor(1.7)
round(1.5)
round(2.5)
round(-1.5)
round(1.2345, 2)
round(1234.5, -2)
round(1250, -2)
round(-0.4)
round(0.05, 1)
trunc(1.999, 2)
trunc(-1.999)
trunc(1999, -2)
sign(-5.5)
sign(0.0)
sqrt(2.0)
sqrt(2::numeric)
sqrt(4)
sqrt(0.0)
sqrt(1e10::numeric)
sqrt(1e-10::numeric)
sqrt(123456789.123456789)
sqrt(-1.0)
sqrt(1e100::numeric)
exp(1.0)
exp(0.0)
exp(10.5)
exp(-10.5)
exp(100.0)
exp(-1000.0)
exp(3000.0)
ln(2.0)
ln(10.0)
ln(1.0)
ln(0.5)
ln(1.0000001)
ln(1e50::numeric)
ln(1e-50::numeric)
ln(0.0)
ln(-1.0)
log(100.0)
log(2.0, 8.0)
log(2.0, 10.0)
log(1.5)
log10(0.001)
power(2.0, 10)
power(2.0, 0.5)
power(2.0, -2)
power(10.0, 20)
power(1.1, 100)
power(0.0, 0)
power(0.0, -1)
power(-2.0, 3)
power(-2.0, 0.5)
power(1.5, 2.5)
power(0.5, 10.25)
power(10.0, -30)
power(3.0, 100)
power(2, 10)
2 ^ 10
2.0 ^ 10
2.0 ^ -1
10 ^ 400
10.0 ^ 400
2.5 ^ 2
scale(1.500)
min_scale(1.500)
trim_scale(1.500)
trim_scale(100)
gcd(1.5, 2.5)
lcm(1.5, 2.5)
factorial(20)
factorial(-1)
width_bucket(5.35, 0.024, 10.06, 5)
width_bucket(5.35::float8, 0.024, 10.06, 5)
width_bucket(11.0, 0, 10, 5)
width_bucket(5, 10, 0, 5)
width_bucket(5.0, 5, 5, 5)
1 = 1.0
1.0 = 1.00
1 < 1.5
1.5::float8 = 1.5
1.5::float8 < 2
0.1::float4 = 0.1::float8
0.1::float4 + 0.2::float4
0.1::float8 + 0.2::float8
1e15::float8
1e14::float8
123456789012345678::float8
0.0001::float8
0.00001::float8
1e300::float8 * 1e300::float8
1e-300::float8 * 1e-300::float8
1e300::float8 / 1e-300::float8
1::float8 / 0
'NaN'::float8
'NaN'::float8 = 'NaN'::float8
'NaN'::float8 > 'Infinity'::float8
'NaN'::float8 <> 1
1 < 'NaN'::float8
'-0'::float8
-0.0::float8
'inf'::float8
'abc'::float8
'1e-400'::float8
1.5::float4
16777217::float4
1e6::float4
1e5::float4
0.1::float4
0.1::float4::float8
0.1::float4::numeric
0.1::float8::numeric
1e40::float4
'1e40'::float4
1e-50::float8::float4
3.4028235e38::float4
1.17549435e-38::float4
1e20::float8::int8
1.5::float8::numeric
123456789.123456789::float8::numeric
12345678.9::float4::numeric
1e22::float8
ceil(1.5::float8)
floor(-1.5::float8)
ceil(-0.5::float8)
round(2.5::float8)
round(-0.4::float8)
trunc(-1.5::float8)
sqrt(2::float8)
sqrt(-1::float8)
cbrt(27.0)
exp(1::float8)
exp(1000::float8)
ln(2::float8)
ln(0::float8)
log(100::float8)
power(2::float8, 0.5)
power(0::float8, -1)
power(-8::float8, 1.0/3)
pi()
degrees(pi())
radians(180)
sin(1)
cos(1)
tan(1)
atan2(1, 2)
asin(2)
sind(30)
cosd(60)
sign(-2.5::float8)
|/ 25
||/ 27
greatest(1, 2.5, 2)
least(1, 2.5, null)
greatest(null, null)
greatest(1, 'a')
1::oid
-1::oid
4294967296::oid
1::oid = 1
5 between 1 and 10
5 not between 1 and 10
5 in (1, 5, null)
5 in (1, null)
5 not in (1, null)
5 not in (1, 2)
null in (1, 2)
5.0 in (5, 6)
5 = any(array[1,5])
5 = any('{1,5}')
5 <> all(array[1,5])
5 = all('{}'::int4[])
null = any(array[1])
5 = any(array[1,null])
1 is distinct from null
null is distinct from null
1 is not distinct from 1
nullif(1, 1)
nullif(1, 2)
nullif(1, 1.0)
coalesce(null, 1, 2)
coalesce(null, 1.5, 2)
coalesce(1, 'x')
coalesce(null, null)
case when 1 > 2 then 'a' when true then 'b' end
case 5 when 1 then 'one' when 5 then 'five' else 'other' end
case when false then 1 else 2.5 end
case when null then 1 end
case 1 when 1.0 then 1 else 1/0 end
case when 1 then 2 end
(1, 2) < (1, 3)
(1, null) < (2, 1)
(1, null) < (1, 1)
(1, 2) = (1, 2)
(1, 2) <> (1, null)
(1, 2) >= (1, 2)
row(1, 2.5) < row(1.0, 3)
null and false
null or true
null and true
not null
not true
true and null is null
true is true
null is unknown
null is not true
(1 > null) is false
true and 1
'a' + 1
'1' + 1
'1' + '1'
1 + null
null + null
- 'a'
foo(1)
abs('x')
abs('5')
1 || 2
1 + 'a'::text
1 = 'a'::text
1 = '1'::text
sqrt('4')
1 = true
round(1.5, 'a')
int4(5.7)
int4('5')
float8(5)
'5'::int4 + '6'::int8
9223372036854775807::numeric::int8
9223372036854775808::numeric::int8
-9223372036854775808::numeric(20)::int8
1e-9000::numeric * 1e-9000::numeric
scale(1e-9000::numeric * 7e-7383::numeric)
scale(1e-9000::numeric * 7e-7384::numeric)
(1e-9000::numeric * 5e-7384::numeric) > 0
(1e-9000::numeric * 4e-7384::numeric) > 0
0e-9000::numeric * 1e-9000::numeric
scale(0e-9000::numeric * 1e-9000::numeric)
scale(0::numeric(1000,1000) * 0::numeric(1000,1000))
'NaN'::numeric * 3
'NaN'::numeric * 'Infinity'::numeric
'Infinity'::numeric * -2
1e100000::numeric * 1e40000::numeric
length((9e131071::numeric * 1)::text)
length((1e-16383::numeric * 1.5)::text)
12345678901234567890123456789012345678901234567890.123456789 * 98765432109876543210987654321.987654321
-1.5 * 0.00
array_fill(7, array[2,3])
array_fill(7, array[3], array[5])
array_fill('x'::text, array[2,2], array[-1,0])
array_fill(7, array[2,3], array[1])
array_fill(7, array[]::int4[], array[]::int4[])
array_fill(7, array[0], array[2])
array_fill(7, NULL::int4[])
array_fill(7, array[2], NULL::int4[])
array_fill(7, array[2], array[NULL]::int4[])
array_fill(7, array[NULL]::int4[])
array_fill(7, array[3], array[2147483646])
array_fill(7, '{{2,3}}'::int4[])
array_fill(7, array[2], '{{2,3}}'::int4[])
array_fill(NULL::int4, array[2])
