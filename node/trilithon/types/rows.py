"""The row codec: a row is a msgpack array of its columns' values, in attnum order.

Numerics, intervals, times with zone, labels and arrays are msgpack extensions (codes below), everything else
is msgpack's own. A batch of rows is a msgpack array of rows and nils, built by concatenation.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec.msgpack import Ext

from trilithon.types.numeric import NAN
from trilithon.types.values import ArrayValue, EnumValue, Interval, RecordValue, TimeTz

NUMERIC_CODE: Final = 1
INTERVAL_CODE: Final = 2
TIMETZ_CODE: Final = 3
ARRAY_CODE: Final = 4
RECORD_CODE: Final = 5
ENUM_CODE: Final = 6
TYPED_RECORD_CODE: Final = 7
WIDE_INTEGER_CODE: Final = 8
NAMED_RECORD_CODE: Final = 9

_INTERVAL_PACK: Final = struct.Struct(">iiq")
_TIMETZ_PACK: Final = struct.Struct(">qi")
_ENUM_PACK: Final = struct.Struct(">d")


class MalformedRow(ValueError):
    """Bytes that are no row."""


def wrap(value: Any) -> Any:
    """What msgpack has no type for, as an extension."""
    if isinstance(value, Decimal):
        return Ext(NUMERIC_CODE, str(value).encode())
    if isinstance(value, Interval):
        return Ext(INTERVAL_CODE, _INTERVAL_PACK.pack(*value))
    if isinstance(value, TimeTz):
        return Ext(TIMETZ_CODE, _TIMETZ_PACK.pack(*value))
    if isinstance(value, EnumValue):
        return Ext(ENUM_CODE, _ENUM_PACK.pack(value.position) + value.label.encode())
    if isinstance(value, ArrayValue):
        parts = [list(value.dimensions), list(value.lower_bounds), _wrap_all(value.items)]
        return Ext(ARRAY_CODE, _encode(parts))
    if isinstance(value, RecordValue):
        parts = [list(value.types), _wrap_all(value)]
        if value.names:
            return Ext(NAMED_RECORD_CODE, _encode([*parts, list(value.names)]))
        return Ext(TYPED_RECORD_CODE, _encode(parts))
    if isinstance(value, tuple):
        return Ext(RECORD_CODE, _encode(_wrap_all(value)))
    return value


def _unwrap(code: int, data: memoryview) -> Any:
    if code == NUMERIC_CODE:
        number = Decimal(str(data, "ascii"))
        return NAN if number.is_nan() else number
    if code == INTERVAL_CODE:
        return Interval(*_INTERVAL_PACK.unpack(data))
    if code == TIMETZ_CODE:
        return TimeTz(*_TIMETZ_PACK.unpack(data))
    if code == ARRAY_CODE:
        dimensions, lower_bounds, items = _decode(data)
        return ArrayValue(tuple(items), tuple(dimensions), tuple(lower_bounds))
    if code == ENUM_CODE:
        return EnumValue(_ENUM_PACK.unpack_from(data)[0], str(data[_ENUM_PACK.size :], "utf-8"))
    if code == TYPED_RECORD_CODE:
        types, fields = _decode(data)
        return RecordValue.of(tuple(fields), tuple(types))
    if code == NAMED_RECORD_CODE:
        types, fields, names = _decode(data)
        return RecordValue.of(tuple(fields), tuple(types), tuple(names))
    if code == RECORD_CODE:
        return tuple(_decode(data))
    if code == WIDE_INTEGER_CODE:
        return int.from_bytes(data, "big", signed=True)
    raise MalformedRow(f"unknown extension {code}")


_PLAIN: Final = frozenset({type(None), bool, int, float, str, bytes})
_encode: Final = msgspec.msgpack.Encoder().encode
_row_decoder: Final = msgspec.msgpack.Decoder(list[Any], ext_hook=_unwrap)
_rows_decoder: Final = msgspec.msgpack.Decoder(list[list[Any] | None], ext_hook=_unwrap)
_decode: Final = _row_decoder.decode
encode_nested: Final = _encode
_FAILURES: Final = (msgspec.MsgspecError, ValueError, ArithmeticError, struct.error, TypeError)


def _wrap_all(values: Sequence[Any]) -> list[Any]:
    return [value if type(value) in _PLAIN else wrap(value) for value in values]


def encode_row(values: Sequence[Any]) -> bytes:
    return _encode(
        [
            value
            if (kind := type(value)) in _PLAIN
            else Ext(NUMERIC_CODE, str(value).encode())
            if kind is Decimal
            else wrap(value)
            for value in values
        ]
    )


def encode_wide_row(values: Sequence[Any]) -> bytes:
    """A row that may hold integers of any size, also inside of tuples: aggregates' states."""
    return _encode([_wrap_wide(value) for value in values])


def _wrap_wide(value: Any) -> Any:
    if type(value) is int:
        if -(1 << 63) <= value < 1 << 63:
            return value
        size = value.bit_length() // 8 + 1
        return Ext(WIDE_INTEGER_CODE, value.to_bytes(size, "big", signed=True))
    if type(value) is tuple:
        return Ext(RECORD_CODE, _encode([_wrap_wide(item) for item in value]))
    return wrap(value)


def decode_row(data: bytes | memoryview) -> list[Any]:
    """Raises MalformedRow (a ValueError)."""
    try:
        return _decode(data)
    except _FAILURES as error:
        raise MalformedRow(f"not a row: {error}") from error


def decode_rows(blob: bytes | memoryview) -> list[list[Any] | None]:
    """What `join_rows` built. Raises MalformedRow."""
    try:
        return _rows_decoder.decode(blob)
    except _FAILURES as error:
        raise MalformedRow(f"not a batch of rows: {error}") from error


def join_rows(rows: Sequence[bytes | None]) -> bytes:
    """One blob of encoded rows (None: no row) without decoding any."""
    count = len(rows)
    if count < 16:
        head = bytes((0x90 | count,))
    elif count < 1 << 16:
        head = b"\xdc" + count.to_bytes(2, "big")
    else:
        head = b"\xdd" + count.to_bytes(4, "big")
    return head + b"".join([b"\xc0" if row is None else row for row in rows])
