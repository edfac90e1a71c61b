"""The adjudicator's streams, links and timers around its machine. No rule lives here.

Events go into the machine as they come; what it wants sent is taken once per turn of the event loop,
so that everything judged in that turn leaves as one append per journal.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trilithon.adjudicator.machine import AdjudicatorMachine
from trilithon.adjudicator.outbox import Output
from trilithon.core.errors import Overloaded, Unavailable
from trilithon.core.world import Item, Link, Peer, World
from trilithon.link.specs import ADJUDICATOR, JOURNAL
from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import journal_pb2 as journal
from trilithon.v1 import types_pb2 as types

_log = logging.getLogger("trilithon.adjudicator")

_REPLACE_TIMEOUT_US: Final = 30_000_000
# How long an order to lead goes on trying.
_LEAD_TIMEOUT_US: Final = 5_000_000
# A stopping leader waits so long for another one to take over, and so long for the rest of its answers.
_RETIRE_S: Final = 1.0
_RETIRE_POLL_S: Final = 0.005
_POLL_S: Final = 0.05
# Requests to journals whose replies are awaited; a machine has very few of them.
_AWAITED_MAX: Final = 64

# What an operator need not see every time.
_QUIET: Final = frozenset(
    ("journal_failed", "leader_known", "stood_for_leader", "candidacy_refused")
)


@dataclass(slots=True)
class Counters:
    """Only grow; for metrics."""

    requests: int = 0
    committed: int = 0
    aborted: int = 0
    unknown: int = 0
    not_judged: int = 0
    failures: int = 0
    appends: int = 0
    forwarded: int = 0
    elections_won: int = 0


class AdjudicatorService:
    """A `StreamHandler` for query processors and other adjudicators, and the machine's driver."""

    def __init__(self, machine: AdjudicatorMachine, world: World) -> None:
        self.machine = machine
        self.counters = Counters()
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._world = world
        self._clock = world.clock
        self._peers: dict[int, Peer] = {}
        self._peer_ids: dict[Peer, int] = {}
        self._next_peer = 0
        self._journals: dict[str, Link] = {}
        self._journal_addresses: dict[str, str] = {}
        self._others: dict[str, Link] = {}
        self._feed: Link | None = None
        self._feed_wanted: tuple[str, int] | None = None
        self._taking = False
        self._stopped = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._tick_task: asyncio.Task[None] | None = None

    # ---- life

    def open(self, journals: dict[str, str], adjudicators: dict[str, str]) -> None:
        """Connect to these journals and other adjudicators, by name and address."""
        self._journal_addresses = dict(journals)
        for name, address in journals.items():
            self._journals[name] = self._world.network.link(
                JOURNAL,
                address,
                pushed=self._guarded(lambda items, name=name: self._from_journal(name, items)),
                came_up=self._guarded(lambda name=name: self.machine.journal_up(name)),
                went_down=self._guarded(lambda name=name: self.machine.journal_down(name)),
            )
        for name, address in adjudicators.items():
            self._others[name] = self._world.network.link(
                ADJUDICATOR, address, pushed=self._guarded(self._from_adjudicator)
            )
        self._tick_task = asyncio.create_task(self._tick(), name="adjudicator tick")

    async def close(self) -> None:
        self._stopped = True
        tasks = [*self._tasks]
        if self._tick_task is not None:
            tasks.append(self._tick_task)
        for task in tasks:
            task.cancel()
        links = [*self._journals.values(), *self._others.values()]
        if self._feed is not None:
            links.append(self._feed)
        await asyncio.gather(*(link.close() for link in links), return_exceptions=True)
        if not self.failed.done():
            self.failed.cancel()

    def _fail(self, error: BaseException) -> None:
        """A rule was broken: the process has to stop."""
        self._stopped = True
        if not self.failed.done():
            _log.critical("the adjudicator stops", exc_info=error)
            self.failed.set_exception(error)

    def _guarded(self, fn: Callable[..., None]) -> Callable[..., None]:
        """An event for the machine; what it leads to is sent in this turn of the loop."""

        def run(*arguments: Any) -> None:
            if self._stopped:
                return
            try:
                fn(*arguments)
            except BaseException as error:
                self._fail(error)
                raise
            self._take_soon()

        return run

    async def _tick(self) -> None:
        pause_s = self.machine.settings.heartbeat_us / 1_000_000 / 3
        tick = self._guarded(self.machine.tick)
        while not self._stopped:
            tick(self._clock.monotonic_us(), self._clock.wall_us())
            await asyncio.sleep(pause_s)

    # ---- the stream (StreamHandler)

    def connected(self, peer: Peer) -> None:
        self._next_peer += 1
        self._peers[self._next_peer] = peer
        self._peer_ids[peer] = self._next_peer

    def received(self, peer: Peer, items: Sequence[Item]) -> None:
        self._guarded(self._received)(peer, items)

    def _received(self, peer: Peer, items: Sequence[Item]) -> None:
        peer_id = self._peer_ids.get(peer)
        if peer_id is None:
            return
        now_us, wall_us = self._clock.monotonic_us(), self._clock.wall_us()
        self.counters.requests += len(items)
        for item in items:
            self.machine.receive(peer_id, item, now_us, wall_us)

    def disconnected(self, peer: Peer) -> None:
        peer_id = self._peer_ids.pop(peer, None)
        if peer_id is not None:
            del self._peers[peer_id]
            self._guarded(self.machine.disconnected)(peer_id)

    # ---- links

    def _from_journal(self, name: str, items: Sequence[Item]) -> None:
        now_us, wall_us = self._clock.monotonic_us(), self._clock.wall_us()
        for item in items:
            self.machine.journal_reply(name, item, now_us, wall_us)

    def _from_feed(self, items: Sequence[Item]) -> None:
        now_us, wall_us = self._clock.monotonic_us(), self._clock.wall_us()
        for item in items:
            self.machine.feed_reply(item, now_us, wall_us)

    def _from_adjudicator(self, items: Sequence[Item]) -> None:
        now_us, wall_us = self._clock.monotonic_us(), self._clock.wall_us()
        for item in items:
            self.machine.adjudicator_reply(item, now_us, wall_us)

    def _tend_feed(self) -> None:
        """Open or close the link of the feed as the machine wants it."""
        wanted = self.machine.feed_wanted
        if wanted == self._feed_wanted:
            return
        if self._feed is not None:
            self._spawn(self._feed.close())
            self._feed = None
        self._feed_wanted = wanted
        if wanted is None:
            return

        def current(fn: Callable[..., None]) -> Callable[..., None]:
            """Not for events of a link that was given up."""
            return self._guarded(lambda *args: fn(*args) if self._feed is link else None)

        link: Link = self._world.network.link(
            JOURNAL,
            self._journal_addresses[wanted[0]],
            pushed=current(self._from_feed),
            came_up=current(lambda: self.machine.feed_up(self._clock.monotonic_us())),
            went_down=current(lambda: self.machine.feed_down(self._clock.monotonic_us())),
        )
        self._feed = link

    # ---- sending

    def _take_soon(self) -> None:
        if not self._taking and not self._stopped:
            self._taking = True
            asyncio.get_running_loop().call_soon(self._take)

    def _take(self) -> None:
        self._taking = False
        if self._stopped:
            return
        try:
            output = self.machine.take(self._clock.monotonic_us(), self._clock.wall_us())
            self._tend_feed()
            self._send(output)
        except BaseException as error:
            self._fail(error)
            raise

    def _send(self, output: Output) -> None:
        for name, request in output.journals:
            self.counters.appends += request.HasField("append")
            self._send_journal(self._journals[name], request, self._answered(name))
        for request in output.feed:
            if self._feed is not None:
                self._send_journal(self._feed, request, self._feed_answered(self._feed))
        for peer_id, reply in output.replies:
            self._count(reply)
            peer = self._peers.get(peer_id)
            if peer is not None:
                peer.send(reply)
        for name, item in output.adjudicators:
            self.counters.forwarded += 1
            try:
                self._others[name].post(item)
            except (Overloaded, KeyError):
                # As if lost: the machine sends it again.
                _log.debug("a request for %s was not sent", name)
        for event, details in output.events:
            self.counters.elections_won += event == "led"
            level = logging.DEBUG if event in _QUIET else logging.INFO
            if _log.isEnabledFor(level):
                text = " ".join(f"{key}={value}" for key, value in details.items())
                _log.log(level, "%s: %s %s", self.machine.settings.name, event, text)

    def _send_journal(
        self,
        link: Link,
        request: journal.JournalRequest,
        answered: Callable[[journal.JournalReply], None],
    ) -> None:
        if request.correlation_id:
            if len(self._tasks) < _AWAITED_MAX:
                self._spawn(self._await_reply(link, request, answered))
            return
        try:
            link.post(request)
        except Overloaded as error:
            # As if lost: gaps and timers show it.
            _log.debug("an item for a journal was not sent: %s", error)

    async def _await_reply(
        self,
        link: Link,
        request: journal.JournalRequest,
        answered: Callable[[journal.JournalReply], None],
    ) -> None:
        """The machine's correlation ids are its own; the link's may differ."""
        correlation_id = request.correlation_id
        timeout = self.machine.settings.lease_ttl_us / 1_000_000
        try:
            reply: journal.JournalReply = await link.request(request, timeout=timeout)
        except (Unavailable, Overloaded) as error:
            reply = journal.JournalReply(
                failure=types.Failure(code=types.Failure.CODE_UNAVAILABLE, message=str(error))
            )
        reply.correlation_id = correlation_id
        answered(reply)

    def _answered(self, name: str) -> Callable[[journal.JournalReply], None]:
        return self._guarded(lambda reply: self._from_journal(name, [reply]))

    def _feed_answered(self, link: Link) -> Callable[[journal.JournalReply], None]:
        def answered(reply: journal.JournalReply) -> None:
            if self._feed is link:
                self._from_feed([reply])

        return self._guarded(answered)

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _count(self, reply: adjudicator.AdjudicatorReply) -> None:
        counters = self.counters
        match reply.WhichOneof("reply"):
            case "verdict":
                outcome = reply.verdict.outcome
                counters.committed += outcome == adjudicator.Verdict.OUTCOME_COMMITTED
                counters.aborted += outcome == adjudicator.Verdict.OUTCOME_ABORTED
                counters.unknown += outcome == adjudicator.Verdict.OUTCOME_UNKNOWN
            case "not_judged":
                counters.not_judged += 1
            case _:
                counters.failures += 1

    # ---- moving leadership by order

    async def lead(self, _: adjudicator.LeadRequest) -> adjudicator.LeadReply:
        """Answers once this adjudicator leads. Raises Unavailable with the reason."""
        deadline_us = self._clock.monotonic_us() + _LEAD_TIMEOUT_US
        hindrance = ""
        while True:
            now_us = self._clock.monotonic_us()
            if self.machine.leads(now_us):
                return adjudicator.LeadReply(epoch=self.machine.leader_epoch)
            if self._stopped or self.machine.handover.retiring:
                raise Unavailable("this adjudicator stops")
            if now_us > deadline_us:
                raise Unavailable(hindrance or "it was not elected in time; asking again is safe")
            order = self.machine.order_lead(now_us, now_us + self.machine.settings.lease_ttl_us)
            if order is not None:
                hindrance = order.hindrance
            self._take_soon()
            await asyncio.sleep(_POLL_S)

    async def retire(self) -> None:
        """Before an orderly stop: let another adjudicator lead, and give what answers are left."""
        machine = self.machine
        machine.retire(self._clock.monotonic_us())
        self._take_soon()
        polls = int(_RETIRE_S / _RETIRE_POLL_S)
        for _ in range(polls):
            if machine.leader is None or self._stopped or not self._somebody_may_take_over():
                break
            await asyncio.sleep(_RETIRE_POLL_S)
        for _ in range(polls):
            if machine.leader is not None or self._stopped or not len(machine.pending):
                break
            await asyncio.sleep(_RETIRE_POLL_S)

    def _somebody_may_take_over(self) -> bool:
        offered = self.machine.handover.offered_to()
        return any(link.up for name, link in self._others.items() if name in offered)

    # ---- administration

    async def replace_journal(
        self, request: adjudicator.ReplaceJournalRequest
    ) -> adjudicator.ReplaceJournalReply:
        """Answers once the new list is settled. Raises Unavailable with the reason."""
        deadline_us = self._clock.monotonic_us() + _REPLACE_TIMEOUT_US
        while True:
            now_us, wall_us = self._clock.monotonic_us(), self._clock.wall_us()
            hindrance = self.machine.replace_journal(
                request.journal, now_us, wall_us, request.incarnation
            )
            self._take_soon()
            if hindrance is None and self.machine.members_closed():
                return adjudicator.ReplaceJournalReply(members=self.machine.members())
            if hindrance is not None and not hindrance.passing:
                raise Unavailable(hindrance.text)
            if now_us > deadline_us:
                text = "the change is not settled" if hindrance is None else hindrance.text
                raise Unavailable(f"{text}; asking again is safe")
            await asyncio.sleep(_POLL_S)
