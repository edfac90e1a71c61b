"""Marks are passed on at once where they let a journal settle something by itself, and only there."""

from __future__ import annotations

from adjudicator_rig import Rig, commit
from test_commit_timings import acknowledge

from trilithon.v1 import journal_pb2 as journal


def news(rig: Rig) -> dict[str, dict[str, int]]:
    """What is sent now: marks by journal."""
    sent: dict[str, dict[str, int]] = {}
    for name, request in rig.machine.take(rig.now, rig.now).journals:
        append: journal.Append = request.append
        assert not append.entries
        sent[name] = {mark.incarnation[:1].decode(): mark.synced_csn for mark in append.marks}
    return sent


def begin() -> tuple[Rig, int]:
    """A commit is on its way to all journals; none has synced it."""
    rig = Rig()
    rig.lead()
    rig.request(commit(1, rig.machine.copy.tail_csn))
    csn = rig.machine.copy.tail_csn
    assert len(rig.machine.take(rig.now, rig.now).journals) == 3
    return rig, csn


def test_a_full_journals_mark_lets_the_other_settle() -> None:
    rig, csn = begin()
    acknowledge(rig, "a/journal-0", csn)
    sent = news(rig)
    assert list(sent) == ["b/journal-0"]
    assert sent["b/journal-0"]["a"] == csn
    acknowledge(rig, "b/journal-0", csn)
    sent = news(rig)
    assert list(sent) == ["a/journal-0"]
    assert sent["a/journal-0"]["b"] == csn


def test_the_witness_changes_nothing_while_a_required_journal_is_missing() -> None:
    rig, csn = begin()
    acknowledge(rig, "w/journal-0", csn)
    assert news(rig) == {}
    acknowledge(rig, "a/journal-0", csn)
    assert list(news(rig)) == ["b/journal-0"]


def test_the_same_mark_is_no_news_twice() -> None:
    rig, csn = begin()
    acknowledge(rig, "a/journal-0", csn)
    assert news(rig)
    acknowledge(rig, "a/journal-0", csn)
    acknowledge(rig, "w/journal-0", csn)
    assert news(rig) == {}


def test_heartbeats_carry_every_mark() -> None:
    rig, csn = begin()
    acknowledge(rig, "w/journal-0", csn)
    rig.now += rig.settings.heartbeat_us
    rig.machine.tick(rig.now, rig.now)
    sent = news(rig)
    assert set(sent) == {"a/journal-0", "b/journal-0", "w/journal-0"}
    assert sent["a/journal-0"]["w"] == csn
    assert sent["b/journal-0"]["w"] == csn
