"""Rules that can be switched off, to prove that the checkers notice.

Each takes `patch(owner, name, value)` (setattr, or pytest's monkeypatch.setattr) and breaks one rule of
DESIGN.md in the real code. What proves that each is noticed is in proofs.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from disk import JournalDisk

from trilithon.adjudicator import election, judging, quorum, replication
from trilithon.adjudicator.election import Election
from trilithon.adjudicator.leader import Leader
from trilithon.adjudicator.machine import AdjudicatorMachine
from trilithon.adjudicator.replication import Replication
from trilithon.adjudicator.window import Window
from trilithon.core.csn import SEQUENCE_BITS
from trilithon.core.ids import make_transaction_id
from trilithon.journal import machine as journal_machine
from trilithon.journal import quorum as journal_quorum
from trilithon.journal import votes
from trilithon.journal.machine import JournalMachine
from trilithon.journal.operations import DurableState
from trilithon.journal.quorum import quorum_csn
from trilithon.journal.service import JournalService
from trilithon.journal.settling import Settling
from trilithon.journal.writes import Writes
from trilithon.query.reads.snapshots import SnapshotSource
from trilithon.query.reads.storage import Speculation
from trilithon.query.transaction.committer import Committer
from trilithon.storage import jobs
from trilithon.storage.machine import StorageMachine
from trilithon.v1.adjudicator_pb2 import Verdict
from trilithon.v1.types_pb2 import MemberList

Patch = Callable[[Any, str, Any], None]
RULES: dict[str, Callable[[Patch], None]] = {}


def rule(fn: Callable[[Patch], None]) -> Callable[[Patch], None]:
    RULES[fn.__name__] = fn
    return fn


# ---- journals: promises, leases, snapshots


@rule
def promise_while_a_leader_is_heard(patch: Patch) -> None:
    patch(votes.Votes, "time_left_us", lambda self, now_us: 0)


@rule
def promise_at_once_after_a_restart(patch: Patch) -> None:
    original = votes.Votes.__init__

    def init(self: votes.Votes, *arguments: Any) -> None:
        original(self, *arguments)
        self._heard_us = None

    patch(votes.Votes, "__init__", init)


@rule
def forget_the_promise(patch: Patch) -> None:
    """The promise is not written down."""
    original = Writes.add

    def add(self: Writes, operation: Any, entry_bytes: int = 0) -> None:
        if not isinstance(operation, journal_machine.SetPromise):
            original(self, operation, entry_bytes)

    patch(Writes, "add", add)


@rule
def follow_any_leader(patch: Patch) -> None:
    """Appends of a deposed leader are taken like any other."""
    holds, on_append = votes.Votes.holds, JournalMachine._on_append
    taking: list[bool] = []

    def take(self: JournalMachine, peer: Any, corr: int, request: Any, now_us: int) -> None:
        taking.append(True)
        try:
            on_append(self, peer, corr, request, now_us)
        finally:
            taking.pop()

    patch(JournalMachine, "_on_append", take)
    patch(
        votes.Votes,
        "holds",
        lambda self, epoch, life: bool(taking) or holds(self, epoch, life),
    )


@rule
def snapshot_without_a_lease(patch: Patch) -> None:
    patch(JournalMachine, "snapshot_csn", lambda self, now_us: self.synced_csn or None)


@rule
def serve_after_the_lease_ended(patch: Patch) -> None:
    original = votes.Lease.extend
    patch(votes.Lease, "extend", lambda self, until_us: original(self, until_us + 1_500_000))


@rule
def lease_counts_from_its_arrival(patch: Patch) -> None:
    original = JournalMachine._on_append

    def on_append(self: JournalMachine, peer: Any, corr: int, request: Any, now_us: int) -> None:
        if request.append.HasField("grant") and request.append.grant.life == self.life:
            request.append.grant.reading_us = now_us
        original(self, peer, corr, request, now_us)

    patch(JournalMachine, "_on_append", on_append)


@rule
def lease_survives_a_new_epoch(patch: Patch) -> None:
    patch(votes.Lease, "end", lambda self: None)
    patch(
        JournalMachine,
        "snapshot_csn",
        lambda self, now_us: self.synced_csn if self._lease.until_us > now_us else None,
    )


@rule
def lease_of_another_life(patch: Patch) -> None:
    original = JournalMachine._on_append

    def on_append(self: JournalMachine, peer: Any, corr: int, request: Any, now_us: int) -> None:
        if request.append.HasField("grant"):
            request.append.grant.life = self.life
        original(self, peer, corr, request, now_us)

    patch(JournalMachine, "_on_append", on_append)
    patch(JournalMachine, "_check_grant", lambda self, append, now_us: "")


@rule
def snapshot_of_what_is_settled(patch: Patch) -> None:
    """Looks harmless, and loses what another Region settled a moment ago."""
    original = JournalMachine.snapshot_csn

    def snapshot_csn(self: JournalMachine, now_us: int) -> int | None:
        csn = original(self, now_us)
        return None if csn is None else min(csn, self.settled_csn)

    patch(JournalMachine, "snapshot_csn", snapshot_csn)


# ---- journals: syncing, settling


@rule
def answer_before_the_sync(patch: Patch) -> None:
    async def write(self: JournalService) -> None:
        operations, self._operations = self._operations, []
        number = self._write_number
        self.machine.synced(number, self._clock.monotonic_us())
        self._take(self._clock.monotonic_us())
        await self._store.write(operations)

    patch(JournalService, "_write", write)


@rule
def acknowledge_what_does_not_match(patch: Patch) -> None:
    patch(JournalMachine, "own_mark", property(lambda self: self._synced_csn))


@rule
def deduce_with_marks_of_an_older_epoch(patch: Patch) -> None:
    def enter_epoch(self: Settling, epoch: int) -> None:
        self._epoch = epoch

    patch(Settling, "enter_epoch", enter_epoch)


@rule
def deduce_entries_of_older_epochs(patch: Patch) -> None:
    """A majority settles them, as if no rival's longer log could replace them any more."""
    original = Settling._deduce

    def deduce(self: Settling, groups: Any, marks: Any, matched_csn: int, known: int) -> int:
        limit = min(quorum_csn(groups, marks), matched_csn)
        if limit >> SEQUENCE_BITS < self._epoch:
            return limit
        return original(self, groups, marks, matched_csn, known)

    patch(Settling, "_deduce", deduce)


