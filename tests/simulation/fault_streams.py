"""What is late, repeated or out of order between connections (within one, order is kept, as by TCP)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fault_network import longer_way

from trilithon.link.specs import ADJUDICATOR, JOURNAL

if TYPE_CHECKING:
    from cluster import Cluster


def late_connection(cluster: Cluster) -> Callable[[], None] | None:
    """What one end sent arrives late, after what it sent over its next connection."""
    streams = cluster.network.streams()
    if not streams:
        return None
    stream = cluster.random.choice(streams)
    collect_s, late_s = cluster.random.uniform(0.01, 0.3), cluster.random.uniform(0.4, 3.0)
    cluster.kernel.note(
        f"fault: {stream.client.name} leaves a connection to {stream.server.process.name} behind, "
        f"what it sent arrives {late_s:.2f} s late"
    )
    stream.leave_behind(collect_s, late_s)
    return lambda: None


def repeat(cluster: Cluster) -> Callable[[], None] | None:
    """Appends, heartbeats, promises, forwarded commits: once more, late, with nobody to answer to.

    Not what query processors send: that is bound to no epoch, and handed over once.
    """
    streams = [
        stream
        for stream in cluster.network.streams(JOURNAL, ADJUDICATOR)
        if "/adjudicator-" in stream.client.name
    ]
    if not streams:
        return None
    stream = cluster.random.choice(streams)
    late_s = cluster.random.uniform(0.02, 4.0)
    cluster.kernel.note(
        f"fault: what {stream.client.name} says to {stream.server.process.name} is repeated "
        f"after {late_s:.2f} s"
    )
    stream.repeat(cluster.random.uniform(0.02, 0.5), late_s)
    return lambda: None


def slow_speaker(cluster: Cluster) -> Callable[[], None] | None:
    """What one process says to one other takes seconds: verdicts of leaders that are deposed by then."""
    one, other = cluster.random.sample(sorted(cluster.nodes), 2)
    leader = cluster.leader()
    if leader is not None and cluster.random.random() < 0.5:
        one = leader.name
    return None if one == other else longer_way(cluster, one, other, [0.3, 1.2, 2.5])


FAULTS = {
    "late connection": late_connection,
    "repeat": repeat,
    "slow speaker": slow_speaker,
}
