"""Subqueries in expressions, and calls whose values operators fetch.

What has no outer columns is evaluated once, into slots; the rest becomes columns that operators add.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trilithon.expression import ir
from trilithon.expression.compile import compile_scalar
from trilithon.query.analyse import tree
from trilithon.query.analyse.free import free_columns, used_columns
from trilithon.query.analyse.tree import Expr, Relation, Subquery
from trilithon.query.execute import sequences, sleeping, subqueries
from trilithon.query.execute.operators import Operator
from trilithon.query.execute.waiting import JobWaits
from trilithon.query.plan import explain, joins, rules
from trilithon.query.plan.conditions import has_subquery, is_fetched, replace_nodes, split
from trilithon.query.plan.places import keys_transform, positions_of

if TYPE_CHECKING:
    from trilithon.query.plan.planner import Planner


def lift(
    planner: Planner, expressions: Sequence[Expr], source: Operator
) -> tuple[list[Expr], Operator]:
    """The expressions without subqueries: their values come from slots, or from columns that
    operators over `source` add."""
    result = []
    rows: dict[int, list[Expr]] = {}
    for expression in expressions:
        if has_subquery(expression):
            expression, source = lift_one(planner, expression, source, rows)
        result.append(expression)
    return result, source


def lift_one(
    planner: Planner, expression: Expr, source: Operator, rows: dict[int, list[Expr]]
) -> tuple[Expr, Operator]:
    """`rows`: where the values of subqueries of kind "row" are, by their bodies' identity."""
    replaced: dict[int, Expr] = {}
    for node in ir.post_order(expression):
        if isinstance(node, ir.Call) and is_fetched(node):
            replaced[id(node)], source = _sequence_call(planner, node, source)
        elif isinstance(node, tree.RowField):
            body = node.subquery.body
            if id(body) not in rows:
                rows[id(body)], source = _subquery(planner, node.subquery, source)
            replaced[id(node)] = rows[id(body)][node.position]
        elif isinstance(node, Subquery) and node.kind != "row" and id(node) not in replaced:
            if node.args and any(has_subquery(argument) for argument in node.args):
                arguments, source = planner.lift(node.args, source)
                lifted = node.rebuild(arguments)
            else:
                lifted = node
            found, source = _subquery(planner, lifted, source)
            replaced[id(node)] = found[0]
    return replace_nodes(expression, replaced), source


def _sequence_call(planner: Planner, node: ir.Call, source: Operator) -> tuple[Expr, Operator]:
    if any(has_subquery(argument) for argument in node.args):
        raise explain.unsupported(
            "a subquery in the arguments of nextval(), setval() or pg_sleep()"
        )
    column = planner.new_column()
    columns = (*source.columns, column)
    made: Operator
    if node.function.startswith("pg_sleep"):
        made = sleeping.Sleeps(columns, source, planner.projection(node.args, source))
    elif node.function.startswith("nextval"):
        if used_columns(node.args[0]):
            raise explain.unsupported("nextval() of a sequence that differs from row to row")
        sequence = compile_scalar(planner.place(node.args[0], {}))
        made = sequences.NextValues(columns, source, sequence)
    elif node.function.startswith("wait_for_job"):
        made = JobWaits(columns, source, planner.projection(node.args, source))
    else:
        made = sequences.SetValues(columns, source, planner.projection(node.args, source))
    return ir.Column(column, node.type), made


def _subquery(planner: Planner, node: Subquery, source: Operator) -> tuple[list[Expr], Operator]:
    """Where its value is (of a row: its values), and the operator that has it."""
    free = free_columns(node)
    types = [node.type]
    if node.kind == "row":
        types = [column.type for column in node.body.outputs]
    if not free and node.kind not in ("any", "all"):
        slots = [planner.slot() for _ in types]
        outer, planner.outer = planner.outer, {}
        plan = planner.query(node.body)
        planner.outer = outer
        planner.init_plans.append(subqueries.InitPlan(slots[0], node.kind, plan, len(slots)))
        return [ir.Parameter(s + 1, t) for s, t in zip(slots, types, strict=True)], source
    available = positions_of(source.columns)
    bindings, plan = planner.correlated(node.body, available)
    added = [planner.new_column() for _ in types]
    columns = (*source.columns, *added)
    if node.kind in ("any", "all"):
        made: Operator = _quantified(planner, node, source, columns, plan, bindings)
    else:
        memo = bool(bindings) and not rules.is_volatile(node.body)
        made = subqueries.Applied(columns, source, node.kind, plan, bindings, memo, len(added))
    return [ir.Column(c, t) for c, t in zip(added, types, strict=True)], made


def correlated(
    planner: Planner, body: Relation, available: dict[int, int]
) -> tuple[tuple[tuple[int, int], ...], Operator]:
    """A plan whose outer columns are read from slots; the (slot, position) pairs to fill."""
    used = sorted(column for column in free_columns(body) if column in available)
    bindings = []
    before = dict(planner.outer)
    for column in used:
        slot = planner.slot()
        planner.outer[column] = slot
        bindings.append((slot, available[column]))
    plan = planner.query(body)
    planner.outer = before
    return tuple(bindings), plan


def _quantified(
    planner: Planner,
    node: Subquery,
    source: Operator,
    columns: tuple[int, ...],
    plan: Operator,
    bindings: tuple[tuple[int, int], ...],
) -> Operator:
    plan = planner.exactly(plan, [column.id for column in node.body.outputs])
    assert node.comparison is not None
    inner = [column.id for column in node.body.outputs]
    places = positions_of([*node.places, *inner])
    test = compile_scalar(planner.place(node.comparison, places))
    arguments = planner.projection(node.args, source)
    hashed = None
    pairs = joins.equalities(split(node.comparison), frozenset(node.places), frozenset(inner))
    if node.kind == "any" and not bindings and pairs is not None and not pairs.rest:
        hashed = (
            keys_transform(planner, pairs.left, positions_of(node.places)),
            keys_transform(planner, pairs.right, positions_of(inner)),
        )
    return subqueries.Quantified(
        columns, source, node.kind == "all", plan, bindings, arguments, test, hashed
    )
