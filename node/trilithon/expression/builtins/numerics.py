"""numeric: operators and functions (the arithmetic itself is in expression/numeric_math)."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.expression import numeric_math as nm
from trilithon.expression.registry import function, operator
from trilithon.types.numeric import EXACT, NAN, ONE, ZERO, round_to, scale_of
from trilithon.types.ordering import sort_key
from trilithon.types.values import ArrayValue

operator("numeric + numeric -> numeric")(nm.add)
operator("numeric - numeric -> numeric")(nm.subtract)
operator("numeric * numeric -> numeric")(nm.multiply)
operator("numeric / numeric -> numeric")(nm.divide)
operator("numeric % numeric -> numeric")(nm.remainder)
operator("numeric ^ numeric -> numeric")(nm.power)
operator("- numeric -> numeric", raises=False)(nm.negate)
operator("+ numeric -> numeric", raises=False)(lambda value: value)
operator("@ numeric -> numeric", raises=False)(nm.absolute)

function("abs(numeric) -> numeric", raises=False)(nm.absolute)
function("mod(numeric, numeric) -> numeric")(nm.remainder)
function("div(numeric, numeric) -> numeric")(nm.integer_quotient)
function("power(numeric, numeric) -> numeric")(nm.power)
function("pow(numeric, numeric) -> numeric")(nm.power)
function("sqrt(numeric) -> numeric")(nm.square_root)
function("exp(numeric) -> numeric")(nm.exponential)
function("ln(numeric) -> numeric")(nm.natural_log)
function("log(numeric, numeric) -> numeric")(nm.log)
function("sign(numeric) -> numeric", raises=False)(nm.sign)
function("ceil(numeric) -> numeric", raises=False)(nm.ceiling)
function("ceiling(numeric) -> numeric", raises=False)(nm.ceiling)
function("floor(numeric) -> numeric", raises=False)(nm.floor)
function("round(numeric, int4) -> numeric")(nm.round_half_away)
function("trunc(numeric, int4) -> numeric")(nm.truncate)


@function("round(numeric) -> numeric")
def _round(value: Decimal) -> Decimal:
    return nm.round_half_away(value, 0)


@function("trunc(numeric) -> numeric")
def _trunc(value: Decimal) -> Decimal:
    return nm.truncate(value, 0)


@function("log(numeric) -> numeric")
@function("log10(numeric) -> numeric")
def _log10(value: Decimal) -> Decimal:
    return nm.log(Decimal(10), value)


@function("scale(numeric) -> int4", raises=False, nullable=True)
def _scale(value: Decimal) -> int | None:
    return scale_of(value) if value.is_finite() else None


@function("min_scale(numeric) -> int4", raises=False, nullable=True)
def _min_scale(value: Decimal) -> int | None:
    return scale_of(_trim_scale(value)) if value.is_finite() else None


@function("trim_scale(numeric) -> numeric", raises=False)
def _trim_scale(value: Decimal) -> Decimal:
    if not value.is_finite():
        return value
    if not value:
        return ZERO
    trimmed = EXACT.normalize(value)
    return EXACT.quantize(trimmed, ONE) if int(trimmed.as_tuple().exponent) > 0 else trimmed


def _integers(left: Decimal, right: Decimal) -> tuple[int, int, int]:
    """Both as integers of one scale, and that scale."""
    scale = max(scale_of(left), scale_of(right))
    return int(EXACT.scaleb(left, scale)), int(EXACT.scaleb(right, scale)), scale


@function("gcd(numeric, numeric) -> numeric")
def _gcd(left: Decimal, right: Decimal) -> Decimal:
    if not (left.is_finite() and right.is_finite()):
        return NAN
    a, b, scale = _integers(left, right)
    return round_to(EXACT.scaleb(Decimal(math.gcd(a, b)), -scale), scale)


@function("lcm(numeric, numeric) -> numeric")
def _lcm(left: Decimal, right: Decimal) -> Decimal:
    if not (left.is_finite() and right.is_finite()):
        return NAN
    a, b, scale = _integers(left, right)
    return round_to(EXACT.scaleb(Decimal(math.lcm(a, b)), -scale), scale)


@function("factorial(int8) -> numeric")
def _factorial(value: int) -> Decimal:
    if value < 0:
        raise SqlError("22003", "factorial of a negative number is undefined")
    if value > 32177:
        raise SqlError("22003", "value overflows numeric format")
    return EXACT.create_decimal(math.factorial(value))


@function("width_bucket(numeric, numeric, numeric, int4) -> int4")
def _width_bucket(operand: Decimal, low: Decimal, high: Decimal, count: int) -> int:
    if count <= 0:
        raise SqlError("2201G", "count must be greater than zero")
    if operand.is_nan() or low.is_nan() or high.is_nan():
        raise SqlError("2201G", "operand, lower bound, and upper bound cannot be NaN")
    if low.is_infinite() or high.is_infinite():
        raise SqlError("2201G", "lower and upper bounds must be finite")
    if low == high:
        raise SqlError("2201G", "lower bound cannot equal upper bound")
    if low < high:
        if operand < low:
            return 0
        if operand >= high:
            return count + 1
        offset, span = EXACT.subtract(operand, low), EXACT.subtract(high, low)
    else:
        if operand > low:
            return 0
        if operand <= high:
            return count + 1
        offset, span = EXACT.subtract(low, operand), EXACT.subtract(low, high)
    return int(EXACT.divide_int(EXACT.multiply(offset, Decimal(count)), span)) + 1


@function("width_bucket(anycompatible, anycompatiblearray) -> int4", typed=True)
def _width_bucket_of(types: Any, _: Any) -> Callable[[Any, ArrayValue], int]:
    """How many thresholds, which are sorted, are not above the operand."""
    key = sort_key(types[0].oid) or (lambda value: value)

    def find(operand: Any, thresholds: ArrayValue) -> int:
        if len(thresholds.dimensions) > 1:
            raise SqlError("2202E", "thresholds must be one-dimensional array")
        if None in thresholds.items:
            raise SqlError("22004", "thresholds array must not contain NULLs")
        return bisect_right([key(item) for item in thresholds.items], key(operand))

    return find


def _generate(start: Decimal, stop: Decimal, step: Decimal = ONE) -> Iterator[Decimal]:
    for name, value in (("start", start), ("stop", stop), ("step size", step)):
        if not value.is_finite():
            what = "NaN" if value.is_nan() else "infinity"
            raise SqlError(
                "22023", f"{name}{' value' if name != 'step size' else ''} cannot be {what}"
            )
    if not step:
        raise SqlError("22023", "step size cannot equal zero")
    current = start
    while current <= stop if step > 0 else current >= stop:
        yield current
        current = nm.add(current, step)


function("generate_series(numeric, numeric) -> setof numeric")(_generate)
function("generate_series(numeric, numeric, numeric) -> setof numeric")(_generate)
