"""Visible versions of a key range at a snapshot: LMDB and the memory table, merged in key order.

LMDB's keys are key + 8 bytes of (2^64 - 1 - csn): a key's newest version comes first. Walkers are
generators of (key, csn, value); a value of None is a tombstone. Two marks travel as values:

- PROGRESS: nothing to see before this key, which itself is not done; lets the caller stop in time.
- UNSETTLED: this key's newest version is the unsettled entry `csn`; nothing after it was looked at.

The cursor is one of a read transaction that is younger than the memory table's last change.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from trilithon.storage.versions import MemoryTable

CSN_BYTES: Final = 8
_ALL: Final = (1 << 64) - 1
OLDEST: Final = b"\xff" * CSN_BYTES
NEWEST: Final = b"\0" * CSN_BYTES

# Versions of one key that are stepped over before seeking.
_STEPS_MAX: Final = 8
# Versions without a visible row before a mark of progress.
_SILENT_MAX: Final = 256

PROGRESS: Final = b"\xc1progress"
UNSETTLED: Final = b"\xc1unsettled"

Step = tuple[bytes, int, bytes | None]
Cursor = Any  # lmdb.Cursor[bytes]


def invert(csn: int) -> bytes:
    return (_ALL - csn).to_bytes(CSN_BYTES, "big")


def version_key(key: bytes, csn: int) -> bytes:
    return key + (_ALL - csn).to_bytes(CSN_BYTES, "big")


def csn_of(raw: bytes) -> int:
    return _ALL - int.from_bytes(raw[-CSN_BYTES:], "big")


def find(cursor: Cursor, key: bytes, snapshot: int) -> tuple[int, bytes | None] | None:
    """The newest version of `key` at or below `snapshot` in LMDB."""
    if not cursor.set_range(key + (_ALL - snapshot).to_bytes(CSN_BYTES, "big")):
        return None
    raw, value = cursor.item()
    if raw[:-CSN_BYTES] != key:
        return None
    return _ALL - int.from_bytes(raw[-CSN_BYTES:], "big"), value or None


def walk(
    cursor: Cursor,
    table: MemoryTable,
    start: bytes,
    end: bytes,
    reverse: bool,
    snapshot: int,
    settled: int,
) -> Iterator[Step]:
    """The range [start, end) (an empty end: no end) at `snapshot`, tombstones included."""
    walker = walk_reverse if reverse else walk_forward
    stored = walker(cursor, start, end, snapshot)
    if not table.active.versions and (table.frozen is None or not table.frozen.versions):
        return stored
    return _merge(
        stored, table, table.keys_between(start, end, reverse), reverse, snapshot, settled
    )


def _merge(
    stored: Iterator[Step],
    table: MemoryTable,
    memory: Iterator[bytes],
    reverse: bool,
    snapshot: int,
    settled: int,
) -> Iterator[Step]:
    silent = 0
    waiting = next(memory, None)
    for step in stored:
        key = step[0]
        while waiting is not None and ((waiting > key) if reverse else (waiting < key)):
            version = table.newest(waiting, snapshot)
            if version is not None:
                if version[0] > settled:
                    yield waiting, version[0], UNSETTLED
                    return
                yield waiting, version[0], version[1]
            else:
                silent += 1
                if silent % _SILENT_MAX == 0:
                    yield waiting, 0, PROGRESS
            waiting = next(memory, None)
        if waiting == key:
            if step[2] is PROGRESS:
                # This key will come again, with what is stored, unless the caller stops here.
                yield step
                continue
            assert waiting is not None
            version = table.newest(waiting, snapshot)
            waiting = next(memory, None)
            if version is not None:
                if version[0] > settled:
                    yield key, version[0], UNSETTLED
                    return
                yield key, version[0], version[1]
                continue
        yield step
    while waiting is not None:
        version = table.newest(waiting, snapshot)
        if version is not None:
            if version[0] > settled:
                yield waiting, version[0], UNSETTLED
                return
            yield waiting, version[0], version[1]
        else:
            silent += 1
            if silent % _SILENT_MAX == 0:
                yield waiting, 0, PROGRESS
        waiting = next(memory, None)


def walk_forward(cursor: Cursor, start: bytes, end: bytes, snapshot: int) -> Iterator[Step]:
    visible = invert(snapshot)
    found = cursor.set_range(start)
    done: bytes | None = None  # this key's visible version was given
    current: bytes | None = None
    steps = silent = 0
    while found:
        seek = b""
        for raw, value in cursor.iternext():
            key = raw[:-CSN_BYTES]
            suffix = raw[-CSN_BYTES:]
            if key == current:
                steps += 1
            else:
                if end and key >= end:
                    return
                current = key
                steps = 0
            if key == done:
                if steps > _STEPS_MAX:
                    seek = key + OLDEST
                    break
            elif suffix < visible:
                silent += 1
                if steps == 0 and silent >= _SILENT_MAX and key >= start:
                    silent = 0
                    yield key, 0, PROGRESS
                if steps > _STEPS_MAX:
                    seek = key + visible
                    steps = 0
                    break
            else:
                done = key
                # A proper prefix of `start` sorts before it, its versions need not.
                if key >= start:
                    yield key, _ALL - int.from_bytes(suffix, "big"), value or None
        else:
            return
        found = cursor.set_range(seek)


def walk_reverse(cursor: Cursor, start: bytes, end: bytes, snapshot: int) -> Iterator[Step]:
    visible = invert(snapshot)
    found = _seek_before(cursor, end)
    silent = 0
    while found:
        current: bytes | None = None
        best: tuple[bytes, bytes] | None = None  # the suffix and the value
        steps = 0
        for raw, value in cursor.iterprev():
            key = raw[:-CSN_BYTES]
            if key != current:
                if best is not None:
                    assert current is not None
                    yield current, _ALL - int.from_bytes(best[0], "big"), best[1] or None
                    best = None
                else:
                    silent += 1
                if key < start:
                    return
                if silent >= _SILENT_MAX:
                    silent = 0
                    yield key, 0, PROGRESS
                current = key
                steps = 0
            else:
                steps += 1
                if steps > _STEPS_MAX:
                    break
            if raw[-CSN_BYTES:] >= visible:
                best = raw[-CSN_BYTES:], value
        else:
            if best is not None:
                assert current is not None
                yield current, _ALL - int.from_bytes(best[0], "big"), best[1] or None
            return
        # Many versions: look the visible one up, then go on before the newest.
        version = find(cursor, key, snapshot)
        if version is not None:
            yield key, version[0], version[1]
        cursor.set_range(key + NEWEST)
        found = cursor.prev()


def _seek_before(cursor: Cursor, end: bytes) -> bool:
    """Go to the last version of the last key below `end` (with empty `end`: of all)."""
    if not end or not cursor.set_range(end):
        return bool(cursor.last())
    # Versions of a key that is a proper prefix of `end` may sort at or after it.
    while (key := cursor.key()[:-CSN_BYTES]) < end:
        if not cursor.set_range(key + OLDEST + b"\0"):
            return bool(cursor.last())
    return bool(cursor.prev())
