"""Ordered-set aggregates: percentile_cont, percentile_disc, mode, all called WITHIN GROUP (ORDER BY …).

The executor brings the rows in order. The last argument is the value of the ORDER BY; a percentile before it
is the same in every row. NULL values count for nothing. Source of the rules: orderedsetaggs.c of PostgreSQL 15.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.expression.builtins.intervals import make, multiply_interval
from trilithon.expression.registry import aggregate
from trilithon.types.ordering import sort_key
from trilithon.types.registry import TypeRef
from trilithon.types.values import ArrayValue, Interval

# What was asked for, and the values so far.
State = tuple[Any, list[Any]] | None
Choose = Callable[[Sequence[Any], float], Any]


def _step(state: State, wanted: Any, value: Any) -> State:
    if value is None:
        return state
    if state is None:
        return wanted, [value]
    state[1].append(value)
    return state


def _checked(percentile: float) -> float:
    if percentile != percentile or not 0 <= percentile <= 1:
        raise SqlError("22003", f"percentile value {percentile:g} is not between 0 and 1")
    return percentile


def _one(choose: Choose) -> Callable[[State], Any]:
    def final(state: State) -> Any:
        if state is None or state[0] is None:
            return None
        return choose(state[1], _checked(state[0]))

    return final


def _several(choose: Choose) -> Callable[[State], Any]:
    def final(state: State) -> Any:
        if state is None or state[0] is None:
            return None
        wanted, values = state
        for percentile in wanted.items:
            if percentile is not None:
                _checked(percentile)
        items = tuple(None if p is None else choose(values, p) for p in wanted.items)
        return ArrayValue(items, wanted.dimensions, (1,) * len(wanted.dimensions))

    return final


def _discrete(values: Sequence[Any], percentile: float) -> Any:
    """The first value that so much of the rows does not exceed."""
    return values[max(math.ceil(percentile * len(values)), 1) - 1]


def _continuous(between: Callable[[Any, Any, float], Any]) -> Choose:
    def choose(values: Sequence[Any], percentile: float) -> Any:
        place = percentile * (len(values) - 1)
        low, high = math.floor(place), math.ceil(place)
        if low == high:
            return values[low]
        return between(values[low], values[high], place - low)

    return choose


def _between_floats(low: float, high: float, part: float) -> float:
    return low + part * (high - low)


def _between_intervals(low: Interval, high: Interval, part: float) -> Interval:
    difference = make(high[0] - low[0], high[1] - low[1], high[2] - low[2])
    step = multiply_interval(difference, part)
    return make(low[0] + step[0], low[1] + step[1], low[2] + step[2])


def _define(kind: str, name: str, choose: Choose) -> None:
    many = "anyarray" if kind == "anyelement" else f"{kind}[]"
    for asked, result, final in (
        ("float8", kind, _one(choose)),
        ("float8[]", many, _several(choose)),
    ):
        aggregate(
            f"{name}({asked}, {kind}) -> {result}",
            init=lambda: None,
            step=_step,
            final=final,
            strict=False,
            within_group=True,
        )


_define("anyelement", "percentile_disc", _discrete)
_define("float8", "percentile_cont", _continuous(_between_floats))
_define("interval", "percentile_cont", _continuous(_between_intervals))


def _mode(types: tuple[TypeRef, ...]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    key = sort_key(types[0].oid)

    def step(state: list[Any] | None, value: Any) -> list[Any]:
        state = [] if state is None else state
        state.append(value)
        return state

    def final(state: list[Any] | None) -> Any:
        """The most frequent value, of several the first: equal ones are neighbours."""
        best, best_count, count = None, 0, 0
        previous: Any = None
        for number, value in enumerate(state or ()):
            current = value if key is None else key(value)
            if number and current == previous:
                count += 1
            else:
                first, count = value, 1
            previous = current
            if count > best_count:
                best, best_count = first, count
        return best

    return step, final


aggregate(
    "mode(anyelement) -> anyelement",
    init=lambda: None,
    step=lambda state, value: state,
    final=lambda state: state,
    typed=_mode,
    within_group=True,
)
