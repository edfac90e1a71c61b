"""Operators in all their forms, function calls, aggregates, subqueries in expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression import functions, ir
from trilithon.query.analyse import (
    coercion,
    expressions,
    fields,
    named_arguments,
    names,
    ordering,
    queries,
    sql_functions,
    windows,
)
from trilithon.query.analyse.block import Block, written
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.free import free_columns
from trilithon.query.analyse.scope import Scope
from trilithon.query.analyse.tree import (
    AggregateCall,
    Expr,
    FunctionScan,
    Relation,
    RowField,
    Subquery,
)
from trilithon.query.parse.statement import Node
from trilithon.types.registry import (
    REGTYPE,
    UNKNOWN,
    TypeRef,
    array_type,
    element_type,
    is_array,
    is_row,
    type_name,
)

_COMPARISONS: Final = frozenset({"=", "<>", "!=", "<", "<=", ">", ">="})


# ---- plain operators


def _plain(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    name = names.strings(node["name"])[-1]
    location = node.get("location", 0)
    left_node, right_node = node.get("lexpr"), node["rexpr"]
    if left_node is not None and "RowExpr" in left_node and "RowExpr" in right_node:
        return _row_comparison(analysis, scope, name, left_node, right_node, location)
    link = right_node.get("SubLink", {})
    if (
        left_node is not None
        and "RowExpr" in left_node
        and link.get("subLinkType") == "EXPR_SUBLINK"
    ):
        return _compare_with_row(analysis, scope, name, left_node, link, location)
    left = expressions.analyse(analysis, scope, left_node) if left_node is not None else None
    right = expressions.analyse(analysis, scope, right_node)
    return coercion.operator(analysis, name, left, right, location)


def _row_comparison(
    analysis: Analysis, scope: Scope, name: str, left: Node, right: Node, location: int
) -> Expr:
    ours = expressions.row_parts(analysis, scope, left["RowExpr"].get("args", ()))
    theirs = expressions.row_parts(analysis, scope, right["RowExpr"].get("args", ()))
    return compare_rows(analysis, name, ours, theirs, location)


def compare_rows(
    analysis: Analysis, name: str, ours: list[Expr], theirs: list[Expr], location: int | None
) -> Expr:
    if len(ours) != len(theirs):
        analysis.fail("42601", "unequal number of entries in row expressions", location)
    if not ours:
        analysis.fail("0A000", "cannot compare rows of zero length", location)
    pairs = list(zip(ours, theirs, strict=True))
    if name in ("=", "<>", "!="):
        tests = tuple(
            coercion.operator(analysis, name, one, other, location) for one, other in pairs
        )
        if len(tests) == 1:
            return tests[0]
        return ir.And(tests) if name == "=" else ir.Or(tests)
    if name not in _COMPARISONS:
        analysis.fail(
            "0A000",
            f"could not determine interpretation of row comparison operator {name}",
            location,
        )
    strict = name[0]
    typed, equals, compares = [], [], []
    for one, other in pairs:
        strictly: Any = coercion.operator(analysis, strict, one, other, location)
        equal: Any = coercion.operator(analysis, "=", one, other, location)
        if strictly.args != equal.args:
            analysis.unsupported("comparing rows of these types", location)
        typed.append((strictly.args[0], strictly.args[1]))
        compares.append(strictly.function)
        equals.append(equal.function)
    return ir.RowCompare(name, tuple(equals), tuple(compares), tuple(typed))


def _distinct(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    negated = node["kind"] == "AEXPR_NOT_DISTINCT"
    location = node.get("location", 0)
    if "RowExpr" in node["lexpr"] and "RowExpr" in node["rexpr"]:
        return _distinct_rows(analysis, scope, node, negated)
    left = expressions.analyse(analysis, scope, node["lexpr"])
    right = expressions.analyse(analysis, scope, node["rexpr"])
    for side, other in ((left, right), (right, left)):
        if isinstance(side, ir.Constant) and side.value is None:
            return ir.IsNull(coercion.settle(analysis, other), not negated)
    equal: Any = coercion.operator(analysis, "=", left, right, location)
    return ir.IsDistinct(equal.function, equal.args[0], equal.args[1], negated)


def _distinct_rows(analysis: Analysis, scope: Scope, node: Node, negated: bool) -> Expr:
    """Field by field, as the fields' own types compare."""
    ours = node["lexpr"]["RowExpr"].get("args", ())
    theirs = node["rexpr"]["RowExpr"].get("args", ())
    if len(ours) != len(theirs):
        message = "unequal number of entries in row expressions"
        analysis.fail("42601", message, node.get("location", 0))
    tests = tuple(
        _distinct(analysis, scope, {**node, "lexpr": one, "rexpr": other})
        for one, other in zip(ours, theirs, strict=True)
    )
    if not tests:
        return ir.TRUE if negated else ir.FALSE
    return ir.And(tests) if negated else ir.Or(tests)


