"""A stage for named scenarios: a cluster under a little load, its leader known, and levers to pull.

`Scenario` starts a cluster, waits for the first leader and gives names: x is the leader's Region, y the
other full one, w the witness. Levers are cuts between processes, holds on what is under way (by its
content), deaths and returns. `scenario(...)` heals everything at the end and judges.

lease_ttl is 1 s here; Regions are 40 ms apart, there and back.
"""

from __future__ import annotations

import gc
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import fault_network
from cluster import AdjudicatorNode, Cluster, JournalNode, Node, running
from fault_processes import keep_down
from history import History
from run import heal_and_judge
from workloads import WORKLOADS

from trilithon.v1.journal_pb2 import JournalReply, JournalRequest

TTL_S = 1.0
# A lost Region: about 1.2 lease_ttl and two round trips, DESIGN.md P6; half as much again for bad luck.
FAILOVER_S = 1.5 * (1.2 * TTL_S + 0.1)
STEP_S = 0.001

Undo = Callable[[], None]


class Scenario:
    """The cluster runs, and its leader is known."""

    def __init__(
        self,
        cluster: Cluster,
        workloads: Iterable[str] = ("bank", "append", "reader"),
        prepare: Callable[[Cluster], None] = lambda cluster: None,
        **settings: dict[str, Any],
    ) -> None:
        self.cluster = cluster
        self.history = History()
        for name, values in settings.items():
            setattr(cluster, f"{name}_settings", values)
        prepare(cluster)
        for workload in workloads:
            WORKLOADS[workload](cluster, self.history)
        cluster.start()
        cluster.run(3.0)
        leader = cluster.leader()
        if leader is None:
            raise StageFailed("three seconds are enough for the first leader")
        self.leader = leader
        self.leading = leader.region.name
        others = [name for name in cluster.full_regions if name != self.leading]
        self.other = others[0] if others else ""
        self.undo: Undo = lambda: None

    # ---- who is who

    def journal(self, region: str) -> JournalNode:
        """The first of its Region."""
        node: JournalNode = self.cluster.of(JournalNode, region)[0]
        return node

    def adjudicator(self, region: str) -> AdjudicatorNode:
        node: AdjudicatorNode = self.cluster.of(AdjudicatorNode, region)[0]
        return node

    def nodes(self, region: str) -> list[Node]:
        return [node for node in self.cluster.nodes.values() if node.region.name == region]

    # ---- levers

    def isolate(self, region: str) -> Undo:
        others = [one for one in self.cluster.regions if one != region]
        pairs = [pair for one in others for pair in ((one, region), (region, one))]
        self.undo = fault_network.cut(self.cluster, pairs)
        return self.undo

    def cut(self, source: Node, *targets: Node) -> Undo:
        """One way."""
        return fault_network.cut(self.cluster, [(source.name, target.name) for target in targets])

    def part(self, one: Node, *others: Node) -> Undo:
        """Both ways."""
        pairs = [(one.name, other.name) for other in others]
        pairs += [(other.name, one.name) for other in others]
        return fault_network.cut(self.cluster, pairs)

    def kill(self, *nodes: Node) -> Undo:
        return keep_down(nodes)

    def hold(self, source: Node, target: Node, what: Callable[[Any], bool]) -> Undo:
        """Hold back the first message that `what` accepts, and everything behind it."""

        def tap(sender: str, receiver: str, message: Any) -> bool:
            return sender == source.name and receiver == target.name and what(message)

        return self.cluster.network.tap(tap)

    # ---- time

    def run(self, seconds: float) -> None:
        self.cluster.run(seconds)

    def until(self, condition: Callable[[], bool], limit_s: float = 6.0, what: str = "") -> None:
        """In steps of a millisecond. Raises StageFailed: the scenario never got where it wanted."""
        cluster = self.cluster
        end = cluster.kernel.now_s + limit_s
        while not condition():
            if cluster.kernel.now_s >= end:
                cluster.observer.check()
                raise StageFailed(f"not within {limit_s:g} s: {what or condition}")
            cluster.kernel.run(STEP_S)
        cluster.observer.check()

    def until_led(self, by: AdjudicatorNode, limit_s: float = 6.0) -> None:
        """It has won an election; its epoch's start may not be committed yet."""
        self.until(lambda: by.up and by.running.machine.leader is not None, limit_s, by.name)

    # ---- what clients felt

    def pause_s(self, region: str, kind: str, since_s: float) -> float:
        """The longest time without a commit ("committed") or a read in a Region."""
        times = sorted(
            record.told_s if kind == "committed" else record.read_s
            for record in self.history.records
            if record.region == region
            and (record.outcome == kind or kind == "read")
            and (record.told_s if kind == "committed" else record.read_s) > since_s
        )
        ends = [since_s, *times, self.cluster.kernel.now_s]
        return max(later - earlier for earlier, later in itertools.pairwise(ends))

    def committed_since(self, since_s: float, region: str | None = None) -> int:
        return sum(
            record.outcome == "committed" and record.told_s > since_s
            for record in self.history.records
            if region in (None, record.region)
        )


class StageFailed(Exception):
    """The scenario could not be set up as it is told; says nothing about promises."""


@contextmanager
def scenario(
    topology: str = "two",
    seed: int = 1,
    workloads: Sequence[str] = ("bank", "append", "reader"),
    prepare: Callable[[Cluster], None] = lambda cluster: None,
    **settings: dict[str, Any],
) -> Iterator[Scenario]:
    """`settings`: adjudicator=, journal=, storage=, of every such process. `prepare`: before anything
    starts."""
    logging.disable(logging.CRITICAL)
    gc.disable()
    try:
        with running(seed, topology) as cluster:
            one = Scenario(cluster, workloads, prepare, **settings)
            yield one
            heal_and_judge(cluster, one.history)
    finally:
        gc.enable()
        logging.disable(logging.NOTSET)


# ---- what messages say


def is_append(message: Any) -> bool:
    return isinstance(message, JournalRequest) and message.WhichOneof("request") == "append"


def brings_entries(message: Any) -> bool:
    return is_append(message) and len(message.append.entries) > 0


def brings_epoch(epoch: int) -> Callable[[Any], bool]:
    """An append with an entry of this epoch or a later one."""
    return lambda message: brings_entries(message) and message.append.entries[-1].csn >> 40 >= epoch


def is_ack(message: Any) -> bool:
    return isinstance(message, JournalReply) and message.WhichOneof("reply") == "ack"
