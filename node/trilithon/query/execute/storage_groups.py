"""Groups whose states storage makes, part by part; an aggregate above merges them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from trilithon.expression import ir
from trilithon.expression.partial import Aggregation, PartialGroups
from trilithon.expression.program import Program
from trilithon.query.execute.keys import Path
from trilithon.query.execute.operators import Batches, Operator
from trilithon.query.execute.ranges import chunks_of
from trilithon.query.execute.run import Run
from trilithon.query.execute.scans import ScanLines


@dataclass(slots=True, eq=False)
class StorageGroups(Operator):
    """Partial rows (`expression.partial`) of a table's rows. `projection` makes prepared rows of stored
    ones. Where the transaction wrote in the range itself, rows are read and grouped here."""

    columns: tuple[int, ...]
    table: Any
    path: Path
    filter: ir.Expr | None
    projection: tuple[ir.Expr, ...]
    missing: tuple[Any, ...]
    aggregation: Aggregation
    has_parameters: bool
    about: ScanLines
    # The programs' bytes, where no parameters change them from run to run: with and without groups.
    data: tuple[bytes, bytes] | None = None

    async def batches(self, run: Run) -> Batches:
        grouping, preparing = self._programs(run)
        transaction = run.transaction

        async def scan(start: bytes, end: bytes) -> Batches:
            parts = transaction.partial_groups(start, end, grouping)
            here = parts is None
            if here:
                parts = transaction.scan(start, end, program=preparing)
            async with aclosing(cast(Any, parts)) as source:
                async for chunk in source:
                    yield self._grouped(chunk.rows) if here else chunk.rows

        ranges = self.path.ranges((), run.context)
        async with aclosing(cast(Any, chunks_of(ranges, scan))) as source:
            async for rows in source:
                if rows:
                    yield rows
                await run.breathe()

    def _grouped(self, prepared: list[Any]) -> list[Any]:
        width = self.aggregation.width
        groups = PartialGroups(
            self.aggregation, [expression.type.oid for expression in self.projection[:width]]
        )
        groups.add([tuple(row) for row in prepared])
        return groups.rows()

    def _programs(self, run: Run) -> tuple[bytes, bytes]:
        if self.data is not None:
            return self.data
        condition, projection = self.filter, self.projection
        if self.has_parameters:
            values = run.context.parameters
            if condition is not None:
                condition = ir.replace_parameters(condition, values)
            projection = tuple(ir.replace_parameters(one, values) for one in projection)
        made = (
            Program(condition, projection, self.missing, self.aggregation).to_bytes(),
            Program(condition, projection, self.missing).to_bytes(),
        )
        if not self.has_parameters:
            self.data = made
        return made

    def title(self) -> str:
        return self.about.title

    def details(self) -> Sequence[tuple[str, str]]:
        return self.about.lines
