"""Drivers against the real engine and transactions, over a cluster in memory: values of every type
come back as they went in, and the ledger's rules hold."""

from __future__ import annotations

import asyncio
import datetime
import random
import sys
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "transaction"))

from fake_cluster import FakeCluster
from test_pgwire_clients import dsn, psql

from trilithon.query.engine import Engine
from trilithon.query.pgwire.listener import Listener, ListenerOptions
from trilithon.query.session.functions import register_session_functions
from trilithon.query.session.session import SessionServices


class Clock:
    def monotonic_us(self) -> int:
        return int(asyncio.get_running_loop().time() * 1e6)

    def wall_us(self) -> int:
        return 1_800_000_000_000_000 + self.monotonic_us()


@pytest.fixture
async def real() -> AsyncIterator[Listener]:
    register_session_functions()
    manager = FakeCluster().new_manager()
    services = SessionServices(Engine(manager), manager, Clock(), random.Random(5))
    listener = Listener(ListenerOptions("127.0.0.1:0"), services)
    await listener.start()
    yield listener
    await listener.stop(0.2)
    await manager.close()


SCHEMA = """
create table accounts (
    account_id uuid primary key, customer_id uuid not null,
    balance numeric(18,2) not null check (balance >= 0), currency varchar(3) not null,
    updated_at timestamptz default now());
create table transactions (
    transaction_id uuid primary key default gen_random_uuid(), from_account uuid not null,
    to_account uuid not null, amount numeric(18,2) not null, description text,
    created_at timestamptz default now());
create table things (
    id int8 primary key, b bool, i2 int2, i4 int4, f4 float4, f8 float8, n numeric, t text,
    v varchar(10), u uuid, d date, ts timestamp, tz timestamptz, y bytea);
"""

THING: list[Any] = [
    7,
    True,
    -3,
    2**31 - 1,
    1.5,
    0.1,
    Decimal("-12345678901234567890.0123456789"),
    "tab\there, snow ☃, quote '",
    "short",
    uuid.UUID(int=77),
    datetime.date(1999, 12, 31),
    datetime.datetime(2026, 2, 28, 23, 59, 59, 123456),
    datetime.datetime(2026, 6, 1, 12, tzinfo=datetime.UTC),
    b"\x00\xffbytes\\",
]
A, B = uuid.UUID(int=1), uuid.UUID(int=2)


@pytest.mark.parametrize("binary", [False, True])
async def test_values_through_psycopg(real: Listener, binary: bool) -> None:
    async with await psycopg.AsyncConnection.connect(dsn(real), autocommit=True) as connection:
        await connection.execute(SCHEMA)
        mark = "%b" if binary else "%t"
        places = ", ".join([mark] * len(THING))
        cursor = connection.cursor(binary=binary)
        await cursor.execute(f"insert into things values ({places})", THING)
        assert cursor.rowcount == 1
        await cursor.execute("select * from things where id = %s", (7,))
        row = await cursor.fetchone()
        assert list(row or ()) == THING
        await cursor.execute("select %t::int[], array['a', null]", ([1, None, 3],))
        assert await cursor.fetchone() == ([1, None, 3], ["a", None])
        await cursor.execute("insert into things (id) values (8) returning *")
        assert await cursor.fetchone() == (8, *[None] * 13)
        async with cursor.copy("copy things to stdout") as copy:
            text = b"".join([bytes(part) async for part in copy])
        await cursor.execute("delete from things")
        async with cursor.copy("copy things from stdin") as copy:
            await copy.write(text)
        await cursor.execute("select * from things order by id")
        rows = await cursor.fetchall()
        assert [list(one) for one in rows] == [THING, [8, *[None] * 13]]


async def test_values_through_asyncpg(real: Listener) -> None:
    host, _, port = real.address.rpartition(":")
    connection = await asyncpg.connect(
        host=host, port=int(port), user="admin", database="postgres", timeout=10
    )
    await connection.execute(SCHEMA)
    places = ", ".join(f"${number}" for number in range(1, len(THING) + 1))
    await connection.execute(f"insert into things values ({places})", *THING)
    row = await connection.fetchrow("select * from things where id = $1", 7)
    assert list(row.values()) == THING
    assert await connection.fetchval("select count(*) from things where n < $1", Decimal(0)) == 1
    await connection.reset()
    await connection.close()


async def make_accounts(connection: Any) -> None:
    await connection.execute(SCHEMA)
    for account in (A, B):
        await connection.execute(
            "insert into accounts values (%s, gen_random_uuid(), 100, 'EUR')", (account,)
        )


