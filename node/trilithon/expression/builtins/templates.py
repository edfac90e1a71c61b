"""to_char, to_number, to_date, to_timestamp (the templates themselves: expression/formatting*)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.expression.formatting import Moment, format_moment
from trilithon.expression.formatting_input import parse_moment
from trilithon.expression.formatting_numbers import format_float, format_number, parse_number
from trilithon.expression.registry import STABLE, function
from trilithon.types import calendar as cal
from trilithon.types.values import Interval

_ENDS = (cal.INFINITY, cal.NEGATIVE_INFINITY)


def _moment(local: int, east: int | None = None, zone: str = "") -> Moment:
    days, us = divmod(local, cal.US_PER_DAY)
    year, month, day = cal.from_days(days)
    return Moment(year, month, day, us, days, east, zone)


@function("to_char(timestamp, text) -> text", nullable=True)
def _timestamp(value: int, template: str) -> str | None:
    return None if value in _ENDS or not template else format_moment(template, _moment(value))


@function("to_char(timestamptz, text) -> text", nullable=True, context=True, volatility=STABLE)
def _timestamptz(ctx: Any, value: int, template: str) -> str | None:
    if value in _ENDS or not template:
        return None
    zone = ctx.settings.zone
    east = cal.offset_at(value, zone)
    local = value + east * cal.US_PER_SECOND
    return format_moment(template, _moment(local, east, cal.zone_abbreviation(value, zone)))


@function("to_char(interval, text) -> text", nullable=True)
def _interval(value: Interval, template: str) -> str | None:
    if not template:
        return None
    sign = -1 if value[0] < 0 else 1
    years, months = abs(value[0]) // 12 * sign, abs(value[0]) % 12 * sign
    return format_moment(template, Moment(years, months, value[1], value[2]))


function("to_char(numeric, text) -> text")(lambda value, template: format_number(template, value))
for _kind in ("int4", "int8"):
    function(f"to_char({_kind}, text) -> text")(
        lambda value, template: format_number(template, Decimal(value))
    )
function("to_char(float8, text) -> text")(lambda value, template: format_float(template, value, 15))
function("to_char(float4, text) -> text")(lambda value, template: format_float(template, value, 6))
function("to_number(text, text) -> numeric")(parse_number)


@function("to_date(text, text) -> date", volatility=STABLE)
def _to_date(text: str, template: str) -> int:
    days = parse_moment(text, template)[0] // cal.US_PER_DAY
    if not cal.DATE_MIN <= days <= cal.DATE_MAX:
        raise SqlError("22008", f'date out of range: "{text}"')
    return days


@function("to_timestamp(text, text) -> timestamptz", context=True, volatility=STABLE)
def _to_timestamp(ctx: Any, text: str, template: str) -> int:
    local, east = parse_moment(text, template)
    if east is not None:
        return cal.check_timestamp(local - east * cal.US_PER_SECOND)
    return cal.to_utc(local, ctx.settings.zone)
