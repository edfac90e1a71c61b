"""COPY's data formats, without I/O: bytes in, fields out, and back (PostgreSQL's copyfromparse.c).

A *field* is str, None for NULL (text and csv), or bytes (binary). Readers are fed arbitrary pieces of
bytes; they give whole rows and keep the rest. `line_number` counts from 1, for CONTEXT.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.session.copy_options import CopyOptions

BINARY_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0"
BINARY_HEADER: Final = BINARY_SIGNATURE + b"\0" * 8
BINARY_TRAILER: Final = b"\xff\xff"
LINE_BYTES_MAX: Final = 64 * 1024 * 1024

Fields = list[Any]

_ESCAPE: Final = re.compile(rb"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_SIMPLE: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_TEXT_ESCAPES: Final = str.maketrans(
    {
        "\\": "\\\\",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
    }
)


def decode_utf8(data: bytes) -> str:
    """Raises SqlError 22021, with the offending bytes as PostgreSQL shows them."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        shown = " ".join(f"0x{byte:02x}" for byte in data[error.start : error.start + 4][:1])
        raise SqlError("22021", f'invalid byte sequence for encoding "UTF8": {shown}') from None
    if "\0" in text:
        raise SqlError("22021", 'invalid byte sequence for encoding "UTF8": 0x00')
    return text


class TextReader:
    """The text format: one line per row, fields between delimiters, backslash escapes."""

    def __init__(self, options: CopyOptions) -> None:
        self.line_number = 0
        self.ended = False
        self._options = options
        self._delimiter = options.delimiter.encode()
        self._null = (options.null or "").encode()
        self._skip = 1 if options.header else 0
        self.header: list[str] | None = None
        self._rest = b""

    def feed(self, data: bytes) -> list[Fields]:
        if self.ended:
            return []
        data = self._rest + data if self._rest else data
        lines = _split_lines(data)
        self._rest = lines.pop()
        _check_length(self._rest)
        return self._rows(lines)

    def finish(self) -> list[Fields]:
        rest, self._rest = self._rest, b""
        return self._rows([rest]) if rest and not self.ended else []

    def _rows(self, lines: list[bytes]) -> list[Fields]:
        rows: list[Fields] = []
        for line in lines:
            self.line_number += 1
            if line.endswith(b"\r"):
                line = line[:-1]
            if line == b"\\.":
                self.ended = True
                break
            if self._skip:
                self._skip -= 1
                self.header = [field or "" for field in self._fields(line)]
                continue
            rows.append(self._fields(line))
        return rows

    def _fields(self, line: bytes) -> Fields:
        if b"\\" not in line:
            null = self._options.null
            return [
                None if field == null else field
                for field in decode_utf8(line).split(self._options.delimiter)
            ]
        raw = self._split_escaped(line)
        return [None if field == self._null else decode_utf8(_unescape(field)) for field in raw]

    def _split_escaped(self, line: bytes) -> list[bytes]:
        """Split at delimiters that no backslash precedes."""
        parts = line.split(self._delimiter)
        fields: list[bytes] = []
        pending = b""
        for part in parts:
            pending += part
            backslashes = len(pending) - len(pending.rstrip(b"\\"))
            if backslashes % 2:
                pending += self._delimiter
                continue
            fields.append(pending)
            pending = b""
        if pending:
            fields.append(pending[: -len(self._delimiter)])
        return fields


def _split_lines(data: bytes) -> list[bytes]:
    """Lines and, last, what is no whole line yet. An escaped newline does not end a line."""
    lines = data.split(b"\n")
    if b"\\\n" not in data:
        return lines
    joined: list[bytes] = []
    pending = b""
    for index, line in enumerate(lines):
        pending += line
        backslashes = len(pending) - len(pending.rstrip(b"\\"))
        if backslashes % 2 and index < len(lines) - 1 and pending != b"\\":
            pending += b"\n"
            continue
        joined.append(pending)
        pending = b""
    if pending:
        joined.append(pending)
    return joined


def _unescape(field: bytes) -> bytes:
    return _ESCAPE.sub(_replace, field) if b"\\" in field else field


def _replace(match: re.Match[bytes]) -> bytes:
    what = match[1]
    if what[:1] == b"x" and len(what) > 1:
        return bytes((int(what[1:], 16),))
    if what[:1].isdigit() and what[0] < ord("8"):
        return bytes((int(what, 8) & 0xFF,))
    return _SIMPLE.get(what, what)


