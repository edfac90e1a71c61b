"""Names of catalog objects as values: regclass, regtype, regproc, regnamespace and their like."""

from __future__ import annotations

import re
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.registry import FUNCTIONS
from trilithon.query.catalog.definitions import Domain, Enum, Function
from trilithon.query.catalog_views import functions, objects
from trilithon.query.catalog_views.type_facts import PROCEDURE_NAMES, PROCEDURES
from trilithon.types.registry import (
    REGCLASS,
    REGTYPE,
    TYPES,
    USER_ARRAY,
    TypeRef,
    lookup_type,
    type_name,
)

_MODIFIER: Final = re.compile(r"\([^)]*\)")
_REGPROC: Final = 24
_REGPROCEDURE: Final = 2202
_REGNAMESPACE: Final = 4089
_REGROLE: Final = 4096
# Types that have names in PostgreSQL and no values here; clients compare oids with them.
_TYPES_BY_NAME_ONLY: Final = {
    "trigger": 2279,
    "language_handler": 2280,
    "internal": 2281,
    "event_trigger": 3838,
    "fdw_handler": 3115,
    "index_am_handler": 325,
    "anyrange": 3831,
}
KINDS: Final = frozenset(
    {_REGPROC, _REGPROCEDURE, REGCLASS.oid, REGTYPE.oid, _REGNAMESPACE, _REGROLE}
)


def resolve(catalog: Any, path: tuple[str, ...], kind: int, text: str) -> int:
    """The oid of what `text` names. Raises SqlError (42P01, 42704, 42883, 3F000, 42725, 42602)."""
    stripped = text.strip()
    if stripped == "-":
        return 0
    if stripped.isdigit():
        return int(stripped)
    if kind == REGCLASS.oid:
        return functions.regclass_of(catalog, path, text)
    if kind == REGTYPE.oid:
        return _type(catalog, path, stripped)
    if kind == _REGNAMESPACE:
        return int(catalog.require_schema(_single(stripped)).id)
    if kind == _REGROLE:
        role = catalog.role(_single(stripped))
        if role is None:
            raise SqlError("42704", f'role "{_single(stripped)}" does not exist')
        return int(role.id)
    return _procedure(catalog, path, kind, stripped)


def _single(text: str) -> str:
    parts = functions.split_name(text)
    if len(parts) != 1:
        raise SqlError("42602", "invalid name syntax")
    return parts[0]


def _type(catalog: Any, path: tuple[str, ...], text: str) -> int:
    array = text.endswith("[]")
    parts = functions.split_name(text.removesuffix("[]")) if '"' in text or "." in text else []
    name = parts[-1] if parts else text.removesuffix("[]").lower()
    if len(parts) < 2 or parts[-2] == "pg_catalog":
        if name in _TYPES_BY_NAME_ONLY and not array:
            return _TYPES_BY_NAME_ONLY[name]
        try:
            return int(lookup_type(" ".join(_MODIFIER.sub(" ", name).split()), (), array).oid)
        except SqlError:
            pass
    found = catalog.find_type((parts[-2],) if len(parts) > 1 else path, name)
    if found is None or (array and isinstance(found, Domain)):
        raise SqlError("42704", f'type "{text}" does not exist')
    return int(found.id | USER_ARRAY if array else found.id)


def _procedure(catalog: Any, path: tuple[str, ...], kind: int, text: str) -> int:
    name_text, opened, rest = text.partition("(")
    parts = functions.split_name(name_text.strip())
    known = catalog.functions_named((parts[-2],) if len(parts) > 1 else path, parts[-1])
    if kind == _REGPROCEDURE:
        if not opened or not rest.endswith(")"):
            raise SqlError("22P02", "expected a left parenthesis")
        given = [_type(catalog, path, one.strip()) for one in rest[:-1].split(",") if one.strip()]
        known = [function for function in known if list(function.types) == given]
    if len(known) > 1:
        raise SqlError("42725", f'more than one function named "{text}"')
    if known:
        return int(known[0].id)
    if parts[-1] in PROCEDURES:
        return PROCEDURES[parts[-1]]
    if any(key.partition("(")[0] == parts[-1] for key in FUNCTIONS):
        raise SqlError("0A000", f'the oid of the built-in function "{text}" is not known here')
    raise SqlError("42883", f'function "{text}" does not exist')


def render(catalog: Any, path: tuple[str, ...], kind: int, oid: int) -> str:
    """What `oid` is called; an unknown one as its number."""
    if kind == REGCLASS.oid:
        return functions.class_name(catalog, path, oid)
    if oid == 0:
        return "-"
    if kind == _REGNAMESPACE:
        return next((objects.quote(s.name) for s in catalog.schemas if s.id == oid), str(oid))
    if kind == _REGROLE:
        return next((objects.quote(r.name) for r in catalog.roles if r.id == oid), str(oid))
    if kind == REGTYPE.oid:
        return _type_text(catalog, path, oid)
    found = catalog.object_by_id(oid)
    if not isinstance(found, Function):
        return PROCEDURE_NAMES.get(oid, str(oid))
    visible = catalog.functions_named(path, found.name)
    name = objects.quote(found.name)
    if found not in visible or (kind == _REGPROC and len(visible) > 1):
        name = f"{objects.quote(found.schema)}.{name}"
    if kind == _REGPROC:
        return name
    return f"{name}({','.join(type_name(TypeRef(one)) for one in found.types)})"


def _type_text(catalog: Any, path: tuple[str, ...], oid: int) -> str:
    found = catalog.object_by_id(oid & ~USER_ARRAY)
    if isinstance(found, Enum | Domain):
        name = objects.quote(found.name)
        if catalog.find_type(path, found.name) is not found:
            name = f"{objects.quote(found.schema)}.{name}"
        return name + ("[]" if oid & USER_ARRAY else "")
    if oid in TYPES:
        return type_name(TypeRef(oid))
    names = {number: name for name, number in _TYPES_BY_NAME_ONLY.items()}
    return names.get(oid, str(oid))
