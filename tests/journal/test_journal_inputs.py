"""Messages that make no sense get an answer that says so, and change nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_support import (
    ME,
    TTL_US,
    Driver,
    append,
    applied,
    c,
    candidate,
    entries_of,
    entry,
    grant,
    inc,
    members,
    pre_vote,
    promise,
    read_log,
    snapshot,
    subscribe,
)

from trilithon.core.csn import CSN_MAX, make_csn
from trilithon.journal.machine import JournalMachine
from trilithon.v1.journal_pb2 import Append, Base, JournalRequest, Mark
from trilithon.v1.types_pb2 import Entry, Failure


def fresh(**options: Any) -> Driver:
    """A journal with 1.0 to 1.3 under the leader x; 1.1 is settled."""
    driver = Driver(**options)
    driver.now_us += TTL_US
    driver.led(1, "1.1", "1.2", "1.3")
    driver.send("x", append("x", 1, "1.3", marks={"w": "1.1"}, heartbeat=2))
    driver.tick()
    return driver


def everything(machine: JournalMachine, now_us: int) -> Any:
    votes = machine._votes
    return (
        machine.status(now_us).SerializeToString(deterministic=True),
        votes.epoch, votes.candidate, votes.heartbeat, votes.led, votes.ttl_us, votes._heard_us,
        machine.matched_csn, machine._settling._leader_settled, dict(machine._settling.marks),
        machine._writes.unsynced_bytes, list(machine.log.spans),
    )  # fmt: skip


def with_append(change: Callable[[Append], Any]) -> JournalRequest:
    request = append("x", 1, "1.3", entries_of(["1.4", "1.5"], "1.3"), heartbeat=3)
    change(request.append)
    return request


def put(name: str, value: Any) -> JournalRequest:
    return with_append(lambda one: setattr(one, name, value))


def with_entry(change: Callable[[Entry], Any]) -> JournalRequest:
    return with_append(lambda one: change(one.entries[1]))


def with_base(**options: Any) -> JournalRequest:
    values: dict[str, Any] = {"csn": c("1.3"), **options}
    return with_append(
        lambda one: (setattr(one, "settled_csn", c("1.3")), one.base.CopyFrom(Base(**values)))
    )


LIST = members("abw")
BAD_APPENDS: dict[str, tuple[JournalRequest, str]] = {
    "epoch zero": (put("epoch", 0), "epoch 0"),
    "epoch of 25 bits": (put("epoch", 1 << 24), "epoch 16777216"),
    "epoch far above": (put("epoch", 1 + (1 << 16) + 1), "too far above"),
    "no leader": (with_append(lambda one: one.ClearField("leader")), "16 bytes"),
    "leader without a name": (with_append(lambda one: setattr(one.leader, "name", "")), "a name"),
    "long name": (with_append(lambda one: setattr(one.leader, "name", "x" * 300)), "256"),
    "long address": (with_append(lambda one: setattr(one.leader, "address", "x" * 300)), "256"),
    "short life": (with_append(lambda one: setattr(one.leader, "life", b"short")), "16 bytes"),
    "no lease_ttl": (put("lease_ttl_us", 0), "lease_ttl_us 0"),
    "negative lease_ttl": (put("lease_ttl_us", -1), "lease_ttl_us -1"),
    "huge lease_ttl": (put("lease_ttl_us", 1 << 40), "lease_ttl_us"),
    "settled in a later epoch": (put("settled_csn", c("2.0")), "settled_csn"),
    "mark of a later epoch": (
        with_append(lambda one: one.marks.append(Mark(incarnation=inc("b"), synced_csn=CSN_MAX))),
        "later epoch",
    ),
    "mark of nobody": (with_append(lambda one: one.marks.append(Mark(incarnation=b"b"))), "16 bytes"),
    "many marks": (
        with_append(lambda one: one.marks.extend([Mark(incarnation=inc("b"))] * 65)),
        "64 marks",
    ),
    "gap within": (with_entry(lambda one: setattr(one, "csn", c("1.6"))), "does not follow"),
    "backwards": (with_entry(lambda one: setattr(one, "csn", c("1.2"))), "does not follow"),
    "twice": (with_entry(lambda one: setattr(one, "csn", c("1.4"))), "does not follow"),
    "csn zero": (with_entry(lambda one: setattr(one, "csn", 0)), "does not follow"),
    "highest csn": (with_entry(lambda one: setattr(one, "csn", CSN_MAX)), "does not follow"),
    "later epoch": (with_entry(lambda one: setattr(one, "csn", c("2.0"))), "later epoch"),
    "epoch without its start": (with_entry(lambda one: setattr(one, "csn", c("2.4"))), "not follow"),
    "other previous": (
        with_entry(lambda one: setattr(one, "previous_csn", c("1.3"))),
        "does not follow",
    ),
    "first not after previous": (put("previous_csn", c("1.2")), "does not follow"),
    "many required": (
        with_entry(lambda one: one.required.extend([inc("b")] * 65)),
        "required",
    ),
    "too large": (with_entry(lambda one: setattr(one, "write_set", b"x" * 2_000)), "larger than"),
    "members of a transaction": (
        with_entry(lambda one: one.members.CopyFrom(LIST)),
        "no transaction id",
    ),
    "empty list": (
        with_entry(lambda one: (one.ClearField("transaction_id"), one.members.SetInParent())),
        "empty member list",
    ),
    "member twice": (
        with_entry(
            lambda one: (one.ClearField("transaction_id"), one.members.CopyFrom(members("abba")))
        ),
        "twice",
    ),
    "members without end": (
        with_entry(
            lambda one: (
                one.ClearField("transaction_id"),
                one.members.members.extend([members("a").members[0]] * 33),
            )
        ),
        "32 members",
    ),
    "member without incarnation": (
        with_entry(
            lambda one: (
                one.ClearField("transaction_id"),
                one.members.CopyFrom(LIST),
                one.members.next.add(region="z"),
            )
        ),
        "16 bytes",
    ),
    "lease longer than lease_ttl": (
        with_append(lambda one: one.grant.CopyFrom(grant(10_500_000, TTL_US + 1))),
        "longer than lease_ttl",
    ),
    "negative lease": (with_append(lambda one: one.grant.CopyFrom(grant(10_500_000, -1))), "lease"),
    "reading of the future": (
        with_append(lambda one: one.grant.CopyFrom(grant(1 << 50))),
        "never gave",
    ),
    "reading of before the start": (
        with_append(lambda one: one.grant.CopyFrom(grant(9_999_999))),
        "never gave",
    ),
    "base that is no csn": (with_base(csn=0), "the base is not a csn"),
    "base of a later epoch": (with_base(csn=c("2.3")), "the base is not a csn"),
    "base elsewhere": (with_base(csn=c("1.2")), "right after it"),
    "catalog above the base": (with_base(catalog_csn=c("1.4")), "catalog_csn"),
    "base with no list": (with_base(member_entries=[entry(c("1.2"), c("1.1"))]), "member lists"),
    "base with lists above": (
        with_base(member_entries=[entry(c("1.4"), c("1.3"), lists=LIST)]),
        "member lists",
    ),
    "base with lists in disorder": (
        with_base(member_entries=[entry(c("1.2"), c("1.1"), lists=LIST)] * 2),
        "oldest first",
    ),
    "base that is not settled": (
        with_append(lambda one: one.base.CopyFrom(Base(csn=c("1.3")))),
        "a base is settled",
    ),
    "another incarnation": (put("incarnation", inc("b")), re.escape("this is journal")),
    "no incarnation": (put("incarnation", b""), "this is journal"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_APPENDS)
def test_a_bad_append_changes_nothing(name: str) -> None:
    request, says = BAD_APPENDS[name]
    refused(request, says, entry_bytes_max=1_000)


def refused(request: JournalRequest, says: str, **options: Any) -> None:
    driver = fresh(**options)
    before = everything(driver.machine, driver.now_us)
    request.correlation_id = 7
    reply = driver.ask("p", request)
    assert reply.correlation_id == 7
    assert reply.failure.code in (Failure.CODE_INVALID, Failure.CODE_WRONG_TARGET)
    assert re.search(says, reply.failure.message), reply.failure.message
    assert everything(driver.machine, driver.now_us) == before
    assert not driver.unsynced
    assert driver.machine.counters.invalid == 1
    # And it goes on as if nothing had been.
    driver.send("x", append("x", 1, "1.3", entries_of(["1.4"], "1.3"), heartbeat=4))
    driver.sync()
    assert driver.machine.synced_csn == c("1.4")


def test_the_same_append_without_a_mistake_is_taken() -> None:
    driver = fresh(entry_bytes_max=1_000)
    driver.send("x", with_append(lambda one: one.grant.CopyFrom(grant(10_500_000))))
    driver.sync()
    assert driver.machine.synced_csn == c("1.5")
    assert driver.machine.lease_left_us(driver.now_us)


OTHERS: dict[str, tuple[JournalRequest, str]] = {
    "nothing": (JournalRequest(), "without a known request"),
    "promise of epoch zero": (promise("y", 0), "epoch 0"),
    "promise far above": (promise("y", 1 << 20), "too far above"),
    "promise without lease_ttl": (promise("y", 2, ttl_us=0), "lease_ttl_us"),
    "promise to nobody": (JournalRequest(promise={"epoch": 2, "lease_ttl_us": 5}), "16 bytes"),  # type: ignore[arg-type]
    "pre-vote of epoch zero": (pre_vote("y", 0), "epoch 0"),
    "pre-vote for nobody": (JournalRequest(pre_vote={"epoch": 2}), "16 bytes"),  # type: ignore[arg-type]
    "subscribe after what never was": (subscribe(make_csn(0, 5)), "not in this log"),
    "subscribe with a long name": (subscribe("1.1", "s" * 300), "too long"),
    "applied by nobody": (applied("s-9", "1.1"), "no storage process 's-9'"),
    "applied what never was": (applied("s-0", "1.9"), "not in this log"),
    "read after what never was": (read_log("1.9"), "not in this log"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_nonsense_changes_nothing(name: str) -> None:
    refused(*OTHERS[name], storages=("s-0",))


def test_a_witness_gives_no_snapshots_and_takes_no_lease() -> None:
    driver = fresh(full=False)
    driver.send("x", append("x", 1, "1.3", heartbeat=5, grant=grant(driver.now_us)))
    assert driver.machine.lease_left_us(driver.now_us) == 0
    failure = driver.ask("q", snapshot()).failure
    assert (failure.code, failure.message) == (Failure.CODE_INVALID, "a witness gives no snapshots")


def test_what_is_settled_or_of_its_own_leader_is_never_cut() -> None:
    driver = fresh()
    before = everything(driver.machine, driver.now_us)
    # A leader of a higher epoch whose log lacks the settled 1.1.
    bad = append("y", 2, "1.0", entries_of(["2.0"], "1.0"), corr=1)
    assert "would cut settled" in driver.ask("y", bad).failure.message
    assert everything(driver.machine, driver.now_us) == before
    # The same with the same epoch: entries of an older epoch between what it sent itself.
    driver.send("y", append("y", 3, "1.2", entries_of(["3.0", "3.1"], "1.2")))
    before = everything(driver.machine, driver.now_us)
    bad = append("y", 3, "1.1", entries_of(["2.0"], "1.1"), corr=2)
    assert "which its own leader sent" in driver.ask("y", bad).failure.message
    assert everything(driver.machine, driver.now_us) == before


def test_a_settled_csn_that_never_was_settles_what_is_below_it() -> None:
    driver = fresh()
    driver.send("y", append("y", 3, "1.2", entries_of(["3.0"], "1.2"), settled=make_csn(2, 77)))
    assert driver.machine.settled_csn == c("1.2")
    driver.sync()
    driver.send("y", append("y", 3, "3.0", settled=make_csn(3, 77)))
    assert driver.machine.settled_csn == c("3.0")


def test_bounds_are_refusals_that_may_be_repeated() -> None:
    driver = fresh(subscribers_max=1, unsynced_bytes_max=100, memory_bytes_max=1, reads_max=1)
    driver.send("s", subscribe("1.3"))
    assert driver.ask("t", subscribe("1.3", corr=1)).failure.code == Failure.CODE_OVERLOADED
    assert driver.ask("s", subscribe("1.2", corr=1)).WhichOneof("reply") == "feed"
    assert len(driver.reads) == 1
    assert driver.ask("q", read_log("1.0")).failure.code == Failure.CODE_OVERLOADED
    driver.read()
    big = [entry(c("1.4"), c("1.3"), size=150)]
    driver.send("x", append("x", 1, "1.3", big))
    more = append("x", 1, "1.4", entries_of(["1.5"], "1.4"), heartbeat=9, corr=5)
    replies = driver.send("x", more)
    assert [reply.WhichOneof("reply") for _, reply in replies] == ["ack", "failure"]
    assert replies[0][1].ack.heartbeat == 9
    assert replies[1][1].failure.code == Failure.CODE_OVERLOADED
    driver.sync()
    driver.send("x", more)
    driver.sync()
    assert driver.machine.synced_csn == c("1.5")


def test_a_read_that_was_overtaken_by_a_cut_says_so() -> None:
    driver = fresh(memory_bytes_max=1)
    driver.send("q", read_log("1.1", corr=8))
    driver.send("y", append("y", 2, "1.2", entries_of(["2.0"], "1.2")))
    ((peer, reply),) = [one for one in driver.read() if one[0] == "q"]
    assert (peer, reply.correlation_id) == ("q", 8)
    assert reply.failure.code == Failure.CODE_UNAVAILABLE
    driver.sync()
    driver.send("q", read_log("1.1", corr=9))
    ((peer, reply),) = driver.read()
    assert [one.csn for one in reply.log_part.entries] == [c("1.2"), c("2.0")]


numbers = st.one_of(st.integers(0, 5), st.sampled_from([(1 << 24) - 1, 1 << 24, (1 << 32) - 1]))
csns = st.one_of(
    st.builds(lambda epoch, n: epoch << 40 | n, st.integers(0, 3), st.integers(0, 5)),
    st.integers(0, CSN_MAX),
)
times = st.one_of(st.integers(-2, 3), st.integers(-(1 << 63), (1 << 63) - 1))


@st.composite
def requests(draw: st.DrawFn) -> JournalRequest:
    request = JournalRequest(correlation_id=draw(st.integers(0, 3)))
    who = candidate(draw(st.sampled_from("xy")))
    if draw(st.integers(0, 9)) == 0:
        who.life = draw(st.binary(max_size=17))
    match draw(st.sampled_from(["append"] * 4 + ["promise", "subscribe", "applied", "read_log", "pre_vote", "snapshot"])):  # fmt: skip
        case "append":
            one = request.append
            one.epoch, one.previous_csn, one.settled_csn = draw(numbers), draw(csns), draw(csns)
            one.leader.CopyFrom(who)
            one.incarnation = ME
            one.lease_ttl_us = draw(st.sampled_from([TTL_US, 0, -5, 1 << 62]))
            one.heartbeat = draw(st.integers(0, 9))
            for _ in range(draw(st.integers(0, 2))):
                one.marks.add(incarnation=inc(draw(st.sampled_from("bw"))), synced_csn=draw(csns))
            last = one.previous_csn
            for _ in range(draw(st.integers(0, 3))):
                csn = draw(csns) if draw(st.booleans()) else min(last + 1, CSN_MAX)
                one.entries.append(entry(csn, last))
                last = csn
            if draw(st.booleans()):
                one.grant.reading_us, one.grant.duration_us = draw(times), draw(times)
                one.grant.life = inc("life")
            if draw(st.integers(0, 4)) == 0:
                one.base.csn, one.base.catalog_csn = draw(csns), draw(csns)
        case "promise":
            request.promise.epoch, request.promise.lease_ttl_us = draw(numbers), TTL_US
            request.promise.candidate.CopyFrom(who)
        case "pre_vote":
            request.pre_vote.epoch = draw(numbers)
            request.pre_vote.candidate.CopyFrom(who)
        case "subscribe":
            request.subscribe.after_csn = draw(csns)
        case "applied":
            request.applied.csn, request.applied.storage = draw(csns), "s-0"
        case "read_log":
            request.read_log.after_csn, request.read_log.to_csn = draw(csns), draw(csns)
            request.read_log.max_bytes = draw(st.sampled_from([0, 1, 1 << 31]))
        case "snapshot":
            request.snapshot.SetInParent()
    return request


@settings(max_examples=300, deadline=None)
@given(st.booleans(), st.lists(requests(), max_size=15))
def test_no_message_breaks_an_invariant(used: bool, todo: list[JournalRequest]) -> None:
    """Whatever comes: no exception, no second answer to one question, and a log that recovers."""
    options: dict[str, Any] = {"storages": ("s-0",), "memory_bytes_max": 100}
    driver = fresh(**options) if used else Driver(**options)
    for request in todo:
        replies = driver.send("p", request)
        asked = [one for _, one in replies if one.correlation_id]
        assert len(asked) <= 1
        if driver.machine.settled_csn:
            assert driver.machine.log.contains(driver.machine.settled_csn)
        driver.now_us += TTL_US // 3
        driver.sync()
        driver.read()
        driver.tick()
    driver.sync()
    tail, epoch = driver.machine.tail_csn, driver.machine.promised_epoch
    assert driver.machine.synced_csn == tail
    driver.start()
    assert (driver.machine.tail_csn, driver.machine.promised_epoch) == (tail, epoch)
