"""When an aggregate's states are made in storage: one table read by ranges of its key, every condition
there too, and only aggregates that can be done in parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from trilithon.expression import ir
from trilithon.expression.compile import pushable
from trilithon.expression.partial import Aggregation, PartialCall, mergeable
from trilithon.query.analyse import tree
from trilithon.query.analyse.tree import Expr
from trilithon.query.execute.aggregate import Call
from trilithon.query.execute.operators import Operator
from trilithon.query.execute.scans import RangeScan, ScanLines
from trilithon.query.execute.storage_groups import StorageGroups
from trilithon.query.plan.scans import NODES_PUSHED_MAX
from trilithon.types.registry import type_info

if TYPE_CHECKING:
    from trilithon.query.plan.planner import Planner

_SMALL_TYPES: Final = frozenset(
    [
        "bool",
        "int2",
        "int4",
        "int8",
        "oid",
        "float4",
        "float8",
        "numeric",
        "uuid",
        "date",
        "time",
        "timetz",
        "timestamp",
        "timestamptz",
        "interval",
    ]
)


def storage_groups(
    planner: Planner,
    relation: tree.Aggregate,
    source: Operator,
    prepared: Sequence[Expr],
    calls: Sequence[Call],
) -> StorageGroups | None:
    """Partial rows instead of the rows of `source`; `prepared` are the expressions over these that the
    groups and `calls` (by position) need."""
    if not isinstance(source, RangeScan) or source.limit is not None:
        return None
    layout, pushed = source.layout, source.pushed
    if layout.with_key or layout.transform is not None:
        return None
    for call in calls:
        if call.collects or not mergeable(call.function):
            return None
    projection = _over_stored_rows(planner, source, prepared)
    if not all(_small(one) and pushable(_constant(one)) for one in projection):
        return None
    if sum(1 for one in projection for _ in ir.post_order(one)) > NODES_PUSHED_MAX:
        return None
    width = len(relation.groups)
    aggregation = Aggregation(
        width, tuple(PartialCall(c.function.id, c.arguments, c.filter) for c in calls)
    )
    if not aggregation.fits(len(projection)):
        return None
    lines = (*source.about.lines, *_text(planner, relation))
    return StorageGroups(
        tuple(planner.new_column() for _ in range(width + len(calls))),
        source.table,
        source.path,
        pushed.filter,
        projection,
        pushed.missing,
        aggregation,
        pushed.has_parameters or any(map(_has_parameters, projection)),
        ScanLines(source.about.title, lines),
    )


def _over_stored_rows(
    planner: Planner, source: RangeScan, prepared: Sequence[Expr]
) -> tuple[Expr, ...]:
    """`prepared` are over the rows of `source`, which may be a projection of the stored ones."""
    placed = planner.place_all(prepared, source)
    stored = source.pushed.projection
    columns = source.table.columns

    def change(node: Expr) -> Expr:
        if not isinstance(node, ir.Column):
            return node
        column = node
        if stored is not None:
            below = stored[node.index]
            assert isinstance(below, ir.Column)
            column = below
        return ir.Column(column.index, node.type, not columns[column.index].not_null)

    return tuple(ir.transform(expression, change) for expression in placed)


def _small(expression: Expr) -> bool:
    """Whether its values are no larger than what is stored: storage holds a batch of them, and
    repeat() and its like make of a row what no process should keep for someone else."""
    return isinstance(expression, ir.Column) or type_info(expression.type.oid).name in _SMALL_TYPES


def _constant(expression: Expr) -> Expr:
    """As it will be when it is sent: parameters are constants then."""
    return ir.transform(
        expression,
        lambda node: ir.Constant(None, node.type) if isinstance(node, ir.Parameter) else node,
    )


def _has_parameters(expression: Expr) -> bool:
    return any(isinstance(node, ir.Parameter) for node in ir.post_order(expression))


def _text(planner: Planner, relation: tree.Aggregate) -> tuple[tuple[str, str], ...]:
    shown = []
    for call in relation.calls:
        arguments = planner.text(call.arguments) if call.arguments else ""
        shown.append(f"{call.function.name}({arguments or '*'})")
    parts = [("Storage Aggregate", ", ".join(shown))] if shown else []
    if relation.groups:
        parts.append(("Storage Group Key", planner.text(relation.groups)))
    return tuple(parts)
