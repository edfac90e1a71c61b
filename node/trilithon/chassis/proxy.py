"""A TCP proxy on the links between Regions: distance for `trilithon up --rtt-ms`, faults for drills.

    python -m trilithon.chassis.proxy FILE

Vocabulary
- A *route* listens for one Region's connections to one process of another Region. Its name is
  "a>b/journal-0": from Region a to that process.
- *there* is the direction from the one who connects, *back* the other.

Order is kept and bandwidth is not limited. TCP's own behaviour is what faults look like: loss is a
stall (what was lost is sent again), a cut holds everything, closing included, until it is healed;
only `reset` and `garbage` do what a healthy network would not.

Control: a Unix socket, one JSON object a line each way (see `Proxy.command`).
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import json
import os
import random
import signal
import socket
import struct
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, cast

# Held per connection and direction; then the sender is not read any more.
_HELD_BYTES_MAX: Final = 64 * 1024 * 1024
_RETRANSMIT_SECONDS: Final = 0.2
_COMMAND_BYTES_MAX: Final = 1024 * 1024
_CONNECT_SECONDS: Final = 5.0


@dataclass(slots=True)
class Direction:
    """What happens to bytes on their way; shared by all connections of a route."""

    delay_s: float = 0.0
    jitter_s: float = 0.0
    # The chance that a chunk is lost and comes again one retransmission later.
    loss: float = 0.0
    cut: bool = False


@dataclass(slots=True)
class Route:
    name: str
    listen: str
    target: str
    there: Direction = field(default_factory=Direction)
    back: Direction = field(default_factory=Direction)
    connections: set[_Connection] = field(default_factory=set)
    server: asyncio.Server | None = None


class _Pipe:
    """One direction of one connection."""

    def __init__(self, direction: Direction, source: random.Random) -> None:
        self.direction = direction
        self._random = source
        self._loop = asyncio.get_running_loop()
        # (when it arrives, bytes; None: the sender has closed)
        self._held: deque[tuple[float, bytes | None]] = deque()
        self._bytes = 0
        self._last_due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._blocked = False
        self.reader: asyncio.Transport | None = None
        self.writer: asyncio.Transport | None = None

    def feed(self, data: bytes | None) -> None:
        direction = self.direction
        due = self._loop.time() + direction.delay_s
        if direction.jitter_s:
            due += self._random.uniform(0, direction.jitter_s)
        if direction.loss and self._random.random() < direction.loss:
            due += _RETRANSMIT_SECONDS
        self._last_due = max(due, self._last_due)
        self._held.append((self._last_due, data))
        self._bytes += len(data or b"")
        if self._bytes > _HELD_BYTES_MAX and self.reader is not None:
            with contextlib.suppress(RuntimeError):
                self.reader.pause_reading()
        self.flush()

    def block(self, blocked: bool) -> None:
        """The receiver takes no more for now."""
        self._blocked = blocked
        if not blocked:
            self.flush()

    def flush(self) -> None:
        """Deliver what is due; called again when more is, and when a cut is healed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._held and self.writer is not None:
            if self.direction.cut or self._blocked:
                return
            due, data = self._held[0]
            if due > self._loop.time():
                self._timer = self._loop.call_at(due, self.flush)
                return
            self._held.popleft()
            if data is None:
                self.writer.close()
                return
            self._bytes -= len(data)
            self.writer.write(data)
        if self._bytes < _HELD_BYTES_MAX // 2 and self.reader is not None:
            with contextlib.suppress(RuntimeError):
                self.reader.resume_reading()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._held.clear()
        self.writer = None


class _End(asyncio.Protocol):
    """One socket of a connection: bytes come in for `outgoing`, `incoming` writes to it."""

    def __init__(self, connection: _Connection, outgoing: _Pipe, incoming: _Pipe) -> None:
        self._connection = connection
        self._outgoing = outgoing
        self._incoming = incoming

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        made = cast(asyncio.Transport, transport)
        made.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.ends.append(made)
        self._outgoing.reader = made
        self._incoming.writer = made
        self._incoming.flush()

    def data_received(self, data: bytes) -> None:
        self._outgoing.feed(data)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, _: Exception | None) -> None:
        self._outgoing.reader = None
        self._incoming.stop()
        self._outgoing.feed(None)
        self._connection.end_lost()

    def pause_writing(self) -> None:
        self._incoming.block(True)

    def resume_writing(self) -> None:
        self._incoming.block(False)


