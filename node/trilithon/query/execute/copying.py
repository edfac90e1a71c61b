"""COPY ... FROM: rows of values on their way into a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trilithon.expression import ir
from trilithon.expression.context import EvalContext
from trilithon.query.analyse import names, table_expressions
from trilithon.query.analyse.context import Analysis
from trilithon.query.catalog.definitions import Column, Table
from trilithon.query.catalog.row_writer import RowWriter
from trilithon.query.execute.foreign_keys import finish_statement
from trilithon.query.execute.modify import WRITE_ROWS, Constraints
from trilithon.query.execute.operators import ConstantRows, Operator, Transform
from trilithon.query.execute.run import Run
from trilithon.query.parse.statement import Node
from trilithon.query.plan import statements

if TYPE_CHECKING:
    from trilithon.query.engine import Engine
    from trilithon.query.plans import ResultColumn


@dataclass(slots=True, eq=False)
class CopyTarget:
    """`columns` are what a row of the data has; the others get their defaults."""

    columns: tuple[ResultColumn, ...]
    table: Table
    transaction: Any
    # What is read, and over it whatever fetches defaults: the values of sequences.
    given: ConstantRows
    source: Operator
    row: Transform
    constraints: Constraints

    @classmethod
    def of(cls, engine: Engine, analysis: Analysis, body: Node, transaction: Any) -> CopyTarget:
        from trilithon.query.plans import ResultColumn

        table = names.find_table(analysis, body["relation"], "copy to")
        chosen = _columns(analysis, table, body.get("attlist"))
        planner = engine.planner_for(analysis)
        places = {column.number: analysis.column(column.name, column.type).id for column in chosen}
        row: list[ir.Expr] = []
        for column in table.columns:
            at = places.get(column.number)
            if column.dropped:
                row.append(ir.Constant(None, column.type))
            elif at is not None:
                row.append(ir.Column(at, column.type))
            else:
                row.append(table_expressions.default(analysis, table, column))
        given = ConstantRows(tuple(places.values()), [])
        row, source = planner.lift(row, given)
        constraints = statements.table_constraints(analysis, planner, table)
        for object_id in analysis.types:
            # A domain whose rules the rows were checked by.
            transaction.use_table(object_id)
        columns = tuple(
            ResultColumn(column.name, column.type, table.id, column.number) for column in chosen
        )
        made = planner.projection(row, source)
        return cls(columns, table, transaction, given, source, made, constraints)

    async def insert(self, rows: list[Any], context: EvalContext) -> None:
        """Insert rows of values, one for each of `columns`, in order. SqlError 23502, 23505, 23514,
        and what casts to a column's modifier raise."""
        run = Run(self.transaction, context)
        self.transaction.begin_statement()
        writer = RowWriter(self.transaction, self.table)
        for start in range(0, len(rows), WRITE_ROWS):
            self.given.rows = rows[start : start + WRITE_ROWS]
            part = self.row(await self.source.collect(run), context)
            self.given.rows = []
            await writer.insert(self.constraints.apply(run, part))
            await run.breathe()

    async def finish(self, context: EvalContext) -> None:
        """After the last row: what foreign keys say of all of them. SqlError 23503."""
        await finish_statement(self.transaction, context)


def _columns(analysis: Analysis, table: Table, attributes: list[Node] | None) -> list[Column]:
    if attributes is None:
        return [column for column in table.visible_columns if column.generated is None]
    found: list[Column] = []
    for name in names.strings(attributes):
        column = table.column(name)
        if column is None:
            analysis.fail("42703", f'column "{name}" of relation "{table.name}" does not exist')
        if column.generated is not None:
            analysis.fail(
                "428C9",
                f'column "{name}" is a generated column',
                detail="Generated columns cannot be used in COPY.",
            )
        if column in found:
            analysis.fail("42701", f'column "{name}" specified more than once')
        found.append(column)
    return found
