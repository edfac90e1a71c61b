"""Aggregate functions, with PostgreSQL's result types, scales and empty-set results."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from trilithon.expression import numeric_math as nm
from trilithon.expression.builtins import floats
from trilithon.expression.builtins.integers import checked
from trilithon.expression.builtins.intervals import divide_interval, make
from trilithon.expression.registry import aggregate
from trilithon.types.numeric import NAN, ZERO
from trilithon.types.ordering import sort_key
from trilithon.types.registry import BY_NAME, TypeRef
from trilithon.types.text_io import to_float4
from trilithon.types.values import ArrayValue, Interval

Values = Sequence[Any]


def _none() -> None:
    return None


def _same(state: Any) -> Any:
    return state


def _known(values: Values) -> list[Any]:
    return [value for value in values if value is not None]


# --- count

aggregate(
    "count() -> int8",
    init=int,
    step=lambda state: state + 1,
    step_many=lambda state, values: state + len(values),
    final=_same,
    merge=lambda left, right: left + right,
    strict=False,
)
aggregate(
    "count(any) -> int8",
    init=int,
    step=lambda state, value: state + 1,
    step_many=lambda state, values: state + len(values) - values.count(None),
    final=_same,
    merge=lambda left, right: left + right,
)

# --- sum and avg of exact numbers. The state of an integer sum is a Python integer or None.


def _add_or_first(state: Any, value: Any) -> Any:
    return value if state is None else state + value


def _sum_many(state: Any, values: Values) -> Any:
    known = _known(values)
    if not known:
        return state
    return sum(known) + (state or 0)


def _merge_sums(left: Any, right: Any) -> Any:
    if left is None or right is None:
        return left if right is None else right
    return left + right


def _checked_or_none(kind: str) -> Callable[[Any], Any]:
    check = checked(kind)
    return lambda state: None if state is None else check(state)


for _kind in ("int2", "int4"):
    aggregate(
        f"sum({_kind}) -> int8",
        init=_none,
        step=_add_or_first,
        step_many=_sum_many,
        final=_checked_or_none("int8"),
        merge=_merge_sums,
    )
aggregate(
    "sum(int8) -> numeric",
    init=_none,
    step=_add_or_first,
    step_many=_sum_many,
    final=lambda state: None if state is None else Decimal(state),
    merge=_merge_sums,
)


def _numeric_add(state: Any, value: Decimal) -> Decimal:
    return value if state is None else nm.add(state, value)


def _numeric_many(state: Any, values: Values) -> Any:
    add = nm.add
    for value in values:
        if value is not None:
            state = value if state is None else add(state, value)
    return state


def _merge_numeric(left: Any, right: Any) -> Any:
    return right if left is None else _numeric_add(left, right) if right is not None else left


aggregate(
    "sum(numeric) -> numeric",
    init=_none,
    step=_numeric_add,
    step_many=_numeric_many,
    final=_same,
    merge=_merge_numeric,
)

# The state of an average: (count, sum).


def _average_step(state: tuple[int, Any], value: Any) -> tuple[int, Any]:
    return state[0] + 1, state[1] + value


def _average_many(state: tuple[int, Any], values: Values) -> tuple[int, Any]:
    known = _known(values)
    return state[0] + len(known), state[1] + sum(known)


def _average_final(state: tuple[int, Any]) -> Any:
    count, total = state
    return nm.divide(Decimal(total), Decimal(count)) if count else None


def _merge_pairs(left: tuple[int, Any], right: tuple[int, Any]) -> tuple[int, Any]:
    return left[0] + right[0], left[1] + right[1]


for _kind in ("int2", "int4", "int8"):
    aggregate(
        f"avg({_kind}) -> numeric",
        init=lambda: (0, 0),
        step=_average_step,
        step_many=_average_many,
        final=_average_final,
        merge=_merge_pairs,
    )


def _numeric_average_many(state: tuple[int, Any], values: Values) -> tuple[int, Any]:
    known = _known(values)
    total = state[1]
    for value in known:
        total = nm.add(total, value)
    return state[0] + len(known), total


aggregate(
    "avg(numeric) -> numeric",
    init=lambda: (0, ZERO),
    step=lambda state, value: (state[0] + 1, nm.add(state[1], value)),
    step_many=_numeric_average_many,
    final=lambda state: nm.divide(state[1], Decimal(state[0])) if state[0] else None,
    merge=lambda left, right: (left[0] + right[0], nm.add(left[1], right[1])),
)

# --- floats: order matters to the last digit, so partial states are not merged.

aggregate(
    "sum(float8) -> float8",
    init=_none,
    step=lambda state, value: value if state is None else floats.add(state, value),
    final=_same,
)
aggregate(
    "sum(float4) -> float4",
    init=_none,
    step=lambda state, value: value if state is None else to_float4(floats.add(state, value)),
    final=_same,
)

# (count, sum, sum of squared differences): Youngs and Cramer's way, as float8_accum does it.
_FLOAT_START: Final = (0, 0.0, 0.0)


def _float_step(state: tuple[int, float, float], value: float) -> tuple[int, float, float]:
    count, total, squares = state
    new_count, new_total = count + 1, total + value
    if count:
        difference = value * new_count - new_total
        squares += difference * difference / (new_count * count)
        if math.isinf(new_total) or math.isinf(squares):
            if not math.isinf(total) and not math.isinf(value):
                raise floats.overflow()
            squares = math.nan
    elif value != value or math.isinf(value):
        squares = math.nan
    return new_count, new_total, squares


for _kind in ("float4", "float8"):
    aggregate(
        f"avg({_kind}) -> float8",
        init=lambda: _FLOAT_START,
        step=_float_step,
        final=lambda state: state[1] / state[0] if state[0] else None,
    )


def _float_spread(sample: bool, root: bool) -> Callable[[tuple[int, float, float]], float | None]:
    def final(state: tuple[int, float, float]) -> float | None:
        count, _, squares = state
        divisor = count - 1 if sample else count
        if divisor <= 0:
            return None
        value = squares / divisor
        return math.sqrt(value) if root else value

    return final


# --- variance of exact numbers: (count, sum, sum of squares), exactly.


def _square_step(state: tuple[int, Any, Any], value: Any) -> tuple[int, Any, Any]:
    number = Decimal(value) if isinstance(value, int) else value
    count, total, squares = state
    return count + 1, nm.add(total, number), nm.add(squares, nm.multiply_exactly(number, number))


def _merge_squares(left: tuple[int, Any, Any], right: tuple[int, Any, Any]) -> tuple[int, Any, Any]:
    return left[0] + right[0], nm.add(left[1], right[1]), nm.add(left[2], right[2])


def _numeric_spread(sample: bool, root: bool) -> Callable[[tuple[int, Any, Any]], Decimal | None]:
    """numeric_stddev_internal(): N·Σx² − (Σx)² over N·(N − 1), or N·N."""

    def final(state: tuple[int, Any, Any]) -> Decimal | None:
        count, total, squares = state
        if count <= (1 if sample else 0):
            return None
        if not (total.is_finite() and squares.is_finite()):
            return NAN
        number = Decimal(count)
        spread = nm.subtract(
            nm.multiply_exactly(number, squares), nm.multiply_exactly(total, total)
        )
        if spread <= 0:
            return ZERO
        divisor = nm.multiply(number, Decimal(count - 1 if sample else count))
        scale = nm.division_scale(spread, divisor)
        value = nm.divide_to(spread, divisor, scale)
        return nm.square_root_to(value, scale) if root else value

    return final


_SPREADS: Final = {
    "stddev": (True, True),
    "stddev_samp": (True, True),
    "stddev_pop": (False, True),
    "variance": (True, False),
    "var_samp": (True, False),
    "var_pop": (False, False),
}
for _name, (_sample, _root) in _SPREADS.items():
    for _kind in ("int2", "int4", "int8", "numeric"):
        aggregate(
            f"{_name}({_kind}) -> numeric",
            init=lambda: (0, ZERO, ZERO),
            step=_square_step,
            final=_numeric_spread(_sample, _root),
            merge=_merge_squares,
        )
    for _kind in ("float4", "float8"):
        aggregate(
            f"{_name}({_kind}) -> float8",
            init=lambda: _FLOAT_START,
            step=_float_step,
            final=_float_spread(_sample, _root),
        )

# --- intervals


def _interval_sum(state: Interval | None, value: Interval) -> Interval:
    if state is None:
        return value
    return make(state[0] + value[0], state[1] + value[1], state[2] + value[2])


aggregate("sum(interval) -> interval", init=_none, step=_interval_sum, final=_same)


def _interval_average(state: tuple[int, Interval]) -> Interval | None:
    count, total = state
    return divide_interval(total, float(count)) if count else None


aggregate(
    "avg(interval) -> interval",
    init=lambda: (0, None),
    step=lambda state, value: (state[0] + 1, _interval_sum(state[1], value)),
    final=_interval_average,
)

# --- min and max of everything that has an order

# Equal values of these may look different (1.0 and 1.00): the last of them is the answer.
_LAST_OF_EQUALS: Final = frozenset({"numeric", "float4", "float8", "interval"})


def _define_extremes(kind: str) -> None:
    key = sort_key(BY_NAME[kind].oid)
    for name, choose in (("min", min), ("max", max)):
        _define_extreme(kind, name, choose, key)


def _define_extreme(
    kind: str, name: str, choose: Callable[..., Any], key: Callable[[Any], Any] | None
) -> None:
    last = kind in _LAST_OF_EQUALS

    def step(state: Any, value: Any) -> Any:
        if state is None:
            return value
        pair = (value, state) if last else (state, value)
        return choose(pair) if key is None else choose(pair, key=key)

    def many(state: Any, values: Values) -> Any:
        known = _known(values)
        if state is not None:
            known.insert(0, state)
        if not known:
            return None
        if last:
            known.reverse()
        return choose(known) if key is None else choose(known, key=key)

    def merge(left: Any, right: Any) -> Any:
        return left if right is None else step(left, right)

    aggregate(
        f"{name}({kind}) -> {kind}",
        init=_none,
        step=step,
        step_many=many,
        final=_same,
        merge=merge,
    )


for _kind in (
    "int2", "int4", "int8", "oid", "numeric", "float4", "float8", "text", "bpchar",
    "date", "time", "timetz", "timestamp", "timestamptz", "interval",
):  # fmt: skip
    _define_extremes(_kind)


def _array_extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    def typed(types: tuple[TypeRef, ...]) -> tuple[Callable[..., Any], Callable[..., Any]]:
        key = sort_key(types[0].oid)

        def step(state: Any, value: Any) -> Any:
            return value if state is None else choose(value, state, key=key)

        return step, _same

    return typed


for _name, _choose in (("min", min), ("max", max)):
    aggregate(
        f"{_name}(anyarray) -> anyarray",
        init=_none,
        step=_none,
        final=_same,
        typed=_array_extreme(_choose),
    )

    _define_extreme("anyenum", _name, _choose, None)

# --- booleans and bits


def _bool_and(state: bool | None, value: bool) -> bool:
    return value if state is None else state and value


def _bool_or(state: bool | None, value: bool) -> bool:
    return value if state is None else state or value


def _maybe(step: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Merging two states is a step, where both have one."""
    return lambda left, right: left if right is None else step(left, right)


