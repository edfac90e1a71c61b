"""Frontend messages: framing, and decoding into plain objects. No I/O."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from trilithon.core.errors import SqlError

PROTOCOL_3_0: Final = 3 << 16
CANCEL_REQUEST: Final = 1234 << 16 | 5678
SSL_REQUEST: Final = 1234 << 16 | 5679
GSSENC_REQUEST: Final = 1234 << 16 | 5680
STARTUP_BYTES_MAX: Final = 10_000
EARLY_BYTES_MAX: Final = 1024 * 1024

# Message types, as bytes come: numbers.
BIND, CLOSE, DESCRIBE, EXECUTE, FLUSH, FUNCTION_CALL, PARSE, PASSWORD, QUERY, SYNC, TERMINATE = (
    ord(letter) for letter in "BCDEHFPpQSX"
)
COPY_DATA, COPY_DONE, COPY_FAIL = (ord(letter) for letter in "dcf")

EXTENDED: Final = frozenset({BIND, CLOSE, DESCRIBE, EXECUTE, FLUSH, PARSE})
COPYING: Final = frozenset({COPY_DATA, COPY_DONE, COPY_FAIL})
KNOWN: Final = EXTENDED | COPYING | {FUNCTION_CALL, PASSWORD, QUERY, SYNC, TERMINATE}

_UINT16: Final = struct.Struct("!H")
_INT32: Final = struct.Struct("!i")

Message = tuple[int, bytes]


def violation(message: str) -> SqlError:
    """The client broke the framing: nothing after this can be understood."""
    return SqlError("08P01", message, severity="FATAL")


def malformed(message: str) -> SqlError:
    """One message's content is wrong, the framing is not: an ordinary error."""
    return SqlError("08P01", message)


class Framer:
    """Cuts the byte stream into messages (type, body). Keeps at most one incomplete message, whose
    announced length is within `message_bytes_max`."""

    __slots__ = ("_buffer", "message_bytes_max")

    def __init__(self, message_bytes_max: int) -> None:
        self.message_bytes_max = message_bytes_max
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The whole messages that are there now. Raises SqlError (FATAL) on broken framing; messages
        before the broken one are in the error's `messages`."""
        buffer = self._buffer
        if buffer:
            buffer += data
            source: bytes = bytes(buffer) if self._whole(buffer) else b""
            if not source:
                return []
            buffer.clear()
        else:
            source = data
        messages: list[Message] = []
        position, end = 0, len(source)
        while end - position >= 5:
            try:
                length = self._length(source, position)
            except SqlError as error:
                raise BrokenFraming(error, messages) from None
            stop = position + 1 + length
            if stop > end:
                break
            messages.append((source[position], source[position + 5 : stop]))
            position = stop
        if position < end:
            buffer += source[position:]
            if not messages and len(buffer) < 5 and buffer[0] not in KNOWN:
                raise BrokenFraming(_unknown(buffer[0]), messages)
        return messages

    def _whole(self, buffer: bytearray) -> bool:
        """Whether the first message is complete, so that a long one is not copied at every piece."""
        if len(buffer) < 5:
            return False
        try:
            return len(buffer) >= 1 + self._length(buffer, 0)
        except SqlError as error:
            raise BrokenFraming(error, []) from None

    def _length(self, source: bytes | bytearray, position: int) -> int:
        kind = source[position]
        if kind not in KNOWN:
            raise _unknown(kind)
        length = int(_INT32.unpack_from(source, position + 1)[0])
        if length < 4:
            raise violation("invalid message length")
        if length > self.message_bytes_max:
            error = violation("invalid message length")
            error.detail = (
                f"A message of {length} bytes was announced; the limit is "
                f"{self.message_bytes_max} bytes."
            )
            raise error
        return length


class BrokenFraming(Exception):
    def __init__(self, error: SqlError, messages: list[Message]) -> None:
        super().__init__(error.message)
        self.error = error
        self.messages = messages


def _unknown(kind: int) -> SqlError:
    return violation(f"invalid frontend message type {kind}")


# ---- the startup packet