def _nullif(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    location = node.get("location", 0)
    left = expressions.analyse(analysis, scope, node["lexpr"])
    right = expressions.analyse(analysis, scope, node["rexpr"])
    equal: Any = coercion.operator(analysis, "=", left, right, location)
    type_ = left.type if is_row(left.type.oid) else equal.args[0].type
    return ir.NullIf(equal.function, equal.args[0], equal.args[1], type_)


def _in(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    """x IN (a, b): one comparison with an array where the items share a type, as PostgreSQL does;
    else = of each item, or-ed."""
    name = names.strings(node["name"])[-1]
    negated = name == "<>"
    location = node.get("location", 0)
    items = node["rexpr"]["List"]["items"]
    if "RowExpr" in node["lexpr"]:
        tests = tuple(
            _plain(
                analysis,
                scope,
                {"name": node["name"], "lexpr": node["lexpr"], "rexpr": item, "location": location},
            )
            for item in items
        )
        return _combine(tests, negated)
    left = expressions.analyse(analysis, scope, node["lexpr"])
    rights = [expressions.analyse(analysis, scope, item) for item in items]
    together = _in_array(analysis, name, negated, left, rights, location)
    if together is not None:
        return together
    tests = tuple(coercion.operator(analysis, name, left, right, location) for right in rights)
    return _combine(tests, negated)


def _combine(tests: tuple[Expr, ...], negated: bool) -> Expr:
    if len(tests) == 1:
        return tests[0]
    return ir.And(tests) if negated else ir.Or(tests)


def _in_array(
    analysis: Analysis,
    name: str,
    negated: bool,
    left: Expr,
    rights: list[Expr],
    location: int,
) -> Expr | None:
    """All items brought to one type; None where that does not work out or is not worth it."""
    if len(rights) == 1 or any(_refers(right) for right in rights):
        return None
    try:
        common = functions.common_type([left.type, *(right.type for right in rights)], "IN")
        resolved = functions.resolve_operator(name, common, common)
    except SqlError:
        return None
    if resolved.arguments[0] != resolved.arguments[1] or is_array(common.oid):
        return None
    type_ = TypeRef(resolved.arguments[0].oid)
    left = coercion.coerce_implicit(analysis, left, type_, location)
    items = [coercion.coerce_implicit(analysis, right, type_, location) for right in rights]
    if all(isinstance(item, ir.Constant) for item in items):
        return ir.InSet(left, tuple(item.value for item in items), negated)
    assert resolved.function is not None
    array = ir.ArrayLiteral(tuple(items), array_type(type_))
    return ir.AnyAll(resolved.function.id, left, array, all=negated)


def _refers(expression: Expr) -> bool:
    return any(isinstance(node, ir.Column | Subquery) for node in ir.post_order(expression))


def _between(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    kind = node["kind"]
    location = node.get("location", 0)
    low_node, high_node = node["rexpr"]["List"]["items"]

    def compare(name: str, bound: Node) -> Expr:
        value = expressions.analyse(analysis, scope, node["lexpr"])
        return coercion.operator(
            analysis, name, value, expressions.analyse(analysis, scope, bound), location
        )

    if kind in ("AEXPR_BETWEEN", "AEXPR_BETWEEN_SYM"):
        inside: Expr = ir.And((compare(">=", low_node), compare("<=", high_node)))
        if kind == "AEXPR_BETWEEN_SYM":
            inside = ir.Or((inside, ir.And((compare(">=", high_node), compare("<=", low_node)))))
        return inside
    outside: Expr = ir.Or((compare("<", low_node), compare(">", high_node)))
    if kind == "AEXPR_NOT_BETWEEN_SYM":
        outside = ir.And((outside, ir.Or((compare("<", high_node), compare(">", low_node)))))
    return outside


def _any_all(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    """x OPERATOR ANY (array)."""
    location = node.get("location", 0)
    name = names.strings(node["name"])[-1]
    left = expressions.analyse(analysis, scope, node["lexpr"])
    right = expressions.analyse(analysis, scope, node["rexpr"])
    if coercion.is_unknown(right):
        if coercion.is_unknown(left):
            left = coercion.settle(analysis, left)
        right = coercion.coerce_implicit(
            analysis, right, analysis.at(location, array_type, TypeRef(left.type.oid)), location
        )
    if not is_array(right.type.oid):
        analysis.fail("42809", "op ANY/ALL (array) requires array on right side", location)
    item = TypeRef(element_type(right.type).oid)
    resolved = coercion.operator_id(analysis, name, left.type, item, location)
    if resolved.result.oid != 16 or resolved.function is None:
        analysis.fail("42809", "op ANY/ALL (array) requires operator to yield boolean", location)
    left = coercion.coerce_implicit(analysis, left, resolved.arguments[0], location)
    wanted = analysis.at(location, array_type, resolved.arguments[1])
    if right.type.oid != wanted.oid:
        right = coercion.coerce_implicit(analysis, right, wanted, location)
    return ir.AnyAll(resolved.function.id, left, right, node["kind"] == "AEXPR_OP_ALL")


KINDS: Final[dict[str, Callable[[Analysis, Scope, Node], Expr]]] = {
    "AEXPR_OP": _plain,
    "AEXPR_LIKE": _plain,
    "AEXPR_ILIKE": _plain,
    "AEXPR_SIMILAR": _plain,
    "AEXPR_DISTINCT": _distinct,
    "AEXPR_NOT_DISTINCT": _distinct,
    "AEXPR_NULLIF": _nullif,
    "AEXPR_IN": _in,
    "AEXPR_BETWEEN": _between,
    "AEXPR_NOT_BETWEEN": _between,
    "AEXPR_BETWEEN_SYM": _between,
    "AEXPR_NOT_BETWEEN_SYM": _between,
    "AEXPR_OP_ANY": _any_all,
    "AEXPR_OP_ALL": _any_all,
}


# ---- functions


def function_call(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    path = names.strings(node["funcname"])
    name = path[-1]
    location = node.get("location", 0)
    own = sql_functions.find_call(analysis, scope, path, node)
    if own is not None:
        return _own_call(analysis, scope, node, own, location)
    if len(path) > 1 and path[-2] not in ("pg_catalog", "sys", "information_schema"):
        analysis.fail(
            "42883" if analysis.catalog.schema(path[-2]) else "3F000",
            f"function {'.'.join(path)} does not exist"
            if analysis.catalog.schema(path[-2])
            else f'schema "{path[-2]}" does not exist',
            location,
        )
    if "over" in node:
        return windows.window_call(analysis, scope, node, name)
    if functions.is_aggregate(name):
        return aggregate_call(analysis, scope, node, name)
    if windows.is_window_function(name):
        if node.get("agg_within_group"):
            return _hypothetical(analysis, scope, node, name)
        analysis.fail("42809", f"window function {name} requires an OVER clause", location)
    _refuse_aggregate_syntax(analysis, node, name, location)
    arguments = call_arguments(analysis, scope, node)
    if len(arguments) == 1 and len(path) == 1 and is_row(arguments[0].type.oid):
        # name(row) is row.name, where there is no such function: texts of rows are no functions.
        found = fields.find_field(analysis, arguments[0], name)
        if found is not None and not _takes_row(name, arguments[0].type):
            return found
    return call_with(analysis, scope, name, arguments, location)


def _takes_row(name: str, type_: TypeRef) -> bool:
    try:
        return functions.resolve_function(name, [type_]).function is not None
    except SqlError:
        return False


def _own_call(
    analysis: Analysis, scope: Scope, node: Node, call: sql_functions.Call, location: int
) -> Expr:
    """A call of a function of the catalog."""
    name = call.function.name
    if "over" in node:
        analysis.fail(
            "42809",
            f"OVER specified, but {name} is not a window function nor an aggregate function",
            location,
        )
    _refuse_aggregate_syntax(analysis, node, name, location)
    if not call.function.returns_set:
        return sql_functions.scalar(analysis, call, location)
    made = sql_functions.rows(analysis, call, location, in_targets=True)
    return _set_in_targets(analysis, scope, name, made, location)


def _refuse_aggregate_syntax(analysis: Analysis, node: Node, name: str, location: int) -> None:
    for key, words in (
        ("agg_within_group", "WITHIN GROUP"),
        ("agg_star", "(*)"),
        ("agg_distinct", "DISTINCT"),
        ("agg_order", "ORDER BY"),
        ("agg_filter", "FILTER"),
    ):
        if key in node:
            if key == "agg_within_group":
                analysis.unsupported(f"ordered-set aggregate {name}", location)
            if key == "agg_star":
                analysis.fail("42883", f"function {name}() does not exist", location)
            analysis.fail(
                "42809", f"{words} specified, but {name} is not an aggregate function", location
            )
    if node.get("func_variadic"):
        analysis.unsupported("VARIADIC in a call", location)


def call_arguments(analysis: Analysis, scope: Scope, node: Node) -> list[Expr]:
    name = names.strings(node["funcname"])[-1]
    given = named_arguments.in_order(analysis, name, node.get("args", ()))
    return [expressions.analyse(analysis, scope, argument) for argument in given]


def call_with(
    analysis: Analysis, scope: Scope, name: str, arguments: list[Expr], location: int
) -> Expr:
    resolved = analysis.at(
        location, functions.resolve_function, name, [argument.type for argument in arguments]
    )
    if name == "pg_typeof" and arguments[0].type.oid == UNKNOWN.oid:
        # A literal keeps being of no type; a parameter that nothing else decides has none either.
        given = arguments[0]
        if isinstance(given, ir.Parameter) and given.number <= len(analysis.parameters):
            analysis.fail("42P18", f"could not determine data type of parameter ${given.number}")
        return ir.Constant(UNKNOWN.oid, REGTYPE)
    if resolved.cast is not None:
        return coercion.coerce(analysis, arguments[0], resolved.cast, coercion.EXPLICIT, location)
    typed = typed_arguments(analysis, arguments, resolved.arguments, location)
    if name in ("nextval", "setval"):
        analysis.read_only = False
    if resolved.function.returns_set:
        if resolved.function.columns:
            analysis.unsupported(
                f"{name}() in a select list: it gives rows, call it in FROM", location
            )
        output = analysis.column(name, fields.SHAPE_OF.get(name, resolved.result))
        made = FunctionScan((output,), resolved.function.id, typed)
        return _set_in_targets(analysis, scope, name, made, location)
    return ir.Call(resolved.function.id, typed, resolved.result)


def _order_of_distinct(
    node: Node,
    arguments: Sequence[Expr],
    typed: Sequence[Expr],
    order: list[tuple[Expr, bool, bool]],
) -> list[tuple[Expr, bool, bool]]:
    """ORDER BY over the arguments as the aggregate takes them: one may be cast on its way, or have a subquery,
    which is known again by its text."""
    texts = [written(argument) for argument in node.get("args", ())]
    found: list[tuple[Expr, bool, bool]] = []
    for item, (expression, descending, nulls_first) in zip(
        node.get("agg_order", ()), order, strict=True
    ):
        text = written(item["SortBy"]["node"])
        for at, argument in enumerate(arguments):
            if expression == argument or (text and at < len(texts) and text == texts[at]):
                expression = typed[at]
                break
        found.append((expression, descending, nulls_first))
    return found


def typed_arguments(
    analysis: Analysis, arguments: Sequence[Expr], wanted: Sequence[TypeRef], location: int | None
) -> tuple[Expr, ...]:
    return tuple(
        coercion.settle(
            analysis,
            argument
            if type_.oid == UNKNOWN.oid
            else coercion.coerce_implicit(analysis, argument, type_, location),
        )
        for argument, type_ in zip(arguments, wanted, strict=True)
    )


def simple_call(
    analysis: Analysis, name: str, arguments: tuple[Expr, ...], location: int | None
) -> Expr:
    """A call of a function without aggregates' or sets' peculiarities."""
    resolved = analysis.at(
        location, functions.resolve_function, name, [argument.type for argument in arguments]
    )
    return ir.Call(
        resolved.function.id,
        typed_arguments(analysis, arguments, resolved.arguments, location),
        resolved.result,
    )


def _set_in_targets(
    analysis: Analysis, scope: Scope, name: str, made: Relation, location: int
) -> Expr:
    """A set-returning function in the select list: a lateral join with its rows."""
    block = scope.collector
    if not isinstance(block, Block) or scope.clause or block.inside:
        where = scope.clause or block.inside if isinstance(block, Block) else scope.clause
        analysis.fail(
            "0A000", f"set-returning functions are not allowed in {where or 'this place'}", location
        )
    known = block.set_functions
    if known and not all(isinstance(one, FunctionScan) for one in (*known, made)):
        analysis.unsupported("an SQL function's rows beside another set in a select list", location)
    if free_columns(made) & {output.id for one in known for output in one.outputs}:
        analysis.unsupported("a set-returning function of another one's rows", location)
    output = made.outputs[0]
    block.set_functions.append(made)
    block.own = block.own | {output.id}
    return ir.Column(output.id, output.type)


@dataclass(frozen=True, slots=True)
class SetCall:
    """A set-returning function in FROM."""

    function: str
    arguments: tuple[Expr, ...]
    type: TypeRef
    columns: tuple[tuple[str, TypeRef], ...] = ()


def set_returning_call(analysis: Analysis, scope: Scope, node: Node) -> SetCall | None:
    """None where the function returns no set."""
    path = names.strings(node["funcname"])
    name = path[-1]
    location = node.get("location", 0)
    if functions.is_aggregate(name) or "over" in node:
        analysis.fail("42803", "aggregate functions are not allowed in functions in FROM", location)
    arguments = call_arguments(analysis, scope, node)
    resolved = analysis.at(
        location, functions.resolve_function, name, [argument.type for argument in arguments]
    )
    if resolved.function is None or not resolved.function.returns_set:
        return None
    typed = typed_arguments(analysis, arguments, resolved.arguments, location)
    columns = tuple((column, TypeRef(oid)) for column, oid in resolved.function.columns)
    return SetCall(resolved.function.id, typed, resolved.result, columns)


def _hypothetical(analysis: Analysis, scope: Scope, node: Node, name: str) -> Expr:
    from trilithon.query.analyse import hypothetical

    if name not in hypothetical.NAMES:
        analysis.fail("42883", f"aggregate function {name} does not exist", node.get("location", 0))
    return hypothetical.call(analysis, scope, node, name)


# ---- aggregates


# Aggregates that leave a literal without a type.
_LEAVES_UNTYPED: Final = frozenset({"count", "json_object_agg", "jsonb_object_agg"})
# Ordered sets whose values may be of any type, if it is one.
_OF_ANY_TYPE: Final = frozenset({"mode", "percentile_disc"})


def aggregating_block(analysis: Analysis, scope: Scope, node: Node, name: str) -> Block:
    """The query that an aggregate here belongs to. Raises SqlError 42803 where none may stand."""
    location = node.get("location", 0)
    block = scope.collector
    if scope.clause or not isinstance(block, Block):
        if _only_outer_columns(analysis, scope, node):
            analysis.unsupported(f"{name}() over an outer query's columns", location)
        analysis.fail(
            "42803",
            f"aggregate functions are not allowed in {scope.clause or 'this place'}",
            location,
        )
    if block.inside == "aggregate":
        analysis.fail("42803", "aggregate function calls cannot be nested", location)
    return block


def aggregate_call(analysis: Analysis, scope: Scope, node: Node, name: str) -> Expr:
    location = node.get("location", 0)
    block = aggregating_block(analysis, scope, node, name)
    within_group = bool(node.get("agg_within_group"))
    if node.get("func_variadic"):
        analysis.unsupported("VARIADIC in a call", location)
    before, block.inside = block.inside, "aggregate"
    arguments = call_arguments(analysis, scope, node)
    condition = None
    if "agg_filter" in node:
        condition = expressions.analyse_boolean(analysis, scope, node["agg_filter"], "FILTER")
    order = []
    untyped = False
    for item in node.get("agg_order", ()):
        sort = item["SortBy"]
        expression = expressions.analyse(analysis, scope, sort["node"])
        untyped |= coercion.is_unknown(expression)
        expression = coercion.settle(analysis, expression)
        coercion.require_order(analysis, expression.type, location)
        order.append((expression, *ordering.sort_direction(analysis, sort)))
    if within_group:
        if untyped and name in _OF_ANY_TYPE:
            analysis.fail(
                "42804",
                "could not determine polymorphic type because input has type unknown",
                location,
            )
        refuse_varying(analysis, arguments, name, location)
        arguments += [expression for expression, _, _ in order]
    block.inside = before
    if not arguments and not node.get("agg_star") and name == "count":
        analysis.fail(
            "42809",
            "count(*) must be used to call a parameterless aggregate function",
            location,
        )
    resolve = partial(functions.resolve_aggregate, within_group=within_group)
    resolved = analysis.at(location, resolve, name, [argument.type for argument in arguments])
    typed = typed_arguments(analysis, arguments, resolved.arguments, location)
    if within_group:
        # One value of ORDER BY, and that as the aggregate takes it.
        order = [(typed[-1], *order[0][1:])]
    refuse_outer_aggregate(analysis, block, typed, name, location)
    distinct = bool(node.get("agg_distinct"))
    if distinct:
        for argument in typed:
            coercion.require_equality(analysis, argument.type, location)
        order = _order_of_distinct(node, arguments, typed, order)
        # The argument's literal has become a text; that of ORDER BY is none yet.
        literal = untyped and name not in _LEAVES_UNTYPED
        if literal or any(expression not in typed for expression, _, _ in order):
            analysis.fail(
                "42P10",
                "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list",
                location,
            )
    output = analysis.column(name, resolved.result)
    call = AggregateCall(output, resolved.aggregate, typed, distinct, condition, tuple(order))
    return block.add_aggregate(call)


def _only_outer_columns(analysis: Analysis, scope: Scope, node: Node) -> bool:
    """Whether an aggregate's arguments belong to a query around this one, as the aggregate then does."""
    if scope.parent is None or not isinstance(scope.collector, Block) or not node.get("args"):
        return False
    used: set[int] = set()
    for argument in call_arguments(analysis, scope, node):
        used |= ir.columns_of(argument)
    return bool(used) and not used & scope.collector.own


def refuse_varying(analysis: Analysis, arguments: Sequence[Expr], name: str, location: int) -> None:
    """What stands before WITHIN GROUP must be the same for all rows of a group."""
    for argument in arguments:
        varies = any(isinstance(part, ir.Column | Subquery) for part in ir.post_order(argument))
        if varies:
            analysis.unsupported(f"a column or subquery as direct argument of {name}()", location)


def refuse_outer_aggregate(
    analysis: Analysis, block: Block, arguments: tuple[Expr, ...], name: str, location: int
) -> None:
    """An aggregate over outer columns only belongs to the outer query."""
    used: set[int] = set()
    for argument in arguments:
        used |= ir.columns_of(argument)
    if used and not used & block.own:
        analysis.unsupported(f"{name}() over an outer query's columns", location)


# ---- subqueries


def sublink(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    kind = node.get("subLinkType")
    location = node.get("location", 0)
    inner = Scope(parent=scope)
    before = scope.clause
    body = queries.analyse_query(analysis, inner, node["subselect"])
    scope.clause = before
    match kind:
        case "EXISTS_SUBLINK":
            return Subquery("exists", body)
        case "EXPR_SUBLINK":
            _one_column(analysis, body, location)
            analysis.subquery_names[id(node["subselect"])] = body.outputs[0].name
            return Subquery("scalar", body, body.outputs[0].type)
        case "ARRAY_SUBLINK":
            _one_column(analysis, body, location)
            type_ = analysis.at(location, array_type, TypeRef(body.outputs[0].type.oid))
            return Subquery("array", body, type_)
        case "ANY_SUBLINK" | "ALL_SUBLINK":
            return _quantified(analysis, scope, node, body, location)
        case _:
            analysis.unsupported(str(kind), location)


def row_subquery(analysis: Analysis, scope: Scope, node: Node) -> list[Expr]:
    """The values of the one row that a query in parentheses has; their types may be UNKNOWN."""
    body = queries.analyse_query(analysis, Scope(parent=scope), node)
    subquery = Subquery("row", body)
    return [RowField(subquery, at, column.type) for at, column in enumerate(body.outputs)]


def _compare_with_row(
    analysis: Analysis, scope: Scope, name: str, left: Node, link: Node, location: int
) -> Expr:
    """(a, b) OPERATOR (SELECT ...)."""
    ours = [expressions.analyse(analysis, scope, item) for item in left["RowExpr"].get("args", ())]
    before = scope.clause
    theirs = row_subquery(analysis, scope, link["subselect"])
    scope.clause = before
    _same_width(analysis, len(ours), len(theirs), link.get("location", 0))
    return compare_rows(analysis, name, ours, theirs, location)


def _same_width(analysis: Analysis, wanted: int, found: int, location: int) -> None:
    if wanted != found:
        few = "few" if found < wanted else "many"
        analysis.fail("42601", f"subquery has too {few} columns", location)


def _one_column(analysis: Analysis, body: Any, location: int) -> None:
    if len(body.outputs) != 1:
        analysis.fail("42601", "subquery must return only one column", location)


def _quantified(analysis: Analysis, scope: Scope, node: Node, body: Any, location: int) -> Expr:
    name = names.strings(node["operName"])[-1] if "operName" in node else "="
    test = node["testexpr"]
    nodes = test["RowExpr"].get("args", []) if "RowExpr" in test else [test]
    lefts = [expressions.analyse(analysis, scope, item) for item in nodes]
    _same_width(analysis, len(lefts), len(body.outputs), location)
    lefts = [
        coercion.coerce_implicit(analysis, left, TypeRef(output.type.oid), location)
        if coercion.is_unknown(left)
        else left
        for left, output in zip(lefts, body.outputs, strict=True)
    ]
    places = [analysis.column("?column?", left.type) for left in lefts]
    comparison = compare_rows(
        analysis,
        name,
        [ir.Column(place.id, place.type) for place in places],
        [ir.Column(output.id, output.type) for output in body.outputs],
        location,
    )
    if comparison.type.oid != 16:
        analysis.fail(
            "42804",
            f"row comparison operator must yield type boolean, not type {type_name(comparison.type)}",
            location,
        )
    kind = "any" if node["subLinkType"] == "ANY_SUBLINK" else "all"
    return Subquery(
        kind,  # type: ignore[arg-type]
        body,
        args=tuple(lefts),
        places=tuple(place.id for place in places),
        comparison=comparison,
    )
