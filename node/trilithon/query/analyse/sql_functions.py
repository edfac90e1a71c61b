"""Calls of SQL functions: their bodies become part of the query.

A body that is one expression over its arguments takes the call's place. Any other becomes a subquery
over one row that holds the arguments: scalar in an expression (its first row counts), a lateral join in
FROM. Names in a body are found as at any other place of the statement, by the caller's search path; those
of a standard body (RETURN, BEGIN ATOMIC) were given their schemas when it was made.

As bodies are expanded here, a function cannot call itself: that is 54001.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from trilithon.expression import functions, ir
from trilithon.expression.compile import is_volatile
from trilithon.query.analyse import (
    coercion,
    expressions,
    fields,
    queries,
    table_expressions,
    view_sources,
)
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.free import expressions_of, free_columns, inputs_of
from trilithon.query.analyse.scope import Scope, Visible
from trilithon.query.analyse.tree import (
    Expr,
    Filter,
    Join,
    Limit,
    OutputColumn,
    Project,
    Relation,
    Subquery,
    Values,
)
from trilithon.query.catalog.definitions import Function, ViewColumn
from trilithon.query.parse.parser import parse_plain
from trilithon.query.parse.statement import Node
from trilithon.types.registry import (
    INT8,
    POLYMORPHIC,
    RECORD,
    UNKNOWN,
    VOID,
    TypeRef,
    is_composite,
    type_name,
)

NESTED_MAX: Final = 64
# The first element of a lookup's path that asks for functions (see Analysis.lookups).
FUNCTIONS: Final = "(functions)"


@dataclass(frozen=True, slots=True)
class _Overload:
    """A function as a call with so many arguments sees it; the others have their defaults."""

    arguments: tuple[int, ...]
    function: Function
    variadic: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the catalog with its arguments, one for each that it declares."""

    function: Function
    arguments: tuple[Expr, ...]


# ---- which function a call means


def find_call(analysis: Analysis, scope: Scope, path: Sequence[str], node: Node) -> Call | None:
    """None where no function of the catalog is meant."""
    known = _named(analysis, path)
    if not known:
        return None
    location = node.get("location", 0)
    if analysis.built_in_only:
        analysis.unsupported(f"the SQL function {path[-1]} in a table's definition", location)
    if node.get("func_variadic"):
        analysis.unsupported("VARIADIC in a call", location)
    given = [
        (item["NamedArgExpr"]["name"], item["NamedArgExpr"]["arg"])
        if "NamedArgExpr" in item
        else ("", item)
        for item in node.get("args", ())
    ]
    block = scope.collector
    collected = len(block.aggregates) if block is not None and hasattr(block, "aggregates") else 0
    values = [expressions.analyse(analysis, scope, item) for _, item in given]
    labels = [name for name, _ in given]
    chosen = _choose(known, values, labels)
    if chosen is None:
        if any(labels) or len(path) > 1 or not functions.is_function(path[-1]):
            _refuse(analysis, path, values, labels, location)
        if block is not None and collected:
            del block.aggregates[collected:]
        return None
    if analysis.notes is not None:
        analysis.notes.calls[id(node)] = chosen
    chosen = _concrete(analysis, chosen, values, labels, location)
    return Call(chosen, _arguments(analysis, chosen, values, labels, location))


def _concrete(
    analysis: Analysis,
    function: Function,
    values: Sequence[Expr],
    labels: Sequence[str],
    location: int,
) -> Function:
    """A polymorphic function with the types that this call gives it. Raises 42804."""
    declared = [argument.type.oid for argument in function.arguments]
    if POLYMORPHIC.isdisjoint(declared):
        return function
    positions = _positions(function, labels) or []
    given = [UNKNOWN] * len(declared)
    for at, value in zip(positions, values, strict=True):
        given[at] = TypeRef(value.type.oid)
    arguments, result = analysis.at(
        location, functions.bound_types, declared, given, function.result.oid
    )
    return replace(
        function,
        arguments=tuple(
            replace(argument, type=type_)
            for argument, type_ in zip(function.arguments, arguments, strict=True)
        ),
        result=result,
    )


