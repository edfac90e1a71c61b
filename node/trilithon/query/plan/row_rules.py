"""A table's constraints and defaults, compiled apart from any statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trilithon.expression.compile import compile_projection
from trilithon.expression.context import EvalContext
from trilithon.query.analyse import table_expressions
from trilithon.query.analyse.context import Analysis
from trilithon.query.catalog.definitions import Table
from trilithon.query.execute.foreign_keys import RowRules
from trilithon.query.plan import statements

if TYPE_CHECKING:
    from trilithon.query.plan.planner import Planner


def row_rules(analysis: Analysis, planner: Planner, table: Table) -> RowRules:
    target = tuple(
        analysis.column(column.name, column.type, table.id, column.number)
        for column in table.columns
    )
    constraints = statements.constraints(
        planner,
        table,
        target,
        table_expressions.checks(analysis, table, target),
        table_expressions.generated(analysis, table, target),
    )
    compiled = compile_projection(
        [
            planner.place(table_expressions.default(analysis, table, column), {})
            for column in table.columns
        ]
    )

    def defaults(context: EvalContext) -> Sequence[Any]:
        row: Sequence[Any] = compiled([()], context)[0]
        return row

    return RowRules(constraints, defaults)
