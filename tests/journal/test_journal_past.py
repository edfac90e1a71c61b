"""Snapshots without a lease: of the past, searched by time, and knowingly stale."""

from __future__ import annotations

import random
from typing import Any

import pytest
from journal_support import TTL_US, Driver, append, c, entries_of, grant

from trilithon.core.csn import CSN_MAX, format_csn
from trilithon.core.errors import SqlError
from trilithon.core.world import World
from trilithon.journal.operations import DurableState
from trilithon.query.reads.past import AsOf, PastSnapshots
from trilithon.v1.journal_pb2 import JournalReply, JournalRequest, SnapshotRequest
from trilithon.v1.types_pb2 import Entry, Failure


def past(at_csn: int, *, history: bool = False) -> JournalRequest:
    wanted = SnapshotRequest(at_csn=at_csn, history=history)
    return JournalRequest(correlation_id=1, snapshot=wanted)


def stale(staleness_us: int) -> JournalRequest:
    return JournalRequest(correlation_id=1, snapshot=SnapshotRequest(staleness_us=staleness_us))


def led(*texts: str, settled: str, base: Driver | None = None) -> Driver:
    """x leads epoch 3 and has sent these; everything is synced, up to `settled` is settled."""
    driver = base or Driver()
    entries = entries_of(["3.0", *texts])
    for one in entries:
        one.catalog = one.csn == c("3.2")
    driver.send("x", append("x", 3, "-", entries, heartbeat=1))
    driver.sync()
    driver.send("x", append("x", 3, texts[-1] if texts else "3.0", settled=settled, heartbeat=2))
    return driver


def lease(driver: Driver, settled: str) -> None:
    driver.now_us += 10_000
    tail = driver.machine.tail_csn
    given = grant(driver.now_us)
    driver.send("x", append("x", 3, tail, settled=settled, heartbeat=9, grant=given))


def test_a_past_snapshot_needs_no_lease() -> None:
    driver = led("3.1", "3.2", "3.3", settled="3.3")
    assert driver.machine.snapshot_csn(driver.now_us) is None
    for at, csn, catalog in (("3.3", "3.3", "3.2"), ("3.2", "3.2", "3.2"), ("3.1", "3.1", "-")):
        found = driver.ask("q", past(c(at))).snapshot
        assert (found.csn, found.catalog_csn, found.stale_us) == (c(csn), c(catalog), 0)


def test_what_is_not_settled_is_not_past_yet() -> None:
    driver = led("3.1", "3.2", "3.3", settled="3.2")
    assert driver.ask("q", past(c("3.3"))).failure.code == Failure.CODE_UNAVAILABLE
    assert driver.ask("q", past(c("9.0"))).failure.code == Failure.CODE_UNAVAILABLE
    lease(driver, "3.2")
    assert driver.ask("q", past(c("3.3"))).failure.code == Failure.CODE_UNAVAILABLE
    # Under a lease it is known that there is nothing there.
    assert driver.ask("q", past(c("3.4"))).failure.code == Failure.CODE_INVALID
    newest = driver.ask("q", past(CSN_MAX, history=True)).snapshot
    assert newest.csn == c("3.2")
    assert [(span.first_csn, span.last_csn) for span in newest.history] == [(c("3.0"), c("3.2"))]


def test_below_the_log_it_is_too_old() -> None:
    driver = led("3.1", settled="3.1")
    assert driver.ask("q", past(c("2.7"))).failure.code == Failure.CODE_SNAPSHOT_TOO_OLD
    driver.machine.log.base_csn = c("2.9")
    assert driver.ask("q", past(c("2.7"))).failure.code == Failure.CODE_SNAPSHOT_TOO_OLD


