"""What indexes spare: extremes, orders from either end, ranges and points, and the answers that they give."""

from __future__ import annotations

import pytest
from engine_bench import Bench


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    await bench.run("create table w (id int primary key, a int, b int not null, c text)")
    await bench.run("create index w_ab on w (a, b)")
    await bench.run("create index w_c on w (c desc)")
    await bench.run(
        "insert into w select g, nullif(g % 10, 9), g, nullif('c' || g % 100, 'c99')"
        " from generate_series(1, 1500) g"
    )
    return bench


@pytest.mark.parametrize(
    ("sql", "plan", "expected"),
    [
        ("select max(id) from w", "Index Scan Backward using w_pkey", "1500"),
        ("select min(id) from w", "Index Scan using w_pkey", "1"),
        ("select max(id) + 1 from w where id < 700", "Backward using w_pkey", "700"),
        ("select min(id) from w where c = 'c7' and id > 7", "using w_", "107"),
        ("select max(b) from w where a = 3", "Backward using w_ab", "1493"),
        ("select min(b) from w where a = 3 and b > 20", "using w_ab", "23"),
        ("select max(a) from w", "Backward using w_ab", "8"),
        ("select min(a) from w", "using w_ab", "0"),
        ("select max(c) from w", "using w_c", "c98"),
        ("select min(c) from w", "Backward using w_c", "c0"),
        ("select max(id) from w where id > 5000", "using w_pkey", None),
        ("select max(b) from w", "Seq Scan", "1500"),
        ("select max(id) filter (where a = 1) from w", "Seq Scan", "1491"),
        ("select max(id) from w having max(id) > 3", "Backward using w_pkey", "1500"),
        (
            "select (select max(y.id) from w y where y.a = x.a) from w x where id = 1",
            "w_pkey",
            "1491",
        ),
    ],
)
async def test_extremes(bench: Bench, sql: str, plan: str, expected: str | None) -> None:
    text = await bench.explain(sql)
    assert plan in text
    assert "Sort" not in text
    assert await bench.rows(sql) == [(expected,)]


@pytest.mark.parametrize(
    "sql",
    [
        "select max(id) from w",
        "select max(b) from w where a = 3",
        "select id from w order by id desc limit 1",
        "select b from w where a = 4 order by b desc limit 1",
    ],
)
async def test_one_row_is_read(bench: Bench, sql: str) -> None:
    rows = (await bench.run(f"explain (analyze, timing off) {sql}")).rows
    scans = [row[0] or "" for row in rows if "Scan" in (row[0] or "")]
    assert scans
    assert all("(actual rows=1 loops=1)" in line for line in scans)


@pytest.mark.parametrize(
    ("sql", "plan", "count"),
    [
        ("select a, b from w where a = 3 and b > 1400", "Index Only Scan using w_ab", 10),
        ("select * from w where a in (1, 2) and b = 1241", "using w_ab", 1),
        ("select * from w where (a = 1 and b = 11) or (a = 2 and b = 12)", "using w_ab", 2),
        ("select * from w where a = 1 and b between 5 and 41", "using w_ab", 4),
        ("select * from w order by id desc limit 3 offset 2", "Backward using w_pkey", 3),
        ("select * from w where a = 3 order by b desc limit 3", "Backward using w_ab", 3),
        ("select x.id from w x join w y on y.id = x.b where x.a = 3", "Batched Lookup", 150),
        ("select count(*) from w", "Storage Aggregate: count(*)", 1),
        ("select a, count(*) from w group by a", "Storage Group Key", 10),
    ],
)
async def test_ways(bench: Bench, sql: str, plan: str, count: int) -> None:
    assert plan in await bench.explain(sql)
    assert len(await bench.rows(sql)) == count
