from __future__ import annotations

from collections.abc import Iterator

import harness
import pytest
from badinput_support import bystanders


@pytest.fixture(scope="module")
def watched(session_cluster: harness.Cluster) -> Iterator[harness.Cluster]:
    """The session's cluster, with healthy sessions in both Regions while a file's tests run."""
    session_cluster.wait_ready()
    with bystanders(session_cluster):
        yield session_cluster
