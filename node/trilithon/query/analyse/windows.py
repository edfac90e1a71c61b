"""Window functions: calls with OVER, their windows and frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trilithon.expression import functions, ir
from trilithon.expression.registry import Aggregate
from trilithon.query.analyse import coercion, comparisons, expressions, ordering
from trilithon.query.analyse.block import Block, WindowDefinition
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.scope import Scope
from trilithon.query.analyse.tree import Expr, Frame, SortKey, WindowCall
from trilithon.query.parse.statement import Node
from trilithon.types.registry import (
    FLOAT8,
    INT4,
    INT8,
    INTERVAL,
    NUMERIC,
    UNKNOWN,
    TypeRef,
    type_info,
    type_name,
)

# Result types; None: the type of the first argument.
WINDOW_FUNCTIONS: Final[dict[str, TypeRef | None]] = {
    "row_number": INT8,
    "rank": INT8,
    "dense_rank": INT8,
    "percent_rank": FLOAT8,
    "cume_dist": FLOAT8,
    "ntile": INT4,
    "lag": None,
    "lead": None,
    "first_value": None,
    "last_value": None,
    "nth_value": None,
}
_ARGUMENTS: Final = {
    "row_number": (0, 0),
    "rank": (0, 0),
    "dense_rank": (0, 0),
    "percent_rank": (0, 0),
    "cume_dist": (0, 0),
    "ntile": (1, 1),
    "lag": (1, 3),
    "lead": (1, 3),
    "first_value": (1, 1),
    "last_value": (1, 1),
    "nth_value": (2, 2),
}

# PostgreSQL's FRAMEOPTION_ bits (parsenodes.h).
_RANGE, _ROWS, _GROUPS = 0x2, 0x4, 0x8
_START_UNBOUNDED, _END_UNBOUNDED = 0x20, 0x100
_START_CURRENT, _END_CURRENT = 0x200, 0x400
_START_PRECEDING, _END_PRECEDING = 0x800, 0x1000
_START_FOLLOWING, _END_FOLLOWING = 0x2000, 0x4000
_EXCLUDE_ROW, _EXCLUDE_GROUP, _EXCLUDE_TIES = 0x8000, 0x10000, 0x20000
DEFAULT_OPTIONS: Final = _RANGE | _START_UNBOUNDED | _END_CURRENT
# By the type of the column in RANGE's order: the type of the offset. Integers of all sizes mix.
_RANGE_OFFSETS: Final[dict[str, TypeRef]] = {
    **dict.fromkeys(("int2", "int4", "int8"), INT8),
    **dict.fromkeys(("float4", "float8"), FLOAT8),
    "numeric": NUMERIC,
    **dict.fromkeys(("date", "timestamp", "timestamptz", "interval", "time", "timetz"), INTERVAL),
}


@dataclass(frozen=True, slots=True)
class WindowFunction:
    """One that is no aggregate; the executor knows it by its name."""

    name: str


def is_window_function(name: str) -> bool:
    return name in WINDOW_FUNCTIONS


def window_call(analysis: Analysis, scope: Scope, node: Node, name: str) -> Expr:
    location = node.get("location", 0)
    block = scope.collector
    if scope.clause or not isinstance(block, Block):
        analysis.fail(
            "42P20",
            f"window functions are not allowed in {scope.clause or 'this place'}",
            location,
        )
    if block.inside:
        what = "aggregate function calls cannot contain window function calls"
        if block.inside == "window":
            what = "window function calls cannot be nested"
        analysis.fail("42803" if block.inside == "aggregate" else "42P20", what, location)
    if node.get("agg_distinct"):
        analysis.fail("0A000", "DISTINCT is not implemented for window functions", location)
    if node.get("agg_order") or node.get("agg_within_group"):
        analysis.fail(
            "0A000", "aggregate ORDER BY is not implemented for window functions", location
        )
    if node.get("func_variadic") or node.get("ignore_nulls"):
        analysis.unsupported("this form of a window function call", location)
    block.inside = "window"
    arguments = comparisons.call_arguments(analysis, scope, node)
    condition = None
    if "agg_filter" in node:
        condition = expressions.analyse_boolean(analysis, scope, node["agg_filter"], "FILTER")
    definition = _definition(analysis, scope, block, node["over"])
    block.inside = ""
    function: Aggregate | WindowFunction
    if is_window_function(name):
        if condition is not None:
            analysis.fail(
                "0A000", "FILTER is not implemented for non-aggregate window functions", location
            )
        function = WindowFunction(name)
        typed, result = _typed(analysis, name, arguments, location)
    else:
        if not functions.is_aggregate(name):
            analysis.fail(
                "42809",
                f"OVER specified, but {name} is not a window function nor an aggregate function",
                location,
            )
        resolved = analysis.at(
            location, functions.resolve_aggregate, name, [a.type for a in arguments]
        )
        function, result = resolved.aggregate, resolved.result
        typed = comparisons.typed_arguments(analysis, arguments, resolved.arguments, location)
    output = analysis.column(name, result)
    block.windows.append((definition, WindowCall(output, function, typed, condition)))
    return ir.Column(output.id, output.type)


def _typed(
    analysis: Analysis, name: str, arguments: list[Expr], location: int
) -> tuple[tuple[Expr, ...], TypeRef]:
    least, most = _ARGUMENTS[name]
    if not least <= len(arguments) <= most:
        from trilithon.types.registry import type_name

        given = ", ".join(type_name(TypeRef(argument.type.oid)) for argument in arguments)
        analysis.fail("42883", f"function {name}({given}) does not exist", location)
    result = WINDOW_FUNCTIONS[name]
    typed = [coercion.settle(analysis, argument) for argument in arguments[:1]]
    if name == "ntile":
        return (coercion.coerce_implicit(analysis, arguments[0], INT4, location),), INT4
    if result is not None:
        return (), result
    if len(arguments) < 3 and arguments[0].type.oid == UNKNOWN.oid:
        analysis.fail(
            "42804",
            "could not determine polymorphic type because input has type unknown",
            location,
        )
    result = TypeRef(typed[0].type.oid)
    if len(arguments) == 3:
        result = coercion.common_type(analysis, [arguments[0], arguments[2]], name, location)
        typed = [coercion.coerce_implicit(analysis, arguments[0], result, location)]
    if len(arguments) > 1:
        typed.append(coercion.coerce_implicit(analysis, arguments[1], INT4, location))
    if len(arguments) == 3:
        typed.append(coercion.coerce_implicit(analysis, arguments[2], result, location))
    return tuple(typed), result


def _definition(analysis: Analysis, scope: Scope, block: Block, node: Node) -> WindowDefinition:
    location = node.get("location", 0)
    merged = node
    if "name" in node:
        merged = _named(analysis, block, node["name"], location)
        if "refname" in merged:
            merged = _refined(analysis, block, merged, location)
    elif "refname" in node:
        merged = _refined(analysis, block, node, location)
    partition = []
    for item in merged.get("partitionClause", ()):
        expression = coercion.settle(analysis, expressions.analyse(analysis, scope, item))
        coercion.require_equality(analysis, expression.type, location)
        partition.append(expression)
    order = []
    for item in merged.get("orderClause", ()):
        sort = item["SortBy"]
        expression = coercion.settle(analysis, expressions.analyse(analysis, scope, sort["node"]))
        coercion.require_order(analysis, expression.type, location)
        order.append(SortKey(expression, *ordering.sort_direction(analysis, sort)))
    return WindowDefinition(
        tuple(partition), tuple(order), _frame(analysis, scope, merged, order, location)
    )


def _named(analysis: Analysis, block: Block, name: str, location: int) -> Node:
    found = block.windows_by_name.get(name)
    if found is None:
        analysis.fail("42704", f'window "{name}" does not exist', location)
    return found


def _refined(analysis: Analysis, block: Block, node: Node, location: int) -> Node:
    """(w ORDER BY …): the named window with more."""
    base = _named(analysis, block, node["refname"], location)
    if "refname" in base:
        base = _refined(analysis, block, base, location)
    name = node["refname"]
    if "partitionClause" in node:
        analysis.fail("42P20", f'cannot override PARTITION BY clause of window "{name}"', location)
    if "orderClause" in node and "orderClause" in base:
        analysis.fail("42P20", f'cannot override ORDER BY clause of window "{name}"', location)
    if base.get("frameOptions", DEFAULT_OPTIONS) & 1:
        analysis.fail(
            "42P20", f'cannot copy window "{name}" because it has a frame clause', location
        )
    merged = dict(node)
    for key in ("partitionClause", "orderClause"):
        if key in base:
            merged[key] = base[key]
    return merged


def _frame(
    analysis: Analysis, scope: Scope, node: Node, order: list[SortKey], location: int
) -> Frame:
    options = node.get("frameOptions", DEFAULT_OPTIONS)
    mode = "rows" if options & _ROWS else "groups" if options & _GROUPS else "range"
    start = _bound(options, _START_UNBOUNDED, _START_CURRENT, _START_PRECEDING, _START_FOLLOWING)
    end = _bound(options, _END_UNBOUNDED, _END_CURRENT, _END_PRECEDING, _END_FOLLOWING)
    offsets: list[Expr | None] = []
    for key, bound in (("startOffset", start), ("endOffset", end)):
        if bound not in ("preceding", "following"):
            offsets.append(None)
            continue
        expression = expressions.analyse(analysis, scope, node[key])
        if ir.columns_of(expression):
            analysis.fail(
                "42P10", f"argument of {mode.upper()} must not contain variables", location
            )
        wanted = INT8
        if mode == "range":
            if len(order) != 1:
                analysis.fail(
                    "42P20",
                    "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column",
                    location,
                )
            wanted = _range_offset(analysis, order[0].expression.type, expression.type, location)
        offsets.append(
            coercion.coerce_to(
                analysis, expression, wanted, coercion.ASSIGNMENT, location, mode.upper()
            )
        )
    if mode == "groups" and not order:
        analysis.fail("42P20", "GROUPS mode requires an ORDER BY clause", location)
    exclude = (
        "row"
        if options & _EXCLUDE_ROW
        else "group"
        if options & _EXCLUDE_GROUP
        else "ties"
        if options & _EXCLUDE_TIES
        else ""
    )
    return Frame(mode, start, end, offsets[0], offsets[1], exclude)


def _range_offset(analysis: Analysis, column: TypeRef, given: TypeRef, location: int) -> TypeRef:
    """The type in which the offset meets the column: what PostgreSQL has in_range functions for."""
    construct = (
        f"RANGE with offset PRECEDING/FOLLOWING for column type {type_name(TypeRef(column.oid))}"
    )
    wanted = _RANGE_OFFSETS.get(type_info(column.oid).name)
    if wanted is None:
        analysis.unsupported(construct, location)
    if wanted == INT8 and given.oid == UNKNOWN.oid:
        return TypeRef(column.oid)
    if given.oid != UNKNOWN.oid and not functions.can_coerce(given, wanted):
        analysis.unsupported(
            f"{construct} and offset type {type_name(TypeRef(given.oid))}", location
        )
    return wanted


def _bound(options: int, unbounded: int, current: int, preceding: int, following: int) -> str:
    if options & unbounded:
        return "unbounded"
    if options & current:
        return "current"
    return "preceding" if options & preceding else "following"