for _name, _step in (("bool_and", _bool_and), ("every", _bool_and), ("bool_or", _bool_or)):
    aggregate(f"{_name}(bool) -> bool", init=_none, step=_step, final=_same, merge=_maybe(_step))
for _kind in ("int2", "int4", "int8"):
    for _name, _bits in (
        ("bit_and", lambda a, b: b if a is None else a & b),
        ("bit_or", lambda a, b: b if a is None else a | b),
        ("bit_xor", lambda a, b: b if a is None else a ^ b),
    ):
        aggregate(
            f"{_name}({_kind}) -> {_kind}", init=_none, step=_bits, final=_same, merge=_maybe(_bits)
        )

# --- strings and collections


def _join_step(state: list[Any] | None, value: Any, delimiter: Any) -> list[Any] | None:
    """The delimiter of a value goes before it; that of the first one is never used."""
    if value is None:
        return state
    if state is None:
        return [value]
    if delimiter is not None:
        state.append(delimiter)
    state.append(value)
    return state


aggregate(
    "string_agg(text, text) -> text",
    init=_none,
    step=_join_step,
    final=lambda state: None if state is None else "".join(state),
    strict=False,
)
aggregate(
    "string_agg(bytea, bytea) -> bytea",
    init=_none,
    step=_join_step,
    final=lambda state: None if state is None else b"".join(state),
    strict=False,
)


def _append(state: list[Any] | None, value: Any) -> list[Any]:
    if state is None:
        return [value]
    state.append(value)
    return state


def _extend(state: list[Any] | None, values: Values) -> list[Any] | None:
    if not values:
        return state
    if state is None:
        return list(values)
    # In place, as `_append` does: a copy per batch would make long arrays take forever.
    state.extend(values)
    return state


aggregate(
    "array_agg(anynonarray) -> anyarray",
    init=_none,
    step=_append,
    step_many=_extend,
    final=lambda state: None if state is None else ArrayValue.of(state),
    strict=False,
)


def _stack(state: list[Any] | None) -> ArrayValue | None:
    return None if state is None else ArrayValue.stacked(state)


aggregate("array_agg(anyarray) -> anyarray", init=_none, step=_append, final=_stack, strict=False)
