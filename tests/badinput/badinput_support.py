"""What the tests of bad input share: a socket that speaks bytes, and healthy sessions that must not
notice any of it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator

import psycopg
from harness import Cluster

# A healthy statement takes milliseconds. What is looked for are outages; the machine may be busy.
DELAY_S_MAX = 10.0
# Nothing may hang: whatever is said, an answer or the connection's end comes within this.
ANSWER_S = 15.0


class Bystander:
    """One healthy session that commits all the while."""

    def __init__(self, cluster: Cluster, region: str) -> None:
        self.region = region
        self.count = 0
        self.slowest_s = 0.0
        self.problem: BaseException | None = None
        self._cluster = cluster
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        try:
            with psycopg.connect(
                **self._cluster.postgresql(self.region), autocommit=True
            ) as session:
                while not self._ending.wait(0.02):
                    begun = time.monotonic()
                    row = session.execute(
                        "UPDATE bystanders SET n = n + 1 WHERE region = %s RETURNING n",
                        [self.region],
                    ).fetchone()
                    self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
                    self.count += 1
                    assert row == (self.count,), "nothing is lost and nothing is done twice"
        except BaseException as error:
            self.problem = error

    def stop(self) -> None:
        self._ending.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), f"the bystander in {self.region} hangs"


@contextlib.contextmanager
def bystanders(cluster: Cluster) -> Iterator[None]:
    """Healthy sessions in every Region see no error and no outage, and no process ends."""
    regions = list(cluster.endpoints)
    with psycopg.connect(**cluster.postgresql(regions[0]), autocommit=True) as session:
        session.execute("CREATE TABLE IF NOT EXISTS bystanders (region text PRIMARY KEY, n int)")
        session.execute("DELETE FROM bystanders")
        session.execute("INSERT INTO bystanders SELECT unnest(%s::text[]), 0", [regions])
    names = [command.name for command in cluster.plan.commands]
    pids = {name: cluster.pid(name) for name in names}
    watching = [Bystander(cluster, region) for region in regions]
    for one in watching:
        one.start()
    try:
        yield
    finally:
        for one in watching:
            one.stop()
    for one in watching:
        assert one.problem is None, f"Region {one.region}: {one.problem!r}\n{cluster.log_tails()}"
        assert one.count > 0
        assert one.slowest_s < DELAY_S_MAX, f"Region {one.region} stood still"
    assert {name: cluster.pid(name) for name in names} == pids, "no process ended"


# ---- PostgreSQL's protocol, byte by byte


def message(kind: str, body: bytes = b"") -> bytes:
    return kind.encode() + struct.pack("!i", len(body) + 4) + body


def startup(user: str = "admin", database: str = "postgres", version: int = 3 << 16) -> bytes:
    body = struct.pack("!i", version) + b"user\0" + user.encode() + b"\0"
    body += b"database\0" + database.encode() + b"\0\0"
    return struct.pack("!i", len(body) + 4) + body


def query(sql: bytes | str) -> bytes:
    return message("Q", (sql.encode() if isinstance(sql, str) else sql) + b"\0")


def parse(sql: bytes, name: bytes = b"", oids: tuple[int, ...] = ()) -> bytes:
    return message(
        "P", name + b"\0" + sql + b"\0" + struct.pack(f"!H{len(oids)}I", len(oids), *oids)
    )


def bind(
    *values: bytes | None, portal: bytes = b"", statement: bytes = b"", code: int = 0
) -> bytes:
    body = portal + b"\0" + statement + b"\0" + struct.pack("!HHH", 1, code, len(values))
    for value in values:
        body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
    return message("B", body + struct.pack("!H", 0))


EXECUTE = message("E", b"\0" + struct.pack("!i", 0))
SYNC = message("S")


class Wire:
    """A socket to a query processor; `read` gives what came up to ReadyForQuery or the end."""

    def __init__(self, address: str, *, start: bool = True) -> None:
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=ANSWER_S)
        self._buffer = b""
        if start:
            self.socket.sendall(startup())
            assert self.read()[-1] == "Z"

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, *parts: bytes) -> list[str]:
        self.socket.sendall(b"".join(parts))
        return self.read()

    def read(self) -> list[str]:
        """Kinds of messages; errors as "ERROR 42601"; "end" at the end. Raises TimeoutError."""
        seen: list[str] = []
        while True:
            kind, body = self._message()
            if kind == "E":
                fields = {part[:1]: part[1:].decode() for part in body.split(b"\0") if part}
                seen.append(f"{fields[b'S']} {fields[b'C']}")
            else:
                seen.append(kind)
            if kind in ("Z", "end"):
                return seen

    def errors(self, *parts: bytes) -> list[str]:
        return [one for one in self.say(*parts) if " " in one or one == "end"]

    def _message(self) -> tuple[str, bytes]:
        head = self._take(5)
        if len(head) < 5:
            return "end", b""
        return chr(head[0]), self._take(int.from_bytes(head[1:], "big") - 4)

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                return b""
            self._buffer += data
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken
