"""Verdicts in the words of SQL: which table, which key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trilithon.core.errors import SqlError
from trilithon.query.catalog.definitions import FIRST_USER_STORAGE_ID, Index, Schema, Table
from trilithon.query.catalog.system_tables import NAMES, OBJECTS, is_catalog_key
from trilithon.types import text_io
from trilithon.types.keys import PREFIX_BYTES, MalformedKey, decode_columns, split_prefix
from trilithon.types.registry import INT8, TEXT, TypeRef
from trilithon.types.settings import IoSettings

if TYPE_CHECKING:
    from trilithon.query.catalog.catalog import Catalog
    from trilithon.v1.adjudicator_pb2 import Verdict

DATA_CONFLICT = "change conflicts with another transaction (OC000)"
CATALOG_CONFLICT = "schema has been updated by another transaction (OC001)"
_HINT = "The transaction might succeed if retried."


def abort_error(verdict: Verdict, catalog: Catalog) -> SqlError:
    """What the client sees of an "aborted"."""
    told = verdict.error
    key = verdict.conflict_key
    if key and is_catalog_key(key):
        message = CATALOG_CONFLICT
    else:
        message = told.message or DATA_CONFLICT
    detail = describe_key(key, catalog) if key else told.detail
    table = _table_of(key, catalog)
    return SqlError(
        told.sqlstate or "40001",
        message,
        detail=detail,
        hint=told.hint or _HINT,
        schema=table.schema if table else "",
        table=table.name if table else "",
    )


def describe_key(key: bytes, catalog: Catalog) -> str:
    """For example: table "accounts", key (account_id)=(7)."""
    if len(key) < PREFIX_BYTES:
        return f"key {key.hex()}"
    table_id, index_id = split_prefix(key)
    try:
        if table_id < FIRST_USER_STORAGE_ID:
            return _describe_system_key(table_id, key, catalog)
        table = catalog.table_by_storage_id(table_id)
        if table is not None:
            return f'table "{table.name}", {_describe_row_key(table, index_id, key)}'
    except (MalformedKey, SqlError, ValueError):
        pass
    return f"table {table_id}, index {index_id}, key {key[PREFIX_BYTES:].hex()}"


def describe_values(table: Table, index: Index, values: list[Any]) -> str:
    """PostgreSQL's form: (a, b)=(1, x)."""
    names = [
        table.columns[column.number - 1].name if column.number else (column.expression or "")
        for column in index.columns
    ]
    shown = [
        render(column.type, value) for column, value in zip(index.columns, values, strict=True)
    ]
    return f"({', '.join(names)})=({', '.join(shown)})"


def render(ref: TypeRef, value: Any) -> str:
    return "null" if value is None else text_io.render(ref, value, _SETTINGS)


_SETTINGS = IoSettings()


def _table_of(key: bytes, catalog: Catalog) -> Table | None:
    if len(key) < PREFIX_BYTES:
        return None
    return catalog.table_by_storage_id(split_prefix(key)[0])


def _describe_row_key(table: Table, index_id: int, key: bytes) -> str:
    index = table.clustered if index_id == 0 else table.index_by_id(index_id)
    if index is None:
        return f"row {key[PREFIX_BYTES:].hex()}" if index_id == 0 else f"index {index_id}"
    values = decode_columns(index.types, key, index.descending, index.nulls_first, PREFIX_BYTES)
    return f"key {describe_values(table, index, values)}"


def _describe_system_key(table_id: int, key: bytes, catalog: Catalog) -> str:
    if table_id == OBJECTS:
        (object_id,) = decode_columns((INT8,), key, start=PREFIX_BYTES)
        found = catalog.object_by_id(object_id)
        if found is None:
            return f"object {object_id}"
        kind = "schema" if isinstance(found, Schema) else type(found).__name__.lower()
        return f'{kind} "{found.name}"'
    if table_id == NAMES:
        _, _, name = decode_columns((TEXT, INT8, TEXT), key, start=PREFIX_BYTES)
        return f'name "{name}"'
    return f"system table {table_id}"
