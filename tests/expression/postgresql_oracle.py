"""A throw-away PostgreSQL to compare with, on a free loopback port.

Its absence is a failure, unless TRILITHON_NO_POSTGRESQL=1 says that it is known to be absent.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

BIN = Path("/usr/lib/postgresql/15/bin")
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "timezone": "UTC",
    "lc_messages": "C",
    "max_connections": "10",
    "shared_buffers": "16MB",
    "autovacuum": "off",
}


@dataclass(frozen=True)
class Answer:
    """One value as text with its type's oid, or an error."""

    text: str | None = None
    oid: int = 0
    sqlstate: str = ""
    message: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Oracle:
    connection: psycopg.Connection[tuple[object, ...]]

    def ask(self, expression: str) -> Answer:
        """SELECT expression, in PostgreSQL's text format."""
        raw = self.connection.pgconn.exec_(f"SELECT {expression}".encode())
        error = raw.error_field(psycopg.pq.DiagnosticField.SQLSTATE)
        if error:
            fields = psycopg.pq.DiagnosticField
            message = raw.error_field(fields.MESSAGE_PRIMARY) or b""
            detail = raw.error_field(fields.MESSAGE_DETAIL) or b""
            return Answer(None, 0, error.decode(), message.decode(), detail.decode())
        value = raw.get_value(0, 0)
        return Answer(None if value is None else value.decode(), raw.ftype(0))

    def execute(self, sql: str) -> None:
        self.connection.pgconn.exec_(sql.encode())


def _as_postgres(*command: str) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else list(command)


@contextlib.contextmanager
def running_postgresql() -> Iterator[str]:
    """A connection string. Skips or fails the test where PostgreSQL is not installed."""
    if not (BIN / "initdb").exists():
        if os.environ.get("TRILITHON_NO_POSTGRESQL") == "1":
            pytest.skip("PostgreSQL is absent, and TRILITHON_NO_POSTGRESQL=1 says so")
        pytest.fail(f"PostgreSQL 15 is not in {BIN}; set TRILITHON_NO_POSTGRESQL=1 to go without")
    folder = Path(tempfile.mkdtemp(prefix="trilithon-oracle-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        data = folder / "data"
        subprocess.run(
            _as_postgres(
                str(BIN / "initdb"),
                "-D",
                str(data),
                "-U",
                "postgres",
                "-A",
                "trust",
                "--locale=C.UTF-8",
                "-E",
                "UTF8",
                "--no-sync",
            ),
            check=True,
            capture_output=True,
            cwd="/",
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = [part for name, value in _OPTIONS.items() for part in ("-c", f"{name}={value}")]
        server = subprocess.Popen(
            _as_postgres(str(BIN / "postgres"), "-D", str(data), "-p", str(port), *options),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        try:
            yield _await(server, f"host=127.0.0.1 port={port} user=postgres dbname=postgres")
        finally:
            _stop(server, data)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _await(server: subprocess.Popen[bytes], conninfo: str) -> str:
    for _ in range(600):
        if server.poll() is not None:
            pytest.fail(f"PostgreSQL ended with {server.returncode} while starting")
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(conninfo, connect_timeout=1).close()
            return conninfo
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(0.05)
    pytest.fail("PostgreSQL did not come up")


def _stop(server: subprocess.Popen[bytes], data: Path) -> None:
    """An immediate stop through its own tool: the data is thrown away."""
    subprocess.run(
        _as_postgres(str(BIN / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop"),
        capture_output=True,
        cwd="/",
        check=False,
    )
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(10)
    if server.poll() is None:
        server.kill()
        server.wait(10)
