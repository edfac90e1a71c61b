"""The machine with journals that answer at once: one test per sentence of DESIGN.md, "Commit"."""

from __future__ import annotations

import random
from typing import Any

import pytest

from trilithon.adjudicator.machine import AdjudicatorMachine
from trilithon.adjudicator.outbox import Output
from trilithon.adjudicator.settings import AdjudicatorTarget, JournalTarget, Settings
from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import journal_pb2 as journal
from trilithon.v1 import types_pb2 as types

JOURNALS = (
    JournalTarget("a/journal-0", "a", True),
    JournalTarget("b/journal-0", "b", True),
    JournalTarget("w/journal-0", "w", False),
)
COMMITTED = adjudicator.Verdict.OUTCOME_COMMITTED
ABORTED = adjudicator.Verdict.OUTCOME_ABORTED
UNKNOWN = adjudicator.Verdict.OUTCOME_UNKNOWN
CLIENT = 1
FOLLOWER = 2


class Rig:
    """One adjudicator; journals that sync and answer everything, unless they are silent."""

    def __init__(self, **settings: Any) -> None:
        self.settings = Settings(
            name="a/adjudicator-0",
            region="a",
            address="a",
            journals=JOURNALS,
            adjudicators=(
                AdjudicatorTarget("a/adjudicator-0", "a", "a"),
                AdjudicatorTarget("b/adjudicator-0", "b", "b"),
            ),
            **settings,
        )
        self.now = 1_000_000
        self.machine = AdjudicatorMachine(self.settings, b"l" * 16, random.Random(1), self.now)
        self.silent: set[str] = set()
        self.tails = {target.name: 0 for target in JOURNALS}
        self.replies: list[tuple[int, adjudicator.AdjudicatorReply]] = []
        self.forwarded: list[tuple[str, adjudicator.AdjudicatorRequest]] = []
        self.appends: list[tuple[str, journal.Append]] = []
        for target in JOURNALS:
            self.machine.journal_up(target.name)

    def incarnation(self, name: str) -> bytes:
        return name[:1].encode() * 16

    def take(self) -> None:
        """Send what is due, and let the journals answer until nothing more comes of it."""
        for _ in range(30):
            output: Output = self.machine.take(self.now, self.now)
            self.replies += output.replies
            self.forwarded += [
                (name, adjudicator.AdjudicatorRequest.FromString(item.SerializeToString()))
                for name, item in output.adjudicators
            ]
            answers = [
                (name, answer)
                for name, request in output.journals
                if name not in self.silent and (answer := self._answer(name, request)) is not None
            ]
            if not answers:
                return
            for name, answer in answers:
                self.machine.journal_reply(name, answer, self.now, self.now)

    def _answer(self, name: str, request: journal.JournalRequest) -> journal.JournalReply | None:
        incarnation = self.incarnation(name)
        match request.WhichOneof("request"):
            case "pre_vote":
                return journal.JournalReply(
                    pre_vote=journal.PreVoteReply(granted=True, incarnation=incarnation)
                )
            case "promise":
                return journal.JournalReply(
                    promised=journal.Promised(epoch=request.promise.epoch, incarnation=incarnation)
                )
            case "append":
                append = request.append
                self.appends.append((name, append))
                if append.entries:
                    self.tails[name] = append.entries[-1].csn
                return (
                    journal.JournalReply(
                        ack=journal.Ack(
                            epoch=append.epoch,
                            incarnation=incarnation,
                            synced_csn=self.tails[name],
                            heartbeat=append.heartbeat,
                            life=b"j" * 16,
                            reading_us=self.now,
                        )
                    )
                    if append.entries or append.heartbeat
                    else None
                )
        return None

    def run(self, microseconds: int) -> None:
        end = self.now + microseconds
        while self.now < end:
            self.now += 50_000
            self.machine.tick(self.now, self.now)
            self.take()

    def lead(self) -> int:
        self.run(1_000_000)
        assert self.machine.state == "leader"
        return self.machine.leader_epoch

    def follow(self, epoch: int = 7, leader: str = "b/adjudicator-0") -> None:
        """Somebody else leads; the own journal's feed starts with an empty log."""
        machine = self.machine
        machine.feed_up(self.now)
        self._feed(pre_vote=journal.PreVoteReply())
        self._feed(log_part=journal.LogPart())
        self._feed(feed=journal.FeedUpdate(epoch=epoch, leader=leader))

    def _feed(self, **answer: Any) -> None:
        output = self.machine.take(self.now, self.now)
        reply = journal.JournalReply(correlation_id=output.feed[-1].correlation_id, **answer)
        self.machine.feed_reply(reply, self.now, self.now)

    def push(self, **update: Any) -> None:
        reply = journal.JournalReply(feed=journal.FeedUpdate(**update))
        self.machine.feed_reply(reply, self.now, self.now)
        self.take()

    def request(self, item: adjudicator.AdjudicatorRequest, peer: int = CLIENT) -> None:
        self.machine.receive(peer, item, self.now, self.now)

    def ask(self, item: adjudicator.AdjudicatorRequest, peer: int = CLIENT) -> Any:
        """The one reply to this request, at once."""
        before = len(self.replies)
        self.request(item, peer)
        self.take()
        assert len(self.replies) == before + 1
        assert self.replies[-1][0] == peer
        return self.replies[-1][1]


