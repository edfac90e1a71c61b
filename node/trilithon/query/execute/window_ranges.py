"""RANGE frames with an offset: where they begin and end, by the values of the only order column.

A bound never moves back from one row to the next, as in PostgreSQL: that shows where the edge does (a day
added to clock times that a change of the clock repeats).

Source of the rules: nodeWindowAgg.c and the in_range functions of PostgreSQL 15.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression import numeric_math
from trilithon.expression.builtins import intervals
from trilithon.query.execute.sorting import SortColumn
from trilithon.types import calendar, numeric
from trilithon.types.registry import type_info
from trilithon.types.values import Interval, TimeTz

# edge(base, offset, subtracts, less, context): up to where `less` values, or from where others, are in range.
Edge = Callable[[Any, Any, bool, bool, Any], Any]


def range_bounds(
    keys: Sequence[Any],
    column: SortColumn,
    oid: int,
    preceding: bool,
    offset: Any,
    is_end: bool,
    context: Any,
) -> list[int]:
    """For each row of the partition the first position of its frame, or the one past its last.

    `keys` are the rows' values in order, of the type `oid`. Raises 22013 for a negative offset, 22008.
    """
    subtracts = preceding != column.descending
    less = is_end != column.descending
    order = column.order or (lambda value: value)
    name = type_info(oid).name
    if name == "date":
        # A date with an interval is a timestamp, also where the two are compared.
        keys = [None if key is None else calendar.date_to_timestamp(key) for key in keys]
        name = "timestamp"
    sortable = [None if key is None else order(key) for key in keys]
    find_edge = _EDGES[name]
    bounds: list[int] = []
    position = 0
    for base in keys:
        edge: Any = None
        while position < len(keys):
            value = sortable[position]
            if value is None or base is None:
                if not _passes_null(value is None, base is None, column.nulls_first, is_end):
                    break
            else:
                if edge is None:
                    _check_offset(oid, offset)
                    edge = order(find_edge(base, offset, subtracts, less, context))
                if (value <= edge if less else value >= edge) != is_end:
                    break
            position += 1
        bounds.append(position)
    return bounds


def _passes_null(value: bool, base: bool, nulls_first: bool, is_end: bool) -> bool:
    """Whether the bound of the row of `base` lies behind the row of `value`; one of them, or both, is NULL."""
    if is_end:
        return value or not base if nulls_first else base or not value
    return value and not base if nulls_first else base and not value


def _check_offset(oid: int, offset: Any) -> None:
    """22013 for what no frame can be as wide as."""
    match type_info(oid).name:
        case "time" | "timetz":
            negative = offset[2] < 0
        case "date" | "timestamp" | "timestamptz" | "interval":
            negative = Interval(*offset).span_us() < 0
        case _:
            negative = offset != offset or offset == numeric.NAN or offset < 0
    if negative:
        raise SqlError("22013", "invalid preceding or following size in window function")


def _integer(base: int, offset: int, subtracts: bool, less: bool, context: Any) -> int:
    return base - offset if subtracts else base + offset


def _unbounded(base: Any, offset: Any, subtracts: bool, infinity: Any) -> bool:
    """Infinity less infinity: everything is in range."""
    return bool(offset == infinity and base == (infinity if subtracts else -infinity))


def _float(base: float, offset: float, subtracts: bool, less: bool, context: Any) -> float:
    infinity = float("inf")
    if _unbounded(base, offset, subtracts, infinity):
        return infinity if less else -infinity
    return base - offset if subtracts else base + offset


def _numeric(base: Decimal, offset: Decimal, subtracts: bool, less: bool, context: Any) -> Decimal:
    if base == numeric.NAN:
        return base
    if _unbounded(base, offset, subtracts, numeric.INFINITY):
        return numeric.INFINITY if less else numeric.NEGATIVE_INFINITY
    return numeric_math.subtract(base, offset) if subtracts else numeric_math.add(base, offset)


def _signed(offset: Interval, subtracts: bool) -> Interval:
    return intervals.negate(offset) if subtracts else offset


def _timestamp(base: int, offset: Interval, subtracts: bool, less: bool, context: Any) -> int:
    return intervals.add_interval(base, _signed(offset, subtracts))


def _timestamptz(base: int, offset: Interval, subtracts: bool, less: bool, context: Any) -> int:
    zone = context.settings.zone
    return intervals.add_interval_zoned(base, _signed(offset, subtracts), zone)


def _interval(
    base: Interval, offset: Interval, subtracts: bool, less: bool, context: Any
) -> Interval:
    signed = _signed(offset, subtracts)
    return intervals.make(*(left + right for left, right in zip(base, signed, strict=True)))


def _time(base: int, offset: Interval, subtracts: bool, less: bool, context: Any) -> int:
    return _integer(base, offset[2], subtracts, less, context)


def _timetz(base: TimeTz, offset: Interval, subtracts: bool, less: bool, context: Any) -> TimeTz:
    return TimeTz(_time(base[0], offset, subtracts, less, context), base[1])


_EDGES: Final[dict[str, Edge]] = {
    "int2": _integer,
    "int4": _integer,
    "int8": _integer,
    "float4": _float,
    "float8": _float,
    "numeric": _numeric,
    "timestamp": _timestamp,
    "timestamptz": _timestamptz,
    "interval": _interval,
    "time": _time,
    "timetz": _timetz,
}
