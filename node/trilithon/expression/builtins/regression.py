"""Aggregates of pairs (Y, X): correlation, covariance, linear regression.

Source of the formulas: float8_regr_accum() and its kin in float.c of PostgreSQL 15. The order of the rows
matters to the last digit, so partial states are not merged.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from trilithon.expression.builtins import floats
from trilithon.expression.registry import aggregate


class _Sums(NamedTuple):
    """Sums, and sums of squared differences and of products of differences from the averages."""

    rows: int = 0
    x: float = 0.0
    xx: float = 0.0
    y: float = 0.0
    yy: float = 0.0
    xy: float = 0.0


_START: Final = _Sums()


def _step(state: _Sums, y: float, x: float) -> _Sums:
    count, sum_x, xx, sum_y, yy, xy = state
    new_count, new_x, new_y = count + 1, sum_x + x, sum_y + y
    if not count:
        if not math.isfinite(x):
            xx = xy = math.nan
        if not math.isfinite(y):
            yy = xy = math.nan
        return _Sums(new_count, new_x, xx, new_y, yy, xy)
    difference_x, difference_y = x * new_count - new_x, y * new_count - new_y
    scale = 1.0 / (new_count * count)
    xx += difference_x * difference_x * scale
    yy += difference_y * difference_y * scale
    xy += difference_x * difference_y * scale
    if any(map(math.isinf, (new_x, xx, new_y, yy, xy))):
        _check_overflow(state, y, x, _Sums(new_count, new_x, xx, new_y, yy, xy))
        xx, yy, xy = (math.nan if math.isinf(value) else value for value in (xx, yy, xy))
    return _Sums(new_count, new_x, xx, new_y, yy, xy)


def _check_overflow(before: _Sums, y: float, x: float, after: _Sums) -> None:
    """Infinity out of finite numbers is an error, out of infinite ones a result."""
    finite_x = not math.isinf(before.x) and not math.isinf(x)
    finite_y = not math.isinf(before.y) and not math.isinf(y)
    if (
        (finite_x and (math.isinf(after.x) or math.isinf(after.xx)))
        or (finite_y and (math.isinf(after.y) or math.isinf(after.yy)))
        or (finite_x and finite_y and math.isinf(after.xy))
    ):
        raise floats.overflow()


def _quotient(dividend: float, divisor: float) -> float:
    """As the C language divides."""
    if divisor:
        return dividend / divisor
    if not dividend or dividend != dividend:
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)


def _correlation(s: _Sums) -> float | None:
    return _quotient(s.xy, math.sqrt(s.xx * s.yy)) if s.xx and s.yy else None


def _determination(s: _Sums) -> float | None:
    if not s.xx:
        return None
    return _quotient(s.xy * s.xy, s.xx * s.yy) if s.yy else 1.0


_FINALS: Final[dict[str, Callable[[_Sums], float | None]]] = {
    "corr": _correlation,
    "covar_pop": lambda s: s.xy / s.rows,
    "covar_samp": lambda s: s.xy / (s.rows - 1) if s.rows > 1 else None,
    "regr_avgx": lambda s: s.x / s.rows,
    "regr_avgy": lambda s: s.y / s.rows,
    "regr_sxx": lambda s: s.xx,
    "regr_syy": lambda s: s.yy,
    "regr_sxy": lambda s: s.xy,
    "regr_r2": _determination,
    "regr_slope": lambda s: s.xy / s.xx if s.xx else None,
    "regr_intercept": lambda s: (s.y - s.x * s.xy / s.xx) / s.rows if s.xx else None,
}


def _unless_empty(final: Callable[[_Sums], float | None]) -> Callable[[_Sums], float | None]:
    return lambda state: final(state) if state.rows else None


for _name, _final in _FINALS.items():
    aggregate(
        f"{_name}(float8, float8) -> float8",
        init=lambda: _START,
        step=_step,
        final=_unless_empty(_final),
    )
aggregate(
    "regr_count(float8, float8) -> int8",
    init=int,
    step=lambda count, y, x: count + 1,
    final=lambda count: count,
    merge=lambda left, right: left + right,
)
