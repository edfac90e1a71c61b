"""A range read that answers with partial rows of groups instead of rows.

A reply covers the keys that it looked at, no more: where it ends early (so many keys, or groups worth a
chunk) it says where to go on, as for rows, and the next one makes groups anew. Whoever asked merges them.
So nothing is kept between two requests, and what one holds is bounded by its chunk.
"""

from __future__ import annotations

from typing import Any, Final

from trilithon.storage.jobs import PROGRAM_WORK, REPLY_BYTES_MAX, RangeJob, View
from trilithon.storage.programs import PushedProgram
from trilithon.v1 import storage_pb2

# Rows that are grouped at once; fewer when they are long.
_BATCH_ROWS: Final = 256
_BATCH_BYTES: Final = 256 * 1024
# The work of one aggregate over a row, in units of a row scanned.
_CALLS_PER_UNIT: Final = 2


class AggregateJob(RangeJob):
    __slots__ = ("_batch_bytes", "_groups", "_pushed", "_row_work")

    def __init__(
        self,
        peer: Any,
        correlation_id: int,
        request: storage_pb2.RangeRead,
        program: PushedProgram,
        deadline_us: int,
        reply_bytes_max: int = REPLY_BYTES_MAX,
    ) -> None:
        super().__init__(peer, correlation_id, request, None, deadline_us, reply_bytes_max)
        self._pushed = program
        self._groups = program.new_groups()
        self._batch_bytes = 0
        calls = len(program.aggregation.calls) if program.aggregation is not None else 0
        self._row_work = PROGRAM_WORK + calls // _CALLS_PER_UNIT

    def _take(self, key: bytes, value: bytes, view: View) -> None:
        self._batch.append((key, value))
        self._batch_bytes += len(value)
        if len(self._batch) >= _BATCH_ROWS or self._batch_bytes >= _BATCH_BYTES:
            self._filter(view)

    def _filter(self, view: View) -> None:
        if not self._batch:
            return
        batch, self._batch = self._batch, []
        self._batch_bytes = 0
        if self._pushed.reads_rows:
            view.budget -= len(batch) * self._row_work
        self._groups.add(self._pushed.prepared([value for _, value in batch]))
        self._size = self._groups.size_bytes

    def _encoded_rows(self) -> list[bytes]:
        return self._groups.encoded()
