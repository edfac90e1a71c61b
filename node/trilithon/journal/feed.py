"""The feed: every synced entry, cut and settled mark, pushed to each subscriber in order.

A subscription is a cursor into the log. What is recent goes out of memory, at the end of each batch;
who is further behind gets one chunk from the store at a time. `burst` bounds what one subscriber
gets between two ticks, `blocked` stops it while its connection does not take more; neither loses
anything, the cursor waits.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from trilithon.core.csn import format_csn
from trilithon.journal.log import Log
from trilithon.v1.journal_pb2 import Candidate, FeedUpdate, JournalReply
from trilithon.v1.types_pb2 import Entry, Failure

PeerId = Hashable


@dataclass(frozen=True, slots=True)
class FeedView:
    """What there is to push, and who leads (None until the leader of the epoch was heard)."""

    log: Log
    synced_csn: int
    settled_csn: int
    epoch: int
    leader: Candidate | None

    def fits(self, after_csn: int, entries: Sequence[Entry]) -> bool:
        """Whether entries that come from the store are (still) what follows `after_csn`."""
        if not entries:
            return self.log.contains(after_csn)
        last = entries[-1].csn
        return (
            entries[0].previous_csn == after_csn
            and last <= self.synced_csn
            and self.log.contains(last)
        )


@dataclass(slots=True, eq=False)
class Subscription:
    peer: PeerId
    storage: str
    # Everything up to here was pushed (or was there before), and is still in the log.
    cursor: int
    burst_bytes: int
    # The lowest cut since the last push that hit something already pushed.
    cut_csn: int | None = None
    blocked: bool = False
    reading: bool = False
    # (settled csn, epoch, leader's life) as pushed last.
    told: tuple[int, int, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Behind:
    """Not in memory: read from the store."""

    subscription: Subscription


Pushed = tuple[PeerId, JournalReply]


class Feed:
    __slots__ = ("_burst_bytes", "_cache", "_chunk_bytes", "subscriptions")

    def __init__(self, chunk_bytes: int, burst_bytes: int) -> None:
        self.subscriptions: dict[PeerId, Subscription] = {}
        self._chunk_bytes = chunk_bytes
        self._burst_bytes = burst_bytes
        # Subscribers at the same place get the same message.
        self._cache: dict[object, JournalReply] = {}

    def subscribe(self, peer: PeerId, storage: str, after_csn: int) -> None:
        self.subscriptions[peer] = Subscription(peer, storage, after_csn, self._burst_bytes)

    def unsubscribe(self, peer: PeerId) -> None:
        self.subscriptions.pop(peer, None)

    def refill(self) -> None:
        for subscription in self.subscriptions.values():
            subscription.burst_bytes = self._burst_bytes

    def cut(self, csn: int) -> None:
        for subscription in self.subscriptions.values():
            if subscription.cursor > csn:
                subscription.cursor = csn
                lowest = csn if subscription.cut_csn is None else min(subscription.cut_csn, csn)
                subscription.cut_csn = lowest

    def pump(self, view: FeedView) -> Iterator[Pushed | Behind]:
        """Everything that can go out now. The consumer starts the reads that are asked for."""
        self._cache.clear()
        for subscription in tuple(self.subscriptions.values()):
            while not subscription.blocked and not subscription.reading:
                entries: Sequence[Entry] = ()
                if subscription.cursor < view.log.base_csn:
                    self.unsubscribe(subscription.peer)
                    yield subscription.peer, too_old(subscription.cursor, view.log.base_csn)
                    break
                if subscription.cursor < view.synced_csn and subscription.burst_bytes > 0:
                    found = view.log.recent.after(
                        subscription.cursor, view.synced_csn, self._chunk_bytes
                    )
                    if found is None:
                        subscription.reading = True
                        yield Behind(subscription)
                        break
                    entries = found
                update = self._update(subscription, entries, view)
                if update is None:
                    break
                yield subscription.peer, update
                if not entries:
                    break

    def deliver(
        self, subscription: Subscription, entries: Sequence[Entry], view: FeedView
    ) -> Pushed | None:
        """Entries read from the store, if they are still what comes next."""
        subscription.reading = False
        if self.subscriptions.get(subscription.peer) is not subscription or not entries:
            return None
        fits = view.fits(subscription.cursor, entries)
        update = self._update(subscription, entries, view) if fits else None
        return None if update is None else (subscription.peer, update)

    def _update(
        self, subscription: Subscription, entries: Sequence[Entry], view: FeedView
    ) -> JournalReply | None:
        cursor = entries[-1].csn if entries else subscription.cursor
        settled = min(view.settled_csn, cursor)
        life = view.leader.life if view.leader is not None else b""
        told = (settled, view.epoch, life)
        if not entries and subscription.cut_csn is None and subscription.told == told:
            return None
        key = (subscription.cursor, cursor, subscription.cut_csn, told)
        reply = self._cache.get(key)
        if reply is None:
            update = FeedUpdate(
                cut_to_csn=subscription.cut_csn,
                entries=entries,
                settled_csn=settled,
                epoch=view.epoch,
                leader=view.leader.name if view.leader is not None else "",
                leader_candidate=view.leader,
            )
            reply = self._cache[key] = JournalReply(feed=update)
        if entries:
            subscription.burst_bytes -= reply.ByteSize()
        subscription.cursor = cursor
        subscription.cut_csn = None
        subscription.told = told
        return reply


def too_old(csn: int, base_csn: int) -> JournalReply:
    text = f"the log begins after {format_csn(base_csn)}; {format_csn(csn)} is below it"
    return JournalReply(failure=Failure(code=Failure.CODE_SNAPSHOT_TOO_OLD, message=text))
