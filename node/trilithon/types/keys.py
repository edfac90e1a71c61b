"""The key codec: bytes whose order is SQL's order.

A key is table id (4 bytes, big-endian), index id (4; 0 is the primary key), then encoded columns.

A column is a tag byte and what the tag calls for, so the end of a column is found without the
schema, no encoding is a prefix of another one's, and equal values have equal keys. Tags are below
0x80; a descending column has all its bytes inverted, and is told by its tag being above.

    tag        payload
    01         NULL that sorts first
    02, 03     false, true
    10..18     negative integer of 8..1 bytes ... (18 is zero), 19..20: positive of 1..8 bytes;
               big-endian, negative ones as value + 256^n - 1. Integers of all widths, oids, dates,
               times and timestamps share this encoding.
    28         float: 8 bytes of IEEE 754, sign folded; NaN above everything, -0 is 0. Also the
               position of an enumerated type's label.
    30..35     numeric: -Infinity, negative, 0, positive, +Infinity, NaN. The payload of a finite one
               is the exponent (3 bytes, biased), then two digits a byte as 1..a, then 00;
               negative ones inverted. Trailing zeros are no part of it.
    38         text: UTF-8, then 00 (no text holds one); bpchar without its trailing blanks
    39         bytea: 00 as 00 ff, then 00 01
    3a         uuid: 16 bytes
    3b         timetz: µs in UTC (8 bytes, biased), zone (4, biased)
    3c         interval: its span in µs (16 bytes, biased)
    3d         array: the elements (NULL as 7f), 00, then dimensions and lower bounds
    7f         NULL that sorts last

Decoding gives a value that equals the encoded one, not always the same: 1.00 comes back as 1,
'1 month' as '720:00:00', char(3) 'a' as 'a'. `decodes_exactly` tells which types are safe for
index-only reads.

The order of text is that of its UTF-8 bytes (the C collation).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.types import numeric
from trilithon.types.registry import OID_KIN, TYPES, TypeRef, is_enum, type_info, type_name
from trilithon.types.values import EMPTY_ARRAY, ArrayValue, EnumValue, Interval, TimeTz

SLOT_COUNT: Final = 1024
PREFIX_BYTES: Final = 8

NULL_FIRST: Final = 0x01
_FALSE, _TRUE = 0x02, 0x03
_INT_ZERO: Final = 0x18
_FLOAT: Final = 0x28
_NUMERIC_NEGATIVE_INFINITY: Final = 0x30
_NUMERIC_NEGATIVE: Final = 0x31
_NUMERIC_ZERO: Final = 0x32
_NUMERIC_POSITIVE: Final = 0x33
_NUMERIC_INFINITY: Final = 0x34
_NUMERIC_NAN: Final = 0x35
_TEXT: Final = 0x38
_BYTEA: Final = 0x39
_UUID: Final = 0x3A
_TIMETZ: Final = 0x3B
_INTERVAL: Final = 0x3C
_ARRAY: Final = 0x3D
NULL_LAST: Final = 0x7F

_INVERT: Final = bytes(255 - byte for byte in range(256))
_EXPONENT_BIAS: Final = 1 << 23
_DIGITS_TO_HEX: Final = bytes.maketrans(b"0123456789", b"123456789a")
_HEX_TO_DIGITS: Final = bytes.maketrans(b"123456789a", b"0123456789")
_INFINITY_BITS: Final = 0x7FF0_0000_0000_0000
_NAN_BITS: Final = 0x7FF8_0000_0000_0000
_SIGN: Final = 1 << 63
_ARRAY_ITEMS_END: Final = 0x00

_FLOAT_PACK: Final = struct.Struct(">d")
_TIMETZ_PACK: Final = struct.Struct(">QI")
_PREFIX_PACK: Final = struct.Struct(">II")

Encode = Callable[[Any], bytes]
# (data, offset of the tag) → (value, offset after the column)
Decode = Callable[[bytes, int], tuple[Any, int]]


class MalformedKey(ValueError):
    """Bytes that no encoder wrote."""


# Integers: one tag byte and the fewest bytes that hold the value.
_SMALL_INTS: Final = tuple(
    bytes((_INT_ZERO,)) if n == 0 else bytes((_INT_ZERO + 1, n)) for n in range(256)
)


def _encode_int(value: int) -> bytes:
    if value >= 0:
        if value < 256:
            return _SMALL_INTS[value]
        size = (value.bit_length() + 7) >> 3
        return ((_INT_ZERO + size << (size << 3)) | value).to_bytes(size + 1, "big")
    size = ((-value).bit_length() + 7) >> 3
    return ((_INT_ZERO - size << (size << 3)) | (value + (1 << (size << 3)) - 1)).to_bytes(
        size + 1, "big"
    )


def _decode_int(data: bytes, at: int) -> tuple[int, int]:
    size = data[at] - _INT_ZERO
    if size == 0:
        return 0, at + 1
    if 0 < size <= 8:
        end = at + 1 + size
        return int.from_bytes(data[at + 1 : end], "big"), end
    if -8 <= size < 0:
        end = at + 1 - size
        return int.from_bytes(data[at + 1 : end], "big") - (1 << (-size << 3)) + 1, end
    raise MalformedKey("not an integer column")


def _encode_bool(value: bool) -> bytes:
    return b"\x03" if value else b"\x02"


def _decode_bool(data: bytes, at: int) -> tuple[bool, int]:
    _expect(_FALSE <= data[at] <= _TRUE, "not a boolean column")
    return data[at] == _TRUE, at + 1


def _encode_float(value: float) -> bytes:
    if value != value:
        bits = _NAN_BITS
    else:
        bits = int.from_bytes(_FLOAT_PACK.pack(value + 0.0), "big")  # -0.0 + 0.0 is 0.0
    folded = bits ^ (0xFFFF_FFFF_FFFF_FFFF if bits & _SIGN else _SIGN)
    return b"\x28" + folded.to_bytes(8, "big")


def _decode_float(data: bytes, at: int) -> tuple[float, int]:
    _expect(data[at] == _FLOAT, "not a float column")
    folded = int.from_bytes(data[at + 1 : at + 9], "big")
    bits = folded ^ (_SIGN if folded & _SIGN else 0xFFFF_FFFF_FFFF_FFFF)
    value: float = _FLOAT_PACK.unpack(bits.to_bytes(8, "big"))[0]
    return value, at + 9


def _decode_enum(data: bytes, at: int) -> tuple[EnumValue, int]:
    """The label is not in the key."""
    position, end = _decode_float(data, at)
    return EnumValue(position, ""), end


def _encode_numeric(value: Decimal) -> bytes:
    if not value.is_finite():
        if value.is_nan():
            return b"\x35"
        return b"\x34" if value > 0 else b"\x30"
    if not value:
        return b"\x32"
    text = str(value)
    if "E" in text:
        text = text[: text.index("E")]
    negative = text[0] == "-"
    digits = text.replace("-", "", 1).replace(".", "", 1).strip("0")
    # value = 0.DIGITS × 10^(adjusted + 1); the bias keeps the exponent positive.
    nibbles = digits.encode().translate(_DIGITS_TO_HEX) + (b"000" if len(digits) & 1 else b"00")
    payload = (value.adjusted() + _EXPONENT_BIAS).to_bytes(3, "big") + bytes.fromhex(
        nibbles.decode()
    )
    if negative:
        return b"\x31" + payload.translate(_INVERT)
    return b"\x33" + payload


def _decode_numeric(data: bytes, at: int) -> tuple[Decimal, int]:
    tag = data[at]
    if tag in (_NUMERIC_POSITIVE, _NUMERIC_NEGATIVE):
        end = _numeric_end(data, at)
        payload = data[at + 1 : end]
        if tag == _NUMERIC_NEGATIVE:
            payload = payload.translate(_INVERT)
        adjusted = int.from_bytes(payload[:3], "big") - _EXPONENT_BIAS
        nibbles = payload[3:-1].hex().removesuffix("0").encode()
        digits = nibbles.translate(_HEX_TO_DIGITS).decode()
        exponent = adjusted - len(digits) + 1
        sign = "-" if tag == _NUMERIC_NEGATIVE else ""
        return numeric.normal(Decimal(f"{sign}{digits}E{exponent}")), end
    single = _NUMERIC_SINGLES.get(tag)
    if single is None:
        raise MalformedKey("not a numeric column")
    return single, at + 1


_NUMERIC_SINGLES: Final = {
    _NUMERIC_NEGATIVE_INFINITY: numeric.NEGATIVE_INFINITY,
    _NUMERIC_ZERO: numeric.ZERO,
    _NUMERIC_INFINITY: numeric.INFINITY,
    _NUMERIC_NAN: numeric.NAN,
}


def _encode_text(value: str) -> bytes:
    if "\0" in value:
        raise SqlError("22021", 'invalid byte sequence for encoding "UTF8": 0x00')
    return b"\x38" + value.encode() + b"\0"


def _encode_bpchar(value: str) -> bytes:
    return _encode_text(value.rstrip(" "))


def _decode_text(data: bytes, at: int) -> tuple[str, int]:
    _expect(data[at] == _TEXT, "not a text column")
    end = data.find(0, at)
    _expect(end >= 0, "a text column without its end")
    return data[at + 1 : end].decode(), end + 1


def _encode_bytea(value: bytes) -> bytes:
    return b"\x39" + value.replace(b"\0", b"\0\xff") + b"\0\x01"


def _decode_bytea(data: bytes, at: int) -> tuple[bytes, int]:
    _expect(data[at] == _BYTEA, "not a bytea column")
    end = data.find(b"\0\x01", at)
    _expect(end >= 0, "a bytea column without its end")
    return data[at + 1 : end].replace(b"\0\xff", b"\0"), end + 2


def _encode_uuid(value: bytes) -> bytes:
    return b"\x3a" + value


def _decode_uuid(data: bytes, at: int) -> tuple[bytes, int]:
    _expect(data[at] == _UUID and len(data) >= at + 17, "not a uuid column")
    return data[at + 1 : at + 17], at + 17


def _encode_timetz(value: TimeTz) -> bytes:
    utc, zone = TimeTz(*value).order()
    return b"\x3b" + _TIMETZ_PACK.pack(utc + (1 << 63), zone + (1 << 31))


def _decode_timetz(data: bytes, at: int) -> tuple[TimeTz, int]:
    _expect(data[at] == _TIMETZ and len(data) >= at + 13, "not a timetz column")
    utc, zone = _TIMETZ_PACK.unpack_from(data, at + 1)
    zone -= 1 << 31
    return TimeTz(utc - (1 << 63) - zone * 1_000_000, zone), at + 13


def _encode_interval(value: Interval) -> bytes:
    return b"\x3c" + (Interval(*value).span_us() + (1 << 127)).to_bytes(16, "big")


def _decode_interval(data: bytes, at: int) -> tuple[Interval, int]:
    """Days and µs; months are not told from 30 days."""
    _expect(data[at] == _INTERVAL and len(data) >= at + 17, "not an interval column")
    span = int.from_bytes(data[at + 1 : at + 17], "big") - (1 << 127)
    days, microseconds = divmod(span, 86_400_000_000)
    if -(1 << 31) <= days < 1 << 31:
        return Interval(0, days, microseconds), at + 17
    months, days = divmod(days, 30)
    return Interval(months, days, microseconds), at + 17


def _array_codec(element_oid: int) -> tuple[Encode, Decode]:
    encode_item, decode_item = _codec(element_oid)

    def encode(value: ArrayValue) -> bytes:
        parts = [b"\x3d"]
        parts += [b"\x7f" if item is None else encode_item(item) for item in value.items]
        # Fewer elements sort first; then fewer dimensions, then the dimensions, then the bounds.
        parts.append(bytes((_ARRAY_ITEMS_END, len(value.dimensions))))
        parts += [_encode_int(number) for number in value.dimensions + value.lower_bounds]
        return b"".join(parts)

    def decode(data: bytes, at: int) -> tuple[ArrayValue, int]:
        _expect(data[at] == _ARRAY, "not an array column")
        at += 1
        items: list[Any] = []
        while data[at] != _ARRAY_ITEMS_END:
            if data[at] == NULL_LAST:
                items.append(None)
                at += 1
            else:
                item, at = decode_item(data, at)
                items.append(item)
        count = data[at + 1]
        at += 2
        numbers: list[int] = []
        for _ in range(2 * count):
            number, at = _decode_int(data, at)
            numbers.append(number)
        if not count:
            return EMPTY_ARRAY, at
        return ArrayValue(tuple(items), tuple(numbers[:count]), tuple(numbers[count:])), at

    return encode, decode


_INT_CODEC: Final[tuple[Encode, Decode]] = (_encode_int, _decode_int)
_TEXT_CODEC: Final[tuple[Encode, Decode]] = (_encode_text, _decode_text)
_ENUM_CODEC: Final[tuple[Encode, Decode]] = (
    lambda value: _encode_float(value.position),
    _decode_enum,
)
_CODECS: Final[dict[str, tuple[Encode, Decode]]] = {
    "bool": (_encode_bool, _decode_bool),
    "int2": _INT_CODEC,
    "int4": _INT_CODEC,
    "int8": _INT_CODEC,
    "date": _INT_CODEC,
    "time": _INT_CODEC,
    "timestamp": _INT_CODEC,
    "timestamptz": _INT_CODEC,
    "float4": (_encode_float, _decode_float),
    "float8": (_encode_float, _decode_float),
    "numeric": (_encode_numeric, _decode_numeric),
    "text": _TEXT_CODEC,
    "varchar": _TEXT_CODEC,
    "name": _TEXT_CODEC,
    "char": _TEXT_CODEC,
    "bpchar": (_encode_bpchar, _decode_text),
    "bytea": (_encode_bytea, _decode_bytea),
    "uuid": (_encode_uuid, _decode_uuid),
    "timetz": (_encode_timetz, _decode_timetz),
    "interval": (_encode_interval, _decode_interval),
}
_INEXACT: Final = frozenset({"numeric", "bpchar", "interval", "float4", "float8"})


@lru_cache(maxsize=512)
def _codec(oid: int) -> tuple[Encode, Decode]:
    if oid in OID_KIN:
        return _INT_CODEC
    if is_enum(oid):
        return _ENUM_CODEC
    info = type_info(oid)
    codec = _CODECS.get(info.name)
    if codec is not None:
        return codec
    if info.element_oid:
        return _array_codec(info.element_oid)
    raise SqlError(
        "42704",
        f"data type {type_name(TypeRef(oid))} has no default operator class for access method "
        '"btree"',
        hint="You must specify an operator class for the index or define a default operator class "
        "for the data type.",
    )


def is_indexable(oid: int) -> bool:
    if oid not in TYPES:
        return False
    try:
        _codec(oid)
    except SqlError:
        return False
    return True


def decodes_exactly(ref: TypeRef) -> bool:
    """Whether a key column gives the very value back, and not merely an equal one."""
    info = type_info(ref.oid)
    inner = TYPES[info.element_oid] if info.element_oid else info
    return inner.name not in _INEXACT and inner.category != "E"


def _null_byte(descending: bool, nulls_first: bool) -> bytes:
    tag = NULL_FIRST if nulls_first != descending else NULL_LAST
    return bytes((255 - tag if descending else tag,))


@lru_cache(maxsize=4096)
def encoder(
    refs: tuple[TypeRef, ...],
    descending: tuple[bool, ...] = (),
    nulls_first: tuple[bool, ...] = (),
) -> Callable[[Sequence[Any]], bytes]:
    """A function that encodes one value per type; keep it where the same columns come often.

    `nulls_first` defaults to `descending`, PostgreSQL's default. Raises SqlError 42704 for a type
    that cannot be indexed.
    """
    descending = _per_column(descending, refs, (False,) * len(refs))
    nulls_first = _per_column(nulls_first, refs, descending)
    steps = tuple(
        (_codec(ref.oid)[0], inverted, _null_byte(inverted, first))
        for ref, inverted, first in zip(refs, descending, nulls_first, strict=True)
    )
    if len(steps) == 1 and not steps[0][1]:
        encode_first, _, null_first = steps[0]
        return lambda values: null_first if values[0] is None else encode_first(values[0])

    def encode(values: Sequence[Any]) -> bytes:
        parts = []
        for value, (encode_value, inverted, null) in zip(values, steps, strict=False):
            if value is None:
                parts.append(null)
            elif inverted:
                parts.append(encode_value(value).translate(_INVERT))
            else:
                parts.append(encode_value(value))
        return b"".join(parts)

    return encode


def _per_column(
    flags: tuple[bool, ...], refs: tuple[TypeRef, ...], default: tuple[bool, ...]
) -> tuple[bool, ...]:
    return (tuple(flags) + default[len(flags) :])[: len(refs)] if flags else default


def encode_columns(
    refs: Sequence[TypeRef],
    values: Sequence[Any],
    descending: Sequence[bool] = (),
    nulls_first: Sequence[bool] = (),
) -> bytes:
    """Encode as many columns as there are values (a prefix of `refs` is fine, for range bounds)."""
    return encoder(tuple(refs), tuple(descending), tuple(nulls_first))(values)


def decode_columns(
    refs: Sequence[TypeRef],
    data: bytes,
    descending: Sequence[bool] = (),
    nulls_first: Sequence[bool] = (),
    start: int = 0,
) -> list[Any]:
    """Decode from `start`; bytes after the last column are left alone.

    Raises MalformedKey (a ValueError) for bytes that are no such columns. `nulls_first` is accepted
    for symmetry: the tags say it already.
    """
    values: list[Any] = []
    at = start
    try:
        for number, ref in enumerate(refs):
            inverted = number < len(descending) and descending[number]
            value, at = _decode_column(ref, data, at, inverted)
            values.append(value)
    except (IndexError, UnicodeDecodeError, ArithmeticError, struct.error) as error:
        raise MalformedKey(f"column {len(values) + 1} is cut off or malformed") from error
    return values


def _decode_column(ref: TypeRef, data: bytes, at: int, inverted: bool) -> tuple[Any, int]:
    tag = 255 - data[at] if inverted else data[at]
    if tag in (NULL_FIRST, NULL_LAST):
        return None, at + 1
    decode = _codec(ref.oid)[1]
    if not inverted:
        return decode(data, at)
    end = column_end(data, at)
    return decode(data[at:end].translate(_INVERT), 0)[0], end


def column_end(data: bytes, at: int) -> int:
    """The offset after the column that begins at `at`, found without the schema.

    Raises MalformedKey.
    """
    try:
        if data[at] < 0x80:
            end = _end(data, at)
        else:
            end = at + _end(data[at:].translate(_INVERT), 0)
    except IndexError as error:
        raise MalformedKey("a column is cut off") from error
    _expect(end <= len(data), "a column is cut off")
    return end


def _end(data: bytes, at: int) -> int:
    tag = data[at]
    if _INT_ZERO - 8 <= tag <= _INT_ZERO + 8:
        return at + 1 + abs(tag - _INT_ZERO)
    match tag:
        case 0x38:
            end = data.find(b"\0", at)
            return end + 1 if end >= 0 else _cut_off()
        case 0x39:
            end = data.find(b"\0\x01", at)
            return end + 2 if end >= 0 else _cut_off()
        case 0x31 | 0x33:
            return _numeric_end(data, at)
        case 0x3D:
            return _array_end(data, at)
    length = _FIXED_LENGTHS.get(tag)
    if length is None:
        raise MalformedKey(f"unknown column tag {tag:#04x}")
    return at + length


_FIXED_LENGTHS: Final = {
    NULL_FIRST: 1,
    NULL_LAST: 1,
    _FALSE: 1,
    _TRUE: 1,
    _FLOAT: 9,
    _NUMERIC_NEGATIVE_INFINITY: 1,
    _NUMERIC_ZERO: 1,
    _NUMERIC_INFINITY: 1,
    _NUMERIC_NAN: 1,
    _UUID: 17,
    _TIMETZ: 13,
    _INTERVAL: 17,
}


def _numeric_end(data: bytes, at: int) -> int:
    end = data.find(b"\0" if data[at] == _NUMERIC_POSITIVE else b"\xff", at + 4)
    return end + 1 if end >= 0 else _cut_off()


def _array_end(data: bytes, at: int) -> int:
    at += 1
    while data[at] != _ARRAY_ITEMS_END:
        _expect(data[at] != _ARRAY, "an array inside an array")
        at = _end(data, at)
    count = data[at + 1]
    at += 2
    for _ in range(2 * count):
        at = _end(data, at)
    return at


def _cut_off() -> int:
    raise MalformedKey("a column without its end")


def _expect(condition: bool, what: str) -> None:
    if not condition:
        raise MalformedKey(what)


def key_prefix(table_id: int, index_id: int) -> bytes:
    return _PREFIX_PACK.pack(table_id, index_id)


def split_prefix(key: bytes) -> tuple[int, int]:
    """(table id, index id) of a key."""
    table_id, index_id = _PREFIX_PACK.unpack_from(key)
    return table_id, index_id


def first_column_end(key: bytes) -> int:
    """The offset after the first column of a whole key; its length, when it has no column."""
    return column_end(key, PREFIX_BYTES) if len(key) > PREFIX_BYTES else len(key)


def key_slot(key: bytes) -> int:
    """The hash slot that a key lives in: keys that agree in their first column live together."""
    return zlib.crc32(key[: first_column_end(key)]) % SLOT_COUNT


def prefix_end(prefix: bytes) -> bytes:
    """The smallest key above every key that begins with `prefix`.

    For a prefix of 0xff alone there is none: the answer is then empty, which means "no end".
    """
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes((stripped[-1] + 1,)) if stripped else b""
