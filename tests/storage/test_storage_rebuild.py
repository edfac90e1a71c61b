"""Hot copies: what the target has in the end, whatever happens to it or its sources meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from storage_journal import FakeJournal, make_world, point, range_read, until
from storage_support import NO_DEADLINE, Model, Store, csn, row, scratch_folder, update

from trilithon.core.errors import Unavailable
from trilithon.link.local import LocalNetwork
from trilithon.link.specs import STORAGE, STORAGE_CHECKSUM, STORAGE_REBUILD, STORAGE_STATUS
from trilithon.storage import copying
from trilithon.storage.apply import ApplyOptions
from trilithon.storage.copying import CopyJob, CopyState, DamagedPart, check_part
from trilithon.storage.engine import Engine, FolderIdentity
from trilithon.storage.feed import JournalAddress
from trilithon.storage.jobs import Step
from trilithon.storage.machine import slot_of
from trilithon.storage.rebuild import CopySource, ranges_of
from trilithon.storage.role import OwningProcess, StorageSettings
from trilithon.types import keys
from trilithon.types.registry import INT4
from trilithon.types.rows import decode_rows
from trilithon.v1 import storage_pb2, types_pb2

Failure = types_pb2.Failure


def key(number: int) -> bytes:
    return keys.key_prefix(16384, 0) + keys.encode_columns([INT4], [number])


# ---- engines


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch_folder() as path:
        yield path


def read_part(store: Store, state: CopyState, slots: tuple[int, int]) -> storage_pb2.CopyPart:
    request = storage_pb2.CopyRead(
        csn=state.csn, start=state.resume, slot_first=slots[0], slot_last=slots[1]
    )
    job = CopyJob(None, 1, request, NO_DEADLINE, reply_bytes_max=200)
    assert store.run(job, budget=3) is Step.ANSWERED
    assert job.reply.WhichOneof("reply") == "copy_part", job.reply
    return job.reply.copy_part


@pytest.mark.parametrize("seed", range(12))
def test_a_copy_of_a_source_that_goes_on_is_right_at_every_snapshot_it_allows(
    folder: Path, seed: int
) -> None:
    copy_and_compare(folder, seed)


def test_a_copy_that_forgets_what_its_sources_collected_is_noticed(folder: Path) -> None:
    with pytest.raises(AssertionError, match="differ"):
        for seed in range(12):
            copy_and_compare(folder / str(seed), seed, forget_collected=True)


def copy_and_compare(folder: Path, seed: int, *, forget_collected: bool = False) -> None:
    draw = random.Random(seed)
    source, model, log = Store(folder / "source"), Model(), []

    def write() -> None:
        writes = {
            key(draw.randrange(12)): draw.choice([None, draw.randrange(1000)])
            for _ in range(draw.randint(1, 4))
        }
        log.append(model.write(csn(len(log)), writes))
        source.machine.feed(update(log[-1], settled=log[-1].csn))

    for _ in range(30):
        write()
        if draw.random() < 0.3:
            source.apply(collect_to=csn(max(0, len(log) - 8)))
    source.apply()
    slots = (draw.choice([0, 300]), draw.choice([700, 1023]))
    target = Store(folder / "target", FolderIdentity("cluster", *slots))
    target.engine.begin_copy(source.machine.applied, slots[0])
    more = True
    while more:
        if draw.random() < 0.5:
            write()
            # Also beyond the copy's csn.
            source.apply(collect_to=csn(len(log) - draw.randint(1, 12)))
        state = target.engine.copy
        assert state is not None
        part = read_part(source, state, slots)
        check_part(part, state, *slots)
        versions = list(zip(part.keys, part.values, strict=True))
        more = bool(part.resume)
        target.engine.add_copied(
            versions,
            msgspec.structs.replace(
                state,
                collected=0 if forget_collected else max(state.collected, part.collected_csn),
                resume=part.resume,
                last=versions[-1][0] if versions else state.last,
            ),
        )
        if draw.random() < 0.3:
            target.reopen()
            assert target.engine.applied == 0, "a part of a copy is nothing yet"
    target.engine.finish_copy()
    target.reopen()
    rest = [one for one in log if one.csn > target.engine.applied]
    target.machine.subscribe()
    target.machine.feed(update(*rest, settled=log[-1].csn))

    def own(snapshot: int) -> list[tuple[bytes, Any]]:
        return [
            pair
            for pair in model.scan(snapshot, b"", b"")
            if slots[0] <= slot_of(pair[0]) <= slots[1]
        ]

    def check() -> None:
        for one in log:
            if one.csn >= target.machine.collected:
                assert target.scan(one.csn) == own(one.csn), "they differ"

    assert target.machine.collected <= log[-1].csn
    check()
    target.apply()
    check()
    # Everything that was superseded in the copy can be collected there as well.
    target.apply(collect_to=log[-1].csn)
    check()
    with target.engine.reading() as cursor:
        assert sum(1 for _ in cursor) == len(own(log[-1].csn))
    source.engine.close()
    target.engine.close()


def test_a_part_that_is_not_what_was_sent_is_noticed(folder: Path) -> None:
    store = Store(folder)
    model = Model()
    entries = [model.write(csn(n), {key(n): n}) for n in range(3)]
    store.machine.feed(update(*entries, settled=csn(2)))
    store.apply()
    state = CopyState(csn=csn(2))
    part = read_part(store, state, (0, 1023))
    check_part(part, state, 0, 1023)

    def damaged(change: Any, state: CopyState = state, slots: tuple[int, int] = (0, 1023)) -> None:
        other = storage_pb2.CopyPart()
        other.CopyFrom(part)
        change(other)
        with pytest.raises(DamagedPart):
            check_part(other, state, *slots)

    damaged(lambda part: part.values.__setitem__(0, b"x"))
    damaged(lambda part: part.keys.pop())
    damaged(lambda part: None, state=CopyState(csn=csn(1)))
    damaged(lambda part: None, state=CopyState(csn=csn(2), last=part.keys[-1]))
    damaged(lambda part: None, slots=(0, 0))
    store.engine.close()


def test_nothing_is_applied_to_a_part_of_a_copy(folder: Path) -> None:
    store = Store(folder)
    entry = Model().write(csn(0), {key(1): 1})
    store.machine.feed(update(entry, settled=csn(0)))
    store.engine.begin_copy(csn(5), 0)
    with pytest.raises(BaseException, match="part of a copy"):
        store.apply()
    store.engine.close()


def test_ranges_are_cut_where_any_source_ends() -> None:
    def source(first: int, last: int) -> CopySource:
        return CopySource("", "", "", first, last)

    three = [source(0, 300), source(301, 700), source(701, 1023)]
    two = [source(0, 511), source(512, 1023)]
    assert ranges_of(0, 1023, []) == [(0, 1023)]
    assert ranges_of(0, 1023, three) == [(0, 300), (301, 700), (701, 1023)]
    assert ranges_of(200, 600, three + two) == [(200, 300), (301, 511), (512, 600)]


# ---- processes


class Regions:
    """Region a has three storage processes, b two; one journal each, fed alike. b's keeps no more
    than it is told."""

    A = ((0, 300), (301, 700), (701, 1023))
    B = ((0, 511), (512, 1023))

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.network = LocalNetwork()
        self.world = make_world(self.network)
        self.journals = {name: FakeJournal(self.network, f"{name}/journal-0:1") for name in "abc"}
        self.processes: dict[str, OwningProcess] = {}
        self.names = {
            **{f"a/storage-{n}": slots for n, slots in enumerate(self.A)},
            **{f"b/storage-{n}": slots for n, slots in enumerate(self.B)},
            "c/storage-0": (0, 1023),
        }

    async def start(self, *names: str) -> None:
        for name in names:
            region = name[0]
            settings = StorageSettings(
                cluster="cluster",
                region=region,
                name=name,
                address=f"{name}:1",
                slot_first=self.names[name][0],
                slot_last=self.names[name][1],
                journals=(JournalAddress(f"{region}/journal-0", f"{region}/journal-0:1"),),
                keep_us=900_000_000,
                wait_us=5_000_000,
                apply=ApplyOptions(interval_s=0.01),
                sources=tuple(
                    CopySource(other, other[0], f"{other}:1", *slots)
                    for other, slots in self.names.items()
                    if other[0] != region
                ),
            )
            engine = Engine.open(self.folder / name, settings.identity, map_bytes=1 << 34)
            self.processes[name] = OwningProcess(settings, engine, self.world)
            await self.processes[name].start()

    async def stop(self, *names: str) -> None:
        for name in names:
            await self.processes.pop(name).stop()

    def write(self, number: int, *writes: tuple[bytes, bytes | None]) -> None:
        for journal in self.journals.values():
            journal.write(csn(number), *writes)

    def trim(self, region: str, base: int) -> None:
        journal = self.journals[region]
        journal.base = base
        journal.log = [one for one in journal.log if one.csn > base]

    async def status(self, name: str) -> storage_pb2.StorageStatus:
        request = storage_pb2.StorageStatusRequest()
        return await self.network.call(f"{name}:1", STORAGE_STATUS, request, timeout=5)

    async def order(self, name: str) -> None:
        request = storage_pb2.StorageRebuildRequest()
        await self.network.call(f"{name}:1", STORAGE_REBUILD, request, timeout=5)

    async def ask(self, name: str, request: storage_pb2.StorageRequest) -> Any:
        link = self.network.link(STORAGE, f"{name}:1")
        try:
            return await link.request(request, timeout=20)
        finally:
            await link.close()

    async def checksum(self, at: int, names: Sequence[str]) -> tuple[int, int]:
        parts = [
            await self.network.call(
                f"{name}:1",
                STORAGE_CHECKSUM,
                storage_pb2.StorageChecksumRequest(csn=at),
                timeout=5,
            )
            for name in names
        ]
        return sum(one.checksum for one in parts) % 2**64, sum(one.rows for one in parts)


@asynccontextmanager
async def regions(folder: Path) -> AsyncIterator[Regions]:
    made = Regions(folder)
    for journal in made.journals.values():
        await journal.start()
    try:
        yield made
    finally:
        await made.stop(*made.processes)


ALL_A = [f"a/storage-{n}" for n in range(3)]
ALL_B = [f"b/storage-{n}" for n in range(2)]


async def filled(r: Regions, entries: int = 60) -> None:
    for number in range(entries):
        r.write(number, *((key(number * 7 + n), row([number, n])) for n in range(5)))
    r.write(entries, (key(0), None), (key(8), row("changed")))
    await until(lambda: all(one.machine.applied == csn(entries) for one in r.processes.values()))


async def test_a_region_is_rebuilt_from_another_one_with_other_key_ranges(folder: Path) -> None:
    async with regions(folder) as r:
        await r.start(*ALL_A)
        await filled(r)
        r.trim("b", csn(50))
        await r.start(*ALL_B)
        for name in ALL_B:
            await until(lambda name=name: r.processes[name].feed.hopeless)
            status = await r.status(name)
            assert status.state == "refused"
            assert "trilithon rebuild b" in status.problem
            assert r.processes[name].metrics()["waits_for_rebuild"] == 1
        # Reads wait, and see no holes.
        reading = asyncio.create_task(r.ask("b/storage-0", range_read(csn(60))))
        await until(lambda: len(r.processes["b/storage-0"].machine.waiters) == 1)
        for name in ALL_B:
            await r.order(name)
        for name in ALL_B:
            await until(lambda name=name: r.processes[name].feed.journal)
            assert r.processes[name].metrics()["rebuilds_total"] == 1
        assert (await reading).WhichOneof("reply") == "range_rows"
        assert r.journals["b"].subscribed_after[-1] == csn(60)
        r.write(61, (key(1), row("after")))
        for name in [*ALL_A, *ALL_B]:
            await until(lambda name=name: r.processes[name].machine.settled == csn(61))
        assert await r.checksum(csn(61), ALL_B) == await r.checksum(csn(61), ALL_A)
        await until(lambda: r.journals["b"].applied.get("b/storage-1") == csn(61))
        with pytest.raises(Unavailable, match="needs no hot copy"):
            await r.order("b/storage-0")


def _at_first(handler: Any) -> Any:
    """Answers two messages, and no more."""
    left = [handler, handler]
    return lambda peer, items: left.pop()(peer, items) if left else None


async def test_a_copy_goes_on_after_the_target_was_lost_and_with_another_source(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PART_BYTES", 600)
    async with regions(folder) as r:
        await r.start(*ALL_A, "c/storage-0")
        await filled(r)
        r.trim("b", csn(50))
        await r.start("b/storage-0")
        target = r.processes["b/storage-0"]
        await until(lambda: target.feed.hopeless)
        # Both sources give one part, then nothing: they are too slow.
        for name in (*ALL_A, "c/storage-0"):
            service = r.processes[name].service
            monkeypatch.setattr(service, "received", _at_first(service.received))
        monkeypatch.setattr("trilithon.storage.rebuild._PART_S", 0.2)
        await r.order("b/storage-0")
        await until(lambda: target.rebuild.problem and target._engine.copy)
        status = await r.status("b/storage-0")
        assert status.state == "copying"
        assert 0 < status.copied_versions < 150
        assert target.machine.position == 0
        await r.stop("b/storage-0", "c/storage-0")
        for name in ALL_A:
            # No more of that.
            monkeypatch.setattr(
                r.processes[name].service,
                "received",
                type(r.processes[name].service).received.__get__(r.processes[name].service),
            )
        before = status.copied_versions
        await r.start("b/storage-0")
        assert r.processes["b/storage-0"]._engine.copy.versions_count >= before  # type: ignore[union-attr]
        await until(lambda: r.processes["b/storage-0"].feed.journal)
        await r.start("c/storage-0")
        whole = await r.checksum(csn(60), ALL_A)
        await r.start("b/storage-1")
        await until(lambda: r.processes["b/storage-1"].feed.hopeless)
        await r.order("b/storage-1")
        await until(lambda: r.processes["b/storage-1"].feed.journal)
        assert await r.checksum(csn(60), ALL_B) == whole


async def test_what_cannot_be_copied_is_said(folder: Path) -> None:
    async with regions(folder) as r:
        await r.start(*ALL_A[:2])
        await filled(r)
        r.trim("b", csn(50))
        await r.start(*ALL_B)
        target = r.processes["b/storage-1"]
        await until(lambda: target.feed.hopeless)
        await r.order("b/storage-1")
        await until(lambda: "a/storage-2" in target.rebuild.problem)
        assert target._engine.copy is None, "what is here is given up only for something better"
        await r.start("a/storage-2")
        await until(lambda: target.feed.journal)
        # The source's csn has to lie in this Region's log.
        await r.stop("a/storage-0", "a/storage-1", "a/storage-2")
        other = r.processes["b/storage-0"]
        await until(lambda: other.feed.hopeless)
        for number in range(61, 70):
            r.write(number)
        r.trim("b", csn(65))
        r.trim("a", csn(65))
        await r.start(*ALL_A)
        await r.order("b/storage-0")
        await until(lambda: "begins after" in other.rebuild.problem)


async def test_a_fresh_copy_serves_once_the_feed_is_where_its_source_had_collected(
    folder: Path,
) -> None:
    async with regions(folder) as r:
        await r.start("c/storage-0")
        process = r.processes["c/storage-0"]
        r.write(0, (key(1), row("old")))
        await until(lambda: process.machine.applied == csn(0))
        process.service.start_over(csn(0), csn(2))
        reading = asyncio.create_task(r.ask("c/storage-0", point(0, key(1))))
        late = await r.ask("c/storage-0", point(csn(0), key(1)))
        assert late.failure.code == Failure.CODE_SNAPSHOT_TOO_OLD
        r.write(1, (key(1), row("new")))
        await until(lambda: process.machine.settled == csn(1))
        assert not reading.done()
        r.write(2)
        assert decode_rows((await reading).point_rows.rows) == [["new"]]
