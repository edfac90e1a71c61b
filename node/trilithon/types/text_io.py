"""Values from text and to text, exactly as PostgreSQL does.

`parse(ref, text, settings)` and `render(ref, value, settings)`; `parser` and `renderer` give the
function for one type, for rows. The modifier of `ref` is applied on input, as an input function does.
Failures are SqlError: 22P02 (syntax), 22003 (range), 22007, 22008, 22009 (dates and times), 22001.
"""

from __future__ import annotations

import contextlib
import math
import re
import struct
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.types import datetime_text as dt
from trilithon.types import json_value, jsonpath_text, modifiers, numeric, user_types
from trilithon.types.array_text import parse_array, render_array
from trilithon.types.interval_text import parse_interval, render_interval
from trilithon.types.record_text import split_record
from trilithon.types.registry import (
    BY_NAME,
    OID_KIN,
    TYPES,
    TypeRef,
    element_type,
    interval_modifier,
    is_composite,
    is_enum,
    is_row,
    type_info,
    type_name,
)
from trilithon.types.settings import DEFAULT_SETTINGS, IoSettings
from trilithon.types.values import EnumValue, RecordValue

Parse = Callable[[str, IoSettings], Any]
Render = Callable[[Any, IoSettings], str]

_SPACE: Final = " \t\n\r\v\f"
_INTEGER: Final = re.compile(r"[+-]?\d+", re.ASCII)
_NUMERIC: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_FLOAT_WORDS: Final = {
    "nan": float("nan"),
    # Floats keep the sign of what is no number; it is seen in binary only.
    "-nan": -float("nan"),
    "+nan": float("nan"),
    "infinity": float("inf"),
    "+infinity": float("inf"),
    "-infinity": float("-inf"),
    "inf": float("inf"),
    "+inf": float("inf"),
    "-inf": float("-inf"),
}
_UUID: Final = re.compile(r"[0-9a-fA-F]{4}(?:-?[0-9a-fA-F]{4}){7}")
_INT_RANGES: Final = {"int2": 15, "int4": 31, "int8": 63}
NAME_BYTES: Final = 63


def _syntax(kind: str, text: str) -> SqlError:
    return SqlError("22P02", f'invalid input syntax for type {kind}: "{text}"')


def _parse_bool(text: str, _: IoSettings) -> bool:
    word = text.strip(_SPACE).lower()
    if word in ("t", "true", "1", "on", "yes", "y") or word in ("tr", "tru", "ye"):
        return True
    if word in ("f", "false", "0", "off", "of", "no", "n") or word in ("fa", "fal", "fals"):
        return False
    raise _syntax("boolean", text)


def _parse_int(name: str) -> Parse:
    limit = 1 << _INT_RANGES[name]
    kind = {"int2": "smallint", "int4": "integer", "int8": "bigint"}[name]

    def parse(text: str, _: IoSettings) -> int:
        stripped = text.strip(_SPACE)
        if not _INTEGER.fullmatch(stripped):
            raise _syntax(kind, text)
        value = int(stripped) if len(stripped) < 4000 else limit
        if not -limit <= value < limit:
            raise SqlError("22003", f'value "{text}" is out of range for type {kind}')
        return value

    return parse


def _parse_oid(text: str, __: IoSettings) -> int:
    stripped = text.strip(_SPACE)
    if not _INTEGER.fullmatch(stripped):
        raise _syntax("oid", text)
    value = int(stripped) if len(stripped) < 4000 else 1 << 40
    if not -(1 << 31) <= value < 1 << 32:
        raise SqlError("22003", f'value "{text}" is out of range for type oid')
    return value & 0xFFFF_FFFF


def _parse_reg(name: str) -> Parse:
    """Names of catalog objects are resolved by the analyser; here only numbers and types' names."""

    def parse(text: str, settings: IoSettings) -> int:
        if text == "-":
            return 0
        if text.strip(_SPACE).isdigit():
            return _parse_oid(text, settings)
        if name == "regtype":
            return parse_type_name(text).oid
        raise SqlError("0A000", f"a {name} by name is not supported here", hint="Use its oid.")

    return parse


