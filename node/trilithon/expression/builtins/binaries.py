"""bytea: hashes, encodings, single bytes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.expression.registry import function
from trilithon.types import text_io
from trilithon.types.registry import TypeRef
from trilithon.types.settings import DEFAULT_SETTINGS

function("md5(text) -> text", raises=False)(
    lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
)
function("md5(bytea) -> text", raises=False)(
    lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest()
)


def _digest(name: str) -> Callable[[bytes], bytes]:
    make = getattr(hashlib, name)
    return lambda data: bytes(make(data).digest())


for _name in ("sha224", "sha256", "sha384", "sha512"):
    function(f"{_name}(bytea) -> bytea", raises=False)(_digest(_name))


def _base64(data: bytes) -> str:
    """Lines of 76 characters without a final newline."""
    text = base64.b64encode(data).decode()
    return "\n".join(text[at : at + 76] for at in range(0, len(text), 76))


@function("encode(bytea, text) -> text")
def _encode(data: bytes, form: str) -> str:
    match form.lower():
        case "hex":
            return data.hex()
        case "base64":
            return _base64(data)
        case "escape":
            return "".join(
                "\\\\"
                if byte == 0x5C
                else f"\\{byte:03o}"
                if byte == 0 or byte > 0x7F
                else chr(byte)
                for byte in data
            )
    raise SqlError("22023", f'unrecognized encoding: "{form}"')


@function("decode(text, text) -> bytea")
def _decode(text: str, form: str) -> bytes:
    match form.lower():
        case "hex":
            return text_io.parse(TypeRef(17), "\\x" + text, DEFAULT_SETTINGS)  # type: ignore[no-any-return]
        case "base64":
            return _decode_base64(text)
        case "escape":
            return text_io.parse_bytea_escape(text)
    raise SqlError("22023", f'unrecognized encoding: "{form}"')


_BASE64: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


def _decode_base64(text: str) -> bytes:
    compact = "".join(text.split())
    for character in compact:
        if character not in _BASE64:
            raise SqlError(
                "22023", f'invalid symbol "{character}" found while decoding base64 sequence'
            )
    try:
        return base64.b64decode(compact, validate=True)
    except ValueError:
        raise SqlError(
            "22023",
            "invalid base64 end sequence",
            hint="Input data is missing padding, is truncated, or is otherwise corrupted.",
        ) from None


@function("convert_to(text, name) -> bytea")
def _convert_to(text: str, encoding: str) -> bytes:
    try:
        return text.encode(_python_encoding(encoding))
    except UnicodeEncodeError as error:
        raise SqlError(
            "22P05", f"character has no equivalent in encoding: {error.reason}"
        ) from None


@function("convert(bytea, name, name) -> bytea")
def _convert(data: bytes, source: str, target: str) -> bytes:
    return _convert_to(_convert_from(data, source), target)


@function("length(bytea, name) -> int4")
def _length_in(data: bytes, encoding: str) -> int:
    return len(_convert_from(data, encoding))


@function("convert_from(bytea, name) -> text")
def _convert_from(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(_python_encoding(encoding))
    except UnicodeDecodeError as error:
        bad = " ".join(f"0x{byte:02x}" for byte in data[error.start : error.end])
        raise SqlError("22021", f'invalid byte sequence for encoding "UTF8": {bad}') from None
    if "\0" in text:
        raise SqlError("22021", 'invalid byte sequence for encoding "UTF8": 0x00')
    return text


def _python_encoding(name: str) -> str:
    known = {"utf8": "utf-8", "latin1": "latin-1", "sqlascii": "ascii", "iso88591": "latin-1", "win1252": "cp1252", "win1251": "cp1251", "latin9": "iso8859-15"}  # fmt: skip
    found = known.get(name.lower().replace("_", "").replace("-", ""))
    if found is None:
        raise SqlError("22023", f'invalid encoding name "{name}"')
    return found


def _check_byte(data: bytes, index: int) -> None:
    if not 0 <= index < len(data):
        raise SqlError("2202E", f"index {index} out of valid range, 0..{len(data) - 1}")


@function("get_byte(bytea, int4) -> int4")
def _get_byte(data: bytes, index: int) -> int:
    _check_byte(data, index)
    return data[index]


@function("set_byte(bytea, int4, int4) -> bytea")
def _set_byte(data: bytes, index: int, value: int) -> bytes:
    _check_byte(data, index)
    return data[:index] + bytes((value & 0xFF,)) + data[index + 1 :]
