"""Rows out of JSON: json_to_record(), json_to_recordset(), and json_object() out of arrays.

The types of a row's columns stand in the statement (AS x(a int, …)). The analyser makes a set of the objects
by json_records(), and each column by a json_field() of the column's type; both are for it alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.expression.builtins.jsons import json_text, members_of
from trilithon.expression.registry import STABLE, function
from trilithon.types import json_value as jv
from trilithon.types import text_io, user_types
from trilithon.types.registry import RECORD, TypeRef, element_type, is_composite, type_info
from trilithon.types.values import EMPTY_ARRAY, ArrayValue, RecordValue


def _records(text: str | None, name: str | None) -> list[str | None]:
    """The objects that become rows; of NULL one row of NULLs, and no row of a set. SqlError 22023."""
    if text is None or name is None:
        return [] if name is None or name.endswith("set") else [None]
    value = jv.load(text)
    if name.endswith("record"):
        if isinstance(value, dict):
            return [text]
        what = "an array" if isinstance(value, list) else "a scalar"
        # jsonb has no words for what it looks at.
        raise SqlError("22023", f"cannot call {name} on {what}")
    if not isinstance(value, list):
        what = "an object" if isinstance(value, dict) else "a non-array"
        raise SqlError("22023", f"cannot call {name} on {what}")
    if not all(isinstance(item, dict) for item in value):
        raise SqlError("22023", f"argument of {name} must be an array of objects")
    return [str(item) for item in members_of(text) or ()]


function("json_records(json, text) -> setof json", strict=False, nullable=True)(_records)


@lru_cache(maxsize=16)
def _fields(text: str) -> dict[str, str]:
    """Key → text of its value, of duplicates the last. Rows of one object ask for each field in turn."""
    return {pair[0]: pair[1] for pair in members_of(text) or ()}


def _field(types: Any, result: TypeRef) -> Callable[..., Any]:
    convert = _converter(result)

    def field(ctx: Any, text: str, name: str) -> Any:
        value = _fields(text).get(name)
        return None if value is None or value == "null" else convert(value, ctx.settings)

    return field


function(
    "json_field(json, text) -> anyelement",
    typed=True,
    context=True,
    nullable=True,
    volatility=STABLE,
)(_field)


def _converter(target: TypeRef) -> Callable[[str, Any], Any]:
    """From the text of a JSON value that is not null, by the type's input function."""
    info = type_info(target.oid)
    if info.name in ("json", "jsonb"):
        return lambda value, settings: text_io.parse(target, value, settings)
    if info.category == "A":
        return _array_converter(target)
    if is_composite(target.oid):
        return _composite_converter(target)
    return lambda value, settings: text_io.parse(target, json_text(value) or "", settings)


def _composite_converter(target: TypeRef) -> Callable[[str, Any], Any]:
    def convert(value: str, settings: Any) -> Any:
        if value.startswith('"'):
            return text_io.parse(target, json_text(value) or "", settings)
        return _filled(target.oid, None, value, settings, "populate_composite")

    return convert


def _filled(oid: int, base: Any, text: str, settings: Any, name: str) -> RecordValue:
    """The fields of an object as a row of a named type; what it does not have is as in `base`."""
    if not text.startswith("{"):
        what = "an array" if text.startswith("[") else "a scalar"
        raise SqlError("22023", f"cannot call {name} on {what}")
    made = user_types.composite(oid)
    found = _fields(text)
    values: list[Any] = []
    for at, (key, ref) in enumerate(zip(made.names, made.types, strict=True)):
        value = found.get(key)
        if value is None:
            values.append(None if base is None else base[at])
        else:
            values.append(None if value == "null" else _converter(ref)(value, settings))
    return RecordValue.of(tuple(values), made.oids)


def _populate(name: str) -> Callable[..., Callable[..., Any]]:
    def make(types: Any, _: Any) -> Callable[..., Any]:
        ref = _named(types[0])

        def populate(ctx: Any, base: Any, text: str | None) -> Any:
            if text is None:
                return base
            return _filled(ref.oid, base, text, ctx.settings, name)

        return populate

    return make


