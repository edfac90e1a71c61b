"""The coalescing writer: everything pending goes out as one message once the last write returned.

A message of every stream has `repeated Item items = 1`. Protobuf's wire format lets such a message
be put together by joining its serialised items, each behind its tag and length. So items are
serialised when they are queued (their size counts against the bound at once, later changes to the
object do not matter) and a message costs one `bytes.join`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from trilithon.core.errors import Overloaded

# Field 1, length-delimited.
_ITEMS_TAG: Final = b"\x0a"
_PRECOMPUTED_LENGTHS: Final = 4096
# Tag and longest varint of a 32-bit length.
FRAME_BYTES_MAX: Final = 6

# A message closes at about this size, so that what is urgent does not stand behind megabytes.
MESSAGE_SOFT_BYTES: Final = 1024 * 1024


def _item_header(length: int) -> bytes:
    header = bytearray(_ITEMS_TAG)
    while length > 0x7F:
        header.append(length & 0x7F | 0x80)
        length >>= 7
    header.append(length)
    return bytes(header)


_HEADERS: Final = tuple(_item_header(length) for length in range(_PRECOMPUTED_LENGTHS))


class CoalescingWriter:
    """Queues serialised items and writes them, joined, with `write`.

    `items_max` and `bytes_max` bound what is queued; `soft_bytes` is where a message is split. One
    item is never split: the caller keeps single items below gRPC's message limit.
    """

    __slots__ = (
        "_bytes",
        "_bytes_max",
        "_items",
        "_items_max",
        "_ping",
        "_queue",
        "_soft_bytes",
        "_waiter",
        "_write",
    )

    def __init__(
        self,
        write: Callable[[bytes], Awaitable[object]],
        *,
        items_max: int,
        bytes_max: int,
        soft_bytes: int = MESSAGE_SOFT_BYTES,
    ) -> None:
        self._write = write
        self._items_max = items_max
        self._bytes_max = bytes_max
        self._soft_bytes = soft_bytes
        # Header, item, header, item, ...
        self._queue: deque[bytes] = deque()
        self._items = 0
        self._bytes = 0
        self._ping = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def pending_items(self) -> int:
        return self._items

    @property
    def pending_bytes(self) -> int:
        return self._bytes

    def put(self, data: bytes) -> None:
        """Queue one serialised item; Overloaded when a bound is hit, and nothing is queued."""
        length = len(data)
        # An empty queue takes any item: a single one may be larger than the bound on bytes.
        if self._items >= self._items_max or (
            self._items and self._bytes + length > self._bytes_max
        ):
            raise Overloaded(
                f"{self._items} items of {self._bytes} bytes are waiting to be sent "
                f"(bounds: {self._items_max} items, {self._bytes_max} bytes)"
            )
        header = _HEADERS[length] if length < _PRECOMPUTED_LENGTHS else _item_header(length)
        self._queue.append(header)
        self._queue.append(data)
        self._items += 1
        self._bytes += length + len(header)
        self._wake()

    def ping(self) -> None:
        """Write one empty message (see `liveness`) after the write in flight."""
        self._ping = True
        self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    async def run(self) -> None:
        """Write until cancelled or until `write` raises."""
        write = self._write
        while True:
            if self._ping:
                self._ping = False
                await write(b"")
            if not self._queue:
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter
            if self._queue:
                await write(self._take())

    def _take(self) -> bytes:
        queue = self._queue
        if self._bytes <= self._soft_bytes:
            message = b"".join(queue)
            queue.clear()
            self._items = 0
            self._bytes = 0
            return message
        parts = [queue.popleft(), queue.popleft()]
        size = len(parts[0]) + len(parts[1])
        items = 1
        while queue and size + len(queue[0]) + len(queue[1]) <= self._soft_bytes:
            header, data = queue.popleft(), queue.popleft()
            parts += (header, data)
            size += len(header) + len(data)
            items += 1
        self._items -= items
        self._bytes -= size
        return b"".join(parts)
