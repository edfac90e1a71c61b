"""Where columns are in a row, and rows as keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from trilithon.expression.compile import compile_rows
from trilithon.expression.partial import hashable
from trilithon.query.analyse.free import used_columns
from trilithon.query.analyse.tree import Expr
from trilithon.query.execute.operators import Transform
from trilithon.types.ordering import sort_key

if TYPE_CHECKING:
    from trilithon.query.plan.planner import Planner


def positions_of(columns: Sequence[int]) -> dict[int, int]:
    return {column: position for position, column in enumerate(columns)}


def used_by(expressions: Iterable[Expr]) -> frozenset[int]:
    found: set[int] = set()
    for expression in expressions:
        found |= used_columns(expression)
    return frozenset(found)


def keys_transform(
    planner: Planner, expressions: Sequence[Expr], positions: dict[int, int]
) -> Transform:
    """Rows to tuples that are equal exactly where SQL says so."""
    project = compile_rows(None, [planner.place(e, positions) for e in expressions])
    if not expressions:
        return lambda rows, context: [()] * len(rows)
    converters = tuple(sort_key(expression.type.oid) for expression in expressions)
    if not any(converters):
        return project
    return lambda rows, context: [hashable(values, converters) for values in project(rows, context)]
