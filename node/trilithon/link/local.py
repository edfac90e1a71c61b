"""The link's Protocols inside one process and one event loop, without gRPC. For tests of services.

What one loop iteration queues arrives as one message in a later one. Items are serialised and
parsed on the way, so that both ends never share an object. `cut`, `heal` and `delay_s` are the
faults; everything else (bounds, exceptions, what callers may rely on) is as over gRPC.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from trilithon.core.errors import Overloaded, Unavailable
from trilithon.core.world import Item, StreamHandler, StreamSpec, UnaryHandler
from trilithon.link.pending import PendingRequests

_log = logging.getLogger("trilithon.link")

QUEUE_ITEMS_MAX: Final = 65_536
RECONNECT_SECONDS: Final = 0.01


class LocalPeer:
    """The server's end of one local stream."""

    def __init__(self, link: LocalLink, server: LocalServer, handler: StreamHandler) -> None:
        self._link = link
        self.server = server
        self.handler = handler
        self._queue: list[bytes] = []
        self.closed = False

    @property
    def name(self) -> str:
        return f"local:{id(self._link):x}"

    def send(self, item: Item) -> None:
        if self.closed:
            return
        if len(self._queue) >= QUEUE_ITEMS_MAX:
            self.close()
            return
        self._queue.append(item.SerializeToString())
        if len(self._queue) == 1:
            self._link.network.later(self._flush)

    def _flush(self) -> None:
        queue, self._queue = self._queue, []
        if not self.closed:
            reply_type = self._link.reply_item_type
            self._link.deliver([reply_type.FromString(data) for data in queue])

    def close(self) -> None:
        self._link.break_stream("closed by the server", self)


class LocalLink:
    """The client's end of one local stream."""

    def __init__(
        self,
        network: LocalNetwork,
        spec: StreamSpec,
        address: str,
        pushed: Callable[[Sequence[Item]], None] | None,
        came_up: Callable[[], None] | None,
        went_down: Callable[[], None] | None,
    ) -> None:
        self.network = network
        self._spec = spec
        self.address = address
        self._pushed = pushed
        self._came_up = came_up
        self._went_down = went_down
        self.reply_item_type = item_type(spec.replies)
        self._request_item_type = item_type(spec.requests)
        self._pending = PendingRequests(f"{spec.name} at {address}", QUEUE_ITEMS_MAX)
        self._queue: list[tuple[int, bytes]] = []
        self._peer: LocalPeer | None = None
        self._closed = False
        self._timer: asyncio.Handle = asyncio.get_running_loop().call_soon(self._connect)

    @property
    def up(self) -> bool:
        return self._peer is not None

    @property
    def quiet(self) -> bool:
        """Only what a test put into `LocalNetwork.hushed`."""
        return self.address in self.network.hushed

    def post(self, item: Item) -> None:
        if self._peer is not None:
            item.correlation_id = 0
            self._put(0, item)

    async def request(self, item: Item, *, timeout: float) -> Item:
        correlation_id, future = self._pending.open(timeout)
        item.correlation_id = correlation_id
        try:
            self._put(correlation_id, item)
            return await future
        finally:
            self._pending.forget(correlation_id)

    def converse(
        self,
        item: Item,
        *,
        received: Callable[[Item], bool],
        failed: Callable[[Exception], None],
        timeout: float,
    ) -> int:
        correlation_id = self._pending.converse(received, failed, timeout)
        item.correlation_id = correlation_id
        try:
            self._put(correlation_id, item)
        except (Overloaded, Unavailable):
            self._pending.forget(correlation_id)
            raise
        return correlation_id

    def forget(self, correlation_id: int) -> None:
        self._pending.forget(correlation_id)

    def _put(self, correlation_id: int, item: Item) -> None:
        if self._closed:
            raise Unavailable(f"the link to {self.address} is closed")
        if len(self._queue) >= QUEUE_ITEMS_MAX:
            raise Overloaded(f"{QUEUE_ITEMS_MAX} items are waiting for {self.address}")
        self._queue.append((correlation_id, item.SerializeToString()))
        if self._peer is not None and len(self._queue) == 1:
            self.network.later(self._flush)

    def _flush(self) -> None:
        peer = self._peer
        if peer is None:
            return
        queue, self._queue = self._queue, []
        items = [self._request_item_type.FromString(data) for _, data in queue]
        try:
            peer.handler.received(peer, items)
        except Exception:
            _log.exception("the handler of %s failed; disconnected", self._spec.name)
            peer.close()

    def deliver(self, items: Sequence[Item]) -> None:
        pushed = self._pending.resolve(items)
        if pushed and self._pushed is not None:
            try:
                self._pushed(pushed)
            except Exception:
                _log.exception("the receiver of pushed items failed; disconnected")
                self.break_stream("the receiver of pushed items failed")

    def _connect(self) -> None:
        if self._closed:
            return
        server = self.network.server_at(self.address)
        handler = None if server is None else server.streams.get(self._spec)
        if server is None or handler is None:
            self._timer = asyncio.get_running_loop().call_later(RECONNECT_SECONDS, self._connect)
            return
        peer = LocalPeer(self, server, handler)
        self._peer = peer
        server.peers.add(peer)
        handler.connected(peer)
        early, self._queue = self._queue, []
        if self._came_up is not None:
            self._came_up()
        waiting = [(id_, data) for id_, data in early if id_ in self._pending]
        self._queue += waiting
        if waiting and len(self._queue) == len(waiting):
            self.network.later(self._flush)

    def break_stream(self, reason: str, peer: LocalPeer | None = None) -> None:
        """End the stream as a broken connection would; the link connects again by itself."""
        if self._peer is None or (peer is not None and peer is not self._peer):
            return
        ended, self._peer = self._peer, None
        ended.closed = True
        ended.server.peers.discard(ended)
        self._queue.clear()
        ended.handler.disconnected(ended)
        self._pending.fail_all(f"the link to {self.address} broke: {reason}")
        if self._went_down is not None:
            self._went_down()
        if not self._closed:
            self._timer = asyncio.get_running_loop().call_later(RECONNECT_SECONDS, self._connect)

    async def close(self) -> None:
        self._closed = True
        self._timer.cancel()
        self.break_stream("closed")
        self._pending.close(f"the link to {self.address} was closed")
        self._queue.clear()
        self.network.links.discard(self)


