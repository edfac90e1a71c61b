"""A leader's own word that it has resigned is the one thing that makes a journal promise before silence does."""

from __future__ import annotations

import pytest
from journal_support import TTL_US, Driver, append, candidate, entries_of, grant, inc

from trilithon.v1.journal_pb2 import JournalReply, JournalRequest, PreVote, Promise, Resignation


def resigned(epoch: int = 3, leader: str = "x", successor: str = "y") -> Resignation:
    return Resignation(
        epoch=epoch, life=candidate(leader).life, successor=candidate(successor).life
    )


def ask(driver: Driver, who: str, epoch: int, resignation: Resignation) -> JournalReply:
    """A promise; what is synced by then is answered."""
    wanted = Promise(
        epoch=epoch, candidate=candidate(who), lease_ttl_us=TTL_US, resignation=resignation
    )
    replies = driver.send(who, JournalRequest(correlation_id=7, promise=wanted))
    while driver.unsynced:
        replies += driver.sync()
    return next(reply for _, reply in replies if reply.correlation_id == 7)


def led() -> Driver:
    """x leads epoch 3 here, was heard just now, and this journal has a lease."""
    driver = Driver()
    driver.send("x", append("x", 3, "-", entries_of(["3.0"]), heartbeat=1))
    while driver.unsynced:
        driver.sync()
    driver.now_us += 1_000
    driver.send("x", append("x", 3, "3.0", heartbeat=2, grant=grant(driver.now_us)))
    assert driver.machine.snapshot_csn(driver.now_us) is not None
    return driver


def test_the_successor_gets_the_promise_at_once_and_the_old_lease_ends() -> None:
    driver = led()
    reply = ask(driver, "y", 5, resigned())
    assert reply.promised.epoch == 5
    assert driver.machine.snapshot_csn(driver.now_us) is None
    # What the old leader still has to say comes too late.
    ((_, late),) = driver.send(
        "x", append("x", 3, "3.0", heartbeat=3, grant=grant(driver.now_us), corr=1)
    )
    assert late.refused.promised_epoch == 5
    assert driver.machine.snapshot_csn(driver.now_us) is None


def test_a_pre_vote_honours_it_too() -> None:
    driver = led()
    for resignation, granted in ((resigned(), True), (Resignation(), False)):
        wanted = PreVote(epoch=5, candidate=candidate("y"), resignation=resignation)
        ((_, reply),) = driver.send("y", JournalRequest(correlation_id=7, pre_vote=wanted))
        assert reply.pre_vote.granted is granted


@pytest.mark.parametrize(
    "resignation",
    [
        resigned(epoch=2),
        resigned(epoch=4),
        resigned(leader="x'"),
        resigned(leader="y"),
        resigned(successor="z"),
        resigned(successor="y'"),
        Resignation(epoch=3, successor=candidate("y").life),
        Resignation(epoch=3, life=inc("?"), successor=inc("?")),
        Resignation(),
    ],
)
def test_any_other_resignation_is_worth_nothing(resignation: Resignation) -> None:
    driver = led()
    reply = ask(driver, "y", 5, resignation)
    assert reply.refused.time_left_us > 0
    assert driver.machine.snapshot_csn(driver.now_us) is not None


def test_it_is_worth_nothing_once_another_leader_is_followed() -> None:
    driver = led()
    assert ask(driver, "y", 5, resigned()).promised.epoch == 5
    driver.send("y", append("y", 5, "3.0", entries_of(["5.0"], "3.0"), heartbeat=1))
    reply = ask(driver, "z", 8, resigned(successor="z"))
    assert reply.refused.time_left_us > 0


def test_it_does_not_bring_back_a_lower_epoch() -> None:
    driver = led()
    assert ask(driver, "y", 3, resigned()).refused.promised_epoch == 3
    assert ask(driver, "y", 2, resigned()).refused.promised_epoch == 3


def test_it_counts_after_a_restart_too() -> None:
    """A journal that restarted waits for lease_ttl, but not for one that has resigned."""
    driver = led()
    driver.start(life=inc("second"))
    assert ask(driver, "y", 5, Resignation()).refused.time_left_us > 0
    assert ask(driver, "y", 5, resigned()).promised.epoch == 5
