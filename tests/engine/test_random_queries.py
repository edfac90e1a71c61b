"""Random queries give the same rows on both systems."""

from __future__ import annotations

import asyncio
import os
import random

import psycopg
from engine_bench import Bench
from random_queries import SCHEMA, Changes, Queries, rows
from test_engine_against_postgresql import differ, ours, theirs

SEED = int(os.environ.get("TRILITHON_SEED", "7"))
COUNT = int(os.environ.get("TRILITHON_QUERIES", "150"))


def test_random_queries_agree(postgresql: str) -> None:
    print(f"replay: TRILITHON_SEED={SEED} TRILITHON_QUERIES={COUNT}")
    wrong: list[str] = []
    refused = 0

    async def run() -> None:
        nonlocal refused
        bench = Bench()
        for sql in (*SCHEMA, *rows(random.Random(SEED))):
            answer, other = await ours(bench, sql), theirs(connection, sql)
            assert (answer.sqlstate, other.sqlstate) == ("", ""), (sql, answer, other)
        queries = Queries(SEED)
        for _ in range(COUNT):
            sql = queries.query()
            mine, other = await ours(bench, sql), theirs(connection, sql)
            if mine.sqlstate == "0A000":
                refused += 1
                continue
            problem = differ(sql, mine, other)
            if problem:
                wrong.append(f"{sql}\n    {problem}")

    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("create schema random_queries")
        connection.execute("set search_path to random_queries")
        asyncio.run(run())
    assert not wrong, f"seed {SEED}: {len(wrong)} of {COUNT} differ:\n" + "\n".join(wrong[:10])
    assert refused <= COUNT // 10


def test_random_changes_agree(postgresql: str) -> None:
    """Within transactions, some rolled back: what statements answer, and what is there in the end."""
    print(f"replay: TRILITHON_SEED={SEED} TRILITHON_QUERIES={COUNT}")
    wrong: list[str] = []

    async def both(bench: Bench, sql: str) -> str:
        mine, other = await ours(bench, sql), theirs(connection, sql)
        if mine.sqlstate == "0A000":
            # Refused: as good as an error on both sides.
            theirs(connection, "select 1 / 0")
            return "0A000"
        problem = differ(sql, mine, other)
        if problem:
            wrong.append(f"{sql}\n    {problem}")
        return other.sqlstate

    async def run() -> None:
        bench = Bench()
        source = random.Random(SEED)
        for sql in (*SCHEMA, *rows(source)):
            assert await both(bench, sql) == ""
        changes = Changes(SEED)
        for _ in range(max(COUNT // 10, 1)):
            await bench.begin()
            theirs(connection, "begin isolation level repeatable read")
            failed = False
            for _ in range(source.randint(1, 5)):
                if await both(bench, changes.change()) or await both(bench, changes.query()):
                    failed = True
                    break
            if failed or source.random() < 0.3:
                theirs(connection, "rollback")
                if bench.transaction is not None:
                    bench.rollback()
            else:
                theirs(connection, "commit")
                await bench.commit()
            for table, key in (("ra", "id"), ("rb", "k, id"), ("rc", "id")):
                await both(bench, f"select * from {table} order by {key}")
            for indexed in (
                "select id from ra where k = 3",
                "select id from rb where d > '2024-01-02'",
            ):
                await both(bench, indexed)
            if wrong:
                return

    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("create schema random_changes")
        connection.execute("set search_path to random_changes")
        asyncio.run(run())
    assert not wrong, f"seed {SEED}:\n" + "\n".join(wrong[:5])
