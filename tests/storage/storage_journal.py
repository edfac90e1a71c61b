"""A journal that does as it is told, and a storage process to follow it, over the local network."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from storage_support import entry, update

from trilithon.core.world import World
from trilithon.link.local import LocalNetwork
from trilithon.link.specs import JOURNAL, JOURNAL_STATUS, STORAGE
from trilithon.storage.apply import ApplyOptions
from trilithon.storage.engine import Engine
from trilithon.storage.feed import JournalAddress
from trilithon.storage.role import OwningProcess, StorageSettings
from trilithon.v1 import journal_pb2, storage_pb2, types_pb2


class RealClock:
    def monotonic_us(self) -> int:
        return time.monotonic_ns() // 1000

    def wall_us(self) -> int:
        return time.time_ns() // 1000


def make_world(network: LocalNetwork) -> World:
    return World(RealClock(), random.Random(7), network)


class FakeJournal:
    """Keeps a log; pushes it whole to whoever subscribes, then what `push` is given."""

    def __init__(self, network: LocalNetwork, address: str) -> None:
        self.network = network
        self.address = address
        self.log: list[types_pb2.Entry] = []
        self.settled = 0
        self.base = 0
        self.applied: dict[str, int] = {}
        self.subscribers: list[Any] = []
        self.subscribed_after: list[int] = []
        self.refusal: types_pb2.Failure | None = None
        self.snapshots: Callable[[], Any] = lambda: journal_pb2.Snapshot(csn=self.tail)
        self.server: Any = None

    async def start(self) -> None:
        self.server = await self.network.serve(
            self.address, {JOURNAL: self}, {JOURNAL_STATUS: self._status}
        )

    async def _status(self, _: journal_pb2.JournalStatusRequest) -> journal_pb2.JournalStatus:
        return journal_pb2.JournalStatus(base_csn=self.base, settled_csn=self.settled)

    @property
    def tail(self) -> int:
        return self.log[-1].csn if self.log else self.base

    def connected(self, peer: Any) -> None:
        pass

    def disconnected(self, peer: Any) -> None:
        if peer in self.subscribers:
            self.subscribers.remove(peer)

    def received(self, peer: Any, items: Sequence[journal_pb2.JournalRequest]) -> None:
        for item in items:
            match item.WhichOneof("request"):
                case "subscribe":
                    self._subscribe(peer, item)
                case "applied":
                    self.applied[item.applied.storage] = item.applied.csn
                case "snapshot":
                    self._snapshot(peer, item)

    def _subscribe(self, peer: Any, item: journal_pb2.JournalRequest) -> None:
        after = item.subscribe.after_csn
        self.subscribed_after.append(after)
        reply = journal_pb2.JournalReply(correlation_id=item.correlation_id)
        if self.refusal is not None:
            reply.failure.CopyFrom(self.refusal)
        elif after < self.base:
            reply.failure.code = types_pb2.Failure.CODE_SNAPSHOT_TOO_OLD
            reply.failure.message = "trimmed"
        else:
            reply.feed.settled_csn = after
        peer.send(reply)
        if reply.WhichOneof("reply") == "feed":
            self.subscribers.append(peer)
            rest = [one for one in self.log if one.csn > after]
            settled = max([one.csn for one in self.log if one.csn <= self.settled], default=0)
            self._send(peer, update(*rest, settled=settled))

    def _snapshot(self, peer: Any, item: journal_pb2.JournalRequest) -> None:
        answer = self.snapshots()
        reply = journal_pb2.JournalReply(correlation_id=item.correlation_id)
        if isinstance(answer, types_pb2.Failure):
            reply.failure.CopyFrom(answer)
        else:
            reply.snapshot.CopyFrom(answer)
        peer.send(reply)

    def _send(self, peer: Any, feed: journal_pb2.FeedUpdate) -> None:
        peer.send(journal_pb2.JournalReply(feed=feed))

    def push(self, feed: journal_pb2.FeedUpdate) -> None:
        if feed.HasField("cut_to_csn"):
            self.log = [one for one in self.log if one.csn <= feed.cut_to_csn]
        self.log += feed.entries
        self.settled = max(self.settled, feed.settled_csn)
        for peer in self.subscribers:
            self._send(peer, feed)

    def write(self, csn: int, *writes: tuple[bytes, bytes | None], settled: bool = True) -> None:
        made = entry(csn, self.tail, writes)
        self.push(update(made, settled=csn if settled else 0))

    def settle(self, csn: int) -> None:
        self.push(update(settled=csn))


class Cluster:
    """One journal (or several) and storage processes of one Region, and a link to ask them."""

    def __init__(self, folder: Path, journals: int = 1) -> None:
        self.folder = folder
        self.network = LocalNetwork()
        self.world = make_world(self.network)
        self.journals = [FakeJournal(self.network, f"journal-{n}:1") for n in range(journals)]
        self.processes: dict[str, OwningProcess] = {}
        self.links: dict[str, Any] = {}

    @property
    def journal(self) -> FakeJournal:
        return self.journals[0]

    async def start_storage(
        self,
        name: str = "storage-0",
        *,
        slots: tuple[int, int] = (0, 1023),
        wait_s: float = 5.0,
        keep_s: float = 900.0,
        interval_s: float = 0.02,
        map_bytes: int = 1 << 34,
    ) -> OwningProcess:
        settings = StorageSettings(
            cluster="cluster",
            region="a",
            name=name,
            address=f"{name}:1",
            slot_first=slots[0],
            slot_last=slots[1],
            journals=tuple(JournalAddress(one.address, one.address) for one in self.journals),
            keep_us=int(keep_s * 1e6),
            wait_us=int(wait_s * 1e6),
            apply=ApplyOptions(interval_s=interval_s),
        )
        engine = Engine.open(self.folder / name, settings.identity, map_bytes=map_bytes)
        process = OwningProcess(settings, engine, self.world)
        await process.start()
        self.processes[name] = process
        return process

    async def stop_storage(self, name: str = "storage-0") -> None:
        await self.processes.pop(name).stop()

    async def ask(
        self, request: storage_pb2.StorageRequest, *, name: str = "storage-0", timeout: float = 20
    ) -> storage_pb2.StorageReply:
        link = self.link(name)
        return await link.request(request, timeout=timeout)

    def link(self, name: str = "storage-0") -> Any:
        if name not in self.links:
            self.links[name] = self.network.link(STORAGE, f"{name}:1")
        return self.links[name]

    async def status(self, name: str = "storage-0") -> storage_pb2.StorageStatus:
        return await self.network.call(
            f"{name}:1",
            "/trilithon.v1.Storage/Status",
            storage_pb2.StorageStatusRequest(),
            timeout=5,
        )

    async def checksum(self, csn: int, name: str = "storage-0") -> storage_pb2.StorageChecksum:
        return await self.network.call(
            f"{name}:1",
            "/trilithon.v1.Storage/Checksum",
            storage_pb2.StorageChecksumRequest(csn=csn),
            timeout=5,
        )

    async def close(self) -> None:
        for link in self.links.values():
            await link.close()
        for process in list(self.processes.values()):
            await process.stop()


@asynccontextmanager
async def cluster(folder: Path, journals: int = 1) -> AsyncIterator[Cluster]:
    made = Cluster(folder, journals)
    for journal in made.journals:
        await journal.start()
    try:
        yield made
    finally:
        await made.close()


async def until(condition: Callable[[], object], *, seconds: float = 20.0) -> None:
    """Wait for something that happens by itself."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def point(snapshot: int, *keys: bytes, program: bytes = b"") -> storage_pb2.StorageRequest:
    return storage_pb2.StorageRequest(
        point_read=storage_pb2.PointRead(snapshot_csn=snapshot, keys=keys, program=program)
    )


def range_read(snapshot: int, start: bytes = b"", end: bytes = b"", **options: Any) -> Any:
    return storage_pb2.StorageRequest(
        range_read=storage_pb2.RangeRead(
            snapshot_csn=snapshot, range=types_pb2.KeyRange(start=start, end=end), **options
        )
    )
