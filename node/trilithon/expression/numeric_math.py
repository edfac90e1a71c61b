"""Arithmetic of numeric with PostgreSQL's result scales.

Source of the scale rules: numeric.c of PostgreSQL 15 (select_div_scale, sqrt, exp, ln, log, power).
A "weight" there counts base-10000 digits; here it comes from the decimal exponent.
"""

from __future__ import annotations

import decimal
import math
from decimal import Decimal
from functools import lru_cache
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.types import numeric
from trilithon.types.numeric import (
    ARITHMETIC,
    DISPLAY_SCALE_MAX,
    EXACT,
    INFINITY,
    NAN,
    NEGATIVE_INFINITY,
    ONE,
    SIGNIFICANT_DIGITS_MIN,
    ZERO,
    round_to,
    scale_of,
    truncate_to,
)

_ADD, _SUBTRACT = ARITHMETIC.add, ARITHMETIC.subtract
# Products of everyday size. What is exact and normal here has fewer digits after the point than numeric's
# most (Emin and prec see to that); anything else raises and is done again in full.
_MULTIPLY: Final = decimal.Context(
    prec=1000,
    rounding=decimal.ROUND_HALF_UP,
    Emin=-(numeric.SCALE_MAX - 1000),
    Emax=numeric.DIGITS_BEFORE_POINT_MAX - 1,
    traps=[
        decimal.Inexact, decimal.Subnormal, decimal.Clamped, decimal.Rounded, decimal.Overflow,
        decimal.InvalidOperation,
    ],
).multiply  # fmt: skip
_LOG10_E: Final = 0.434294481903252
_RESULT_SCALE_MAX: Final = 2000
# About 0.3 s of computing; it grows with the square of the digits.
_TRANSCENDENTAL_DIGITS_MAX: Final = 1600


def add(left: Decimal, right: Decimal) -> Decimal:
    try:
        return _ADD(left, right)
    except decimal.InvalidOperation:
        return NAN
    except decimal.Overflow:
        raise numeric.overflow() from None


def subtract(left: Decimal, right: Decimal) -> Decimal:
    try:
        return _SUBTRACT(left, right)
    except decimal.InvalidOperation:
        return NAN
    except decimal.Overflow:
        raise numeric.overflow() from None


def multiply(left: Decimal, right: Decimal) -> Decimal:
    """Exact, but for more than 16,383 digits after the point: those are rounded."""
    try:
        result = _MULTIPLY(left, right)
    except decimal.DecimalException:
        return numeric.normal(multiply_exactly(left, right))
    return result if result else result.copy_abs()


def multiply_exactly(left: Decimal, right: Decimal) -> Decimal:
    """With as many digits after the point as it takes: for what is rounded later."""
    try:
        result = ARITHMETIC.multiply(left, right)
    except decimal.InvalidOperation:
        return NAN
    except decimal.Overflow:
        raise numeric.overflow() from None
    return result if result else result.copy_abs()


def negate(value: Decimal) -> Decimal:
    return value if not value or value.is_nan() else value.copy_negate()


def absolute(value: Decimal) -> Decimal:
    return value if value.is_nan() else value.copy_abs()


def _weight(value: Decimal) -> int:
    return value.adjusted() // 4 if value else 0


def _leading(value: Decimal, weight: int) -> int:
    """The first base-10000 digit."""
    return abs(int(EXACT.scaleb(value, -4 * weight))) if value else 0


def _clamp_scale(scale: int, *shown: int) -> int:
    return min(max(scale, *shown, 0), DISPLAY_SCALE_MAX)


def division_scale(left: Decimal, right: Decimal) -> int:
    """select_div_scale(): at least 16 significant digits."""
    weight_left, weight_right = _weight(left), _weight(right)
    quotient_weight = weight_left - weight_right
    if _leading(left, weight_left) <= _leading(right, weight_right):
        quotient_weight -= 1
    scale = SIGNIFICANT_DIGITS_MIN - quotient_weight * 4
    return _clamp_scale(scale, scale_of(left), scale_of(right))


