"""The journal's disk: an LMDB environment that holds the log, the promise and what belongs to them.

One write transaction with one sync makes a batch of operations durable as a whole. Entries carry a
checksum that is verified whenever they are read. Everything here runs in the journal's one worker
thread, apart from opening.

Databases: `entries` (csn, 8 bytes big-endian → crc32 and serialised Entry); `catalog` and `members`
(the csns of entries that changed the catalog or carry a member list); `meta` (everything that is one
record).
"""

from __future__ import annotations

import os
import random
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from trilithon.core.csn import CSN_MAX, SEQUENCE_MAX, epoch_of, format_csn, make_csn
from trilithon.core.ids import ID_BYTES, make_random_id
from trilithon.core.invariant import require
from trilithon.disk import (
    MAP_BYTES,
    META,
    FolderRefused,
    MapFull,
    check_identity,
    grow_map,
    lock_folder,
    open_environment,
    put_identity,
    writing,
)
from trilithon.journal.operations import (
    AppendEntries,
    Cut,
    Operation,
    RecoveredState,
    SetBase,
    SetLeaseTtl,
    SetPromise,
    SetSettled,
    Span,
)
from trilithon.journal.quorum import member_list_of
from trilithon.v1.journal_pb2 import Base, Candidate
from trilithon.v1.types_pb2 import Entry

FORMAT_VERSION: Final = 1
_CSN_BYTES: Final = 8
_CRC_BYTES: Final = 4

_PROMISED_EPOCH: Final = b"promised_epoch"
_CANDIDATE: Final = b"candidate"
_LEASE_TTL: Final = b"lease_ttl_us"
_SETTLED: Final = b"settled"
_BASE: Final = b"base"


class EntryDamaged(Exception):
    """An entry on the disk is not what was written. The journal must not go on with it."""


class JournalStore(Protocol):
    """What the service needs of a disk. The simulation has its own."""

    def load(self) -> RecoveredState: ...

    async def write(self, operations: Sequence[Operation]) -> None:
        """Returns once they are durable. Raises anything when they may not be; the journal stops."""
        ...

    async def read_entries(self, after_csn: int, to_csn: int, max_bytes: int) -> list[Entry]: ...

    async def log_bytes(self) -> int:
        """What the log takes on the disk."""
        ...

    async def close(self) -> None: ...


