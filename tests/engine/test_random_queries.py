"""Random queries give the same rows on both systems."""

from __future__ import annotations

import asyncio
import os
import random

import psycopg
from engine_bench import Bench
from random_queries import SCHEMA, Queries, rows
from test_engine_against_postgresql import differ, ours, theirs

SEED = int(os.environ.get("TRILITHON_SEED", "7"))
COUNT = int(os.environ.get("TRILITHON_QUERIES", "250"))


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
