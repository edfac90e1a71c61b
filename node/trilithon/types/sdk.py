"""Row values as the gRPC SDK carries them: msgpack's own types only.

NULL, booleans, integers, floats, text and bytea stay what they are; numerics, dates, times, intervals,
uuids, json and arrays become PostgreSQL's text, which the client turns into its language's types by the
column's oid.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.types import text_io
from trilithon.types.registry import OID_KIN, TypeRef, type_info, type_name
from trilithon.types.settings import IoSettings

_PLAIN: Final = frozenset(
    [
        "bool",
        "int2",
        "int4",
        "int8",
        "float4",
        "float8",
        "text",
        "varchar",
        "bpchar",
        "name",
        "char",
        "bytea",
        "json",
        "jsonb",
        "jsonpath",
        "unknown",
    ]
)


def renderer(ref: TypeRef, settings: IoSettings) -> Callable[[Any], Any] | None:
    """From the in-memory value; None where it stays as it is."""
    if type_info(ref.oid).name in _PLAIN or ref.oid in OID_KIN:
        return None
    return text_io.renderer(ref, settings)


def row_renderer(
    refs: Sequence[TypeRef], settings: IoSettings
) -> Callable[[Sequence[Any]], list[Any]]:
    """A function for whole rows of these columns."""
    renders = [renderer(ref, settings) for ref in refs]
    if not any(renders):
        return list
    return lambda row: [
        value if render is None or value is None else render(value)
        for value, render in zip(row, renders, strict=True)
    ]


def parse(ref: TypeRef, value: Any, settings: IoSettings) -> Any:
    """A parameter's value as the in-memory value of `ref`.

    Text is read by the type's input function; a number, boolean or bytes must suit the type.
    Raises SqlError 22P02 and what input functions raise, 42804 for a value of another kind.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return text_io.parse(ref, value, settings)
    name = type_info(ref.oid).name
    if isinstance(value, bool):
        if name in ("bool", "text", "varchar"):
            return value if name == "bool" else text_io.parse(ref, str(value).lower(), settings)
    elif isinstance(value, int):
        if name == "float8" or name == "float4":
            return text_io.parse(ref, repr(value), settings)
        if name in ("int2", "int4", "int8", "numeric", "text", "varchar") or ref.oid in OID_KIN:
            return text_io.parse(ref, str(value), settings)
    elif isinstance(value, float):
        if name in ("float8", "float4", "numeric", "text", "varchar"):
            return text_io.parse(ref, repr(value), settings)
    elif isinstance(value, bytes):
        if name == "bytea":
            return value
        if name == "uuid" and len(value) == 16:
            return value
    raise SqlError(
        "42804",
        f"a parameter is of type {type_name(ref)} but its value is of kind {type(value).__name__}",
    )
