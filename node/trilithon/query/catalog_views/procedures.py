"""pg_proc and what psql's \\df asks, for the functions of the catalog (built-in ones have no rows)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from trilithon.query.catalog.definitions import Function
from trilithon.query.catalog_views import objects
from trilithon.query.catalog_views.provider import Viewpoint
from trilithon.types.registry import type_name
from trilithon.types.values import ArrayValue

_SQL: Final = 14
_VOLATILITY: Final = {"i": "IMMUTABLE", "s": "STABLE", "v": "VOLATILE"}


def rows(view: Viewpoint) -> Iterable[dict[str, Any]]:
    for function in view.catalog.functions:
        names = [argument.name for argument in function.arguments]
        names += [column.name for column in function.columns]
        types = function.types
        modes = "i" * len(types) + ("t" if _is_table(function) else "o") * len(function.columns)
        every = (*types, *(column.type.oid for column in function.columns))
        yield {
            "oid": function.id,
            "proname": function.name,
            "pronamespace": function.schema_id,
            "proowner": objects.owner_oid(view.catalog, function.owner),
            "prolang": _SQL,
            "procost": 100.0,
            "prorows": 1000.0 if function.returns_set else 0.0,
            "provariadic": 0,
            "prokind": "f",
            "prosecdef": False,
            "proleakproof": False,
            "proisstrict": function.strict,
            "proretset": function.returns_set,
            "provolatile": function.volatility,
            "proparallel": "u",
            "pronargs": len(types),
            "proargdefaults": ", ".join(a.default for a in function.arguments if a.default) or None,
            "pronargdefaults": sum(a.default is not None for a in function.arguments),
            "prorettype": function.result.oid,
            "proargtypes": _vector(types),
            "proallargtypes": ArrayValue.of(every) if function.columns else None,
            "proargmodes": ArrayValue.of(modes) if function.columns else None,
            "proargnames": ArrayValue.of(names) if any(names) else None,
            "prosrc": "" if function.atomic else function.sql,
        }


def _vector(types: tuple[int, ...]) -> ArrayValue:
    return ArrayValue(types, (len(types),), (0,)) if types else ArrayValue((), (), ())


def _is_table(function: Function) -> bool:
    return bool(function.columns) and function.returns_set


def result_text(function: Function) -> str:
    """ "SETOF integer", "TABLE(a integer, b text)"."""
    if _is_table(function):
        columns = ", ".join(f"{c.name} {type_name(c.type)}" for c in function.columns)
        return f"TABLE({columns})"
    return ("SETOF " if function.returns_set else "") + type_name(function.result)


def identity_text(function: Function) -> str:
    parts = [_named(a.name, type_name(a.type)) for a in function.arguments]
    if not _is_table(function):
        parts += [f"OUT {_named(c.name, type_name(c.type))}" for c in function.columns]
    return ", ".join(parts)


def _named(name: str, type_: str) -> str:
    return f"{objects.quote(name)} {type_}" if name else type_


def arguments_text(function: Function) -> str:
    parts = [
        _named(argument.name, type_name(argument.type))
        + (f" DEFAULT {argument.default}" if argument.default is not None else "")
        for argument in function.arguments
    ]
    if not _is_table(function):
        parts += [f"OUT {_named(c.name, type_name(c.type))}" for c in function.columns]
    return ", ".join(parts)


def body_text(function: Function) -> str | None:
    return f"BEGIN ATOMIC\n {function.sql};\nEND" if function.atomic else None


def definition_text(function: Function) -> str:
    """pg_get_functiondef(): a statement that makes the function again."""
    name = f"{objects.quote(function.schema)}.{objects.quote(function.name)}"
    lines = [
        f"CREATE OR REPLACE FUNCTION {name}({arguments_text(function)})",
        f" RETURNS {result_text(function)}",
        " LANGUAGE sql",
    ]
    flags = "" if function.volatility == "v" else f" {_VOLATILITY[function.volatility]}"
    flags += " STRICT" if function.strict else ""
    if flags:
        lines.append(flags)
    if function.atomic:
        lines += ["BEGIN ATOMIC", f" {function.sql};", "END"]
    else:
        lines.append(f"AS $function${function.sql}$function$")
    return "\n".join(lines) + "\n"
