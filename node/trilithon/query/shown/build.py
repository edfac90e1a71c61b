"""Expressions: from a parse node and the notes of its analysis to the shown tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression import functions, ir
from trilithon.query.analyse import expressions, named_arguments, names
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.notes import Notes
from trilithon.query.catalog.definitions import Domain
from trilithon.query.parse.statement import Node
from trilithon.query.shown import coerce
from trilithon.query.shown.nodes import (
    AnyAll,
    Array,
    Call,
    Case,
    Cast,
    Collate,
    Column,
    Const,
    IsDistinct,
    Listed,
    Logic,
    Operator,
    Row,
    RowCompare,
    Shown,
    Subscript,
    Test,
    Unshown,
    Word,
)
from trilithon.types.registry import (
    BOOL,
    INT4,
    JSONB,
    TEXT,
    UNKNOWN,
    TypeRef,
    array_type,
    element_type,
    is_array,
)

_COMPARISONS: Final = frozenset({"<", "<=", ">", ">="})


@dataclass(slots=True, eq=False)
class Builder:
    """`names` tells what else than a column's name a bound column is called (a domain's VALUE)."""

    analysis: Analysis
    notes: Notes
    # A column of the table by its id in the bound tree: the domain of its values.
    domains: dict[int, Domain] = field(default_factory=dict)
    words: dict[int, str] = field(default_factory=dict)

    def build(self, node: Node) -> Shown:
        tag = next(iter(node))
        handler = _HANDLERS.get(tag)
        if handler is None:
            raise Unshown(tag)
        made: Shown = handler(self, node[tag])
        return made

    def boolean(self, node: Node) -> Shown:
        return coerce.implicit(self.analysis, self.build(node), BOOL)


# ---- leaves


def _column(builder: Builder, body: Node) -> Shown:
    found = builder.notes.columns[id(body)]
    bound = found.expression
    if not isinstance(bound, ir.Column):
        raise Unshown("a column that is no column")
    if bound.index in builder.words:
        return Word(builder.words[bound.index], bound.type)
    return Column(found.name, bound.type, builder.domains.get(bound.index))


def _constant(builder: Builder, body: Node) -> Shown:
    made = expressions.constant_of(builder.analysis, body)
    return Const(made.value, made.type)


_SQL_VALUES: Final = {
    "SVFOP_CURRENT_DATE": ("CURRENT_DATE", 1082),
    "SVFOP_CURRENT_TIME": ("CURRENT_TIME", 1266),
    "SVFOP_CURRENT_TIME_N": ("CURRENT_TIME", 1266),
    "SVFOP_CURRENT_TIMESTAMP": ("CURRENT_TIMESTAMP", 1184),
    "SVFOP_CURRENT_TIMESTAMP_N": ("CURRENT_TIMESTAMP", 1184),
    "SVFOP_LOCALTIME": ("LOCALTIME", 1083),
    "SVFOP_LOCALTIME_N": ("LOCALTIME", 1083),
    "SVFOP_LOCALTIMESTAMP": ("LOCALTIMESTAMP", 1114),
    "SVFOP_LOCALTIMESTAMP_N": ("LOCALTIMESTAMP", 1114),
    "SVFOP_CURRENT_ROLE": ("CURRENT_ROLE", 19),
    "SVFOP_CURRENT_USER": ("CURRENT_USER", 19),
    "SVFOP_USER": ("USER", 19),
    "SVFOP_SESSION_USER": ("SESSION_USER", 19),
    "SVFOP_CURRENT_CATALOG": ("CURRENT_CATALOG", 19),
    "SVFOP_CURRENT_SCHEMA": ("CURRENT_SCHEMA", 19),
}


def _sql_value(builder: Builder, body: Node) -> Shown:
    text, oid = _SQL_VALUES[body["op"]]
    modifier = body.get("typmod", 0)
    if body["op"].endswith("_N"):
        text = f"{text}({modifier})"
    return Word(text, TypeRef(oid, modifier if oid != 19 else -1), True)


# ---- operators


def operator(builder: Builder, name: str, left: Shown | None, right: Shown) -> Shown:
    given = (right,) if left is None else (left, right)
    left_type = None if left is None else left.type
    resolved = functions.resolve_operator(name, left_type, right.type)
    assert resolved.function is not None
    typed = coerce.arguments(
        builder.analysis, given, resolved.arguments, resolved.function.arguments
    )
    shown = "<>" if name == "!=" else name
    return Operator(shown, typed[0] if left is not None else None, typed[-1], resolved.result)


def _operator(builder: Builder, body: Node) -> Shown:
    kind = body.get("kind", "AEXPR_OP")
    handler = _KINDS.get(kind)
    if handler is None:
        raise Unshown(kind)
    return handler(builder, body)


def _name(body: Node) -> str:
    return names.strings(body["name"])[-1]


def _plain(builder: Builder, body: Node) -> Shown:
    left, right = body.get("lexpr"), body["rexpr"]
    if left is not None and "RowExpr" in left and "RowExpr" in right:
        ours = [builder.build(item) for item in left["RowExpr"].get("args", ())]
        theirs = [builder.build(item) for item in right["RowExpr"].get("args", ())]
        return _compare_rows(builder, _name(body), ours, theirs)
    return operator(
        builder,
        _name(body),
        None if left is None else builder.build(left),
        builder.build(right),
    )


def _compare_rows(builder: Builder, name: str, ours: list[Shown], theirs: list[Shown]) -> Shown:
    tests = [operator(builder, name, a, b) for a, b in zip(ours, theirs, strict=True)]
    if len(tests) == 1:
        return tests[0]
    if name in _COMPARISONS:
        lefts, rights = tuple(t.left for t in tests), tuple(t.right for t in tests)
        return RowCompare(name, lefts, rights)
    return Logic("AND" if name == "=" else "OR", tuple(tests))


def _distinct(builder: Builder, body: Node) -> Shown:
    left, right = builder.build(body["lexpr"]), builder.build(body["rexpr"])
    negated = body["kind"] == "AEXPR_NOT_DISTINCT"
    for side, other in ((right, left), (left, right)):
        if coerce.is_literal(side) and side.value is None:
            if isinstance(other, Row):
                # IS NULL of a row asks something else.
                raise Unshown("IS DISTINCT FROM NULL of a row")
            words = "IS NULL" if negated else "IS NOT NULL"
            return Test(coerce.settled(builder.analysis, other), words)
    equal = operator(builder, "=", left, right)
    made = IsDistinct(equal.left, equal.right)
    return Logic("NOT", (made,)) if negated else made


def _nullif(builder: Builder, body: Node) -> Shown:
    equal = operator(builder, "=", builder.build(body["lexpr"]), builder.build(body["rexpr"]))
    return Listed("NULLIF", (equal.left, equal.right), equal.left.type)


def _in(builder: Builder, body: Node) -> Shown:
    """As transformAExprIn(): what holds no column goes into one array, the rest into OR or AND."""
    name, items = _name(body), body["rexpr"]["List"]["items"]
    word = "AND" if name == "<>" else "OR"
    if "RowExpr" in body["lexpr"]:
        tests = [
            _plain(builder, {"name": body["name"], "lexpr": body["lexpr"], "rexpr": item})
            for item in items
        ]
        return _chain(word, tests)
    left = builder.build(body["lexpr"])
    fixed = [item for item in items if not _mentions_columns(builder, item)]
    tests = []
    rest = items
    if len(fixed) > 1:
        together = _in_array(builder, name, left, [builder.build(item) for item in fixed])
        if together is not None:
            tests.append(together)
            rest = [item for item in items if item not in fixed]
    tests += [operator(builder, name, left, builder.build(item)) for item in rest]
    return _chain(word, tests)


def _chain(word: str, tests: list[Shown]) -> Shown:
    made = tests[0]
    for test in tests[1:]:
        made = Logic(word, (made, test))
    return made


def _in_array(builder: Builder, name: str, left: Shown, items: list[Shown]) -> Shown | None:
    analysis = builder.analysis
    try:
        type_ = coerce.common_type([left, *items], "IN")
        array: Shown = Array(
            tuple(coerce.implicit(analysis, item, type_) for item in items), array_type(type_)
        )
        return any_all(builder, name, left, array, every=name == "<>")
    except SqlError:
        return None


def any_all(builder: Builder, name: str, left: Shown, right: Shown, *, every: bool) -> Shown:
    resolved = functions.resolve_operator(name, left.type, TypeRef(element_type(right.type).oid))
    analysis = builder.analysis
    made = coerce.implicit(analysis, left, resolved.arguments[0])
    array = coerce.implicit(analysis, right, array_type(TypeRef(resolved.arguments[1].oid)))
    return AnyAll("<>" if name == "!=" else name, every, made, array)


def _any_all(builder: Builder, body: Node) -> Shown:
    left, right = builder.build(body["lexpr"]), builder.build(body["rexpr"])
    if coerce.is_literal(right):
        left = coerce.settled(builder.analysis, left)
        right = coerce.implicit(builder.analysis, right, array_type(TypeRef(left.type.oid)))
    return any_all(builder, _name(body), left, right, every=body["kind"] == "AEXPR_OP_ALL")


def _mentions_columns(builder: Builder, node: Any) -> bool:
    stack = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, dict):
            if "ColumnRef" in top:
                return True
            stack.extend(top.values())
        elif isinstance(top, list):
            stack.extend(top)
    return False


def _between(builder: Builder, body: Node) -> Shown:
    low, high = body["rexpr"]["List"]["items"]

    def compare(name: str, bound: Node) -> Shown:
        return operator(builder, name, builder.build(body["lexpr"]), builder.build(bound))

    def inside(first: Node, second: Node) -> Shown:
        return Logic("AND", (compare(">=", first), compare("<=", second)))

    def outside(first: Node, second: Node) -> Shown:
        return Logic("OR", (compare("<", first), compare(">", second)))

    match body["kind"]:
        case "AEXPR_BETWEEN":
            return inside(low, high)
        case "AEXPR_NOT_BETWEEN":
            return outside(low, high)
        case "AEXPR_BETWEEN_SYM":
            return Logic("OR", (inside(low, high), inside(high, low)))
        case _:
            return Logic("AND", (outside(low, high), outside(high, low)))


_KINDS: Final[dict[str, Callable[[Builder, Node], Shown]]] = {
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


def _logic(builder: Builder, body: Node) -> Shown:
    word = {"AND_EXPR": "AND", "OR_EXPR": "OR", "NOT_EXPR": "NOT"}[body["boolop"]]
    return Logic(word, tuple(builder.boolean(item) for item in body["args"]))


def _null_test(builder: Builder, body: Node) -> Shown:
    words = "IS NOT NULL" if body.get("nulltesttype") == "IS_NOT_NULL" else "IS NULL"
    if "RowExpr" in body["arg"]:
        raise Unshown("IS NULL of a row")
    return Test(coerce.settled(builder.analysis, builder.build(body["arg"])), words)


def _boolean_test(builder: Builder, body: Node) -> Shown:
    words = body.get("booltesttype", "IS_TRUE").replace("_", " ")
    return Test(builder.boolean(body["arg"]), words)


# ---- casts, CASE and kin


def _type_cast(builder: Builder, body: Node) -> Shown:
    analysis = builder.analysis
    target = names.resolve_type(analysis, body["typeName"])
    domain = names.find_domain(analysis, body["typeName"])
    inner = body["arg"]
    if "A_ArrayExpr" in inner and is_array(target.oid):
        made = _array_of(builder, inner["A_ArrayExpr"], TypeRef(target.oid))
        return coerce.explicit(analysis, made, target, domain)
    return coerce.explicit(analysis, builder.build(inner), target, domain)


def _case(builder: Builder, body: Node) -> Shown:
    analysis = builder.analysis
    operand = None
    if "arg" in body:
        operand = coerce.settled(analysis, builder.build(body["arg"]))
    conditions, results = [], []
    for item in body["args"]:
        when = item["CaseWhen"]
        if operand is None:
            conditions.append(builder.boolean(when["expr"]))
        else:
            conditions.append(operator(builder, "=", operand, builder.build(when["expr"])).right)
        results.append(builder.build(when["result"]))
    otherwise = builder.build(body["defresult"]) if "defresult" in body else Const(None, UNKNOWN)
    typed = coerce.common(analysis, [otherwise, *results], "CASE")
    whens = tuple(zip(conditions, typed[1:], strict=True))
    return Case(operand, whens, typed[0], typed[0].type)


def _coalesce(builder: Builder, body: Node) -> Shown:
    return _listed(builder, "COALESCE", body)


def _min_max(builder: Builder, body: Node) -> Shown:
    greatest = body.get("op", "IS_GREATEST") == "IS_GREATEST"
    return _listed(builder, "GREATEST" if greatest else "LEAST", body)


def _listed(builder: Builder, word: str, body: Node) -> Shown:
    given = [builder.build(item) for item in body["args"]]
    typed = coerce.common(builder.analysis, given, word)
    return Listed(word, typed, typed[0].type)


# ---- arrays and rows


def _array(builder: Builder, body: Node) -> Shown:
    return _array_of(builder, body, None)


def _array_of(builder: Builder, body: Node, target: TypeRef | None) -> Shown:
    elements = body.get("elements", [])
    nested = any("A_ArrayExpr" in element for element in elements)
    if nested:
        items = [
            _array_of(builder, element["A_ArrayExpr"], target)
            if "A_ArrayExpr" in element
            else builder.build(element)
            for element in elements
        ]
    else:
        items = [builder.build(element) for element in elements]
    analysis = builder.analysis
    if target is not None:
        wanted = target if nested else element_type(target)
        typed = tuple(coerce.explicit(analysis, item, TypeRef(wanted.oid), None) for item in items)
        return Array(typed, target)
    typed = coerce.common(analysis, items, "ARRAY")
    type_ = typed[0].type
    return Array(typed, type_ if is_array(type_.oid) else array_type(TypeRef(type_.oid)))


def _indirection(builder: Builder, body: Node) -> Shown:
    argument = builder.build(body["arg"])
    steps = []
    json = argument.type.oid == JSONB.oid
    for step in body["indirection"]:
        if "A_Indices" not in step:
            raise Unshown("a field of a row")
        indices = step["A_Indices"]
        bounds = []
        for key in ("lidx", "uidx"):
            bound = builder.build(indices[key]) if key in indices else None
            if bound is not None:
                wanted = TEXT if json and bound.type.oid != INT4.oid else INT4
                bound = coerce.implicit(builder.analysis, bound, wanted)
            bounds.append(bound)
        steps.append((bounds[0], bounds[1], bool(indices.get("is_slice"))))
    sliced = any(step[2] for step in steps)
    type_ = argument.type if json or sliced else element_type(argument.type)
    return Subscript(argument, tuple(steps), TypeRef(type_.oid, argument.type.typmod))


def _row(builder: Builder, body: Node) -> Shown:
    return Row(tuple(builder.build(item) for item in body.get("args", ())))


def _collate(builder: Builder, body: Node) -> Shown:
    argument = builder.build(body["arg"])
    name = names.strings(body["collname"])[-1]
    made = coerce.settled(builder.analysis, argument)
    return Collate(made, name, made.type)


# ---- calls


def _call(builder: Builder, body: Node) -> Shown:
    name = names.strings(body["funcname"])[-1]
    given = body.get("args", ())
    unknown = {"over", "agg_within_group", "agg_order", "agg_filter", "agg_distinct", "agg_star"}
    if unknown & body.keys() or body.get("func_variadic") or functions.is_aggregate(name):
        raise Unshown(f"a call of {name}")
    if id(body) in builder.notes.calls:
        raise Unshown(f"the SQL function {name}")
    analysis = builder.analysis
    labels = tuple(item.get("NamedArgExpr", {}).get("name", "") for item in given)
    nodes = [item["NamedArgExpr"]["arg"] if "NamedArgExpr" in item else item for item in given]
    values = [builder.build(node) for node in nodes]
    types = [value.type for value in values]
    if any(labels):
        placed = named_arguments.in_order(analysis, name, given)
        position = [next(at for at, one in enumerate(placed) if one is node) for node in nodes]
        constants = [
            expressions.constant_of(analysis, one["A_Const"]).type
            if not any(one is node for node in nodes)
            else types[next(at for at, node in enumerate(nodes) if node is one)]
            for one in placed
        ]
        resolved = functions.resolve_function(name, constants)
        wanted = [resolved.arguments[at] for at in position]
    else:
        resolved = functions.resolve_function(name, types)
        wanted = list(resolved.arguments)
    if resolved.cast is not None:
        return _cast_call(builder, name, values[0], resolved.cast)
    assert resolved.function is not None
    if resolved.function.returns_set:
        raise Unshown(f"the rows of {name}")
    typed = coerce.arguments(analysis, values, wanted, resolved.function.arguments)
    return Call(
        name,
        typed,
        resolved.result,
        syntax=body.get("funcformat") == "COERCE_SQL_SYNTAX",
        labels=labels,
    )


def _cast_call(builder: Builder, name: str, value: Shown, target: TypeRef) -> Shown:
    """A type's name called as a function."""
    made = coerce.explicit(builder.analysis, value, target, None)
    if isinstance(made, Cast) and made.kind == "function":
        raise Unshown(f"{name} as a function")
    return made


_HANDLERS: Final[dict[str, Callable[[Builder, Node], Shown]]] = {
    "ColumnRef": _column,
    "A_Const": _constant,
    "A_Expr": _operator,
    "BoolExpr": _logic,
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
    "FuncCall": _call,
}
