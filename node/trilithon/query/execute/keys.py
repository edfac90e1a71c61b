"""Keys from predicates: what an access path's conditions mean once the parameters are known.

A *path* fixes a prefix of an index's columns to values (one or several each) and may bound the next
column by a range. NULL fixes nothing: `x = NULL` has no rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.types.keys import prefix_end

# No stored key is longer; storage refuses longer ones.
KEY_BYTES_MAX: Final = 1_970
# Points and ranges that one scan may fall into before a wider range is the better choice.
COMBINATIONS_MAX: Final = 100_000

Encode = Callable[[Sequence[Any]], bytes]
# (row, context) → a tuple of the values of all conditions
Evaluate = Callable[[Any, Any], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range on the column behind the fixed prefix; `position` in the evaluated values."""

    position: int
    inclusive: bool


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """`prefix`: the index's own. `evaluate` computes the conditions' values for an (outer) row;
    the first `fixed` of them are the fixed columns, of which `lists` says which are lists of values.

    `low` and `high` are in key order: for a descending column the analyser has exchanged them.
    """

    prefix: bytes
    encode: Encode
    evaluate: Evaluate
    fixed: int
    lists: tuple[bool, ...]
    low: Bound | None = None
    high: Bound | None = None
    # Not 0: the values are alternatives of so many columns each, and nothing else.
    arm_width: int = 0

    def combinations(self, values: Sequence[Any]) -> list[Sequence[Any]]:
        """The fixed columns' values, each combination once; none where a value is NULL."""
        if self.arm_width:
            width = self.arm_width
            arms = [values[at : at + width] for at in range(0, len(values), width)]
            return [arm for arm in arms if None not in arm]
        if True not in self.lists:
            head = values[: self.fixed]
            return [] if None in head else [head]
        columns: list[list[Any]] = []
        size = 1
        for value, many in zip(values, self.lists, strict=False):
            if value is None:
                return []
            options = [item for item in value if item is not None] if many else [value]
            if many:
                options = _distinct(options)
            columns.append(options)
            size *= len(options)
            if size > COMBINATIONS_MAX:
                raise SqlError(
                    "54000",
                    f"more than {COMBINATIONS_MAX} index keys in one condition",
                    hint="Join with a VALUES list or a table instead.",
                )
        return [list(choice) for choice in itertools.product(*columns)]

    def points(self, row: Any, context: Any) -> list[bytes]:
        """Whole keys, for a path that fixes all columns of a unique index."""
        prefix, encode = self.prefix, self.encode
        keys = [
            prefix + encode(choice) for choice in self.combinations(self.evaluate(row, context))
        ]
        if len(keys) > 1:
            # Values may differ and mean the same key: char(n) and its padding.
            keys = list(dict.fromkeys(keys))
        return [key for key in keys if len(key) <= KEY_BYTES_MAX]

    def ranges(self, row: Any, context: Any) -> list[tuple[bytes, bytes]]:
        """[start, end) ranges in key order; empty ones are left out."""
        values = self.evaluate(row, context)
        found = []
        for choice in self.combinations(values):
            head = self.prefix + self.encode(choice) if choice else self.prefix
            if len(head) > KEY_BYTES_MAX:
                continue
            start, end = head, prefix_end(head)
            if self.low is not None:
                value = values[self.low.position]
                if value is None:
                    return []
                at = self._cut(self.prefix + self.encode([*choice, value]))
                start = at if self.low.inclusive or len(at) >= KEY_BYTES_MAX else prefix_end(at)
            if self.high is not None:
                value = values[self.high.position]
                if value is None:
                    return []
                at = self._cut(self.prefix + self.encode([*choice, value]))
                end = prefix_end(at) if self.high.inclusive or len(at) >= KEY_BYTES_MAX else at
            if not end or start < end:
                found.append((start, end))
        return sorted(set(found)) if len(found) > 1 else found

    @staticmethod
    def _cut(key: bytes) -> bytes:
        """A bound too long for a key becomes a prefix: the range only grows, the filter stays."""
        return key[:KEY_BYTES_MAX]


def _distinct(values: list[Any]) -> list[Any]:
    try:
        return list(dict.fromkeys(values))
    except TypeError:
        return values
