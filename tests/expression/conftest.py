from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from postgresql_oracle import Oracle


@pytest.fixture(scope="session")
def oracle(postgresql: str) -> Iterator[Oracle]:
    with psycopg.connect(postgresql, autocommit=True) as connection:
        yield Oracle(connection)
