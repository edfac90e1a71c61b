"""A table read by key for each of some outer rows: whether there is a way, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trilithon.query.analyse import tree
from trilithon.query.analyse.tree import Expr, Relation, Scan
from trilithon.query.plan import access
from trilithon.query.plan.access import Choice
from trilithon.query.plan.conditions import has_subquery, split

# A batched lookup of one row costs about as much as scanning this many.
LOOKUP_COST: Final = 3.0


def table_of(relation: Relation) -> tuple[Scan, list[Expr]] | None:
    """A table with conditions of its own."""
    if isinstance(relation, tree.Filter):
        inner = table_of(relation.input)
        if inner is None or has_subquery(relation.predicate):
            return None
        return inner[0], inner[1] + split(relation.predicate)
    return (relation, []) if isinstance(relation, Scan) else None


def find_lookup(
    scan: Scan, conditions: Sequence[Expr], texts: access.IndexTexts, outer: frozenset[int]
) -> Choice | None:
    """The cheapest way to the rows of one outer row; None where no key depends on `outer` columns.
    `conditions`: the table's own and the join's."""
    choice = access.choose(scan, conditions, texts)
    if choice.index is None or not choice.uses(outer) or not (choice.fixed or choice.arms):
        return None
    return choice


def lookup_cost(outer_rows: float, choice: Choice) -> float:
    return outer_rows * LOOKUP_COST * max(choice.cost, 1.0)
