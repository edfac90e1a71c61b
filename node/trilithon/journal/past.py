"""Snapshots that need no lease: of the past, and of what is settled here, knowingly stale.

A *past* snapshot is any settled csn that the log still reaches: settled entries are the same everywhere
and for ever. A *stale* one is what is settled here now, if that is complete up to a moment not long ago.

How a journal knows that moment by itself, without anybody's wall clock: under a valid lease everything
that was acknowledged or observed anywhere is synced here. So once what was synced at such a moment is
settled here too, the settled log is complete up to that moment.
"""

from __future__ import annotations

from trilithon.core.csn import CSN_MAX, NO_CSN, format_csn
from trilithon.journal.feed import too_old
from trilithon.journal.log import Log
from trilithon.journal.outbox import INVALID, UNAVAILABLE
from trilithon.v1.journal_pb2 import JournalReply, Snapshot
from trilithon.v1.types_pb2 import Failure


class Freshness:
    """Up to when the settled log is complete. Times by this journal's clock, microseconds."""

    __slots__ = ("_complete_us", "_sample")

    def __init__(self) -> None:
        # None: never was, in this process life.
        self._complete_us: int | None = None
        # (when, what was synced under a valid lease), until that is settled.
        self._sample: tuple[int, int] | None = None

    def observe(self, now_us: int, snapshot_csn: int | None, settled_csn: int) -> None:
        """Now and then. `snapshot_csn`: of a snapshot given now; None without a lease."""
        if self._sample is not None and settled_csn >= self._sample[1]:
            self._complete_us = self._sample[0]
            self._sample = None
        if snapshot_csn is None:
            return
        if settled_csn >= snapshot_csn:
            self._complete_us = now_us
            self._sample = None
        elif self._sample is None:
            self._sample = (now_us, snapshot_csn)

    def age_us(self, now_us: int) -> int | None:
        return None if self._complete_us is None else now_us - self._complete_us


def stale_snapshot(
    log: Log, freshness: Freshness, settled_csn: int, staleness_us: int, now_us: int
) -> JournalReply:
    """What is settled, if it is complete up to `staleness_us` ago."""
    age_us = freshness.age_us(now_us)
    if age_us is None:
        return _failure(UNAVAILABLE, "no valid read lease, and how old this log is cannot be told")
    if age_us > staleness_us:
        text = f"no valid read lease, and this log is complete up to {age_us / 1e6:.1f} s ago only"
        return _failure(UNAVAILABLE, text)
    return _snapshot(log, settled_csn, settled_csn, stale_us=max(age_us, 1))


def past_snapshot(
    log: Log, at_csn: int, settled_csn: int, newest_csn: int | None, *, history: bool
) -> JournalReply:
    """The newest entry at or below `at_csn`. `newest_csn`: of a snapshot given now, None without a lease.
    `history`: besides, where each epoch of the settled log begins and ends."""
    if log.floor(at_csn) == NO_CSN or at_csn < log.base_csn:
        return too_old(at_csn, log.base_csn)
    if at_csn > settled_csn and at_csn != CSN_MAX:
        if newest_csn is not None and at_csn > newest_csn:
            text = f"the newest csn is {format_csn(newest_csn)}"
            return _failure(INVALID, text)
        return _failure(UNAVAILABLE, f"{format_csn(at_csn)} is not settled here yet")
    reply = _snapshot(log, log.floor(min(at_csn, settled_csn)), settled_csn)
    if history:
        reply.snapshot.base_csn = log.base_csn
        reply.snapshot.history.extend(log.history(settled_csn))
    return reply


def _snapshot(log: Log, csn: int, settled_csn: int, *, stale_us: int = 0) -> JournalReply:
    return JournalReply(
        snapshot=Snapshot(
            csn=csn,
            catalog_csn=log.catalog_at(csn),
            settled_csn=settled_csn,
            stale_us=stale_us,
        )
    )


def _failure(code: Failure.Code, text: str) -> JournalReply:
    return JournalReply(failure=Failure(code=code, message=text))
