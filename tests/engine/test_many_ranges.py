"""Conditions with very many values, and reads that are larger than the memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from engine_bench import Bench

from trilithon.core.errors import SqlError
from trilithon.expression.context import EvalContext
from trilithon.query.execute.ranges import AHEAD, chunks_of

MANY = 30_000


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    await bench.run("create table t (id int primary key, n int, s text)")
    await bench.run("create index t_n on t (n)")
    await bench.run("insert into t select g, g % 500, 'v' || g from generate_series(1, 2000) g")
    return bench


@pytest.mark.parametrize("column", ["id", "n", "(n + 0)"])
async def test_a_long_list_finds_what_a_join_finds(bench: Bench, column: str) -> None:
    values = ", ".join(str(number * 3) for number in range(MANY))
    found = await bench.rows(f"select id from t where {column} in ({values}) order by id")
    wanted = await bench.rows(f"select id from t where {column} % 3 = 0 order by id")
    assert found == wanted
    assert len(found) > 600
    counted = await bench.rows(f"select count(*), max(s) from t where {column} in ({values})")
    assert counted[0][0] == str(len(wanted))


async def test_lists_of_other_shapes(bench: Bench) -> None:
    rows = ", ".join(f"({number}, {number % 500})" for number in range(0, 3000, 2))
    assert await bench.rows(f"select count(*) from t where (id, n) in ({rows})") == [("1000",)]
    texts = ", ".join(f"'v{number}'" for number in range(MANY))
    assert await bench.rows(f"select count(*) from t where s in ({texts})") == [("2000",)]
    assert await bench.rows(f"select count(*) from t where s not in ({texts})") == [("0",)]
    with pytest.raises(SqlError) as caught:
        await bench.rows("select 1 from t where id = any(array(select generate_series(1, 100001)))")
    assert caught.value.sqlstate == "54000"


async def test_ranges_keep_their_order_and_see_own_writes(bench: Bench) -> None:
    values = ", ".join(map(str, range(100, 400, 3)))
    await bench.begin()
    await bench.run("delete from t where n = 100; update t set n = 103 where id = 1")
    await bench.run("insert into t values (9999, 106, 'own')")
    plain = await bench.rows("select n, id from t where n between 100 and 399 and n % 3 = 1")
    for order in ("n, id", "n desc, id desc"):
        found = await bench.rows(f"select n, id from t where n in ({values}) order by {order}")
        keys = [(int(n or 0), int(i or 0)) for n, i in found]
        assert keys == sorted(keys, reverse="desc" in order)
        assert sorted(found) == sorted(plain)
        few = await bench.rows(
            f"select n, id from t where n in ({values}) order by {order} limit 7"
        )
        assert few == found[:7]
    bench.rollback()


@pytest.mark.parametrize("failing", [None, 5])
async def test_chunks_come_in_order_however_long_each_takes(failing: int | None) -> None:
    open_now, most, closed = 0, 0, 0

    async def scan(start: bytes, end: bytes) -> AsyncIterator[Any]:
        nonlocal open_now, most, closed
        open_now += 1
        most = max(most, open_now)
        try:
            for part in range(start[0] % 3):
                await asyncio.sleep(0)
                if start[0] == failing:
                    raise SqlError("22012", "division by zero")
                yield start[0], part
        finally:
            open_now -= 1
            closed += 1

    ranges = [(bytes([number]), b"") for number in range(100)]
    found = []
    try:
        async for chunk in chunks_of(ranges, scan):
            found.append(chunk)
    except SqlError:
        assert failing is not None
    wanted = [(number, part) for number in range(100) for part in range(number % 3)]
    assert found == (wanted if failing is None else [one for one in wanted if one[0] < 5])
    assert open_now == 0
    assert most <= AHEAD
    early = chunks_of(ranges, scan)
    assert await anext(early) == (1, 0)
    await early.aclose()
    assert open_now == 0


async def test_a_large_scan_is_read_as_it_is_wanted(bench: Bench) -> None:
    await bench.run("create table wide (id int primary key, s text)")
    await bench.run("insert into wide select g, repeat('x', 2000) from generate_series(1, 2500) g")
    bench.engine._memory_bytes = 300_000
    given = 0
    reads = bench.cluster.reads
    scan = reads.scan

    async def counted(*arguments: Any, **options: Any) -> AsyncIterator[Any]:
        nonlocal given
        async for chunk in scan(*arguments, **options):
            given += len(chunk.rows)
            yield chunk

    reads.scan = counted  # type: ignore[method-assign]
    (statement,) = bench.engine.parse("select s from wide where s <> ''")
    transaction = await bench.cluster.manager.begin()
    prepared = await bench.engine.prepare(statement, transaction, (), bench.settings)
    context = EvalContext(settings=bench.settings.io, session=bench.session)
    result = await bench.engine.execute(prepared, transaction, (), context)
    assert not isinstance(result.rows, list)
    count = 0
    async for batch in result.rows:
        count += len(batch)
        # Twice a chunk at most is on its way.
        assert given - count <= 2 * reads.chunk_rows
    assert count == 2500
    transaction.rollback()
