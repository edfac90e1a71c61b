"""The rows of the catalogs that are always there: built-in objects, and the catalogs themselves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import cache
from typing import Final

from trilithon.query.catalog_views import builtin_objects, columns, facts, objects
from trilithon.query.catalog_views.builtin_objects import CATALOG, fixed_rows
from trilithon.query.catalog_views.provider import Row

Rows = Iterable[Row]
_INFORMATION_SCHEMA: Final = 13000
_SYS: Final = 13001
_SCHEMAS: Final = {"pg_catalog": CATALOG, "information_schema": _INFORMATION_SCHEMA, "sys": _SYS}
_ADMIN: Final = 10
# The catalogs' own texts are sorted by bytes.
_C: Final = 950
_NODE_TREE: Final = 194


def _types() -> Rows:
    common = {"typisdefined": True, "typtypmod": -1}
    for row in fixed_rows(builtin_objects.types(), "typnamespace", "typowner"):
        yield common | row


def _procedures() -> Rows:
    for row in fixed_rows(builtin_objects.procedures().values(), "pronamespace", "proowner"):
        made = row | {"pronargs": len(row["proargtypes"].items)}
        made["prosrc"] = row["proname"] if row["prosrc"] is None else row["prosrc"]
        yield made


def _operators() -> Rows:
    return fixed_rows(builtin_objects.operators().values(), "oprnamespace", "oprowner")


def _classes() -> Rows:
    for one in columns.described():
        yield {
            "oid": one.oid,
            "relname": one.name,
            "relnamespace": _SCHEMAS[one.schema],
            "relowner": _ADMIN,
            "relam": objects.HEAP_AM if one.kind == "r" else 0,
            "relpersistence": "p",
            "relkind": one.kind,
            "relnatts": len(one.columns),
            "relhasrules": one.kind == "v",
            "relreplident": "n",
            "relispopulated": True,
            "reltuples": -1.0 if one.kind == "v" else 0.0,
        }


def _attributes() -> Rows:
    from trilithon.query.catalog_views.pg_catalog import attribute

    for one in columns.described():
        for number, (name, type_, nullable) in enumerate(one.columns, 1):
            row = attribute(one.oid, number, name, type_) | {"attnotnull": not nullable}
            if one.kind == "r" and (row["attcollation"] or type_.oid == _NODE_TREE):
                row["attcollation"] = _C
            yield row


def _access_methods() -> Rows:
    yield {"oid": objects.HEAP_AM, "amname": "heap", "amhandler": 3, "amtype": "t"}
    yield {"oid": objects.BTREE_AM, "amname": "btree", "amhandler": 330, "amtype": "i"}


def _languages() -> Rows:
    for oid, name, trusted, validator in (
        (12, "internal", False, 2246),
        (13, "c", False, 2247),
        (14, "sql", True, 2248),
    ):
        yield {
            "oid": oid,
            "lanname": name,
            "lanowner": _ADMIN,
            "lanpltrusted": trusted,
            "lanvalidator": validator,
        }


def _collations() -> Rows:
    for oid, name in ((100, "default"), (950, "C"), (951, "POSIX")):
        yield {
            "oid": oid,
            "collname": name,
            "collnamespace": CATALOG,
            "collowner": _ADMIN,
            "collprovider": "d" if oid == 100 else "c",
            "collisdeterministic": True,
            "collencoding": -1,
            "collcollate": None if oid == 100 else name,
            "collctype": None if oid == 100 else name,
        }


def _tablespaces() -> Rows:
    yield {"oid": 1663, "spcname": "pg_default", "spcowner": _ADMIN}
    yield {"oid": 1664, "spcname": "pg_global", "spcowner": _ADMIN}


def _table_list() -> Rows:
    for one in columns.described():
        if one.kind == "r":
            yield {
                "schemaname": one.schema,
                "tablename": one.name,
                "tableowner": "admin",
                "hasindexes": False,
                "hasrules": False,
                "hastriggers": False,
                "rowsecurity": False,
            }


def _view_list() -> Rows:
    """Without definitions: these are computed by no query."""
    for one in columns.described():
        if one.kind == "v":
            yield {"schemaname": one.schema, "viewname": one.name, "viewowner": "admin"}


def _descriptions() -> Rows:
    for class_, oid, text in descriptions():
        yield {"objoid": oid, "classoid": class_, "description": text}


@cache
def descriptions() -> tuple[tuple[int, int, str], ...]:
    """(class, object, text) of the built-in objects that are listed."""
    listed: dict[int, Collection[int]] = {
        1255: builtin_objects.procedures(),
        2617: builtin_objects.operators(),
        1247: {row["oid"] for row in builtin_objects.types()},
        2601: {row["oid"] for row in _access_methods()},
        2612: {row["oid"] for row in _languages()},
        3456: {row["oid"] for row in _collations()},
    }
    return tuple(
        (row["classoid"], row["objoid"], row["description"])
        for row in facts.rows("pg_description")
        if row["objoid"] in listed[row["classoid"]]
    )


def _classes_of_operators() -> Rows:
    return fixed_rows(builtin_objects.operator_classes(), "opcnamespace", "opcowner")


def _families() -> Rows:
    return fixed_rows(builtin_objects.operator_families(), "opfnamespace", "opfowner")


_TABLES: Final[dict[str, Callable[[], Rows]]] = {
    "pg_am": _access_methods,
    "pg_aggregate": builtin_objects.aggregates,
    "pg_amop": builtin_objects.family_operators,
    "pg_amproc": builtin_objects.support_procedures,
    "pg_attribute": _attributes,
    "pg_cast": builtin_objects.casts,
    "pg_class": _classes,
    "pg_collation": _collations,
    "pg_description": _descriptions,
    "pg_language": _languages,
    "pg_opclass": _classes_of_operators,
    "pg_operator": _operators,
    "pg_opfamily": _families,
    "pg_proc": _procedures,
    "pg_tables": _table_list,
    "pg_tablespace": _tablespaces,
    "pg_type": _types,
    "pg_views": _view_list,
}
FIXED: Final = {("pg_catalog", name): rows for name, rows in _TABLES.items()}
