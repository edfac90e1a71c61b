"""rank(), dense_rank(), percent_rank() and cume_dist() WITHIN GROUP: the place that a row would have.

They are counts of the rows before it: count(*) FILTER (WHERE the row sorts before the values given).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trilithon.expression import functions, ir
from trilithon.query.analyse import coercion, comparisons, expressions, ordering
from trilithon.query.analyse.block import Block
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.scope import Scope
from trilithon.query.analyse.tree import AggregateCall, Expr
from trilithon.query.parse.statement import Node
from trilithon.types.registry import BOOL, FLOAT8, INT8, type_name

NAMES: Final = frozenset({"rank", "dense_rank", "percent_rank", "cume_dist"})
_ONE: Final = ir.Constant(1, INT8)

# (the ORDER BY expression, the value given, descending, nulls first)
_Key = tuple[Expr, Expr, bool, bool]


def call(analysis: Analysis, scope: Scope, node: Node, name: str) -> Expr:
    """Raises SqlError 42803 (no place for an aggregate), 42883 (another number of values), 0A000."""
    location = node.get("location", 0)
    block = comparisons.aggregating_block(analysis, scope, node, name)
    before, block.inside = block.inside, "aggregate"
    arguments = comparisons.call_arguments(analysis, scope, node)
    condition = None
    if "agg_filter" in node:
        condition = expressions.analyse_boolean(analysis, scope, node["agg_filter"], "FILTER")
    order = []
    for item in node.get("agg_order", ()):
        sort = item["SortBy"]
        expression = coercion.settle(analysis, expressions.analyse(analysis, scope, sort["node"]))
        order.append((expression, *ordering.sort_direction(analysis, sort)))
    comparisons.refuse_varying(analysis, arguments, name, location)
    block.inside = before
    if len(arguments) != len(order):
        types = [type_name(one.type) for one in (*arguments, *(key[0] for key in order))]
        analysis.fail(
            "42883",
            f"function {name}({', '.join(types)}) does not exist",
            location,
            hint=f"To use the hypothetical-set aggregate {name}, the number of hypothetical direct arguments "
            f"(here {len(arguments)}) must match the number of ordering columns (here {len(order)}).",
        )
    keys = []
    for given, (expression, descending, first) in zip(arguments, order, strict=True):
        type_ = coercion.common_type(analysis, [given, expression], "WITHIN GROUP", location)
        coercion.require_order(analysis, type_, location)
        ours = coercion.coerce_implicit(analysis, expression, type_, location)
        theirs = coercion.coerce_implicit(analysis, given, type_, location)
        keys.append((ours, theirs, descending, first))
    comparisons.refuse_outer_aggregate(
        analysis, block, tuple(key[0] for key in keys), name, location
    )
    return _Places(analysis, block, condition, keys).value(name, location)


class _Places:
    def __init__(
        self, analysis: Analysis, block: Block, condition: Expr | None, keys: Sequence[_Key]
    ) -> None:
        self.analysis, self.block, self.condition, self.keys = analysis, block, condition, keys

    def value(self, name: str, location: int) -> Expr:
        if name == "rank":
            return _plus(self.count(self.before()), _ONE)
        if name == "dense_rank":
            return self.dense(location)
        if name == "percent_rank":
            total = self.count(None)
            share = _divide(self.count(self.before()), total)
            none = _equal(self.analysis, total, ir.Constant(0, INT8))
            return ir.Case(None, ((none, ir.Constant(0.0, FLOAT8)),), share, FLOAT8)
        at_most = ir.Or((self.before(), self.equal()))
        return _divide(
            _plus(self.count(at_most), _ONE),
            _plus(self.count(None), _ONE),
        )

    def dense(self, location: int) -> Expr:
        if len(self.keys) != 1:
            self.analysis.unsupported("dense_rank() WITHIN GROUP over several columns", location)
        expression = self.keys[0][0]
        others = self.count(self.before(), expression)
        # DISTINCT leaves NULLs out.
        nulls = self.count(ir.And((self.before(), ir.IsNull(expression))))
        some = _equal(self.analysis, nulls, ir.Constant(0, INT8))
        one = ir.Case(None, ((some, ir.Constant(0, INT8)),), _ONE, INT8)
        return _plus(_plus(others, one), _ONE)

    def count(self, wanted: Expr | None, distinct: Expr | None = None) -> Expr:
        parts = tuple(part for part in (self.condition, wanted) if part is not None)
        condition = parts[0] if len(parts) == 1 else ir.And(parts) if parts else None
        arguments = () if distinct is None else (distinct,)
        resolved = functions.resolve_aggregate("count", [one.type for one in arguments])
        output = self.analysis.column("count", INT8)
        made = AggregateCall(
            output, resolved.aggregate, arguments, distinct is not None, condition, ()
        )
        counted: Expr = self.block.add_aggregate(made)
        return counted

    def before(self) -> Expr:
        """Whether a row sorts before the values given; never NULL."""
        found: Expr | None = None
        for ours, theirs, descending, first in reversed(self.keys):
            less = self.sorts(ours, theirs, descending, first)
            if found is not None:
                more = self.sorts(theirs, ours, descending, first)
                less = ir.Or((less, ir.And((ir.Not(more), found))))
            found = less
        assert found is not None
        return found

    def equal(self) -> Expr:
        parts: list[Expr] = []
        for ours, theirs, descending, first in self.keys:
            parts.append(ir.Not(self.sorts(ours, theirs, descending, first)))
            parts.append(ir.Not(self.sorts(theirs, ours, descending, first)))
        return ir.And(tuple(parts))

    def sorts(self, left: Expr, right: Expr, descending: bool, nulls_first: bool) -> Expr:
        """Whether `left` comes before `right`."""
        compared = coercion.operator(self.analysis, ">" if descending else "<", left, right, None)
        by_null = ir.And((ir.IsNull(left, not nulls_first), ir.IsNull(right, nulls_first)))
        return ir.Coalesce((compared, by_null), BOOL)


def _equal(analysis: Analysis, left: Expr, right: Expr) -> Expr:
    equal: Expr = coercion.operator(analysis, "=", left, right, None)
    return equal


def _plus(left: Expr, right: Expr) -> Expr:
    return ir.Call("int8 + int8", (left, right), INT8)


def _divide(left: Expr, right: Expr) -> Expr:
    parts = tuple(ir.Call("int8 :: float8", (part,), FLOAT8) for part in (left, right))
    return ir.Call("float8 / float8", parts, FLOAT8)
