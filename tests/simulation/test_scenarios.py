"""Single faults, each with what a Region may feel of it. lease_ttl is 1 s here; Regions are 40 ms apart."""

from __future__ import annotations

import gc
import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import fault_disks
import fault_network
import pytest
from cluster import Cluster, JournalNode, running
from fault_processes import keep_down, keep_paused
from history import History
from run import heal_and_judge
from workloads import WORKLOADS

TTL_S = 1.0
# A lost Region: about 1.2 lease_ttl and two round trips, DESIGN.md P6; half as much again for bad luck.
FAILOVER_S = 1.5 * (1.2 * TTL_S + 0.1)


# Of a busy machine's time.
pytestmark = pytest.mark.timeout(600)


class Scenario:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.history = History()
        for name in ("bank", "append", "reader"):
            WORKLOADS[name](cluster, self.history)
        cluster.start()
        cluster.run(3.0)
        leader = cluster.leader()
        assert leader is not None, "three seconds are enough for the first leader"
        self.leader = leader
        self.leading = leader.region.name
        others = [name for name in cluster.full_regions if name != self.leading]
        self.other = others[0] if others else ""

    def isolate(self, region: str) -> None:
        others = [one for one in self.cluster.regions if one != region]
        pairs = [pair for one in others for pair in ((one, region), (region, one))]
        self.undo = fault_network.cut(self.cluster, pairs)

    def nodes(self, region: str) -> list[object]:
        return [node for node in self.cluster.nodes.values() if node.region.name == region]

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


@contextmanager
def scenario(topology: str = "two", seed: int = 1) -> Iterator[Scenario]:
    logging.disable(logging.CRITICAL)
    gc.disable()
    try:
        with running(seed, topology) as cluster:
            one = Scenario(cluster)
            yield one
            heal_and_judge(cluster, one.history)
    finally:
        gc.enable()
        logging.disable(logging.NOTSET)


def test_nobody_notices_the_loss_of_the_witness() -> None:
    with scenario() as one:
        since_s = one.cluster.kernel.now_s
        undo = keep_down([one.cluster.nodes["w/journal-0"]])
        one.cluster.run(4.0)
        for region in ("a", "b"):
            assert one.pause_s(region, "committed", since_s) < 0.6
            assert one.pause_s(region, "read", since_s) < 0.6
        undo()
        one.cluster.run(1.0)
        assert one.cluster.leader() is one.leader


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_follower_takes_over_when_the_leaders_region_burns_down(seed: int) -> None:
    with scenario(seed=seed) as one:
        since_s = one.cluster.kernel.now_s
        undo = keep_down(one.nodes(one.leading))  # type: ignore[arg-type]
        one.cluster.run(5.0)
        assert one.pause_s(one.other, "committed", since_s) < FAILOVER_S
        assert one.pause_s(one.other, "read", since_s) < FAILOVER_S
        undo()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_leaders_region_reads_on_when_the_other_one_burns_down(seed: int) -> None:
    with scenario(seed=seed) as one:
        since_s = one.cluster.kernel.now_s
        undo = keep_down(one.nodes(one.other))  # type: ignore[arg-type]
        one.cluster.run(4.0)
        assert one.pause_s(one.leading, "committed", since_s) < FAILOVER_S
        # Rows that wait for the lost Region's lease to end are waited for; others are not.
        assert one.cluster.leader() is one.leader
        undo()


def test_a_region_that_is_cut_off_refuses_and_comes_back_without_unseating_anyone() -> None:
    with scenario() as one:
        cluster = one.cluster
        (journal,) = cluster.of(JournalNode, one.other)
        epochs = set(cluster.observer.epochs)
        one.isolate(one.other)
        cluster.run(1.1 * TTL_S)
        for _ in range(20):
            cluster.run(0.1)
            assert journal.running.machine.snapshot_csn(journal.process.monotonic_us()) is None
        one.undo()
        cluster.run(1.0)
        assert cluster.leader() is one.leader
        assert cluster.observer.epochs == epochs, "a cut-off candidate burns no epochs"


def test_a_leader_that_is_paused_longer_than_its_lease_does_no_harm() -> None:
    with scenario() as one:
        undo = keep_paused([one.leader])
        one.cluster.run(3.0)
        assert one.cluster.leader() not in (None, one.leader)
        undo()
        one.cluster.run(1.0)


def test_a_leader_that_reaches_one_journal_only_steps_down() -> None:
    with scenario() as one:
        cluster = one.cluster
        far = [name for name in cluster.regions if name != one.leading]
        undo = fault_network.cut(
            cluster,
            [pair for name in far for pair in ((one.leader.name, name), (name, one.leader.name))],
        )
        cluster.run(4.0)
        assert cluster.leader() not in (None, one.leader)
        undo()


def test_commits_go_on_when_the_follower_region_hears_but_cannot_speak() -> None:
    """One way only: it must leave `required`, and must not serve on what it still hears."""
    with scenario() as one:
        since_s = one.cluster.kernel.now_s
        pairs = [(one.other, name) for name in one.cluster.regions if name != one.other]
        undo = fault_network.cut(one.cluster, pairs)
        one.cluster.run(4.0)
        assert one.pause_s(one.leading, "committed", since_s) < FAILOVER_S
        undo()


@pytest.mark.parametrize("topology", ["one", "two"])
def test_a_journal_whose_disk_is_lost_is_replaced_under_load(topology: str) -> None:
    with scenario(topology) as one:
        back = fault_disks.lost_journal(one.cluster)
        assert back is not None
        one.cluster.run(1.0)
        back()
        one.cluster.run_until(lambda: not one.cluster.replacing, 10.0, "the journal is replaced")
        one.cluster.run(1.0)


def test_everything_restarts_and_nothing_is_lost() -> None:
    with scenario() as one:
        for _ in range(3):
            undo = keep_down(list(one.cluster.nodes.values()))
            one.cluster.run(0.2)
            undo()
            one.cluster.run(2.0)
