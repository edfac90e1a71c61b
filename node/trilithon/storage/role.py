"""A storage process: engine, machine, service, feed and applier put together.

Started by the chassis. Stopping applies what is settled, so that the next start has little to catch up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from trilithon.chassis.config import ClusterConfig, ProcessConfig, RegionConfig
from trilithon.chassis.identity import ProcessLife
from trilithon.core.csn import format_csn
from trilithon.core.world import Server, World
from trilithon.link.specs import STORAGE, STORAGE_CHECKSUM, STORAGE_REBUILD, STORAGE_STATUS
from trilithon.storage.apply import Applier, ApplyOptions, Worker
from trilithon.storage.engine import Applied, Engine, FolderIdentity
from trilithon.storage.feed import Feed, JournalAddress
from trilithon.storage.horizon import Horizon
from trilithon.storage.jobs import REPLY_BYTES_MAX, Job
from trilithon.storage.machine import StorageMachine
from trilithon.storage.programs import ProgramCache
from trilithon.storage.rebuild import CopySource, Rebuild, sources_of
from trilithon.storage.service import ServiceOptions, StorageService
from trilithon.v1 import journal_pb2, storage_pb2

_log = logging.getLogger("trilithon.storage")

_STOP_S: Final = 4.0
_GRACE_S: Final = 1.0
# A feed that stands still for this many ticks while reads wait for it is given up for another one.
_WATCH_S: Final = 0.5
_STALLED_TICKS: Final = 4


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Everything of the configuration that storage uses. Times in microseconds."""

    cluster: str
    region: str
    name: str
    address: str
    slot_first: int
    slot_last: int
    journals: tuple[JournalAddress, ...]
    # Old versions are kept at least this long.
    keep_us: int
    wait_us: int
    reply_bytes_max: int = REPLY_BYTES_MAX
    apply: ApplyOptions = field(default_factory=ApplyOptions)
    # Whom this process may be rebuilt from.
    sources: tuple[CopySource, ...] = ()

    @classmethod
    def of(
        cls, config: ClusterConfig, process: ProcessConfig, region: RegionConfig
    ) -> StorageSettings:
        return cls(
            cluster=config.cluster,
            region=region.name,
            name=process.name,
            address=process.address,
            slot_first=process.slot_first,
            slot_last=process.slot_last,
            journals=tuple(JournalAddress(one.name, one.address) for one in region.journal),
            keep_us=(config.limits.transaction_age_s + config.retention_s) * 1_000_000,
            wait_us=config.availability_timeout_ms * 1_000,
            reply_bytes_max=min(REPLY_BYTES_MAX, config.limits.message_bytes // 4),
            sources=sources_of(config, region.name),
        )

    @property
    def identity(self) -> FolderIdentity:
        return FolderIdentity(self.cluster, self.slot_first, self.slot_last)


class StorageProcess:
    """The running role. `failed` completes with an exception when the process has to stop."""

    def __init__(
        self, settings: StorageSettings, engine: Engine, world: World, worker: Worker
    ) -> None:
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._settings = settings
        self._engine = engine
        self._world = world
        self._life = ProcessLife(settings.cluster, settings.region, "storage", settings.name, world)
        self.machine: StorageMachine[Job] = StorageMachine(
            applied=engine.applied,
            collected=engine.collected,
            slot_first=settings.slot_first,
            slot_last=settings.slot_last,
        )
        self.service = StorageService(
            self.machine,
            engine,
            world.clock,
            ProgramCache(),
            ServiceOptions(wait_us=settings.wait_us, reply_bytes_max=settings.reply_bytes_max),
        )
        self.feed = Feed(
            world,
            settings.journals,
            settings.name,
            subscribe=self.machine.subscribe,
            received=self._received,
        )
        self.feed.applied(engine.applied)
        self.applier = Applier(
            self.machine,
            engine,
            world.clock,
            worker,
            Horizon(settings.keep_us),
            settings.apply,
            self._applied,
        )
        self.rebuild = Rebuild(
            world,
            engine,
            self.service,
            self.applier,
            self.feed,
            name=settings.name,
            sources=settings.sources,
            journals=settings.journals,
        )
        self._server: Server | None = None
        self._applying: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def address(self) -> str:
        assert self._server is not None, "started"
        return self._server.address

    async def start(self) -> None:
        self._server = await self._world.network.serve(
            self._settings.address,
            {STORAGE: self.service},
            {
                STORAGE_STATUS: self._status,
                STORAGE_CHECKSUM: self.service.checksum,
                STORAGE_REBUILD: self._rebuild,
            },
        )
        self._applying = self._spawn(self.applier.run(), "storage apply")
        self._tasks = [
            self._spawn(self.service.run(), "storage service"),
            self._spawn(self.feed.run(), "storage feed"),
            self._spawn(self._watch_feed(), "storage feed watch"),
            self._spawn(self.rebuild.run(), "storage rebuild"),
        ]
        _log.info(
            "storage %s starts after %s", self._settings.name, format_csn(self._engine.applied)
        )

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or self.failed.done():
            return
        error = task.exception()
        if error is not None:
            _log.critical("%s failed", task.get_name(), exc_info=error)
            self.failed.set_exception(error)

    async def stop(self) -> None:
        """Orderly: no more reads, then apply what is settled. The engine is closed at the end."""
        if self._server is not None:
            await self._server.close(_GRACE_S)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOP_S)
        if self._applying is not None:
            self.applier.stop()
            await asyncio.wait([self._applying], timeout=_STOP_S)
        if self.failed.done():
            self.failed.exception()  # seen
        else:
            self.failed.cancel()

    # ---- the feed

    def _received(self, update: journal_pb2.FeedUpdate) -> None:
        self.service.feed(update)
        self.applier.poke()
        if self.service.memory_is_full:
            _log.warning("storage %s: memory is full, the feed pauses", self._settings.name)
            self.feed.pause("memory is full until more is applied")
            self.service.drop_unsettled()

    def _applied(self, csn: int) -> None:
        self.feed.applied(csn)
        self._end_pause()

    def _end_pause(self) -> None:
        if self.feed.paused and self.service.memory_has_room and not self.rebuild.begun:
            self.feed.resume()

    async def _watch_feed(self) -> None:
        """End a pause. With several journals: leave one that says nothing while reads wait."""
        stalled, seen = 0, 0
        while True:
            await asyncio.sleep(_WATCH_S)
            self._end_pause()
            machine = self.machine
            updates = self.service.counters.updates
            waiting = machine.waiters.waiting_for_feed > 0
            stalled = stalled + 1 if waiting and updates == seen else 0
            seen = updates
            if stalled >= _STALLED_TICKS and self.feed.journals_count > 1:
                stalled = 0
                self.feed.give_up("it stands still while reads wait")

    # ---- administration

    async def _rebuild(
        self, _: storage_pb2.StorageRebuildRequest
    ) -> storage_pb2.StorageRebuildReply:
        """Raises Unavailable with the reason."""
        self.rebuild.order()
        return storage_pb2.StorageRebuildReply()

    async def _status(self, _: storage_pb2.StorageStatusRequest) -> storage_pb2.StorageStatus:
        settings, machine, feed = self._settings, self.machine, self.feed
        if self.applier.problem:
            state, problem = "disk_full", self.applier.problem
        elif self.rebuild.active:
            state, problem = "copying", self.rebuild.describe()
        elif feed.journal:
            state, problem = "following", ""
        else:
            state, problem = "refused" if feed.hopeless else "waiting_for_feed", feed.problem
        copy = self._engine.copy
        return storage_pb2.StorageStatus(
            identity=self._life.describe(),
            position_csn=machine.position,
            settled_csn=machine.settled,
            applied_csn=machine.applied,
            collected_csn=machine.collected,
            bytes_used=self._engine.bytes_used(),
            slot_first=settings.slot_first,
            slot_last=settings.slot_last,
            journal=feed.journal,
            state=state,
            problem=problem,
            memory_bytes=machine.table.size_bytes,
            waiting=len(machine.waiters),
            copy_csn=0 if copy is None else copy.csn,
            copied_versions=0 if copy is None else copy.versions_count,
            copied_bytes=0 if copy is None else copy.bytes_count,
        )

    def metrics(self) -> Mapping[str, float]:
        machine, counters, applier = self.machine, self.service.counters, self.applier
        return {
            "position_csn": machine.position,
            "settled_csn": machine.settled,
            "applied_csn": machine.applied,
            "collected_csn": machine.collected,
            "memory_bytes": machine.table.size_bytes,
            "reads_waiting": len(machine.waiters),
            "reads_open": self.service.open_count,
            "point_reads_total": counters.points,
            "range_reads_total": counters.ranges,
            "waited_for_feed_total": counters.waited_position,
            "waited_for_entry_total": counters.waited_entry,
            "expired_total": counters.expired,
            "failed_total": counters.failed,
            "feed_updates_total": counters.updates,
            "feed_subscriptions_total": self.feed.subscriptions_count,
            "following": 1.0 if self.feed.journal else 0.0,
            "waits_for_rebuild": 1.0 if self.feed.hopeless and not self.rebuild.active else 0.0,
            "copying": 1.0 if self.rebuild.active else 0.0,
            "copied_bytes": 0 if self._engine.copy is None else self._engine.copy.bytes_count,
            "rebuilds_total": self.rebuild.completed_count,
            "disk_full": 1.0 if applier.problem else 0.0,
            "applied_batches_total": applier.batches_count,
            "applied_entries_total": applier.entries_count,
            "collected_versions_total": applier.deleted_count,
        }


class OwningProcess(StorageProcess):
    """With its engine and its thread: both end with it."""

    def __init__(self, settings: StorageSettings, engine: Engine, world: World) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="storage-apply")
        super().__init__(settings, engine, world, self._in_thread)

    async def _in_thread(self, work: Callable[[], Applied]) -> Applied:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def stop(self) -> None:
        await super().stop()
        # Waits for a write under way: LMDB must not be closed under it.
        await asyncio.to_thread(self._executor.shutdown)
        self._engine.close()


async def start(
    config: ClusterConfig, process: ProcessConfig, region: RegionConfig, world: World
) -> OwningProcess:
    """Raises FolderRefused for a folder that is not this process's, OSError for a taken address."""
    settings = StorageSettings.of(config, process, region)
    engine = Engine.open(process.data, settings.identity)
    try:
        running = OwningProcess(settings, engine, world)
        await running.start()
    except BaseException:
        engine.close()
        raise
    return running