def parse_type_name(text: str) -> TypeRef:
    """A type's name as regtype takes it. Raises SqlError 42704."""
    from trilithon.types.registry import lookup_type

    name = text.strip().strip('"').removeprefix("pg_catalog.")
    return lookup_type(re.sub(r"\s+", " ", name.lower()) if '"' not in text else name)


def _parse_numeric(text: str, _: IoSettings) -> Decimal:
    stripped = text.strip(_SPACE)
    if not _NUMERIC.fullmatch(stripped):
        word = stripped.lower()
        if word in _FLOAT_WORDS and word[1:] != "nan":
            return numeric.from_float(_FLOAT_WORDS[word], 15)
        raise _syntax("numeric", text)
    mantissa, __, exponent = stripped.partition("e" if "e" in stripped else "E")
    if exponent and abs(int(exponent[:12])) > 200_000:
        if any(digit in "123456789" for digit in mantissa) and not exponent.startswith("-"):
            raise numeric.overflow()
        return numeric.ZERO
    value = Decimal(stripped)
    if numeric.scale_of(value) > numeric.SCALE_MAX:
        raise numeric.overflow()
    return numeric.normal(value)


def _parse_float(name: str) -> Parse:
    kind = "real" if name == "float4" else "double precision"

    def parse(text: str, _: IoSettings) -> float:
        stripped = text.strip(_SPACE)
        if not _NUMERIC.fullmatch(stripped):
            word = _FLOAT_WORDS.get(stripped.lower())
            if word is None:
                raise _syntax(kind, text)
            return word
        value = float(stripped)
        if name == "float4":
            value = to_float4(value, text)
        if value in (float("inf"), float("-inf")):
            raise SqlError("22003", f'"{text}" is out of range for type {kind}')
        if value == 0 and _is_nonzero(stripped):
            raise SqlError("22003", f'"{text}" is out of range for type {kind}')
        return value

    return parse


def _is_nonzero(text: str) -> bool:
    mantissa = text.lower().partition("e")[0]
    return any(digit in "123456789" for digit in mantissa)


_FLOAT4: Final = struct.Struct("<f")


def to_float4(value: float, text: str = "") -> float:
    """Round to single precision. Raises SqlError 22003 where it is too large."""
    try:
        rounded: float = _FLOAT4.unpack(_FLOAT4.pack(value))[0]
        if text and math.isinf(rounded):
            raise OverflowError
    except OverflowError:
        message = (
            f'"{text}" is out of range for type real' if text else "value out of range: overflow"
        )
        raise SqlError("22003", message) from None
    return rounded


def _parse_text(text: str, _: IoSettings) -> str:
    return text


def _parse_name(text: str, _: IoSettings) -> str:
    return truncate_name(text)


def truncate_name(text: str) -> str:
    """Names hold 63 bytes; longer ones are cut at a character."""
    data = text.encode()
    return text if len(data) <= NAME_BYTES else data[:NAME_BYTES].decode(errors="ignore")


def parse_char(text: str, _: IoSettings | None = None) -> str:
    """The one-byte type "char": "\\ooo" is a byte in octal."""
    if re.fullmatch(r"\\[0-3][0-7]{2}", text):
        byte = int(text[1:], 8)
        return chr(byte) if byte else ""
    return one_byte(text)


def one_byte(text: str) -> str:
    """The first byte of a text, as values of "char" are kept: a character up to 255."""
    byte = text[:1].encode("utf-8", "replace")[:1]
    return byte.decode("latin-1")


def render_char(value: str) -> str:
    return value if value.isascii() else f"\\{ord(value):03o}"


_HEX: Final = re.compile(r"[0-9a-fA-F]*")


def _parse_bytea(text: str, _: IoSettings) -> bytes:
    if text.startswith("\\x"):
        digits = re.sub(r"[ \t\n\r]", "", text[2:])
        if not _HEX.fullmatch(digits):
            bad = next(c for c in digits if c not in "0123456789abcdefABCDEF")
            raise SqlError("22023", f'invalid hexadecimal digit: "{bad}"')
        if len(digits) % 2:
            raise SqlError("22023", "invalid hexadecimal data: odd number of digits")
        return bytes.fromhex(digits)
    return parse_bytea_escape(text)


