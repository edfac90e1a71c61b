"""Casts that are more than output and input: pg_cast, as far as its types are here."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.expression.builtins.integers import RANGES, SQL_NAMES, checked
from trilithon.expression.registry import (
    ASSIGNMENT,
    EXPLICIT,
    IMPLICIT,
    STABLE,
    binary_cast,
    cast,
)
from trilithon.types import calendar as cal
from trilithon.types import json_value, numeric
from trilithon.types.registry import OBJECT_NAMES
from trilithon.types.text_io import parse_char, render_char, to_float4, truncate_name
from trilithon.types.values import Interval, TimeTz


def _out_of_range(kind: str) -> SqlError:
    return SqlError("22003", f"{SQL_NAMES[kind]} out of range")


# --- numbers


def _float_to_int(kind: str) -> Callable[[float], int]:
    low, high = RANGES[kind]

    def convert(value: float) -> int:
        if value != value or value in (math.inf, -math.inf):
            raise _out_of_range(kind)
        rounded = round(value)
        if not low <= rounded <= high:
            raise _out_of_range(kind)
        return rounded

    return convert


def _numeric_to_int(kind: str) -> Callable[[Decimal], int]:
    low, high = RANGES[kind]

    def convert(value: Decimal) -> int:
        if not value.is_finite():
            what = "NaN" if value.is_nan() else "infinity"
            raise SqlError("0A000", f"cannot convert {what} to {SQL_NAMES[kind]}")
        rounded = int(numeric.round_to(value, 0))
        if not low <= rounded <= high:
            raise _out_of_range(kind)
        return rounded

    return convert


def numeric_to_float(value: Decimal) -> float:
    if value.is_nan():
        return math.nan
    result = float(value)
    if value.is_finite() and (result in (math.inf, -math.inf) or (value and not result)):
        raise SqlError(
            "22003", f'"{numeric.render(value)}" is out of range for type double precision'
        )
    return result


def _numeric_to_float4(value: Decimal) -> float:
    if value.is_nan():
        return math.nan
    if not value.is_finite():
        return float(value)
    text = numeric.render(value)
    result = to_float4(float(value), text)
    if value and not result:
        raise SqlError("22003", f'"{text}" is out of range for type real')
    return result


def _float8_to_float4(value: float) -> float:
    result = to_float4(value)
    if result == 0 and value != 0:
        raise SqlError("22003", "value out of range: underflow")
    return result


def _define_numbers() -> None:
    for source in RANGES:
        for target in RANGES:
            if source == target:
                continue
            widens = list(RANGES).index(source) < list(RANGES).index(target)
            if widens:
                cast(f"{source} -> {target}", IMPLICIT, raises=False)(lambda value: value)
            else:
                cast(f"{source} -> {target}", ASSIGNMENT)(checked(target))
        cast(f"{source} -> numeric", IMPLICIT, raises=False)(Decimal)
        cast(f"{source} -> float8", IMPLICIT, raises=False)(float)
        cast(f"{source} -> float4", IMPLICIT, raises=False)(lambda value: to_float4(float(value)))
        cast(f"numeric -> {source}", ASSIGNMENT)(_numeric_to_int(source))
        for kind in ("float4", "float8"):
            cast(f"{kind} -> {source}", ASSIGNMENT)(_float_to_int(source))
    cast("numeric -> float8", IMPLICIT)(numeric_to_float)
    cast("numeric -> float4", IMPLICIT)(_numeric_to_float4)
    cast("float8 -> numeric", ASSIGNMENT)(lambda value: numeric.from_float(value, 15))
    cast("float4 -> numeric", ASSIGNMENT)(lambda value: numeric.from_float(value, 6))
    cast("float4 -> float8", IMPLICIT, raises=False)(lambda value: value)
    cast("float8 -> float4", ASSIGNMENT)(_float8_to_float4)
    cast("int4 -> bool", EXPLICIT, raises=False)(bool)
    cast("bool -> int4", EXPLICIT, raises=False)(int)


def _int8_to_oid(value: int) -> int:
    if not 0 <= value < 1 << 32:
        raise SqlError("22003", "OID out of range")
    return value


def _int4_to_oid(value: int) -> int:
    return value & 0xFFFF_FFFF


def _oid_to_int4(value: int) -> int:
    return (value ^ 0x8000_0000) - 0x8000_0000 if value < 1 << 32 else value


def _define_oids() -> None:
    for kind in ("oid", *OBJECT_NAMES):
        cast(f"int2 -> {kind}", IMPLICIT, raises=False)(_int4_to_oid)
        cast(f"int4 -> {kind}", IMPLICIT, raises=False)(_int4_to_oid)
        cast(f"int8 -> {kind}", IMPLICIT)(_int8_to_oid)
        cast(f"{kind} -> int4", ASSIGNMENT, raises=False)(_oid_to_int4)
        cast(f"{kind} -> int8", ASSIGNMENT, raises=False)(lambda value: value)
        if kind != "oid":
            binary_cast(kind, "oid", IMPLICIT)
            binary_cast("oid", kind, IMPLICIT)
    for one, other in (("regproc", "regprocedure"), ("regoper", "regoperator")):
        binary_cast(one, other, IMPLICIT)
        binary_cast(other, one, IMPLICIT)


# --- strings


def _bool_to_text(value: bool) -> str:
    return "true" if value else "false"


def _trim(value: str) -> str:
    return value.rstrip(" ")


def _trimmed_name(value: str) -> str:
    return truncate_name(value).rstrip(" ")


def _to_char(value: str) -> str:
    return parse_char(value)


def _char_to_int(value: str) -> int:
    byte = value.encode("latin-1", "replace")[0] if value else 0
    return byte - 256 if byte > 127 else byte


def _int_to_char(value: int) -> str:
    if not -128 <= value <= 127:
        raise SqlError("22003", '"char" out of range')
    return chr(value & 0xFF) if value else ""


def _char_to_bpchar(value: str) -> str:
    """The byte itself, unlike in other strings. PostgreSQL stores what is no UTF-8."""
    if not value.isascii():
        raise SqlError(
            "0A000", 'a byte that is no UTF-8, from "char", is not supported in character'
        )
    return value


def _define_strings() -> None:
    for target in ("text", "varchar", "bpchar"):
        cast(f"bool -> {target}", ASSIGNMENT, raises=False)(_bool_to_text)
        cast(f"{target} -> char", ASSIGNMENT, raises=False)(_to_char)
        named = _trimmed_name if target == "bpchar" else truncate_name
        cast(f"{target} -> name", IMPLICIT, raises=False)(named)
        cast(f"char -> {target}", IMPLICIT if target == "text" else ASSIGNMENT)(
            _char_to_bpchar if target == "bpchar" else render_char
        )
        binary_cast("name", target, IMPLICIT if target == "text" else ASSIGNMENT)
    for source, target in (("text", "varchar"), ("text", "bpchar"), ("varchar", "text"), ("varchar", "bpchar")):  # fmt: skip
        binary_cast(source, target, IMPLICIT)
    cast("bpchar -> text", IMPLICIT, raises=False)(_trim)
    cast("bpchar -> varchar", IMPLICIT, raises=False)(_trim)
    cast("char -> int4", EXPLICIT, raises=False)(_char_to_int)
    cast("int4 -> char", EXPLICIT)(_int_to_char)


# --- dates and times


def _timestamp_to_time(value: int) -> int | None:
    return None if value in (cal.INFINITY, cal.NEGATIVE_INFINITY) else value % cal.US_PER_DAY


def _timestamptz_to_timetz(ctx: Any, value: int) -> TimeTz | None:
    if value in (cal.INFINITY, cal.NEGATIVE_INFINITY):
        return None
    east = cal.offset_at(value, ctx.settings.zone)
    return TimeTz((value + east * cal.US_PER_SECOND) % cal.US_PER_DAY, -east)


def _time_to_timetz(ctx: Any, value: int) -> TimeTz:
    local = cal.to_local(ctx.transaction_time_us, ctx.settings.zone)
    midnight = local - local % cal.US_PER_DAY
    return TimeTz(value, -cal.local_offset(midnight + value, ctx.settings.zone))


def _timestamptz_to_date(ctx: Any, value: int) -> int:
    return cal.timestamp_to_date(cal.to_local(value, ctx.settings.zone))


def _timestamptz_to_time(ctx: Any, value: int) -> int | None:
    return _timestamp_to_time(cal.to_local(value, ctx.settings.zone))


def _define_times() -> None:
    zoned: dict[str, Any] = {"context": True, "volatility": STABLE}
    cast("date -> timestamp", IMPLICIT)(cal.date_to_timestamp)
    cast("date -> timestamptz", IMPLICIT, **zoned)(
        lambda ctx, value: cal.date_to_timestamptz(value, ctx.settings.zone)
    )
    cast("timestamp -> date", ASSIGNMENT)(cal.timestamp_to_date)
    cast("timestamp -> time", ASSIGNMENT, nullable=True)(_timestamp_to_time)
    cast("timestamp -> timestamptz", IMPLICIT, **zoned)(
        lambda ctx, value: cal.to_utc(value, ctx.settings.zone)
    )
    cast("timestamptz -> timestamp", ASSIGNMENT, **zoned)(
        lambda ctx, value: cal.to_local(value, ctx.settings.zone)
    )
    cast("timestamptz -> date", ASSIGNMENT, **zoned)(_timestamptz_to_date)
    cast("timestamptz -> time", ASSIGNMENT, nullable=True, **zoned)(_timestamptz_to_time)
    cast("timestamptz -> timetz", ASSIGNMENT, nullable=True, **zoned)(_timestamptz_to_timetz)
    cast("time -> interval", IMPLICIT, raises=False)(lambda value: Interval(0, 0, value))
    cast("interval -> time", ASSIGNMENT, raises=False)(lambda value: value[2] % cal.US_PER_DAY)
    cast("time -> timetz", IMPLICIT, **zoned)(_time_to_timetz)
    cast("timetz -> time", ASSIGNMENT, raises=False)(lambda value: value[0])


# --- json


def _cannot_cast(value: Any, target: str) -> SqlError:
    kind = (
        "null"
        if value is None
        else "boolean"
        if isinstance(value, bool)
        else "numeric"
        if isinstance(value, Decimal)
        else "string"
        if isinstance(value, str)
        else "array"
        if isinstance(value, list)
        else "object"
    )
    return SqlError("22023", f"cannot cast jsonb {kind} to type {target}")


def _json_number(target: str, convert: Callable[[Decimal], Any]) -> Callable[[str], Any]:
    def call(text: str) -> Any:
        value = json_value.load(text, "jsonb")
        if not isinstance(value, Decimal):
            raise _cannot_cast(value, target)
        return convert(value)

    return call


def _json_bool(text: str) -> bool:
    value = json_value.load(text, "jsonb")
    if not isinstance(value, bool):
        raise _cannot_cast(value, "boolean")
    return value


def _define_json() -> None:
    cast("jsonb -> bool", EXPLICIT)(_json_bool)
    cast("jsonb -> numeric", EXPLICIT)(_json_number("numeric", lambda value: value))
    for kind in RANGES:
        cast(f"jsonb -> {kind}", EXPLICIT)(_json_number(SQL_NAMES[kind], _numeric_to_int(kind)))
    cast("jsonb -> float8", EXPLICIT)(_json_number("double precision", numeric_to_float))
    cast("jsonb -> float4", EXPLICIT)(_json_number("real", _numeric_to_float4))
    cast("json -> jsonb", ASSIGNMENT)(json_value.parse_jsonb)
    binary_cast("jsonb", "json", ASSIGNMENT)


_define_numbers()
_define_oids()
_define_strings()
_define_times()
_define_json()
