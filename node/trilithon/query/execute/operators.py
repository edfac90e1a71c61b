"""The operator interface and the operators that need nothing but their input."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog.jobs import list_jobs
from trilithon.query.execute.pacing import Transform as Transform
from trilithon.query.execute.pacing import pieces, whole
from trilithon.query.execute.run import Run, rows_size

BATCH_ROWS: Final = 1024
# The virtual relation whose rows are read, not known.
JOBS: Final = "sys.jobs"
Batches = AsyncIterator[list[Any]]


class Operator:
    """`columns` are the ids of a row's values in order. `batches` and `collect` give the same rows;
    operators that handle few rows implement `collect` and take the other from `Small`."""

    __slots__ = ()
    columns: tuple[int, ...]

    def batches(self, run: Run) -> Batches:
        raise NotImplementedError

    async def collect(self, run: Run) -> list[Any]:
        """All rows; accounted to the run's memory."""
        rows: list[Any] = []
        async for batch in self.batches(run):
            run.memory.take(rows_size(batch))
            rows += batch
        return rows

    @property
    def small(self) -> bool:
        """Whether the result is known to be a few rows, so that streaming it is not worth it."""
        return False

    def children(self) -> Sequence[Operator]:
        return ()

    def title(self) -> str:
        return type(self).__name__

    def details(self) -> Sequence[tuple[str, str]]:
        """(label, text) lines for EXPLAIN."""
        return ()


class Small(Operator):
    """An operator whose result is made in one piece."""

    __slots__ = ()

    @property
    def small(self) -> bool:
        return True

    async def batches(self, run: Run) -> Batches:
        rows = await self.collect(run)
        for start in range(0, len(rows), BATCH_ROWS):
            yield rows[start : start + BATCH_ROWS]

    async def collect(self, run: Run) -> list[Any]:
        raise NotImplementedError


@dataclass(slots=True, eq=False)
class ConstantRows(Small):
    """Rows that are known when the plan is built."""

    columns: tuple[int, ...]
    rows: list[tuple[Any, ...]]

    async def collect(self, run: Run) -> list[Any]:
        return self.rows

    def title(self) -> str:
        return "Result" if len(self.rows) == 1 and not self.rows[0] else "Values Scan"


@dataclass(slots=True, eq=False)
class ValuesRows(Small):
    """VALUES: rows of the same form share one compiled projection. Each group has the projection, the
    rows' leaves (parameters as their numbers) and the positions of the rows."""

    columns: tuple[int, ...]
    count: int
    groups: list[tuple[Transform, list[tuple[Any, ...]], tuple[tuple[int, int], ...], list[int]]]

    async def collect(self, run: Run) -> list[Any]:
        result: list[Any] = [None] * self.count
        context = run.context
        parameters = context.parameters
        for project, leaves, places, positions in self.groups:
            filled = leaves
            if places:
                filled = []
                for leaf in leaves:
                    row = list(leaf)
                    for at, _ in places:
                        row[at] = parameters[leaf[at] - 1]
                    filled.append(tuple(row))
            for start in range(0, len(filled), BATCH_ROWS):
                part = project(filled[start : start + BATCH_ROWS], context)
                for position, row_ in zip(positions[start : start + BATCH_ROWS], part, strict=True):
                    result[position] = row_
                await run.breathe()
        return result

    def title(self) -> str:
        return "Values Scan"


@dataclass(slots=True, eq=False)
class Transformed(Operator):
    """Filter, projection or both over the input, one compiled function a batch."""

    columns: tuple[int, ...]
    input: Operator
    transform: Transform
    name: str = "Result"
    lines: tuple[tuple[str, str], ...] = ()

    @property
    def small(self) -> bool:
        return self.input.small

    async def batches(self, run: Run) -> Batches:
        async for batch in self.input.batches(run):
            async for rows in pieces(run, self.transform, batch):
                yield rows

    async def collect(self, run: Run) -> list[Any]:
        if self.input.small:
            return await whole(run, self.transform, await self.input.collect(run))
        return await Operator.collect(self, run)

    def children(self) -> Sequence[Operator]:
        return (self.input,)

    def title(self) -> str:
        return self.name

    def details(self) -> Sequence[tuple[str, str]]:
        return self.lines


@dataclass(slots=True, eq=False)
class Limited(Operator):
    """LIMIT and OFFSET; stops its input early. `count` and `offset` are compiled scalars or None."""

    columns: tuple[int, ...]
    input: Operator
    count: Callable[[Any, Any], Any] | None
    offset: Callable[[Any, Any], Any] | None
    # Of the sort below, for WITH TIES: a compiled projection of the keys.
    ties: Transform | None = None
    is_small: bool = False

    @property
    def small(self) -> bool:
        return self.is_small or self.input.small

    async def collect(self, run: Run) -> list[Any]:
        if self.input.small and self.ties is None:
            count, offset = self._bounds(run)
            rows = await self.input.collect(run)
            return rows[offset : None if count is None else offset + count]
        return await Operator.collect(self, run)

    async def batches(self, run: Run) -> Batches:
        count, offset = self._bounds(run)
        if count == 0:
            return
        last: Any = None
        source = self.input.batches(run)
        try:
            async for batch in source:
                if offset:
                    skipped = min(offset, len(batch))
                    offset -= skipped
                    batch = batch[skipped:]
                    if not batch:
                        continue
                if count is None:
                    yield batch
                    continue
                taken = batch[:count]
                count -= len(taken)
                rest = batch[len(taken) :]
                if count == 0 and self.ties is not None:
                    if taken:
                        last = self.ties(taken[-1:], run.context)[0]
                    more = self._tied(rest, last, run)
                    taken += more
                    if len(more) < len(rest):
                        yield taken
                        return
                if taken:
                    yield taken
                if count == 0 and self.ties is None:
                    return
        finally:
            closing = getattr(source, "aclose", None)
            if closing is not None:
                await closing()

    def _tied(self, rows: list[Any], last: Any, run: Run) -> list[Any]:
        assert self.ties is not None
        found = []
        for row, key in zip(rows, self.ties(rows, run.context), strict=True):
            if key != last:
                break
            found.append(row)
        return found

    def _bounds(self, run: Run) -> tuple[int | None, int]:
        count = None if self.count is None else self.count((), run.context)
        offset = None if self.offset is None else self.offset((), run.context)
        if count is not None and count < 0:
            raise SqlError("2201W", "LIMIT must not be negative")
        if offset is not None and offset < 0:
            raise SqlError("2201X", "OFFSET must not be negative")
        return count, offset or 0

    def children(self) -> Sequence[Operator]:
        return (self.input,)

    def title(self) -> str:
        return "Limit"


