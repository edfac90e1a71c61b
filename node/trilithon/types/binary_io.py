"""Values in PostgreSQL's binary format, as drivers send and read them in the extended protocol.

`parse(ref, data)` raises SqlError 22P03 (wrong length or content); `render(ref, value)` never fails for
a value of its type. Formats: the *_recv and *_send functions of PostgreSQL 15.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.types import calendar as cal
from trilithon.types import json_value, jsonpath_text, modifiers, numeric, user_types
from trilithon.types.registry import (
    OID_KIN,
    TypeRef,
    element_type,
    is_composite,
    is_enum,
    is_row,
    type_info,
    type_name,
)
from trilithon.types.text_io import NAME_BYTES, truncate_name
from trilithon.types.values import EMPTY_ARRAY, ArrayValue, Interval, RecordValue, TimeTz

Parse = Callable[[bytes], Any]
Render = Callable[[Any], bytes]

_DIMENSIONS_MAX: Final = 6
_ITEMS_MAX: Final = 16_777_216
_NUMERIC_HEAD: Final = struct.Struct(">HhHH")
_NUMERIC_NEGATIVE, _NUMERIC_NAN = 0x4000, 0xC000
_NUMERIC_INFINITY, _NUMERIC_NEGATIVE_INFINITY = 0xD000, 0xF000
_INTERVAL: Final = struct.Struct(">qii")
_TIMETZ: Final = struct.Struct(">qi")
_ARRAY_HEAD: Final = struct.Struct(">iiI")
_PAIR: Final = struct.Struct(">ii")
_LENGTH: Final = struct.Struct(">i")
_FIELD_HEAD: Final = struct.Struct(">Ii")


def _malformed(kind: str) -> SqlError:
    return SqlError("22P03", f"incorrect binary data format for type {kind}")


def _fixed(layout: str, kind: str) -> tuple[Parse, Render]:
    packer = struct.Struct(layout)
    size, unpack, pack = packer.size, packer.unpack, packer.pack

    def parse(data: bytes) -> Any:
        if len(data) != size:
            raise _malformed(kind)
        return unpack(data)[0]

    return parse, lambda value: pack(value)


def _parse_bool(data: bytes) -> bool:
    if len(data) != 1:
        raise _malformed("boolean")
    return data != b"\0"


def _parse_text(data: bytes) -> str:
    try:
        text = str(data, "utf-8")
    except UnicodeDecodeError as error:
        bad = " ".join(f"0x{byte:02x}" for byte in data[error.start : error.end])
        raise SqlError("22021", f'invalid byte sequence for encoding "UTF8": {bad}') from None
    if "\0" in text:
        raise SqlError("22021", 'invalid byte sequence for encoding "UTF8": 0x00')
    return text


def _parse_uuid(data: bytes) -> bytes:
    if len(data) != 16:
        raise _malformed("uuid")
    return bytes(data)


def _parse_numeric(data: bytes) -> Decimal:
    if len(data) < 8:
        raise _malformed("numeric")
    count, weight, sign, scale = _NUMERIC_HEAD.unpack_from(data)
    if sign == _NUMERIC_NAN:
        return numeric.NAN
    if sign in (_NUMERIC_INFINITY, _NUMERIC_NEGATIVE_INFINITY):
        return numeric.INFINITY if sign == _NUMERIC_INFINITY else numeric.NEGATIVE_INFINITY
    if (
        sign not in (0, _NUMERIC_NEGATIVE)
        or len(data) != 8 + 2 * count
        or scale > numeric.SCALE_MAX
    ):
        raise _malformed("numeric")
    digits = struct.unpack_from(f">{count}h", data, 8)
    if any(not 0 <= digit < 10_000 for digit in digits):
        raise _malformed("numeric")
    text = "".join(f"{digit:04d}" for digit in digits) or "0"
    exponent = 4 * (weight + 1 - count)
    value = numeric.EXACT.scaleb(numeric.EXACT.create_decimal(text), exponent)
    # The scale may cut digits that were sent, as PostgreSQL truncates them.
    value = numeric.truncate_to(numeric.normal(value), scale)
    return value.copy_negate() if sign == _NUMERIC_NEGATIVE and value else value


def _render_numeric(value: Decimal) -> bytes:
    if not value.is_finite():
        sign = (
            _NUMERIC_NAN
            if value.is_nan()
            else _NUMERIC_INFINITY
            if value > 0
            else _NUMERIC_NEGATIVE_INFINITY
        )
        # PostgreSQL's own scale for these; it means nothing, but bytes are compared.
        return _NUMERIC_HEAD.pack(0, 0, sign, 0 if value.is_nan() else 0x20)
    scale = numeric.scale_of(value)
    if not value:
        return _NUMERIC_HEAD.pack(0, 0, 0, scale)
    whole, _, fraction = numeric.render(value.copy_abs()).partition(".")
    whole = whole.lstrip("0")
    whole = whole.rjust(-(-len(whole) // 4) * 4, "0")
    fraction = fraction.ljust(-(-len(fraction) // 4) * 4, "0")
    text = whole + fraction
    groups = [int(text[at : at + 4]) for at in range(0, len(text), 4)]
    weight = len(whole) // 4 - 1
    while groups and groups[0] == 0:
        del groups[0]
        weight -= 1
    while groups and groups[-1] == 0:
        groups.pop()
    sign = _NUMERIC_NEGATIVE if value < 0 else 0
    return _NUMERIC_HEAD.pack(len(groups), weight, sign, scale) + struct.pack(
        f">{len(groups)}h", *groups
    )


def _parse_timetz(data: bytes) -> TimeTz:
    if len(data) != 12:
        raise _malformed("time with time zone")
    us, zone = _TIMETZ.unpack(data)
    if not 0 <= us <= cal.US_PER_DAY or not -57_600 < zone < 57_600:
        raise SqlError("22008", "time out of range")
    return TimeTz(us, zone)


def _parse_interval(data: bytes) -> Interval:
    if len(data) != 16:
        raise _malformed("interval")
    us, days, months = _INTERVAL.unpack(data)
    return Interval(months, days, us)


def _versioned(kind: str, parse: Callable[[str], str]) -> Parse:
    """A byte 1 before the text."""

    def read(data: bytes) -> str:
        if data[:1] != b"\x01":
            version = data[0] if data else 0
            raise SqlError("XX000", f"unsupported {kind} version number {version}")
        return parse(_parse_text(data[1:]))

    return read


def _checked(parse: Parse, check: Callable[[Any], Any]) -> Parse:
    return lambda data: check(parse(data))


def _check_date(value: int) -> int:
    if cal.DATE_MIN <= value <= cal.DATE_MAX or value in (
        cal.DATE_INFINITY,
        cal.DATE_NEGATIVE_INFINITY,
    ):
        return value
    raise SqlError("22008", "date out of range")


def _check_time(value: int) -> int:
    if 0 <= value <= cal.US_PER_DAY:
        return value
    raise SqlError("22008", "time out of range")


def _codec(name: str) -> tuple[Parse, Render] | None:
    text: tuple[Parse, Render] = (_parse_text, lambda value: value.encode())
    match name:
        case "bool":
            return _parse_bool, lambda value: b"\1" if value else b"\0"
        case "int2":
            return _fixed(">h", "smallint")
        case "int4":
            return _fixed(">i", "integer")
        case "int8":
            return _fixed(">q", "bigint")
        case "float4":
            return _fixed(">f", "real")
        case "float8":
            return _fixed(">d", "double precision")
        case "numeric":
            return _parse_numeric, _render_numeric
        case "text" | "varchar" | "bpchar" | "unknown" | "cstring":
            return text
        case "name":
            return _checked(_parse_text, _name), text[1]
        case "char":
            return (
                lambda data: data[:1].decode("latin-1").replace("\0", ""),
                lambda value: value.encode("latin-1", "replace")[:1] or b"\0",
            )
        case "json":
            return _checked(_parse_text, json_value.parse_json), text[1]
        case "jsonb":
            parse = _versioned("jsonb", json_value.parse_jsonb)
            return parse, lambda value: b"\x01" + value.encode()
        case "jsonpath":
            parse = _versioned("jsonpath", jsonpath_text.canonical)
            return parse, lambda value: b"\x01" + value.encode()
        case "bytea":
            return bytes, lambda value: value
        case "uuid":
            return _parse_uuid, lambda value: value
        case "date":
            parse, render = _fixed(">i", "date")
            return _checked(parse, _check_date), render
        case "time":
            parse, render = _fixed(">q", "time")
            return _checked(parse, _check_time), render
        case "timestamp" | "timestamptz":
            parse, render = _fixed(">q", "timestamp")
            return _checked(parse, cal.check_timestamp), render
        case "timetz":
            return _parse_timetz, lambda value: _TIMETZ.pack(*value)
        case "interval":
            return _parse_interval, lambda value: _INTERVAL.pack(value[2], value[1], value[0])
        case "void":
            return lambda data: "", lambda value: b""
    return None


def _name(text: str) -> str:
    if len(text.encode()) > NAME_BYTES:
        raise SqlError(
            "42622", "identifier too long", detail="Identifier must be less than 64 characters."
        )
    return truncate_name(text)


@lru_cache(maxsize=1024)
def _codec_of(oid: int) -> tuple[Parse, Render]:
    if oid in OID_KIN:
        return _fixed(">I", "oid")
    if is_enum(oid):
        return (
            lambda data: user_types.enum_type(oid).parse(_parse_text(data)),
            lambda value: str(value.label).encode(),
        )
    if is_row(oid):
        return _record_parser(oid), _render_record
    info = type_info(oid)
    codec = _codec(info.name)
    if codec is not None:
        return codec
    if info.element_oid:
        return _array_codec(info.element_oid)
    name = type_name(TypeRef(oid))

    def refuse(_: Any) -> Any:
        raise SqlError("42883", f"no binary input function available for type {name}")

    def refuse_output(_: Any) -> bytes:
        raise SqlError("42883", f"no binary output function available for type {name}")

    return refuse, refuse_output


def _render_record(value: RecordValue) -> bytes:
    parts = [_LENGTH.pack(len(value))]
    for item, oid in zip(value, value.types, strict=True):
        if item is None:
            parts.append(_FIELD_HEAD.pack(oid, -1))
        else:
            data = _codec_of(oid)[1](item)
            parts.append(_FIELD_HEAD.pack(oid, len(data)) + data)
    return b"".join(parts)


def _record_parser(oid: int) -> Parse:
    def parse_row(data: bytes) -> RecordValue:
        if not is_composite(oid):
            raise SqlError("0A000", "input of anonymous composite types is not implemented")
        try:
            return _parse_record(bytes(data), user_types.composite(oid))
        except struct.error:
            raise SqlError("08P01", "insufficient data left in message") from None

    return parse_row


def _parse_record(data: bytes, made: user_types.CompositeType) -> RecordValue:
    (count,) = _LENGTH.unpack_from(data)
    if count != len(made.types):
        raise SqlError("42804", f"wrong number of columns: {count}, expected {len(made.types)}")
    at = _LENGTH.size
    values: list[Any] = []
    for number, ref in enumerate(made.types, 1):
        oid, length = _FIELD_HEAD.unpack_from(data, at)
        at += _FIELD_HEAD.size
        if oid != ref.oid:
            raise SqlError(
                "42804",
                f"binary data has type {oid} ({type_name(TypeRef(oid))}) instead of expected "
                f"{ref.oid} ({type_name(TypeRef(ref.oid))}) in record column {number}",
            )
        if length == -1:
            values.append(None)
            continue
        if length < 0 or at + length > len(data):
            raise SqlError("08P01", "insufficient data left in message")
        values.append(parser(ref)(data[at : at + length]))
        at += length
    if at != len(data):
        raise _malformed("record")
    return RecordValue.of(tuple(values), made.oids)


def _array_codec(element_oid: int) -> tuple[Parse, Render]:
    parse_item, render_item = _codec_of(element_oid)

    def render(value: ArrayValue) -> bytes:
        parts = [_ARRAY_HEAD.pack(len(value.dimensions), None in value.items, element_oid)]
        parts += map(_PAIR.pack, value.dimensions, value.lower_bounds)
        for item in value.items:
            if item is None:
                parts.append(b"\xff\xff\xff\xff")
            else:
                data = render_item(item)
                parts.append(_LENGTH.pack(len(data)) + data)
        return b"".join(parts)

    def parse(data: bytes) -> ArrayValue:
        try:
            return _parse_array(bytes(data), element_oid, parse_item)
        except struct.error:
            raise SqlError("08P01", "insufficient data left in message") from None

    return parse, render


def _parse_array(data: bytes, element_oid: int, parse_item: Parse) -> ArrayValue:
    count, flags, oid = _ARRAY_HEAD.unpack_from(data)
    if not 0 <= count <= _DIMENSIONS_MAX:
        raise SqlError(
            "54000",
            f"number of array dimensions ({count}) exceeds the maximum allowed ({_DIMENSIONS_MAX})",
        )
    if flags not in (0, 1):
        raise SqlError("22P03", "invalid array flags")
    if oid != element_oid:
        raise SqlError(
            "42804",
            f"binary data has array element type {oid} ({type_name(TypeRef(oid))}) instead of expected "
            f"{element_oid} ({type_name(TypeRef(element_oid))})",
        )
    at = _ARRAY_HEAD.size
    dimensions: list[int] = []
    lower_bounds: list[int] = []
    total = 1
    for _ in range(count):
        size, low = _PAIR.unpack_from(data, at)
        at += _PAIR.size
        total *= size
        if size < 0 or total > _ITEMS_MAX:
            raise SqlError("54000", f"array size exceeds the maximum allowed ({_ITEMS_MAX})")
        dimensions.append(size)
        lower_bounds.append(low)
    items: list[Any] = []
    for _ in range(total if count else 0):
        (length,) = _LENGTH.unpack_from(data, at)
        at += 4
        if length == -1:
            items.append(None)
            continue
        if length < 0 or at + length > len(data):
            raise SqlError("08P01", "insufficient data left in message")
        items.append(parse_item(data[at : at + length]))
        at += length
    if at != len(data):
        raise _malformed("array")
    if not items:
        return EMPTY_ARRAY
    return ArrayValue(tuple(items), tuple(dimensions), tuple(lower_bounds))


@lru_cache(maxsize=1024)
def parser(ref: TypeRef) -> Parse:
    """The input function with the modifier of `ref`."""
    if type_info(ref.oid).category == "A":
        parse = _codec_of(ref.oid)[0]
        item = modifiers.modifier(element_type(ref), False)
        if item is None:
            return parse
    else:
        parse = _codec_of(ref.oid)[0]
    modify = modifiers.modifier(ref, False)
    return parse if modify is None else _checked(parse, modify)


def renderer(ref: TypeRef) -> Render:
    return _codec_of(ref.oid)[1]


def parse(ref: TypeRef, data: bytes) -> Any:
    return parser(ref)(data)


def render(ref: TypeRef, value: Any) -> bytes:
    return renderer(ref)(value)
