"""Catalog objects in words: pg_describe_object(), pg_identify_object(), pg_identify_object_as_address(). The forms are those of PostgreSQL's objectaddress.c.

Registered when this module is imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog.definitions import (
    Check,
    Domain,
    Enum,
    ForeignKey,
    Function,
    Index,
    Role,
    Schema,
    Sequence,
    Table,
    View,
)
from trilithon.query.catalog_views import builtin_objects, functions, object_names, objects
from trilithon.query.catalog_views.columns import described
from trilithon.query.catalog_views.registration import catalog_of, path_of, stable
from trilithon.types.registry import TYPES, type_info
from trilithon.types.values import ArrayValue

_CLASS, _CONSTRAINT, _SCHEMA, _TYPE, _PROCEDURE = 1259, 2606, 2615, 1247, 1255
_OPERATOR, _ROLE, _DATABASE, _DEFAULT, _LANGUAGE, _REWRITE = 2617, 1260, 1262, 2604, 2612, 2618
_REGPROCEDURE, _REGTYPE, _REGOPERATOR = 2202, 2206, 2204
# Types with names of their own in SQL.
_STANDARD: Final = frozenset(
    {
        "bool",
        "bpchar",
        "float4",
        "float8",
        "int2",
        "int4",
        "int8",
        "numeric",
        "interval",
        "time",
        "timetz",
        "timestamp",
        "timestamptz",
        "varchar",
    }
)
# What an object of a class is called that is not there.
_KINDS: Final = {
    _CLASS: "relation",
    _CONSTRAINT: "constraint",
    _SCHEMA: "schema",
    _TYPE: "type",
    _PROCEDURE: "routine",
    _OPERATOR: "operator",
    _ROLE: "role",
    _DATABASE: "database",
    _DEFAULT: "default value",
    _LANGUAGE: "language",
    _REWRITE: "rule",
}
# A path that finds nothing, so that names come with their schemas.
_NOWHERE: Final[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """`kind` is the type's word, `described` pg_describe_object()'s text, `identity` the whole name; `address` the
    name's parts and arguments."""

    kind: str
    schema: str | None
    name: str | None
    identity: str
    described: str
    address: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()


def _whole(schema: str, name: str) -> str:
    return f"{objects.quote(schema)}.{objects.quote(name)}"


def _relation(catalog: Any, path: tuple[str, ...], oid: int, column: int) -> Named | None:
    found = _relation_by_oid(catalog, oid)
    if found is None:
        return None
    kind, schema, name, columns = found
    shown = f"{kind} {functions.class_name(catalog, path, oid)}"
    whole = _whole(schema, name)
    if not column:
        return Named(kind, schema, objects.quote(name), whole, shown, (schema, name))
    if not 0 < column <= len(columns):
        return None
    part = columns[column - 1]
    return Named(
        f"{kind} column",
        schema,
        objects.quote(name),
        f"{whole}.{objects.quote(part)}",
        f"column {part} of {shown}",
        (schema, name, part),
    )


def _relation_by_oid(catalog: Any, oid: int) -> tuple[str, str, str, list[str]] | None:
    found = catalog.object_by_id(oid)
    if isinstance(found, Table | View):
        kind = "table" if isinstance(found, Table) else "view"
        columns: Any = found.columns
        return kind, found.schema, found.name, [one.name for one in columns]
    if isinstance(found, Sequence):
        return "sequence", found.schema, found.name, []
    index: tuple[Table, Index] | None = catalog.index_by_id(oid)
    if index is not None:
        return "index", index[0].schema, index[1].name, []
    virtual = next((one for one in described() if one.oid == oid), None)
    if virtual is None:
        return None
    kind = "table" if virtual.kind == "r" else "view"
    return kind, virtual.schema, virtual.name, [name for name, _, _ in virtual.columns]


