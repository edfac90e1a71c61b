"""The SDK against scripted query processors: failover, retries, outcomes that must not be guessed."""

from __future__ import annotations

import asyncio

import pytest
from fake_server import FakeEndpoint, FakeNetwork, done, failed

from trilithon.client import (
    AsyncClient,
    AsyncTransaction,
    CheckViolation,
    ConnectionLost,
    Outcome,
    RetryPolicy,
    SerializationFailure,
    UsageError,
    connect_async,
)
from trilithon.core.errors import Unavailable
from trilithon.v1 import sql_pb2

QUICK = RetryPolicy(attempts_max=3, deadline_s=5.0, wait_first_s=0.0001, wait_max_s=0.001)


class World:
    def __init__(self) -> None:
        self.a, self.b = FakeEndpoint("a"), FakeEndpoint("b")
        self.network = FakeNetwork({"a:1": self.a, "b:1": self.b})

    def connect(self) -> AsyncClient:
        return connect_async("a:1, b:1", network=self.network, connect_timeout_s=0.2)


@pytest.fixture
def world() -> World:
    return World()


async def change(transaction: AsyncTransaction) -> str:
    await transaction.execute("UPDATE t")
    return "changed"


async def test_the_first_endpoint_that_is_up_serves_and_the_own_region_is_returned_to(
    world: World,
) -> None:
    async with world.connect() as db:
        await db.execute("SELECT 1")
        world.a.cut()
        await db.execute("SELECT 2")
        world.a.heal()
        await db.execute("SELECT 3")
    assert (world.a.seen, world.b.seen) == (["SELECT 1", "SELECT 3"], ["SELECT 2"])


async def test_no_endpoint_is_an_error_that_names_them(world: World) -> None:
    world.a.cut()
    world.b.cut()
    async with world.connect() as db:
        with pytest.raises(ConnectionLost, match="a:1, b:1"):
            await db.execute("SELECT 1")


async def test_a_conflict_runs_the_whole_transaction_again(world: World) -> None:
    answers = iter([failed("40001", "change conflicts with another transaction (OC000)")])
    world.a.script["COMMIT"] = lambda _: next(answers, done("COMMIT"))
    async with world.connect() as db:
        assert await db.run_transaction(change, policy=QUICK) == "changed"
    assert world.a.seen.count("UPDATE t") == 2


async def test_conflicts_end_with_the_policy(world: World) -> None:
    world.a.script["COMMIT"] = lambda _: failed("40001")
    async with world.connect() as db:
        with pytest.raises(SerializationFailure):
            await db.run_transaction(change, policy=QUICK)
    assert world.a.seen.count("UPDATE t") == QUICK.attempts_max


async def test_a_wrapped_conflict_counts_too(world: World) -> None:
    answers = iter([failed("40001")])
    world.a.script["UPDATE"] = lambda _: next(answers, done("UPDATE 1"))

    async def wrapping(transaction: AsyncTransaction) -> None:
        try:
            await transaction.execute("UPDATE t")
        except SerializationFailure as error:
            raise RuntimeError("an ORM's own exception") from error

    async with world.connect() as db:
        await db.run_transaction(wrapping, policy=QUICK)
    assert world.a.seen.count("UPDATE t") == 2


async def test_a_constraint_is_not_retried(world: World) -> None:
    world.a.script["UPDATE"] = lambda _: failed("23514", constraint_name="balance_check")
    async with world.connect() as db:
        with pytest.raises(CheckViolation) as caught:
            await db.run_transaction(change, policy=QUICK)
    assert caught.value.constraint_name == "balance_check"
    assert world.a.seen == [
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE",
        "UPDATE t",
        "ROLLBACK",
    ]


@pytest.mark.parametrize(("outcome", "updates"), [(1, 1), (2, 2)])
async def test_a_commit_whose_answer_was_lost_is_looked_up_before_anything_runs_again(
    world: World, outcome: int, updates: int
) -> None:
    def lose(_: sql_pb2.SqlRequest) -> Unavailable:
        world.a.cut()
        return Unavailable("cut")

    world.a.script["COMMIT"] = lose
    world.b.outcomes[b"a-00000000000001"] = outcome
    async with world.connect() as db:
        assert await db.run_transaction(change, policy=QUICK) == "changed"
    assert (world.a.seen + world.b.seen).count("UPDATE t") == updates


