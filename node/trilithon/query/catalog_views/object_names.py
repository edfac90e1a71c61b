"""Names of catalog objects as values: regclass, regtype, regproc, regnamespace and their like."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog.definitions import Composite, Domain, Enum, Function, Table, View
from trilithon.query.catalog_views import builtin_objects, facts, functions, objects
from trilithon.query.parse.parser import parse_plain
from trilithon.types.registry import (
    BY_NAME,
    FIRST_USER_OID,
    REGCLASS,
    REGTYPE,
    TYPES,
    USER_ARRAY,
    USER_COMPOSITE,
    TypeRef,
    lookup_type,
    object_of,
    type_name,
)

_REGPROC: Final = 24
_REGPROCEDURE: Final = 2202
_REGOPER: Final = 2203
_REGOPERATOR: Final = 2204
_REGNAMESPACE: Final = 4089
_REGROLE: Final = 4096
_REGCOLLATION: Final = 4191
_COLLATIONS: Final = {"default": 100, "C": 950, "POSIX": 951}
KINDS: Final = frozenset(
    {
        _REGPROC,
        _REGPROCEDURE,
        _REGOPER,
        _REGOPERATOR,
        REGCLASS.oid,
        REGTYPE.oid,
        _REGNAMESPACE,
        _REGROLE,
        _REGCOLLATION,
    }
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
    if kind == _REGCOLLATION:
        return _collation(stripped)
    if kind in (_REGOPER, _REGOPERATOR):
        return _operator(catalog, path, kind, stripped)
    return _procedure(catalog, path, kind, stripped)


def _collation(text: str) -> int:
    parts = functions.split_name(text)
    if parts[-1] not in _COLLATIONS or parts[:-1] not in ([], ["pg_catalog"]):
        raise SqlError("42704", f'collation "{text}" for encoding "UTF8" does not exist')
    return _COLLATIONS[parts[-1]]


def _single(text: str) -> str:
    parts = functions.split_name(text)
    if len(parts) != 1:
        raise SqlError("42602", "invalid name syntax")
    return parts[0]


@lru_cache(maxsize=1024)
def _type_name(text: str) -> tuple[tuple[str, ...], bool]:
    """The parts of a type's name as the grammar reads them, and whether it is an array. Raises SqlError 42601."""
    statements = parse_plain(f"select null::{text}")
    body = statements[0].node.get("SelectStmt", {}) if len(statements) == 1 else {}
    targets = body.get("targetList", ())
    target = targets[0]["ResTarget"] if len(targets) == 1 else {}
    value = target.get("val", {}).get("TypeCast", {})
    named = value.get("typeName", {})
    plain = set(body) <= {"targetList", "limitOption", "op"} and "name" not in target
    if not plain or "A_Const" not in value.get("arg", {}) or not named or "setof" in named:
        raise SqlError("42601", f'invalid type name "{text}"')
    names = tuple(part["String"]["sval"] for part in named["names"])
    return names, "arrayBounds" in named


def _type(catalog: Any, path: tuple[str, ...], text: str) -> int:
    """Raises SqlError 42601, 42704, 3F000."""
    parts, array = _type_name(text)
    name, places = parts[-1], (parts[-2],) if len(parts) > 1 else path
    if len(parts) < 2 or parts[-2] == "pg_catalog":
        pseudo = _pseudo_types().get(name)
        if pseudo is not None and not array:
            return pseudo
        if name in BY_NAME:
            return int(lookup_type(name, (), array).oid)
    if len(parts) > 1 and parts[-2] != "pg_catalog":
        catalog.require_schema(parts[-2])
    row_type = catalog.find_row_type(places, name)
    if row_type is not None:
        oid = objects.row_type_oid(row_type)
        return oid | USER_ARRAY if array else oid
    found = catalog.find_type(places, name)
    if found is None or (array and isinstance(found, Domain)):
        raise SqlError("42704", f'type "{text}" does not exist')
    return int(found.id | USER_ARRAY if array else found.id)


@cache
def _pseudo_types() -> dict[str, int]:
    """Types that are in signatures and have no values here."""
    return {
        row["typname"]: row["oid"] for row in builtin_objects.types() if row["oid"] not in TYPES
    }


