"""The conflict window: who claimed which key since when, and which transaction ids are known.

Both cover the same range of csns, everything above `start_csn`. A request carries its snapshot csn,
and that alone decides whether the window can judge it (`covers`), never a clock.

Modes (DESIGN.md, Commit 3; "write" is a claim with an after-image):
    claim      conflicts with a newer claim of mode
    EXCLUSIVE  EXCLUSIVE, UPDATE, KEY_SHARE
    UPDATE     EXCLUSIVE, UPDATE
    KEY_SHARE  EXCLUSIVE
    BLIND      nothing
    READ check any write, BLIND included; locks change nothing that was read
Per key only the newest csn of each conflict class is kept, so a check is one look-up.

The window starts later than what it was given when a bound is hit: age (counted from when an entry
was applied here), entries, keys, bytes of keys. It never starts above the newest settled csn: what
may still be cut away, or was not answered yet, stays known.

Entries above the settled csn can be cut away again by a new epoch; until then each one remembers
what it replaced.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sortedcontainers import SortedList  # type: ignore[import-untyped]

from trilithon.core.invariant import require
from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import types_pb2 as types

EXCLUSIVE: Final = types.MODE_EXCLUSIVE
UPDATE: Final = types.MODE_UPDATE
KEY_SHARE: Final = types.MODE_KEY_SHARE
BLIND: Final = types.MODE_BLIND

# Newest csn of: any claim; EXCLUSIVE or UPDATE; EXCLUSIVE; any write. BLIND counts as write only.
_Newest = tuple[int, int, int, int]
_NONE: Final[_Newest] = (0, 0, 0, 0)

# Which of the four an acquiring mode looks at.
_LOOKS_AT: Final = {EXCLUSIVE: 0, UPDATE: 1, KEY_SHARE: 2}
_WRITTEN: Final = 3


@dataclass(frozen=True, slots=True)
class Conflict:
    key: bytes
    csn: int
    catalog: bool


@dataclass(frozen=True, slots=True)
class Bounds:
    age_us: int
    entries_max: int
    keys_max: int
    bytes_max: int


@dataclass(slots=True)
class _Applied:
    """One entry of the window. `replaced` is emptied when the entry is settled."""

    csn: int
    applied_us: int
    # Committed or refused; empty for the log's own records.
    transaction_id: bytes
    # Keys written first (`write_count` of them), then keys locked.
    keys: list[bytes]
    write_count: int
    replaced: list[_Newest | None]


@dataclass(frozen=True, slots=True)
class Known:
    """What the window knows of a transaction id: committed at this csn, or refused by it."""

    csn: int
    refused: bool


class Window:
    def __init__(self, bounds: Bounds, start_csn: int = 0) -> None:
        self._bounds = bounds
        self._start_csn = start_csn
        self._newest: dict[bytes, _Newest] = {}
        self._sorted: SortedList[bytes] = SortedList()
        self._key_bytes = 0
        self._entries: deque[_Applied] = deque()
        # The newest entries, those above the settled csn, oldest first.
        self._unsettled: deque[_Applied] = deque()
        self._known: dict[bytes, Known] = {}
        self._settled_csn = start_csn

    @property
    def start_csn(self) -> int:
        return self._start_csn

    @property
    def entry_count(self) -> int:
        return len(self._entries)

    @property
    def key_count(self) -> int:
        return len(self._newest)

    def covers(self, snapshot_csn: int) -> bool:
        return snapshot_csn >= self._start_csn

    def known(self, transaction_id: bytes) -> Known | None:
        return self._known.get(transaction_id)

    # ---- judging

    def conflict(
        self,
        snapshot_csn: int,
        write_set: types.WriteSet,
        read_checks: Sequence[adjudicator.ReadCheck] = (),
    ) -> Conflict | None:
        """The first claim that a newer entry conflicts with. The window must cover the snapshot."""
        for check in read_checks:
            found = self._read_conflict(snapshot_csn, check)
            if found is not None:
                return found
        newest = self._newest
        for write in write_set.writes:
            held = newest.get(write.key)
            if held is not None and write.mode != BLIND:
                csn = held[_LOOKS_AT[write.mode]]
                if csn > snapshot_csn:
                    return Conflict(write.key, csn, False)
        for lock in write_set.locks:
            held = newest.get(lock.key)
            if held is not None:
                csn = held[_LOOKS_AT[lock.mode]]
                if csn > snapshot_csn:
                    return Conflict(lock.key, csn, False)
        return None

    def _read_conflict(self, snapshot_csn: int, check: adjudicator.ReadCheck) -> Conflict | None:
        if check.WhichOneof("what") == "range":
            found = self._range_conflict(snapshot_csn, check.range.start, check.range.end)
        else:
            csn = self._newest.get(check.key, _NONE)[_WRITTEN]
            found = (check.key, csn) if csn > snapshot_csn else None
        return Conflict(found[0], found[1], check.catalog) if found is not None else None

    def _range_conflict(
        self, snapshot_csn: int, start: bytes, end: bytes
    ) -> tuple[bytes, int] | None:
        """A key in [start, end) that was written after the snapshot.

        Walks whichever is shorter: the writes since the snapshot, or the keys of the range.
        """
        first = self._sorted.bisect_left(start)
        last = self._sorted.bisect_left(end) if end else len(self._sorted)
        left = last - first
        if left <= 0:
            return None
        recent: list[_Applied] = []
        for applied in reversed(self._entries):
            if applied.csn <= snapshot_csn:
                return _written_in(recent, start, end)
            recent.append(applied)
            left -= len(applied.keys) + 1
            if left < 0:
                break
        else:
            return _written_in(recent, start, end)
        for key in self._sorted.islice(first, last):
            csn = self._newest[key][_WRITTEN]
            if csn > snapshot_csn:
                return key, csn
        return None

    # ---- following the log

    def apply(
        self, entry: types.Entry, now_us: int, write_set: types.WriteSet | None = None
    ) -> None:
        """Take in the next entry. `write_set`: its parsed content, where the caller has it."""
        csn = entry.csn
        content = entry.WhichOneof("content")
        transaction_id = refused_id = b""
        keys: list[bytes] = []
        replaced: list[_Newest | None] = []
        write_count = 0
        if content == "write_set":
            transaction_id = entry.transaction_id
            require(transaction_id not in self._known, "a transaction id commits once")
            self._known[transaction_id] = Known(csn, False)
            if write_set is None:
                write_set = types.WriteSet.FromString(entry.write_set)
            write_count = len(write_set.writes)
            self._claim(csn, write_set, keys, replaced)
        elif content == "refusal":
            refused_id = entry.refusal.transaction_id
            require(refused_id not in self._known, "a known transaction id is not refused")
            self._known[refused_id] = Known(csn, True)
        applied = _Applied(csn, now_us, transaction_id or refused_id, keys, write_count, replaced)
        self._entries.append(applied)
        self._unsettled.append(applied)

    def _claim(
        self,
        csn: int,
        write_set: types.WriteSet,
        keys: list[bytes],
        replaced: list[_Newest | None],
    ) -> None:
        newest = self._newest
        exclusive = (csn, csn, csn, csn)
        for write in write_set.writes:
            key = write.key
            old = newest.get(key)
            keys.append(key)
            replaced.append(old)
            mode = write.mode
            if mode == EXCLUSIVE:
                new = exclusive
            elif mode == UPDATE:
                new = (csn, csn, old[2] if old else 0, csn)
            else:
                new = (old[0], old[1], old[2], csn) if old else (0, 0, 0, csn)
            if old is None:
                self._add_key(key)
            newest[key] = new
        for lock in write_set.locks:
            key = lock.key
            old = newest.get(key)
            keys.append(key)
            replaced.append(old)
            _, updated, claimed, written = old or _NONE
            if lock.mode == EXCLUSIVE:
                new = (csn, csn, csn, written)
            elif lock.mode == UPDATE:
                new = (csn, csn, claimed, written)
            else:
                new = (csn, updated, claimed, written)
            if old is None:
                self._add_key(key)
            newest[key] = new

    def _add_key(self, key: bytes) -> None:
        self._sorted.add(key)
        self._key_bytes += len(key)

    def _drop_key(self, key: bytes) -> None:
        del self._newest[key]
        self._sorted.remove(key)
        self._key_bytes -= len(key)

    def settle(self, csn: int) -> None:
        """Nothing at or below `csn` will be cut away."""
        self._settled_csn = max(self._settled_csn, csn)
        unsettled = self._unsettled
        while unsettled and unsettled[0].csn <= csn:
            unsettled.popleft().replaced = []

    def cut_to(self, csn: int) -> None:
        """Undo every entry above `csn`; none of them may be settled."""
        require(csn >= self._settled_csn, "what is settled is never cut away")
        while self._unsettled and self._unsettled[-1].csn > csn:
            applied = self._unsettled.pop()
            self._entries.pop()
            self._known.pop(applied.transaction_id, None)
            for key, old in zip(reversed(applied.keys), reversed(applied.replaced), strict=True):
                if old is not None and max(old) > self._start_csn:
                    if key not in self._newest:
                        self._add_key(key)
                    self._newest[key] = old
                elif key in self._newest:
                    self._drop_key(key)

    # ---- bounds

    def shrink(self, now_us: int) -> None:
        """Forget from the oldest end whatever the bounds do not allow."""
        bounds = self._bounds
        entries = self._entries
        oldest_us = now_us - bounds.age_us
        while (
            entries
            and entries[0].csn <= self._settled_csn
            and (
                entries[0].applied_us < oldest_us
                or len(entries) > bounds.entries_max
                or len(self._newest) > bounds.keys_max
                or self._key_bytes > bounds.bytes_max
            )
        ):
            self._forget(entries.popleft())

    def _forget(self, applied: _Applied) -> None:
        csn = applied.csn
        self._start_csn = csn
        self._known.pop(applied.transaction_id, None)
        newest = self._newest
        for key in applied.keys:
            held = newest.get(key)
            if held is not None and max(held) <= csn:
                self._drop_key(key)


def _written_in(entries: Iterable[_Applied], start: bytes, end: bytes) -> tuple[bytes, int] | None:
    for applied in entries:
        for key in applied.keys[: applied.write_count]:
            if key >= start and (not end or key < end):
                return key, applied.csn
    return None
