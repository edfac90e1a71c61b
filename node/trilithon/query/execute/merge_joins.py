"""Joins of two inputs that come ordered by the join's keys: both are read once, neither is kept.

Vocabulary: a *run* of rows here is those of one side that have the same key. Only the right side's present run
is kept, in a file where it is large.

Rows with a NULL in their key match nothing, so it does not matter where the order puts them. What comes out
keeps the left side's order, except that a full join puts the right side's unmatched rows between.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trilithon.query.execute.operators import BATCH_ROWS, Batches, Operator, Transform
from trilithon.query.execute.run import Held, Run, rows_size
from trilithon.query.execute.sorting import SortColumn, sort_keys
from trilithon.query.execute.spill import BLOCK_ROWS, Segment, Spill, keyed_batches

# Rows of one run that are accounted at a time.
_COUNTED: Final = BLOCK_ROWS
# Runs of the right side that are joined in one go.
_TOGETHER: Final = 64


class _Side:
    """One input, row by row. `key` compares as the input is ordered; None: it has a NULL."""

    __slots__ = ("_batches", "_compared", "at", "keys", "rows")

    def __init__(
        self, batches: AsyncIterator[list[Any]], compared: Callable[[Any], Any] | None
    ) -> None:
        self._batches = batches
        self._compared = compared
        self.keys: list[Any] = []
        self.rows: list[Any] = []
        self.at = 0

    async def fill(self) -> bool:
        """Whether there is a row at `at`."""
        while self.at >= len(self.rows):
            pairs = await anext(self._batches, None)
            if pairs is None:
                return False
            compared = self._compared
            self.keys = [
                None if None in key else key if compared is None else compared(key)
                for key, _ in pairs
            ]
            self.rows = [row for _, row in pairs]
            self.at = 0
        return True


class _Kept:
    """The right side's run of one key."""

    __slots__ = ("_held", "_segment", "_spill", "_uncounted", "count", "rows")

    def __init__(self, run: Run) -> None:
        self._held = Held(run.memory)
        self._spill = Spill(run.memory)
        self._segment = Segment()
        self._uncounted = 0
        self.rows: list[Any] = []
        self.count = 0

    def clear(self) -> None:
        self.rows = []
        self.count = 0
        self._uncounted = 0
        self._segment = Segment()
        self._held.give()

    async def add(self, rows: list[Any]) -> None:
        """SqlError 53200, 53400."""
        self.rows += rows
        self.count += len(rows)
        self._uncounted += len(rows)
        if self._uncounted < _COUNTED:
            return
        self._held.take(rows_size(self.rows[-self._uncounted :]))
        self._uncounted = 0
        if self._held.should_spill:
            await self._spill.append(self._segment, self.rows)
            self.rows = []
            self._held.give()

    @property
    def spilled(self) -> bool:
        return bool(self._segment.rows)

    async def blocks(self) -> AsyncIterator[list[Any]]:
        async for block in self._spill.read(self._segment):
            yield block
        for start in range(0, len(self.rows), BATCH_ROWS):
            yield self.rows[start : start + BATCH_ROWS]

    def close(self) -> None:
        self._held.give()
        self._spill.close()


