"""Leadership is moved by order, and sometimes somebody dies or is cut off in the middle of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fault_processes import keep_down

if TYPE_CHECKING:
    from cluster import Cluster, Node


def order(node: Node) -> None:
    """As `trilithon lead` does."""
    service: Any = node.running.service

    async def lead() -> None:
        from contextlib import suppress

        from trilithon.core.errors import Unavailable
        from trilithon.v1 import adjudicator_pb2

        with suppress(Unavailable):
            await service.lead(adjudicator_pb2.LeadRequest())

    node.process.run(lead())


def _candidate(cluster: Cluster) -> Node | None:
    leader = cluster.leader()
    nodes = [
        node
        for node in cluster.nodes.values()
        if node.role == "adjudicator" and node.up and node is not leader
    ]
    return cluster.random.choice(nodes) if nodes else None


def move_leadership(cluster: Cluster) -> Callable[[], None] | None:
    node = _candidate(cluster)
    if node is None:
        return None
    cluster.kernel.note(f"fault: {node.name} is ordered to lead")
    order(node)
    return lambda: None


def move_leadership_and_kill(cluster: Cluster) -> Callable[[], None] | None:
    """Whoever takes over, or whoever gives it away, dies within a few round trips."""
    node = _candidate(cluster)
    leader = cluster.leader()
    if node is None or leader is None:
        return None
    victim = cluster.random.choice([node, leader])
    cluster.kernel.note(f"fault: {node.name} is ordered to lead, {victim.name} dies")
    order(node)
    undos: list[Callable[[], None]] = []
    over: list[bool] = []

    def strike() -> None:
        if not over:
            undos.append(keep_down([victim]))

    def undo() -> None:
        over.append(True)
        for one in undos:
            one()

    cluster.kernel.at(cluster.random.uniform(0.0, 0.12), strike)
    return undo


FAULTS = {
    "move leadership": move_leadership,
    "move leadership and kill": move_leadership_and_kill,
}
