"""min() and max() by an index: the first row of the order that it gives is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trilithon.expression import ir
from trilithon.query.analyse import tree
from trilithon.query.analyse.free import used_columns
from trilithon.query.analyse.tree import Relation
from trilithon.query.plan import scans
from trilithon.query.plan.access import Wish
from trilithon.query.plan.conditions import conjunction
from trilithon.query.plan.lookups import table_of
from trilithon.types.registry import INT8

if TYPE_CHECKING:
    from trilithon.query.plan.planner import Planner

_DESCENDING = {"min": False, "max": True}


def first_of_order(planner: Planner, relation: tree.Aggregate) -> Relation:
    """The aggregate's input; where one row of it will do, that row alone."""
    if relation.groups or relation.sets is not None or len(relation.calls) != 1:
        return relation.input
    call = relation.calls[0]
    descending = _DESCENDING.get(call.function.name)
    found = table_of(relation.input)
    if found is None or descending is None or call.filter is not None or call.order:
        return relation.input
    (argument,) = call.arguments
    scan, conjuncts = found
    numbers = {output.id: at for at, output in enumerate(scan.outputs[:-1], 1)}
    number = numbers.get(argument.index, 0) if isinstance(argument, ir.Column) else 0
    if not isinstance(argument, ir.Column) or not number:
        return relation.input
    wish = Wish(((argument.index, descending, descending),))
    needed = frozenset(used_columns(argument))
    if not scan.table.columns[number - 1].not_null:
        conjuncts = [*conjuncts, ir.IsNull(argument, True)]
    if not scans.choose_way(planner, scan, conjuncts, needed, wish, few=True).ordered:
        return relation.input
    outputs = scan.outputs
    condition = conjunction(conjuncts)
    source: Relation = scan if condition is None else tree.Filter(outputs, scan, condition)
    key = tree.SortKey(argument, descending, descending)
    return tree.Limit(outputs, tree.Sort(outputs, source, (key,)), ir.Constant(1, INT8), None)
