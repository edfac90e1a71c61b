"""Reading tables: by key, by range, through an index."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, cast

from trilithon.expression import ir
from trilithon.expression.program import Program
from trilithon.query.execute.keys import Path
from trilithon.query.execute.operators import Batches, Operator, Small, Transform
from trilithon.query.execute.pacing import pieces, whole
from trilithon.query.execute.ranges import AHEAD, chunks_of
from trilithon.query.execute.run import Run, rows_size

# Row keys looked up together behind an index scan.
LOOKUP_ROWS: Final = 512
# Larger limits are not worth telling storage.
LIMIT_MAX: Final = 1_000_000


def storage_limit(run: Run, limit: Callable[[Run], int] | None) -> int:
    """A limit as storage takes it: 0 for none."""
    wanted = -1 if limit is None else limit(run)
    return wanted if 0 < wanted <= LIMIT_MAX else 0


@dataclass(slots=True, eq=False)
class Pushed:
    """What storage evaluates: a filter and a projection over stored rows.

    Without parameters the program's bytes are made once; with them, for each run.
    """

    filter: ir.Expr | None
    projection: tuple[ir.Expr, ...] | None
    missing: tuple[Any, ...]
    has_parameters: bool
    data: bytes = b""

    def program(self, run: Run) -> bytes:
        if self.filter is None and self.projection is None:
            return b""
        if not self.has_parameters:
            if not self.data:
                self.data = Program(self.filter, self.projection, self.missing).to_bytes()
            return self.data
        assert self.filter is not None
        condition = ir.replace_parameters(self.filter, run.context.parameters)
        return Program(condition, self.projection, self.missing).to_bytes()


@dataclass(slots=True, eq=False)
class Layout:
    """From stored rows to the operator's: padding, then `transform` (filter, projection) over whole
    rows with the row's key appended, where it is wanted."""

    width: int
    missing: tuple[Any, ...]
    with_key: bool
    # None: rows go on as they are.
    transform: Transform | None
    # Rows come projected by storage: no padding.
    projected: bool = False

    def padded(self, rows: list[Any], keys: Sequence[bytes]) -> list[Any]:
        width = self.width
        if not self.projected:
            missing = self.missing
            rows = [row if len(row) >= width else [*row, *missing[len(row) :]] for row in rows]
        if self.with_key:
            rows = [[*row, key] for row, key in zip(rows, keys, strict=True)]
        return rows

    def few(self, run: Run, rows: list[Any], keys: Sequence[bytes]) -> list[Any]:
        """In one step: for a row or two."""
        rows = self.padded(rows, keys)
        return rows if self.transform is None else self.transform(rows, run.context)

    async def apply(self, run: Run, rows: list[Any], keys: Sequence[bytes]) -> list[Any]:
        rows = self.padded(rows, keys)
        return rows if self.transform is None else await whole(run, self.transform, rows)

    async def pieces(self, run: Run, rows: list[Any], keys: Sequence[bytes]) -> Batches:
        rows = self.padded(rows, keys)
        if self.transform is None:
            if rows:
                yield rows
            return
        async for piece in pieces(run, self.transform, rows):
            yield piece


@dataclass(slots=True, eq=False)
class ScanLines:
    """What EXPLAIN says of a scan."""

    title: str
    lines: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True, eq=False)
class PointScan(Small):
    """Rows by their whole keys: the clustered index fixed in all columns."""

    columns: tuple[int, ...]
    table: Any
    path: Path
    layout: Layout
    about: ScanLines

    async def collect(self, run: Run) -> list[Any]:
        keys = self.path.points((), run.context)
        if not keys:
            return []
        return await self.fetch(run, keys)

    async def fetch(self, run: Run, keys: list[bytes]) -> list[Any]:
        rows = await run.transaction.get(keys)
        if len(keys) == 1:
            if rows[0] is None:
                return []
        elif None in rows:
            keys = [key for key, row in zip(keys, rows, strict=True) if row is not None]
            rows = [row for row in rows if row is not None]
        if len(rows) > LOOKUP_ROWS:
            run.memory.take(rows_size(rows))
        return await self.layout.apply(run, rows, keys)

    def title(self) -> str:
        return self.about.title

    def details(self) -> Sequence[tuple[str, str]]:
        return self.about.lines


@dataclass(slots=True, eq=False)
class RangeScan(Operator):
    """The clustered index (or the hidden row ids) by ranges, with filter and projection in storage."""

    columns: tuple[int, ...]
    table: Any
    path: Path
    pushed: Pushed
    layout: Layout
    about: ScanLines
    reverse: bool = False
    # Rows that the operators above can use at most; None or negative: all.
    limit: Callable[[Run], int] | None = None

    async def batches(self, run: Run) -> Batches:
        ranges = self.path.ranges((), run.context)
        if self.reverse:
            ranges.reverse()
        program = self.pushed.program(run)
        limit = storage_limit(run, self.limit)
        transaction, layout = run.transaction, self.layout

        def scan(start: bytes, end: bytes) -> Any:
            return transaction.scan(
                start,
                end,
                reverse=self.reverse,
                limit=limit,
                program=program,
                with_keys=layout.with_key,
            )

        async with aclosing(cast(Any, chunks_of(ranges, scan, ahead=_ahead(limit)))) as source:
            async for chunk in source:
                async for rows in layout.pieces(run, chunk.rows, chunk.keys):
                    yield rows
                await run.breathe()

    def title(self) -> str:
        return self.about.title

    def details(self) -> Sequence[tuple[str, str]]:
        return self.about.lines


