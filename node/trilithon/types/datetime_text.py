"""date, time, timetz, timestamp, timestamptz: text in, text out (DateStyle ISO).

Input takes what PostgreSQL's ParseDateTime takes in everyday use: ISO 8601, "January 8, 1999",
"1/8/1999" by field order, "08-Jan-1999", "19990108", "J2451187", "1999.008" (day of year), 12-hour
clocks, BC, zones as offsets, names and abbreviations, and the words now, today, tomorrow, yesterday,
epoch, infinity, allballs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.types import calendar as cal
from trilithon.types.settings import IoSettings, zone_or_none
from trilithon.types.values import TimeTz

MONTHS: Final = {
    name: number + 1
    for number, names in enumerate(
        (
            "jan january",
            "feb february",
            "mar march",
            "apr april",
            "may",
            "jun june",
            "jul july",
            "aug august",
            "sep sept september",
            "oct october",
            "nov november",
            "dec december",
        )
    )
    for name in names.split()
}
_DAYS: Final = frozenset(
    [
        "sun",
        "sunday",
        "mon",
        "monday",
        "tue",
        "tues",
        "tuesday",
        "wed",
        "weds",
        "wednesday",
        "thu",
        "thur",
        "thurs",
        "thursday",
        "fri",
        "friday",
        "sat",
        "saturday",
    ]
)
# Seconds east of UTC of the abbreviations in everyday use (PostgreSQL's "Default" set, in part).
ABBREVIATIONS: Final = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "zulu": 0, "wet": 0, "west": 3600, "bst": 3600,
    "cet": 3600, "cest": 7200, "met": 3600, "mest": 7200, "eet": 7200, "eest": 10800,
    "msk": 10800, "est": -18000, "edt": -14400, "cst": -21600, "cdt": -18000, "mst": -25200,
    "mdt": -21600, "pst": -28800, "pdt": -25200, "akst": -32400, "akdt": -28800, "hst": -36000,
    "ast": -14400, "adt": -10800, "nst": -12600, "ndt": -9000, "jst": 32400, "kst": 32400,
    "aest": 36000, "aedt": 39600, "acst": 34200, "acdt": 37800, "awst": 28800, "nzst": 43200,
    "nzdt": 46800, "ist": 7200, "sast": 7200, "brt": -10800, "art": -10800, "clt": -14400,
}  # fmt: skip
_SPECIAL: Final = frozenset(
    ["now", "today", "tomorrow", "yesterday", "epoch", "infinity", "-infinity"]
)

_ISO: Final = re.compile(
    r"(\d{4,6})-(\d{1,2})-(\d{1,2})"
    r"(?:(?: +|[Tt])(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d*))?)?)?"
    r" ?(?:([+-]\d{2})(?::?(\d{2}))?(?::?(\d{2}))?|([Zz]))?",
    re.ASCII,
)
_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<time>\d+:\d+(?::\d+)?(?:[.,]\d*)?)
    | (?P<date>\d+([-/.])(?:\d+|[A-Za-z]+)\3\d+|\d+[-/.][A-Za-z]+[-/.]\d+|[A-Za-z]+[-/.]\d+[-/.]\d+|\d{4}-\d{1,2}(?![\d:-])|\d{4,}\.\d{3}(?!\d))
    | (?P<julian>[Jj]\d+(?:\.\d+)?)
    | (?P<zone>[+-]\d+(?::\d+){0,2})
    | (?P<number>\d+(?:\.\d*)?|\.\d+)
    | (?P<word>-infinity|[A-Za-z]+(?:[/_][A-Za-z0-9_+/-]*|[+-]\d+(?::\d+)*)?)
    | (?P<skip>[,;@\[\]()'])
    )""",
    re.VERBOSE | re.ASCII,
)


class _BadSyntax(Exception):
    """Not understood: 22007."""


class _BadField(Exception):
    """Understood, but no such date or time: 22008."""


class _BadZone(Exception):
    """A zone displacement that no place has: 22009."""


@dataclass(slots=True)
class _Fields:
    """What the tokens said so far. `zone` is an offset east in seconds, or a named zone."""

    year: int | None = None
    year_digits: int = 0
    month: int | None = None
    day: int | None = None
    day_of_year: int | None = None
    julian: int | None = None
    time_us: int | None = None
    zone: int | tzinfo | None = None
    bc: bool = False
    meridiem: str = ""
    special: str = ""
    # How many numbers came before the month's name.
    numbers_before_month: int = 0
    numbers: list[str] = field(default_factory=list)

    @property
    def has_date(self) -> bool:
        return self.julian is not None or (self.year is not None and self.month is not None)


