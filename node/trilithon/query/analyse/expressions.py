"""Scalar expressions: one function per parse node, found by its tag."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from trilithon.expression import ir
from trilithon.query.analyse import coercion, comparisons, fields, names, whole_rows
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.scope import Scope, find_column
from trilithon.query.analyse.tree import Expr, OutputColumn
from trilithon.query.parse.statement import Node
from trilithon.types.registry import (
    BOOL,
    INT4,
    INT8,
    INT64_MAX,
    INT64_MIN,
    JSONB,
    NUMERIC,
    RECORD,
    TEXT,
    UNKNOWN,
    TypeRef,
    array_type,
    element_type,
    is_array,
    is_row,
    lookup_type,
    type_name,
)

walk = ir.post_order


def analyse(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    """A parse node as a bound expression; its type may still be UNKNOWN."""
    tag = next(iter(node))
    handler = _HANDLERS.get(tag)
    if handler is None:
        analysis.unsupported(_REFUSED.get(tag, tag), location_of(node))
    analysis.descend(location_of(node))
    expression = handler(analysis, scope, node[tag])
    analysis.depth -= 1
    return expression


def condition(analysis: Analysis, scope: Scope, node: Node, words: str) -> Expr:
    """A boolean expression in a clause that allows no aggregates."""
    before, scope.clause = scope.clause, words
    expression = analyse_boolean(analysis, scope, node, words)
    scope.clause = before
    return expression


def analyse_boolean(analysis: Analysis, scope: Scope, node: Node, words: str) -> Expr:
    expression = analyse(analysis, scope, node)
    return coercion.boolean(analysis, expression, words, location_of(node))


def location_of(node: Node) -> int | None:
    """Where an expression begins (exprLocation()), in bytes; None where that is unknown."""
    for _ in range(1000):
        tag = next(iter(node), None)
        if tag is None:
            return None
        body = node[tag]
        if not isinstance(body, dict):
            return None
        inner = body.get("lexpr") if tag == "A_Expr" else body.get("arg") if tag in _INNER else None
        if isinstance(inner, dict) and inner and "List" not in inner:
            node = inner
            continue
        location = body.get("location")
        return location if isinstance(location, int) and location >= 0 else None
    return None


_INNER: Final = frozenset({"TypeCast", "A_Indirection", "NullTest", "BooleanTest", "CollateClause"})


# ---- leaves

_SYSTEM_COLUMNS: Final = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})


def _column(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    location = node.get("location", 0)
    path = names.strings(node["fields"])
    if path[-1] == "*":
        return whole_rows.whole_row(analysis, scope, path[-2], location)
    field = _field_of_argument(analysis, scope, path)
    if field is not None:
        return field
    found = _find(analysis, scope, node)
    if found is None:
        shown = f'"{path[0]}"' if len(path) == 1 else ".".join(path)
        if len(path) == 1 and whole_rows.is_alias(scope, path[0]):
            return whole_rows.whole_row(analysis, scope, path[0], location)
        if path[-1] in _SYSTEM_COLUMNS:
            analysis.unsupported(f"the system column {path[-1]}", location)
        analysis.fail("42703", f"column {shown} does not exist", location)
    if isinstance(found.expression, ir.Column):
        analysis.mentioned.setdefault(found.expression.index, location)
    if analysis.notes is not None:
        analysis.notes.columns[id(node)] = found
    return found.expression


def _field_of_argument(analysis: Analysis, scope: Scope, path: list[str]) -> Expr | None:
    """In a function's body: argument.field."""
    if analysis.arguments is None or len(path) < 2:
        return None
    *_, name, field = path
    if whole_rows.is_alias(scope, name):
        return None
    found = find_column(analysis, scope, [name], None)
    if found is None or found.expression not in analysis.arguments:
        return None
    return fields.find_field(analysis, found.expression, field)


