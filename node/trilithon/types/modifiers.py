"""What a type's modifier does to a value: numeric(p,s), varchar(n), char(n), timestamp(p) and so on."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.types import numeric
from trilithon.types.calendar import (
    US_PER_HOUR,
    US_PER_MINUTE,
    round_us,
)
from trilithon.types.registry import (
    TypeRef,
    character_length,
    element_type,
    interval_modifier,
    numeric_precision,
    type_info,
    type_name,
)
from trilithon.types.values import ArrayValue, Interval, TimeTz

Modify = Callable[[Any], Any]


@lru_cache(maxsize=1024)
def modifier(ref: TypeRef, explicit: bool) -> Modify | None:
    """A function that fits a value to `ref`'s modifier, None where nothing is to be done.

    An explicit cast cuts strings silently; otherwise only blanks may be cut (SqlError 22001).
    """
    if ref.typmod < 0:
        return None
    info = type_info(ref.oid)
    if info.element_oid:
        return _elementwise(modifier(element_type(ref), explicit))
    match info.name:
        case "numeric":
            return _numeric(ref)
        case "varchar" | "bpchar":
            return _character(ref, info.name == "bpchar", explicit)
        case "time" | "timestamp" | "timestamptz":
            return lambda value: round_us(value, ref.typmod)
        case "timetz":
            return lambda value: TimeTz(round_us(value[0], ref.typmod), value[1])
        case "interval":
            return _interval(ref)
        case _:
            return None


def _elementwise(item: Modify | None) -> Modify | None:
    if item is None:
        return None

    def modify(array: ArrayValue) -> ArrayValue:
        items = tuple(None if value is None else item(value) for value in array.items)
        return ArrayValue(items, array.dimensions, array.lower_bounds)

    return modify


def _numeric(ref: TypeRef) -> Modify | None:
    pair = numeric_precision(ref.typmod)
    if pair is None:
        return None
    precision, scale = pair
    return lambda value: numeric.apply_precision(value, precision, scale)


def _character(ref: TypeRef, padded: bool, explicit: bool) -> Modify:
    length = character_length(ref.typmod)

    def modify(value: str) -> str:
        if len(value) > length:
            if not explicit and value[length:].strip(" "):
                raise SqlError("22001", f"value too long for type {type_name(ref)}")
            return value[:length]
        return value.ljust(length) if padded else value

    return modify


# Which units stay: months, days and the smallest unit of time, by the last field of the mask.
_SECOND, _MINUTE, _HOUR, _DAY, _MONTH, _YEAR = 1 << 12, 1 << 11, 1 << 10, 1 << 3, 1 << 1, 1 << 2


def _interval(ref: TypeRef) -> Modify | None:
    pair = interval_modifier(ref.typmod)
    if pair is None:
        return None
    fields, precision = pair

    def modify(value: Interval) -> Interval:
        months, days, us = value
        if fields & _SECOND:
            return Interval(months, days, round_us(us, precision))
        if fields & _MINUTE:
            return Interval(months, days, _truncate(us, US_PER_MINUTE))
        if fields & _HOUR:
            return Interval(months, days, _truncate(us, US_PER_HOUR))
        if fields & _DAY:
            return Interval(months, days, 0)
        if fields & _MONTH:
            return Interval(months, 0, 0)
        if fields & _YEAR:
            return Interval(_truncate(months, 12), 0, 0)
        return Interval(months, days, round_us(us, precision))

    return modify


def _truncate(value: int, unit: int) -> int:
    return value // unit * unit if value >= 0 else -(-value // unit * unit)
