"""What all tests share: clusters of real processes, and which tests run in one worker.

- `cluster`: one whole cluster (Regions a and b, witness w) for the session. Leave it healthy; make
  tables of your own.
- `new_cluster`: a factory for clusters of one's own, which a test may harm; see
  `harness.running_cluster` for what it takes.
- `postgresql`: the connection string of a PostgreSQL to compare with, one for the session.

A file that uses them imports `harness` (for the types): that is how they are kept in one worker.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import harness
import pytest
from postgresql_oracle import postgresql as postgresql
from xdist.scheduler.loadscope import LoadScopeScheduling

IMPORTS_HARNESS = re.compile(r"^(import|from) harness\b", re.MULTILINE)


@functools.cache
def scope_of(root: Path, file: str) -> str:
    """What must run in one worker: everything with real clusters together (the machine has few
    cores, and they share the session's cluster), else each file."""
    try:
        text = (root / file).read_text("utf-8")
    except OSError:
        return file
    return "cluster" if IMPORTS_HARNESS.search(text) else file


class ScopeScheduling(LoadScopeScheduling):
    """xdist's own groups need node ids that pytest 9.2 no longer lets it change."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(self.config.rootpath, nodeid.split("::", 1)[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ScopeScheduling:
    return ScopeScheduling(config, log)


@pytest.fixture(scope="session")
def session_cluster() -> Iterator[harness.Cluster]:
    with harness.running_cluster() as running:
        yield running


@pytest.fixture
def cluster(session_cluster: harness.Cluster) -> harness.Cluster:
    """The session's cluster, healthy."""
    session_cluster.wait_ready()
    return session_cluster


@pytest.fixture
def new_cluster() -> Iterator[Callable[..., harness.Cluster]]:
    with contextlib.ExitStack() as stack:

        def start(**options: object) -> harness.Cluster:
            return stack.enter_context(harness.running_cluster(**options))  # type: ignore[arg-type]

        yield start