def test_how_stale_it_is_counts_from_when_the_settled_log_was_complete() -> None:
    driver = led("3.1", settled="3.1")
    assert driver.ask("q", stale(10**12)).failure.code == Failure.CODE_UNAVAILABLE
    lease(driver, "3.1")
    driver.tick()
    complete_us = driver.now_us
    assert driver.ask("q", stale(1)).snapshot.stale_us == 0, "under a lease it is not stale"
    # One more is synced, and nobody says that it is settled: it may be, elsewhere.
    driver.now_us += 1_000
    driver.send("x", append("x", 3, "3.1", entries_of(["3.2"], "3.1")))
    driver.sync()
    driver.tick()
    driver.now_us += 2 * TTL_US
    age_us = driver.now_us - complete_us
    found = driver.ask("q", stale(age_us)).snapshot
    assert (found.csn, found.stale_us) == (c("3.1"), age_us)
    assert "complete up to 2.0 s ago" in driver.ask("q", stale(age_us - 1)).failure.message
    # Later it hears: then the log was complete when that entry was seen.
    driver.send("x", append("x", 3, "3.2", settled="3.2"))
    found = driver.ask("q", stale(age_us)).snapshot
    assert found.csn == c("3.2")
    assert found.stale_us == age_us - 1_000


def test_a_restarted_journal_does_not_know_how_old_its_log_is() -> None:
    driver = led("3.1", settled="3.1")
    lease(driver, "3.1")
    driver.tick()
    driver.start()
    assert driver.ask("q", stale(10**12)).failure.code == Failure.CODE_UNAVAILABLE


# ---- by time


class MachineLink:
    """A query processor's link, straight into the machine."""

    up = True
    quiet = False

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.asked = 0

    async def request(self, item: JournalRequest, *, timeout: float) -> JournalReply:
        self.asked += 1
        item.correlation_id = self.asked
        replies = self.driver.send("q", item)
        while self.driver.reads:
            replies += self.driver.read()
        (reply,) = [reply for peer, reply in replies if peer == "q"]
        return reply

    def post(self, item: Any) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        pass


class Clock:
    def monotonic_us(self) -> int:
        return 0

    def wall_us(self) -> int:
        return 1_000_000


def searcher(driver: Driver) -> tuple[PastSnapshots, MachineLink]:
    link = MachineLink(driver)
    world = World(Clock(), random.Random(1), None)  # type: ignore[arg-type]
    return PastSnapshots(world, [link], timeout_s=0.0), link


def timed_log(seed: int, recent: int | None) -> tuple[Driver, list[Entry]]:
    """Several epochs, times that stand still and jump; partly on the disk only."""
    source = random.Random(seed)
    texts = []
    for epoch in (1, 2, 5, 9):
        texts += [f"{epoch}.{number}" for number in range(source.randint(1, 12))]
    entries = entries_of(texts)
    time_us = 100
    for one in entries:
        one.committed_at_us = time_us
        time_us += source.choice([0, 0, 1, 5, 30])
    driver = Driver(DurableState(b"a".ljust(16, b".")))
    driver.send("x", append("x", 9, "-", entries, settled=texts[-1]))
    driver.sync()
    driver.start(recent=recent)
    driver.send("x", append("x", 9, entries[-1].csn, settled=texts[-1], heartbeat=1))
    return driver, entries


@pytest.mark.parametrize("recent", [None, 0, 3])
@pytest.mark.parametrize("seed", range(6))
async def test_a_time_is_the_newest_entry_not_after_it(seed: int, recent: int | None) -> None:
    driver, entries = timed_log(seed, recent)
    search, link = searcher(driver)
    for time_us in range(100, entries[-1].committed_at_us + 3):
        wanted = max(one.csn for one in entries if one.committed_at_us <= time_us)
        found = await search.at(AsOf(time_us=time_us))
        assert found.csn == wanted, (format_csn(found.csn), format_csn(wanted))
    asked = link.asked
    await search.at(AsOf(time_us=100))
    assert link.asked == asked + 1, "a time whose csn is known is not searched again"
    with pytest.raises(SqlError, match="72000"):
        await search.at(AsOf(time_us=99))
    with pytest.raises(SqlError, match="22023"):
        await search.at(AsOf(time_us=1_000_001))
