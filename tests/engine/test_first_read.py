"""The first read of a known statement travels beside the snapshot request, and changes no answer."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "transaction"))

from fake_cluster import FakeCluster

from trilithon.core.errors import SqlError
from trilithon.query.engine import Engine
from trilithon.query.session.functions import register_session_functions
from trilithon.query.session.session import Session, SessionServices


class Clock:
    def monotonic_us(self) -> int:
        return int(asyncio.get_running_loop().time() * 1e6)

    def wall_us(self) -> int:
        return 1_800_000_000_000_000 + self.monotonic_us()


class Client:
    def __init__(self) -> None:
        register_session_functions()
        self.cluster = FakeCluster()
        manager = self.cluster.manager
        services = SessionServices(Engine(manager), manager, Clock(), random.Random(5))
        self.session = Session(services, "admin", "postgres")

    async def __call__(self, sql: str) -> list[Any]:
        rows: list[Any] = []
        try:
            self.session.start_statement()
            for statement in await self.session.parse(sql):
                found = (await self.session.run(statement)).rows
                rows = found if isinstance(found, list) else [row async for b in found for row in b]
            await self.session.end_implicit()
        except SqlError as error:
            self.session.fail(error)
            raise
        return [list(row) for row in rows]

    def reads(self) -> tuple[int, int]:
        """(after the snapshot, beside it)"""
        return self.cluster.reads.gets, self.cluster.reads.speculations


@pytest.fixture
async def client() -> Client:
    made = Client()
    await made("create table t (id int primary key, v text)")
    await made("insert into t values (1, 'a'), (2, 'b')")
    return made


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("select v from t where id = 1", [["a"]]),
        ("select * from t where id in (1, 2)", [[1, "a"], [2, "b"]]),
        ("select v from t where id = 1 limit 1", [["a"]]),
        ("select v from t where id = '2' and v > 'a'", [["b"]]),
        ("update t set v = 'a' where id = 1 returning v", [["a"]]),
        ("delete from t where id = 9 returning v", []),
    ],
)
async def test_rows_by_key(client: Client, sql: str, rows: list[Any]) -> None:
    assert await client(sql) == rows
    before = client.reads()
    assert await client(sql) == rows
    assert client.reads() == (before[0], before[1] + 1)


@pytest.mark.parametrize(
    "sql", ["select count(*) from t", "select 1", "select v from t where id = null"]
)
async def test_nothing_is_read_ahead_otherwise(client: Client, sql: str) -> None:
    await client(sql)
    before = client.reads()[1]
    await client(sql)
    assert client.reads()[1] == before


async def test_what_a_transaction_wrote_itself_is_seen(client: Client) -> None:
    await client("select v from t where id = 1")
    assert await client(
        "begin; update t set v = 'c' where id = 1; select v from t where id = 1"
    ) == [["c"]]
    await client("rollback")
    assert await client("select v from t where id = 1") == [["a"]]


async def test_keys_that_depend_on_session_or_time_are_right(client: Client) -> None:
    await client("create table p (name text primary key)")
    await client("insert into p values (current_user)")
    for _ in range(3):
        assert await client("select name from p where name = current_user::text") == [["admin"]]
    await client("create table d (at timestamptz primary key)")
    for number in range(1, 4):
        await client("insert into d values (now())")
        assert await client("select at from d where at = now()") == []
        assert await client("select count(*) from d") == [[number]]


async def test_a_table_made_anew_under_the_name_is_the_one_read(client: Client) -> None:
    await client("select v from t where id = 1")
    other = Client.__new__(Client)
    other.cluster = client.cluster
    manager = client.cluster.new_manager()
    services = SessionServices(Engine(manager), manager, Clock(), random.Random(6))
    other.session = Session(services, "admin", "postgres")
    await other("drop table t")
    await other("create table t (id int primary key, v text)")
    await other("insert into t values (1, 'new')")
    assert await client("select v from t where id = 1") == [["new"]]


async def test_a_literal_that_cannot_be_read_fails_as_before(client: Client) -> None:
    await client("select v from t where id = '1'")
    with pytest.raises(SqlError, match="invalid input syntax"):
        await client("select v from t where id = 'one'")
