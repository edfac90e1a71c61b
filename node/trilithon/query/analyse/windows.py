"""Window functions: recognised, and refused with their name until the executor has them."""

from __future__ import annotations

from typing import Final

from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.scope import Scope
from trilithon.query.analyse.tree import Expr
from trilithon.query.parse.statement import Node

WINDOW_FUNCTIONS: Final = frozenset(
    {
        "row_number",
        "rank",
        "dense_rank",
        "percent_rank",
        "cume_dist",
        "ntile",
        "lag",
        "lead",
        "first_value",
        "last_value",
        "nth_value",
    }
)


def is_window_function(name: str) -> bool:
    return name in WINDOW_FUNCTIONS


def window_call(analysis: Analysis, scope: Scope, node: Node, name: str) -> Expr:
    analysis.unsupported(f"the window function {name}() OVER (...)", node.get("location", 0))
