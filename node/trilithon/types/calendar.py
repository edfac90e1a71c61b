"""The proleptic Gregorian calendar and time zones over in-memory values.

Days count from 2000-01-01, µs from its midnight. Python's datetime knows the years 1 to 9999 only, so
days are computed here (date2j and j2date of PostgreSQL's datetime.c); zones beyond those years use the
rule of a year 400 years nearer, and local mean time before year 1.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.types.registry import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN

US_PER_SECOND: Final = 1_000_000
US_PER_MINUTE: Final = 60 * US_PER_SECOND
US_PER_HOUR: Final = 60 * US_PER_MINUTE
US_PER_DAY: Final = 24 * US_PER_HOUR
# Julian days of the two epochs.
EPOCH_JULIAN: Final = 2_451_545
UNIX_EPOCH_JULIAN: Final = 2_440_588
UNIX_EPOCH_US: Final = (UNIX_EPOCH_JULIAN - EPOCH_JULIAN) * US_PER_DAY

DATE_INFINITY, DATE_NEGATIVE_INFINITY = INT32_MAX, INT32_MIN
INFINITY, NEGATIVE_INFINITY = INT64_MAX, INT64_MIN

# 4713-11-24 BC, 5874897-12-31 and 294276-12-31.
DATE_MIN: Final = -EPOCH_JULIAN
DATE_MAX: Final = 2_147_483_493 - EPOCH_JULIAN
TIMESTAMP_MIN: Final = -211_813_488_000_000_000
TIMESTAMP_MAX: Final = 9_223_371_331_200_000_000 - 1

_EPOCH: Final = datetime(2000, 1, 1)
_FIRST_US: Final = -730_119 * US_PER_DAY + 2 * US_PER_DAY
_LAST_US: Final = (3_652_059 - 730_120) * US_PER_DAY - 2 * US_PER_DAY
_CYCLE_US: Final = 146_097 * US_PER_DAY


def to_julian(year: int, month: int, day: int) -> int:
    """Years are astronomical: 0 is 1 BC."""
    if month > 2:
        month += 1
        year += 4800
    else:
        month += 13
        year += 4799
    century = year // 100
    return year * 365 - 32167 + year // 4 - century + century // 4 + 7834 * month // 256 + day


def from_julian(julian: int) -> tuple[int, int, int]:
    julian += 32044
    quad, extra = divmod(julian, 146_097)
    extra = extra * 4 + 3
    julian += 60 + quad * 3 + extra // 146_097
    quad, julian = divmod(julian, 1461)
    year = julian * 4 // 1461
    julian = ((julian + 305) % 365 if year else (julian + 306) % 366) + 123
    year += quad * 4
    quad = julian * 2141 // 65536
    return year - 4800, (quad + 10) % 12 + 1, julian - 7834 * quad // 256


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


_MONTH_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def days_in_month(year: int, month: int) -> int:
    return 29 if month == 2 and is_leap(year) else _MONTH_DAYS[month - 1]


def to_days(year: int, month: int, day: int) -> int:
    """Days since 2000-01-01, of a date that exists."""
    return to_julian(year, month, day) - EPOCH_JULIAN


def from_days(days: int) -> tuple[int, int, int]:
    return from_julian(days + EPOCH_JULIAN)


def is_date(year: int, month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= days_in_month(year, month)


def split(timestamp: int) -> tuple[int, int]:
    """(days, µs of the day)."""
    return divmod(timestamp, US_PER_DAY)


def offset_at(timestamp: int, zone: tzinfo) -> int:
    """The zone's offset EAST of UTC in seconds at an instant."""
    if zone is UTC:
        return 0
    nearer = _within_python(timestamp)
    local = (_EPOCH + timedelta(microseconds=nearer)).replace(tzinfo=UTC).astimezone(zone)
    return _seconds(local.utcoffset())


