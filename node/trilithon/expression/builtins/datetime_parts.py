"""Parts of dates, times and intervals (extract, date_part), and truncation (date_trunc, date_bin).

Source of the rules: timestamp.c and date.c of PostgreSQL 15.
"""

from collections.abc import Callable
from datetime import tzinfo
from decimal import Decimal
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression import numeric_math as nm
from trilithon.expression.builtins.datetimes import find_zone
from trilithon.expression.builtins.intervals import DATE_ENDS, ENDS, ZONED, finite, truncated
from trilithon.expression.registry import STABLE, function
from trilithon.types import calendar as cal
from trilithon.types import numeric
from trilithon.types.calendar import (
    US_PER_DAY,
    US_PER_HOUR,
    US_PER_MINUTE,
    US_PER_SECOND,
)
from trilithon.types.registry import TypeRef, type_name
from trilithon.types.values import Interval, TimeTz

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
            return cal.iso_week(days)[1]
        case "isoyear":
            return _shown_year(cal.iso_week(days)[0])
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
            return Decimal(truncated(us, US_PER_MINUTE)[1])
        case "milliseconds":
            return _exact(truncated(us, US_PER_MINUTE)[1], 3)
        case "second":
            return _exact(truncated(us, US_PER_MINUTE)[1], 6)
        case "minute":
            return Decimal(truncated(truncated(us, US_PER_HOUR)[1], US_PER_MINUTE)[0])
        case _:
            return Decimal(truncated(us, US_PER_HOUR)[0])


def _infinite_part(unit: str, positive: bool) -> Decimal | None:
    """Of an infinite date: unbounded fields are infinite, cyclic ones NULL."""
    if unit in ("year", "decade", "century", "millennium", "isoyear", "julian", "epoch"):
        return numeric.INFINITY if positive else numeric.NEGATIVE_INFINITY
    return None


def extract_date(name: str, days: int) -> Decimal | None:
    unit = _unit(name)
    if unit not in _DATE_UNITS:
        raise _unit_error("date", name, known=unit in _KNOWN_UNITS)
    if days in DATE_ENDS:
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
    if local in ENDS:
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
        return Decimal(truncated(east, 3600)[0])
    return Decimal(truncated(truncated(east, 3600)[1], 60)[0])


def extract_timestamp(name: str, value: int) -> Decimal | None:
    return _extract_local(name, value, None, "timestamp")


def extract_timestamptz(ctx: Any, name: str, value: int) -> Decimal | None:
    if value in ENDS:
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
    years, rest = truncated(months, 12)
    match unit:
        case "day":
            return Decimal(days)
        case "month":
            return Decimal(rest)
        case "quarter":
            return Decimal(truncated(rest, 3)[0] + 1)
        case "year":
            return Decimal(years)
        case "decade":
            return Decimal(truncated(years, 10)[0])
        case "century":
            return Decimal(truncated(years, 100)[0])
        case "millennium":
            return Decimal(truncated(years, 1000)[0])
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
    ("timestamptz", extract_timestamptz, ZONED),
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
    if local in ENDS:
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
    return finite(days * US_PER_DAY)


def _truncate_zoned(name: str, instant: int, zone: tzinfo) -> int:
    if instant in ENDS:
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
function("date_trunc(text, timestamptz) -> timestamptz", **ZONED)(
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
        return Interval(months, days, truncated(us, size)[0] * size)
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
    return Interval(truncated(months, sizes[unit])[0] * sizes[unit], 0, 0)


def _bin(stride: Interval, value: int, origin: int) -> int:
    if value in ENDS:
        return value
    if origin in ENDS:
        raise SqlError("22008", "origin out of range")
    if stride[0]:
        raise SqlError(
            "0A000", "timestamps cannot be binned into intervals containing months or years"
        )
    width = stride[1] * US_PER_DAY + stride[2]
    if width <= 0:
        raise SqlError("22008", "stride must be greater than zero")
    return finite(origin + (value - origin) // width * width)


function("date_bin(interval, timestamp, timestamp) -> timestamp")(_bin)
function("date_bin(interval, timestamptz, timestamptz) -> timestamptz")(_bin)
