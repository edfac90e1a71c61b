"""Rows of information_schema's less usual views: routines and their parameters, elements of arrays, uses of
types and of columns, the one character set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from trilithon.query.catalog.definitions import Domain, Table, View
from trilithon.query.catalog_views import (
    builtin_objects,
    builtin_rows,
    builtin_signatures,
    objects,
    procedures,
)
from trilithon.query.catalog_views.information_words import (
    database_of,
    type_words,
    udt_of,
    usage,
    yes_or_no,
)
from trilithon.query.catalog_views.provider import Row, Viewpoint
from trilithon.types.registry import TYPES, TypeRef, type_info

Rows = Iterable[Row]
_LANGUAGES: Final = {12: "INTERNAL", 13: "C", 14: "SQL"}
_SQL: Final = 14
_MODES: Final = {"i": "IN", "o": "OUT", "b": "INOUT", "v": "IN", "t": "OUT"}
_KINDS: Final = {"f": "FUNCTION", "p": "PROCEDURE"}


# ---- routines


def _routines_of(view: Viewpoint) -> Iterator[tuple[str, Row]]:
    """(schema, pg_proc's row): those of users, then the built-in ones."""
    schemas = {schema.id: schema.name for schema in view.catalog.schemas}
    for row in procedures.rows(view):
        yield schemas[row["pronamespace"]], row
    for row in builtin_objects.procedures().values():
        yield schemas[row.get("pronamespace", builtin_objects.CATALOG)], row


def _specific(view: Viewpoint, schema: str, row: Row) -> Row:
    return {
        "specific_catalog": database_of(view),
        "specific_schema": schema,
        "specific_name": f"{row['proname']}_{row['oid']}",
    }


def _routines(view: Viewpoint) -> Rows:
    for schema, row in _routines_of(view):
        yield _specific(view, schema, row) | _routine(view, schema, row)


def _routine(view: Viewpoint, schema: str, row: Row) -> Row:
    sql = row["prolang"] == _SQL
    udt = _udt(view, row["prorettype"])
    return {
        "routine_catalog": database_of(view),
        "routine_schema": schema,
        "routine_name": row["proname"],
        "routine_type": _KINDS.get(row["prokind"]),
        "data_type": _words(row["prorettype"]),
        "type_udt_catalog": database_of(view),
        "type_udt_schema": udt["udt_schema"],
        "type_udt_name": udt["udt_name"],
        "dtd_identifier": "0",
        "routine_body": "SQL" if sql else "EXTERNAL",
        "routine_definition": row["proname"] if row["prosrc"] is None else row["prosrc"],
        "external_language": _LANGUAGES[row["prolang"]],
        "parameter_style": "GENERAL",
        "is_deterministic": yes_or_no(row["provolatile"] == "i"),
        "sql_data_access": "MODIFIES",
        "is_null_call": yes_or_no(row["proisstrict"]) if row["prokind"] == "f" else None,
        "schema_level_routine": "YES",
        "max_dynamic_result_sets": 0,
        "security_type": "INVOKER",
        "as_locator": "NO",
        "is_udt_dependent": "NO",
    }


def _words(oid: int) -> str:
    if oid in TYPES:
        return type_words(TypeRef(oid))
    return builtin_signatures.type_text(oid)


def _udt(view: Viewpoint, oid: int) -> Row:
    if oid in TYPES:
        return {"udt_catalog": database_of(view), **udt_of(view, TypeRef(oid))}
    name = builtin_signatures.type_text(oid)
    return {"udt_catalog": database_of(view), "udt_schema": "pg_catalog", "udt_name": name}


def _parameters(view: Viewpoint) -> Rows:
    for schema, row in _routines_of(view):
        specific = _specific(view, schema, row)
        for number, (type_, mode, name) in enumerate(builtin_signatures.parameters(row), 1):
            yield specific | {
                "ordinal_position": number,
                "parameter_mode": _MODES[mode],
                "is_result": "NO",
                "as_locator": "NO",
                "parameter_name": name or None,
                "data_type": _words(type_),
                **_udt(view, type_),
                "dtd_identifier": str(number),
                "parameter_default": _default(view, row, number),
            }


def _default(view: Viewpoint, row: Row, number: int) -> str | None:
    function = view.catalog.object_by_id(row["oid"])
    if function is None:
        return builtin_signatures.argument_default(row, number)
    given = function.arguments[number - 1 : number]
    return given[0].default if given else None


# ---- types


def _columns_of(view: Viewpoint) -> Iterator[tuple[Table | View, str, str, int, TypeRef, int]]:
    """(relation, its kind, column, number, type, domain)."""
    for table in view.catalog.tables:
        for column in table.visible_columns:
            yield table, "TABLE", column.name, column.number, column.type, column.domain_id
    for found in view.catalog.views:
        for number, viewed in enumerate(found.columns, 1):
            yield found, "VIEW", viewed.name, number, viewed.type, 0


def _elements(view: Viewpoint) -> Rows:
    for relation, kind, _, number, type_, _ in _columns_of(view):
        info = type_info(type_.oid)
        if info.category == "A" and info.element_oid:
            yield {
                "object_catalog": database_of(view),
                "object_schema": relation.schema,
                "object_name": relation.name,
                "object_type": kind,
                "collection_type_identifier": str(number),
                "data_type": _words(info.element_oid),
                **_udt(view, info.element_oid),
                "dtd_identifier": f"a{number}",
            }


def _domains(view: Viewpoint) -> Iterator[Domain]:
    return (one for one in view.catalog.types if isinstance(one, Domain))


def _domain_name(view: Viewpoint, domain: Domain) -> Row:
    return {
        "domain_catalog": database_of(view),
        "domain_schema": domain.schema,
        "domain_name": domain.name,
    }


def _domain_constraints(view: Viewpoint) -> Rows:
    for domain in _domains(view):
        for check in domain.checks:
            yield _domain_name(view, domain) | {
                "constraint_catalog": database_of(view),
                "constraint_schema": domain.schema,
                "constraint_name": check.name,
                "is_deferrable": "NO",
                "initially_deferred": "NO",
            }


def _domain_types(view: Viewpoint) -> Rows:
    for domain in _domains(view):
        yield _domain_name(view, domain) | _udt(view, domain.base.oid)


def _column_place(view: Viewpoint, relation: Any, column: str) -> Row:
    return {
        "table_catalog": database_of(view),
        "table_schema": relation.schema,
        "table_name": relation.name,
        "column_name": column,
    }


def _column_types(view: Viewpoint) -> Rows:
    for relation, _, name, _, type_, _ in _columns_of(view):
        yield _column_place(view, relation, name) | _udt(view, type_.oid)


def _column_domains(view: Viewpoint) -> Rows:
    for relation, _, name, _, _, domain_id in _columns_of(view):
        domain = view.catalog.object_by_id(domain_id) if domain_id else None
        if domain is not None:
            yield _domain_name(view, domain) | _column_place(view, relation, name)


# ---- what uses what


def _view_name(view: Viewpoint, found: View) -> Row:
    return {"view_catalog": database_of(view), "view_schema": found.schema, "view_name": found.name}


def _view_columns(view: Viewpoint) -> Rows:
    for found in view.catalog.views:
        for oid, number in sorted(found.depends_on_columns):
            relation = view.catalog.object_by_id(oid)
            if isinstance(relation, Table | View):
                column = relation.columns[number - 1].name
                yield _view_name(view, found) | _column_place(view, relation, column)


def _view_tables(view: Viewpoint) -> Rows:
    for found in view.catalog.views:
        for oid in found.depends_on:
            relation = view.catalog.object_by_id(oid)
            if isinstance(relation, Table | View):
                place = _column_place(view, relation, "")
                del place["column_name"]
                yield _view_name(view, found) | place


def _constraint_tables(view: Viewpoint) -> Rows:
    for table in view.catalog.tables:
        names = [(index.name, table) for index in objects.constraint_indexes(table)]
        names += [
            (key.name, view.catalog.table_by_id(key.referenced_table)) for key in table.foreign_keys
        ]
        for name, used in names:
            made = usage(view, used, name, 1) | {"constraint_schema": table.schema}
            del made["column_name"]
            yield made


# ---- what text is made of


def _character_sets(view: Viewpoint) -> Rows:
    yield {
        "character_set_name": "UTF8",
        "character_repertoire": "UCS",
        "form_of_use": "UTF8",
        "default_collate_catalog": database_of(view),
        "default_collate_schema": "pg_catalog",
        "default_collate_name": "C",
    }


def _collation_names() -> list[str]:
    return [row["collname"] for row in builtin_rows.FIXED["pg_catalog", "pg_collation"]()]


def _collation(view: Viewpoint, name: str) -> Row:
    return {
        "collation_catalog": database_of(view),
        "collation_schema": "pg_catalog",
        "collation_name": name,
    }


def _collations(view: Viewpoint) -> Rows:
    for name in _collation_names():
        yield _collation(view, name) | {"pad_attribute": "NO PAD"}


def _collation_sets(view: Viewpoint) -> Rows:
    for name in _collation_names():
        yield _collation(view, name) | {"character_set_name": "UTF8"}


FILLS: Final[dict[tuple[str, str], Callable[[Viewpoint], Rows]]] = {
    ("information_schema", name): fill
    for name, fill in {
        "routines": _routines,
        "parameters": _parameters,
        "element_types": _elements,
        "domain_constraints": _domain_constraints,
        "domain_udt_usage": _domain_types,
        "column_udt_usage": _column_types,
        "column_domain_usage": _column_domains,
        "view_column_usage": _view_columns,
        "view_table_usage": _view_tables,
        "constraint_table_usage": _constraint_tables,
        "character_sets": _character_sets,
        "collations": _collations,
        "collation_character_set_applicability": _collation_sets,
    }.items()
}