def _find(analysis: Analysis, scope: Scope, node: Node) -> Any:
    path = names.strings(node["fields"])
    location = node.get("location", 0)
    return find_column(analysis, scope, path, location)


def source_of(analysis: Analysis, scope: Scope, value: Node) -> OutputColumn | None:
    """The table column that a select list's bare ColumnRef shows, for results' metadata."""
    if "A_Star" in value["ColumnRef"]["fields"][-1]:
        return None
    path = names.strings(value["ColumnRef"]["fields"])
    if len(path) > 1 and not whole_rows.is_alias(scope, path[-2]):
        return None
    found = _find(analysis, scope, value["ColumnRef"])
    return found.source if found is not None else None


def _constant(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    constant = constant_of(analysis, node)
    if constant.type.oid == UNKNOWN.oid:
        analysis.literals[id(constant)] = constant, node.get("location", 0)
    return constant


def constant_of(analysis: Analysis, node: Node) -> ir.Constant:
    if node.get("isnull"):
        return ir.Constant(None, UNKNOWN)
    if "ival" in node:
        return ir.Constant(node["ival"].get("ival", 0), INT4)
    if "sval" in node:
        return ir.Constant(node["sval"].get("sval", ""), UNKNOWN)
    if "boolval" in node:
        return ir.Constant(node["boolval"].get("boolval", False), BOOL)
    if "fval" in node:
        return _number(analysis, node)
    analysis.unsupported("a bit string literal", node.get("location", 0))


def _number(analysis: Analysis, node: Node) -> ir.Constant:
    """A number too large for int4, or with a point: int4, int8 or numeric, as in make_const()."""
    text = node["fval"]["fval"]
    try:
        value = (
            int(text, 0)
            if not text.lstrip("-").startswith("0") or "x" in text.lower()
            else int(text)
        )
    except ValueError:
        parsed = analysis.at(
            node.get("location", 0), coercion.parse_literal, analysis, NUMERIC, text
        )
        return ir.Constant(parsed, NUMERIC)
    if -(1 << 31) <= value < 1 << 31:
        return ir.Constant(value, INT4)
    if INT64_MIN <= value <= INT64_MAX:
        return ir.Constant(value, INT8)
    return ir.Constant(Decimal(value), NUMERIC)


def _lifted(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    lifted = node["lifted"]
    return ir.Parameter(lifted.number, analysis.lifted_type(lifted))


def _parameter(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    number = node.get("number", 0)
    if analysis.arguments is not None:
        if not 0 < number <= len(analysis.arguments):
            analysis.fail("42P02", f"there is no parameter ${number}", node.get("location", 0))
        return analysis.arguments[number - 1]
    return ir.Parameter(number, analysis.parameter_type(number, node.get("location", 0)))


# ---- operators


def _operator(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    kind = node.get("kind", "AEXPR_OP")
    handler = comparisons.KINDS.get(kind)
    if handler is None:
        analysis.unsupported(kind, node.get("location", 0))
    return handler(analysis, scope, node)


def _boolean(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    words = {"AND_EXPR": "AND", "OR_EXPR": "OR", "NOT_EXPR": "NOT"}[node["boolop"]]
    arguments = tuple(
        analyse_boolean(analysis, scope, argument, words) for argument in node["args"]
    )
    if words == "NOT":
        return ir.Not(arguments[0])
    return ir.And(arguments) if words == "AND" else ir.Or(arguments)


def refuse_untyped(analysis: Analysis, parameter: ir.Parameter, location: int) -> None:
    """A client's parameter where nothing gives it a type."""
    if parameter.number <= analysis.statement.template.parameter_count:
        analysis.fail(
            "42P18", f"could not determine data type of parameter ${parameter.number}", location
        )


def _null_test(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    negated = node.get("nulltesttype") == "IS_NOT_NULL"
    if "RowExpr" in node["arg"]:
        parts = [analyse(analysis, scope, part) for part in node["arg"]["RowExpr"].get("args", ())]
        tests = tuple(ir.IsNull(coercion.settle(analysis, part), negated) for part in parts)
        return ir.And(tests) if tests else ir.TRUE
    argument = analyse(analysis, scope, node["arg"])
    if coercion.is_unknown(argument) and isinstance(argument, ir.Parameter):
        refuse_untyped(analysis, argument, node.get("location", 0))
    argument = coercion.settle(analysis, argument)
    if not is_row(argument.type.oid):
        return ir.IsNull(argument, negated)
    return ir.RowIsNull(argument, negated)


_BOOLEAN_TESTS: Final[dict[str, tuple[bool | None, bool]]] = {
    "IS_TRUE": (True, False),
    "IS_NOT_TRUE": (True, True),
    "IS_FALSE": (False, False),
    "IS_NOT_FALSE": (False, True),
    "IS_UNKNOWN": (None, False),
    "IS_NOT_UNKNOWN": (None, True),
}


def _boolean_test(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    kind = node.get("booltesttype", "IS_TRUE")
    expected, negated = _BOOLEAN_TESTS[kind]
    words = kind.replace("_", " ")
    return ir.BooleanTest(analyse_boolean(analysis, scope, node["arg"], words), expected, negated)


# ---- casts, CASE and kin


def _type_cast(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    target = names.resolve_type(analysis, node["typeName"])
    inner = node["arg"]
    location = location_of(inner)
    if "A_ArrayExpr" in inner and is_array(target.oid):
        # ARRAY[…]::t[] types its elements directly.
        return _array_of(analysis, scope, inner["A_ArrayExpr"], target, explicit=True)
    expression = typed_row(analysis, scope, inner, target) or analyse(analysis, scope, inner)
    if target.oid == UNKNOWN.oid:
        return expression
    made = coercion.coerce(analysis, expression, target, coercion.EXPLICIT, location)
    domain = names.find_domain(analysis, node["typeName"])
    if domain is None:
        return made
    from trilithon.query.analyse import domains

    return domains.checked(analysis, domain, made)


def _no_sets(analysis: Analysis, scope: Scope, before: int, words: str, node: Node) -> None:
    """Fails if a set-returning function was met since `before`."""
    if _set_count(scope) > before:
        message = f"set-returning functions are not allowed in {words}"
        analysis.fail("0A000", message, node.get("location", 0))


def _set_count(scope: Scope) -> int:
    return len(getattr(scope.collector, "set_functions", ()))


def _case(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    before = _set_count(scope)
    operand = None
    place: ir.CaseOperand | None = None
    if "arg" in node:
        operand = coercion.settle(analysis, analyse(analysis, scope, node["arg"]))
        place = ir.CaseOperand(operand.type)
    conditions: list[Expr] = []
    results: list[Expr] = []
    for item in node["args"]:
        when = item["CaseWhen"]
        if place is None:
            conditions.append(analyse_boolean(analysis, scope, when["expr"], "CASE/WHEN"))
        else:
            value = analyse(analysis, scope, when["expr"])
            conditions.append(
                coercion.operator(analysis, "=", place, value, location_of(when["expr"]))
            )
        results.append(analyse(analysis, scope, when["result"]))
    otherwise = analyse(analysis, scope, node["defresult"]) if "defresult" in node else None
    _no_sets(analysis, scope, before, "CASE", node)
    # PostgreSQL looks at ELSE first.
    given = ([otherwise] if otherwise is not None else [ir.Constant(None, UNKNOWN)]) + results
    type_ = coercion.common_type(analysis, given, "CASE", node.get("location", 0))
    whens = tuple(
        (test, coercion.coerce_implicit(analysis, result, type_, node.get("location", 0)))
        for test, result in zip(conditions, results, strict=True)
    )
    if otherwise is not None:
        otherwise = coercion.coerce_implicit(analysis, otherwise, type_, node.get("location", 0))
    return ir.Case(operand, whens, otherwise, type_)


def _common_arguments(
    analysis: Analysis, scope: Scope, node: Node, words: str
) -> tuple[tuple[Expr, ...], TypeRef]:
    location = node.get("location", 0)
    arguments = [analyse(analysis, scope, argument) for argument in node["args"]]
    type_ = coercion.common_type(analysis, arguments, words, location)
    return (
        tuple(coercion.coerce_implicit(analysis, a, type_, location) for a in arguments),
        type_,
    )


def _coalesce(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    before = _set_count(scope)
    arguments, type_ = _common_arguments(analysis, scope, node, "COALESCE")
    _no_sets(analysis, scope, before, "COALESCE", node)
    return ir.Coalesce(arguments, type_)


def _min_max(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    greatest = node.get("op", "IS_GREATEST") == "IS_GREATEST"
    arguments, type_ = _common_arguments(analysis, scope, node, "GREATEST" if greatest else "LEAST")
    less = coercion.operator_id(analysis, "<", type_, type_, node.get("location", 0))
    wanted = less.arguments[0]
    arguments = tuple(
        coercion.coerce_implicit(analysis, argument, wanted, None)
        if argument.type.oid != wanted.oid
        else argument
        for argument in arguments
    )
    assert less.function is not None
    return ir.MinMax(less.function.id, arguments, type_, greatest)


# ---- arrays and rows


def _array(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    return _array_of(analysis, scope, node, None, explicit=False)


def _array_of(
    analysis: Analysis, scope: Scope, node: Node, target: TypeRef | None, *, explicit: bool
) -> Expr:
    location = node.get("location", 0)
    elements = node.get("elements", [])
    nested = bool(elements) and "A_ArrayExpr" in elements[0]
    items: list[Expr]
    if nested:
        items = [
            _array_of(analysis, scope, element["A_ArrayExpr"], target, explicit=explicit)
            if "A_ArrayExpr" in element
            else analyse(analysis, scope, element)
            for element in elements
        ]
    else:
        items = [analyse(analysis, scope, element) for element in elements]
    if not items:
        if target is None:
            analysis.fail(
                "42P18",
                "cannot determine type of empty array",
                location,
                hint="Explicitly cast to the desired type, for example ARRAY[]::integer[].",
            )
        return ir.ArrayLiteral((), target)
    if target is not None:
        wanted = target if nested else element_type(target)
        context = coercion.EXPLICIT if explicit else coercion.IMPLICIT
        items = [coercion.coerce(analysis, item, wanted, context, location) for item in items]
        return ir.ArrayLiteral(tuple(items), target, nested)
    common = coercion.common_type(analysis, items, "ARRAY", location)
    items = [coercion.coerce_implicit(analysis, item, common, location) for item in items]
    if is_array(common.oid):
        return ir.ArrayLiteral(tuple(items), common, True)
    return ir.ArrayLiteral(
        tuple(items), analysis.at(location, array_type, TypeRef(common.oid)), False
    )


def _indirection(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    return indirect(analysis, scope, node["arg"], node["indirection"])


def indirect(analysis: Analysis, scope: Scope, argument: Node, steps: Sequence[Node]) -> Expr:
    """A value's parts: [1], ['key'], .field, one after the other."""
    expression = analyse(analysis, scope, argument)
    location = location_of(argument)
    subscripts: list[Node] = []
    for step in steps:
        if "A_Indices" in step:
            subscripts.append(step["A_Indices"])
            continue
        if subscripts:
            expression = _subscripted(analysis, scope, expression, subscripts, location)
            subscripts = []
        if "A_Star" in step:
            analysis.fail("42601", 'row expansion via "*" is not supported here', location)
        name = step["String"]["sval"]
        expression = fields.select_field(analysis, expression, name, location)
    if subscripts:
        expression = _subscripted(analysis, scope, expression, subscripts, location)
    return expression


def _subscripted(
    analysis: Analysis, scope: Scope, expression: Expr, subscripts: list[Node], location: int | None
) -> Expr:
    if expression.type.oid == JSONB.oid:
        return _jsonb_subscript(analysis, scope, expression, subscripts, location)
    if not is_array(expression.type.oid):
        analysis.fail(
            "42804",
            f"cannot subscript type {type_name(TypeRef(expression.type.oid))} because it does not support subscripting",
            location,
        )
    if any(step.get("is_slice") for step in subscripts):
        return _slice(analysis, scope, expression, subscripts)
    indexes = tuple(subscript(analysis, scope, step.get("uidx")) for step in subscripts)
    return ir.Subscript(expression, indexes, element_type(expression.type))


def _jsonb_subscript(
    analysis: Analysis, scope: Scope, expression: Expr, subscripts: list[Node], location: int | None
) -> Expr:
    """a['b'][1] is a #> array['b', '1']."""
    path, _ = jsonb_path(analysis, scope, subscripts, location)
    array = ir.ArrayLiteral(path, array_type(TEXT), False)
    return coercion.operator(analysis, "#>", expression, array, location)


def jsonb_path(
    analysis: Analysis, scope: Scope, subscripts: list[Node], location: int | None
) -> tuple[tuple[Expr, ...], bool]:
    """The steps as texts, and whether the first is a number."""
    if any(step.get("is_slice") for step in subscripts):
        analysis.fail("42804", "jsonb subscript does not support slices", location)
    path: list[Expr] = []
    numbered = False
    for step in subscripts:
        value = analyse(analysis, scope, step["uidx"])
        if value.type.oid not in (INT4.oid, TEXT.oid, UNKNOWN.oid):
            analysis.fail(
                "42804",
                f"subscript type {type_name(value.type)} is not supported",
                location,
                hint="jsonb subscript must be coercible to either integer or text.",
            )
        numbered = numbered or (not path and value.type.oid == INT4.oid)
        path.append(coercion.coerce(analysis, value, TEXT, coercion.EXPLICIT, location))
    return tuple(path), numbered


def _slice(analysis: Analysis, scope: Scope, expression: Expr, subscripts: list[Node]) -> Expr:
    opened, bounds = slice_bounds(analysis, scope, subscripts)
    return ir.Slice(expression, bounds, opened, expression.type)


def slice_bounds(
    analysis: Analysis, scope: Scope, subscripts: list[Node]
) -> tuple[str, tuple[tuple[Expr, Expr], ...]]:
    """Which bounds were left out, "1" for each, and the bounds."""
    bounds = []
    opened = ""
    for step in subscripts:
        if step.get("is_slice"):
            lower, upper = step.get("lidx"), step.get("uidx")
        else:
            # a[2] beside a slice means a[1:2].
            lower, upper = {"A_Const": {"ival": {"ival": 1}}}, step.get("uidx")
        opened += ("0" if lower else "1") + ("0" if upper else "1")
        bounds.append((subscript(analysis, scope, lower), subscript(analysis, scope, upper)))
    return opened, tuple(bounds)


def subscript(analysis: Analysis, scope: Scope, node: Node | None) -> Expr:
    if node is None:
        return ir.Constant(None, INT4)
    return coercion.coerce(
        analysis, analyse(analysis, scope, node), INT4, coercion.ASSIGNMENT, location_of(node)
    )


def _row(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    return fields.make_row(analysis, row_parts(analysis, scope, node.get("args", ())))


def typed_row(analysis: Analysis, scope: Scope, node: Node, target: TypeRef) -> Expr | None:
    """ROW(…) on its way to a named type: its literals are not text then, as they are in other rows."""
    shape = fields.shape_of(analysis, target) if "RowExpr" in node else None
    nodes = node.get("RowExpr", {}).get("args", ())
    if shape is None or len(nodes) != len(shape.types):
        return None
    parts: list[Expr] = []
    for part, type_ in zip(nodes, shape.types, strict=True):
        made = typed_row(analysis, scope, part, type_)
        if made is None:
            values = row_parts(analysis, scope, [part])
            if len(values) != 1:
                return None
            made = values[0]
        parts.append(made)
    return ir.NamedRow(tuple(parts), (), RECORD)


def row_parts(analysis: Analysis, scope: Scope, nodes: Sequence[Node]) -> list[Expr]:
    """The values of ROW(…) or VALUES (…), with t.* and (row).* as all the fields."""
    parts: list[Expr] = []
    for node in nodes:
        reference = node.get("ColumnRef")
        if reference is not None and "A_Star" in reference["fields"][-1]:
            row = _column(analysis, scope, reference)
        elif fields.star_of(node):
            inner = node["A_Indirection"]
            row = indirect(analysis, scope, inner["arg"], inner["indirection"][:-1])
        else:
            parts.append(analyse(analysis, scope, node))
            continue
        parts += [part for _, part in fields.all_fields(analysis, row, location_of(node))]
    return parts


# ---- the rest


NO_NAMES: Final[Mapping[int, str]] = {}
_SQL_VALUES: Final[dict[str, tuple[str, str]]] = {
    "SVFOP_CURRENT_DATE": ("current_date", "date"),
    "SVFOP_CURRENT_TIME": ("current_time", "timetz"),
    "SVFOP_CURRENT_TIME_N": ("current_time", "timetz"),
    "SVFOP_CURRENT_TIMESTAMP": ("current_timestamp", "timestamptz"),
    "SVFOP_CURRENT_TIMESTAMP_N": ("current_timestamp", "timestamptz"),
    "SVFOP_LOCALTIME": ("localtime", "time"),
    "SVFOP_LOCALTIME_N": ("localtime", "time"),
    "SVFOP_LOCALTIMESTAMP": ("localtimestamp", "timestamp"),
    "SVFOP_LOCALTIMESTAMP_N": ("localtimestamp", "timestamp"),
}
_SESSION_VALUES: Final[dict[str, tuple[str, str]]] = {
    "SVFOP_CURRENT_ROLE": ("current_role", "current_user"),
    "SVFOP_CURRENT_USER": ("current_user", "current_user"),
    "SVFOP_USER": ("user", "current_user"),
    "SVFOP_SESSION_USER": ("session_user", "session_user"),
    "SVFOP_CURRENT_CATALOG": ("current_catalog", "current_database"),
    "SVFOP_CURRENT_SCHEMA": ("current_schema", "current_schema"),
}


def _sql_value(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    operation = node["op"]
    if operation in _SESSION_VALUES:
        return comparisons.simple_call(
            analysis, _SESSION_VALUES[operation][1], (), node.get("location", 0)
        )
    _, type_word = _SQL_VALUES[operation]
    # The parser leaves out what is 0.
    modifier = node.get("typmod", 0)
    target = lookup_type(type_word, [modifier] if modifier >= 0 else [])
    now = comparisons.simple_call(analysis, "now", (), node.get("location", 0))
    return now if now.type == target else ir.Cast(now, target)


def _collate(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    name = names.strings(node["collname"])[-1]
    if name not in ("C", "POSIX", "default", "ucs_basic"):
        analysis.unsupported(f'collation "{name}"', node.get("location", 0))
    return analyse(analysis, scope, node["arg"])


def _default(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    analysis.fail("42601", "DEFAULT is not allowed in this context", node.get("location", 0))


def _function(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    return comparisons.function_call(analysis, scope, node)


def _sublink(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    return comparisons.sublink(analysis, scope, node)


def _grouping(analysis: Analysis, scope: Scope, node: Node) -> Expr:
    from trilithon.query.analyse.grouping_sets import grouping_call

    return grouping_call(analysis, scope, node)


def set_returning_call(analysis: Analysis, scope: Scope, node: Node) -> Any:
    return comparisons.set_returning_call(analysis, scope, node)


_HANDLERS: Final[dict[str, Callable[[Analysis, Scope, Node], Expr]]] = {
    "ColumnRef": _column,
    "A_Const": _constant,
    "Lifted": _lifted,
    "ParamRef": _parameter,
    "A_Expr": _operator,
    "BoolExpr": _boolean,
    "NullTest": _null_test,
    "BooleanTest": _boolean_test,
    "TypeCast": _type_cast,
    "CaseExpr": _case,
    "CoalesceExpr": _coalesce,
    "MinMaxExpr": _min_max,
    "A_ArrayExpr": _array,
    "A_Indirection": _indirection,
    "RowExpr": _row,
    "SQLValueFunction": _sql_value,
    "CollateClause": _collate,
    "SetToDefault": _default,
    "FuncCall": _function,
    "SubLink": _sublink,
    "GroupingFunc": _grouping,
}
_REFUSED: Final = {
    "CurrentOfExpr": "WHERE CURRENT OF",
    "NamedArgExpr": "a named argument",
    "XmlExpr": "XML",
    "XmlSerialize": "XML",
    "MultiAssignRef": "assigning several columns here",
    "MergeSupportFunc": "MERGE_ACTION()",
}


# ---- names of result columns


def column_name(node: Node, subqueries: Mapping[int, str] = NO_NAMES) -> str:
    """What a select list's expression is called without AS (FigureColname()). `subqueries`: what the columns
    of subqueries that were analysed are called, by the node's identity."""
    return _named(node, subqueries)[0]


def _named(node: Node, subqueries: Mapping[int, str]) -> tuple[str, int]:
    """(name, how sure: 2 a name of its own, 1 a type's or CASE's, 0 none)."""
    tag = next(iter(node), "")
    body = node.get(tag, {})
    match tag:
        case "ColumnRef":
            return [text for text in names.strings(body["fields"]) if text != "*"][-1], 2
        case "A_Indirection":
            fields = [step["String"]["sval"] for step in body["indirection"] if "String" in step]
            return (fields[-1], 2) if fields else _named(body["arg"], subqueries)
        case "FuncCall":
            return names.strings(body["funcname"])[-1], 2
        case "A_Expr" if body.get("kind") == "AEXPR_NULLIF":
            return "nullif", 2
        case "TypeCast":
            name, sure = _named(body["arg"], subqueries)
            return (name, sure) if sure > 1 else (names.strings(body["typeName"]["names"])[-1], 1)
        case "CollateClause":
            return _named(body["arg"], subqueries)
        case "CaseExpr":
            name, sure = _named(body["defresult"], subqueries) if "defresult" in body else ("", 0)
            return (name, sure) if sure > 1 else ("case", 1)
        case "CoalesceExpr":
            return "coalesce", 2
        case "MinMaxExpr":
            return "greatest" if body.get("op", "IS_GREATEST") == "IS_GREATEST" else "least", 2
        case "A_ArrayExpr":
            return "array", 2
        case "RowExpr":
            return "row", 2
        case "GroupingFunc":
            return "grouping", 2
        case "SQLValueFunction":
            return (_SQL_VALUES.get(body["op"]) or _SESSION_VALUES[body["op"]])[0], 2
        case "SubLink":
            return _sublink_name(body, subqueries)
        case _:
            return "?column?", 0


def _sublink_name(body: Node, subqueries: Mapping[int, str]) -> tuple[str, int]:
    match body.get("subLinkType"):
        case "EXISTS_SUBLINK":
            return "exists", 2
        case "ARRAY_SUBLINK":
            return "array", 2
        case "EXPR_SUBLINK":
            # What the subquery's column is called is a name, "?column?" too.
            return subqueries.get(id(body["subselect"]), "?column?"), 2
        case _:
            return "?column?", 0