class _Connection:
    def __init__(self, route: Route, source: random.Random) -> None:
        self.route = route
        self.there = _Pipe(route.there, source)
        self.back = _Pipe(route.back, source)
        self.ends: list[asyncio.Transport] = []
        self._lost = 0
        self._connecting: asyncio.Task[None] | None = None
        route.connections.add(self)

    def accepted(self) -> _End:
        self._connecting = asyncio.create_task(self._connect())
        return _End(self, self.there, self.back)

    async def _connect(self) -> None:
        """Reach the target; behind a cut only once it is healed, like a SYN that is sent again."""
        route = self.route
        while route.there.cut or route.back.cut:  # noqa: ASYNC110 (retried, as a SYN is)
            await asyncio.sleep(_RETRANSMIT_SECONDS / 4)
        host, port = _host_and_port(route.target)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await asyncio.get_running_loop().create_connection(
                    lambda: _End(self, self.back, self.there), host, port
                )
        except (OSError, TimeoutError):
            self.abort()

    def end_lost(self) -> None:
        self._lost += 1
        if self._lost == len(self.ends):
            if self._connecting is not None:
                self._connecting.cancel()
            self.there.stop()
            self.back.stop()
            self.route.connections.discard(self)

    def flush(self) -> None:
        self.there.flush()
        self.back.flush()

    def abort(self) -> None:
        """Both ends get a reset."""
        for end in tuple(self.ends):
            opened = end.get_extra_info("socket")
            if opened is not None and not end.is_closing():
                with contextlib.suppress(OSError):
                    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.abort()