def _within_python(timestamp: int) -> int:
    if timestamp > _LAST_US:
        return timestamp - ((timestamp - _LAST_US) // _CYCLE_US + 1) * _CYCLE_US
    return max(timestamp, _FIRST_US)


def _seconds(offset: timedelta | None) -> int:
    return offset.days * 86_400 + offset.seconds if offset is not None else 0


def local_offset(local: int, zone: tzinfo) -> int:
    """The offset EAST of UTC in seconds of a local timestamp.

    Where clocks jump forward the offset before the jump is meant, where they fall back the one after
    it: standard time in both cases, as PostgreSQL has it.
    """
    if zone is UTC:
        return 0
    moment = _EPOCH + timedelta(microseconds=_within_python(local))
    before = _seconds(moment.replace(tzinfo=zone, fold=0).utcoffset())
    after = _seconds(moment.replace(tzinfo=zone, fold=1).utcoffset())
    return min(before, after)


def to_utc(local: int, zone: tzinfo) -> int:
    """A local timestamp as an instant. Raises SqlError 22008."""
    if local in (INFINITY, NEGATIVE_INFINITY):
        return local
    return check_timestamp(local - local_offset(local, zone) * US_PER_SECOND)


def to_local(instant: int, zone: tzinfo) -> int:
    """An instant as the local timestamp there. Raises SqlError 22008."""
    if instant in (INFINITY, NEGATIVE_INFINITY):
        return instant
    return check_timestamp(instant + offset_at(instant, zone) * US_PER_SECOND)


def zone_abbreviation(instant: int, zone: tzinfo) -> str:
    if zone is UTC:
        return "UTC"
    moment = _EPOCH + timedelta(microseconds=_within_python(instant))
    return moment.replace(tzinfo=UTC).astimezone(zone).tzname() or ""


def check_timestamp(value: int) -> int:
    if TIMESTAMP_MIN <= value <= TIMESTAMP_MAX or value in (INFINITY, NEGATIVE_INFINITY):
        return value
    raise SqlError("22008", "timestamp out of range")


def date_to_timestamp(days: int) -> int:
    if days == DATE_INFINITY:
        return INFINITY
    if days == DATE_NEGATIVE_INFINITY:
        return NEGATIVE_INFINITY
    value = days * US_PER_DAY
    if not TIMESTAMP_MIN <= value <= TIMESTAMP_MAX:
        raise SqlError("22008", "date out of range for timestamp")
    return value


def comparable_date(days: int) -> int:
    """The date's midnight for comparing with timestamps: it may lie after the last of them."""
    if days in (DATE_INFINITY, DATE_NEGATIVE_INFINITY):
        return date_to_timestamp(days)
    return min(days * US_PER_DAY, INFINITY - 1)


def comparable_in(local: int, zone: tzinfo) -> int:
    """A local timestamp as an instant for comparing: it may lie outside of what there is of them."""
    if local in (INFINITY, NEGATIVE_INFINITY):
        return local
    return local - local_offset(local, zone) * US_PER_SECOND


def comparable_date_in(days: int, zone: tzinfo) -> int:
    value = comparable_date(days)
    return value if value > TIMESTAMP_MAX else comparable_in(value, zone)


def date_to_timestamptz(days: int, zone: tzinfo) -> int:
    return to_utc(date_to_timestamp(days), zone)


def timestamp_to_date(timestamp: int) -> int:
    if timestamp == INFINITY:
        return DATE_INFINITY
    if timestamp == NEGATIVE_INFINITY:
        return DATE_NEGATIVE_INFINITY
    return timestamp // US_PER_DAY


def round_us(value: int, precision: int) -> int:
    """Round µs to `precision` digits of a second, half away from zero."""
    if precision >= 6 or value in (INFINITY, NEGATIVE_INFINITY):
        return value
    unit: int = 10 ** (6 - precision)
    half = unit // 2
    return (value + half) // unit * unit if value >= 0 else -((-value + half) // unit * unit)


def us_since_2000(unix_us: int) -> int:
    """µs since 1970 as µs since 2000."""
    return unix_us + UNIX_EPOCH_US


def iso_week(days: int) -> tuple[int, int]:
    """(ISO year, ISO week)."""
    weekday = (days + 5) % 7  # Monday is 0: 2000-01-01 was a Saturday.
    thursday = days - weekday + 3
    year = from_days(thursday)[0]
    return year, (thursday - to_days(year, 1, 1)) // 7 + 1
