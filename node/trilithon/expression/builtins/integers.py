"""smallint, integer, bigint: arithmetic with overflow checks, bits, and functions of integers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, NoReturn

from trilithon.core.errors import SqlError
from trilithon.expression.registry import function, inline_name, operator

SQL_NAMES: Final = {"int2": "smallint", "int4": "integer", "int8": "bigint"}
RANGES: Final = {
    "int2": (-(1 << 15), (1 << 15) - 1),
    "int4": (-(1 << 31), (1 << 31) - 1),
    "int8": (-(1 << 63), (1 << 63) - 1),
}


@inline_name
def int2_out_of_range() -> NoReturn:
    raise SqlError("22003", "smallint out of range")


@inline_name
def int4_out_of_range() -> NoReturn:
    raise SqlError("22003", "integer out of range")


@inline_name
def int8_out_of_range() -> NoReturn:
    raise SqlError("22003", "bigint out of range")


def division_by_zero() -> SqlError:
    return SqlError("22012", "division by zero")


def checked(kind: str) -> Callable[[int], int]:
    """A function that gives its argument back, or 22003 where the type cannot hold it."""
    low, high = RANGES[kind]

    def check(value: int) -> int:
        if low <= value <= high:
            return value
        raise SqlError("22003", f"{SQL_NAMES[kind]} out of range")

    return check


@inline_name
def truncated_quotient(left: int, right: int) -> int:
    """Integer division towards zero."""
    if not right:
        raise division_by_zero()
    quotient = left // right
    return quotient + 1 if quotient < 0 and quotient * right != left else quotient


@inline_name
def truncated_remainder(left: int, right: int) -> int:
    """The remainder with the sign of the dividend."""
    if not right:
        raise division_by_zero()
    remainder = left % right
    return remainder - right if remainder and (remainder < 0) != (left < 0) else remainder


def _wider(left: str, right: str) -> str:
    return max(left, right, key=list(RANGES).index)


def _define_arithmetic(left: str, right: str) -> None:
    kind = _wider(left, right)
    low, high = RANGES[kind]
    check = checked(kind)
    for symbol in "+-*":
        inline = f"{{t}} if {low} <= ({{t}} := {{0}} {symbol} {{1}}) <= {high} else {kind}_out_of_range()"
        operator(f"{left} {symbol} {right} -> {kind}", inline=inline)(
            {
                "+": lambda a, b: check(a + b),
                "-": lambda a, b: check(a - b),
                "*": lambda a, b: check(a * b),
            }[symbol]
        )
    operator(f"{left} / {right} -> {kind}")(lambda a, b: check(truncated_quotient(a, b)))


def _define_all() -> None:
    for left in RANGES:
        for right in RANGES:
            _define_arithmetic(left, right)
    for kind in RANGES:
        check = checked(kind)
        _define_unary(kind, check)
        _define_bits(kind, check)


def _define_unary(kind: str, check: Callable[[int], int]) -> None:
    operator(f"- {kind} -> {kind}")(lambda a: check(-a))
    operator(f"+ {kind} -> {kind}", raises=False)(lambda a: a)
    operator(f"@ {kind} -> {kind}")(lambda a: check(abs(a)))
    function(f"abs({kind}) -> {kind}")(lambda a: check(abs(a)))
    operator(f"{kind} % {kind} -> {kind}")(truncated_remainder)
    function(f"mod({kind}, {kind}) -> {kind}")(truncated_remainder)
    if kind != "int2":
        function(f"gcd({kind}, {kind}) -> {kind}")(lambda a, b: check(math.gcd(a, b)))
        function(f"lcm({kind}, {kind}) -> {kind}")(lambda a, b: check(math.lcm(a, b)))


def _define_bits(kind: str, check: Callable[[int], int]) -> None:
    bits = RANGES[kind][1].bit_length() + 1
    mask, sign = (1 << bits) - 1, 1 << (bits - 1)

    def wrap(value: int) -> int:
        return ((value & mask) ^ sign) - sign

    for symbol, call in _bit_calls().items():
        operator(f"{kind} {symbol} {kind} -> {kind}", raises=False)(call)
    operator(f"~ {kind} -> {kind}", raises=False)(lambda a: ~a)
    # The machine shifts modulo its word (32 bits for smallint too), as C does.
    word = max(bits, 32)
    operator(f"{kind} << int4 -> {kind}", raises=False)(lambda a, n: wrap(a << (n % word)))
    operator(f"{kind} >> int4 -> {kind}", raises=False)(lambda a, n: a >> (n % word))


def _bit_calls() -> dict[str, Callable[[Any, Any], Any]]:
    return {"&": lambda a, b: a & b, "|": lambda a, b: a | b, "#": lambda a, b: a ^ b}


_define_all()


def _generate(start: int, stop: int, step: int = 1) -> range:
    if step == 0:
        raise SqlError("22023", "step size cannot equal zero")
    return range(start, stop + (1 if step > 0 else -1), step)


for _kind in ("int4", "int8"):
    function(f"generate_series({_kind}, {_kind}) -> setof {_kind}")(_generate)
    function(f"generate_series({_kind}, {_kind}, {_kind}) -> setof {_kind}")(_generate)


@function("to_hex(int4) -> text", raises=False)
def _to_hex4(value: int) -> str:
    return f"{value & 0xFFFF_FFFF:x}"


@function("to_hex(int8) -> text", raises=False)
def _to_hex8(value: int) -> str:
    return f"{value & 0xFFFF_FFFF_FFFF_FFFF:x}"
