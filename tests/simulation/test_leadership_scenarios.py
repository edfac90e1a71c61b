"""Leadership moves by order, between whole processes under load. Regions are 40 ms apart."""

from __future__ import annotations

from typing import Any

import pytest
from cluster import AdjudicatorNode, JournalNode
from fault_leadership import order
from run import Plan, simulate
from scenario import FAILOVER_S, TTL_S, Scenario, is_append, scenario

from trilithon.v1.adjudicator_pb2 import AdjudicatorReply

pytestmark = pytest.mark.timeout(600)

RTT_S = 0.04
# Two to three round trips and a commit's own; half as much again for bad luck.
HANDOVER_S = 1.5 * 5 * RTT_S


def is_handed_over(message: Any) -> bool:
    return isinstance(message, AdjudicatorReply) and message.WhichOneof("reply") == "handed_over"


def leads(one: Scenario, node: AdjudicatorNode) -> bool:
    return one.cluster.leader() is node


def order_once(node: AdjudicatorNode) -> None:
    """An order that is given up after one lease_ttl, whatever becomes of it."""
    service: Any = node.running.service

    async def once() -> None:
        now_us = node.process.monotonic_us()
        service.machine.order_lead(now_us, now_us + int(TTL_S * 1_000_000))
        service._take_soon()

    node.process.run(once())


def test_leadership_moves_to_and_fro_within_round_trips() -> None:
    with scenario() as one:
        since_s = one.cluster.kernel.now_s
        there, back = one.adjudicator(one.other), one.leader
        for node in (there, back, there):
            order(node)
            one.until(lambda node=node: leads(one, node), TTL_S / 2, node.name)  # type: ignore[misc]
            one.run(0.7)
        for region in ("a", "b"):
            assert one.pause_s(region, "committed", since_s) < HANDOVER_S + 0.15
            assert one.pause_s(region, "read", since_s) < HANDOVER_S + 0.15


@pytest.mark.parametrize("after_s", [0.0, 0.03, 0.06])
def test_the_successor_is_killed_in_the_middle(after_s: float) -> None:
    with scenario() as one:
        there = one.adjudicator(one.other)
        order(there)
        one.until(lambda: one.cluster.leader() is None, 1.0, "the old leader resigns")
        one.run(after_s)
        undo = one.kill(there)
        since_s = one.cluster.kernel.now_s
        one.run(3.0)
        assert one.pause_s(one.leading, "committed", since_s) < FAILOVER_S + 0.3
        undo()


def test_a_resignation_that_arrives_late_unseats_nobody() -> None:
    """The answer is held back until others have long elected somebody."""
    with scenario() as one:
        there = one.adjudicator(one.other)
        release = one.hold(one.leader, there, is_handed_over)
        order_once(there)
        one.until(lambda: one.cluster.leader() is None, 1.0, "the old leader resigns")
        one.until(lambda: one.cluster.leader() is not None, 2 * FAILOVER_S, "somebody leads")
        epochs = set(one.cluster.observer.epochs)
        leader = one.cluster.leader()
        release()
        one.run(2.0)
        assert one.cluster.leader() is leader
        assert set(one.cluster.observer.epochs) == epochs


def test_old_appends_and_leases_of_the_leader_that_resigned_come_too_late() -> None:
    with scenario() as one:
        there = one.adjudicator(one.other)
        journals: list[JournalNode] = one.cluster.of(JournalNode)
        releases = [one.hold(one.leader, journal, is_append) for journal in journals]
        order(there)
        one.until(lambda: leads(one, there), 2 * TTL_S, there.name)
        one.run(0.1)
        for release in releases:
            release()
        one.run(1.0)
        assert leads(one, there)


def test_the_old_leaders_region_is_cut_off_right_after() -> None:
    """Its journal never hears of the successor, which waits for its lease to run out."""
    with scenario() as one:
        there = one.adjudicator(one.other)
        order(there)
        one.until(lambda: one.cluster.leader() is None, 1.0, "the old leader resigns")
        one.run(0.03)
        undo = one.isolate(one.leading)
        one.run(3.0)
        assert leads(one, there)
        undo()


def test_a_leader_that_stops_in_order_is_not_missed() -> None:
    with scenario("many") as one:
        since_s = one.cluster.kernel.now_s
        old = one.leader
        service: Any = old.running.service
        old.process.run(service.retire())
        one.until(lambda: one.cluster.leader() not in (None, old), TTL_S / 2, "another one leads")
        one.run(0.2)
        undo = one.kill(old)
        one.run(1.0)
        assert one.pause_s(one.other, "committed", since_s) < HANDOVER_S + 0.15
        undo()


@pytest.mark.parametrize("topology", ["two", "many"])
def test_orders_among_other_faults(topology: str) -> None:
    names = ["move leadership", "move leadership and kill", "isolate region", "pause leader"]
    simulate(7, Plan(topology, 8.0, names))
