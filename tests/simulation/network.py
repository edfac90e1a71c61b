"""The simulated network: `core.world.Network` over the kernel's virtual time.

Streams keep their order, as TCP does. What a fault does to them: *delay* (with a tail), *stall* (a cut
link holds everything back; after `BREAK_AFTER_S` both ends notice and the stream breaks, as keepalive
does), *reset*. One-way cuts hold one direction back.

The two ends of a stream notice its end apart, each in its own time, and until then go on taking what is
on its way: so messages of an earlier connection may arrive after those of the next one. A killed
process's peers notice after one way through the network, or, when cut off, by the silence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kernel import Kernel, Process

from trilithon.core.errors import Overloaded, Unavailable
from trilithon.core.world import Item, StreamHandler, StreamSpec, UnaryHandler
from trilithon.link.local import item_type
from trilithon.link.pending import PendingRequests

BREAK_AFTER_S = 4.0
RECONNECT_S = 0.05
QUEUE_ITEMS_MAX = 65_536


# Looks at a message that is about to leave (source, target, message); True: it is held back, and
# everything behind it.
Tap = Callable[[str, str, Any], bool]


@dataclass(slots=True)
class Distance:
    """One-way delay between two Regions (or within one), seconds; `tail` is how often it is ten times."""

    delay_s: float
    jitter: float = 0.3
    tail: float = 0.01


class SimNetwork:
    """All processes share one. Regions are named; faults speak of Regions or of processes."""

    def __init__(self, kernel: Kernel, *, local_s: float = 0.0003, remote_s: float = 0.02) -> None:
        self.kernel = kernel
        self.local = Distance(local_s)
        self.remote = Distance(remote_s)
        self.region_of: dict[str, str] = {}
        self.extra_delay_s: dict[tuple[str, str], float] = {}
        # How many faults cut it: faults overlap.
        self._cut: dict[tuple[str, str], int] = {}
        self._servers: dict[str, _Server] = {}
        self._streams: list[_Stream] = []
        self._taps: list[Tap] = []
        kernel.killed_callbacks.append(self._process_died)

    # -- faults

    def cut(self, source: str, target: str) -> None:
        """Nothing from Region (or process) `source` reaches `target` until mended. One way."""
        self._cut[(source, target)] = self._cut.get((source, target), 0) + 1
        for stream in list(self._streams):
            self.kernel.at(BREAK_AFTER_S, self._break_if_still_cut, stream)

    def mend(self, source: str, target: str) -> None:
        """Take one such cut back."""
        left = self._cut.pop((source, target), 1) - 1
        if left:
            self._cut[(source, target)] = left
        self._drain()

    def heal(self) -> None:
        self._cut.clear()
        self._drain()

    def tap(self, tap: Tap) -> Callable[[], None]:
        """Hold back what `tap` says, until the returned function is called. Only for scenarios: a
        stream that is held back does not break by itself."""
        self._taps.append(tap)

        def undo() -> None:
            if tap in self._taps:
                self._taps.remove(tap)
                self._drain()

        return undo

    def let_through(self, stream: _Stream, to_server: bool, items: list[bytes]) -> int:
        """How many of these the taps do not hold."""
        if not self._taps:
            return len(items)
        source, target = stream.ends(to_server)
        kind = stream.link.request_type if to_server else stream.link.reply_type
        for index, data in enumerate(items):
            message = kind.FromString(data)
            if any(tap(source.name, target.name, message) for tap in self._taps):
                return index
        return len(items)

    def _drain(self) -> None:
        for stream in list(self._streams):
            stream.drain_held()

    def is_cut(self, source: Process, target: Process) -> bool:
        if not self._cut:
            return False
        sources = (source.name, self.region_of[source.name])
        targets = (target.name, self.region_of[target.name])
        return any((s, t) in self._cut for s in sources for t in targets)

    def streams(self, *specs: StreamSpec) -> list[_Stream]:
        """The connections that stand, of these services or of all."""
        return [
            stream
            for stream in self._streams
            if not (stream.client_ended or stream.server_ended)
            and (not specs or stream.link.spec in specs)
        ]

    def reset_streams(self, process: Process) -> None:
        for stream in list(self._streams):
            if process in (stream.client, stream.server.process):
                stream.reset("connection reset")

    def _break_if_still_cut(self, stream: _Stream) -> None:
        server = stream.server.process
        if self.is_cut(stream.client, server) or self.is_cut(server, stream.client):
            stream.reset("silent for too long")

    def _process_died(self, process: Process) -> None:
        for address, server in list(self._servers.items()):
            if server.process is process:
                del self._servers[address]
        for stream in list(self._streams):
            if process is stream.client:
                stream.end(False, "this process died")
            if process is stream.server.process:
                stream.end(True, "this process died")

    # -- travel

    def delay_s(self, source: Process, target: Process) -> float:
        source_region, target_region = self.region_of[source.name], self.region_of[target.name]
        distance = self.local if source_region == target_region else self.remote
        draw = self.kernel.random
        delay = distance.delay_s * draw.uniform(1 - distance.jitter, 1 + distance.jitter)
        if draw.random() < distance.tail:
            delay *= 10
        extra = self.extra_delay_s
        if extra:
            delay += extra.get((source_region, target_region), 0.0)
            delay += extra.get((source.name, target.name), 0.0)
        return delay

    def for_process(self, process: Process, region: str) -> ProcessNetwork:
        self.region_of[process.name] = region
        return ProcessNetwork(self, process)


class ProcessNetwork:
    """What one process is given as its network."""

    def __init__(self, network: SimNetwork, process: Process) -> None:
        self.network = network
        self.process = process

    def link(
        self,
        spec: StreamSpec,
        address: str,
        *,
        pushed: Callable[[Sequence[Item]], None] | None = None,
        came_up: Callable[[], None] | None = None,
        went_down: Callable[[], None] | None = None,
    ) -> SimLink:
        return SimLink(self, spec, address, pushed, came_up, went_down)

    async def serve(
        self,
        address: str,
        streams: Mapping[StreamSpec, StreamHandler],
        unary: Mapping[str, UnaryHandler],
    ) -> _Server:
        server = _Server(self.network, self.process, address, dict(streams), dict(unary))
        self.network._servers[address] = server
        return server

    async def call(self, address: str, method: str, request: Any, *, timeout: float) -> Any:
        network, kernel = self.network, self.network.kernel
        server = network._servers.get(address)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        caller, life = self.process, self.process.life

        def answer(result: Any, error: BaseException | None) -> None:
            def deliver() -> None:
                if caller.running and caller.life == life:
                    caller.call(_resolve, future, result, error)

            kernel.at(network.delay_s(server.process, caller) if server else 0.0, deliver)

        if server is None:
            answer(None, Unavailable(f"nobody listens on {address}"))
        else:
            copy = type(request).FromString(request.SerializeToString())
            kernel.at(
                network.delay_s(caller, server.process),
                server.unary_call,
                caller,
                method,
                copy,
                answer,
            )
        try:
            async with asyncio.timeout(timeout):
                return await future
        except TimeoutError:
            raise Unavailable(f"{method} at {address}: no answer") from None


def _resolve(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if not future.done():
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


class _Server:
    def __init__(
        self,
        network: SimNetwork,
        process: Process,
        address: str,
        streams: dict[StreamSpec, StreamHandler],
        unary: dict[str, UnaryHandler],
    ) -> None:
        self.network = network
        self.process = process
        self.address = address
        self.streams = streams
        self.unary = unary
        self.life = process.life

    @property
    def alive(self) -> bool:
        return self.process.running and self.process.life == self.life

    async def close(self, grace_seconds: float) -> None:
        self.network._servers.pop(self.address, None)
        for stream in list(self.network._streams):
            if stream.server is self:
                stream.end(True, "server closed")

    def unary_call(
        self,
        caller: Process,
        method: str,
        request: Any,
        answer: Callable[[Any, BaseException | None], None],
    ) -> None:
        if not self.alive or self.network.is_cut(caller, self.process):
            return

        async def handle() -> None:
            try:
                result = await self.unary[method](request)
            except Exception as error:
                answer(None, Unavailable(repr(error)))
            else:
                if not self.network.is_cut(self.process, caller):
                    answer(result, None)

        assert self.process.loop is not None
        self.process.run(handle())


class _Stream:
    """One connection: two directions, each in order; two ends, each with its own end."""

    def __init__(self, link: SimLink, server: _Server, handler: StreamHandler) -> None:
        self.link = link
        self.client = link.process
        self.client_life = link.process.life
        self.server = server
        self.handler = handler
        self.peer = _Peer(self)
        self.client_ended = False
        self.server_ended = False
        self._clear_at_s = {True: 0.0, False: 0.0}
        self._held: list[tuple[bool, list[bytes]]] = []
        # What the client sends while a fault wants to repeat it.
        self.copies: list[bytes] | None = None

    # -- faults

    def leave_behind(self, collect_s: float, late_s: float) -> None:
        """From now on nothing arrives at the server for `late_s`. The client gives up after `collect_s`
        and dials anew: what it sent arrives after what the next connection brings."""
        kernel = self.link.network.kernel
        self._clear_at_s[True] = max(self._clear_at_s[True], kernel.now_s + late_s)
        kernel.at(collect_s, self._notice, False, "silent for too long")
        kernel.at(late_s + 0.1, self._notice, True, "the client is gone")

    def repeat(self, collect_s: float, late_s: float) -> None:
        """What the client sends within `collect_s` arrives once more after `late_s`, as if on an earlier
        connection: nobody hears the answers."""
        self.copies = []
        kernel = self.link.network.kernel
        kernel.at(collect_s, self._repeat_later, late_s)

    def _repeat_later(self, late_s: float) -> None:
        copies, self.copies = self.copies, None
        ghost = _Stream(self.link, self.server, self.handler)
        ghost.client_ended = True
        self.link.network.kernel.at(late_s, ghost._haunt, copies)

    def _haunt(self, items: list[bytes]) -> None:
        if self.server.alive and items:
            process = self.server.process
            process.call(self.handler.connected, self.peer)
            process.call(self.peer.received, items)
            self.link.network.kernel.at(0.3, self._notice, True, "the client is gone")

    # -- travel

    def send(self, to_server: bool, items: list[bytes]) -> None:
        network, kernel = self.link.network, self.link.network.kernel
        source, target = self.ends(to_server)
        if self.client_ended if to_server else self.server_ended:
            return
        if to_server and self.copies is not None:
            self.copies.extend(items)
        held = any(direction is to_server for direction, _ in self._held)
        if held or network.is_cut(source, target):
            self._held.append((to_server, items))
            return
        through = network.let_through(self, to_server, items)
        if through < len(items):
            self._held.append((to_server, items[through:]))
            items = items[:through]
            if not items:
                return
        kernel.at(self._arrival_s(to_server) - kernel.now_s, self._arrive, to_server, items)

    def _arrival_s(self, to_server: bool) -> float:
        """When what is sent now arrives: after everything that was sent before it."""
        network = self.link.network
        source, target = self.ends(to_server)
        arrival = max(
            network.kernel.now_s + network.delay_s(source, target),
            self._clear_at_s[to_server] + 1e-9,
        )
        self._clear_at_s[to_server] = arrival
        return arrival

    def drain_held(self) -> None:
        held, self._held = self._held, []
        for to_server, items in held:
            self.send(to_server, items)

    def ends(self, to_server: bool) -> tuple[Process, Process]:
        server = self.server.process
        return (self.client, server) if to_server else (server, self.client)

    def _arrive(self, to_server: bool, items: list[bytes]) -> None:
        source, target = self.ends(to_server)
        if self.server_ended if to_server else self.client_ended:
            return
        if self.link.network.is_cut(source, target):
            self._held.append((to_server, items))
            return
        if to_server:
            if self.server.alive:
                target.call(self.peer.received, items)
        elif target.running and target.life == self.client_life:
            target.call(self.link.received, self, items)

    def reset(self, reason: str) -> None:
        """Both ends notice, each when it does."""
        kernel = self.link.network.kernel
        for at_server in (False, True):
            kernel.at(kernel.random.uniform(0, 0.2), self._notice, at_server, reason)

    def end(self, at_server: bool, reason: str) -> None:
        """One end closes or dies; the other one hears of it after everything that was sent."""
        network, kernel = self.link.network, self.link.network.kernel
        self._notice(at_server, reason)
        source, target = self.ends(not at_server)
        if network.is_cut(source, target):
            kernel.at(BREAK_AFTER_S, self._notice, not at_server, reason)
        else:
            kernel.at(
                self._arrival_s(not at_server) - kernel.now_s, self._notice, not at_server, reason
            )

    def _notice(self, at_server: bool, reason: str) -> None:
        if at_server and not self.server_ended:
            self.server_ended = True
            if self.server.alive:
                self.server.process.call(self.handler.disconnected, self.peer)
        if not at_server and not self.client_ended:
            self.client_ended = True
            if self.client.running and self.client.life == self.client_life:
                self.client.call(self.link.broke, self, reason)
        if self.client_ended and self.server_ended and self in self.link.network._streams:
            self.link.network._streams.remove(self)


class _Peer:
    """core.world.Peer."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self._queue: list[bytes] = []

    @property
    def name(self) -> str:
        return f"sim:{self._stream.client.name}"

    def send(self, item: Item) -> None:
        if self._stream.server_ended:
            return
        self._queue.append(item.SerializeToString())
        if len(self._queue) == 1:
            loop = self._stream.server.process.loop
            assert loop is not None
            loop.call_soon(self._flush)

    def _flush(self) -> None:
        queue, self._queue = self._queue, []
        self._stream.send(False, queue)

    def close(self) -> None:
        self._stream.end(True, "closed by the server")

    def received(self, items: list[bytes]) -> None:
        if not self._stream.server_ended:
            parse = self._stream.link.request_type.FromString
            self._stream.handler.received(self, [parse(data) for data in items])


