"""UNION, INTERSECT, EXCEPT; WITH."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trilithon.expression import ir
from trilithon.query.analyse import tree
from trilithon.query.analyse.free import free_columns
from trilithon.query.execute import operators, sorting, subqueries
from trilithon.query.execute.operators import Operator
from trilithon.query.plan import explain, rules
from trilithon.query.plan.hints import Hint
from trilithon.query.plan.places import keys_transform

if TYPE_CHECKING:
    from trilithon.query.plan.planner import Planner


def build_set_operation(planner: Planner, relation: tree.SetOperation) -> Operator:
    columns = tuple(column.id for column in relation.outputs)
    sides = []
    for side in (relation.left, relation.right):
        wanted = [column.id for column in side.outputs]
        sides.append(planner.exactly(planner.build(side, frozenset(wanted)), wanted))
    keys = [
        keys_transform(
            planner,
            [ir.Column(number, column.type) for number, column in enumerate(relation.outputs)],
            {number: number for number in range(len(columns))},
        )
        for _ in sides
    ]
    if relation.kind == "union":
        joined = operators.Appended(columns, tuple(sides))
        return joined if relation.all else sorting.Unique(columns, joined, keys[0])
    combined = sorting.Combined(
        columns, sides[0], sides[1], relation.kind, relation.all, keys[0], keys[1]
    )
    return combined if relation.all else sorting.Unique(columns, combined, keys[0])


def build_with(
    planner: Planner, relation: tree.With, needed: frozenset[int], hint: Hint
) -> Operator:
    before = planner.fresh_ctes
    correlated = any(map(free_columns, rules.bodies_of(relation)))
    planner.fresh_ctes = (bool(planner.outer) and (before or correlated)) or (
        any(rules.reads(body, planner.recursing) for body in rules.bodies_of(relation))
    )
    if planner.fresh_ctes and rules.read_by_subqueries(relation):
        raise explain.unsupported("a correlated WITH query that a subquery reads")
    plans = [_cte(planner, cte) for cte in relation.ctes]
    body = planner.build(relation.body, needed, hint)
    once = not planner.outer and not planner.recursing
    made = subqueries.WithCtes(body.columns, body, tuple(plans), planner.fresh_ctes, once)
    planner.fresh_ctes = before
    if id(body) in planner.ordered:
        planner.ordered[id(made)] = made
    return made


def _cte(planner: Planner, cte: tree.Cte) -> subqueries.CtePlan:
    wanted = [column.id for column in cte.body.outputs]
    plan = subqueries.CtePlan(
        cte.number,
        cte.name,
        planner.exactly(planner.build(cte.body, frozenset(wanted)), wanted),
        distinct=cte.distinct,
        modifies=cte.modifies,
    )
    planner.ctes[cte.number] = plan
    if cte.recursive is not None:
        inner = [column.id for column in cte.recursive.outputs]
        recursing, planner.recursing = planner.recursing, planner.recursing | {cte.number}
        plan.recursive = planner.exactly(planner.build(cte.recursive, frozenset(inner)), inner)
        planner.recursing = recursing
        columns = [ir.Column(number, column.type) for number, column in enumerate(cte.body.outputs)]
        same = {number: number for number in range(len(columns))}
        plan.keys = plan.recursive_keys = keys_transform(planner, columns, same)
    return plan
