"""Trigonometry in degrees: exact where it is exact, at multiples of 30 and 45.

Source of the method: float.c of PostgreSQL 15 (results are scaled by what the functions give at the
exact points, within the first quadrant).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.expression.registry import function

_TO_RADIANS: Final = 0.0174532925199432957692
_SIN_30: Final = math.sin(30 * _TO_RADIANS)
_ONE_MINUS_COS_60: Final = 1.0 - math.cos(60 * _TO_RADIANS)
_ASIN_HALF: Final = math.asin(0.5)
_ACOS_HALF: Final = math.acos(0.5)
_ATAN_1: Final = math.atan(1.0)


def _sin_to_30(x: float) -> float:
    return (math.sin(x * _TO_RADIANS) / _SIN_30) / 2.0


def _cos_to_60(x: float) -> float:
    return 1.0 - ((1.0 - math.cos(x * _TO_RADIANS)) / _ONE_MINUS_COS_60) / 2.0


def _sin_first_quadrant(x: float) -> float:
    return _sin_to_30(x) if x <= 30.0 else _cos_to_60(90.0 - x)


def _cos_first_quadrant(x: float) -> float:
    return _cos_to_60(x) if x <= 60.0 else _sin_to_30(90.0 - x)


_TAN_45: Final = _sin_first_quadrant(45.0) / _cos_first_quadrant(45.0)
_COT_45: Final = _cos_first_quadrant(45.0) / _sin_first_quadrant(45.0)


def _asin_first_quadrant(x: float) -> float:
    if x <= 0.5:
        return (math.asin(x) / _ASIN_HALF) * 30.0
    return 90.0 - (math.acos(x) / _ACOS_HALF) * 60.0


def _acos_first_quadrant(x: float) -> float:
    if x <= 0.5:
        return 90.0 - (math.asin(x) / _ASIN_HALF) * 30.0
    return (math.acos(x) / _ACOS_HALF) * 60.0


def _out_of_range() -> SqlError:
    return SqlError("22003", "input is out of range")


def _angle(call: Callable[[float], float]) -> Callable[[float], float]:
    def compute(x: float) -> float:
        if math.isnan(x):
            return x
        if math.isinf(x):
            raise _out_of_range()
        return call(math.fmod(x, 360.0))

    return compute


def _sind(x: float) -> float:
    sign = 1.0
    if x < 0.0:
        x, sign = -x, -sign
    if x > 180.0:
        x, sign = 360.0 - x, -sign
    if x > 90.0:
        x = 180.0 - x
    return sign * _sin_first_quadrant(x)


def _cosd(x: float) -> float:
    sign = 1.0
    x = abs(x)
    if x > 180.0:
        x = 360.0 - x
    if x > 90.0:
        x, sign = 180.0 - x, -sign
    return sign * _cos_first_quadrant(x)


def _folded(x: float) -> tuple[float, float]:
    """(angle within the first quadrant, sign) of a tangent or cotangent."""
    sign = 1.0
    if x < 0.0:
        x, sign = -x, -sign
    if x > 180.0:
        x, sign = 360.0 - x, -sign
    if x > 90.0:
        x, sign = 180.0 - x, -sign
    return x, sign


def _divided(top: float, bottom: float) -> float:
    return top / bottom if bottom else math.copysign(math.inf, bottom)


def _tand(x: float) -> float:
    x, sign = _folded(x)
    # No negative zero.
    return sign * (_divided(_sin_first_quadrant(x), _cos_first_quadrant(x)) / _TAN_45) + 0.0


def _cotd(x: float) -> float:
    x, sign = _folded(x)
    return sign * (_divided(_cos_first_quadrant(x), _sin_first_quadrant(x)) / _COT_45) + 0.0


def _within_one(x: float) -> None:
    if not -1.0 <= x <= 1.0:
        raise _out_of_range()


function("sind(float8) -> float8")(_angle(_sind))
function("cosd(float8) -> float8")(_angle(_cosd))
function("tand(float8) -> float8")(_angle(_tand))
function("cotd(float8) -> float8")(_angle(_cotd))


@function("asind(float8) -> float8")
def _asind(x: float) -> float:
    if math.isnan(x):
        return x
    _within_one(x)
    return _asin_first_quadrant(x) if x >= 0.0 else -_asin_first_quadrant(-x)


@function("acosd(float8) -> float8")
def _acosd(x: float) -> float:
    if math.isnan(x):
        return x
    _within_one(x)
    if x >= 0.0:
        return _acos_first_quadrant(x)
    return 90.0 + _asin_first_quadrant(-x)


@function("atand(float8) -> float8", raises=False)
def _atand(x: float) -> float:
    return (math.atan(x) / _ATAN_1) * 45.0


@function("atan2d(float8, float8) -> float8", raises=False)
def _atan2d(y: float, x: float) -> float:
    if math.isnan(x) or math.isnan(y):
        return math.nan
    return (math.atan2(y, x) / _ATAN_1) * 45.0
