from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from postgresql_oracle import Oracle, running_postgresql


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The connection string of a PostgreSQL 15 that lives as long as the test session."""
    with running_postgresql() as conninfo:
        yield conninfo


@pytest.fixture(scope="session")
def oracle(postgresql: str) -> Iterator[Oracle]:
    with psycopg.connect(postgresql, autocommit=True) as connection:
        yield Oracle(connection)
