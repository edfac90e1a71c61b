"""What does not fit into a query's memory: rows in temporary files.

Vocabulary
- A *spill* is one temporary file of one operator's run; it has no name, so it is gone with the process.
- A *segment* is a list of rows in it, in the order in which they were appended.
- *Partitions* are segments by hash: equal keys meet in the same one.

Invariants: rows come back as they were; what is held in memory on top of the operator's own rows is at
most one block of `BLOCK_ROWS` rows a segment; a run's files together stay below `Memory.temp_limit`
(SqlError 53400). Files are written and read by worker threads: the event loop never waits for a disk.

Sources: Graefe, "Query Evaluation Techniques for Large Databases" (1993): external merge sort, hybrid
hashing; recursive partitions use another hash at each level.
"""

from __future__ import annotations

import asyncio
import heapq
import os
import pickle
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Final

from trilithon.query.execute.operators import Operator, Transform
from trilithon.query.execute.run import Memory, Run

BLOCK_ROWS: Final = 256
PARTITIONS: Final = 32
# A partition that is still too large after so many levels holds one key (or few): memory must do.
LEVELS_MAX: Final = 4


@dataclass(slots=True)
class Segment:
    """(offset, length) of its blocks in the file."""

    blocks: list[tuple[int, int]] = field(default_factory=list)
    rows: int = 0


class Spill:
    """One temporary file. `close` is safe to repeat; a file that nobody closes goes with its object.

    A statement that is cancelled closes its spill while a worker thread may still be writing: the thread
    holds the file itself, so that it never writes to whatever has the file's number next.
    """

    __slots__ = ("_closed", "_end", "_file", "_memory")

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._file: IO[bytes] | None = None
        self._end = 0
        self._closed = False

    async def append(self, segment: Segment, rows: Sequence[Any]) -> None:
        """SqlError 53400: the run's files are too large."""
        for start in range(0, len(rows), BLOCK_ROWS):
            block = rows[start : start + BLOCK_ROWS]
            length = await asyncio.to_thread(self._write, block)
            segment.blocks.append((self._end - length, length))
            segment.rows += len(block)

    def _write(self, block: Sequence[Any]) -> int:
        data = pickle.dumps(block, protocol=5)
        if self._closed:
            return 0
        self._memory.take_temp(len(data))
        file = self._file
        if file is None:
            # Rows are money: nobody else may read them, and they have no name (mkstemp's 0600).
            file = tempfile.TemporaryFile(prefix="trilithon-", buffering=0)  # noqa: SIM115
            self._file = file
        os.pwrite(file.fileno(), data, self._end)
        self._end += len(data)
        return len(data)

    async def read(self, segment: Segment) -> AsyncIterator[list[Any]]:
        for offset, length in segment.blocks:
            yield await asyncio.to_thread(self._read, offset, length)

    def _read(self, offset: int, length: int) -> list[Any]:
        file = self._file
        assert file is not None
        rows: list[Any] = pickle.loads(os.pread(file.fileno(), length, offset))
        return rows

    def close(self) -> None:
        """The file is closed when nobody holds it any more."""
        if not self._closed:
            self._closed = True
            self._file = None
            self._memory.give_temp(self._end)


# (key, row)
Pair = tuple[Any, Any]


class Partitions:
    """Rows by the hash of their keys. `put` keeps a row in memory, `settle` writes full blocks."""

    __slots__ = ("_full", "_level", "_pending", "_spill", "segments")

    def __init__(self, spill: Spill, level: int) -> None:
        self._spill = spill
        self._level = level
        self._pending: list[list[Any]] = [[] for _ in range(PARTITIONS)]
        self._full: set[int] = set()
        self.segments = [Segment() for _ in range(PARTITIONS)]

    def put(self, key: Any, row: Any) -> None:
        number = hash((self._level, key)) % PARTITIONS
        pending = self._pending[number]
        pending.append(row)
        if len(pending) >= BLOCK_ROWS:
            self._full.add(number)

    async def settle(self, *, everything: bool = False) -> None:
        """To be called between batches, and with `everything` at the end."""
        for number in range(PARTITIONS) if everything else sorted(self._full):
            rows, self._pending[number] = self._pending[number], []
            await self._spill.append(self.segments[number], rows)
        self._full.clear()


async def merge(
    spill: Spill, segments: Sequence[Segment], key: Callable[[Any], Any]
) -> AsyncIterator[list[Any]]:
    """Sorted segments as one, in blocks; rows of equal keys in the order of their segments."""
    readers = [spill.read(segment) for segment in segments]
    blocks: list[list[Any]] = []
    heap: list[tuple[Any, int, int]] = []
    for number, reader in enumerate(readers):
        blocks.append(await anext(reader, []))
        if blocks[number]:
            heap.append((key(blocks[number][0]), number, 0))
    heapq.heapify(heap)
    merged: list[Any] = []
    while heap:
        _, number, at = heap[0]
        merged.append(blocks[number][at])
        if len(merged) == BLOCK_ROWS:
            yield merged
            merged = []
        at += 1
        if at == len(blocks[number]):
            blocks[number], at = await anext(readers[number], []), 0
        if blocks[number]:
            heapq.heapreplace(heap, (key(blocks[number][at]), number, at))
        else:
            heapq.heappop(heap)
    if merged:
        yield merged


async def keyed_batches(source: Operator, keys: Transform, run: Run) -> AsyncIterator[list[Pair]]:
    async for batch in source.batches(run):
        yield list(zip(keys(batch, run.context), batch, strict=True))


async def partitioned(
    spill: Spill, level: int, source: AsyncIterator[list[Pair]], run: Run
) -> Partitions:
    """All (key, row) pairs of the source by their keys' hashes."""
    parts = Partitions(spill, level)
    async for pairs in source:
        for pair in pairs:
            parts.put(pair[0], pair)
        await parts.settle()
        await run.breathe()
    await parts.settle(everything=True)
    return parts