@dataclass(frozen=True, slots=True)
class Startup:
    """`options` holds user, database and every other parameter; `protocol_options` the _pq_.* ones."""

    minor: int
    options: dict[str, str]
    protocol_options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CancelRequest:
    backend_id: int
    secret: bytes


class StartupFramer:
    """The first packets have no type byte."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = b""

    def add(self, data: bytes) -> bool:
        """False: more than anybody needs before authentication."""
        self._buffer += data
        return len(self._buffer) <= EARLY_BYTES_MAX

    def next_packet(self) -> bytes | None:
        """One packet's content without its length; what follows stays. Raises SqlError."""
        buffer = self._buffer
        if len(buffer) < 4:
            return None
        (length,) = _INT32.unpack_from(buffer)
        if not 8 <= length <= STARTUP_BYTES_MAX:
            raise violation("invalid length of startup packet")
        if len(buffer) < length:
            return None
        self._buffer = buffer[length:]
        return buffer[4:length]

    @property
    def pending(self) -> bool:
        return bool(self._buffer)

    def rest(self) -> bytes:
        rest, self._buffer = self._buffer, b""
        return rest


def decode_startup(packet: bytes) -> Startup | CancelRequest | int:
    """A Startup, a CancelRequest, or the code of SSL_REQUEST and GSSENC_REQUEST. Raises SqlError."""
    (code,) = _INT32.unpack_from(packet)
    if code == CANCEL_REQUEST:
        if not 8 < len(packet) <= 264:
            raise violation("invalid length of query cancel packet")
        (backend_id,) = _INT32.unpack_from(packet, 4)
        return CancelRequest(backend_id, packet[8:])
    if code in (SSL_REQUEST, GSSENC_REQUEST):
        return int(code)
    if code >> 16 != 3:
        raise SqlError(
            "0A000",
            f"unsupported frontend protocol {code >> 16}.{code & 0xFFFF}: server supports 3.0 to 3.0",
            severity="FATAL",
        )
    return _decode_options(packet, code & 0xFFFF)


def _decode_options(packet: bytes, minor: int) -> Startup:
    if not packet.endswith(b"\0"):
        raise violation("invalid startup packet layout: expected terminator as last byte")
    parts = packet[4:-1].split(b"\0")
    if parts[-1] != b"" or len(parts) % 2 != 1:
        raise violation("invalid startup packet layout: expected terminator as last byte")
    options: dict[str, str] = {}
    protocol_options: list[str] = []
    for index in range(0, len(parts) - 1, 2):
        name, value = _startup_text(parts[index]), _startup_text(parts[index + 1])
        if name.startswith("_pq_."):
            protocol_options.append(name)
        else:
            options[name] = value
    if not options.get("user"):
        raise SqlError(
            "28000", "no PostgreSQL user name specified in startup packet", severity="FATAL"
        )
    return Startup(minor, options, tuple(protocol_options))


def _startup_text(data: bytes) -> str:
    try:
        return decode_text(data)
    except SqlError as error:
        error.severity = "FATAL"
        raise


def split_command_line(text: str) -> dict[str, str]:
    """The startup parameter "options": `-c name=value --name=value`, backslash-escaped spaces."""
    words: list[str] = []
    current: list[str] = []
    letters = iter(text)
    for letter in letters:
        if letter == "\\":
            current.append(next(letters, ""))
        elif letter.isspace():
            if current:
                words.append("".join(current))
                current = []
        else:
            current.append(letter)
    if current:
        words.append("".join(current))
    settings: dict[str, str] = {}
    position = 0
    while position < len(words):
        word = words[position]
        if word == "-c" and position + 1 < len(words):
            position += 1
            word = words[position]
        elif word.startswith(("--", "-c")):
            word = word[2:]
        else:
            raise SqlError(
                "42601",
                f"invalid command-line argument for server process: {word}",
                severity="FATAL",
            )
        name, equals, value = word.partition("=")
        if not equals:
            raise SqlError("42601", f"-c {word} requires a value", severity="FATAL")
        settings[name.replace("-", "_")] = value
        position += 1
    return settings


# ---- bodies


