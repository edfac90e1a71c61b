"""One hand-over and its truth: conflicts, lost links, cancellation."""

import asyncio
import re

import pytest
from fake_cluster import FakeCluster, FakeNetwork
from hypothesis import given, settings
from hypothesis import strategies as st

from trilithon.core.errors import SqlError
from trilithon.core.ids import format_id
from trilithon.core.world import World
from trilithon.query.transaction.committer import Committer, CommitterSettings, Handover
from trilithon.query.transaction.transaction import Transaction, TransactionState
from trilithon.types.keys import key_prefix
from trilithon.types.rows import encode_row
from trilithon.v1.adjudicator_pb2 import CommitRequest, Verdict
from trilithon.v1.types_pb2 import MODE_EXCLUSIVE, MODE_KEY_SHARE, MODE_UPDATE

PREFIX = key_prefix(20000, 0)


async def writing(cluster: FakeCluster, number: int = 1) -> Transaction:
    transaction = await cluster.manager.begin()
    transaction.write(PREFIX + bytes([0x19, number]), MODE_UPDATE, encode_row([number]))
    return transaction


async def test_a_read_only_commit_costs_nothing() -> None:
    cluster = FakeCluster()
    for read_only in (True, False):
        transaction = await cluster.manager.begin(read_only=read_only, serializable=True)
        await transaction.get([PREFIX])
        result = await transaction.commit()
        assert result.csn == 0
    assert all(not link.requests for link in cluster.links.values())


async def test_a_commit_is_one_request() -> None:
    cluster = FakeCluster()
    transaction = await writing(cluster)
    result = await transaction.commit()
    assert result.csn == cluster.store.csn
    assert [len(link.requests) for link in cluster.links.values()] == [1, 0]
    assert not cluster.links["one"].requests[0].commit.resend


async def test_locks_alone_are_committed() -> None:
    cluster = FakeCluster()
    locker = await cluster.manager.begin()
    locker.lock(PREFIX + b"\x18", MODE_EXCLUSIVE)
    rival = await cluster.manager.begin()
    rival.lock(PREFIX + b"\x18", MODE_KEY_SHARE)
    assert (await locker.commit()).csn
    with pytest.raises(SqlError, match="40001"):
        await rival.commit()


async def test_first_committer_wins() -> None:
    cluster = FakeCluster()
    one, two = await writing(cluster), await writing(cluster)
    await two.commit()
    with pytest.raises(SqlError) as raised:
        await one.commit()
    assert raised.value.sqlstate == "40001"
    assert raised.value.message == "change conflicts with another transaction (OC000)"
    assert raised.value.detail
    assert one.state is TransactionState.ABORTED
    assert cluster.manager.conflicts == 1


async def test_lost_reply_is_asked_for_through_the_other_and_never_handed_over_again() -> None:
    cluster = FakeCluster()
    cluster.links["one"].plan = ["lose_reply"]
    transaction = await writing(cluster)
    result = await transaction.commit()
    assert result.csn == cluster.store.csn
    kinds = [item.WhichOneof("request") for item in cluster.links["two"].requests]
    assert kinds == ["transaction_status"]
    assert cluster.store.commits_judged == 1
    # The one that failed is not the first choice any more.
    await (await writing(cluster, 2)).commit()
    assert cluster.links["two"].requests[-1].WhichOneof("request") == "commit"


@pytest.mark.parametrize("how", ["lose_request", "hang", "not_judged"])
async def test_a_lost_request_is_settled_as_aborted(how: str) -> None:
    cluster = FakeCluster()
    cluster.links["one"].plan = [how]
    transaction = await writing(cluster)
    with pytest.raises(SqlError) as raised:
        await transaction.commit()
    assert raised.value.sqlstate == "40001"
    assert transaction.id in cluster.store.refused
    assert cluster.store.commits_judged == 0


async def test_only_one_adjudicator_is_asked_again_when_it_is_back() -> None:
    cluster = FakeCluster()
    one, two = cluster.links.values()
    two.up = False
    one.plan = ["lose_reply", "lose_reply", "unavailable", "overloaded"]
    transaction = await writing(cluster)
    result = await transaction.commit()
    assert result.csn
    assert cluster.store.commits_judged == 1


