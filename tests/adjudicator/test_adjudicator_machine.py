"""The machine with journals that answer at once: one test per sentence of DESIGN.md, "Commit"."""

from __future__ import annotations

import pytest
from adjudicator_rig import (
    ABORTED,
    CLIENT,
    COMMITTED,
    FOLLOWER,
    JOURNALS,
    UNKNOWN,
    Rig,
    commit,
    forwarded,
    question,
)

from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import types_pb2 as types


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
