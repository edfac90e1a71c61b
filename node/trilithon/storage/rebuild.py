"""Rebuilding this storage process from a hot copy of other Regions' storage.

By order only (`trilithon rebuild`): what is here is given up at once. Once begun it is durable, and goes
on by itself, after a restart too, until it is complete; while it lasts nothing is served or applied.

1. Choose a Region whose storage processes, between them, keep every slot of this one, and C: what all of
   them have applied. C must not lie before the log of this Region's own journals begins: that log
   continues the copy. (It waits: a journal never trims what its Region's storage has not applied, as long
   as the log is within its bound.)
2. Read the copy at C, one range of slots after the other, each from any process that keeps it and has
   applied C. Key ranges are cut where any Region's processes meet, so that whoever is lost can be replaced
   in the middle of a range.
3. Applied is C from now on; the feed is resumed there.

One part is in memory at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from trilithon.core.csn import format_csn
from trilithon.core.errors import Overloaded, Unavailable
from trilithon.core.world import Link, World
from trilithon.link.specs import JOURNAL_STATUS, STORAGE, STORAGE_STATUS
from trilithon.storage.apply import Applier
from trilithon.storage.copying import CopyState, DamagedPart, check_part
from trilithon.storage.engine import Engine
from trilithon.storage.feed import Feed, JournalAddress
from trilithon.storage.service import StorageService
from trilithon.v1 import journal_pb2, storage_pb2

if TYPE_CHECKING:
    from trilithon.chassis.config import ClusterConfig

_log = logging.getLogger("trilithon.storage")

_ASK_S: Final = 2.0
_PART_S: Final = 10.0
_BACKOFF_MIN_S: Final = 0.1
_BACKOFF_MAX_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class CopySource:
    """A storage process of another Region. Slots are inclusive."""

    name: str
    region: str
    address: str
    slot_first: int
    slot_last: int

    def keeps(self, slots: tuple[int, int]) -> bool:
        return self.slot_first <= slots[0] and slots[1] <= self.slot_last


def sources_of(config: ClusterConfig, region: str) -> tuple[CopySource, ...]:
    return tuple(
        CopySource(one.name, other.name, one.address, one.slot_first, one.slot_last)
        for other in config.regions
        if other.name != region
        for one in other.storage
    )


def ranges_of(
    slot_first: int, slot_last: int, sources: Sequence[CopySource]
) -> list[tuple[int, int]]:
    """[slot_first, slot_last], cut wherever one of the sources begins or ends."""
    begins = {source.slot_first for source in sources}
    begins |= {source.slot_last + 1 for source in sources}
    inner = sorted(slot for slot in begins if slot_first < slot <= slot_last)
    starts = [slot_first, *inner]
    ends = [*(slot - 1 for slot in inner), slot_last]
    return list(zip(starts, ends, strict=True))


class CannotCopy(Exception):
    """Not now: the text says why. Trying again may help."""


class Rebuild:
    """`problem` is for people, empty while all is well."""

    def __init__(
        self,
        world: World,
        engine: Engine,
        service: StorageService,
        applier: Applier,
        feed: Feed,
        *,
        name: str,
        sources: Sequence[CopySource],
        journals: Sequence[JournalAddress],
    ) -> None:
        self._world = world
        self._engine = engine
        self._service = service
        self._applier = applier
        self._feed = feed
        self._name = name
        self._sources = tuple(sources)
        self._journals = tuple(journals)
        machine = service.machine
        self._ranges = ranges_of(machine.slot_first, machine.slot_last, self._sources)
        self._ordered = asyncio.Event()
        # Sources are tried in turn.
        self._turn = 0
        self._link: tuple[str, Link] | None = None
        self.problem = ""
        self.completed_count = 0
        # What was here is given up: the feed has to stay off.
        self.begun = engine.copy is not None
        if self.begun:
            # In an earlier life.
            self._ordered.set()
            self._pause_feed()

    @property
    def active(self) -> bool:
        """Ordered and not complete."""
        return self._ordered.is_set()

    def _pause_feed(self) -> None:
        self._feed.pause("a hot copy is being read")

    def order(self) -> None:
        """Raises Unavailable when there is nothing to rebuild, or nobody to copy from."""
        if self.active:
            return
        if not self._feed.hopeless:
            why = f"it follows {self._feed.journal}" if self._feed.journal else self._feed.problem
            raise Unavailable(f"{self._name} needs no hot copy: {why}")
        if not self._sources:
            raise Unavailable(
                f"no other Region has storage that {self._name} could be copied from: "
                "restore its folder from a backup"
            )
        self._ordered.set()

    async def run(self) -> None:
        """Until cancelled. Raises for a broken disk."""
        backoff_s = _BACKOFF_MIN_S
        while True:
            await self._ordered.wait()
            try:
                async with self._applier.exclusive:
                    versions = -1 if self._engine.copy is None else self._engine.copy.versions_count
                    try:
                        await self._copy()
                    finally:
                        await self._close_link()
                self.problem = ""
                self._ordered.clear()
            except CannotCopy as error:
                if str(error) != self.problem:
                    _log.warning("storage %s: hot copy: %s", self._name, error)
                self.problem = str(error)
                if (
                    self._engine.copy is not None
                    and self._engine.copy.versions_count > versions >= 0
                ):
                    backoff_s = _BACKOFF_MIN_S
                await asyncio.sleep(backoff_s * self._world.random.uniform(0.5, 1.0))
                backoff_s = min(_BACKOFF_MAX_S, backoff_s * 2)
            else:
                backoff_s = _BACKOFF_MIN_S

    async def _copy(self) -> None:
        """Raises CannotCopy; what was copied by then is kept."""
        engine = self._engine
        if engine.copy is None:
            csn = await self._choose_csn()
            if not self._feed.hopeless:
                _log.info("storage %s: the feed goes on, no hot copy is needed", self._name)
                return
            await self._begin(csn)
        self.problem = ""
        for slots in self._ranges:
            state = engine.copy
            assert state is not None
            if slots[0] >= state.slot:
                await self._copy_range(slots)
        state = engine.copy
        assert state is not None
        if await self._applier.write(engine.finish_copy) is None:
            raise CannotCopy("stopped")
        self.completed_count += 1
        _log.info(
            "storage %s: the hot copy at %s is complete: %d versions, %d bytes",
            self._name,
            format_csn(state.csn),
            state.versions_count,
            state.bytes_count,
        )
        self._feed.applied(engine.applied)
        self._service.start_over(engine.applied, engine.collected)
        self.begun = False
        self._feed.resume()

    # ---- where to begin

    async def _choose_csn(self) -> int:
        """Raises CannotCopy."""
        base_csn = await self._base_csn()
        applied = await self._applied_by_source()
        best = 0
        for region in dict.fromkeys(source.region for source in self._sources):
            csns: list[int] = []
            for slots in self._ranges:
                keeping = [
                    applied[source.name]
                    for source in self._sources
                    if source.region == region and source.keeps(slots) and source.name in applied
                ]
                csns += keeping[:1] or [0]
            best = max(best, min(csns))
        if not best:
            raise CannotCopy(
                "no other Region's storage can be copied from: "
                + ", ".join(source.name for source in self._sources if source.name not in applied)
                + " must be up and follow its journal"
            )
        if best < base_csn:
            raise CannotCopy(
                f"the other Regions' storage has applied {format_csn(best)}, but the log of this "
                f"Region's journals begins after {format_csn(base_csn)}"
            )
        return best

    async def _base_csn(self) -> int:
        """Where the log of this Region's journals begins. Raises CannotCopy."""
        bases: list[int] = []
        for journal in self._journals:
            try:
                status: journal_pb2.JournalStatus = await self._world.network.call(
                    journal.address,
                    JOURNAL_STATUS,
                    journal_pb2.JournalStatusRequest(),
                    timeout=_ASK_S,
                )
            except Unavailable:
                continue
            if status.settled_csn:
                bases.append(status.base_csn)
        if not bases:
            raise CannotCopy("no journal of this Region has a log yet that could continue a copy")
        return min(bases)

    async def _applied_by_source(self) -> dict[str, int]:
        """Of those that may be copied from now."""
        applied: dict[str, int] = {}
        for source in self._sources:
            try:
                status: storage_pb2.StorageStatus = await self._world.network.call(
                    source.address,
                    STORAGE_STATUS,
                    storage_pb2.StorageStatusRequest(),
                    timeout=_ASK_S,
                )
            except Unavailable:
                continue
            if status.applied_csn and not status.copy_csn:
                applied[source.name] = status.applied_csn
        return applied

    async def _begin(self, csn: int) -> None:
        engine = self._engine
        _log.warning("storage %s begins a hot copy at %s", self._name, format_csn(csn))
        self.begun = True
        self._pause_feed()
        # Reads wait from here on: nothing is there.
        self._service.start_over(0, 0)
        self._feed.applied(0)
        first = self._ranges[0][0]
        if await self._applier.write(lambda: engine.begin_copy(csn, first)) is None:
            raise CannotCopy("stopped")

    # ---- reading

    async def _copy_range(self, slots: tuple[int, int]) -> None:
        """Raises CannotCopy when nobody gives the next part."""
        engine = self._engine
        able = [source for source in self._sources if source.keeps(slots)]
        failures: list[str] = []
        while True:
            state = engine.copy
            assert state is not None
            if state.slot > slots[0]:
                return
            if len(failures) >= len(able):
                raise CannotCopy("; ".join(failures) or "nobody keeps these slots")
            source = able[self._turn % len(able)]
            try:
                part = await self._read(source, state, slots)
            except (CannotCopy, DamagedPart) as error:
                failures.append(f"{source.name}: {error}")
                self._turn += 1
                await self._close_link()
                continue
            failures.clear()
            await self._write(part, state, slots)

    async def _read(
        self, source: CopySource, state: CopyState, slots: tuple[int, int]
    ) -> storage_pb2.CopyPart:
        """Raises CannotCopy, DamagedPart."""
        link = await self._link_to(source)
        request = storage_pb2.CopyRead(
            csn=state.csn, start=state.resume, slot_first=slots[0], slot_last=slots[1]
        )
        try:
            reply: storage_pb2.StorageReply = await link.request(
                storage_pb2.StorageRequest(copy_read=request), timeout=_PART_S
            )
        except (Unavailable, Overloaded) as error:
            raise CannotCopy(str(error)) from None
        if reply.WhichOneof("reply") != "copy_part":
            raise CannotCopy(reply.failure.message or "it does not know what a hot copy is")
        part = reply.copy_part
        check_part(part, state, *slots)
        return part

    async def _link_to(self, source: CopySource) -> Link:
        """Raises CannotCopy."""
        if self._link is not None and self._link[0] == source.name:
            return self._link[1]
        await self._close_link()
        up = asyncio.Event()
        link = self._world.network.link(STORAGE, source.address, came_up=up.set)
        self._link = source.name, link
        try:
            async with asyncio.timeout(_ASK_S):
                await up.wait()
        except TimeoutError:
            raise CannotCopy("it cannot be reached") from None
        return link

    async def _write(
        self, part: storage_pb2.CopyPart, state: CopyState, slots: tuple[int, int]
    ) -> None:
        versions = list(zip(part.keys, part.values, strict=True))
        ended = not part.resume
        after = msgspec.structs.replace(
            state,
            collected=max(state.collected, part.collected_csn),
            slot=slots[1] + 1 if ended else state.slot,
            resume=b"" if ended else part.resume,
            last=b"" if ended else versions[-1][0] if versions else state.last,
            versions_count=state.versions_count + len(versions),
            bytes_count=state.bytes_count + sum(len(key) + len(value) for key, value in versions),
        )
        engine = self._engine
        if await self._applier.write(lambda: engine.add_copied(versions, after)) is None:
            raise CannotCopy("stopped")

    async def _close_link(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link[1].close()

    def describe(self) -> str:
        """How far it is, for people."""
        state = self._engine.copy
        if state is None:
            return self.problem or "a hot copy is about to begin"
        text = (
            f"hot copy at {format_csn(state.csn)}: slots up to {state.slot} of "
            f"{self._ranges[-1][1]}, {state.versions_count} versions, {state.bytes_count} bytes"
        )
        return f"{text}; {self.problem}" if self.problem else text
