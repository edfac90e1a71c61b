"""What of PostgreSQL's built-in objects exists here: functions, operators, casts, aggregates, types.

The function registry says what there is, `facts` what PostgreSQL calls and numbers it. A function is listed
when it can be called, or when something that is listed names it (the function behind an operator, a type's
input): every reference leads to a row. What has no counterpart in PostgreSQL has a number from 9000 on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final

from trilithon.expression.registry import (
    AGGREGATES,
    CASTS,
    FUNCTIONS_BY_NAME,
    OPERATORS_BY_NAME,
    Aggregate,
    Function,
)
from trilithon.query.catalog_views import facts
from trilithon.query.catalog_views.facts import Fact
from trilithon.types.registry import TYPES, array_type, type_info
from trilithon.types.registry import TypeRef as Ref

CATALOG: Final = 11
_SYS: Final = 13001
_ANY: Final = 2276
# What a variadic argument's array is called, where its elements are polymorphic.
_ARRAYS_OF: Final = {2283: 2277, 5077: 5078}
# Called by name, with signatures that the analyser knows by itself.
_WINDOW_FUNCTIONS: Final = frozenset(
    {
        "row_number",
        "rank",
        "dense_rank",
        "percent_rank",
        "cume_dist",
        "ntile",
        "lag",
        "lead",
        "first_value",
        "last_value",
        "nth_value",
    }
)
_BY_NAME: Final = frozenset(
    {"json_to_record", "jsonb_to_record", "json_to_recordset", "jsonb_to_recordset", "row_to_json"}
)
# What user types' rows name, the access methods and the languages.
_ALWAYS: Final = (
    2597,
    2598,
    3504,
    3505,
    3506,
    3507,
    3532,
    3533,
    6179,
    3816,
    3,
    330,
    2246,
    2247,
    2248,
)
# A snapshot: types that users make come and go.
TYPES_OF_POSTGRESQL: Final = frozenset(TYPES)
# Functions of our own, by signature: (oid, schema).
_OWN: Final = {
    "uuidv4()": (9001, CATALOG),
    "uuidv7()": (9002, CATALOG),
    "wait_for_job(uuid)": (9003, _SYS),
    "wait_for_job(text)": (9004, _SYS),
}
Signature = tuple[str, tuple[int, ...]]
_PROCEDURE_COLUMNS: Final = {
    "pg_type": ("typinput", "typoutput", "typreceive", "typsend", "typmodin", "typmodout", "typsubscript", "typanalyze"),
    "pg_operator": ("oprcode", "oprrest", "oprjoin"),
    "pg_cast": ("castfunc",),
    "pg_amproc": ("amproc",),
    "pg_aggregate": (
        "aggfnoid", "aggtransfn", "aggfinalfn", "aggcombinefn", "aggserialfn", "aggdeserialfn", "aggmtransfn",
        "aggminvtransfn", "aggmfinalfn",
    ),
    "pg_proc": ("prosupport",),
}  # fmt: skip


def _is_ours(oid: int) -> bool:
    return oid in TYPES_OF_POSTGRESQL


# ---- types


@cache
def types() -> tuple[Fact, ...]:
    """Those that have values, and the pseudo-types, which are in signatures only."""
    return tuple(row for row in facts.rows("pg_type") if _is_ours(row["oid"]) or _is_pseudo(row))


def _is_pseudo(row: Fact) -> bool:
    return row["typtype"] == "p" and (not row["typelem"] or _is_ours(row["typelem"]))


def _is_listed(oid: int) -> bool:
    return _is_ours(oid) or _is_pseudo(facts.by_oid("pg_type")[oid])


# ---- functions


def _signature(entry: Function | Aggregate) -> Signature:
    arguments = list(entry.arguments)
    if entry.variadic and arguments[-1] != _ANY:
        last = arguments[-1]
        arguments[-1] = _ARRAYS_OF.get(last) or array_type(Ref(last)).oid
    return entry.name, tuple(arguments)


def _registered() -> Iterator[Function | Aggregate]:
    for entries in FUNCTIONS_BY_NAME.values():
        yield from entries
    yield from AGGREGATES.values()


@cache
def _numbers() -> dict[Signature, int]:
    return {(row["proname"], row["proargtypes"].items): row["oid"] for row in facts.rows("pg_proc")}


@cache
def procedures() -> dict[int, Fact]:
    """pg_proc's rows by oid."""
    known = facts.by_oid("pg_proc")
    found = {
        _numbers()[signature]
        for signature in map(_signature, _registered())
        if signature in _numbers()
    }
    found.update(row["oid"] for row in known.values() if _is_by_name(row))
    found.update(_ALWAYS)
    tables: dict[str, Iterable[Fact]] = {
        "pg_type": types(),
        "pg_operator": operators().values(),
        "pg_cast": casts(),
        "pg_amproc": support_procedures(),
        "pg_aggregate": aggregates(),
    }
    for table, rows in tables.items():
        found.update(row[name] for row in rows for name in _PROCEDURE_COLUMNS[table])
    found.update(known[oid]["prosupport"] for oid in tuple(found) if oid)
    listed = {oid: known[oid] for oid in sorted(found) if oid}
    for entry in _registered():
        # inet_client_addr() gives a text here, as there is no type inet.
        row = listed.get(_numbers().get(_signature(entry), 0))
        if row is not None and not _is_listed(row["prorettype"]):
            listed[row["oid"]] = row | {"prorettype": entry.result}
    return listed | {row["oid"]: row for row in map(_own_procedure, _own_functions())}


