"""real and double precision: IEEE arithmetic with PostgreSQL's overflow errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.registry import VOLATILE, function, operator
from trilithon.types.text_io import to_float4

_INFINITIES: Final = (math.inf, -math.inf)


def overflow() -> SqlError:
    return SqlError("22003", "value out of range: overflow")


def underflow() -> SqlError:
    return SqlError("22003", "value out of range: underflow")


def add(left: float, right: float) -> float:
    result = left + right
    if result in _INFINITIES and left not in _INFINITIES and right not in _INFINITIES:
        raise overflow()
    return result


def subtract(left: float, right: float) -> float:
    return add(left, -right)


def multiply(left: float, right: float) -> float:
    result = left * right
    if result in _INFINITIES and left not in _INFINITIES and right not in _INFINITIES:
        raise overflow()
    if result == 0 and left != 0 and right != 0:
        raise underflow()
    return result


def divide(left: float, right: float) -> float:
    if right == 0 and left == left:
        raise SqlError("22012", "division by zero")
    if right == 0:
        return math.nan
    result = left / right
    if result in _INFINITIES and left not in _INFINITIES:
        raise overflow()
    if result == 0 and left != 0 and right not in _INFINITIES:
        raise underflow()
    return result


def _single(call: Callable[[float, float], float]) -> Callable[[float, float], float]:
    def compute(left: float, right: float) -> float:
        exact = call(left, right)
        result = to_float4(exact)
        if result == 0 and exact != 0:
            raise underflow()
        return result

    return compute


for _symbol, _call in (("+", add), ("-", subtract), ("*", multiply), ("/", divide)):
    operator(f"float8 {_symbol} float8 -> float8")(_call)
    operator(f"float4 {_symbol} float4 -> float4")(_single(_call))
    operator(f"float4 {_symbol} float8 -> float8")(_call)
    operator(f"float8 {_symbol} float4 -> float8")(_call)

for _kind in ("float4", "float8"):
    operator(f"- {_kind} -> {_kind}", raises=False)(lambda value: -value)
    operator(f"+ {_kind} -> {_kind}", raises=False)(lambda value: value)
    operator(f"@ {_kind} -> {_kind}", raises=False)(abs)
    function(f"abs({_kind}) -> {_kind}", raises=False)(abs)


def power(base: float, exponent: float) -> float:
    if base == 0 and exponent < 0:
        raise SqlError("2201F", "zero raised to a negative power is undefined")
    if base < 0 and exponent not in _INFINITIES and exponent == exponent and exponent % 1 != 0:
        raise SqlError(
            "2201F", "a negative number raised to a non-integer power yields a complex result"
        )
    try:
        result = math.pow(base, exponent)
    except OverflowError:
        raise overflow() from None
    if (
        result == 0
        and base != 0
        and abs(base) not in _INFINITIES
        and abs(exponent) not in _INFINITIES
    ):
        raise underflow()
    return result


operator("float8 ^ float8 -> float8")(power)
function("power(float8, float8) -> float8")(power)
function("pow(float8, float8) -> float8")(power)


@function("sqrt(float8) -> float8")
@operator("|/ float8 -> float8")
def _sqrt(value: float) -> float:
    if value < 0:
        raise SqlError("2201F", "cannot take square root of a negative number")
    return math.sqrt(value)


@function("cbrt(float8) -> float8")
@operator("||/ float8 -> float8")
def _cbrt(value: float) -> float:
    return math.cbrt(value)


@function("exp(float8) -> float8")
def _exp(value: float) -> float:
    try:
        result = math.exp(value)
    except OverflowError:
        raise overflow() from None
    if result == 0 and value not in _INFINITIES:
        raise underflow()
    return result


def _logarithm(call: Callable[[float], float]) -> Callable[[float], float]:
    def compute(value: float) -> float:
        if value == 0:
            raise SqlError("2201E", "cannot take logarithm of zero")
        if value < 0:
            raise SqlError("2201E", "cannot take logarithm of a negative number")
        return call(value)

    return compute


function("ln(float8) -> float8")(_logarithm(math.log))
function("log(float8) -> float8")(_logarithm(math.log10))
function("log10(float8) -> float8")(_logarithm(math.log10))


def _rounded(call: Callable[[float], Any]) -> Callable[[float], float]:
    """Keep the sign of zero, and leave NaN and infinities alone."""

    def compute(value: float) -> float:
        if value != value or value in _INFINITIES:
            return value
        return math.copysign(float(call(value)), value)

    return compute


function("ceil(float8) -> float8", raises=False)(_rounded(math.ceil))
function("ceiling(float8) -> float8", raises=False)(_rounded(math.ceil))
function("floor(float8) -> float8", raises=False)(_rounded(math.floor))
function("trunc(float8) -> float8", raises=False)(_rounded(math.trunc))
function("round(float8) -> float8", raises=False)(_rounded(round))


@function("sign(float8) -> float8", raises=False)
def _sign(value: float) -> float:
    return 1.0 if value > 0 else -1.0 if value < 0 else value if value != value else 0.0


function("pi() -> float8", raises=False)(lambda: math.pi)
function("degrees(float8) -> float8", raises=False)(math.degrees)


@function("radians(float8) -> float8")
def _radians(value: float) -> float:
    result = math.radians(value)
    if value and not result:
        raise SqlError("22003", "value out of range: underflow")
    return result


def _within(call: Callable[..., float]) -> Callable[..., float]:
    def compute(*values: float) -> float:
        if any(value != value for value in values):
            return math.nan
        try:
            return call(*values)
        except (ValueError, OverflowError):
            raise SqlError("22003", "input is out of range") from None

    return compute


for _name in ("sin", "cos", "tan", "asin", "acos", "atan", "tanh", "asinh", "acosh"):  # fmt: skip
    function(f"{_name}(float8) -> float8")(_within(getattr(math, _name)))


def _hyperbolic(compute: Callable[[float], float], odd: bool) -> Callable[[float], float]:
    """sinh and cosh: what is too large is infinite."""

    def call(value: float) -> float:
        try:
            return compute(value)
        except OverflowError:
            return math.copysign(math.inf, value) if odd else math.inf

    return call


function("sinh(float8) -> float8")(_hyperbolic(math.sinh, True))
function("cosh(float8) -> float8")(_hyperbolic(math.cosh, False))
function("atan2(float8, float8) -> float8")(_within(math.atan2))


@function("atanh(float8) -> float8")
def _atanh(value: float) -> float:
    if value in (1.0, -1.0):
        return math.copysign(math.inf, value)
    return _within(math.atanh)(value)


@function("cot(float8) -> float8")
def _cot(value: float) -> float:
    if value in _INFINITIES:
        raise SqlError("22003", "input is out of range")
    if value == 0:
        return math.copysign(math.inf, value)
    return 1 / math.tan(value)


@function("random() -> float8", volatility=VOLATILE, context=True, raises=True)
def _random(ctx: Any) -> float:
    return float(ctx.random.random())


@function("width_bucket(float8, float8, float8, int4) -> int4")
def _width_bucket(operand: float, low: float, high: float, count: int) -> int:
    if count <= 0:
        raise SqlError("2201G", "count must be greater than zero")
    if operand != operand or low != low or high != high:
        raise SqlError("2201G", "operand, lower bound, and upper bound cannot be NaN")
    if low in _INFINITIES or high in _INFINITIES:
        raise SqlError("2201G", "lower and upper bounds must be finite")
    if low == high:
        raise SqlError("2201G", "lower bound cannot equal upper bound")
    if low < high:
        if operand < low:
            return 0
        if operand >= high:
            return count + 1
        return min(int(count * ((operand - low) / (high - low))), count - 1) + 1
    if operand > low:
        return 0
    if operand <= high:
        return count + 1
    return min(int(count * ((low - operand) / (low - high))), count - 1) + 1
