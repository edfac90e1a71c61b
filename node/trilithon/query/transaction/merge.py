"""Range scans of storage with the transaction's own writes merged in, in key order.

An own write hides storage's row under the same key: a tombstone removes it, a row takes its place, also
where storage's row passes the filter and the own one does not. A limit is for what comes out: storage is
asked for as many rows more as could be hidden.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from trilithon.query.transaction.ports import ChunkLike, Row, closing

# Own rows that come after storage's last one go out in chunks of this many.
TAIL_ROWS = 1024


@dataclass(slots=True)
class Chunk:
    rows: list[Row]
    keys: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OwnRow:
    """`row` is what the program made of it; None: a tombstone, or the filter says no."""

    key: bytes
    row: Row | None


async def merge(
    chunks: AsyncIterator[ChunkLike], own: Sequence[OwnRow], *, reverse: bool, limit: int
) -> AsyncIterator[Chunk]:
    """`chunks` come with keys; `own` in the direction of the scan. Chunks come out with keys."""
    position = 0
    emitted = 0
    async with closing(chunks) as source:
        async for chunk in source:
            out, position = _merged(chunk, own, position, reverse)
            _cut(out, limit, emitted)
            emitted += len(out.rows)
            if out.rows:
                yield out
            if limit and emitted >= limit:
                return
    while position < len(own):
        out = Chunk([])
        while position < len(own) and len(out.rows) < TAIL_ROWS:
            _emit(out, own[position])
            position += 1
        _cut(out, limit, emitted)
        emitted += len(out.rows)
        if out.rows:
            yield out
        if limit and emitted >= limit:
            return


def _merged(
    chunk: ChunkLike, own: Sequence[OwnRow], position: int, reverse: bool
) -> tuple[Chunk, int]:
    """The chunk with the own rows from `position` on that belong before its end."""
    if position == len(own) or not chunk.keys:
        return Chunk(chunk.rows, chunk.keys), position
    if _before(chunk.keys[-1], own[position].key, reverse):
        return Chunk(chunk.rows, chunk.keys), position
    out = Chunk([])
    for key, row in zip(chunk.keys, chunk.rows, strict=True):
        while position < len(own) and _before(own[position].key, key, reverse):
            _emit(out, own[position])
            position += 1
        if position < len(own) and own[position].key == key:
            _emit(out, own[position])
            position += 1
        else:
            out.keys.append(key)
            out.rows.append(row)
    return out, position


def _before(left: bytes, right: bytes, reverse: bool) -> bool:
    return left > right if reverse else left < right


def _emit(out: Chunk, own: OwnRow) -> None:
    if own.row is not None:
        out.keys.append(own.key)
        out.rows.append(own.row)


def _cut(out: Chunk, limit: int, emitted: int) -> None:
    if limit and emitted + len(out.rows) > limit:
        del out.rows[limit - emitted :]
        del out.keys[limit - emitted :]
