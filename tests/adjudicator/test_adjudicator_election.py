"""When a candidate asks again: a journal that is gone for good must not hold an election up."""

from __future__ import annotations

import random

import pytest

from trilithon.adjudicator.election import FOLLOWER, PRE_CANDIDATE, Election
from trilithon.adjudicator.outbox import Outbox
from trilithon.adjudicator.settings import AdjudicatorTarget, JournalTarget, Settings
from trilithon.v1 import journal_pb2 as journal

TTL_US = 1_500_000
# How far the random wait before asking may reach.
JITTER_US = int(0.15 * TTL_US)
NOW_US = 10 * TTL_US


def asking() -> Election:
    settings = Settings(
        name="b/adjudicator-0",
        region="b",
        address="b",
        journals=tuple(JournalTarget(f"{one}/journal-0", one, one != "w") for one in "abw"),
        adjudicators=(AdjudicatorTarget("b/adjudicator-0", "b", "b"),),
        lease_ttl_us=TTL_US,
    )
    election = Election(settings, journal.Candidate(), random.Random(1), 0)
    election.tick(NOW_US, Outbox())
    assert election.state == PRE_CANDIDATE
    return election


def answer(
    election: Election, region: str, left_us: int, now_us: int, granted: bool = False
) -> None:
    reply = journal.PreVoteReply(
        granted=granted, time_left_us=left_us, incarnation=region.encode() * 16
    )
    election.pre_vote_reply(f"{region}/journal-0", reply, now_us, Outbox())


def asks_again_at(election: Election, after_us: int) -> int:
    """When it asks every journal anew."""
    for now_us in range(after_us, after_us + 2 * TTL_US, 5_000):
        out = Outbox()
        election.tick(now_us, out)
        if out.journals:
            return now_us
    raise AssertionError("it never asked again")


@pytest.mark.parametrize("left_us", [100_000, 300_000, 700_000])
def test_two_refusals_of_three_end_the_question(left_us: int) -> None:
    """a's journal is gone. It is not waited for, and the wait counts from the refusals."""
    election = asking()
    answer(election, "b", left_us, NOW_US + 1_000)
    answer(election, "w", left_us - 50_000, NOW_US + 1_000)
    assert election.state == FOLLOWER
    again = asks_again_at(election, NOW_US + 1_000)
    assert NOW_US + left_us <= again <= NOW_US + left_us + JITTER_US + 10_000


def test_a_grant_and_a_refusal_wait_for_the_third_only_until_the_refusal_is_over() -> None:
    election = asking()
    answer(election, "b", 200_000, NOW_US + 1_000)
    answer(election, "w", 0, NOW_US + 1_000, granted=True)
    assert election.state == PRE_CANDIDATE, "a's grant would make a majority"
    again = asks_again_at(election, NOW_US + 1_000)
    assert NOW_US + 200_000 <= again <= NOW_US + 200_000 + JITTER_US + 10_000


def test_one_answer_alone_is_no_reason_to_hurry() -> None:
    election = asking()
    answer(election, "b", 50_000, NOW_US + 1_000)
    again = asks_again_at(election, NOW_US + 1_000)
    assert again >= NOW_US + TTL_US // 3
