"""pg_stat_activity and its like: what sessions do, as the sessions themselves know it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import psycopg
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "engine"))
sys.path.insert(0, str(Path(__file__).parent.parent / "transaction"))

ACTIVITY = (
    "select state, query, usename, datname, application_name, client_addr, client_port > 0,"
    " xact_start is not null, query_start <= now(), backend_start <= query_start, backend_type"
    " from pg_stat_activity where pid = %s"
)


async def _connect(port: str, name: str = "") -> psycopg.AsyncConnection[tuple[object, ...]]:
    conninfo = f"host=127.0.0.1 port={port} user=admin dbname=postgres application_name={name}"
    return await psycopg.AsyncConnection.connect(conninfo, autocommit=True)


async def _row(
    connection: psycopg.AsyncConnection[tuple[object, ...]], query: str, *values: object
) -> tuple[object, ...] | None:
    cursor = await connection.execute(query.encode(), values or None)
    return await cursor.fetchone()


async def test_sessions_are_told_as_they_are() -> None:
    from engine_server import serving

    async with serving() as (_, port):
        one, two = await _connect(port, "first"), await _connect(port, "second")
        found = await _row(two, "select pg_backend_pid()")
        assert found is not None
        pid = found[0]
        common = ("admin", "postgres", "second", "127.0.0.1", True)
        assert await _row(one, ACTIVITY, pid) == (
            "idle", "select pg_backend_pid()", *common, False, True, True, "client backend",
        )  # fmt: skip
        await two.execute("begin")
        assert (await _row(one, ACTIVITY, pid) or ())[0] == "idle in transaction"
        with pytest.raises(psycopg.Error):
            await two.execute("select 1 / 0")
        assert (await _row(one, ACTIVITY, pid) or ())[0] == "idle in transaction (aborted)"
        await two.execute("rollback")

        sleeping = asyncio.create_task(two.execute("select pg_sleep(60)"))
        while (await _row(one, ACTIVITY, pid) or ())[0] != "active":
            await asyncio.sleep(0)
        assert (await _row(one, ACTIVITY, pid) or ())[1] == "select pg_sleep(60)"
        assert await _row(one, "select pg_cancel_backend(%s)", pid) == (True,)
        with pytest.raises(psycopg.errors.QueryCanceled):
            await sleeping
        assert await _row(one, "select pg_cancel_backend(2147483647)") == (False,)

        assert await _row(one, "select pg_terminate_backend(%s)", pid) == (True,)
        with pytest.raises(psycopg.OperationalError):
            await two.execute("select 1")
            await two.execute("select 1")
        while await _row(one, ACTIVITY, pid) is not None:
            await asyncio.sleep(0)
        await one.close()


async def test_prepared_statements_cursors_and_settings() -> None:
    from engine_server import serving

    async with serving() as (_, port):
        one = await _connect(port)
        await one.execute("prepare p (int, text) as select $1, $2")
        found = await _row(
            one, "select name, parameter_types::text, from_sql from pg_prepared_statements"
        )
        assert found == ("p", "{integer,text}", True)
        await one.execute("begin")
        await one.execute("declare c scroll cursor for select 1")
        found = await _row(one, "select name, is_scrollable, is_holdable from pg_cursors")
        assert found == ("c", True, False)
        await one.execute("commit")
        await one.execute("set work_mem to '8MB'")
        found = await _row(
            one,
            "select setting, unit, category, context, vartype, source, boot_val, reset_val"
            " from pg_settings where name = 'work_mem'",
        )
        assert found == (
            "8192", "kB", "Resource Usage / Memory", "user", "integer", "session", "4096", "4096",
        )  # fmt: skip
        await one.close()