def parse_time_of_day(hour: str, minute: str, second: str | None, fraction: str | None) -> int:
    """µs since midnight; 24:00:00 and a leap second's 60 are allowed."""
    h, m, s = int(hour), int(minute), int(second or 0)
    us = _fraction_us(fraction) if fraction else 0
    if m > 59 or s > 60 or h > 24 or (h == 24 and (m or s or us)):
        raise _BadField
    return (h * 3600 + m * 60 + s) * cal.US_PER_SECOND + us


def _fraction_us(digits: str) -> int:
    """Rounded half to even on the seventh digit, as rint() does."""
    if len(digits) <= 6:
        return int(digits.ljust(6, "0")) if digits else 0
    return round(float("0." + digits) * 1_000_000)


def _offset(sign_hours: str, minutes: str | None, seconds: str | None) -> int:
    digits = sign_hours[1:]
    if minutes is None and len(digits) > 2:
        digits, minutes = digits[:-2], digits[-2:]
    h, m, s = int(digits), int(minutes or 0), int(seconds or 0)
    if h > 15 or m > 59 or s > 59:
        raise _BadZone
    total = h * 3600 + m * 60 + s
    return -total if sign_hours[0] == "-" else total


def _decode(text: str, settings: IoSettings) -> _Fields:
    fields = _Fields()
    at = 0
    stripped = text.strip()
    if not stripped or len(stripped) > 200:
        raise _BadSyntax
    iso_time = False
    while at < len(stripped):
        match = _TOKEN.match(stripped, at)
        if match is None:
            raise _BadSyntax
        at = match.end()
        kind = match.lastgroup
        token = match.group().strip()
        if kind is None or match.group("date"):
            _date_token(fields, token, settings)
        elif match.group("time"):
            if fields.time_us is not None:
                raise _BadSyntax
            hour, minute, *rest = re.split(r"[:.,]", token)
            second = rest[0] if rest and token.count(":") == 2 else None
            fraction = rest[-1] if ("." in token or "," in token) else None
            if second is None and fraction is not None:
                # 12:34.5 is minutes and seconds.
                hour, minute, second = "0", hour, minute
            fields.time_us = parse_time_of_day(hour, minute, second, fraction)
        elif match.group("julian"):
            fields.julian = int(float(token[1:]))
            if "." in token:
                fields.time_us = round(float("0" + token[token.index(".") :]) * cal.US_PER_DAY)
        elif match.group("zone"):
            if fields.zone is not None:
                raise _BadSyntax
            hours, *rest = token.split(":")
            fields.zone = _offset(
                hours, rest[0] if rest else None, rest[1] if len(rest) > 1 else None
            )
        elif match.group("number"):
            _number_token(fields, token, settings, iso_time)
        elif match.group("word"):
            iso_time = token.lower() == "t" or iso_time
            _word_token(fields, token.lower())
    _settle_numbers(fields, settings)
    return fields


def _word_token(fields: _Fields, word: str) -> None:
    if word in _SPECIAL:
        if fields.special:
            raise _BadSyntax
        fields.special = word
    elif word in MONTHS:
        if fields.month is not None:
            raise _BadSyntax
        fields.month = MONTHS[word]
        fields.numbers_before_month = len(fields.numbers)
    elif word in ("am", "pm"):
        fields.meridiem = word
    elif word in ("bc", "ad"):
        fields.bc = word == "bc"
    elif word == "allballs":
        fields.time_us, fields.zone = 0, 0
    elif word in _DAYS or word in ("t", "at", "on"):
        pass
    elif word in ABBREVIATIONS:
        if fields.zone is not None:
            raise _BadSyntax
        fields.zone = ABBREVIATIONS[word]
    else:
        zone = zone_or_none(word) if len(word) > 2 else None
        if zone is None and "/" in word:
            raise SqlError("22023", f'time zone "{word}" not recognized')
        if zone is None or fields.zone is not None:
            raise _BadSyntax
        fields.zone = zone


