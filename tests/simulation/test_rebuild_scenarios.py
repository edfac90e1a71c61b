"""Disks lost for good, rebuilt under load from what the other Regions have; the log begins late
everywhere, so that only a hot copy helps. And who must not count meanwhile: fresh and old incarnations."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from cluster import JournalNode, QueryNode, StorageNode
from fault_processes import keep_down
from fault_rebuild import Operator, lose_region
from scenario import Scenario, scenario
from workload import Workload, row_key
from workloads import WORKLOADS

from trilithon.storage import copying

pytestmark = pytest.mark.timeout(600)

TRIMMED: dict[str, dict[str, Any]] = {
    "journal": {"window_us": 700_000, "memory_bytes_max": 20_000, "trim_step_entries": 200},
    "adjudicator": {"log_bytes_max": 10_000, "warm_entries": 50, "window_entries_max": 400},
}
REBUILT_S = 15.0


class Ledger(Workload):
    """Rows that stay as they are: what a copy left out is not written again."""

    name = "ledger"

    async def step(self, node: QueryNode, source: random.Random) -> None:
        transaction = await self.begin(node, source)
        for _ in range(3):
            transaction.write(row_key(20_900, source.randrange(1 << 30)), 1, transaction.tag)
        await transaction.commit()


def bases(one: Scenario, *without: str) -> list[int]:
    journals: list[JournalNode] = one.cluster.of(JournalNode)
    return [node.disk.state.base.csn for node in journals if node.region.name not in without]


@contextmanager
def trimmed(topology: str = "two", seed: int = 1) -> Iterator[Scenario]:
    """Under load, and every log has lost its beginning, the leader's memory too."""
    names = ("bank", "append", "reader", "ledger")
    with patch.dict(WORKLOADS, ledger=Ledger), scenario(topology, seed, names, **TRIMMED) as one:
        one.until(lambda: all(bases(one)), what="every log is trimmed")
        yield one
        one.cluster.run_until(
            lambda: not one.cluster.replacing, REBUILT_S, f"{one.cluster.replacing} is rebuilt"
        )


