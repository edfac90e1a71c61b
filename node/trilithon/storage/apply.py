"""Applying: the memory table's settled entries into LMDB, and old versions out of it.

One write transaction at a time, in the worker that `role` gives; half a second's entries in
each, or as many as have come since the last one took that long. A full disk is waited for (reads of
what is there go on, the feed pauses when memory is full); any other failure ends the process.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from trilithon.core.world import Clock
from trilithon.disk import DiskFull, MapFull
from trilithon.storage.engine import Applied, Engine
from trilithon.storage.horizon import Horizon
from trilithon.storage.machine import StorageMachine
from trilithon.storage.versions import Received

_log = logging.getLogger("trilithon.storage")

_BACKOFF_MIN_S: Final = 0.1
_BACKOFF_MAX_S: Final = 5.0

T = TypeVar("T")

# Runs a function away from the event loop, one at a time, and returns its result.
Worker = Callable[[Callable[[], Any]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    interval_s: float = 0.5
    # Apply earlier when this much is waiting.
    early_bytes: int = 8 * 1024 * 1024
    # Keys looked at for collection in one transaction, beside twice those just written.
    collect_keys: int = 2_000


class Applier:
    """`problem` is for people, empty while all is well. Counters only grow."""

    def __init__(
        self,
        machine: StorageMachine[Any],
        engine: Engine,
        clock: Clock,
        worker: Worker,
        horizon: Horizon,
        options: ApplyOptions,
        applied: Callable[[int], None],
    ) -> None:
        self._machine = machine
        self._engine = engine
        self._clock = clock
        self._worker = worker
        self._horizon = horizon
        self._options = options
        self._report_applied = applied
        self._early = asyncio.Event()
        # Held while entries are applied, and while a hot copy is written instead.
        self.exclusive = asyncio.Lock()
        self._stopping = False
        self._collected_to = 0
        self.problem = ""
        self.batches_count = 0
        self.entries_count = 0
        self.deleted_count = 0

    def poke(self) -> None:
        """The memory table has grown."""
        if self._machine.table.active.size_bytes >= self._options.early_bytes:
            self._early.set()

    async def run(self) -> None:
        """Until `stop`; what is settled by then is applied. Raises for a broken disk."""
        while not self._stopping:
            await self._pause(self._options.interval_s)
            async with self.exclusive:
                await self._step()

    def stop(self) -> None:
        self._stopping = True
        self._early.set()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._early.wait()
        except TimeoutError:
            pass
        if not self._stopping:
            self._early.clear()

    async def _step(self) -> None:
        now_us = self._clock.monotonic_us()
        self._horizon.observe(now_us, self._machine.settled)
        # Never what is being applied by this very transaction: the horizon lies behind it.
        collect_to = min(self._horizon.csn(now_us), self._machine.applied)
        entries = self._machine.freeze()
        if not entries and collect_to <= self._collected_to:
            return
        self._machine.collect_below(collect_to)
        result = await self._apply(entries, collect_to)
        if result is None:
            return
        if not result.more_garbage:
            self._collected_to = collect_to
        self.batches_count += 1
        self.entries_count += len(entries)
        self.deleted_count += result.deleted_count
        if entries:
            self._machine.applied_up_to(result.applied)
            self._report_applied(result.applied)

    async def _apply(self, entries: Sequence[Received], collect_to: int) -> Applied | None:
        """None: stopped while the disk was full."""
        written = sum(len(entry.writes) for entry in entries)
        collect_max = self._options.collect_keys + 2 * written

        def apply() -> Applied:
            return self._engine.apply(entries, collect_to=collect_to, collect_max=collect_max)

        return await self.write(apply)

    async def write(self, work: Callable[[], T]) -> T | None:
        """In the worker, as often as it takes: a full disk is waited for. None: stopped meanwhile.

        The caller holds `exclusive`. Raises for a broken disk.
        """
        backoff_s = _BACKOFF_MIN_S
        while True:
            try:
                result: T = await self._worker(work)
            except MapFull:
                size = self._engine.grow_map()
                _log.warning("storage %s: map grown to %d bytes", self._engine.path, size)
            except DiskFull as error:
                if not self.problem:
                    _log.error("storage %s: no space, applying waits: %s", self._engine.path, error)
                self.problem = f"no space on the disk: {error}"
                if self._stopping:
                    return None
                await asyncio.sleep(backoff_s)
                backoff_s = min(_BACKOFF_MAX_S, backoff_s * 2)
            else:
                if self.problem:
                    _log.info("storage %s: there is space again", self._engine.path)
                    self.problem = ""
                return result
