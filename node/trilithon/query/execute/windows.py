"""Window functions: partitions in memory, sorted, one value per row and call.

Frames are found as index ranges [start, end) of the sorted partition; peers are rows that are equal in
the window's order. A frame that begins with the partition is fed to an aggregate step by step; others
are aggregated anew for each row.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.expression.partial import hashable
from trilithon.expression.registry import Aggregate
from trilithon.query.execute.operators import BATCH_ROWS, Batches, Operator, Transform
from trilithon.query.execute.pacing import pieces
from trilithon.query.execute.run import Held, Run, rows_size
from trilithon.query.execute.sorting import SortColumn, sort_keys, sort_rows
from trilithon.query.execute.spill import LEVELS_MAX, Pair, Partitions, Spill
from trilithon.query.execute.window_ranges import range_bounds

Offset = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """`function` is an aggregate or has a `name`; arguments and FILTER are positions in the prepared
    rows (-1: no filter)."""

    function: Any
    arguments: tuple[int, ...]
    filter: int


@dataclass(frozen=True, slots=True, eq=False)
class FramePlan:
    mode: str
    start: str
    end: str
    start_offset: Offset | None
    end_offset: Offset | None
    exclude: str
    # The type of the only order column, where the offsets are of RANGE.
    range_type: int = 0


@dataclass(slots=True)
class _Frame:
    """The frame with this run's offsets."""

    mode: str
    start: str
    end: str
    start_offset: Any
    end_offset: Any
    exclude: str
    range_type: int
    context: Any


@dataclass(slots=True, eq=False)
class WindowRows(Operator):
    """`prepare` projects partition keys, order keys, then what the calls need."""

    columns: tuple[int, ...]
    input: Operator
    prepare: Transform
    partition_width: int
    hashing: tuple[Any, ...] | None
    order: tuple[SortColumn, ...]
    calls: tuple[Call, ...]
    frame: FramePlan

    async def batches(self, run: Run) -> Batches:
        frame = self._offsets(run)
        width = self.partition_width
        async for rows in self._level(run, self._prepared(run, width), frame, 0):
            yield rows

    async def _prepared(self, run: Run, width: int) -> AsyncIterator[list[Pair]]:
        """(partition's key, (prepared values, row))."""
        async for batch in self.input.batches(run):
            rows = iter(batch)
            async for piece in pieces(run, self.prepare, batch):
                pairs = []
                # The pieces' values come first: none of the rows is taken in vain.
                for values, row in zip(piece, rows, strict=False):
                    key = values[:width]
                    if self.hashing is not None:
                        key = hashable(key, self.hashing)
                    pairs.append((key, (values, row)))
                yield pairs

    async def _level(
        self, run: Run, source: AsyncIterator[list[Pair]], frame: _Frame, level: int
    ) -> Batches:
        """All partitions in memory; or, where they do not fit, some of them at a time."""
        partitions: dict[Any, list[tuple[Any, Any]]] = {}
        held = Held(run.memory)
        spill = Spill(run.memory)
        parts: Partitions | None = None
        try:
            async for pairs in source:
                if parts is None:
                    for key, value in pairs:
                        partitions.setdefault(key, []).append(value)
                    held.take(2 * rows_size([row for _, (_, row) in pairs]))
                    if self.partition_width and level < LEVELS_MAX and held.should_spill:
                        parts = Partitions(spill, level)
                        for key, values in partitions.items():
                            for value in values:
                                parts.put(key, (key, value))
                            await parts.settle()
                        partitions.clear()
                        held.give()
                else:
                    for pair in pairs:
                        parts.put(pair[0], pair)
                    await parts.settle()
                await run.breathe()
            if parts is None:
                async for rows in self._answer(run, partitions, frame):
                    yield rows
                return
            await parts.settle(everything=True)
            for segment in parts.segments:
                async for rows in self._level(run, spill.read(segment), frame, level + 1):
                    yield rows
        finally:
            held.give()
            spill.close()

    async def _answer(
        self, run: Run, partitions: dict[Any, list[tuple[Any, Any]]], frame: _Frame
    ) -> Batches:
        ready: list[Any] = []
        for pairs in partitions.values():
            ready += await self._partition(run, pairs, frame)
            for start in range(0, len(ready) - len(ready) % BATCH_ROWS, BATCH_ROWS):
                yield ready[start : start + BATCH_ROWS]
            ready = ready[len(ready) - len(ready) % BATCH_ROWS :]
            await run.breathe()
        if ready:
            yield ready

    async def _partition(self, run: Run, pairs: list[tuple[Any, Any]], frame: _Frame) -> list[Any]:
        width, order = self.partition_width, self.order
        keyed = [(values[width : width + len(order)], (values, row)) for values, row in pairs]
        sort_rows(keyed, order)
        partition = _Partition(
            [values for _, (values, _) in keyed], [keys for keys, _ in keyed], order, frame
        )
        columns = []
        for call in self.calls:
            columns.append(await partition.values(run, call))
        return [
            (*row, *values)
            for (_, (_, row)), values in zip(keyed, zip(*columns, strict=True), strict=True)
        ]

    def _offsets(self, run: Run) -> _Frame:
        plan = self.frame
        found = []
        for words, offset in (("starting", plan.start_offset), ("ending", plan.end_offset)):
            value = None
            if offset is not None:
                value = offset((), run.context)
                if value is None:
                    raise SqlError("22004", f"frame {words} offset must not be null")
                # RANGE's are judged where they meet a row.
                if not plan.range_type and value < 0:
                    raise SqlError("22013", f"frame {words} offset must not be negative")
            found.append(value)
        return _Frame(
            plan.mode,
            plan.start,
            plan.end,
            found[0],
            found[1],
            plan.exclude,
            plan.range_type,
            run.context,
        )

    def children(self) -> Sequence[Operator]:
        return (self.input,)

    def title(self) -> str:
        return "WindowAgg"


