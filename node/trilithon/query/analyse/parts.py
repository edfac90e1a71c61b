"""Assigning to a part of a column: arr[2], arr[1:2], doc['key'], row.field, and parts of parts.

The column's new value is its old one with that part changed; several assignments to one column build on each
other, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trilithon.expression import ir
from trilithon.query.analyse import coercion, expressions, fields
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.scope import Scope
from trilithon.query.analyse.tree import Expr
from trilithon.query.catalog.definitions import Column
from trilithon.query.parse.statement import Node
from trilithon.types.registry import (
    BOOL,
    JSONB,
    TEXT,
    TypeRef,
    element_type,
    is_array,
    type_name,
)

# Gives the value for a part of some type.
Value = Callable[[TypeRef], Expr]


@dataclass(frozen=True, slots=True)
class Part:
    """One target of INSERT or UPDATE."""

    column: Column
    steps: tuple[Node, ...]
    location: int | None


def of(column: Column, target: Node) -> Part | None:
    steps = target.get("indirection")
    return Part(column, tuple(steps), target.get("location", 0)) if steps else None


def given(analysis: Analysis, scope: Scope, part: Part, node: Node) -> Value:
    """The value that a statement writes for the part. Its type is asked of it once."""

    def value(type_: TypeRef) -> Expr:
        if "SetToDefault" in node:
            what = "subfield" if "String" in part.steps[-1] else "array element"
            analysis.fail("0A000", f"cannot set {what} to DEFAULT", part.location)
        found = expressions.typed_row(analysis, scope, node, type_)
        made = found or expressions.analyse(analysis, scope, node)
        return assigned(analysis, part, made, type_, expressions.location_of(node))

    return value


def assigned(
    analysis: Analysis, part: Part, value: Expr, type_: TypeRef, location: int | None
) -> Expr:
    """SqlError 42804."""
    known = not coercion.is_unknown(value)
    if known and not fields.can_coerce(value, type_, coercion.ASSIGNMENT):
        wanted, found = type_name(TypeRef(type_.oid)), type_name(TypeRef(value.type.oid))
        last = part.steps[-1]
        message = (
            f'subfield "{last["String"]["sval"]}" is of type {wanted}'
            if "String" in last
            else f'subscripted assignment to "{part.column.name}" requires type {wanted}'
        )
        analysis.fail(
            "42804",
            f"{message} but expression is of type {found}",
            location,
            hint="You will need to rewrite or cast the expression.",
        )
    return coercion.coerce(analysis, value, type_, coercion.ASSIGNMENT, location)


def type_of(analysis: Analysis, scope: Scope, part: Part) -> TypeRef:
    """The type of the part."""
    found: list[TypeRef] = []

    def value(type_: TypeRef) -> Expr:
        found.append(type_)
        return ir.Constant(None, type_)

    changed(analysis, scope, part, ir.Constant(None, part.column.type), value)
    return found[0]


def changed(analysis: Analysis, scope: Scope, part: Part, base: Expr, value: Value) -> Expr:
    """The column's new value over its old one, `base`. Raises 42804, 42703."""
    return _into(analysis, scope, part, base, part.column.type, part.steps, value)


def _into(
    analysis: Analysis,
    scope: Scope,
    part: Part,
    base: Expr,
    type_: TypeRef,
    steps: Sequence[Node],
    value: Value,
) -> Expr:
    if not steps:
        return value(type_)
    if "String" in steps[0]:
        return _field(analysis, scope, part, base, type_, steps, value)
    if "A_Star" in steps[0]:
        analysis.unsupported('row expansion via "*" in an assignment\'s target', part.location)
    count = 0
    while count < len(steps) and "A_Indices" in steps[count]:
        count += 1
    subscripts = [step["A_Indices"] for step in steps[:count]]
    rest = steps[count:]
    if type_.oid == JSONB.oid:
        if rest:
            analysis.fail("42804", "cannot assign to a field of a jsonb subscript", part.location)
        return _jsonb(analysis, scope, base, subscripts, value, part.location)
    if not is_array(type_.oid):
        analysis.fail(
            "42804",
            f"cannot subscript type {type_name(TypeRef(type_.oid))} because it does not support subscripting",
            part.location,
        )
    if any(step.get("is_slice") for step in subscripts):
        opened, bounds = expressions.slice_bounds(analysis, scope, subscripts)
        old: Expr = ir.Slice(base, bounds, opened, type_)
        new = _into(analysis, scope, part, old, type_, rest, value)
        flat = tuple(bound for pair in bounds for bound in pair)
        arguments = (base, new, ir.Constant(opened, TEXT), *flat)
        return ir.Call("_pg_assign_slice(anyarray,anyarray,text,int4)", arguments, type_)
    indexes = tuple(expressions.subscript(analysis, scope, step.get("uidx")) for step in subscripts)
    item = element_type(type_)
    new = _into(analysis, scope, part, ir.Subscript(base, indexes, item), item, rest, value)
    return ir.Call("_pg_assign_element(anyarray,anyelement,int4)", (base, new, *indexes), type_)


def _jsonb(
    analysis: Analysis,
    scope: Scope,
    base: Expr,
    subscripts: list[Node],
    value: Value,
    location: int | None,
) -> Expr:
    path, numbered = expressions.jsonb_path(analysis, scope, subscripts, location)
    arguments = (base, value(JSONB), ir.Constant(numbered, BOOL), *path)
    return ir.Call("_pg_assign_jsonb(jsonb,jsonb,bool,text)", arguments, JSONB)


def _field(
    analysis: Analysis,
    scope: Scope,
    part: Part,
    base: Expr,
    type_: TypeRef,
    steps: Sequence[Node],
    value: Value,
) -> Expr:
    name = steps[0]["String"]["sval"]
    shape = fields.shape_of(analysis, type_)
    where = f'cannot assign to field "{name}" of column "{part.column.name}" because'
    words = type_name(TypeRef(type_.oid))
    if shape is None:
        analysis.fail("42804", f"{where} its type {words} is not a composite type", part.location)
    if name not in shape.names:
        analysis.fail(
            "42703", f"{where} there is no such column in data type {words}", part.location
        )
    values: list[Expr] = []
    for position, (field_name, field_type) in enumerate(zip(shape.names, shape.types, strict=True)):
        old = fields.field(base, position, field_type)
        if field_name == name:
            old = _into(analysis, scope, part, old, field_type, steps[1:], value)
        values.append(old)
    return ir.NamedRow(tuple(values), (), TypeRef(type_.oid))
