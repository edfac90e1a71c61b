"""A listener over the fake engine, on a free port of the loopback."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "session"))

from session_fakes import Cluster, make_services_for

from trilithon.query.pgwire.listener import Listener, ListenerOptions


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
async def listener(cluster: Cluster) -> AsyncIterator[Listener]:
    one = Listener(
        ListenerOptions("127.0.0.1:0", connections_max=20, message_bytes_max=1024 * 1024),
        make_services_for(cluster),
    )
    await one.start()
    yield one
    await one.stop(0.1)
