"""Named scenarios of power failures and restarts of everything."""

from __future__ import annotations

from cluster import JournalNode
from scenario import scenario


def everything_loses_power(seed: int) -> None:
    """At one instant, while much of what was written is not synced."""
    with scenario(seed=seed) as one:
        cluster = one.cluster
        journals: list[JournalNode] = cluster.of(JournalNode)
        for node in journals:
            node.disk.extra_s = 0.1
        cluster.run(0.08)
        for node in journals:
            node.disk.extra_s = 0.0
        undo = one.kill(*cluster.nodes.values())
        cluster.run(0.1)
        undo()
        cluster.run(1.0)


def everything_restarts_three_times(seed: int) -> None:
    with scenario(seed=seed) as one:
        for _ in range(3):
            undo = one.kill(*one.cluster.nodes.values())
            one.run(0.2)
            undo()
            one.run(2.0)


PLAYS = [everything_loses_power, everything_restarts_three_times]
