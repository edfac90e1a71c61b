"""Two systems for a file of tests: PostgreSQL with a database of its own, and the engine as a process."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from both_systems import Systems

sys.path.insert(0, str(Path(__file__).parent.parent / "engine"))

_numbers = itertools.count(1)


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
