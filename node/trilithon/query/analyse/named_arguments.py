"""make_interval(days => 10): arguments of built-in functions by their names, put in their places."""

from __future__ import annotations

from typing import Any, Final, NoReturn

from trilithon.query.analyse.context import Analysis
from trilithon.query.parse.statement import Node

_NO: Final[Node] = {"A_Const": {"boolval": {}}}
_YES: Final[Node] = {"A_Const": {"boolval": {"boolval": True}}}
_ZERO: Final[Node] = {"A_Const": {"ival": {"ival": 0}}}


def _text(value: str) -> Node:
    return {"A_Const": {"sval": {"sval": value}}}


_PATH: Final[dict[str, Node | None]] = {
    "target": None,
    "path": None,
    "vars": _text("{}"),
    "silent": _NO,
}
_CHANGE: Final[dict[str, Node | None]] = {"jsonb_in": None, "path": None, "replacement": None}
_TIME: Final[dict[str, Node | None]] = {"hour": None, "min": None, "sec": None}
_MOMENT: Final[dict[str, Node | None]] = {"year": None, "month": None, "mday": None, **_TIME}

# Function → its arguments in order (pg_proc.proargnames), with the values of those that may be left out.
_ARGUMENTS: Final[dict[str, dict[str, Node | None]]] = {
    "make_date": {"year": None, "month": None, "day": None},
    "make_time": _TIME,
    "make_timestamp": _MOMENT,
    "make_timestamptz": {**_MOMENT, "timezone": None},
    "make_interval": dict.fromkeys(
        ("years", "months", "weeks", "days", "hours", "mins", "secs"), _ZERO
    ),
    "jsonb_set": {**_CHANGE, "create_if_missing": _YES},
    "jsonb_set_lax": {
        **_CHANGE,
        "create_if_missing": _YES,
        "null_value_treatment": _text("use_json_null"),
    },
    "jsonb_insert": {**_CHANGE, "insert_after": _NO},
    "parse_ident": {"str": None, "strict": _YES},
    **{
        f"jsonb_path_{what}{zone}": _PATH
        for what in ("exists", "match", "query", "query_array", "query_first")
        for zone in ("", "_tz")
    },
}


def in_order(analysis: Analysis, name: str, given: Any) -> Any:
    """The arguments by position. Raises SqlError 42601, 42883."""
    if not any("NamedArgExpr" in node for node in given):
        return given
    known = _ARGUMENTS.get(name)
    found: dict[str, Node] = {}
    order = list(known or ())
    for position, node in enumerate(given):
        named = node.get("NamedArgExpr")
        location = (named or {}).get("location", 0)
        if named is None:
            if len(found) > position or any("NamedArgExpr" in one for one in given[:position]):
                analysis.fail("42601", "positional argument cannot follow named argument", location)
            key, value = order[position] if position < len(order) else "", node
        else:
            key, value = named["name"], named["arg"]
            if known is None or key not in known:
                _missing(analysis, name, location)
            if any(one.get("NamedArgExpr", {}).get("name") == key for one in given[:position]):
                analysis.fail("42601", f'argument name "{key}" used more than once', location)
            if key in found:
                _missing(analysis, name, location)
        found[key] = value
    last = max((order.index(key) for key in found if key in order), default=-1)
    placed = []
    for key in order[: last + 1]:
        value_or_none = found.get(key) or (known or {}).get(key)
        if value_or_none is None:
            _missing(analysis, name, 0)
        placed.append(value_or_none)
    return placed


def _missing(analysis: Analysis, name: str, location: int) -> NoReturn:
    analysis.fail(
        "42883",
        f"function {name} with these argument names does not exist",
        location,
        hint="No function matches the given name and argument types. "
        "You might need to add explicit type casts.",
    )
