"""Snapshots of the past and stale ones, for whoever asked for them by a parameter.

`trilithon.read_as_of` names a csn or a time; `trilithon.read_staleness` allows what is settled in this
Region where it has no read lease. Both are asked of the own Region's journals, one transaction at a time.

A time becomes a csn by a binary search in the journal's log: entries carry the leader's wall-clock time,
which never falls from one entry to the next. About twenty small reads of one entry each, once per time.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from trilithon.core.csn import CSN_MAX
from trilithon.core.errors import Overloaded, SqlError, Unavailable
from trilithon.core.world import Link, World
from trilithon.v1 import journal_pb2, types_pb2

Failure = types_pb2.Failure

_TIMES_MAX: Final = 256
_ATTEMPT_S: Final = 1.0
_BACKOFF_MIN_S: Final = 0.005
_BACKOFF_MAX_S: Final = 0.1
# 2^64 entries.
_PROBES_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class AsOf:
    """A point of the past: a csn, or (0) a time in microseconds since 1970 UTC."""

    csn: int = 0
    time_us: int = 0


@dataclass(frozen=True, slots=True)
class Leaseless:
    """What a transaction may begin with instead of a snapshot under a lease: a point of the past, or
    (None) what is at most so stale, where there is no lease."""

    as_of: AsOf | None = None
    staleness_us: int = 0


@dataclass(frozen=True, slots=True)
class PastSnapshot:
    csn: int
    catalog_csn: int
    settled_csn: int
    # How long ago it was complete; 0: given under a lease, or of the past on purpose.
    stale_us: int = 0


class PastSnapshots:
    """`links`: to the Region's journals."""

    def __init__(self, world: World, links: Sequence[Link], *, timeout_s: float) -> None:
        self._world = world
        self._links = links
        self._turn = 0
        self._timeout_us = int(timeout_s * 1e6)
        self._csns: OrderedDict[int, int] = OrderedDict()

    async def snapshot(self, wish: Leaseless) -> PastSnapshot:
        if wish.as_of is not None:
            return await self.at(wish.as_of)
        return await self.stale(wish.staleness_us)

    async def stale(self, staleness_us: int) -> PastSnapshot:
        """The newest snapshot under a lease; without one, what is complete up to so long ago.
        SqlError 57P03."""
        reply = await self._ask(_snapshot_request(staleness_us=staleness_us))
        return _snapshot(reply)

    async def at(self, point: AsOf) -> PastSnapshot:
        """SqlError 72000 when the log does not go back that far, 22023 in the future, 57P03."""
        csn = point.csn or await self._csn_at(point.time_us)
        return _snapshot(await self._ask(_snapshot_request(at_csn=csn)))

    # ---- a time

    async def _csn_at(self, time_us: int) -> int:
        known = self._csns.get(time_us)
        if known is not None:
            self._csns.move_to_end(time_us)
            return known
        if time_us > self._world.clock.wall_us():
            raise _in_the_future("now is earlier")
        newest = (await self._ask(_snapshot_request(at_csn=CSN_MAX, history=True))).snapshot
        log = _Entries(newest)
        low, high = -1, len(log) - 1
        # Invariant: the entry at `low` is not after the time (-1: none is known), all above `high` are.
        for _ in range(_PROBES_MAX):
            if low >= high:
                break
            middle = (low + high + 1) // 2
            written_us = await self._written_us(log, middle)
            if written_us is None or written_us <= time_us:
                low = middle
            else:
                high = middle - 1
        if low < 0:
            raise SqlError("72000", "snapshot too old", detail="The log begins after that time.")
        csn = log.csn(low)
        if low < len(log) - 1:
            # Something settled later is after the time: nothing can come between any more.
            self._csns[time_us] = csn
            while len(self._csns) > _TIMES_MAX:
                self._csns.popitem(last=False)
        return csn

    async def _written_us(self, log: _Entries, index: int) -> int | None:
        """When that entry was written; None: it was trimmed away meanwhile, so long ago is it."""
        read = journal_pb2.ReadLog(after_csn=log.before(index), to_csn=log.csn(index), max_bytes=1)
        try:
            reply = await self._ask(journal_pb2.JournalRequest(read_log=read))
        except SqlError as error:
            if error.sqlstate == "72000":
                return None
            raise
        return reply.log_part.entries[0].committed_at_us

    # ---- asking

    async def _ask(self, request: journal_pb2.JournalRequest) -> journal_pb2.JournalReply:
        """Raises SqlError."""
        clock = self._world.clock
        deadline_us = clock.monotonic_us() + self._timeout_us
        backoff_s = _BACKOFF_MIN_S
        while True:
            why = "the journal does not answer"
            try:
                reply: journal_pb2.JournalReply = await self._link().request(
                    request, timeout=_ATTEMPT_S
                )
            except (Unavailable, Overloaded) as error:
                why = str(error)
            else:
                if not reply.HasField("failure"):
                    return reply
                why = reply.failure.message
                _raise_if_final(reply.failure)
            self._turn += 1
            if clock.monotonic_us() >= deadline_us:
                raise SqlError("57P03", "the Region cannot serve this read now", detail=why)
            await asyncio.sleep(backoff_s * self._world.random.uniform(0.5, 1.0))
            backoff_s = min(_BACKOFF_MAX_S, backoff_s * 2)

    def _link(self) -> Link:
        count = len(self._links)
        turns = [self._links[(self._turn + step) % count] for step in range(count)]
        return next((link for link in turns if link.up), turns[0])


class _Entries:
    """The settled entries of a log, by position: an epoch's csns follow each other."""

    def __init__(self, newest: journal_pb2.Snapshot) -> None:
        self._spans = [(span.first_csn, span.last_csn) for span in newest.history]
        self._base_csn = newest.base_csn
        # Position of the first entry of each span, and of what would follow the last.
        self._starts = [0, *accumulate(last - first + 1 for first, last in self._spans)]

    def __len__(self) -> int:
        return self._starts[-1]

    def _span(self, index: int) -> int:
        return bisect_right(self._starts, index) - 1

    def csn(self, index: int) -> int:
        span = self._span(index)
        return self._spans[span][0] + index - self._starts[span]

    def before(self, index: int) -> int:
        """The csn of the entry before, or of the log's base."""
        return self.csn(index - 1) if index else self._base_csn


def _snapshot_request(
    *, staleness_us: int = 0, at_csn: int = 0, history: bool = False
) -> journal_pb2.JournalRequest:
    return journal_pb2.JournalRequest(
        snapshot=journal_pb2.SnapshotRequest(
            staleness_us=staleness_us, at_csn=at_csn, history=history
        )
    )


def _snapshot(reply: journal_pb2.JournalReply) -> PastSnapshot:
    found = reply.snapshot
    return PastSnapshot(found.csn, found.catalog_csn, found.settled_csn, found.stale_us)


def _in_the_future(detail: str) -> SqlError:
    return SqlError("22023", "trilithon.read_as_of is in the future", detail=detail)


def _raise_if_final(failure: types_pb2.Failure) -> None:
    match failure.code:
        case Failure.CODE_SNAPSHOT_TOO_OLD:
            raise SqlError("72000", "snapshot too old", detail=failure.message)
        case Failure.CODE_INVALID:
            raise _in_the_future(failure.message)
        case _:
            return
