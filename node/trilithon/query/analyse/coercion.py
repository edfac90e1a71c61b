"""Making types meet: coercions, operators, common types.

The rules are `trilithon.expression.functions`; here they are applied to bound expressions, with
errors that name the place. UNKNOWN is the type of a literal (or of an undeclared parameter) that no
context has typed yet; `coerce` types it where it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.expression import functions, ir
from trilithon.expression.functions import ASSIGNMENT, EXPLICIT, IMPLICIT
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.tree import Expr
from trilithon.query.catalog_views import object_names
from trilithon.types import text_io
from trilithon.types.registry import (
    BOOL,
    RECORD,
    TEXT,
    UNKNOWN,
    TypeRef,
    is_composite,
    type_info,
    type_name,
)

__all__ = [
    "ASSIGNMENT",
    "EXPLICIT",
    "IMPLICIT",
    "assign",
    "boolean",
    "coerce",
    "coerce_implicit",
    "coerce_to",
    "common_type",
    "functions",
    "is_unknown",
    "operator",
    "operator_id",
    "parse_literal",
    "require_equality",
    "require_order",
    "settle",
]

# Literals of these types may mean the moment they are read, or depend on the session's zone.
_TIME_TYPES: Final = frozenset({1082, 1083, 1114, 1184, 1266})
_MOMENTS: Final = ("now", "today", "tomorrow", "yesterday")
_NO_EQUALITY: Final = frozenset({"json", "jsonpath", "unknown"})


def is_unknown(expression: Expr) -> bool:
    return bool(expression.type.oid == UNKNOWN.oid)


def coerce(
    analysis: Analysis, expression: Expr, target: TypeRef, context: str, location: int | None
) -> Expr:
    """The expression as `target`. Raises 42846, 42804, and what the literal's input function says."""
    source: TypeRef = expression.type
    if source == target:
        return expression
    if source.oid == UNKNOWN.oid:
        return _type_unknown(analysis, expression, target, context, location)
    if source.oid == target.oid and target.typmod < 0:
        return expression
    if source.oid == RECORD.oid and is_composite(target.oid):
        from trilithon.query.analyse import fields

        row = fields.row_of(expression)
        if row is not None:
            made = fields.coerce_row(analysis, row, target, context, location)
            return made if expression is row else replace(expression, otherwise=made, type=target)
    path = analysis.at(location, functions.resolve_cast, source, target, context)
    if path.kind == "same" and target.oid == source.oid and target.typmod < 0:
        return expression
    return ir.Cast(expression, target, context == EXPLICIT)


def coerce_implicit(
    analysis: Analysis, expression: Expr, target: TypeRef, location: int | None
) -> Expr:
    return coerce(analysis, expression, target, IMPLICIT, location)


def _type_unknown(
    analysis: Analysis, expression: Expr, target: TypeRef, context: str, location: int | None
) -> Expr:
    base = TypeRef(target.oid)
    if target.oid == UNKNOWN.oid:
        return expression
    if isinstance(expression, ir.Parameter):
        lifted = expression.number > analysis.statement.template.parameter_count
        if lifted and expression.number in analysis.lifted:
            type_ = analysis.decide_lifted(expression.number, base)
        else:
            type_ = analysis.decide_parameter(expression.number, base, location)
        expression = ir.Parameter(expression.number, type_)
    elif isinstance(expression, ir.Constant):
        if expression.value is None:
            return ir.Constant(None, target)
        # An interval's fields change how its text is read.
        read_as = target if type_info(target.oid).name.endswith("interval") else base
        known = analysis.literals.get(id(expression))
        place = known[1] if known is not None else location
        value = analysis.at(place, parse_literal, analysis, read_as, expression.value)
        expression = ir.Constant(value, read_as)
    else:
        # Unknown-typed columns do not exist: relations settle theirs.
        analysis.fail("42804", "could not determine the type of an expression", location)
    if expression.type == target:
        return expression
    return ir.Cast(expression, target, context == EXPLICIT)


