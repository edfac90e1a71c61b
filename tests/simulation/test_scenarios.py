"""Single faults, each with what a Region may feel of it. lease_ttl is 1 s here; Regions are 40 ms apart."""

from __future__ import annotations

import fault_disks
import fault_network
import pytest
from cluster import JournalNode
from fault_processes import keep_down, keep_paused
from proofs import PLAYS, Play
from scenario import FAILOVER_S, TTL_S, scenario

# Of a busy machine's time.
pytestmark = pytest.mark.timeout(600)


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
        undo = keep_down(one.nodes(one.leading))
        one.cluster.run(5.0)
        assert one.pause_s(one.other, "committed", since_s) < FAILOVER_S
        assert one.pause_s(one.other, "read", since_s) < FAILOVER_S
        undo()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_leaders_region_reads_on_when_the_other_one_burns_down(seed: int) -> None:
    with scenario(seed=seed) as one:
        since_s = one.cluster.kernel.now_s
        undo = keep_down(one.nodes(one.other))
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


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.__name__)
def test_what_breaks_without_a_rule_holds_with_all_of_them(play: Play) -> None:
    play(1)