def _named(analysis: Analysis, path: Sequence[str]) -> tuple[Function, ...]:
    name = path[-1]
    places = (path[-2],) if len(path) > 1 else tuple(analysis.settings.search_path)
    found: tuple[Function, ...] = analysis.catalog.functions_named(places, name)
    if found:
        analysis.lookups.append((((FUNCTIONS, *places), name), found))
    return found


def _choose(
    known: Sequence[Function], values: Sequence[Expr], labels: Sequence[str]
) -> Function | None:
    types = [value.type for value in values]
    options = []
    for function in known:
        positions = _positions(function, labels)
        if positions is not None:
            declared = tuple(function.arguments[at].type.oid for at in positions)
            options.append(_Overload(declared, function))
    chosen, _ = functions.choose_overload(options, types)
    return None if chosen is None else chosen.function


def _positions(function: Function, labels: Sequence[str]) -> list[int] | None:
    """Which argument each value is; None where the call does not fit."""
    names_ = [argument.name for argument in function.arguments]
    positions: list[int] = []
    for at, label in enumerate(labels):
        if not label:
            positions.append(at)
        elif label in names_:
            positions.append(names_.index(label))
        else:
            return None
    if len(set(positions)) < len(positions) or any(at >= len(names_) for at in positions):
        return None
    missing = set(range(len(names_))) - set(positions)
    if any(function.arguments[at].default is None for at in missing):
        return None
    return positions


def _refuse(
    analysis: Analysis,
    path: Sequence[str],
    values: Sequence[Expr],
    labels: Sequence[str],
    location: int,
) -> None:
    shown = ", ".join(
        (f"{label} => " if label else "") + type_name(TypeRef(value.type.oid))
        for label, value in zip(labels, values, strict=True)
    )
    analysis.fail(
        "42883",
        f"function {'.'.join(path)}({shown}) does not exist",
        location,
        hint="No function matches the given name and argument types. You might need to add explicit type casts.",
    )


def _arguments(
    analysis: Analysis,
    function: Function,
    values: Sequence[Expr],
    labels: Sequence[str],
    location: int,
) -> tuple[Expr, ...]:
    positions = _positions(function, labels) or []
    given = dict(zip(positions, values, strict=True))
    found = []
    for at, argument in enumerate(function.arguments):
        value = given.get(at)
        if value is None:
            value = table_expressions.analyse_text(analysis, argument.default or "NULL", None, ())
        found.append(coercion.coerce_implicit(analysis, value, argument.type, location))
    return tuple(found)


# ---- what it is replaced by


def scalar(analysis: Analysis, call: Call, location: int) -> Expr:
    """The call as an expression."""
    function = call.function
    body, arguments = _body(analysis, function, location)
    body, function = _with_row(analysis, body, function)
    simple = _as_expression(body, call.arguments, arguments)
    value: Expr
    if simple is not None and function.result != VOID:
        value = coercion.coerce(analysis, simple, function.result, coercion.ASSIGNMENT, location)
    else:
        one = Limit(body.outputs, body, ir.Constant(1, INT8), None)
        relation = _over_arguments(analysis, one, call.arguments, arguments)
        _require_repeatable(analysis, function, relation, location)
        relation = _typed(analysis, function, relation)
        value = Subquery("scalar", relation, relation.outputs[0].type)
    if not function.strict or not call.arguments:
        return value
    unknown = ir.Or(tuple(ir.IsNull(argument, False) for argument in call.arguments))
    return ir.Case(None, ((unknown, ir.Constant(None, value.type)),), value, value.type)


