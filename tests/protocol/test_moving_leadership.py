"""Leadership moves by order, in the simulated world: what may go wrong in the middle, and what clients feel."""

from __future__ import annotations

import itertools

import pytest
from protocol_checker import Violation
from protocol_nodes import TTL_US, AdjudicatorNode
from protocol_rules import RULES
from protocol_run import Cluster

from trilithon.core.invariant import InvariantViolation
from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import journal_pb2 as journal

TTL_S = TTL_US / 1_000_000


def leader(cluster: Cluster) -> AdjudicatorNode | None:
    for node in cluster.adjudicators:
        if node.name not in cluster.world.down and node.machine.leads(node.clock_us()):
            return node
    return None


def wait_for(cluster: Cluster, node: AdjudicatorNode | None = None, limit_s: float = 5.0) -> float:
    """Until this one leads (None: anybody); the time it took."""
    world = cluster.world
    began = world.now
    while (found := leader(cluster)) is None or node not in (None, found):
        assert world.now < began + limit_s, "nobody leads in time"
        world.run(world.now + 0.002)
    return world.now - began


def begin(seed: int, topology: str = "two") -> tuple[Cluster, AdjudicatorNode, AdjudicatorNode]:
    """A cluster under load, its leader, and another adjudicator."""
    cluster = Cluster(seed, topology)
    cluster.seconds = 100
    cluster.world.run(3)
    wait_for(cluster)
    cluster.world.run(cluster.world.now + 1)
    found = leader(cluster)
    assert found is not None
    return cluster, found, next(one for one in cluster.adjudicators if one is not found)


def end(cluster: Cluster) -> None:
    """Heal, go on for a while, and judge everything."""
    world = cluster.world
    cluster.heal()
    for name in sorted(world.down):
        world.restart(name)
    world.run(world.now + 8)
    world.stopping = True
    world.run(world.now + 12)
    cluster.check()


def longest_pause_s(cluster: Cluster, since: float, until: float) -> float:
    times = sorted(
        one.ended
        for client in cluster.clients
        for one in client.history
        if one.outcome == "committed" and since < one.ended < until
    )
    return max(after - before for before, after in itertools.pairwise([since, *times, until]))


@pytest.mark.parametrize("topology", ["two", "three", "one"])
def test_leadership_moves_to_and_fro_and_nobody_waits_for_a_lease(topology: str) -> None:
    cluster, first, second = begin(11, topology)
    world = cluster.world
    since = world.now
    for node in (second, first, second, first):
        node.order_lead()
        wait_for(cluster, node, limit_s=0.5 * TTL_S)
        world.run(world.now + 1)
    assert longest_pause_s(cluster, since, world.now) < 0.6 * TTL_S
    assert first.machine.handover.given_count == second.machine.handover.given_count == 2
    end(cluster)


def test_whoever_leads_already_stays() -> None:
    cluster, first, _ = begin(12)
    epoch = first.machine.leader_epoch
    first.order_lead()
    cluster.world.run(cluster.world.now + 1)
    assert leader(cluster) is first
    assert first.machine.leader_epoch == epoch
    end(cluster)


@pytest.mark.parametrize("delay_s", [0.0, 0.03, 0.06, 0.09])
def test_the_successor_dies_in_the_middle(delay_s: float) -> None:
    cluster, _, second = begin(21)
    world = cluster.world
    second.order_lead()
    world.run(world.now + delay_s)
    world.crash(second.name)
    # The usual election, by those who are left.
    assert wait_for(cluster, limit_s=2 * TTL_S) <= 2 * TTL_S
    end(cluster)


@pytest.mark.parametrize("delay_s", [0.03, 0.06, 0.09])
def test_the_old_leaders_region_is_cut_off_in_the_middle(delay_s: float) -> None:
    cluster, first, second = begin(22)
    world = cluster.world
    second.order_lead()
    world.run(world.now + delay_s)
    isolate(cluster, first.region)
    world.run(world.now + 3 * TTL_S)
    assert leader(cluster) is second
    end(cluster)


def calm(cluster: Cluster) -> None:
    """Until nothing is unsettled: a read that waits for a verdict shows nothing."""
    for client in cluster.clients:
        client.only_reads = True
    cluster.world.run(cluster.world.now + 0.5)


def isolate(cluster: Cluster, region: str) -> None:
    """From now on its clients only read, and the others do both."""
    for client in cluster.clients:
        client.only_reads = client.region == region
    others = [one for one in cluster.topology.regions if one != region]
    cluster.world.cut_links({frozenset((region, other)) for other in others})


