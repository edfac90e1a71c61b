"""What a review of the design found to matter, each alone. See `plays_*.py` for more of them:
verdicts of a deposed leader that come late, a longer log that is revived, joining while slow, ..."""

from __future__ import annotations

import pytest
from cluster import AdjudicatorNode, Cluster, JournalNode, StorageNode
from fault_disks import ask_to_replace
from fault_journals import supersede
from fault_processes import keep_paused
from scenario import FAILOVER_S, TTL_S, scenario

from trilithon.link.specs import JOURNAL

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("late_s", [0.3, 0.9, 2.0])
def test_a_dead_leaders_heartbeats_that_are_repeated_hold_nobody_off(late_s: float) -> None:
    with scenario() as one:
        cluster = one.cluster
        for stream in cluster.network.streams(JOURNAL):
            if stream.client is one.leader.process:
                stream.repeat(0.4, late_s)
        one.run(0.4)
        since_s = cluster.kernel.now_s
        undo = one.kill(one.leader)
        one.run(4.0)
        assert one.pause_s(one.other, "committed", since_s) < FAILOVER_S
        undo()


def test_an_adjudicator_is_lost_between_forwarding_and_answering() -> None:
    """What it forwarded commits once or not at all; another Region's adjudicator tells which."""
    with scenario() as one:
        node = one.adjudicator(one.other)
        for _ in range(5):
            pending = node.running.machine.pending
            one.until(lambda pending=pending: any(p.ever_sent for p in pending))  # type: ignore[misc]
            undo = one.kill(node)
            one.run(0.4)
            undo()
            one.run(0.4)


def test_questions_race_with_resends_through_failovers() -> None:
    with scenario(workloads=("bank", "asker", "impatient", "append")) as one:
        one.cluster.impatient = True
        for _ in range(4):
            leader = one.cluster.leader()
            if leader is not None:
                undo = one.kill(leader)
                one.run(0.3)
                undo()
            one.run(1.5)


def test_a_region_comes_back_to_a_log_that_was_trimmed_meanwhile() -> None:
    """Small windows, small memories: what it lacks is relayed from another journal, or it starts anew."""
    small = {"window_entries_max": 60, "log_bytes_max": 4_000, "warm_entries": 30}
    journal = {"memory_bytes_max": 3_000, "window_us": 1_000_000}
    with scenario(workloads=("bank", "append", "slow writer"), adjudicator=small) as one:
        one.cluster.journal_settings = journal
        one.isolate(one.other)
        one.run(5.0)
        one.undo()
        one.run(2.0)


@pytest.mark.parametrize("seed", [1, 2])
def test_leases_hold_where_lease_ttl_differs(seed: int) -> None:
    """Journals remember the longest that they have heard of, whoever leads next."""

    def differ(cluster: Cluster) -> None:
        for number, node in enumerate(cluster.nodes.values()):
            node.lease_ttl_ms = (600, 1_000, 1_500)[number % 3]

    with scenario(seed=seed, prepare=differ) as one:
        for region in (one.leading, one.other):
            one.isolate(region)
            one.run(3.0)
            one.undo()
            one.run(2.0)


@pytest.mark.parametrize("rates", [(0.98, 1.02), (1.02, 0.98)])
def test_leases_hold_at_the_bound_of_drift(rates: tuple[float, float]) -> None:
    """One Region's clocks run as fast, the other's as slow as is allowed; walls jump by a day."""

    def drift(cluster: Cluster) -> None:
        for node in cluster.nodes.values():
            node.process.rate = rates[0] if node.region.name == "a" else rates[1]

    with scenario(prepare=drift) as one:
        for region in (one.other, one.leading):
            for node in one.nodes(region):
                node.process.wall_jump_us -= 86_400_000_000
            one.isolate(region)
            one.run(3.0)
            one.undo()
            one.run(2.0)


def test_storage_far_behind_its_journal_answers_late_or_not_at_all() -> None:
    with scenario() as one:
        storage: StorageNode = one.cluster.of(StorageNode, one.other)[0]
        undo = keep_paused([storage])
        one.run(4.0)
        undo()
        since_s = one.cluster.kernel.now_s
        one.run(1.5)
        assert one.committed_since(since_s, one.other)