def parse_bytea_escape(text: str) -> bytes:
    """The escape format: \\\\ and \\ooo."""
    if "\\" not in text:
        return text.encode()
    out = bytearray()
    data = text.encode()
    at = 0
    while at < len(data):
        if data[at] != 0x5C:
            out.append(data[at])
            at += 1
        elif data[at + 1 : at + 2] == b"\\":
            out.append(0x5C)
            at += 2
        elif re.fullmatch(rb"[0-3][0-7]{2}", data[at + 1 : at + 4]):
            out.append(int(data[at + 1 : at + 4], 8))
            at += 4
        else:
            raise SqlError("22P02", "invalid input syntax for type bytea")
    return bytes(out)


def _render_bytea(value: bytes, settings: IoSettings) -> str:
    return "\\x" + value.hex() if settings.bytea_output != "escape" else render_bytea_escape(value)


def render_bytea_escape(value: bytes) -> str:
    return "".join(
        "\\\\" if byte == 0x5C else chr(byte) if 0x20 <= byte <= 0x7E else f"\\{byte:03o}"
        for byte in value
    )


def _parse_uuid(text: str, _: IoSettings) -> bytes:
    body = text[1:-1] if text[:1] == "{" and text[-1:] == "}" else text
    if not _UUID.fullmatch(body):
        raise _syntax("uuid", text)
    return bytes.fromhex(body.replace("-", ""))


def render_uuid(value: bytes, _: IoSettings = DEFAULT_SETTINGS) -> str:
    text = value.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _render_bool(value: bool, _: IoSettings) -> str:
    return "t" if value else "f"


def _render_str(value: Any, _: IoSettings) -> str:
    return str(value)


def _render_numeric(value: Decimal, _: IoSettings) -> str:
    return numeric.render(value)


_TIES_FROM: Final = 2.0**52


def shortest_float(value: float, single: bool = False) -> str:
    """The shortest text that reads back as the same number, in PostgreSQL's layout."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0" if str(value)[0] == "-" else "0"
    if single:
        mantissa, _, exponent = _shortest_single(value).partition("e")
    else:
        mantissa, _, exponent = _scientific(_shortest_double(value)).partition("e")
    digits = mantissa.replace("-", "").replace(".", "").rstrip("0") or "0"
    sign = "-" if value < 0 else ""
    return sign + _layout(digits, int(exponent), 6 if single else 15)


def _shortest_double(value: float) -> str:
    """repr(), but never a text in the middle between two numbers: PostgreSQL does not rely on how a reader
    rounds those. Only whole numbers have such texts of 17 digits or fewer."""
    text = repr(value)
    if abs(value) < _TIES_FROM:
        return text
    for precision in range(17):
        away = abs(int(Decimal(text)) - int(value))
        if 2 * away < math.ulp(value):
            break
        text = f"{value:.{precision}e}"
    return text


def _scientific(text: str) -> str:
    """repr()'s digits with an explicit exponent."""
    if "e" in text:
        return text
    whole, _, fraction = text.lstrip("-").partition(".")
    if whole != "0":
        return f"{whole}{fraction}e{len(whole) - 1}"
    stripped = fraction.lstrip("0")
    return f"{stripped}e{-(len(fraction) - len(stripped)) - 1}"


def _shortest_single(value: float) -> str:
    for precision in range(9):
        text = f"{value:.{precision}e}"
        # Fewer digits of the largest number may round to what is no float4 any more.
        with contextlib.suppress(OverflowError):
            candidate = float(text)
            tie = abs(candidate - value) == math.ldexp(1.0, math.frexp(value)[1] - 25)
            if _FLOAT4.unpack(_FLOAT4.pack(candidate))[0] == value and not tie:
                return text
    return f"{value:.8e}"


def _layout(digits: str, exponent: int, limit: int) -> str:
    """Digits d.ddd × 10^exponent; scientific below 1e-4 and from 10^limit on."""
    if exponent < -4 or exponent >= limit:
        body = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
        return f"{body}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    if len(digits) <= exponent + 1:
        return digits.ljust(exponent + 1, "0")
    return digits[: exponent + 1] + "." + digits[exponent + 1 :]


