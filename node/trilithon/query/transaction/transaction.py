"""One transaction: reads at its snapshot that see its own writes, a buffer, and one commit.

Used by one session, one call at a time (several reads of one statement may run side by side).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from trilithon.core.errors import SqlError
from trilithon.core.ids import TransactionId
from trilithon.core.world import Clock
from trilithon.query.catalog.system_tables import object_key
from trilithon.query.transaction.limits import TransactionLimits
from trilithon.query.transaction.local_program import run_locally
from trilithon.query.transaction.merge import Chunk, OwnRow, merge
from trilithon.query.transaction.ports import (
    Row,
    SpeculationLike,
    StorageReadsLike,
    closing,
)
from trilithon.query.transaction.read_checks import ReadChecks, ReadRange
from trilithon.query.transaction.row_events import RowEvents, RowEventsMark
from trilithon.query.transaction.timings import TransactionTimings
from trilithon.query.transaction.write_buffer import WriteBuffer
from trilithon.v1.adjudicator_pb2 import CommitRequest, ReadCheck
from trilithon.v1.types_pb2 import MODE_KEY_SHARE

if TYPE_CHECKING:
    from trilithon.query.catalog.catalog import Catalog
    from trilithon.query.catalog.definitions import Table
    from trilithon.query.transaction.manager import TransactionManager


class TransactionState(Enum):
    ACTIVE = "active"
    COMMITTING = "committing"
    COMMITTED = "committed"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class CommitResult:
    """`csn` 0: the transaction wrote and locked nothing, so there was nothing to commit."""

    csn: int
    # Wall clock of the leader, microseconds since 1970 UTC; 0 when nothing was committed.
    committed_at_us: int = 0


@dataclass(slots=True)
class _CatalogSavepoint:
    name: str
    catalog: Catalog
    changes_catalog: bool
    committed_hooks: int
    follow_ups: int
    row_events: RowEventsMark


@dataclass(frozen=True, slots=True)
class FirstRead:
    """A read that may travel beside the snapshot request: these very arguments must come to `get`.

    `catalog` is the one that the keys and the program were made with; with any other the read is
    thrown away.
    """

    keys: tuple[bytes, ...]
    program: bytes
    catalog: Catalog


CommitHook = Callable[[CommitResult], None]


class Transaction:
    """`started_us` is wall-clock time, microseconds since 1970 UTC: what now() shows.

    `manager` is for what a statement must do in transactions of its own (sequences, backfill).
    """

    def __init__(
        self,
        *,
        transaction_id: TransactionId,
        snapshot_csn: int,
        catalog: Catalog,
        reads: StorageReadsLike,
        manager: TransactionManager,
        clock: Clock,
        limits: TransactionLimits,
        read_only: bool,
        serializable: bool,
    ) -> None:
        self.id = transaction_id
        self.snapshot_csn = snapshot_csn
        # As of the snapshot; `catalog` has this transaction's own DDL in it too.
        self.base_catalog = catalog
        self.catalog = catalog
        self.manager = manager
        self.read_only = read_only
        self.serializable = serializable
        self.started_us = clock.wall_us()
        self.state = TransactionState.ACTIVE
        # Awaited at the start of commit, in order (deferred constraints); may read and write.
        self.before_commit: list[Callable[[], Awaitable[None]]] = []
        # Awaited after the commit is settled and before `commit` returns: what a statement that is a
        # transaction of its own waits for. A failure there is raised, though the commit stands.
        self.follow_ups: list[Callable[[], Awaitable[None]]] = []
        self._clock = clock
        self._born_us = clock.monotonic_us()
        self._limits = limits
        self._reads = reads
        self._buffer = WriteBuffer(limits.buffer)
        self._checks = ReadChecks()
        self._used_objects: set[int] = set()
        self._changes_catalog = False
        self._savepoints: list[_CatalogSavepoint] = []
        self._committed_hooks: list[CommitHook] = []
        self._row_ids = 0
        # What foreign keys must look at, at the end of the statement or before COMMIT.
        self.row_events = RowEvents()
        self._first_read: tuple[FirstRead, asyncio.Task[SpeculationLike]] | None = None
        self.timings = TransactionTimings()

    # ---- reading

    async def get(
        self, keys: Sequence[bytes], program: bytes = b"", *, current: bool = False
    ) -> list[Row | None]:
        """Rows by key, None where there is none or the program's filter says no.

        `current` also shows what the running statement itself wrote (see `begin_statement`).
        """
        self._check_usable()
        buffer = self._buffer
        if self.serializable:
            for key in keys:
                if not buffer.wrote(key):
                    self._checks.add_point(key)
        if not buffer.has_writes:
            return await self._stored(keys, program)
        result: list[Row | None] = [None] * len(keys)
        elsewhere: list[int] = []
        for position, key in enumerate(keys):
            own = buffer.visible(key, current=current)
            if own is None:
                elsewhere.append(position)
            elif own.value is not None:
                result[position] = run_locally(program, own.value)
        if elsewhere:
            asked = [keys[position] for position in elsewhere]
            found = await self._stored(asked, program)
            for position, row in zip(elsewhere, found, strict=True):
                result[position] = row
        return result

    async def _stored(self, keys: Sequence[bytes], program: bytes) -> list[Row | None]:
        """Storage's rows at the snapshot."""
        began_us = self._clock.monotonic_us()
        rows = None
        if self._first_read is not None:
            rows = await self._speculated(keys, program)
        if rows is None:
            rows = await self._reads.get(self.snapshot_csn, keys, program)
        timings = self.timings
        timings.reads += 1
        timings.reads_us += self._clock.monotonic_us() - began_us
        return rows

    def expect(self, read: FirstRead, answer: asyncio.Task[SpeculationLike]) -> None:
        """From the manager: this read is on its way already."""
        self._first_read = (read, answer)

    async def _speculated(self, keys: Sequence[bytes], program: bytes) -> list[Row | None] | None:
        """The first read's rows, if it is this one and holds at the snapshot."""
        if self._first_read is None:
            return None
        read, answer = self._first_read
        self._first_read = None
        if tuple(keys) != read.keys or program != read.program:
            answer.cancel()
            return None
        try:
            speculation = await answer
        except SqlError:
            # The real read says what is wrong, if anything still is.
            return None
        return speculation.rows if speculation.holds_at(self.snapshot_csn) else None

    def _drop_first_read(self) -> None:
        if self._first_read is not None:
            self._first_read[1].cancel()
            self._first_read = None

    def scan(
        self,
        start: bytes,
        end: bytes,
        *,
        reverse: bool = False,
        limit: int = 0,
        program: bytes = b"",
        with_keys: bool = False,
        current: bool = False,
    ) -> AsyncIterator[Chunk]:
        """Rows with start <= key < end (end empty: no end) in key order, in chunks.

        `limit` counts rows that passed the program's filter; 0: none. The own writes that the scan
        shows are those of this call's moment, however long it is then read.
        """
        self._check_usable()
        written = self._buffer.visible_range(start, end, current=current)
        own = [
            OwnRow(key, None if value is None else run_locally(program, value))
            for key, value in (reversed(written) if reverse else written)
        ]
        token = self._checks.add_range(start, end) if self.serializable else None
        return self._scan(start, end, reverse, limit, program, with_keys, own, token)

    def partial_groups(
        self, start: bytes, end: bytes, program: bytes
    ) -> AsyncIterator[Chunk] | None:
        """Partial rows, in any order, of the groups of a key range's rows, made by storage with a
        program that aggregates. None where this transaction wrote within the range: storage does not
        know of that."""
        self._check_usable()
        if self._buffer.visible_range(start, end):
            return None
        if self.serializable:
            self._checks.add_range(start, end)
        return self._partial_groups(start, end, program)

    async def _partial_groups(
        self, start: bytes, end: bytes, program: bytes
    ) -> AsyncIterator[Chunk]:
        source = self._reads.scan(self.snapshot_csn, start, end, program=program, ordered=False)
        async with closing(source) as chunks:
            async for chunk in chunks:
                self._check_usable()
                yield Chunk(chunk.rows)

    async def _scan(
        self,
        start: bytes,
        end: bytes,
        reverse: bool,
        limit: int,
        program: bytes,
        with_keys: bool,
        own: list[OwnRow],
        token: int | None,
    ) -> AsyncIterator[Chunk]:
        # A serializable scan with a limit needs keys to say how far it looked.
        narrows = token is not None and limit > 0
        needs_keys = with_keys or bool(own) or narrows
        source = self._reads.scan(
            self.snapshot_csn,
            start,
            end,
            reverse=reverse,
            limit=limit + len(own) if limit else 0,
            program=program,
            with_keys=needs_keys,
        )
        if own:
            source = merge(source, own, reverse=reverse, limit=limit)
        count = 0
        async with closing(source) as chunks:
            async for chunk in chunks:
                self._check_usable()
                count += len(chunk.rows)
                if narrows and count >= limit and token is not None:
                    last = chunk.keys[-1]
                    if reverse:
                        self._checks.narrow(token, last, end)
                    else:
                        self._checks.narrow(token, start, last + b"\0")
                yield Chunk(chunk.rows, chunk.keys if with_keys else [])

    # ---- writing

    def write(self, key: bytes, mode: int, value: bytes | None) -> None:
        """Buffer one write; `value` None: a tombstone. SqlError 54000 at a limit, 25006."""
        self._check_usable()
        self.check_writable("a write")
        self._buffer.write(key, mode, value)

    def write_all(self, writes: Iterable[tuple[bytes, int, bytes | None]]) -> None:
        """Many of `write`, in order; at a limit those before it are buffered."""
        self._check_usable()
        self.check_writable("a write")
        write = self._buffer.write
        for key, mode, value in writes:
            write(key, mode, value)

    def lock(self, key: bytes, mode: int) -> None:
        """Claim a key without writing it (FOR UPDATE: EXCLUSIVE on the row's key)."""
        self._check_usable()
        self.check_writable("SELECT FOR UPDATE")
        self._buffer.lock(key, mode)

    def leave_uncounted(self, storage_id: int) -> None:
        """Rows of this storage do not count against the row limit: they are second forms of others."""
        self._buffer.uncounted.add(storage_id.to_bytes(4, "big"))

    def check_writable(self, command: str) -> None:
        """SqlError 25006 in a read-only transaction; `command` is the verb for the message."""
        if self.read_only:
            raise SqlError("25006", f"cannot execute {command} in a read-only transaction")

    def check_read(self, what: bytes | ReadRange) -> None:
        """The commit shall fail if this key (or a key of this range) was written meanwhile."""
        self._check_usable()
        if isinstance(what, bytes):
            self._checks.add_point(what)
        else:
            self._checks.add_range(what.start, what.end)

    def use_table(self, table: Table | int) -> None:
        """The commit shall fail (OC001) if this table's definition was changed meanwhile. Also for
        views, sequences and other objects, by id."""
        self._used_objects.add(table if isinstance(table, int) else table.id)

    def depend_on_object(self, object_id: int) -> None:
        """The commit shall fail (OC001) if this object is dropped or changed meanwhile, and a
        concurrent drop of it shall fail if this commits first."""
        self.lock(object_key(object_id), MODE_KEY_SHARE)

    def change_catalog(self, catalog: Catalog) -> None:
        """DDL: from here on this transaction sees `catalog`. The writes are buffered apart."""
        self._check_usable()
        self.check_writable("DDL")
        self.catalog = catalog
        self._changes_catalog = True

    @property
    def changes_catalog(self) -> bool:
        return self._changes_catalog

    @property
    def row_count(self) -> int:
        """Table rows that the commit would change."""
        return self._buffer.row_count

    @property
    def has_writes(self) -> bool:
        return not self._buffer.is_empty

    def wrote(self, key: bytes) -> bool:
        return self._buffer.wrote(key)

    def written_keys(self) -> Iterable[bytes]:
        return self._buffer.written_keys()

    def claims(self, key: bytes) -> bool:
        """Whether the commit would write or lock this key."""
        return self._buffer.is_claimed(key)

    @property
    def age_us(self) -> int:
        """Microseconds since its snapshot was taken."""
        return self._clock.monotonic_us() - self._born_us

    def is_new_storage(self, table: Table) -> bool:
        """Whether nobody else can have rows or see rows of this table: it was created, truncated or
        rewritten by this transaction."""
        before = self.base_catalog.table_by_id(table.id)
        return before is None or before.storage_id != table.storage_id

    def new_row_id(self) -> bytes:
        """A hidden row id: sorts by the transaction's begin, then in order of insertion. Unique:
        56 random bits of this transaction's id, and a counter."""
        self._row_ids += 1
        return self.id[:6] + self._row_ids.to_bytes(3, "big") + self.id[9:]

    # ---- statements and savepoints

    def begin_statement(self) -> None:
        """From here on reads see everything written before, but nothing that is written until the
        next call (unless they ask for `current`). A transaction that never calls this sees all."""
        self._check_usable()
        self._buffer.begin_statement()

    def savepoint(self, name: str) -> None:
        self._check_usable()
        self._buffer.savepoint(name)
        self._savepoints.append(
            _CatalogSavepoint(
                name,
                self.catalog,
                self._changes_catalog,
                len(self._committed_hooks),
                len(self.follow_ups),
                self.row_events.mark(),
            )
        )

    def release(self, name: str) -> None:
        """SqlError 3B001 when there is no such savepoint."""
        self._check_open()
        self._buffer.release(name)
        del self._savepoints[self._find_savepoint(name) :]

    def rollback_to(self, name: str) -> None:
        """SqlError 3B001 when there is no such savepoint. What was read stays checked."""
        self._check_open()
        self._buffer.rollback_to(name)
        position = self._find_savepoint(name)
        del self._savepoints[position + 1 :]
        savepoint = self._savepoints[position]
        self.catalog = savepoint.catalog
        self._changes_catalog = savepoint.changes_catalog
        del self._committed_hooks[savepoint.committed_hooks :]
        del self.follow_ups[savepoint.follow_ups :]
        self.row_events.back_to(savepoint.row_events)

    def _find_savepoint(self, name: str) -> int:
        return max(i for i, savepoint in enumerate(self._savepoints) if savepoint.name == name)

    # ---- the end

    def on_committed(self, hook: CommitHook) -> None:
        """Called after the commit is settled (not after a rollback, also to a savepoint before)."""
        self._committed_hooks.append(hook)

    async def commit(self) -> CommitResult:
        """SqlError 40001 (conflict: nothing was done), 40003 (the outcome is not known), 57P03 and
        53000 (nothing was done), 54000. The transaction is over in every case.

        Cancelled before anything was sent: CancelledError, and nothing was done. Cancelled later:
        the verdict if it comes at once, otherwise 40003.
        """
        self._drop_first_read()
        try:
            self._check_usable()
            if self.row_events.has_changes:
                raise SqlError("XX000", "rows were changed that no foreign key has looked at")
            for hook in self.before_commit:
                await hook()
            if self._buffer.is_empty:
                self.state = TransactionState.COMMITTED
                return CommitResult(0)
            self.state = TransactionState.COMMITTING
            result = await self.manager.hand_over(self, self.commit_request())
        except BaseException:
            self.state = TransactionState.ABORTED
            raise
        self.state = TransactionState.COMMITTED
        for committed in self._committed_hooks:
            committed(result)
        for follow_up in self.follow_ups:
            await follow_up()
        return result

    def rollback(self) -> None:
        self._drop_first_read()
        if self.state is TransactionState.ACTIVE:
            self.state = TransactionState.ABORTED

    def commit_request(self) -> CommitRequest:
        request = CommitRequest(
            transaction_id=self.id,
            snapshot_csn=self.snapshot_csn,
            write_set=self._buffer.write_set().SerializeToString(),
            catalog=self._changes_catalog,
        )
        request.read_checks.extend(self._checks.messages())
        for object_id in sorted(self._used_objects):
            key = object_key(object_id)
            # What the transaction changed itself it claims EXCLUSIVE.
            if not self._buffer.wrote(key):
                request.read_checks.append(ReadCheck(key=key, catalog=True))
        return request

    def _check_open(self) -> None:
        if self.state is not TransactionState.ACTIVE:
            raise SqlError("25P01", "there is no transaction in progress")

    def _check_usable(self) -> None:
        self._check_open()
        if self._clock.monotonic_us() - self._born_us > self._limits.age_s * 1_000_000:
            raise SqlError("54000", f"transaction age limit of {self._limits.age_s:g}s exceeded")