# A function's name may be any of several; its numbers and its arguments' types tell them apart.
_Candidates = list[tuple[int, tuple[int, ...]]]


def _procedures_named(catalog: Any, path: tuple[str, ...], parts: list[str]) -> _Candidates:
    """Those that the path finds; built-in ones first, as PostgreSQL has them."""
    found: _Candidates = []
    places = (parts[-2],) if len(parts) > 1 else path
    if len(parts) < 2 or parts[-2] == "pg_catalog":
        rows = facts_named("pg_proc", "proname").get(parts[-1], ())
        found += [(row["oid"], row["proargtypes"].items) for row in rows]
    rows = builtin_objects.procedures_named().get(parts[-1], ())
    found += [
        (row["oid"], row["proargtypes"].items) for row in rows if _is_own(catalog, row, places)
    ]
    taken = {types for _, types in found}
    found += [
        (function.id, function.types)
        for function in catalog.functions_named(places, parts[-1])
        if function.types not in taken
    ]
    return found


def _is_own(catalog: Any, row: Any, places: tuple[str, ...]) -> bool:
    """Functions that PostgreSQL has not."""
    schema = catalog.object_by_id(row["pronamespace"]) if "pronamespace" in row else None
    return schema is not None and schema.name in (*places, "pg_catalog")


@cache
def facts_named(table: str, column: str) -> dict[str, tuple[Any, ...]]:
    """PostgreSQL's built-in rows by name, those of what is missing here too: they make a name ambiguous."""
    made: dict[str, tuple[Any, ...]] = {}
    for row in facts.rows(table):
        made[row[column]] = (*made.get(row[column], ()), row)
    return made


def _types_in(catalog: Any, path: tuple[str, ...], text: str) -> list[int]:
    depth, parts = 0, [""]
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [_type(catalog, path, one.strip()) for one in parts if one.strip()]


def _procedure(catalog: Any, path: tuple[str, ...], kind: int, text: str) -> int:
    name_text, opened, rest = text.partition("(")
    if kind == _REGPROCEDURE and (not opened or not rest.endswith(")")):
        raise SqlError("22P02", "expected a left parenthesis")
    parts = functions.split_name((name_text if opened else text).strip())
    if len(parts) > 1:
        catalog.require_schema(parts[-2])
    found = _procedures_named(catalog, path, parts)
    if kind == _REGPROCEDURE:
        given = tuple(_types_in(catalog, path, rest[:-1]))
        found = [one for one in found if one[1] == given]
    if len(found) > 1:
        raise SqlError("42725", f'more than one function named "{text}"')
    if not found or not _is_there(catalog, found[0][0]):
        raise SqlError("42883", f'function "{text}" does not exist')
    return found[0][0]


def _is_there(catalog: Any, oid: int) -> bool:
    return oid in builtin_objects.procedures() or isinstance(catalog.object_by_id(oid), Function)


def _operator(catalog: Any, path: tuple[str, ...], kind: int, text: str) -> int:
    name, opened, rest = text.partition("(")
    name = name.strip().removeprefix("pg_catalog.")
    rows = facts_named("pg_operator", "oprname").get("<>" if name == "!=" else name, ())
    if kind == _REGOPERATOR:
        if not opened or not rest.endswith(")"):
            raise SqlError("22P02", "expected a left parenthesis")
        given = [part.strip() for part in rest[:-1].split(",")]
        if len(given) != 2:
            code, what = (
                ("42P02", "missing argument") if len(given) < 2 else ("54023", "too many arguments")
            )
            raise SqlError(
                code, what, hint="Use NONE to denote the missing argument of a unary operator."
            )
        types = [0 if one.lower() == "none" else _type(catalog, path, one) for one in given]
        rows = tuple(row for row in rows if [row["oprleft"], row["oprright"]] == types)
    if len(rows) > 1:
        raise SqlError("42725", f"more than one operator named {text}")
    if not rows or rows[0]["oid"] not in builtin_objects.operators():
        raise SqlError("42883", f"operator does not exist: {text}")
    return int(rows[0]["oid"])


