"""The shell around the machine: group commit, acknowledgements only after syncs, failures that end it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from journal_support import (
    LIFE,
    ME,
    TTL_US,
    append,
    c,
    entries_of,
    entry,
    grant,
    promise,
    snapshot,
    subscribe,
)

from trilithon.core.invariant import InvariantViolation
from trilithon.disk import DiskFull
from trilithon.journal.machine import JournalMachine
from trilithon.journal.operations import AppendEntries, DurableState, Operation, RecoveredState
from trilithon.journal.service import JournalService
from trilithon.journal.settings import JournalSettings
from trilithon.v1.journal_pb2 import JournalReply, JournalRequest
from trilithon.v1.types_pb2 import Entry


class HandClock:
    """Moves when told."""

    def __init__(self) -> None:
        self.us = 10_000_000

    def monotonic_us(self) -> int:
        return self.us

    def wall_us(self) -> int:
        return self.us


class GatedStore:
    """A disk whose syncs end when the test lets them; or fail."""

    def __init__(self) -> None:
        self.disk = DurableState(ME)
        self.begun: list[list[Operation]] = []
        self.gate = asyncio.Semaphore(0)
        self.open = True
        self.error: BaseException | None = None
        self.read_error: BaseException | None = None
        self.writing = False
        self.closed = False

    def load(self) -> RecoveredState:
        return self.disk.recover()

    async def write(self, operations: Sequence[Operation]) -> None:
        assert not self.writing
        self.writing = True
        self.begun.append(list(operations))
        if not self.open:
            await self.gate.acquire()
        if self.error is not None:
            raise self.error
        self.disk.apply(operations)
        self.writing = False

    async def read_entries(self, after_csn: int, to_csn: int, max_bytes: int) -> list[Entry]:
        assert not self.writing, "reads never overlap writes"
        if self.read_error is not None:
            raise self.read_error
        return self.disk.read_entries(after_csn, to_csn, max_bytes)

    async def log_bytes(self) -> int:
        assert not self.writing
        return 0

    async def close(self) -> None:
        self.closed = True


class HeldPeer:
    """Keeps what it was sent."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.got: list[JournalReply] = []
        self.pending_bytes = 0

    def send(self, item: Any) -> None:
        self.got.append(item)

    def close(self) -> None: ...

    def kinds(self) -> list[str | None]:
        return [one.WhichOneof("reply") for one in self.got]

    def synced(self) -> int:
        return max((one.ack.synced_csn for one in self.got), default=0)


class Rig:
    def __init__(self, **settings: Any) -> None:
        self.clock = HandClock()
        self.store = GatedStore()
        values = {"lease_ttl_us": TTL_US, **settings}
        self.machine = JournalMachine(
            JournalSettings(**values), self.store.load(), LIFE, self.clock.us
        )
        self.service = JournalService(self.machine, self.store, self.clock)
        # Ticks come as fast as the loop turns.
        self.service._tick_s = 0.001
        self.peers: dict[str, HeldPeer] = {}

    def peer(self, name: str) -> HeldPeer:
        if name not in self.peers:
            self.peers[name] = HeldPeer(name)
            self.service.connected(self.peers[name])
        return self.peers[name]

    def send(self, name: str, *requests: JournalRequest) -> HeldPeer:
        peer = self.peer(name)
        self.service.received(peer, requests)
        return peer

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.001)


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[Rig]:
    rig = Rig(**settings)
    rig.service.start()
    try:
        yield rig
    finally:
        rig.store.open = True
        rig.store.gate.release()
        await rig.service.stop(1.0)


def batch(number: int, count: int = 1) -> JournalRequest:
    first = [entry(c("1.0"), 0)] if number == 0 else []
    previous = f"1.{number - 1}" if number else "-"
    texts = [f"1.{n}" for n in range(max(1, number), number + count)]
    rest = entries_of(texts, "1.0" if number == 0 else previous)
    return append("x", 1, previous, [*first, *rest], corr=number + 1)


