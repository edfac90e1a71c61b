"""Jumps of the wall clock. (Rates within the drift bound are part of every process.)"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster import Cluster


def wall_jump(cluster: Cluster) -> Callable[[], None]:
    node = cluster.random.choice(list(cluster.nodes.values()))
    jump_us = cluster.random.choice([-3_600_000_000, -500_000, 2_000_000, 86_400_000_000])
    cluster.kernel.note(f"fault: the wall clock of {node.name} jumps by {jump_us / 1e6} s")
    node.process.wall_jump_us += jump_us
    return lambda: None


FAULTS = {"wall jump": wall_jump}
