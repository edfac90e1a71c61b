select to_char(«5¦1e10::float4¦5.5¦5::float8», '«Abc¦bc¦Ab¦b¦B9¦9B9¦9Bx¦B"x"¦xB¦bb9¦AbcB9¦99Bc¦Babc¦FMBx¦b x¦B.9¦9.B9¦BS9»')
select «min¦max»(c) from (values (0, «'24 hours'::interval¦1.0::numeric¦'-0'::float8¦'a '::bpchar¦'-0'::float4»), (1, «'1 day'::interval¦1.00::numeric¦'0'::float8¦'a'::bpchar¦'0'::float4»)) v(n, c)
select «min¦max»(c order by n) from (values (0, 1.0::numeric), (1, 1.00), (2, 1.000), (3, 2.0), (4, 2.00)) v(n, c)
select «min¦max»(c order by n) over (order by n) from (values (0, 1.0::numeric), (1, 1.00), (2, 1.000), (3, 2.0), (4, 2.00)) v(n, c)
select «min¦max»(c) over (order by n) from (values (0, 1.0::numeric), (1, 1.00), (2, 1.000), (3, 2.0), (4, 2.00)) v(n, c)
select greatest(1.0, 1.00), least(1.0, 1.00), greatest(interval '1 day', '24 hours'), least(interval '1 day', '24 hours')
select '«0044-03-15 13:00:00+00 BC¦infinity¦-infinity¦4714-11-24 00:00+00 BC¦294276-12-31 23:59:59+00»'::timestamptz «<=¦=¦<>¦<¦>¦>=» «'4714-11-24 BC'::date¦'294277-01-01'::date¦'4714-11-24 BC'::timestamp¦'294276-12-31 23:59:59'::timestamp¦'infinity'::timestamp¦'-infinity'::date»
select «'4714-11-24 BC'::date¦'294277-01-01'::date¦'4714-11-24 BC'::timestamp¦'294276-12-31 23:59:59'::timestamp¦'infinity'::timestamp¦'-infinity'::date» «<=¦=¦<>¦<¦>¦>=» '«0044-03-15 13:00:00+00 BC¦infinity¦-infinity¦4714-11-24 00:00+00 BC¦294276-12-31 23:59:59+00»'::timestamptz
set timezone to 'America/New_York'
select '«0044-03-15 13:00:00+00 BC¦infinity¦-infinity¦4714-11-24 00:00+00 BC¦294276-12-31 23:59:59+00»'::timestamptz «<=¦=¦<>¦<¦>¦>=» «'4714-11-24 BC'::date¦'294277-01-01'::date¦'4714-11-24 BC'::timestamp¦'294276-12-31 23:59:59'::timestamp¦'294276-12-31'::date¦'infinity'::timestamp¦'-infinity'::date»
select min(c), max(c) from (values (array[1.0]), (array[1.00])) v(c)
