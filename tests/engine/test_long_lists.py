"""Thousands of alternatives are data: they are planned as such and mean what a few mean."""

from __future__ import annotations

import pytest
from engine_bench import Bench

ROWS = 1_000
COUNT = 2_100


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    await bench.run("create table p (a int, b bigint, v text, n numeric, primary key (a, b))")
    await bench.run(
        f"insert into p select g, g % 7, nullif('v' || g % 5, 'v3'), g / 2.0"
        f" from generate_series(1, {ROWS}) g"
    )
    return bench


def listed(form: str, separator: str = " or ") -> str:
    return separator.join(form.format(i=i, m=i % 7) for i in range(COUNT))


@pytest.mark.parametrize(
    ("condition", "count", "words"),
    [
        (f"(a, b) in ({listed('({i}, {m})', ', ')})", ROWS, "Hash Semi Join"),
        (f"(b, a) in ({listed('({m}, {i})', ', ')}) and a < 11", 10, "Semi Join"),
        (listed("(a = {i} and v = 'v1')"), ROWS // 5, "Hash Semi Join"),
        (f"(v, a) in ({listed('(null, {i})', ', ')})", 0, "Semi Join"),
        (f"(n * 2, a) in ({listed('({i}, {i})', ', ')})", ROWS, "Semi Join"),
        (listed("a = {i}"), ROWS, "Seq Scan"),
        (f"a in ({listed('{i}', ', ')})", ROWS, "Seq Scan"),
        (f"({listed('b = {i}')}) and v is null", ROWS // 5, "Seq Scan"),
    ],
    ids=range(8),
)
async def test_thousands(bench: Bench, condition: str, count: int, words: str) -> None:
    sql = f"select count(*) from p where {condition}"
    assert words in await bench.explain(sql)
    assert await bench.rows(sql) == [(str(count),)]


async def test_a_few_are_looked_up(bench: Bench) -> None:
    pairs = ", ".join(f"({i}, {i % 7})" for i in range(1, 200))
    text = await bench.explain(f"select * from p where (a, b) in ({pairs})")
    assert text.startswith("Index Scan using p_pkey")
    either = " or ".join(f"a = {i}" for i in range(1, 200))
    text = await bench.explain(f"select * from p where {either}")
    assert text.startswith("Index Scan using p_pkey")
    assert len(await bench.rows(f"select * from p where {either}")) == 199


async def test_changes_by_thousands_of_keys(bench: Bench) -> None:
    pairs = listed("({i}, {m})", ", ")
    answer = await bench.run(f"update p set v = 'new' where (a, b) in ({pairs}) and a <= 500")
    assert answer.tag == "UPDATE 500"
    answer = await bench.run(f"delete from p where (a, b) in ({pairs}) and v = 'new'")
    assert answer.tag == "DELETE 500"
