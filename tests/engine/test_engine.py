"""The engine's own promises: plans, caches, bounds, turns for others."""

from __future__ import annotations

import asyncio

import pytest
from engine_bench import Bench

from trilithon.core.errors import SqlError
from trilithon.types.registry import INT4, TEXT


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    await bench.run("create table t (a int primary key, b int, c text, d numeric(8,2))")
    await bench.run("create index t_b on t (b)")
    await bench.run("create unique index t_c on t (c) include (b)")
    await bench.run("insert into t select g, g % 10, 'c' || g, g from generate_series(1, 200) g")
    return bench


async def refused(bench: Bench, sql: str, sqlstate: str) -> SqlError:
    with pytest.raises(SqlError) as caught:
        await bench.run(sql)
    assert caught.value.sqlstate == sqlstate, caught.value
    return caught.value


# ---- plans


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select * from t where a = 1", "Index Scan using t_pkey on t\n  Index Cond: (t.a = 1)"),
        ("select * from t where a in (1, 2)", "Index Scan using t_pkey on t"),
        ("select * from t where a > 5 and a < 9", "Index Cond: ((t.a > 5) AND (t.a < 9))"),
        ("select * from t where b = 5 and d > 3", "Storage Filter: (t.d > '3'::numeric)"),
        ("select * from t where b = 5 and d > 3", "Index Scan using t_b on t"),
        ("select * from t where d > 3", "Seq Scan on t"),
        ("select b from t where c = 'c7'", "Index Scan using t_c on t"),
        ("select c, b from t where c > 'c7'", "Index Only Scan using t_c on t"),
        ("select a from t order by a desc limit 3", "Index Scan Backward using t_pkey on t"),
        ("select c from t order by c limit 3", "Index Only Scan using t_c on t"),
        ("select d from t order by d limit 3", "Top-N Sort"),
        ("select x.b from t x join t y on y.a = x.b where x.a = 1", "Batched Lookup"),
        ("select x.b from t x join t y on y.d = x.d", "Hash Join"),
        ("select count(*) from t group by b", "HashAggregate"),
        ("update t set b = 1 where a = 1", "Update on t"),
    ],
)
async def test_plans(bench: Bench, sql: str, expected: str) -> None:
    assert expected in await bench.explain(sql)


async def test_explain_json(bench: Bench) -> None:
    ((text,),) = await bench.rows("explain (format json) select * from t where a = 1")
    assert '"Node Type": "Index Scan using t_pkey on t"' in (text or "")


async def test_a_point_read_asks_storage_once(bench: Bench) -> None:
    await bench.run("select * from t where a = 1")
    before = bench.cluster.reads.gets
    assert await bench.rows("select b from t where a = 17") == [("7",)]
    assert bench.cluster.reads.gets - before <= 1


# ---- the plan cache


async def test_literals_share_a_plan(bench: Bench) -> None:
    await bench.run("select b from t where a = 1 and c = 'c1'")
    made = bench.engine.plans_made
    assert await bench.rows("select b from t where a = 23 and c = 'c23'") == [("3",)]
    assert bench.engine.plans_made == made


async def test_a_changed_table_is_planned_again(bench: Bench) -> None:
    sql = "select * from t where a = 1"
    assert len((await bench.run(sql)).columns) == 4
    await bench.run("alter table t add column e int default 9")
    answer = await bench.run(sql)
    assert answer.rows == [("1", "1", "c1", "1.00", "9")]
    await bench.run("drop table t")
    await refused(bench, sql, "42P01")
    await bench.run("create table t (z text)")
    assert (await bench.run("select * from t")).columns == [("z", TEXT.oid)]


async def test_a_new_table_does_not_disturb_other_plans(bench: Bench) -> None:
    await bench.run("select b from t where a = 1")
    await bench.run("create table other (a int)")
    made = bench.engine.plans_made
    await bench.run("select b from t where a = 2")
    assert bench.engine.plans_made == made


async def test_a_table_that_comes_first_on_the_path_is_seen(bench: Bench) -> None:
    await bench.run("create schema s")
    bench.settings.search_path = ("s", "public")
    assert await bench.rows("select b from t where a = 3") == [("3",)]
    await bench.run("create table s.t (a int primary key, b text)")
    assert await bench.rows("select b from t where a = 3") == []


