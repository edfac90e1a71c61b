"""Plans of INSERT, UPDATE and DELETE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trilithon.expression import ir
from trilithon.expression.compile import compile_filter, compile_projection
from trilithon.query.analyse import table_expressions, tree
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.free import used_columns
from trilithon.query.analyse.tree import Expr, OutputColumn, Relation
from trilithon.query.catalog.definitions import Table
from trilithon.query.execute import merge, modify
from trilithon.query.execute.operators import Operator, Transform
from trilithon.query.plan.explain import unsupported
from trilithon.query.plan.scans import LOCK_MODES
from trilithon.query.plan.stages import build_stage

if TYPE_CHECKING:
    from trilithon.query.plan.planner import Planner

__all__ = ["LOCK_MODES", "build_statement"]


def build_statement(planner: Planner, relation: Relation) -> Operator:
    match relation:
        case tree.Insert():
            return _insert(planner, relation)
        case tree.Update():
            return _update(planner, relation)
        case tree.Delete():
            return _delete(planner, relation)
        case tree.Merge():
            return _merge(planner, relation)
        case _:
            raise unsupported(type(relation).__name__)


def constraints(
    planner: Planner,
    table: Table,
    target: tuple[OutputColumn, ...],
    checks: tuple[tree.CheckExpression, ...],
    generated: tuple[tuple[int, Expr], ...],
) -> modify.Constraints:
    positions = {column.id: position for position, column in enumerate(target)}
    complete: Transform | None = None
    if generated:
        row: list[Expr] = [
            ir.Column(position, column.type) for position, column in enumerate(target)
        ]
        for number, expression in generated:
            row[number - 1] = planner.place(expression, positions)
        complete = compile_projection(row)
    not_null = tuple(
        (column.number - 1, column.name)
        for column in table.columns
        if (column.not_null or column.becoming_not_null) and not column.dropped
    )
    failing = tuple(
        (
            check.name,
            compile_filter(ir.Not(planner.place(check.expression, positions))),
            check.domain,
        )
        for check in checks
        if not check.view
    )
    hidden = tuple(
        (check.name, compile_filter(ir.Not(planner.place(check.expression, positions))))
        for check in checks
        if check.view
    )
    return modify.Constraints(table, complete, not_null, failing, hidden)


def table_constraints(analysis: Analysis, planner: Planner, table: Table) -> modify.Constraints:
    """Of a table by itself, apart from any statement's columns."""
    target = tuple(
        analysis.column(column.name, column.type, table.id, column.number)
        for column in table.columns
    )
    return constraints(
        planner,
        table,
        target,
        table_expressions.checks(analysis, table, target),
        table_expressions.generated(analysis, table, target),
    )


def _insert(planner: Planner, relation: tree.Insert) -> Operator:
    wanted = [column.id for column in relation.source.outputs]
    source = planner.exactly(planner.build(relation.source, frozenset(wanted)), wanted)
    row, source = planner.lift(relation.row, source)
    placed = planner.place_all(row, source)
    as_it_is = all(
        isinstance(expression, ir.Column) and expression.index == position
        for position, expression in enumerate(placed)
    ) and len(placed) == len(source.columns)
    checked = constraints(
        planner, relation.table, relation.target, relation.checks, relation.generated
    )
    conflict = None
    if relation.conflict is not None:
        conflict = _conflict(planner, relation.conflict)
    returning = None
    if relation.returning is not None:
        returning = build_stage(
            planner, relation.returning.expressions, [column.id for column in relation.target]
        )
    return modify.InsertRows(
        tuple(column.id for column in relation.outputs),
        relation.table,
        source,
        None if as_it_is else compile_projection(placed),
        checked,
        conflict,
        returning,
    )


def _conflict(planner: Planner, conflict: tree.OnConflict) -> modify.ConflictPlan:
    both = [column.id for column in (*conflict.existing, *conflict.excluded)]
    update = where = None
    if conflict.row is not None:
        update = build_stage(planner, conflict.row, both)
    if conflict.where is not None:
        where = build_stage(planner, [conflict.where], both)
    return modify.ConflictPlan(conflict.indexes or None, update, where)


def _update(planner: Planner, relation: tree.Update) -> Operator:
    scan = relation.scan
    needed = {column.id for column in scan.outputs}
    for expression in relation.row:
        needed |= used_columns(expression)
    if relation.returning is not None:
        for expression in relation.returning.expressions:
            needed |= used_columns(expression)
    target_ids = {column.id for column in relation.target}
    source = planner.build(relation.source, frozenset(needed - target_ids))
    row, source = planner.lift(relation.row, source)
    positions = {column: position for position, column in enumerate(source.columns)}
    returning = None
    if relation.returning is not None:
        target = [column.id for column in relation.target]
        returning = build_stage(planner, relation.returning.expressions, [*target, *source.columns])
    return modify.UpdateRows(
        tuple(column.id for column in relation.outputs),
        relation.table,
        source,
        positions[scan.key_column.id],
        _old_rows(scan, positions),
        compile_projection([planner.place(expression, positions) for expression in row]),
        constraints(planner, relation.table, relation.target, relation.checks, relation.generated),
        returning,
        _joins(relation.source),
    )


def _delete(planner: Planner, relation: tree.Delete) -> Operator:
    scan = relation.scan
    needed = {column.id for column in scan.outputs}
    if relation.returning is not None:
        for expression in relation.returning.expressions:
            needed |= used_columns(expression)
    source = planner.build(relation.source, frozenset(needed))
    positions = {column: position for position, column in enumerate(source.columns)}
    returning = None
    if relation.returning is not None:
        returning = build_stage(planner, relation.returning.expressions, source.columns)
    return modify.DeleteRows(
        tuple(column.id for column in relation.outputs),
        relation.table,
        source,
        positions[scan.key_column.id],
        _old_rows(scan, positions),
        returning,
        _joins(relation.source),
    )


def _merge(planner: Planner, relation: tree.Merge) -> Operator:
    scan = relation.scan
    needed = {column.id for column in scan.outputs}
    for action in relation.actions:
        for expression in (*action.row, *([action.condition] if action.condition else ())):
            needed |= used_columns(expression)
    source = planner.build(relation.source, frozenset(needed))
    positions = {column: position for position, column in enumerate(source.columns)}
    actions = []
    for action in relation.actions:
        condition = None
        if action.condition is not None:
            condition = build_stage(planner, [action.condition], source.columns)
        row = build_stage(planner, action.row, source.columns) if action.row else None
        actions.append(merge.Action(action.kind, action.matched, condition, row))
    return merge.MergeRows(
        (),
        relation.table,
        source,
        positions[scan.key_column.id],
        _old_rows(scan, positions),
        tuple(actions),
        constraints(planner, relation.table, relation.target, relation.checks, relation.generated),
    )


def _old_rows(scan: tree.Scan, positions: dict[int, int]) -> Transform:
    return compile_projection(
        [ir.Column(positions[column.id], column.type) for column in scan.outputs[:-1]]
    )


def _joins(relation: Relation) -> bool:
    """Whether a target row may come more than once."""
    if isinstance(relation, tree.Filter):
        return _joins(relation.input)
    return not isinstance(relation, tree.Scan)
