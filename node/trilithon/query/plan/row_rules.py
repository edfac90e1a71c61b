"""A table's constraints and defaults, compiled apart from any statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trilithon.expression.compile import compile_scalar
from trilithon.expression.context import EvalContext
from trilithon.query.analyse import table_expressions
from trilithon.query.analyse.context import Analysis
from trilithon.query.catalog.definitions import Table
from trilithon.query.execute.foreign_keys import RowRules
from trilithon.query.plan import statements

if TYPE_CHECKING:
    from trilithon.query.plan.planner import Planner


def row_rules(analysis: Analysis, planner: Planner, table: Table) -> RowRules:
    constraints = statements.table_constraints(analysis, planner, table)
    compiled: dict[int, Any] = {}

    def default(number: int, context: EvalContext) -> Any:
        # One by one and late: a sequence's next value is nobody's business but INSERT's.
        found = compiled.get(number)
        if found is None:
            expression = table_expressions.default(analysis, table, table.columns[number - 1])
            found = compiled[number] = compile_scalar(planner.place(expression, {}))
        return found((), context)

    return RowRules(constraints, default)
