"""Many key ranges as one stream: the next ones are asked for while one is being used.

A condition such as `n IN (…)` on an index makes a range per value, each of a few rows; one after the other
they would cost a round trip each. Only the first chunk of a range is fetched ahead, so what waits here is
bounded by AHEAD chunks.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

# Ranges that are asked for at once.
AHEAD: Final = 32

Range = tuple[bytes, bytes]
Open = Callable[[bytes, bytes], Any]


async def chunks_of(
    ranges: Sequence[Range], scan: Open, *, ahead: int = AHEAD
) -> AsyncIterator[Any]:
    """The chunks of `scan(start, end)` for every range, in the order of the ranges."""
    if len(ranges) == 1 or ahead <= 1:
        for start, end in ranges:
            source = scan(start, end)
            try:
                async for chunk in source:
                    yield chunk
            finally:
                await source.aclose()
        return
    waiting: deque[tuple[Any, asyncio.Task[Any]]] = deque()
    try:
        position = 0
        while position < len(ranges) or waiting:
            while position < len(ranges) and len(waiting) < ahead:
                source = scan(*ranges[position])
                position += 1
                waiting.append((source, asyncio.create_task(_first(source))))
            source, task = waiting[0]
            chunk = await task
            while chunk is not None:
                yield chunk
                chunk = await _first(source)
            waiting.popleft()
    finally:
        await _end(waiting)


async def _first(source: Any) -> Any:
    """The next chunk; None at the end."""
    return await anext(source, None)


async def _end(waiting: deque[tuple[Any, asyncio.Task[Any]]]) -> None:
    for _, task in waiting:
        task.cancel()
    await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)
    for source, _ in waiting:
        await source.aclose()