def _check_length(rest: bytes | bytearray) -> None:
    if len(rest) > LINE_BYTES_MAX:
        raise SqlError("54000", f"a line of COPY data is longer than {LINE_BYTES_MAX} bytes")


class CsvReader:
    """The csv format: quoted fields may hold anything, an unquoted NULL string is NULL."""

    def __init__(self, options: CopyOptions) -> None:
        self.line_number = 0
        self.ended = False
        self.header: list[str] | None = None
        self._options = options
        self._quote = options.quote.encode()
        self._escape = options.escape.encode()
        self._skip = 1 if options.header else 0
        self._rest = b""
        # How far `_rest` was searched, and whether a quote is open there.
        self._searched = 0
        self._quoted = False

    def feed(self, data: bytes) -> list[Fields]:
        if self.ended:
            return []
        self._rest = self._rest + data if self._rest else data
        rows: list[Fields] = []
        while not self.ended:
            line = self._next_line()
            if line is None:
                break
            self._take(line, rows)
        _check_length(self._rest)
        return rows

    def finish(self) -> list[Fields]:
        rows: list[Fields] = []
        if self._rest and not self.ended:
            if self._quoted:
                raise SqlError("22P04", "unterminated CSV quoted field")
            rest, self._rest = self._rest, b""
            self._take(rest, rows)
        return rows

    def _next_line(self) -> bytes | None:
        """A line ends at a newline outside quotes. Quotes inside quoted fields come doubled or
        escaped, so that parity tells inside from outside."""
        data = self._rest
        position = self._searched
        distinct = self._escape != self._quote
        while True:
            newline = data.find(b"\n", position)
            stop = newline if newline >= 0 else len(data)
            index = position
            while (index := data.find(self._quote, index, stop)) >= 0:
                if not (distinct and self._quoted and _escaped(data, index, self._escape)):
                    self._quoted = not self._quoted
                index += 1
            if newline < 0:
                self._searched = len(data)
                return None
            position = newline + 1
            if not self._quoted:
                self._rest, self._searched = data[position:], 0
                return data[:newline]

    def _take(self, line: bytes, rows: list[Fields]) -> None:
        self.line_number += 1 + line.count(b"\n")
        if line.endswith(b"\r"):
            line = line[:-1]
        if line == b"\\.":
            self.ended = True
        elif self._skip:
            self._skip -= 1
            self.header = [field or "" for field in self._fields(decode_utf8(line))]
        else:
            rows.append(self._fields(decode_utf8(line)))

    def _fields(self, line: str) -> Fields:
        options = self._options
        if options.quote not in line:
            return [
                None if field == options.null else field for field in line.split(options.delimiter)
            ]
        fields: Fields = []
        position, end = 0, len(line)
        while True:
            field, position, quoted = self._field(line, position, end)
            fields.append(None if field == options.null and not quoted else field)
            if position >= end:
                return fields
            position += 1
            if position == end:
                fields.append(None if options.null == "" else "")
                return fields

    def _field(self, line: str, position: int, end: int) -> tuple[str, int, bool]:
        """The field at `position`, where it ends, and whether any of it was quoted."""
        quote, escape, delimiter = (
            self._options.quote,
            self._options.escape,
            self._options.delimiter,
        )
        parts: list[str] = []
        quoted = was_quoted = False
        while position < end:
            letter = line[position]
            if quoted:
                after = line[position + 1 : position + 2]
                if letter == escape and after and after in (escape, quote):
                    parts.append(after)
                    position += 1
                elif letter == quote:
                    quoted = False
                else:
                    parts.append(letter)
            elif letter == delimiter:
                break
            elif letter == quote:
                quoted = was_quoted = True
            else:
                parts.append(letter)
            position += 1
        if quoted:
            raise SqlError("22P04", "unterminated CSV quoted field")
        return "".join(parts), position, was_quoted


def _escaped(data: bytes, index: int, escape: bytes) -> bool:
    """Whether an odd number of escapes precedes `index`."""
    count = 0
    while index - count > 0 and data[index - count - 1 : index - count] == escape:
        count += 1
    return count % 2 == 1


