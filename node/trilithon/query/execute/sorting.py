"""ORDER BY, DISTINCT, set operations."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from trilithon.query.execute.operators import BATCH_ROWS, Batches, Operator, Transform
from trilithon.query.execute.run import Held, Run, rows_size
from trilithon.query.execute.spill import (
    BLOCK_ROWS,
    LEVELS_MAX,
    Pair,
    Partitions,
    Segment,
    Spill,
    keyed_batches,
    merge,
    partitioned,
)

# Rows sorted in one go; longer inputs are sorted in runs and merged, so that nobody waits for a sort.
SORT_ROWS: Final = 8 * 1024
# More rows than these are sorted whole (in files, if need be) even if only the first are wanted.
TOP_ROWS: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class SortColumn:
    """One key: `order` maps a value to what Python compares (None: the value itself)."""

    descending: bool
    nulls_first: bool
    order: Callable[[Any], Any] | None
    nullable: bool = True


class Reversed:
    """Compares the other way round."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: Reversed) -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reversed) and bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(self.value)


def sort_keys(columns: Sequence[SortColumn]) -> Callable[[Sequence[Any]], Any]:
    """A function from a row's key values to what sorts as SQL does."""
    if len(columns) == 1:
        return _one_key(columns[0])
    singles = [_one_key(column) for column in columns]

    def key(values: Sequence[Any]) -> Any:
        return [single((value,)) for single, value in zip(singles, values, strict=True)]

    return key


def _one_key(column: SortColumn) -> Callable[[Sequence[Any]], Any]:
    order, descending = column.order, column.descending
    null_rank = 0 if column.nulls_first else 2

    def key(values: Sequence[Any]) -> Any:
        value = values[0]
        if value is None:
            return (null_rank, 0)
        if order is not None:
            value = order(value)
        return (1, Reversed(value) if descending else value)

    return key


def sort_rows(keyed: list[tuple[Sequence[Any], Any]], columns: Sequence[SortColumn]) -> None:
    """Stable, in place: pairs of (key values, row). One pass a key, the last key first: Python's sort
    is stable and much faster on plain values than on composite ones."""
    for position in range(len(columns) - 1, -1, -1):
        column = columns[position]
        order = column.order
        nulls = [pair for pair in keyed if pair[0][position] is None]
        if nulls:
            rest = [pair for pair in keyed if pair[0][position] is not None]
        else:
            rest = keyed
        if order is None:
            rest.sort(key=lambda pair: pair[0][position], reverse=column.descending)
        else:
            rest.sort(key=lambda pair: order(pair[0][position]), reverse=column.descending)
        if nulls:
            keyed[:] = nulls + rest if column.nulls_first else rest + nulls


class _Sorter:
    """Sorts pairs of (key values, row): in memory while they fit, then by runs in a file."""

    def __init__(self, run: Run, order: tuple[SortColumn, ...]) -> None:
        self._run = run
        self._order = order
        self._runs: list[list[Pair]] = []
        self._current: list[Pair] = []
        self._held = Held(run.memory)
        self._spill = Spill(run.memory)
        self._segments: list[Segment] = []
        key = sort_keys(order)
        self._key: Callable[[Pair], Any] = lambda pair: key(pair[0])

    async def add(self, pairs: list[Pair]) -> None:
        self._held.take(2 * rows_size([row for _, row in pairs]))
        self._current += pairs
        if len(self._current) >= SORT_ROWS:
            self._close_run()
        if self._held.should_spill:
            await self._write()

    def _close_run(self) -> None:
        sort_rows(self._current, self._order)
        self._runs.append(self._current)
        self._current = []

    def _in_memory(self) -> Iterable[Pair]:
        self._close_run()
        runs, self._runs = self._runs, []
        return runs[0] if len(runs) == 1 else heapq.merge(*runs, key=self._key)

    async def _write(self) -> None:
        segment = Segment()
        for block in _blocks(self._in_memory(), BLOCK_ROWS):
            await self._spill.append(segment, block)
            await self._run.breathe()
        self._segments.append(segment)
        self._held.give()

    async def rows(self) -> Batches:
        if not self._segments:
            for block in _blocks(self._in_memory(), BATCH_ROWS):
                yield [row for _, row in block]
            return
        if self._current or self._runs:
            await self._write()
        async for merged in merge(self._spill, self._segments, self._key):
            yield [row for _, row in merged]

    def close(self) -> None:
        self._spill.close()
        self._held.give()


