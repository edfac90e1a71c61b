"""How values of a type compare, sort and hash: what Python's own operators get wrong.

For most types Python's `<` and `==` on in-memory values are SQL's. The exceptions are floats (NaN),
intervals, times with zone, arrays, bpchar and jsonb; for those `sort_key` gives a function whose
results compare, and hash, as the values do in SQL.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from trilithon.types import json_value
from trilithon.types.registry import type_info
from trilithon.types.values import ArrayValue, Interval, RecordValue, TimeTz


def _float_key(value: float) -> tuple[bool, float]:
    return (True, 0.0) if value != value else (False, value)


def _interval_key(value: Interval) -> int:
    return Interval(*value).span_us()


def _timetz_key(value: TimeTz) -> tuple[int, int]:
    return TimeTz(*value).order()


def _trimmed(value: str) -> str:
    return value.rstrip(" ")


def _text_key(value: str) -> bytes:
    return value.encode()


@lru_cache(maxsize=512)
def sort_key(oid: int) -> Callable[[Any], Any] | None:
    """The function to sort and group non-NULL values by, None when the values do it themselves.

    Text needs none: the order of Unicode code points is the order of UTF-8 bytes.
    """
    info = type_info(oid)
    if info.element_oid:
        return _array_key(sort_key(info.element_oid))
    match info.name:
        case "float4" | "float8":
            return _float_key
        case "interval":
            return _interval_key
        case "timetz":
            return _timetz_key
        case "bpchar":
            return _trimmed
        case "jsonb":
            return json_value.sort_key
        case "record":
            return record_key
        case _:
            return None


def _array_key(item_key: Callable[[Any], Any] | None) -> Callable[[ArrayValue], Any]:
    """Element by element with NULL last, then fewer dimensions, dimensions, bounds."""

    def key(value: ArrayValue) -> Any:
        items = tuple(
            (True, 0) if item is None else (False, item if item_key is None else item_key(item))
            for item in value.items
        )
        return items, len(value.dimensions), value.dimensions, value.lower_bounds

    return key


def record_key(value: tuple[Any, ...]) -> Any:
    """Field by field, NULL last."""
    keys: list[Any] = [None] * len(value)
    if isinstance(value, RecordValue):
        keys = [sort_key(oid) for oid in value.types]
    return tuple(
        (True, 0) if item is None else (False, item if key is None else key(item))
        for item, key in zip(value, keys, strict=True)
    )


def is_self_ordering(oid: int) -> bool:
    """Whether Python's operators on the in-memory values are SQL's."""
    return sort_key(oid) is None
