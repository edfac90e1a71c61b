"""Coalesced snapshots: who is served by which request, and what happens without a lease."""

from __future__ import annotations

import asyncio

import pytest
from reads_support import FakeJournal, failure, make_world, until

from trilithon.core.errors import SqlError
from trilithon.query.reads import SnapshotSource
from trilithon.v1 import types_pb2

Failure = types_pb2.Failure


async def start(count: int = 1, timeout_s: float = 5.0) -> tuple[SnapshotSource, list[FakeJournal]]:
    world = make_world()
    journals = [FakeJournal(world.network, f"journal-{n}:1") for n in range(count)]  # type: ignore[arg-type]
    for journal in journals:
        await journal.start()
    source = SnapshotSource(world, [one.address for one in journals], timeout_s=timeout_s)
    return source, journals


async def test_a_snapshot_is_what_the_journal_says() -> None:
    source, _ = await start()
    snapshot = await source.snapshot()
    assert (snapshot.csn, snapshot.catalog_csn, snapshot.settled_csn) == (100, 7, 99)
    await source.close()


async def test_one_request_serves_all_who_waited_when_it_left_and_nobody_later() -> None:
    source, (journal,) = await start()
    await source.snapshot()
    journal.gate = asyncio.Event()
    first = asyncio.create_task(source.snapshot())
    await until(lambda: journal.asked == 2)
    journal.csn = 200
    # These begin after something at 200 may have been acknowledged: 100 would be wrong for them.
    later = [asyncio.create_task(source.snapshot()) for _ in range(50)]
    await asyncio.sleep(0.02)
    assert journal.asked == 2
    journal.gate.set()
    assert (await first).csn == 100
    assert {one.csn for one in await asyncio.gather(*later)} == {200}
    assert journal.asked == 3
    assert source.served_count == 52
    await source.close()


async def test_without_a_lease_it_waits_and_asks_again() -> None:
    source, (journal,) = await start()
    answers, good = [failure(Failure.CODE_UNAVAILABLE, "no lease")] * 3, journal.answers
    journal.answers = lambda: answers.pop() if answers else good()
    assert (await source.snapshot()).csn == 100
    assert journal.asked == 4
    await source.close()


async def test_without_a_lease_for_too_long_it_is_57p03() -> None:
    source, (journal,) = await start(timeout_s=0.1)
    journal.answers = lambda: failure(Failure.CODE_UNAVAILABLE, "no lease")
    results = await asyncio.gather(*[source.snapshot() for _ in range(5)], return_exceptions=True)
    for error in results:
        assert isinstance(error, SqlError)
        assert (error.sqlstate, error.detail) == ("57P03", "no lease")
    # And serves again as soon as it can.
    journal.answers = lambda: failure(Failure.CODE_UNAVAILABLE, "no lease")
    await source.close()


async def test_another_journal_is_asked_when_one_is_lost() -> None:
    source, journals = await start(2)
    await source.snapshot()
    journals[0].network.cut(journals[0].address)
    journals[1].csn = 300
    assert (await source.snapshot()).csn == 300
    assert (await source.snapshot()).csn == 300
    await source.close()


async def test_a_silent_journal_is_left_for_another() -> None:
    source, journals = await start(2)
    journals[0].answers = lambda: None
    journals[1].csn = 300
    assert (await source.snapshot()).csn == 300
    await source.close()


async def test_a_caller_that_gave_up_disturbs_nobody() -> None:
    source, (journal,) = await start()
    await source.snapshot()
    journal.gate = asyncio.Event()
    tasks = [asyncio.create_task(source.snapshot()) for _ in range(3)]
    await until(lambda: journal.asked == 2)
    tasks[1].cancel()
    journal.gate.set()
    assert [(await tasks[n]).csn for n in (0, 2)] == [100, 100]
    await source.close()


async def test_closing_lets_nobody_hang() -> None:
    source, (journal,) = await start()
    await source.snapshot()
    journal.gate = asyncio.Event()
    serving = asyncio.create_task(source.snapshot())
    await until(lambda: journal.asked == 2)
    waiting = asyncio.create_task(source.snapshot())
    await asyncio.sleep(0)
    await source.close()
    for task in (serving, waiting):
        with pytest.raises(SqlError, match="57P01"):
            await task
    with pytest.raises(SqlError, match="57P01"):
        await source.snapshot()


async def test_a_region_without_journals_is_refused() -> None:
    with pytest.raises(ValueError, match="journal"):
        SnapshotSource(make_world(), [], timeout_s=1)