@dataclass(slots=True, eq=False)
class IndexPoints(Small):
    """Rows through a unique index that is fixed in all columns."""

    columns: tuple[int, ...]
    table: Any
    path: Path
    row_prefix: bytes
    layout: Layout
    about: ScanLines

    async def collect(self, run: Run) -> list[Any]:
        keys = self.path.points((), run.context)
        if not keys:
            return []
        entries = await run.transaction.get(keys)
        row_keys = [self.row_prefix + entry[0] for entry in entries if entry is not None]
        return await fetch_rows(run, row_keys, b"", self.layout)

    def title(self) -> str:
        return self.about.title

    def details(self) -> Sequence[tuple[str, str]]:
        return self.about.lines


async def fetch_rows(run: Run, keys: list[bytes], program: bytes, layout: Layout) -> list[Any]:
    """Rows by key, laid out; keys without a row (or that the filter refuses) fall out."""
    if not keys:
        return []
    rows = await run.transaction.get(keys, program)
    if None in rows:
        keys = [key for key, row in zip(keys, rows, strict=True) if row is not None]
        rows = [row for row in rows if row is not None]
    return await layout.apply(run, rows, keys)


@dataclass(slots=True)
class _Gathered:
    """Entries of several chunks together, at least `least` at a time."""

    least: int

    async def of(self, chunks: Any) -> AsyncIterator[list[Any]]:
        held: list[Any] = []
        async for chunk in chunks:
            held += chunk.rows
            if len(held) >= self.least:
                yield held
                held = []
        if held:
            yield held


def _ahead(limit: int) -> int:
    """Where few rows are wanted the first ranges mostly have them."""
    return AHEAD if limit == 0 else 1


@dataclass(slots=True, eq=False)
class IndexScan(Operator):
    """Rows through ranges of an index, in its order; rows are fetched in batches of LOOKUP_ROWS."""

    columns: tuple[int, ...]
    table: Any
    path: Path
    row_prefix: bytes
    pushed: Pushed
    layout: Layout
    about: ScanLines
    reverse: bool = False
    limit: Callable[[Run], int] | None = None

    async def batches(self, run: Run) -> Batches:
        ranges = self.path.ranges((), run.context)
        if self.reverse:
            ranges.reverse()
        program = self.pushed.program(run)
        limit = storage_limit(run, self.limit)
        prefix = self.row_prefix

        def scan(start: bytes, end: bytes) -> Any:
            return run.transaction.scan(start, end, reverse=self.reverse, limit=limit)

        async with aclosing(cast(Any, chunks_of(ranges, scan, ahead=_ahead(limit)))) as source:
            # Ranges of a few entries each share their look-ups, unless few rows are wanted.
            together = _Gathered(LOOKUP_ROWS if len(ranges) > 1 and not limit else 1)
            async for entries in together.of(source):
                for at in range(0, len(entries), LOOKUP_ROWS):
                    keys = [prefix + entry[0] for entry in entries[at : at + LOOKUP_ROWS]]
                    rows = await fetch_rows(run, keys, program, self.layout)
                    if rows:
                        yield rows
                    await run.breathe()

    def title(self) -> str:
        return self.about.title

    def details(self) -> Sequence[tuple[str, str]]:
        return self.about.lines


@dataclass(slots=True, eq=False)
class IndexOnlyScan(Operator):
    """An index's own entries, without looking at rows: `decode` gives the wanted columns' values from
    an entry's key and value."""

    columns: tuple[int, ...]
    table: Any
    path: Path
    decode: Callable[[bytes, list[Any]], tuple[Any, ...]]
    transform: Transform | None
    about: ScanLines
    reverse: bool = False
    limit: Callable[[Run], int] | None = None

    async def batches(self, run: Run) -> Batches:
        ranges = self.path.ranges((), run.context)
        if self.reverse:
            ranges.reverse()
        limit = storage_limit(run, self.limit)
        decode, transform = self.decode, self.transform

        def scan(start: bytes, end: bytes) -> Any:
            return run.transaction.scan(
                start, end, reverse=self.reverse, limit=limit, with_keys=True
            )

        async with aclosing(cast(Any, chunks_of(ranges, scan, ahead=_ahead(limit)))) as source:
            async for chunk in source:
                rows: list[Any] = list(map(decode, chunk.keys, chunk.rows))
                if transform is not None:
                    rows = await whole(run, transform, rows)
                if rows:
                    yield rows
                await run.breathe()

    def title(self) -> str:
        return self.about.title

    def details(self) -> Sequence[tuple[str, str]]:
        return self.about.lines
