"""Built-in functions as text: arguments, results, definitions, as PostgreSQL's ruleutils.c writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog_views import builtin_objects, facts, objects
from trilithon.query.catalog_views.facts import Fact
from trilithon.types.registry import TYPES, TypeRef, type_name

_VOLATILITY: Final = {"i": " IMMUTABLE", "s": " STABLE", "v": ""}
_PARALLEL: Final = {"s": " PARALLEL SAFE", "r": " PARALLEL RESTRICTED", "u": ""}
_LANGUAGES: Final = {12: "internal", 13: "c", 14: "sql"}
_SQL: Final = 14
_MODES: Final = {"i": "", "o": "OUT ", "b": "INOUT ", "v": "VARIADIC "}


def type_text(oid: int) -> str:
    """A type's name; pseudo-types have no values here and names all the same."""
    if oid in TYPES:
        return type_name(TypeRef(oid))
    row = facts.by_oid("pg_type").get(oid)
    if row is None:
        return "???"
    element = facts.by_oid("pg_type").get(row["typelem"])
    return (
        f"{element['typname']}[]" if element and row["typcategory"] == "A" else str(row["typname"])
    )


def _items(value: Any) -> Sequence[Any]:
    return () if value is None else value.items


def _defaults(row: Fact) -> list[str]:
    """One expression for each of the last input arguments."""
    text = row["proargdefaults"]
    if not text:
        return []
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def parameters(row: Fact) -> list[tuple[int, str, str]]:
    """(type, mode, name) of each."""
    types = _items(row["proallargtypes"]) or row["proargtypes"].items
    modes = _items(row["proargmodes"]) or _plain_modes(row)
    names = _items(row["proargnames"]) or ("",) * len(types)
    return list(zip(types, modes, names, strict=True))


def arguments_text(row: Fact, *, defaults: bool) -> str:
    """pg_get_function_arguments(), or without defaults pg_get_function_identity_arguments()."""
    expressions = _defaults(row) if defaults else []
    without = len(row["proargtypes"].items) - len(expressions)
    parts: list[str] = []
    inputs = 0
    for type_, mode, name in parameters(row):
        is_input = mode in "ibv"
        inputs += is_input
        if mode == "t":
            continue
        text = _MODES[mode] + (f"{objects.quote(name)} " if name else "") + type_text(type_)
        if is_input and inputs > without:
            text += f" DEFAULT {expressions[inputs - without - 1]}"
        parts.append(text)
    return _with_order(row, parts)


def _plain_modes(row: Fact) -> str:
    count = len(row["proargtypes"].items)
    return "i" * (count - 1) + "v" if row.get("provariadic") else "i" * count


def _with_order(row: Fact, parts: list[str]) -> str:
    """Ordered-set aggregates: direct arguments ORDER BY aggregated ones."""
    aggregate = facts.by_oid("pg_aggregate", "aggfnoid").get(row["oid"])
    if aggregate is None or aggregate["aggkind"] == "n":
        return ", ".join(parts)
    direct = aggregate["aggnumdirectargs"]
    # The one VARIADIC "any" stands for both.
    ordered = parts[direct:] or parts[-1:]
    return f"{', '.join(parts[:direct])} ORDER BY {', '.join(ordered)}".lstrip()


def result_text(row: Fact) -> str:
    modes, names = _items(row["proargmodes"]), _items(row["proargnames"])
    if "t" in modes:
        columns = ", ".join(
            f"{objects.quote(name)} {type_text(type_)}"
            for type_, mode, name in zip(row["proallargtypes"].items, modes, names, strict=True)
            if mode == "t"
        )
        return f"TABLE({columns})"
    return ("SETOF " if row.get("proretset") else "") + type_text(row["prorettype"])


def argument_default(row: Fact, number: int) -> str | None:
    """pg_get_function_arg_default(): of the argument with that number among all, from 1."""
    modes = _items(row["proargmodes"]) or _plain_modes(row)
    if not 1 <= number <= len(modes) or modes[number - 1] not in "ibv":
        return None
    place = sum(mode in "ibv" for mode in modes[:number])
    expressions = _defaults(row)
    at = place - 1 - (len(row["proargtypes"].items) - len(expressions))
    return expressions[at] if 0 <= at < len(expressions) else None


def definition_text(row: Fact, schema: str) -> str:
    """pg_get_functiondef(). Raises SqlError 42809 for an aggregate."""
    if row["prokind"] == "a":
        raise SqlError("42809", f'"{row["proname"]}" is an aggregate function')
    language = _LANGUAGES[row["prolang"]]
    flags = " WINDOW" if row["prokind"] == "w" else ""
    flags += _VOLATILITY[row["provolatile"]] + _PARALLEL[row["proparallel"]]
    flags += " STRICT" if row["proisstrict"] else ""
    flags += " LEAKPROOF" if row.get("proleakproof") else ""
    usual = 100 if row["prolang"] == _SQL else 1
    flags += f" COST {row['procost']:g}" if row["procost"] != usual else ""
    if row.get("proretset") and row["prorows"] != 1000:
        flags += f" ROWS {row['prorows']:g}"
    support = builtin_objects.procedures().get(row.get("prosupport", 0))
    flags += f" SUPPORT {support['proname']}" if support else ""
    name = f"{schema}.{objects.quote(row['proname'])}"
    lines = [
        f"CREATE OR REPLACE FUNCTION {name}({arguments_text(row, defaults=True)})",
        f" RETURNS {result_text(row)}",
        f" LANGUAGE {language}",
        *([flags] if flags else []),
        row.get("prosqlbody") or f"AS $function${row['prosrc'] or row['proname']}$function$",
    ]
    return "\n".join(lines) + "\n"
