"""Aggregates in two halves: states per part of the rows, made where the rows are, and merged elsewhere.

Vocabulary
- *Prepared* rows hold the group columns first, then what the aggregates' arguments and FILTERs need.
- A *partial row* is one group of one part: the group columns, then a state per aggregate.

Invariant: merging the partial rows of any division into parts gives what all rows at once give. So only
aggregates whose states merge exactly take part (`mergeable`): sums of floats, whose last digit depends on
the order, do not, nor does what collects values or wants them sorted or distinct.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Final

from trilithon.core.invariant import require
from trilithon.expression.registry import AGGREGATES, IMMUTABLE, Aggregate
from trilithon.types.ordering import sort_key
from trilithon.types.rows import encode_wide_row

# What a group takes besides its strings, roughly.
_GROUP_BYTES: Final = 100
_STATE_BYTES: Final = 40

Hashing = Sequence[Callable[[Any], Any] | None]


@dataclass(frozen=True, slots=True)
class PartialCall:
    """One aggregate over prepared rows: positions of its arguments and of FILTER's truth (-1: none)."""

    function: str
    arguments: tuple[int, ...]
    filter: int = -1


@dataclass(frozen=True, slots=True)
class Aggregation:
    """The first `width` columns of prepared rows are what is grouped by."""

    width: int
    calls: tuple[PartialCall, ...]

    def fits(self, prepared_width: int) -> bool:
        """Whether prepared rows of so many columns have what this names, and all calls can be done
        in parts."""
        if not 0 <= self.width <= prepared_width:
            return False
        for call in self.calls:
            entry = AGGREGATES.get(call.function)
            if entry is None or not mergeable(entry):
                return False
            if len(call.arguments) != len(entry.arguments):
                return False
            if any(not 0 <= at < prepared_width for at in call.arguments):
                return False
            if not -1 <= call.filter < prepared_width:
                return False
        return True


def mergeable(entry: Aggregate) -> bool:
    return (
        entry.merge is not None
        and entry.typed is None
        and not entry.within_group
        and not entry.variadic
        and entry.volatility == IMMUTABLE
        and AGGREGATES.get(entry.id) is entry
    )


def merging(entry: Aggregate) -> Aggregate:
    """The aggregate whose values are `entry`'s states, of parts of the rows."""
    merge = entry.merge
    require(merge is not None, "only states that merge are merged")
    assert merge is not None
    return replace(
        entry,
        step=merge,
        step_many=lambda state, states: reduce(merge, states, state),
        strict=False,
    )


def hashable(values: Sequence[Any], hashing: Hashing) -> tuple[Any, ...]:
    """A tuple that is equal exactly where SQL says so."""
    return tuple(
        [
            value if convert is None or value is None else convert(value)
            for value, convert in zip(values, hashing, strict=True)
        ]
    )


def feed(function: Aggregate, arguments: tuple[int, ...], state: Any, rows: Sequence[Any]) -> Any:
    """The state after these rows, whose columns `arguments` are the function's."""
    if len(arguments) == 1:
        at = arguments[0]
        return function.step_many(state, [row[at] for row in rows])
    if not arguments:
        return function.step_many(state, rows)
    strict, step = function.strict, function.step
    for row in rows:
        values = [row[at] for at in arguments]
        if not strict or None not in values:
            state = step(state, *values)
    return state


class PartialGroups:
    """The groups of one part. `size_bytes` is a rough measure, of the keys most of all."""

    __slots__ = ("_calls", "_filters", "_groups", "_hashing", "_width", "size_bytes")

    def __init__(self, aggregation: Aggregation, group_types: Sequence[int]) -> None:
        """`group_types`: the type oids of the group columns."""
        require(len(group_types) == aggregation.width, "one type per group column")
        self._width = aggregation.width
        self._calls = [
            (AGGREGATES[call.function], call.arguments, call.filter) for call in aggregation.calls
        ]
        hashing = [sort_key(oid) for oid in group_types]
        self._hashing = hashing if any(hashing) else None
        # (group columns, states)
        self._groups: dict[Any, tuple[tuple[Any, ...], list[Any]]] = {}
        self.size_bytes = 0

    def add(self, rows: Sequence[Any]) -> None:
        """Prepared rows, in the order in which they are read. Raises SqlError."""
        if not rows:
            return
        width = self._width
        if not width:
            self._step((), rows)
            return
        hashing = self._hashing
        by_key: dict[Any, list[Any]] = {}
        for row in rows:
            key = row[:width] if hashing is None else hashable(row[:width], hashing)
            found = by_key.get(key)
            if found is None:
                by_key[key] = [row]
            else:
                found.append(row)
        for key, members in by_key.items():
            self._step(key, members)

    def _step(self, key: Any, rows: Sequence[Any]) -> None:
        group = self._groups.get(key)
        if group is None:
            group = tuple(rows[0][: self._width]), [call[0].init() for call in self._calls]
            self._groups[key] = group
            self.size_bytes += _GROUP_BYTES + _STATE_BYTES * len(self._calls)
            # Arguments too: the state of min() or max() may be one of them.
            self.size_bytes += sum(len(v) for v in rows[0] if type(v) in (str, bytes))
        states = group[1]
        for number, (function, arguments, condition) in enumerate(self._calls):
            chosen = rows
            if condition >= 0:
                chosen = [row for row in rows if row[condition] is True]
            states[number] = feed(function, arguments, states[number], chosen)

    def rows(self) -> list[tuple[Any, ...]]:
        """The partial rows, groups in the order in which they were met."""
        return [(*values, *states) for values, states in self._groups.values()]

    def encoded(self) -> list[bytes]:
        return [encode_wide_row(row) for row in self.rows()]
