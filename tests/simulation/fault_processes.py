"""Kills, restarts and pauses of processes and of whole Regions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fault_network import cut

if TYPE_CHECKING:
    from cluster import Cluster, Node


def keep_down(nodes: Sequence[Node]) -> Callable[[], None]:
    for node in nodes:
        node.held_down += 1
        node.kill()

    def undo() -> None:
        for node in nodes:
            node.held_down -= 1
            node.start()

    return undo


def keep_paused(nodes: Sequence[Node]) -> Callable[[], None]:
    for node in nodes:
        node.process.pause()

    def undo() -> None:
        for node in nodes:
            node.process.resume()

    return undo


def kill_process(cluster: Cluster) -> Callable[[], None]:
    node = cluster.random.choice(list(cluster.nodes.values()))
    cluster.kernel.note(f"fault: kill {node.name}")
    return keep_down([node])


def kill_two(cluster: Cluster) -> Callable[[], None]:
    nodes = cluster.random.sample(list(cluster.nodes.values()), 2)
    cluster.kernel.note(f"fault: kill {', '.join(node.name for node in nodes)}")
    return keep_down(nodes)


def kill_leader(cluster: Cluster) -> Callable[[], None] | None:
    leader = cluster.leader()
    if leader is None:
        return None
    cluster.kernel.note(f"fault: kill the leader {leader.name}")
    return keep_down([leader])


def kill_region(cluster: Cluster) -> Callable[[], None]:
    region = cluster.random.choice(cluster.regions)
    cluster.kernel.note(f"fault: kill Region {region}")
    return keep_down([node for node in cluster.nodes.values() if node.region.name == region])


def restart_everything(cluster: Cluster) -> Callable[[], None]:
    cluster.kernel.note("fault: kill everything")
    undo = keep_down(list(cluster.nodes.values()))
    cluster.kernel.at(cluster.random.uniform(0.01, 0.5), undo)
    return lambda: None


def blink_journals(cluster: Cluster) -> Callable[[], None]:
    """All journals but some are killed and back at once: they must not forget what they promised."""
    journals = [node for node in cluster.nodes.values() if node.role == "journal"]
    nodes = cluster.random.sample(
        journals, cluster.random.randint(len(journals) // 2 + 1, len(journals))
    )
    cluster.kernel.note(f"fault: {', '.join(node.name for node in nodes)} restart")
    cluster.kernel.at(cluster.random.uniform(0.01, 0.1), keep_down(nodes))
    return lambda: None


def lonely_leader(cluster: Cluster) -> Callable[[], None] | None:
    """The leader's Region is cut off, and soon after everything that votes elsewhere restarts."""
    leader = cluster.leader()
    if leader is None or len(cluster.regions) < 2:
        return None
    region = leader.region.name
    cluster.kernel.note(f"fault: the leader's Region {region} is cut off, the others restart")
    others = [one for one in cluster.regions if one != region]
    undo = cut(cluster, [pair for one in others for pair in ((one, region), (region, one))])
    nodes = [
        node
        for node in cluster.nodes.values()
        if node.role in ("journal", "adjudicator") and node.region.name != region
    ]

    def restart() -> None:
        cluster.kernel.at(0.03, keep_down(nodes))

    cluster.kernel.at(cluster.random.uniform(0.0, 0.3), restart)
    return undo


def pause_process(cluster: Cluster) -> Callable[[], None]:
    node = cluster.random.choice(list(cluster.nodes.values()))
    cluster.kernel.note(f"fault: pause {node.name}")
    return keep_paused([node])


def pause_leader(cluster: Cluster) -> Callable[[], None] | None:
    leader = cluster.leader()
    if leader is None:
        return None
    cluster.kernel.note(f"fault: pause the leader {leader.name}")
    return keep_paused([leader])


def pause_region(cluster: Cluster) -> Callable[[], None]:
    region = cluster.random.choice(cluster.regions)
    cluster.kernel.note(f"fault: pause Region {region}")
    return keep_paused([node for node in cluster.nodes.values() if node.region.name == region])


FAULTS = {
    "kill process": kill_process,
    "kill two": kill_two,
    "kill leader": kill_leader,
    "kill region": kill_region,
    "kill everything": restart_everything,
    "blink journals": blink_journals,
    "lonely leader": lonely_leader,
    "pause process": pause_process,
    "pause leader": pause_leader,
    "pause region": pause_region,
}