def _number_token(fields: _Fields, token: str, settings: IoSettings, iso_time: bool) -> None:
    whole, _, fraction = token.partition(".")
    if fields.has_date or iso_time:
        if fields.time_us is None and len(whole) in (2, 4, 6) and (iso_time or len(whole) > 2):
            fields.time_us = parse_time_of_day(
                whole[:2], whole[2:4] or "0", whole[4:] or None, fraction or None
            )
            return
        if fields.time_us is None and fields.day is not None and len(whole) <= 2:
            # "10 pm"
            fields.time_us = int(whole) * cal.US_PER_HOUR
            return
    if "." in token:
        raise _BadSyntax
    if len(whole) >= 8 and not fields.has_date:
        fields.year, fields.year_digits = int(whole[:-4]), len(whole) - 4
        fields.month, fields.day = int(whole[-4:-2]), int(whole[-2:])
    elif len(whole) == 6 and not fields.has_date and not fields.numbers and fields.month is None:
        fields.year, fields.year_digits = int(whole[:2]), 2
        fields.month, fields.day = int(whole[2:4]), int(whole[4:])
    else:
        fields.numbers.append(whole)
        if len(fields.numbers) > 3:
            raise _BadSyntax


def _settle_numbers(fields: _Fields, settings: IoSettings) -> None:
    """Lone numbers are the day, month and year that are still missing, in the field order."""
    if fields.numbers:
        parts = list(fields.numbers)
        if fields.month is not None:
            _date_with_month_name(fields, parts, settings)
        elif (
            len(parts) == 2 and fields.time_us is None and len(parts[0]) == 4 and len(parts[1]) == 3
        ):
            fields.year, fields.year_digits, fields.day_of_year = int(parts[0]), 4, int(parts[1])
        elif len(parts) == 3:
            _numeric_date(fields, parts, settings)
        else:
            raise _BadSyntax
    if fields.meridiem and fields.time_us is not None:
        hour = fields.time_us // cal.US_PER_HOUR
        if hour > 12:
            raise _BadField
        if fields.meridiem == "pm" and hour != 12:
            fields.time_us += 12 * cal.US_PER_HOUR
        elif fields.meridiem == "am" and hour == 12:
            fields.time_us -= 12 * cal.US_PER_HOUR


def _date_token(fields: _Fields, token: str, settings: IoSettings) -> None:
    if fields.year is not None:
        raise _BadSyntax
    parts = re.split(r"[-/.]", token)
    if len(parts) == 2:
        if len(parts[1]) == 3:
            fields.year, fields.year_digits, fields.day_of_year = int(parts[0]), 4, int(parts[1])
            return
        fields.year, fields.month, fields.year_digits = int(parts[0]), int(parts[1]), 4
        raise _BadSyntax
    names = [number for number, part in enumerate(parts) if part.isalpha()]
    if not names:
        _numeric_date(fields, parts, settings)
        return
    month = MONTHS.get(parts[names[0]].lower())
    if month is None or len(names) > 1 or fields.month is not None:
        raise _BadSyntax
    fields.month = month
    fields.numbers_before_month = 0
    _date_with_month_name(fields, [part for part in parts if not part.isalpha()], settings)


def _date_with_month_name(fields: _Fields, parts: list[str], settings: IoSettings) -> None:
    """Which of the numbers is the day, which the year: DecodeNumber() of PostgreSQL, one by one.

    A name in one word with its numbers ("08-Jan-1999") counts as before them.
    """
    order = settings.field_order
    year, day, known_month = fields.year, fields.day, False
    digits = fields.year_digits
    for number, part in enumerate([*parts, ""]):
        if number == fields.numbers_before_month:
            known_month = True
        if not part:
            break
        value = int(part)
        if not known_month and year is None and day is None:
            # The first number before the name: in the order MDY it is taken for the month until then.
            if len(part) >= 3 or order == "YMD":
                year, digits = value, len(part)
            elif order == "DMY" or 1 <= value <= 31:
                day = value
            else:
                raise _BadSyntax
        elif not known_month:
            # "1999 8 January": the 8 was taken for the month, until the name came.
            if year is None or day is not None or not 1 <= value <= 31:
                raise _BadSyntax
            day = value
        elif year is None and day is None:
            if len(part) >= 3 or order == "YMD":
                year, digits = value, len(part)
            else:
                day = value
        elif day is None:
            if len(part) >= 3 and digits <= 2:
                # "08 Jan 1999" in the order YMD: what looked like the year was the day.
                day, year, digits = year, value, len(part)
            else:
                day = value
        elif year is None:
            year, digits = value, len(part)
        else:
            raise _BadSyntax
    fields.year, fields.day, fields.year_digits = year, day, digits


def _numeric_date(fields: _Fields, parts: list[str], settings: IoSettings) -> None:
    order = "YMD" if len(parts[0]) > 2 else settings.field_order
    by_letter = dict(zip(order, parts, strict=True))
    if len(by_letter["M"]) > 2 or len(by_letter["D"]) > 2:
        raise _BadField
    fields.year, fields.year_digits = int(by_letter["Y"]), len(by_letter["Y"])
    fields.month, fields.day = int(by_letter["M"]), int(by_letter["D"])


