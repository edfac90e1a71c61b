"""Query processors are killed while they work off a job, so that others must go on with it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from history import History

if TYPE_CHECKING:
    from cluster import Cluster

# Rare enough that a job moves on between two crashes.
_BETWEEN_KILLS_S = 2.5


class BuilderKills:
    def __init__(self, cluster: Cluster, history: History) -> None:
        self._cluster = cluster
        self._history = history
        self._next_s = 0.0

    def due(self) -> bool:
        return self._cluster.kernel.now_s >= self._next_s and not self._cluster.healing

    def kill(self, source: random.Random, within_s: float = 0.4) -> None:
        """A moment from now, in the middle of the job: the query processors of one Region, or of all."""
        cluster = self._cluster
        self._next_s = cluster.kernel.now_s + source.uniform(0.2, 2 * _BETWEEN_KILLS_S)
        region = source.choice([*cluster.full_regions, ""])
        delay_s = source.uniform(0.0, within_s)
        for node in cluster.nodes.values():
            if node.role == "query" and node.region.name.startswith(region):
                cluster.kernel.at(delay_s, node.kill)
                cluster.kernel.at(delay_s + source.uniform(0.3, 2.0), node.start)
        self._history.count("builders killed")