class SimLink:
    """core.world.Link."""

    def __init__(
        self,
        owner: ProcessNetwork,
        spec: StreamSpec,
        address: str,
        pushed: Callable[[Sequence[Item]], None] | None,
        came_up: Callable[[], None] | None,
        went_down: Callable[[], None] | None,
    ) -> None:
        self.network = owner.network
        self.process = owner.process
        self.spec = spec
        self._address = address
        self._pushed, self._came_up, self._went_down = pushed, came_up, went_down
        self.request_type = item_type(spec.requests)
        self.reply_type = item_type(spec.replies)
        self._pending = PendingRequests(f"{spec.name} at {address}", QUEUE_ITEMS_MAX)
        self._queue: list[bytes] = []
        self._stream: _Stream | None = None
        self._closed = False
        self._loop = asyncio.get_running_loop()
        self._loop.call_soon(self._dial)

    @property
    def up(self) -> bool:
        return self._stream is not None

    @property
    def quiet(self) -> bool:
        """Not simulated: silence shows when the stream breaks."""
        return False

    def post(self, item: Item) -> None:
        if self._stream is not None:
            item.correlation_id = 0
            self._put(item)

    async def request(self, item: Item, *, timeout: float) -> Item:
        correlation_id, future = self._pending.open(timeout)
        item.correlation_id = correlation_id
        try:
            self._put(item)
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
        self._put(item)
        return correlation_id

    def forget(self, correlation_id: int) -> None:
        self._pending.forget(correlation_id)

    def _put(self, item: Item) -> None:
        if self._closed:
            raise Unavailable(f"the link to {self._address} is closed")
        if len(self._queue) >= QUEUE_ITEMS_MAX:
            raise Overloaded(f"too much is waiting for {self._address}")
        self._queue.append(item.SerializeToString())
        if self._stream is not None and len(self._queue) == 1:
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        if self._stream is not None and self._queue:
            queue, self._queue = self._queue, []
            self._stream.send(True, queue)

    def _dial(self) -> None:
        """A handshake: one round trip before the stream is up."""
        if self._closed:
            return
        kernel, network = self.network.kernel, self.network
        server = network._servers.get(self._address)
        if server is None or network.is_cut(self.process, server.process):
            self._loop.call_later(RECONNECT_S, self._dial)
            return
        kernel.at(network.delay_s(self.process, server.process), self._accept, server)

    def _accept(self, server: _Server) -> None:
        network, process = self.network, self.process
        handler = server.streams.get(self.spec)
        if not process.running or process.loop is not self._loop:
            return
        reachable = server.alive and handler is not None and not server.process.paused
        if not reachable or network.is_cut(server.process, process):
            process.call(lambda: self._loop.call_later(RECONNECT_S, self._dial) and None)
            return
        assert handler is not None
        stream = _Stream(self, server, handler)
        network._streams.append(stream)
        server.process.call(handler.connected, stream.peer)
        network.kernel.at(network.delay_s(server.process, process), self._opened, stream)

    def _opened(self, stream: _Stream) -> None:
        if self.process.running and self.process.loop is self._loop:
            self.process.call(self._go_up, stream)

    def _go_up(self, stream: _Stream) -> None:
        if self._closed:
            stream.end(False, "closed by the client")
            return
        if stream.client_ended:
            return
        self._stream = stream
        early, self._queue = self._queue, []
        if self._came_up is not None:
            self._came_up()
        for data in early:
            if self.request_type.FromString(data).correlation_id in self._pending:
                self._queue.append(data)
        self._flush()

    def received(self, stream: _Stream, items: list[bytes]) -> None:
        if stream is not self._stream:
            return
        pushed = self._pending.resolve([self.reply_type.FromString(data) for data in items])
        if pushed and self._pushed is not None:
            self._pushed(pushed)

    def broke(self, stream: _Stream, reason: str) -> None:
        if stream is not self._stream:
            if not self._closed and self._stream is None:
                self._loop.call_later(RECONNECT_S, self._dial)
            return
        self._stream = None
        if self._closed:
            return
        self._queue.clear()
        self._pending.fail_all(f"the link to {self._address} broke: {reason}")
        if self._went_down is not None:
            self._went_down()
        self._loop.call_later(RECONNECT_S, self._dial)

    async def close(self) -> None:
        self._closed = True
        if self._stream is not None:
            self._stream.end(False, "closed by the client")
        self._pending.close(f"the link to {self._address} was closed")
