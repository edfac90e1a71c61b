"""Following a journal of the Region: one subscription at a time, over a link of its own.

A link lives as long as its subscription, so that nothing pushed for an earlier one can arrive late.
When a journal is lost or cannot serve, the next one of the Region is tried, with backoff.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from trilithon.core.csn import format_csn
from trilithon.core.errors import Overloaded, Unavailable
from trilithon.core.world import Item, Link, World
from trilithon.link.specs import JOURNAL
from trilithon.storage.machine import FeedRefused
from trilithon.v1 import journal_pb2, types_pb2

_log = logging.getLogger("trilithon.storage")

_CONNECT_S: Final = 1.0
# With one journal only there is nobody else to try: let the link reconnect at its own pace.
_CONNECT_ALONE_S: Final = 10.0
_SUBSCRIBE_S: Final = 5.0
_BACKOFF_MIN_S: Final = 0.05
_BACKOFF_MAX_S: Final = 1.0
_REFUSED_BACKOFF_MAX_S: Final = 5.0
_REPORT_S: Final = 1.0

_REFUSALS: Final = (types_pb2.Failure.CODE_SNAPSHOT_TOO_OLD, types_pb2.Failure.CODE_INVALID)


@dataclass(frozen=True, slots=True)
class JournalAddress:
    name: str
    address: str


class Feed:
    """`journal` names the one that is followed, empty while there is none; `problem` says why.

    `subscribe` gives the csn to start after; `received` takes one update (and may raise FeedRefused).
    """

    def __init__(
        self,
        world: World,
        journals: Sequence[JournalAddress],
        storage: str,
        *,
        subscribe: Callable[[], int],
        received: Callable[[journal_pb2.FeedUpdate], None],
    ) -> None:
        self._world = world
        self._journals = tuple(journals)
        self._storage = storage
        self._subscribe = subscribe
        self._received = received
        self._unpaused = asyncio.Event()
        self._unpaused.set()
        # What stood in the way may be over: try again at once.
        self._again = asyncio.Event()
        # Completed with the reason when the present subscription is over.
        self._over: asyncio.Future[str] | None = None
        self._reports: list[Link] = []
        self._applied = 0
        self._applied_reported = 0
        # Of each journal's last answer to a subscription: its log does not continue what is here.
        self._refusals: dict[str, bool] = {}
        self.journal = ""
        self.refused = False
        self.problem = "not subscribed yet"
        self.subscriptions_count = 0

    @property
    def paused(self) -> bool:
        return not self._unpaused.is_set()

    @property
    def hopeless(self) -> bool:
        """Every journal that answered has a log that does not continue what is here."""
        return bool(self._refusals) and all(self._refusals.values()) and not self.journal

    @property
    def journals_count(self) -> int:
        return len(self._journals)

    def pause(self, reason: str) -> None:
        """End the subscription, and do not start another one until `resume`."""
        self._unpaused.clear()
        self.give_up(reason)

    def resume(self) -> None:
        self._unpaused.set()
        self._again.set()

    def give_up(self, reason: str) -> None:
        """End the present subscription; the next journal is tried."""
        if self._over is not None and not self._over.done():
            self._over.set_result(reason)

    def applied(self, csn: int) -> None:
        """Everything up to `csn` is durably applied: the journals may trim it."""
        self._applied = csn

    async def run(self) -> None:
        """Until cancelled."""
        self._reports = [
            self._world.network.link(JOURNAL, journal.address) for journal in self._journals
        ]
        reporting = asyncio.create_task(self._report_applied(), name="storage applied reports")
        try:
            await self._follow_journals()
        finally:
            reporting.cancel()
            for link in self._reports:
                await link.close()

    async def _follow_journals(self) -> None:
        backoff_s = _BACKOFF_MIN_S
        turn = 0
        while True:
            await self._unpaused.wait()
            journal = self._journals[turn % len(self._journals)]
            turn += 1
            before = self.subscriptions_count
            reason = await self._follow(journal)
            self.journal = ""
            if reason != self.problem:
                _log.warning("storage %s: feed of %s: %s", self._storage, journal.name, reason)
            self.problem = reason
            if self.subscriptions_count > before:
                backoff_s = _BACKOFF_MIN_S
            if await self._rest(backoff_s * self._world.random.uniform(0.5, 1.0)):
                backoff_s = _BACKOFF_MIN_S
            limit_s = _REFUSED_BACKOFF_MAX_S if self.refused else _BACKOFF_MAX_S
            backoff_s = min(limit_s, backoff_s * 2)

    async def _rest(self, seconds: float) -> bool:
        """Whether it was cut short by `resume`."""
        self._again.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._again.wait()
        except TimeoutError:
            return False
        return True

    async def _follow(self, journal: JournalAddress) -> str:
        """Subscribe and follow until it is over; returns why."""
        over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._over = over
        up = asyncio.Event()

        def went_down() -> None:
            if not over.done():
                over.set_result("the link broke")

        link = self._world.network.link(
            JOURNAL,
            journal.address,
            pushed=lambda items: self._pushed(over, items),
            came_up=up.set,
            went_down=went_down,
        )
        try:
            self.refused = False
            reason = await self._start(link, up)
            if self.refused or not reason:
                self._refusals[journal.name] = self.refused
            elif not up.is_set():
                self._refusals.pop(journal.name, None)
            if reason:
                return reason
            self.journal, self.problem = journal.name, ""
            self.subscriptions_count += 1
            _log.info("storage %s follows %s", self._storage, journal.name)
            return await over
        finally:
            self._over = None
            if not over.done():
                over.cancel()
            await link.close()

    async def _start(self, link: Link, up: asyncio.Event) -> str:
        """Connect and subscribe; returns what went wrong, empty when nothing did."""
        try:
            async with asyncio.timeout(_CONNECT_S if len(self._journals) > 1 else _CONNECT_ALONE_S):
                await up.wait()
        except TimeoutError:
            return "the journal cannot be reached"
        after = self._subscribe()
        request = journal_pb2.JournalRequest(
            subscribe=journal_pb2.Subscribe(after_csn=after, storage=self._storage)
        )
        try:
            reply: journal_pb2.JournalReply = await link.request(request, timeout=_SUBSCRIBE_S)
        except (Unavailable, Overloaded) as error:
            return f"subscribing failed: {error}"
        if reply.WhichOneof("reply") != "failure":
            # What the reply says is pushed as well, in order.
            return ""
        self.refused = reply.failure.code in _REFUSALS
        if self.refused:
            return (
                f"the journal's log does not continue after {format_csn(after)} "
                f"({reply.failure.message}): this storage waits for a hot copy, "
                f"`trilithon rebuild {self._storage.partition('/')[0]}`"
            )
        return f"the journal refused the subscription: {reply.failure.message}"

    def _pushed(self, over: asyncio.Future[str], items: Sequence[Item]) -> None:
        for item in items:
            if over.done():
                return
            match item.WhichOneof("reply"):
                case "feed":
                    try:
                        self._received(item.feed)
                    except FeedRefused as error:
                        over.set_result(str(error))
                case "failure":
                    over.set_result(f"the journal ended the feed: {item.failure.message}")
                case _:
                    pass

    async def _report_applied(self) -> None:
        """To every journal of the Region: each trims by what it knows. Repeated, posts may be lost."""
        repeat = 0
        while True:
            await asyncio.sleep(_REPORT_S)
            repeat += 1
            if not self._applied or (self._applied == self._applied_reported and repeat % 10):
                continue
            self._applied_reported = self._applied
            applied = journal_pb2.Applied(storage=self._storage, csn=self._applied)
            for link in self._reports:
                try:
                    link.post(journal_pb2.JournalRequest(applied=applied))
                except Overloaded:
                    continue
