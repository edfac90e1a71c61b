"""A Region that limps: everything in it and to it is slow, and nothing is dead."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster import Cluster


def slow_region(cluster: Cluster) -> Callable[[], None] | None:
    from cluster import JournalNode, StorageNode

    region = cluster.random.choice(cluster.regions)
    extra = cluster.network.extra_delay_s
    pairs = [
        pair
        for other in cluster.regions
        for pair in dict.fromkeys([(region, other), (other, region)])
        if pair not in extra
    ]
    delay_s = cluster.random.choice([0.05, 0.15, 0.4])
    cluster.kernel.note(f"fault: Region {region} limps, {delay_s} s on every way")
    disks = [node.disk for node in cluster.of(JournalNode, region)]
    storages: list[StorageNode] = cluster.of(StorageNode, region)
    for pair in pairs:
        extra[pair] = delay_s
    for disk in disks:
        disk.extra_s = delay_s / 2
    for node in storages:
        node.apply_s = delay_s

    def undo() -> None:
        for pair in pairs:
            extra.pop(pair, None)
        for disk in disks:
            disk.extra_s = 0.0
        for node in storages:
            node.apply_s = 0.003

    return undo


FAULTS = {"slow region": slow_region}
