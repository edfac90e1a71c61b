"""SQL over gRPC's service: sessions of one stream, results in parts, limits, ends. And the real SDK."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from session_fakes import Cluster, FakeEngine, FakeManager

from trilithon.client import connect_async
from trilithon.core.errors import SqlError
from trilithon.core.world import World
from trilithon.link.local import LocalNetwork
from trilithon.link.specs import SQL, SQL_STATUS
from trilithon.query.pgwire.authentication import FixedRoles, ScramVerifier
from trilithon.query.service import QueryService, QuerySettings, Surroundings
from trilithon.v1 import adjudicator_pb2, sql_pb2


class Clock:
    def monotonic_us(self) -> int:
        return int(asyncio.get_running_loop().time() * 1e6)

    def wall_us(self) -> int:
        return 1_800_000_000_000_000


class Manager(FakeManager):
    async def transaction_status(self, transaction_id: bytes, snapshot_csn: int) -> Any:
        return SimpleNamespace(outcome=adjudicator_pb2.Verdict.OUTCOME_COMMITTED, csn=77)


def make_service(network: Any, cluster: Cluster, **more: Any) -> QueryService:
    async def close() -> None:
        cluster.log.append("closed")

    roles = more.pop("roles", None)
    settings = QuerySettings(
        "c", "a", "a/query-0", "127.0.0.1:0", "127.0.0.1:0", grace_s=0.1, **more
    )
    return QueryService(
        settings,
        World(clock=Clock(), random=random.Random(3), network=network),
        FakeEngine(),
        Manager(cluster),
        Surroundings(close),
        roles=roles,
    )


@pytest.fixture
async def network() -> LocalNetwork:
    return LocalNetwork()


@pytest.fixture
async def service(network: LocalNetwork, cluster: Cluster) -> AsyncIterator[QueryService]:
    one = make_service(network, cluster, connections=20)
    await one.start()
    yield one
    await one.stop()


class SdkClient:
    """Requests by hand."""

    def __init__(self, network: LocalNetwork, service: QueryService) -> None:
        self.link = network.link(SQL, service.address)

    async def ask(self, session_id: int = 1, **request: Any) -> sql_pb2.SqlReply:
        item = sql_pb2.SqlRequest(session_id=session_id, **request)
        return await self.link.request(item, timeout=10)

    async def open(self, session_id: int = 1, **fields: Any) -> sql_pb2.SqlReply:
        return await self.ask(session_id, open=sql_pb2.OpenSession(**fields))

    async def execute(
        self, sql: str, *values: sql_pb2.Value, session_id: int = 1, fetch_rows: int = 0
    ) -> sql_pb2.SqlReply:
        request = sql_pb2.Execute(sql=sql, parameters=values, fetch_rows=fetch_rows)
        return await self.ask(session_id, execute=request)

    async def more(self) -> sql_pb2.SqlReply:
        return await self.ask(fetch_more=sql_pb2.FetchMore())


@pytest.fixture
async def client(network: LocalNetwork, service: QueryService) -> AsyncIterator[SdkClient]:
    one = SdkClient(network, service)
    assert (await one.open()).opened.region == "a"
    yield one
    await one.link.close()


def rows_of(reply: sql_pb2.SqlReply) -> list[Any]:
    return [
        row
        for part in reply.results.parts
        if part.rows
        for row in msgspec.msgpack.decode(part.rows)
    ]


def tags_of(reply: sql_pb2.SqlReply) -> list[str]:
    return [part.command_tag for part in reply.results.parts if part.HasField("command_tag")]


async def test_statements_and_state(client: SdkClient, cluster: Cluster) -> None:
    reply = await client.execute("select 1, 'x'; insert into t values (1, 'a')")
    assert rows_of(reply) == [[1, "x"]]
    assert tags_of(reply) == ["SELECT 1", "INSERT 0 1"]
    assert not reply.results.more
    assert reply.state.status == sql_pb2.SessionState.STATUS_IDLE
    assert reply.state.commit_csn == cluster.next_csn
    reply = await client.execute("begin")
    assert reply.state.status == sql_pb2.SessionState.STATUS_IN_TRANSACTION
    reply = await client.execute("select $1::int4", sql_pb2.Value(type_oid=23, text="5"))
    assert rows_of(reply) == [[5]]
    assert len(reply.state.transaction_id) == 16
    reply = await client.execute("select fail('22012')")
    assert reply.error.sqlstate == "22012"
    assert reply.state.status == sql_pb2.SessionState.STATUS_FAILED
    reply = await client.execute("rollback")
    assert reply.state.status == sql_pb2.SessionState.STATUS_IDLE
    reply = await client.execute("commit")
    assert reply.results.notices[0].sqlstate == "25P01"


async def test_parts(client: SdkClient, cluster: Cluster) -> None:
    for sql in ("select stream(2500)", "select series(2500)"):
        reply = await client.execute(sql, fetch_rows=1000)
        sizes, tags = [len(rows_of(reply))], tags_of(reply)
        while reply.results.more:
            reply = await client.more()
            sizes.append(len(rows_of(reply)))
            tags += tags_of(reply)
        assert sum(sizes) == 2500
        assert max(sizes) == 1000
        assert tags == ["SELECT 2500"]
    assert (await client.more()).error.sqlstate == "34000"
    big = await client.execute("select stream(1000000)")
    assert big.results.more
    assert 500_000 < big.ByteSize() < 3_000_000
    assert rows_of(await client.execute("select 1")) == [[1]]
    assert (await client.more()).error.sqlstate == "34000"


async def test_a_dropped_result_leaves_nothing_of_its_implicit_transaction(
    client: SdkClient, cluster: Cluster
) -> None:
    reply = await client.execute(
        "insert into t values (1, 'x'); select stream(5000); insert into t values (2, 'y')",
        fetch_rows=10,
    )
    assert reply.results.more
    await client.execute("select 1")
    assert cluster.rows == []


async def test_commit_errors_name_the_transaction(client: SdkClient, cluster: Cluster) -> None:
    cluster.commit_error = SqlError("40003", "unknown")
    reply = await client.execute("insert into t values (1, 'x')")
    assert reply.error.sqlstate == "40003"
    assert reply.state.transaction_id
    assert reply.state.snapshot_csn
    answer = await client.ask(
        transaction_status=sql_pb2.TransactionStatusQuestion(
            transaction_id=reply.state.transaction_id, snapshot_csn=1
        )
    )
    assert answer.transaction_status.csn == 77
    assert answer.transaction_status.outcome == 1
    bad = await client.ask(
        transaction_status=sql_pb2.TransactionStatusQuestion(transaction_id=b"x")
    )
    assert bad.error.sqlstate == "22023"


async def test_status_questions_are_limited(client: SdkClient) -> None:
    question = sql_pb2.TransactionStatusQuestion(transaction_id=b"x" * 16)
    answers = [await client.ask(transaction_status=question) for _ in range(600)]
    assert any(answer.error.sqlstate == "53400" for answer in answers)


async def test_bad_requests(
    client: SdkClient, network: LocalNetwork, service: QueryService
) -> None:
    assert (await client.execute("select 1", session_id=9)).error.sqlstate == "08003"
    assert (await client.open()).error.sqlstate == "08002"
    assert (await client.open(5, database="nope")).error.sqlstate == "3D000"
    assert (await client.open(5, settings={"nonsense": "1"})).error.sqlstate == "42704"
    assert (await client.ask()).error.sqlstate == "08P01"
    assert (
        await client.execute("select 1; select 2", sql_pb2.Value(text="x"))
    ).error.sqlstate == "42601"
    assert (
        await client.execute("select $1", *[sql_pb2.Value(text="x")] * 2)
    ).error.sqlstate == "08P01"
    assert (await client.execute("select $1", sql_pb2.Value(text="a\0b"))).error.sqlstate == "22021"
    assert (await client.execute("select 1\0")).error.sqlstate == "22021"
    assert (await client.execute("copy t from stdin")).error.sqlstate == "0A000"
    assert (await client.execute("copy t to stdout")).error.sqlstate == "0A000"
    assert tags_of(await client.execute("select 1")) == ["SELECT 1"]


async def test_cancel_and_close(client: SdkClient, service: QueryService) -> None:
    running = asyncio.ensure_future(client.execute("select sleep(60)"))
    while not any(session.busy for session in service.streams.sessions()):
        await asyncio.sleep(0)
    waiting = asyncio.ensure_future(client.execute("select 2"))
    await client.ask(cancel=sql_pb2.CancelExecution())
    assert (await running).error.sqlstate == "57014"
    assert rows_of(await waiting) == [[2]]
    reply = await client.ask(close=sql_pb2.CloseSession())
    assert reply.HasField("closed")
    while service.streams.session_count:
        await asyncio.sleep(0)
    assert (await client.execute("select 1")).error.sqlstate == "08003"


async def test_too_many(client: SdkClient, service: QueryService) -> None:
    opened = await asyncio.gather(*(client.open(number) for number in range(2, 40)))
    refused = [reply for reply in opened if reply.error.sqlstate == "53300"]
    assert len(refused) == 19
    statements = ["select sleep(0.2)"] + ["select 1"] * 99
    running = [asyncio.ensure_future(client.execute(sql)) for sql in statements]
    replies = await asyncio.gather(*running)
    assert {reply.error.sqlstate for reply in replies} == {"", "53400"}


async def test_a_lost_stream_ends_its_sessions(
    client: SdkClient, service: QueryService, cluster: Cluster
) -> None:
    await client.execute("begin; insert into t values (1, 'x')")
    await client.link.close()
    while service.streams.session_count:
        await asyncio.sleep(0)
    assert cluster.log[-1] == "rollback"


async def test_passwords(network: LocalNetwork, cluster: Cluster) -> None:
    roles = FixedRoles({"admin": ScramVerifier.make("right")})
    service = make_service(network, cluster, authentication="scram-sha-256", roles=roles)
    await service.start()
    client = SdkClient(network, service)
    assert (await client.open(1, user="admin", password="wrong")).error.sqlstate == "28P01"
    assert (await client.open(1, user="bob", password="right")).error.sqlstate == "28P01"
    assert (await client.open(1, user="admin", password="right")).HasField("opened")
    await client.link.close()
    await service.stop()


async def test_stopping(network: LocalNetwork, cluster: Cluster) -> None:
    service = make_service(network, cluster)
    await service.start()
    client = SdkClient(network, service)
    for number in (1, 2, 3):
        await client.open(number)
    short = asyncio.ensure_future(client.execute("select sleep(0.02)", session_id=1))
    long = asyncio.ensure_future(client.execute("select sleep(60)", session_id=2))
    while sum(session.busy for session in service.streams.sessions()) < 2:
        await asyncio.sleep(0)
    await service.stop()
    assert rows_of(await short) == [[1]]
    assert (await long).error.sqlstate == "57P01"
    assert cluster.log[-1] == "closed"
    assert service.session_count == 0
    await client.link.close()


async def test_status_and_metrics(
    client: SdkClient, network: LocalNetwork, service: QueryService
) -> None:
    await client.execute("insert into t values (1, 'x')")
    status = await network.call(
        service.address, SQL_STATUS, sql_pb2.QueryStatusRequest(), timeout=5
    )
    assert (status.sessions, status.commits, status.identity.role) == (1, 1, "query")
    assert status.postgresql_address == service.postgresql_address
    assert service.metrics()["statements_total"] == 1


async def test_the_sdk_itself(
    network: LocalNetwork, service: QueryService, cluster: Cluster
) -> None:
    async with connect_async([service.address], network=network) as db:
        assert (await db.execute("select $1::int4", [5])).rows[0][0] == 5
        async with db.transaction() as transaction:
            await transaction.execute("insert into t values ($1, $2)", [1, "x"])
            assert len(transaction.id) == 16
        result = await db.execute("select * from t")
        assert [tuple(row) for row in result.rows] == [(1, "x")]
        big = await db.execute("select stream(300000)")
        assert len(big.rows) == 300_000
