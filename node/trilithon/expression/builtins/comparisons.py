"""The six comparisons of every type that has an order.

Types whose in-memory values Python compares as SQL does get inline comparisons; the others go through
their `sort_key`. Pairs of numeric types that PostgreSQL compares without a cast are here too.
"""

from __future__ import annotations

import operator as python
from collections.abc import Callable
from typing import Any, Final

from trilithon.expression.registry import STABLE, Function, operator, register
from trilithon.types.calendar import (
    comparable_date,
    comparable_date_in,
    comparable_in,
)
from trilithon.types.ordering import RecordKey, sort_key
from trilithon.types.registry import BOOL, BY_NAME

COMPARE: Final[dict[str, tuple[str, Callable[[Any, Any], bool]]]] = {
    "=": ("==", python.eq),
    "<>": ("!=", python.ne),
    "<": ("<", python.lt),
    "<=": ("<=", python.le),
    ">": (">", python.gt),
    ">=": (">=", python.ge),
}

# Types whose values need no key.
_PLAIN: Final = (
    "bool",
    "int2",
    "int4",
    "int8",
    "oid",
    "xid",
    "numeric",
    "text",
    "name",
    "bytea",
    "uuid",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "char",
)
_KEYED: Final = ("interval", "timetz", "bpchar", "jsonb", "oidvector")
_MIXED: Final = (
    ("int2", "int4"),
    ("int2", "int8"),
    ("int4", "int8"),
    ("name", "text"),
)

# NaN equals itself and is above everything. {0} and {1} are repeated, so they are bound first.
_FLOAT: Final = {
    "=": "({0} == {1} or ({0} != {0} and {1} != {1}))",
    "<>": "({0} != {1} and ({0} == {0} or {1} == {1}))",
    "<": "({0} < {1} or ({1} != {1} and {0} == {0}))",
    "<=": "({0} <= {1} or {1} != {1})",
    ">": "({0} > {1} or ({0} != {0} and {1} == {1}))",
    ">=": "({0} >= {1} or {0} != {0})",
}


def _float_compare(name: str) -> Callable[[float, float], bool]:
    source = _FLOAT[name].replace("{0}", "a").replace("{1}", "b")
    compare: Callable[[float, float], bool] = eval(f"lambda a, b: {source}")
    return compare


def _keyed(
    compare: Callable[[Any, Any], bool], key: Callable[[Any], Any]
) -> Callable[[Any, Any], bool]:
    return lambda left, right: compare(key(left), key(right))


def _define(left: str, name: str, right: str, call: Callable[..., Any], **flags: Any) -> None:
    operator(f"{left} {name} {right} -> bool", raises=False, **flags)(call)


def _define_all() -> None:
    for name, (symbol, compare) in COMPARE.items():
        inline = f"{{0}} {symbol} {{1}}"
        for kind in _PLAIN:
            _define(kind, name, kind, compare, inline=inline)
        for left, right in _MIXED:
            _define(left, name, right, compare, inline=inline)
            _define(right, name, left, compare, inline=inline)
        for left in ("float4", "float8"):
            for right in ("float4", "float8"):
                _define(left, name, right, _float_compare(name), inline=_FLOAT[name])
        for kind in _KEYED:
            key = sort_key(BY_NAME[kind].oid)
            assert key is not None
            _define(kind, name, kind, _keyed(compare, key))
        register(
            Function(
                f"anyarray {name} anyarray",
                name,
                (2277, 2277),
                BOOL.oid,
                _array_compare(compare),
                raises=False,
                typed=True,
            )
        )
        register(
            Function(
                f"anyenum {name} anyenum",
                name,
                (3500, 3500),
                BOOL.oid,
                compare,
                inline=inline,
                raises=False,
            )
        )
        _define_record(name, compare)
        _define_instants(name, compare)


def _array_compare(compare: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    def make(types: Any, _: Any) -> Callable[[Any, Any], bool]:
        key = sort_key(types[0].oid)
        assert key is not None
        return _keyed(compare, key)

    return make


def _define_record(name: str, compare: Callable[[Any, Any], bool]) -> None:
    """Whole rows: NULL fields are equal, and above all others."""
    operator(f"record {name} record -> bool")(_keyed(compare, RecordKey))


def _define_instants(name: str, compare: Callable[[Any, Any], bool]) -> None:
    """date, timestamp and timestamptz against each other; a zone is needed for the last."""
    convert_date = comparable_date
    _define("date", name, "timestamp", lambda a, b: compare(convert_date(a), b))
    _define("timestamp", name, "date", lambda a, b: compare(a, convert_date(b)))
    for kind, convert in (("date", comparable_date_in), ("timestamp", comparable_in)):
        _define_zoned(name, compare, kind, convert)


def _define_zoned(
    name: str,
    compare: Callable[[Any, Any], bool],
    kind: str,
    convert: Callable[[int, Any], int],
) -> None:
    def with_left(ctx: Any, left: int, right: int) -> bool:
        return compare(convert(left, ctx.settings.zone), right)

    def with_right(ctx: Any, left: int, right: int) -> bool:
        return compare(left, convert(right, ctx.settings.zone))

    flags: dict[str, Any] = {"context": True, "volatility": STABLE}
    _define(kind, name, "timestamptz", with_left, **flags)
    _define("timestamptz", name, kind, with_right, **flags)


_define_all()