class LocalServer:
    def __init__(
        self,
        network: LocalNetwork,
        address: str,
        streams: Mapping[StreamSpec, StreamHandler],
        unary: Mapping[str, UnaryHandler],
    ) -> None:
        self._network = network
        self._address = address
        self.streams = dict(streams)
        self.unary = dict(unary)
        self.peers: set[LocalPeer] = set()

    @property
    def address(self) -> str:
        return self._address

    async def close(self, grace_seconds: float) -> None:
        self._network.servers.pop(self._address, None)
        for peer in tuple(self.peers):
            peer.close()


class LocalNetwork:
    """Every process of a test shares one. `delay_s` is how long a message travels."""

    def __init__(self, *, delay_s: float = 0.0) -> None:
        self.delay_s = delay_s
        self.servers: dict[str, LocalServer] = {}
        self.links: set[LocalLink] = set()
        self._cut: set[str] = set()
        # Addresses whose links are quiet.
        self.hushed: set[str] = set()
        self._ports = itertools.count(50_000)

    def link(
        self,
        spec: StreamSpec,
        address: str,
        *,
        pushed: Callable[[Sequence[Item]], None] | None = None,
        came_up: Callable[[], None] | None = None,
        went_down: Callable[[], None] | None = None,
    ) -> LocalLink:
        link = LocalLink(self, spec, address, pushed, came_up, went_down)
        self.links.add(link)
        return link

    async def serve(
        self,
        address: str,
        streams: Mapping[StreamSpec, StreamHandler],
        unary: Mapping[str, UnaryHandler],
    ) -> LocalServer:
        host, _, port = address.rpartition(":")
        if port == "0":
            address = f"{host}:{next(self._ports)}"
        if address in self.servers:
            raise OSError(f"cannot listen on {address}")
        server = LocalServer(self, address, streams, unary)
        self.servers[address] = server
        return server

    async def call(self, address: str, method: str, request: Any, *, timeout: float) -> Any:
        server = self.server_at(address)
        function = None if server is None else server.unary.get(method)
        if function is None:
            raise Unavailable(f"{method} at {address}: nobody answers")
        try:
            async with asyncio.timeout(timeout):
                return await function(request)
        except Exception as error:
            raise Unavailable(f"{method} at {address}: {error!r}") from error

    def server_at(self, address: str) -> LocalServer | None:
        return None if address in self._cut else self.servers.get(address)

    def cut(self, address: str) -> None:
        """Nobody reaches `address` until it is healed; streams to it break."""
        self._cut.add(address)
        for link in tuple(self.links):
            if link.address == address:
                link.break_stream("cut")

    def heal(self, address: str) -> None:
        self._cut.discard(address)

    def later(self, function: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        if self.delay_s:
            loop.call_later(self.delay_s, function)
        else:
            loop.call_soon(function)


def item_type(message_type: Any) -> Any:
    """The class of a stream message's items."""
    return type(message_type().items.add())