@dataclass(slots=True, eq=False)
class Virtual(Small):
    """Rows that the query processor computes; `positions` picks the wanted columns."""

    columns: tuple[int, ...]
    name: str
    rows: Callable[[Any], Sequence[Sequence[Any]]]
    positions: tuple[int, ...]
    viewpoint: Callable[[Run], Any]

    async def collect(self, run: Run) -> list[Any]:
        viewpoint = self.viewpoint(run)
        if self.name == JOBS:
            viewpoint = replace(viewpoint, jobs=await list_jobs(run.transaction))
        rows = self.rows(viewpoint)
        positions = self.positions
        return [tuple([row[position] for position in positions]) for row in rows]

    def title(self) -> str:
        return f"Virtual Scan on {self.name}"


@dataclass(slots=True, eq=False)
class FunctionRows(Operator):
    """A set-returning function's rows. `arguments` is a compiled projection; `call` gets the
    context too where `with_context` says so, and gives whole rows where it is `wide`."""

    columns: tuple[int, ...]
    name: str
    arguments: Transform
    call: Callable[..., Any]
    with_context: bool
    strict: bool
    ordinality: bool
    wide: bool = False

    async def batches(self, run: Run) -> Batches:
        values = self.arguments([()], run.context)[0]
        if self.strict and None in values:
            return
        made = self.call(run.context, *values) if self.with_context else self.call(*values)
        batch: list[Any] = []
        for number, value in enumerate(made or (), 1):
            row = value if self.wide else (value,)
            batch.append((*row, number) if self.ordinality else row)
            if len(batch) == BATCH_ROWS:
                yield batch
                batch = []
                await run.breathe()
        if batch:
            yield batch

    def title(self) -> str:
        return f"Function Scan on {self.name}"


@dataclass(slots=True, eq=False)
class RowsInStep(Operator):
    """Several functions' rows beside each other; what ends early gives NULL from there on."""

    columns: tuple[int, ...]
    inputs: tuple[Operator, ...]
    # One more column: the row's number.
    ordinality: bool = False

    async def batches(self, run: Run) -> Batches:
        number = 0
        async with AsyncExitStack() as stack:
            sources = []
            for operator in self.inputs:
                batches: Any = operator.batches(run)
                sources.append(await stack.enter_async_context(aclosing(batches)))
            pending: list[list[Any]] = [[] for _ in sources]
            ended = [False] * len(sources)
            while True:
                for at, source in enumerate(sources):
                    if not pending[at] and not ended[at]:
                        pending[at] = await anext(source, [])
                        ended[at] = not pending[at]
                live = [len(rows) for rows in pending if rows]
                if not live:
                    return
                count = min(live)
                parts = [
                    rows[:count] if rows else [(None,) * len(operator.columns)] * count
                    for rows, operator in zip(pending, self.inputs, strict=True)
                ]
                pending = [rows[count:] for rows in pending]
                if self.ordinality:
                    parts.append([(at,) for at in range(number + 1, number + count + 1)])
                    number += count
                yield [tuple(chain.from_iterable(row)) for row in zip(*parts, strict=True)]

    def children(self) -> Sequence[Operator]:
        return self.inputs

    def title(self) -> str:
        return "ProjectSet"


@dataclass(slots=True, eq=False)
class Appended(Operator):
    """UNION ALL."""

    columns: tuple[int, ...]
    inputs: tuple[Operator, ...] = field(default_factory=tuple)

    async def batches(self, run: Run) -> Batches:
        for source in self.inputs:
            async for batch in source.batches(run):
                yield batch

    def children(self) -> Sequence[Operator]:
        return self.inputs

    def title(self) -> str:
        return "Append"


@dataclass(slots=True, eq=False)
class Locked(Operator):
    """FOR UPDATE: claims the row keys in its input's rows. Each lock is (position of the key, mode,
    table)."""

    columns: tuple[int, ...]
    input: Operator
    locks: tuple[tuple[int, int, Any], ...]

    @property
    def small(self) -> bool:
        return self.input.small

    async def batches(self, run: Run) -> Batches:
        async for batch in self.input.batches(run):
            self._lock(run, batch)
            yield batch

    async def collect(self, run: Run) -> list[Any]:
        rows = await self.input.collect(run)
        self._lock(run, rows)
        return rows

    def _lock(self, run: Run, rows: list[Any]) -> None:
        transaction = run.transaction
        for position, mode, table in self.locks:
            transaction.use_table(table)
            for row in rows:
                key = row[position]
                if key is not None:
                    transaction.lock(key, mode)

    def children(self) -> Sequence[Operator]:
        return (self.input,)

    def title(self) -> str:
        return "LockRows"
