"""Aggregates made in storage, part by part, give what grouping all rows here gives."""

from __future__ import annotations

import random

import pytest
from engine_bench import Bench

from trilithon.core.errors import SqlError
from trilithon.query.engine import Engine
from trilithon.query.plan import grouping

QUERIES = (
    "select count(*) from t",
    "select count(*), count(n), count(s) from t",
    "select sum(n), avg(n), min(n), max(n), sum(b), avg(b), min(b), max(b) from t",
    "select sum(d), avg(d), min(d), max(d), variance(d), stddev(n), var_pop(b) from t",
    "select min(s), max(s), min(f), max(f), bool_and(n > 3), bool_or(n > 90), bit_xor(n) from t",
    "select g, count(*), sum(n), max(s) from t group by g order by g",
    "select f, count(*) from t group by f order by f",
    "select g % 2, s, count(*), sum(d) from t group by 1, 2 order by 1, 2",
    "select g, sum(n) from t where n between 10 and 60 and s is not null group by g order by g",
    "select g, sum(n) filter (where b > 0), count(*) filter (where s like 'a%') from t"
    " group by g order by g",
    "select count(*) from t where id > 40",
    "select count(*) from t where id > 40 and id < 60 or id between 100 and 120",
    "select sum(n) from t where false",
    "select g, count(*) from t where n < 0 group by g",
    "select sum(b + 1) * 2, max(n) - min(n) from t having count(*) > 3",
    "select g, s, count(*) from t group by rollup (g, s) order by 1, 2, 3",
    "select g, count(*) from t group by grouping sets ((g), ()) order by 1, 2",
    "select count(*) from t a where n > (select avg(n) from t b where b.g = a.g)",
    "select x, (select sum(n) from t where g = x) from generate_series(0, 4) x order by x",
    "select late, count(*) from t group by late order by late",
    "select count(*) from (select distinct g from t) u",
    "select g, array_agg(n order by n), sum(f), count(distinct s) from t group by g order by g",
)