def test_a_full_disk_stops_its_journal_until_there_is_room() -> None:
    """It never acknowledges what it could not keep, and comes back by itself."""
    with scenario() as one:
        node = one.journal(one.other)
        node.may_fail = node.disk.full = True
        since_s = one.cluster.kernel.now_s
        one.run(4.0)
        assert node.process.failure is not None or not node.up or node.process.life > 1
        assert one.pause_s(one.leading, "committed", since_s) < FAILOVER_S
        node.disk.full = False
        one.run(2.5)
        node.may_fail = False
        assert node.up


def test_a_failed_sync_stops_its_journal_at_once() -> None:
    with scenario() as one:
        node = one.journal(one.leading)
        life = node.process.life
        node.may_fail = node.disk.fail_next = True
        one.until(lambda: not node.process.running, 2.0, "it stops itself")
        one.until(lambda: node.up and node.process.life > life, 3.0, "it is started again")
        node.may_fail = False


@pytest.mark.parametrize("topology", ["one", "two"])
def test_a_journal_is_replaced_while_the_old_one_lives_on(topology: str) -> None:
    """Whoever is connected to the old one hears nothing that is not true."""
    with scenario(topology) as one:
        cluster = one.cluster
        node: JournalNode = cluster.of(JournalNode, one.other or one.leading)[0]
        cluster.replacing = node.name
        old = supersede(cluster, node)
        ask_to_replace(cluster, node)
        cluster.run_until(lambda: not cluster.replacing, 10.0, "the journal is replaced")
        one.run(2.0)
        assert old.process.running
        old.kill()


def test_a_journal_is_not_said_to_be_replaced_before_the_leader_has_met_the_new_one() -> None:
    """The leader, cut off, still knows the old one under that name."""
    with scenario() as one:
        cluster = one.cluster
        node = one.journal(one.other)
        undo = one.part(one.leader, node)
        undo_kill = one.kill(node)
        node.disk.lose()
        undo_kill()
        cluster.replacing = node.name
        ask_to_replace(cluster, node)
        one.run(0.5)
        assert cluster.replacing, "nobody can have replaced it yet"
        undo()
        cluster.run_until(lambda: not cluster.replacing, 10.0, "the journal is replaced")
        leader = cluster.leader()
        assert leader is not None
        members = leader.running.machine.members()
        assert node.disk.state.incarnation in [one.incarnation for one in members.members]


def test_a_leader_that_limps_is_not_dead() -> None:
    """Its Region's ways take 0.1 s longer: commits go on, slower, under one leader or the other."""
    with scenario() as one:
        delays = one.cluster.network.extra_delay_s
        for region in one.cluster.regions:
            delays[(one.leading, region)] = delays[(region, one.leading)] = 0.1
        since_s = one.cluster.kernel.now_s
        one.run(4.0)
        delays.clear()
        for region in (one.leading, one.other):
            assert one.committed_since(since_s, region)


def test_whoever_votes_may_be_paused_longer_than_a_lease() -> None:
    """Each adjudicator and each journal in turn; several of each stand in a Region."""
    with scenario("five") as one:
        for node in [*one.cluster.of(AdjudicatorNode), *one.cluster.of(JournalNode)]:
            undo = keep_paused([node])
            one.run(1.3 * TTL_S)
            undo()
            one.run(0.4)


def test_a_region_that_is_restarted_again_and_again_serves_again_at_once() -> None:
    """What limps stays out longer and longer; who served well and was then killed does not limp."""
    with scenario() as one:
        for _ in range(4):
            undo = one.kill(*one.nodes(one.other))
            one.run(3.0 * TTL_S)
            undo()
            since_s = one.cluster.kernel.now_s
            one.until(
                lambda since_s=since_s: one.committed_since(since_s, one.other) > 5,  # type: ignore[misc]
                limit_s=2.0 * TTL_S,
                what="the Region that came back commits",
            )
            one.run(1.5 * TTL_S)


def test_a_region_that_never_stays_for_long_comes_back_later_and_later() -> None:
    with scenario() as one:
        journal = one.journal(one.other)
        waits: list[float] = []
        for _ in range(4):
            undo = one.kill(journal)
            one.run(3.0 * TTL_S)
            undo()
            since_s = one.cluster.kernel.now_s
            one.until(
                lambda: (
                    journal.up
                    and journal.running.service.machine.lease_left_us(
                        journal.running.service._clock.monotonic_us()
                    )
                    > 0
                ),
                limit_s=60.0,
                what="the journal has a lease again",
            )
            waits.append(one.cluster.kernel.now_s - since_s)
        assert waits[0] < 2.0 * TTL_S
        assert waits[1] < waits[2] < waits[3]