@pytest.mark.parametrize(("outcome", "updates"), [(1, 1), (2, 2)])
async def test_a_commit_that_is_not_answered_is_asked_about_elsewhere(
    world: World, outcome: int, updates: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Region may be cut off from the others, and its query processor still there."""
    monkeypatch.setattr("trilithon.client.session.COMMIT_PATIENCE_S", 0.05)
    world.a.script["COMMIT"] = lambda _: None
    world.b.outcomes[b"a-00000000000001"] = outcome
    async with world.connect() as db:
        assert await db.run_transaction(change, policy=QUICK) == "changed"
    assert (world.a.seen + world.b.seen).count("UPDATE t") == updates


async def test_only_run_transaction_with_somewhere_to_go_is_impatient(world: World) -> None:
    said: list[bool] = []

    def look(item: sql_pb2.SqlRequest) -> sql_pb2.SqlReply:
        said.append(item.execute.impatient)
        return done("UPDATE 1")

    world.a.script["UPDATE"] = look
    async with world.connect() as db:
        await db.execute("UPDATE t")
        await db.run_transaction(change, policy=QUICK)
        async with db.transaction() as transaction:
            await transaction.execute("UPDATE t")
    async with connect_async("a:1", network=world.network) as alone:
        await alone.run_transaction(change, policy=QUICK)
    assert said == [False, True, False, False]


async def test_an_outcome_that_nobody_knows_is_never_guessed(world: World) -> None:
    def lose(_: sql_pb2.SqlRequest) -> Unavailable:
        world.a.cut()
        return Unavailable("cut")

    world.a.script["COMMIT"] = lose
    world.b.outcomes[b"a-00000000000001"] = sql_pb2.TransactionStatusAnswer.OUTCOME_UNKNOWN
    async with world.connect() as db:
        with pytest.raises(ConnectionLost) as caught:
            await db.run_transaction(change, policy=QUICK)
        assert caught.value.transaction_id == b"a-00000000000001"
        assert world.b.seen == []
        status = await db.transaction_status(b"another", 0)
        assert status.outcome is Outcome.ABORTED


async def test_a_region_without_a_lease_is_waited_for(world: World) -> None:
    answers = iter([failed("57P03"), failed("57P03")])
    world.a.script["BEGIN"] = lambda _: next(answers, done("BEGIN"))
    async with world.connect() as db:
        await db.run_transaction(change, policy=QUICK)


async def test_a_region_that_cannot_serve_is_left_for_another_that_can(world: World) -> None:
    world.a.script["BEGIN"] = lambda _: failed("57P03")
    async with world.connect() as db:
        await db.run_transaction(change, policy=QUICK)
        await db.run_transaction(change, policy=QUICK)
    assert world.b.seen.count("UPDATE t") == 2
    assert len(world.a.seen) == 1, "it is not asked again for a while"


async def test_a_cancelled_statement_takes_its_session_along(world: World) -> None:
    async with world.connect() as db:
        await db.execute("SELECT 1")

        def hang(_: sql_pb2.SqlRequest) -> asyncio.CancelledError:
            return asyncio.CancelledError()

        world.a.script["SELECT 2"] = hang
        with pytest.raises(asyncio.CancelledError):
            await db.execute("SELECT 2")
        await db.execute("SELECT 3")
    assert world.a.seen == ["SELECT 1", "SELECT 2", "SELECT 3"]


async def test_a_block_that_swallowed_an_error_does_not_claim_to_have_committed(
    world: World,
) -> None:
    world.a.script["COMMIT"] = lambda _: done("ROLLBACK")
    async with world.connect() as db:
        with pytest.raises(UsageError, match="rolled back"):
            async with db.transaction():
                pass


@pytest.mark.parametrize("endpoints", ["", [], "nonsense", ["127.0.0.1"], "host:port"])
async def test_endpoints_that_cannot_be_one_are_refused(endpoints: object) -> None:
    with pytest.raises(UsageError, match="endpoint"):
        connect_async(endpoints, network=FakeNetwork({}))  # type: ignore[arg-type]
