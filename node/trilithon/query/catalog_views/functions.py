"""Functions that look things up in the catalog: what psql and drivers call.

`EvalContext.session` gives `catalog` (the transaction's) and `search_path`. Registered when this module
is imported; a signature that somebody else has registered stays theirs.
"""

from __future__ import annotations

from typing import Any

from trilithon.core.errors import SqlError
from trilithon.expression.registry import VOLATILE, function
from trilithon.query.catalog.definitions import Domain, Sequence, Table, View
from trilithon.query.catalog_views import objects
from trilithon.query.catalog_views.registration import catalog_of
from trilithon.query.catalog_views.registration import constant as _constant
from trilithon.query.catalog_views.registration import path_of as _path
from trilithon.query.catalog_views.registration import registered as _registered
from trilithon.query.catalog_views.registration import stable as _stable
from trilithon.types.values import ArrayValue, RecordValue

# ---- definitions as text


def _viewpoint(context: Any, pretty: bool = False) -> Any:
    from trilithon.query.catalog_views import expression_text

    return expression_text.viewpoint(catalog_of(context), context.session, pretty, context.settings)


@_stable("pg_get_expr(pg_node_tree, oid) -> text")
def _expression(context: Any, text: str, relation: int) -> Any:
    return _expression_pretty(context, text, relation, False)


@_stable("pg_get_expr(pg_node_tree, oid, bool) -> text")
def _expression_pretty(context: Any, text: str, relation: int, pretty: bool) -> Any:
    table = catalog_of(context).table_by_id(relation)
    return _viewpoint(context, pretty).tree_text(text, table)


@_stable("pg_get_indexdef(oid) -> text")
def _index_definition(context: Any, oid: int) -> Any:
    return _index_column(context, oid, 0, False)


@_stable("pg_get_indexdef(oid, int4, bool) -> text")
def _index_column(context: Any, oid: int, column: int, pretty: bool) -> str | None:
    found = catalog_of(context).index_by_id(oid)
    if found is None:
        return None
    table, index = found
    view = _viewpoint(context, pretty)
    if column == 0:
        return objects.index_definition(view, table, index)
    if column <= len(index.columns):
        return objects.index_column_text(view, table, index.columns[column - 1])
    if column <= len(index.columns) + len(index.include):
        number = index.include[column - len(index.columns) - 1]
        return objects.quote(table.columns[number - 1].name)
    return ""


@_stable("pg_get_constraintdef(oid) -> text")
def _constraint_definition(context: Any, oid: int) -> Any:
    return _constraint_definition_pretty(context, oid, False)


@_stable("pg_get_constraintdef(oid, bool) -> text")
def _constraint_definition_pretty(context: Any, oid: int, pretty: bool) -> str | None:
    catalog = catalog_of(context)
    view = _viewpoint(context, pretty)
    found = catalog.index_by_id(oid)
    if found is not None:
        return objects.constraint_definition(*found)
    for table in catalog.tables:
        for check in table.checks:
            if objects.check_oid(table, check) == oid:
                return objects.check_definition(check, view.check(check.sql, table))
        for key in table.foreign_keys:
            if objects.foreign_key_oid(table, key) == oid:
                path = _path(context)
                return objects.foreign_key_definition(catalog, path, table, key)
    for domain in catalog.types:
        for check in domain.checks if isinstance(domain, Domain) else ():
            if objects.domain_check_oid(domain, check) == oid:
                return objects.check_definition(check, view.domain_check(domain, check.sql))
    return None


@_stable("pg_partition_ancestors(regclass) -> setof regclass")
def _partition_ancestors(context: Any, oid: int) -> list[int]:
    """No table is a partition."""
    return []


@_stable("pg_get_viewdef(oid) -> text")
def _view_definition(context: Any, oid: int) -> str | None:
    found = catalog_of(context).object_by_id(oid)
    return f" {found.sql};" if isinstance(found, View) else None


@_stable("pg_get_viewdef(oid, bool) -> text")
def _view_definition_pretty(context: Any, oid: int, pretty: bool) -> Any:
    return _view_definition(context, oid)


@_stable("pg_get_userbyid(oid) -> name")
def _user_by_id(context: Any, oid: int) -> str:
    for role in catalog_of(context).roles:
        if role.id == oid:
            return str(role.name)
    return f"unknown (OID={oid})"


@_stable("pg_get_serial_sequence(text, text) -> text")
def _serial_sequence(context: Any, table_name: str, column_name: str) -> str | None:
    catalog = catalog_of(context)
    found = relation_by_text(catalog, _path(context), table_name)
    if not isinstance(found, Table):
        raise SqlError("42P01", f'relation "{table_name}" does not exist')
    column = found.column(column_name)
    if column is None:
        raise SqlError("42703", f'column "{column_name}" of relation "{found.name}" does not exist')
    owned = found.id, column.number
    sequence = next(
        (one for one in catalog.sequences if (one.owned_by_table, one.owned_by_column) == owned),
        None,
    )
    if sequence is None:
        return None
    return f"{objects.quote(sequence.schema)}.{objects.quote(sequence.name)}"


# ---- visibility, comments


@_stable("pg_table_is_visible(oid) -> bool")
def _table_is_visible(context: Any, oid: int) -> bool | None:
    catalog = catalog_of(context)
    found = catalog.object_by_id(oid)
    name, schema = "", ""
    if found is not None and hasattr(found, "schema"):
        name, schema = found.name, found.schema
    else:
        index = catalog.index_by_id(oid)
        if index is not None:
            name, schema = index[1].name, index[0].schema
        else:
            virtual = virtual_by_oid(oid)
            return None if virtual is None else virtual.schema == "pg_catalog"
    for place in _path(context):
        if catalog.relation((place,), name) is not None:
            return bool(place == schema)
    return False


