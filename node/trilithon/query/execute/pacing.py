"""A compiled function over a batch of rows, a slice at a time: what one row costs is not known before, in time or in
memory (a regular expression over a long text, repeat()), and others wait meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from trilithon.query.execute.run import TURN_SECONDS, Run, rows_size

# A slice that took less is followed by one of eight times its rows; one that took a turn by one of an eighth.
_QUICK_S: Final = TURN_SECONDS / 10
_GROWTH: Final = 8
# What is handed on at a time, so that whoever keeps it can account for it.
PIECE_BYTES: Final = 4 * 1024 * 1024

# (rows, context) → rows
Transform = Callable[[list[Any], Any], list[Any]]


async def pieces(run: Run, transform: Transform, rows: list[Any]) -> AsyncIterator[list[Any]]:
    """`transform` of all rows, in order, in pieces of about PIECE_BYTES at most; none is empty."""
    context = run.context
    at, size = 0, 1
    held: list[Any] = []
    held_bytes = 0
    while at < len(rows):
        began = time.monotonic()
        made = transform(rows[at : at + size], context)
        spent = time.monotonic() - began
        at += size
        bytes_made = rows_size(made)
        held = made if not held else held + made
        held_bytes += bytes_made
        if spent > TURN_SECONDS or bytes_made > PIECE_BYTES:
            size = max(1, size // _GROWTH)
        elif spent < _QUICK_S and bytes_made < PIECE_BYTES // _GROWTH:
            size *= _GROWTH
        if held_bytes > PIECE_BYTES:
            yield held
            held, held_bytes = [], 0
        await run.breathe()
    if held:
        yield held


async def whole(run: Run, transform: Transform, rows: list[Any]) -> list[Any]:
    """`transform` of all rows; what it makes beyond a piece is accounted to the run's memory."""
    if len(rows) == 1:
        return transform(rows, run.context)
    result: list[Any] = []
    async for piece in pieces(run, transform, rows):
        if result:
            run.memory.take(rows_size(piece))
            result += piece
        else:
            result = piece
    return result