def _blocks(pairs: Iterable[Pair], size: int) -> Iterator[list[Pair]]:
    rest = iter(pairs)
    while block := list(islice(rest, size)):
        yield block


@dataclass(slots=True, eq=False)
class Sorted(Operator):
    """`keys` is a compiled projection of the sort expressions."""

    columns: tuple[int, ...]
    input: Operator
    keys: Transform
    order: tuple[SortColumn, ...]
    text: str = ""

    @property
    def small(self) -> bool:
        return self.input.small

    async def collect(self, run: Run) -> list[Any]:
        if not self.input.small:
            return await Operator.collect(self, run)
        rows = await self.input.collect(run)
        keyed = list(zip(self.keys(rows, run.context), rows, strict=True))
        sort_rows(keyed, self.order)
        return [row for _, row in keyed]

    async def batches(self, run: Run) -> Batches:
        sorter = _Sorter(run, self.order)
        try:
            async for batch in self.input.batches(run):
                await sorter.add(list(zip(self.keys(batch, run.context), batch, strict=True)))
                await run.breathe()
            async for rows in sorter.rows():
                yield rows
                await run.breathe()
        finally:
            sorter.close()

    def children(self) -> Sequence[Operator]:
        return (self.input,)

    def title(self) -> str:
        return "Sort"

    def details(self) -> Sequence[tuple[str, str]]:
        return (("Sort Key", self.text),)


@dataclass(slots=True, eq=False)
class TopRows(Operator):
    """The first rows of an order: never keeps many more than LIMIT + OFFSET."""

    columns: tuple[int, ...]
    input: Operator
    keys: Transform
    order: tuple[SortColumn, ...]
    # LIMIT + OFFSET of this run; negative: all.
    wanted: Callable[[Run], int]
    text: str = ""

    @property
    def small(self) -> bool:
        return True

    async def batches(self, run: Run) -> Batches:
        wanted = self.wanted(run)
        if 0 <= wanted <= TOP_ROWS:
            rows = await self._top(run, wanted)
            for start in range(0, len(rows), BATCH_ROWS):
                yield rows[start : start + BATCH_ROWS]
            return
        async for batch in Sorted(self.columns, self.input, self.keys, self.order).batches(run):
            taken = batch[:wanted] if wanted >= 0 else batch
            yield taken
            wanted -= len(taken)
            if wanted == 0:
                return

    async def collect(self, run: Run) -> list[Any]:
        wanted = self.wanted(run)
        if 0 <= wanted <= TOP_ROWS:
            return await self._top(run, wanted)
        return await Operator.collect(self, run)

    async def _top(self, run: Run, wanted: int) -> list[Any]:
        if wanted == 0:
            return []
        kept: list[Pair] = []
        held = Held(run.memory)
        try:
            async for batch in self.input.batches(run):
                kept += zip(self.keys(batch, run.context), batch, strict=True)
                held.take(2 * rows_size(batch))
                if len(kept) > 2 * wanted + BATCH_ROWS:
                    sort_rows(kept, self.order)
                    del kept[wanted:]
                    held.give()
                    held.take(2 * rows_size([row for _, row in kept]))
                await run.breathe()
            sort_rows(kept, self.order)
            return [row for _, row in kept[:wanted]]
        finally:
            held.give()

    def children(self) -> Sequence[Operator]:
        return (self.input,)

    def title(self) -> str:
        return "Top-N Sort"

    def details(self) -> Sequence[tuple[str, str]]:
        return (("Sort Key", self.text),)


# ---- DISTINCT and set operations


