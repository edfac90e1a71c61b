"""How a column's values are spread: the part of a table's rows that a comparison with a value keeps.

A *part* is in [0, 1]. The common values are known one by one; the others are taken to be spread evenly over the
parts that the bounds cut them into, and within such a part evenly between its bounds where they are numbers.

Source: PostgreSQL's documentation, "Row Estimation Examples" (chapter 76.1).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from trilithon.types.ordering import sort_key

# No estimate says that there is nothing: statistics are old.
PART_MIN: Final = 1e-7


class Spread:
    """`watchful`: whether some values of = keep a very different part than others."""

    __slots__ = ("_bounds", "_common", "_distinct", "_nulls", "_order", "_raw", "_rest")

    def __init__(
        self,
        oid: int,
        nulls: float,
        distinct: float,
        common: Sequence[Any],
        parts: Sequence[float],
        bounds: Sequence[Any],
    ) -> None:
        self._order = order = sort_key(oid)
        self._nulls = nulls
        self._distinct = distinct
        self._common = {
            (value if order is None else order(value)): part
            for value, part in zip(common, parts, strict=True)
        }
        self._raw = bounds
        self._bounds = list(bounds) if order is None else [order(value) for value in bounds]
        # Of the values that are not common ones, all together.
        self._rest = max(1.0 - nulls - sum(parts), 0.0)

    @property
    def watchful(self) -> bool:
        return bool(self._common)

    @property
    def ordered(self) -> bool:
        return bool(self._common) or len(self._bounds) > 1

    def part(self, operator: str, value: Any) -> float | None:
        """What `column operator value` keeps; None where nothing is known. NULL keeps nothing."""
        if value is None:
            return PART_MIN
        try:
            return self._part(operator, value if self._order is None else self._order(value))
        except (TypeError, ValueError, ArithmeticError, AttributeError):
            # A value of another kind than the column's: the estimate does without it.
            return None

    def average(self, operator: str) -> float | None:
        """Of = with a value that is not known."""
        if operator != "=":
            return None
        return max(1.0 - self._nulls, 0.0) / max(self._distinct, 1.0)

    def _part(self, operator: str, value: Any) -> float | None:
        if operator == "=":
            found = self._common.get(value)
            if found is not None:
                return found
            others = max(self._distinct - len(self._common), 1.0)
            part = self._rest / others
            return max(min([part, *self._common.values()]), PART_MIN)
        if operator not in ("<", "<=", ">", ">=") or not self.ordered:
            return None
        below = self._below(value, inclusive=operator in ("<=", ">"))
        part = below if operator[0] == "<" else 1.0 - self._nulls - below
        return min(max(part, PART_MIN), 1.0)

    def _below(self, value: Any, *, inclusive: bool) -> float:
        """The part that is less than the value (`inclusive`: or equal to it)."""
        part = sum(
            common_part
            for common, common_part in self._common.items()
            if common < value or (inclusive and common == value)
        )
        bounds = self._bounds
        if len(bounds) < 2:
            return part
        find = bisect_right if inclusive else bisect_left
        at = find(bounds, value)
        if at == 0:
            return part
        if at == len(bounds):
            return part + self._rest
        inside = _between(bounds[at - 1], bounds[at], value)
        return part + self._rest * (at - 1 + inside) / (len(bounds) - 1)


def _between(low: Any, high: Any, value: Any) -> float:
    """Where the value stands between two bounds, in [0, 1]."""
    if isinstance(low, int | float | Decimal) and isinstance(high, int | float | Decimal):
        width = float(high) - float(low)
        return min(max((float(value) - float(low)) / width, 0.0), 1.0) if width > 0 else 0.5
    return 0.5