def _render_float(single: bool) -> Render:
    def render(value: float, settings: IoSettings) -> str:
        extra = settings.extra_float_digits
        if extra > 0:
            return shortest_float(value, single)
        if value != value or value in (float("inf"), float("-inf")):
            return shortest_float(value)
        return f"{value:.{max((6 if single else 15) + extra, 1)}g}"

    return render


def _render_oid_kind(name: str) -> Render:
    kind = BY_NAME[name].oid

    def render(value: int, settings: IoSettings) -> str:
        if name.startswith("reg") and settings.object_name is not None:
            return settings.object_name(kind, value)
        if name == "regtype":
            return (
                "-" if value == 0 else type_name(TypeRef(value)) if value in TYPES else str(value)
            )
        return "-" if value == 0 and name.startswith("reg") else str(value)

    return render


def _parse_interval(fields: int) -> Parse:
    return lambda text, settings: parse_interval(text, fields, settings.intervalstyle)


def _unsupported(name: str) -> Parse:
    def parse(text: str, _: IoSettings) -> Any:
        raise SqlError("0A000", f"cannot accept a value of type {name}")

    return parse


_PARSERS: Final[dict[str, Parse]] = {
    "bool": _parse_bool,
    "int2": _parse_int("int2"),
    "int4": _parse_int("int4"),
    "int8": _parse_int("int8"),
    "numeric": _parse_numeric,
    "float4": _parse_float("float4"),
    "float8": _parse_float("float8"),
    "text": _parse_text,
    "varchar": _parse_text,
    "bpchar": _parse_text,
    "unknown": _parse_text,
    "cstring": _parse_text,
    "name": _parse_name,
    "char": parse_char,
    "bytea": _parse_bytea,
    "uuid": _parse_uuid,
    "json": lambda text, _: json_value.parse_json(text),
    "jsonb": lambda text, _: json_value.parse_jsonb(text),
    "jsonpath": lambda text, _: jsonpath_text.canonical(text),
    "date": dt.parse_date,
    "time": dt.parse_time,
    "timetz": dt.parse_timetz,
    "timestamp": lambda text, settings: dt.parse_timestamp(text, settings, zoned=False),
    "timestamptz": lambda text, settings: dt.parse_timestamp(text, settings, zoned=True),
    "interval": lambda text, settings: parse_interval(text, style=settings.intervalstyle),
    "void": lambda text, _: "",
}
_RENDERERS: Final[dict[str, Render]] = {
    "bool": _render_bool,
    "numeric": _render_numeric,
    "float4": _render_float(True),
    "float8": _render_float(False),
    "bytea": _render_bytea,
    "uuid": render_uuid,
    "date": lambda value, _: dt.render_date(value),
    "time": lambda value, _: dt.render_time(value),
    "timetz": lambda value, _: dt.render_timetz(value),
    "timestamp": lambda value, _: dt.render_timestamp(value),
    "timestamptz": lambda value, settings: dt.render_timestamptz(value, settings.zone),
    "interval": lambda value, settings: render_interval(value, settings.intervalstyle),
    "void": lambda value, _: "",
    "char": lambda value, _: render_char(value),
}
# Types whose text depends on the session, in either direction.
_SETTINGS_DEPENDENT: Final = frozenset(
    [
        "date",
        "time",
        "timetz",
        "timestamp",
        "timestamptz",
        "interval",
        "float4",
        "float8",
        "bytea",
        "regtype",
        "regclass",
    ]
)


def depends_on_settings(oid: int) -> bool:
    """Whether text of this type depends on the session (so that its casts are only stable)."""
    info = type_info(oid)
    if info.element_oid:
        return depends_on_settings(info.element_oid)
    # Labels are known where a catalog is, so reading one is only stable.
    return info.name in _SETTINGS_DEPENDENT or is_row(oid) or is_enum(oid)


@lru_cache(maxsize=1024)
def _parser(ref: TypeRef) -> Parse:
    info = type_info(ref.oid)
    if info.category == "A":
        return _array_parser(ref)
    if info.name in ("oid", "xid"):
        return _parse_oid
    if ref.oid in OID_KIN:
        return _parse_reg(info.name)
    if is_enum(ref.oid):
        return lambda text, _: user_types.enum_type(ref.oid).parse(text)
    if is_row(ref.oid):
        return _record_parser(ref.oid)
    parse = _PARSERS.get(info.name) or _unsupported(info.name)
    if info.name == "interval":
        pair = interval_modifier(ref.typmod)
        if pair is not None:
            parse = _parse_interval(pair[0])
    modify = modifiers.modifier(ref, False)
    if modify is None:
        return parse
    inner = parse
    return lambda text, settings: modify(inner(text, settings))


