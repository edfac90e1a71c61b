"""What UPDATE writes for a column of which it sets a part: arr[2] = …, arr[1:2] = …, doc['key'] = ….

For the analyser alone. Source of the rules: array_set_element, array_set_slice and jsonb_set_element of
PostgreSQL 15.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.registry import function
from trilithon.types import json_value as jv
from trilithon.types.registry import INT32_MAX
from trilithon.types.values import EMPTY_ARRAY, ArrayValue

_ITEMS_MAX: Final = 1 << 24
_INTEGER: Final = re.compile(r"\s*[+-]?\d+")


def _wrong_count() -> SqlError:
    return SqlError("2202E", "wrong number of array subscripts")


def _limited(size: int, low: int) -> None:
    if size > _ITEMS_MAX:
        raise SqlError("54000", f"array size exceeds the maximum allowed ({_ITEMS_MAX})")
    if low + size - 1 > INT32_MAX:
        raise SqlError("54000", f"array lower bound is too large: {low}")


def _no_nulls(indexes: Sequence[int | None], kind: str) -> None:
    if None in indexes:
        raise SqlError("22004", f"{kind} subscript in assignment must not be null")


@function("_pg_assign_element(anyarray, anyelement, variadic int4) -> anyarray", strict=False)
def _element(array: ArrayValue | None, value: Any, *indexes: Any) -> ArrayValue:
    _no_nulls(indexes, "array")
    if array is None or not array.items:
        _limited(1, max(indexes))
        return ArrayValue((value,), (1,) * len(indexes), tuple(indexes))
    if len(indexes) != len(array.dimensions):
        raise _wrong_count()
    if len(indexes) == 1:
        grown = _grown(array, indexes[0], indexes[0])
        items = list(grown.items)
        items[indexes[0] - grown.lower_bounds[0]] = value
        return ArrayValue(tuple(items), grown.dimensions, grown.lower_bounds)
    offset = 0
    for index, size, low in zip(indexes, array.dimensions, array.lower_bounds, strict=True):
        if not low <= index < low + size:
            raise SqlError("2202E", "array subscript out of range")
        offset = offset * size + index - low
    items = list(array.items)
    items[offset] = value
    return ArrayValue(tuple(items), array.dimensions, array.lower_bounds)


def _grown(array: ArrayValue, first: int, last: int) -> ArrayValue:
    """A one-dimensional array that reaches from `first` to `last` at least, with NULLs where nothing was."""
    low = array.lower_bounds[0]
    before, after = max(0, low - first), max(0, last - (low + len(array.items) - 1))
    _limited(before + len(array.items) + after, low - before)
    items = (None,) * before + array.items + (None,) * after
    return ArrayValue(items, (len(items),), (low - before,))


@function("_pg_assign_slice(anyarray, anyarray, text, variadic int4) -> anyarray", strict=False)
def _slice(
    array: ArrayValue | None, source: ArrayValue | None, left_out: str, *bounds: Any
) -> ArrayValue | None:
    """`left_out` has "1" for each bound that was left out."""
    array = EMPTY_ARRAY if array is None else array
    given = [b for b, out in zip(bounds, left_out, strict=True) if out == "0"]
    _no_nulls(given, "array")
    if source is None:
        return array
    count = len(bounds) // 2
    if not array.items:
        return _first_slice(source, left_out, bounds)
    if len(array.dimensions) < count:
        raise _wrong_count()
    ranges: list[tuple[int, int]] = []
    for at, (size, low) in enumerate(zip(array.dimensions, array.lower_bounds, strict=True)):
        first, last = low, low + size - 1
        if at < count:
            first = first if left_out[2 * at] == "1" else bounds[2 * at]
            last = last if left_out[2 * at + 1] == "1" else bounds[2 * at + 1]
        if first > last:
            raise SqlError("2202E", "upper bound cannot be less than lower bound")
        if len(array.dimensions) > 1 and not low <= first <= last < low + size:
            raise SqlError("2202E", "array subscript out of range")
        ranges.append((first, last))
    total = prod(last - first + 1 for first, last in ranges)
    if len(source.items) < total:
        raise SqlError("2202E", "source array too small")
    if len(array.dimensions) == 1:
        array = _grown(array, *ranges[0])
    items = list(array.items)
    places = product(*(range(first, last + 1) for first, last in ranges))
    for value, place in zip(source.items, places, strict=False):
        offset = 0
        for index, size, low in zip(place, array.dimensions, array.lower_bounds, strict=True):
            offset = offset * size + index - low
        items[offset] = value
    return ArrayValue(tuple(items), array.dimensions, array.lower_bounds)


def _first_slice(source: ArrayValue, left_out: str, bounds: Sequence[int]) -> ArrayValue:
    if "1" in left_out:
        raise SqlError(
            "2202E",
            "array slice subscript must provide both boundaries",
            detail="When assigning to a slice of an empty array value, slice boundaries must be "
            "fully specified.",
        )
    lows, highs = bounds[0::2], bounds[1::2]
    if any(high < low for low, high in zip(lows, highs, strict=True)):
        raise SqlError("2202E", "upper bound cannot be less than lower bound")
    sizes = tuple(high - low + 1 for low, high in zip(lows, highs, strict=True))
    _limited(prod(sizes), max(lows))
    if len(source.items) < prod(sizes):
        raise SqlError("2202E", "source array too small")
    return ArrayValue(source.items[: prod(sizes)], sizes, tuple(lows))


# --- jsonb


@function("_pg_assign_jsonb(jsonb, jsonb, bool, variadic text) -> jsonb", strict=False)
def _jsonb(text: str | None, new: str | None, numbered: bool, *path: Any) -> str:
    """`numbered`: the first subscript is a number, so that NULL becomes an array."""
    _no_nulls(path, "jsonb")
    value = jv.load(text) if text is not None else [] if numbered else {}
    _put(value, list(path), None if new is None else jv.load(new))
    return jv.dump(value)


def _put(holder: Any, path: list[str], item: Any) -> None:
    for number, step in enumerate(path, start=1):
        last = number == len(path)
        if isinstance(holder, dict):
            if last or step not in holder:
                holder[step] = item if last else _around(path[number:], item)
                return
            holder = holder[step]
        elif isinstance(holder, list):
            index = _position(holder, step, number)
            if index >= len(holder):
                _limited(index + 1, 0)
                holder += [None] * (index - len(holder))
                holder.append(item if last else _around(path[number:], item))
                return
            if last:
                holder[index] = item
                return
            holder = holder[index]
        else:
            raise SqlError(
                "22023",
                "cannot replace existing key",
                detail="The path assumes key is a composite object, but it is a scalar value.",
            )


def _position(holder: list[Any], step: str, number: int) -> int:
    if not _INTEGER.fullmatch(step):
        raise SqlError("22P02", f'path element at position {number} is not an integer: "{step}"')
    index = int(step)
    if index < -len(holder):
        raise SqlError("22023", f"path element at position {number} is out of range: {index}")
    return index if index >= 0 else len(holder) + index


def _around(path: list[str], item: Any) -> Any:
    """The value at the end of a path that is not there yet: numbers make arrays."""
    for step in reversed(path):
        if _INTEGER.fullmatch(step):
            _limited(max(0, int(step)) + 1, 0)
            item = [None] * max(0, int(step)) + [item]
        else:
            item = {step: item}
    return item