async def test_an_append_is_answered_when_it_is_durable() -> None:
    async with running() as rig:
        rig.store.open = False
        peer = rig.send("x", batch(0))
        await rig.until(lambda: rig.store.begun)
        assert peer.got == []
        rig.store.gate.release()
        await rig.until(lambda: peer.got)
        assert peer.got[0].correlation_id == 1
        assert peer.got[0].ack.synced_csn == c("1.0") == rig.store.disk.entries[-1].csn


async def test_what_comes_while_a_sync_runs_is_the_next_batch() -> None:
    async with running() as rig:
        rig.store.open = False
        peer = rig.send("x", batch(0))
        await rig.until(lambda: rig.store.begun)
        for number in range(1, 40):
            rig.send("x", batch(number))
        await asyncio.sleep(0)
        assert len(rig.store.begun) == 1
        rig.store.gate.release()
        await rig.until(lambda: len(rig.store.begun) == 2)
        assert peer.synced() == c("1.0")
        appended = [one for one in rig.store.begun[1] if isinstance(one, AppendEntries)]
        assert [one.entries[0].csn for one in appended] == [c(f"1.{n}") for n in range(1, 40)]
        rig.store.gate.release()
        await rig.until(lambda: peer.synced() == c("1.39"))
        # Every question has its one answer.
        assert sorted(one.correlation_id for one in peer.got) == list(range(1, 41))
        await rig.until(lambda: rig.service.disk.batches == 2)


async def test_heartbeats_and_snapshots_do_not_wait_for_a_slow_disk() -> None:
    async with running() as rig:
        peer = rig.send("x", batch(0))
        await rig.until(lambda: peer.got)
        rig.send("x", append("x", 1, "1.0", heartbeat=1, grant=grant(rig.clock.us)))
        rig.store.open = False
        rig.send("x", batch(1))
        await rig.until(lambda: len(rig.store.begun) == 2)
        peer.got.clear()
        for heartbeat in range(2, 30):
            rig.clock.us += 100_000
            lease = grant(rig.clock.us)
            rig.send("x", append("x", 1, "1.1", heartbeat=heartbeat, grant=lease))
            asker = rig.send("q", snapshot(heartbeat))
            assert asker.got[-1].snapshot.csn == c("1.0"), "never what is not durable"
        assert [one.ack.heartbeat for one in peer.got] == list(range(2, 30))
        assert {one.ack.synced_csn for one in peer.got} == {c("1.0")}
        # Nobody else gets a promise meanwhile: the leader is heard.
        assert rig.send("y", promise("y", 2)).kinds() == ["refused"]


async def test_ticks_go_on_while_the_disk_does_not() -> None:
    async with running() as rig:
        rig.store.open = False
        rig.send("x", batch(0))
        await rig.until(lambda: rig.store.begun)
        seen: list[int] = []
        tick = rig.machine.tick
        rig.machine.tick = lambda *all: (seen.append(1), tick(*all))  # type: ignore[method-assign,assignment,misc,return-value]
        await rig.until(lambda: len(seen) > 120)


@pytest.mark.parametrize(
    "error", [DiskFull("full"), OSError(5, "Input/output error"), RuntimeError("whatever")]
)
async def test_a_failed_write_ends_everything(error: Exception) -> None:
    async with running() as rig:
        peer = rig.send("x", batch(0))
        await rig.until(lambda: peer.got)
        feed = rig.send("s", subscribe("1.0"))
        rig.store.open = False
        rig.send("x", batch(1))
        await rig.until(lambda: len(rig.store.begun) == 2)
        rig.send("x", batch(2))
        rig.send("y", promise("y", 2))
        rig.store.error = error
        peer.got.clear()
        feed.got.clear()
        rig.store.gate.release()
        await rig.until(rig.service.failed.done)
        assert rig.service.failed.exception() is error
        # Nothing is answered any more, not even what was durable before.
        rig.send("x", append("x", 1, "1.0", heartbeat=7))
        rig.send("q", snapshot())
        await asyncio.sleep(0.02)
        assert peer.got == []
        assert feed.got == []
        assert rig.peers["q"].got == []
        assert len(rig.store.begun) == 2
        # Stopping does not wait for a disk that is given up.
        began = asyncio.get_running_loop().time()
        await rig.service.stop(60.0)
        assert asyncio.get_running_loop().time() - began < 30