@lru_cache(maxsize=256)
def _sticky(blocks: int) -> decimal.Context:
    """Rounds so that a second rounding is still right (see ROUND_05UP)."""
    return decimal.Context(
        prec=blocks * 32,
        rounding=decimal.ROUND_05UP,
        Emin=-decimal.MAX_EMAX // 1000,
        Emax=decimal.MAX_EMAX // 1000,
        traps=[decimal.InvalidOperation, decimal.DivisionByZero],
    )


def divide_to(left: Decimal, right: Decimal, scale: int) -> Decimal:
    """left / right, rounded half away from zero to `scale` digits. Both finite, right not 0."""
    digits = max(left.adjusted() - right.adjusted(), 0) + scale + 4 if left else scale + 4
    quotient = _sticky(digits // 32 + 1).divide(left, right)
    return round_to(quotient, scale)


def division_by_zero() -> SqlError:
    return SqlError("22012", "division by zero")


def divide(left: Decimal, right: Decimal) -> Decimal:
    if not (left.is_finite() and right.is_finite()):
        return _divide_special(left, right)
    if not right:
        raise division_by_zero()
    return divide_to(left, right, division_scale(left, right))


def _divide_special(left: Decimal, right: Decimal) -> Decimal:
    if left.is_nan() or right.is_nan():
        return NAN
    if not right:
        raise division_by_zero()
    if not left.is_infinite():
        return ZERO
    if right.is_infinite():
        return NAN
    return INFINITY if (left > 0) == (right > 0) else NEGATIVE_INFINITY


def remainder(left: Decimal, right: Decimal) -> Decimal:
    """mod(): the sign of the dividend, the larger scale."""
    if left.is_nan() or right.is_nan():
        return NAN
    if not right:
        raise division_by_zero()
    if left.is_infinite():
        return NAN
    if right.is_infinite():
        return left
    result = EXACT.remainder(left, right)
    result = round_to(result, max(scale_of(left), scale_of(right)))
    return result if result else result.copy_abs()


def integer_quotient(left: Decimal, right: Decimal) -> Decimal:
    """div(): towards zero, scale 0."""
    if not (left.is_finite() and right.is_finite()):
        return _divide_special(left, right)
    if not right:
        raise division_by_zero()
    result = EXACT.divide_int(left, right)
    return EXACT.quantize(result, ONE) if result else ZERO


def round_half_away(value: Decimal, scale: int) -> Decimal:
    return round_to(value, max(min(scale, numeric.SCALE_MAX), -numeric.DIGITS_BEFORE_POINT_MAX))


def truncate(value: Decimal, scale: int) -> Decimal:
    return truncate_to(value, max(min(scale, numeric.SCALE_MAX), -numeric.DIGITS_BEFORE_POINT_MAX))


def ceiling(value: Decimal) -> Decimal:
    if not value.is_finite():
        return value
    result = value.to_integral_value(rounding=decimal.ROUND_CEILING, context=EXACT_ROUNDING)
    return result if result else ZERO


def floor(value: Decimal) -> Decimal:
    if not value.is_finite():
        return value
    result = value.to_integral_value(rounding=decimal.ROUND_FLOOR, context=EXACT_ROUNDING)
    return result if result else ZERO


EXACT_ROUNDING: Final = numeric.ROUNDING


def sign(value: Decimal) -> Decimal:
    if value.is_nan():
        return NAN
    return ZERO if not value else ONE if value > 0 else Decimal(-1)


def square_root(value: Decimal) -> Decimal:
    if value.is_nan():
        return NAN
    if value < 0:
        raise SqlError("2201F", "cannot take square root of a negative number")
    if value.is_infinite():
        return value
    weight = _weight(value)
    digits = weight * 4 // 2 + 1 if weight >= 0 else 1 - (1 - weight * 4) // 2
    scale = _clamp_scale(SIGNIFICANT_DIGITS_MIN - digits, scale_of(value))
    return square_root_to(value, scale)


def square_root_to(value: Decimal, scale: int) -> Decimal:
    """Rounded to `scale` digits; exact by integers."""
    if not value:
        return round_to(ZERO, scale)
    shown = scale_of(value)
    # isqrt of value × 10^(2 × more), with two digits to spare and a sticky third.
    more = scale + 2
    exact = int(EXACT.scaleb(value, shown))
    shift = 2 * more - shown
    scaled = exact * 10**shift if shift >= 0 else exact // 10**-shift
    root = math.isqrt(scaled)
    sticky = 1 if root * root != scaled or (shift < 0 and exact % 10**-shift) else 0
    return round_to(EXACT.scaleb(Decimal(root * 10 + sticky), -(more + 1)), scale)


def _transcendental(digits: int) -> decimal.Context:
    """Raises SqlError 54000 for what would hold the process up for longer than other sessions bear."""
    if digits > _TRANSCENDENTAL_DIGITS_MAX:
        raise SqlError(
            "54000",
            "numeric result has too many digits to compute",
            detail=f"exp, ln, log and power compute at most {_TRANSCENDENTAL_DIGITS_MAX} digits.",
        )
    return _nearest(max(digits, 16) // 32 + 1)


@lru_cache(maxsize=256)
def _nearest(blocks: int) -> decimal.Context:
    return decimal.Context(
        prec=blocks * 32 + 8,
        rounding=decimal.ROUND_HALF_EVEN,
        Emin=-decimal.MAX_EMAX // 1000,
        Emax=decimal.MAX_EMAX // 1000,
        traps=[decimal.InvalidOperation, decimal.DivisionByZero],
    )


def exponential(value: Decimal) -> Decimal:
    if value.is_nan():
        return NAN
    if value.is_infinite():
        return value if value > 0 else ZERO
    estimate = float(value) * _LOG10_E
    # PostgreSQL computes nothing that has more digits than it shows.
    if estimate > 0 and float(value) >= _RESULT_SCALE_MAX * 3:
        raise numeric.overflow()
    estimate = max(min(estimate, _RESULT_SCALE_MAX), -_RESULT_SCALE_MAX)
    scale = _clamp_scale(SIGNIFICANT_DIGITS_MIN - int(estimate), scale_of(value))
    if float(value) * _LOG10_E < -(scale + 10):
        return round_to(ZERO, scale)
    digits = max(int(float(value) * _LOG10_E), 0) + scale + 8
    return _in_range(round_to(_transcendental(digits).exp(value), scale))


def _in_range(value: Decimal) -> Decimal:
    if value and value.adjusted() >= numeric.DIGITS_BEFORE_POINT_MAX:
        raise numeric.overflow()
    return value


def _log_weight(value: Decimal) -> int:
    """estimate_ln_dweight(): the decimal weight of ln(value)."""
    if Decimal("0.9") <= value <= Decimal("1.1"):
        difference = EXACT.subtract(value, ONE)
        return difference.adjusted() if difference else 0
    weight = _weight(value)
    leading = float(EXACT.scaleb(value, -4 * weight))
    log = math.log(leading) + weight * 4 * math.log(10)
    return int(math.log10(abs(log))) if log else 0


def _require_positive(value: Decimal) -> None:
    if value < 0:
        raise SqlError("2201E", "cannot take logarithm of a negative number")
    if not value:
        raise SqlError("2201E", "cannot take logarithm of zero")


def natural_log(value: Decimal) -> Decimal:
    if value.is_nan():
        return NAN
    _require_positive(value)
    if value.is_infinite():
        return value
    scale = _clamp_scale(SIGNIFICANT_DIGITS_MIN - _log_weight(value), scale_of(value))
    return round_to(_transcendental(scale + 16).ln(value), scale)


def log(base: Decimal, value: Decimal) -> Decimal:
    """log(b, x)."""
    if base.is_nan() or value.is_nan():
        return NAN
    _require_positive(base)
    _require_positive(value)
    if base.is_infinite():
        return NAN if value.is_infinite() else ZERO
    if value.is_infinite():
        return INFINITY
    weight = _log_weight(value) - _log_weight(base)
    scale = _clamp_scale(SIGNIFICANT_DIGITS_MIN - weight, scale_of(base), scale_of(value))
    context = _transcendental(scale + 24)
    denominator = context.ln(base)
    if not denominator:
        raise division_by_zero()
    return round_to(context.divide(context.ln(value), denominator), scale)


def power(base: Decimal, exponent: Decimal) -> Decimal:
    if not (base.is_finite() and exponent.is_finite()):
        return _power_special(base, exponent)
    if not base and exponent < 0:
        raise SqlError("2201F", "zero raised to a negative power is undefined")
    integral = exponent == exponent.to_integral_value()
    if base < 0 and not integral:
        raise SqlError(
            "2201F", "a negative number raised to a non-integer power yields a complex result"
        )
    if integral and abs(exponent) < 1 << 31:
        return _integer_power(base, int(exponent))
    if not base:
        return round_to(ZERO, SIGNIFICANT_DIGITS_MIN)
    magnitude = base.copy_abs()
    rough = float(_nearest(1).ln(magnitude)) * float(exponent)
    if abs(rough) > _RESULT_SCALE_MAX * 3.01:
        if rough > 0:
            raise numeric.overflow()
        return round_to(ZERO, DISPLAY_SCALE_MAX)
    estimate = rough * _LOG10_E
    scale = _clamp_scale(SIGNIFICANT_DIGITS_MIN - int(estimate), scale_of(base), scale_of(exponent))
    context = _transcendental(scale + max(int(estimate), 0) + 24)
    result = context.power(magnitude, exponent)
    if base < 0 and int(exponent) % 2:
        result = result.copy_negate()
    return round_to(result, scale)


def _integer_power(base: Decimal, exponent: int) -> Decimal:
    estimate = 0.0
    if base:
        estimate = exponent * (math.log10(float(_mantissa(base))) + base.adjusted())
    if estimate > (32767 + 1) * 4:
        raise numeric.overflow()
    # Unlike elsewhere, the scale does not follow the size of the result.
    scale = _clamp_scale(SIGNIFICANT_DIGITS_MIN, scale_of(base))
    if estimate + 1 < -scale:
        return round_to(ZERO, scale)
    if exponent == 0:
        return round_to(ONE, scale)
    if exponent == -1:
        return divide_to(ONE, base, scale)
    if not base:
        return round_to(ZERO, scale)
    # Repeated squaring, which is fast at any size.
    context = _nearest((scale + int(abs(estimate)) + 24) // 32 + 1)
    result = context.power(base, exponent) if abs(exponent) > 1 else base
    result = round_to(result, scale)
    return _in_range(result)


def _mantissa(value: Decimal) -> Decimal:
    return EXACT.scaleb(value.copy_abs(), -value.adjusted())


def _power_special(base: Decimal, exponent: Decimal) -> Decimal:
    """NaN and infinities, as in the C library's pow()."""
    if base == ONE or (exponent.is_finite() and not exponent):
        return ONE
    if base.is_nan() or exponent.is_nan():
        return NAN
    if exponent.is_infinite():
        magnitude = absolute(base)
        if magnitude == ONE:
            return ONE
        if not base and exponent < 0:
            raise SqlError("2201F", "zero raised to a negative power is undefined")
        return INFINITY if (magnitude > 1) == (exponent > 0) else ZERO
    odd = exponent == exponent.to_integral_value() and int(exponent) % 2
    if base < 0 and exponent != exponent.to_integral_value():
        raise SqlError(
            "2201F", "a negative number raised to a non-integer power yields a complex result"
        )
    if exponent < 0:
        return ZERO
    return base if base > 0 or odd else INFINITY
