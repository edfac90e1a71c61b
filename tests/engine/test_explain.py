"""EXPLAIN: what it says, and that ANALYZE executes and measures."""

from __future__ import annotations

import json

import pytest
from engine_bench import Bench

from trilithon.core.errors import SqlError
from trilithon.expression.context import EvalContext


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.run("create table t (a int primary key, b int)")
    await made.run("insert into t select g, g % 10 from generate_series(1, 500) g")
    return made


async def lines(bench: Bench, sql: str) -> list[str]:
    return [row[0] or "" for row in (await bench.run(sql)).rows]


async def test_analyze_counts_rows_and_loops(bench: Bench) -> None:
    found = await lines(
        bench,
        "explain (analyze, timing off) select a, (select count(distinct y.a) from t y where y.b = x.b) "
        "from t x where a <= 20",
    )
    text = "\n".join(found)
    assert "(actual rows=20 loops=1)" in text
    assert "(actual rows=1 loops=10)" in text
    assert "(actual rows=50 loops=10)" in text
    assert found[-2].startswith("Planning Time: ")
    assert found[-1].startswith("Execution Time: ")
    assert "time=" not in text


async def test_what_did_not_run_says_so(bench: Bench) -> None:
    text = "\n".join(
        await lines(
            bench, "explain analyze select * from t where a = 999 and b in (select 1 from t)"
        )
    )
    assert "rows=0" in text


async def test_analyze_executes_changes_and_gives_no_rows_of_theirs(bench: Bench) -> None:
    answer = await bench.run("explain analyze insert into t values (1000, 1) returning a")
    assert answer.tag == "EXPLAIN"
    assert answer.columns[0][0] == "QUERY PLAN"
    assert await bench.rows("select b from t where a = 1000") == [("1",)]
    await bench.run("explain analyze update t set b = -1 where a < 3")
    await bench.run("explain analyze delete from t where a = 1000")
    await bench.run(
        "explain (analyze) merge into t using t s on t.a = s.a when matched and t.a = 3 then delete"
    )
    await bench.run("explain delete from t")
    assert await bench.rows("select count(*), sum(b) filter (where a < 3) from t") == [
        ("499", "-2")
    ]
    with pytest.raises(SqlError) as caught:
        await bench.run("explain analyze insert into t values (5, 5)")
    assert caught.value.sqlstate == "23505"


async def test_analyze_as_json(bench: Bench) -> None:
    ((text,),) = await bench.rows(
        "explain (analyze, format json) select b, count(distinct a) from t group by b"
    )
    (document,) = json.loads(text or "")
    assert document["Plan"]["Actual Rows"] == 10
    assert document["Plan"]["Plans"][0]["Actual Rows"] == 500
    assert document["Execution Time"] >= 0
    assert document["Planning Time"] >= 0


async def test_verbose_names_the_columns(bench: Bench) -> None:
    text = "\n".join(await lines(bench, "explain (verbose) select a, b + 1 as next from t"))
    assert "Output: " in text


async def test_a_plan_runs_more_than_once(bench: Bench) -> None:
    statement = bench.engine.parse("explain (analyze, timing off, summary off) select * from t")[0]
    seen = []
    for _ in range(2):
        transaction = await bench.cluster.manager.begin()
        prepared = await bench.engine.prepare(statement, transaction, (), bench.settings)
        for _ in range(2):
            result = await bench.engine.execute(prepared, transaction, (), EvalContext())
            seen.append(result.rows)
        transaction.rollback()
    assert all(rows == seen[0] for rows in seen)
    assert "rows=500 loops=1" in seen[0][0][0]


@pytest.mark.parametrize(
    ("options", "sqlstate"),
    [
        ("nosuch", "42601"),
        ("format nosuch", "22023"),
        ("format xml", "0A000"),
        ("analyze maybe", "42601"),
        ("timing", "22023"),
        ("wal", "22023"),
        ("timing off", ""),
        ("analyze off, costs off, buffers, settings 1, summary on", ""),
        ("analyze true, timing false, format 'json', verbose on", ""),
    ],
)
async def test_options(bench: Bench, options: str, sqlstate: str) -> None:
    if not sqlstate:
        assert await bench.rows(f"explain ({options}) select 1")
        return
    with pytest.raises(SqlError) as caught:
        await bench.run(f"explain ({options}) select 1")
    assert caught.value.sqlstate == sqlstate
