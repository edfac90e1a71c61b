"""One read each, resumable: it works a bounded amount, and says what it needs to go on.

A job's `run` returns a Step. It may be called again after SLICED at once, after WAIT_* when the
machine wakes it; rows read so far are kept, the snapshot is fixed, so all of it is one moment's truth.

Speculative reads (snapshot_csn 0) read at the position they found. With examined_csn, the newest
version met anywhere, the answer is the right one for every snapshot between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol

from trilithon.core.csn import format_csn
from trilithon.core.errors import SqlError
from trilithon.storage.machine import StorageMachine
from trilithon.storage.walk import PROGRESS, UNSETTLED, find, walk
from trilithon.types.rows import join_rows
from trilithon.v1 import storage_pb2, types_pb2

Failure = types_pb2.Failure

CHUNK_BYTES_DEFAULT: Final = 256 * 1024
# A reply ends with the row that brings it to this; much smaller than limits.message_bytes.
REPLY_BYTES_MAX: Final = 4 * 1024 * 1024
POINT_KEYS_MAX: Final = 16_384
# A reply is sent after this many keys at the latest, so that a cancelled scan ends.
EXAMINED_PER_REPLY_MAX: Final = 20_000

# The work of one point look-up with its item, and of filtering a row, in units of a row scanned.
POINT_WORK: Final = 8
PROGRAM_WORK: Final = 3
_PROGRAM_BATCH_MAX: Final = 64


# Per row given: the resulting row, None where the filter says no.
Filtered = list[bytes | None]


class RowProgram(Protocol):
    """A pushed-down filter and projection (`programs`)."""

    def apply_to_each(self, rows: Sequence[bytes]) -> Filtered:
        """Raises SqlError when evaluating fails for any of the rows."""
        ...


class Step(Enum):
    ANSWERED = 1
    SLICED = 2
    WAIT_POSITION = 3
    WAIT_ENTRY = 4


@dataclass(slots=True)
class View:
    """What one synchronous step reads: LMDB through `cursor`, the rest through `machine`."""

    cursor: Any
    machine: StorageMachine[Any]
    # Units of work left in this step.
    budget: int


class Job:
    """Base of the two. `reply` is complete when `run` returned ANSWERED."""

    __slots__ = (
        "closed",
        "correlation_id",
        "deadline_us",
        "examined",
        "peer",
        "program",
        "reply",
        "snapshot",
        "speculative",
        "wait_csn",
    )

    def __init__(
        self,
        peer: Any,
        correlation_id: int,
        snapshot: int,
        program: RowProgram | None,
        deadline_us: int,
    ) -> None:
        self.peer = peer
        self.correlation_id = correlation_id
        self.snapshot = snapshot
        self.speculative = snapshot == 0
        self.program = program
        self.deadline_us = deadline_us
        self.closed = False
        self.examined = 0
        # For WAIT_*: the csn to wait for.
        self.wait_csn = 0
        self.reply: Any = None

    def run(self, view: View) -> Step:
        machine = view.machine
        if self.speculative and self.snapshot == 0:
            if machine.position < machine.collected:
                # A fresh copy: nothing can be read until the feed is where its source was.
                self.wait_csn = machine.collected
                return Step.WAIT_POSITION
            self.snapshot = machine.position
        snapshot = self.snapshot
        if snapshot > machine.position:
            self.wait_csn = snapshot
            return Step.WAIT_POSITION
        if snapshot < machine.collected:
            return self.fail(
                Failure.CODE_SNAPSHOT_TOO_OLD,
                f"the snapshot {format_csn(snapshot)} is older than what is kept "
                f"({format_csn(machine.collected)})",
            )
        try:
            return self._read(view)
        except SqlError as error:
            return self._answer(error=sql_error(error))

    def _read(self, view: View) -> Step:
        raise NotImplementedError

    def _answer(self, **reply: Any) -> Step:
        self.reply = storage_pb2.StorageReply(correlation_id=self.correlation_id, **reply)
        self.closed = True
        return Step.ANSWERED

    def fail(self, code: types_pb2.Failure.Code, message: str) -> Step:
        return self._answer(failure=Failure(code=code, message=message))

    def describe_wait(self, machine: StorageMachine[Any]) -> str:
        if self.snapshot > machine.position:
            return (
                f"the feed is at {format_csn(machine.position)}, "
                f"the snapshot at {format_csn(self.snapshot)}"
            )
        return f"{format_csn(self.wait_csn)} is not settled"


class PointJob(Job):
    __slots__ = ("_bytes_max", "_index", "_rows", "_size", "_work", "keys")

    def __init__(
        self,
        peer: Any,
        correlation_id: int,
        snapshot: int,
        program: RowProgram | None,
        deadline_us: int,
        keys: list[bytes],
        reply_bytes_max: int = REPLY_BYTES_MAX,
    ) -> None:
        super().__init__(peer, correlation_id, snapshot, program, deadline_us)
        self.keys = keys
        self._bytes_max = reply_bytes_max
        self._work = POINT_WORK if program is None else POINT_WORK + PROGRAM_WORK
        self._index = 0
        self._rows: list[bytes | None] = []
        self._size = 0

    def _read(self, view: View) -> Step:
        machine, cursor = view.machine, view.cursor
        newest, settled, snapshot = machine.table.newest, machine.settled, self.snapshot
        keys, rows = self.keys, self._rows
        stop = min(len(keys), self._index + max(1, view.budget // self._work))
        for index in range(self._index, stop):
            key = keys[index]
            version: Any = newest(key, snapshot)
            if version is None:
                version = find(cursor, key, snapshot)
            elif version[0] > settled:
                self._stop_at(index, view)
                self.wait_csn = self._newest_unsettled(index, machine)
                return Step.WAIT_ENTRY
            if version is None:
                rows.append(None)
                continue
            if version[0] > self.examined:
                self.examined = version[0]
            value: bytes | None = version[1]
            rows.append(value)
            if value is not None:
                self._size += len(value)
                if self._size >= self._bytes_max:
                    stop = index + 1
                    break
        self._stop_at(stop, view)
        if stop < len(keys) and self._size < self._bytes_max:
            return Step.SLICED
        return self._finish(view)

    def _stop_at(self, index: int, view: View) -> None:
        """Everything before `index` was looked up: filter it."""
        view.budget -= (index - self._index) * self._work
        if self.program is not None and index > self._index:
            found = self._rows[self._index :]
            results = iter(self.program.apply_to_each([row for row in found if row is not None]))
            self._rows[self._index :] = [None if row is None else next(results) for row in found]
        self._index = index

    def _newest_unsettled(self, index: int, machine: StorageMachine[Any]) -> int:
        """Of the keys from `index` on: settling goes in order, so one wait serves them all."""
        newest = 0
        for key in self.keys[index:]:
            version = machine.table.newest(key, self.snapshot)
            if version is not None and version[0] > newest:
                newest = version[0]
        return newest

    def _finish(self, view: View) -> Step:
        return self._answer(
            point_rows=storage_pb2.PointRows(
                rows=join_rows(self._rows),
                examined_csn=max(self.examined, view.machine.collected),
                position_csn=self.snapshot,
                unanswered_keys=len(self.keys) - self._index,
            )
        )


class RangeJob(Job):
    """See `RangeRead`. `_start` and `_end` shrink towards what is still to be read."""

    __slots__ = (
        "_batch",
        "_chunk_bytes",
        "_end",
        "_examined_count",
        "_keys",
        "_limit",
        "_reverse",
        "_rows",
        "_size",
        "_start",
        "_with_keys",
    )

    def __init__(
        self,
        peer: Any,
        correlation_id: int,
        request: storage_pb2.RangeRead,
        program: RowProgram | None,
        deadline_us: int,
        reply_bytes_max: int = REPLY_BYTES_MAX,
    ) -> None:
        super().__init__(peer, correlation_id, request.snapshot_csn, program, deadline_us)
        self._start = request.range.start
        self._end = request.range.end
        self._reverse = request.reverse
        self._limit = request.limit
        self._with_keys = request.with_keys
        self._chunk_bytes = min(request.chunk_bytes or CHUNK_BYTES_DEFAULT, reply_bytes_max)
        self._rows: list[bytes] = []
        self._keys: list[bytes] = []
        self._size = 0
        self._examined_count = 0
        # With a program: rows met and not filtered yet.
        self._batch: list[tuple[bytes, bytes]] = []

    def _read(self, view: View) -> Step:
        if self._end and self._start >= self._end:
            return self._finish(view, more=False)
        machine = view.machine
        steps = walk(
            view.cursor,
            machine.table,
            self._start,
            self._end,
            self._reverse,
            self.snapshot,
            machine.settled,
        )
        # The way of every row: where to go on is noted on the way out only.
        take, chunk_bytes, limit = self._take, self._chunk_bytes, self._limit
        examined_max = EXAMINED_PER_REPLY_MAX
        for key, csn, value in steps:
            view.budget -= 1
            if value is UNSETTLED:
                self._go_on_at(key)
                self._filter(view)
                if self._full:
                    return self._finish(view, more=not self._limit_reached)
                self.wait_csn = csn
                return Step.WAIT_ENTRY
            if value is PROGRESS:
                if view.budget <= 0:
                    self._go_on_at(key)
                    return Step.SLICED
                continue
            if csn > self.examined:
                self.examined = csn
            self._examined_count += 1
            if value is not None:
                take(key, value, view)
            if (
                self._size >= chunk_bytes
                or self._examined_count >= examined_max
                or (limit and len(self._rows) >= limit)
            ):
                self._go_on_after(key)
                self._filter(view)
                return self._finish(view, more=not self._limit_reached)
            if view.budget <= 0:
                self._go_on_after(key)
                return Step.SLICED
        self._filter(view)
        return self._finish(view, more=False)

    def _take(self, key: bytes, value: bytes, view: View) -> None:
        if self.program is None:
            self._add(key, value)
            return
        self._batch.append((key, value))
        # Small limits are mostly met by the first rows: do not decode what nobody asked for.
        wanted = self._limit - len(self._rows) if self._limit else _PROGRAM_BATCH_MAX
        if len(self._batch) >= min(wanted, _PROGRAM_BATCH_MAX):
            self._filter(view)

    def _filter(self, view: View) -> None:
        if not self._batch or self.program is None:
            return
        batch, self._batch = self._batch, []
        view.budget -= len(batch) * PROGRAM_WORK
        results: Filtered = self.program.apply_to_each([value for _, value in batch])
        for (key, _), row in zip(batch, results, strict=True):
            if row is not None:
                self._add(key, row)

    def _add(self, key: bytes, row: bytes) -> None:
        self._rows.append(row)
        self._size += len(row)
        if self._with_keys:
            self._keys.append(key)
            self._size += len(key)

    def _encoded_rows(self) -> list[bytes]:
        return self._rows

    @property
    def _limit_reached(self) -> bool:
        return self._limit > 0 and len(self._rows) >= self._limit

    @property
    def _full(self) -> bool:
        return (
            self._size >= self._chunk_bytes
            or self._examined_count >= EXAMINED_PER_REPLY_MAX
            or self._limit_reached
        )

    def _go_on_after(self, key: bytes) -> None:
        if self._reverse:
            self._end = key
        else:
            self._start = key + b"\0"

    def _go_on_at(self, key: bytes) -> None:
        if self._reverse:
            self._end = key + b"\0"
        else:
            self._start = key

    def _finish(self, view: View, *, more: bool) -> Step:
        resume = b""
        if more and not (self._end and self._start >= self._end):
            resume = self._end if self._reverse else self._start
        return self._answer(
            range_rows=storage_pb2.RangeRows(
                rows=join_rows(self._encoded_rows()),
                keys=self._keys,
                resume_key=resume,
                examined_csn=max(self.examined, view.machine.collected),
                position_csn=self.snapshot,
                rows_examined=self._examined_count,
            )
        )


def sql_error(error: SqlError) -> types_pb2.SqlError:
    return types_pb2.SqlError(
        sqlstate=error.sqlstate,
        message=error.message,
        detail=error.detail,
        hint=error.hint,
        position=error.position,
        severity=error.severity,
        schema_name=error.schema,
        table_name=error.table,
        column_name=error.column,
        constraint_name=error.constraint,
        data_type_name=error.data_type,
    )