def _with_row(analysis: Analysis, body: Relation, function: Function) -> tuple[Relation, Function]:
    """A body whose several columns are one value: that of a record."""
    if function.result != RECORD:
        return body, function
    columns = body.outputs[-len(function.columns) :] if function.columns else body.outputs
    field_names = [column.name for column in function.columns or columns]
    wanted = [column.type for column in function.columns or columns]
    parts = [
        coercion.coerce(analysis, ir.Column(one.id, one.type), type_, coercion.ASSIGNMENT, None)
        for one, type_ in zip(columns, wanted, strict=True)
    ]
    row = fields.make_row(analysis, parts, field_names)
    output = analysis.column(function.name, row.type)
    made = Project((output,), body, (row,))
    return made, replace(function, columns=(), result=row.type)


def with_columns(
    analysis: Analysis, call: Call, columns: Sequence[ViewColumn], location: int
) -> Call:
    """A call of a function that returns record, which the statement says the columns of. Raises 42P13, 42601."""
    function = call.function
    if function.result != RECORD or function.columns:
        analysis.fail(
            "42601",
            'a column definition list is only allowed for functions returning "record"',
            location,
        )
    return Call(replace(function, columns=tuple(columns)), call.arguments)


def rows(analysis: Analysis, call: Call, location: int, *, in_targets: bool = False) -> Relation:
    """The call as a relation: what a set-returning function gives; `in_targets`: in one column."""
    function = call.function
    body, arguments = _body(analysis, function, location)
    if in_targets:
        body, function = _with_row(analysis, body, function)
    if not function.returns_set:
        body = Limit(body.outputs, body, ir.Constant(1, INT8), None)
    relation = _over_arguments(analysis, body, call.arguments, arguments)
    _require_repeatable(analysis, function, relation, location)
    relation = _typed(analysis, function, relation)
    if function.strict and call.arguments:
        known = ir.And((ir.TRUE, *(ir.IsNull(argument, True) for argument in call.arguments)))
        relation = Filter(relation.outputs, relation, known)
    return relation


def _body(
    analysis: Analysis, function: Function, location: int
) -> tuple[Relation, tuple[OutputColumn, ...]]:
    """The body's relation over columns that stand for the arguments."""
    if function.id in analysis.functions or len(analysis.functions) >= NESTED_MAX:
        analysis.fail(
            "54001",
            "stack depth limit exceeded",
            location,
            hint=f"Function {function.name} is expanded where it is called, so it cannot call itself.",
        )
    relation, outputs = body_of(analysis, function)
    _require_promised(analysis, function, relation)
    return relation, outputs


def _require_promised(analysis: Analysis, function: Function, relation: Relation) -> None:
    """Rows of a named type, or of the columns that a statement says, are what the body gives now."""
    found = [output.type.oid for output in relation.outputs]
    wanted = [column.type.oid for column in function.columns]
    if is_composite(function.result.oid):
        good = found[-1:] == [function.result.oid]
    elif function.result == RECORD and function.columns:
        good = len(found) == len(wanted) and all(
            functions.can_coerce(TypeRef(one), TypeRef(other), coercion.ASSIGNMENT)
            for one, other in zip(found, wanted, strict=True)
        )
    else:
        return
    if not good:
        analysis.fail(
            "42P13",
            f"return type mismatch in function declared to return {type_name(function.result)}",
        )


def body_of(analysis: Analysis, function: Function) -> tuple[Relation, tuple[OutputColumn, ...]]:
    """Raises what analysing the body raises, without a position."""
    outputs = tuple(
        analysis.column(argument.name or "?column?", argument.type)
        for argument in function.arguments
    )
    scope = Scope(aliases={function.name: ""})
    scope.columns = [
        Visible(column.name, ir.Column(column.id, column.type), function.name)
        for column, argument in zip(outputs, function.arguments, strict=True)
        if argument.name
    ]
    statement = parse_plain(function.sql)[0]
    analysis.texts.append(statement.node)
    before = (analysis.arguments, analysis.functions, analysis.lifted, analysis.depth)
    analysis.arguments = tuple(ir.Column(column.id, column.type) for column in outputs)
    analysis.functions = (*analysis.functions, function.id)
    analysis.silent += 1
    try:
        with view_sources.inside(analysis, ()):
            relation = queries.analyse_query(analysis, scope, statement.node)
        return _in_one_row(analysis, function.result, relation), outputs
    finally:
        analysis.silent -= 1
        analysis.arguments, analysis.functions, analysis.lifted, analysis.depth = before


