"""What a service may ask of the world: clocks, randomness, links to other processes.

Production gives `trilithon.link.GrpcNetwork` and the machine's clocks; the simulation gives virtual
time and a network of its own. Services take a `World` and import nothing that does I/O themselves
(their stores excepted, which are injected too).

Vocabulary
- A *link* is the client's end of one long-lived, coalescing, bidirectional stream.
- A *peer* is the server's end of the same stream.
- An *item* is one protobuf request or reply with a `correlation_id`; 0 means one-way.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Item = Any  # a protobuf message with `correlation_id`


class Clock(Protocol):
    def monotonic_us(self) -> int:
        """Microseconds of a clock that never jumps and counts suspend (CLOCK_BOOTTIME)."""
        ...

    def wall_us(self) -> int:
        """Microseconds since 1970 UTC. May jump; no promise depends on it."""
        ...


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One bidirectional stream method: `name` is the gRPC path, e.g. "/trilithon.v1.Journal/Exchange".

    `requests` and `replies` are the protobuf classes of whole messages; both have `items`.
    """

    name: str
    requests: type[Any]
    replies: type[Any]


class Link(Protocol):
    """The client's end. Reconnects by itself with jittered backoff until closed.

    Everything that is pending goes out as one message as soon as the last write returned.
    """

    @property
    def up(self) -> bool: ...

    @property
    def quiet(self) -> bool:
        """Nothing has come for a while, not even the answer to a ping: the other process stands
        still, or the network does. If it goes on the link breaks."""
        ...

    def post(self, item: Item) -> None:
        """Send one way (correlation id 0). Dropped silently while the link is down; raises
        Overloaded when the bounded queue is full."""
        ...

    async def request(self, item: Item, *, timeout: float) -> Item:
        """Send with a fresh correlation id and wait for the reply.

        Raises Unavailable when the link is down for the whole timeout, breaks before the reply, or
        the reply does not come within `timeout` seconds (the request may have taken effect);
        Overloaded when the bounded queue is full (nothing was sent).
        """
        ...

    async def close(self) -> None: ...


class Peer(Protocol):
    """The server's end of one stream."""

    @property
    def name(self) -> str:
        """For logs: where the stream comes from."""
        ...

    def send(self, item: Item) -> None:
        """Queue one reply or push; all that is queued goes out as one message. Never blocks.
        A peer that does not read until its bound is full is disconnected."""
        ...

    def close(self) -> None: ...


class StreamHandler(Protocol):
    """What a service does with one stream method. All calls come on the event loop."""

    def connected(self, peer: Peer) -> None: ...

    def received(self, peer: Peer, items: Sequence[Item]) -> None:
        """One whole message. Must not block; start tasks for what has to wait."""
        ...

    def disconnected(self, peer: Peer) -> None: ...


class Server(Protocol):
    @property
    def address(self) -> str:
        """host:port as bound."""
        ...

    async def close(self, grace_seconds: float) -> None: ...


UnaryHandler = Callable[[Any], Awaitable[Any]]


class Network(Protocol):
    def link(
        self,
        spec: StreamSpec,
        address: str,
        *,
        pushed: Callable[[Sequence[Item]], None] | None = None,
        came_up: Callable[[], None] | None = None,
        went_down: Callable[[], None] | None = None,
    ) -> Link:
        """Open the client's end. `pushed` gets every item with correlation id 0, a whole message's
        worth at a time."""
        ...

    async def serve(
        self,
        address: str,
        streams: Mapping[StreamSpec, StreamHandler],
        unary: Mapping[str, UnaryHandler],
    ) -> Server:
        """Serve streams and unary methods (by gRPC path) on host:port (port 0: any free one)."""
        ...

    async def call(self, address: str, method: str, request: Any, *, timeout: float) -> Any:
        """One unary call (administration only). Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    clock: Clock
    random: random.Random
    network: Network