@rule
def deduce_without_required(patch: Patch) -> None:
    original = Settling.add

    def add(self: Settling, entries: Any) -> None:
        entries = [type(entry).FromString(entry.SerializeToString()) for entry in entries]
        for entry in entries:
            del entry.required[:]
        original(self, entries)

    patch(Settling, "add", add)


# ---- leaders


@rule
def one_journal_is_a_majority(patch: Patch) -> None:
    patch(quorum, "majority", lambda count: 1)
    patch(election, "majority", lambda count: 1)


@rule
def take_any_promised_log(patch: Patch) -> None:
    original = Election.promised

    def promised(self: Election, name: str, reply: Any, now_us: int) -> Any:
        won = original(self, name, reply, now_us)
        if won is None or not won.member_entries:
            return won
        worst = min(won.promises, key=lambda one: won.promises[one].tail_csn)
        return type(won)(won.epoch, worst, won.promises, won.member_entries)

    patch(Election, "promised", promised)


@rule
def nobody_is_required(patch: Patch) -> None:
    def settled_now(self: Replication) -> int:
        reached = self.voters.reached(self._marks)
        return max(self._copy.settled_csn, reached if reached >= self.start_csn else 0)

    patch(Replication, "settled_now", settled_now)


@rule
def entries_name_nobody_required(patch: Patch) -> None:
    patch(Replication, "_require_anew", lambda self: None)


@rule
def leave_required_early(patch: Patch) -> None:
    patch(Replication, "_leases_over", lambda self, progress, now_us: True)


