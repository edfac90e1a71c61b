"""MERGE: each joined row goes to the first WHEN clause that wants it.

All clauses see the rows as they were before the statement. The changes are made in the order deletes,
updates, inserts: a key that one of them gives up is free for the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.query.catalog.definitions import Table
from trilithon.query.catalog.row_writer import RowChange, RowWriter
from trilithon.query.execute.modify import WRITE_ROWS, Constraints
from trilithon.query.execute.operators import Operator, Small, Transform
from trilithon.query.execute.run import Run
from trilithon.query.execute.stages import Stage


@dataclass(frozen=True, slots=True, eq=False)
class Action:
    """`condition` gives one boolean a row, `row` the new row (None for DELETE and DO NOTHING)."""

    kind: str
    matched: bool
    condition: Stage | None
    row: Stage | None


@dataclass(slots=True, eq=False)
class MergeRows(Small):
    """`key` is the position of the target's row key in the source's rows (NULL: no target row), `old`
    projects the target's row."""

    columns: tuple[int, ...]
    table: Table
    source: Operator
    key: int
    old: Transform
    actions: tuple[Action, ...]
    constraints: Constraints

    async def collect(self, run: Run) -> list[Any]:
        run.transaction.use_table(self.table)
        rows = await self.source.collect(run)
        deletes: list[tuple[bytes, Any]] = []
        updates: list[RowChange] = []
        inserts: list[Any] = []
        touched: set[bytes] = set()
        for matched in (True, False):
            waiting = [row for row in rows if (row[self.key] is not None) is matched]
            for action in self.actions:
                if action.matched is not matched or not waiting:
                    continue
                chosen, waiting = await _choose(run, action, waiting)
                if action.kind in ("delete", "update"):
                    self._touch(chosen, touched)
                if action.kind == "delete":
                    keys = [row[self.key] for row in chosen]
                    deletes += zip(keys, self.old(chosen, run.context), strict=True)
                elif action.kind == "update":
                    updates += await self._updates(run, action, chosen)
                elif action.kind == "insert":
                    inserts += await self._new(run, action, chosen)
        await self._write(run, deletes, updates, inserts)
        run.affected += len(deletes) + len(updates) + len(inserts)
        return []

    def _touch(self, rows: list[Any], touched: set[bytes]) -> None:
        for row in rows:
            if row[self.key] in touched:
                raise SqlError(
                    "21000",
                    "MERGE command cannot affect row a second time",
                    hint="Ensure that not more than one source row matches any one target row.",
                )
            touched.add(row[self.key])

    async def _new(self, run: Run, action: Action, rows: list[Any]) -> list[Any]:
        found: list[Any] = []
        if action.row is None:
            return found
        for start in range(0, len(rows), WRITE_ROWS):
            part = await action.row.rows(run, rows[start : start + WRITE_ROWS])
            found += self.constraints.apply(run, part)
            await run.breathe()
        return found

    async def _updates(self, run: Run, action: Action, rows: list[Any]) -> list[RowChange]:
        news = await self._new(run, action, rows)
        olds = self.old(rows, run.context)
        return [
            RowChange(row[self.key], old, new)
            for row, old, new in zip(rows, olds, news, strict=True)
        ]

    async def _write(
        self,
        run: Run,
        deletes: list[tuple[bytes, Any]],
        updates: list[RowChange],
        inserts: list[Any],
    ) -> None:
        writer = RowWriter(run.transaction, self.table)
        if deletes:
            await writer.delete(deletes)
        if updates:
            await writer.update(updates)
        for start in range(0, len(inserts), WRITE_ROWS):
            await writer.insert(inserts[start : start + WRITE_ROWS])
            await run.breathe()

    def children(self) -> Sequence[Operator]:
        return (self.source,)

    def title(self) -> str:
        return f"Merge on {self.table.name}"


async def _choose(run: Run, action: Action, rows: list[Any]) -> tuple[list[Any], list[Any]]:
    """The rows that the action takes, and the others."""
    if action.condition is None:
        return rows, []
    truths = [truth for (truth,) in await action.condition.rows(run, rows)]
    taken = [row for row, truth in zip(rows, truths, strict=True) if truth is True]
    rest = [row for row, truth in zip(rows, truths, strict=True) if truth is not True]
    return taken, rest