def _array_parser(ref: TypeRef) -> Parse:
    if type_info(ref.oid).name in ("int2vector", "oidvector"):
        return _vector_parser(ref)
    item = _parser(element_type(ref))
    return lambda text, settings: parse_array(text, lambda part: item(part, settings))


def _vector_parser(ref: TypeRef) -> Parse:
    from trilithon.types.values import ArrayValue

    item = _parser(element_type(ref))

    def parse(text: str, settings: IoSettings) -> ArrayValue:
        items = tuple(item(part, settings) for part in text.split())
        return ArrayValue(items, (len(items),), (0,))

    return parse


@lru_cache(maxsize=1024)
def _renderer(oid: int) -> Render:
    info = type_info(oid)
    if info.name in ("int2vector", "oidvector"):
        return lambda value, _: " ".join(map(str, value.items))
    if info.category == "A":
        item = _renderer(info.element_oid)
        return lambda value, settings: render_array(value, lambda part: item(part, settings))
    if is_row(oid):
        return _render_record
    if oid in OID_KIN:
        return _render_oid_kind(info.name)
    if is_enum(oid):
        return lambda value, _: str(value.label)
    return _RENDERERS.get(info.name, _render_str)


def _record_parser(oid: int) -> Parse:
    if not is_composite(oid):
        return _refuse_record

    def parse_row(text: str, settings: IoSettings) -> RecordValue:
        made = user_types.composite(oid)
        fields = split_record(text, len(made.types))
        values = tuple(
            None if field is None else _parser(ref)(field, settings)
            for field, ref in zip(fields, made.types, strict=True)
        )
        return RecordValue.of(values, made.oids)

    return parse_row


def _refuse_record(text: str, settings: IoSettings) -> Any:
    raise SqlError("0A000", "input of anonymous composite types is not implemented")


_RECORD_QUOTED: Final = re.compile(r'["\\(),\s]')


def _render_record(value: tuple[Any, ...], settings: IoSettings) -> str:
    """Fields by their types, or, where those are not known, by their Python types."""
    parts: list[str] = []
    types = value.types if isinstance(value, RecordValue) else None
    for at, item in enumerate(value):
        if item is None:
            parts.append("")
            continue
        if types is None:
            text = _by_python_type(item, settings)
        else:
            text = _renderer(types[at])(item, settings)
        if not text or _RECORD_QUOTED.search(text):
            text = '"' + text.replace("\\", "\\\\").replace('"', '""') + '"'
        parts.append(text)
    return "(" + ",".join(parts) + ")"


def _by_python_type(item: Any, settings: IoSettings) -> str:
    match item:
        case bool():
            return _render_bool(item, settings)
        case float():
            return shortest_float(item)
        case Decimal():
            return numeric.render(item)
        case bytes():
            return _render_bytea(item, settings)
        case EnumValue():
            return item.label
        case _:
            return str(item)


def parse(ref: TypeRef, text: str, settings: IoSettings = DEFAULT_SETTINGS) -> Any:
    return _parser(ref)(text, settings)


def render(ref: TypeRef, value: Any, settings: IoSettings = DEFAULT_SETTINGS) -> str:
    """`value` is not None."""
    return _renderer(ref.oid)(value, settings)


def parser(ref: TypeRef, settings: IoSettings) -> Callable[[str], Any]:
    call = _parser(ref)
    return lambda text: call(text, settings)


def renderer(ref: TypeRef, settings: IoSettings) -> Callable[[Any], str]:
    name = type_info(ref.oid).name
    if name in ("int2", "int4", "int8", "text", "varchar", "bpchar", "oid"):
        return str
    if name == "timestamptz":
        zone = settings.zone
        return lambda value: dt.render_timestamptz(value, zone)
    call = _renderer(ref.oid)
    return lambda value: call(value, settings)