def _type(catalog: Any, path: tuple[str, ...], oid: int) -> Named | None:
    name = object_names.render(catalog, path, _REGTYPE, oid)
    if name == str(oid) or not oid:
        return None
    whole = _qualified_type(catalog, oid)
    found = catalog.object_by_id(oid)
    schema, own = "pg_catalog", type_info(oid).name if oid in TYPES else name
    if isinstance(found, Domain | Enum):
        schema, own = found.schema, found.name
    return Named("type", schema, objects.quote(own), whole, f"type {name}", (whole,))


def _qualified_type(catalog: Any, oid: int) -> str:
    """With its schema, but for types that SQL itself names."""
    element = type_info(oid).element_oid if oid in TYPES and type_info(oid).category == "A" else 0
    name = object_names.render(catalog, _NOWHERE, _REGTYPE, element or oid)
    if element or oid in TYPES:
        info = type_info(element or oid)
        standard = info.name in _STANDARD or "." in name
        name = name if standard else f"pg_catalog.{name}"
    return name + ("[]" if element else "")


def _procedure(catalog: Any, path: tuple[str, ...], oid: int) -> Named | None:
    found = catalog.object_by_id(oid)
    row = builtin_objects.procedures().get(oid)
    if isinstance(found, Function):
        schema, name, types, kind = found.schema, found.name, found.types, "function"
    elif row is not None:
        owner = catalog.object_by_id(row.get("pronamespace", builtin_objects.CATALOG))
        schema, name, types = owner.name, row["proname"], row["proargtypes"].items
        kind = "aggregate" if row["prokind"] == "a" else "function"
    else:
        return None
    parts = tuple(_qualified_type(catalog, one) for one in types)
    shown = object_names.render(catalog, path, _REGPROCEDURE, oid)
    whole = f"{_whole(schema, name)}({','.join(parts)})"
    return Named(kind, schema, None, whole, f"function {shown}", (schema, name), parts)


def _operator(catalog: Any, path: tuple[str, ...], oid: int) -> Named | None:
    row = builtin_objects.operators().get(oid)
    if row is None:
        return None
    shown = object_names.render(catalog, path, _REGOPERATOR, oid)
    sides = [row["oprleft"], row["oprright"]]
    parts = tuple(_qualified_type(catalog, one) for one in sides if one)
    both = ",".join(_qualified_type(catalog, one) if one else "NONE" for one in sides)
    whole = f"pg_catalog.{row['oprname']}({both})"
    address = ("pg_catalog", row["oprname"])
    return Named("operator", "pg_catalog", None, whole, f"operator {shown}", address, parts)


def _constraint(catalog: Any, path: tuple[str, ...], oid: int) -> Named | None:
    index = catalog.index_by_id(oid)
    if index is not None and (index[1].constraint or index[1].primary):
        return _of_table(catalog, path, index[0], index[1])
    for table in catalog.tables:
        for check in table.checks:
            if objects.check_oid(table, check) == oid:
                return _of_table(catalog, path, table, check)
        for key in table.foreign_keys:
            if objects.foreign_key_oid(table, key) == oid:
                return _of_table(catalog, path, table, key)
    for domain in catalog.types:
        for check in domain.checks if isinstance(domain, Domain) else ():
            if objects.domain_check_oid(domain, check) == oid:
                whole = f"{objects.quote(check.name)} on {_whole(domain.schema, domain.name)}"
                address = (f"{_whole(domain.schema, domain.name)}", check.name)
                shown = f"constraint {check.name}"
                return Named("domain constraint", domain.schema, None, whole, shown, address)
    return None


def _rule(catalog: Any, path: tuple[str, ...], oid: int) -> Named | None:
    for view in catalog.views:
        if objects.rule_oid(view) == oid:
            on = functions.class_name(catalog, path, view.id)
            whole = f'"_RETURN" on {_whole(view.schema, view.name)}'
            address = (view.schema, view.name, "_RETURN")
            return Named("rule", None, None, whole, f"rule _RETURN on view {on}", address)
    return None