def _is_by_name(row: Fact) -> bool:
    if row["proname"] in _BY_NAME:
        return True
    # Some of them are hypothetical-set aggregates too.
    return row["proname"] in _WINDOW_FUNCTIONS and row["prokind"] in "wa"


def _own_functions() -> Iterator[Function]:
    for entries in FUNCTIONS_BY_NAME.values():
        yield from (entry for entry in entries if entry.id in _OWN)


def _own_procedure(entry: Function) -> Fact:
    oid, schema = _OWN[entry.id]
    return {
        "oid": oid,
        "proname": entry.name,
        "pronamespace": schema,
        "prolang": 12,
        "procost": 1.0,
        "prokind": "f",
        "proisstrict": entry.strict,
        "proretset": entry.returns_set,
        "provolatile": entry.volatility[0],
        "proparallel": "s",
        "prorettype": entry.result,
        "proargtypes": facts.vector_of(entry.arguments),
        "proallargtypes": None,
        "proargmodes": None,
        "proargnames": None,
        "pronargdefaults": 0,
        "proargdefaults": None,
        "prosrc": None,
        "prosqlbody": None,
    }


@cache
def procedures_named() -> dict[str, tuple[Fact, ...]]:
    made: dict[str, tuple[Fact, ...]] = {}
    for row in procedures().values():
        made[row["proname"]] = (*made.get(row["proname"], ()), row)
    return made


@cache
def aggregates() -> tuple[Fact, ...]:
    known = facts.by_oid("pg_aggregate", "aggfnoid")
    numbers = _numbers()
    signatures = map(_signature, AGGREGATES.values())
    found = {numbers[signature] for signature in signatures if signature in numbers}
    found.update(row["oid"] for row in facts.rows("pg_proc") if _is_by_name(row))
    return tuple(known[oid] for oid in sorted(found) if oid in known)


# ---- operators


@cache
def operators() -> dict[int, Fact]:
    """By oid; a commutator or negator that is not there is left out."""
    registered = {
        (entry.name, entry.arguments) for entries in OPERATORS_BY_NAME.values() for entry in entries
    }
    found = {
        row["oid"]: row
        for row in facts.rows("pg_operator")
        if (row["oprname"], _operands(row)) in registered
    }
    return {
        oid: row
        | {name: row[name] if row[name] in found else 0 for name in ("oprcom", "oprnegate")}
        for oid, row in found.items()
    }


def _operands(row: Fact) -> tuple[int, ...]:
    return tuple(oid for oid in (row["oprleft"], row["oprright"]) if oid)


@cache
def operators_named() -> dict[str, tuple[Fact, ...]]:
    made: dict[str, tuple[Fact, ...]] = {}
    for row in operators().values():
        made[row["oprname"]] = (*made.get(row["oprname"], ()), row)
    return made


# ---- casts


@cache
def casts() -> tuple[Fact, ...]:
    """Those between two types as they are registered; from a type to itself those that apply a modifier."""
    return tuple(
        row
        for row in facts.rows("pg_cast")
        if (row["castsource"], row["casttarget"]) in CASTS
        or (row["castsource"] == row["casttarget"] and _is_ours(row["castsource"]))
    )


# ---- what indexes go by


@cache
def operator_families() -> tuple[Fact, ...]:
    used = {row["opcfamily"] for row in operator_classes()}
    return tuple(row for row in facts.rows("pg_opfamily") if row["oid"] in used)


@cache
def operator_classes() -> tuple[Fact, ...]:
    """Those of which all operators are there."""
    members: dict[tuple[int, int], list[int]] = {}
    for row in facts.rows("pg_amop"):
        if row["amoplefttype"] == row["amoprighttype"]:
            members.setdefault((row["amopfamily"], row["amoplefttype"]), []).append(row["amopopr"])
    known = operators()
    return tuple(
        row
        for row in facts.rows("pg_opclass")
        if all(oid in known for oid in members[row["opcfamily"], row["opcintype"]])
    )


@cache
def default_classes() -> dict[int, int]:
    """Type → operator class that its indexes use."""
    return {row["opcintype"]: row["oid"] for row in operator_classes() if row["opcdefault"]}


def class_of(type_oid: int) -> int:
    """The operator class that an index's column of that type has; 0 without one."""
    known = default_classes()
    info = type_info(type_oid)
    if type_oid in known:
        return known[type_oid]
    if info.category == "S":
        # varchar goes by text's.
        return known[25]
    if info.category in "AE":
        return known[2277 if info.category == "A" else 3500]
    return 0


@cache
def family_operators() -> tuple[Fact, ...]:
    families = {row["oid"] for row in operator_families()}
    return tuple(
        row
        for row in facts.rows("pg_amop")
        if row["amopfamily"] in families and row["amopopr"] in operators()
    )


@cache
def support_procedures() -> tuple[Fact, ...]:
    families = {row["oid"] for row in operator_families()}
    return tuple(
        row
        for row in facts.rows("pg_amproc")
        if row["amprocfamily"] in families
        and _is_ours(row["amproclefttype"])
        and _is_ours(row["amprocrighttype"])
    )


def fixed_rows(
    rows: Iterable[Fact], namespace: str = "", owner: str = ""
) -> Iterator[dict[str, Any]]:
    """With the schema and the owner, where a catalog has columns of these names."""
    common = {name: value for name, value in ((namespace, CATALOG), (owner, 10)) if name}
    for row in rows:
        yield common | row
