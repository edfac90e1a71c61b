"""One SELECT level's collected parts: targets, aggregates, window calls, set-returning calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from trilithon.core.invariant import require
from trilithon.expression import ir
from trilithon.query.analyse.tree import (
    AggregateCall,
    Expr,
    FunctionScan,
    FunctionsInStep,
    Join,
    OutputColumn,
    Relation,
    WindowCall,
)
from trilithon.query.parse.statement import Node


@dataclass(slots=True)
class Target:
    """One entry of the select list; `hidden` ones serve ORDER BY, DISTINCT ON and FOR UPDATE.

    `written` is the text of one with subqueries, by which it is found again: two analyses of one subquery
    give their columns different ids."""

    name: str
    expression: Expr
    source: OutputColumn | None
    hidden: bool = False
    location: int = 0
    output: OutputColumn | None = None
    written: str = ""


_PLACES: Final = frozenset(
    {"location", "list_start", "list_end", "rexpr_list_start", "rexpr_list_end"}
)


def written(node: Node) -> str:
    """The same for expressions that are written alike, if they have subqueries; else ""."""
    return repr(_without_locations(node)) if _has_subquery(node) else ""


def _has_subquery(node: Any) -> bool:
    if isinstance(node, list):
        return any(map(_has_subquery, node))
    if isinstance(node, dict):
        return "SubLink" in node or any(map(_has_subquery, node.values()))
    return False


def _without_locations(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_locations(one) for one in node]
    if isinstance(node, dict):
        return {key: _without_locations(node[key]) for key in sorted(node) if key not in _PLACES}
    return node


@dataclass(frozen=True, slots=True)
class WindowDefinition:
    """Equal definitions share one pass over the rows. `frame` is (mode, start, end, exclusion)."""

    partition: tuple[Expr, ...]
    order: tuple[Any, ...]
    frame: Any


@dataclass(slots=True, eq=False)
class Block:
    """Filled while expressions of the level are analysed; `own` are the ids of FROM's columns."""

    targets: list[Target] = field(default_factory=list)
    own: frozenset[int] = frozenset()
    aggregates: list[AggregateCall] = field(default_factory=list)
    windows: list[tuple[WindowDefinition, WindowCall]] = field(default_factory=list)
    set_functions: list[Relation] = field(default_factory=list)
    windows_by_name: dict[str, Node] = field(default_factory=dict)
    # Calls of GROUPING().
    groupings: int = 0
    # Inside the arguments of an aggregate, or of a window function.
    inside: str = ""

    def add_aggregate(self, call: AggregateCall) -> ir.Column:
        """The column that holds the aggregate's value; equal calls share one."""
        for known in self.aggregates:
            if (
                known.function == call.function
                and known.arguments == call.arguments
                and known.distinct == call.distinct
                and known.filter == call.filter
                and known.order == call.order
            ):
                return ir.Column(known.output.id, known.output.type)
        self.aggregates.append(call)
        return ir.Column(call.output.id, call.output.type)

    def apply_set_functions(self, relation: Relation) -> Relation:
        """Set-returning functions of the select list, as a lateral join."""
        if not self.set_functions:
            return relation
        made = self.set_functions[0]
        if len(self.set_functions) > 1:
            together = tuple(one for one in self.set_functions if isinstance(one, FunctionScan))
            require(len(together) == len(self.set_functions), "SQL functions stand alone")
            outputs = tuple(output for one in together for output in one.outputs)
            made = FunctionsInStep(outputs, together)
        return Join((*relation.outputs, *made.outputs), "inner", relation, made, None, True)
