"""A verdict says where the commit's time went."""

from __future__ import annotations

from adjudicator_rig import COMMITTED, Rig, commit

from trilithon.adjudicator import judging
from trilithon.v1 import journal_pb2 as journal
from trilithon.v1 import types_pb2 as types


def acknowledge(rig: Rig, name: str, csn: int) -> None:
    ack = journal.Ack(
        epoch=rig.machine.leader_epoch,
        incarnation=rig.incarnation(name),
        synced_csn=csn,
        life=b"j" * 16,
        reading_us=rig.now,
    )
    rig.machine.journal_reply(name, journal.JournalReply(ack=ack), rig.now, rig.now)


def _timings(rig: Rig) -> tuple[int, int, int, int]:
    """queued, judged, synced, settled of the one verdict that is ready, in microseconds."""
    ((_, reply),) = rig.machine.take(rig.now, rig.now).replies
    assert reply.verdict.outcome == COMMITTED
    timings = reply.verdict.timings
    return timings.queued_us, timings.judged_us, timings.synced_us, timings.settled_us


def test_beside_the_leader() -> None:
    rig = Rig()
    rig.lead()
    machine = rig.machine
    rig.request(commit(1, machine.copy.tail_csn))
    csn = machine.copy.tail_csn
    rig.now += 10
    machine.take(rig.now, rig.now)
    rig.now += 100
    acknowledge(rig, "a/journal-0", csn)
    machine.take(rig.now, rig.now)
    rig.now += 1_000
    acknowledge(rig, "b/journal-0", csn)
    assert _timings(rig) == (0, 10, 100, 1_110)


def test_beside_a_follower() -> None:
    rig = Rig()
    rig.follow()
    machine = rig.machine
    rig.request(commit(1, 0))
    rig.now += 10
    assert machine.take(rig.now, rig.now).adjudicators
    entry = types.Entry(csn=1, transaction_id=(1).to_bytes(16, "big"), committed_at_us=1)
    rig.now += 100
    update = journal.FeedUpdate(entries=[entry], epoch=7, leader="b/adjudicator-0")
    machine.feed_reply(journal.JournalReply(feed=update), rig.now, rig.now)
    rig.now += 1_000
    settled = journal.FeedUpdate(settled_csn=1, epoch=7, leader="b/adjudicator-0")
    machine.feed_reply(journal.JournalReply(feed=settled), rig.now, rig.now)
    assert _timings(rig) == (0, 10, 100, 1_110)


def test_time_without_a_leader_is_time_in_the_queue() -> None:
    rig = Rig()
    rig.request(commit(1, 0))
    rig.take()
    began_us = rig.now
    rig.lead()
    (reply,) = (reply for _, reply in rig.replies if reply.HasField("verdict"))
    assert reply.verdict.outcome == COMMITTED
    assert 0 < reply.verdict.timings.queued_us <= rig.now - began_us


def test_the_leaders_word_may_come_before_the_own_journals() -> None:
    rig = Rig()
    rig.follow()
    machine = rig.machine
    rig.request(commit(1, 0))
    ((_, item),) = machine.take(rig.now, rig.now).adjudicators
    rig.now += 100
    reply = judging.committed(1, 1, 7)
    reply.token = item.token
    machine.adjudicator_reply(reply, rig.now, rig.now)
    ((_, answer),) = machine.take(rig.now, rig.now).replies
    assert answer.verdict.outcome == COMMITTED
    assert answer.verdict.timings.settled_us == 100
    assert answer.verdict.timings.synced_us == 0