class LogFile:
    """The environment. `recent_bytes` is how much of the log `load` brings into memory.

    Raises FolderRefused when opened on a folder that is another cluster's, role's or format's.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        role: str = "journal",
        cluster: str,
        source: random.Random,
        recent_bytes: int,
        map_bytes: int = MAP_BYTES,
    ) -> None:
        self.path = Path(path)
        self._role = role
        self._recent_bytes = recent_bytes
        lock = lock_folder(self.path)
        self._lock: int | None = lock
        try:
            self._environment = open_environment(self.path, map_bytes)
            try:
                self.incarnation = self._open_databases(cluster, source)
            except BaseException:
                self._environment.close()
                raise
        except BaseException:
            os.close(lock)
            raise

    def _open_databases(self, cluster: str, source: random.Random) -> bytes:
        environment = self._environment
        found = check_identity(
            environment,
            self.path,
            role=self._role,
            format_version=FORMAT_VERSION,
            cluster=cluster,
        )
        incarnation = make_random_id(source) if found is None else self._incarnation_of(found)
        with writing(environment, self.path) as transaction:
            self._meta = environment.open_db(META, txn=transaction)
            self._entries = environment.open_db(b"entries", txn=transaction)
            self._catalog = environment.open_db(b"catalog", txn=transaction)
            self._members = environment.open_db(b"members", txn=transaction)
            if found is None:
                identity = {
                    "role": self._role,
                    "format": FORMAT_VERSION,
                    "cluster": cluster,
                    "incarnation": incarnation.hex(),
                }
                put_identity(transaction, self._meta, identity)
        return incarnation

    def _incarnation_of(self, identity: Mapping[str, Any]) -> bytes:
        try:
            incarnation = bytes.fromhex(identity["incarnation"])
        except (KeyError, TypeError, ValueError):
            incarnation = b""
        if len(incarnation) != ID_BYTES:
            raise FolderRefused(f"{self.path} does not say which incarnation it is")
        return incarnation

    # ---- after a start

    def load(self) -> RecoveredState:
        """Raises EntryDamaged."""
        with self._environment.begin() as transaction:
            get = self._getter(transaction)
            candidate = get(_CANDIDATE)
            spans = tuple(self._spans(transaction))
            self._check_complete(transaction, spans)
            recent = self._newest_entries(transaction)
            members = [self._entry(transaction, csn) for csn in self._csns(transaction, "members")]
            return RecoveredState(
                incarnation=self.incarnation,
                promised_epoch=_number(get(_PROMISED_EPOCH)),
                candidate=None if candidate is None else Candidate.FromString(candidate),
                lease_ttl_us=_number(get(_LEASE_TTL)),
                settled_csn=_number(get(_SETTLED)),
                base=Base.FromString(get(_BASE) or b""),
                spans=spans,
                recent=tuple(recent),
                catalog_csns=tuple(self._csns(transaction, "catalog")),
                member_entries=tuple(members),
                log_bytes=self._log_bytes(transaction),
            )

    def _getter(self, transaction: Any) -> Any:
        return lambda key: transaction.get(key, db=self._meta)

    def _check_complete(self, transaction: Any, spans: Sequence[Span]) -> None:
        """Everything else relies on spans without holes; this finds one without reading the log."""
        expected = sum(span.last - span.first + 1 for span in spans)
        found = transaction.stat(self._entries)["entries"]
        if found != expected:
            raise EntryDamaged(f"the log has {found} entries where {expected} belong")

    def _spans(self, transaction: Any) -> Iterator[Span]:
        """One seek per epoch: csns are dense within an epoch."""
        cursor = transaction.cursor(self._entries)
        found = cursor.first()
        while found:
            first = _csn_of(cursor.key())
            epoch = epoch_of(first)
            beyond = make_csn(epoch, SEQUENCE_MAX)
            found = cursor.set_range(_key(beyond + 1)) if beyond < CSN_MAX else False
            here = cursor.prev() if found else cursor.last()
            require(here, "an epoch with a first entry has a last one")
            yield Span(epoch, first, _csn_of(cursor.key()))
            found = found and cursor.next()

    def _newest_entries(self, transaction: Any) -> list[Entry]:
        cursor = transaction.cursor(self._entries)
        newest: list[Entry] = []
        size = 0
        found = cursor.last()
        while found and size < self._recent_bytes:
            newest.append(_decode(cursor.key(), cursor.value()))
            size += len(cursor.value())
            found = cursor.prev()
        newest.reverse()
        return newest

    def _csns(self, transaction: Any, which: str) -> Iterator[int]:
        database = self._catalog if which == "catalog" else self._members
        for key in transaction.cursor(database).iternext(keys=True, values=False):
            yield _csn_of(key)

    def _entry(self, transaction: Any, csn: int) -> Entry:
        record = transaction.get(_key(csn), db=self._entries)
        if record is None:
            raise EntryDamaged(f"entry {format_csn(csn)} is missing")
        return _decode(_key(csn), record)

    def _log_bytes(self, transaction: Any) -> int:
        stat = transaction.stat(self._entries)
        pages = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
        return int(pages * stat["psize"])

    # ---- in the worker thread

    def write(self, operations: Sequence[Operation]) -> None:
        """One synced transaction. Raises DiskFull and nothing was written; anything else is a
        broken disk, and what was written is unknown."""
        while True:
            try:
                with writing(self._environment, self.path) as transaction:
                    for operation in operations:
                        self._apply(transaction, operation)
                return
            except MapFull:
                grow_map(self._environment)

    def _apply(self, transaction: Any, operation: Operation) -> None:
        meta = self._meta
        match operation:
            case AppendEntries(entries):
                self._append(transaction, entries)
            case Cut(csn):
                self._remove(transaction, csn + 1, CSN_MAX)
            case SetPromise(epoch, candidate):
                transaction.put(_PROMISED_EPOCH, _record(epoch), db=meta)
                transaction.put(_CANDIDATE, candidate.SerializeToString(), db=meta)
            case SetLeaseTtl(lease_ttl_us):
                transaction.put(_LEASE_TTL, _record(lease_ttl_us), db=meta)
            case SetSettled(csn):
                transaction.put(_SETTLED, _record(csn), db=meta)
            case SetBase(base):
                transaction.put(_BASE, base.SerializeToString(), db=meta)
                self._remove(transaction, 0, base.csn)

    def _append(self, transaction: Any, entries: Sequence[Entry]) -> None:
        for entry in entries:
            key = _key(entry.csn)
            written = transaction.put(key, _encode(entry), append=True, db=self._entries)
            require(written, "entries are appended behind the tail")
            if entry.catalog:
                transaction.put(key, b"", append=True, db=self._catalog)
            if member_list_of(entry) is not None:
                transaction.put(key, b"", append=True, db=self._members)

    def _remove(self, transaction: Any, first: int, last: int) -> None:
        for database in (self._entries, self._catalog, self._members):
            cursor = transaction.cursor(database)
            found = cursor.set_range(_key(first))
            while found and _csn_of(cursor.key()) <= last:
                cursor.delete()
                found = bool(cursor.key())

    def read_entries(self, after_csn: int, to_csn: int, max_bytes: int) -> list[Entry]:
        """Entries in (after, to], at least one if there is any. Raises EntryDamaged."""
        found: list[Entry] = []
        size = 0
        with self._environment.begin() as transaction:
            cursor = transaction.cursor(self._entries)
            more = after_csn < CSN_MAX and cursor.set_range(_key(after_csn + 1))
            while more and _csn_of(cursor.key()) <= to_csn:
                size += len(cursor.value())
                if found and size > max_bytes:
                    break
                found.append(_decode(cursor.key(), cursor.value()))
                more = cursor.next()
        return found

    def log_bytes(self) -> int:
        """What the log's pages take."""
        with self._environment.begin() as transaction:
            return self._log_bytes(transaction)

    def close(self) -> None:
        """Again: nothing."""
        if self._lock is not None:
            self._environment.close()
            os.close(self._lock)
            self._lock = None


def _key(csn: int) -> bytes:
    return csn.to_bytes(_CSN_BYTES, "big")


def _csn_of(key: bytes) -> int:
    return int.from_bytes(key, "big")


def _record(number: int) -> bytes:
    return number.to_bytes(_CSN_BYTES, "big")


def _number(record: bytes | None) -> int:
    return 0 if record is None else int.from_bytes(record, "big")


def _encode(entry: Entry) -> bytes:
    data = entry.SerializeToString()
    return zlib.crc32(data).to_bytes(_CRC_BYTES, "big") + data


def _decode(key: bytes, record: bytes) -> Entry:
    data = record[_CRC_BYTES:]
    if zlib.crc32(data) != int.from_bytes(record[:_CRC_BYTES], "big"):
        raise EntryDamaged(f"entry {format_csn(_csn_of(key))} does not match its checksum")
    entry = Entry.FromString(data)
    if entry.csn != _csn_of(key):
        raise EntryDamaged(f"entry {format_csn(entry.csn)} stands at {format_csn(_csn_of(key))}")
    return entry
