"""Snapshots, coalesced: one request in flight serves every transaction that was waiting when it left.

A request that is already under way never serves who comes later: the snapshot must hold everything
that was acknowledged or observed before the transaction began.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from trilithon.core.errors import Overloaded, SqlError, Unavailable
from trilithon.core.world import Link, World
from trilithon.link.specs import JOURNAL
from trilithon.query.reads.past import Leaseless, PastSnapshot, PastSnapshots
from trilithon.query.reads.patience import Patience, impatient
from trilithon.v1 import journal_pb2

_log = logging.getLogger("trilithon.query")

_BACKOFF_MIN_S: Final = 0.005
_BACKOFF_MAX_S: Final = 0.1
# A journal that does not answer at all is asked again, or another one is, after this long.
_ATTEMPT_S: Final = 1.0
# So long for a journal whose link is down to come back, before its loss is thought about again.
_DOWN_ATTEMPT_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Snapshot:
    csn: int
    # The newest entry at or below `csn` that changed the catalog; 0: none ever.
    catalog_csn: int
    # For read_staleness: settled, thus readable without a lease.
    settled_csn: int


@dataclass(frozen=True, slots=True)
class _Waiting:
    future: asyncio.Future[Snapshot]
    deadline_us: int
    hurry: bool


class SnapshotSource:
    """Asks the Region's journals, one at a time, the next one when one cannot answer."""

    def __init__(self, world: World, journals: Sequence[str], *, timeout_s: float) -> None:
        """`journals`: their addresses. `timeout_s`: the availability timeout."""
        if not journals:
            raise ValueError("a Region needs a journal to give snapshots")
        self._world = world
        self._links = [world.network.link(JOURNAL, address) for address in journals]
        self._past = PastSnapshots(world, self._links, timeout_s=timeout_s)
        self._turn = 0
        self._timeout_us = int(timeout_s * 1e6)
        self._patience = Patience(self._timeout_us)
        self._waiting: list[_Waiting] = []
        # Whom the request in flight serves.
        self._served: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self.requests_count = 0
        self.served_count = 0

    async def snapshot(self) -> Snapshot:
        """SqlError 57P03 when no journal gives one within the availability timeout."""
        if self._closed:
            raise SqlError("57P01", "the query processor is shutting down")
        future: asyncio.Future[Snapshot] = asyncio.get_running_loop().create_future()
        deadline_us = self._world.clock.monotonic_us() + self._timeout_us
        self._waiting.append(_Waiting(future, deadline_us, impatient.get()))
        if self._task is None:
            self._task = asyncio.create_task(self._serve(), name="snapshots")
        return await future

    async def leaseless(self, wish: Leaseless) -> PastSnapshot:
        """Of the past, or stale; see `past`."""
        return await self._past.snapshot(wish)

    async def _serve(self) -> None:
        backoff_s = _BACKOFF_MIN_S
        try:
            while self._waiting:
                self._served, self._waiting = self._waiting, []
                given, why = await self._ask()
                batch, self._served = self._served, []
                if given is not None:
                    backoff_s = _BACKOFF_MIN_S
                    self._patience.found()
                    self._give(batch, given)
                    continue
                self._turn += 1
                self._patience.failed(self._world.clock.monotonic_us())
                # A later request serves those of this batch just as well.
                self._waiting = self._still_waiting(batch, why) + self._waiting
                if self._waiting:
                    await asyncio.sleep(backoff_s * self._world.random.uniform(0.5, 1.0))
                    backoff_s = min(_BACKOFF_MAX_S, backoff_s * 2)
        except Exception as error:
            _log.exception("taking snapshots failed")
            self._fail_all(SqlError("XX000", f"taking a snapshot failed: {error!r}"))
        finally:
            self._task = None

    async def _ask(self) -> tuple[Snapshot | None, str]:
        """One request: the snapshot, or why there is none."""
        self.requests_count += 1
        link = self._pick()
        request = journal_pb2.JournalRequest(snapshot=journal_pb2.SnapshotRequest())
        try:
            attempt_s = _ATTEMPT_S if link.up else _DOWN_ATTEMPT_S
            reply: journal_pb2.JournalReply = await link.request(request, timeout=attempt_s)
        except (Unavailable, Overloaded) as error:
            return None, str(error)
        if reply.WhichOneof("reply") == "snapshot":
            found = reply.snapshot
            return Snapshot(found.csn, found.catalog_csn, found.settled_csn), ""
        return None, reply.failure.message or "the journal gave no snapshot"

    def _pick(self) -> Link:
        """The journal whose turn it is; another one when its link is down and theirs is not."""
        count = len(self._links)
        for step in range(count):
            link = self._links[(self._turn + step) % count]
            if link.up:
                self._turn = (self._turn + step) % count
                return link
        return self._links[self._turn % count]

    def _give(self, batch: list[_Waiting], snapshot: Snapshot) -> None:
        for waiting in batch:
            if not waiting.future.done():
                self.served_count += 1
                waiting.future.set_result(snapshot)

    def _still_waiting(self, batch: list[_Waiting], why: str) -> list[_Waiting]:
        now_us = self._world.clock.monotonic_us()
        kept: list[_Waiting] = []
        for waiting in batch:
            if waiting.future.done():
                continue
            over = self._patience.over(now_us, hurry=waiting.hurry)
            if over or waiting.deadline_us <= now_us:
                waiting.future.set_exception(
                    SqlError("57P03", "the Region cannot serve reads now", detail=why)
                )
            else:
                kept.append(waiting)
        return kept

    def _fail_all(self, error: SqlError) -> None:
        waiting = self._served + self._waiting
        self._served, self._waiting = [], []
        for one in waiting:
            if not one.future.done():
                one.future.set_exception(error)

    async def close(self) -> None:
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._fail_all(SqlError("57P01", "the query processor is shutting down"))
        for link in self._links:
            await link.close()
