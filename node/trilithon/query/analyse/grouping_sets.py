"""GROUP BY's items and the sets they stand for: GROUPING SETS, ROLLUP, CUBE; GROUPING().

A *set* is a tuple of positions in the list of all group expressions, each once. Every item of GROUP BY
is a list of sets (a plain expression a list of one), and the clause is their cross product.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from trilithon.query.analyse import expressions
from trilithon.query.analyse.block import Block
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.scope import Scope
from trilithon.query.analyse.tree import Expr, Grouping
from trilithon.query.parse.statement import Node

SETS_MAX: Final = 4096
CUBE_MAX: Final = 12
ARGUMENTS_MAX: Final = 31

Set = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Groups:
    """`sets` None: one group for each value of all expressions. `present`: GROUP BY stands there."""

    expressions: tuple[Expr, ...] = ()
    sets: tuple[Set, ...] | None = None
    present: bool = False

    @property
    def common(self) -> tuple[Expr, ...]:
        """The expressions that every set groups by."""
        if self.sets is None:
            return self.expressions
        shared = set(self.sets[0]).intersection(*self.sets)
        return tuple(e for at, e in enumerate(self.expressions) if at in shared)


@dataclass(slots=True)
class _Items:
    """The expressions so far; `analyse` makes one of a node."""

    analysis: Analysis
    analyse: Callable[[Node], Expr]
    expressions: list[Expr] = field(default_factory=list)

    def add(self, node: Node) -> Set:
        expression = self.analyse(node)
        if expression not in self.expressions:
            self.expressions.append(expression)
        return (self.expressions.index(expression),)

    def together(self, node: Node) -> Set:
        """An expression, or several in parentheses, as one element."""
        found: Set = ()
        for part in _flattened(node):
            found = _union(found, self.add(part))
        return found

    def sets(self, node: Node) -> list[Set]:
        if "GroupingSet" not in node:
            return [self.together(node)]
        body = node["GroupingSet"]
        content = body.get("content", [])
        match body["kind"]:
            case "GROUPING_SET_EMPTY":
                return [()]
            case "GROUPING_SET_SETS":
                found = [one for item in content for one in self.sets(item)]
                self._require_few(len(found))
                return found
            case "GROUPING_SET_ROLLUP":
                elements = [self.together(item) for item in content]
                return [_union(*elements[:count]) for count in range(len(elements), -1, -1)]
            case _:
                if len(content) > CUBE_MAX:
                    self.analysis.fail(
                        "54011", f"CUBE is limited to {CUBE_MAX} elements", body.get("location")
                    )
                elements = [self.together(item) for item in content]
                return [
                    _union(*chosen)
                    for count in range(len(elements), -1, -1)
                    for chosen in itertools.combinations(elements, count)
                ]

    def _require_few(self, count: int) -> None:
        if count > SETS_MAX:
            self.analysis.fail("54001", f"too many grouping sets present (maximum {SETS_MAX})")

    def product(self, items: list[Node]) -> list[Set]:
        lists = [self.sets(item) for item in items]
        size = 1
        for sets in lists:
            size *= len(sets)
            self._require_few(size)
        return [_union(*chosen) for chosen in itertools.product(*lists)]


def _union(*sets: Set) -> Set:
    return tuple(dict.fromkeys(itertools.chain(*sets)))


def _flattened(node: Node) -> list[Node]:
    row = node.get("RowExpr")
    if row is None or row.get("row_format") != "COERCE_IMPLICIT_CAST":
        return [node]
    return [part for item in row.get("args", ()) for part in _flattened(item)]


def group_sets(
    analysis: Analysis, clause: list[Node], distinct: bool, analyse: Callable[[Node], Expr]
) -> Groups:
    """A GROUP BY clause. Raises what `analyse` does, 54001, 54011."""
    if not clause:
        return Groups()
    items = _Items(analysis, analyse)
    if not any("GroupingSet" in node for node in clause):
        for node in clause:
            items.together(node)
        return Groups(tuple(items.expressions), None, True)
    sets = items.product(clause)
    if distinct:
        sets = list({frozenset(one): one for one in sets}.values())
    return Groups(tuple(items.expressions), tuple(sets), True)


def grouping_call(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    """GROUPING(...): resolved to a column of the Aggregate once the groups are known."""
    location = node.get("location", 0)
    block = scope.collector
    if scope.clause or not isinstance(block, Block):
        where = scope.clause or "this place"
        analysis.fail("42803", f"grouping operations are not allowed in {where}", location)
    if block.inside == "aggregate":
        analysis.fail("42803", "aggregate function calls cannot be nested", location)
    given = node.get("args", [])
    if len(given) > ARGUMENTS_MAX:
        analysis.fail("54023", "GROUPING must have fewer than 32 arguments", location)
    arguments = tuple(expressions.analyse(analysis, scope, argument) for argument in given)
    block.groupings += 1
    return Grouping(arguments, location)


def grouping_positions(
    analysis: Analysis, node: Grouping, groups: tuple[Expr, ...]
) -> tuple[int, ...]:
    """Which of the groups GROUPING's arguments are. Raises 42803."""
    positions = []
    for argument in node.args:
        if argument not in groups:
            analysis.fail(
                "42803",
                "arguments to GROUPING must be grouping expressions of the associated query level",
                node.location,
            )
        positions.append(groups.index(argument))
    return tuple(positions)
