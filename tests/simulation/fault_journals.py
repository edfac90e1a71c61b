"""A journal that is replaced while the old one is still alive and talks to whoever is connected to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fault_disks import ask_to_replace

from trilithon.link.specs import JOURNAL

if TYPE_CHECKING:
    from cluster import Cluster, JournalNode


def supersede(cluster: Cluster, node: JournalNode) -> JournalNode:
    """The name and the address go to a new machine with an empty disk, which starts now.

    The old one, returned, lives on until it is killed, with the connections that it has from storage,
    query processors; adjudicators dial anew, else nobody could tell that there is a new one.
    """
    from cluster import JournalNode
    from disk import JournalDisk

    old = JournalNode(cluster, node.role, node.config, node.region)
    old.process, node.process = node.process, old.process
    old.network, node.network = node.network, old.network
    old.running, node.running = node.running, None
    old.disk = node.disk
    node.disk = JournalDisk(cluster.kernel, node.name, cluster.observer.appended)
    name = f"{node.name} (the old one)"
    old.process.name = name
    cluster.network.region_of[name] = node.region.name
    cluster.observer.journals[old.running.machine] = name
    old.disk.retired = True
    for stream in cluster.network.streams(JOURNAL):
        ours = stream.server.process is old.process
        if ours and "/adjudicator-" in stream.client.name:
            stream.reset("the address leads elsewhere")
    # What dies with its process has no name to be started under.
    old.held_down = 1
    cluster.superseded[name] = old
    node.start()
    return old


def superseded_journal(cluster: Cluster) -> Callable[[], None] | None:
    from cluster import JournalNode

    nodes: list[JournalNode] = [
        node for node in cluster.of(JournalNode) if node.up and not node.may_fail
    ]
    if not nodes or cluster.replacing or cluster.log_is_trimmed or cluster.superseded:
        return None
    node = cluster.random.choice(nodes)
    cluster.kernel.note(f"fault: {node.name} is superseded, the old one lives on")
    cluster.replacing = node.name
    old = supersede(cluster, node)
    cluster.kernel.at(0.3, ask_to_replace, cluster, node)
    return old.kill


FAULTS = {"superseded journal": superseded_journal}