def _days(fields: _Fields) -> int:
    """The date that the fields say."""
    if fields.julian is not None:
        return fields.julian - cal.EPOCH_JULIAN
    if fields.year is None:
        raise _BadSyntax
    year = fields.year
    if fields.year_digits <= 2 and not fields.bc:
        year += 2000 if year < 70 else 1900
    elif year == 0 and not fields.bc:
        raise _BadField
    if fields.bc:
        if year <= 0:
            raise _BadField
        year = 1 - year
    if fields.day_of_year is not None:
        if not 1 <= fields.day_of_year <= 365 + cal.is_leap(year):
            raise _BadField
        return cal.to_days(year, 1, 1) + fields.day_of_year - 1
    if fields.month is None or fields.day is None:
        raise _BadSyntax
    if not cal.is_date(year, fields.month, fields.day):
        raise _BadField
    return cal.to_days(year, fields.month, fields.day)


def _error(kind: str, text: str, error: Exception) -> SqlError:
    if isinstance(error, _BadZone):
        return SqlError("22009", f'time zone displacement out of range: "{text}"')
    if isinstance(error, _BadField):
        month_first = re.match(r"\d{1,2}/\d", text.strip())
        return SqlError(
            "22008",
            f'date/time field value out of range: "{text}"',
            hint='Perhaps you need a different "datestyle" setting.' if month_first else "",
        )
    return SqlError("22007", f'invalid input syntax for type {kind}: "{text}"')


def _local_now(settings: IoSettings) -> int:
    return cal.to_local(settings.now_us, settings.zone)


def _special_days(fields: _Fields, settings: IoSettings) -> int:
    today = _local_now(settings) // cal.US_PER_DAY
    return {
        "now": today,
        "today": today,
        "tomorrow": today + 1,
        "yesterday": today - 1,
        "epoch": cal.UNIX_EPOCH_JULIAN - cal.EPOCH_JULIAN,
        "infinity": cal.DATE_INFINITY,
        "-infinity": cal.DATE_NEGATIVE_INFINITY,
    }[fields.special]


def parse_date(text: str, settings: IoSettings) -> int:
    """Raises SqlError 22007, 22008."""
    try:
        match = _ISO.fullmatch(text)
        if match is not None and match[4] is None and match[8] is None:
            year, month, day = int(match[1]), int(match[2]), int(match[3])
            if year == 0 or not cal.is_date(year, month, day):
                raise _BadField
            return cal.to_days(year, month, day)
        fields = _decode(text, settings)
        if fields.special:
            return _special_days(fields, settings)
        days = _days(fields)
    except (_BadSyntax, _BadField, _BadZone) as error:
        raise _error("date", text, error) from None
    if not cal.DATE_MIN <= days <= cal.DATE_MAX:
        raise SqlError("22008", f'date out of range: "{text}"')
    return days


def parse_timestamp(text: str, settings: IoSettings, *, zoned: bool) -> int:
    """Without `zoned` a zone in the text is ignored, as SQL wants it. Raises SqlError 22007, 22008,
    22009."""
    kind = "timestamp with time zone" if zoned else "timestamp"
    try:
        value = _timestamp(text, settings, zoned)
    except (_BadSyntax, _BadField, _BadZone) as error:
        raise _error(kind, text, error) from None
    if not cal.TIMESTAMP_MIN <= value <= cal.TIMESTAMP_MAX and value not in (
        cal.INFINITY,
        cal.NEGATIVE_INFINITY,
    ):
        raise SqlError("22008", f'timestamp out of range: "{text}"')
    return value


def _timestamp(text: str, settings: IoSettings, zoned: bool) -> int:
    match = _ISO.fullmatch(text)
    zone: int | tzinfo | None
    if match is not None and (match[4] is not None or match[8] is None):
        year, month, day = int(match[1]), int(match[2]), int(match[3])
        if year == 0 or not cal.is_date(year, month, day):
            raise _BadField
        local = cal.to_days(year, month, day) * cal.US_PER_DAY
        if match[4] is not None:
            local += parse_time_of_day(match[4], match[5], match[6], match[7])
        zone = _offset(match[8], match[9], match[10]) if match[8] else 0 if match[11] else None
    else:
        fields = _decode(text, settings)
        if fields.special:
            return _special_timestamp(fields, settings, zoned)
        local = _days(fields) * cal.US_PER_DAY + (fields.time_us or 0)
        zone = fields.zone
    if not zoned:
        return local
    if zone is None:
        zone = settings.zone
    if isinstance(zone, int):
        return local - zone * cal.US_PER_SECOND
    return local - cal.local_offset(local, zone) * cal.US_PER_SECOND


