"""Names of types, literals and values as PostgreSQL writes them."""

from __future__ import annotations

from typing import Any

from trilithon.query.catalog.definitions import Domain, Enum
from trilithon.query.catalog_views import functions
from trilithon.query.catalog_views.objects import quote
from trilithon.query.shown.nodes import Unshown
from trilithon.types import text_io
from trilithon.types.registry import (
    BPCHAR,
    FIRST_USER_OID,
    REGCLASS,
    REGTYPE,
    TYPES,
    TypeRef,
    element_type,
    is_array,
    type_name,
)


def literal(text: str) -> str:
    """With standard_conforming_strings, which is always on."""
    return "'" + text.replace("'", "''") + "'"


def type_text(
    catalog: Any, path: tuple[str, ...], type_: TypeRef, domain: Domain | None = None
) -> str:
    """With the schema of a user's type where the search path does not find it."""
    if domain is not None:
        return _named(catalog, path, domain)
    element = element_type(type_) if is_array(type_.oid) else type_
    if element.oid >= FIRST_USER_OID:
        found = catalog.object_by_id(element.oid)
        if isinstance(found, Domain | Enum):
            return _named(catalog, path, found) + ("[]" if is_array(type_.oid) else "")
    if element.oid == BPCHAR.oid and type_.typmod < 0:
        # `character` alone would be character(1).
        return "bpchar[]" if is_array(type_.oid) else "bpchar"
    return type_name(type_)


def _named(catalog: Any, path: tuple[str, ...], found: Domain | Enum) -> str:
    if catalog.find_type(path, found.name) is found:
        return quote(found.name)
    return f"{quote(found.schema)}.{quote(found.name)}"


def value_text(
    catalog: Any, path: tuple[str, ...], type_: TypeRef, value: Any, settings: Any
) -> str:
    """What the type's output function gives."""
    if type_.oid == REGCLASS.oid:
        return functions.class_name(catalog, path, value)
    if type_.oid == REGTYPE.oid:
        if value not in TYPES:
            raise Unshown("a type that is not here")
        return type_text(catalog, path, TypeRef(value))
    return text_io.render(type_, value, settings)
