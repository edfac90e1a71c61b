"""What jsonpath's datetime() gives: dates and times as items, their text and their order."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from trilithon.core.errors import SqlError
from trilithon.types import calendar as cal
from trilithon.types import datetime_text as dt
from trilithon.types.settings import IoSettings
from trilithon.types.values import TimeTz


class Datetime(NamedTuple):
    """`kind` is date, time, timetz, timestamp or timestamptz, `value` as in memory (types/registry); `east`
    is the offset that a timestamptz was written with, in seconds east of UTC."""

    kind: str
    value: Any
    east: int = 0


_NAMES: Final = {
    "date": "date",
    "time": "time without time zone",
    "timetz": "time with time zone",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
}
# As to_timestamp() has it, blanks may stand before a number, not before a separator.
_DATE: Final = r" *(?P<y>\d{1,7})- *(?P<m>\d{1,4})- *(?P<d>\d{1,4})"
_TIME: Final = (
    r" *(?P<H>\d{1,4}): *(?P<M>\d{1,4}): *(?P<S>\d{1,4})(?:\.(?P<f>\d{1,6}))?"
    r"(?: *(?P<zh>[+-] *\d{1,2})(?:: *(?P<zm>\d{1,2}))?)?"
)
_FORMATS: Final = tuple(
    re.compile(pattern + " *", re.ASCII) for pattern in (_DATE, _TIME, f"{_DATE}[ T]{_TIME}")
)


def is_datetime(value: Any) -> bool:
    return isinstance(value, Datetime)


def type_name(value: Datetime) -> str:
    return _NAMES[value.kind]


def parse(text: str) -> Datetime | None:
    """ISO 8601's forms, as PostgreSQL tries them; None for any other text."""
    for pattern in _FORMATS:
        match = pattern.fullmatch(text)
        if match is not None:
            return _of_parts(match.groupdict())
    return None


def _of_parts(parts: dict[str, str | None]) -> Datetime | None:
    days = us = None
    if parts.get("y"):
        year, month, day = (int(parts[name] or 0) for name in "ymd")
        if not cal.is_date(year, month, day):
            return None
        days = cal.to_days(year, month, day)
    if parts.get("H"):
        hour, minute, second = (int(parts[name] or 0) for name in "HMS")
        if hour > 23 or minute > 59 or second > 59:
            return None
        us = ((hour * 60 + minute) * 60 + second) * 1_000_000
        us += int((parts["f"] or "0").ljust(6, "0"))
    if us is None:
        return Datetime("date", days)
    if parts["zh"] is None:
        if days is None:
            return Datetime("time", us)
        return Datetime("timestamp", days * cal.US_PER_DAY + us)
    hours, minutes = int(parts["zh"][1:]), int(parts["zm"] or 0)
    if hours > 15 or minutes > 59:
        return None
    east = (hours * 60 + minutes) * 60 * (-1 if parts["zh"][0] == "-" else 1)
    if days is None:
        return Datetime("timetz", TimeTz(us, -east))
    return Datetime("timestamptz", days * cal.US_PER_DAY + us - east * cal.US_PER_SECOND, east)


def render(value: Datetime) -> str:
    """As jsonb shows it: ISO 8601, in the zone that it was written with."""
    match value.kind:
        case "date":
            return dt.render_date(value.value)
        case "time":
            return dt.render_time(value.value)
        case "timetz":
            return dt.render_time(value.value.microseconds) + _offset(-value.value.zone)
    local = value.value + value.east * cal.US_PER_SECOND
    text = dt.render_timestamp(local).replace(" ", "T", 1)
    return text + (_offset(value.east) if value.kind == "timestamptz" else "")


def _offset(east: int) -> str:
    minutes = abs(east) // 60
    return f"{'-' if east < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def compare(left: Datetime, right: Datetime, zoned: bool, settings: IoSettings) -> int | None:
    """-1, 0, 1, or None for a time beside a date. Raises SqlError 0A000 where it depends on the time zone
    and `zoned` is not allowed."""
    times = ("time", "timetz")
    if (left.kind in times) != (right.kind in times):
        return None
    if left.kind == right.kind:
        mine, other = left.value, right.value
        if left.kind == "timetz":
            mine, other = mine.order(), other.order()
    elif left.kind in times:
        mine, other = (_as_timetz(value, zoned, settings) for value in (left, right))
    elif "timestamptz" in (left.kind, right.kind):
        mine, other = (_as_timestamptz(value, zoned, settings) for value in (left, right))
    else:
        mine, other = (
            cal.date_to_timestamp(value.value) if value.kind == "date" else value.value
            for value in (left, right)
        )
    return int(mine > other) - int(mine < other)


def _needs_zone(kind: str, target: str, zoned: bool) -> None:
    if not zoned:
        raise SqlError(
            "0A000",
            f"cannot convert value from {kind} to {target} without time zone usage",
            hint="Use *_tz() function for time zone support.",
        )


def _as_timetz(value: Datetime, zoned: bool, settings: IoSettings) -> tuple[int, int]:
    if value.kind == "timetz":
        order: tuple[int, int] = value.value.order()
        return order
    _needs_zone("time", "timetz", zoned)
    return TimeTz(value.value, -_offset_now(settings)).order()


def _offset_now(settings: IoSettings) -> int:
    return cal.offset_at(settings.now_us or 0, settings.zone)


def _as_timestamptz(value: Datetime, zoned: bool, settings: IoSettings) -> int:
    if value.kind == "timestamptz":
        instant: int = value.value
        return instant
    _needs_zone(value.kind, "timestamptz", zoned)
    local = cal.date_to_timestamp(value.value) if value.kind == "date" else value.value
    return cal.to_utc(local, settings.zone)
