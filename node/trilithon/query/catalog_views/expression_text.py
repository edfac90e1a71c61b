"""Stored expressions as PostgreSQL shows them: literals with their types, sequences as the path finds them.

Stored text is what was written, deparsed; casts that the analyser puts in are not shown, but for the
literal of a default.
"""

from __future__ import annotations

import re
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog.definitions import Column, Enum
from trilithon.query.catalog_views import functions, objects
from trilithon.types.registry import TypeRef, type_info, type_name

_LITERAL: Final = re.compile(r"'(?:[^']|'')*'")
_NEXTVAL: Final = re.compile(r"nextval\('((?:[^']|'')+)'::regclass\)")
# A literal of these is shown as it was written; others (dates, numbers) in their own spelling.
_AS_WRITTEN: Final = frozenset({25, 1042, 1043, 114})
_VALUE: Final = re.compile(r"""("[^"]*"|'[^']*')|\bvalue\b""")


def default_text(catalog: Any, column: Column, sql: str) -> str:
    """A default's text; a string literal with the column's type behind it."""
    if not _LITERAL.fullmatch(sql):
        return sql
    type_ = column.type
    named = catalog.object_by_id(type_.oid) if type_.oid not in _AS_WRITTEN else None
    if isinstance(named, Enum):
        return f"{sql}::{objects.quote(named.name)}"
    empty = sql in ("'{}'", "'[]'") and (type_.oid == 3802 or type_info(type_.oid).category == "A")
    if type_.oid in _AS_WRITTEN or empty:
        return f"{sql}::{type_name(TypeRef(type_.oid))}"
    return sql


def shown(catalog: Any, path: tuple[str, ...], text: str) -> str:
    """With names of sequences as short as the search path allows."""

    def name(match: re.Match[str]) -> str:
        try:
            oid = functions.regclass_of(catalog, path, match[1].replace("''", "'"))
        except SqlError:
            return match[0]
        found = functions.class_name(catalog, path, oid).replace("'", "''")
        return f"nextval('{found}'::regclass)"

    return _NEXTVAL.sub(name, text) if "nextval" in text else text


def domain_condition(sql: str) -> str:
    """VALUE is a key word."""
    return _VALUE.sub(lambda match: match[1] or "VALUE", sql)
