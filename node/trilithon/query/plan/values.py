"""VALUES: rows that are known, and rows that share one compiled projection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from trilithon.expression import ir
from trilithon.expression.compile import compile_projection
from trilithon.query.analyse import tree
from trilithon.query.analyse.tree import Expr
from trilithon.query.execute import operators
from trilithon.query.execute.operators import Operator
from trilithon.query.plan.conditions import has_subquery

if TYPE_CHECKING:
    from trilithon.query.plan.planner import Planner

_LEAVES: Final = (ir.Constant, ir.Parameter)


def build_values(planner: Planner, relation: tree.Values) -> Operator:
    columns = tuple(column.id for column in relation.outputs)
    rows = relation.rows
    if any(has_subquery(value) for row in rows for value in row if not isinstance(value, _LEAVES)):
        return _values_with_subqueries(planner, columns, rows)
    constant = all(isinstance(value, ir.Constant) for row in rows for value in row)
    if constant:
        return operators.ConstantRows(
            columns, [tuple(value.value for value in row) for row in rows]
        )
    groups: dict[Any, Any] = {}
    for position, row in enumerate(rows):
        form, leaves, places = _form_of(
            [v if isinstance(v, _LEAVES) or not _outer(v) else planner.place(v, {}) for v in row]
        )
        group = groups.setdefault((form, places), (form, [], []))
        group[1].append(leaves)
        group[2].append(position)
    made = [
        (compile_projection(form), leaves, places, positions)
        for (_, places), (form, leaves, positions) in groups.items()
    ]
    return operators.ValuesRows(columns, len(rows), made)


def _values_with_subqueries(
    planner: Planner, columns: tuple[int, ...], rows: tuple[tuple[Expr, ...], ...]
) -> Operator:
    parts = []
    for row in rows:
        source: Operator = operators.ConstantRows((), [()])
        expressions, source = planner.lift(row, source)
        parts.append(
            operators.Transformed(columns, source, planner.projection(expressions, source))
        )
    return parts[0] if len(parts) == 1 else operators.Appended(columns, tuple(parts))


def _outer(expression: Expr) -> bool:
    return any(isinstance(node, ir.Column) for node in ir.post_order(expression))


def _form_of(
    row: Sequence[Expr],
) -> tuple[tuple[Expr, ...], tuple[Any, ...], tuple[tuple[int, int], ...]]:
    """A row of VALUES as (form, leaves, parameter places): the form reads the leaves as columns, so
    that rows that differ in their constants only share one compiled projection."""
    leaves: list[Any] = []
    places: list[tuple[int, int]] = []

    def change(node: Expr) -> Expr:
        if isinstance(node, ir.Constant):
            leaves.append(node.value)
            return ir.Column(len(leaves) - 1, node.type)
        if isinstance(node, ir.Parameter):
            places.append((len(leaves), 0))
            leaves.append(node.number)
            return ir.Column(len(leaves) - 1, node.type)
        return node

    form: list[Expr] = []
    for value in row:
        # Leaves, and leaves that are cast, need no walk; they are nearly all there is.
        if isinstance(value, _LEAVES):
            form.append(change(value))
        elif isinstance(value, ir.Cast) and isinstance(value.arg, _LEAVES):
            form.append(ir.Cast(change(value.arg), value.type, value.explicit))
        else:
            form.append(ir.transform(value, change))
    return tuple(form), tuple(leaves), tuple(places)
