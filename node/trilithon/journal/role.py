"""A journal process: disk, machine and service put together. Started by the chassis."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from trilithon.chassis.config import ClusterConfig, ProcessConfig, RegionConfig
from trilithon.chassis.identity import ProcessLife
from trilithon.core.csn import format_csn
from trilithon.core.ids import format_id
from trilithon.core.world import Server, World
from trilithon.journal.machine import JournalMachine
from trilithon.journal.operations import Operation, RecoveredState
from trilithon.journal.service import JournalService
from trilithon.journal.settings import JournalSettings
from trilithon.journal.store import JournalStore, LogFile
from trilithon.link.specs import JOURNAL, JOURNAL_STATUS
from trilithon.v1 import journal_pb2
from trilithon.v1.types_pb2 import Entry

T = TypeVar("T")

_log = logging.getLogger("trilithon.journal")

_STOP_S: Final = 4.0
_GRACE_S: Final = 1.0


class ThreadedStore:
    """A LogFile in a worker thread of its own. Implements `JournalStore`."""

    def __init__(self, file: LogFile) -> None:
        self._file = file
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal-disk")

    def load(self) -> RecoveredState:
        return self._file.load()

    async def write(self, operations: Sequence[Operation]) -> None:
        await self._run(lambda: self._file.write(operations))

    async def read_entries(self, after_csn: int, to_csn: int, max_bytes: int) -> list[Entry]:
        return await self._run(lambda: self._file.read_entries(after_csn, to_csn, max_bytes))

    async def log_bytes(self) -> int:
        return await self._run(self._file.log_bytes)

    async def close(self) -> None:
        # Waits for a write under way: LMDB must not be closed under it.
        await asyncio.to_thread(self._executor.shutdown)
        self._file.close()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


@dataclass(frozen=True, slots=True)
class JournalIdentity:
    """Who this process is; `role` is journal or witness."""

    cluster: str
    region: str
    role: str
    name: str
    address: str


def settings_of(config: ClusterConfig, region: RegionConfig) -> JournalSettings:
    limits = config.limits
    return JournalSettings(
        full=not region.witness,
        lease_ttl_us=config.lease_ttl_ms * 1_000,
        window_us=(limits.transaction_age_s + config.retention_s) * 1_000_000,
        log_bytes_max=config.log_bytes_max,
        storages=tuple(one.name for one in region.storage),
        entry_bytes_max=limits.message_bytes,
    )


class JournalProcess:
    """The running role. `failed` completes with an exception when the process has to stop."""

    def __init__(
        self,
        identity: JournalIdentity,
        settings: JournalSettings,
        store: JournalStore,
        world: World,
    ) -> None:
        self._identity = identity
        self._store = store
        self._world = world
        self._life = ProcessLife(
            identity.cluster, identity.region, identity.role, identity.name, world
        )
        recovered = store.load()
        self.machine = JournalMachine(settings, recovered, self._life.id, self._life.started_us)
        self.service = JournalService(self.machine, store, world.clock)
        self.failed = self.service.failed
        self._server: Server | None = None

    @property
    def address(self) -> str:
        assert self._server is not None, "started"
        return self._server.address

    async def start(self) -> None:
        self._server = await self._world.network.serve(
            self._identity.address, {JOURNAL: self.service}, {JOURNAL_STATUS: self._status}
        )
        self.service.start()
        _log.info(
            "journal %s (%s) starts at %s, epoch %d",
            self._identity.name,
            format_id(self.machine.incarnation),
            format_csn(self.machine.tail_csn),
            self.machine.promised_epoch,
        )

    async def stop(self) -> None:
        if self._server is not None:
            await self.service.retire()
            await self._server.close(_GRACE_S)
        await self.service.stop(_STOP_S)
        await self._store.close()

    async def _status(self, _: journal_pb2.JournalStatusRequest) -> journal_pb2.JournalStatus:
        now_us = self._world.clock.monotonic_us()
        status = self.machine.status(now_us)
        status.identity.CopyFrom(self._life.describe())
        return status

    def metrics(self) -> Mapping[str, float]:
        machine, counters, disk = self.machine, self.machine.counters, self.service.disk
        now_us = self._world.clock.monotonic_us()
        return {
            "promised_epoch": machine.promised_epoch,
            "last_csn": machine.tail_csn,
            "synced_csn": machine.synced_csn,
            "settled_csn": machine.settled_csn,
            "lease_left_seconds": machine.lease_left_us(now_us) / 1e6,
            "unsynced_bytes": machine.unsynced_bytes,
            "base_csn": machine.log.base_csn,
            "is_member": 1.0 if machine.is_member else 0.0,
            "subscribers": machine.subscriber_count,
            "entries_total": counters.entries,
            "snapshots_total": counters.snapshots,
            "snapshots_refused_total": counters.snapshots_refused,
            "gaps_total": counters.gaps,
            "cuts_total": counters.cuts,
            "promises_total": counters.promises,
            "refusals_total": counters.refusals,
            "invalid_total": counters.invalid,
            "disk_batches_total": disk.batches,
            "disk_operations_total": disk.operations,
            "disk_seconds_total": disk.sync_us / 1e6,
        }


async def start(
    config: ClusterConfig, process: ProcessConfig, region: RegionConfig, world: World
) -> JournalProcess:
    """Raises FolderRefused for a folder that is not this process's, OSError for a taken address."""
    return await start_journal(config, process, region, world, role="journal")


async def start_journal(
    config: ClusterConfig, process: ProcessConfig, region: RegionConfig, world: World, *, role: str
) -> JournalProcess:
    settings = settings_of(config, region)
    file = LogFile(
        process.data,
        role=role,
        cluster=config.cluster,
        source=world.random,
        recent_bytes=settings.memory_bytes_max,
    )
    identity = JournalIdentity(config.cluster, region.name, role, process.name, process.address)
    store = ThreadedStore(file)
    try:
        running = JournalProcess(identity, settings, store, world)
        await running.start()
    except BaseException:
        await store.close()
        raise
    return running


__all__ = ["JournalIdentity", "JournalProcess", "ThreadedStore", "settings_of", "start"]
