"""Statements that need a session: EXECUTE inside others, parameters, functions, temporary things."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from engine_server import run, serving

Connection = psycopg.AsyncConnection[Any]


@asynccontextmanager
async def connected(count: int = 1) -> AsyncIterator[list[Connection]]:
    async with serving() as (host, port):
        opened: list[Connection] = []
        try:
            for _ in range(count):
                opened.append(
                    await psycopg.AsyncConnection.connect(
                        host=host, port=int(port), user="admin", dbname="postgres", autocommit=True
                    )
                )
            yield opened
        finally:
            for one in opened:
                await one.close()


async def rows(connection: Connection, sql: str, parameters: Any = None) -> list[Any]:
    cursor = await connection.execute(sql, parameters)
    return await cursor.fetchall()


async def refused(connection: Connection, sql: str, sqlstate: str, parameters: Any = None) -> str:
    with pytest.raises(psycopg.Error) as caught:
        await connection.execute(sql, parameters)
    assert caught.value.sqlstate == sqlstate, caught.value
    return caught.value.diag.message_primary or ""


async def test_create_table_as_execute() -> None:
    async with connected() as (one,):
        await one.execute("prepare p (int, text) as select $1 as a, $2 || '!' as b, 7 as c")
        cursor = await one.execute("create table made (x, y) as execute p (1 + 1, 'hi')")
        assert cursor.statusmessage == "SELECT 1"
        assert await rows(one, "select * from made") == [(2, "hi!", 7)]
        await refused(one, "create table other as execute p (1)", "42601")
        await refused(one, "create table other as execute nosuch", "26000")
        await one.execute("prepare d as delete from made")
        await refused(one, "create table other as execute d", "42809")
        cursor = await one.execute("create table empty as execute p (1, 'a') with no data")
        assert cursor.statusmessage == "CREATE TABLE AS"
        assert await rows(one, "select count(*) from empty") == [(0,)]


async def test_create_table_as_with_parameters_and_a_prepared_name() -> None:
    async with connected() as (one,):
        cursor = await one.execute(
            "create table made as select %s::int + 1 as a", (4,), prepare=True
        )
        assert cursor.statusmessage == "SELECT 1"
        assert await rows(one, "select a from made") == [(5,)]
        await refused(one, "create table made as select %s::int as a", "42P07", (4,))


async def test_select_into_belongs_to_its_transaction() -> None:
    async with connected() as (one,):
        async with one.transaction(force_rollback=True):
            cursor = await one.execute("select 1 as a into gone")
            assert cursor.statusmessage == "SELECT 1"
            assert await rows(one, "select * from gone") == [(1,)]
        await refused(one, "select * from gone", "42P01")
        await one.execute("set default_transaction_read_only = on")
        assert "SELECT INTO" in await refused(one, "select 1 as a into gone", "25006")


async def test_a_simple_query_has_no_parameters() -> None:
    async with connected() as (one,):
        with pytest.raises(psycopg.Error) as caught:
            await one.execute("select $1 as a")
        assert caught.value.sqlstate == "42P02"
        assert caught.value.diag.message_primary == "there is no parameter $1"
        assert caught.value.diag.statement_position == "8"


async def test_explain_execute() -> None:
    async with connected() as (one,):
        await one.execute("create table t (a int primary key)")
        await one.execute("prepare p (int) as insert into t values ($1) returning a")
        ((first,), *_) = await rows(one, "explain execute p (3)")
        assert first == "Insert on t"
        assert await rows(one, "select * from t") == []
        await rows(one, "explain analyze execute p (4)")
        assert await rows(one, "select * from t") == [(4,)]
        await one.execute("begin read only")
        await rows(one, "explain insert into t values (7)")
        message = await refused(one, "explain analyze insert into t values (7)", "25006")
        assert message == "cannot execute INSERT in a read-only transaction"
        await one.execute("rollback")


async def test_functions_are_bounded_and_never_stale() -> None:
    async with connected(2) as (one, two):
        await one.execute("create function f(n int) returns int language sql as 'select n + 1'")
        for _ in range(7):
            assert await rows(one, "select f(%s)", (1,)) == [(2,)]
        await two.execute(
            "create or replace function f(n int) returns int language sql as 'select n + 10'"
        )
        assert await rows(one, "select f(%s)", (1,)) == [(11,)]
        await two.execute(
            "create function f(n bigint) returns text language sql as $$ select 'big' $$"
        )
        assert await rows(one, "select f(1), f(1::bigint)") == [(11, "big")]
        await two.execute(
            "create or replace function f(n int) returns int language sql as 'select f(n)'"
        )
        await refused(one, "select f(1)", "54001")
        await two.execute("create function g(n int) returns int language sql as 'select 1'")
        await two.execute("create function h(n int) returns int language sql as 'select g(n)'")
        await two.execute(
            "create or replace function g(n int) returns int language sql as 'select h(n)'"
        )
        await refused(one, "select h(1)", "54001")
        await refused(one, "create table t (a int default g(1))", "0A000")
        await two.execute("drop function f(int), f(bigint)")
        await refused(one, "select f(%s)", "42883", (1,))


async def test_functions_follow_the_search_path_and_their_schema() -> None:
    async with connected() as (one,):
        await one.execute("create schema s")
        await one.execute("create function s.f() returns text language sql as $$ select 's' $$")
        await one.execute("create function f() returns text language sql as $$ select 'public' $$")
        assert await rows(one, "select f(), s.f()") == [("public", "s")]
        await one.execute("set search_path = s, public")
        assert await rows(one, "select f()") == [("s",)]
        await refused(one, "drop schema s", "2BP01")
        await one.execute("drop schema s cascade")
        assert await rows(one, "select f()") == [("public",)]


async def test_functions_in_the_catalog() -> None:
    async with serving() as (host, port):
        dsn = f"host={host} port={port} user=admin dbname=postgres"
        text = await run(
            "psql", dsn, "-X", "-c",
            "create function f(a int, b text default 'x') returns setof int language sql stable as 'select 1'",
            "-c", "create function g(a int) returns table (x int, y text) language sql as 'select 1, b.c from (select $$y$$ c) b'",
            "-c", r"\df", "-c", r"\df+ f",
        )  # fmt: skip
        assert "SETOF integer" in text
        assert "a integer, b text DEFAULT 'x'" in text
        assert "TABLE(x integer, y text)" in text
        assert "ERROR" not in text


async def test_pg_sleep_ends_with_the_statement() -> None:
    async with connected() as (one,):
        assert await rows(one, "select pg_sleep(0)") == [("",)]
        await one.execute("set statement_timeout = 50")
        await refused(one, "select pg_sleep(1000)", "57014")
        await one.execute("set statement_timeout = 0")


async def test_regclass_shows_names_by_each_sessions_path() -> None:
    async with connected(2) as (one, two):
        await one.execute("create schema s")
        await one.execute("create table s.t (a int)")
        await one.execute("set search_path = s")
        query = "select 's.t'::regclass, 'pg_class'::regclass, 0::regclass"
        for _ in range(2):
            assert await rows(one, query) == [("t", "pg_class", "-")]
            assert await rows(two, query) == [("s.t", "pg_class", "-")]


async def test_a_filled_column_misses_no_row_that_came_meanwhile() -> None:
    async with connected(2) as (one, two):
        await one.execute("create table t (id int primary key)")
        await one.execute("insert into t values (1)")
        await one.execute("begin")
        await one.execute("alter table t add column n serial")
        await two.execute("insert into t values (2)")
        await refused(one, "commit", "40001")
        assert await rows(one, "select * from t order by id") == [(1,), (2,)]
        await one.execute("alter table t add column n serial")
        assert await rows(one, "select count(distinct n) from t") == [(2,)]


async def test_a_view_keeps_the_function_it_was_made_with() -> None:
    async with connected() as (one,):
        await one.execute("create schema s")
        await one.execute("create function s.f() returns text language sql as $$ select 's' $$")
        await one.execute("set search_path = s, public")
        await one.execute("create view public.v as select f()")
        await one.execute("create function public.g() returns text language sql return f() || '!'")
        await one.execute("set search_path = public")
        await one.execute("create function f() returns text language sql as $$ select 'public' $$")
        assert await rows(one, "select v.*, g() from v") == [("s", "s!")]
        await refused(one, "drop function s.f()", "2BP01")
        await one.execute("drop function s.f() cascade")
        await refused(one, "select * from v", "42P01")


async def test_a_volatile_correlated_subquery_runs_for_each_row() -> None:
    async with connected() as (one,):
        await one.execute("create table t (id int primary key, a int)")
        await one.execute("insert into t select g, 1 from generate_series(1, 5) g")
        ((count,),) = await rows(
            one,
            "select count(distinct r) from (select (select random() from generate_series(1, t.a)) r from t) q",
        )
        assert count == 5


async def test_waiting_for_a_time_and_until_one() -> None:
    async with connected() as (one,):
        began = await rows(one, "select clock_timestamp()")
        assert await rows(one, "select pg_sleep_for('30 milliseconds')") == [("",)]
        until = "select pg_sleep_until(clock_timestamp() + interval '30 milliseconds')"
        assert await rows(one, until) == [("",)]
        assert await rows(one, "select pg_sleep_until('-infinity'), pg_sleep_for(null)") == [
            ("", None)
        ]
        ended = await rows(one, "select clock_timestamp()")
        assert began < ended