def commit(
    number: int, snapshot: int, key: bytes = b"key", mode: int = types.MODE_UPDATE, **more: Any
) -> adjudicator.AdjudicatorRequest:
    write_set = types.WriteSet()
    write_set.writes.add(key=key, mode=mode, value=b"value")
    return adjudicator.AdjudicatorRequest(
        correlation_id=number,
        commit=adjudicator.CommitRequest(
            transaction_id=number.to_bytes(16, "big"),
            snapshot_csn=snapshot,
            write_set=write_set.SerializeToString(),
            **more,
        ),
    )


def forwarded(item: adjudicator.AdjudicatorRequest, epoch: int) -> adjudicator.AdjudicatorRequest:
    item.token, item.correlation_id = item.correlation_id, 0
    item.commit.epoch = epoch
    return item


def question(number: int, snapshot: int) -> adjudicator.AdjudicatorRequest:
    return adjudicator.AdjudicatorRequest(
        correlation_id=1000 + number,
        transaction_status=adjudicator.TransactionStatusRequest(
            transaction_id=number.to_bytes(16, "big"), snapshot_csn=snapshot
        ),
    )


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_first_committer_wins_and_the_other_hears_why(rig: Rig) -> None:
    rig.lead()
    snapshot = rig.machine.copy.tail_csn
    first = rig.ask(commit(1, snapshot))
    assert first.verdict.outcome == COMMITTED
    assert first.correlation_id == 1
    second = rig.ask(commit(2, snapshot))
    assert second.verdict.outcome == ABORTED
    assert second.verdict.error.sqlstate == "40001"
    assert second.verdict.error.message == "change conflicts with another transaction (OC000)"
    assert second.verdict.conflict_csn == first.verdict.csn
    assert rig.ask(commit(3, first.verdict.csn)).verdict.outcome == COMMITTED


def test_a_changed_catalog_is_oc001(rig: Rig) -> None:
    rig.lead()
    snapshot = rig.machine.copy.tail_csn
    rig.ask(commit(1, snapshot, b"table"))
    check = adjudicator.ReadCheck(key=b"table", catalog=True)
    verdict = rig.ask(commit(2, snapshot, b"row", read_checks=[check])).verdict
    assert verdict.error.sqlstate == "40001"
    assert "schema has been updated by another transaction (OC001)" in verdict.error.message
    assert verdict.conflict_key == b"table"


def test_the_same_id_again_gets_the_same_answer(rig: Rig) -> None:
    rig.lead()
    snapshot = rig.machine.copy.tail_csn
    first = rig.ask(commit(1, snapshot)).verdict
    again = rig.ask(commit(1, snapshot, resend=True)).verdict
    assert (again.outcome, again.csn) == (COMMITTED, first.csn)
    status = rig.ask(question(1, snapshot)).verdict
    assert (status.outcome, status.csn) == (COMMITTED, first.csn)


