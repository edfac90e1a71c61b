"""Two systems for a file of tests: PostgreSQL with a database of its own, and the engine as a process."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "engine"))

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Systems:
    """Where both listen; the user is `admin` on both, who owns the database of PostgreSQL's."""

    postgresql_port: int
    postgresql_database: str
    port: int

    @property
    def both(self) -> tuple[tuple[int, str], tuple[int, str]]:
        """(port, database) of PostgreSQL, then of ours."""
        return (self.postgresql_port, self.postgresql_database), (self.port, "postgres")

    def run(self, script: str) -> None:
        """A script on both, each statement by itself."""
        for port, database in self.both:
            conninfo = f"host=127.0.0.1 port={port} user=admin dbname={database}"
            with psycopg.connect(conninfo, autocommit=True) as connection:
                for statement in filter(str.strip, script.split(";\n")):
                    connection.execute(statement)


@pytest.fixture(scope="module")
def systems(postgresql: str) -> Iterator[Systems]:
    from engine_process import running_engine

    database = f"clients_{next(_numbers)}"
    with psycopg.connect(postgresql, autocommit=True) as connection:
        if not connection.execute("select 1 from pg_roles where rolname = 'admin'").fetchone():
            connection.execute("create role admin superuser createdb createrole login")
        connection.execute(f"create database {database} owner admin")
        port = connection.info.port
    with running_engine() as (_, own_port, _process):
        yield Systems(port, database, own_port)
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"drop database {database} with (force)")