@rule
def count_marks_of_another_log(patch: Patch) -> None:
    """A mark beyond the leader's own log counts as a number."""
    original = Replication.ack

    def ack(self: Replication, name: str, ack: Any, now_us: int) -> bool:
        moved = original(self, name, ack, now_us)
        progress = self.journals[name]
        if not moved and ack.epoch == self.epoch and ack.synced_csn > progress.synced_csn:
            progress.synced_csn = self._marks[ack.incarnation] = ack.synced_csn
            moved = True
        return moved

    patch(Replication, "ack", ack)


@rule
def lease_at_once_when_joining(patch: Patch) -> None:
    original = Replication._grant

    def grant(self: Replication, progress: Any, now_us: int) -> Any:
        progress.join_csn = 0
        return original(self, progress, now_us)

    patch(Replication, "_grant", grant)


@rule
def lease_beyond_authority(patch: Patch) -> None:
    """A leader that nobody listens to goes on granting."""
    patch(Replication, "expired", lambda self, now_us: False)
    patch(
        Replication,
        "authority_until_us",
        property(lambda self: max(self._beats.values(), default=0) + 1_000_000),
    )


@rule
def serve_before_the_epoch_start_is_committed(patch: Patch) -> None:
    patch(Replication, "started", lambda self: True)
    patch(Replication, "may_judge", lambda self, now_us: self.serving)

    def expired(self: Replication, now_us: int) -> bool:
        grace_until_us = self._elected_us + self._settings.lease_ttl_us
        return now_us >= max(self.authority_until_us, grace_until_us)

    patch(Replication, "expired", expired)

    def settled_now(self: Replication) -> int:
        reached = self.voters.reached(self._marks)
        # What is required is waited for all the same.
        allowed = self._settled_by(self._marks) if reached >= self.start_csn else reached
        return max(self._copy.settled_csn, allowed)

    patch(Replication, "settled_now", settled_now)


# ---- verdicts


@rule
def believe_any_abort(patch: Patch) -> None:
    """Requests are not bound to an epoch: whoever says aborted is believed."""
    original = Leader.refuses_to_judge
    patch(
        Leader,
        "refuses_to_judge",
        lambda self, epoch, snapshot, now_us: original(self, self.epoch, snapshot, now_us),
    )

    def verdict(self: AdjudicatorMachine, pending: Any, reply: Any, now_us: int) -> None:
        if reply.HasField("verdict"):
            self._finish(pending, reply, now_us)

    patch(AdjudicatorMachine, "_verdict", verdict)
    patch(Replication, "may_judge", lambda self, now_us: self.serving)


@rule
def judge_without_looking_for_conflicts(patch: Patch) -> None:
    patch(Window, "conflict", lambda self, snapshot, write_set, checks=(): None)


@rule
def the_window_covers_everything(patch: Patch) -> None:
    """A snapshot below the window is judged all the same."""
    patch(Window, "covers", lambda self, snapshot_csn: True)


@rule
def read_checks_are_ignored(patch: Patch) -> None:
    patch(Window, "_read_conflict", lambda self, snapshot, check: None)


@rule
def forget_known_ids(patch: Patch) -> None:
    patch(Window, "known", lambda self, transaction_id: None)


@rule
def answer_a_status_question_without_refusing(patch: Patch) -> None:
    original = Leader.settle_status

    def settle_status(self: Leader, request: Any, *rest: Any) -> Any:
        if self._copy.window.known(request.transaction_id) is None:
            return judging.refused(self.epoch)
        return original(self, request, *rest)

    patch(Leader, "settle_status", settle_status)


@rule
def answer_known_ids_before_they_are_settled(patch: Patch) -> None:
    def answer(self: Leader, transaction_id: bytes, waiter: Any) -> Any:
        known = self._copy.window.known(transaction_id)
        assert known is not None
        return judging.known_outcome(known, self._copy.log.get(known.csn), self.epoch)

    patch(Leader, "_answer_known", answer)


# ---- query processors


@rule
def a_lost_answer_means_aborted(patch: Patch) -> None:
    async def settle(self: Committer, request: Any, avoid: Any = None) -> Verdict:
        return Verdict(outcome=Verdict.OUTCOME_ABORTED)

    patch(Committer, "settle", settle)


