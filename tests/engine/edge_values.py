"""Values on the edges of every type, as texts that the type's input takes, and texts that functions read
as something: templates, patterns, units, zones, paths.

What depends on the clock (now, today) is left out.
"""

from __future__ import annotations

from typing import Final

_INT2 = ["0", "1", "-1", "2", "7", "-32768", "32767", "100"]
_INT4 = [*_INT2, "-2147483648", "2147483647", "10", "1000000", "-5", "3", "64"]
_INT8 = [*_INT4, "-9223372036854775808", "9223372036854775807", "4294967296", "-4294967297"]
_NUMERIC = [
    "0", "0.00", "1", "-1", "1.0", "0.5", "-0.5", "2.5", "-2.5", "1.005", "99.995", "123456789.987654321", "1e10", "1e-10",
    "-1e-20", "NaN", "Infinity", "-Infinity", "12345678901234567890123456789012345678901234567890", "0.1", "3", "10",
    "9.9999999999", "1e131071", "1e-1000", "2147483648", "9223372036854775808", "1e40", "-1e400", "0.000000000000000000001",
    "1000", "10000", "9999", "0.0001", "0.9999", "100000000.00", "-2.25", "2", "1e-16383", "9e131071", "17.000000000000000000000000000001",
]  # fmt: skip
_FLOAT4 = [
    "0", "-0", "1", "-1", "0.5", "1.5", "2.5", "-2.5", "NaN", "Infinity", "-Infinity", "3.4028235e38", "1e-45", "1.17549435e-38",
    "0.1", "1e10", "16777217", "123456.789", "-1e-10", "1e15", "9.999999e5", "1e-5", "32767.5", "2147483648",
]  # fmt: skip
_FLOAT8 = [
    *_FLOAT4[:11], "1.7976931348623157e308", "5e-324", "2.2250738585072014e-308", "0.1", "1e15", "1e16", "123456789012345678",
    "9007199254740993", "-1e-300", "1e300", "0.30000000000000004", "9.2233720368547758e18", "-9.2233720368547758e18", "2147483647.5",
    "0.49999999999999994", "1e-7", "1e-4", "100", "3.5", "90", "45", "-180", "360", "710", "-745.2", "4503599627370497.5", "30", "60",
]  # fmt: skip
_TEXT = [
    "", " ", "a", "abc", "ABC", "  padded  ", "äöü", "ÄÖÜ ß", "é", "e\u0301", "日本語", "😀x", "a%b_c", "\\", "\\x41", "100", "-12.5",
    "1e5", "true", "İstanbul", "ǅ ﬀ ς Σ", "line\nbreak\ttab", "'quoted'", '"double"', "a,b,,c", "NULL", "x" * 70, "aaa", "2024-02-29",
    "{1,2}", '{"a": 1}', "[1, null]", "o'neil", "Hello World foo_bar-baz9qux", "A", "z", "~", "a\u00a0b", "\u200b", "Straße", "ŉ", "\U00010400",
    "1", "0", "t", "12:30", "1 day", "int4", "public", "kitten", "sitting", "\x01\x7f", "{a,NULL,\"NULL\"}", "ά Ά", "ΑΣ", "a.b", "(x)[y]*",
]  # fmt: skip
_DATE = [
    "2000-01-01", "2024-02-29", "1999-12-31", "2023-03-31", "1900-02-28", "0001-01-01", "0044-03-15 BC", "4713-01-01 BC", "infinity",
    "-infinity", "5874897-12-31", "4714-11-24 BC", "1970-01-01", "2024-12-30", "2021-01-03", "10000-01-01", "1582-10-10", "0001-12-31 BC",
    "2024-03-31", "2024-10-27", "294276-12-31", "294277-01-01",
]  # fmt: skip
_TIME = ["00:00:00", "24:00:00", "23:59:59.999999", "12:34:56.789", "00:00:00.000001", "11:59:59.9999995", "13:00", "10:11:12.5"]  # fmt: skip
_TIMESTAMP = [
    "2000-01-01 00:00:00", "2024-02-29 12:34:56.789012", "1999-12-31 23:59:59.999999", "0044-03-15 13:00:00 BC", "infinity", "-infinity",
    "294276-12-31 23:59:59.999999", "4714-11-24 00:00:00 BC", "1970-01-01 00:00:00.5", "2024-03-31 02:30:00", "2024-10-27 02:30:00",
    "2024-03-10 02:30:00", "2024-11-03 01:30:00", "0001-01-01 00:00:00", "1883-11-18 12:03:57", "2024-12-30 23:59:59.5", "2021-01-03 00:00",
    "0001-12-31 23:00:00 BC", "1945-05-24 03:00:00", "2050-07-01 12:00:00", "10000-01-01 00:00:01", "2024-01-31 10:00", "1999-01-08 04:05:06.1",
]  # fmt: skip
_TIMESTAMPTZ = [
    "2000-01-01 00:00:00+00", "2024-02-29 12:34:56.789012+05:30", "1999-12-31 23:59:59.999999-12", "0044-03-15 13:00:00+00 BC", "infinity",
    "-infinity", "294276-12-31 23:59:59.999999+00", "4714-11-24 00:00:00+00 BC", "2024-03-31 01:00:00+00", "2024-03-31 00:59:59+00",
    "2024-10-27 00:30:00+00", "2024-10-27 01:30:00+00", "2024-03-31 02:30:00 Europe/Berlin", "2024-11-03 01:30:00 America/New_York",
    "1883-11-18 17:00:00+00", "1893-03-31 23:00:00+00", "2024-10-05 15:30:00+00", "2038-01-19 03:14:08+00", "2100-07-01 00:00+00",
    "2024-07-15 15:16:17.5 EST", "1850-01-01 00:00+00", "2024-01-01 00:00:00+15:59:59", "1969-12-31 23:59:59.999999+00",
]  # fmt: skip
_TIMETZ = ["00:00:00+00", "24:00:00-12", "23:59:59.999999+15:59", "12:34:56.789+05:30", "10:11:12-08", "00:00:00+15:59:59", "13:00:00.5+02"]  # fmt: skip
_INTERVAL = [
    "0", "1 day", "-1 day", "1 month", "1 year 2 months 3 days 04:05:06.789", "-1 year -2 months +3 days -04:05:06.789", "1 microsecond",
    "178956970 years 7 mons", "-178956970 years -8 mons", "2147483647 days", "-2147483648 days", "30 days", "24 hours", "1 mon -1 sec",
    "-00:00:00.000001", "100:00:00", "1.5 months", "365 days", "12 months", "1 week", "2562047788:00:54.775807", "-2562047788:00:54.775807",
    "11 months 29 days 23:59:59.999999", "90 minutes", "0.1 sec", "1 mon 1 day", "-1 mon", "15 min", "23 hours 59 minutes", "3 days -01:00:00",
]  # fmt: skip
_JSON = [
    "null", "true", "0", "-0", "1", "-1.50", "1e5", "1e-7", '"a"', '""', '"\\u00e9"', "[]", "{}", "[1, 2, 3]", '{"a": 1}', '{"a": null, "b": [1, {"c": "d"}]}',
    '{"a": 1, "a": 2}', "[[1, 2], [3, [4]]]", '[null, true, "x", 1.0, 1.00]', '{"": 1, " ": 2}', '{"b": 1, "aa": 2, "a": {"x": "y"}}',
    '"\\"quoted\\" \\\\ \\n"', "  [1 , 2 ]  ", "12345678901234567890.123456789", '{"a": [], "b": {}}', '"😀"', '[1, "1", [1], {"1": 1}]',
    '{"k": "v", "n": 1.5, "t": true, "z": null}', "[-0, 0.0, 1e2]", '{"a": {"b": {"c": [0, 1, 2]}}}', '[{"f1": 1, "f2": null}, 2, null, 3]', "false",
]  # fmt: skip
_JSONPATH = [
    "$", "$.a", "$[*]", "$.*", "$.a.b", "$[0]", "$[last]", "$[0 to 1]", "$.**", "$.**{1 to 2}", "$.a ? (@ > 0)", "$[*] ? (@ == 1)", "strict $.a",
    "strict $[5]", "$.a.type()", "$.size()", "$[*].double()", "$.keyvalue()", "$[*] ? (@ like_regex \"^a\")", "$[*] ? (@ starts with \"x\")",
    "$ ? (exists(@.a))", "1 + 1", "-$[*]", "$[*] > 1", "$.a == null", "$[*].ceiling()", "$[*].abs()", "$x", "$[*] ? (@.f1 is unknown)", "\"abc\"", "$.a / 0",
    "$[1.9]", "$[-1]", "$.k", "!($.a == 1)", "($.a > 0) && ($.b < 5)", "$[*].floor()", "$[*] ? (!(@ == 2))", "$.n * 2", "$.n % 2", "lax $[*][*]",
]  # fmt: skip
_BYTEA = ["\\x", "\\x00", "\\x41", "\\xdeadbeef", "\\x00ff00", "\\x616263", "\\xc3a9", "\\xff", "\\x" + "ab" * 40, "\\x0a5c27", "\\x80", "\\x6161"]  # fmt: skip
_UUID = [
    "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}", "018f2b6e-7e2c-7cc3-98c4-dc0c0c07398f",
]  # fmt: skip
_INT4_ARRAYS = [
    "{}", "{1}", "{1,2,3}", "{NULL}", "{1,NULL,3}", "{{1,2},{3,4}}", "[0:2]={5,6,7}", "[-1:0][2:3]={{1,2},{3,4}}", "{{{1},{2}}}", "{3,1,2,1,3}",
    "{2147483647,-2147483648}", "[5:5]={9}", "{1,1,1}", "{{NULL,1}}",
]  # fmt: skip

