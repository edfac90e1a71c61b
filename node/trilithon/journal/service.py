"""The journal's stream handler and timers around its machine.

A message's items are worked off as a whole, then everything the machine wants written goes to the disk
as one batch. While a sync runs, what arrives collects and becomes the next batch (group commit); the
event loop never waits for the disk, so heartbeats and leases do not feel a slow one.

A write that fails ends the process: what was not synced was not acknowledged, and going on could
acknowledge it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trilithon.core.world import Clock, Item, Peer
from trilithon.journal.feed import PeerId
from trilithon.journal.machine import JournalMachine
from trilithon.journal.operations import Operation
from trilithon.journal.outbox import Output, Read
from trilithon.journal.store import JournalStore

_log = logging.getLogger("trilithon.journal")

# Ticks per lease_ttl.
_TICKS: Final = 10
# A peer with more than this unsent gets no more of the feed until it has read: far less than what a
# link's queue bears, so that who is far behind is not cut off for it.
_UNSENT_BYTES_MAX: Final = 16 * 1024 * 1024
# The log's size is looked up this often, in ticks.
_SIZE_TICKS: Final = 50
# The last word to the leader has so long to leave.
_RETIRE_S: Final = 0.05


@dataclass(slots=True)
class DiskCounters:
    """Only grow. `sync_us` is the time spent in writes, as this process's clock tells."""

    batches: int = 0
    operations: int = 0
    sync_us: int = 0


class JournalService:
    """A StreamHandler. `failed` completes with an exception when the process must stop."""

    def __init__(self, machine: JournalMachine, store: JournalStore, clock: Clock) -> None:
        self.machine = machine
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.disk = DiskCounters()
        self._store = store
        self._clock = clock
        # The machine knows streams by number.
        self._numbers: dict[Peer, int] = {}
        self._peers: dict[PeerId, Peer] = {}
        self._last_number = 0
        # What waits for the disk; bounded by the machine (unsynced_bytes_max, reads_max).
        self._operations: list[Operation] = []
        self._write_number = 0
        self._reads: deque[Read] = deque()
        self._size_wanted = True
        self._size_bytes: int | None = None
        self._wakeup = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._tasks: list[asyncio.Task[None]] = []
        self._tick_s = machine.settings.lease_ttl_us / 1e6 / _TICKS

    # ---- life

    def start(self) -> None:
        self._tasks = [
            self._spawn(self._work_disk(), "journal disk"),
            self._spawn(self._keep_ticking(), "journal ticks"),
        ]

    async def retire(self) -> None:
        """Before the server is closed: tell the leader that it need not wait for this journal."""
        if self.failed.done():
            return
        now_us = self._clock.monotonic_us()
        self.machine.retire(now_us)
        self._take(now_us)
        # Time for it to leave.
        await asyncio.sleep(_RETIRE_S)

    async def stop(self, timeout_s: float) -> None:
        """Let what was asked for reach the disk, then end."""
        if not self.failed.done():
            idle = asyncio.ensure_future(self._idle.wait())
            either: list[asyncio.Future[Any]] = [idle, self.failed]
            await asyncio.wait(either, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if not idle.done():
                idle.cancel()
                _log.warning("the disk did not finish within %s s", timeout_s)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)
        if not self.failed.cancel() and not self.failed.cancelled():
            self.failed.exception()  # seen

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.critical("%s failed", task.get_name(), exc_info=error)
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if not self.failed.done():
            self.failed.set_exception(error)

    # ---- the stream

    def connected(self, peer: Peer) -> None:
        self._last_number += 1
        self._numbers[peer] = self._last_number
        self._peers[self._last_number] = peer

    def disconnected(self, peer: Peer) -> None:
        number = self._numbers.pop(peer, None)
        if number is not None:
            del self._peers[number]
            self.machine.disconnected(number)

    def received(self, peer: Peer, items: Sequence[Item]) -> None:
        number = self._numbers.get(peer)
        if number is None or self.failed.done():
            return
        now_us = self._clock.monotonic_us()
        receive = self.machine.receive
        try:
            for item in items:
                receive(number, item, now_us)
            self._take(now_us)
        except BaseException as error:
            # Half a change was made: what the machine and the disk know may differ.
            self._fail(error)
            raise

    def _take(self, now_us: int) -> None:
        if self.failed.done():
            return
        self._give_out(self.machine.take(now_us))

    def _give_out(self, output: Output) -> None:
        find = self._peers.get
        for number, reply in output.replies:
            if (peer := find(number)) is not None:
                peer.send(reply)
        if output.operations:
            self._operations += output.operations
            self._write_number = output.write_number
        self._reads.extend(output.reads)
        if output.operations or output.reads:
            self._idle.clear()
            self._wakeup.set()

    # ---- the disk

    async def _work_disk(self) -> None:
        """One batch after the other, and between them the reads that were asked for."""
        while True:
            while self._operations or self._reads or self._size_wanted:
                if self._operations:
                    await self._write()
                if self._reads:
                    await self._read(self._reads.popleft())
                if self._size_wanted:
                    self._size_wanted = False
                    self._size_bytes = await self._store.log_bytes()
            self._idle.set()
            await self._wakeup.wait()
            self._wakeup.clear()

    async def _write(self) -> None:
        operations, self._operations = self._operations, []
        number = self._write_number
        began_us = self._clock.monotonic_us()
        await self._store.write(operations)
        now_us = self._clock.monotonic_us()
        self.disk.batches += 1
        self.disk.operations += len(operations)
        self.disk.sync_us += now_us - began_us
        self.machine.synced(number, now_us)
        self._take(now_us)

    async def _read(self, read: Read) -> None:
        entries = await self._store.read_entries(read.after_csn, read.to_csn, read.max_bytes)
        now_us = self._clock.monotonic_us()
        self.machine.read_done(read.token, entries, now_us)
        self._take(now_us)

    # ---- time

    async def _keep_ticking(self) -> None:
        count = 0
        while True:
            await asyncio.sleep(self._tick_s)
            count += 1
            if count % _SIZE_TICKS == 0:
                self._size_wanted = True
                self._wakeup.set()
            size, self._size_bytes = self._size_bytes, None
            self._pace_feed()
            now_us = self._clock.monotonic_us()
            self.machine.tick(now_us, size)
            self._take(now_us)

    def _pace_feed(self) -> None:
        for number, peer in self._peers.items():
            # Links within one process (tests, simulation) queue nothing.
            if getattr(peer, "pending_bytes", 0) > _UNSENT_BYTES_MAX:
                self.machine.block(number)
            else:
                self.machine.unblock(number)
