"""Who stops asking stops the work: LIMIT, EXISTS and their like over what has no end."""

from __future__ import annotations

import asyncio

import pytest
from engine_bench import Bench

from trilithon.core.errors import SqlError

SECONDS = 30
ENDLESS = "with recursive c as (select 1 n union all select n + 1 from c)"
LONG = "generate_series(1, 1000000000)"


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.run("create table t (a int primary key, b int)")
    await made.run("insert into t select g, g % 10 from generate_series(1, 3000) g")
    made.engine._memory_bytes = 16 << 20
    return made


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (f"{ENDLESS} select n from c limit 3", [("1",), ("2",), ("3",)]),
        (f"{ENDLESS} select n from c offset 5000 limit 1", [("5001",)]),
        (f"{ENDLESS} select x.n, y.n from c x, c y limit 2", [("1", "1"), ("1", "2")]),
        (
            f"{ENDLESS} select t.a from t where exists (select from c where n > t.a) limit 1",
            [("1",)],
        ),
        (f"select a, g from t, {LONG} g limit 2", [("1", "1"), ("1", "2")]),
        (f"select g, a from {LONG} g left join t on g > a limit 2", [("1", None), ("2", "1")]),
        (
            f"select g from (select 0 g union all select g from {LONG} g) x limit 2",
            [("0",), ("1",)],
        ),
        (f"select distinct g % 7 from {LONG} g limit 2", [("1",), ("2",)]),
        (f"select exists (select from {LONG})", [("t",)]),
        (f"select 1 from {LONG} g where g % 100 = 0 limit 1", [("1",)]),
        (
            f"select a, g from t, lateral (select g from {LONG} g where g > a limit 1) x limit 1",
            [("1", "2")],
        ),
        (f"select a, g from {LONG} g join t on a = g limit 2", [("1", "1"), ("2", "2")]),
        ("select 1 / (5 - g) from generate_series(1, 10) g limit 2", [("0",), ("0",)]),
    ],
)
async def test_it_ends(bench: Bench, sql: str, expected: list[tuple[str | None, ...]]) -> None:
    async with asyncio.timeout(SECONDS):
        assert await bench.rows(sql) == expected


async def test_without_a_limit_memory_ends_it(bench: Bench) -> None:
    with pytest.raises(SqlError) as caught:
        await bench.rows(f"{ENDLESS} select count(*) from c")
    assert caught.value.sqlstate == "53200"
    assert await bench.rows(f"{ENDLESS} select n from c limit 1") == [("1",)]


async def test_a_select_list_is_computed_for_the_rows_that_are_told(bench: Bench) -> None:
    await bench.run("create sequence s")
    await bench.rows("select nextval('s') from generate_series(1, 100) limit 3")
    assert await bench.rows("select nextval('s')") == [("4",)]


async def test_changing_rows_beside_an_endless_query(bench: Bench) -> None:
    await bench.run(
        f"{ENDLESS}, d as (delete from t where a in (select n from c limit 2) returning a) select 1"
    )
    assert await bench.rows("select min(a) from t") == [("3",)]


async def test_a_query_that_nests_another_is_evaluated_anew_each_round(bench: Bench) -> None:
    inner = "with d as materialized (select n from c) select x.n + 1 from d x, d y where x.n < 4"
    assert await bench.rows(
        f"with recursive c(n) as (select 1 union all ({inner})) select * from c"
    ) == [("1",), ("2",), ("3",), ("4",)]


async def test_the_first_rows_of_an_order_are_accounted() -> None:
    bench = Bench()
    sql = (
        "select g from (select g, repeat('x', 300) || g as e from generate_series(1, 6000) g) s"
        " order by e limit {limit}"
    )
    bench.engine._memory_bytes = 3 << 20
    assert len(await bench.rows(sql.format(limit=5))) == 5
    with pytest.raises(SqlError) as caught:
        await bench.rows(sql.format(limit=5000))
    assert caught.value.sqlstate == "53200"