@dataclass(slots=True, eq=False)
class MergeJoin(Operator):
    """`kind`: inner, left, full, semi, anti. `left_keys` and `right_keys` project the raw values by which both
    inputs are ordered as `order` says. `condition`: what is left of the join's condition, a compiled filter over
    left + right rows."""

    columns: tuple[int, ...]
    kind: str
    left: Operator
    right: Operator
    left_keys: Transform
    right_keys: Transform
    order: tuple[SortColumn, ...]
    condition: Transform | None
    right_width: int
    text: str = ""
    rest: str = ""

    async def batches(self, run: Run) -> Batches:
        plain = all(column.order is None and not column.descending for column in self.order)
        compared = None if plain else sort_keys(self.order)
        left = _Side(keyed_batches(self.left, self.left_keys, run), compared)
        right = _Side(keyed_batches(self.right, self.right_keys, run), compared)
        kept = _Kept(run)
        waiting: list[Any] = []
        try:
            async for rows in self._joined(run, left, right, kept):
                waiting += rows
                if len(waiting) >= BATCH_ROWS:
                    yield waiting
                    waiting = []
                    await run.breathe()
            if waiting:
                yield waiting
        finally:
            kept.close()

    async def _joined(self, run: Run, left: _Side, right: _Side, kept: _Kept) -> Batches:
        full = self.kind == "full"
        alone = self.kind in ("left", "full", "anti")
        while await left.fill():
            key = left.keys[left.at]
            if key is None or right.at >= len(right.keys) or right.keys[right.at] != key:
                ahead = await self._catch_up(run, left, right)
                if ahead:
                    yield self._right_alone(ahead)
                    continue
            if key is None or not await right.fill() or right.keys[right.at] != key:
                # The left side's rows before the right side's next one.
                before = left.at
                stop = right.keys[right.at] if key is not None and await right.fill() else None
                over = stop is None and key is not None
                if over and not alone:
                    return
                _pass(left, stop, whole=over)
                if alone:
                    yield self._left_alone(left.rows[before : left.at])
                await run.breathe()
                continue
            kept.clear()
            while (right.at < len(right.keys) or await right.fill()) and right.keys[
                right.at
            ] == key:
                start = right.at
                _same(right, key)
                await kept.add(right.rows[start : right.at])
            matched: set[int] | None = set() if full else None
            while (left.at < len(left.keys) or await left.fill()) and left.keys[left.at] == key:
                start = left.at
                _same(left, key)
                if not kept.spilled and kept.count <= _TOGETHER:
                    yield self._all_matches(run, left.rows[start : left.at], kept.rows, matched)
                    continue
                for row in left.rows[start : left.at]:
                    async for rows in self._matches(run, row, kept, matched):
                        yield rows
            if matched is not None and len(matched) < kept.count:
                async for rows in self._unmatched(kept, matched):
                    yield rows
        while full and await right.fill():
            yield self._right_alone(right.rows[right.at :])
            right.at = len(right.rows)
            await run.breathe()

    async def _catch_up(self, run: Run, left: _Side, right: _Side) -> list[Any]:
        """Passes the right side's rows before the left side's next one; those of one batch, where they are
        wanted."""
        key = left.keys[left.at]
        wanted = self.kind == "full"
        while key is not None and await right.fill():
            start = right.at
            _pass(right, key, whole=False)
            if right.at == start:
                break
            if wanted:
                return right.rows[start : right.at]
            if right.at < len(right.rows):
                break
            await run.breathe()
        return []

    def _all_matches(
        self, run: Run, rows: list[Any], others: list[Any], matched: set[int] | None
    ) -> list[Any]:
        """Of some left rows of one key, where the right side's run is short."""
        found: list[Any] = []
        existence = self.kind in ("semi", "anti")
        for row in rows:
            pairs = self._pairs(run, row, others, 0, matched)
            if existence:
                if bool(pairs) == (self.kind == "semi"):
                    found.append(row)
            elif pairs:
                found += pairs
            elif self.kind in ("left", "full"):
                found += self._left_alone([row])
        return found

    async def _matches(self, run: Run, row: Any, kept: _Kept, matched: set[int] | None) -> Batches:
        existence = self.kind in ("semi", "anti")
        found = False
        if existence and self.condition is None:
            found = True
        else:
            at = 0
            async for block in kept.blocks():
                rows = self._pairs(run, row, block, at, matched)
                at += len(block)
                if rows:
                    found = True
                    if existence:
                        break
                    yield rows
                await run.breathe()
        if existence:
            if found == (self.kind == "semi"):
                yield [row]
        elif not found and self.kind in ("left", "full"):
            yield self._left_alone([row])

    def _pairs(
        self, run: Run, row: Any, others: list[Any], start: int, matched: set[int] | None
    ) -> list[Any]:
        joined = [(*row, *other) for other in others]
        condition = self.condition
        if matched is None:
            return joined if condition is None else condition(joined, run.context)
        if condition is None:
            matched.update(range(start, start + len(joined)))
            return joined
        rows = []
        for at, pair in enumerate(joined, start):
            if condition([pair], run.context):
                matched.add(at)
                rows.append(pair)
        return rows

    async def _unmatched(self, kept: _Kept, matched: set[int]) -> Batches:
        at = 0
        async for block in kept.blocks():
            rows = [row for number, row in enumerate(block, at) if number not in matched]
            at += len(block)
            if rows:
                yield self._right_alone(rows)

    def _left_alone(self, rows: list[Any]) -> list[Any]:
        if self.kind == "anti":
            return rows
        nulls = (None,) * self.right_width
        return [(*row, *nulls) for row in rows]

    def _right_alone(self, rows: list[Any]) -> list[Any]:
        nulls = (None,) * (len(self.columns) - self.right_width)
        return [(*nulls, *row) for row in rows]

    def children(self) -> Sequence[Operator]:
        return (self.left, self.right)

    def title(self) -> str:
        words = {"inner": "", "left": " Left", "full": " Full", "semi": " Semi", "anti": " Anti"}
        return f"Merge{words[self.kind]} Join"

    def details(self) -> Sequence[tuple[str, str]]:
        return (("Merge Cond", self.text), ("Join Filter", self.rest))


def _pass(side: _Side, key: Any, *, whole: bool) -> None:
    """Moves behind the rows in hand that have no partner: before `key`, or with a NULL; `whole`: all of them.
    Without a key, behind those with a NULL alone."""
    keys = side.keys
    at, end = side.at, len(keys)
    if whole:
        at = end
    elif key is None:
        while at < end and keys[at] is None:
            at += 1
    else:
        while at < end and (keys[at] is None or keys[at] < key):
            at += 1
    side.at = at


def _same(side: _Side, key: Any) -> None:
    keys = side.keys
    at, end = side.at, len(keys)
    while at < end and keys[at] == key:
        at += 1
    side.at = at
