"""PostgreSQL's numeric on top of decimal.Decimal.

Invariants of a numeric value: its exponent is never positive (the scale shown is -exponent), it is
never a negative zero, and NaN is the one object `NAN`, which equals itself and is greater than
everything. So Python's operators, sorting and hashing treat numerics as SQL does.

`EXACT` is a context that never rounds what fits numeric; the default 28-digit context must never
touch a user's number. Source of the limits and of the scale rules: numeric.c of PostgreSQL 15.
"""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import Any, Final

from trilithon.core.errors import SqlError

DIGITS_BEFORE_POINT_MAX: Final = 131_072
SCALE_MAX: Final = 16_383
DISPLAY_SCALE_MAX: Final = 1000
SIGNIFICANT_DIGITS_MIN: Final = 16


def _is_nan(value: object) -> bool:
    return isinstance(value, Decimal) and value.is_nan()


class _NotANumber(Decimal):
    """NaN with SQL's order: equal to itself, greater than everything else."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return _is_nan(other)

    def __ne__(self, other: object) -> bool:
        return not _is_nan(other)

    def __lt__(self, other: Any) -> bool:
        return False

    def __le__(self, other: Any) -> bool:
        return _is_nan(other)

    def __gt__(self, other: Any) -> bool:
        return not _is_nan(other)

    def __ge__(self, other: Any) -> bool:
        return True

    def __hash__(self) -> int:
        return 0x7FF8

    def __str__(self) -> str:
        return "NaN"

    def __repr__(self) -> str:
        return "numeric.NAN"

    def __reduce__(self) -> Any:
        return (_nan, ())


def _nan() -> Decimal:
    return NAN


# A signalling NaN: arithmetic with it raises InvalidOperation, so that no plain NaN can slip out.
NAN: Final[Decimal] = _NotANumber("sNaN")
INFINITY: Final = Decimal("Infinity")
NEGATIVE_INFINITY: Final = Decimal("-Infinity")
ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)

# Large enough for the exact product of two of the largest numerics.
_PRECISION: Final = 2 * (DIGITS_BEFORE_POINT_MAX + SCALE_MAX) + 100
EXACT: Final = decimal.Context(
    prec=_PRECISION,
    rounding=decimal.ROUND_HALF_UP,
    Emin=-decimal.MAX_EMAX // 1000,
    Emax=decimal.MAX_EMAX // 1000,
    traps=[decimal.Inexact, decimal.InvalidOperation, decimal.DivisionByZero],
)
# The same, for operations that are meant to round (quantize): half away from zero.
ROUNDING: Final = decimal.Context(
    prec=_PRECISION,
    rounding=decimal.ROUND_HALF_UP,
    Emin=-decimal.MAX_EMAX // 1000,
    Emax=decimal.MAX_EMAX // 1000,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero],
)
# Arithmetic on users' numbers: exact, and overflowing where numeric does.
ARITHMETIC: Final = decimal.Context(
    prec=_PRECISION,
    rounding=decimal.ROUND_HALF_UP,
    Emin=-decimal.MAX_EMAX // 1000,
    Emax=DIGITS_BEFORE_POINT_MAX - 1,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)
_UNITS: Final = tuple(Decimal((0, (1,), -scale)) for scale in range(64))


def unit(scale: int) -> Decimal:
    """10^-scale, for quantize."""
    return _UNITS[scale] if 0 <= scale < 64 else Decimal((0, (1,), -scale))


def scale_of(value: Decimal) -> int:
    """The number of digits after the point that are shown; 0 for NaN and infinities."""
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def overflow() -> SqlError:
    return SqlError("22003", "value overflows numeric format")


def normal(value: Decimal) -> Decimal:
    """Bring any Decimal into the form this module promises.

    Raises SqlError 22003 when it has more digits than numeric can hold.
    """
    if not value.is_finite():
        return NAN if value.is_nan() else value
    if not value:
        scale = scale_of(value)
        return ROUNDING.quantize(ZERO, unit(min(scale, SCALE_MAX))) if scale > 0 else ZERO
    if value.adjusted() >= DIGITS_BEFORE_POINT_MAX:
        raise overflow()
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    if exponent > 0:
        return EXACT.quantize(value, ONE)
    if exponent < -SCALE_MAX:
        return round_to(value, SCALE_MAX)
    return value


def round_to(value: Decimal, scale: int) -> Decimal:
    """Round half away from zero to `scale` digits after the point (negative: before it)."""
    if not value.is_finite():
        return value
    if scale < 0:
        rounded = ROUNDING.quantize(value, unit(scale))
        return ROUNDING.quantize(rounded, ONE) if rounded else ZERO
    result = ROUNDING.quantize(value, unit(scale))
    return result if result else result.copy_abs()


def truncate_to(value: Decimal, scale: int) -> Decimal:
    if not value.is_finite():
        return value
    exact = value.quantize(unit(scale), rounding=decimal.ROUND_DOWN, context=ROUNDING)
    if scale < 0:
        exact = ROUNDING.quantize(exact, ONE)
    return exact if exact else exact.copy_abs()


def apply_precision(value: Decimal, precision: int, scale: int) -> Decimal:
    """The value as numeric(precision, scale) stores it. Raises SqlError 22003."""
    if not value.is_finite():
        if value.is_nan():
            return value
        raise SqlError(
            "22003",
            "numeric field overflow",
            detail=f"A field with precision {precision}, scale {scale} cannot hold an infinite value.",
        )
    rounded = round_to(value, scale)
    if rounded and rounded.adjusted() + 1 > precision - scale:
        power = precision - scale
        limit = f"10^{power}" if power else "1"
        raise SqlError(
            "22003",
            "numeric field overflow",
            detail=f"A field with precision {precision}, scale {scale} must round to an absolute "
            f"value less than {limit}.",
        )
    return rounded


def render(value: Decimal) -> str:
    """PostgreSQL's text: never an exponent, NaN, Infinity, -Infinity."""
    text = str(value)
    # str() switches to an exponent for small values only; everything else is already right.
    return f"{value:f}" if "E" in text else text


def from_float(value: float, digits: int) -> Decimal:
    """The cast from float: `digits` significant digits (15 for float8, 6 for float4)."""
    if value != value:
        return NAN
    if value in (float("inf"), float("-inf")):
        return INFINITY if value > 0 else NEGATIVE_INFINITY
    return normal(Decimal(f"{value:.{digits}g}"))
