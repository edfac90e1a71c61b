"""The LMDB environment of one storage process.

Three databases:
- `rows`: key + inverted csn (see `walk`) → value; an empty value is a tombstone.
- `garbage`: csn (8 bytes) + part (4) → keys written by that entry. When the entry is older than every
  allowed snapshot, the versions that it superseded are deleted: collection costs what was written,
  never a walk over everything.
- `meta`: `identity` (JSON: whose folder this is), `applied` and `collected` (8-byte csns), and while a
  hot copy is being written `copy` (see `copying.CopyState`): then the rows are a part of something,
  applied is 0, and nobody may read them.

Every write transaction is synced when it commits, so what is applied is durable, and a lost machine
needs no rebuild. Syncs are few: the memory table gathers half a second, and hot pages are written once.

All writing happens in one worker thread at a time (`apply`), reading on the event loop. A write gives
the interpreter's lock away every few hundred microseconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import lmdb
import msgspec

from trilithon.core.csn import format_csn
from trilithon.core.invariant import require
from trilithon.disk import (
    MAP_BYTES,
    META,
    FolderRefused,
    check_identity,
    grow_map,
    lock_folder,
    open_environment,
    put_identity,
    writing,
)
from trilithon.storage.copying import CopyState
from trilithon.storage.versions import Received
from trilithon.storage.walk import CSN_BYTES, csn_of, version_key

FORMAT_VERSION: Final = 1

# Puts between two moments where other threads may run.
_PUTS_PER_TURN: Final = 256
_GARBAGE_PART_BYTES: Final = 64 * 1024

_APPLIED: Final = b"applied"
_COLLECTED: Final = b"collected"
_COPY: Final = b"copy"


@dataclass(frozen=True, slots=True)
class FolderIdentity:
    """Whose folder it is. Slots are inclusive."""

    cluster: str
    slot_first: int
    slot_last: int


@dataclass(frozen=True, slots=True)
class Applied:
    """What one write transaction did. `more_garbage`: collection was not finished."""

    applied: int
    collected: int
    deleted_count: int
    more_garbage: bool


class Engine:
    """Open with `Engine.open`; raises FolderRefused there, and lmdb.Error for broken disks."""

    def __init__(self, environment: lmdb.Environment, path: Path, lock: int) -> None:
        self._environment = environment
        self._lock = lock
        self.path = path
        self._rows: Any = None
        self._garbage: Any = None
        self._meta: Any = None
        # As committed.
        self.applied = 0
        self.collected = 0
        # A hot copy that is not complete.
        self.copy: CopyState | None = None

    @classmethod
    def open(
        cls, path: str | Path, identity: FolderIdentity, *, map_bytes: int = MAP_BYTES
    ) -> Engine:
        folder = Path(path)
        lock = lock_folder(folder)
        environment: lmdb.Environment | None = None
        try:
            environment = open_environment(folder, map_bytes)
            engine = cls(environment, folder, lock)
            engine._open_databases(identity)
            return engine
        except BaseException:
            if environment is not None:
                environment.close()
            os.close(lock)
            raise

    def _open_databases(self, identity: FolderIdentity) -> None:
        environment = self._environment
        found = check_identity(
            environment,
            self.path,
            role="storage",
            format_version=FORMAT_VERSION,
            cluster=identity.cluster,
        )
        if found is not None:
            self._check_slots(found, identity)
        with writing(environment, self.path) as transaction:
            self._meta = environment.open_db(META, txn=transaction)
            self._rows = environment.open_db(b"rows", txn=transaction)
            self._garbage = environment.open_db(b"garbage", txn=transaction)
            if found is None:
                put_identity(transaction, self._meta, _identity_record(identity))
        with environment.begin() as transaction:
            self.applied = _read_csn(transaction.get(_APPLIED, db=self._meta))
            self.collected = _read_csn(transaction.get(_COLLECTED, db=self._meta))
            copy = transaction.get(_COPY, db=self._meta)
            if copy is not None:
                self.copy = msgspec.msgpack.decode(copy, type=CopyState)

    def _check_slots(self, found: Mapping[str, Any], identity: FolderIdentity) -> None:
        slots = found.get("slot_first"), found.get("slot_last")
        if slots != (identity.slot_first, identity.slot_last):
            raise FolderRefused(
                f"{self.path} holds the slots {slots[0]}..{slots[1]}, configured are "
                f"{identity.slot_first}..{identity.slot_last}: a changed key range needs a rebuild "
                "(an empty folder)"
            )

    # ---- reading, on the event loop

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """A cursor over `rows` in a read transaction. Keep it short; never across an await."""
        transaction = self._environment.begin()
        try:
            yield transaction.cursor(self._rows)
        finally:
            transaction.abort()

    def bytes_used(self) -> int:
        try:
            return os.stat(self.path / "data.mdb").st_blocks * 512
        except OSError:
            return 0

    # ---- writing, in the worker thread

    def apply(self, entries: Sequence[Received], *, collect_to: int, collect_max: int) -> Applied:
        """Write the entries (settled, in csn order), and collect what entries up to `collect_to`
        superseded, at most about `collect_max` keys; all in one synced transaction.

        Raises DiskFull or MapFull, and nothing was written; anything else is a broken disk.
        """
        require(self.copy is None, "nothing is applied to a part of a copy")
        require(
            not entries or entries[0].csn > self.applied, "entries are applied once and in order"
        )
        with writing(self._environment, self.path) as transaction:
            result = self._apply(transaction, entries, collect_to, collect_max)
        self.applied, self.collected = result.applied, result.collected
        return result

    def _apply(
        self,
        transaction: lmdb.Transaction[bytes],
        entries: Sequence[Received],
        collect_to: int,
        collect_max: int,
    ) -> Applied:
        rows = transaction.cursor(self._rows)
        for part in _in_parts(_versions(entries)):
            # By key alone and stable: of two writes to one key the later one counts, as in memory.
            part.sort(key=itemgetter(0))
            rows.putmulti(part)
            _yield_to_other_threads()
        for part in _in_parts(_garbage_records(entries)):
            transaction.cursor(self._garbage).putmulti(part, append=True)
            _yield_to_other_threads()
        applied = entries[-1].csn if entries else self.applied
        transaction.put(_APPLIED, _csn_record(applied), db=self._meta)
        collected, deleted, more = self._collect(transaction, collect_to, collect_max)
        return Applied(applied, collected, deleted, more)

    def _collect(
        self, transaction: lmdb.Transaction[bytes], collect_to: int, collect_max: int
    ) -> tuple[int, int, bool]:
        collected, deleted = self.collected, 0
        garbage = transaction.cursor(self._garbage)
        rows = transaction.cursor(self._rows)
        while collect_max > 0 and garbage.first():
            record = garbage.key()
            csn = int.from_bytes(record[:CSN_BYTES], "big")
            if csn > collect_to:
                break
            keys: list[bytes] = msgspec.msgpack.decode(garbage.value(), type=list[bytes])
            for index, key in enumerate(keys):
                deleted += _collect_superseded(rows, key, csn)
                if index & 63 == 63:
                    _yield_to_other_threads()
            garbage.delete()
            collect_max -= len(keys) + 1
            collected = max(collected, csn)
        more = collect_max <= 0
        if collected != self.collected:
            transaction.put(_COLLECTED, _csn_record(collected), db=self._meta)
        return collected, deleted, more

    # ---- a hot copy, in the worker thread; errors as for `apply`

    def begin_copy(self, csn: int, slot: int) -> CopyState:
        """Forget everything: what follows is a copy at `csn`, beginning with this slot."""
        state = CopyState(csn=csn, slot=slot)
        with writing(self._environment, self.path) as transaction:
            transaction.drop(self._rows, delete=False)
            transaction.drop(self._garbage, delete=False)
            for name in (_APPLIED, _COLLECTED):
                transaction.put(name, _csn_record(0), db=self._meta)
            transaction.put(_COPY, msgspec.msgpack.encode(state), db=self._meta)
        self.copy, self.applied, self.collected = state, 0, 0
        return state

    def add_copied(self, versions: Sequence[tuple[bytes, bytes]], state: CopyState) -> CopyState:
        """The next versions of the copy (LMDB keys in order, and values); `state` is what comes after
        them, its `garbage` still that of before."""
        before = self.copy
        require(before is not None and before.csn == state.csn, "a copy is begun, then continued")
        assert before is not None
        records = list(_copied_garbage(before.last, versions))
        state = msgspec.structs.replace(state, garbage=before.garbage + len(records))
        with writing(self._environment, self.path) as transaction:
            for part in _in_parts(iter(versions)):
                transaction.cursor(self._rows).putmulti(part)
                _yield_to_other_threads()
            for number, (csn, keys) in enumerate(records, before.garbage):
                record = csn.to_bytes(CSN_BYTES, "big") + number.to_bytes(4, "big")
                transaction.put(record, msgspec.msgpack.encode(keys), db=self._garbage)
            transaction.put(_COPY, msgspec.msgpack.encode(state), db=self._meta)
        self.copy = state
        return state

    def finish_copy(self) -> CopyState:
        """The copy is complete: from now on it is what is applied."""
        state = self.copy
        require(state is not None, "only a copy that was begun is finished")
        assert state is not None
        with writing(self._environment, self.path) as transaction:
            transaction.put(_APPLIED, _csn_record(state.csn), db=self._meta)
            transaction.put(_COLLECTED, _csn_record(state.collected), db=self._meta)
            transaction.delete(_COPY, db=self._meta)
        self.copy, self.applied, self.collected = None, state.csn, state.collected
        return state

    # ---- administration

    def grow_map(self) -> int:
        """Double the map. Only while no transaction is open: on the loop, the worker idle."""
        return grow_map(self._environment)

    def copy_to(self, path: str | Path) -> None:
        """A compacted hot copy into an empty folder, as of one moment; applied csn included."""
        target = Path(path)
        target.mkdir(parents=True, exist_ok=True)
        self._environment.copy(str(target), compact=True)

    def close(self) -> None:
        """No transaction may be open any more."""
        self._environment.close()
        os.close(self._lock)


def _identity_record(identity: FolderIdentity) -> dict[str, Any]:
    return {
        "role": "storage",
        "format": FORMAT_VERSION,
        "cluster": identity.cluster,
        "slot_first": identity.slot_first,
        "slot_last": identity.slot_last,
    }


def _versions(entries: Sequence[Received]) -> Iterator[tuple[bytes, bytes]]:
    for entry in entries:
        csn = entry.csn
        for key, value in entry.writes:
            yield version_key(key, csn), value or b""


def _garbage_records(entries: Sequence[Received]) -> Iterator[tuple[bytes, bytes]]:
    for entry in entries:
        head = entry.csn.to_bytes(CSN_BYTES, "big")
        keys: list[bytes] = []
        size = part = 0
        for key, _ in entry.writes:
            keys.append(key)
            size += len(key)
            if size >= _GARBAGE_PART_BYTES:
                yield head + part.to_bytes(4, "big"), msgspec.msgpack.encode(keys)
                keys, size, part = [], 0, part + 1
        if keys:
            yield head + part.to_bytes(4, "big"), msgspec.msgpack.encode(keys)


def _copied_garbage(
    last: bytes, versions: Iterable[tuple[bytes, bytes]]
) -> Iterator[tuple[int, list[bytes]]]:
    """What can be collected once these csns are old: keys whose version of that csn superseded another
    one of the copy, or is a tombstone. `last` is the LMDB key before the first one."""
    garbage: dict[int, list[bytes]] = {}
    for raw, value in versions:
        key = raw[:-CSN_BYTES]
        if last[:-CSN_BYTES] == key:
            garbage.setdefault(csn_of(last), []).append(key)
        if not value:
            garbage.setdefault(csn_of(raw), []).append(key)
        last = raw
    return iter(garbage.items())


def _in_parts(items: Iterator[tuple[bytes, bytes]]) -> Iterator[list[tuple[bytes, bytes]]]:
    part: list[tuple[bytes, bytes]] = []
    for item in items:
        part.append(item)
        if len(part) >= _PUTS_PER_TURN:
            yield part
            part = []
    if part:
        yield part


def _collect_superseded(rows: Any, key: bytes, csn: int) -> int:
    """Delete what the version `csn` of `key` superseded, and that version if it is a tombstone."""
    own = version_key(key, csn)
    if not rows.set_key(own):
        return 0
    tombstone = not rows.value()
    deleted = 0
    found = rows.next()
    while found and (raw := rows.key())[:-CSN_BYTES] == key:
        require(csn_of(raw) < csn, f"versions below {format_csn(csn)} are older")
        rows.delete()
        deleted += 1
        found = bool(rows.key())
    if tombstone and rows.set_key(own):
        rows.delete()
        deleted += 1
    return deleted


def _read_csn(record: bytes | None) -> int:
    return 0 if record is None else int.from_bytes(record, "big")


def _csn_record(csn: int) -> bytes:
    return csn.to_bytes(CSN_BYTES, "big")


def _yield_to_other_threads(sleep: Callable[[float], None] = time.sleep) -> None:
    """The event loop waits for the interpreter's lock while puts run; let it have its turn."""
    sleep(0)