TRANSFER = (
    "update accounts set balance = balance - %s where account_id = %s",
    "update accounts set balance = balance + %s where account_id = %s",
)


async def test_the_ledger(real: Listener) -> None:
    connect = psycopg.AsyncConnection.connect
    async with await connect(dsn(real)) as one, await connect(dsn(real)) as two:
        await make_accounts(one)
        await one.commit()
        for connection in (one, two):
            await connection.execute(TRANSFER[0], (10, A))
            await connection.execute(TRANSFER[1], (10, B))
            await connection.execute(
                "insert into transactions (from_account, to_account, amount) values (%s, %s, 10)",
                (A, B),
            )
        await one.commit()
        with pytest.raises(psycopg.errors.SerializationFailure, match="OC000"):
            await two.commit()
        cursor = await two.execute("select balance from accounts order by account_id")
        assert await cursor.fetchall() == [(Decimal("90.00"),), (Decimal("110.00"),)]
        await two.rollback()
        with pytest.raises(psycopg.errors.CheckViolation) as caught:
            await two.execute(TRANSFER[0], (1000, A))
        assert caught.value.diag.constraint_name == "accounts_balance_check"
        assert caught.value.diag.table_name == "accounts"
        await two.rollback()
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            await two.execute("select * from accounts where account_id = 'nope'")
        await two.rollback()
        with pytest.raises(psycopg.errors.UndefinedTable) as missing:
            await two.execute("select * from nothing")
        assert missing.value.diag.statement_position == "15"
        await two.rollback()


async def test_savepoints_over_psycopg(real: Listener) -> None:
    async with await psycopg.AsyncConnection.connect(dsn(real)) as connection:
        await make_accounts(connection)
        async with connection.transaction():
            await connection.execute(TRANSFER[0], (5, A))
            with pytest.raises(psycopg.errors.CheckViolation):
                async with connection.transaction():
                    await connection.execute(TRANSFER[1], (5, B))
                    await connection.execute(TRANSFER[0], (1000, A))
        cursor = await connection.execute("select sum(balance) from accounts")
        assert await cursor.fetchone() == (Decimal("195.00"),)


async def test_a_prepared_statement_lives_through_ddl(real: Listener) -> None:
    connect = psycopg.AsyncConnection.connect
    async with await connect(dsn(real), autocommit=True, prepare_threshold=0) as connection:
        await connection.execute("create table t (a int primary key, b int)")
        for _ in range(2):
            await connection.execute("insert into t values (1, 2) on conflict do nothing")
            cursor = await connection.execute("select * from t where a = %s", (1,))
            assert await cursor.fetchone() == (1, 2)
        await connection.execute("create index on t (b)")
        cursor = await connection.execute("select * from t where a = %s", (1,))
        assert await cursor.fetchone() == (1, 2)
        await connection.execute("drop table t")
        with pytest.raises(psycopg.errors.UndefinedTable):
            await connection.execute("select * from t where a = %s", (1,))


async def test_large_results_and_copies(real: Listener) -> None:
    async with await psycopg.AsyncConnection.connect(dsn(real), autocommit=True) as connection:
        await connection.execute("create table t (a int primary key, b text)")
        for start in range(0, 9000, 3000):
            cursor = connection.cursor()
            async with cursor.copy("copy t (a, b) from stdin") as copy:
                for number in range(start, start + 3000):
                    await copy.write_row((number, "x" * 100))
        async with connection.transaction():
            named = connection.cursor("c")
            await named.execute("select * from t order by a")
            assert len(await named.fetchmany(10)) == 10
            assert len(await named.fetchall()) == 8990
        cursor = await connection.execute("select * from t")
        assert len(await cursor.fetchall()) == 9000
        with pytest.raises(psycopg.errors.ProgramLimitExceeded):
            cursor = connection.cursor()
            async with cursor.copy("copy t (a) from stdin") as copy:
                for number in range(10_000, 14_000):
                    await copy.write_row((number,))
        cursor = await connection.execute("select count(*) from t")
        assert await cursor.fetchone() == (9000,)


async def test_psql_and_positions(real: Listener) -> None:
    code, out, err = await psql(
        real, "-c", "create table t (a int primary key)", "-c", "select a, nope from t"
    )
    assert code == 1
    assert out == "CREATE TABLE\n"
    assert err.splitlines()[0] == 'ERROR:  column "nope" does not exist'
    assert err.splitlines()[1] == "LINE 1: select a, nope from t"
    assert err.splitlines()[2].index("^") == err.splitlines()[1].index("nope")