class Both:
    """The same statements through an engine that pushes groups and one that does not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bench = Bench()
        self.pushing = self.bench.engine
        self.plain = Engine(self.bench.cluster.manager)
        self.monkeypatch = monkeypatch

    async def agree(self, sql: str, *parameters: object) -> list[tuple[str | None, ...]]:
        self.bench.engine = self.plain
        with self.monkeypatch.context() as patch:
            patch.setattr(grouping, "storage_groups", lambda *_: None)
            wanted = await self.bench.run(sql, parameters)
        self.bench.engine = self.pushing
        for chunk_rows in (1, 7, 1000):
            self.bench.cluster.reads.chunk_rows = chunk_rows
            found = await self.bench.run(sql, parameters)
            assert (found.columns, found.rows) == (wanted.columns, wanted.rows), (sql, chunk_rows)
        return wanted.rows


async def fill(bench: Bench, count: int) -> None:
    await bench.run(
        "create table t (id int primary key, g int, n int, b bigint, d numeric, f float8, s text)"
    )
    source = random.Random(5)
    for number in range(count):
        values = [
            str(source.randrange(4)),
            str(source.randrange(100)),
            str(source.choice((-1, 1)) * source.randrange(1 << 63)),
            source.choice(("1.5", "2.50", "-1e30", "0.001", "'NaN'")),
            source.choice(("'0'", "'-0'", "1.5", "'Infinity'", "'NaN'")),
            source.choice(("'a'", "'ab'", "'b'", "''")),
        ]
        values = [value if source.random() > 0.1 else "null" for value in values]
        await bench.run(f"insert into t values ({number}, {', '.join(values)})")
    await bench.run("alter table t add column late int default 7")


@pytest.mark.parametrize("count", [0, 150])
async def test_with_and_without(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    both = Both(monkeypatch)
    await fill(both.bench, count)
    for sql in QUERIES:
        await both.agree(sql)
    if count:
        assert both.bench.cluster.reads.partial_rows > 0
    assert await both.agree("select count(*), sum(n) from t where g < $1", 1)


async def test_own_writes_and_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Both(monkeypatch)
    bench = both.bench
    await fill(bench, 60)
    before = await both.agree("select g, count(*), sum(n) from t group by g order by g")
    await bench.begin()
    old = bench.transaction
    bench.transaction = None
    await bench.run("update t set n = n + 1; delete from t where id % 3 = 0")
    bench.transaction = old
    # A snapshot of the past.
    assert await both.agree("select g, count(*), sum(n) from t group by g order by g") == before
    await bench.run("insert into t values (1000, 77, 5, 1 << 62, 1, 1, 'own')")
    await bench.run("delete from t where id < 10; update t set g = 78 where id = 20")
    told = bench.cluster.reads.partial_rows
    for sql in QUERIES:
        await both.agree(sql)
    # Own writes within the range: rows came, not groups.
    found = await both.agree("select g, count(*) from t where g > 70 group by g order by g")
    assert found == [("77", "1"), ("78", "1")]
    told = bench.cluster.reads.partial_rows
    await bench.run("select count(*) from t")
    assert bench.cluster.reads.partial_rows == told
    # None of them in this range.
    await bench.run("select count(*) from t where id between 30 and 40")
    assert bench.cluster.reads.partial_rows > told
    bench.rollback()


async def test_what_storage_evaluates_fails_as_here(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Both(monkeypatch)
    await fill(both.bench, 20)
    for _ in range(2):
        with pytest.raises(SqlError) as caught:
            await both.bench.run("select sum(1 / (id - 5)) from t")
        assert caught.value.sqlstate == "22012"
        with pytest.raises(SqlError) as caught:
            await both.bench.run("select sum(n::int8 * 9223372036854775807) from t")
        assert caught.value.sqlstate == "22003"


async def test_more_groups_than_memory_spill(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Both(monkeypatch)
    await both.bench.run("create table wide (id int primary key, k text)")
    await both.bench.run(
        "insert into wide select g, repeat('x', 50) || g % 900 from generate_series(1, 1800) g"
    )
    wanted = await both.agree("select k, count(*), sum(id) from wide group by k order by k")
    both.bench.engine._memory_bytes = 480_000
    found = await both.bench.rows("select k, count(*), sum(id) from wide group by k")
    assert sorted(found) == wanted
    assert len(found) == 900


async def test_serializable_checks_what_was_aggregated() -> None:
    bench = Bench()
    await bench.run("create table t (id int primary key, n int)")
    await bench.run("insert into t values (1, 1), (2, 2)")
    for range_, conflicts in (("id < 5", True), ("id > 5", False)):
        bench.transaction = await bench.cluster.manager.begin(serializable=True)
        told = bench.cluster.reads.partial_rows
        await bench.run(f"select sum(n) from t where {range_}")
        assert bench.cluster.reads.partial_rows > told or not conflicts
        await bench.run("insert into t values (100, 1) on conflict (id) do update set n = 5")
        mine, bench.transaction = bench.transaction, None
        await bench.run("update t set n = n + 1 where id = 2")
        bench.transaction = mine
        if conflicts:
            with pytest.raises(SqlError) as caught:
                await bench.commit()
            assert caught.value.sqlstate == "40001"
        else:
            await bench.commit()


async def test_explain_says_so() -> None:
    bench = Bench()
    await bench.run("create table t (id int primary key, g int, f float8); create index on t (g)")
    text = await bench.explain("select g, count(*), sum(id) from t where f > 1 group by g")
    assert "Storage Aggregate: count(*), sum(t.id)" in text
    assert "Storage Group Key: t.g" in text
    assert "Storage Filter" in text
    for plain in (
        "select sum(f) from t",
        "select count(distinct g) from t",
        "select array_agg(g) from t",
        "select count(*) from t where f > random()",
        f"select sum(coalesce({', '.join(['g'] * 1500)})) from t",
        "select max(repeat('x', 1000000) || g) from t",
        "select max(f + extract(hour from now())) from t",
        "select count(*) from t a join t b using (id)",
        "select count(*) filter (where g = (select 1 from t u where u.id = t.id)) from t",
    ):
        assert "Storage Aggregate" not in await bench.explain(plain), plain
