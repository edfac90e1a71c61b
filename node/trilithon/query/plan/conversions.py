"""What makes rows of a table's next form, compiled once for all writers (see `execute.conversions`)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trilithon.expression import ir
from trilithon.query.analyse import coercion, table_expressions
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.tree import Expr, OutputColumn
from trilithon.query.catalog.definitions import Rewrite, Table
from trilithon.query.execute.conversions import Conversion
from trilithon.query.plan import statements
from trilithon.query.plan.stages import build_stage
from trilithon.types.settings import IoSettings

if TYPE_CHECKING:
    from trilithon.query.plan.planner import Planner


def settings_of(made: Rewrite) -> IoSettings:
    return IoSettings(
        timezone=made.timezone,
        datestyle=made.datestyle,
        intervalstyle=made.intervalstyle,
        now_us=made.now_us,
    )


def build_conversion(analysis: Analysis, planner: Planner, table: Table) -> Conversion:
    """For a table with a `rewrite`. SqlError 42804, and what analysing its texts raises."""
    made, shadow = table.rewrite, table.shadow
    assert made is not None
    assert shadow is not None
    outputs = tuple(
        analysis.column(column.name, column.type, table.id, column.number)
        for column in table.columns
    )
    row: list[Expr] = [ir.Column(output.id, output.type) for output in outputs]
    row[made.number - 1 : made.number] = [_value(analysis, table, shadow, made, outputs)]
    stage = build_stage(planner, row, [output.id for output in outputs])
    # Rows may break constraints that were never validated.
    checked = replace(shadow, checks=tuple(check for check in shadow.checks if check.validated))
    constraints = statements.table_constraints(analysis, planner, checked)
    return Conversion(stage, planner.slots, constraints, settings_of(made))


def _value(
    analysis: Analysis,
    table: Table,
    shadow: Table,
    made: Rewrite,
    outputs: tuple[OutputColumn, ...],
) -> Expr:
    column = shadow.columns[made.number - 1]
    if made.sql is None:
        return table_expressions.default(analysis, shadow, column)
    value = table_expressions.analyse_text(analysis, made.sql, table, outputs)
    return coercion.coerce(analysis, value, column.type, coercion.ASSIGNMENT, None)
