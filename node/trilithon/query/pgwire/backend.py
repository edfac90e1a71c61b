"""Backend messages as bytes. No I/O."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.query.session.ports import ResultColumnLike
from trilithon.types.registry import TYPES, TypeRef

_INT32: Final = struct.Struct("!i")
_COLUMN: Final = struct.Struct("!IhIhih")


def message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + _INT32.pack(len(body) + 4) + body


AUTHENTICATION_OK: Final = message(b"R", _INT32.pack(0))
PARSE_COMPLETE: Final = message(b"1")
BIND_COMPLETE: Final = message(b"2")
CLOSE_COMPLETE: Final = message(b"3")
NO_DATA: Final = message(b"n")
EMPTY_QUERY_RESPONSE: Final = message(b"I")
PORTAL_SUSPENDED: Final = message(b"s")
COPY_DONE: Final = message(b"c")
READY_IDLE: Final = message(b"Z", b"I")
READY_IN_TRANSACTION: Final = message(b"Z", b"T")
READY_FAILED: Final = message(b"Z", b"E")

SSL_YES: Final = b"S"
SSL_NO: Final = b"N"


def authentication_sasl(mechanisms: Sequence[str]) -> bytes:
    names = b"".join(name.encode() + b"\0" for name in mechanisms)
    return message(b"R", _INT32.pack(10) + names + b"\0")


def authentication_sasl_continue(data: bytes) -> bytes:
    return message(b"R", _INT32.pack(11) + data)


def authentication_sasl_final(data: bytes) -> bytes:
    return message(b"R", _INT32.pack(12) + data)


def negotiate_protocol_version(minor: int, unknown: Sequence[str]) -> bytes:
    names = b"".join(name.encode() + b"\0" for name in unknown)
    return message(b"v", struct.pack("!ii", minor, len(unknown)) + names)


def parameter_status(name: str, value: str) -> bytes:
    return message(b"S", name.encode() + b"\0" + value.encode() + b"\0")


def backend_key_data(backend_id: int, secret: bytes) -> bytes:
    return message(b"K", _INT32.pack(backend_id) + secret)


_COMMAND_COMPLETE: dict[str, bytes] = {}
_CACHED_TAGS_MAX: Final = 1_000


def command_complete(tag: str) -> bytes:
    known = _COMMAND_COMPLETE.get(tag)
    if known is None:
        known = message(b"C", tag.encode() + b"\0")
        if len(_COMMAND_COMPLETE) < _CACHED_TAGS_MAX:
            _COMMAND_COMPLETE[tag] = known
    return known


def row_description(columns: Sequence[ResultColumnLike], formats: Sequence[int]) -> bytes:
    """`formats` has one code per column."""
    parts = [struct.pack("!h", len(columns))]
    for column, code in zip(columns, formats, strict=True):
        ref = column.type
        info = TYPES.get(ref.oid)
        length = info.length if info is not None else -1
        parts.append(column.name.encode())
        parts.append(b"\0")
        parts.append(
            _COLUMN.pack(column.table_oid, column.attnum, ref.oid, length, ref.typmod, code)
        )
    return message(b"T", b"".join(parts))


def parameter_description(types: Sequence[TypeRef]) -> bytes:
    oids = struct.pack(f"!H{len(types)}I", len(types), *(ref.oid for ref in types))
    return message(b"t", oids)


def copy_response(kind: bytes, binary: bool, columns: int) -> bytes:
    """`kind` is b"G" (CopyIn) or b"H" (CopyOut)."""
    code = 1 if binary else 0
    return message(kind, struct.pack(f"!bH{columns}H", code, columns, *([code] * columns)))


def copy_data(parts: Sequence[bytes]) -> bytes:
    """One CopyData message per part."""
    pack = _INT32.pack
    return b"".join([b"d" + pack(len(part) + 4) + part for part in parts])


def _field(code: bytes, text: str) -> bytes:
    # A NUL would end the field early; nothing that is shown to people needs one.
    return code + text.replace("\0", "?").encode("utf-8", "replace") + b"\0"


def error_response(error: SqlError) -> bytes:
    return _error(b"E", error)


def notice_response(error: SqlError) -> bytes:
    return _error(b"N", error)


def _error(kind: bytes, error: SqlError) -> bytes:
    fields = [
        _field(b"S", error.severity),
        _field(b"V", error.severity),
        _field(b"C", error.sqlstate),
        _field(b"M", error.message),
    ]
    for code, text in (
        (b"D", error.detail),
        (b"H", error.hint),
        (b"P", str(error.position) if error.position > 0 else ""),
        (b"W", error.where),
        (b"s", error.schema),
        (b"t", error.table),
        (b"c", error.column),
        (b"d", error.data_type),
        (b"n", error.constraint),
    ):
        if text:
            fields.append(_field(code, text))
    fields.append(b"\0")
    return message(kind, b"".join(fields))
