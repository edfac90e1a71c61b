"""Row values: which fields they have, selecting one, expanding all, making rows of a named type.

A record whose fields are known carries the number of its shape in this analysis as its type's modifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from trilithon.expression import ir
from trilithon.query.analyse import coercion, names
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.tree import Expr, OutputColumn, Project, Relation
from trilithon.query.catalog.definitions import Composite, Domain
from trilithon.query.parse.statement import Node
from trilithon.types.registry import (
    INT2,
    INT4,
    RECORD,
    TypeRef,
    is_composite,
    is_row,
    object_of,
    type_name,
)


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of a row, in order."""

    names: tuple[str, ...]
    types: tuple[TypeRef, ...]
    # Ids of the domains that fields of a composite type belong to, 0 none.
    domains: tuple[int, ...] = ()


EXPANDED: Final = TypeRef(RECORD.oid, 0)
# By function: what its rows are, where it is called in a select list.
SHAPE_OF: Final = {"_pg_expandarray": EXPANDED}
_FIRST: Final = (Shape(("x", "n"), (INT2, INT4)),)


def record_type(analysis: Analysis, fields: Sequence[tuple[str, TypeRef]]) -> TypeRef:
    """The type of records with such fields."""
    shape = Shape(tuple(name for name, _ in fields), tuple(type_ for _, type_ in fields))
    known = analysis.shapes
    if shape not in known:
        known.append(shape)
    return TypeRef(RECORD.oid, len(_FIRST) + known.index(shape))


def shape_of(analysis: Analysis, type_: TypeRef) -> Shape | None:
    """None: no row, or one whose fields are not known before it is there."""
    if type_.oid == RECORD.oid:
        if type_.typmod < 0:
            return None
        if type_.typmod < len(_FIRST):
            return _FIRST[type_.typmod]
        shape: Shape = analysis.shapes[type_.typmod - len(_FIRST)]
        return shape
    if not is_composite(type_.oid):
        return None
    made = analysis.catalog.composite(type_.oid)
    if made is None:
        return None
    found = analysis.catalog.object_by_id(object_of(type_.oid))
    analysis.types[found.id] = found
    if isinstance(found, Composite):
        return Shape(made.names, made.types, tuple(one.domain_id for one in found.attributes))
    return Shape(made.names, made.types)


def row_of(expression: Expr) -> ir.NamedRow | None:
    """The row that an expression makes, where it is seen to make one; outer joins may still leave it out."""
    if isinstance(expression, ir.Case) and expression.operand is None and expression.whens:
        expression = expression.otherwise
    return expression if isinstance(expression, ir.NamedRow) else None


# ---- fields


def field(expression: Expr, position: int, type_: TypeRef) -> Expr:
    made = row_of(expression)
    # The columns of a row that an outer join left out are NULL by themselves.
    if made is not None and _is_plain(expression, made):
        return made.args[position]
    return ir.Field(expression, position, type_)


def _is_plain(expression: Expr, made: ir.NamedRow) -> bool:
    return expression is made or all(isinstance(part, ir.Column) for part in made.args)


def resolved(expression: Expr) -> Expr:
    """Fields of rows that are made on the spot, without the rows."""

    def change(node: Expr) -> Expr:
        return field(node.row, node.position, node.type) if isinstance(node, ir.Field) else node

    return ir.transform(expression, change)


def select_field(analysis: Analysis, expression: Expr, name: str, location: int | None) -> Expr:
    """(row).name. Raises 42703, 42809."""
    found = find_field(analysis, expression, name)
    if found is not None:
        return found
    shape = shape_of(analysis, expression.type)
    if shape is not None:
        words = type_name(TypeRef(expression.type.oid))
        if expression.type.oid == RECORD.oid:
            message = f'could not identify column "{name}" in record data type'
        else:
            message = f'column "{name}" not found in data type {words}'
        analysis.fail("42703", message, location)
    if is_row(expression.type.oid):
        analysis.fail("42703", f'could not identify column "{name}" in record data type', location)
    analysis.fail(
        "42809",
        f"column notation .{name} applied to type {type_name(TypeRef(expression.type.oid))}, "
        "which is not a composite type",
        location,
    )


