'2020-02-29'::date
'2021-02-29'::date
'2020-13-01'::date
'2020-1-5'::date
'January 8, 1999'::date
'Jan 8 1999'::date
'8 Jan 1999'::date
'1999-Jan-08'::date
'Jan-08-1999'::date
'08-Jan-1999'::date
'08-Jan-99'::date
'99-08-01'::date
'1/8/1999'::date
'1/18/1999'::date
'18/1/1999'::date
'1/2/03'::date
'19990108'::date
'990108'::date
'1999.008'::date
'J2451187'::date
'January 8, 99 BC'::date
'0044-03-15 BC'::date
'0000-01-01'::date
'infinity'::date
'-infinity'::date
'epoch'::date
'abc'::date
''::date
'2020-01-01 10:00:00'::date
'2020-01-01T10:00:00Z'::date
'5874897-12-31'::date
'5874898-01-01'::date
'4714-11-24 BC'::date
'4714-11-23 BC'::date
'Mon Jan 05 2015'::date
'2015-W01-1'::date
'10:00'::time
'10:00:05.1234567'::time
'10:00:05.5'::time(0)
'24:00:00'::time
'24:00:01'::time
'23:59:60'::time
'25:00'::time
'10:60'::time
'04:05 AM'::time
'04:05 PM'::time
'12:00 AM'::time
'12:00 PM'::time
'13:00 PM'::time
'040506'::time
'0405'::time
'allballs'::time
'abc'::time
'10:00+02'::timetz
'10:00:00-08:30'::timetz
'10:00 PST'::timetz
'10:00'::timetz
'10:00 America/New_York'::timetz
'2003-04-12 04:05:06 America/New_York'::timetz
'2020-01-01 10:00:00'::timestamp
'2020-01-01T10:00:00'::timestamp
'2020-01-01 10:00:00.123456789'::timestamp
'2020-01-01 10:00:00.5'::timestamp(0)
'2020-01-01 10:00:01.5'::timestamp(0)
'2020-01-01 10:00:00+05'::timestamp
'2020-01-01'::timestamp
'2020-01-01 24:00:00'::timestamp
'2020-01-01 25:00:00'::timestamp
'2020-01-01 10:00'::timestamp
'20200101T101112'::timestamp
'20200101 101112'::timestamp
'2020-01-01 10:11:12 PM'::timestamp
'Sat Feb 16 17:32:01 1997'::timestamp
'Feb 16 17:32:01 1997 PST'::timestamptz
'1997-02-16 17:32:01 +0500'::timestamptz
'1997-02-16 17:32:01-08'::timestamptz
'2020-07-01 12:00:00 America/New_York'::timestamptz
'2020-07-01 12:00:00 Europe/Berlin'::timestamptz
'2020-03-08 02:30:00 America/New_York'::timestamptz
'2020-11-01 01:30:00 America/New_York'::timestamptz
'2020-01-01 10:00:00Z'::timestamptz
'2020-01-01 10:00:00 UTC'::timestamptz
'2020-01-01 10:00:00 +16'::timestamptz
'2020-01-01 10:00:00 foo/bar'::timestamptz
'294276-12-31 23:59:59'::timestamp
'294277-01-01'::timestamp
'4714-11-24 00:00:00 BC'::timestamp
'infinity'::timestamp
'-infinity'::timestamptz
'0001-01-01 00:00:00'::timestamptz
'1883-11-18 12:00:00 America/New_York'::timestamptz
'9999-12-31 23:59:59.999999'::timestamp
'10000-01-01 00:00:00'::timestamptz
'now'::timestamp is not null
'1 day'::interval
'1 day 2 hours'::interval
'1 year 2 months 3 days 4 hours 5 minutes 6 seconds'::interval
'1-2'::interval
'1 2:03:04'::interval
'-1 day'::interval
'-1 day +2:00'::interval
'1 day -2 hours'::interval
'1 day ago'::interval
'1 year 2 mons ago'::interval
'1.5 months'::interval
'1.5 years'::interval
'1.7 years'::interval
'0.1 months'::interval
'1.5 weeks'::interval
'1.5 days'::interval
'2.123456789 seconds'::interval
'P1Y2M3DT4H5M6S'::interval
'P1Y2M3DT4H5M6.7S'::interval
'PT1H'::interval
'P0001-02-03T04:05:06'::interval
'P1W'::interval
'-P1D'::interval
'100 hours'::interval
'90 minutes'::interval
'5'::interval
'12:34'::interval
'12:34:56.789'::interval
'-12:34'::interval
'1 millennium 1 century 1 decade'::interval
'3 ms'::interval
'abc'::interval
''::interval
'1 foo'::interval
'1 day 1'::interval
'@ 1 minute'::interval
interval '1' day
interval '1' month
interval '1' hour
interval '1-2' year to month
interval '1 2:03' day to minute
interval '1 2:03:04' day to hour
interval '1.5' second
interval '12:34' minute to second
interval(3) '1.23456 sec'
'1 day 3 hours 20 minutes'::interval day
'178956970 years'::interval
'178956971 years'::interval
interval '1 month' = interval '30 days'
interval '1 day' < interval '25 hours'
interval '1 day' = '24:00:00'::interval
'0'::interval
'00:00:00.000001'::interval
'-00:00:01'::interval
date '2020-01-31' + 1
date '2020-01-31' - 31
1 + date '2020-01-31'
date '2020-03-01' - date '2020-02-01'
date '2020-01-31' + interval '1 month'
date '2020-01-31' - interval '1 month'
date '2020-01-31' + time '10:00'
timestamp '2020-01-31 10:00' + interval '1 month'
timestamp '2020-03-31 10:00' - interval '1 month 1 day'
timestamp '2020-03-31 10:00' - timestamp '2020-01-01 12:00'
timestamp '2020-01-01 12:00' - timestamp '2020-03-31 10:00'
timestamptz '2020-03-31 10:00+00' - timestamptz '2020-01-01 12:00+00'
timestamptz '2020-03-31 10:00+00' + interval '1 day'
timestamp 'infinity' + interval '1 day'
timestamp 'infinity' - timestamp '2020-01-01'
date 'infinity' + 1
date 'infinity' - date '2020-01-01'
timestamp '294276-12-31' + interval '1 year'
date '5874897-12-31' + 1
time '10:00' + interval '15 hours'
time '10:00' - interval '11 hours'
time '10:00' - time '12:30'
timetz '10:00+02' + interval '1 hour'
interval '1 day' + interval '2 hours'
interval '1 day' - interval '2 hours'
- interval '1 day 2 hours'
interval '1 day' * 2
interval '1 month' * 1.5
interval '1 month 1 day 1 hour' * 0.3
2 * interval '1 day'
interval '1 day' / 3
interval '1 month' / 7
interval '1 year' / 0
interval '1 hour' * 'NaN'::float8
date '2020-01-01' < timestamp '2020-01-01 00:00:01'
date '2020-01-01' = timestamptz '2020-01-01 00:00+00'
timestamp '2020-01-01' = timestamptz '2020-01-01 00:00+00'
date '2020-01-01' < '2020-01-02'
timestamptz '2020-01-01 00:00+00' > date '2019-12-31'
timestamp '2020-01-01 10:00'::date
timestamp '2020-01-01 10:00'::time
timestamptz '2020-01-01 10:00+00'::timestamp
timestamptz '2020-01-01 10:00+00'::timetz
date '2020-01-01'::timestamp
date '2020-01-01'::timestamptz
time '10:00'::interval
interval '26 hours'::time
interval '-1 hour'::time
'10:00+02'::timetz::time
'10:00+02'::timetz < '09:00+00'::timetz
extract(year from date '2020-02-29')
extract(month from date '2020-02-29')
extract(day from timestamp '2020-02-29 10:11:12.5')
extract(hour from timestamp '2020-02-29 10:11:12.5')
extract(second from timestamp '2020-02-29 10:11:12.5')
extract(milliseconds from timestamp '2020-02-29 10:11:12.5')
extract(microseconds from timestamp '2020-02-29 10:11:12.5')
extract(epoch from timestamp '2020-02-29 10:11:12.5')
extract(epoch from timestamptz '2020-02-29 10:11:12.5+02')
extract(epoch from date '2020-02-29')
extract(epoch from interval '1 year 2 months 3 days 04:05:06.7')
extract(dow from date '2020-03-01')
extract(isodow from date '2020-03-01')
extract(doy from date '2020-03-01')
extract(week from date '2021-01-01')
extract(isoyear from date '2021-01-01')
extract(quarter from date '2020-05-01')
extract(decade from date '1999-05-01')
extract(century from date '2000-05-01')
extract(century from date '2001-05-01')
extract(century from date '0001-05-01 BC')
extract(millennium from date '2001-05-01')
extract(year from date '0044-03-15 BC')
extract(decade from date '0044-03-15 BC')
extract(century from date '0101-03-15 BC')
extract(julian from date '2020-01-01')
extract(julian from timestamp '2020-01-01 12:00')
extract(timezone from timestamptz '2020-01-01 10:00+02')
extract(timezone_hour from timetz '10:00-08:30')
extract(timezone_minute from timetz '10:00-08:30')
extract(hour from interval '-26 hours 30 minutes')
extract(minute from interval '-26 hours -30 minutes')
extract(second from interval '-1.5 seconds')
extract(day from interval '40 days')
extract(month from interval '14 months')
extract(year from interval '14 months')
extract(quarter from interval '14 months')
extract(week from interval '14 months')
extract(hour from date '2020-01-01')
extract(foo from date '2020-01-01')
extract(foo from timestamp '2020-01-01')
extract(timezone from timestamp '2020-01-01')
extract(day from time '10:00')
extract(hour from time '10:11:12')
extract(epoch from time '10:11:12')
extract(year from date 'infinity')
extract(day from date 'infinity')
date_part('year', date '2020-02-29')
date_part('second', timestamp '2020-02-29 10:11:12.5')
date_part('epoch', interval '1 day')
date_trunc('hour', timestamp '2020-02-29 10:11:12.5')
date_trunc('day', timestamp '2020-02-29 10:11:12.5')
date_trunc('week', timestamp '2020-02-29 10:11:12.5')
date_trunc('month', timestamp '2020-02-29 10:11:12.5')
date_trunc('quarter', timestamp '2020-05-29 10:11:12.5')
date_trunc('year', timestamp '2020-05-29 10:11:12.5')
date_trunc('decade', timestamp '2019-05-29 10:11:12.5')
date_trunc('century', timestamp '2000-05-29 10:11:12.5')
date_trunc('millennium', timestamp '2000-05-29 10:11:12.5')
date_trunc('second', timestamp '2020-02-29 10:11:12.5')
date_trunc('milliseconds', timestamp '2020-02-29 10:11:12.5678')
date_trunc('month', date '2020-02-29')
date_trunc('month', timestamptz '2020-02-29 10:11+00')
date_trunc('day', timestamptz '2020-02-29 02:11+00', 'America/New_York')
date_trunc('foo', timestamp '2020-01-01')
date_trunc('month', interval '1 year 2 months 3 days')
date_trunc('hour', interval '3 days 02:47:33')
date_trunc('week', interval '3 days')
date_trunc('timezone', timestamp '2020-01-01')
date_bin('15 minutes', timestamp '2020-02-11 15:44:17', timestamp '2001-01-01')
date_bin('1 month', timestamp '2020-02-11 15:44:17', timestamp '2001-01-01')
age(timestamp '2001-04-10', timestamp '1957-06-13')
age(timestamp '1957-06-13', timestamp '2001-04-10')
age(timestamp '2020-03-31', timestamp '2020-02-29')
age(timestamp '2020-02-29', timestamp '2020-03-31')
age(timestamp '2020-03-01 05:00', timestamp '2020-02-29 10:00')
age(date '2020-01-01', date '2019-12-31')
make_date(2020, 2, 29)
make_date(2021, 2, 29)
make_date(-44, 3, 15)
make_time(10, 11, 12.5)
make_time(25, 0, 0)
make_timestamp(2020, 2, 29, 10, 11, 12.5)
make_timestamptz(2020, 2, 29, 10, 11, 12.5)
make_timestamptz(2020, 2, 29, 10, 11, 12.5, 'America/New_York')
make_interval(1, 2, 3, 4, 5, 6, 7.5)
make_interval(1, 2)
make_interval()
to_timestamp(0)
to_timestamp(1284352323.5)
to_timestamp('Infinity'::float8)
justify_hours(interval '27 hours')
justify_days(interval '35 days')
justify_interval(interval '1 mon -1 hour')
isfinite(date 'infinity')
isfinite(timestamp '2020-01-01')
timestamp '2020-07-01 12:00' at time zone 'America/New_York'
timestamptz '2020-07-01 12:00+00' at time zone 'America/New_York'
timestamptz '2020-07-01 12:00+00' at time zone 'PST'
timestamptz '2020-07-01 12:00+00' at time zone 'EST5EDT'
timestamptz '2020-07-01 12:00+00' at time zone '+02'
timestamptz '2020-07-01 12:00+00' at time zone '-02:30'
timestamptz '2020-07-01 12:00+00' at time zone 'UTC+3'
timestamptz '2020-07-01 12:00+00' at time zone interval '2 hours'
timestamptz '2020-07-01 12:00+00' at time zone 'foo'
timestamp '2020-07-01 12:00' at time zone 'utc'
timetz '10:00+02' at time zone 'UTC'
now() = current_timestamp
(timestamp '2020-01-01', timestamp '2020-02-01') overlaps (timestamp '2020-01-15', timestamp '2020-03-01')
(timestamp '2020-01-01', interval '1 day') overlaps (timestamp '2020-01-02', timestamp '2020-03-01')
(date '2020-01-01', date '2020-02-01') overlaps (date '2020-02-01', date '2020-03-01')
date '2020-01-01' + 1.5
date '2020-01-01' + date '2020-01-01'
'2020-01-01' + 1
'2020-01-01'::date + '1 day'
timestamp '2020-01-01' + '1 day'
'2020-01-01'::date - '2019-01-01'
timestamp '2020-01-01' - '2019-01-01'
'2020-01-01'::date::text
'2020-01-01 10:00'::timestamp::text
'1 day'::interval::text
'2020-01-01'::text::date
5::date
greatest(date '2020-01-01', '2021-01-01')
'January 8, 99'::date
'8 January 99'::date
'99 January 8'::date
'99 January 08'::date
'1999 January 8'::date
'99 8 January'::date
'99-Jan-08'::date
'Jan-08-99'::date
'Jan-99-08'::date
'January 99, 8 BC'::date
'January 99, 8'::date
'08 Jan 1999 04:05:06'::timestamp
'99 Jan 08 04:05:06'::timestamp
'Mon 08 Jan 99 04:05:06'::timestamp
'4:05 08 Jan 99'::timestamp
'Jan 08 12:00 1999'::timestamp
'Jan 08 12:00 99'::timestamp
'99/01/08'::date
'08/01/99'::date
'January 32, 99'::date
'1999 8 January'::date
'8 9 January'::date
'32-Jan-08'::date
'0 January 99'::date
'00-Jan-99'::date
'January 8'::date
'January'::date
'January 1999'::date
'Sat Jan 08 04:05:06 1999 PST'::timestamptz
'-1 1:00:00'::interval
'-1 +1:00:00'::interval
'-1-2'::interval
'-1-2 3 4:05:06'::interval
'-1-2 +3 -4:05:06'::interval
'1 -1:00:00'::interval
'-1 year 2 months'::interval
'-1.5 years 3 mons'::interval
'-1 year -2 months'::interval
'-1 days 2 hours ago'::interval
'1 day 2 hours ago'::interval
'-1:00:00.5'::interval
'-0.5 days 3 hours'::interval
'-1 week 2 days 3.5 seconds'::interval
'P-1Y2M'::interval
'P-1DT1H'::interval
'@ -1 day 2 hours'::interval
'-1 decade 3 years'::interval
'-5'::interval
'-1.5 months'::interval
'-1.5 months 45 days'::interval
'- 1 day'::interval
'+1 day -2 hours'::interval
'-1 day 2 hours'::text::interval
'-1 mon 45 days 1:02:03'::interval(0)
'1 day - 2 hours'::interval
'-1 day 2 hours 3 minutes 4 seconds'::interval
'-1 day 2:03'::interval
'-1 0:00:00'::interval
'-0 1:00:00'::interval
'-1 day -2:00'::interval
'- 1 day 2:00'::interval
'1 day 2 days'::interval
'1:00 3 seconds'::interval
'1:00 3 hours'::interval
'1 hour 2:00'::interval
'1 week 2 days'::interval
'1 week 2 weeks'::interval
'1 year 1 decade'::interval
'1 mon 1-2'::interval
'1 year 1-2'::interval
'1-2 1-2'::interval
'3 seconds 4 ms 5 us'::interval
'3.5 seconds 4 ms'::interval
'1 ms 2 ms'::interval
