"""Dates, times and timestamps: arithmetic, now, making, ages, time zones, series, overlaps.

Parts and truncation are in datetime_parts, intervals in intervals. Source of the rules: timestamp.c and
date.c of PostgreSQL 15.
"""

import math
from collections.abc import Callable, Iterator
from datetime import tzinfo
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.builtins.intervals import (
    DATE_ENDS,
    ENDS,
    ZONED,
    add_interval,
    add_interval_zoned,
    finite,
    interval_out_of_range,
    make,
    negate,
)
from trilithon.expression.registry import IMMUTABLE, STABLE, VOLATILE, function, operator
from trilithon.types import calendar as cal
from trilithon.types.calendar import (
    INFINITY,
    NEGATIVE_INFINITY,
    US_PER_DAY,
    US_PER_HOUR,
    US_PER_MINUTE,
    US_PER_SECOND,
)
from trilithon.types.datetime_text import ABBREVIATIONS
from trilithon.types.settings import zone_or_none
from trilithon.types.values import Interval, TimeTz

# --- dates and times


def _add_days(date: int, days: int) -> int:
    if date in DATE_ENDS:
        return date
    result = date + days
    if not cal.DATE_MIN <= result <= cal.DATE_MAX:
        raise SqlError("22008", "date out of range")
    return result


def _subtract_dates(left: int, right: int) -> int:
    if left in DATE_ENDS or right in DATE_ENDS:
        raise SqlError("22008", "cannot subtract infinite dates")
    return left - right


def _date_and_time(date: int, time: int) -> int:
    start = cal.date_to_timestamp(date)
    return start if start in ENDS else finite(start + time)


def _date_and_timetz(date: int, time: TimeTz) -> int:
    start = cal.date_to_timestamp(date)
    return start if start in ENDS else finite(start + time[0] + time[1] * US_PER_SECOND)


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

for _kind, _ends in (("date", DATE_ENDS), ("timestamp", ENDS), ("timestamptz", ENDS)):
    function(f"isfinite({_kind}) -> bool", raises=False)(
        lambda value, ends=_ends: value not in ends
    )
function("isfinite(interval) -> bool", raises=False)(lambda value: True)

# --- now

for _name in ("now", "transaction_timestamp"):
    function(f"{_name}() -> timestamptz", raises=False, **ZONED)(
        lambda ctx: ctx.transaction_time_us
    )
function("statement_timestamp() -> timestamptz", raises=False, **ZONED)(
    lambda ctx: ctx.statement_time_us
)
function("clock_timestamp() -> timestamptz", raises=False, context=True, volatility=VOLATILE)(
    lambda ctx: ctx.now_us()
)


def local_now(ctx: Any) -> int:
    return cal.to_local(ctx.transaction_time_us, ctx.settings.zone)


# The words CURRENT_DATE and so on; their precision is a cast around them.
function("current_date() -> date", **ZONED)(lambda ctx: local_now(ctx) // US_PER_DAY)
function("localtimestamp() -> timestamp", **ZONED)(local_now)
function("localtime() -> time", **ZONED)(lambda ctx: local_now(ctx) % US_PER_DAY)


@function("current_time() -> timetz", **ZONED)
def _current_time(ctx: Any) -> TimeTz:
    east = cal.offset_at(ctx.transaction_time_us, ctx.settings.zone)
    return TimeTz(local_now(ctx) % US_PER_DAY, -east)


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
    us = round(second * US_PER_SECOND) if 0 <= second <= 60 else -1
    valid = 0 <= hour <= 24 and 0 <= minute <= 59 and 0 <= us <= 60 * US_PER_SECOND
    if not valid or (hour == 24 and (minute or us)):
        raise SqlError("22008", f"time field value out of range: {hour}:{minute:02d}:{second:02g}")
    return hour * US_PER_HOUR + minute * US_PER_MINUTE + us


@function("make_timestamp(int4, int4, int4, int4, int4, float8) -> timestamp")
def _make_timestamp(year: int, month: int, day: int, hour: int, minute: int, second: float) -> int:
    return finite(make_date(year, month, day) * US_PER_DAY + make_time(hour, minute, second))


@function("make_timestamptz(int4, int4, int4, int4, int4, float8) -> timestamptz", **ZONED)
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
    if not math.isfinite(seconds * US_PER_SECOND):
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
    shifted = (seconds - 946_684_800) * US_PER_SECOND
    value = round(shifted) if math.isfinite(shifted) else INFINITY
    if not cal.TIMESTAMP_MIN <= value <= cal.TIMESTAMP_MAX:
        raise SqlError("22008", f'timestamp out of range: "{seconds:g}"')
    return value


# --- age


def age(left: int, right: int) -> Interval:
    """The difference in years, months, days, as people count it."""
    if left in ENDS or right in ENDS:
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
    # The borrowed month is the earlier one's.
    while days < 0:
        days += cal.days_in_month(year_from, month_from)
        months -= 1
    while months < 0:
        months, years = months + 12, years - 1
    result = Interval(years * 12 + months, days, us)
    return negate(result) if negative else result


function("age(timestamp, timestamp) -> interval")(age)
function("age(timestamptz, timestamptz) -> interval", **ZONED)(
    lambda ctx, left, right: age(
        cal.to_local(left, ctx.settings.zone), cal.to_local(right, ctx.settings.zone)
    )
)
function("age(timestamp) -> interval", **ZONED)(
    lambda ctx, value: age(local_now(ctx) // US_PER_DAY * US_PER_DAY, value)
)
function("age(timestamptz) -> interval", **ZONED)(
    lambda ctx, value: age(
        local_now(ctx) // US_PER_DAY * US_PER_DAY, cal.to_local(value, ctx.settings.zone)
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
    lambda zone, value: value if value in ENDS else finite(value - _fixed_zone(zone))
)
function("timezone(interval, timestamptz) -> timestamp")(
    lambda zone, value: value if value in ENDS else finite(value + _fixed_zone(zone))
)


def _move_timetz(value: TimeTz, east: int) -> TimeTz:
    us = (value[0] + (value[1] + east) * US_PER_SECOND) % US_PER_DAY
    return TimeTz(us, -east)


function("timezone(text, timetz) -> timetz", **ZONED)(
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
function("generate_series(timestamptz, timestamptz, interval) -> setof timestamptz", **ZONED)(
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