class BinaryReader:
    """The binary format: a signature, then rows of length-prefixed fields, then -1."""

    def __init__(self, columns: int) -> None:
        self.line_number = 0
        self.ended = False
        self.header: list[str] | None = None
        self._columns = columns
        self._rest = b""
        self._started = False

    def feed(self, data: bytes) -> list[Fields]:
        self._rest = self._rest + data if self._rest else data
        if not self._started and not self._start():
            return []
        rows: list[Fields] = []
        position = 0
        while not self.ended:
            found = self._row(position)
            if found is None:
                break
            row, position = found
            if row is not None:
                self.line_number += 1
                rows.append(row)
        self._rest = self._rest[position:]
        _check_length(self._rest)
        if self.ended and self._rest:
            raise SqlError("22P04", "received copy data after EOF marker")
        return rows

    def finish(self) -> list[Fields]:
        if not self._started or self._rest:
            raise SqlError("22P04", "unexpected EOF in COPY data")
        return []

    def _start(self) -> bool:
        signature = self._rest[: len(BINARY_SIGNATURE)]
        if not BINARY_SIGNATURE.startswith(signature):
            raise SqlError("22P04", "COPY file signature not recognized")
        if len(self._rest) < len(BINARY_HEADER):
            return False
        flags, extension = struct.unpack_from("!Ii", self._rest, len(BINARY_SIGNATURE))
        if flags & 0xFFFF_0000:
            raise SqlError("22P04", "unrecognized critical flags in COPY file header")
        if extension < 0:
            raise SqlError("22P04", "invalid COPY file header (missing length)")
        if len(self._rest) < len(BINARY_HEADER) + extension:
            return False
        self._rest = self._rest[len(BINARY_HEADER) + extension :]
        self._started = True
        return True

    def _row(self, position: int) -> tuple[Fields | None, int] | None:
        data = self._rest
        if len(data) - position < 2:
            return None
        (count,) = struct.unpack_from("!h", data, position)
        position += 2
        if count == -1:
            self.ended = True
            return None, position
        if count != self._columns:
            raise SqlError("22P04", f"row field count is {count}, expected {self._columns}")
        row: Fields = []
        for _ in range(count):
            if len(data) - position < 4:
                return None
            (length,) = struct.unpack_from("!i", data, position)
            position += 4
            if length == -1:
                row.append(None)
                continue
            if length < 0:
                raise SqlError("22P04", "invalid field size")
            if len(data) - position < length:
                return None
            row.append(data[position : position + length])
            position += length
        return row, position


def make_reader(options: CopyOptions, columns: int) -> TextReader | CsvReader | BinaryReader:
    match options.format:
        case "binary":
            return BinaryReader(columns)
        case "csv":
            return CsvReader(options)
        case _:
            return TextReader(options)


# ---- writing


def write_text(fields: Sequence[str | None], options: CopyOptions) -> bytes:
    delimiter, null = options.delimiter, options.null or ""
    parts: list[str] = []
    for field in fields:
        if field is None:
            parts.append(null)
            continue
        field = field.translate(_TEXT_ESCAPES)
        if delimiter != "\t" and delimiter in field:
            field = field.replace(delimiter, "\\" + delimiter)
        parts.append(field)
    return (delimiter.join(parts) + "\n").encode()


def write_csv(fields: Sequence[str | None], options: CopyOptions, forced: Sequence[bool]) -> bytes:
    quote, escape, null = options.quote, options.escape, options.null or ""
    special = (quote, options.delimiter, "\n", "\r")
    parts: list[str] = []
    for index, field in enumerate(fields):
        if field is None:
            parts.append(null)
            continue
        needed = forced[index] or field == null or (len(fields) == 1 and field == "\\.")
        if needed or any(one in field for one in special):
            if escape != quote:
                field = field.replace(escape, escape + escape)
            field = quote + field.replace(quote, escape + quote) + quote
        parts.append(field)
    return (options.delimiter.join(parts) + "\n").encode()


def write_binary(fields: Sequence[bytes | None]) -> bytes:
    parts = [len(fields).to_bytes(2, "big")]
    for field in fields:
        if field is None:
            parts.append(b"\xff\xff\xff\xff")
        else:
            parts.append(len(field).to_bytes(4, "big"))
            parts.append(field)
    return b"".join(parts)
