"""One socket: bytes in, messages out of a bounded queue; writes collected, flushed and drained.

The only place of this package that knows asyncio's transports.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.core.invariant import require
from trilithon.query.pgwire.frontend import (
    BrokenFraming,
    Framer,
    Message,
    StartupFramer,
    violation,
)

# Reading pauses above these and goes on below half of them.
QUEUED_BYTES_MAX: Final = 1024 * 1024
QUEUED_MESSAGES_MAX: Final = 10_000
# What is collected before it is written although more comes.
FLUSH_BYTES: Final = 64 * 1024
WRITE_HIGH_WATER_BYTES: Final = 256 * 1024
TLS_HANDSHAKE_TIMEOUT_S: Final = 20.0
KEEPALIVE_IDLE_S: Final = 60
# A client whose framing broke may finish what it sends: until it is quiet, and no longer than this.
LINGER_S: Final = 2.0
LINGER_STEP_S: Final = 0.1


class ConnectionLost(Exception):
    """The client is gone."""


class Channel(asyncio.Protocol):
    """`messages` holds what waits to be worked off; a SqlError at its end means that the framing broke
    there. `started` is called with the channel once the socket is there, `lost` once it is gone."""

    def __init__(
        self,
        message_bytes_max: int,
        started: Callable[[Channel], None],
        lost: Callable[[Channel], None],
    ) -> None:
        self.messages: deque[Message] = deque()
        self.closed = False
        self.output_bytes = 0
        self.queued_bytes = 0
        self.peer = ""
        self.broken: SqlError | None = None
        self._started = started
        self._lost = lost
        self._startup: StartupFramer | None = StartupFramer()
        self._framer = Framer(message_bytes_max)
        self._transport: asyncio.Transport | None = None
        self._output: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._writing_paused = False
        self._reading_paused = False
        # Whether input came since the last look, while nobody reads it any more.
        self._thrown_away = True

    # ---- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's and uvloop's sockets both are; only asyncio's says so by its class.
        self._transport = transport  # type: ignore[assignment]
        transport.set_write_buffer_limits(high=WRITE_HIGH_WATER_BYTES)  # type: ignore[attr-defined]
        socket_ = transport.get_extra_info("socket")
        if socket_ is not None:
            # Half-open connections end within minutes.
            socket_.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            socket_.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
        address = transport.get_extra_info("peername")
        self.peer = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)
        self._started(self)

    def data_received(self, data: bytes) -> None:
        if self.broken is not None:
            self._thrown_away = True
            return
        if self._startup is None:
            self._receive(data)
        elif not self._startup.add(data):
            self.broken = violation("too much data before authentication")
        self._wake()

    def eof_received(self) -> bool:
        self._end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        self._lost(self)

    def pause_writing(self) -> None:
        self._writing_paused = True

    def resume_writing(self) -> None:
        self._writing_paused = False
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def _end(self) -> None:
        self.closed = True
        self._wake()
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # ---- input

    def _receive(self, data: bytes) -> None:
        try:
            messages = self._framer.feed(data)
        except BrokenFraming as broken:
            messages = broken.messages
            self.broken = broken.error
        self.messages.extend(messages)
        self.queued_bytes += len(data)
        if not self._reading_paused and (
            self.queued_bytes > QUEUED_BYTES_MAX or len(self.messages) > QUEUED_MESSAGES_MAX
        ):
            self._pause_reading()

    def _pause_reading(self) -> None:
        # An incomplete message must be read to its end: it is bounded by itself.
        if self._transport is not None and self.messages and not self.closed:
            self._reading_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        self._reading_paused = False
        if self._transport is not None and not self.closed:
            self._transport.resume_reading()

    async def wait(self) -> None:
        """Until there is a message. Raises ConnectionLost, or the SqlError of broken framing."""
        while not self.messages:
            if self.broken is not None:
                raise self.broken
            if self.closed:
                raise ConnectionLost
            self.queued_bytes = 0
            if self._reading_paused:
                self._resume_reading()
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def consumed(self, body: bytes) -> None:
        """A message was taken from `messages`."""
        self.queued_bytes -= len(body) + 5
        if (
            self._reading_paused
            and self.queued_bytes < QUEUED_BYTES_MAX // 2
            and len(self.messages) < QUEUED_MESSAGES_MAX // 2
        ):
            self._resume_reading()

    async def startup_packet(self) -> bytes:
        """The next packet before messages begin. Raises SqlError, ConnectionLost."""
        while True:
            require(self._startup is not None, "startup packets come before messages")
            packet = self._startup.next_packet()  # type: ignore[union-attr]
            if packet is not None:
                return packet
            if self.broken is not None:
                raise self.broken
            if self.closed:
                raise ConnectionLost
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def start_messages(self) -> None:
        """From here on messages have types."""
        startup, self._startup = self._startup, None
        if startup is not None and startup.pending:
            self._receive(startup.rest())

    @property
    def has_early_data(self) -> bool:
        """Whether bytes came after the last startup packet already."""
        return self._startup is not None and self._startup.pending

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Encrypt. What the client sends right behind its handshake is kept. Raises ConnectionLost."""
        transport = self._transport
        if transport is None or self.closed:
            raise ConnectionLost
        loop = asyncio.get_running_loop()
        try:
            encrypted = await loop.start_tls(
                transport,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=TLS_HANDSHAKE_TIMEOUT_S,
            )
        except (OSError, ssl.SSLError) as error:
            raise ConnectionLost from error
        if encrypted is None:
            raise ConnectionLost
        self._transport = encrypted
        encrypted.set_write_buffer_limits(high=WRITE_HIGH_WATER_BYTES)

    # ---- output

    def write(self, data: bytes) -> None:
        self._output.append(data)
        self.output_bytes += len(data)

    def flush(self) -> None:
        if self._output:
            if self._transport is not None and not self.closed:
                self._transport.write(
                    self._output[0] if len(self._output) == 1 else b"".join(self._output)
                )
            self._output.clear()
            self.output_bytes = 0

    async def flush_if_large(self) -> None:
        """Within a long result: write what is there and wait while the client does not read. Raises
        ConnectionLost."""
        if self.output_bytes < FLUSH_BYTES:
            return
        self.flush()
        if self._writing_paused:
            await self.drain()
        else:
            # Others get their turn between two parts of a long result.
            await asyncio.sleep(0)
        if self.closed:
            raise ConnectionLost

    async def drain(self) -> None:
        while self._writing_paused and not self.closed:
            self._drained = asyncio.get_running_loop().create_future()
            try:
                await self._drained
            finally:
                self._drained = None

    def close(self) -> None:
        """Write what is left and close.

        A socket that closes with unread input is reset, and the client would not see why: after
        broken framing (a message too large, for example) what still comes is thrown away first.
        """
        self.flush()
        if self._transport is None:
            return
        if self.broken is None or self.closed:
            self._transport.close()
            return
        self._resume_reading()
        self._linger(round(LINGER_S / LINGER_STEP_S))

    def _linger(self, steps: int) -> None:
        if self._transport is None:
            return
        if self.closed or not self._thrown_away or not steps:
            self._transport.close()
            return
        self._thrown_away = False
        asyncio.get_running_loop().call_later(LINGER_STEP_S, self._linger, steps - 1)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
