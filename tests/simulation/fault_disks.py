"""Slow, failing, full and lost disks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fault_processes import keep_down

from trilithon.core.errors import Unavailable
from trilithon.v1.adjudicator_pb2 import ReplaceJournalRequest

if TYPE_CHECKING:
    from cluster import Cluster, JournalNode, StorageNode


def _journal(cluster: Cluster) -> JournalNode:
    from cluster import JournalNode

    node: JournalNode = cluster.random.choice(cluster.of(JournalNode))
    return node


def _storage(cluster: Cluster) -> StorageNode:
    from cluster import StorageNode

    node: StorageNode = cluster.random.choice(cluster.of(StorageNode))
    return node


def slow_disk(cluster: Cluster) -> Callable[[], None]:
    disk = _journal(cluster).disk
    disk.extra_s = cluster.random.choice([0.03, 0.2, 1.0])
    cluster.kernel.note(f"fault: the disk of {disk.name} takes {disk.extra_s} s longer")

    def undo() -> None:
        disk.extra_s = 0.0

    return undo


def power_loss(cluster: Cluster) -> Callable[[], None]:
    """Some Regions, or all, lose everything at the same instant while much of it is not synced."""
    from cluster import JournalNode

    regions = cluster.random.sample(
        cluster.regions, cluster.random.randint(1, len(cluster.regions))
    )
    everything = [node for node in cluster.nodes.values() if node.region.name in regions]
    nodes = [node for node in everything if isinstance(node, JournalNode)]
    cluster.kernel.note(f"fault: power loss in {', '.join(regions)}")
    for node in nodes:
        node.disk.extra_s = 0.1
    undo: list[Callable[[], None]] = []
    over: list[bool] = []

    def strike() -> None:
        for node in nodes:
            node.disk.extra_s = 0.0
        if not over:
            undo.append(keep_down(everything))

    def back() -> None:
        over.append(True)
        if undo:
            undo.pop()()

    cluster.kernel.at(cluster.random.uniform(0.05, 0.5), strike)
    return back


def failed_sync(cluster: Cluster) -> Callable[[], None] | None:
    node = _journal(cluster)
    if node.may_fail:
        return None
    cluster.kernel.note(f"fault: the next sync of {node.name} fails")
    node.may_fail = node.disk.fail_next = True

    def undo() -> None:
        node.may_fail = node.disk.fail_next = False

    return undo


def full_disk(cluster: Cluster) -> Callable[[], None] | None:
    node = _journal(cluster)
    if node.may_fail:
        return None
    cluster.kernel.note(f"fault: the disk of {node.name} is full")
    node.may_fail = node.disk.full = True

    def undo() -> None:
        node.may_fail = node.disk.full = False

    return undo


def slow_storage(cluster: Cluster) -> Callable[[], None]:
    node = _storage(cluster)
    node.apply_s = cluster.random.choice([0.1, 1.0])
    cluster.kernel.note(f"fault: {node.name} applies slowly")

    def undo() -> None:
        node.apply_s = 0.003

    return undo


def full_storage(cluster: Cluster) -> Callable[[], None]:
    node = _storage(cluster)
    cluster.kernel.note(f"fault: the disk of {node.name} is full")
    node.full = True

    def undo() -> None:
        node.full = False

    return undo


def lost_storage(cluster: Cluster) -> Callable[[], None] | None:
    """Comes back empty, and is rebuilt from the journal (which here keeps everything)."""
    node = _storage(cluster)
    if node.held_down or cluster.log_is_trimmed:
        return None
    cluster.kernel.note(f"fault: {node.name} loses its disk")
    undo = keep_down([node])
    node.lose_disk()
    return undo


def lost_journal(cluster: Cluster) -> Callable[[], None] | None:
    """Comes back empty; somebody asks the leader to replace the old incarnation."""
    node = _journal(cluster)
    if node.held_down or cluster.replacing or cluster.log_is_trimmed:
        return None
    cluster.kernel.note(f"fault: {node.name} loses its disk")
    cluster.replacing = node.name
    undo = keep_down([node])
    node.disk.lose()

    def back() -> None:
        undo()
        cluster.kernel.at(0.3, ask_to_replace, cluster, node)

    return back


def ask_to_replace(cluster: Cluster, node: JournalNode) -> None:
    """An operator who does not give up until `cluster.replacing`, this journal, is replaced."""

    async def ask(service: object) -> None:
        wanted = ReplaceJournalRequest(journal=node.name, incarnation=node.disk.state.incarnation)
        try:
            await service.replace_journal(wanted)  # type: ignore[attr-defined]
        except Unavailable as error:
            cluster.kernel.note(f"{node.name} is not replaced yet: {error}")
        else:
            if cluster.replacing == node.name:
                cluster.kernel.note(f"{node.name} is replaced")
                cluster.replacing = ""

    if cluster.replacing == node.name:
        cluster.kernel.at(1.0, ask_to_replace, cluster, node)
        leader = cluster.leader()
        if leader is not None and not leader.process.paused:
            leader.process.run(ask(leader.running.service))


FAULTS = {
    "slow disk": slow_disk,
    "power loss": power_loss,
    "failed sync": failed_sync,
    "full disk": full_disk,
    "slow storage": slow_storage,
    "full storage": full_storage,
    "lost storage": lost_storage,
    "lost journal": lost_journal,
}