@rule
def a_lost_answer_means_try_again(patch: Patch) -> None:
    """The commit is handed over once more, as another transaction."""
    original = Committer.commit

    async def settle(self: Committer, request: Any, avoid: Any = None) -> Verdict:
        request.transaction_id = make_transaction_id(
            self._world.clock.wall_us(), self._world.random
        )
        await asyncio.sleep(0.1)
        return await original(self, type("Again", (), {"request": request, "sent": False})())

    patch(Committer, "settle", settle)


@rule
def a_snapshot_under_way_serves_latecomers(patch: Patch) -> None:
    original = SnapshotSource._give

    def give(self: SnapshotSource, batch: Any, snapshot: Any) -> None:
        waiting, self._waiting = self._waiting, []
        original(self, batch + waiting, snapshot)

    patch(SnapshotSource, "_give", give)


@rule
def the_first_read_is_always_right(patch: Patch) -> None:
    patch(Speculation, "holds_at", lambda self, snapshot_csn: True)


# ---- storage


@rule
def read_what_is_not_settled(patch: Patch) -> None:
    original = jobs.PointJob._read

    def read(self: Any, view: Any) -> Any:
        settled, view.machine.settled = view.machine.settled, 1 << 64
        try:
            return original(self, view)
        finally:
            view.machine.settled = settled

    patch(jobs.PointJob, "_read", read)


@rule
def read_the_version_before_the_unsettled_one(patch: Patch) -> None:
    original = jobs.PointJob._read

    def read(self: Any, view: Any) -> Any:
        snapshot = self.snapshot
        self.snapshot = min(snapshot, view.machine.settled)
        try:
            return original(self, view)
        finally:
            self.snapshot = snapshot

    patch(jobs.PointJob, "_read", read)


@rule
def read_without_waiting_for_the_feed(patch: Patch) -> None:
    original = jobs.Job.run

    def run(self: Any, view: Any) -> Any:
        position, view.machine.position = view.machine.position, 1 << 64
        try:
            if self.speculative and self.snapshot == 0:
                self.snapshot = position
            return original(self, view)
        finally:
            view.machine.position = position

    patch(jobs.Job, "run", run)


@rule
def scan_past_the_unsettled(patch: Patch) -> None:
    original = jobs.walk

    def walk(
        cursor: Any, table: Any, start: Any, end: Any, reverse: Any, snapshot: int, settled: int
    ) -> Any:
        return original(cursor, table, start, end, reverse, min(snapshot, settled), settled)

    patch(jobs, "walk", walk)


@rule
def apply_before_it_is_settled(patch: Patch) -> None:
    patch(StorageMachine, "freeze", lambda self: self.table.freeze(self.position))

    def applied_up_to(self: StorageMachine[Any], csn: int) -> None:
        self.applied = csn
        self.table.drop_frozen()

    patch(StorageMachine, "applied_up_to", applied_up_to)
    from trilithon.storage.versions import MemoryTable

    patch(MemoryTable, "cut", lambda self, csn: self.active.cut(csn))


@rule
def resume_the_feed_one_entry_late(patch: Patch) -> None:
    """An off-by-one after a restart: an entry of the feed is skipped."""
    original = StorageMachine.feed

    def feed(self: StorageMachine[Any], update: Any) -> Any:
        if self._restarting and len(update.entries) > 1:
            update.entries[0].write_set = b""
        return original(self, update)

    patch(StorageMachine, "feed", feed)


@rule
def a_lost_journal_votes_as_if_it_remembered(patch: Patch) -> None:
    """What comes back empty bears the same name as before, so it counts at once."""

    def lose(self: JournalDisk) -> None:
        self.state = DurableState(self.state.incarnation)

    patch(JournalDisk, "lose", lose)


@rule
def only_the_new_members_count(patch: Patch) -> None:
    """A joint list is counted as if it were closed already."""

    def only_new(members: Any) -> Any:
        if members is None or not members.next:
            return members
        return MemberList(members=members.next)

    for owner in (election, replication):
        patch(owner, "voters_of", lambda members: quorum.voters_of(only_new(members)))
    groups_of = journal_quorum.groups_of
    patch(journal_quorum, "groups_of", lambda members: groups_of(only_new(members)))
