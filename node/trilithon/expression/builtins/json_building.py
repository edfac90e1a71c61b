"""json and jsonb out of other values: to_json, builders, aggregates."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.registry import STABLE, aggregate, function
from trilithon.types import json_value as jv
from trilithon.types import numeric, text_io, user_types
from trilithon.types.registry import RECORD, TypeRef, is_composite, is_row, type_info
from trilithon.types.values import ArrayValue, RecordValue

_scan: Final = json.JSONDecoder(strict=True).raw_decode
_SPACE: Final = re.compile(r"[ \t\n\r]*")

# --- building


def to_json(ref: TypeRef) -> Callable[[Any, Any], str]:
    """A function (value, settings) → JSON text of a value that is not NULL."""
    info = type_info(ref.oid)
    if is_row(ref.oid):
        return lambda value, settings: _row_json(value, settings, ref.oid)
    if info.category == "A" and info.name not in ("int2vector", "oidvector"):
        item = to_json(TypeRef(info.element_oid))
        return lambda value, settings: _array_json(value, settings, item)
    match info.name:
        case "bool":
            return lambda value, _: "true" if value else "false"
        case "int2" | "int4" | "int8":
            return lambda value, _: str(value)
        case "numeric":
            return lambda value, _: _number_json(value.is_finite(), numeric.render(value))
        case "float4" | "float8":
            return lambda value, settings: _number_json(
                math.isfinite(value), text_io.render(ref, value, settings)
            )
        case "json" | "jsonb":
            return lambda value, _: str(value)
        case "timestamp" | "timestamptz":
            return lambda value, settings: jv.quote(
                _iso_8601(text_io.render(ref, value, settings), info.name == "timestamptz")
            )
    return lambda value, settings: jv.quote(text_io.render(ref, value, settings))


def _number_json(finite: bool, text: str) -> str:
    return text if finite else jv.quote(text)


def _row_json(value: RecordValue, settings: Any, oid: int, separator: str = ",") -> str:
    """Of a row of a named type, or of one that knows its names. What PostgreSQL writes has no blanks."""
    parts = [
        f"{key}:{'null' if item is None else write(item, settings)}"
        for key, write, item in zip(_keys(value, oid), _writers(value.types), value, strict=True)
    ]
    return "{" + separator.join(parts) + "}"


def _keys(value: RecordValue, oid: int) -> tuple[str, ...]:
    names = value.names
    if not names:
        if not is_composite(oid):
            return tuple(f'"f{number}"' for number in range(1, len(value) + 1))
        names = user_types.composite(oid).names
    return _quoted(names)


@lru_cache(maxsize=1024)
def _quoted(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(jv.quote, names))


@lru_cache(maxsize=1024)
def _writers(types: tuple[int, ...]) -> tuple[Callable[[Any, Any], str], ...]:
    return tuple(to_json(TypeRef(oid)) for oid in types)


def _pretty_row(ctx: Any, value: RecordValue, pretty: bool) -> str:
    return _row_json(value, ctx.settings, RECORD.oid, ",\n " if pretty else ",")


def _array_json(value: ArrayValue, settings: Any, item: Callable[[Any, Any], str]) -> str:
    if not value.items:
        return "[]"
    parts = ["null" if part is None else item(part, settings) for part in value.items]
    for size in reversed(value.dimensions):
        parts = ["[" + ",".join(parts[at : at + size]) + "]" for at in range(0, len(parts), size)]
    return parts[0]


def _iso_8601(text: str, zoned: bool) -> str:
    """With a T, and with the minutes of an offset: +00 is +00:00."""
    text = text.replace(" ", "T", 1)
    return re.sub(r"([+-]\d\d)$", r"\1:00", text) if zoned else text


def _value(ref: TypeRef) -> Callable[[Any, Any], str]:
    write = to_json(ref)
    return lambda value, settings: "null" if value is None else write(value, settings)


def _to_json(types: Any, _: Any) -> Callable[[Any, Any], str]:
    write = to_json(types[0])
    return lambda ctx, value: write(value, ctx.settings)


def _to_jsonb(types: Any, _: Any) -> Callable[[Any, Any], str]:
    write = to_json(types[0])
    return lambda ctx, value: jv.parse_jsonb(write(value, ctx.settings))


_TYPED: Final[dict[str, Any]] = {"typed": True, "context": True, "volatility": STABLE}
function("to_json(anyelement) -> json", **_TYPED)(_to_json)
function("to_jsonb(anyelement) -> jsonb", **_TYPED)(_to_jsonb)
function("array_to_json(anyarray) -> json", **_TYPED)(_to_json)
function("row_to_json(record) -> json", context=True, volatility=STABLE)(
    lambda ctx, value: _pretty_row(ctx, value, False)
)
function("row_to_json(record, bool) -> json", context=True, volatility=STABLE)(_pretty_row)


@function("array_to_json(anyarray, bool) -> json", **_TYPED)
def _array_to_json(types: Any, _: Any) -> Callable[..., str]:
    """With line feeds between the elements of the first dimension where they are asked for."""
    item = _value(TypeRef(type_info(types[0].oid).element_oid))

    def write(ctx: Any, value: ArrayValue, pretty: bool) -> str:
        parts = [item(part, ctx.settings) for part in value.items]
        for size in reversed(value.dimensions[1:]):
            parts = [
                "[" + ",".join(parts[at : at + size]) + "]" for at in range(0, len(parts), size)
            ]
        return "[" + (",\n " if pretty else ",").join(parts) + "]"

    return write


def _build_array(types: Any, _: Any) -> Callable[..., str]:
    writers = [_value(ref) for ref in types]
    return lambda ctx, *values: (
        "[" + ", ".join(w(v, ctx.settings) for w, v in zip(writers, values, strict=True)) + "]"
    )


def _build_object(name: str) -> Callable[..., Callable[..., str]]:
    def make(types: Any, _: Any) -> Callable[..., str]:
        if len(types) % 2:
            raise SqlError(
                "22023",
                "argument list must have even number of elements",
                hint=f"The arguments of {name}() must consist of alternating keys and values.",
            )
        keys = [text_io_key(ref) for ref in types[0::2]]
        writers = [_value(ref) for ref in types[1::2]]

        def build(ctx: Any, *values: Any) -> str:
            parts: list[str] = []
            for number, (key, write) in enumerate(zip(keys, writers, strict=True)):
                raw = values[2 * number]
                if raw is None:
                    position = f"argument {2 * number + 1}"
                    if name == "json_build_object":
                        raise SqlError(
                            "22023",
                            f"{position} cannot be null",
                            hint="Object keys should be text.",
                        )
                    raise SqlError("22023", f"{position}: key must not be null")
                text = key(raw, ctx.settings)
                parts.append(f"{jv.quote(text)} : {write(values[2 * number + 1], ctx.settings)}")
            return "{" + ", ".join(parts) + "}"

        return build

    return make


def text_io_key(ref: TypeRef) -> Callable[[Any, Any], str]:
    """A key's text: booleans as words."""
    if ref.oid == 16:
        return lambda value, _: "true" if value else "false"
    info = type_info(ref.oid)
    if info.category == "A" or is_row(ref.oid) or info.name in ("json", "jsonb"):
        return _refuse_key
    if info.name in ("timestamp", "timestamptz"):
        zoned = info.name == "timestamptz"
        return lambda value, settings: _iso_8601(text_io.render(ref, value, settings), zoned)
    return lambda value, settings: text_io.render(ref, value, settings)