def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies take a while."""
    monkeypatch.setattr(copying, "PART_BYTES", 1_000)


def copying_in(one: Scenario, region: str) -> list[StorageNode]:
    storages: list[StorageNode] = one.cluster.of(StorageNode, region)
    return [
        node
        for node in storages
        if node.up
        and node._engine is not None
        and (copy := node._engine.copy)
        and copy.versions_count
    ]


def copies(operator: Operator) -> list[str]:
    return [line for line in operator.lines if "begins a hot copy" in line]


@pytest.mark.parametrize("topology", ["two", "many"])
def test_a_region_without_any_disk_is_rebuilt_under_load(topology: str) -> None:
    with trimmed(topology) as one:
        back = lose_region(one.cluster, one.other)
        one.run(1.0)
        operator = back()
        one.cluster.run_until(lambda: not one.cluster.replacing, REBUILT_S, "it is rebuilt")
        assert len(copies(operator)) >= len(one.cluster.of(StorageNode, one.other))
        since_s = one.cluster.kernel.now_s
        one.run(1.5)
        assert one.committed_since(since_s, one.other) > 5


def test_the_leaders_own_region_is_rebuilt_under_load() -> None:
    with trimmed(seed=2) as one:
        back = lose_region(one.cluster, one.leading)
        one.run(3.0)
        back()


def test_the_witness_is_readmitted() -> None:
    with trimmed() as one:
        back = lose_region(one.cluster, "w")
        one.run(0.5)
        operator = back()
        one.cluster.run_until(lambda: not one.cluster.replacing, REBUILT_S, "it is rebuilt")
        assert not copies(operator)
        # Now it counts: with it alone the leader goes on.
        undo = keep_down(one.nodes(one.other))
        since_s = one.cluster.kernel.now_s + 2.0
        one.run(4.0)
        assert one.committed_since(since_s, one.leading) > 5
        undo()


@pytest.mark.parametrize("victim", ["target", "source", "leader", "journal"])
def test_who_is_lost_in_the_middle_of_a_copy_is_waited_for(
    victim: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    with trimmed() as one:
        cluster = one.cluster
        back = lose_region(cluster, one.other)
        one.run(0.5)
        back()
        one.until(lambda: bool(copying_in(one, one.other)), 10.0, "a copy is under way")
        nodes = {
            "target": copying_in(one, one.other),
            "source": cluster.of(StorageNode, one.leading),
            "leader": [cluster.leader() or one.leader],
            "journal": cluster.of(JournalNode, one.other),
        }
        before = copying_in(one, one.other)[0]._engine.copy
        undo = keep_down(nodes[victim])
        one.run(1.0)
        undo()
        if victim == "target":
            one.until(lambda: all(node.up for node in nodes[victim]))
            after = nodes[victim][0]._engine
            assert after.copy is None or after.copy.versions_count >= before.versions_count > 0


def test_a_fresh_journal_counts_for_nothing_until_a_person_says_so() -> None:
    with trimmed() as one:
        cluster, node = one.cluster, one.journal(one.other)
        back = keep_down([node])
        node.disk.lose()
        back()
        one.until(lambda: node.up and node.running.machine.synced_csn > 0, what="it learns")
        assert not node.running.machine.is_member
        # Without the witness there is one member left: nobody may lead, or commit, with the fresh one.
        undo = keep_down([one.journal("w")])
        one.run(2.5)
        since_s = cluster.kernel.now_s
        one.run(2.0)
        assert cluster.leader() is None
        assert one.committed_since(since_s) == 0
        assert node.running.machine.snapshot_csn(node.process.monotonic_us()) is None
        undo()
        operator = Operator(cluster, one.other)
        cluster.kernel.at(0.1, operator.begin)
        cluster.run_until(lambda: not cluster.replacing, REBUILT_S, "it is readmitted")
        assert node.running.machine.is_member


def test_an_old_incarnation_that_comes_back_never_counts_again() -> None:
    with trimmed() as one:
        cluster, node = one.cluster, one.journal("w")
        old = node.disk.state
        back = lose_region(cluster, "w")
        one.run(0.3)
        back()
        cluster.run_until(lambda: not cluster.replacing, REBUILT_S, "it is readmitted")
        # Somebody puts the lost disk back in its place.
        down = keep_down([node])
        fresh, node.disk.state = node.disk.state, old
        down()
        one.until(lambda: node.up and node.running.machine.incarnation == old.incarnation)
        # It may talk; but with the other Region gone it makes no majority.
        undo = keep_down(one.nodes(one.other))
        one.run(2.5)
        since_s = cluster.kernel.now_s
        one.run(2.0)
        assert cluster.leader() is None
        assert one.committed_since(since_s) == 0
        undo()
        down = keep_down([node])
        node.disk.state = fresh
        down()


def test_a_region_beyond_the_log_says_so_and_is_rebuilt() -> None:
    settings = {**TRIMMED, "journal": {**TRIMMED["journal"], "log_bytes_max": 20_000}}
    with scenario(**settings) as one:
        cluster, node = one.cluster, one.journal(one.other)
        tail = node.disk.state.recover().tail_csn
        heal = one.isolate(one.other)
        # Past its tail and what was on its way.
        one.until(lambda: min(bases(one, one.other)) > tail + 100, 20.0, "the logs are trimmed")
        heal()
        leader = cluster.leader()
        assert leader is not None
        one.until(lambda: leader.running.machine.journals_beyond_log == 1, what="it is noticed")
        status = leader.running.machine.status(leader.process.monotonic_us())
        beyond = [member.member.journal for member in status.member_status if member.beyond_log]
        assert beyond == [node.name]
        assert node.running.machine.snapshot_csn(node.process.monotonic_us()) is None
        operator = Operator(cluster, one.other)
        operator.begin()
        one.run(1.0)
        assert "move its data folder" in operator.lines[0]
        cluster.replacing = ""
        one.run(1.0)
        # The journal's disk only: its storage is beyond the log by itself.
        back = keep_down([node])
        node.disk.lose()
        back()
        operator = Operator(cluster, one.other)
        cluster.kernel.at(0.1, operator.begin)
        cluster.run_until(lambda: not cluster.replacing, REBUILT_S, "it is rebuilt")
        assert copies(operator)
