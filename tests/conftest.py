"""What all tests share: clusters of real processes, and which tests run in one worker.

- `cluster`: one whole cluster (Regions a and b, witness w) for the session. Leave it healthy; make
  tables of your own.
- `new_cluster`: a factory for clusters of one's own, which a test may harm; see
  `harness.running_cluster` for what it takes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import harness
import pytest

CLUSTER_FIXTURES = {"cluster", "new_cluster"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with real clusters share one worker: the machine has few cores, they have a session's."""
    for item in items:
        if CLUSTER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("cluster"))


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
