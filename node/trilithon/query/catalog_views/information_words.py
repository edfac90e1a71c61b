"""What several views of information_schema say in the same way."""

from __future__ import annotations

from typing import Any

from trilithon.query.catalog_views.provider import Viewpoint
from trilithon.types.registry import FIRST_USER_OID, USER_ARRAY, TypeRef, type_info


def database_of(view: Viewpoint) -> str:
    name: str = getattr(view.session, "current_database", "postgres")
    return name


def yes_or_no(value: object) -> str:
    return "YES" if value else "NO"


def type_words(type_: TypeRef) -> str:
    info = type_info(type_.oid)
    if info.category == "A" and info.element_oid:
        return "ARRAY"
    return "USER-DEFINED" if type_.oid >= FIRST_USER_OID else info.sql_name


def udt_of(view: Viewpoint, type_: TypeRef) -> dict[str, Any]:
    found = None
    if type_.oid >= FIRST_USER_OID:
        found = view.catalog.object_by_id(type_.oid & ~USER_ARRAY)
    if found is None:
        return {"udt_schema": "pg_catalog", "udt_name": type_info(type_.oid).name}
    name = ("_" if type_.oid & USER_ARRAY else "") + found.name
    return {"udt_schema": found.schema, "udt_name": name}


def usage(view: Viewpoint, table: Any, constraint: str, number: int) -> dict[str, Any]:
    return {
        "constraint_catalog": database_of(view),
        "constraint_schema": table.schema,
        "constraint_name": constraint,
        "table_catalog": database_of(view),
        "table_schema": table.schema,
        "table_name": table.name,
        "column_name": table.columns[number - 1].name,
    }
