"""Begins transactions and sees their commits through."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable
from typing import TypeVar

from trilithon.core.errors import SqlError
from trilithon.core.ids import make_transaction_id
from trilithon.core.world import World
from trilithon.query.catalog.definitions import Table
from trilithon.query.catalog.jobs import JobRunner
from trilithon.query.catalog.loading import CatalogCache
from trilithon.query.catalog.object_ids import ObjectIds
from trilithon.query.catalog.rowkeys import ExpressionHook, TableKeys
from trilithon.query.catalog.sequences import SequenceValues
from trilithon.query.reads.past import Leaseless
from trilithon.query.statistics.keeper import StatisticsKeeper
from trilithon.query.transaction.committer import Committer, Handover, unknown_outcome
from trilithon.query.transaction.conflicts import abort_error
from trilithon.query.transaction.contention import Contention
from trilithon.query.transaction.limits import TransactionLimits
from trilithon.query.transaction.ports import (
    SnapshotLike,
    SnapshotSourceLike,
    SpeculationLike,
    StorageReadsLike,
)
from trilithon.query.transaction.transaction import CommitResult, FirstRead, Transaction
from trilithon.v1.adjudicator_pb2 import CommitRequest, Verdict

# A cancelled statement that already handed its commit over waits this long for the verdict.
CANCEL_GRACE_SECONDS = 0.05
# Attempts of a small transaction of the query processor's own before its conflict is reported.
OWN_ATTEMPTS_MAX = 20

Result = TypeVar("Result")


class TransactionManager:
    def __init__(
        self,
        world: World,
        snapshots: SnapshotSourceLike,
        reads: StorageReadsLike,
        committer: Committer,
        limits: TransactionLimits | None = None,
        expressions: ExpressionHook | None = None,
    ) -> None:
        self.world = world
        self.limits = limits or TransactionLimits()
        # Compiles the expressions and predicates of indexes; the engine sets it.
        self.expressions = expressions
        self._table_keys: weakref.WeakKeyDictionary[Table, TableKeys] = weakref.WeakKeyDictionary()
        self.catalogs = CatalogCache(reads)
        self.object_ids = ObjectIds(self)
        self.jobs = JobRunner(self)
        self.sequences = SequenceValues(self)
        self.statistics = StatisticsKeeper(self)
        self._snapshots = snapshots
        self._reads = reads
        self._committer = committer
        self._contention = Contention(world, snapshots)
        self._handovers: set[asyncio.Task[Verdict]] = set()
        self.begun = 0
        self.committed = 0
        self.conflicts = 0
        self.unknown_outcomes = 0

    async def begin(
        self,
        *,
        read_only: bool = False,
        serializable: bool = False,
        first_read: FirstRead | None = None,
        leaseless: Leaseless | None = None,
    ) -> Transaction:
        """A transaction on a new snapshot; with `leaseless` on one of the past, or a stale one, and then
        read-only. `first_read` travels beside the snapshot request; its rows
        are used where they are right for the snapshot. SqlError 57P03 when there is none to be had."""
        if first_read is None or leaseless is not None:
            return await self._begin(read_only, serializable, leaseless)
        answer = asyncio.create_task(self._speculate(first_read))
        answer.add_done_callback(_heard)
        try:
            transaction = await self._begin(read_only, serializable)
        except BaseException:
            answer.cancel()
            raise
        if transaction.catalog is first_read.catalog:
            transaction.expect(first_read, answer)
        else:
            answer.cancel()
        return transaction

    async def _speculate(self, read: FirstRead) -> SpeculationLike:
        return await self._reads.speculative_get(read.keys, read.program)

    async def _begin(
        self, read_only: bool, serializable: bool, leaseless: Leaseless | None = None
    ) -> Transaction:
        clock = self.world.clock
        began_us = clock.monotonic_us()
        snapshot: SnapshotLike
        if leaseless is None:
            snapshot = await self._snapshots.snapshot()
        else:
            snapshot = past = await self._snapshots.leaseless(leaseless)
            read_only = read_only or leaseless.as_of is not None or past.stale_us > 0
        snapshot_us = clock.monotonic_us() - began_us
        catalog = await self.catalogs.at(snapshot)
        self._contention.seen(snapshot.csn)
        self.begun += 1
        transaction = Transaction(
            transaction_id=make_transaction_id(clock.wall_us(), self.world.random),
            snapshot_csn=snapshot.csn,
            catalog=catalog,
            reads=self._reads,
            manager=self,
            clock=clock,
            limits=self.limits,
            read_only=read_only,
            serializable=serializable,
        )
        transaction.timings.snapshot_us = snapshot_us
        return transaction

    async def run(
        self, work: Callable[[Transaction], Awaitable[Result]], *, serializable: bool = False
    ) -> Result:
        """Run a small transaction of the query processor's own (never a client's: those are not run
        again) and commit it; again on 40001, with growing, jittered pauses. SqlError from the last
        attempt."""
        delay = 0.002
        for attempt in range(1, OWN_ATTEMPTS_MAX + 1):
            transaction = await self.begin(serializable=serializable)
            try:
                result = await work(transaction)
                await transaction.commit()
            except SqlError as error:
                if error.sqlstate != "40001" or attempt == OWN_ATTEMPTS_MAX:
                    raise
            else:
                return result
            finally:
                transaction.rollback()
            await asyncio.sleep(delay * self.world.random.uniform(0.5, 1.5))
            delay = min(delay * 2, 0.25)
        raise AssertionError("unreachable")

    async def hand_over(self, transaction: Transaction, request: CommitRequest) -> CommitResult:
        """See Transaction.commit."""
        handover = Handover(request)
        began_us = self.world.clock.monotonic_us()
        task = asyncio.create_task(self._committer.commit(handover))
        self._handovers.add(task)
        task.add_done_callback(self._forget)
        try:
            verdict = await self._verdict(task, handover)
        except SqlError as error:
            self.unknown_outcomes += error.sqlstate == "40003"
            raise
        if verdict.outcome == Verdict.OUTCOME_COMMITTED:
            self.committed += 1
            transaction.timings.commit_us = self.world.clock.monotonic_us() - began_us
            transaction.timings.take(verdict.timings)
            self._contention.seen(verdict.csn)
            self.statistics.changed(transaction.written_keys())
            if self._contention.contended:
                for key in self._contention.keys:
                    if transaction.claims(key):
                        self._contention.won(key, verdict.csn)
            return CommitResult(verdict.csn, verdict.committed_at_us)
        if verdict.outcome == Verdict.OUTCOME_ABORTED:
            self.conflicts += 1
            await self._hold_back(transaction, verdict)
            raise abort_error(verdict, transaction.catalog)
        self.unknown_outcomes += 1
        raise unknown_outcome(request)

    async def _hold_back(self, transaction: Transaction, verdict: Verdict) -> None:
        """Let the loser of a conflict hear of it when its next attempt has a chance."""
        key = verdict.conflict_key
        if not transaction.claims(key):
            return
        try:
            await self._contention.lost(key, verdict.conflict_csn, transaction.age_us)
        except asyncio.CancelledError:
            _absorb_cancellation()

    async def _verdict(self, task: asyncio.Task[Verdict], handover: Handover) -> Verdict:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not handover.sent:
                task.cancel()
                raise
            _absorb_cancellation()
        try:
            await asyncio.wait({task}, timeout=CANCEL_GRACE_SECONDS)
        except asyncio.CancelledError:
            _absorb_cancellation()
            raise unknown_outcome(handover.request) from None
        if task.done() and not task.cancelled():
            return task.result()
        raise unknown_outcome(handover.request)

    def _forget(self, task: asyncio.Task[Verdict]) -> None:
        self._handovers.discard(task)
        if not task.cancelled():
            # Heard by nobody when the session was cancelled; that is no failure of this process.
            task.exception()

    def table_keys(self, table: Table) -> TableKeys:
        """Compiled once per version of a table."""
        found = self._table_keys.get(table)
        if found is None:
            found = TableKeys(table, self.expressions, self.limits.key_bytes)
            self._table_keys[table] = found
        return found

    async def transaction_status(self, transaction_id: bytes, snapshot_csn: int) -> Verdict:
        """Settles what became of a transaction: committed, aborted (it never will be), or unknown."""
        return await self._committer.status(transaction_id, snapshot_csn)

    def metrics(self) -> dict[str, float]:
        """Counters since the start, by name."""
        return {
            "transactions_begun_total": self.begun,
            "transactions_committed_total": self.committed,
            "transactions_conflicted_total": self.conflicts,
            "transactions_unknown_total": self.unknown_outcomes,
            "conflicts_held_back_total": self._contention.held,
            "commits_handed_over_total": self._committer.commits_handed_over,
            "status_questions_total": self._committer.status_questions,
            "catalog_loads_total": self.catalogs.loads,
            "jobs_completed_total": self.jobs.completed,
            "jobs_failed_total": self.jobs.failed,
            "tables_analysed_total": self.statistics.gathered,
        }

    async def close(self) -> None:
        """Waits for nothing: whoever needs verdicts ends its sessions first."""
        await self.jobs.close()
        await self.statistics.close()
        self._contention.close()
        for task in list(self._handovers):
            task.cancel()
        await self._committer.close()


def _absorb_cancellation() -> None:
    """What the session must hear now is what became of its commit."""
    current = asyncio.current_task()
    if current is not None:
        current.uncancel()


def _heard(task: asyncio.Task[SpeculationLike]) -> None:
    """A speculative read that nobody waits for may fail."""
    if not task.cancelled():
        task.exception()