LITERALS: Final[dict[str, list[str]]] = {
    "bool": ["t", "f"],
    "int2": _INT2,
    "int4": _INT4,
    "int8": _INT8,
    "numeric": _NUMERIC,
    "float4": _FLOAT4,
    "float8": _FLOAT8,
    "text": _TEXT,
    "varchar": _TEXT,
    "bpchar": ["", " ", "a", "abc  ", "  x ", "äö ", "A", "100"],
    "name": ["", "a", "pg_class", "x" * 70, "äöü", "Abc"],
    "char": ["", "a", "Z", " ", "0", "\\377"],
    "bytea": _BYTEA,
    "uuid": _UUID,
    "date": _DATE,
    "time": _TIME,
    "timetz": _TIMETZ,
    "timestamp": _TIMESTAMP,
    "timestamptz": _TIMESTAMPTZ,
    "interval": _INTERVAL,
    "json": _JSON,
    "jsonb": _JSON,
    "jsonpath": _JSONPATH,
    "oid": ["0", "1", "25", "4294967295", "2147483648"],
    "regtype": ["int4", "text", "numeric", "-"],
    "_int4": _INT4_ARRAYS,
    "_int2": ["{}", "{1,2}", "{NULL,-32768}"],
    "_int8": ["{}", "{1,2,3}", "{9223372036854775807,NULL}", "{{1},{2}}"],
    "_text": ["{}", "{a}", "{a,NULL,b}", '{"","a b","NULL","\\"q\\"","back\\\\slash"}', "{{a,b},{c,d}}", "[0:1]={x,y}", "{b,a,B,ä}", "{a,1,b,2}", "{{a,1},{b,2}}", "{a,b,c}"],
    "_numeric": ["{}", "{1.5,NaN,-1e10}", "{1.0,1.00}", "{NULL,0.1}", "{Infinity,1,-Infinity}"],
    "_float8": ["{}", "{1.5,NaN}", "{0.5,0.25,0.75}", "{-0,0,Infinity}", "{NULL,1}", "{0,1}"],
    "_float4": ["{}", "{1.5,NaN}", "{0.1}"],
    "_bool": ["{}", "{t,f,NULL}"],
    "_date": ["{}", "{2024-02-29,infinity,NULL}"],
    "_timestamp": ["{}", '{"2024-02-29 12:00",infinity}'],
    "_timestamptz": ["{}", '{"2024-02-29 12:00+00",-infinity}'],
    "_interval": ["{}", '{"1 day",NULL,"-1 mon"}'],
    "_jsonb": ["{}", '{"{\\"a\\": 1}",null,"[1]"}'],
    "_uuid": ["{}", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,NULL}"],
    "_bytea": ["{}", '{"\\\\x00","\\\\xff",NULL}'],
    "_varchar": ["{}", "{a,NULL,b}"],
}  # fmt: skip

