"""GROUP BY: hashed groups, whole batches at a time; once for each grouping set."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from trilithon.expression.partial import feed, hashable
from trilithon.expression.registry import Aggregate
from trilithon.query.execute.operators import BATCH_ROWS, Batches, Operator, Transform
from trilithon.query.execute.pacing import pieces
from trilithon.query.execute.run import Held, Run, rows_size
from trilithon.query.execute.sorting import SortColumn, sort_rows
from trilithon.query.execute.spill import LEVELS_MAX, Partitions, Spill


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One aggregate over the input's projection: its arguments at `arguments`, FILTER's truth at
    `filter` (-1 none), the keys of its ORDER BY at `order`."""

    function: Aggregate
    arguments: tuple[int, ...]
    distinct: bool
    filter: int
    order_positions: tuple[int, ...]
    order: tuple[SortColumn, ...]
    # Hashable form of each argument, for DISTINCT.
    hashing: tuple[Any, ...]

    @property
    def collects(self) -> bool:
        """Values are kept until the end, to be sorted or made distinct first."""
        return self.distinct or bool(self.order)


@dataclass(frozen=True, slots=True)
class GroupingSet:
    """Positions of the group columns that the set groups by, ascending; the others are NULL. `values`
    are GROUPING()'s, the same in all of the set's rows."""

    positions: tuple[int, ...]
    values: tuple[int, ...] = ()


# (number of the grouping set, prepared rows) at a time
_Parts = AsyncIterator[list[tuple[int, list[Any]]]]


@dataclass(slots=True)
class _Group:
    values: tuple[Any, ...]
    states: list[Any]
    kept: list[list[Any]]


