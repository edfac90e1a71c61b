"""Lost disks, and the operator who replaces them: `trilithon rebuild`, again and again until it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fault_processes import keep_down

from trilithon.cli.rebuild import RebuildFailed, Rebuilding

if TYPE_CHECKING:
    from cluster import Cluster

_AGAIN_S = 0.5


class Operator:
    """Types the command on the machine of some adjudicator; one Region or process at a time."""

    def __init__(self, cluster: Cluster, which: str) -> None:
        self.cluster = cluster
        self.which = which
        # What it was told.
        self.lines: list[str] = []
        cluster.replacing = which

    def begin(self) -> None:
        self._look()

    def _look(self) -> None:
        """Is somebody at it? Processes die, and what runs on them."""
        from cluster import AdjudicatorNode

        cluster = self.cluster
        if cluster.replacing != self.which:
            return
        nodes = [
            node for node in cluster.of(AdjudicatorNode) if node.up and not node.process.paused
        ]
        if not nodes:
            cluster.kernel.at(_AGAIN_S, self._look)
            return
        node = cluster.random.choice(nodes)
        life = node.process.life
        done: list[bool] = []

        async def order() -> None:
            rebuilding = Rebuilding(
                cluster.config, node.network, told=self._told, progress=lambda text: None
            )
            try:
                await rebuilding.run(self.which)
            except RebuildFailed as error:
                self._told(f"not rebuilt yet: {error}")
                cluster.kernel.at(_AGAIN_S, self._look)
            else:
                self._told("rebuilt")
                cluster.replacing = ""
            done.append(True)

        def watch() -> None:
            if done:
                return
            if node.process.running and node.process.life == life:
                cluster.kernel.at(_AGAIN_S, watch)
            else:
                self._look()

        node.process.run(order())
        watch()

    def _told(self, text: str) -> None:
        self.lines.append(text)
        self.cluster.kernel.note(f"rebuild {self.which}: {text}")


def lose_region(cluster: Cluster, region: str) -> Callable[[], Operator]:
    """All its disks are gone; what is returned puts empty ones there and calls the operator."""
    from cluster import JournalNode, StorageNode

    journals = cluster.of(JournalNode, region)
    storages = cluster.of(StorageNode, region)
    cluster.replacing = region
    cluster.kernel.note(f"fault: Region {region} loses every disk")
    undo = keep_down([*journals, *storages])
    for journal in journals:
        journal.disk.lose()
    for storage in storages:
        storage.lose_disk()

    def back() -> Operator:
        undo()
        operator = Operator(cluster, region)
        cluster.kernel.at(0.3, operator.begin)
        return operator

    return back


def lost_region(cluster: Cluster) -> Callable[[], None] | None:
    """A Region with one journal, while no other disk is lost: a majority still has its disks."""
    from cluster import JournalNode, StorageNode

    region = cluster.random.choice(cluster.regions)
    nodes = [*cluster.of(JournalNode, region), *cluster.of(StorageNode, region)]
    if cluster.replacing or len(cluster.of(JournalNode, region)) > 1:
        return None
    if any(node.held_down for node in nodes):
        return None
    if cluster.log_is_trimmed and "append_bytes_max" in cluster.adjudicator_settings:
        # Old entries pass through the leader in such small pieces that it never catches up.
        return None
    back = lose_region(cluster, region)

    def undo() -> None:
        back()

    return undo


FAULTS = {"lost region": lost_region}