def test_a_region_that_is_behind_does_not_get_it() -> None:
    cluster, first, second = begin(13)
    world = cluster.world
    world.crash(f"journal-{second.region}0")
    world.run(world.now + 3 * TTL_S)
    order = second.machine.order_lead(second.clock_us(), second.clock_us() + TTL_US)
    second._soon()
    world.run(world.now + 0.5)
    assert leader(cluster) is first
    assert order is not None
    assert "near the log's tail" in order.hindrance
    end(cluster)


def test_nobody_gets_it_while_nobody_leads() -> None:
    cluster, first, second = begin(14)
    world = cluster.world
    world.crash(first.name)
    for name in ("journal-w0", f"journal-{first.region}0"):
        world.crash(name)
    world.run(world.now + 2 * TTL_S)
    second.order_lead()
    world.run(world.now + TTL_S)
    assert leader(cluster) is None
    end(cluster)


def test_a_leader_that_stops_in_order_hands_over_first() -> None:
    cluster, first, second = begin(15)
    world = cluster.world
    since = world.now
    first.machine.retire(first.clock_us())
    first._soon()
    wait_for(cluster, second, limit_s=0.5 * TTL_S)
    world.run(world.now + 0.3)
    assert not len(first.machine.pending), "what it had taken is answered"
    world.crash(first.name)
    world.run(world.now + TTL_S)
    assert longest_pause_s(cluster, since, world.now) < 0.6 * TTL_S
    end(cluster)


def test_two_that_stop_together_do_not_wait_for_each_other() -> None:
    cluster, first, second = begin(16)
    for node in (second, first):
        node.machine.retire(node.clock_us())
        node._soon()
    cluster.world.run(cluster.world.now + 0.2)
    assert leader(cluster) is first
    assert first.machine.handover.offered_to() == set()


# ---- without the rule somebody reads old data


def old_permission(seed: int) -> Cluster:
    """A resignation that is seconds old reaches a candidate, while another leader's leases run."""
    cluster, first, second = begin(seed, "three")
    world = cluster.world
    epoch, life = first.machine.leader_epoch, first.machine._candidate.life
    second.order_lead()
    wait_for(cluster, second)
    world.run(world.now + 1)
    calm(cluster)
    (third,) = (one for one in cluster.adjudicators if one not in (first, second))
    isolate(cluster, second.region)
    late = adjudicator.HandedOver(
        resignation=journal.Resignation(
            epoch=epoch, life=life, successor=third.machine._candidate.life
        )
    )
    third.machine.election.stand_by_permission(late, third.clock_us(), third.machine._out)
    third._soon()
    world.run(world.now + 0.4 * TTL_S)
    assert not third.machine.leads(third.clock_us()), "another leader's leases still run"
    world.run(world.now + 3 * TTL_S)
    end(cluster)
    return cluster


def cut_off_after_resigning(seed: int) -> Cluster:
    """The old leader's Region hears nothing from the successor, and its lease still runs."""
    cluster, first, second = begin(seed)
    calm(cluster)
    second.order_lead()
    while not first.machine.handover.given_count:
        cluster.world.run(cluster.world.now + 0.001)
    assert leader(cluster) is not first, "it has resigned and goes on judging"
    isolate(cluster, first.region)
    # The answer was on its way when the link was cut.
    given = first.machine.handover._given
    assert given is not None
    second.machine.election.stand_by_permission(given, second.clock_us(), second.machine._out)
    second._soon()
    cluster.world.run(cluster.world.now + 3 * TTL_S)
    end(cluster)
    return cluster


SCENARIOS = {
    "a_resignation_of_any_epoch_will_do": old_permission,
    "lead_on_after_resigning": cut_off_after_resigning,
    "inherit_no_leases": cut_off_after_resigning,
}


@pytest.mark.parametrize("scenario", [old_permission, cut_off_after_resigning])
def test_old_and_late_resignations_do_no_harm(scenario: object) -> None:
    for seed in range(2):
        scenario(seed)  # type: ignore[operator]


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_broken_rule_is_noticed_when_leadership_moves(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    RULES[name](monkeypatch.setattr)
    for seed in range(10):
        try:
            SCENARIOS[name](seed)
        except (Violation, InvariantViolation, AssertionError):
            return
    pytest.fail(f"nobody noticed that the rule {name} was broken")