def _in_one_row(analysis: Analysis, result: TypeRef, relation: Relation) -> Relation:
    """Columns that are a row of the named type that the function returns, as that row."""
    shape = fields.shape_of(analysis, result) if is_composite(result.oid) else None
    if shape is None or [one.type.oid for one in relation.outputs] == [result.oid]:
        return relation
    parts = tuple(ir.Column(output.id, output.type) for output in relation.outputs)
    row = ir.NamedRow(parts, (), RECORD)
    if len(parts) != len(shape.types) or not all(
        fields.can_coerce(part, type_, coercion.ASSIGNMENT)
        for part, type_ in zip(parts, shape.types, strict=True)
    ):
        return relation
    value = fields.coerce_row(analysis, row, result, coercion.ASSIGNMENT, None)
    output = analysis.column("row", result)
    return Project((output,), relation, (value,))


def _as_expression(
    body: Relation, values: Sequence[Expr], columns: Sequence[OutputColumn]
) -> Expr | None:
    """`SELECT expression`, with the arguments put in; None where that would not mean the same."""
    if not isinstance(body, Project) or not isinstance(body.input, Values):
        return None
    if body.input.outputs or len(body.expressions) != 1:
        return None
    expression = body.expressions[0]
    given = {column.id: value for column, value in zip(columns, values, strict=True)}
    uses: dict[int, int] = {}
    for node in ir.post_order(expression):
        if isinstance(node, Subquery) and free_columns(node) & given.keys():
            return None
        if isinstance(node, ir.Column) and node.index in given:
            uses[node.index] = uses.get(node.index, 0) + 1
    for column, value in given.items():
        plain = isinstance(value, ir.Column | ir.Constant | ir.Parameter)
        if plain or (uses.get(column, 0) == 1 and isinstance(expression, ir.Call | ir.Cast)):
            continue
        if _is_costly(value):
            return None

    def put(node: Expr) -> Expr:
        return given.get(node.index, node) if isinstance(node, ir.Column) else node

    return fields.resolved(ir.transform(expression, put))


def _is_costly(value: Expr) -> bool:
    """Whether it must be evaluated once, and whether or not the body needs it."""
    return is_volatile(value) or any(isinstance(node, Subquery) for node in ir.post_order(value))


def _over_arguments(
    analysis: Analysis,
    body: Relation,
    values: tuple[Expr, ...],
    columns: tuple[OutputColumn, ...],
) -> Relation:
    if not columns:
        return body
    row = Values(columns, (values,))
    return Join((*columns, *body.outputs), "inner", row, body, None, lateral=True)


def _typed(analysis: Analysis, function: Function, relation: Relation) -> Project:
    """The body's last columns as what the function returns, under ids of their own."""
    wanted = [(column.name, column.type) for column in function.columns] or [
        (function.name, function.result)
    ]
    if function.result == VOID:
        output = analysis.column(function.name, VOID)
        return Project((output,), relation, (ir.Constant(None, VOID),))
    found = relation.outputs[-len(wanted) :]
    outputs = tuple(analysis.column(name, type_) for name, type_ in wanted)
    values = tuple(
        coercion.coerce(
            analysis, ir.Column(column.id, column.type), output.type, coercion.ASSIGNMENT, None
        )
        for column, output in zip(found, outputs, strict=True)
    )
    return Project(outputs, relation, values)


def _require_repeatable(
    analysis: Analysis, function: Function, relation: Relation, location: int
) -> None:
    """A subquery may be evaluated once for several rows: not what a volatile body wants."""
    stack: list[Any] = [relation]
    while stack:
        top = stack.pop()
        for expression in expressions_of(top):
            if is_volatile(expression):
                analysis.unsupported(
                    f"function {function.name}: volatile calls in a body of more than an expression",
                    location,
                )
        stack.extend(inputs_of(top))