def _populate_set(name: str) -> Callable[..., Callable[..., Any]]:
    def make(types: Any, _: Any) -> Callable[..., Any]:
        ref = _named(types[0])

        def populate(ctx: Any, base: Any, text: str | None) -> list[Any]:
            if text is None:
                return []
            items = _records(text, name)
            return [_filled(ref.oid, base, str(item), ctx.settings, name) for item in items]

        return populate

    return make


def _named(ref: TypeRef) -> TypeRef:
    """SqlError 0A000, 42804."""
    if ref.oid == RECORD.oid:
        raise SqlError("0A000", "filling a record of no named type is not supported")
    if not is_composite(ref.oid):
        raise SqlError("42804", "first argument of json_populate_record must be a row type")
    return ref


for _kind in ("json", "jsonb"):
    for _what, _result, _make in (
        ("record", "anyelement", _populate),
        ("recordset", "setof anyelement", _populate_set),
    ):
        function(
            f"{_kind}_populate_{_what}(anyelement, {_kind}) -> {_result}",
            typed=True,
            context=True,
            strict=False,
            nullable=True,
            volatility=STABLE,
        )(_make(f"{_kind}_populate_{_what}"))


def _array_converter(target: TypeRef) -> Callable[[str, Any], Any]:
    item = _converter(element_type(target))

    def convert(value: str, settings: Any) -> ArrayValue:
        if value.startswith('"'):
            parsed: ArrayValue = text_io.parse(target, json_text(value) or "", settings)
            return parsed
        if not value.startswith("["):
            raise SqlError("22P02", "expected JSON array")
        items, dimensions = _flat(value)
        if 0 in dimensions:
            return EMPTY_ARRAY
        made = tuple(None if one == "null" else item(one, settings) for one in items)
        return ArrayValue(made, dimensions, (1,) * len(dimensions))

    return convert


def _flat(text: str) -> tuple[list[str], tuple[int, ...]]:
    """The items of nested lists of one shape, and that shape. SqlError 22P02."""
    value = [str(item) for item in members_of(text) or ()]
    if not any(item.startswith("[") for item in value):
        return value, (len(value),)
    if not all(item.startswith("[") for item in value):
        raise SqlError("22P02", "expected JSON array")
    parts = [_flat(item) for item in value]
    if any(shape != parts[0][1] for _, shape in parts):
        raise SqlError(
            "22P02",
            "malformed JSON array",
            detail="Multidimensional arrays must have sub-arrays with matching dimensions.",
        )
    return [item for items, _ in parts for item in items], (len(value), *parts[0][1])


# --- json_object()


def _pairs(keys: list[Any], values: list[Any]) -> str:
    parts = []
    for key, value in zip(keys, values, strict=True):
        if key is None:
            raise SqlError("22004", "null value not allowed for object key")
        parts.append(f"{jv.quote(key)} : {'null' if value is None else jv.quote(value)}")
    return "{" + ", ".join(parts) + "}"


def _object(array: ArrayValue) -> str:
    match array.dimensions:
        case ():
            return "{}"
        case (count,):
            if count % 2:
                raise SqlError("2202E", "array must have even number of elements")
        case (_, columns):
            if columns != 2:
                raise SqlError("2202E", "array must have two columns")
        case _:
            raise SqlError("2202E", "wrong number of array subscripts")
    return _pairs(list(array.items[0::2]), list(array.items[1::2]))


def _object_of_two(keys: ArrayValue, values: ArrayValue) -> str:
    if len(keys.dimensions) > 1 or len(keys.dimensions) != len(values.dimensions):
        raise SqlError("2202E", "wrong number of array subscripts")
    if keys.dimensions != values.dimensions:
        raise SqlError("2202E", "mismatched array dimensions")
    return _pairs(list(keys.items), list(values.items)) if keys.items else "{}"


function("json_object(text[]) -> json")(_object)
function("json_object(text[], text[]) -> json")(_object_of_two)
function("jsonb_object(text[]) -> jsonb")(lambda array: jv.parse_jsonb(_object(array)))
function("jsonb_object(text[], text[]) -> jsonb")(
    lambda keys, values: jv.parse_jsonb(_object_of_two(keys, values))
)
