"""Virtual time, connections and faults for the joint simulation of journals and adjudicators.

A *connection* is what a link is in production: an ordered stream between two processes, up or down;
when it breaks, what is in flight is lost and both ends are told. Votes, appends and forwarded
commits may in addition be repeated, delayed and overtaken (`loose`): the protocol promises to bear it.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from typing import Any

SECOND = 1_000_000
DRIFT = 0.02


class World:
    def __init__(self, seed: int, wan_s: float = 0.03) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.wan_s = wan_s
        self._queue: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = itertools.count()
        self.nodes: dict[str, Node] = {}
        self.down: set[str] = set()
        self.cut: set[frozenset[str]] = set()
        self.loss = 0.0
        self.loose = 0.0
        self.slow_disk = 0.0
        self.stopping = False
        self.stats: dict[str, int] = {}
        self.connections: list[Connection] = []
        self.connection_count = 0
        # Entries that journals have trimmed away: settled, so the same everywhere.
        self.archive: dict[int, Any] = {}
        self.trace: list[str] = []
        self.keep_trace = False

    def count(self, what: str) -> None:
        self.stats[what] = self.stats.get(what, 0) + 1

    def note(self, text: str) -> None:
        if self.keep_trace:
            self.trace.append(f"{self.now:9.4f} {text}")

    def at(self, delay_s: float, fn: Callable[..., None], *arguments: Any) -> None:
        heapq.heappush(self._queue, (self.now + delay_s, next(self._count), fn, arguments))

    def forget(self, fn: Callable[..., None]) -> None:
        self._queue = [event for event in self._queue if event[2] != fn]
        heapq.heapify(self._queue)

    def run(self, until: float) -> None:
        while self._queue and self._queue[0][0] <= until:
            self.now, _, fn, arguments = heapq.heappop(self._queue)
            fn(*arguments)
        self.now = until

    def crash(self, name: str) -> None:
        if name in self.down:
            return
        self.note(f"crash {name}")
        self.down.add(name)
        for connection in list(self.connections):
            if name in (connection.client.name, connection.server.name):
                connection.drop()
        self.nodes[name].crash()

    def restart(self, name: str) -> None:
        if name in self.down:
            self.note(f"restart {name}")
            self.down.discard(name)
            self.nodes[name].start()

    def cut_links(self, cut: set[frozenset[str]]) -> None:
        """Streams over a cut link hang; some time later both ends notice."""
        self.note(f"cut {sorted(sorted(pair) for pair in cut)}")
        self.cut = cut
        for connection in list(self.connections):
            if self.is_cut(connection.client.region, connection.server.region):
                self.at(self.random.uniform(0.05, 1.0), self._notice, connection)

    def _notice(self, connection: Connection) -> None:
        if self.is_cut(connection.client.region, connection.server.region):
            connection.drop()

    def delay_s(self, one: str, other: str) -> float:
        base = 0.0003 if one == other else self.wan_s
        delay = base * self.random.uniform(0.8, 1.6)
        if self.random.random() < 0.01:
            delay += self.random.expovariate(1 / 0.1)
        return delay

    def is_cut(self, one: str, other: str) -> bool:
        return one != other and frozenset((one, other)) in self.cut

    def reachable(self, one: Node, other: Node) -> bool:
        return (
            one.name not in self.down
            and other.name not in self.down
            and not self.is_cut(one.region, other.region)
        )


class Node:
    """A process: its own clock (rate off by up to the drift bound), and lives."""

    def __init__(self, world: World, name: str, region: str) -> None:
        self.world = world
        self.name = name
        self.region = region
        self.rate = 1 + world.random.uniform(-DRIFT, DRIFT) * 0.95
        self.offset = world.random.uniform(0, 1000)
        self.wall_offset = world.random.uniform(-5, 5)
        self.life = 0
        world.nodes[name] = self

    def clock_us(self) -> int:
        return int((self.offset + self.rate * self.world.now) * SECOND)

    def wall_us(self) -> int:
        return int((1_700_000_000 + self.wall_offset + self.world.now) * SECOND)

    def life_id(self) -> bytes:
        return self.world.random.getrandbits(128).to_bytes(16, "big")

    def after(self, delay_s: float, fn: Callable[..., None], *arguments: Any) -> None:
        """Later, if this life still goes on."""
        life = self.life

        def run() -> None:
            if self.name not in self.world.down and self.life == life:
                fn(*arguments)

        self.world.at(delay_s, run)

    def start(self) -> None: ...
    def crash(self) -> None: ...

    def accepted(self, connection: Connection) -> None: ...
    def request(self, connection: Connection, item: Any) -> None: ...
    def lost(self, connection: Connection) -> None: ...


class Connection:
    """From a client to a server; opens itself again until closed."""

    def __init__(
        self,
        client: Node,
        server: Node,
        *,
        came_up: Callable[[], None],
        went_down: Callable[[], None],
        received: Callable[[Any], None],
        loose: Callable[[Any], bool] = lambda item: False,
    ) -> None:
        self.world = client.world
        self.client, self.server = client, server
        self._lives = (client.life, 0)
        self._came_up, self._went_down, self._received = came_up, went_down, received
        self._loose = loose
        self.up = False
        self.closed = False
        # Grows with every break: what is in flight of an older one never arrives.
        self.generation = 0
        self._last = [0.0, 0.0]
        self.world.connection_count += 1
        self.number = self.world.connection_count
        self.world.connections.append(self)
        self._retry()

    @property
    def peer(self) -> int:
        """The server's number for this stream."""
        return self.number * 10_000 + self.generation

    def _retry(self) -> None:
        if self.closed or self.client.life != self._lives[0] or self.client.name in self.world.down:
            return
        if self.up:
            return
        world = self.world
        if world.reachable(self.client, self.server):
            world.at(2 * world.delay_s(self.client.region, self.server.region), self._open)
        else:
            world.at(world.random.uniform(0.05, 0.2), self._retry)

    def _open(self) -> None:
        world = self.world
        if self.closed or self.up or self.client.life != self._lives[0]:
            return
        if not world.reachable(self.client, self.server):
            world.at(0.1, self._retry)
            return
        self.up = True
        self.generation += 1
        self._lives = (self.client.life, self.server.life)
        self._last = [world.now, world.now]
        self.server.accepted(self)
        self._came_up()

    def close(self) -> None:
        self.closed = True
        self.drop()
        if self in self.world.connections:
            self.world.connections.remove(self)

    def drop(self) -> None:
        """The stream breaks; who lives is told."""
        if not self.up:
            return
        self.up = False
        world = self.world
        if self.server.name not in world.down and self.server.life == self._lives[1]:
            self.server.lost(self)
        if self.client.name not in world.down and self.client.life == self._lives[0]:
            self._went_down()
            if not self.closed:
                world.at(world.random.uniform(0.02, 0.2), self._retry)

    def send(self, item: Any) -> None:
        """From the client."""
        self._carry(0, item)

    def reply(self, generation: int, item: Any) -> None:
        """From the server, on the stream that it took the request from."""
        if generation == self.generation:
            self._carry(1, item)

    def _carry(self, way: int, item: Any) -> None:
        if not self.up:
            return
        world = self.world
        data = item.SerializeToString()
        kind = type(item)
        if self.client.region != self.server.region and world.random.random() < world.loss:
            # A lossy link: now and then the stream breaks.
            if world.random.random() < 0.1:
                world.at(0.05, self._break, self.generation)
            if self._loose(item):
                return
        delay = world.delay_s(self.client.region, self.server.region)
        if self._loose(item) and world.random.random() < world.loose:
            if world.random.random() < 0.5:
                late = delay + world.random.expovariate(1 / 0.3)
                world.at(late, self._deliver, way, self.generation, kind, data)
            else:
                delay += world.random.expovariate(1 / 0.05)
                world.at(delay, self._deliver, way, self.generation, kind, data)
                return
        arrival = max(world.now + delay, self._last[way])
        self._last[way] = arrival
        world.at(arrival - world.now, self._deliver, way, self.generation, kind, data)

    def _break(self, generation: int) -> None:
        if generation == self.generation:
            self.drop()

    def _deliver(self, way: int, generation: int, kind: type[Any], data: bytes) -> None:
        if not self.up or generation != self.generation:
            return
        world = self.world
        if not world.reachable(self.client, self.server):
            return
        item = kind.FromString(data)
        if way == 0:
            self.server.request(self, item)
        else:
            self._received(item)
