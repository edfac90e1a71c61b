"""Stages: expressions over rows in hand (see `execute.stages`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trilithon.expression.compile import compile_projection
from trilithon.query.analyse.tree import Expr
from trilithon.query.execute.operators import Transformed
from trilithon.query.execute.stages import RowsInHand, Stage
from trilithon.query.plan.conditions import has_subquery

if TYPE_CHECKING:
    from trilithon.query.plan.planner import Planner


def build_stage(planner: Planner, expressions: Sequence[Expr], columns: Sequence[int]) -> Stage:
    """The expressions over rows that hold these columns; a column that is there twice is read from
    its last place."""
    positions = {column: position for position, column in enumerate(columns)}
    if not any(has_subquery(expression) for expression in expressions):
        return Stage(compile_projection([planner.place(e, positions) for e in expressions]))
    slot = planner.slot()
    lifted, source = planner.lift(expressions, RowsInHand(tuple(columns), slot))
    return Stage(None, Transformed((), source, planner.projection(lifted, source)), slot)
