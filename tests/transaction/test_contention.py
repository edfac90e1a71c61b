"""Who loses on a hot key is told when the next attempt has a chance, and never waits long."""

from __future__ import annotations

import asyncio

import pytest
from fake_cluster import FakeCluster, FakeSnapshots

from trilithon.core.errors import SqlError
from trilithon.query.transaction import contention
from trilithon.query.transaction.contention import Contention
from trilithon.query.transaction.transaction import Transaction
from trilithon.types.keys import key_prefix
from trilithon.types.rows import encode_row
from trilithon.v1.types_pb2 import MODE_EXCLUSIVE, MODE_UPDATE

HOT = key_prefix(20000, 0) + b"\x19\x01"
LONG_US = 10_000_000


def waiter(one: Contention, csn: int, attempt_us: int = LONG_US) -> asyncio.Task[None]:
    return asyncio.create_task(one.lost(HOT, csn, attempt_us))


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def turns(cluster: FakeCluster) -> Contention:
    made = Contention(cluster.manager.world, FakeSnapshots(cluster.store))
    made.seen(1 << 60)
    return made


async def test_one_loser_goes_for_each_winner(turns: Contention) -> None:
    await turns.lost(HOT, 10, LONG_US)  # nobody is before it
    second, third = waiter(turns, 10), waiter(turns, 10)
    await settle()
    assert not second.done()
    assert not third.done()
    turns.won(HOT, 11)
    await second
    turns.won(HOT, 11)  # the same winner
    await settle()
    assert not third.done()
    turns.won(HOT, 12)
    await third
    turns.close()


async def test_a_winner_elsewhere_is_heard_of_from_who_lost_to_it(turns: Contention) -> None:
    await turns.lost(HOT, 10, LONG_US)
    second = waiter(turns, 10)
    await settle()
    third = waiter(turns, 15)
    await second
    assert not third.done()
    turns.close()
    await third


async def test_who_does_not_come_back_costs_a_turn_only(turns: Contention) -> None:
    await turns.lost(HOT, 10, 0)
    await asyncio.wait_for(turns.lost(HOT, 10, 0), 10)
    await asyncio.wait_for(turns.lost(HOT, 10, 0), 10)
    while turns.contended:
        await asyncio.sleep(0.001)


async def test_nobody_is_held_longer_than_the_bound(
    turns: Contention, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contention, "HELD_MAX_S", 0.01)
    monkeypatch.setattr(contention, "_TURN_MAX_S", 1000.0)
    await turns.lost(HOT, 10, LONG_US)
    await waiter(turns, 10)
    # It is passed over when its turn would come.
    last = waiter(turns, 10)
    monkeypatch.setattr(contention, "HELD_MAX_S", 1000.0)
    await settle()
    turns.won(HOT, 11)
    await last
    turns.close()


async def test_the_winner_is_in_the_snapshots_before_the_loser_is_told() -> None:
    cluster = FakeCluster()
    snapshots = FakeSnapshots(cluster.store)
    turns = Contention(cluster.manager.world, snapshots)
    goal = cluster.store.csn + 1
    loser = waiter(turns, goal)
    await settle()
    assert not loser.done()
    cluster.store.csn = goal
    await loser
    turns.close()


async def test_an_entry_that_never_comes_is_waited_for_a_moment_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(contention, "SEEN_MAX_S", 0.01)
    cluster = FakeCluster()
    turns = Contention(cluster.manager.world, FakeSnapshots(cluster.store))
    await asyncio.wait_for(waiter(turns, cluster.store.csn + 100), 10)
    turns.close()


async def test_without_snapshots_the_verdict_comes_all_the_same(turns: Contention) -> None:
    class Broken:
        async def snapshot(self) -> object:
            raise SqlError("57P03", "no lease")

    broken = Contention(FakeCluster().manager.world, Broken())  # type: ignore[arg-type]
    await broken.lost(HOT, 10, LONG_US)
    broken.close()


async def attempt(cluster: FakeCluster, *, lock: bool = False) -> Transaction:
    transaction = await cluster.manager.begin()
    if lock:
        transaction.lock(HOT, MODE_EXCLUSIVE)
    else:
        transaction.write(HOT, MODE_UPDATE, encode_row([1]))
    return transaction


@pytest.mark.parametrize("lock", [False, True])
async def test_a_crowd_on_one_row_takes_few_attempts(lock: bool) -> None:
    cluster = FakeCluster()
    attempts = 0
    crowd, rounds = 12, 5

    async def client() -> None:
        nonlocal attempts
        done = 0
        while done < rounds:
            transaction = await attempt(cluster, lock=lock)
            for _ in range(5):
                await asyncio.sleep(0)
            attempts += 1
            try:
                await transaction.commit()
            except SqlError as error:
                assert error.sqlstate == "40001"
            else:
                done += 1

    await asyncio.gather(*(client() for _ in range(crowd)))
    # Without turns each commit costs about one attempt of everybody.
    assert attempts < crowd * rounds * 4
    assert cluster.manager.metrics()["conflicts_held_back_total"] > 0


async def test_a_session_that_is_cancelled_while_held_back_hears_the_verdict() -> None:
    cluster = FakeCluster()
    losers = [await attempt(cluster) for _ in range(2)]
    await (await attempt(cluster)).commit()
    with pytest.raises(SqlError, match="40001"):
        await losers[0].commit()
    held = asyncio.create_task(losers[1].commit())
    await settle()
    assert not held.done()
    held.cancel()
    with pytest.raises(SqlError, match="40001"):
        await held
    assert held.cancelling() == 0
