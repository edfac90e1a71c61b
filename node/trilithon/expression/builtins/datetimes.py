"""Dates, times, timestamps and intervals: arithmetic, parts, truncation, time zones.

Source of the rules: timestamp.c and date.c of PostgreSQL 15.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import tzinfo
from decimal import Decimal
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression import numeric_math as nm
from trilithon.expression.registry import IMMUTABLE, STABLE, VOLATILE, function, operator
from trilithon.types import calendar as cal
from trilithon.types import numeric
from trilithon.types.calendar import (
    INFINITY,
    NEGATIVE_INFINITY,
    US_PER_DAY,
    US_PER_HOUR,
    US_PER_MINUTE,
    US_PER_SECOND,
)
from trilithon.types.datetime_text import ABBREVIATIONS
from trilithon.types.registry import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, TypeRef, type_name
from trilithon.types.settings import zone_or_none
from trilithon.types.values import Interval, TimeTz

_ENDS: Final = (INFINITY, NEGATIVE_INFINITY)
_DATE_ENDS: Final = (cal.DATE_INFINITY, cal.DATE_NEGATIVE_INFINITY)
_ZONED: Final[dict[str, Any]] = {"context": True, "volatility": STABLE}
_SECONDS_PER_DAY: Final = 86_400


# --- intervals


def interval_out_of_range() -> SqlError:
    return SqlError("22008", "interval out of range")


def make(months: int, days: int, us: int) -> Interval:
    """Raises SqlError 22008 where a field does not fit."""
    if (
        INT32_MIN <= months <= INT32_MAX
        and INT32_MIN <= days <= INT32_MAX
        and INT64_MIN <= us <= INT64_MAX
    ):
        return Interval(months, days, us)
    raise interval_out_of_range()


@operator("interval + interval -> interval")
def _add_intervals(left: Interval, right: Interval) -> Interval:
    return make(left[0] + right[0], left[1] + right[1], left[2] + right[2])


@operator("interval - interval -> interval")
def _subtract_intervals(left: Interval, right: Interval) -> Interval:
    return make(left[0] - right[0], left[1] - right[1], left[2] - right[2])


@operator("- interval -> interval")
def negate(value: Interval) -> Interval:
    return make(-value[0], -value[1], -value[2])


operator("+ interval -> interval", raises=False)(lambda value: value)


def _rounded_us(seconds: float) -> float:
    """TSROUND: to whole µs."""
    return float(round(seconds * 1e6)) / 1e6


def _scaled(value: Interval, scale: Callable[[int], float]) -> Interval:
    """Multiply or divide: fractions of months become days (30), of days become time."""
    months_exact, days_exact = scale(value[0]), scale(value[1])
    if not all(math.isfinite(x) for x in (months_exact, days_exact)):
        raise interval_out_of_range()
    months, days = int(months_exact), int(days_exact)
    month_days = _rounded_us((months_exact - months) * 30)
    seconds = _rounded_us((days_exact - days + month_days - int(month_days)) * _SECONDS_PER_DAY)
    if abs(seconds) >= _SECONDS_PER_DAY:
        whole = int(seconds / _SECONDS_PER_DAY)
        days += whole
        seconds -= whole * _SECONDS_PER_DAY
    days += int(month_days)
    return make(months, days, round(scale(value[2]) + seconds * US_PER_SECOND))


@operator("interval * float8 -> interval")
def multiply_interval(value: Interval, factor: float) -> Interval:
    return _scaled(value, lambda number: number * factor)


operator("float8 * interval -> interval")(lambda factor, value: multiply_interval(value, factor))


@operator("interval / float8 -> interval")
def divide_interval(value: Interval, divisor: float) -> Interval:
    if divisor == 0:
        raise SqlError("22012", "division by zero")
    return _scaled(value, lambda number: number / divisor)


def _truncated(value: int, unit: int) -> tuple[int, int]:
    quotient = abs(value) // unit
    quotient = -quotient if value < 0 else quotient
    return quotient, value - quotient * unit


@function("justify_hours(interval) -> interval")
def justify_hours(value: Interval) -> Interval:
    whole, us = _truncated(value[2], US_PER_DAY)
    days = value[1] + whole
    if days > 0 and us < 0:
        return make(value[0], days - 1, us + US_PER_DAY)
    if days < 0 and us > 0:
        return make(value[0], days + 1, us - US_PER_DAY)
    return make(value[0], days, us)


@function("justify_days(interval) -> interval")
def _justify_days(value: Interval) -> Interval:
    whole, days = _truncated(value[1], 30)
    months = value[0] + whole
    if months > 0 and days < 0:
        return make(months - 1, days + 30, value[2])
    if months < 0 and days > 0:
        return make(months + 1, days - 30, value[2])
    return make(months, days, value[2])


@function("justify_interval(interval) -> interval")
def _justify_interval(value: Interval) -> Interval:
    months, days, us = value
    whole, us = _truncated(us, US_PER_DAY)
    days += whole
    whole, days = _truncated(days, 30)
    months += whole
    if months > 0 and (days < 0 or (days == 0 and us < 0)):
        months, days = months - 1, days + 30
    elif months < 0 and (days > 0 or (days == 0 and us > 0)):
        months, days = months + 1, days - 30
    if days > 0 and us < 0:
        days, us = days - 1, us + US_PER_DAY
    elif days < 0 and us > 0:
        days, us = days + 1, us - US_PER_DAY
    return make(months, days, us)


# --- timestamps and intervals


def _add_months(timestamp: int, months: int) -> int:
    days, us = divmod(timestamp, US_PER_DAY)
    year, month, day = cal.from_days(days)
    total = year * 12 + month - 1 + months
    year, month = total // 12, total % 12 + 1
    day = min(day, cal.days_in_month(year, month))
    return cal.to_days(year, month, day) * US_PER_DAY + us


def add_interval(timestamp: int, value: Interval) -> int:
    """Months first (clamped to the month's last day), then days, then time."""
    if timestamp in _ENDS:
        return timestamp
    months, days, us = value
    if months:
        timestamp = cal.check_timestamp(_add_months(timestamp, months))
    return _finite(timestamp + days * US_PER_DAY + us)


def _finite(value: int) -> int:
    if not cal.TIMESTAMP_MIN <= value <= cal.TIMESTAMP_MAX:
        raise SqlError("22008", "timestamp out of range")
    return value


def add_interval_zoned(instant: int, value: Interval, zone: tzinfo) -> int:
    """Months and days move the local clock, time moves the instant."""
    if instant in _ENDS:
        return instant
    months, days, us = value
    if months or days:
        local = cal.to_local(instant, zone)
        if months:
            local = cal.check_timestamp(_add_months(local, months))
        instant = cal.to_utc(_finite(local + days * US_PER_DAY), zone)
    return _finite(instant + us)


def _subtract_timestamps(left: int, right: int) -> Interval:
    if left in _ENDS or right in _ENDS:
        raise SqlError("22008", "cannot subtract infinite timestamps")
    days, us = _truncated(left - right, US_PER_DAY)
    return Interval(0, days, us)


operator("timestamp + interval -> timestamp")(add_interval)
operator("interval + timestamp -> timestamp")(lambda value, at: add_interval(at, value))
operator("timestamp - interval -> timestamp")(lambda at, value: add_interval(at, negate(value)))
operator("timestamp - timestamp -> interval")(_subtract_timestamps)
operator("timestamptz - timestamptz -> interval")(_subtract_timestamps)
operator("timestamptz + interval -> timestamptz", **_ZONED)(
    lambda ctx, at, value: add_interval_zoned(at, value, ctx.settings.zone)
)
operator("interval + timestamptz -> timestamptz", **_ZONED)(
    lambda ctx, value, at: add_interval_zoned(at, value, ctx.settings.zone)
)
operator("timestamptz - interval -> timestamptz", **_ZONED)(
    lambda ctx, at, value: add_interval_zoned(at, negate(value), ctx.settings.zone)
)

# --- dates and times


def _add_days(date: int, days: int) -> int:
    if date in _DATE_ENDS:
        return date
    result = date + days
    if not cal.DATE_MIN <= result <= cal.DATE_MAX:
        raise SqlError("22008", "date out of range")
    return result


def _subtract_dates(left: int, right: int) -> int:
    if left in _DATE_ENDS or right in _DATE_ENDS:
        raise SqlError("22008", "cannot subtract infinite dates")
    return left - right


def _date_and_time(date: int, time: int) -> int:
    start = cal.date_to_timestamp(date)
    return start if start in _ENDS else _finite(start + time)


def _date_and_timetz(date: int, time: TimeTz) -> int:
    start = cal.date_to_timestamp(date)
    return start if start in _ENDS else _finite(start + time[0] + time[1] * US_PER_SECOND)


operator("date + int4 -> date")(_add_days)
operator("int4 + date -> date")(lambda days, date: _add_days(date, days))
operator("date - int4 -> date")(lambda date, days: _add_days(date, -days))
operator("date - date -> int4")(_subtract_dates)
operator("date + interval -> timestamp")(
    lambda date, value: add_interval(cal.date_to_timestamp(date), value)
)
operator("interval + date -> timestamp")(
    lambda value, date: add_interval(cal.date_to_timestamp(date), value)
)
operator("date - interval -> timestamp")(
    lambda date, value: add_interval(cal.date_to_timestamp(date), negate(value))
)
operator("date + time -> timestamp")(_date_and_time)
operator("time + date -> timestamp")(lambda time, date: _date_and_time(date, time))
operator("date + timetz -> timestamptz")(_date_and_timetz)
operator("timetz + date -> timestamptz")(lambda time, date: _date_and_timetz(date, time))
function("datetime_pl(date, time) -> timestamp")(_date_and_time)

operator("time + interval -> time", raises=False)(
    lambda time, value: (time + value[2]) % US_PER_DAY
)
operator("interval + time -> time", raises=False)(
    lambda value, time: (time + value[2]) % US_PER_DAY
)
operator("time - interval -> time", raises=False)(
    lambda time, value: (time - value[2]) % US_PER_DAY
)
operator("time - time -> interval", raises=False)(lambda a, b: Interval(0, 0, a - b))
operator("timetz + interval -> timetz", raises=False)(
    lambda time, value: TimeTz((time[0] + value[2]) % US_PER_DAY, time[1])
)
operator("interval + timetz -> timetz", raises=False)(
    lambda value, time: TimeTz((time[0] + value[2]) % US_PER_DAY, time[1])
)
operator("timetz - interval -> timetz", raises=False)(
    lambda time, value: TimeTz((time[0] - value[2]) % US_PER_DAY, time[1])
)

for _kind, _ends in (("date", _DATE_ENDS), ("timestamp", _ENDS), ("timestamptz", _ENDS)):
    function(f"isfinite({_kind}) -> bool", raises=False)(
        lambda value, ends=_ends: value not in ends
    )
function("isfinite(interval) -> bool", raises=False)(lambda value: True)

# --- now

for _name in ("now", "transaction_timestamp"):
    function(f"{_name}() -> timestamptz", raises=False, **_ZONED)(
        lambda ctx: ctx.transaction_time_us
    )
function("statement_timestamp() -> timestamptz", raises=False, **_ZONED)(
    lambda ctx: ctx.statement_time_us
)
function("clock_timestamp() -> timestamptz", raises=False, context=True, volatility=VOLATILE)(
    lambda ctx: ctx.now_us()
)


def _local_now(ctx: Any) -> int:
    return cal.to_local(ctx.transaction_time_us, ctx.settings.zone)


# The words CURRENT_DATE and so on; their precision is a cast around them.
function("current_date() -> date", **_ZONED)(lambda ctx: _local_now(ctx) // US_PER_DAY)
function("localtimestamp() -> timestamp", **_ZONED)(_local_now)
function("localtime() -> time", **_ZONED)(lambda ctx: _local_now(ctx) % US_PER_DAY)


@function("current_time() -> timetz", **_ZONED)
def _current_time(ctx: Any) -> TimeTz:
    east = cal.offset_at(ctx.transaction_time_us, ctx.settings.zone)
    return TimeTz(_local_now(ctx) % US_PER_DAY, -east)


# --- making


@function("make_date(int4, int4, int4) -> date")
def make_date(year: int, month: int, day: int) -> int:
    astronomical = year if year > 0 else year + 1
    if (
        year == 0
        or not cal.is_date(astronomical, month, day)
        or not -4713 <= astronomical <= 5_874_897
    ):
        raise SqlError("22008", f"date field value out of range: {year}-{month:02d}-{day:02d}")
    return cal.to_days(astronomical, month, day)


@function("make_time(int4, int4, float8) -> time")
def make_time(hour: int, minute: int, second: float) -> int:
    us = round(second * US_PER_SECOND) if math.isfinite(second) else -1
    valid = 0 <= hour <= 24 and 0 <= minute <= 59 and 0 <= us <= 60 * US_PER_SECOND
    if not valid or (hour == 24 and (minute or us)):
        raise SqlError("22008", f"time field value out of range: {hour}:{minute:02d}:{second:02g}")
    return hour * US_PER_HOUR + minute * US_PER_MINUTE + us


@function("make_timestamp(int4, int4, int4, int4, int4, float8) -> timestamp")
def _make_timestamp(year: int, month: int, day: int, hour: int, minute: int, second: float) -> int:
    return _finite(make_date(year, month, day) * US_PER_DAY + make_time(hour, minute, second))


@function("make_timestamptz(int4, int4, int4, int4, int4, float8) -> timestamptz", **_ZONED)
def _make_timestamptz(
    ctx: Any, year: int, month: int, day: int, hour: int, minute: int, second: float
) -> int:
    return cal.to_utc(_make_timestamp(year, month, day, hour, minute, second), ctx.settings.zone)


@function("make_timestamptz(int4, int4, int4, int4, int4, float8, text) -> timestamptz", volatility=STABLE)  # fmt: skip
def _make_timestamptz_in(
    year: int, month: int, day: int, hour: int, minute: int, second: float, zone: str
) -> int:
    return cal.to_utc(_make_timestamp(year, month, day, hour, minute, second), find_zone(zone))


def _make_interval(
    years: int = 0,
    months: int = 0,
    weeks: int = 0,
    days: int = 0,
    hours: int = 0,
    minutes: int = 0,
    seconds: float = 0.0,
) -> Interval:
    if not math.isfinite(seconds):
        raise interval_out_of_range()
    us = hours * US_PER_HOUR + minutes * US_PER_MINUTE + round(seconds * US_PER_SECOND)
    return make(years * 12 + months, weeks * 7 + days, us)


_INTERVAL_ARGUMENTS: Final = ("int4",) * 6 + ("float8",)
for _count in range(8):
    function(f"make_interval({', '.join(_INTERVAL_ARGUMENTS[:_count])}) -> interval")(
        _make_interval
    )


@function("to_timestamp(float8) -> timestamptz")
def _to_timestamp(seconds: float) -> int:
    if seconds != seconds:
        raise SqlError("22008", "timestamp cannot be NaN")
    if math.isinf(seconds):
        return INFINITY if seconds > 0 else NEGATIVE_INFINITY
    value = round((seconds - 946_684_800) * US_PER_SECOND)
    if not cal.TIMESTAMP_MIN <= value <= cal.TIMESTAMP_MAX:
        raise SqlError("22008", f'timestamp out of range: "{seconds:g}"')
    return value


# --- parts

_UNIT_ALIASES: Final = {
    alias: unit
    for unit, aliases in {
        "microseconds": "microsecond us usec usecs usecond useconds",
        "milliseconds": "millisecond ms msec msecs msecond mseconds",
        "second": "seconds s sec secs",
        "minute": "minutes m min mins",
        "hour": "hours h hr hrs",
        "day": "days d",
        "week": "weeks w",
        "month": "months mon mons",
        "quarter": "qtr",
        "year": "years y yr yrs",
        "decade": "decades dec decs",
        "century": "centuries c cent",
        "millennium": "millennia mil mils",
        "timezone_hour": "timezone_h",
        "timezone_minute": "timezone_m",
        "julian": "jd",
    }.items()
    for alias in aliases.split()
}
_TIME_UNITS: Final = frozenset(["microseconds", "milliseconds", "second", "minute", "hour"])
_ZONE_UNITS: Final = frozenset(["timezone", "timezone_hour", "timezone_minute"])


def _unit(name: str) -> str:
    lowered = name.lower()
    return _UNIT_ALIASES.get(lowered, lowered)


def _unit_error(kind: str, name: str, *, known: bool) -> SqlError:
    sql_type = type_name(TypeRef(_KIND_OIDS[kind]))
    if known:
        return SqlError("0A000", f'unit "{name}" not supported for type {sql_type}')
    return SqlError("22023", f'unit "{name}" not recognized for type {sql_type}')


_KIND_OIDS: Final = {
    "date": 1082, "time": 1083, "timetz": 1266, "timestamp": 1114, "timestamptz": 1184,
    "interval": 1186,
}  # fmt: skip
_DATE_UNITS: Final = frozenset(
    [
        "day",
        "month",
        "quarter",
        "year",
        "decade",
        "century",
        "millennium",
        "week",
        "dow",
        "isodow",
        "doy",
        "isoyear",
        "julian",
        "epoch",
    ]
)
_KNOWN_UNITS: Final = _TIME_UNITS | _ZONE_UNITS | _DATE_UNITS


def iso_week(days: int) -> tuple[int, int]:
    """(ISO year, ISO week)."""
    weekday = (days + 5) % 7  # Monday is 0: 2000-01-01 was a Saturday.
    thursday = days - weekday + 3
    year = cal.from_days(thursday)[0]
    return year, (thursday - cal.to_days(year, 1, 1)) // 7 + 1


def _shown_year(year: int) -> int:
    """Astronomical to what people say: 1 BC is -1."""
    return year if year > 0 else year - 1


def _date_part(unit: str, days: int) -> int | None:
    year, month, day = cal.from_days(days)
    match unit:
        case "day":
            return day
        case "month":
            return month
        case "quarter":
            return (month - 1) // 3 + 1
        case "year":
            return _shown_year(year)
        case "decade":
            return year // 10
        case "century":
            return (year + 99) // 100 if year > 0 else -((99 - (year - 1)) // 100)
        case "millennium":
            return (year + 999) // 1000 if year > 0 else -((999 - (year - 1)) // 1000)
        case "week":
            return iso_week(days)[1]
        case "isoyear":
            return _shown_year(iso_week(days)[0])
        case "dow":
            return (days + 6) % 7
        case "isodow":
            return (days + 5) % 7 + 1
        case "doy":
            return days - cal.to_days(year, 1, 1) + 1
    return None


def _exact(us: int, scale: int) -> Decimal:
    """µs in units of 10^(6-scale) µs, with `scale` digits."""
    return numeric.round_to(numeric.EXACT.scaleb(Decimal(us), -scale), scale)


def _clock_part(unit: str, us: int) -> Decimal:
    """`us` may be negative (intervals): parts truncate towards zero."""
    match unit:
        case "microseconds":
            return Decimal(_truncated(us, US_PER_MINUTE)[1])
        case "milliseconds":
            return _exact(_truncated(us, US_PER_MINUTE)[1], 3)
        case "second":
            return _exact(_truncated(us, US_PER_MINUTE)[1], 6)
        case "minute":
            return Decimal(_truncated(_truncated(us, US_PER_HOUR)[1], US_PER_MINUTE)[0])
        case _:
            return Decimal(_truncated(us, US_PER_HOUR)[0])


def _infinite_part(unit: str, positive: bool) -> Decimal | None:
    """Of an infinite date: unbounded fields are infinite, cyclic ones NULL."""
    if unit in ("year", "decade", "century", "millennium", "isoyear", "julian", "epoch"):
        return numeric.INFINITY if positive else numeric.NEGATIVE_INFINITY
    return None


def extract_date(name: str, days: int) -> Decimal | None:
    unit = _unit(name)
    if unit not in _DATE_UNITS:
        raise _unit_error("date", name, known=unit in _KNOWN_UNITS)
    if days in _DATE_ENDS:
        return _infinite_part(unit, days > 0)
    if unit == "julian":
        return Decimal(days + cal.EPOCH_JULIAN)
    if unit == "epoch":
        return Decimal((days * US_PER_DAY - cal.UNIX_EPOCH_US) // US_PER_SECOND)
    part = _date_part(unit, days)
    return None if part is None else Decimal(part)


def _extract_local(name: str, local: int, east: int | None, kind: str) -> Decimal | None:
    unit = _unit(name)
    if unit not in _KNOWN_UNITS or (unit in _ZONE_UNITS and east is None):
        raise _unit_error(kind, name, known=unit in _KNOWN_UNITS)
    if local in _ENDS:
        return _infinite_part(unit, local > 0)
    days, us = divmod(local, US_PER_DAY)
    if unit in _TIME_UNITS:
        return _clock_part(unit, us)
    if unit in _ZONE_UNITS:
        return _zone_part(unit, east or 0)
    if unit == "julian":
        whole = Decimal(days + cal.EPOCH_JULIAN)
        fraction = nm.divide(Decimal(us), Decimal(US_PER_DAY))
        return nm.add(whole, fraction)
    if unit == "epoch":
        instant = local - (east or 0) * US_PER_SECOND
        return _exact(instant - cal.UNIX_EPOCH_US, 6)
    part = _date_part(unit, days)
    return None if part is None else Decimal(part)


def _zone_part(unit: str, east: int) -> Decimal:
    if unit == "timezone":
        return Decimal(east)
    if unit == "timezone_hour":
        return Decimal(_truncated(east, 3600)[0])
    return Decimal(_truncated(_truncated(east, 3600)[1], 60)[0])


def extract_timestamp(name: str, value: int) -> Decimal | None:
    return _extract_local(name, value, None, "timestamp")


def extract_timestamptz(ctx: Any, name: str, value: int) -> Decimal | None:
    if value in _ENDS:
        return _extract_local(name, value, 0, "timestamptz")
    east = cal.offset_at(value, ctx.settings.zone)
    return _extract_local(name, value + east * US_PER_SECOND, east, "timestamptz")


def extract_time(name: str, us: int) -> Decimal:
    unit = _unit(name)
    if unit in _TIME_UNITS:
        return _clock_part(unit, us)
    if unit == "epoch":
        return _exact(us, 6)
    raise _unit_error("time", name, known=unit in _KNOWN_UNITS)


def extract_timetz(name: str, value: TimeTz) -> Decimal:
    unit = _unit(name)
    if unit in _TIME_UNITS:
        return _clock_part(unit, value[0])
    if unit in _ZONE_UNITS:
        return _zone_part(unit, -value[1])
    if unit == "epoch":
        return _exact(value[0] + value[1] * US_PER_SECOND, 6)
    raise _unit_error("timetz", name, known=unit in _KNOWN_UNITS)


def extract_interval(name: str, value: Interval) -> Decimal:
    unit = _unit(name)
    months, days, us = value
    if unit in _TIME_UNITS:
        return _clock_part(unit, us)
    years, rest = _truncated(months, 12)
    match unit:
        case "day":
            return Decimal(days)
        case "month":
            return Decimal(rest)
        case "quarter":
            return Decimal(_truncated(rest, 3)[0] + 1)
        case "year":
            return Decimal(years)
        case "decade":
            return Decimal(_truncated(years, 10)[0])
        case "century":
            return Decimal(_truncated(years, 100)[0])
        case "millennium":
            return Decimal(_truncated(years, 1000)[0])
        case "epoch":
            # A year counts 365.25 days here, a month 30.
            day_quarters = years * 1461 + (rest * 30 + days) * 4
            return _exact(day_quarters * (US_PER_DAY // 4) + us, 6)
    raise _unit_error("interval", name, known=unit in _KNOWN_UNITS)


def _as_float(extract: Callable[..., Decimal | None]) -> Callable[..., float | None]:
    def part(*arguments: Any) -> float | None:
        value = extract(*arguments)
        return None if value is None else float(value)

    return part


for _kind, _extract, _flags in (
    ("date", extract_date, {}),
    ("timestamp", extract_timestamp, {}),
    ("timestamptz", extract_timestamptz, _ZONED),
    ("time", extract_time, {}),
    ("timetz", extract_timetz, {}),
    ("interval", extract_interval, {}),
):
    function(f"extract(text, {_kind}) -> numeric", nullable=True, **_flags)(_extract)
    function(f"date_part(text, {_kind}) -> float8", nullable=True, **_flags)(_as_float(_extract))

# --- truncation

_US_UNITS: Final = {
    "microseconds": 1,
    "milliseconds": 1000,
    "second": US_PER_SECOND,
    "minute": US_PER_MINUTE,
    "hour": US_PER_HOUR,
    "day": US_PER_DAY,
}


def _truncate(name: str, local: int, kind: str) -> int:
    unit = _unit(name)
    if local in _ENDS:
        if unit not in _KNOWN_UNITS:
            raise _unit_error(kind, name, known=False)
        return local
    size = _US_UNITS.get(unit)
    if size is not None:
        return local // size * size
    days = local // US_PER_DAY
    year, month, _ = cal.from_days(days)
    match unit:
        case "week":
            days -= (days + 5) % 7
        case "month":
            days = cal.to_days(year, month, 1)
        case "quarter":
            days = cal.to_days(year, (month - 1) // 3 * 3 + 1, 1)
        case "year":
            days = cal.to_days(year, 1, 1)
        case "decade":
            days = cal.to_days(year // 10 * 10, 1, 1)
        case "century":
            days = cal.to_days((year - 1) // 100 * 100 + 1, 1, 1)
        case "millennium":
            days = cal.to_days((year - 1) // 1000 * 1000 + 1, 1, 1)
        case _:
            raise _unit_error(kind, name, known=unit in _KNOWN_UNITS)
    return days * US_PER_DAY


def _truncate_zoned(name: str, instant: int, zone: tzinfo) -> int:
    if instant in _ENDS:
        return _truncate(name, instant, "timestamptz")
    unit = _unit(name)
    if unit in _US_UNITS and unit not in ("hour", "day"):
        # Below the hour zones play no role, but for odd old offsets.
        east = cal.offset_at(instant, zone) * US_PER_SECOND
        return _truncate(name, instant + east, "timestamptz") - east
    local = _truncate(name, cal.to_local(instant, zone), "timestamptz")
    if unit == "hour":
        east = cal.offset_at(instant, zone) * US_PER_SECOND
        return local - east
    return cal.to_utc(local, zone)


function("date_trunc(text, timestamp) -> timestamp")(
    lambda name, value: _truncate(name, value, "timestamp")
)
function("date_trunc(text, timestamptz) -> timestamptz", **_ZONED)(
    lambda ctx, name, value: _truncate_zoned(name, value, ctx.settings.zone)
)
function("date_trunc(text, timestamptz, text) -> timestamptz", volatility=STABLE)(
    lambda name, value, zone: _truncate_zoned(name, value, find_zone(zone))
)


@function("date_trunc(text, interval) -> interval")
def _truncate_interval(name: str, value: Interval) -> Interval:
    unit = _unit(name)
    months, days, us = value
    size = _US_UNITS.get(unit)
    if unit == "day":
        return Interval(months, days, 0)
    if size is not None:
        return Interval(months, days, _truncated(us, size)[0] * size)
    sizes = {
        "month": 1,
        "quarter": 3,
        "year": 12,
        "decade": 120,
        "century": 1200,
        "millennium": 12000,
    }
    if unit not in sizes:
        error = _unit_error("interval", name, known=unit in _KNOWN_UNITS)
        if unit == "week":
            error.detail = "Months usually have fractional weeks."
        raise error
    return Interval(_truncated(months, sizes[unit])[0] * sizes[unit], 0, 0)


def _bin(stride: Interval, value: int, origin: int) -> int:
    if value in _ENDS:
        return value
    if origin in _ENDS:
        raise SqlError("22008", "origin out of range")
    if stride[0]:
        raise SqlError(
            "0A000", "timestamps cannot be binned into intervals containing months or years"
        )
    width = stride[1] * US_PER_DAY + stride[2]
    if width <= 0:
        raise SqlError("22008", "stride must be greater than zero")
    return origin + (value - origin) // width * width


function("date_bin(interval, timestamp, timestamp) -> timestamp")(_bin)
function("date_bin(interval, timestamptz, timestamptz) -> timestamptz")(_bin)

# --- age


def age(left: int, right: int) -> Interval:
    """The difference in years, months, days, as people count it."""
    if left in _ENDS or right in _ENDS:
        raise SqlError("22008", "timestamp out of range")
    negative = left < right
    later, earlier = (right, left) if negative else (left, right)
    later_days, later_us = divmod(later, US_PER_DAY)
    earlier_days, earlier_us = divmod(earlier, US_PER_DAY)
    year, month, day = cal.from_days(later_days)
    year_from, month_from, day_from = cal.from_days(earlier_days)
    years, months, days, us = (
        year - year_from,
        month - month_from,
        day - day_from,
        later_us - earlier_us,
    )
    if us < 0:
        us, days = us + US_PER_DAY, days - 1
    # The borrowed month is the earlier one's, or the later one's predecessor when counting back.
    while days < 0:
        borrowed = (year, month) if negative else (year_from, month_from)
        days += cal.days_in_month(*borrowed)
        months -= 1
    while months < 0:
        months, years = months + 12, years - 1
    result = Interval(years * 12 + months, days, us)
    return negate(result) if negative else result


function("age(timestamp, timestamp) -> interval")(age)
function("age(timestamptz, timestamptz) -> interval", **_ZONED)(
    lambda ctx, left, right: age(
        cal.to_local(left, ctx.settings.zone), cal.to_local(right, ctx.settings.zone)
    )
)
function("age(timestamp) -> interval", **_ZONED)(
    lambda ctx, value: age(_local_now(ctx) // US_PER_DAY * US_PER_DAY, value)
)
function("age(timestamptz) -> interval", **_ZONED)(
    lambda ctx, value: age(
        _local_now(ctx) // US_PER_DAY * US_PER_DAY, cal.to_local(value, ctx.settings.zone)
    )
)

# --- zones


def find_zone(name: str) -> tzinfo:
    """A zone as AT TIME ZONE takes it: an abbreviation, a name, or a POSIX offset (west positive)."""
    from datetime import timedelta, timezone

    lowered = name.lower()
    if lowered in ABBREVIATIONS:
        return timezone(timedelta(seconds=ABBREVIATIONS[lowered]))
    zone = zone_or_none(name)
    if zone is None:
        raise SqlError("22023", f'time zone "{name}" not recognized')
    if name[:1] in "+-" or name[:1].isdigit():
        offset = zone.utcoffset(None)
        assert offset is not None
        return timezone(-offset)
    return zone


def _fixed_zone(value: Interval) -> int:
    """An interval as an offset east of UTC, in µs."""
    if value[0] or value[1]:
        raise SqlError(
            "22023", f'interval time zone "{_shown(value)}" must not include months or days'
        )
    return value[2] // US_PER_SECOND * US_PER_SECOND


def _shown(value: Interval) -> str:
    from trilithon.types.interval_text import render_interval

    return render_interval(value)


function("timezone(text, timestamp) -> timestamptz")(
    lambda zone, value: cal.to_utc(value, find_zone(zone))
)
function("timezone(text, timestamptz) -> timestamp")(
    lambda zone, value: cal.to_local(value, find_zone(zone))
)
function("timezone(interval, timestamp) -> timestamptz")(
    lambda zone, value: value if value in _ENDS else _finite(value - _fixed_zone(zone))
)
function("timezone(interval, timestamptz) -> timestamp")(
    lambda zone, value: value if value in _ENDS else _finite(value + _fixed_zone(zone))
)


def _move_timetz(value: TimeTz, east: int) -> TimeTz:
    us = (value[0] + (value[1] + east) * US_PER_SECOND) % US_PER_DAY
    return TimeTz(us, -east)


function("timezone(text, timetz) -> timetz", **_ZONED)(
    lambda ctx, zone, value: _move_timetz(
        value, cal.offset_at(ctx.transaction_time_us, find_zone(zone))
    )
)
function("timezone(interval, timetz) -> timetz")(
    lambda zone, value: _move_timetz(value, _fixed_zone(zone) // US_PER_SECOND)
)

# --- series and overlaps


def _series(
    add: Callable[[int, Interval], int], start: int, stop: int, step: Interval
) -> Iterator[int]:
    span = step.span_us()
    if span == 0:
        raise SqlError("22023", "step size cannot equal zero")
    current = start
    while current <= stop if span > 0 else current >= stop:
        yield current
        current = add(current, step)


function("generate_series(timestamp, timestamp, interval) -> setof timestamp")(
    lambda start, stop, step: _series(add_interval, start, stop, step)
)
function("generate_series(timestamptz, timestamptz, interval) -> setof timestamptz", **_ZONED)(
    lambda ctx, start, stop, step: _series(
        lambda at, by: add_interval_zoned(at, by, ctx.settings.zone), start, stop, step
    )
)


def overlaps(start: Any, end: Any, other_start: Any, other_end: Any) -> bool | None:
    """(a, b) OVERLAPS (c, d): half-open periods; an instant overlaps what contains it."""
    if start is None or (end is not None and start > end):
        start, end = end, start
    if other_start is None or (other_end is not None and other_start > other_end):
        other_start, other_end = other_end, other_start
    if start is None or other_start is None:
        return None
    if start == other_start:
        return None if end is None or other_end is None else True
    if start > other_start:
        if other_end is None:
            return None
        if start < other_end:
            return True
        return None if end is None else False
    if end is None:
        return None
    if other_start < end:
        return True
    return None if other_end is None else False


def _overlaps_with(
    add: Callable[[Any, Any, Interval], Any], first: bool, second: bool
) -> Callable[..., bool | None]:
    """OVERLAPS where a period is given by its start and its length."""

    def end_of(ctx: Any, start: Any, end: Any, by_length: bool) -> Any:
        if not by_length or end is None:
            return end
        return None if start is None else add(ctx, start, end)

    def check(ctx: Any, start: Any, end: Any, other_start: Any, other_end: Any) -> bool | None:
        return overlaps(
            start,
            end_of(ctx, start, end, first),
            other_start,
            end_of(ctx, other_start, other_end, second),
        )

    return check


_ADDERS: Final[dict[str, Callable[[Any, Any, Interval], Any]]] = {
    "timestamp": lambda ctx, at, by: add_interval(at, by),
    "timestamptz": lambda ctx, at, by: add_interval_zoned(at, by, ctx.settings.zone),
    "time": lambda ctx, at, by: (at + by[2]) % US_PER_DAY,
}
for _kind, _adder in _ADDERS.items():
    for _first in (False, True):
        for _second in (False, True):
            _ends_at = ["interval" if by_length else _kind for by_length in (_first, _second)]
            function(
                f"overlaps({_kind}, {_ends_at[0]}, {_kind}, {_ends_at[1]}) -> bool",
                strict=False,
                context=True,
                volatility=STABLE if _kind == "timestamptz" else IMMUTABLE,
            )(_overlaps_with(_adder, _first, _second))


def _timetz_overlaps(start: Any, end: Any, other_start: Any, other_end: Any) -> bool | None:
    keys = [
        None if value is None else TimeTz(*value).order()
        for value in (start, end, other_start, other_end)
    ]
    return overlaps(*keys)


function("overlaps(timetz, timetz, timetz, timetz) -> bool", strict=False)(_timetz_overlaps)