async def test_a_failed_read_ends_everything() -> None:
    async with running(memory_bytes_max=1) as rig:
        peer = rig.send("x", batch(0))
        await rig.until(lambda: peer.got)
        rig.store.read_error = RuntimeError("damaged")
        rig.send("s", subscribe("-"))
        await rig.until(rig.service.failed.done)
        assert rig.service.failed.exception() is rig.store.read_error


@pytest.mark.parametrize("error", [InvariantViolation("a rule"), KeyError("a mistake of ours")])
async def test_a_broken_rule_ends_everything(error: BaseException) -> None:
    async with running() as rig:

        def receive(*_: Any) -> None:
            raise error

        rig.machine.receive = receive  # type: ignore[method-assign]
        with pytest.raises(type(error)):
            rig.send("x", batch(0))
        assert rig.service.failed.exception() is error
        rig.send("x", batch(0))
        assert rig.store.begun == []


async def test_an_orderly_stop_lets_writes_end() -> None:
    rig = Rig()
    rig.service.start()
    rig.store.open = False
    peer = rig.send("x", batch(0, 5))
    await rig.until(lambda: rig.store.begun)
    stopping = asyncio.ensure_future(rig.service.stop(10.0))
    await asyncio.sleep(0.01)
    assert not stopping.done()
    rig.store.gate.release()
    await stopping
    assert peer.synced() == c("1.4")
    assert rig.service.failed.cancelled()
    await rig.service.stop(1.0)


async def test_a_stop_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    rig.service.start()
    rig.store.open = False
    peer = rig.send("x", batch(0))
    await rig.until(lambda: rig.store.begun)
    await rig.service.stop(0.05)
    assert "did not finish" in caplog.text
    assert peer.got == []


async def test_replies_to_who_is_gone_are_dropped() -> None:
    async with running() as rig:
        rig.store.open = False
        peer = rig.send("x", batch(0))
        rig.send("s", subscribe("-"))
        feed = rig.peers["s"]
        await rig.until(lambda: rig.store.begun)
        rig.service.disconnected(peer)
        rig.service.disconnected(feed)
        rig.service.disconnected(feed)
        feed.got.clear()
        rig.service.received(peer, [snapshot()])
        rig.store.gate.release()
        await rig.until(lambda: rig.machine.synced_csn == c("1.0"))
        assert peer.got == []
        assert feed.got == []
        assert rig.machine.subscriber_count == 0


async def test_who_does_not_read_gets_no_more_of_the_feed() -> None:
    async with running(feed_burst_bytes=2_000, feed_chunk_bytes=1_000) as rig:
        feed = rig.send("s", subscribe("-"))
        feed.pending_bytes = 1 << 30
        asleep = rig.send("t", subscribe("-"))

        def got(peer: HeldPeer) -> int:
            return max((e.csn for one in peer.got for e in one.feed.entries), default=0)

        await rig.until(lambda: not rig.machine.subscriber_count or _blocked(rig, 1))
        rig.send("x", batch(0, 200))
        await rig.until(lambda: got(asleep) == c("1.199"))
        assert got(feed) == 0
        feed.pending_bytes = 0
        await rig.until(lambda: got(feed) == c("1.199"))
        csns = [e.csn for one in feed.got for e in one.feed.entries]
        assert csns == [c(f"1.{n}") for n in range(200)]


def _blocked(rig: Rig, number: int) -> bool:
    return rig.machine._readers.feed.subscriptions[number].blocked
