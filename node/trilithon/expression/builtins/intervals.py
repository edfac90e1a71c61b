"""Intervals: arithmetic, justifying, and moving timestamps by them.

Source of the rules: timestamp.c of PostgreSQL 15.
"""

import math
from collections.abc import Callable
from datetime import tzinfo
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.registry import STABLE, function, operator
from trilithon.types import calendar as cal
from trilithon.types.calendar import (
    INFINITY,
    NEGATIVE_INFINITY,
    US_PER_DAY,
    US_PER_SECOND,
)
from trilithon.types.registry import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN
from trilithon.types.values import Interval

ENDS: Final = (INFINITY, NEGATIVE_INFINITY)
DATE_ENDS: Final = (cal.DATE_INFINITY, cal.DATE_NEGATIVE_INFINITY)
# What depends on the session's time zone.
ZONED: Final[dict[str, Any]] = {"context": True, "volatility": STABLE}
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
    us = scale(value[2]) + seconds * US_PER_SECOND
    if not math.isfinite(us):
        raise interval_out_of_range()
    return make(months, days, round(us))


@operator("interval * float8 -> interval")
def multiply_interval(value: Interval, factor: float) -> Interval:
    return _scaled(value, lambda number: number * factor)


operator("float8 * interval -> interval")(lambda factor, value: multiply_interval(value, factor))


@operator("interval / float8 -> interval")
def divide_interval(value: Interval, divisor: float) -> Interval:
    if divisor == 0:
        raise SqlError("22012", "division by zero")
    return _scaled(value, lambda number: number / divisor)


def truncated(value: int, unit: int) -> tuple[int, int]:
    quotient = abs(value) // unit
    quotient = -quotient if value < 0 else quotient
    return quotient, value - quotient * unit


@function("justify_hours(interval) -> interval")
def justify_hours(value: Interval) -> Interval:
    whole, us = truncated(value[2], US_PER_DAY)
    days = value[1] + whole
    if days > 0 and us < 0:
        return make(value[0], days - 1, us + US_PER_DAY)
    if days < 0 and us > 0:
        return make(value[0], days + 1, us - US_PER_DAY)
    return make(value[0], days, us)


@function("justify_days(interval) -> interval")
def _justify_days(value: Interval) -> Interval:
    whole, days = truncated(value[1], 30)
    months = value[0] + whole
    if months > 0 and days < 0:
        return make(months - 1, days + 30, value[2])
    if months < 0 and days > 0:
        return make(months + 1, days - 30, value[2])
    return make(months, days, value[2])


@function("justify_interval(interval) -> interval")
def _justify_interval(value: Interval) -> Interval:
    months, days, us = value
    whole, us = truncated(us, US_PER_DAY)
    days += whole
    whole, days = truncated(days, 30)
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
    if timestamp in ENDS:
        return timestamp
    months, days, us = value
    if months:
        timestamp = cal.check_timestamp(_add_months(timestamp, months))
    return finite(timestamp + days * US_PER_DAY + us)


def finite(value: int) -> int:
    if not cal.TIMESTAMP_MIN <= value <= cal.TIMESTAMP_MAX:
        raise SqlError("22008", "timestamp out of range")
    return value


def add_interval_zoned(instant: int, value: Interval, zone: tzinfo) -> int:
    """Months and days move the local clock, time moves the instant."""
    if instant in ENDS:
        return instant
    months, days, us = value
    if months or days:
        local = cal.to_local(instant, zone)
        if months:
            local = cal.check_timestamp(_add_months(local, months))
        instant = cal.to_utc(finite(local + days * US_PER_DAY), zone)
    return finite(instant + us)


def _subtract_timestamps(left: int, right: int) -> Interval:
    if left in ENDS or right in ENDS:
        raise SqlError("22008", "cannot subtract infinite timestamps")
    days, us = truncated(left - right, US_PER_DAY)
    return Interval(0, days, us)


operator("timestamp + interval -> timestamp")(add_interval)
operator("interval + timestamp -> timestamp")(lambda value, at: add_interval(at, value))
operator("timestamp - interval -> timestamp")(lambda at, value: add_interval(at, negate(value)))
operator("timestamp - timestamp -> interval")(_subtract_timestamps)
operator("timestamptz - timestamptz -> interval")(_subtract_timestamps)
operator("timestamptz + interval -> timestamptz", **ZONED)(
    lambda ctx, at, value: add_interval_zoned(at, value, ctx.settings.zone)
)
operator("interval + timestamptz -> timestamptz", **ZONED)(
    lambda ctx, value, at: add_interval_zoned(at, value, ctx.settings.zone)
)
operator("timestamptz - interval -> timestamptz", **ZONED)(
    lambda ctx, at, value: add_interval_zoned(at, negate(value), ctx.settings.zone)
)
