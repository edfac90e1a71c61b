"""The log as a journal knows it in memory: which csns it holds, and its newest entries.

Which csns: a base and one span per epoch (csns are dense within an epoch), so every question about
membership and succession is answered without a disk, however long the log is. The newest entries
themselves are kept up to a bound; older ones must be read from the store.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from trilithon.core.csn import NO_CSN, SEQUENCE_BITS, SEQUENCE_MAX
from trilithon.core.invariant import require
from trilithon.journal.operations import RecoveredState, Span
from trilithon.v1.journal_pb2 import EpochSpan
from trilithon.v1.types_pb2 import Entry


def follows(previous_csn: int, csn: int) -> bool:
    """Whether an entry `csn` may come right after `previous_csn`."""
    if csn & SEQUENCE_MAX:
        return csn == previous_csn + 1 and previous_csn >> SEQUENCE_BITS > 0
    return csn >> SEQUENCE_BITS > previous_csn >> SEQUENCE_BITS


class RecentEntries:
    """The newest entries, contiguous up to the tail. `floor` is the csn before the first of them."""

    __slots__ = ("_bytes", "_csns", "_entries", "_head", "_sizes", "floor")

    def __init__(self, floor: int) -> None:
        self.floor = floor
        self._entries: list[Entry] = []
        self._csns: list[int] = []
        self._sizes: list[int] = []
        # Entries before this index are already given up; removed in bulk.
        self._head = 0
        self._bytes = 0

    @property
    def bytes(self) -> int:
        return self._bytes

    def add(self, entry: Entry, size: int) -> None:
        self._entries.append(entry)
        self._csns.append(entry.csn)
        self._sizes.append(size)
        self._bytes += size

    def cut(self, csn: int) -> int:
        """Drop what is above `csn`; returns the bytes dropped."""
        index = bisect_right(self._csns, csn)
        dropped = sum(self._sizes[max(index, self._head) :])
        # What was given up goes as well: lower csns may follow.
        del self._entries[index:], self._csns[index:], self._sizes[index:]
        self._head = min(self._head, index)
        self._bytes -= dropped
        self.floor = min(self.floor, csn)
        return dropped

    def shrink(self, bytes_max: int, up_to_csn: int) -> None:
        """Give up the oldest entries until `bytes_max` is kept, none above `up_to_csn`."""
        head = self._head
        while self._bytes > bytes_max and head < len(self._csns) and self._csns[head] <= up_to_csn:
            self.floor = self._csns[head]
            self._bytes -= self._sizes[head]
            head += 1
        self._drop_to(head)

    def trim(self, base_csn: int) -> None:
        head = self._head
        while head < len(self._csns) and self._csns[head] <= base_csn:
            self._bytes -= self._sizes[head]
            head += 1
        self.floor = max(self.floor, base_csn)
        self._drop_to(head)

    def after(self, after_csn: int, to_csn: int, bytes_max: int) -> list[Entry] | None:
        """Entries in (after, to], at least one if there is any, about `bytes_max` at most; None
        when some of them are no longer kept."""
        if after_csn < self.floor:
            return None
        start = max(bisect_right(self._csns, after_csn), self._head)
        end = bisect_right(self._csns, to_csn, start)
        size = 0
        for index in range(start, end):
            size += self._sizes[index]
            if size > bytes_max and index > start:
                end = index
                break
        return self._entries[start:end]

    def _drop_to(self, head: int) -> None:
        self._head = head
        if head > 1024 and head * 2 > len(self._csns):
            del self._entries[:head], self._csns[:head], self._sizes[:head]
            self._head = 0
        elif head:
            # Given up but still in the list: do not keep the messages alive.
            for index in range(head - 1, -1, -1):
                if self._entries[index] is _GONE:
                    break
                self._entries[index] = _GONE


_GONE = Entry()


class Log:
    """Base, spans and recent entries of one log."""

    __slots__ = ("_catalog", "_spans", "base_catalog_csn", "base_csn", "recent", "tail_csn")

    def __init__(self, recovered: RecoveredState) -> None:
        self.base_csn: int = recovered.base.csn
        self.base_catalog_csn: int = recovered.base.catalog_csn
        self._spans = list(recovered.spans)
        self._catalog = list(recovered.catalog_csns)
        self.tail_csn = recovered.tail_csn
        first = recovered.recent[0].previous_csn if recovered.recent else self.tail_csn
        self.recent = RecentEntries(first)
        for entry in recovered.recent:
            self.recent.add(entry, entry.ByteSize())
        last = recovered.recent[-1].csn if recovered.recent else self.tail_csn
        require(last == self.tail_csn, "the recent entries reach the tail")

    @property
    def empty(self) -> bool:
        """Never held anything, and starts at the beginning."""
        return not self._spans and self.base_csn == NO_CSN

    @property
    def spans(self) -> Sequence[Span]:
        return self._spans

    def history(self, to_csn: int) -> list[EpochSpan]:
        """First and last csn of each epoch, as far as `to_csn`."""
        return [
            EpochSpan(epoch=span.epoch, first_csn=span.first, last_csn=min(span.last, to_csn))
            for span in self._spans
            if span.first <= to_csn
        ]

    def contains(self, csn: int) -> bool:
        """Whether `csn` is in the log, or its base."""
        if csn >= self.tail_csn:
            return csn == self.tail_csn
        if csn == self.base_csn:
            return True
        index = bisect_left(self._spans, csn, key=_last_of)
        return index < len(self._spans) and self._spans[index].first <= csn

    def floor(self, csn: int) -> int:
        """The newest csn of the log, or its base, that is not above `csn`."""
        if csn >= self.tail_csn:
            return self.tail_csn
        index = bisect_right(self._spans, csn, key=_first_of) - 1
        return self.base_csn if index < 0 else min(csn, self._spans[index].last)

    def next_csn(self, csn: int) -> int | None:
        """What follows `csn`, which is in the log or its base; None at the tail."""
        if csn >= self.tail_csn:
            return None
        index = bisect_right(self._spans, csn, key=_last_of)
        return max(self._spans[index].first, csn + 1)

    def step(self, csn: int, count: int, to_csn: int) -> int:
        """The csn `count` entries after `csn`, but not beyond `to_csn`; both in the log or base."""
        reached = csn
        for span in self._spans:
            if span.last <= csn:
                continue
            if count <= 0 or span.first > to_csn:
                break
            start = max(span.first, csn + 1)
            reached = min(start + count - 1, span.last, to_csn)
            count -= reached - start + 1
        return reached

    def extend(self, entries: Sequence[Entry]) -> int:
        """Append entries whose csns were checked to follow each other; returns their bytes."""
        recent = self.recent
        before = recent.bytes
        tail = self.tail_csn
        require(not entries or entries[0].previous_csn == tail, "entries follow the tail")
        for entry in entries:
            csn = entry.csn
            if not csn & SEQUENCE_MAX:
                self._reach(tail)
                self._spans.append(Span(csn >> SEQUENCE_BITS, csn, csn))
            tail = csn
            if entry.catalog:
                self._catalog.append(csn)
            recent.add(entry, entry.ByteSize())
        self._reach(tail)
        return recent.bytes - before

    def _reach(self, tail: int) -> None:
        """The newest span goes up to `tail`."""
        spans = self._spans
        epoch = tail >> SEQUENCE_BITS
        if spans and spans[-1].epoch == epoch:
            spans[-1] = Span(epoch, spans[-1].first, tail)
        elif tail > self.tail_csn:
            # The first entry above a base within the base's epoch.
            spans.append(Span(epoch, self.tail_csn + 1, tail))
        self.tail_csn = tail

    def cut(self, csn: int) -> None:
        """Remove everything above `csn`, which stays the tail."""
        require(self.contains(csn), "a cut leaves a csn of this log as its tail")
        while self._spans and self._spans[-1].first > csn:
            self._spans.pop()
        if self._spans and self._spans[-1].last > csn:
            self._spans[-1] = Span(self._spans[-1].epoch, self._spans[-1].first, csn)
        while self._catalog and self._catalog[-1] > csn:
            self._catalog.pop()
        self.tail_csn = csn
        self.recent.cut(csn)

    def start_at(self, base_csn: int, catalog_csn: int) -> None:
        require(self.empty, "only an empty log starts at a base")
        self.base_csn = self.tail_csn = base_csn
        self.base_catalog_csn = catalog_csn
        self.recent.trim(base_csn)

    def trim(self, base_csn: int) -> None:
        """Forget everything at or below `base_csn`, which is in the log."""
        require(self.base_csn <= base_csn and self.contains(base_csn), "the base moves up the log")
        self.base_catalog_csn = self.catalog_at(base_csn)
        del self._catalog[: bisect_right(self._catalog, base_csn)]
        while self._spans and self._spans[0].last <= base_csn:
            self._spans.pop(0)
        if self._spans and self._spans[0].first <= base_csn:
            self._spans[0] = Span(self._spans[0].epoch, base_csn + 1, self._spans[0].last)
        self.base_csn = base_csn
        self.recent.trim(base_csn)

    def catalog_at(self, csn: int) -> int:
        """The newest entry at or below `csn` that changed the catalog; 0: none."""
        catalog = self._catalog
        if not catalog:
            return self.base_catalog_csn
        if catalog[-1] <= csn:
            return catalog[-1]
        index = bisect_right(catalog, csn)
        return catalog[index - 1] if index else self.base_catalog_csn


def _first_of(span: Span) -> int:
    return span.first


def _last_of(span: Span) -> int:
    return span.last