_DATE_TEMPLATES = [
    "YYYY-MM-DD HH24:MI:SS.US", "YY", "YYY", "Y,YYY", "IYYY-IW-ID", "IYY IY I", "DDD", "IDDD", "Day|DAY|day|Dy|DY|dy", "Month|MONTH|month|Mon|MON|mon", "FMMonth FMDD, FMYYYY",
    "HH HH12 AM", "HH:MI:SS p.m.", "A.D. BC b.c.", "CC", "J", "Q", "WW W", "RM rm", "SSSS SSSSS", "MS US FF1 FF2 FF3 FF4 FF5 FF6", "TZ tz TZH TZM OF", "DDth DDTH", "FMDDth", "\"a \\\"b\" YYYY",
    "YYYYYYYY", "D", "TMMonth TMDay", "FXYYYY", "YYYYth", "HH24MISS", "", "x\\Y", "FMHH12:FMMI:FMSS", "FMDDD FMDD FMD", "MMDDYYYYHH24", "DD/MM/YY", "Dth Qth Wth", "FMCCth", "FMRM|RM", "JTH",
    "YYYY\"years\"", "TZHTZM", "AM PM am pm", "BC AD", "DY, DD MON YYYY",
]  # fmt: skip
_NUMBER_TEMPLATES = [
    "999", "000", "9,999.99", "0,000.00", "S999", "999S", "MI999", "999MI", "PL999", "999PL", "SG999", "999SG", "PR999", "999PR", "FM999.99", "FM000.00", "L999.99", "9G999D99", "999V99", "RN", "FMRN", "rn",
    "9.99EEEE", "EEEE", "999th", "999TH", "FM999th", "$999", "", "99\"text\"99", "B999", "0.0", ".99", "FM.99", "FM9.0", "999999999999999999999", "FM9999999999.99999999", "S9.99", "9S9", "099", "990.00", "9,9,9",
    "FM0999", "9 9", "+999", "999.", "FMS999", "FM999MI", "FM999PR", "999D", "D99", "9EEEE", "0009", "99.0", "FM990.99", "SG99.9", "9999999EEEE", "FML999",
]  # fmt: skip
_UNITS = [
    "microseconds", "milliseconds", "second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade", "century", "millennium", "epoch", "dow", "isodow", "doy", "isoyear", "julian", "timezone",
    "timezone_hour", "timezone_minute", "YEAR", "years", "mon", "hrs", "bogus", "", "msec", "us", "y", "d", "m", "s", "w", "qtr", "c", "mil", "h", "min", "sec", "dec", "usec", "cent",
]  # fmt: skip
_ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "EST", "CEST", "PST8PDT", "+02", "-5:30", "bogus", "", "GMT", "z", "Etc/GMT+5", "europe/berlin", "UTC+3", "EST5EDT,M3.2.0,M11.1.0",
    "Pacific/Apia", "MSK", "allballs", "BST", "1", "-12:34:56", "<abc>5", "America/Sao_Paulo",
]  # fmt: skip
_PATTERNS = [
    "", "a", "^a", "b$", ".", "a*", "(a)(b)?", "[a-c]+", "\\d+", "\\w", "(?i)ABC", "a|b", "[[:alpha:]]+", "x{0,2}", "(.)\\1", "\\s", "^", "$", "(?=a)", "a+?", "\\m", "\\M", "\\y", "[^,]*", "(", "[z-a]", "*", "a{2}", "\\", "o",
    "(a*)*", "[[:space:][:punct:]]", "\\A.", "(?:x)(y)", "é", "\\u00e9", "\\x61", "[äö]", "^.*$", "***=a.b", "***:(?i)a", "(?x) a b", "a{1,0}", "\\D", "(ab|a)(bc)?", ",", "\\.", "[]]", "(?n).$", "a(?!b)", "(?<=a)b", "(?<!a)b", "[\\d]", "\\Z",
]  # fmt: skip
_LIKES = ["", "%", "_", "a%", "%b", "%a%", "a_c", "a\\%b%", "\\", "%\\_%", "___", "ab", "_%_", "A%", "É", "é", "%%", "\\\\%", "a\\bc", "%ß%", "ä%"]  # fmt: skip
_FLAGS = ["", "g", "i", "gi", "x", "n", "s", "c", "q", "w", "p", "m", "z", "in", "ic", "e", "b"]

