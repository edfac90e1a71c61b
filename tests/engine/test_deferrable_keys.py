"""Deferrable UNIQUE and PRIMARY KEY between concurrent transactions, through savepoints, against a model."""

from __future__ import annotations

import random
from typing import Any

import pytest
from engine_bench import Bench

from trilithon.core.errors import SqlError

SCHEMAS = (
    "create table t (id int primary key, v int unique deferrable initially deferred)",
    "create table t (id int primary key, v int unique deferrable)",
    "create table t (id int, v int primary key deferrable initially deferred)",
)


class Side:
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.transaction: Any = None

    async def begin(self) -> None:
        self.transaction = await self.bench.cluster.manager.begin()

    async def run(self, sql: str) -> str:
        """The SQLSTATE; empty: done."""
        self.bench.transaction = self.transaction
        try:
            await self.bench.run(sql)
        except SqlError as error:
            return error.sqlstate
        finally:
            self.bench.transaction = None
        return ""

    async def commit(self) -> str:
        try:
            await self.transaction.commit()
        except SqlError as error:
            return error.sqlstate
        return ""


async def sides(schema: str) -> tuple[Bench, Side, Side]:
    bench = Bench()
    await bench.run(schema)
    await bench.run("insert into t values (1, 1), (2, 2)")
    one, two = Side(bench), Side(bench)
    await one.begin()
    await two.begin()
    return bench, one, two


async def duplicates(bench: Bench) -> list[Any]:
    return await bench.rows("select v from t where v is not null group by v having count(*) > 1")


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("insert into t values (3, 7)", "insert into t values (4, 7)"),
        ("insert into t values (3, 7)", "update t set v = 7 where id = 1"),
        ("update t set v = 7 where id = 2", "update t set v = 7 where id = 1"),
        ("update t set v = v + 1", "insert into t values (4, 3)"),
        ("update t set v = 3 - v", "delete from t where id = 1"),
    ],
)
async def test_two_bring_in_one_key(schema: str, first: str, second: str) -> None:
    for turned in (False, True):
        bench, one, two = await sides(schema)
        if turned:
            first, second = second, first
        assert await one.run(first) == ""
        assert await two.run(second) == ""
        assert await one.commit() == ""
        assert await two.commit() == "40001"
        assert await duplicates(bench) == []


@pytest.mark.parametrize("schema", SCHEMAS)
async def test_different_keys_do_not_disturb_each_other(schema: str) -> None:
    bench, one, two = await sides(schema)
    assert await one.run("insert into t values (3, 7)") == ""
    assert await two.run("insert into t values (4, 8)") == ""
    assert await two.run("update t set v = 9 where id = 1") == ""
    assert (await one.commit(), await two.commit()) == ("", "")
    assert await bench.rows("select v from t order by v") == [("2",), ("7",), ("8",), ("9",)]


async def test_a_key_that_two_rows_had_for_a_while_is_claimed_at_the_end() -> None:
    bench, one, two = await sides(SCHEMAS[0])
    assert await one.run("insert into t values (3, 7), (4, 7)") == ""
    assert await one.run("delete from t where id = 3") == ""
    assert await two.run("insert into t values (5, 7)") == ""
    assert await one.commit() == ""
    assert await two.commit() == "40001"
    assert await bench.rows("select id from t where v = 7") == [("4",)]


async def test_a_new_constraint_and_a_writer_who_does_not_know_it() -> None:
    for ddl_first in (False, True):
        bench = Bench()
        await bench.run("create table t (id int primary key, v int)")
        one, two = Side(bench), Side(bench)
        await one.begin()
        await two.begin()
        assert await one.run("alter table t add unique (v) deferrable initially deferred") == ""
        assert await two.run("insert into t values (1, 1), (2, 1)") == ""
        ordered = (one, two) if ddl_first else (two, one)
        assert [await side.commit() for side in ordered] == ["", "40001"]


async def test_rows_that_are_there_are_not_given_one() -> None:
    bench = Bench()
    await bench.run("create table t (id int primary key, v int, w int unique deferrable)")
    await bench.run("insert into t values (1, 1)")
    for sql in (
        "alter table t add unique (v) deferrable",
        "alter table t add column x int unique deferrable",
        "alter table t alter w type text",
        "alter table t add column x serial",
    ):
        with pytest.raises(SqlError) as caught:
            await bench.run(sql)
        assert caught.value.sqlstate == "0A000", sql
    await bench.run("truncate t")
    await bench.run("alter table t alter w type text")
    await bench.run("insert into t values (1, 1, 'a')")
    with pytest.raises(SqlError) as caught:
        await bench.run("insert into t values (2, 1, 'a')")
    assert caught.value.sqlstate == "23505"


@pytest.mark.parametrize(
    "sql",
    [
        "alter index tv rename to tw",
        "alter table t rename constraint tv to tw",
        "alter table t rename constraint tr to ts",
        "alter table t drop constraint tv",
        "drop table t",
        "truncate t",
    ],
)
async def test_definitions_wait_for_keys_that_two_rows_have(sql: str) -> None:
    bench = Bench()
    await bench.run(
        "create table t (id int primary key, v int constraint tv unique deferrable initially deferred,"
        " boss int constraint tr references t deferrable initially deferred)"
    )
    for rows in ("(1, 1, null), (2, 1, null)", "(1, 1, 9)"):
        await bench.begin()
        await bench.run(f"insert into t values {rows}")
        with pytest.raises(SqlError) as caught:
            await bench.run(sql)
        assert caught.value.sqlstate == "55006"


@pytest.mark.parametrize("seed", range(40))
async def test_random_transactions_against_a_model(seed: int) -> None:
    """What commits has each key once, and is what a plain dictionary says."""
    source = random.Random(seed)
    bench = Bench()
    await bench.run(SCHEMAS[seed % 2])
    stored: dict[int, int | None] = {}
    for _ in range(12):
        await bench.begin()
        await bench.run("set constraints all deferred")
        rows, saved = dict(stored), None
        for _ in range(source.randrange(1, 7)):
            key, value = source.randrange(8), source.choice([None, *range(6)])
            shown = "null" if value is None else str(value)
            match source.randrange(6):
                case 0 | 1 if key not in rows:
                    await bench.run(f"insert into t values ({key}, {shown})")
                    rows[key] = value
                case 2:
                    await bench.run(f"update t set v = {shown} where id = {key}")
                    rows.update({key: value} if key in rows else {})
                case 3:
                    await bench.run(f"delete from t where id = {key}")
                    rows.pop(key, None)
                case 4:
                    await bench.run("update t set v = (v + 1) % 6")
                    rows = {k: None if v is None else (v + 1) % 6 for k, v in rows.items()}
                case 5 if saved is None:
                    bench.transaction.savepoint("s")
                    saved = dict(rows)
                case 5:
                    bench.transaction.rollback_to("s")
                    rows = dict(saved)
            found = await bench.rows("select id, v from t order by id")
            assert found == [
                (str(k), None if v is None else str(v)) for k, v in sorted(rows.items())
            ]
            some = [v for v in rows.values() if v is not None]
            if some:
                found = await bench.rows(f"select id from t where v = {some[0]} order by id")
                assert found == [(str(k),) for k, v in sorted(rows.items()) if v == some[0]]
        values = [v for v in rows.values() if v is not None]
        outcome = ""
        try:
            await bench.commit()
        except SqlError as error:
            outcome = error.sqlstate
        assert outcome == ("" if len(set(values)) == len(values) else "23505"), seed
        stored = stored if outcome else rows