def virtual_by_oid(oid: int) -> Any:
    from trilithon.query.catalog_views.relations import RELATIONS

    return next((relation for relation in RELATIONS.values() if relation.oid == oid), None)


# ---- what has no counterpart here, and what anybody may do


_constant("pg_relation_is_publishable(regclass) -> bool", True)
_constant("pg_get_statisticsobjdef_columns(oid) -> text", None)


_constant("pg_get_partkeydef(oid) -> text", None)
_constant("pg_tablespace_location(oid) -> text", "")
_constant("pg_get_ruledef(oid) -> text", None)
_constant("pg_get_ruledef(oid, bool) -> text", None)
_constant("pg_get_triggerdef(oid) -> text", None)
_constant("pg_get_triggerdef(oid, bool) -> text", None)
# ---- information_schema's own


@_stable("_pg_expandarray(int2vector) -> setof record")
def _expand_array(context: Any, vector: ArrayValue) -> list[RecordValue]:
    """(x smallint, n integer): an item of the vector, and its number from 1."""
    return [RecordValue.of((item, number), (21, 23)) for number, item in enumerate(vector.items, 1)]


@_stable("_pg_record_field(record, int4) -> int4")
def _record_field(context: Any, record: RecordValue, number: int) -> Any:
    return record[number - 1]


# ---- names and oids


def split_name(text: str) -> list[str]:
    """The parts of a qualified name, as textToQualifiedNameList() takes them. SqlError 42602."""
    parts: list[str] = []
    at = 0
    while True:
        if at < len(text) and text[at] == '"':
            part, at = _quoted(text, at + 1)
        else:
            end = text.find(".", at)
            end = len(text) if end < 0 else end
            part, at = text[at:end].strip().lower(), end
        if not part:
            raise SqlError("42602", "invalid name syntax")
        parts.append(part)
        if at >= len(text):
            return parts
        if text[at] != ".":
            raise SqlError("42602", "invalid name syntax")
        at += 1


def _quoted(text: str, at: int) -> tuple[str, int]:
    part = ""
    while at < len(text):
        if text[at] == '"':
            if text[at + 1 : at + 2] != '"':
                return part, at + 1
            at += 1
        part += text[at]
        at += 1
    raise SqlError("42602", "invalid name syntax")


def relation_by_text(catalog: Any, path: tuple[str, ...], text: str) -> Any:
    """A stored relation, a (table, index) or a virtual relation; None."""
    from trilithon.query.catalog_views.relations import RELATIONS

    parts = split_name(text)
    places = (parts[-2],) if len(parts) > 1 else ("pg_catalog", *path)
    for place in places:
        virtual = RELATIONS.get((place, parts[-1]))
        if virtual is not None:
            return virtual
        found = catalog.relation((place,), parts[-1])
        if found is not None:
            return found
    return None


def oid_of(found: Any) -> int:
    if isinstance(found, tuple):
        return int(found[1].id)
    return int(getattr(found, "id", 0) or getattr(found, "oid", 0))


def regclass_of(catalog: Any, path: tuple[str, ...], text: str) -> int:
    """SqlError 42P01."""
    stripped = text.strip()
    if stripped.isdigit():
        return int(stripped)
    if stripped == "-":
        return 0
    found = relation_by_text(catalog, path, stripped)
    if found is None and '"' not in stripped and len(stripped.split()) > 1:
        raise SqlError("42602", "invalid name syntax")
    if found is None:
        raise SqlError("42P01", f'relation "{text}" does not exist')
    return oid_of(found)


def regclass_text(context: Any, oid: int) -> str:
    return class_name(catalog_of(context), _path(context), oid)


def class_name(catalog: Any, path: tuple[str, ...], oid: int) -> str:
    """A relation's name, with its schema where the path does not find it; an unknown oid as it is."""
    if oid == 0:
        return "-"
    found = catalog.object_by_id(oid)
    if isinstance(found, Table | View | Sequence):
        return objects.qualified(catalog, path, found)
    index = catalog.index_by_id(oid)
    if index is not None:
        return objects.qualified(catalog, path, index[0], index[1].name)
    virtual = virtual_by_oid(oid)
    if virtual is None:
        return str(oid)
    return (
        str(virtual.name) if virtual.schema == "pg_catalog" else f"{virtual.schema}.{virtual.name}"
    )


# ---- sequences and jobs: the values come from operators (plan.subqueries), these are their signatures


def _never(*arguments: Any) -> Any:
    raise SqlError(
        "0A000",
        "nextval(), setval(), pg_sleep() and wait_for_job() are not supported in this place",
    )


for _signature in (
    "nextval(regclass) -> int8",
    "setval(regclass, int8) -> int8",
    "setval(regclass, int8, bool) -> int8",
    "wait_for_job(uuid) -> bool",
    "wait_for_job(text) -> bool",
    "pg_sleep(float8) -> void",
    "pg_sleep_for(interval) -> void",
    "pg_sleep_until(timestamptz) -> void",
):
    if not _registered(_signature):
        function(_signature, volatility=VOLATILE)(_never)


def _session_values(context: Any) -> dict[int, int]:
    from trilithon.query.execute.sequences import values_of

    return values_of(context.session)


@_stable("currval(regclass) -> int8")
def _currval(context: Any, oid: int) -> int:
    values = _session_values(context)
    if oid not in values:
        name = regclass_text(context, oid)
        raise SqlError("55000", f'currval of sequence "{name}" is not yet defined in this session')
    return values[oid]


@_stable("lastval() -> int8")
def _lastval(context: Any) -> int:
    values = _session_values(context)
    if not values:
        raise SqlError("55000", "lastval is not yet defined in this session")
    return next(reversed(values.values()))
