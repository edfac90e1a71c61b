"""Stored expressions as PostgreSQL shows them: literals with their types, sequences as the path finds them.

Stored text is what was written, deparsed; of the casts that the analyser puts in, only that of a default
which is one literal is shown.
"""

from __future__ import annotations

import re
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog.definitions import Column, Enum
from trilithon.query.catalog_views import functions, objects
from trilithon.types import text_io
from trilithon.types.registry import (
    BOOL,
    INT4,
    NUMERIC,
    TIMESTAMPTZ,
    TypeRef,
    type_info,
    type_name,
)

_LITERAL: Final = re.compile(r"'(?:[^']|'')*'")
_NEXTVAL: Final = re.compile(r"nextval\('((?:[^']|'')+)'::regclass\)")
_DECIMAL: Final = re.compile(r"\d+\.\d+")
_VALUE: Final = re.compile(r"""("[^"]*"|'[^']*')|\bvalue\b""")


def default_text(catalog: Any, column: Column, sql: str) -> str:
    """A default's text; a string literal in its type's own spelling, the type behind it."""
    if not _LITERAL.fullmatch(sql):
        return sql
    type_ = TypeRef(column.type.oid)
    named = catalog.object_by_id(type_.oid)
    if isinstance(named, Enum):
        return f"{sql}::{objects.quote(named.name)}"
    written = sql[1:-1].replace("''", "'")
    if type_ == TIMESTAMPTZ or (type_info(type_.oid).category == "D" and written[:1].isalpha()):
        # In the zone, or at the time, of whoever made the table.
        return sql
    try:
        text = text_io.render(type_, text_io.parse(type_, written))
    except SqlError:
        return sql
    if type_ == BOOL:
        return "true" if text == "t" else "false"
    if (type_ == INT4 and text.isdigit()) or (type_ == NUMERIC and _DECIMAL.fullmatch(text)):
        return text
    quoted = text.replace("'", "''")
    return f"'{quoted}'::{type_name(type_)}"


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
