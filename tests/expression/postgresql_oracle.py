"""A throw-away PostgreSQL to compare with: the fixture `postgresql` of tests/conftest.py.

Its absence is a failure, unless TRILITHON_NO_POSTGRESQL=1 says that it is known to be absent.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from postgresql_server import PostgresqlMissing, running_server

OPTIONS = {
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


@contextlib.contextmanager
def running_postgresql() -> Iterator[str]:
    """A connection string. Skips or fails the test where PostgreSQL is not installed."""
    with contextlib.ExitStack() as stack:
        try:
            port = stack.enter_context(running_server(OPTIONS))
        except PostgresqlMissing as error:
            if os.environ.get("TRILITHON_NO_POSTGRESQL") == "1":
                pytest.skip(f"{error}, and TRILITHON_NO_POSTGRESQL=1 says so")
            pytest.fail(f"{error}; set TRILITHON_NO_POSTGRESQL=1 to go without")
        yield f"host=127.0.0.1 port={port} user=postgres dbname=postgres"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The connection string of a PostgreSQL that lives as long as the test session."""
    with running_postgresql() as conninfo:
        yield conninfo
