"""ORDER BY, DISTINCT, set operations."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trilithon.query.execute.operators import BATCH_ROWS, Batches, Operator, Transform
from trilithon.query.execute.run import Run, rows_size

# Rows sorted in one go; longer inputs are sorted in runs and merged, so that nobody waits for a sort.
SORT_ROWS: Final = 8 * 1024


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
        runs: list[list[tuple[Sequence[Any], Any]]] = []
        current: list[tuple[Sequence[Any], Any]] = []
        async for batch in self.input.batches(run):
            run.memory.take(2 * rows_size(batch))
            current += zip(self.keys(batch, run.context), batch, strict=True)
            if len(current) >= SORT_ROWS:
                sort_rows(current, self.order)
                runs.append(current)
                current = []
            await run.breathe()
        sort_rows(current, self.order)
        runs.append(current)
        pairs: Iterable[tuple[Sequence[Any], Any]] = runs[0]
        if len(runs) > 1:
            key = sort_keys(self.order)
            pairs = heapq.merge(*runs, key=lambda pair: key(pair[0]))
        rows: list[Any] = []
        for _, row in pairs:
            rows.append(row)
            if len(rows) == BATCH_ROWS:
                yield rows
                rows = []
                await run.breathe()
        if rows:
            yield rows

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
        rows = await self.collect(run)
        for start in range(0, len(rows), BATCH_ROWS):
            yield rows[start : start + BATCH_ROWS]

    async def collect(self, run: Run) -> list[Any]:
        wanted = self.wanted(run)
        if wanted == 0:
            return []
        kept: list[tuple[Sequence[Any], Any]] = []
        size = 0
        async for batch in self.input.batches(run):
            kept += zip(self.keys(batch, run.context), batch, strict=True)
            if wanted > 0 and len(kept) > 2 * wanted + BATCH_ROWS:
                sort_rows(kept, self.order)
                del kept[wanted:]
                run.memory.give(size)
                size = 2 * rows_size([row for _, row in kept])
                run.memory.take(size)
            await run.breathe()
        sort_rows(kept, self.order)
        return [row for _, row in (kept[:wanted] if wanted > 0 else kept)]

    def children(self) -> Sequence[Operator]:
        return (self.input,)

    def title(self) -> str:
        return "Top-N Sort"

    def details(self) -> Sequence[tuple[str, str]]:
        return (("Sort Key", self.text),)


# ---- DISTINCT and set operations


@dataclass(slots=True, eq=False)
class Unique(Operator):
    """The first row of each group of equal rows; `keys` projects what is compared (hashable)."""

    columns: tuple[int, ...]
    input: Operator
    keys: Transform
    text: str = "HashAggregate"

    async def batches(self, run: Run) -> Batches:
        seen: set[Any] = set()
        add = seen.add
        async for batch in self.input.batches(run):
            fresh = []
            for key, row in zip(self.keys(batch, run.context), batch, strict=True):
                if key not in seen:
                    add(key)
                    fresh.append(row)
            if fresh:
                run.memory.take(rows_size(fresh))
                yield fresh
            await run.breathe()

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
    """INTERSECT and EXCEPT, [ALL]."""

    columns: tuple[int, ...]
    left: Operator
    right: Operator
    kind: str
    all: bool
    left_keys: Transform
    right_keys: Transform

    async def batches(self, run: Run) -> Batches:
        counts: Counter[Any] = Counter()
        async for batch in self.right.batches(run):
            run.memory.take(rows_size(batch))
            counts.update(self.right_keys(batch, run.context))
            await run.breathe()
        emitted: set[Any] = set()
        async for batch in self.left.batches(run):
            rows = []
            for key, row in zip(self.left_keys(batch, run.context), batch, strict=True):
                if self._keeps(key, counts, emitted):
                    rows.append(row)
            if rows:
                yield rows
            await run.breathe()

    def _keeps(self, key: Any, counts: Counter[Any], emitted: set[Any]) -> bool:
        if self.all:
            if counts[key] > 0:
                counts[key] -= 1
                return self.kind == "intersect"
            return self.kind == "except"
        if key in emitted or (counts[key] > 0) != (self.kind == "intersect"):
            return False
        emitted.add(key)
        return True

    def children(self) -> Sequence[Operator]:
        return (self.left, self.right)

    def title(self) -> str:
        return f"HashSetOp {self.kind.title()}{' All' if self.all else ''}"
