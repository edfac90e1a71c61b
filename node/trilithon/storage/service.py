"""Storage's stream handler: reads come in by the message, are worked off with one LMDB read
transaction per step, and wait in the machine when they must.

Everything runs on the event loop. A step is bounded work (a few milliseconds); what is left over goes
on in later steps, in turn, so that a long scan delays others by one step only.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from trilithon.core.csn import format_csn
from trilithon.core.errors import SqlError, Unavailable
from trilithon.core.world import Clock, Item, Peer
from trilithon.storage.aggregating import AggregateJob
from trilithon.storage.checksum import Checksum
from trilithon.storage.copying import CopyJob
from trilithon.storage.engine import Engine
from trilithon.storage.jobs import (
    POINT_KEYS_MAX,
    REPLY_BYTES_MAX,
    Job,
    PointJob,
    RangeJob,
    Step,
    View,
    sql_error,
)
from trilithon.storage.machine import KEY_BYTES_MAX, StorageMachine
from trilithon.storage.programs import ProgramCache, PushedProgram
from trilithon.v1 import journal_pb2, storage_pb2, types_pb2

_log = logging.getLogger("trilithon.storage")

Failure = types_pb2.Failure

# Units of work (a scanned row, about 0.9 µs) before the event loop gets its turn, and of one job before
# others get theirs.
STEP_WORK: Final = 2_500
SLICE_WORK: Final = 1_250
# Administration only; more at once would just share the time.
CHECKSUMS_MAX: Final = 4
TICK_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    # How long a read may wait for the feed or for an entry to settle.
    wait_us: int = 5_000_000
    # Reads under way for everybody together, waiting ones included.
    jobs_max: int = 20_000
    reply_bytes_max: int = REPLY_BYTES_MAX
    program_bytes_max: int = 2 * 1024 * 1024
    # The feed pauses when this much is received and not applied.
    memory_bytes_max: int = 128 * 1024 * 1024


@dataclass(slots=True)
class Counters:
    """Only grow."""

    points: int = 0
    ranges: int = 0
    waited_position: int = 0
    waited_entry: int = 0
    expired: int = 0
    failed: int = 0
    updates: int = 0


class StorageService:
    """A `StreamHandler` for storage's stream, and the machine's driver."""

    def __init__(
        self,
        machine: StorageMachine[Job],
        engine: Engine,
        clock: Clock,
        programs: ProgramCache,
        options: ServiceOptions,
    ) -> None:
        self.machine = machine
        self.counters = Counters()
        self._engine = engine
        self._clock = clock
        self._programs = programs
        self._options = options
        # Jobs that are not answered, by peer and correlation id.
        self._open: dict[Peer, dict[int, Job]] = {}
        self._ready: deque[Job] = deque()
        self._wakeup = asyncio.Event()
        self._checksums = 0

    # ---- the stream

    def connected(self, peer: Peer) -> None:
        self._open[peer] = {}

    def disconnected(self, peer: Peer) -> None:
        for job in self._open.pop(peer, {}).values():
            job.closed = True

    def received(self, peer: Peer, items: Sequence[Item]) -> None:
        deadline_us = self._clock.monotonic_us() + self._options.wait_us
        for item in items:
            self._take(peer, item, deadline_us)
        self._work()

    def _take(self, peer: Peer, item: storage_pb2.StorageRequest, deadline_us: int) -> None:
        """Make the read that `item` asks for ready, or answer at once why not."""
        mine = self._open.get(peer)
        if mine is None:
            return
        job: Job | None
        match item.WhichOneof("request"):
            case "point_read":
                job = self._point_job(peer, item, deadline_us)
            case "range_read":
                job = self._range_job(peer, item, deadline_us)
            case "copy_read":
                job = CopyJob(
                    peer,
                    item.correlation_id,
                    item.copy_read,
                    deadline_us,
                    self._options.reply_bytes_max,
                )
            case "cancel":
                self._cancel(peer, item.cancel.correlation_id)
                return
            case _:
                self._refuse(peer, item, Failure.CODE_INVALID, "the request is empty or unknown")
                return
        if job is None:
            return
        if item.correlation_id == 0 or item.correlation_id in mine:
            self._refuse(peer, item, Failure.CODE_INVALID, "the correlation id is zero or in use")
        elif len(self._ready) + len(self.machine.waiters) >= self._options.jobs_max:
            self._refuse(peer, item, Failure.CODE_OVERLOADED, "too many reads are under way")
        else:
            mine[item.correlation_id] = job
            self._ready.append(job)

    def _point_job(
        self, peer: Peer, item: storage_pb2.StorageRequest, deadline_us: int
    ) -> Job | None:
        self.counters.points += 1
        request = item.point_read
        keys = list(request.keys)
        if len(keys) > POINT_KEYS_MAX:
            self._refuse(
                peer, item, Failure.CODE_INVALID, f"at most {POINT_KEYS_MAX} keys, not {len(keys)}"
            )
            return None
        machine = self.machine
        for key in keys:
            if not key or len(key) > KEY_BYTES_MAX:
                self._refuse(
                    peer,
                    item,
                    Failure.CODE_INVALID,
                    f"a key has 1 to {KEY_BYTES_MAX} bytes, not {len(key)}",
                )
                return None
            if not machine.owns_all and not machine.owns(key):
                self._refuse(
                    peer,
                    item,
                    Failure.CODE_WRONG_TARGET,
                    f"the key's slot is not within {machine.slot_first}..{machine.slot_last}",
                )
                return None
        program: PushedProgram | None = None
        if request.program:
            program = self._program(peer, item, request.program)
            if program is None:
                return None
            if program.aggregation is not None:
                self._refuse(peer, item, Failure.CODE_INVALID, "rows by key are not aggregated")
                return None
        return PointJob(
            peer,
            item.correlation_id,
            request.snapshot_csn,
            program,
            deadline_us,
            keys,
            self._options.reply_bytes_max,
        )

    def _range_job(
        self, peer: Peer, item: storage_pb2.StorageRequest, deadline_us: int
    ) -> Job | None:
        self.counters.ranges += 1
        request = item.range_read
        if (
            len(request.range.start) > KEY_BYTES_MAX + 1
            or len(request.range.end) > KEY_BYTES_MAX + 1
        ):
            self._refuse(
                peer, item, Failure.CODE_INVALID, f"a bound has at most {KEY_BYTES_MAX + 1} bytes"
            )
            return None
        program: PushedProgram | None = None
        if request.program:
            program = self._program(peer, item, request.program)
            if program is None:
                return None
            if program.aggregation is not None:
                if request.limit or request.with_keys:
                    self._refuse(
                        peer, item, Failure.CODE_INVALID, "groups have neither keys nor a limit"
                    )
                    return None
                return AggregateJob(
                    peer,
                    item.correlation_id,
                    request,
                    program,
                    deadline_us,
                    self._options.reply_bytes_max,
                )
        return RangeJob(
            peer, item.correlation_id, request, program, deadline_us, self._options.reply_bytes_max
        )

    def _program(
        self, peer: Peer, item: storage_pb2.StorageRequest, data: bytes
    ) -> PushedProgram | None:
        if len(data) > self._options.program_bytes_max:
            self._refuse(
                peer,
                item,
                Failure.CODE_INVALID,
                f"a program has at most {self._options.program_bytes_max} bytes, not {len(data)}",
            )
            return None
        try:
            return self._programs.compiled(data)
        except SqlError as error:
            self.counters.failed += 1
            peer.send(
                storage_pb2.StorageReply(correlation_id=item.correlation_id, error=sql_error(error))
            )
        except ValueError as error:
            self._refuse(peer, item, Failure.CODE_INVALID, f"not a program: {error}")
        return None

    def _refuse(
        self,
        peer: Peer,
        item: storage_pb2.StorageRequest,
        code: types_pb2.Failure.Code,
        message: str,
    ) -> None:
        self.counters.failed += 1
        if item.correlation_id:
            peer.send(
                storage_pb2.StorageReply(
                    correlation_id=item.correlation_id, failure=Failure(code=code, message=message)
                )
            )

    def _cancel(self, peer: Peer, correlation_id: int) -> None:
        job = self._open.get(peer, {}).get(correlation_id)
        if job is not None:
            job.fail(Failure.CODE_UNAVAILABLE, "cancelled")
            self._send(job)

    # ---- work

    def _work(self) -> None:
        """One step. What is left wakes the task that goes on."""
        ready = self._ready
        if not ready:
            return
        left = STEP_WORK
        with self._engine.reading() as cursor:
            while ready and left > 0:
                job = ready.popleft()
                if job.closed:
                    continue
                view = View(cursor, self.machine, min(left, SLICE_WORK))
                before = view.budget
                self._run(job, view)
                # At least one unit each: a step has an end even for jobs that cost nothing.
                left -= max(1, before - view.budget)
        if ready:
            self._wakeup.set()

    def _run(self, job: Job, view: View) -> None:
        try:
            step = job.run(view)
        except Exception as error:
            _log.exception("a read failed")
            step = job.fail(Failure.CODE_INTERNAL, f"the read failed: {error!r}")
        if step is Step.ANSWERED:
            self._send(job)
        elif step is Step.SLICED:
            self._ready.append(job)
        elif step is Step.WAIT_POSITION:
            self.counters.waited_position += 1
            self.machine.waiters.wait_for_position(job.wait_csn, job)
        else:
            self.counters.waited_entry += 1
            self.machine.waiters.wait_for_entry(job.wait_csn, job)

    def _send(self, job: Job) -> None:
        job.closed = True
        mine = self._open.get(job.peer)
        if mine is not None and mine.pop(job.correlation_id, None) is not None:
            if job.reply.WhichOneof("reply") in ("failure", "error"):
                self.counters.failed += 1
            job.peer.send(job.reply)

    def _go_on(self, jobs: Iterable[Job]) -> None:
        self._ready.extend(jobs)
        self._work()

    async def run(self) -> None:
        """Work off what the steps left over, and let waiting reads end. Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_working(), name="storage work")
            group.create_task(self._keep_time(), name="storage time")

    async def _keep_working(self) -> None:
        while True:
            await self._wakeup.wait()
            self._wakeup.clear()
            while self._ready:
                await asyncio.sleep(0)
                self._work()

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.expire(self._clock.monotonic_us())

    def expire(self, now_us: int) -> None:
        """Answer the reads that have waited too long."""
        for job in self.machine.waiters.expire(now_us):
            self.counters.expired += 1
            job.fail(Failure.CODE_UNAVAILABLE, job.describe_wait(self.machine))
            self._send(job)

    # ---- the feed

    def feed(self, update: journal_pb2.FeedUpdate) -> None:
        """Raises FeedRefused, and nothing of the update was taken."""
        self.counters.updates += 1
        self._go_on(self.machine.feed(update))

    def drop_unsettled(self) -> None:
        self._go_on(self.machine.drop_unsettled())

    def start_over(self, applied: int, collected: int) -> None:
        """Everything here was replaced, see the machine."""
        self._go_on(self.machine.start_over(applied, collected))

    @property
    def open_count(self) -> int:
        """Reads that are not answered yet."""
        return sum(len(jobs) for jobs in self._open.values())

    @property
    def memory_is_full(self) -> bool:
        return self.machine.table.size_bytes > self._options.memory_bytes_max

    @property
    def memory_has_room(self) -> bool:
        return self.machine.table.size_bytes <= self._options.memory_bytes_max // 2

    # ---- administration

    async def checksum(
        self, request: storage_pb2.StorageChecksumRequest
    ) -> storage_pb2.StorageChecksum:
        """At the csn asked for (0: at what is settled now). Raises Unavailable."""
        if self._checksums >= CHECKSUMS_MAX:
            raise Unavailable(f"{CHECKSUMS_MAX} checksums are under way")
        self._checksums += 1
        try:
            return await self._checksum(request.csn or self.machine.settled)
        finally:
            self._checksums -= 1

    async def _checksum(self, csn: int) -> storage_pb2.StorageChecksum:
        machine = self.machine
        try:
            async with asyncio.timeout(self._options.wait_us / 1e6):
                while machine.settled < csn:  # noqa: ASYNC110 - rare, and nothing else wakes it
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise Unavailable(
                f"{format_csn(csn)} is not settled here, {format_csn(machine.settled)} is"
            ) from None
        checksum = Checksum(csn)
        while not checksum.done:
            if csn > machine.settled:
                raise Unavailable("this storage is being rebuilt")
            if csn < machine.collected:
                raise Unavailable(
                    f"{format_csn(csn)} is older than what is kept ({format_csn(machine.collected)})"
                )
            with self._engine.reading() as cursor:
                checksum.step(cursor, machine)
            await asyncio.sleep(0)
        return storage_pb2.StorageChecksum(csn=csn, checksum=checksum.value, rows=checksum.rows)