async def test_the_outcome_stays_unknown() -> None:
    cluster = FakeCluster()
    for link in cluster.links.values():
        link.plan = ["lose_reply"] * 1000
    transaction = await writing(cluster)
    with pytest.raises(SqlError) as raised:
        await transaction.commit()
    assert raised.value.sqlstate == "40003"
    assert format_id(transaction.id) in raised.value.detail
    assert "transaction_status" in raised.value.hint
    for link in cluster.links.values():
        link.plan = []
    verdict = await cluster.manager.transaction_status(transaction.id, transaction.snapshot_csn)
    assert verdict.outcome == Verdict.OUTCOME_COMMITTED
    assert cluster.store.commits_judged == 1


async def test_a_status_that_nobody_remembers_is_unknown() -> None:
    cluster = FakeCluster()
    cluster.links["one"].plan = ["lose_reply"]
    cluster.store.status = lambda _: Verdict(outcome=Verdict.OUTCOME_UNKNOWN)  # type: ignore[method-assign]
    with pytest.raises(SqlError, match="40003"):
        await (await writing(cluster)).commit()


async def test_a_commit_that_was_not_settled_in_time_is_asked_for() -> None:
    cluster = FakeCluster()
    cluster.links["one"].plan = ["too_slow"]
    result = await (await writing(cluster)).commit()
    assert result.csn == cluster.store.csn
    assert cluster.store.commits_judged == 1


async def test_nothing_was_sent_so_another_one_gets_it() -> None:
    cluster = FakeCluster()
    cluster.links["one"].plan = ["overloaded"]
    assert (await (await writing(cluster)).commit()).csn
    assert not cluster.links["two"].requests[0].commit.resend
    cluster.links["two"].up = False
    cluster.links["one"].plan = ["unavailable"]
    assert (await (await writing(cluster)).commit()).csn
    # Nothing was done the first time, so the second is no resend.
    assert [item.commit.resend for item in cluster.links["one"].requests] == [False, False]


async def test_nobody_to_be_reached() -> None:
    cluster = FakeCluster()
    for link in cluster.links.values():
        link.up = False
    transaction = await writing(cluster)
    with pytest.raises(SqlError, match="57P03"):
        await transaction.commit()
    assert cluster.store.commits_judged == 0


async def test_an_adjudicator_that_comes_up_in_time_is_used() -> None:
    cluster = FakeCluster()
    for link in cluster.links.values():
        link.up = False
    transaction = await writing(cluster)
    task = asyncio.create_task(transaction.commit())
    await asyncio.sleep(0.01)
    cluster.links["two"].up = True
    assert (await task).csn


@pytest.mark.parametrize(
    ("how", "state"), [("overloaded", "53000"), ("unavailable", "57P03"), ("internal", "58000")]
)
async def test_refusals_say_that_nothing_was_done(how: str, state: str) -> None:
    cluster = FakeCluster()
    for link in cluster.links.values():
        link.plan = [how] * 1000
    with pytest.raises(SqlError, match=state):
        await (await writing(cluster)).commit()
    assert cluster.store.commits_judged == 0


# ---- cancellation


async def test_cancelled_before_anything_was_sent() -> None:
    cluster = FakeCluster()
    for link in cluster.links.values():
        link.up = False
    transaction = await writing(cluster)
    task = asyncio.create_task(transaction.commit())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for link in cluster.links.values():
        link.up = True
    await asyncio.sleep(0.05)
    assert cluster.store.commits_judged == 0