@dataclass(slots=True, eq=False)
class HashAggregate(Operator):
    """`prepare` projects, per input row, the group columns, then everything the calls need. `keys`
    makes group columns hashable where Python's equality is not SQL's (None: as they are)."""

    columns: tuple[int, ...]
    input: Operator
    prepare: Transform
    group_width: int
    hashing: tuple[Any, ...] | None
    calls: tuple[Call, ...]
    # A set without positions has one row, without input too.
    sets: tuple[GroupingSet, ...]
    lines: tuple[tuple[str, str], ...] = ()

    @property
    def small(self) -> bool:
        return not any(one.positions for one in self.sets)

    async def batches(self, run: Run) -> Batches:
        async for rows in self._level(run, self._prepared(run), 0):
            yield rows
            await run.breathe()

    async def collect(self, run: Run) -> list[Any]:
        return [row async for rows in self._level(run, self._prepared(run), 0) for row in rows]

    async def _prepared(self, run: Run) -> _Parts:
        every = range(len(self.sets))
        async for batch in self.input.batches(run):
            for start in range(0, len(batch), BATCH_ROWS):
                part = batch[start : start + BATCH_ROWS]
                async for prepared in pieces(run, self.prepare, part):
                    yield [(number, prepared) for number in every]

    async def _level(self, run: Run, source: _Parts, level: int) -> Batches:
        """Groups that found room are finished here; rows of others wait in partitions."""
        tables: list[dict[Any, _Group]] = [{} for _ in self.sets]
        held = Held(run.memory)
        spill = Spill(run.memory)
        waiting: Partitions | None = None
        for one, groups in zip(self.sets, tables, strict=True):
            if not one.positions and not level:
                groups[()] = self._new((None,) * self.group_width)
        try:
            async for parts in source:
                for number, rows in parts:
                    self._absorb(number, tables[number], rows, held, waiting)
                if waiting is not None:
                    await waiting.settle()
                elif not self.small and level < LEVELS_MAX and held.should_spill:
                    waiting = Partitions(spill, level)
                await run.breathe()
            async for rows in self._finished(run, tables):
                yield rows
            held.give()
            if waiting is not None:
                await waiting.settle(everything=True)
                for segment in waiting.segments:
                    inner = self._level(run, _by_set(spill.read(segment)), level + 1)
                    async for rows in inner:
                        yield rows
        finally:
            held.give()
            spill.close()

    async def _finished(self, run: Run, tables: list[dict[Any, _Group]]) -> Batches:
        rows = []
        for one, groups in zip(self.sets, tables, strict=True):
            for group in groups.values():
                rows.append((*group.values, *self._finish(run, group), *one.values))
                if len(rows) == BATCH_ROWS:
                    yield rows
                    rows = []
            groups.clear()
        if rows:
            yield rows

    def _new(self, values: tuple[Any, ...]) -> _Group:
        return _Group(
            values, [call.function.init() for call in self.calls], [[] for _ in self.calls]
        )

    def _absorb(
        self,
        number: int,
        groups: dict[Any, _Group],
        prepared: list[Any],
        held: Held,
        waiting: Partitions | None,
    ) -> None:
        positions = self.sets[number].positions
        if not positions:
            self._step(groups[()], prepared, held)
            return
        width, hashing = self.group_width, self.hashing
        whole = len(positions) == width
        kept = frozenset(positions)
        by_key: dict[Any, list[Any]] = {}
        for row in prepared:
            key = row[:width]
            if not whole:
                key = tuple([value if at in kept else None for at, value in enumerate(key)])
            if hashing is not None:
                key = hashable(key, hashing)
            found = by_key.get(key)
            if found is None:
                by_key[key] = [row]
            else:
                found.append(row)
        for key, rows in by_key.items():
            group = groups.get(key)
            if group is None:
                if waiting is not None:
                    for row in rows:
                        waiting.put(key, (number, row))
                    continue
                first = rows[0][:width]
                group = groups[key] = self._new(
                    tuple(value if at in kept else None for at, value in enumerate(first))
                )
                held.take(200 + 100 * len(self.calls) + rows_size([group.values]))
            self._step(group, rows, held)

    def _step(self, group: _Group, rows: list[Any], held: Held) -> None:
        for number, call in enumerate(self.calls):
            chosen = rows
            if call.filter >= 0:
                at = call.filter
                chosen = [row for row in rows if row[at] is True]
            if call.collects:
                held.take(rows_size(chosen))
                group.kept[number] += chosen
                continue
            state = group.states[number]
            before = len(state) if type(state) is list else 0
            state = group.states[number] = feed(call.function, call.arguments, state, chosen)
            if type(state) is list and len(state) > before:
                # array_agg() and its like: the state is the values.
                held.take(rows_size([(value,) for value in state[before:]]))

    def _finish(self, run: Run, group: _Group) -> list[Any]:
        values = []
        for number, call in enumerate(self.calls):
            state = group.states[number]
            if call.collects:
                state = feed(
                    call.function, call.arguments, state, _ordered(call, group.kept[number])
                )
            values.append(call.function.finish(state, run.context))
        return values

    def children(self) -> Sequence[Operator]:
        return (self.input,)

    def title(self) -> str:
        return "Aggregate" if self.small else "HashAggregate"

    def details(self) -> Sequence[tuple[str, str]]:
        return self.lines


async def _by_set(source: Batches) -> _Parts:
    """(number of the grouping set, row) pairs as rows by set."""
    async for pairs in source:
        parts: dict[int, list[Any]] = {}
        for number, row in pairs:
            parts.setdefault(number, []).append(row)
        yield list(parts.items())


def _ordered(call: Call, rows: list[Any]) -> list[Any]:
    """A group's rows without duplicates, in the call's order."""
    if call.distinct:
        seen = set()
        unique = []
        for row in rows:
            key = hashable([row[at] for at in call.arguments], call.hashing)
            if key not in seen:
                seen.add(key)
                unique.append(row)
        rows = unique
    if call.order:
        keyed: list[tuple[Sequence[Any], Any]] = [
            (tuple(row[at] for at in call.order_positions), row) for row in rows
        ]
        sort_rows(keyed, call.order)
        rows = [row for _, row in keyed]
    return rows
