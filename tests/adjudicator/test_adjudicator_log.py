"""The tail of the log in memory, and what two logs have in common."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilithon.adjudicator.log import LogTail, Span, common_csn, entries_back
from trilithon.core.csn import epoch_of, make_csn
from trilithon.core.invariant import InvariantViolation
from trilithon.v1 import types_pb2 as types


def build(shape: list[int]) -> list[types.Entry]:
    """Entries of epochs 1, 2, ...: so many each (0: the epoch left nothing)."""
    entries: list[types.Entry] = []
    previous = 0
    for epoch, count in enumerate(shape, start=1):
        for sequence in range(count):
            csn = make_csn(epoch, sequence)
            entries.append(types.Entry(csn=csn, previous_csn=previous, write_set=b"x" * 10))
            previous = csn
    return entries


def tail_of(entries: list[types.Entry]) -> LogTail:
    log = LogTail()
    for entry in entries:
        log.append(entry)
    return log


shapes = st.lists(st.integers(0, 4), max_size=4)


@given(shapes, st.data())
def test_trimming_keeps_the_spans_and_cutting_keeps_the_rest(
    shape: list[int], data: st.DataObject
) -> None:
    entries = build(shape)
    log = tail_of(entries)
    csns = [0] + [entry.csn for entry in entries]
    base = data.draw(st.sampled_from(csns))
    log.trim_to(base)
    assert log.base_csn == base
    assert [log.contains(csn) for csn in csns] == [csn >= base for csn in csns]
    covered = [csn for csn in csns if any(s.first_csn <= csn <= s.last_csn for s in log.spans())]
    assert covered == csns
    assert len({span.epoch for span in log.spans()}) == len(log.spans())
    cut = data.draw(st.sampled_from([csn for csn in csns if csn >= base]))
    dropped = log.cut_to(cut)
    assert [entry.csn for entry in dropped] == [csn for csn in csns if csn > cut]
    assert log.tail_csn == cut
    assert log.bytes == sum(entry.ByteSize() for entry in entries if base < entry.csn <= cut)


@given(shapes, shapes, st.integers(0, 6), st.data())
def test_the_newest_common_csn_follows_from_the_spans(
    common: list[int], other: list[int], keep: int, data: st.DataObject
) -> None:
    """Two logs share a prefix; then one goes on in other epochs than the other."""
    first = build(common)
    second = first[: max(0, len(first) - keep)]
    epoch = len(common) + 1
    for count in other:
        for sequence in range(count):
            previous = second[-1].csn if second else 0
            second.append(types.Entry(csn=make_csn(epoch, sequence), previous_csn=previous))
        epoch += 1
    mine, theirs = tail_of(first), tail_of(second)
    shared = {0} | {entry.csn for entry in first} & {entry.csn for entry in second}
    assert common_csn(mine.spans(), theirs.spans()) == max(shared)
    mine.trim_to(data.draw(st.sampled_from(sorted(shared))))
    assert common_csn(mine.spans(), theirs.spans()) == max(shared)


@given(shapes, st.integers(0, 12))
def test_entries_back_counts_from_the_tail(shape: list[int], count: int) -> None:
    entries = build(shape)
    log = tail_of(entries)
    csns = [0] + [entry.csn for entry in entries]
    spans = [Span(span.epoch, span.first_csn, span.last_csn) for span in log.spans()]
    start = entries_back(spans, 0, count)
    assert start in csns
    behind = len([csn for csn in csns if csn > start])
    # At the start of an epoch it may go back a little less far, never further than asked twice.
    assert behind >= min(count, len(entries)) or start == 0
    assert epoch_of(start) <= epoch_of(csns[-1])


def test_chunks_hold_at_least_one_entry() -> None:
    log = tail_of(build([5]))
    assert [entry.csn for entry in log.chunk(0, 1, 100)] == [make_csn(1, 0)]
    assert len(log.chunk(0, 10_000, 3)) == 3
    assert log.chunk(log.tail_csn, 10_000, 3) == []


def test_only_what_follows_is_appended() -> None:
    log = tail_of(build([2]))
    wrong = [
        types.Entry(csn=make_csn(1, 2), previous_csn=make_csn(1, 0)),
        types.Entry(csn=make_csn(1, 3), previous_csn=make_csn(1, 1)),
        types.Entry(csn=make_csn(1, 1), previous_csn=make_csn(1, 1)),
        types.Entry(csn=make_csn(2, 1), previous_csn=make_csn(1, 1)),
    ]
    for entry in wrong:
        with pytest.raises(InvariantViolation):
            log.append(entry)


def test_excess_says_where_to_trim() -> None:
    log = tail_of(build([10]))
    size = log.bytes // 10
    log.trim_to(log.excess_csn(3 * size + 5))
    assert len(log) in (2, 3)
    assert log.excess_csn(1 << 20) == log.base_csn
