"""Background jobs: rows of the system table of jobs, and who works them off.

A job is submitted by the transaction that needs it, so it exists exactly when that one commits. Every
step of a job is one small transaction that also moves the job's row on: a step is done once, two
runners of one job conflict there, and after a crash another query processor goes on from the row.

Kinds
- index_build: see `backfill`.
- validate: see `validation`.
- rewrite: see `rewriting`.
- reclaim: tombstones for everything under a storage id (or one index of it) that nobody can reach any
  more. Snapshots from before still see the rows, as with every tombstone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from trilithon.core.errors import SqlError
from trilithon.core.ids import format_id, make_transaction_id
from trilithon.query.catalog.definitions import Index, Job, JobKind, JobState, Table
from trilithon.query.catalog.documents import decode_job, encode_job
from trilithon.query.catalog.rowkeys import storage_range
from trilithon.query.catalog.system_tables import JOBS_RANGE, job_key
from trilithon.query.transaction.local_program import KEYS_ONLY
from trilithon.query.transaction.write_buffer import is_row_key
from trilithon.types.keys import key_prefix, prefix_end
from trilithon.v1.types_pb2 import MODE_BLIND, MODE_EXCLUSIVE

if TYPE_CHECKING:
    from trilithon.query.transaction.manager import TransactionManager
    from trilithon.query.transaction.transaction import CommitResult, Transaction

_log = logging.getLogger("trilithon.query.jobs")

# A runner that has not moved its job on for this long is taken for dead.
ABANDONED_AFTER_US: Final = 30_000_000
# Finished jobs are shown for this long.
KEPT_US: Final = 30 * 60 * 1_000_000
POLL_SECONDS: Final = 5.0
RUNNING_MAX: Final = 4
RECLAIM_ROWS: Final = 500
RECLAIM_PAUSE_SECONDS: Final = 0.02

UNFINISHED: Final = frozenset({JobState.SUBMITTED, JobState.PROCESSING})


# ---- the rows


def new_job(
    transaction: Transaction, kind: JobKind, table: Table, object_id: int, object_name: str
) -> Job:
    world = transaction.manager.world
    now = world.clock.wall_us()
    job_id = make_transaction_id(now, world.random)
    return Job(
        id=job_id,
        kind=kind,
        state=JobState.SUBMITTED,
        table_id=table.id,
        object_id=object_id,
        object_name=object_name,
        started_us=now,
        updated_us=now,
    )


def submit(transaction: Transaction, job: Job) -> None:
    """The job exists when the transaction commits; this process starts on it at once."""
    put_job(transaction, job)
    runner = transaction.manager.jobs

    def start(_: CommitResult) -> None:
        runner.start(job.id)

    transaction.on_committed(start)


def submit_and_wait(transaction: Transaction, job: Job) -> None:
    """COMMIT returns when the job is done; SqlError, after the commit: it failed."""
    put_job(transaction, job)
    runner = transaction.manager.jobs
    transaction.follow_ups.append(lambda: runner.run_now(job.id))


def submit_reclaim(transaction: Transaction, table: Table, index: Index | None = None) -> None:
    """What this storage holds (or one index of it) can never be reached again: delete it."""
    job = new_job(transaction, JobKind.RECLAIM, table, index.id if index else 0, table.name)
    submit(transaction, replace(job, resume_key=reclaim_start(table.storage_id, index)))


def reclaim_start(storage_id: int, index: Index | None) -> bytes:
    return key_prefix(storage_id, index.id) if index else storage_range(storage_id)[0]


def put_job(transaction: Transaction, job: Job) -> None:
    now = transaction.manager.world.clock.wall_us()
    transaction.write(job_key(job.id), MODE_EXCLUSIVE, encode_job(replace(job, updated_us=now)))


def failed(job: Job, error: SqlError) -> Job:
    details = f"{error.message} {error.detail}".strip()
    return replace(job, state=JobState.FAILED, details=details, sqlstate=error.sqlstate)


def fails(job: Job, *, drop: bool) -> bool:
    """Whether its failure has consequences. `drop`: somebody waits for it, and what it was for goes; also
    when another process, which left that, found the failure."""
    return job.state in UNFINISHED or (drop and job.state is JobState.FAILED)


async def get_job(transaction: Transaction, job_id: bytes) -> Job | None:
    (row,) = await transaction.get([job_key(job_id)], current=True)
    return decode_job(row) if row is not None else None


async def list_jobs(transaction: Transaction) -> list[Job]:
    """In the order of submission (job ids begin with their time)."""
    start, end = JOBS_RANGE
    jobs: list[Job] = []
    async for chunk in transaction.scan(start, end):
        jobs.extend(decode_job(row) for row in chunk.rows)
    return jobs


# ---- the runner

# One transaction's worth of a job; whether there is more.
Step = Callable[["TransactionManager", Job], Awaitable[bool]]
# 55006: the table's rows are being rewritten, which comes to an end.
RETRIED: Final = frozenset({"40001", "40003", "57P03", "53000", "55006"})
FAILURES_MAX: Final = 10
_LATER: Final = SqlError("57P03", "left for later")


class _FailedElsewhere(SqlError):
    """Another process had taken the job over, and has written down that it failed."""


class JobRunner:
    """Runs jobs in this process; one per query processor. `run_forever` also takes over what other
    processes left behind."""

    def __init__(self, manager: TransactionManager) -> None:
        self._manager = manager
        self._running: dict[bytes, asyncio.Task[None]] = {}
        self._forever: asyncio.Task[None] | None = None
        # Unfinished job → its row's time and progress, and since when by this process's clock it has
        # had them. Rows carry other machines' wall clocks, which may be a day ahead.
        self._unmoved: dict[bytes, tuple[tuple[int, int], int]] = {}
        self.completed = 0
        self.failed = 0

    def open(self) -> None:
        """Begin to look after jobs that other processes left behind, until `close`."""
        if self._forever is None:
            self._forever = asyncio.create_task(self.run_forever())

    def start(self, job_id: bytes) -> None:
        """Has no effect while it runs, or while too many do: `run_forever` finds it later."""
        if job_id not in self._running and len(self._running) < RUNNING_MAX:
            task = asyncio.create_task(self._run(job_id))
            self._running[job_id] = task
            task.add_done_callback(lambda done: self._ended(job_id, done))

    def _ended(self, job_id: bytes, task: asyncio.Task[None]) -> None:
        self._running.pop(job_id, None)
        if not task.cancelled() and task.exception() is not None:
            # It stays unfinished; somebody tries again when it looks abandoned.
            _log.error("job %s broke off", format_id(job_id), exc_info=task.exception())

    async def wait(self, job_id: bytes, *, poll_seconds: float = 0.05) -> Job | None:
        """Until the job is finished (whoever runs it), for sys.wait_for_job(). None: there is none.
        The caller bounds the wait."""
        while True:
            transaction = await self._manager.begin(read_only=True)
            job = await get_job(transaction, job_id)
            transaction.rollback()
            if job is None or job.state not in UNFINISHED:
                return job
            self.start(job_id)
            await asyncio.sleep(poll_seconds)

    async def run_forever(self) -> None:
        """Cancel to stop."""
        while True:
            pause = POLL_SECONDS * self._manager.world.random.uniform(0.7, 1.3)
            await asyncio.sleep(pause)
            try:
                await self._adopt()
            except SqlError as error:
                # No lease, no storage: the next round will tell.
                _log.debug("jobs were not looked after: %s", error)
            except Exception:
                _log.exception("jobs were not looked after")

    async def _adopt(self) -> None:
        transaction = await self._manager.begin()
        now = self._manager.world.clock.wall_us()
        jobs = await list_jobs(transaction)
        self._adopt_abandoned([job for job in jobs if job.state in UNFINISHED], now)
        old = [
            job for job in jobs if job.state not in UNFINISHED and now - job.updated_us > KEPT_US
        ]
        for job in old[:RECLAIM_ROWS]:
            transaction.write(job_key(job.id), MODE_EXCLUSIVE, None)
        await transaction.commit()

    def _adopt_abandoned(self, unfinished: list[Job], wall_us: int) -> None:
        """Too early does no harm: two runners of one job conflict, and one of them goes on."""
        now_us = self._manager.world.clock.monotonic_us()
        unmoved: dict[bytes, tuple[tuple[int, int], int]] = {}
        for job in unfinished:
            progress = (job.updated_us, job.rows_done)
            known, since_us = self._unmoved.get(job.id, (progress, now_us))
            if known != progress:
                since_us = now_us
            unmoved[job.id] = (progress, since_us)
            if max(wall_us - job.updated_us, now_us - since_us) > ABANDONED_AFTER_US:
                self.start(job.id)
        self._unmoved = unmoved

    async def close(self) -> None:
        tasks = list(self._running.values())
        if self._forever is not None:
            tasks.append(self._forever)
            self._forever = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def run_now(self, job_id: bytes) -> None:
        """For a statement that waits for its job. SqlError: the job failed and its effects are undone.
        Cancelled: the job goes on in the background."""
        try:
            error = await self._work_off(job_id)
        except asyncio.CancelledError:
            self.start(job_id)
            raise
        if error is _LATER:
            self.start(job_id)
            raise SqlError(
                "57P03",
                "the statement's job could not be finished yet",
                detail="It goes on in the background.",
                hint="sys.jobs shows its state.",
            )
        if error is not None:
            await self._failed(job_id, error, drop=True)
            raise error

    async def _run(self, job_id: bytes) -> None:
        error = await self._work_off(job_id)
        if error is not None and error is not _LATER and not isinstance(error, _FailedElsewhere):
            with contextlib.suppress(SqlError):
                # When not even this can be written, the job stays unfinished and is tried again.
                await self._failed(job_id, error, drop=False)

    async def _work_off(self, job_id: bytes) -> SqlError | None:
        """None: finished. _LATER: too many conflicts or outages in a row. Otherwise why it failed."""
        failures = 0
        while failures < FAILURES_MAX:
            try:
                transaction = await self._manager.begin(read_only=True)
                job = await get_job(transaction, job_id)
                transaction.rollback()
                if job is not None and job.state is JobState.FAILED:
                    return _FailedElsewhere(job.sqlstate or "55000", job.details)
                if job is None or job.state not in UNFINISHED:
                    return None
                if not await _step_of(job.kind)(self._manager, job):
                    self.completed += 1
                    return None
                failures = 0
            except SqlError as error:
                if error.sqlstate not in RETRIED:
                    return error
                failures += 1
                await asyncio.sleep(min(0.05 * 2**failures, 2.0))
        return _LATER

    async def _failed(self, job_id: bytes, error: SqlError, *, drop: bool) -> None:
        # Imported late: they are written in terms of jobs.
        from trilithon.query.catalog.backfill import build_failed
        from trilithon.query.catalog.rewriting import rewrite_failed
        from trilithon.query.catalog.validation import validation_failed

        self.failed += not isinstance(error, _FailedElsewhere)
        await build_failed(self._manager, job_id, error, drop=drop)
        await validation_failed(self._manager, job_id, error, drop=drop)
        await rewrite_failed(self._manager, job_id, error)


def _step_of(kind: JobKind) -> Step:
    from trilithon.query.catalog.backfill import backfill_step
    from trilithon.query.catalog.rewriting import rewrite_step
    from trilithon.query.catalog.validation import validation_step

    if kind is JobKind.VALIDATE:
        return validation_step
    if kind is JobKind.REWRITE:
        return rewrite_step
    return reclaim_step if kind is JobKind.RECLAIM else backfill_step


async def reclaim_step(manager: TransactionManager, job: Job) -> bool:
    """Tombstones for the next few hundred keys."""
    storage_id = int.from_bytes(job.resume_key[:4], "big")
    prefix = key_prefix(storage_id, job.object_id) if job.object_id else job.resume_key[:4]
    transaction = await manager.begin()
    keys: list[bytes] = []
    async for chunk in transaction.scan(
        job.resume_key, prefix_end(prefix), limit=RECLAIM_ROWS, program=KEYS_ONLY, with_keys=True
    ):
        keys.extend(chunk.keys)
    for key in keys[:RECLAIM_ROWS]:
        if is_row_key(key) and transaction.row_count >= manager.limits.buffer.rows:
            keys = keys[: keys.index(key)]
            break
        transaction.write(key, MODE_BLIND, None)
    done = not keys
    put_job(
        transaction,
        replace(
            job,
            state=JobState.COMPLETED if done else JobState.PROCESSING,
            rows_done=job.rows_done + len(keys),
            resume_key=keys[-1] + b"\0" if keys else job.resume_key,
        ),
    )
    await transaction.commit()
    await asyncio.sleep(0 if done else RECLAIM_PAUSE_SECONDS)
    return not done