@dataclass(slots=True, eq=False)
class Unique(Operator):
    """The first row of each group of equal rows; `keys` projects what is compared (hashable).

    `order` says what is known and wanted of the input's order: "any": none; "adjacent": equal rows
    follow each other; "kept": the output must have it, so that nothing can be put off into a file.
    """

    columns: tuple[int, ...]
    input: Operator
    keys: Transform
    text: str = "HashAggregate"
    order: str = "any"

    async def batches(self, run: Run) -> Batches:
        if self.order == "adjacent":
            async for rows in self._adjacent(run):
                yield rows
            return
        async for fresh in self._level(run, keyed_batches(self.input, self.keys, run), 0):
            yield [row for _, row in fresh]

    async def _adjacent(self, run: Run) -> Batches:
        last: Any = None
        async for pairs in keyed_batches(self.input, self.keys, run):
            fresh = []
            for key, row in pairs:
                if key != last:
                    last = key
                    fresh.append(row)
            if fresh:
                yield fresh
            await run.breathe()

    async def _level(
        self, run: Run, source: AsyncIterator[list[Pair]], level: int
    ) -> AsyncIterator[list[Pair]]:
        """Keys that found room are answered at once; the others wait in partitions."""
        seen: set[Any] = set()
        held = Held(run.memory)
        spill = Spill(run.memory)
        parts: Partitions | None = None
        try:
            async for pairs in source:
                fresh = []
                for pair in pairs:
                    key = pair[0]
                    if key in seen:
                        continue
                    if parts is not None:
                        parts.put(key, pair)
                        continue
                    seen.add(key)
                    fresh.append(pair)
                if fresh:
                    held.take(rows_size([row for _, row in fresh]))
                    yield fresh
                if parts is not None:
                    await parts.settle()
                elif self._may_spill(level) and held.should_spill:
                    parts = Partitions(spill, level)
                await run.breathe()
            seen.clear()
            held.give()
            if parts is not None:
                await parts.settle(everything=True)
                for segment in parts.segments:
                    if segment.rows:
                        async for fresh in self._level(run, spill.read(segment), level + 1):
                            yield fresh
        finally:
            spill.close()
            held.give()

    def _may_spill(self, level: int) -> bool:
        return self.order == "any" and level < LEVELS_MAX

    @property
    def small(self) -> bool:
        return self.input.small

    async def collect(self, run: Run) -> list[Any]:
        return await Operator.collect(self, run)

    def children(self) -> Sequence[Operator]:
        return (self.input,)

    def title(self) -> str:
        return self.text


@dataclass(slots=True, eq=False)
class Combined(Operator):
    """INTERSECT and EXCEPT, [ALL]; without ALL, `Unique` above takes care of the left side's own
    duplicates."""

    columns: tuple[int, ...]
    left: Operator
    right: Operator
    kind: str
    all: bool
    left_keys: Transform
    right_keys: Transform

    async def batches(self, run: Run) -> Batches:
        left = keyed_batches(self.left, self.left_keys, run)
        right = keyed_batches(self.right, self.right_keys, run)
        async for rows in self._level(run, left, right, 0):
            yield rows

    async def _level(
        self,
        run: Run,
        left: AsyncIterator[list[Pair]],
        right: AsyncIterator[list[Pair]],
        level: int,
    ) -> Batches:
        counts: Counter[Any] = Counter()
        held = Held(run.memory)
        spill = Spill(run.memory)
        parts: Partitions | None = None
        try:
            async for pairs in right:
                if parts is None:
                    held.take(rows_size([row for _, row in pairs]))
                    counts.update([key for key, _ in pairs])
                    if level < LEVELS_MAX and held.should_spill:
                        parts = Partitions(spill, level)
                        for key, times in counts.items():
                            for _ in range(times):
                                parts.put(key, (key, ()))
                            await parts.settle()
                        counts.clear()
                        held.give()
                else:
                    for key, _ in pairs:
                        parts.put(key, (key, ()))
                    await parts.settle()
                await run.breathe()
            if parts is None:
                async for pairs in left:
                    rows = [row for key, row in pairs if self._keeps(key, counts)]
                    if rows:
                        yield rows
                    await run.breathe()
                return
            others = await partitioned(spill, level, left, run)
            await parts.settle(everything=True)
            for mine, theirs in zip(others.segments, parts.segments, strict=True):
                if mine.rows:
                    inner = self._level(run, spill.read(mine), spill.read(theirs), level + 1)
                    async for rows in inner:
                        yield rows
        finally:
            spill.close()
            held.give()

    def _keeps(self, key: Any, counts: Counter[Any]) -> bool:
        there = counts[key] > 0
        if there and self.all:
            counts[key] -= 1
        return there == (self.kind == "intersect")

    def children(self) -> Sequence[Operator]:
        return (self.left, self.right)

    def title(self) -> str:
        return f"HashSetOp {self.kind.title()}{' All' if self.all else ''}"
