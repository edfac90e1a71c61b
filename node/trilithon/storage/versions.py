"""The memory table: versions that were received and are not in LMDB yet.

Two generations: `active` takes what arrives; `frozen` is being written to LMDB and never changes.
Unsettled entries live in the active one only and can be cut away again. A key's versions are a
linked list, newest first, so that the hot path (the newest version is settled) is one dictionary
look-up. The sorted index of keys, which only range reads need, is brought up to date by them.

Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sortedcontainers import SortedList  # type: ignore[import-untyped]

from trilithon.core.invariant import require

# (csn, value or None for a tombstone, the next older version or None). Values are never empty.
Version = tuple[int, bytes | None, Any]
Writes = Sequence[tuple[bytes, bytes | None]]

# What a version costs beyond its key and value: tuple, list cell, dictionary slot. A rough figure.
VERSION_BYTES: Final = 250


@dataclass(frozen=True, slots=True)
class Received:
    """One entry's writes, those of this process's slots only. Empty ones count too: they move csns."""

    csn: int
    writes: Writes
    size_bytes: int


def received(csn: int, writes: Writes) -> Received:
    size = sum(len(key) + len(value or b"") + VERSION_BYTES for key, value in writes)
    return Received(csn, writes, size + VERSION_BYTES)


class Generation:
    """Entries in csn order, and their versions by key."""

    __slots__ = ("_index", "_unindexed", "entries", "size_bytes", "versions")

    def __init__(self) -> None:
        self.entries: list[Received] = []
        self.versions: dict[bytes, Version] = {}
        self.size_bytes = 0
        # Sorted keys of `versions`, except those still in `_unindexed`; None: rebuild it.
        self._index: SortedList[bytes] | None = None
        self._unindexed: list[bytes] = []

    def add(self, entry: Received) -> None:
        self.entries.append(entry)
        self.size_bytes += entry.size_bytes
        versions = self.versions
        csn = entry.csn
        for key, value in entry.writes:
            older = versions.get(key)
            if older is None:
                if self._index is not None:
                    self._unindexed.append(key)
            elif older[0] == csn:
                older = older[2]  # written twice by one entry: the last write counts
            versions[key] = (csn, value, older)

    def cut(self, csn: int) -> None:
        """Forget the entries above `csn`."""
        while self.entries and self.entries[-1].csn > csn:
            entry = self.entries.pop()
            self.size_bytes -= entry.size_bytes
            for key, _ in entry.writes:
                version = self.versions.get(key)
                while version is not None and version[0] > csn:
                    version = version[2]
                if version is None:
                    self.versions.pop(key, None)
                else:
                    self.versions[key] = version
            self._index = None

    def keys_between(self, start: bytes, end: bytes, reverse: bool) -> Iterator[bytes]:
        """Keys of [start, end) in order; an empty end is no end."""
        if not self.versions:
            return iter(())
        if self._index is None:
            self._index = SortedList(self.versions)
            self._unindexed.clear()
        elif self._unindexed:
            self._index.update(self._unindexed)
            self._unindexed.clear()
        keys: Iterator[bytes] = self._index.irange(
            start, end or None, inclusive=(True, not end), reverse=reverse
        )
        return keys


class MemoryTable:
    __slots__ = ("active", "frozen")

    def __init__(self) -> None:
        self.active = Generation()
        self.frozen: Generation | None = None

    @property
    def size_bytes(self) -> int:
        return self.active.size_bytes + (self.frozen.size_bytes if self.frozen else 0)

    def add(self, entry: Received) -> None:
        self.active.add(entry)

    def cut(self, csn: int) -> None:
        """Forget the unsettled entries above `csn`."""
        frozen = self.frozen
        require(
            frozen is None or not frozen.entries or frozen.entries[-1].csn <= csn,
            "what is being applied is settled and cannot be cut away",
        )
        self.active.cut(csn)

    def freeze(self, settled: int) -> Sequence[Received]:
        """Begin to apply the entries up to `settled`; the same ones again until `drop_frozen`."""
        if self.frozen is None:
            if not self.active.entries or self.active.entries[0].csn > settled:
                return ()
            rest = Generation()
            entries = self.active.entries
            unsettled = len(entries)
            while unsettled and entries[unsettled - 1].csn > settled:
                unsettled -= 1
            if unsettled == len(entries):
                self.frozen = self.active
            else:
                self.frozen = Generation()
                for entry in entries[:unsettled]:
                    self.frozen.add(entry)
                for entry in entries[unsettled:]:
                    rest.add(entry)
            self.active = rest
        return self.frozen.entries

    def drop_frozen(self) -> None:
        """LMDB has them now."""
        self.frozen = None

    def newest(self, key: bytes, snapshot: int) -> Version | None:
        """The newest version at or below `snapshot`, which may be unsettled."""
        version = self.active.versions.get(key)
        while version is not None and version[0] > snapshot:
            version = version[2]
        if version is None and self.frozen is not None:
            version = self.frozen.versions.get(key)
            while version is not None and version[0] > snapshot:
                version = version[2]
        return version

    def keys_between(self, start: bytes, end: bytes, reverse: bool) -> Iterator[bytes]:
        """Keys of both generations in [start, end), in order, each once."""
        active = self.active.keys_between(start, end, reverse)
        if self.frozen is None:
            return active
        return _merge(active, self.frozen.keys_between(start, end, reverse), reverse)


def _merge(left: Iterator[bytes], right: Iterator[bytes], reverse: bool) -> Iterator[bytes]:
    a = next(left, None)
    b = next(right, None)
    while a is not None and b is not None:
        if a == b:
            yield a
            a, b = next(left, None), next(right, None)
        elif (a < b) is not reverse:
            yield a
            a = next(left, None)
        else:
            yield b
            b = next(right, None)
    if a is not None:
        yield a
        yield from left
    if b is not None:
        yield b
        yield from right
