"""The conflict window against a model that remembers everything, and its bounds."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilithon.adjudicator.window import BLIND, EXCLUSIVE, KEY_SHARE, UPDATE, Bounds, Window
from trilithon.core.invariant import InvariantViolation
from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import types_pb2 as types

WIDE = Bounds(1 << 60, 1 << 30, 1 << 30, 1 << 40)
KEYS = [b"a", b"ab", b"b", b"c", b"ca"]

# (claim, newer entry's claim): the table of DESIGN.md, Commit 3. "read" is a read check.
CONFLICTS = {
    (EXCLUSIVE, EXCLUSIVE), (EXCLUSIVE, UPDATE), (EXCLUSIVE, KEY_SHARE),
    (UPDATE, EXCLUSIVE), (UPDATE, UPDATE),
    (KEY_SHARE, EXCLUSIVE),
}  # fmt: skip


def write_set(writes: list[tuple[bytes, int]], locks: list[tuple[bytes, int]]) -> types.WriteSet:
    built = types.WriteSet()
    for key, mode in writes:
        built.writes.add(key=key, mode=mode, value=b"v")
    for key, mode in locks:
        built.locks.add(key=key, mode=mode)
    return built


def entry(csn: int, content: types.WriteSet) -> types.Entry:
    return types.Entry(
        csn=csn, transaction_id=csn.to_bytes(16, "big"), write_set=content.SerializeToString()
    )


@dataclass
class Model:
    """(csn, key, mode, is a write) of everything above the start."""

    claims: list[tuple[int, bytes, int, bool]]

    def conflicts(
        self,
        snapshot: int,
        content: types.WriteSet,
        keys: list[bytes],
        ranges: list[tuple[bytes, bytes]],
    ) -> bool:
        wanted = [(one.key, one.mode) for one in (*content.writes, *content.locks)]
        for csn, key, mode, write in self.claims:
            if csn <= snapshot:
                continue
            if any(key == mine and (how, mode) in CONFLICTS for mine, how in wanted):
                return True
            if write and (key in keys or any(a <= key and (not b or key < b) for a, b in ranges)):
                return True
        return False


writes = st.lists(
    st.tuples(st.sampled_from(KEYS), st.sampled_from([EXCLUSIVE, UPDATE, BLIND])), max_size=3
)
locks = st.lists(
    st.tuples(st.sampled_from(KEYS), st.sampled_from([EXCLUSIVE, UPDATE, KEY_SHARE])), max_size=2
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("apply"), writes, locks),
        st.tuples(st.just("settle"), st.integers(0, 3)),
        st.tuples(st.just("cut"), st.integers(0, 3)),
        st.tuples(st.just("shrink"), st.integers(1, 6)),
    ),
    max_size=25,
)
ranges = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from([*KEYS, b""])), max_size=2)


@given(steps, writes, locks, st.lists(st.sampled_from(KEYS), max_size=2), ranges, st.data())
def test_the_window_judges_as_one_that_remembers_everything(
    steps: list, writes: list, locks: list, keys: list, ranges: list, data: st.DataObject
) -> None:
    window = Window(WIDE)
    log: list[tuple[int, types.WriteSet]] = []
    settled = 0
    next_csn = 1
    for step in steps:
        if step[0] == "apply":
            content = write_set(step[1], step[2])
            window.apply(entry(next_csn, content), now_us=next_csn)
            log.append((next_csn, content))
            next_csn += 1
        elif step[0] == "settle" and log:
            settled = max(settled, log[max(0, len(log) - 1 - step[1])][0])
            window.settle(settled)
        elif step[0] == "cut":
            tail = log[-1][0] if log else 0
            to = max(settled, tail - step[1])
            window.cut_to(to)
            log = [one for one in log if one[0] <= to]
            # A csn is never used again.
            next_csn += 1
        elif step[0] == "shrink":
            window._bounds = Bounds(1 << 60, step[1], 1 << 30, 1 << 40)
            window.shrink(next_csn)
    live = [one for one in log if one[0] > window.start_csn]
    assert window.entry_count == len(live)
    assert window.start_csn <= settled
    claims = [
        (csn, one.key, one.mode, isinstance(one, types.Write))
        for csn, content in live
        for one in (*content.writes, *content.locks)
    ]
    assert window.key_count == len({claim[1] for claim in claims})
    for csn, _ in log:
        known = window.known(csn.to_bytes(16, "big"))
        assert (known is not None) == (csn > window.start_csn)
    snapshot = data.draw(st.integers(window.start_csn, next_csn))
    checks = [adjudicator.ReadCheck(key=key) for key in keys]
    checks += [
        adjudicator.ReadCheck(range=types.KeyRange(start=start, end=end)) for start, end in ranges
    ]
    wanted = write_set(writes, locks)
    found = window.conflict(snapshot, wanted, checks)
    assert (found is not None) == Model(claims).conflicts(snapshot, wanted, keys, ranges)
    if found is not None:
        assert found.csn > snapshot
        assert found.csn in {claim[0] for claim in claims}


def test_the_catalog_flag_of_a_read_check_comes_back() -> None:
    window = Window(WIDE)
    window.apply(entry(5, write_set([(b"a", UPDATE)], [])), 0)
    check = adjudicator.ReadCheck(key=b"a", catalog=True)
    found = window.conflict(4, types.WriteSet(), [check])
    assert found is not None
    assert (found.catalog, found.key, found.csn) == (True, b"a", 5)
    assert window.conflict(5, types.WriteSet(), [check]) is None


@pytest.mark.parametrize("ahead", [1, 200])
def test_a_range_is_checked_from_either_side(ahead: int) -> None:
    """Few writes since the snapshot, or few keys in the range: the same answer."""
    window = Window(WIDE)
    for csn in range(1, 101):
        window.apply(entry(csn, write_set([(b"k%03d" % csn, EXCLUSIVE)], [])), 0)
    check = adjudicator.ReadCheck(range=types.KeyRange(start=b"k050", end=b"k052"))
    assert window.conflict(50, types.WriteSet(), [check]) is not None
    assert window.conflict(51, types.WriteSet(), [check]) is None
    for csn in range(101, 101 + ahead):
        window.apply(entry(csn, write_set([(b"x%03d" % csn, EXCLUSIVE)], [])), 0)
    assert window.conflict(50, types.WriteSet(), [check]) is not None
    assert window.conflict(51, types.WriteSet(), [check]) is None


def test_each_bound_moves_the_start_but_never_beyond_what_is_settled() -> None:
    for bounds in (
        Bounds(10, 1 << 30, 1 << 30, 1 << 40),
        Bounds(1 << 60, 3, 1 << 30, 1 << 40),
        Bounds(1 << 60, 1 << 30, 3, 1 << 40),
        Bounds(1 << 60, 1 << 30, 1 << 30, 12),
    ):
        window = Window(bounds)
        for csn in range(1, 11):
            window.apply(entry(csn, write_set([(b"k%03d" % csn, EXCLUSIVE)], [])), csn)
        window.shrink(100)
        assert window.start_csn == 0
        window.settle(5)
        window.shrink(100)
        assert window.start_csn == 5
        window.settle(10)
        window.shrink(17)
        assert window.start_csn in (6, 7)
        assert not window.covers(window.start_csn - 1)
        assert window.covers(window.start_csn)


def test_a_refused_id_is_known_and_cutting_forgets_it() -> None:
    window = Window(WIDE)
    refusal = types.Entry(csn=3, refusal=types.Refusal(transaction_id=b"t" * 16))
    window.apply(refusal, 0)
    known = window.known(b"t" * 16)
    assert known is not None
    assert known.refused
    assert known.csn == 3
    window.cut_to(2)
    assert window.known(b"t" * 16) is None


def test_an_id_commits_once_and_settled_entries_stay() -> None:
    window = Window(WIDE)
    window.apply(entry(1, write_set([(b"a", UPDATE)], [])), 0)
    again = entry(1, write_set([(b"a", UPDATE)], []))
    again.csn = 2
    with pytest.raises(InvariantViolation):
        window.apply(again, 0)
    window.settle(1)
    with pytest.raises(InvariantViolation):
        window.cut_to(0)
