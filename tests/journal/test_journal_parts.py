"""The parts of the machine, each against something simpler: log, member lists, window, writes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_support import c, entry, inc, members

from trilithon.core.csn import make_csn
from trilithon.core.invariant import InvariantViolation
from trilithon.journal.log import Log, follows
from trilithon.journal.operations import DurableState, RecoveredState, spans_of
from trilithon.journal.quorum import Members, majority_csn, quorum_csn
from trilithon.journal.trimming import Applied, Window
from trilithon.journal.votes import Votes
from trilithon.journal.writes import Late, Writes
from trilithon.v1.types_pb2 import Entry

lengths = st.lists(st.integers(1, 6), min_size=1, max_size=5)


def chain(lengths: list[int], first_epoch: int = 1) -> list[Entry]:
    made: list[Entry] = []
    for index, length in enumerate(lengths):
        for number in range(length):
            previous = made[-1].csn if made else 0
            csn = make_csn(first_epoch + 2 * index, number)
            made.append(entry(csn, previous, catalog=number == 2))
    return made


def test_follows() -> None:
    assert follows(0, c("1.0"))
    assert follows(0, c("7.0"))
    assert follows(c("1.5"), c("1.6"))
    assert follows(c("1.5"), c("2.0"))
    assert follows(c("1.5"), c("9.0"))
    for previous, csn in [
        ("-", "1.1"),
        ("1.5", "1.5"),
        ("1.5", "1.7"),
        ("1.5", "1.4"),
        ("1.5", "1.0"),
        ("2.0", "1.0"),
        ("1.5", "2.1"),
        ("1.5", "2.6"),
    ]:
        assert not follows(c(previous), c(csn)), (previous, csn)
    assert not follows(0, 1)
    # The last sequence of an epoch is not followed by the next epoch's first entry by counting.
    assert follows((2 << 40) - 1, 2 << 40)


@settings(max_examples=100, deadline=None)
@given(lengths, st.data())
def test_the_log_answers_as_a_list_would(lengths: list[int], data: st.DataObject) -> None:
    entries = chain(lengths)
    log = Log(RecoveredState(inc("a")))
    held: list[int] = [0]
    todo = list(entries)
    catalog: list[int] = []
    while todo:
        count = data.draw(st.integers(1, len(todo)))
        log.extend(todo[:count])
        held += [one.csn for one in todo[:count]]
        todo = todo[count:]
        if data.draw(st.booleans()):
            base = data.draw(st.sampled_from(held))
            catalog = [one for one in catalog if one <= base]
            log.trim(base)
            held = [one for one in held if one >= base]
        log.recent.shrink(data.draw(st.integers(0, 300)), data.draw(st.sampled_from(held)))
        if data.draw(st.booleans()) and len(held) > 1:
            to = data.draw(st.sampled_from(held))
            log.cut(to)
            held = [one for one in held if one <= to]
            todo = [one for one in entries if one.csn > to]
        assert_answers(log, held, entries)


def assert_answers(log: Log, held: list[int], entries: list[Entry]) -> None:
    csns = [0, *(one.csn for one in entries)]
    probes = {probe for one in csns for probe in (one - 1, one, one + 1) if probe >= 0}
    assert log.base_csn == held[0]
    assert log.tail_csn == held[-1]
    assert {one for one in probes if log.contains(one)} == set(held)
    assert list(log.spans) == list(spans_of(held[1:]))
    for one in probes:
        if one >= held[0]:
            assert log.floor(one) == max(mine for mine in held if mine <= one)
            changed = [e.csn for e in entries if e.catalog and e.csn <= one and e.csn <= held[-1]]
            assert log.catalog_at(one) == (changed[-1] if changed else 0)
    for one, following in pairwise(held):
        assert log.next_csn(one) == following
    assert log.next_csn(held[-1]) is None
    for index in range(len(held)):
        for count in (0, 1, 3, 100):
            for to in (held[index], held[-1]):
                reached = held[min(index + count, held.index(to))]
                assert log.step(held[index], count, to) == reached
    by_csn = {one.csn: one for one in entries}
    for index, after in enumerate(held):
        found = log.recent.after(after, held[-1], 1 << 30)
        if after < log.recent.floor:
            assert found is None
        else:
            assert found == [by_csn[one] for one in held[index + 1 :]]


def test_a_log_starts_only_where_it_may() -> None:
    log = Log(RecoveredState(inc("a")))
    log.start_at(c("3.7"), c("3.1"))
    assert (log.tail_csn, log.catalog_at(c("3.7"))) == (c("3.7"), c("3.1"))
    with pytest.raises(InvariantViolation):
        log.start_at(c("4.0"), 0)
    with pytest.raises(InvariantViolation):
        log.extend([entry(c("3.9"), c("3.8"))])
    with pytest.raises(InvariantViolation):
        log.cut(c("3.6"))
    log.extend([entry(c("3.8"), c("3.7"))])
    assert list(log.spans) == list(spans_of([c("3.8")]))


groups = st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=7, unique=True)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(groups, min_size=1, max_size=3),
    st.dictionaries(st.sampled_from("abcdefg"), st.integers(0, 9), max_size=7),
)
def test_a_quorum_is_a_majority_of_every_list(
    lists: list[list[str]], reached: dict[str, int]
) -> None:
    marks = {inc(who): csn for who, csn in reached.items()}
    found = [tuple(inc(who) for who in group) for group in lists]
    expected = 0
    for csn in range(1, 10):
        if all(2 * sum(marks.get(who, 0) >= csn for who in group) > len(group) for group in found):
            expected = csn
    assert quorum_csn(found, marks) == expected
    assert quorum_csn(found, marks) == min(majority_csn(group, marks) for group in found)


def test_no_list_is_no_quorum() -> None:
    assert quorum_csn([], {inc("a"): 9}) == 0


def test_which_member_lists_are_in_force() -> None:
    first = entry(c("1.0"), 0, lists=members("abw"))
    joint = entry(c("1.5"), c("1.4"), lists=members("abw", "adw"))
    closing = entry(c("1.9"), c("1.8"), lists=members("adw"))
    lists = Members([first])

    def letters(settled: str) -> set[str]:
        return {"".join(chr(who[0]) for who in group) for group in lists.groups(c(settled))}

    assert letters("-") == {"abw"}
    lists.add(joint)
    assert letters("-") == {"abw", "adw"}
    assert letters("1.4") == {"abw", "adw"}
    lists.add(closing)
    assert letters("1.8") == {"abw", "adw"}
    assert letters("1.9") == {"adw"}
    assert lists.in_force(c("1.9")) == [closing]
    assert lists.in_force(c("1.6")) == [joint, closing]
    lists.cut(c("1.8"))
    assert letters("1.8") == {"abw", "adw"}
    lists.cut(c("1.4"))
    assert letters("1.4") == {"abw"}
    lists.add(joint)
    lists.add(closing)
    assert lists.base_entries(c("1.7")) == [joint]
    lists.trim(c("1.7"))
    assert lists.in_force(c("1.7")) == [joint, closing]
    assert letters("1.9") == {"adw"}
    assert lists.newest == members("adw")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3)), max_size=200))
def test_the_window_never_says_too_much(steps: list[tuple[int, int]]) -> None:
    window = Window(1_000)
    now = settled = 0
    history: list[tuple[int, int]] = []
    for waited, grown in steps:
        now += waited
        settled += grown
        history.append((now, settled))
        window.sample(now, settled)
        old = window.old_csn(now)
        surely = [csn for at, csn in history if at <= now - 1_000]
        assert old <= (surely[-1] if surely else 0)
        assert len(window._samples) <= 70
    window.sample(now + 1_000, settled)
    assert window.old_csn(now + 2_100) == settled


def test_applied_knows_only_its_own_and_forgets_nobody() -> None:
    assert Applied(()).by_all() is None
    two = Applied(("s-0", "s-1"))
    assert two.by_all() == 0
    two.hear("s-0", 9)
    assert two.by_all() == 0
    two.hear("s-1", 7)
    assert two.by_all() == 7
    # It starts again, from older data.
    two.needs_after("s-1", 3)
    assert two.by_all() == 3
    two.needs_after("elsewhere", 1)
    assert two.by_all() == 3


def test_time_left_counts_from_the_start_and_from_what_was_heard() -> None:
    never = Votes(0, None, 0, 100, now_us=1_000)
    assert never.time_left_us(1_000) == 0
    votes = Votes(3, None, 0, 100, now_us=1_000)
    assert [votes.time_left_us(at) for at in (1_000, 1_099, 1_100)] == [100, 1, 0]
    votes.hear(1, 1_050)
    assert votes.time_left_us(1_149) == 1
    # Repeated and overtaken heartbeats prove nothing new.
    votes.hear(1, 1_140)
    votes.hear(0, 1_140)
    assert votes.time_left_us(1_149) == 1
    votes.ttl_us = 500
    assert votes.time_left_us(1_149) == 401
    # The largest counts: this process's own, too.
    assert Votes(3, None, 50, 100, now_us=0).restriction_us == 100


def late(peer: str, corr: int = 0) -> Late:
    return Late(peer, corr, 1, b"", False)


def test_late_replies_wait_for_everything_before_them() -> None:
    from trilithon.journal.operations import SetSettled

    writes = Writes()
    writes.wait(late("p"))
    assert writes.close(0) == ([], 0, [late("p")]), "nothing is under way: at once"
    writes.add(SetSettled(1), 10)
    writes.wait(late("p"))
    writes.wait(late("p"))
    assert writes.close(1)[1] == 1
    writes.wait(late("q"))
    assert writes.close(1) == ([], 0, ())
    writes.add(SetSettled(2), 5)
    writes.wait(late("r"))
    assert writes.close(2)[1] == 2
    assert writes.unsynced_bytes == 15
    assert writes.synced(1) == (1, [late("p"), late("q")])
    assert writes.unsynced_bytes == 5
    assert writes.synced(2) == (2, [late("r")])
    assert writes.synced(2) == (None, [])
    with pytest.raises(InvariantViolation):
        writes.synced(1)
    with pytest.raises(InvariantViolation):
        writes.synced(3)


def test_a_cut_takes_down_what_is_under_way() -> None:
    from trilithon.journal.operations import SetSettled

    writes = Writes()
    for tail in (10, 20):
        writes.add(SetSettled(tail))
        writes.close(tail)
    writes.cut(15)
    writes.add(SetSettled(30))
    writes.close(16)
    assert writes.synced(1)[0] == 10
    assert writes.synced(2)[0] == 15
    assert writes.synced(3)[0] == 16


def test_the_model_of_the_disk_recovers_what_it_was_told() -> None:
    from trilithon.journal.operations import AppendEntries, Cut

    disk = DurableState(inc("a"))
    disk.apply([AppendEntries(chain([3, 2])), Cut(c("1.2")), AppendEntries(chain([3, 2, 2])[5:])])
    state = disk.recover(1)
    assert [span.epoch for span in state.spans] == [1, 5]
    assert [one.csn for one in state.recent] == [c("5.1")]
    assert disk.recover(0).recent == ()