class Proxy:
    """All routes of one machine."""

    def __init__(
        self, routes: Sequence[Route], delay_s: float, source: random.Random | None = None
    ) -> None:
        self.routes = list(routes)
        self._delay_s = delay_s
        self._random = source or random.Random()
        self._control: asyncio.Server | None = None
        for route in routes:
            route.there.delay_s = route.back.delay_s = delay_s

    async def start(self, control_path: str) -> None:
        loop = asyncio.get_running_loop()
        for route in self.routes:
            host, port = _host_and_port(route.listen)
            route.server = await loop.create_server(partial(self._accept, route), host, port)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(control_path)
        self._control = await asyncio.start_unix_server(
            self._serve_control, control_path, limit=_COMMAND_BYTES_MAX
        )

    def _accept(self, route: Route) -> _End:
        return _Connection(route, self._random).accepted()

    async def stop(self) -> None:
        if self._control is not None:
            self._control.close()
        for route in self.routes:
            if route.server is not None:
                route.server.close()
            for connection in tuple(route.connections):
                connection.abort()
        await asyncio.sleep(0)

    async def _serve_control(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while line := await reader.readline():
                try:
                    answer = self.command(json.loads(line))
                except (ValueError, KeyError, TypeError) as error:
                    answer = {"error": str(error) or repr(error)}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError):
            pass
        finally:
            writer.close()

    def command(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """`do` is one of

        - "set": delay_ms, jitter_ms, loss (0 to 1), cut (bool), those that are given;
        - "heal": back to the base delay, nothing else;
        - "reset": break the connections; "garbage": `bytes` (default 64) random ones into each;
        - "list": the routes as they are.

        `routes`: patterns of names ("a>b/*"; several: a list; default: all). `direction`: there,
        back or both (the default). Answers {"routes": [names...]}.
        """
        do = request["do"]
        chosen = self._choose(request.get("routes", "*"))
        if do == "list":
            return {"routes": [_describe(route) for route in chosen]}
        for route in chosen:
            for direction in _directions(route, request.get("direction", "both")):
                self._apply(do, request, route, direction)
            for connection in tuple(route.connections):
                if do == "reset":
                    connection.abort()
                else:
                    connection.flush()
        return {"routes": [route.name for route in chosen]}

    def _choose(self, patterns: str | list[str]) -> list[Route]:
        if isinstance(patterns, str):
            patterns = [patterns]
        return [
            route
            for route in self.routes
            if any(fnmatch.fnmatchcase(route.name, pattern) for pattern in patterns)
        ]

    def _apply(
        self, do: str, request: Mapping[str, Any], route: Route, direction: Direction
    ) -> None:
        match do:
            case "set":
                delay_ms = float(request.get("delay_ms", direction.delay_s * 1000))
                jitter_ms = float(request.get("jitter_ms", direction.jitter_s * 1000))
                loss = float(request.get("loss", direction.loss))
                if delay_ms < 0 or jitter_ms < 0 or not 0 <= loss <= 1:
                    raise ValueError("expected delay_ms >= 0, jitter_ms >= 0, loss of 0 to 1")
                direction.delay_s = delay_ms / 1000
                direction.jitter_s = jitter_ms / 1000
                direction.loss = loss
                direction.cut = bool(request.get("cut", direction.cut))
            case "heal":
                direction.delay_s = self._delay_s
                direction.jitter_s = direction.loss = 0.0
                direction.cut = False
            case "garbage":
                count = min(int(request.get("bytes", 64)), _COMMAND_BYTES_MAX)
                for connection in route.connections:
                    pipe = connection.there if direction is route.there else connection.back
                    pipe.feed(self._random.randbytes(count))
            case "reset":
                pass
            case _:
                raise ValueError(f"do = {do!r}: expected set, heal, reset, garbage or list")


def _directions(route: Route, name: str) -> list[Direction]:
    match name:
        case "both":
            return [route.there, route.back]
        case "there":
            return [route.there]
        case "back":
            return [route.back]
    raise ValueError(f"direction = {name!r}: expected there, back or both")


def _describe(route: Route) -> dict[str, Any]:
    def direction(one: Direction) -> dict[str, Any]:
        return {
            "delay_ms": one.delay_s * 1000,
            "jitter_ms": one.jitter_s * 1000,
            "loss": one.loss,
            "cut": one.cut,
        }

    return {
        "name": route.name,
        "listen": route.listen,
        "target": route.target,
        "connections": len(route.connections),
        "there": direction(route.there),
        "back": direction(route.back),
    }


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


class ProxyControl:
    """The other end of the control socket, for supervisors and drills (blocking)."""

    def __init__(self, path: str, *, timeout_s: float = 5.0) -> None:
        self._path = path
        self._timeout_s = timeout_s

    def send(self, do: str, routes: str | Sequence[str] = "*", **more: Any) -> dict[str, Any]:
        """See `Proxy.command`. Raises OSError when the proxy is gone, ValueError when it refuses."""
        routes = routes if isinstance(routes, str) else list(routes)
        request = json.dumps({"do": do, "routes": routes, **more}).encode() + b"\n"
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(self._timeout_s)
            connection.connect(self._path)
            connection.sendall(request)
            with connection.makefile("rb") as answers:
                answer: dict[str, Any] = json.loads(answers.readline() or b'{"error": "no answer"}')
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer

    def isolate(self, region: str) -> None:
        """Cut every link between this Region and the others."""
        self.send("set", [f"{region}>*", f"*>{region}/*"], cut=True)

    def cut_between(self, one: str, other: str) -> None:
        self.between("set", one, other, cut=True)

    def cut_one_way(self, sender: str, receiver: str) -> None:
        """What this Region sends does not arrive there; what the other sends does."""
        self.send("set", f"{sender}>{receiver}/*", cut=True, direction="there")
        self.send("set", f"{receiver}>{sender}/*", cut=True, direction="back")

    def between(self, do: str, one: str, other: str, **more: Any) -> None:
        """A command for every link between two Regions."""
        self.send(do, [f"{one}>{other}/*", f"{other}>{one}/*"], **more)

    def heal(self) -> None:
        self.send("heal")


async def _run(plan: Mapping[str, Any]) -> int:
    routes = [Route(one["name"], one["listen"], one["target"]) for one in plan["routes"]]
    proxy = Proxy(routes, float(plan["delay_ms"]) / 1000)
    await proxy.start(plan["control"])
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await stopping.wait()
    await proxy.stop()
    return 0


def main() -> int:
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m trilithon.chassis.proxy FILE\n")
        return 2
    with open(sys.argv[1], encoding="utf-8") as opened:
        plan = json.load(opened)
    try:
        import uvloop
    except ImportError:
        return asyncio.run(_run(plan))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(plan))


if __name__ == "__main__":
    sys.exit(main())
