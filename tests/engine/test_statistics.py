"""ANALYZE, what the planner makes of it, and who may be disturbed by it."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from engine_bench import Bench
from hypothesis import given, settings
from hypothesis import strategies as st

from trilithon.core.errors import SqlError
from trilithon.query.statistics import keeper as keeper_module
from trilithon.query.statistics.definitions import decode_statistics
from trilithon.query.statistics.keeper import StatisticsKeeper
from trilithon.query.statistics.sampling import Sample, distinct_values


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    await bench.run("create table customers (id int primary key, country text, note text)")
    await bench.run("create table orders (id int primary key, customer int, total numeric)")
    await bench.run("create index orders_customer on orders (customer)")
    await bench.run("create table countries (code text primary key, name text)")
    await bench.run(
        "insert into customers select g, 'c' || g % 20, nullif('n' || g % 2, 'n0')"
        " from generate_series(1, 400) g"
    )
    await bench.run("insert into orders select g, g % 400 + 1, g from generate_series(1, 2000) g")
    await bench.run("insert into countries select 'c' || g, 'C' from generate_series(0, 19) g")
    return bench


async def analyse(bench: Bench, text: str = "analyze") -> None:
    (statement,) = bench.engine.parse(text)
    await bench.engine.gather_statistics(statement, bench.settings)


# ---- sampling


def test_a_sample_takes_every_row_equally_often() -> None:
    taken: Counter[int] = Counter()
    for seed in range(300):
        sample = Sample(random.Random(seed), 20)
        for start in range(0, 200, 30):
            sample.add([(number,) for number in range(start, min(start + 30, 200))])
        assert sample.seen == 200
        assert len(sample.rows) == len(set(sample.rows)) == 20
        taken.update(row[0] for row in sample.rows)
    # 30 times each in the mean; the tails of a binomial distribution are far from these.
    assert len(taken) == 200
    assert 8 < min(taken.values()) <= max(taken.values()) < 60
    first_half = sum(times for number, times in taken.items() if number < 100)
    assert 2700 < first_half < 3300


@given(st.integers(1, 2_000), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_a_column_s_values_are_counted_roughly(kinds: int, seed: int) -> None:
    source = random.Random(seed)
    values = [source.randrange(kinds) for _ in range(20_000)]
    truth = len(set(values))
    counts = Counter(source.sample(values, 4_000))
    found = distinct_values(Counter(dict(counts)), 0, 4_000, 20_000.0)
    assert truth * 0.7 <= found <= truth * 1.4


def test_what_another_version_wrote_is_no_statistics() -> None:
    assert decode_statistics(b"\x93\x01\x02\x03") is None
    assert decode_statistics(b"") is None


# ---- ANALYZE


async def test_analyze_counts(bench: Bench) -> None:
    before = await bench.rows("select reltuples from pg_class where relname = 'orders'")
    assert before == [("-1",)]
    await analyse(bench)
    assert await bench.rows(
        "select relname, reltuples from pg_class where relname in"
        " ('orders', 'customers', 'countries', 'orders_customer') order by 1"
    ) == [
        ("countries", "20"),
        ("customers", "400"),
        ("orders", "2000"),
        ("orders_customer", "2000"),
    ]
    assert await bench.rows(
        "select attname, null_frac, n_distinct from pg_stats where tablename = 'customers' order by 1"
    ) == [("country", "0", "20"), ("id", "0", "-1"), ("note", "0.5", "1")]


async def test_analyze_of_one_table_leaves_the_others(bench: Bench) -> None:
    await analyse(bench, "analyze countries")
    assert await bench.rows("select count(distinct tablename) from pg_stats") == [("1",)]
    with pytest.raises(SqlError) as caught:
        await analyse(bench, "analyze nothing")
    assert caught.value.sqlstate == "42P01"


async def test_truncated_and_dropped_tables_have_no_statistics(bench: Bench) -> None:
    await analyse(bench)
    await bench.run("truncate orders")
    await bench.run("drop table countries")
    assert await bench.rows("select distinct tablename from pg_stats") == [("customers",)]
    keeper = bench.cluster.manager.statistics
    await keeper._round()
    other = StatisticsKeeper(bench.cluster.manager)
    await other.refresh()
    transaction = await bench.cluster.manager.begin()
    known = [table.name for table in transaction.catalog.tables if other.of(table) is not None]
    assert known == ["customers"]


async def test_tables_that_changed_enough_are_counted_by_themselves(bench: Bench) -> None:
    keeper = bench.cluster.manager.statistics
    await keeper._round()
    assert await bench.rows(
        "select relname, reltuples from pg_class where relkind = 'r' and reltuples > 0 order by 1"
    ) == [("customers", "400"), ("orders", "2000")]
    gathered = keeper.gathered
    await bench.run("update customers set note = 'x' where id <= 60")
    await keeper._round()
    assert keeper.gathered == gathered, "60 of 400 is less than 50 and a tenth"
    await bench.run("update customers set note = 'x' where id <= 60")
    await keeper._round()
    assert keeper.gathered == gathered + 1


async def test_what_another_query_processor_counted_is_taken_over(bench: Bench) -> None:
    other = StatisticsKeeper(bench.cluster.manager)
    await analyse(bench)
    await other.refresh()
    transaction = await bench.cluster.manager.begin()
    table = transaction.catalog.table(("public",), "orders")
    found = other.of(table)
    assert found is not None
    assert found.rows == 2000
    generation = other.generation
    await other.refresh()
    assert other.generation == generation, "nothing is new"


async def test_large_tables_are_read_in_part(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper_module, "READ_ROWS_MAX", 500)
    await analyse(bench, "analyze orders")
    ((rows,),) = await bench.rows("select reltuples from pg_class where relname = 'orders'")
    assert 500 <= float(rows or 0) < 2000


async def test_an_open_transaction_is_not_disturbed(bench: Bench) -> None:
    await bench.begin()
    await bench.run("insert into orders values (5000, 1, 1)")
    transaction, bench.transaction = bench.transaction, None
    await analyse(bench)
    bench.transaction = transaction
    await bench.run("insert into orders values (5001, 1, 1)")
    await bench.commit()


# ---- plans


async def test_only_plans_of_changed_tables_are_made_anew(bench: Bench) -> None:
    await bench.run("select * from countries where code = 'c1'")
    await bench.run("select * from orders where id = 1")
    await analyse(bench, "analyze orders")
    made = bench.engine.plans_made
    await bench.run("select * from countries where code = 'c2'")
    assert bench.engine.plans_made == made
    await bench.run("select * from orders where id = 2")
    assert bench.engine.plans_made == made + 1


async def test_joins_start_where_there_is_least(bench: Bench) -> None:
    sql = (
        "select count(*) from orders o join customers c on o.customer = c.id"
        " join countries n on n.code = c.country where n.name = 'C' and o.total > 5"
    )
    expected = await bench.rows(sql)
    await analyse(bench)
    lines = (await bench.explain(sql)).splitlines()
    scans = [line for line in lines if " on " in line and "Filter" not in line]
    assert "orders" in scans[0] or "orders" in scans[-1]
    assert await bench.rows(sql) == expected == [("1995",)]


async def test_an_index_that_keeps_nearly_everything_is_not_used(bench: Bench) -> None:
    await bench.run("create table flags (id int primary key, flag bool, note text)")
    await bench.run("create index flags_flag on flags (flag)")
    await bench.run("insert into flags select g, g = 7 from generate_series(1, 1500) g")
    sql = "select * from flags where flag = true"
    assert "flags_flag" in await bench.explain(sql)
    await analyse(bench)
    assert "flags_flag" in await bench.explain(sql)
    assert len(await bench.rows(sql)) == 1
    assert "Seq Scan" in await bench.explain("select * from flags where flag = false")


@pytest.mark.parametrize("analysed", [False, True])
async def test_orders_of_joins_give_the_same_rows(bench: Bench, analysed: bool) -> None:
    if analysed:
        await analyse(bench)
    tables = ["orders o", "customers c", "countries n", "orders p", "customers d"]
    conditions = ["o.customer = c.id", "n.code = c.country", "p.id = o.id", "d.id = p.customer"]
    expected = None
    for seed in range(6):
        random.Random(seed).shuffle(tables)
        sql = (
            f"select count(*), sum(o.id) from {', '.join(tables)} where {' and '.join(conditions)}"
        )
        found = await bench.rows(sql + " and n.code < 'c15'")
        expected = expected or found
        assert found == expected


async def test_an_index_that_has_all_that_is_wanted_costs_less() -> None:
    bench = Bench()
    await bench.run("create table wide (id int primary key, a int, b int, s text)")
    await bench.run("create index wide_a on wide (a)")
    await bench.run("insert into wide select g, g % 2, g, 'x' from generate_series(1, 2000) g")
    await analyse(bench)
    # Fetching half of the rows one by one is dearer than reading the table.
    text = await bench.explain("select a, id from wide where a = 1")
    assert "Index Only Scan using wide_a" in text
    assert "Seq Scan" in await bench.explain("select a, b from wide where a = 1")
    assert "Seq Scan" in await bench.explain("select a from wide where a = 1 and b < 7")
    assert len(await bench.rows("select a, id from wide where a = 1")) == 1000