def render(catalog: Any, path: tuple[str, ...], kind: int, oid: int) -> str:
    """What `oid` is called; an unknown one as its number."""
    if kind == REGCLASS.oid:
        return functions.class_name(catalog, path, oid)
    if oid == 0:
        return "0" if kind in (_REGOPER, _REGOPERATOR) else "-"
    if kind == _REGNAMESPACE:
        return next((objects.quote(s.name) for s in catalog.schemas if s.id == oid), str(oid))
    if kind == _REGROLE:
        return next((objects.quote(r.name) for r in catalog.roles if r.id == oid), str(oid))
    if kind == REGTYPE.oid:
        return _type_text(catalog, path, oid)
    if kind == _REGCOLLATION:
        return next(
            (objects.quote(n) for n, known in _COLLATIONS.items() if known == oid), str(oid)
        )
    if kind in (_REGOPER, _REGOPERATOR):
        return _operator_text(catalog, path, kind, oid)
    return _procedure_text(catalog, path, kind, oid)


def _operator_text(catalog: Any, path: tuple[str, ...], kind: int, oid: int) -> str:
    row = builtin_objects.operators().get(oid)
    if row is None:
        return str(oid)
    name = str(row["oprname"])
    if kind == _REGOPER:
        return (
            name if len(facts_named("pg_operator", "oprname")[name]) == 1 else f"pg_catalog.{name}"
        )
    sides = (row["oprleft"], row["oprright"])
    return f"{name}({','.join(_type_text(catalog, path, one) if one else 'NONE' for one in sides)})"


def _procedure_text(catalog: Any, path: tuple[str, ...], kind: int, oid: int) -> str:
    found = catalog.object_by_id(oid)
    row = builtin_objects.procedures().get(oid)
    if isinstance(found, Function):
        bare, schema, types = found.name, found.schema, found.types
    elif row is not None:
        owner = catalog.object_by_id(row.get("pronamespace", builtin_objects.CATALOG))
        bare, schema, types = row["proname"], owner.name, row["proargtypes"].items
    else:
        return str(oid)
    candidates = _procedures_named(catalog, path, [bare])
    name = objects.quote(bare)
    visible = (oid, types) in candidates
    if not visible or (kind == _REGPROC and len(candidates) > 1):
        name = f"{objects.quote(schema)}.{name}"
    if kind == _REGPROC:
        return name
    return f"{name}({','.join(_type_text(catalog, path, one) for one in types)})"


def _type_text(catalog: Any, path: tuple[str, ...], oid: int) -> str:
    found = catalog.object_by_id(oid & ~USER_ARRAY)
    if isinstance(found, Enum | Domain):
        name = objects.quote(found.name)
        if catalog.find_type(path, found.name) is not found:
            name = f"{objects.quote(found.schema)}.{name}"
        return name + ("[]" if oid & USER_ARRAY else "")
    if oid == 0:
        return "-"
    if oid in TYPES and oid < FIRST_USER_OID:
        return type_name(TypeRef(oid))
    names = {number: name for name, number in _pseudo_types().items()}
    return names.get(oid) or composite_text(catalog, path, oid) or str(oid)


def composite_text(catalog: Any, path: tuple[str, ...], oid: int) -> str | None:
    """The name of a row type or its array; None when it is none."""
    relation = _relation_of_type(catalog, oid)
    if relation is None:
        return None
    name = objects.quote(relation.name)
    if catalog.find_row_type(path, relation.name) is not relation:
        name = f"{objects.quote(relation.schema)}.{name}"
    return name + ("[]" if oid & USER_ARRAY else "")


def _relation_of_type(catalog: Any, oid: int) -> Any:
    if not oid & USER_COMPOSITE or oid >= 2 * USER_ARRAY:
        return None
    found = catalog.object_by_id(object_of(oid))
    return found if isinstance(found, Table | View | Composite) else None


def type_is_visible(catalog: Any, path: tuple[str, ...], oid: int) -> bool | None:
    """Of a type that users made, or a relation's; None: no type."""
    found = catalog.object_by_id(oid & ~USER_ARRAY)
    if isinstance(found, Enum | Domain):
        return catalog.find_type(path, found.name) is found
    relation = _relation_of_type(catalog, oid)
    return None if relation is None else catalog.find_row_type(path, relation.name) is relation