async def test_cancelled_while_waiting_for_the_verdict() -> None:
    cluster = FakeCluster()
    gate = cluster.links["one"].gate = asyncio.Event()
    transaction = await writing(cluster)
    task = asyncio.create_task(transaction.commit())
    while not cluster.links["one"].requests:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(SqlError) as raised:
        await task
    assert raised.value.sqlstate == "40003"
    assert re.search(format_id(transaction.id), raised.value.detail)
    assert task.cancelling() == 0
    # The commit itself goes on, and its truth can be asked for.
    gate.set()
    cluster.links["one"].gate = None
    while not cluster.store.commits_judged:
        await asyncio.sleep(0)
    verdict = await cluster.manager.transaction_status(transaction.id, transaction.snapshot_csn)
    assert verdict.outcome == Verdict.OUTCOME_COMMITTED


async def test_cancelled_but_the_verdict_is_there() -> None:
    cluster = FakeCluster()
    gate = cluster.links["one"].gate = asyncio.Event()
    transaction = await writing(cluster)
    task = asyncio.create_task(transaction.commit())
    while not cluster.links["one"].requests:
        await asyncio.sleep(0)
    task.cancel()
    gate.set()
    assert (await task).csn == cluster.store.csn


async def test_hooks_run_in_their_place() -> None:
    cluster = FakeCluster()
    transaction = await writing(cluster)
    order: list[str] = []

    async def deferred() -> None:
        order.append("before")
        transaction.write(PREFIX + b"\x18", MODE_UPDATE, encode_row([0]))

    async def follow_up() -> None:
        order.append("after")

    transaction.before_commit.append(deferred)
    transaction.on_committed(lambda result: order.append(f"committed {result.csn > 0}"))
    transaction.follow_ups.append(follow_up)
    transaction.savepoint("s")
    transaction.on_committed(lambda _: order.append("never"))
    transaction.rollback_to("s")
    await transaction.commit()
    assert order == ["before", "committed True", "after"]
    assert len(cluster.store.visible(cluster.store.csn)) == 2


STEPS = st.sampled_from(
    ["ok", "lose_reply", "lose_request", "overloaded", "unavailable", "not_judged"]
)


@settings(max_examples=200, deadline=None)
@given(one=st.lists(STEPS, max_size=5), two=st.lists(STEPS, max_size=5), up=st.booleans())
def test_what_the_session_hears_is_true(one: list[str], two: list[str], up: bool) -> None:
    """Whatever breaks: at most one judgement, and never a wrong answer."""

    async def run() -> None:
        cluster = FakeCluster()
        cluster.links["one"].plan = list(one)
        cluster.links["two"].plan = list(two)
        cluster.links["two"].up = up
        transaction = await writing(cluster)
        try:
            result = await transaction.commit()
        except SqlError as error:
            assert error.sqlstate in ("40001", "40003", "53000", "57P03")
            if error.sqlstate != "40003":
                assert not cluster.store.visible(cluster.store.csn)
                # Nor can it ever happen: a straggler of this id is refused, or none was left.
        else:
            assert result.csn
            assert len(cluster.store.visible(cluster.store.csn)) == 1
        assert cluster.store.commits_judged <= 1

    asyncio.run(run())


async def test_an_adjudicator_that_stands_still_is_not_waited_for() -> None:
    """Its link has not broken yet: another one is asked what became of the commit."""
    cluster = FakeCluster()
    settings = CommitterSettings(verdict_timeout=60.0, retry_delay=0.001)
    world = World(cluster.clock, cluster.random, FakeNetwork(cluster.links))  # type: ignore[arg-type]
    committer = Committer(world, ["one", "two"], settings)
    cluster.links["one"].plan = ["hang"]
    request = CommitRequest(transaction_id=b"t" * 16, snapshot_csn=cluster.store.csn)
    committing = asyncio.create_task(committer.commit(Handover(request)))
    while not cluster.links["one"].requests:
        await asyncio.sleep(0)
    cluster.links["one"].quiet = True
    verdict = await committing
    assert verdict.outcome == Verdict.OUTCOME_ABORTED, "asked about, it can never commit any more"
    assert [one.WhichOneof("request") for one in cluster.links["two"].requests] == [
        "transaction_status"
    ]
    # The next commit does not go there while it is quiet.
    assert committer.preferred_address == "two"
    cluster.links["two"].up = False
    assert committer.preferred_address == "one", "better than nobody"
    await committer.close()