def _special_timestamp(fields: _Fields, settings: IoSettings, zoned: bool) -> int:
    match fields.special:
        case "infinity":
            return cal.INFINITY
        case "-infinity":
            return cal.NEGATIVE_INFINITY
        case "epoch":
            return cal.UNIX_EPOCH_US
        case "now":
            return settings.now_us if zoned else _local_now(settings)
    local = _special_days(fields, settings) * cal.US_PER_DAY + (fields.time_us or 0)
    return cal.to_utc(local, settings.zone) if zoned else local


def parse_time(text: str, settings: IoSettings) -> int:
    """µs since midnight. Raises SqlError 22007, 22008."""
    us = _time_fields(text, settings, "time")[0]
    if us > cal.US_PER_DAY:
        raise SqlError("22008", f'date/time field value out of range: "{text}"')
    return us


def parse_timetz(text: str, settings: IoSettings) -> TimeTz:
    us, fields = _time_fields(text, settings, "time with time zone")
    zone = fields.zone
    if zone is None:
        zone = settings.zone
    if isinstance(zone, int):
        return TimeTz(us, -zone)
    day = _local_now(settings) // cal.US_PER_DAY
    if fields.has_date:
        day = _days(fields)
    elif fields.zone is not None and not fields.special:
        # A named zone has no offset without a date.
        raise _error("time with time zone", text, _BadSyntax())
    return TimeTz(us, -cal.local_offset(day * cal.US_PER_DAY + us, zone))


def _time_fields(text: str, settings: IoSettings, kind: str) -> tuple[int, _Fields]:
    try:
        if re.fullmatch(r"\s*\d{4}(?:\d{2}(?:\.\d*)?)?\s*", text):
            digits, _, fraction = text.strip().partition(".")
            us = parse_time_of_day(digits[:2], digits[2:4], digits[4:] or None, fraction or None)
            return us, _Fields(time_us=us)
        fields = _decode(text, settings)
        if fields.special == "now":
            local = _local_now(settings)
            return local % cal.US_PER_DAY, fields
        if fields.time_us is None or fields.special:
            raise _BadSyntax
        if fields.has_date:
            _days(fields)
        return fields.time_us, fields
    except (_BadSyntax, _BadField, _BadZone) as error:
        raise _error(kind, text, error) from None


# --- output


def _clock(us: int) -> str:
    """HH:MM:SS with as many digits of a fraction as it has."""
    seconds, fraction = divmod(us, cal.US_PER_SECOND)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    text = f"{hour:02d}:{minute:02d}:{second:02d}"
    return f"{text}.{fraction:06d}".rstrip("0") if fraction else text


def _ymd(days: int) -> tuple[str, str]:
    """("YYYY-MM-DD", " BC" or "")."""
    year, month, day = cal.from_days(days)
    if year > 0:
        return f"{year:04d}-{month:02d}-{day:02d}", ""
    return f"{1 - year:04d}-{month:02d}-{day:02d}", " BC"


def render_offset(east: int) -> str:
    """±HH[:MM[:SS]]"""
    sign = "-" if east < 0 else "+"
    minutes, seconds = divmod(abs(east), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{sign}{hours:02d}"
    if minutes or seconds:
        text += f":{minutes:02d}"
    return f"{text}:{seconds:02d}" if seconds else text


def render_date(days: int) -> str:
    if days == cal.DATE_INFINITY:
        return "infinity"
    if days == cal.DATE_NEGATIVE_INFINITY:
        return "-infinity"
    return "".join(_ymd(days))


def render_timestamp(value: int) -> str:
    if value == cal.INFINITY:
        return "infinity"
    if value == cal.NEGATIVE_INFINITY:
        return "-infinity"
    days, us = divmod(value, cal.US_PER_DAY)
    date, era = _ymd(days)
    return f"{date} {_clock(us)}{era}"


def render_timestamptz(value: int, zone: tzinfo) -> str:
    if value in (cal.INFINITY, cal.NEGATIVE_INFINITY):
        return render_timestamp(value)
    east = cal.offset_at(value, zone)
    days, us = divmod(value + east * cal.US_PER_SECOND, cal.US_PER_DAY)
    date, era = _ymd(days)
    return f"{date} {_clock(us)}{render_offset(east)}{era}"


def render_time(us: int) -> str:
    return _clock(us)


def render_timetz(value: TimeTz) -> str:
    us, zone = value
    return _clock(us) + render_offset(-zone)
