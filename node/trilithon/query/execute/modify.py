"""INSERT, UPDATE, DELETE: new rows, their constraints, RETURNING.

A statement sees the rows as they were before it (`Transaction.begin_statement`), so nothing here meets
its own changes, except where a constraint asks for the current state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.builtins.domains import domain_error
from trilithon.query.catalog.definitions import Table
from trilithon.query.catalog.row_writer import RowChange, RowWriter
from trilithon.query.catalog.rowkeys import pad_row
from trilithon.query.execute.operators import Operator, Small, Transform
from trilithon.query.execute.run import Run, rows_size
from trilithon.query.execute.stages import Stage
from trilithon.types import text_io

# Rows that are checked and written together.
WRITE_ROWS: Final = 1_000
_DETAIL_LENGTH_MAX: Final = 64


@dataclass(slots=True, eq=False)
class Constraints:
    """What every new row of a table must satisfy. `complete` computes generated columns (None: there
    are none). `checks`: a name, a filter that finds the rows that fail, the domain whose rule it is."""

    table: Table
    complete: Transform | None
    not_null: tuple[tuple[int, str], ...]
    checks: tuple[tuple[str, Transform, str], ...]
    # Of views WITH CHECK OPTION: the name, and a filter that finds the rows that the view would not show.
    views: tuple[tuple[str, Transform], ...] = ()

    def apply(self, run: Run, rows: list[Any]) -> list[Any]:
        """The rows, completed. SqlError 23502, 23514, 44000."""
        if self.complete is not None:
            rows = self.complete(rows, run.context)
        for position, name in self.not_null:
            for row in rows:
                if row[position] is None:
                    self._fail_not_null(run, row, name)
        for name, failing, domain in self.checks:
            failed = failing(rows, run.context)
            if failed and domain:
                raise domain_error(domain, name)
            if failed:
                self._fail_check(run, failed[0], name)
        for name, hidden in self.views:
            failed = hidden(rows, run.context)
            if failed:
                raise SqlError(
                    "44000",
                    f'new row violates check option for view "{name}"',
                    detail=self._failing(run, failed[0]),
                )
        return rows

    def _fail_not_null(self, run: Run, row: Any, name: str) -> None:
        table = self.table
        raise SqlError(
            "23502",
            f'null value in column "{name}" of relation "{table.name}" violates not-null constraint',
            detail=self._failing(run, row),
            schema=table.schema,
            table=table.name,
            column=name,
        )

    def _fail_check(self, run: Run, row: Any, name: str) -> None:
        table = self.table
        raise SqlError(
            "23514",
            f'new row for relation "{table.name}" violates check constraint "{name}"',
            detail=self._failing(run, row),
            schema=table.schema,
            table=table.name,
            constraint=name,
        )

    def _failing(self, run: Run, row: Any) -> str:
        settings = run.context.settings
        shown = []
        for column, value in zip(self.table.columns, row, strict=False):
            if column.dropped:
                continue
            text = "null" if value is None else text_io.render(column.type, value, settings)
            if len(text) > _DETAIL_LENGTH_MAX:
                text = text[:_DETAIL_LENGTH_MAX] + "..."
            shown.append(text)
        return f"Failing row contains ({', '.join(shown)})."


@dataclass(slots=True, eq=False)
class ConflictPlan:
    """ON CONFLICT. `where` (one boolean) and `update` are over existing + proposed rows; `update` None:
    DO NOTHING."""

    arbiters: tuple[Any, ...] | None
    update: Stage | None
    where: Stage | None


def _touched_twice() -> SqlError:
    return SqlError(
        "21000",
        "ON CONFLICT DO UPDATE command cannot affect row a second time",
        hint="Ensure that no rows proposed for insertion within the same command have duplicate constrained values.",
    )


@dataclass(slots=True, eq=False)
class InsertRows(Small):
    """`row` projects the source's rows to whole rows (None: they are). `returning` projects new rows."""

    columns: tuple[int, ...]
    table: Table
    source: Operator
    row: Transform | None
    constraints: Constraints
    conflict: ConflictPlan | None
    returning: Stage | None

    async def collect(self, run: Run) -> list[Any]:
        writer = RowWriter(run.transaction, self.table)
        result: list[Any] = []
        touched: set[bytes] = set()
        if self.source.small:
            rows = await self.source.collect(run)
            for start in range(0, len(rows), WRITE_ROWS):
                await self._write(run, writer, rows[start : start + WRITE_ROWS], result, touched)
            return result
        async for batch in self.source.batches(run):
            for start in range(0, len(batch), WRITE_ROWS):
                await self._write(run, writer, batch[start : start + WRITE_ROWS], result, touched)
        return result

    async def _write(
        self, run: Run, writer: RowWriter, rows: list[Any], result: list[Any], touched: set[bytes]
    ) -> None:
        if self.row is not None:
            rows = self.row(rows, run.context)
        rows = self.constraints.apply(run, rows)
        if self.conflict is None:
            await writer.insert(rows)
        else:
            rows = await self._resolve(run, writer, rows, self.conflict, touched)
        run.affected += len(rows)
        if self.returning is not None and rows:
            made = await self.returning.rows(run, rows)
            run.memory.take(rows_size(made))
            result += made
        await run.breathe()

    async def _resolve(
        self,
        run: Run,
        writer: RowWriter,
        rows: list[Any],
        plan: ConflictPlan,
        touched: set[bytes],
    ) -> list[Any]:
        """Insert what collides with nothing, update what does; the rows that were written."""
        conflicts = await writer.find_conflicts(rows, plan.arbiters)
        fresh = [row for row, conflict in zip(rows, conflicts, strict=True) if conflict is None]
        if fresh:
            touched.update(await writer.insert(fresh))
        if plan.update is None:
            return fresh
        written: dict[int, Any] = {
            position: row
            for position, (row, conflict) in enumerate(zip(rows, conflicts, strict=True))
            if conflict is None
        }
        met = [(at, conflict) for at, conflict in enumerate(conflicts) if conflict is not None]
        keys = [conflict.row_key for _, conflict in met]
        if any(not key or key in touched for key in keys):
            raise _touched_twice()
        existing = await run.transaction.get(keys, current=True) if keys else []
        olds = []
        for old in existing:
            if old is None:
                raise SqlError("XX000", "an index entry without its row")
            olds.append(pad_row(self.table, list(old)))
        both = [(*old, *rows[at]) for (at, _), old in zip(met, olds, strict=True)]
        chosen = list(range(len(both)))
        if plan.where is not None:
            truths = await plan.where.rows(run, both)
            chosen = [number for number, (truth,) in enumerate(truths) if truth is True]
        updated = set(chosen)
        for number, key in enumerate(keys):
            # A row that WHERE has left as it is may be met again.
            if key in touched:
                raise _touched_twice()
            if number in updated:
                touched.add(key)
        news = await plan.update.rows(run, [both[number] for number in chosen])
        news = self.constraints.apply(run, news)
        changes = [
            RowChange(met[number][1].row_key, olds[number], new)
            for number, new in zip(chosen, news, strict=True)
        ]
        if changes:
            await writer.update(changes)
        for number, change in zip(chosen, changes, strict=True):
            written[met[number][0]] = change.new
        return [written[at] for at in sorted(written)]

    def children(self) -> Sequence[Operator]:
        return (self.source,)

    def title(self) -> str:
        return f"Insert on {self.table.name}"

    def details(self) -> Sequence[tuple[str, str]]:
        if self.conflict is None:
            return ()
        lines = [("Conflict Resolution", "UPDATE" if self.conflict.update else "NOTHING")]
        if self.conflict.arbiters:
            names = ", ".join(index.name for index in self.conflict.arbiters)
            lines.append(("Conflict Arbiter Indexes", names))
        return lines


