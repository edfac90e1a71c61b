"""Majorities, exhaustively for small lists."""

from __future__ import annotations

import itertools

import pytest

from trilithon.adjudicator.quorum import NEVER, Voters, newest_list, voters_of
from trilithon.v1 import types_pb2 as types

NAMES = [bytes([number]) for number in range(6)]


def subsets(names: list[bytes]) -> list[set[bytes]]:
    return [
        set(chosen)
        for size in range(len(names) + 1)
        for chosen in itertools.combinations(names, size)
    ]


@pytest.mark.parametrize("size", range(1, 6))
def test_any_two_majorities_of_one_list_meet(size: int) -> None:
    voters = Voters((tuple(NAMES[:size]),))
    majorities = [one for one in subsets(NAMES[:size]) if voters.satisfied_by(one)]
    assert majorities
    assert all(one & other for one in majorities for other in majorities)
    assert all(len(one) * 2 > size for one in majorities)


def test_every_majority_of_a_joint_list_meets_those_of_both_halves() -> None:
    old, new = tuple(NAMES[:3]), (NAMES[0], NAMES[1], NAMES[3])
    joint = Voters((old, new))
    everybody = subsets(NAMES[:4])
    majorities = [one for one in everybody if joint.satisfied_by(one)]
    for group in (old, new):
        alone = [one for one in everybody if Voters((group,)).satisfied_by(one)]
        assert all(one & other for one in majorities for other in alone)


@pytest.mark.parametrize("size", range(1, 5))
def test_reached_is_the_highest_value_that_a_majority_has(size: int) -> None:
    names = NAMES[:size]
    voters = Voters((tuple(names),))
    for values in itertools.product([NEVER, 1, 2, 3], repeat=size):
        table = {name: value for name, value in zip(names, values, strict=True) if value != NEVER}
        expected = max(
            [
                value
                for value in (1, 2, 3)
                if voters.satisfied_by({name for name in table if table[name] >= value})
            ],
            default=NEVER,
        )
        assert voters.reached(table) == expected


def test_reached_over_a_joint_list_is_the_lower_of_both() -> None:
    voters = Voters((tuple(NAMES[:3]), (NAMES[0], NAMES[3], NAMES[4])))
    assert voters.reached({NAMES[0]: 9, NAMES[1]: 8, NAMES[3]: 5}) == 5
    assert voters.reached({NAMES[0]: 9, NAMES[1]: 8}) == NEVER


def test_strangers_do_not_count() -> None:
    voters = Voters((tuple(NAMES[:3]),))
    assert not voters.satisfied_by({NAMES[0], NAMES[4], NAMES[5]})
    assert voters.reached({NAMES[0]: 1, NAMES[4]: 9, NAMES[5]: 9}) == NEVER


def test_nobody_is_no_majority() -> None:
    assert not Voters(()).satisfied_by(set(NAMES))
    assert Voters(()).reached({NAMES[0]: 1}) == NEVER
    assert voters_of(None) == Voters(())


def test_the_newest_list_counts() -> None:
    def entry(csn: int, *members: bytes, joint: tuple[bytes, ...] = ()) -> types.Entry:
        return types.Entry(
            csn=csn,
            members=types.MemberList(
                members=[types.Member(incarnation=one) for one in members],
                next=[types.Member(incarnation=one) for one in joint],
            ),
        )

    first = entry(1, b"a", b"b", b"c")
    change = entry(5, b"a", b"b", b"c", joint=(b"a", b"b", b"d"))
    closed = entry(6, b"a", b"b", b"d")
    assert voters_of(newest_list([first])).groups == ((b"a", b"b", b"c"),)
    assert len(voters_of(newest_list([change, first])).groups) == 2
    assert voters_of(newest_list([first, closed, change])).groups == ((b"a", b"b", b"d"),)
    assert newest_list([]) is None