def parse_literal(analysis: Analysis, type_: TypeRef, text: str) -> object:
    if type_.oid in _TIME_TYPES and text.strip().lower().startswith(_MOMENTS):
        analysis.cacheable = False
    if type_.oid in object_names.KINDS:
        path = tuple(analysis.settings.search_path)
        analysis.cacheable = False
        return object_names.resolve(analysis.catalog, path, type_.oid, text)
    return text_io.parse(type_, text, analysis.settings.io)


def settle(analysis: Analysis, expression: Expr) -> Expr:
    """An expression that no context types is text."""
    if is_unknown(expression):
        return coerce(analysis, expression, TEXT, IMPLICIT, None)
    return expression


def coerce_to(
    analysis: Analysis,
    expression: Expr,
    target: TypeRef,
    context: str,
    location: int | None,
    words: str,
) -> Expr:
    """For clauses that demand a type: 42804 "argument of WHERE must be type boolean, not type …"."""
    if not is_unknown(expression) and not functions.can_coerce(expression.type, target, context):
        analysis.fail(
            "42804",
            f"argument of {words} must be type {type_name(target)}, not type {type_name(TypeRef(expression.type.oid))}",
            location,
        )
    return coerce(analysis, expression, target, context, location)


def boolean(analysis: Analysis, expression: Expr, words: str, location: int | None) -> Expr:
    return coerce_to(analysis, expression, BOOL, ASSIGNMENT, location, words)


def assign(
    analysis: Analysis, expression: Expr, target: TypeRef, column: str, location: int | None
) -> Expr:
    """An expression on its way into a table's column."""
    if not is_unknown(expression) and not _can_assign(expression, target):
        analysis.fail(
            "42804",
            f'column "{column}" is of type {type_name(TypeRef(target.oid))} but expression is of type {type_name(TypeRef(expression.type.oid))}',
            location,
            hint="You will need to rewrite or cast the expression.",
        )
    return coerce(analysis, expression, target, ASSIGNMENT, location)


def _can_assign(expression: Expr, target: TypeRef) -> bool:
    from trilithon.query.analyse import fields

    return fields.can_coerce(expression, target, ASSIGNMENT)


def operator(
    analysis: Analysis, name: str, left: Expr | None, right: Expr, location: int | None
) -> Expr:
    """A prefix operator has no `left`. Raises 42883, 42725."""
    left_type = left.type if left is not None else None
    resolved = analysis.at(location, functions.resolve_operator, name, left_type, right.type)
    given = (right,) if left is None else (left, right)
    arguments = tuple(
        coerce_implicit(analysis, argument, type_, location)
        for argument, type_ in zip(given, resolved.arguments, strict=True)
    )
    return ir.Call(resolved.function.id, arguments, resolved.result)


def operator_id(
    analysis: Analysis, name: str, left: TypeRef, right: TypeRef, location: int | None
) -> functions.Resolved:
    resolved: functions.Resolved = analysis.at(
        location, functions.resolve_operator, name, left, right
    )
    return resolved


def common_type(
    analysis: Analysis,
    expressions: Sequence[Expr],
    construct: str,
    location: int | None,
    *,
    keep_unknown: bool = False,
) -> TypeRef:
    """With `keep_unknown`, UNKNOWN where all are."""
    if keep_unknown and all(is_unknown(expression) for expression in expressions):
        return UNKNOWN
    type_: TypeRef = analysis.at(
        location, functions.common_type, [expression.type for expression in expressions], construct
    )
    return type_


def require_equality(analysis: Analysis, type_: TypeRef, location: int | None) -> None:
    name = type_info(type_.oid).name
    if name in _NO_EQUALITY and name != "unknown":
        analysis.fail(
            "42883",
            f"could not identify an equality operator for type {type_name(type_)}",
            location,
        )


def require_order(analysis: Analysis, type_: TypeRef, location: int | None) -> None:
    try:
        functions.resolve_operator("<", type_, type_)
    except SqlError:
        analysis.fail(
            "42883",
            f"could not identify an ordering operator for type {type_name(type_)}",
            location,
            hint="Use an explicit ordering operator or modify the query.",
        )