def test_a_status_question_settles_what_was_not_known(rig: Rig) -> None:
    rig.lead()
    snapshot = rig.machine.copy.tail_csn
    assert rig.ask(question(1, snapshot)).verdict.outcome == ABORTED
    assert rig.ask(commit(1, snapshot)).verdict.outcome == ABORTED
    assert rig.ask(commit(1, snapshot, resend=True)).verdict.outcome == ABORTED


def test_below_the_window_a_first_submission_aborts_and_a_resend_is_unknown() -> None:
    rig = Rig(window_entries_max=3)
    rig.lead()
    old = rig.machine.copy.tail_csn
    for number in range(1, 10):
        rig.ask(commit(number, rig.machine.copy.tail_csn))
    rig.run(100_000)
    assert not rig.machine.copy.window.covers(old)
    first = rig.ask(commit(20, old, b"elsewhere")).verdict
    assert (first.outcome, first.error.sqlstate) == (ABORTED, "40001")
    resend = rig.ask(commit(21, old, b"elsewhere", resend=True)).verdict
    assert (resend.outcome, resend.error.sqlstate) == (UNKNOWN, "40003")
    assert rig.ask(question(22, old)).verdict.outcome == UNKNOWN


def test_what_was_judged_together_leaves_together(rig: Rig) -> None:
    rig.lead()
    snapshot = rig.machine.copy.tail_csn
    rig.appends.clear()
    for number in range(1, 21):
        rig.request(commit(number, snapshot, b"key%d" % number))
    rig.take()
    with_entries = [(name, append) for name, append in rig.appends if append.entries]
    assert sorted(name for name, _ in with_entries) == sorted(one.name for one in JOURNALS)
    assert all(len(append.entries) == 20 for _, append in with_entries)
    assert len(rig.replies) == 20