def find_field(analysis: Analysis, expression: Expr, name: str) -> Expr | None:
    shape = shape_of(analysis, expression.type)
    if shape is None or name not in shape.names:
        return None
    position = shape.names.index(name)
    return field(expression, position, shape.types[position])


def all_fields(
    analysis: Analysis, expression: Expr, location: int | None
) -> list[tuple[str, Expr]]:
    """(row).*: names and values. Raises 42809, 42P16."""
    shape = shape_of(analysis, expression.type)
    if shape is None:
        if is_row(expression.type.oid):
            analysis.fail("42809", "record type has not been registered", location)
        analysis.fail(
            "42809",
            f"type {type_name(TypeRef(expression.type.oid))} is not composite",
            location,
        )
    return [
        (name, field(expression, position, type_))
        for position, (name, type_) in enumerate(zip(shape.names, shape.types, strict=True))
    ]


def expanded(analysis: Analysis, relation: Relation, row: OutputColumn) -> Project:
    """The fields of a relation's row column as columns of their own."""
    value = ir.Column(row.id, row.type)
    pairs = all_fields(analysis, value, None)
    outputs = tuple(analysis.column(name, part.type) for name, part in pairs)
    return Project(outputs, relation, tuple(part for _, part in pairs))


# ---- rows


def make_row(
    analysis: Analysis, parts: Sequence[Expr], field_names: Sequence[str] | None = None
) -> ir.NamedRow:
    """ROW(…)."""
    values = tuple(coercion.settle(analysis, part) for part in parts)
    given = tuple(field_names or ())
    shown = given or tuple(f"f{number}" for number in range(1, len(values) + 1))
    pairs = list(zip(shown, (value.type for value in values), strict=True))
    return ir.NamedRow(values, given, record_type(analysis, pairs))


def coerce_row(
    analysis: Analysis, row: ir.NamedRow, target: TypeRef, context: str, location: int | None
) -> Expr:
    """A record that is made here as a row of a named type: field by field. Raises 42846."""
    shape = shape_of(analysis, target)
    words = type_name(TypeRef(target.oid))

    def refuse(detail: str) -> None:
        analysis.fail("42846", f"cannot cast type record to {words}", location, detail=detail)

    if shape is None or len(row.args) < len(shape.types):
        refuse("Input has too few columns.")
    assert shape is not None
    if len(row.args) > len(shape.types):
        refuse("Input has too many columns.")
    parts: list[Expr] = []
    domains = shape.domains or (0,) * len(shape.types)
    for number, (part, type_, domain_id) in enumerate(
        zip(row.args, shape.types, domains, strict=True), 1
    ):
        if not coercion.is_unknown(part) and not can_coerce(part, type_, context):
            refuse(
                f"Cannot cast type {type_name(TypeRef(part.type.oid))} to "
                f"{type_name(TypeRef(type_.oid))} in column {number}."
            )
        made = coercion.coerce(analysis, part, type_, context, location)
        parts.append(in_domain(analysis, domain_id, made))
    return replace(row, args=tuple(parts), names=(), type=TypeRef(target.oid))


def can_coerce(expression: Expr, target: TypeRef, context: str) -> bool:
    """Whether `coercion.coerce` has a way; rows that are made here may become those of a named type."""
    if expression.type.oid == RECORD.oid and is_composite(target.oid):
        return row_of(expression) is not None
    return coercion.functions.can_coerce(expression.type, target, context)


def in_domain(analysis: Analysis, domain_id: int, value: Expr) -> Expr:
    """The value, once it was found to belong to a field's domain."""
    domain = analysis.catalog.object_by_id(domain_id) if domain_id else None
    if not isinstance(domain, Domain):
        return value
    from trilithon.query.analyse import domains

    analysis.types[domain.id] = domain
    return domains.checked(analysis, domain, value)


def star_of(node: Node) -> bool:
    """Whether it is (…).*"""
    steps = node.get("A_Indirection", {}).get("indirection", ())
    return bool(steps) and "A_Star" in steps[-1]


def strings(nodes: Sequence[Node]) -> list[str]:
    return names.strings(nodes)
