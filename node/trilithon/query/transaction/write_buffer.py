"""The writes and locks of one transaction, ordered by key. Pure.

Vocabulary
- *Command*: a number that grows with every statement and savepoint. A *version* of a key is what one
  command made of it; the newest is what gets committed.
- *Row*: a key of a user table's index 0. Only rows count against the row limit, index entries do not, nor
  rows of `uncounted` storage.

Invariants
- The mode of a key is the strongest that any of its writes and locks asked for (a later, weaker write
  does not weaken the claim), unless a rollback to a savepoint took the stronger one away.
- `row_count` and `byte_count` are those of what would be committed now.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.core.invariant import require
from trilithon.v1.types_pb2 import (
    MODE_BLIND,
    MODE_EXCLUSIVE,
    MODE_KEY_SHARE,
    MODE_UPDATE,
    WriteSet,
)

# Smaller is stronger, which is also how the wire numbers them.
STRENGTH: Final[dict[int, int]] = {
    MODE_EXCLUSIVE: 0,
    MODE_UPDATE: 1,
    MODE_KEY_SHARE: 2,
    MODE_BLIND: 3,
}
WRITE_MODES: Final = frozenset({MODE_EXCLUSIVE, MODE_UPDATE, MODE_BLIND})
LOCK_MODES: Final = frozenset({MODE_EXCLUSIVE, MODE_UPDATE, MODE_KEY_SHARE})

# LMDB takes keys of 1,978 bytes, eight of which are the csn.
KEY_BYTES_MAX: Final = 1970
_FIRST_USER_PREFIX: Final = (1000).to_bytes(4, "big")
_ROW_INDEX: Final = bytes(4)


@dataclass(frozen=True, slots=True)
class BufferLimits:
    rows: int = 3_000
    bytes: int = 10 * 1024 * 1024
    row_bytes: int = 2 * 1024 * 1024


class Version:
    """What one command made of one key. `value` None: a tombstone."""

    __slots__ = ("command", "mode", "previous", "value")

    def __init__(
        self, command: int, mode: int, value: bytes | None, previous: Version | None
    ) -> None:
        self.command = command
        self.mode = mode
        self.value = value
        self.previous = previous


@dataclass(slots=True)
class _Savepoint:
    name: str
    # Versions and locks of this command and later ones go on rollback.
    command: int
    touched_before: int
    locks_before: int


def is_row_key(key: bytes) -> bool:
    """A row of a user table, as against index entries and rows of system tables."""
    return key[4:8] == _ROW_INDEX and key[:4] >= _FIRST_USER_PREFIX


def stronger(left: int, right: int) -> int:
    return left if STRENGTH[left] <= STRENGTH[right] else right


class WriteBuffer:
    __slots__ = (
        "_command",
        "_fresh",
        "_limits",
        "_locks",
        "_locks_undo",
        "_savepoints",
        "_sorted",
        "_statement",
        "_touched",
        "_versions",
        "byte_count",
        "row_count",
        "uncounted",
    )

    def __init__(self, limits: BufferLimits) -> None:
        self._limits = limits
        self._versions: dict[bytes, Version] = {}
        # Keys in order, and the keys that came since they were last sorted.
        self._sorted: list[bytes] = []
        self._fresh: list[bytes] = []
        self._locks: dict[bytes, int] = {}
        self._savepoints: list[_Savepoint] = []
        # While there are savepoints: the keys that got a version, and the locks as they were.
        self._touched: list[bytes] = []
        self._locks_undo: list[tuple[bytes, int | None]] = []
        self._command = 0
        # Versions of this command and later ones are the running statement's own; None: no
        # statement was ever announced, everything is visible.
        self._statement: int | None = None
        self.row_count = 0
        self.byte_count = 0
        # The first four bytes of keys, added before the first of them is written.
        self.uncounted: set[bytes] = set()

    # ---- statements and savepoints

    def begin_statement(self) -> None:
        """From here on reads see what was written before, not what this statement writes."""
        self._command += 1
        self._statement = self._command

    def savepoint(self, name: str) -> None:
        self._command += 1
        self._savepoints.append(
            _Savepoint(name, self._command, len(self._touched), len(self._locks_undo))
        )

    def release(self, name: str) -> None:
        """Forget the savepoint and the ones after it; their writes stay. SqlError 3B001."""
        del self._savepoints[self._find_savepoint(name) :]
        if not self._savepoints:
            self._touched.clear()
            self._locks_undo.clear()

    def rollback_to(self, name: str) -> None:
        """Undo everything after the savepoint, which stays. SqlError 3B001."""
        position = self._find_savepoint(name)
        savepoint = self._savepoints[position]
        del self._savepoints[position + 1 :]
        for key in self._touched[savepoint.touched_before :]:
            self._undo(key, savepoint.command)
        del self._touched[savepoint.touched_before :]
        for key, mode in reversed(self._locks_undo[savepoint.locks_before :]):
            self._set_lock(key, mode)
        del self._locks_undo[savepoint.locks_before :]
        self._command += 1
        # What is written from here on must be undone by a second rollback to the same savepoint,
        # and its command is smaller than all of that.

    def _find_savepoint(self, name: str) -> int:
        for position in range(len(self._savepoints) - 1, -1, -1):
            if self._savepoints[position].name == name:
                return position
        raise SqlError("3B001", f'savepoint "{name}" does not exist')

    def _undo(self, key: bytes, command: int) -> None:
        newest = self._versions.get(key)
        kept = newest
        while kept is not None and kept.command >= command:
            kept = kept.previous
        if newest is None or kept is newest:
            return
        self.byte_count -= _size(key, newest)
        if kept is not None:
            self._versions[key] = kept
            self.byte_count += _size(key, kept)
            return
        del self._versions[key]
        if self._counts(key):
            self.row_count -= 1
        self._forget_order()

    def _forget_order(self) -> None:
        self._sorted = []
        self._fresh = list(self._versions)

    # ---- writing

    def write(self, key: bytes, mode: int, value: bytes | None) -> None:
        """Buffer one write. SqlError 54000 when a limit is exceeded; then nothing was buffered."""
        require(mode in WRITE_MODES, "writes are EXCLUSIVE, UPDATE or BLIND")
        if len(key) > KEY_BYTES_MAX:
            raise SqlError("54000", "key size too large", detail=f"The key has {len(key)} bytes.")
        if value is not None and len(value) > self._limits.row_bytes:
            raise SqlError(
                "54000",
                "maximum row size exceeded",
                detail=f"The row has {len(value)} bytes, the limit is {self._limits.row_bytes}.",
            )
        current = self._versions.get(key)
        size = len(key) + (len(value) if value is not None else 0)
        byte_count = self.byte_count + size - (_size(key, current) if current is not None else 0)
        is_new_row = current is None and self._counts(key)
        self._check_limits(byte_count, self.row_count + is_new_row)
        self.byte_count = byte_count
        self.row_count += is_new_row
        if current is None:
            self._fresh.append(key)
            self._versions[key] = Version(self._command, mode, value, None)
        elif current.command == self._command:
            current.mode = stronger(mode, current.mode)
            current.value = value
            return
        else:
            mode = stronger(mode, current.mode)
            self._prune(current)
            self._versions[key] = Version(self._command, mode, value, current)
        if self._savepoints:
            self._touched.append(key)

    def _counts(self, key: bytes) -> bool:
        return is_row_key(key) and key[:4] not in self.uncounted

    def _check_limits(self, byte_count: int, row_count: int) -> None:
        limits = self._limits
        if row_count > limits.rows and row_count > self.row_count:
            raise SqlError(
                "54000",
                "transaction row limit exceeded",
                detail=f"A transaction can change at most {limits.rows} rows.",
            )
        if byte_count > limits.bytes and byte_count > self.byte_count:
            limit_mb = f"{limits.bytes / 1048576:g}mb"
            raise SqlError(
                "54000",
                f"transaction size limit {limit_mb} exceeded",
                detail=f"Current transaction size {byte_count / 1048576:.3g}mb {limit_mb}",
            )

    def _prune(self, version: Version) -> None:
        """Drop what neither the running statement nor a savepoint can come back to, so that a loop
        over one row does not pile up versions."""
        older = version.previous
        statement = self._statement
        if older is None or (statement is not None and version.command >= statement):
            return
        if not self._savepoints:
            version.previous = None
        elif older.command >= self._savepoints[-1].command:
            version.previous = older.previous

    # ---- locks

    def lock(self, key: bytes, mode: int) -> None:
        require(mode in LOCK_MODES, "locks are EXCLUSIVE, UPDATE or KEY_SHARE")
        if len(key) > KEY_BYTES_MAX:
            raise SqlError("54000", "key size too large", detail=f"The key has {len(key)} bytes.")
        held = self._locks.get(key)
        if held is not None and STRENGTH[held] <= STRENGTH[mode]:
            return
        if held is None:
            self._check_limits(self.byte_count + len(key), self.row_count)
        if self._savepoints:
            self._locks_undo.append((key, held))
        self._set_lock(key, mode)

    def _set_lock(self, key: bytes, mode: int | None) -> None:
        held = self._locks.pop(key, None)
        self.byte_count -= 0 if held is None else len(key)
        if mode is not None:
            self._locks[key] = mode
            self.byte_count += len(key)

    # ---- reading

    @property
    def is_empty(self) -> bool:
        return not self._versions and not self._locks

    @property
    def has_writes(self) -> bool:
        return bool(self._versions)

    def wrote(self, key: bytes) -> bool:
        return key in self._versions

    def written_keys(self) -> Iterable[bytes]:
        return self._versions.keys()

    def is_claimed(self, key: bytes) -> bool:
        """Whether the commit writes or locks this key."""
        return key in self._versions or key in self._locks

    def visible(self, key: bytes, *, current: bool = False) -> Version | None:
        """The own write that a read sees; None: storage knows. `current` includes the running
        statement's own writes."""
        version = self._versions.get(key)
        return version if current else self._before_statement(version)

    def _before_statement(self, version: Version | None) -> Version | None:
        statement = self._statement
        if statement is not None:
            while version is not None and version.command >= statement:
                version = version.previous
        return version

    def visible_range(
        self, start: bytes, end: bytes, *, current: bool = False
    ) -> list[tuple[bytes, bytes | None]]:
        """Own writes with start <= key < end (end empty: no end) in key order: (key, value)."""
        if not self._versions:
            return []
        keys = self._ordered_keys()
        first = bisect_left(keys, start)
        last = bisect_left(keys, end, first) if end else len(keys)
        found: list[tuple[bytes, bytes | None]] = []
        for key in keys[first:last]:
            version = self._versions[key]
            seen = version if current else self._before_statement(version)
            if seen is not None:
                found.append((key, seen.value))
        return found

    def _ordered_keys(self) -> list[bytes]:
        if self._fresh:
            # Two sorted runs: timsort merges them in linear time.
            self._fresh.sort()
            self._sorted += self._fresh
            self._sorted.sort()
            self._fresh = []
        return self._sorted

    def claims(self) -> Iterator[tuple[bytes, int]]:
        """Every key with the mode in which the commit will claim it."""
        for key in self._ordered_keys():
            yield key, self._write_mode(key)
        for key, mode in self._locks.items():
            if key not in self._versions:
                yield key, mode

    def _write_mode(self, key: bytes) -> int:
        mode = self._versions[key].mode
        held = self._locks.get(key)
        return mode if held is None else stronger(mode, held if held != MODE_KEY_SHARE else mode)

    def write_set(self) -> WriteSet:
        """What the commit carries: writes in key order, then the locks that the writes do not imply."""
        result = WriteSet()
        writes = result.writes
        versions = self._versions
        for key in self._ordered_keys():
            value = versions[key].value
            mode = self._write_mode(key) if self._locks else versions[key].mode
            if value is None:
                writes.add(key=key, mode=mode)
            else:
                writes.add(key=key, mode=mode, value=value)
        for key in sorted(self._locks):
            mode = self._locks[key]
            written = versions.get(key)
            # A blind write claims nothing, so the lock says more; any other write implies a
            # weaker or equal lock, and _write_mode has merged a stronger one.
            if written is None or (mode == MODE_KEY_SHARE and written.mode == MODE_BLIND):
                result.locks.add(key=key, mode=mode)
        return result


def _size(key: bytes, version: Version) -> int:
    return len(key) + (len(version.value) if version.value is not None else 0)