def test_nothing_is_acknowledged_before_a_majority_and_the_required_have_it(rig: Rig) -> None:
    rig.lead()
    rig.silent = {"b/journal-0"}
    rig.request(commit(1, rig.machine.copy.tail_csn))
    rig.take()
    assert rig.replies == []
    # Its lease runs out; then, and only then, the rest goes on without it.
    rig.run(rig.settings.lease_ttl_us // 2)
    assert rig.replies == []
    rig.run(rig.settings.lease_ttl_us)
    assert [reply.verdict.outcome for _, reply in rig.replies] == [COMMITTED]


def test_without_a_majority_the_leader_steps_down(rig: Rig) -> None:
    epoch = rig.lead()
    rig.silent = {"b/journal-0", "w/journal-0"}
    rig.request(forwarded(commit(1, rig.machine.copy.tail_csn), epoch), FOLLOWER)
    rig.run(rig.settings.lease_ttl_us)
    assert rig.machine.leader is None
    [(peer, reply)] = rig.replies
    assert peer == FOLLOWER
    assert reply.token == 1
    assert reply.HasField("not_judged")
    granted = [append.grant for _, append in rig.appends if append.HasField("grant")]
    assert granted


def test_a_request_bound_to_another_epoch_is_not_judged(rig: Rig) -> None:
    epoch = rig.lead()
    snapshot = rig.machine.copy.tail_csn
    for other in (epoch - 1, epoch + 1, 0):
        reply = rig.ask(forwarded(commit(1, snapshot), other), FOLLOWER)
        assert reply.HasField("not_judged")
        assert reply.not_judged.epoch == epoch
    assert rig.machine.copy.tail_csn == snapshot
    reply = rig.ask(forwarded(commit(1, snapshot), epoch), FOLLOWER)
    assert reply.verdict.outcome == COMMITTED


def test_a_follower_binds_forwards_and_after_a_failover_binds_anew(rig: Rig) -> None:
    rig.follow(7)
    rig.request(commit(1, 0))
    rig.take()
    [(name, item)] = rig.forwarded
    assert name == "b/adjudicator-0"
    assert (item.commit.epoch, item.commit.resend) == (7, False)
    rig.push(epoch=9, leader="b/adjudicator-0")
    rig.machine.tick(rig.now, rig.now)
    rig.take()
    _, again = rig.forwarded[-1]
    assert (again.commit.epoch, again.commit.resend) == (9, True)
    assert again.commit.transaction_id == item.commit.transaction_id

    def verdict(outcome: int, epoch: int) -> adjudicator.AdjudicatorReply:
        return adjudicator.AdjudicatorReply(
            token=item.token, verdict=adjudicator.Verdict(outcome=outcome, epoch=epoch)
        )

    rig.machine.adjudicator_reply(verdict(ABORTED, 7), rig.now, rig.now)
    rig.take()
    assert rig.replies == []
    rig.machine.adjudicator_reply(verdict(COMMITTED, 7), rig.now, rig.now)
    rig.take()
    assert [reply.verdict.outcome for _, reply in rig.replies] == [COMMITTED]


def test_the_own_journal_proves_a_followers_commit(rig: Rig) -> None:
    rig.follow(7)
    item = commit(1, 0)
    write_set = item.commit.write_set
    rig.request(item)
    rig.take()
    start = 7 << 40
    entries = [
        types.Entry(csn=start, epoch_start=types.EpochStart(leader="b/adjudicator-0")),
        types.Entry(
            csn=start + 1,
            previous_csn=start,
            transaction_id=(1).to_bytes(16, "big"),
            write_set=write_set,
        ),
    ]
    rig.push(entries=entries, epoch=7, leader="b/adjudicator-0", settled_csn=start)
    assert rig.replies == []
    rig.push(epoch=7, leader="b/adjudicator-0", settled_csn=start + 1)
    assert rig.replies[-1][1].verdict.csn == start + 1
    # What it saw is turned down here, a resend never is.
    late = rig.ask(commit(2, start)).verdict
    assert (late.outcome, late.conflict_csn) == (ABORTED, start + 1)
    before = len(rig.forwarded)
    rig.request(commit(3, start, resend=True))
    rig.take()
    assert len(rig.forwarded) == before + 1


def test_what_was_never_sent_is_turned_down_and_what_was_sent_is_unknown() -> None:
    rig = Rig()
    rig.silent = {one.name for one in JOURNALS}
    rig.request(commit(1, 0))
    rig.run(rig.settings.availability_timeout_us)
    assert rig.replies[-1][1].failure.code == types.Failure.CODE_UNAVAILABLE
    rig = Rig()
    rig.silent = {one.name for one in JOURNALS}
    rig.follow(7)
    rig.request(commit(1, 0))
    rig.run(rig.settings.pending_timeout_us)
    assert rig.replies[-1][1].verdict.outcome == UNKNOWN
    sent = [item.commit.resend for _, item in rig.forwarded]
    assert sent[0] is False
    assert all(sent[1:])
    assert 2 <= len(sent) <= 12
    assert len(rig.machine.pending) == 0


def test_a_peer_that_is_gone_is_forgotten(rig: Rig) -> None:
    rig.follow(7)
    rig.request(commit(1, 0))
    rig.machine.disconnected(CLIENT)
    assert len(rig.machine.pending) == 0
    rig.run(2_000_000)
    assert rig.replies == []


def test_bounds_are_answered_as_overload() -> None:
    rig = Rig(pending_max=3, status_per_second=2)
    rig.follow(7)
    for number in range(1, 5):
        rig.request(commit(number, 0, b"%d" % number))
    rig.take()
    assert [reply.failure.code for _, reply in rig.replies] == [types.Failure.CODE_OVERLOADED]


def test_a_snapshot_from_the_future_is_invalid_and_one_of_a_later_epoch_not_judged(
    rig: Rig,
) -> None:
    epoch = rig.lead()
    reply = rig.ask(commit(1, rig.machine.copy.tail_csn + 5))
    assert reply.failure.code == types.Failure.CODE_INVALID
    later = rig.ask(forwarded(commit(2, epoch + 1 << 40), epoch), FOLLOWER)
    assert later.HasField("not_judged")
