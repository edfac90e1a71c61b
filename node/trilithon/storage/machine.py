"""What a storage process knows of the log, and what a read may do with it.

Events come in: a subscription starts, an update of the feed, "applied up to here". Out go the reads
that have nothing to wait for any more. Reads themselves (`jobs`) look at the fields.

The rules (DESIGN.md, "Local reads"), for a read at snapshot S:
- S > position: wait for the feed.
- It touches a key whose newest version <= S is not settled: wait for that entry alone. (The settled
  entries are a prefix of the log: if any version <= S is unsettled, the newest one is.)
- S < collected: refused for good.
- Everything else answers at once.

Positions may fall: a cut takes entries away, and a new subscription starts again at what is settled.
A read therefore asks `position >= S` again each time it goes on; entries that are neither settled nor
in the memory table might otherwise be missed between the two.

Why a feed may come from any journal of the Region: a snapshot S of epoch e was given under a lease of
e, so (e, 0) was committed before. A journal whose tail is at or above S is in epoch e, and then agrees
up to S, or in a later epoch, whose leader's log holds all that was or can be settled.

Pure: no I/O, no clock, no logging.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from google.protobuf.message import DecodeError

from trilithon.core.csn import format_csn
from trilithon.core.invariant import require
from trilithon.storage.versions import MemoryTable, Received, received
from trilithon.storage.waiting import Waiter, Waiters
from trilithon.types import keys
from trilithon.v1 import journal_pb2, types_pb2

# LMDB's 1,978 bytes less the version.
KEY_BYTES_MAX: Final = 1_970
SLOT_LAST: Final = keys.SLOT_COUNT - 1

W = TypeVar("W", bound=Waiter)


class FeedRefused(Exception):
    """The feed does not continue what this process has; nothing of the update was taken."""


def slot_of(key: bytes) -> int:
    """`keys.key_slot`, for any bytes: a committed entry must have a place even if its key is odd."""
    try:
        return keys.key_slot(key)
    except keys.MalformedKey:
        return zlib.crc32(key) % keys.SLOT_COUNT


class StorageMachine(Generic[W]):
    """See the module. `slot_first` and `slot_last` are inclusive."""

    __slots__ = (
        "_mark",
        "_restarting",
        "_unsettled",
        "applied",
        "collected",
        "epoch",
        "leader",
        "owns_all",
        "position",
        "settled",
        "slot_first",
        "slot_last",
        "table",
        "waiters",
    )

    def __init__(
        self,
        *,
        applied: int,
        collected: int,
        slot_first: int = 0,
        slot_last: int = SLOT_LAST,
    ) -> None:
        require(0 <= slot_first <= slot_last <= SLOT_LAST, "slots lie within the key space")
        self.slot_first = slot_first
        self.slot_last = slot_last
        self.owns_all = slot_first == 0 and slot_last == SLOT_LAST
        self.applied = applied
        self.collected = collected
        self.position = applied
        self.settled = applied
        self.epoch = 0
        self.leader = ""
        self.table = MemoryTable()
        self.waiters: Waiters[W] = Waiters()
        self._unsettled: deque[int] = deque()
        # The settled mark of this subscription; one of another journal would say nothing about
        # entries that only this one has.
        self._mark = 0
        self._restarting = False

    def owns(self, key: bytes) -> bool:
        return self.owns_all or self.slot_first <= slot_of(key) <= self.slot_last

    def subscribe(self) -> int:
        """A new subscription is about to start: the csn to subscribe after.

        What is unsettled stays readable-by-waiting until the first update of the new feed replaces it.
        """
        self._mark = 0
        self._restarting = True
        return self.settled

    def drop_unsettled(self) -> list[W]:
        """Give up what is not settled (the feed is paused, a new subscription brings it again)."""
        self._cut(self.settled)
        return self.waiters.cut(self.settled)

    def start_over(self, applied: int, collected: int) -> list[W]:
        """Everything is replaced by something else that is applied up to here (a hot copy; 0: nothing
        yet). Returns the reads to look at again; nothing may be being applied."""
        self.applied = self.position = self.settled = applied
        # Above `applied` when the copy's source went on collecting.
        self.collected = collected
        self.table = MemoryTable()
        self._unsettled.clear()
        self._mark = 0
        return self.waiters.cut(applied) + self.waiters.moved(applied, applied)

    def feed(self, update: journal_pb2.FeedUpdate) -> list[W]:
        """One step of the feed; returns the reads that may go on. Raises FeedRefused."""
        cut_to = self._cut_point(update)
        self._check_chain(update, cut_to)
        fresh = [received(entry.csn, self._own_writes(entry)) for entry in update.entries]
        woken: list[W] = []
        if cut_to is not None:
            self._cut(cut_to)
            woken = self.waiters.cut(cut_to)
        self._restarting = False
        for entry in fresh:
            self.table.add(entry)
            self._unsettled.append(entry.csn)
            self.position = entry.csn
        self._settle(update.settled_csn)
        self.epoch = max(self.epoch, update.epoch)
        if update.leader:
            self.leader = update.leader
        return woken + self.waiters.moved(self.position, self.settled)

    def _cut_point(self, update: journal_pb2.FeedUpdate) -> int | None:
        cut_to = update.cut_to_csn if update.HasField("cut_to_csn") else None
        if cut_to is not None and cut_to < self.settled:
            raise FeedRefused(
                f"the feed cuts back to {format_csn(cut_to)}, but everything up to "
                f"{format_csn(self.settled)} is settled"
            )
        if self._restarting:
            return self.settled
        return cut_to

    def _check_chain(self, update: journal_pb2.FeedUpdate, cut_to: int | None) -> None:
        tail = self.position
        if cut_to is not None and cut_to < tail:
            tail = max((csn for csn in self._unsettled if csn <= cut_to), default=self.settled)
        for entry in update.entries:
            if entry.previous_csn != tail or entry.csn <= tail:
                raise FeedRefused(
                    f"the feed brings {format_csn(entry.csn)} after "
                    f"{format_csn(entry.previous_csn)}, but {format_csn(tail)} is the newest here"
                )
            tail = entry.csn

    def _cut(self, cut_to: int) -> None:
        unsettled = self._unsettled
        while unsettled and unsettled[-1] > cut_to:
            unsettled.pop()
        self.table.cut(cut_to)
        self.position = unsettled[-1] if unsettled else self.settled

    def _settle(self, mark: int) -> None:
        if mark > self._mark:
            self._mark = mark
        unsettled = self._unsettled
        while unsettled and unsettled[0] <= self._mark:
            self.settled = unsettled.popleft()

    def _own_writes(self, entry: types_pb2.Entry) -> list[tuple[bytes, bytes | None]]:
        data = entry.write_set
        if not data:
            return []
        try:
            writes = types_pb2.WriteSet.FromString(data).writes
        except DecodeError:
            raise FeedRefused(f"the write set of {format_csn(entry.csn)} is no message") from None
        for write in writes:
            if not 0 < len(write.key) <= KEY_BYTES_MAX:
                raise FeedRefused(
                    f"{format_csn(entry.csn)} writes a key of {len(write.key)} bytes, "
                    f"at most {KEY_BYTES_MAX} can be kept"
                )
        # An empty value cannot be told from a tombstone in LMDB, and no encoder writes one.
        pairs = [(write.key, write.value or None) for write in writes]
        if self.owns_all:
            return pairs
        first, last = self.slot_first, self.slot_last
        return [pair for pair in pairs if first <= slot_of(pair[0]) <= last]

    def freeze(self) -> Sequence[Received]:
        """What to apply next, in csn order; the same again until `applied_up_to`."""
        return self.table.freeze(self.settled)

    def applied_up_to(self, csn: int) -> None:
        require(self.applied <= csn <= self.settled, "only settled entries are applied, in order")
        self.applied = csn
        self.table.drop_frozen()

    def collect_below(self, csn: int) -> None:
        """From now on snapshots below `csn` are refused; called before anything is collected."""
        require(csn <= self.settled, "only settled versions are collected")
        self.collected = max(self.collected, csn)
