"""A part of the Region that is gone is waited for once, not by each statement anew."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest
from reads_support import FakeJournal, failure, make_world

from trilithon.core.errors import SqlError
from trilithon.query.reads import SnapshotSource
from trilithon.query.reads.patience import Patience, impatient
from trilithon.v1 import types_pb2

NO_LEASE = failure(types_pb2.Failure.CODE_UNAVAILABLE, "no lease")


def test_patience_counts_from_the_loss() -> None:
    patience = Patience(4_000)
    patience.failed(10_000)
    assert not patience.over(10_000, hurry=True)
    patience.failed(11_000)
    assert patience.over(11_000, hurry=True)
    assert not patience.over(11_000, hurry=False)
    patience.failed(14_000)
    assert patience.over(14_000, hurry=False)
    patience.found()
    assert not patience.over(99_000, hurry=True)


def test_a_loss_of_long_ago_that_nobody_watched_does_not_count() -> None:
    patience = Patience(4_000)
    patience.failed(10_000)
    patience.failed(50_000)
    assert not patience.over(50_000, hurry=True)


async def refused(snapshot: Awaitable[object]) -> SqlError:
    with pytest.raises(SqlError) as caught:
        await snapshot
    assert caught.value.sqlstate == "57P03"
    return caught.value


async def make(timeout_s: float) -> tuple[SnapshotSource, FakeJournal]:
    world = make_world()
    journal = FakeJournal(world.network, "journal:1")  # type: ignore[arg-type]
    await journal.start()
    source = SnapshotSource(world, [journal.address], timeout_s=timeout_s)
    await source.snapshot()
    return source, journal


async def test_the_second_statement_is_refused_at_once() -> None:
    source, journal = await make(0.3)
    journal.answers = lambda: NO_LEASE
    await refused(source.snapshot())
    asked = journal.asked
    await refused(source.snapshot())
    assert journal.asked == asked + 1, "one look whether it is back, no waiting"
    await source.close()


async def test_it_serves_again_as_soon_as_it_can() -> None:
    source, journal = await make(0.3)
    good = journal.answers
    journal.answers = lambda: NO_LEASE
    await refused(source.snapshot())
    journal.answers = good
    await source.snapshot()
    # And the next loss is waited for like the first.
    journal.answers = lambda: NO_LEASE
    waiting = asyncio.create_task(source.snapshot())
    asked = journal.asked
    while journal.asked < asked + 3:
        await asyncio.sleep(0)
    assert not waiting.done()
    await refused(waiting)
    await source.close()


async def test_who_has_somewhere_else_to_go_is_refused_earlier() -> None:
    source, journal = await make(60.0)
    journal.answers = lambda: NO_LEASE
    patient = asyncio.create_task(source.snapshot())
    asked = journal.asked
    while journal.asked < asked + 2:
        await asyncio.sleep(0)
    # As if a quarter of the time had passed.
    assert source._patience.lost_us is not None
    source._patience.lost_us -= 15_000_000
    token = impatient.set(True)
    try:
        await refused(source.snapshot())
    finally:
        impatient.reset(token)
    assert not patient.done()
    patient.cancel()
    await source.close()


async def test_a_journal_that_is_gone_is_noticed_while_its_link_is_down() -> None:
    source, journal = await make(0.5)
    journal.network.cut(journal.address)
    await refused(source.snapshot())
    await refused(source.snapshot())
    await source.close()
