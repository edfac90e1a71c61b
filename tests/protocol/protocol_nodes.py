"""The real machines as nodes of the simulated world: journals on a list as disk, adjudicators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protocol_world import Connection, Node, World

from trilithon.adjudicator.machine import AdjudicatorMachine
from trilithon.adjudicator.settings import AdjudicatorTarget, JournalTarget, Settings
from trilithon.journal.machine import JournalMachine
from trilithon.journal.operations import DurableState, Operation, SetBase
from trilithon.journal.settings import JournalSettings
from trilithon.v1 import journal_pb2 as journal

TTL_US = 1_000_000


class JournalNode(Node):
    def __init__(
        self, world: World, name: str, region: str, *, full: bool, settings: dict[str, Any]
    ) -> None:
        super().__init__(world, name, region)
        self.full = full
        self._settings = {"lease_ttl_us": TTL_US, "window_us": 300 * TTL_US, **settings}
        self.disk = DurableState(world.random.getrandbits(128).to_bytes(16, "big"))

    def start(self) -> None:
        self.life += 1
        settings = JournalSettings(full=self.full, **self._settings)
        self._peers: dict[int, Connection] = {}
        self._writes: list[tuple[int, list[Operation]]] = []
        self._in_sync: list[tuple[int, list[Operation]]] = []
        self._pumping = False
        recent = self.world.random.choice([None, None, 0, 3])
        recovered = self.disk.recover(recent)
        self.machine = JournalMachine(settings, recovered, self.life_id(), self.clock_us())
        self.after(0.03, self._tick)

    def retire(self) -> None:
        self.machine.retire(self.clock_us())
        self._soon()

    def lose_disk(self) -> None:
        """The folder is gone: a new incarnation."""
        self.disk = DurableState(self.world.random.getrandbits(128).to_bytes(16, "big"))

    def _tick(self) -> None:
        self.after(0.03, self._tick)
        self.machine.tick(self.clock_us(), 0)
        self._take()

    def accepted(self, connection: Connection) -> None:
        self._peers[connection.peer] = connection

    def lost(self, connection: Connection) -> None:
        self._peers.pop(connection.peer, None)
        self.machine.disconnected(connection.peer)
        self._soon()

    def request(self, connection: Connection, item: Any) -> None:
        self.machine.receive(connection.peer, item, self.clock_us())
        self._soon()

    def _soon(self) -> None:
        if not self._pumping:
            self._pumping = True
            self.after(0, self._pump)

    def _pump(self) -> None:
        self._pumping = False
        self._take()

    def _take(self) -> None:
        output = self.machine.take(self.clock_us())
        for peer, reply in output.replies:
            connection = self._peers.get(peer)
            if connection is not None:
                connection.reply(connection.generation, reply)
        if output.operations:
            self._writes.append((output.write_number, list(output.operations)))
            self._sync()
        for read in output.reads:
            entries = self.disk.read_entries(read.after_csn, read.to_csn, read.max_bytes)
            self.after(0.001, self._read_done, read.token, entries)

    def _read_done(self, token: int, entries: list[Any]) -> None:
        self.machine.read_done(token, entries, self.clock_us())
        self._soon()

    def _sync(self) -> None:
        """One sync at a time; everything that collected meanwhile is the next one."""
        if self._in_sync or not self._writes:
            return
        self._in_sync, self._writes = self._writes, []
        slow = 0.2 if self.world.random.random() < self.world.slow_disk else 0.0
        self.after(self.world.random.uniform(0.0005, 0.004) + slow, self._synced)

    def _synced(self) -> None:
        batch, self._in_sync = self._in_sync, []
        for _, operations in batch:
            self._apply(operations)
        self.machine.synced(batch[-1][0], self.clock_us())
        self._take()
        self._sync()

    def crash(self) -> None:
        """Of what was being synced, a prefix may be there."""
        batch, self._in_sync = self._in_sync, []
        for _, operations in batch[: self.world.random.randint(0, len(batch))]:
            self._apply(operations)

    def _apply(self, operations: list[Operation]) -> None:
        for operation in operations:
            if isinstance(operation, SetBase):
                for entry in self.disk.entries:
                    if entry.csn <= operation.base.csn:
                        known = self.world.archive.setdefault(entry.csn, entry)
                        assert known == entry, "trimmed entries differ"
                        self.world.stats["trimmed"] = len(self.world.archive)
            self.disk.apply([operation])


class AdjudicatorNode(Node):
    def __init__(
        self,
        world: World,
        name: str,
        region: str,
        journals: tuple[JournalTarget, ...],
        adjudicators: tuple[AdjudicatorTarget, ...],
        settings: dict[str, Any],
    ) -> None:
        super().__init__(world, name, region)
        values: dict[str, Any] = {"lease_ttl_us": TTL_US, **settings}
        self.settings = Settings(
            name=name,
            region=region,
            address=name,
            journals=journals,
            adjudicators=adjudicators,
            **values,
        )
        self._links: dict[str, Connection] = {}
        self._feed: Connection | None = None

    def start(self) -> None:
        self.life += 1
        self._peers: dict[int, Connection] = {}
        self._pumping = False
        self.machine = AdjudicatorMachine(
            self.settings, self.life_id(), self.world.random, self.clock_us()
        )
        self._feed_wanted: tuple[str, int] | None = None
        self._feed = None
        self._links = {
            target.name: self._link_journal(target.name) for target in self.settings.journals
        }
        self._others = {
            target.name: self._link_adjudicator(target.name)
            for target in self.settings.adjudicators
            if target.name != self.name
        }
        self.after(0.02, self._tick)

    def crash(self) -> None:
        for link in (*self._links.values(), *self._others.values()):
            link.close()
        if self._feed is not None:
            self._feed.close()

    def _then(self, fn: Callable[..., None]) -> Callable[..., None]:
        def run(*arguments: Any) -> None:
            fn(*arguments)
            self._soon()

        return run

    def _link_journal(self, name: str) -> Connection:
        machine = self.machine
        return Connection(
            self,
            self.world.nodes[name],
            came_up=self._then(lambda: machine.journal_up(name)),
            went_down=self._then(lambda: machine.journal_down(name)),
            received=self._then(
                lambda reply: machine.journal_reply(name, reply, self.clock_us(), self.wall_us())
            ),
            loose=_is_loose,
        )

    def _link_adjudicator(self, name: str) -> Connection:
        machine = self.machine
        return Connection(
            self,
            self.world.nodes[name],
            came_up=lambda: None,
            went_down=lambda: None,
            received=self._then(
                lambda reply: machine.adjudicator_reply(reply, self.clock_us(), self.wall_us())
            ),
            loose=lambda item: True,
        )

    def _tend_feed(self) -> None:
        wanted = self.machine.feed_wanted
        if wanted == self._feed_wanted:
            return
        if self._feed is not None:
            feed, self._feed = self._feed, None
            feed.close()
        self._feed_wanted = wanted
        if wanted is not None:
            machine = self.machine
            life = self._feed_life = getattr(self, "_feed_life", 0) + 1

            def ours(fn: Callable[..., None]) -> Callable[..., None]:
                def run(*arguments: Any) -> None:
                    if life == self._feed_life:
                        fn(*arguments)
                        self._soon()

                return run

            def answer(reply: Any) -> None:
                machine.feed_reply(reply, self.clock_us(), self.wall_us())

            def received(reply: Any) -> None:
                # Over gRPC an answer that is awaited may be overtaken by what is pushed.
                if reply.correlation_id:
                    self.after(self.world.random.choice([0.0, 0.001]), ours(answer), reply)
                else:
                    ours(answer)(reply)

            self._feed = Connection(
                self,
                self.world.nodes[wanted[0]],
                came_up=ours(lambda: machine.feed_up(self.clock_us())),
                went_down=ours(lambda: machine.feed_down(self.clock_us())),
                received=received,
            )

    def order_lead(self) -> None:
        now_us = self.clock_us()
        self.machine.order_lead(now_us, now_us + TTL_US)
        self._soon()

    def _tick(self) -> None:
        self.after(0.025, self._tick)
        self.machine.tick(self.clock_us(), self.wall_us())
        self._take()

    def accepted(self, connection: Connection) -> None:
        self._peers[connection.peer] = connection

    def lost(self, connection: Connection) -> None:
        self._peers.pop(connection.peer, None)
        self.machine.disconnected(connection.peer)

    def request(self, connection: Connection, item: Any) -> None:
        self.machine.receive(connection.peer, item, self.clock_us(), self.wall_us())
        self._soon()

    def _soon(self) -> None:
        if not self._pumping:
            self._pumping = True
            self.after(0, self._pump)

    def _pump(self) -> None:
        self._pumping = False
        self._take()

    def _take(self) -> None:
        output = self.machine.take(self.clock_us(), self.wall_us())
        self._tend_feed()
        for name, request in output.journals:
            self._links[name].send(request)
        for request in output.feed:
            if self._feed is not None:
                self._feed.send(request)
        for peer, reply in output.replies:
            connection = self._peers.get(peer)
            if connection is not None:
                connection.reply(connection.generation, reply)
        for name, item in output.adjudicators:
            self._others[name].send(item)
        for event, details in output.events:
            self.world.note(f"{self.name} {event} {details}")
            if event in ("led", "taking_over", "stepped_down", "required_left", "feed_did_not_fit"):
                self.world.count(event)


def _is_loose(item: Any) -> bool:
    """Votes, appends and their answers bear repetition, loss and overtaking."""
    if isinstance(item, journal.JournalRequest):
        return item.WhichOneof("request") in ("append", "promise", "pre_vote")
    kind = item.WhichOneof("reply")
    return kind in ("ack", "gap", "pre_vote", "promised", "refused")