class _Partition:
    """One partition's rows in order."""

    def __init__(
        self,
        rows: list[Any],
        keys: list[Any],
        order: tuple[SortColumn, ...],
        frame: _Frame,
    ) -> None:
        self.rows = rows
        self.keys = keys
        self.order = order
        self.frame = frame
        # RANGE's bounds of all rows by whether they are the ends, once someone has asked.
        self.ranges: dict[bool, list[int]] = {}
        count = len(rows)
        # For each row the first and the one-past-last of its peers, and its peer group's number.
        self.peer_start = [0] * count
        self.peer_end = [count] * count
        self.group = [0] * count
        if order:
            self._find_peers(sort_keys(order))
        self.group_starts = [0] + [
            at for at in range(1, count) if self.group[at] != self.group[at - 1]
        ]

    def _find_peers(self, order_key: Callable[[Sequence[Any]], Any]) -> None:
        compared = [order_key(key) for key in self.keys]
        start = 0
        for at in range(1, len(compared) + 1):
            if at < len(compared) and compared[at] == compared[start]:
                continue
            number = self.group[start - 1] + 1 if start else 0
            for member in range(start, at):
                self.peer_start[member], self.peer_end[member] = start, at
                self.group[member] = number
            start = at

    async def values(self, run: Run, call: Call) -> list[Any]:
        if isinstance(call.function, Aggregate):
            return await self._aggregate(run, call)
        made: list[Any] = _FUNCTIONS[call.function.name](self, call)
        await run.breathe()
        return made

    # ---- frames

    def bounds(self, at: int) -> tuple[int, int]:
        """[start, end) of the row's frame, exclusion apart; end may be below start."""
        frame = self.frame
        count = len(self.rows)
        start = (
            0
            if frame.start == "unbounded"
            else self._bound(at, frame.start, frame.start_offset, False)
        )
        end = (
            count
            if frame.end == "unbounded"
            else self._bound(at, frame.end, frame.end_offset, True)
        )
        return max(0, min(start, count)), max(0, min(end, count))

    def _bound(self, at: int, kind: str, offset: Any, is_end: bool) -> int:
        mode = self.frame.mode
        if mode == "rows":
            shift = 0 if kind == "current" else -offset if kind == "preceding" else offset
            return int(at + shift + (1 if is_end else 0))
        if kind == "current":
            return self.peer_end[at] if is_end else self.peer_start[at]
        if mode == "groups":
            group = self.group[at] + (-offset if kind == "preceding" else offset)
            group += 1 if is_end else 0
            if group < 0:
                return 0
            starts = self.group_starts
            return starts[group] if group < len(starts) else len(self.rows)
        if is_end not in self.ranges:
            frame = self.frame
            self.ranges[is_end] = range_bounds(
                [key[0] for key in self.keys],
                self.order[0],
                frame.range_type,
                kind == "preceding",
                offset,
                is_end,
                frame.context,
            )
        return self.ranges[is_end][at]

    def frame_rows(self, at: int) -> Sequence[int]:
        """The positions in the row's frame."""
        start, end = self.bounds(at)
        exclude = self.frame.exclude
        if not exclude:
            return range(start, end)
        if exclude == "row":
            return [position for position in range(start, end) if position != at]
        low, high = self.peer_start[at], self.peer_end[at]
        return [
            position
            for position in range(start, end)
            if not low <= position < high or (exclude == "ties" and position == at)
        ]

    # ---- aggregates

    async def _aggregate(self, run: Run, call: Call) -> list[Any]:
        grows = self.frame.start == "unbounded" and not self.frame.exclude
        function = call.function
        values: list[Any] = []
        if not grows:
            for at in range(len(self.rows)):
                state = self._feed(call, function.init(), self.frame_rows(at))
                values.append(function.finish(state, run.context))
                await run.breathe()
            return values
        state = function.init()
        fed = 0
        value: Any = None
        fresh = True
        for at in range(len(self.rows)):
            _, end = self.bounds(at)
            if end < fed:
                # Cannot happen for frames in order, but a wrong sum would be worse than a slow one.
                state, fed, fresh = function.init(), 0, True
            if end > fed:
                state = self._feed(call, state, range(fed, end))
                fed, fresh = end, True
            if fresh:
                value, fresh = function.finish(state, run.context), False
            values.append(value)
            await run.breathe()
        return values

    def _feed(self, call: Call, state: Any, positions: Sequence[int]) -> Any:
        function = call.function
        rows = [self.rows[position] for position in positions]
        if call.filter >= 0:
            rows = [row for row in rows if row[call.filter] is True]
        if len(call.arguments) == 1:
            return function.step_many(state, [row[call.arguments[0]] for row in rows])
        if not call.arguments:
            return function.step_many(state, rows)
        for row in rows:
            values = [row[at] for at in call.arguments]
            if not function.strict or None not in values:
                state = function.step(state, *values)
        return state

    # ---- window functions proper

    def row_number(self, call: Call) -> list[Any]:
        return list(range(1, len(self.rows) + 1))

    def rank(self, call: Call) -> list[Any]:
        return [start + 1 for start in self.peer_start]

    def dense_rank(self, call: Call) -> list[Any]:
        return [group + 1 for group in self.group]

    def percent_rank(self, call: Call) -> list[Any]:
        count = len(self.rows)
        return [start / (count - 1) if count > 1 else 0.0 for start in self.peer_start]

    def cume_dist(self, call: Call) -> list[Any]:
        return [end / len(self.rows) for end in self.peer_end]

    def ntile(self, call: Call) -> list[Any]:
        count = len(self.rows)
        buckets = self.rows[0][call.arguments[0]]
        if buckets is None:
            return [None] * count
        if buckets <= 0:
            raise SqlError("22014", "argument of ntile must be greater than zero")
        size, larger = divmod(count, buckets)
        values = []
        for bucket in range(min(buckets, count)):
            values += [bucket + 1] * (size + (1 if bucket < larger else 0))
        return values

    def shifted(self, call: Call, direction: int) -> list[Any]:
        values: list[Any] = []
        count = len(self.rows)
        for at, row in enumerate(self.rows):
            offset = row[call.arguments[1]] if len(call.arguments) > 1 else 1
            if offset is None:
                values.append(None)
                continue
            position = at + direction * offset
            if 0 <= position < count:
                values.append(self.rows[position][call.arguments[0]])
            else:
                values.append(row[call.arguments[2]] if len(call.arguments) > 2 else None)
        return values

    def framed(self, call: Call, which: str) -> list[Any]:
        values: list[Any] = []
        for at, row in enumerate(self.rows):
            positions = self.frame_rows(at)
            index = 0 if which == "first" else -1
            if which == "nth":
                wanted = row[call.arguments[1]]
                if wanted is None:
                    values.append(None)
                    continue
                if wanted <= 0:
                    raise SqlError("22016", "argument of nth_value must be greater than zero")
                index = wanted - 1
            found = len(positions) > max(index, 0)
            values.append(self.rows[positions[index]][call.arguments[0]] if found else None)
        return values


_FUNCTIONS: dict[str, Callable[[_Partition, Call], list[Any]]] = {
    "row_number": _Partition.row_number,
    "rank": _Partition.rank,
    "dense_rank": _Partition.dense_rank,
    "percent_rank": _Partition.percent_rank,
    "cume_dist": _Partition.cume_dist,
    "ntile": _Partition.ntile,
    "lag": lambda partition, call: partition.shifted(call, -1),
    "lead": lambda partition, call: partition.shifted(call, 1),
    "first_value": lambda partition, call: partition.framed(call, "first"),
    "last_value": lambda partition, call: partition.framed(call, "last"),
    "nth_value": lambda partition, call: partition.framed(call, "nth"),
}