async def test_moments_are_not_cached(bench: Bench) -> None:
    from trilithon.types.settings import IoSettings

    await bench.run("select 'now'::timestamptz, x from (values ('today'::date)) v(x)")
    bench.settings.io = IoSettings(now_us=86_400_000_000 * 400)
    ((text,),) = await bench.rows("select 'today'::date")
    assert text == "2001-02-04"


async def test_parameters_get_their_types_from_the_context(bench: Bench) -> None:
    (statement,) = bench.engine.parse("select $2::text, b from t where a = $1 and d > $3")
    transaction = await bench.cluster.manager.begin()
    prepared = await bench.engine.prepare(statement, transaction, (), bench.settings)
    assert [ref.oid for ref in prepared.parameter_types] == [INT4.oid, TEXT.oid, 1700]
    await refused(bench, "select $1", "08P01")
    await refused(bench, "select $1 from t where a = $1 and c = $1", "42883")


# ---- statements in a transaction


async def test_a_statement_does_not_see_its_own_changes(bench: Bench) -> None:
    await bench.begin()
    await bench.run("insert into t select a + 1000, b, null, d from t")
    assert await bench.rows("select count(*) from t") == [("400",)]
    await bench.run("update t set b = b + 1")
    assert await bench.rows("select sum(b) from t") == [(str(2 * 900 + 400),)]
    await bench.run("delete from t where a > 1000")
    await bench.commit()
    assert await bench.rows("select count(*), min(b) from t") == [("200", "1")]


async def test_an_index_follows_its_rows(bench: Bench) -> None:
    await bench.run("update t set b = 77 where a = 5")
    assert await bench.rows("select a from t where b = 77") == [("5",)]
    assert ("5",) not in await bench.rows("select a from t where b = 5")
    await bench.run("delete from t where a = 5")
    assert await bench.rows("select a from t where b = 77") == []


async def test_for_update_conflicts_at_commit(bench: Bench) -> None:
    await bench.begin()
    assert len(await bench.rows("select * from t where a = 1 for update")) == 1
    first = bench.transaction
    bench.transaction = None
    await bench.run("update t set b = 0 where a = 1")
    with pytest.raises(SqlError) as caught:
        await first.commit()
    assert caught.value.sqlstate == "40001"


async def test_expression_and_partial_indexes(bench: Bench) -> None:
    await bench.run("create index t_e on t (lower(c), a) where b > 3")
    sql = "select a from t where lower(c) = 'c17' and b > 3"
    assert "Index Scan using t_e" in await bench.explain(
        sql
    ) or "Index Only" in await bench.explain(sql)
    assert await bench.rows(sql) == [("17",)]
    assert "t_e" not in await bench.explain("select a from t where lower(c) = 'c17'")
    await bench.run("update t set b = 0 where a = 17")
    assert await bench.rows(sql) == []


async def test_values_beyond_the_columns_type_find_nothing(bench: Bench) -> None:
    assert await bench.rows("select a from t where a = 99999999999") == []
    assert await bench.rows("select a from t where a < -99999999999") == []
    assert await bench.rows("select count(*) from t where a < 99999999999") == [("200",)]
    assert await bench.rows("select a from t where c = '" + "x" * 3000 + "'") == []
    assert len(await bench.rows("select a from t where c < '" + "x" * 3000 + "'")) == 200


async def test_copy_targets_check_and_fill(bench: Bench) -> None:
    await bench.run("create table u (a int not null, b int default 4, c int check (c > 0))")
    (statement,) = bench.engine.parse("copy u (a, c) from stdin")
    await bench.begin()
    target = await bench.engine.copy_in(statement, bench.transaction, bench.settings)
    assert [column.name for column in target.columns] == ["a", "c"]
    from trilithon.expression.context import EvalContext

    context = EvalContext(settings=bench.settings.io)
    await target.insert([(1, 2), (3, None)], context)
    await bench.commit()
    assert await bench.rows("select * from u") == [("1", "4", "2"), ("3", "4", None)]
    await bench.begin()
    target = await bench.engine.copy_in(statement, bench.transaction, bench.settings)
    with pytest.raises(SqlError) as caught:
        await target.insert([(None, 1)], context)
    assert caught.value.sqlstate == "23502"
    with pytest.raises(SqlError) as caught:
        await target.insert([(1, -1)], context)
    assert caught.value.sqlstate == "23514"


# ---- bad input


