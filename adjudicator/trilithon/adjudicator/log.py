"""The tail of the log in memory, and what two logs have in common.

One csn never names two entries and every entry names its previous one; so two logs that both hold
a csn are equal up to it. The newest common csn therefore follows from the epoch histories alone.

`base_csn` is the csn of the entry before the first kept one: it is known to be in the log although
its content is gone. Zero is the beginning of everything, which every log holds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trilithon.core.csn import epoch_of, sequence_of
from trilithon.core.invariant import require
from trilithon.v1 import journal_pb2 as journal
from trilithon.v1 import types_pb2 as types


@dataclass(frozen=True, slots=True)
class Span:
    """The entries of one epoch in one log, both ends inclusive."""

    epoch: int
    first_csn: int
    last_csn: int


def common_csn(ours: Iterable[Span], theirs: Iterable[Span]) -> int | None:
    """The newest csn that both logs hold; None where the spans do not show any.

    A span may be one csn that is known to be in the log (a base); two logs whose base is zero share
    at least that.
    """
    mine: dict[int, list[Span]] = {}
    for span in ours:
        mine.setdefault(span.epoch, []).append(span)
    best: int | None = None
    for other in theirs:
        for span in mine.get(other.epoch, ()):
            last = min(span.last_csn, other.last_csn)
            if last >= max(span.first_csn, other.first_csn) and (best is None or last > best):
                best = last
    return best


def spans_of(history: Iterable[journal.EpochSpan], base_csn: int) -> list[Span]:
    """Spans of a journal's answer, its base included."""
    spans = [Span(span.epoch, span.first_csn, span.last_csn) for span in history]
    spans.append(Span(epoch_of(base_csn), base_csn, base_csn))
    return spans


def entries_back(spans: Sequence[Span], base_csn: int, count: int) -> int:
    """The csn `count` entries before the tail of a log with these spans, or its base."""
    left = count
    for span in sorted(spans, key=lambda span: span.last_csn, reverse=True):
        size = span.last_csn - span.first_csn + 1
        if left < size and span.last_csn - left > base_csn:
            return span.last_csn - left
        left = max(0, left - size)
    return base_csn


class LogTail:
    """Consecutive entries after `base_csn`. Positions are looked up by csn, O(log n)."""

    __slots__ = ("_csns", "_ends", "_entries", "_older", "base_csn")

    def __init__(self, base_csn: int = 0, older: Sequence[Span] = ()) -> None:
        self.base_csn = base_csn
        # Epochs at or below the base: known to be in the log, their content is elsewhere.
        self._older = [
            Span(span.epoch, span.first_csn, min(span.last_csn, base_csn))
            for span in older
            if span.first_csn <= base_csn
        ]
        self._csns: list[int] = []
        self._entries: list[types.Entry] = []
        # Running total of serialised bytes up to and including each entry.
        self._ends: list[int] = [0]

    def __len__(self) -> int:
        return len(self._csns)

    @property
    def tail_csn(self) -> int:
        return self._csns[-1] if self._csns else self.base_csn

    @property
    def bytes(self) -> int:
        return self._ends[-1] - self._ends[0]

    def contains(self, csn: int) -> bool:
        if csn == self.base_csn:
            return True
        index = bisect_left(self._csns, csn)
        return index < len(self._csns) and self._csns[index] == csn

    def get(self, csn: int) -> types.Entry | None:
        index = bisect_left(self._csns, csn)
        if index < len(self._csns) and self._csns[index] == csn:
            return self._entries[index]
        return None

    def append(self, entry: types.Entry) -> None:
        require(entry.previous_csn == self.tail_csn, "an entry follows the one that it names")
        require(entry.csn > self.tail_csn, "csns only grow")
        require(
            entry.csn == entry.previous_csn + 1 or sequence_of(entry.csn) == 0,
            "an epoch's csns are consecutive from (epoch, 0)",
        )
        self._csns.append(entry.csn)
        self._entries.append(entry)
        self._ends.append(self._ends[-1] + entry.ByteSize())

    def bytes_between(self, after_csn: int, to_csn: int) -> int:
        """Serialised bytes of the entries in (after_csn, to_csn]."""
        first = bisect_right(self._csns, after_csn)
        last = bisect_right(self._csns, to_csn)
        return self._ends[last] - self._ends[first] if last > first else 0

    def count_after(self, csn: int) -> int:
        return len(self._csns) - bisect_right(self._csns, csn)

    def between(self, after_csn: int, to_csn: int) -> list[types.Entry]:
        return self._entries[bisect_right(self._csns, after_csn) : bisect_right(self._csns, to_csn)]

    def chunk(self, after_csn: int, bytes_max: int, entries_max: int) -> list[types.Entry]:
        """The next entries after a csn that this log holds: at least one where there is one."""
        first = bisect_right(self._csns, after_csn)
        last = bisect_right(self._ends, self._ends[first] + bytes_max) - 1
        return self._entries[first : min(max(last, first + 1), first + entries_max)]

    def cut_to(self, csn: int) -> list[types.Entry]:
        """Drop what is above `csn`, which this log must hold; the dropped entries, oldest first."""
        require(self.contains(csn), "a log is cut at a csn that it holds")
        index = bisect_right(self._csns, csn)
        dropped = self._entries[index:]
        del self._csns[index:], self._entries[index:], self._ends[index + 1 :]
        return dropped

    def trim_to(self, csn: int) -> None:
        """Forget what is at or below `csn`."""
        index = bisect_right(self._csns, csn)
        if index:
            older = self.spans()
            self.base_csn = self._csns[index - 1]
            self._older = [
                Span(span.epoch, span.first_csn, min(span.last_csn, self.base_csn))
                for span in older
                if span.first_csn <= self.base_csn
            ]
            del self._csns[:index], self._entries[:index], self._ends[:index]

    def excess_csn(self, bytes_max: int) -> int:
        """Up to where to trim so that at most `bytes_max` remain."""
        over = self._ends[-1] - bytes_max
        if over <= self._ends[0]:
            return self.base_csn
        return self._csns[bisect_left(self._ends, over) - 1]

    def spans(self) -> list[Span]:
        """Newest last, the epochs below the base included as far as they are known."""
        spans = list(self._older)
        first = self.base_csn
        index = 0
        while True:
            end = bisect_right(self._csns, (epoch_of(first) + 1 << 40) - 1, index)
            last = self._csns[end - 1] if end > index else first
            if spans and spans[-1].epoch == epoch_of(first):
                first = spans.pop().first_csn
            spans.append(Span(epoch_of(first), first, last))
            if end >= len(self._csns):
                return spans
            first = self._csns[end]
            index = end
