"""The adjudicator's rules, put together: follower, candidate, leader; requests and their answers.

How to drive it (the service, the simulation and the tests do just this)

    machine = AdjudicatorMachine(settings, life, random, now_us)
    machine.receive(peer, item, now_us, wall_us)            # requests of query processors, adjudicators
    machine.journal_reply(name, reply, now_us, wall_us)     # what a journal answered or pushed
    machine.feed_reply(reply, now_us, wall_us)              # the same, over the link of the feed
    machine.adjudicator_reply(reply, now_us, wall_us)       # what another adjudicator answered
    machine.tick(now_us, wall_us)                           # several times per heartbeat
    output = machine.take(now_us, wall_us)                  # after any of these, any number of them

`journal_up/journal_down`, `feed_up/feed_down`, `disconnected(peer)` tell about links. `feed_wanted` names
the journal whose feed is wanted over a link of its own, and a number; the driver closes that link and
opens another one whenever either has changed.
`now_us` is this process's monotonic clock, `wall_us` its wall clock. What is judged between two
`take`s goes out as one append per journal.

Raises InvariantViolation when a rule is broken that no message can break.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from typing import Final

from trilithon.adjudicator import judging
from trilithon.adjudicator.copy import LogCopy
from trilithon.adjudicator.election import Election, Won
from trilithon.adjudicator.feed import FeedFollower
from trilithon.adjudicator.handover import Handover, Order
from trilithon.adjudicator.leader import Hindrance, Leader, Reply, Waiter
from trilithon.adjudicator.outbox import Outbox, Output
from trilithon.adjudicator.pending import ASKERS_MAX, Pending, PendingTable, timings
from trilithon.adjudicator.settings import Settings
from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import journal_pb2 as journal
from trilithon.v1 import types_pb2 as types

INVALID: Final = types.Failure.CODE_INVALID
UNAVAILABLE: Final = types.Failure.CODE_UNAVAILABLE
OVERLOADED: Final = types.Failure.CODE_OVERLOADED


class AdjudicatorMachine:
    def __init__(self, settings: Settings, life: bytes, source: random.Random, now_us: int) -> None:
        self.settings = settings
        self.copy = LogCopy(settings)
        self._candidate = journal.Candidate(
            name=settings.name, region=settings.region, life=life, address=settings.address
        )
        self._random = source
        self._out = Outbox()
        self.election = Election(settings, self._candidate, source, now_us)
        self.feed = FeedFollower(settings, self.copy, self._candidate, now_us)
        self.leader: Leader | None = None
        self.handover = Handover(settings)
        self.pending = PendingTable()
        # For timings: submitted since the last `take`; judged here with their csns, until the own
        # Region's journal has synced them.
        self._submitted: list[Pending] = []
        self._unsynced: deque[tuple[int, Pending]] = deque()
        # The newest leader that this adjudicator knows of; may be itself.
        self.leader_epoch = 0
        self.leader_name = ""
        self._journals_up: set[str] = set()
        self._status_tokens = float(settings.status_per_second)
        self._status_us = now_us

    # ---- what others may ask

    @property
    def state(self) -> str:
        if self.leader is not None:
            return "recovering" if self.leader.recovering else "leader"
        return self.election.state

    @property
    def feed_wanted(self) -> tuple[str, int] | None:
        return self.feed.wanted

    def leads(self, now_us: int) -> bool:
        return self.leader is not None and self.leader.replication.may_judge(now_us)

    # ---- links

    def journal_up(self, name: str) -> None:
        self._journals_up.add(name)
        if self.leader is not None:
            self.leader.replication.journal_up(name)

    def journal_down(self, name: str) -> None:
        self._journals_up.discard(name)
        if self.leader is not None:
            self.leader.replication.journal_down(name)

    def feed_up(self, now_us: int) -> None:
        self.feed.link_up(now_us, self._out)

    def feed_down(self, now_us: int) -> None:
        self.feed.link_down(now_us)

    def disconnected(self, peer: int) -> None:
        self.pending.forget_peer(peer)
        if self.leader is not None:
            self.leader.forget_peer(peer)

    # ---- journals

    def journal_reply(
        self, name: str, reply: journal.JournalReply, now_us: int, wall_us: int
    ) -> None:
        leader = self.leader
        match reply.WhichOneof("reply"):
            case "ack":
                if leader is not None:
                    leader.replication.ack(name, reply.ack, now_us)
                    self._note_synced(name, reply.ack, now_us)
            case "gap":
                if leader is not None:
                    leader.gap(name, reply.gap, now_us)
            case "pre_vote":
                if leader is not None:
                    leader.replication.pre_vote_reply(name, reply.pre_vote)
                else:
                    self.election.pre_vote_reply(name, reply.pre_vote, now_us, self._out)
            case "promised":
                self._promised(name, reply.promised, now_us, wall_us)
            case "refused":
                self._refused(name, reply.refused, now_us)
            case "log_part":
                if leader is not None and not leader.log_part(
                    reply.correlation_id, reply.log_part, now_us, wall_us
                ):
                    self._step_down(now_us, "the log could not be read")
            case "failure":
                self._journal_failed(name, reply, now_us)
            case _:
                pass

    def _note_synced(self, name: str, ack: journal.Ack, now_us: int) -> None:
        if not self._unsynced or self.settings.journal(name).region != self.settings.region:
            return
        if ack.epoch == self.leader_epoch:
            while self._unsynced and self._unsynced[0][0] <= ack.synced_csn:
                self._unsynced.popleft()[1].synced_us = now_us

    def journal_read_failed(
        self, correlation_id: int, now_us: int, *, trimmed: bool = False
    ) -> None:
        """A request with this correlation id got no answer, or that the log begins later."""
        if self.leader is not None and not self.leader.read_failed(correlation_id, trimmed=trimmed):
            self._step_down(now_us, "the log could not be read")

    def _journal_failed(self, name: str, reply: journal.JournalReply, now_us: int) -> None:
        failure = reply.failure
        if reply.correlation_id:
            trimmed = failure.code == types.Failure.CODE_SNAPSHOT_TOO_OLD
            self.journal_read_failed(reply.correlation_id, now_us, trimmed=trimmed)
        elif self.leader is not None:
            if failure.code == types.Failure.CODE_WRONG_TARGET:
                self.leader.replication.wrong_target(name)
            elif failure.code == OVERLOADED:
                self.leader.replication.overloaded(name)
        self._out.event("journal_failed", journal=name, code=failure.code, text=failure.message)

    def _promised(self, name: str, promised: journal.Promised, now_us: int, wall_us: int) -> None:
        if self.leader is not None:
            if promised.epoch == self.leader.epoch:
                self.leader.replication.learn_incarnation(name, promised.incarnation)
            return
        won = self.election.promised(name, promised, now_us)
        if won is not None:
            self._take_office(won, now_us, wall_us)

    def _take_office(self, won: Won, now_us: int, wall_us: int) -> None:
        self.feed.suspend()
        # In the configuration's order: nothing may depend on the order of a set.
        journals_up = [
            target.name for target in self.settings.journals if target.name in self._journals_up
        ]
        self.leader = Leader(
            self.settings, self.copy, won, self._candidate, journals_up, self._out, now_us
        )
        self.leader.begin(now_us, wall_us)
        self._learn_leader(won.epoch, self.settings.name, now_us)

    def _refused(self, name: str, refused: journal.Refused, now_us: int) -> None:
        leader = self.leader
        if leader is None:
            self.election.refused(name, refused, now_us, self._out)
        else:
            self.election.saw_epoch(refused.promised_epoch)
            # An equal epoch was promised to somebody else there: that journal cannot follow this
            # leader either, so a new epoch is needed.
            if refused.promised_epoch >= leader.epoch and refused.epoch == leader.epoch:
                self._step_down(now_us, "a higher epoch was promised")
        if refused.leader:
            self._learn_leader(refused.promised_epoch, refused.leader, now_us)

    def _step_down(self, now_us: int, reason: str) -> None:
        leader = self.leader
        if leader is None:
            return
        self._out.event("stepped_down", epoch=leader.epoch, reason=reason)
        self.leader = None
        self._unsynced.clear()
        for waiter in leader.all_waiters():
            self._answer(waiter, judging.not_judged(self.leader_epoch, "", reason))
        if self.leader_name == self.settings.name:
            self.leader_name = ""
        self.election.fall_back(now_us)
        self.feed.resume(now_us)

    # ---- the feed

    def feed_reply(self, reply: journal.JournalReply, now_us: int, wall_us: int) -> None:
        if self.leader is not None:
            return
        settled: list[types.Entry] = []
        update = reply.feed if reply.WhichOneof("reply") == "feed" else None
        if reply.correlation_id:
            self.feed.answered(reply, now_us, self._out)
        elif update is not None:
            for entry in update.entries:
                for pending in self.pending.about(entry.transaction_id):
                    pending.synced_us = pending.synced_us or now_us
            settled = self.feed.pushed(update, now_us, self._out)
        elif reply.WhichOneof("reply") == "failure":
            # The subscription ended.
            self.feed.start_over(now_us)
        if settled:
            self._entries_settled(settled, now_us)
        if update is not None:
            self.election.saw_epoch(update.epoch)
            if update.leader:
                self._learn_leader(update.epoch, update.leader, now_us)

    # ---- who leads

    def _learn_leader(self, epoch: int, name: str, now_us: int) -> None:
        """Bind what is pending to the newer leader, and send it again."""
        self.election.saw_epoch(epoch)
        newer = epoch > self.leader_epoch or (epoch == self.leader_epoch and not self.leader_name)
        if not newer or (name == self.settings.name and self._is_not_mine(epoch)):
            return
        self.leader_epoch = epoch
        self.leader_name = name
        self._out.event("leader_known", epoch=epoch, leader=name)
        for pending in self.pending:
            pending.send_at_us = now_us
            pending.wait_us = 0

    def _is_not_mine(self, epoch: int) -> bool:
        """An earlier life of this process may still be named as leader."""
        return self.leader is None or self.leader.epoch != epoch

    # ---- requests

    def receive(
        self, peer: int, item: adjudicator.AdjudicatorRequest, now_us: int, wall_us: int
    ) -> None:
        kind = item.WhichOneof("request")
        if kind is None or (not item.correlation_id and not item.token):
            text = "an item without a known request, or without a number to answer to"
            self._answer(_waiter(peer, item), judging.failure(INVALID, text))
            return
        try:
            if kind in ("take_over", "hand_over"):
                self._move_leadership(_waiter(peer, item), item, now_us)
                return
            if kind == "transaction_status":
                judging.check_transaction_id(item.transaction_status.transaction_id)
            if item.token:
                self._forwarded(_waiter(peer, item), item, now_us, wall_us)
            elif kind == "commit":
                self._take_commit(peer, item, now_us, wall_us)
            else:
                self._take_question(peer, item, now_us, wall_us)
        except judging.Malformed as error:
            self._answer(_waiter(peer, item), judging.failure(INVALID, str(error)))

    def _forwarded(
        self, waiter: Waiter, item: adjudicator.AdjudicatorRequest, now_us: int, wall_us: int
    ) -> None:
        """From another adjudicator, bound to an epoch. Raises Malformed."""
        leader = self.leader
        kind = item.WhichOneof("request")
        epoch = item.commit.epoch if kind == "commit" else item.transaction_status.epoch
        if leader is not None and leader.recovering and epoch == leader.epoch:
            if leader.hold(waiter, item):
                return
            reason = "too much waits for the recovery"
        elif leader is None:
            reason = "not the leader"
        else:
            reply, reason = self._judge(leader, item, waiter, None, now_us, wall_us)
            if not reason:
                if reply is not None:
                    self._answer(waiter, reply)
                return
        self._answer(waiter, judging.not_judged(self.leader_epoch, self.leader_name, reason))

    def _judge(
        self,
        leader: Leader,
        item: adjudicator.AdjudicatorRequest,
        waiter: Waiter | None,
        write_set: types.WriteSet | None,
        now_us: int,
        wall_us: int,
    ) -> tuple[Reply | None, str]:
        """The answer (None: later), and why it was not judged. Raises Malformed."""
        if item.WhichOneof("request") == "commit":
            commit = item.commit
            reason = leader.refuses_to_judge(commit.epoch, commit.snapshot_csn, now_us)
            if reason:
                return None, reason
            if write_set is None:
                write_set = judging.parse_commit(commit, self.settings)
            return leader.judge_commit(commit, write_set, waiter, now_us, wall_us), ""
        status = item.transaction_status
        reason = leader.refuses_to_judge(status.epoch, status.snapshot_csn, now_us)
        if reason:
            return None, reason
        return leader.settle_status(status, waiter, now_us, wall_us), ""

    def _take_commit(
        self, peer: int, item: adjudicator.AdjudicatorRequest, now_us: int, wall_us: int
    ) -> None:
        """From a query processor. Raises Malformed."""
        commit = item.commit
        asker = (peer, item.correlation_id)
        if self._join(commit.transaction_id, asker, question=False):
            return
        if self._retired(_waiter(peer, item)):
            return
        if len(self.pending) >= self.settings.pending_max:
            self._answer(_waiter(peer, item), judging.failure(OVERLOADED, "too many commits wait"))
            return
        write_set = judging.parse_commit(commit, self.settings)
        if self.leader is None and not commit.resend and self._turned_down(item, peer, write_set):
            return
        commit.region = self.settings.region
        pending = self.pending.add(
            commit.transaction_id, item, question=False, asker=asker, now_us=now_us
        )
        pending.write_set = write_set
        self._submit(pending, now_us, wall_us)

    def _turned_down(
        self, item: adjudicator.AdjudicatorRequest, peer: int, write_set: types.WriteSet
    ) -> bool:
        """A request that was never sent anywhere may be turned down for what conflicts already."""
        commit = item.commit
        window = self.copy.window
        if not self.copy.started or not window.covers(commit.snapshot_csn):
            return False
        conflict = window.conflict(commit.snapshot_csn, write_set, commit.read_checks)
        if conflict is None:
            return False
        self._answer(_waiter(peer, item), judging.conflicting(conflict, self.leader_epoch))
        return True

    def _take_question(
        self, peer: int, item: adjudicator.AdjudicatorRequest, now_us: int, wall_us: int
    ) -> None:
        status = item.transaction_status
        waiter = _waiter(peer, item)
        known = self.copy.window.known(status.transaction_id)
        if known is not None and known.csn <= self.copy.settled_csn:
            entry = self.copy.log.get(known.csn)
            self._answer(waiter, judging.known_outcome(known, entry, self.leader_epoch))
            return
        if self._join(status.transaction_id, (peer, item.correlation_id), question=True):
            return
        if self._retired(waiter):
            return
        if len(self.pending) >= self.settings.pending_max or not self._may_ask(now_us):
            self._answer(waiter, judging.failure(OVERLOADED, "too many questions"))
            return
        pending = self.pending.add(
            status.transaction_id,
            item,
            question=True,
            asker=(peer, item.correlation_id),
            now_us=now_us,
        )
        self._submit(pending, now_us, wall_us)

    def _may_ask(self, now_us: int) -> bool:
        rate = self.settings.status_per_second
        passed_us = now_us - self._status_us
        self._status_us = now_us
        self._status_tokens = min(rate, self._status_tokens + passed_us * rate / 1_000_000)
        if self._status_tokens < 1:
            return False
        self._status_tokens -= 1
        return True

    def _join(self, transaction_id: bytes, asker: tuple[int, int], *, question: bool) -> bool:
        """Whether the same is pending already; then this asker waits with the others."""
        pending = self.pending.get(transaction_id, question=question)
        if pending is None:
            return False
        if len(pending.askers) < ASKERS_MAX:
            pending.askers.append(asker)
        else:
            waiter = Waiter(asker[0], asker[1], 0)
            self._answer(waiter, judging.failure(OVERLOADED, "asked too often"))
        return True

    # ---- what is pending

    def _submit(self, pending: Pending, now_us: int, wall_us: int) -> None:
        """Judge it here, or send it to the leader; nobody known to lead: later."""
        settings = self.settings
        if self.leader is not None:
            if self.leader.recovering:
                pending.send_at_us = now_us + settings.heartbeat_us
                return
            self._bind(pending, self.leader.epoch)
            self._note_submitted(pending, now_us)
            tail_csn = self.copy.tail_csn
            reply, reason = self._judge(
                self.leader, pending.item, None, pending.write_set, now_us, wall_us
            )
            if reply is not None:
                self._verdict(pending, reply, now_us)
            elif self.copy.tail_csn != tail_csn:
                self._unsynced.append((self.copy.tail_csn, pending))
            # Judged: nothing more to send while this adjudicator leads.
            pending.send_at_us = now_us + (
                settings.heartbeat_us if reason else settings.resend_max_us
            )
            return
        if not self.leader_name or self.leader_name == settings.name:
            pending.send_at_us = now_us + settings.heartbeat_us
            return
        self._bind(pending, self.leader_epoch)
        self._note_submitted(pending, now_us)
        pending.wait_us = min(
            settings.resend_max_us, max(settings.resend_first_us, pending.wait_us * 2)
        )
        pending.send_at_us = now_us + int(pending.wait_us * self._random.uniform(0.8, 1.2))
        self._out.adjudicators.append((self.leader_name, pending.item))

    def _note_submitted(self, pending: Pending, now_us: int) -> None:
        if not pending.judged_us:
            pending.judged_us = now_us
            self._submitted.append(pending)

    def _bind(self, pending: Pending, epoch: int) -> None:
        item = pending.item
        item.correlation_id = 0
        item.token = pending.token
        if pending.question:
            item.transaction_status.epoch = epoch
        else:
            item.commit.resend = item.commit.resend or pending.ever_sent
            item.commit.epoch = epoch
        pending.bound_epoch = epoch

    def adjudicator_reply(self, reply: Reply, now_us: int, wall_us: int) -> None:
        kind = reply.WhichOneof("reply")
        if kind == "handed_over":
            if self.leader is None and self.handover.granted(reply, self._candidate.life):
                self._out.event("taking_over", epoch=reply.handed_over.resignation.epoch)
                self.election.stand_by_permission(reply.handed_over, now_us, self._out)
            return
        if kind == "not_judged" and self.handover.refused(reply):
            return
        if kind == "not_judged" and reply.not_judged.leader:
            self._learn_leader(reply.not_judged.epoch, reply.not_judged.leader, now_us)
        pending = self.pending.by_token(reply.token)
        if pending is not None:
            self._verdict(pending, reply, now_us)

    def _verdict(self, pending: Pending, reply: Reply, now_us: int) -> None:
        """A leader's answer: does it count?"""
        if reply.HasField("verdict"):
            verdict = reply.verdict
            committed = verdict.outcome == adjudicator.Verdict.OUTCOME_COMMITTED
            if committed or verdict.epoch == pending.bound_epoch:
                self._finish(pending, reply, now_us)
        elif reply.HasField("failure"):
            # A resend may have been judged before: only a verdict, or time, ends it.
            first = pending.question or not pending.item.commit.resend
            if first and reply.failure.code in (INVALID, OVERLOADED):
                self._finish(pending, reply, now_us)

    def _finish(self, pending: Pending, reply: Reply, now_us: int) -> None:
        self.pending.remove(pending)
        committed = reply.verdict.outcome == adjudicator.Verdict.OUTCOME_COMMITTED
        if committed and not pending.question:
            reply.verdict.timings.CopyFrom(timings(pending, now_us))
        for peer, correlation_id in pending.askers:
            self._answer(Waiter(peer, correlation_id, 0), reply)

    def _answer(self, waiter: Waiter, reply: Reply) -> None:
        answer = Reply()
        answer.CopyFrom(reply)
        answer.correlation_id = waiter.correlation_id
        answer.token = waiter.token
        self._out.replies.append((waiter.peer, answer))

    def _entries_settled(self, entries: Sequence[types.Entry], now_us: int) -> None:
        """Answer everybody who waits for these."""
        leader = self.leader
        epoch = leader.epoch if leader is not None else self.leader_epoch
        for entry in entries:
            transaction_id = entry.transaction_id
            if transaction_id:
                reply = judging.committed(entry.csn, entry.committed_at_us, epoch)
            elif entry.WhichOneof("content") == "refusal":
                transaction_id = entry.refusal.transaction_id
                reply = judging.refused(epoch)
            else:
                continue
            if leader is not None:
                for waiter in leader.waiters_of(transaction_id):
                    self._answer(waiter, reply)
            for pending in self.pending.about(transaction_id):
                self._finish(pending, reply, now_us)

    # ---- time

    def tick(self, now_us: int, wall_us: int) -> None:
        leader = self.leader
        if leader is not None:
            leader.tick(now_us)
            if leader.replication.expired(now_us):
                self._step_down(now_us, "out of authority")
            elif leader.stalled(now_us):
                self._step_down(now_us, "the recovery stalled")
            else:
                leader.close_change(now_us, wall_us)
        else:
            if not self.handover.retiring:
                self.election.tick(now_us, self._out)
            self.feed.tick(now_us, self._out)
            self._ask_for_leadership(now_us)
        self.copy.shrink(now_us)
        self._tend_pending(now_us, wall_us)

    def _tend_pending(self, now_us: int, wall_us: int) -> None:
        settings = self.settings
        for pending in self.pending:
            age_us = now_us - pending.received_us
            if not pending.ever_sent and age_us >= settings.availability_timeout_us:
                self._finish(pending, judging.failure(UNAVAILABLE, "nobody leads"), now_us)
            elif age_us >= settings.pending_timeout_us:
                self._finish(pending, judging.unknown(self.leader_epoch), now_us)
            elif now_us >= pending.send_at_us:
                self._submit(pending, now_us, wall_us)

    def take(self, now_us: int, wall_us: int) -> Output:
        """Settle, answer, send: what has collected since the last call."""
        for pending in self._submitted:
            pending.left_us = now_us
        self._submitted.clear()
        leader = self.leader
        if leader is not None and leader.replication.expired(now_us):
            self._step_down(now_us, "out of authority")
        elif leader is not None:
            was_recovering = leader.recovering
            self._entries_settled(leader.advance(now_us), now_us)
            if was_recovering and not leader.recovering:
                self._open(leader, now_us, wall_us)
            leader.replication.flush(now_us)
        return self._out.take()

    def _open(self, leader: Leader, now_us: int, wall_us: int) -> None:
        """Judging begins: first what waited for it."""
        held, leader.held = leader.held, type(leader.held)()
        for waiter, item in held:
            try:
                self._forwarded(waiter, item, now_us, wall_us)
            except judging.Malformed as error:
                self._answer(waiter, judging.failure(INVALID, str(error)))
        for pending in self.pending:
            self._submit(pending, now_us, wall_us)

    # ---- moving leadership by order

    def order_lead(self, now_us: int, until_us: int) -> Order | None:
        """This adjudicator is to lead. None: it does."""
        if self.leader is not None:
            return None
        order = self.handover.want(now_us, until_us)
        self._ask_for_leadership(now_us)
        return order

    def _ask_for_leadership(self, now_us: int) -> None:
        name = "" if self.leader_name == self.settings.name else self.leader_name
        request = self.handover.request_due(
            name, self.leader_epoch, self.copy.tail_csn, self._candidate, now_us
        )
        if request is not None:
            self._out.adjudicators.append((name, request))

    def retire(self, now_us: int) -> None:
        """This process is about to stop: offer leadership, take nothing on afterwards."""
        self.handover.retiring = True
        if self.leader is not None:
            self._out.adjudicators.extend(self.handover.offers(self.leader.epoch))

    def _retired(self, waiter: Waiter) -> bool:
        """New requests go elsewhere once a stopping adjudicator leads no more."""
        if self.handover.retiring and self.leader is None:
            self._answer(waiter, judging.failure(UNAVAILABLE, "this adjudicator stops"))
            return True
        return False

    def _move_leadership(
        self, waiter: Waiter, item: adjudicator.AdjudicatorRequest, now_us: int
    ) -> None:
        if item.HasField("take_over"):
            offer = item.take_over
            able = self.leader is None and not self.handover.retiring
            if able and offer.epoch == self.leader_epoch:
                self.order_lead(now_us, now_us + self.settings.lease_ttl_us)
                return
            self._answer(waiter, judging.not_judged(self.leader_epoch, "", "not now"))
            return
        request = item.hand_over
        leader = self.leader
        given = self.handover.given_before(request)
        if given is None:
            reason = "this adjudicator does not lead"
            if leader is not None:
                reason = self.handover.hindrance(leader, request, now_us)
            if reason or leader is None:
                self._answer(waiter, judging.not_judged(self.leader_epoch, "", reason))
                return
            leader.replication.flush(now_us)
            given = self.handover.resign(
                leader, self._candidate.life, request.candidate.life, now_us
            )
            self._step_down(now_us, f"{request.candidate.name} leads by order")
        self._answer(waiter, Reply(handed_over=given))

    # ---- administration

    def replace_journal(
        self, name: str, now_us: int, wall_us: int, incarnation: bytes = b""
    ) -> Hindrance | None:
        """See Leader.replace_journal."""
        if self.leader is None:
            return Hindrance(f"not the leader; {self.leader_name or 'nobody'} leads", False)
        return self.leader.replace_journal(name, now_us, wall_us, incarnation)

    @property
    def journals_beyond_log(self) -> int:
        """How many count as lost until they are rebuilt; told by a leader only."""
        leader = self.leader
        known = () if leader is None else leader.replication.journals.values()
        return sum(progress.beyond_log for progress in known)

    def members(self) -> types.MemberList | None:
        """The newest member list that this adjudicator knows."""
        return self.copy.newest_members()

    def members_closed(self) -> bool:
        """The newest list stands alone and is settled."""
        entries = self.copy.member_entries
        return (
            bool(entries)
            and entries[-1].csn <= self.copy.settled_csn
            and not (self.members() or types.MemberList()).next
        )

    def status(self, now_us: int) -> adjudicator.AdjudicatorStatus:
        """Everything but the process's identity."""
        regions = {target.name: target.region for target in self.settings.adjudicators}
        status = adjudicator.AdjudicatorStatus(
            state=self.state,
            epoch=self.leader_epoch,
            leader=self.leader_name,
            leader_region=regions.get(self.leader_name, ""),
            last_csn=self.copy.tail_csn,
            settled_csn=self.copy.settled_csn,
            window_start_csn=self.copy.window.start_csn,
            pending=len(self.pending),
            members=self.members(),
        )
        if self.leader is not None:
            replication = self.leader.replication
            status.authority_left_us = max(0, replication.authority_until_us - now_us)
            status.member_status.extend(replication.member_status(now_us))
        return status


def _waiter(peer: int, item: adjudicator.AdjudicatorRequest) -> Waiter:
    return Waiter(peer, item.correlation_id, item.token)