@pytest.mark.parametrize(
    "sql",
    [
        "select " + "1+" * 400 + "1",
        "select " + "-(" * 300 + "1" + ")" * 300,
        "select " + "(select " * 150 + "1" + ")" * 150,
        "select 1 where " + "not " * 400 + "true",
        "select " + "case when true then " * 200 + "1" + " end" * 200,
    ],
)
async def test_deep_nesting_is_answered_or_refused(bench: Bench, sql: str) -> None:
    try:
        await bench.run(sql)
    except SqlError as error:
        assert error.sqlstate == "54001", error
    assert await bench.rows("select 1") == [("1",)]


async def test_long_flat_statements_work(bench: Bench) -> None:
    items = ", ".join(str(number) for number in range(5000))
    assert await bench.rows(f"select count(*) from t where a in ({items})") == [("200",)]
    either = " or ".join(f"a = {number}" for number in range(3000))
    assert await bench.rows(f"select count(*) from t where {either}") == [("200",)]
    values = ", ".join(f"({number}, 'x{number}', {number}.5)" for number in range(3000, 5500))
    await bench.run(f"insert into t (a, c, d) values {values}")
    assert await bench.rows("select count(*), sum(d) from t where a >= 3000") == [
        ("2500", str(sum(range(3000, 5500)) + 1250) + ".00")
    ]


async def test_others_get_their_turn_while_a_long_statement_is_planned(bench: Bench) -> None:
    stop = asyncio.Event()

    async def watch() -> int:
        turns = 0
        while not stop.is_set():
            await asyncio.sleep(0)
            turns += 1
        return turns

    watcher = asyncio.create_task(watch())
    values = ", ".join(f"({number}, 'y{number}')" for number in range(10_000, 12_900))
    await bench.run(f"insert into t (a, c) values {values}")
    stop.set()
    assert await watcher > 20


async def test_memory_is_limited(bench: Bench) -> None:
    bench.engine._memory_bytes = 200_000
    await refused(bench, "select * from generate_series(1, 100000) g order by g desc", "53200")
    await refused(
        bench, "select array_agg(g order by g) from generate_series(1, 100000) g", "53200"
    )
    await refused(bench, "select count(*) from generate_series(1, 100000) g group by g", "53200")
    assert await bench.rows("select count(*) from generate_series(1, 100000) g") == [("100000",)]
    await refused(
        bench,
        "with recursive r(n) as (select 1 union all select n + 1 from r) select * from r",
        "53200",
    )


async def test_a_running_statement_can_be_cancelled(bench: Bench) -> None:
    task = asyncio.create_task(
        bench.run("select count(*) from generate_series(1, 100000000) g where g % 7 = 3")
    )
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await bench.rows("select 1") == [("1",)]


async def test_what_is_missing_says_its_name(bench: Bench) -> None:
    for sql, words in (
        ("merge into t using t x on false when matched then do nothing returning 1", "RETURNING"),
        ("create temp table x (a int)", "temporary tables"),
        ("create trigger x before insert on t execute function f()", "CREATE TRIGGER"),
        ("select * from t tablesample system (1)", "TABLESAMPLE"),
        ("listen x", "LISTEN"),
        ("create function f() returns int language plpgsql as 'x'", "plpgsql"),
    ):
        error = await refused(bench, sql, "0A000")
        assert words in error.message


async def test_errors_point_at_their_place_though_literals_were_lifted(bench: Bench) -> None:
    error = await refused(bench, "select a from t where a = 'x'", "22P02")
    assert error.position == 27
    error = await refused(bench, "select a from t where a = 12345 and c = 'é' and zz = 1", "42703")
    assert error.position == 49


async def test_rows_of_key_values_are_point_reads(bench: Bench) -> None:
    await bench.run("create table k2 (a int, b int, c text, primary key (a, b))")
    await bench.run("insert into k2 select g / 10, g % 10, 'v' || g from generate_series(0, 99) g")
    sql = "select c from k2 where (a, b) in ((1, 2), (3, 4), (77, 1))"
    assert "Index Scan using k2_pkey" in await bench.explain(sql)
    asked = bench.cluster.reads.keys_asked
    assert sorted(await bench.rows(sql)) == [("v12",), ("v34",)]
    assert bench.cluster.reads.keys_asked - asked == 3
    sql = "select c from k2 where (a = 1 and b = 2 and c = 'no') or (a = 3 and b = 4)"
    assert await bench.rows(sql) == [("v34",)]