@dataclass(frozen=True, slots=True)
class Parse:
    name: str
    sql: str
    parameter_oids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Bind:
    """Values are raw; None is NULL."""

    portal: str
    statement: str
    parameter_formats: Sequence[int]
    values: Sequence[bytes | None]
    result_formats: Sequence[int]


@dataclass(frozen=True, slots=True)
class Target:
    """Of Describe and Close: a statement ("S") or a portal ("P")."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Execute:
    portal: str
    rows_max: int


def decode_text(data: bytes) -> str:
    """Raises SqlError 22021."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        shown = " ".join(f"0x{byte:02x}" for byte in data[error.start : error.end])
        raise SqlError("22021", f'invalid byte sequence for encoding "UTF8": {shown}') from None
    return text


def decode_query(body: bytes) -> str:
    if not body or body.find(b"\0") != len(body) - 1:
        raise malformed("invalid message format")
    return decode_text(body[:-1])


def _string(body: bytes, position: int) -> tuple[str, int]:
    end = body.find(b"\0", position)
    if end < 0:
        raise malformed("invalid string in message")
    return decode_text(body[position:end]), end + 1


def _count(body: bytes, position: int) -> int:
    if len(body) - position < 2:
        raise malformed("insufficient data left in message")
    return int(_UINT16.unpack_from(body, position)[0])


def _finished(body: bytes, position: int) -> None:
    if position != len(body):
        raise malformed("invalid message format")


def decode_parse(body: bytes) -> Parse:
    name, position = _string(body, 0)
    sql, position = _string(body, position)
    count = _count(body, position)
    position += 2
    if len(body) - position != 4 * count:
        raise malformed("invalid message format")
    oids = struct.unpack_from(f"!{count}I", body, position) if count else ()
    return Parse(name, sql, oids)


def _formats(body: bytes, position: int) -> tuple[Sequence[int], int]:
    count = _count(body, position)
    position += 2
    end = position + 2 * count
    if end > len(body):
        raise malformed("insufficient data left in message")
    if not count:
        return (), position
    formats = struct.unpack_from(f"!{count}H", body, position)
    for code in formats:
        if code > 1:
            raise SqlError("22023", f"unsupported format code: {code}")
    return formats, end


def decode_bind(body: bytes) -> Bind:
    portal, position = _string(body, 0)
    statement, position = _string(body, position)
    parameter_formats, position = _formats(body, position)
    count = _count(body, position)
    position += 2
    end = len(body)
    values: list[bytes | None] = []
    for _ in range(count):
        if end - position < 4:
            raise malformed("insufficient data left in message")
        (length,) = _INT32.unpack_from(body, position)
        position += 4
        if length < 0:
            if length != -1:
                raise malformed("invalid message format")
            values.append(None)
            continue
        if end - position < length:
            raise malformed("insufficient data left in message")
        values.append(body[position : position + length])
        position += length
    result_formats, position = _formats(body, position)
    _finished(body, position)
    return Bind(portal, statement, parameter_formats, values, result_formats)


def decode_target(body: bytes) -> Target:
    if not body:
        raise malformed("insufficient data left in message")
    name, position = _string(body, 1)
    _finished(body, position)
    kind = chr(body[0])
    if kind not in "SP":
        raise malformed(f"invalid message subtype {body[0]}")
    return Target(kind, name)


def decode_execute(body: bytes) -> Execute:
    portal, position = _string(body, 0)
    if len(body) - position != 4:
        raise malformed("invalid message format")
    (rows_max,) = _INT32.unpack_from(body, position)
    return Execute(portal, max(rows_max, 0))


def decode_copy_fail(body: bytes) -> str:
    reason, position = _string(body, 0)
    _finished(body, position)
    return reason


# ---- authentication


def decode_sasl_initial(body: bytes) -> tuple[str, bytes]:
    """The mechanism's name and the client's first message."""
    mechanism, position = _string(body, 0)
    if len(body) - position < 4:
        raise malformed("insufficient data left in message")
    (length,) = _INT32.unpack_from(body, position)
    position += 4
    data = body[position:]
    if length == -1:
        data = b""
    elif length != len(data):
        raise malformed("invalid message format")
    return mechanism, data