# (function or operator, number of the argument from 0): what to give it often. The number of arguments may stand behind the name.
SPECIAL: Final[dict[tuple[str, int], list[str]]] = {
    ("to_number", 1): _NUMBER_TEMPLATES,
    ("to_number", 0): ["12,454.8-", "-12.5", "1e5", "  7 ", "$12", "<12>", "1,2,3", "+5", "", "abc", "0012", "1.005", "XIV", "12th", "99\"text\"99", "."],
    ("to_date", 1): _DATE_TEMPLATES,
    ("to_date", 0): ["2024-02-29", "20240229", "29 Feb 2024", "2024-W09-4", "24", "12/31/1999", "", "2459000", "Monday", "0044-03-15 BC", "-1", "5 2024", "IV 2024", "20000-1131", "2024 060", "99-1-1", "1st", "February"],
    ("to_timestamp", 1): _DATE_TEMPLATES,
    ("to_timestamp", 0): ["2024-02-29 12:34:56.789", "2024-02-29 11:59 PM", "20240229123456", "2024-02-29T12:34:56+05:30", "12:34", "86399", "2024-13-01", "", "44 BC", "1 Jan 2024", "2024-02-30", "12345", "2024-02-29 25:00:00"],
    ("date_trunc", 0): _UNITS, ("date_part", 0): _UNITS, ("extract", 0): _UNITS,
    ("date_trunc", 2): _ZONES, ("timezone", 0): _ZONES, ("make_timestamptz", 6): _ZONES,
    ("~", 1): _PATTERNS, ("~*", 1): _PATTERNS, ("!~", 1): _PATTERNS, ("!~*", 1): _PATTERNS,
    ("~~", 1): _LIKES, ("!~~", 1): _LIKES, ("~~*", 1): _LIKES, ("!~~*", 1): _LIKES,
    ("like_escape", 1): ["", "!", "\\", "ab"], ("similar_to_escape", 1): ["", "!", "\\", "ab", "#"],
    ("similar_to_escape", 0): ["a%", "(a|b)+", "_", "%\"a\"%", "a{2}", "[a-z]", "#%", "x|y", "a.c", "^a$", ""],
    ("regexp_replace", 1): _PATTERNS, ("regexp_match", 1): _PATTERNS, ("regexp_matches", 1): _PATTERNS, ("regexp_count", 1): _PATTERNS,
    ("regexp_instr", 1): _PATTERNS, ("regexp_like", 1): _PATTERNS, ("regexp_substr", 1): _PATTERNS, ("regexp_split_to_array", 1): _PATTERNS,
    ("regexp_split_to_table", 1): _PATTERNS, ("substring", 1): _PATTERNS,
    ("regexp_replace", 2): ["", "x", "\\1", "\\&", "[\\2]", "\\\\", "\\"],
    ("regexp_replace", 3): _FLAGS, ("regexp_match", 2): _FLAGS, ("regexp_matches", 2): _FLAGS, ("regexp_count", 3): _FLAGS, ("regexp_instr", 5): _FLAGS,
    ("regexp_like", 2): _FLAGS, ("regexp_substr", 4): _FLAGS, ("regexp_split_to_array", 2): _FLAGS, ("regexp_split_to_table", 2): _FLAGS, ("regexp_replace", 5): _FLAGS,
    ("encode", 1): ["hex", "base64", "escape", "HEX", "bogus"], ("decode", 1): ["hex", "base64", "escape", "bogus"],
    ("decode", 0): ["", "00ff", "0", "zz", "YWJj", "YW Jj", "YWI=", "YQ", "\\000a", "\\\\", "a\\", "\\9", " 41 42 ", "é"],
    ("convert_from", 1): ["UTF8", "LATIN1", "SQL_ASCII", "bogus", "WIN1252", "utf-8"], ("convert_to", 1): ["UTF8", "LATIN1", "SQL_ASCII", "bogus", "LATIN2"],
    ("convert", 1): ["UTF8", "LATIN1"], ("convert", 2): ["LATIN1", "UTF8"], ("length", 1): ["UTF8", "LATIN1", "bogus"],
    ("format", 0): ["%s", "%I", "%L", "%%", "%1$s %1$s", "%2$s", "%-5s|", "%5s|", "%*s", "%-*s", "%", "%x", "%s %s", "%3$*1$s", "a%sb", "%10L", "%0$s", "%1$"],
    ("normalize", 1): ["NFC", "NFD", "NFKC", "NFKD", "nfc", "x"], ("is_normalized", 1): ["NFC", "NFD", "NFKC", "NFKD"],
    ("set_config", 0): ["my.x"], ("current_setting", 0): ["my.x", "bogus.y", "DateStyle", "work_mem", "nosuch"],
    ("jsonb_set_lax", 4): ["use_json_null", "delete_key", "return_target", "raise_exception", "bogus"],
    ("date_bin", 0): ["15 minutes", "1 day", "7 days", "1 month", "-1 hour", "0", "1.5 sec"],
    ("parse_ident", 0): ["a.b", "\"A\".b", "a.", ".a", "\"a", "", "1a", "ä.b", "Foo.BAR", "a b"],
    ("quote_ident", 0): ["select", "a", "A", "", "a\"b", "user", "ä", "1x", "x y"],
    ("jsonb_path_query", 2): ["{}", '{"x": 1}'], ("jsonb_path_exists", 2): ["{}", '{"x": 1}'],
    ("chr", 0): ["65", "233", "128512", "0", "-1", "1114111", "1114112", "55296"],
    ("#>", 1): ["{a}", "{0}", "{}", "{a,b}", "{-1}", "{b,1,c}", "{NULL}", "{a,0}"], ("#>>", 1): ["{a}", "{0}", "{}", "{a,b}", "{-1}", "{b,1,c}"],
    ("#-", 1): ["{a}", "{0}", "{}", "{a,b}", "{-1}", "{b,1,c}", "{x}"],
    ("jsonb_set", 1): ["{a}", "{0}", "{}", "{a,b}", "{-1}", "{b,1,c}", "{b,-5}", "{x,y}", "{b,x}"], ("jsonb_insert", 1): ["{a}", "{0}", "{}", "{-1}", "{b,0}", "{b,5}"],
    ("jsonb_set_lax", 1): ["{a}", "{0}", "{x}", "{b,1}"],
    ("jsonb_extract_path", 1): ["a", "0", "b"], ("json_extract_path", 1): ["a", "0", "b"], ("->", 1): ["a", "b", "", "0", "k"], ("->>", 1): ["a", "b", "", "0", "k"],
    ("?", 1): ["a", "b", "1", ""], ("-", 1): ["a", "b", "1", "0", "-1"],
    ("repeat", 1): ["0", "1", "3", "-1", "100"], ("lpad", 1): ["0", "1", "5", "-1", "20"], ("rpad", 1): ["0", "1", "5", "-1", "20"],
    ("round", 1): ["0", "1", "2", "-1", "-3", "20", "3000", "-200000"], ("trunc", 1): ["0", "1", "2", "-1", "-3", "20", "3000"],
}  # fmt: skip
# By the type of the first argument.
TO_CHAR: Final[dict[str, list[str]]] = {
    "timestamp": _DATE_TEMPLATES, "timestamptz": _DATE_TEMPLATES, "interval": _DATE_TEMPLATES, "numeric": _NUMBER_TEMPLATES, "int4": _NUMBER_TEMPLATES,
    "int8": _NUMBER_TEMPLATES, "float4": _NUMBER_TEMPLATES, "float8": _NUMBER_TEMPLATES,
}  # fmt: skip
# Values that would only take long or much memory.
HUGE: Final = frozenset(
    {
        "1e131071",
        "9e131071",
        "1e-16383",
        "-1e400",
        "2147483647",
        "9223372036854775807",
        "-9223372036854775808",
    }
)