@dataclass(slots=True, eq=False)
class UpdateRows(Small):
    """`old` and `new` project the source's rows; `key` is the row key's position in them.
    `returning` projects new row + source row."""

    columns: tuple[int, ...]
    table: Table
    source: Operator
    key: int
    old: Transform
    new: Transform
    constraints: Constraints
    returning: Stage | None
    joined: bool

    async def collect(self, run: Run) -> list[Any]:
        sources = await self.source.collect(run)
        if not sources:
            run.transaction.use_table(self.table)
            return []
        if self.joined:
            sources = _first_of_each(sources, self.key)
        new_rows: list[Any] = []
        for start in range(0, len(sources), WRITE_ROWS):
            part = self.new(sources[start : start + WRITE_ROWS], run.context)
            new_rows += self.constraints.apply(run, part)
            await run.breathe()
        key = self.key
        changes = [
            RowChange(source[key], old, new)
            for source, old, new in zip(
                sources, self.old(sources, run.context), new_rows, strict=True
            )
        ]
        await RowWriter(run.transaction, self.table).update(changes)
        run.affected += len(changes)
        if self.returning is None:
            return []
        rows = [(*new, *source) for new, source in zip(new_rows, sources, strict=True)]
        return await self.returning.rows(run, rows)

    def children(self) -> Sequence[Operator]:
        return (self.source,)

    def title(self) -> str:
        return f"Update on {self.table.name}"


@dataclass(slots=True, eq=False)
class DeleteRows(Small):
    """`returning` projects the source's rows."""

    columns: tuple[int, ...]
    table: Table
    source: Operator
    key: int
    old: Transform
    returning: Stage | None
    joined: bool

    async def collect(self, run: Run) -> list[Any]:
        sources = await self.source.collect(run)
        if not sources:
            run.transaction.use_table(self.table)
            return []
        if self.joined:
            sources = _first_of_each(sources, self.key)
        key = self.key
        pairs = [
            (source[key], old)
            for source, old in zip(sources, self.old(sources, run.context), strict=True)
        ]
        await RowWriter(run.transaction, self.table).delete(pairs)
        run.affected += len(pairs)
        return [] if self.returning is None else await self.returning.rows(run, sources)

    def children(self) -> Sequence[Operator]:
        return (self.source,)

    def title(self) -> str:
        return f"Delete on {self.table.name}"


def _first_of_each(rows: list[Any], key: int) -> list[Any]:
    """A join may meet a target row several times; it is changed once."""
    seen: set[bytes] = set()
    found = []
    for row in rows:
        if row[key] not in seen:
            seen.add(row[key])
            found.append(row)
    return found