def _of_table(
    catalog: Any, path: tuple[str, ...], table: Table, one: Index | Check | ForeignKey
) -> Named:
    on = functions.class_name(catalog, path, table.id)
    whole = f"{objects.quote(one.name)} on {_whole(table.schema, table.name)}"
    shown = f"constraint {one.name} on table {on}"
    address = (table.schema, table.name, one.name)
    return Named("table constraint", table.schema, None, whole, shown, address)


def _default(catalog: Any, path: tuple[str, ...], oid: int) -> Named | None:
    for table in catalog.tables:
        for column in table.columns:
            if objects.synthetic_oid("default", table.id, column.number) == oid:
                on = functions.class_name(catalog, path, table.id)
                whole = f"for {_whole(table.schema, table.name)}.{objects.quote(column.name)}"
                shown = f"default value for column {column.name} of table {on}"
                address = (table.schema, table.name, column.name)
                return Named("default value", None, None, whole, shown, address)
    return None


def _simple(
    catalog: Any, path: tuple[str, ...], class_: int, oid: int, database: str
) -> Named | None:
    """Things whose name is all there is to them."""
    found = catalog.object_by_id(oid)
    name = kind = ""
    if class_ == _SCHEMA and isinstance(found, Schema):
        kind, name = "schema", found.name
    elif class_ == _ROLE and isinstance(found, Role):
        kind, name = "role", found.name
    elif class_ == _DATABASE and oid == objects.DATABASE_OID:
        kind, name = "database", database
    elif class_ == _LANGUAGE:
        kind, name = "language", {12: "internal", 13: "c", 14: "sql"}.get(oid, "")
    if not name:
        return None
    quoted = objects.quote(name)
    return Named(kind, None, quoted, quoted, f"{kind} {name}", (name,))


_FINDERS: Final = {
    _TYPE: _type,
    _PROCEDURE: _procedure,
    _OPERATOR: _operator,
    _CONSTRAINT: _constraint,
    _DEFAULT: _default,
    _REWRITE: _rule,
}


def find(context: Any, class_: int, oid: int, column: int) -> Named | None:
    """Raises SqlError 42704 for a class that is none."""
    catalog, path = catalog_of(context), path_of(context)
    if class_ == _CLASS:
        return _relation(catalog, path, oid, column)
    if class_ in _FINDERS:
        return _FINDERS[class_](catalog, path, oid)
    if class_ in (_SCHEMA, _ROLE, _DATABASE, _LANGUAGE):
        return _simple(catalog, path, class_, oid, context.session.current_database)
    if functions.class_name(catalog, path, class_) == str(class_):
        raise SqlError("XX000", f"unsupported object class {class_}")
    return None


@stable("pg_describe_object(oid, oid, int4) -> text")
def _describe(context: Any, class_: int, oid: int, column: int) -> str | None:
    if not class_ and not oid:
        return None
    found = find(context, class_, oid, column)
    return None if found is None else found.described


_IDENTITY: Final = (("type", 25), ("schema", 25), ("name", 25), ("identity", 25))


@stable("pg_identify_object(oid, oid, int4) -> setof record", columns=_IDENTITY)
def _identify(context: Any, class_: int, oid: int, column: int) -> list[tuple[Any, ...]]:
    found = find(context, class_, oid, column)
    if found is None:
        return [(_KINDS.get(class_), None, None, None)]
    return [(found.kind, found.schema and objects.quote(found.schema), found.name, found.identity)]


_ADDRESS: Final = (("type", 25), ("object_names", 1009), ("object_args", 1009))


@stable("pg_identify_object_as_address(oid, oid, int4) -> setof record", columns=_ADDRESS)
def _identify_as_address(context: Any, class_: int, oid: int, column: int) -> list[tuple[Any, ...]]:
    found = find(context, class_, oid, column)
    if found is None:
        return [(_KINDS.get(class_), None, None)]
    return [(found.kind, ArrayValue.of(found.address), ArrayValue.of(found.arguments))]
