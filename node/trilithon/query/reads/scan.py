"""Range scans: chunks of one owner, fetched ahead; several owners merged in key order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.reads import meter
from trilithon.query.reads.asking import StorageChannel
from trilithon.types.rows import MalformedRow, decode_rows
from trilithon.v1 import storage_pb2, types_pb2

Row = list[Any]

# The first chunk is small, so that the first rows come soon; then they double.
_CHUNK_BYTES_FIRST: Final = 64 * 1024
_CHUNK_BYTES_MAX: Final = 1024 * 1024
_LIMIT_MAX: Final = (1 << 32) - 1


@dataclass(slots=True)
class Chunk:
    """Some rows in key order; as many keys, where they were asked for."""

    rows: list[Row]
    keys: list[bytes] = field(default_factory=list)


class OwnerScan:
    """A range's rows of one storage process, chunk by chunk. From the second chunk on, the next one
    is fetched while this one is used."""

    __slots__ = (
        "_channel",
        "_chunk_bytes",
        "_chunks_count",
        "_end",
        "_left",
        "_program",
        "_reverse",
        "_snapshot",
        "_start",
        "_task",
        "_with_keys",
        "done",
        "rows_examined",
    )

    def __init__(
        self,
        channel: StorageChannel,
        snapshot_csn: int,
        start: bytes,
        end: bytes,
        *,
        reverse: bool,
        limit: int,
        program: bytes,
        with_keys: bool,
    ) -> None:
        self._channel = channel
        self._snapshot = snapshot_csn
        self._start = start
        self._end = end
        self._reverse = reverse
        # Rows still wanted; 0: no limit.
        self._left = limit
        self._program = program
        self._with_keys = with_keys
        self._chunk_bytes = _CHUNK_BYTES_FIRST
        self._chunks_count = 0
        self._task: asyncio.Task[storage_pb2.StorageReply] | None = None
        self.done = bool(end) and start >= end
        self.rows_examined = 0

    def fetch_ahead(self) -> None:
        """Ask for the next chunk without waiting for it."""
        if not self.done and self._task is None:
            self._task = asyncio.create_task(self._channel.ask(self._request()))
            self._task.add_done_callback(_seen)

    async def next(self) -> Chunk:
        """The next chunk; it may be empty, also when there is more. Only while not `done`."""
        task, self._task = self._task, None
        if task is not None:
            reply = await task
        else:
            reply = await self._channel.ask(self._request())
        chunk = self._take(reply.range_rows)
        self._chunks_count += 1
        if self._chunks_count > 1:
            self.fetch_ahead()
        return chunk

    def _request(self) -> storage_pb2.StorageRequest:
        return storage_pb2.StorageRequest(
            range_read=storage_pb2.RangeRead(
                snapshot_csn=self._snapshot,
                range=types_pb2.KeyRange(start=self._start, end=self._end),
                reverse=self._reverse,
                limit=min(self._left, _LIMIT_MAX),
                program=self._program,
                with_keys=self._with_keys,
                chunk_bytes=self._chunk_bytes,
            )
        )

    def _take(self, part: storage_pb2.RangeRows) -> Chunk:
        try:
            rows: list[Any] = decode_rows(part.rows)
        except MalformedRow as error:
            raise SqlError("XX001", f"storage holds a malformed row: {error}") from error
        keys = list(part.keys)
        if self._with_keys and len(keys) != len(rows):
            raise SqlError("XX000", "storage answered with another number of keys than rows")
        self.rows_examined += part.rows_examined
        counting = meter.current.get()
        if counting is not None:
            counting.rows(part.rows_examined, len(rows))
        self._chunk_bytes = min(_CHUNK_BYTES_MAX, self._chunk_bytes * 2)
        if self._left:
            self._left -= len(rows)
            if self._left <= 0:
                self.done = True
        if not part.resume_key:
            self.done = True
        elif self._reverse:
            self._end = part.resume_key
        else:
            self._start = part.resume_key
        return Chunk(rows, keys)

    def close(self) -> None:
        self.done = True
        task, self._task = self._task, None
        if task is not None:
            task.cancel()


class Scan:
    """An async iterator of chunks that are not empty. `aclose` ends it early."""

    __slots__ = (
        "_buffers",
        "_left",
        "_limited",
        "_ordered",
        "_reverse",
        "_sources",
        "_turn",
        "_with_keys",
    )

    def __init__(
        self,
        sources: Sequence[OwnerScan],
        *,
        reverse: bool,
        limit: int,
        with_keys: bool,
        ordered: bool = True,
    ) -> None:
        """Not `ordered`: chunks come from the owners in turn, without keys and without a limit."""
        self._sources = list(sources)
        self._ordered = ordered
        self._turn = 0
        self._reverse = reverse
        self._left = limit
        self._limited = limit > 0
        self._with_keys = with_keys
        # Per source what was fetched and not given out yet; only with several.
        self._buffers = [Chunk([], []) for _ in sources]

    @property
    def rows_examined(self) -> int:
        """Versions looked at in storage so far, for EXPLAIN ANALYZE."""
        return sum(source.rows_examined for source in self._sources)

    def __aiter__(self) -> Scan:
        return self

    async def __anext__(self) -> Chunk:
        try:
            if len(self._sources) == 1:
                chunk = await self._next_of_one()
            elif self._ordered:
                chunk = await self._next_merged()
            else:
                chunk = await self._next_in_turn()
        except BaseException:
            self._close()
            raise
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    async def _next_of_one(self) -> Chunk | None:
        source = self._sources[0]
        while not source.done:
            chunk = await source.next()
            if chunk.rows:
                return chunk
        return None

    async def _next_merged(self) -> Chunk | None:
        while not (self._limited and self._left <= 0):
            await self._fill()
            chunk = self._merge()
            if chunk.rows:
                if self._limited:
                    del chunk.rows[self._left :]
                    del chunk.keys[self._left :]
                    self._left -= len(chunk.rows)
                    if self._left <= 0:
                        self._close()
                if not self._with_keys:
                    chunk.keys = []
                return chunk
            if all(source.done for source in self._sources):
                return None
        return None

    async def _next_in_turn(self) -> Chunk | None:
        """All owners are asked at once, and heard one after the other."""
        while True:
            asked = [source for source in self._sources if not source.done]
            if not asked:
                return None
            for source in asked:
                source.fetch_ahead()
            count = len(self._sources)
            while self._sources[self._turn % count].done:
                self._turn += 1
            chunk = await self._sources[self._turn % count].next()
            self._turn += 1
            if chunk.rows:
                return chunk

    async def _fill(self) -> None:
        """Something in every buffer whose source is not at its end, fetched side by side."""
        while True:
            empty = [
                (source, position)
                for position, source in enumerate(self._sources)
                if not source.done and not self._buffers[position].keys
            ]
            if not empty:
                return
            for source, _ in empty:
                source.fetch_ahead()
            for source, position in empty:
                self._buffers[position] = await source.next()

    def _merge(self) -> Chunk:
        """All that is certain to come next: up to the nearest end of what was fetched."""
        reverse = self._reverse
        ends = [
            buffer.keys[-1]
            for source, buffer in zip(self._sources, self._buffers, strict=True)
            if not source.done
        ]
        bound = (max(ends) if reverse else min(ends)) if ends else None
        pairs: list[tuple[bytes, Row]] = []
        for position, buffer in enumerate(self._buffers):
            cut = len(buffer.keys) if bound is None else _count_up_to(buffer.keys, bound, reverse)
            pairs += zip(buffer.keys[:cut], buffer.rows[:cut], strict=True)
            self._buffers[position] = Chunk(buffer.rows[cut:], buffer.keys[cut:])
        pairs.sort(key=itemgetter(0), reverse=reverse)
        return Chunk([row for _, row in pairs], [key for key, _ in pairs])

    def _close(self) -> None:
        for source in self._sources:
            source.close()
        self._buffers = [Chunk([], []) for _ in self._sources]

    async def aclose(self) -> None:
        self._close()


def _count_up_to(keys: list[bytes], bound: bytes, reverse: bool) -> int:
    """How many of the keys (in the scan's direction) come before `bound` or are it."""
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) // 2
        if keys[middle] >= bound if reverse else keys[middle] <= bound:
            low = middle + 1
        else:
            high = middle
    return low


def _seen(task: asyncio.Task[Any]) -> None:
    """What a chunk fetched ahead failed with matters to whoever asks for it, if anybody does."""
    if not task.cancelled():
        task.exception()
