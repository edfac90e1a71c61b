"""A client that speaks bytes: it says what it is told and shows what comes, one line per message."""

from __future__ import annotations

import asyncio
import struct

from trilithon.query.pgwire.listener import Listener

NAMES = {
    "R": "Authentication",
    "S": "ParameterStatus",
    "K": "BackendKeyData",
    "Z": "ReadyForQuery",
    "T": "RowDescription",
    "D": "DataRow",
    "C": "CommandComplete",
    "E": "Error",
    "N": "Notice",
    "1": "ParseComplete",
    "2": "BindComplete",
    "3": "CloseComplete",
    "n": "NoData",
    "t": "ParameterDescription",
    "s": "PortalSuspended",
    "I": "EmptyQueryResponse",
    "G": "CopyInResponse",
    "H": "CopyOutResponse",
    "d": "CopyData",
    "c": "CopyDone",
    "v": "NegotiateProtocolVersion",
}


def message(kind: str, body: bytes = b"") -> bytes:
    return kind.encode() + struct.pack("!i", len(body) + 4) + body


def startup(version: int = 196608, **options: str) -> bytes:
    options.setdefault("user", "admin")
    options.setdefault("database", "postgres")
    body = struct.pack("!i", version)
    for name, value in options.items():
        body += name.encode() + b"\0" + value.encode() + b"\0"
    body += b"\0"
    return struct.pack("!i", len(body) + 4) + body


def query(sql: str) -> bytes:
    return message("Q", sql.encode() + b"\0")


def parse(sql: str, name: str = "", oids: tuple[int, ...] = ()) -> bytes:
    body = name.encode() + b"\0" + sql.encode() + b"\0"
    return message("P", body + struct.pack(f"!H{len(oids)}I", len(oids), *oids))


def bind(
    *values: bytes | None,
    portal: str = "",
    statement: str = "",
    formats: tuple[int, ...] = (),
    results: tuple[int, ...] = (),
) -> bytes:
    body = portal.encode() + b"\0" + statement.encode() + b"\0"
    body += struct.pack(f"!H{len(formats)}H", len(formats), *formats)
    body += struct.pack("!H", len(values))
    for value in values:
        body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
    return message("B", body + struct.pack(f"!H{len(results)}H", len(results), *results))


def describe(kind: str, name: str = "") -> bytes:
    return message("D", kind.encode() + name.encode() + b"\0")


def execute(portal: str = "", rows_max: int = 0) -> bytes:
    return message("E", portal.encode() + b"\0" + struct.pack("!i", rows_max))


def close(kind: str, name: str = "") -> bytes:
    return message("C", kind.encode() + name.encode() + b"\0")


SYNC = message("S")
FLUSH = message("H")
TERMINATE = message("X")


def error_fields(body: bytes) -> dict[str, str]:
    return {
        part[:1].decode(): part[1:].decode() for part in body.rstrip(b"\0").split(b"\0") if part
    }


def shown(kind: str, body: bytes) -> str:
    name = NAMES.get(kind, kind)
    match kind:
        case "E" | "N":
            fields = error_fields(body)
            return f"{name} {fields['S']} {fields['C']}"
        case "Z":
            return f"{name} {body.decode()}"
        case "C":
            return f"{name} {body[:-1].decode()}"
        case "D":
            return f"{name} {' '.join(map(str, fields_of(body)))}"
        case "T":
            return f"{name} {' '.join(columns_of(body))}"
        case "t":
            (count,) = struct.unpack_from("!H", body)
            return " ".join([name, *map(str, struct.unpack_from(f"!{count}I", body, 2))])
        case "d":
            return f"{name} {body!r}"
        case _:
            return name


def fields_of(body: bytes) -> list[str | None]:
    (count,) = struct.unpack_from("!H", body)
    position, fields = 2, []
    for _ in range(count):
        (length,) = struct.unpack_from("!i", body, position)
        position += 4
        if length < 0:
            fields.append(None)
        else:
            raw = body[position : position + length]
            fields.append(raw.decode() if raw.isascii() and b"\0" not in raw else raw.hex())
            position += length
    return fields


def columns_of(body: bytes) -> list[str]:
    (count,) = struct.unpack_from("!H", body)
    position, columns = 2, []
    for _ in range(count):
        end = body.index(b"\0", position)
        oid, code = struct.unpack_from("!4xxxI6xH", body, end + 1)
        columns.append(f"{body[position:end].decode()}:{oid}:{code}")
        position = end + 19
    return columns


class WireClient:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.key = (0, b"")
        self.parameters: dict[str, str] = {}
        self.last_error: dict[str, str] = {}

    @classmethod
    async def open(cls, listener: Listener) -> WireClient:
        host, _, port = listener.address.rpartition(":")
        return cls(*await asyncio.open_connection(host, int(port), limit=1 << 20))

    @classmethod
    async def connect(cls, listener: Listener, **options: str) -> WireClient:
        client = await cls.open(listener)
        client.send(startup(**options))
        await client.until_ready()
        return client

    def send(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))

    async def receive(self) -> tuple[str, bytes]:
        """One message; ("", b"") at the end."""
        try:
            head = await asyncio.wait_for(self.reader.readexactly(5), 10)
            body = await asyncio.wait_for(
                self.reader.readexactly(int.from_bytes(head[1:], "big") - 4), 10
            )
        except (asyncio.IncompleteReadError, ConnectionError):
            return "", b""
        kind = chr(head[0])
        if kind == "K":
            self.key = (int.from_bytes(body[:4], "big"), body[4:])
        elif kind == "S":
            name, value, _ = body.split(b"\0")
            self.parameters[name.decode()] = value.decode()
        elif kind == "E":
            self.last_error = error_fields(body)
        return kind, body

    async def until_ready(self) -> list[str]:
        """What came, up to ReadyForQuery or the end."""
        lines: list[str] = []
        while True:
            kind, body = await self.receive()
            if not kind:
                return [*lines, "end"]
            if kind != "S":
                lines.append(shown(kind, body))
            if kind == "Z":
                return lines

    async def say(self, *parts: bytes) -> list[str]:
        self.send(*parts)
        return await self.until_ready()

    async def rest(self) -> list[str]:
        """Everything until the server closes."""
        lines: list[str] = []
        while (message := await self.receive())[0]:
            lines.append(shown(*message))
        return lines

    async def close(self) -> None:
        self.writer.close()
