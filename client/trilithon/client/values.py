"""Python values to parameters and rows to Python values.

| SQL | Python |
|---|---|
| boolean, smallint … bigint, real, double | bool, int, float |
| numeric | decimal.Decimal, never float |
| text and its kin | str |
| bytea | bytes |
| uuid | uuid.UUID |
| date, time, timestamp, timestamptz | datetime.date, time, datetime, aware datetime (UTC) |
| json, jsonb | what json.loads gives |
| arrays | list |

Dates and times outside Python's range (infinity, BC) come as PostgreSQL's text. Intervals come as
text: Python's timedelta has no months.
"""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from trilithon.client.errors import UsageError
from trilithon.v1 import sql_pb2

BOOL, BYTEA, INT8, INT4, TEXT, JSON = 16, 17, 20, 23, 25, 114
FLOAT8, DATE, TIME, TIMESTAMP, TIMESTAMPTZ, INTERVAL = 701, 1082, 1083, 1114, 1184, 1186
TIMETZ, NUMERIC, UUID, JSONB = 1266, 1700, 2950, 3802

_ARRAY_OF = {
    BOOL: 1000, BYTEA: 1001, INT4: 1007, TEXT: 1009, INT8: 1016, FLOAT8: 1022, TIMESTAMP: 1115,
    DATE: 1182, TIME: 1183, TIMESTAMPTZ: 1185, NUMERIC: 1231, UUID: 2951,
}  # fmt: skip
_ELEMENT_OF = {
    **{array: element for element, array in _ARRAY_OF.items()},
    199: JSON, 3807: JSONB, 1270: TIMETZ, 1187: INTERVAL,
    1005: INT4, 1021: FLOAT8, 1015: TEXT, 1014: TEXT, 1028: INT8,
}  # fmt: skip


def encode_parameter(value: object) -> sql_pb2.Value:
    """Raises UsageError for a Python type that has no SQL counterpart."""
    if value is None:
        return sql_pb2.Value(null=True)
    if isinstance(value, bytes | bytearray | memoryview):
        return sql_pb2.Value(type_oid=BYTEA, binary=bytes(value))
    if isinstance(value, list | tuple):
        return _encode_array(value)
    oid, text = _scalar(value)
    return sql_pb2.Value(type_oid=oid, text=text)


def _scalar(value: object) -> tuple[int, str]:
    match value:
        case bool():
            return BOOL, "t" if value else "f"
        case int():
            return _integer_oid(value), str(value)
        case str():
            return 0, value
        case float():
            return FLOAT8, repr(value).replace("inf", "Infinity").replace("nan", "NaN")
        case Decimal():
            return NUMERIC, str(value).replace("sNaN", "NaN")
        case uuid.UUID():
            return UUID, str(value)
        case datetime.datetime():
            return (TIMESTAMP if value.tzinfo is None else TIMESTAMPTZ), value.isoformat(" ")
        case datetime.date():
            return DATE, value.isoformat()
        case datetime.time():
            return (TIME if value.tzinfo is None else TIMETZ), value.isoformat()
        case datetime.timedelta():
            return INTERVAL, f"{value.days} days {value.seconds}.{value.microseconds:06} seconds"
        case dict():
            return 0, json.dumps(value)
    raise UsageError(f"no SQL type for a Python {type(value).__name__}")


def _integer_oid(value: int) -> int:
    if -(1 << 31) <= value < 1 << 31:
        return INT4
    return INT8 if -(1 << 63) <= value < 1 << 63 else NUMERIC


def _encode_array(values: Sequence[object]) -> sql_pb2.Value:
    oids: set[int] = set()
    text = _array_text(values, oids)
    if oids <= {INT4, INT8, NUMERIC} and oids:
        element = max(oids, key=(INT4, INT8, NUMERIC).index)
    else:
        element = oids.pop() if len(oids) == 1 else 0
    return sql_pb2.Value(type_oid=_ARRAY_OF.get(element, 0), text=text)


def _array_text(values: Sequence[object], oids: set[int]) -> str:
    parts = []
    for value in values:
        if value is None:
            parts.append("NULL")
        elif isinstance(value, list | tuple):
            parts.append(_array_text(value, oids))
        elif isinstance(value, bytes):
            oids.add(BYTEA)
            parts.append(f'"\\\\x{value.hex()}"')
        else:
            oid, text = _scalar(value)
            oids.add(oid)
            escaped = text.replace("\\", "\\\\").replace('"', '\\"')
            parts.append(f'"{escaped}"')
    return "{" + ",".join(parts) + "}"


_FRACTION_DIGITS = 6


def _datetime(text: str) -> datetime.datetime | str:
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return text


def _timestamptz(text: str) -> datetime.datetime | str:
    value = _datetime(text)
    return value if isinstance(value, str) else value.astimezone(datetime.UTC)


def _date(text: str) -> datetime.date | str:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return text


def _time(text: str) -> datetime.time | str:
    try:
        return datetime.time.fromisoformat(text)
    except ValueError:
        return text  # 24:00:00


_DECODERS: dict[int, Callable[[Any], Any]] = {
    NUMERIC: Decimal,
    UUID: uuid.UUID,
    DATE: _date,
    TIME: _time,
    TIMETZ: _time,
    TIMESTAMP: _datetime,
    TIMESTAMPTZ: _timestamptz,
    JSON: json.loads,
    JSONB: json.loads,
}


def _decoder(type_oid: int) -> Callable[[Any], Any] | None:
    element = _ELEMENT_OF.get(type_oid)
    if element is None:
        return _DECODERS.get(type_oid)
    inner = _DECODERS.get(element)

    def decode(value: Any) -> Any:
        if isinstance(value, list):
            return [None if item is None else decode(item) for item in value]
        return inner(value) if inner else value

    return decode


_unpack = msgspec.msgpack.Decoder(list[list[Any]]).decode


def decode_rows(packed: bytes, type_oids: Sequence[int]) -> list[tuple[Any, ...]]:
    """Rows of a ResultPart as tuples of Python values."""
    if not packed:
        return []
    rows = _unpack(packed)
    decoders = [(i, d) for i, oid in enumerate(type_oids) if (d := _decoder(oid)) is not None]
    for i, decode in decoders:
        for row in rows:
            if row[i] is not None:
                row[i] = decode(row[i])
    return [tuple(row) for row in rows]
