"""`trilithon rebuild`: what is ordered after disks were lost and replaced by empty ones.

What happens by itself, and what needs this order:
- A journal that comes up with an empty folder is a new incarnation. By itself it learns the log from the
  leader, uncounted: no promise and no mark of it counts, and it gets no lease. Here the leader is told to
  name it in the member list instead of the lost one, which then never counts again, wherever it may still
  live. That is a person's decision: until then the lost disk may come back.
- Storage with an empty folder takes everything from its journal's log, if that still begins at the
  beginning. If not it serves nothing until it is told here to read a hot copy of another Region's storage.

Everything may be ordered again at any time: what is well is left alone. Only what an operator may do is
used: the processes' Status, ReplaceJournal and Rebuild.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from trilithon.chassis.config import ClusterConfig, ProcessConfig, RegionConfig
from trilithon.core.csn import format_csn
from trilithon.core.errors import Unavailable
from trilithon.core.world import Network
from trilithon.link import specs
from trilithon.v1 import adjudicator_pb2, journal_pb2, storage_pb2, types_pb2

_ASK_S: Final = 2.0
_POLL_S: Final = 0.25
# ReplaceJournal itself gives up after 30 s.
_REPLACE_S: Final = 35.0
# An election is over long before.
_LEADER_S: Final = 10.0
# Nothing has moved for so long: it will not.
_STALLED_S: Final = 45.0

Progress = Callable[[str], None]


class RebuildFailed(Exception):
    """It cannot be done, or not now; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What is to be looked after."""

    region: RegionConfig
    journals: tuple[ProcessConfig, ...]
    storages: tuple[ProcessConfig, ...]


def targets_of(config: ClusterConfig, which: str) -> Targets:
    """A Region by its name, or one journal or storage process. Raises RebuildFailed."""
    for region in config.regions:
        if which == region.name:
            return Targets(region, region.journal, region.storage)
        for one in region.journal:
            if which == one.name:
                return Targets(region, (one,), ())
        for one in region.storage:
            if which == one.name:
                return Targets(region, (), (one,))
    names = ", ".join(region.name for region in config.regions)
    raise RebuildFailed(f"{which!r} is no Region ({names}), and no journal or storage process")


class Rebuilding:
    """One order. `told` hears of each step, `progress` of how far the present one is."""

    def __init__(
        self, config: ClusterConfig, network: Network, *, told: Progress, progress: Progress
    ) -> None:
        self._config = config
        self._network = network
        self._told = told
        self._progress = progress
        self.changes_count = 0

    async def run(self, which: str) -> None:
        """Until it is done. Raises RebuildFailed."""
        targets = targets_of(self._config, which)
        # Whoever is down is named before anything is changed.
        for process in targets.journals:
            await self._journal_status(process)
        for process in targets.storages:
            await self._storage_status(process)
        for process in targets.journals:
            await self._readmit(process)
        if targets.storages:
            await self._fill(targets)
        if not targets.region.witness:
            await self._await_lease(targets.region)

    # ---- asking

    async def _call(
        self, process: ProcessConfig, method: str, request: object, what: str
    ) -> object:
        try:
            return await self._network.call(process.address, method, request, timeout=_ASK_S)
        except Unavailable as error:
            raise RebuildFailed(
                f"{process.name} does not answer ({error}): start it first, with an empty data "
                f"folder in the place of {what}"
            ) from None

    async def _journal_status(self, process: ProcessConfig) -> journal_pb2.JournalStatus:
        request = journal_pb2.JournalStatusRequest()
        status = await self._call(process, specs.JOURNAL_STATUS, request, "the lost one")
        assert isinstance(status, journal_pb2.JournalStatus)
        return status

    async def _storage_status(self, process: ProcessConfig) -> storage_pb2.StorageStatus:
        request = storage_pb2.StorageStatusRequest()
        status = await self._call(process, specs.STORAGE_STATUS, request, "the lost one")
        assert isinstance(status, storage_pb2.StorageStatus)
        return status

    async def _leader(self) -> tuple[ProcessConfig, adjudicator_pb2.AdjudicatorStatus]:
        """Raises RebuildFailed when nobody leads for a while."""
        adjudicators = [one for region in self._config.regions for one in region.adjudicator]
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + _LEADER_S
        while True:
            asked = await asyncio.gather(*(self._adjudicator_status(one) for one in adjudicators))
            leading = [
                (process, status)
                for process, status in zip(adjudicators, asked, strict=True)
                if status is not None and status.state == "leader"
            ]
            if leading:
                return max(leading, key=lambda one: one[1].epoch)
            if loop.time() >= give_up_at:
                raise RebuildFailed(await self._why_nobody_leads())
            self._progress("nobody leads yet")
            await asyncio.sleep(_POLL_S)

    async def _adjudicator_status(
        self, process: ProcessConfig
    ) -> adjudicator_pb2.AdjudicatorStatus | None:
        try:
            status: adjudicator_pb2.AdjudicatorStatus = await self._network.call(
                process.address,
                specs.ADJUDICATOR_STATUS,
                adjudicator_pb2.AdjudicatorStatusRequest(),
                timeout=_ASK_S,
            )
        except Unavailable:
            return None
        return status

    async def _why_nobody_leads(self) -> str:
        found: dict[str, journal_pb2.JournalStatus] = {}
        for region in self._config.regions:
            for process in region.journal:
                try:
                    found[process.name] = await self._journal_status(process)
                except RebuildFailed:
                    continue
        newest = max(found.values(), key=lambda one: one.last_csn, default=None)
        if newest is None:
            return "nobody leads, and no journal answers"
        missing = [
            member.journal
            for member in newest.members.members
            if member.journal not in found
            or found[member.journal].incarnation != member.incarnation
        ]
        count = len(newest.members.members)
        text = f"nobody leads: a majority of the {count} members' journals is needed"
        if missing:
            text += f", and {', '.join(missing)} with what they had are missing"
        return text

    # ---- journals

    async def _readmit(self, process: ProcessConfig) -> None:
        """Raises RebuildFailed."""
        loop = asyncio.get_running_loop()
        begun, synced_csn, moved_at = False, 0, loop.time()
        while True:
            status = await self._journal_status(process)
            leader, seen = await self._leader()
            if _named(seen.members, status.incarnation) and not seen.members.next:
                self._refuse_beyond(process, seen)
                if begun:
                    self._told(f"{process.name} is a member again")
                return
            if not begun:
                begun = True
                self.changes_count += 1
                self._told(
                    f"{process.name} has a new, empty disk: it learns the log, then the member list "
                    "names it instead of the lost one"
                )
            if status.synced_csn != synced_csn:
                synced_csn, moved_at = status.synced_csn, loop.time()
            problem = await self._replace(process, leader, status.incarnation)
            if problem and loop.time() - moved_at >= _STALLED_S:
                raise RebuildFailed(f"{process.name} cannot be readmitted: {problem}")
            await asyncio.sleep(_POLL_S)

    def _refuse_beyond(
        self, process: ProcessConfig, seen: adjudicator_pb2.AdjudicatorStatus
    ) -> None:
        for one in seen.member_status:
            if one.member.journal == process.name and one.beyond_log:
                raise RebuildFailed(
                    f"{process.name} ends where no other journal's log begins any more: stop it, "
                    f"move its data folder ({process.data}) away, start it again, and repeat this"
                )

    async def _replace(
        self, process: ProcessConfig, leader: ProcessConfig, incarnation: bytes
    ) -> str:
        """Order it, and wait for what comes of it. Why it could not be done; empty: look again."""
        ordered = asyncio.create_task(self._order_replacement(process, leader, incarnation))
        watching = asyncio.create_task(self._watch(process, leader))
        try:
            await asyncio.wait({ordered, watching}, return_when=asyncio.FIRST_COMPLETED)
            return ordered.result() if ordered.done() else watching.result()
        finally:
            for task in (ordered, watching):
                task.cancel()
            await asyncio.gather(ordered, watching, return_exceptions=True)

    async def _order_replacement(
        self, process: ProcessConfig, leader: ProcessConfig, incarnation: bytes
    ) -> str:
        try:
            await self._network.call(
                leader.address,
                specs.ADJUDICATOR_REPLACE_JOURNAL,
                adjudicator_pb2.ReplaceJournalRequest(
                    journal=process.name, incarnation=incarnation
                ),
                timeout=_REPLACE_S,
            )
        except Unavailable as error:
            return str(error)
        return ""

    async def _watch(self, process: ProcessConfig, leader: ProcessConfig) -> str:
        """Tell the progress until this leader leads no more. Raises RebuildFailed."""
        while True:
            await asyncio.sleep(_POLL_S)
            seen = await self._adjudicator_status(leader)
            if seen is None or seen.state != "leader":
                return f"{leader.name} leads no more"
            status = await self._journal_status(process)
            self._progress(
                f"{process.name} has {format_csn(status.synced_csn)} of {format_csn(seen.last_csn)}"
            )

    # ---- storage

    async def _fill(self, targets: Targets) -> None:
        """Until every storage process follows its journal. Raises RebuildFailed."""
        _, seen = await self._leader()
        needed_csn = seen.settled_csn
        loop = asyncio.get_running_loop()
        moved_at, last = loop.time(), ""
        copied: set[str] = set()
        while True:
            waits: list[str] = []
            for process in targets.storages:
                status = await self._storage_status(process)
                if status.state == "following" and status.position_csn >= needed_csn:
                    continue
                if status.state == "refused":
                    await self._order_copy(process, copied)
                at = f"{format_csn(status.position_csn)} of {format_csn(needed_csn)}"
                waits.append(f"{process.name}: {status.problem or at}")
            if not waits:
                break
            text = "; ".join(waits)
            if text != last:
                moved_at, last = loop.time(), text
                self._progress(text)
            elif loop.time() - moved_at >= _STALLED_S:
                raise RebuildFailed(text)
            await asyncio.sleep(_POLL_S)
        for name in sorted(copied):
            self._told(f"{name} has a hot copy of another Region's storage and follows its journal")

    async def _order_copy(self, process: ProcessConfig, copied: set[str]) -> None:
        """Raises RebuildFailed."""
        request = storage_pb2.StorageRebuildRequest()
        try:
            await self._network.call(
                process.address, specs.STORAGE_REBUILD, request, timeout=_ASK_S
            )
        except Unavailable as error:
            status = await self._storage_status(process)
            if status.state == "refused":
                raise RebuildFailed(f"{process.name}: {error}") from None
            return
        if process.name not in copied:
            self._told(f"{process.name} begins a hot copy: the log no longer has what it lacks")
            self.changes_count += 1
            copied.add(process.name)

    # ---- the Region

    async def _await_lease(self, region: RegionConfig) -> None:
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + _STALLED_S
        while True:
            if any([(await self._lease_us(one)) > 0 for one in region.journal]):
                return
            if loop.time() >= give_up_at:
                raise RebuildFailed(f"Region {region.name} gets no read lease")
            self._progress(f"Region {region.name} waits for its read lease")
            await asyncio.sleep(_POLL_S)

    async def _lease_us(self, process: ProcessConfig) -> int:
        try:
            return (await self._journal_status(process)).lease_left_us
        except RebuildFailed:
            return 0


def _named(members: types_pb2.MemberList, incarnation: bytes) -> bool:
    lists: Iterable[types_pb2.Member] = members.next or members.members
    return any(member.incarnation == incarnation for member in lists)
