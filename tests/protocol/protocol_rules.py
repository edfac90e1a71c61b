"""Rules that can be switched off, to prove that the simulation notices.

Each takes `patch(owner, name, value)` (setattr, or pytest's monkeypatch.setattr) and breaks one rule of
DESIGN.md in the real machines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protocol_clients import StoreNode

import trilithon.adjudicator.election as election
import trilithon.adjudicator.quorum as quorum
import trilithon.journal.votes as votes
from trilithon.adjudicator.election import Election
from trilithon.adjudicator.leader import Leader
from trilithon.adjudicator.machine import AdjudicatorMachine
from trilithon.adjudicator.replication import Replication
from trilithon.adjudicator.window import Window
from trilithon.journal.machine import JournalMachine
from trilithon.journal.past import Freshness
from trilithon.journal.settling import Settling

Patch = Callable[[Any, str, Any], None]
RULES: dict[str, Callable[[Patch], None]] = {}
# Random runs hardly meet what these are for: test_moving_leadership.py and
# test_lease_given_back.py have a scenario for each.
DIRECTED = (
    "a_resignation_of_any_epoch_will_do",
    "lead_on_after_resigning",
    "inherit_no_leases",
    "give_the_lease_back_and_use_it",
)


def rule(fn: Callable[[Patch], None]) -> Callable[[Patch], None]:
    RULES[fn.__name__] = fn
    return fn


@rule
def promise_while_a_leader_is_heard(patch: Patch) -> None:
    patch(votes.Votes, "time_left_us", lambda self, now_us: 0)


@rule
def snapshot_without_a_lease(patch: Patch) -> None:
    patch(JournalMachine, "snapshot_csn", lambda self, now_us: self.synced_csn)


@rule
def snapshot_of_what_is_settled(patch: Patch) -> None:
    original = JournalMachine.snapshot_csn

    def snapshot_csn(self: JournalMachine, now_us: int) -> int | None:
        csn = original(self, now_us)
        return None if csn is None else min(csn, self.settled_csn)

    patch(JournalMachine, "snapshot_csn", snapshot_csn)


@rule
def read_without_waiting_for_the_unsettled(patch: Patch) -> None:
    patch(StoreNode, "_ready", lambda self, key, snapshot: True)
    patch(
        StoreNode,
        "_newest",
        lambda self, key, snapshot, original=StoreNode._newest: original(
            self, key, min(snapshot, self.settled)
        ),
    )


@rule
def nobody_is_required(patch: Patch) -> None:
    def settled_now(self: Replication) -> int:
        return max(self._copy.settled_csn, self.voters.reached(self._marks))

    patch(Replication, "settled_now", settled_now)


@rule
def entries_name_nobody_required(patch: Patch) -> None:
    patch(Replication, "_require_anew", lambda self: None)


@rule
def leave_required_early(patch: Patch) -> None:
    patch(Replication, "_leases_over", lambda self, progress, now_us: True)


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
def judge_without_looking_for_conflicts(patch: Patch) -> None:
    patch(Window, "conflict", lambda self, snapshot, write_set, checks=(): None)


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
            from trilithon.adjudicator import judging

            return judging.refused(self.epoch)
        return original(self, request, *rest)

    patch(Leader, "settle_status", settle_status)


@rule
def serve_before_the_epoch_start_is_committed(patch: Patch) -> None:
    patch(Replication, "started", lambda self: True)
    patch(Replication, "may_judge", lambda self, now_us: self.serving)

    def settled_now(self: Replication) -> int:
        return max(self._copy.settled_csn, self.voters.reached(self._marks))

    patch(Replication, "settled_now", settled_now)


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
        return type(won)(won.epoch, worst, won.promises, won.member_entries, won.inherited)

    patch(Election, "promised", promised)


@rule
def answer_before_the_sync(patch: Patch) -> None:
    patch(JournalMachine, "own_mark", property(lambda self: self._matched_csn))

    def after_sync(
        self: JournalMachine,
        peer: Any,
        corr: int,
        epoch: int,
        life: bytes,
        *,
        promise: bool = False,
    ) -> None:
        reply = self._promised() if promise else self._make_ack(0)
        self._reply(peer, corr, reply)

    patch(JournalMachine, "_after_sync", after_sync)


@rule
def deduce_without_required(patch: Patch) -> None:
    original = Settling.add

    def add(self: Settling, entries: Any) -> None:
        entries = [type(entry).FromString(entry.SerializeToString()) for entry in entries]
        for entry in entries:
            del entry.required[:]
        original(self, entries)

    patch(Settling, "add", add)


@rule
def forget_the_promise_of_a_rival(patch: Patch) -> None:
    """A journal follows whoever speaks, whatever it promised."""
    patch(votes.Votes, "holds", lambda self, epoch, life: True)


@rule
def a_resignation_of_any_epoch_will_do(patch: Patch) -> None:
    """Somebody resigned once: a journal promises whatever leader it follows now."""
    patch(votes.Votes, "resigned", lambda self, resignation, successor: resignation.epoch > 0)


@rule
def lead_on_after_resigning(patch: Patch) -> None:
    original = AdjudicatorMachine._step_down

    def step_down(self: AdjudicatorMachine, now_us: int, reason: str) -> None:
        if not reason.endswith("by order"):
            original(self, now_us, reason)

    patch(AdjudicatorMachine, "_step_down", step_down)


@rule
def inherit_no_leases(patch: Patch) -> None:
    """The successor acknowledges although the old leader's leases still run."""
    patch(Replication, "inherit", lambda self, leases: None)


@rule
def complete_whenever_there_is_a_lease(patch: Patch) -> None:
    """What is synced under a lease but not settled is missing in a stale snapshot."""

    def observe(self: Freshness, now_us: int, snapshot_csn: int | None, settled_csn: int) -> None:
        if snapshot_csn is not None:
            self._complete_us = now_us

    patch(Freshness, "observe", observe)


@rule
def give_the_lease_back_and_use_it(patch: Patch) -> None:
    original = JournalMachine.retire

    def retire(self: JournalMachine, now_us: int) -> None:
        until_us = self._lease.until_us
        original(self, now_us)
        self._lease.until_us = until_us

    patch(JournalMachine, "retire", retire)
