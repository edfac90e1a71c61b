"""A journal that stops in order gives its read lease back: nobody's commit waits for it to run out."""

from __future__ import annotations

import pytest
from protocol_checker import Violation
from protocol_nodes import JournalNode
from protocol_rules import RULES
from protocol_run import Cluster
from test_moving_leadership import TTL_S, begin, calm, end, isolate, leader, longest_pause_s


def follower_retires(seed: int, *, calmly: bool = False) -> tuple[Cluster, JournalNode]:
    """The journal of the Region that does not lead; its adjudicator and storage stay."""
    cluster, first, _ = begin(seed)
    if calmly:
        calm(cluster)
    other = next(node for node in cluster.journals if node.full and node.region != first.region)
    other.retire()
    return cluster, other


def test_commits_do_not_wait_for_a_journal_that_stopped_in_order() -> None:
    cluster, journal = follower_retires(31)
    world = cluster.world
    since = world.now
    world.run(world.now + 0.05)
    world.crash(journal.name)
    world.run(world.now + TTL_S)
    assert longest_pause_s(cluster, since, world.now) < 0.5 * TTL_S
    # It is back with a lease of its new life, without having to wait.
    world.restart(journal.name)
    found = leader(cluster)
    assert found is not None
    began = world.now
    while journal.machine.snapshot_csn(journal.clock_us()) is None:
        assert world.now < began + TTL_S
        world.run(world.now + 0.01)
    end(cluster)


def cut_off_after_retiring(seed: int) -> None:
    cluster, journal = follower_retires(seed, calmly=True)
    world = cluster.world
    world.run(world.now + 0.08)
    isolate(cluster, journal.region)
    world.run(world.now + 2 * TTL_S)
    world.crash(journal.name)
    end(cluster)


def test_a_region_that_was_left_out_does_not_serve() -> None:
    cut_off_after_retiring(1)


def test_using_a_lease_that_was_given_back_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    RULES["give_the_lease_back_and_use_it"](monkeypatch.setattr)
    for seed in range(8):
        try:
            cut_off_after_retiring(seed)
        except Violation:
            return
    pytest.fail("nobody noticed")
