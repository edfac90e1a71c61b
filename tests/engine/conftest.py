from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

for folder in ("transaction", "expression"):
    sys.path.insert(0, str(Path(__file__).parent.parent / folder))

from postgresql_oracle import running_postgresql  # noqa: E402


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The connection string of a PostgreSQL 15 that lives as long as the test session."""
    with running_postgresql() as conninfo:
        yield conninfo