def _refuse_key(*_: Any) -> str:
    raise SqlError("22023", "key value must be scalar, not array, composite, or json")


def _canonical(make: Callable[..., Callable[..., str]]) -> Callable[..., Callable[..., str]]:
    def build(types: Any, result: Any) -> Callable[..., str]:
        write = make(types, result)
        return lambda ctx, *values: jv.parse_jsonb(write(ctx, *values))

    return build


_LENIENT: Final[dict[str, Any]] = {**_TYPED, "strict": False}
function("json_build_array(variadic any) -> json", **_LENIENT)(_build_array)
function("jsonb_build_array(variadic any) -> jsonb", **_LENIENT)(_canonical(_build_array))
function("json_build_object(variadic any) -> json", **_LENIENT)(_build_object("json_build_object"))
function("jsonb_build_object(variadic any) -> jsonb", **_LENIENT)(
    _canonical(_build_object("jsonb_build_object"))
)
for _kind in ("json", "jsonb"):
    function(f"{_kind}_build_array() -> {_kind}")(lambda: "[]")
    function(f"{_kind}_build_object() -> {_kind}")(lambda: "{}")

# --- aggregates

Steps = tuple[Callable[..., Any], Callable[..., Any]]


def _list_aggregate(binary: bool) -> Callable[[tuple[TypeRef, ...]], Steps]:
    """Values are kept as they are: only the end knows the session's settings."""

    def typed(types: tuple[TypeRef, ...]) -> Steps:
        write = _value(types[0])
        # PostgreSQL starts a line for each array and each row.
        lines = type_info(types[0].oid).category == "A" or is_row(types[0].oid)
        separator = ", \n " if lines else ", "

        def step(state: list[Any] | None, value: Any) -> list[Any]:
            state = [] if state is None else state
            state.append(value)
            return state

        def final(ctx: Any, state: list[Any] | None) -> str | None:
            if state is None:
                return None
            settings = ctx.settings
            text = "[" + separator.join([write(value, settings) for value in state]) + "]"
            return jv.parse_jsonb(text) if binary else text

        return step, final

    return typed


def _object_aggregate(binary: bool) -> Callable[[tuple[TypeRef, ...]], Steps]:
    def typed(types: tuple[TypeRef, ...]) -> Steps:
        key, write = text_io_key(types[0]), _value(types[1])

        def step(
            state: list[tuple[Any, Any]] | None, name: Any, value: Any
        ) -> list[tuple[Any, Any]]:
            if name is None:
                raise SqlError("22023", "field name must not be null")
            state = [] if state is None else state
            state.append((name, value))
            return state

        def final(ctx: Any, state: list[tuple[Any, Any]] | None) -> str | None:
            if state is None:
                return None
            settings = ctx.settings
            parts = [f"{jv.quote(key(n, settings))} : {write(v, settings)}" for n, v in state]
            text = "{ " + ", ".join(parts) + " }"
            return jv.parse_jsonb(text) if binary else text

        return step, final

    return typed


def _nothing(*_: Any) -> None:
    return None


for _kind in ("json", "jsonb"):
    aggregate(
        f"{_kind}_agg(anyelement) -> {_kind}",
        init=_nothing,
        step=_nothing,
        final=_nothing,
        strict=False,
        typed=_list_aggregate(_kind == "jsonb"),
        context=True,
        volatility=STABLE,
    )
    aggregate(
        f"{_kind}_object_agg(any, any) -> {_kind}",
        init=_nothing,
        step=_nothing,
        final=_nothing,
        strict=False,
        typed=_object_aggregate(_kind == "jsonb"),
        context=True,
        volatility=STABLE,
    )
