"""Joins: by hash, by batched lookup, by nested loop.

Rows of a join are the left row followed by the right one; semi and anti joins give left rows alone.
A join key with a NULL matches nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trilithon.query.execute.growing import Growing
from trilithon.query.execute.keys import Path
from trilithon.query.execute.operators import BATCH_ROWS, Batches, Operator, Transform
from trilithon.query.execute.run import Held, Run, rows_size
from trilithon.query.execute.scans import Layout, ScanLines, fetch_rows
from trilithon.query.execute.spill import (
    LEVELS_MAX,
    Pair,
    Partitions,
    Spill,
    keyed_batches,
    partitioned,
)

# Index ranges read at the same time by one lookup join.
LOOKUPS_TOGETHER: Final = 64

Scalar = Callable[[Any, Any], Any]
Keyed = AsyncIterator[list[Pair]]


def keep_true(condition: Transform | None, rows: list[Any], run: Run) -> list[Any]:
    return rows if condition is None else condition(rows, run.context)


@dataclass(slots=True, eq=False)
class HashJoin(Operator):
    """Builds on the right side, probes with the left one. `condition` is what equality of the keys
    does not cover, a compiled filter over left + right rows. `kind`: inner, left, full, semi, anti.

    `left_keys` and `right_keys` project a hashable tuple; `nullable_keys` says whether NULL can be
    among them.
    """

    columns: tuple[int, ...]
    kind: str
    left: Operator
    right: Operator
    left_keys: Transform
    right_keys: Transform
    condition: Transform | None
    right_width: int
    text: str = ""

    async def batches(self, run: Run) -> Batches:
        left = keyed_batches(self.left, self.left_keys, run)
        right = keyed_batches(self.right, self.right_keys, run)
        async for rows in self._level(run, left, right, 0):
            yield rows

    async def _level(self, run: Run, left: Keyed, right: Keyed, level: int) -> Batches:
        """A join in memory; or, where the right side does not fit, one for each partition of both."""
        spill = Spill(run.memory)
        held = Held(run.memory)
        try:
            built = await self._build(run, right, held, spill, level)
            if isinstance(built, Partitions):
                others = await partitioned(spill, level, left, run)
                for mine, theirs in zip(others.segments, built.segments, strict=True):
                    parts = spill.read(mine), spill.read(theirs)
                    async for rows in self._level(run, *parts, level + 1):
                        yield rows
            else:
                async for rows in self._joined(run, left, built):
                    yield rows
        finally:
            held.give()
            spill.close()

    async def _joined(self, run: Run, left: Keyed, table: dict[Any, list[Any]]) -> Batches:
        matched: set[int] | None = set() if self.kind == "full" else None
        probe = self._probe_existence if self.kind in ("semi", "anti") else self._probe
        async for pairs in left:
            for start in range(0, len(pairs), BATCH_ROWS):
                rows = probe(run, pairs[start : start + BATCH_ROWS], table, matched)
                for at in range(0, len(rows), 4 * BATCH_ROWS):
                    yield rows[at : at + 4 * BATCH_ROWS]
                    await run.breathe()
                await run.breathe()
        if matched is not None:
            width = len(self.columns) - self.right_width
            nulls = (None,) * width
            unmatched = [
                (*nulls, *row)
                for rows_ in table.values()
                for row in rows_
                if id(row) not in matched
            ]
            for at in range(0, len(unmatched), BATCH_ROWS):
                yield unmatched[at : at + BATCH_ROWS]

    async def _build(
        self, run: Run, right: Keyed, held: Held, spill: Spill, level: int
    ) -> dict[Any, list[Any]] | Partitions:
        """The right side by key; in partitions once it is too large."""
        table: dict[Any, list[Any]] = {}
        parts: Partitions | None = None
        keep_nulls = self.kind == "full"
        async for pairs in right:
            if not keep_nulls:
                pairs = [pair for pair in pairs if None not in pair[0]]
            if parts is not None:
                for pair in pairs:
                    parts.put(pair[0], pair)
                await parts.settle()
                await run.breathe()
                continue
            for key, row in pairs:
                found = table.get(key)
                if found is None:
                    table[key] = [row]
                else:
                    found.append(row)
            held.take(rows_size([row for _, row in pairs]) + 64 * len(pairs))
            if level < LEVELS_MAX and held.should_spill:
                parts = Partitions(spill, level)
                for key, rows in table.items():
                    for row in rows:
                        parts.put(key, (key, row))
                    await parts.settle()
                table.clear()
                held.give()
            await run.breathe()
        if parts is None:
            return table
        await parts.settle(everything=True)
        return parts

    def _probe(
        self,
        run: Run,
        pairs: list[Pair],
        table: dict[Any, list[Any]],
        matched: set[int] | None,
    ) -> list[Any]:
        rows: list[Any] = []
        condition = self.condition
        outer = self.kind in ("left", "full")
        nulls = (None,) * self.right_width
        for key, row in pairs:
            found = None if None in key else table.get(key)
            if found is None:
                if outer:
                    rows.append((*row, *nulls))
                continue
            joined = [(*row, *other) for other in found]
            if condition is None:
                rows += joined
                if matched is not None:
                    matched.update(map(id, found))
                continue
            if matched is not None:
                kept = []
                for other, pair in zip(found, joined, strict=True):
                    if condition([pair], run.context):
                        matched.add(id(other))
                        kept.append(pair)
            else:
                kept = condition(joined, run.context)
            if kept:
                rows += kept
            elif outer:
                rows.append((*row, *nulls))
        return rows

    def _probe_existence(
        self,
        run: Run,
        pairs: list[Pair],
        table: dict[Any, list[Any]],
        matched: set[int] | None,
    ) -> list[Any]:
        wanted = self.kind == "semi"
        condition = self.condition
        rows = []
        for key, row in pairs:
            found = None if None in key else table.get(key)
            exists = found is not None
            if exists and condition is not None:
                assert found is not None
                exists = bool(condition([(*row, *other) for other in found], run.context))
            if exists == wanted:
                rows.append(row)
        return rows

    def children(self) -> Sequence[Operator]:
        return (self.left, self.right)

    def title(self) -> str:
        return {
            "inner": "Hash Join",
            "left": "Hash Left Join",
            "full": "Hash Full Join",
            "semi": "Hash Semi Join",
            "anti": "Hash Anti Join",
        }[self.kind]

    def details(self) -> Sequence[tuple[str, str]]:
        return (("Hash Cond", self.text),)


@dataclass(slots=True, eq=False)
class NestedLoop(Operator):
    """Every left row with every right row. The right side is kept in memory; `kind` as in HashJoin."""

    columns: tuple[int, ...]
    kind: str
    left: Operator
    right: Operator
    condition: Transform | None
    right_width: int
    text: str = ""

    async def batches(self, run: Run) -> Batches:
        inner = Growing(self.right.batches(run), run)
        try:
            async for rows in self._joined(run, inner):
                yield rows
        finally:
            await inner.close()

    async def _joined(self, run: Run, inner: Growing) -> Batches:
        outer = self.kind in ("left", "full")
        existence = self.kind in ("semi", "anti")
        nulls = (None,) * self.right_width
        matched: set[int] | None = set() if self.kind == "full" else None
        rows: list[Any] = []
        async for batch in self.left.batches(run):
            for row in batch:
                found = False
                at = 0
                # The right side is read as far as it is needed, the first time that it is.
                while at < len(inner.rows) or await inner.more():
                    part = inner.rows[at : at + BATCH_ROWS]
                    kept = self._kept(run, row, part, at, matched)
                    at += len(part)
                    await run.breathe()
                    if kept:
                        found = True
                        if existence:
                            break
                        rows += kept
                    if len(rows) >= BATCH_ROWS:
                        yield rows
                        rows = []
                if existence:
                    if found == (self.kind == "semi"):
                        rows.append(row)
                elif not found and outer:
                    rows.append((*row, *nulls))
            if rows:
                yield rows
                rows = []
        if matched is not None:
            left_nulls = (None,) * (len(self.columns) - self.right_width)
            unmatched = [at for at in range(len(await inner.all())) if at not in matched]
            for start in range(0, len(unmatched), BATCH_ROWS):
                yield [
                    (*left_nulls, *inner.rows[at]) for at in unmatched[start : start + BATCH_ROWS]
                ]

    def _kept(
        self, run: Run, row: Any, part: list[Any], start: int, matched: set[int] | None
    ) -> list[Any]:
        joined = [(*row, *other) for other in part]
        if matched is None:
            return keep_true(self.condition, joined, run)
        kept = []
        for at, pair in enumerate(joined, start):
            if keep_true(self.condition, [pair], run):
                matched.add(at)
                kept.append(pair)
        return kept

    def children(self) -> Sequence[Operator]:
        return (self.left, self.right)

    def title(self) -> str:
        return (
            "Nested Loop"
            + {
                "inner": "",
                "left": " Left Join",
                "full": " Full Join",
                "semi": " Semi Join",
                "anti": " Anti Join",
            }[self.kind]
        )

    def details(self) -> Sequence[tuple[str, str]]:
        return (("Join Filter", self.text),) if self.text else ()


@dataclass(slots=True, eq=False)
class LookupJoin(Operator):
    """For each batch of left rows, the right table's rows by key, in one multi-point read (two
    through a secondary index). Non-unique indexes are read by ranges, some at a time.

    `points`: the path fixes a unique key whole. `row_prefix`: of the row keys behind a secondary
    index; None where the path is the clustered index.
    """

    columns: tuple[int, ...]
    kind: str
    left: Operator
    path: Path
    table: Any
    points: bool
    row_prefix: bytes | None
    layout: Layout
    condition: Transform | None
    right_width: int
    about: ScanLines

    @property
    def small(self) -> bool:
        return self.left.small and self.points

    async def collect(self, run: Run) -> list[Any]:
        if not self.small:
            return await Operator.collect(self, run)
        rows: list[Any] = []
        left = await self.left.collect(run)
        for start in range(0, len(left), BATCH_ROWS):
            rows += await self._join(run, left[start : start + BATCH_ROWS])
        return rows

    async def batches(self, run: Run) -> Batches:
        async for batch in self.left.batches(run):
            for start in range(0, len(batch), BATCH_ROWS):
                rows = await self._join(run, batch[start : start + BATCH_ROWS])
                if rows:
                    yield rows
                await run.breathe()

    async def _join(self, run: Run, batch: list[Any]) -> list[Any]:
        if self.points:
            found = await self._by_points(run, batch)
        else:
            found = await self._by_ranges(run, batch)
        rows: list[Any] = []
        nulls = (None,) * self.right_width
        for row, others in zip(batch, found, strict=True):
            kept = keep_true(self.condition, [(*row, *other) for other in others], run)
            if self.kind in ("semi", "anti"):
                if bool(kept) == (self.kind == "semi"):
                    rows.append(row)
            elif kept:
                rows += kept
            elif self.kind == "left":
                rows.append((*row, *nulls))
        return rows

    async def _by_points(self, run: Run, batch: list[Any]) -> list[list[Any]]:
        context, path = run.context, self.path
        wanted = [path.points(row, context) for row in batch]
        keys = list(dict.fromkeys(key for row_keys in wanted for key in row_keys))
        if not keys:
            return [[] for _ in batch]
        found: dict[bytes, list[Any]] = {}
        row_keys = keys
        if self.row_prefix is not None:
            entries = await run.transaction.get(keys)
            pairs = [
                (key, self.row_prefix + entry[0])
                for key, entry in zip(keys, entries, strict=True)
                if entry is not None
            ]
            keys = [key for key, _ in pairs]
            row_keys = [row_key for _, row_key in pairs]
        rows = await run.transaction.get(row_keys) if row_keys else []
        present = [
            (key, row_key, row)
            for key, row_key, row in zip(keys, row_keys, rows, strict=True)
            if row is not None
        ]
        laid = self._laid(run, present)
        for key, row in laid:
            found.setdefault(key, []).append(row)
        return [[row for key in row_keys_ for row in found.get(key, ())] for row_keys_ in wanted]

    def _laid(self, run: Run, present: list[tuple[bytes, bytes, Any]]) -> list[tuple[bytes, Any]]:
        """The rows laid out; one by one where the layout filters, so that keys stay with their rows."""
        result = []
        for key, row_key, row in present:
            result += [(key, made) for made in self.layout.few(run, [row], [row_key])]
        return result

    async def _by_ranges(self, run: Run, batch: list[Any]) -> list[list[Any]]:
        context, path = run.context, self.path
        wanted = [path.ranges(row, context) for row in batch]
        ranges = list(dict.fromkeys(one for row_ranges in wanted for one in row_ranges))
        found: dict[tuple[bytes, bytes], list[Any]] = {}
        for at in range(0, len(ranges), LOOKUPS_TOGETHER):
            part = ranges[at : at + LOOKUPS_TOGETHER]
            results = await asyncio.gather(*(self._read(run, *one) for one in part))
            found.update(zip(part, results, strict=True))
            await run.breathe()
        return [[row for one in row_ranges for row in found[one]] for row_ranges in wanted]

    async def _read(self, run: Run, start: bytes, end: bytes) -> list[Any]:
        rows: list[Any] = []
        with_keys = self.row_prefix is None and self.layout.with_key
        async for chunk in run.transaction.scan(start, end, with_keys=with_keys):
            if self.row_prefix is None:
                made = await self.layout.apply(run, chunk.rows, chunk.keys)
            else:
                keys = [self.row_prefix + entry[0] for entry in chunk.rows]
                made = await fetch_rows(run, keys, b"", self.layout)
            run.memory.take(rows_size(made))
            rows += made
        return rows

    def children(self) -> Sequence[Operator]:
        return (self.left,)

    def title(self) -> str:
        words = {"inner": "", "left": " Left", "semi": " Semi", "anti": " Anti"}[self.kind]
        return f"Nested Loop{words} (Batched Lookup) {self.about.title}"

    def details(self) -> Sequence[tuple[str, str]]:
        return self.about.lines


@dataclass(slots=True, eq=False)
class LateralJoin(Operator):
    """For each left row the right plan, run with the row's values in its slots. `bindings` are
    (slot, position in the left row)."""

    columns: tuple[int, ...]
    kind: str
    left: Operator
    right: Operator
    bindings: tuple[tuple[int, int], ...]
    condition: Transform | None
    right_width: int

    async def batches(self, run: Run) -> Batches:
        slots = run.slots
        nulls = (None,) * self.right_width
        rows: list[Any] = []
        async for batch in self.left.batches(run):
            for row in batch:
                for slot, position in self.bindings:
                    slots[slot] = row[position]
                found = False
                async for inner in self.right.batches(run):
                    kept = keep_true(self.condition, [(*row, *other) for other in inner], run)
                    if not kept:
                        continue
                    found = True
                    if self.kind in ("semi", "anti"):
                        break
                    rows += kept
                    if len(rows) >= BATCH_ROWS:
                        yield rows
                        rows = []
                if self.kind in ("semi", "anti"):
                    if found == (self.kind == "semi"):
                        rows.append(row)
                elif not found and self.kind == "left":
                    rows.append((*row, *nulls))
                await run.breathe()
        if rows:
            yield rows

    def children(self) -> Sequence[Operator]:
        return (self.left, self.right)

    def title(self) -> str:
        words = {"inner": "", "left": " Left Join", "semi": " Semi Join", "anti": " Anti Join"}
        return f"Nested Loop{words[self.kind]} (Lateral)"
