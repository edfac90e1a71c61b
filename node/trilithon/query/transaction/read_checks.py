"""What a transaction read and must find unwritten when it commits. Pure.

Points and ranges of keys, bounded: beyond `CHECKS_MAX` neighbours are joined to ranges. That is safe (a
range covers what it replaces and more), it only conflicts more often. Ranges are joined within one
table's index first, so that a transaction over two tables does not block what lies between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from trilithon.v1.adjudicator_pb2 import ReadCheck

CHECKS_MAX: Final = 4096
_PREFIX_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class ReadRange:
    """start <= key < end; an empty end: to the end of all keys."""

    start: bytes
    end: bytes

    def contains(self, key: bytes) -> bool:
        return self.start <= key and (not self.end or key < self.end)


class ReadChecks:
    __slots__ = ("_next_token", "_points", "_ranges")

    def __init__(self) -> None:
        self._points: set[bytes] = set()
        # By token, so that a scan which stopped early can narrow its own range.
        self._ranges: dict[int, ReadRange] = {}
        self._next_token = 0

    def __len__(self) -> int:
        return len(self._points) + len(self._ranges)

    def add_point(self, key: bytes) -> None:
        self._points.add(key)
        if len(self) > CHECKS_MAX:
            self._coalesce()

    def add_range(self, start: bytes, end: bytes) -> int:
        """A token for `narrow`."""
        if len(self) >= CHECKS_MAX:
            self._coalesce()
        self._next_token += 1
        self._ranges[self._next_token] = ReadRange(start, end)
        return self._next_token

    def narrow(self, token: int, start: bytes, end: bytes) -> None:
        """Only this part of the range was looked at. Without effect once ranges were joined."""
        if token in self._ranges:
            self._ranges[token] = ReadRange(start, end)

    def _coalesce(self) -> None:
        intervals = [ReadRange(key, key + b"\0") for key in self._points]
        intervals += self._ranges.values()
        merged = _merge_overlapping(intervals)
        group = 2
        while len(merged) > CHECKS_MAX // 2:
            joined = _join_neighbours(merged, group)
            if len(joined) == len(merged):
                # As many indexes as ranges: nothing left to respect.
                joined = [ReadRange(merged[0].start, merged[-1].end)]
            merged = joined
        self._points.clear()
        # Fresh tokens: an unfinished scan must not narrow what now stands for more than its own range.
        self._ranges = {}
        for interval in merged:
            self._next_token += 1
            self._ranges[self._next_token] = interval

    def messages(self) -> Iterator[ReadCheck]:
        covering = _merge_overlapping(list(self._ranges.values()))
        at = 0
        for key in sorted(self._points):
            while at < len(covering) and covering[at].end and covering[at].end <= key:
                at += 1
            if at < len(covering) and covering[at].contains(key):
                continue
            yield ReadCheck(key=key)
        for interval in covering:
            check = ReadCheck()
            check.range.start = interval.start
            check.range.end = interval.end
            yield check


def _merge_overlapping(intervals: list[ReadRange]) -> list[ReadRange]:
    """Sorted, disjoint, nothing empty."""
    merged: list[ReadRange] = []
    for interval in sorted(intervals, key=lambda item: item.start):
        if interval.end and interval.end <= interval.start:
            continue
        if merged and (not merged[-1].end or interval.start <= merged[-1].end):
            last = merged[-1]
            end = max(last.end, interval.end) if last.end and interval.end else b""
            merged[-1] = ReadRange(last.start, end)
        else:
            merged.append(interval)
    return merged


def _join_neighbours(intervals: list[ReadRange], group: int) -> list[ReadRange]:
    """Every `group` neighbours of one table's index become one range."""
    joined: list[ReadRange] = []
    count = 0
    for interval in intervals:
        last = joined[-1] if joined else None
        if (
            last is not None
            and count < group
            and last.end
            and last.start[:_PREFIX_BYTES] == interval.start[:_PREFIX_BYTES]
        ):
            joined[-1] = ReadRange(last.start, interval.end)
            count += 1
        else:
            joined.append(interval)
            count = 1
    return joined
