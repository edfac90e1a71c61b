"""The role as the chassis starts it: over gRPC, from a configuration, stopped and started again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from journal_support import (
    append,
    c,
    entries_of,
    entry,
    grant,
    members,
    promise,
    scratch_folder,
    snapshot,
    subscribe,
)

from trilithon.chassis.config import ClusterConfig, ProcessConfig, RegionConfig
from trilithon.core.errors import Unavailable
from trilithon.core.world import World
from trilithon.disk import DiskFull, FolderRefused
from trilithon.journal import role as journal_role
from trilithon.journal.role import JournalProcess
from trilithon.journal.store import EntryDamaged, LogFile
from trilithon.link import GrpcNetwork
from trilithon.link.specs import JOURNAL, JOURNAL_STATUS
from trilithon.v1.journal_pb2 import (
    JournalReply,
    JournalRequest,
    JournalStatus,
    JournalStatusRequest,
)
from trilithon.v1.types_pb2 import Failure
from trilithon.witness import role as witness_role


class RealClock:
    def monotonic_us(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000

    def wall_us(self) -> int:
        return time.time_ns() // 1_000


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch_folder() as path:
        yield path


class Process:
    """A journal process, and one link to it."""

    def __init__(self, folder: Path, *, witness: bool = False, cluster: str = "c") -> None:
        self.network = GrpcNetwork()
        self.world = World(RealClock(), random.Random(), self.network)
        data = ProcessConfig(name="a/journal-0", address="127.0.0.1:0", data=str(folder / "data"))
        self.region = RegionConfig(name="a", witness=witness, journal=(data,))
        self.config = ClusterConfig(cluster=cluster, regions=(self.region,), lease_ttl_ms=200)
        self.role = witness_role if witness else journal_role
        self.pushed: list[JournalReply] = []

    async def __aenter__(self) -> Process:
        self.running: JournalProcess = await self.role.start(
            self.config, self.region.journal[0], self.region, self.world
        )
        self.link = self.network.link(JOURNAL, self.running.address, pushed=self.pushed.extend)
        self.incarnation = (await self.status()).incarnation
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.link.close()
        await self.running.stop()

    async def ask(self, request: JournalRequest) -> JournalReply:
        if request.HasField("append"):
            request.append.incarnation = self.incarnation
        reply: JournalReply = await self.link.request(request, timeout=10)
        return reply

    async def status(self) -> JournalStatus:
        status: JournalStatus = await self.network.call(
            self.running.address, JOURNAL_STATUS, JournalStatusRequest(), timeout=10
        )
        return status


async def test_a_log_outlives_its_process(folder: Path) -> None:
    async with Process(folder) as one:
        first = [entry(c("1.0"), 0, lists=members("abw")), *entries_of(["1.1", "1.2"], "1.0")]
        reply = await one.ask(append("x", 1, "-", first, heartbeat=1))
        assert reply.ack.synced_csn == c("1.2")
        lease = grant(reply.ack.reading_us, 200_000, reply.ack.life)
        request = append("x", 1, "1.2", heartbeat=2, grant=lease, settled="1.1", ttl_us=200_000)
        assert (await one.ask(request)).ack.heartbeat == 2
        # What is known to be settled is written down beside the next entry.
        await one.ask(append("x", 1, "1.2", entries_of(["1.3"], "1.2")))
        assert (await one.ask(snapshot())).snapshot.csn == c("1.3")
        assert (await one.ask(subscribe("-"))).feed.settled_csn == 0
        async with asyncio.timeout(10):
            while not [e for reply in one.pushed for e in reply.feed.entries]:
                await asyncio.sleep(0.005)
        metrics = one.running.metrics()
        assert metrics["entries_total"] == 4
        assert metrics["synced_csn"] == c("1.3")
        incarnation, life = one.incarnation, reply.ack.life
    assert one.running.failed.cancelled()

    async with Process(folder) as two:
        status = await two.status()
        assert status.incarnation == incarnation
        assert (status.promised_epoch, status.synced_csn) == (1, c("1.3"))
        assert status.settled_csn == c("1.1")
        assert (status.identity.role, status.identity.name) == ("journal", "a/journal-0")
        assert status.identity.life != life
        assert status.members == members("abw")
        # The lease was of the life before; so is a grant that is still on its way.
        assert (await two.ask(snapshot())).failure.code == Failure.CODE_UNAVAILABLE
        await two.ask(append("x", 1, "1.3", heartbeat=3, grant=lease, ttl_us=200_000))
        assert (await two.ask(snapshot())).failure.code == Failure.CODE_UNAVAILABLE
        # A start counts as having heard the leader: lease_ttl was 1 s in the first append.
        refused = (await two.ask(promise("y", 2))).refused
        assert 0 < refused.time_left_us <= 1_000_000


async def test_a_witness_votes_and_keeps_and_shows_nothing(folder: Path) -> None:
    async with Process(folder, witness=True) as witness:
        first = [entry(c("1.0"), 0, lists=members("abw"))]
        reply = await witness.ask(append("x", 1, "-", first, heartbeat=1))
        assert reply.ack.synced_csn == c("1.0")
        lease = grant(reply.ack.reading_us, 1_000, reply.ack.life)
        await witness.ask(append("x", 1, "1.0", heartbeat=2, grant=lease))
        failure = (await witness.ask(snapshot())).failure
        assert "a witness gives no snapshots" in failure.message
        assert (await witness.status()).lease_left_us == 0
        assert (await witness.status()).identity.role == "witness"
    with pytest.raises(FolderRefused, match="data folder of a witness, not of journal"):
        await Process(folder).__aenter__()


async def test_a_folder_has_one_process_of_one_cluster(folder: Path) -> None:
    async with Process(folder):
        with pytest.raises(FolderRefused, match="in use"):
            await Process(folder).__aenter__()
    with pytest.raises(FolderRefused, match="belongs to the cluster 'c'"):
        await Process(folder, cluster="other").__aenter__()
    async with Process(folder):
        pass


async def test_a_start_that_fails_frees_the_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_: LogFile) -> Any:
        raise EntryDamaged("entry 1.1 does not match its checksum")

    with monkeypatch.context() as patched:
        patched.setattr(LogFile, "load", load)
        with pytest.raises(EntryDamaged):
            await Process(folder).__aenter__()
    async with Process(folder):
        pass


async def test_a_full_disk_ends_the_process_and_acknowledges_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Process(folder) as one:
        await one.ask(append("x", 1, "-", [entry(c("1.0"), 0)], heartbeat=1))

        def write(*_: Any) -> None:
            raise DiskFull("no space")

        with monkeypatch.context() as patched:
            patched.setattr(LogFile, "write", write)
            request = append("x", 1, "1.0", entries_of(["1.1"], "1.0"))
            request.append.incarnation = one.incarnation
            asked = asyncio.ensure_future(one.link.request(request, timeout=10))
            await asyncio.wait([one.running.failed], timeout=10)
            assert isinstance(one.running.failed.exception(), DiskFull)
            assert not asked.done()
            await one.running.stop()
        with pytest.raises(Unavailable):
            await asked
    async with Process(folder) as two:
        assert (await two.status()).synced_csn == c("1.0")


async def test_many_appends_at_once_take_few_syncs(folder: Path) -> None:
    async with Process(folder) as one:
        await one.ask(append("x", 1, "-", [entry(c("1.0"), 0)], heartbeat=1))
        asked = [
            one.ask(append("x", 1, f"1.{n - 1}", entries_of([f"1.{n}"], f"1.{n - 1}")))
            for n in range(1, 300)
        ]
        replies = await asyncio.gather(*asked)
        for number, reply in enumerate(replies, start=1):
            assert reply.ack.synced_csn >= c(f"1.{number}")
        assert one.running.service.disk.batches < 150
    async with Process(folder) as two:
        assert (await two.status()).synced_csn == c("1.299")
