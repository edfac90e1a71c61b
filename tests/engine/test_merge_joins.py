"""Merge joins give what hash joins give, in the order of their keys, and are chosen where that is worth it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from engine_bench import Bench

from trilithon.query.execute import spill
from trilithon.query.plan import merges

WORDS = {
    "join": "Merge Join",
    "left join": "Merge Left Join",
    "right join": "Merge Left Join",
    "full join": "Merge Full Join",
}


@pytest.fixture
def merging(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing costs too much."""
    monkeypatch.setattr(merges, "HASHED", 1e9)


async def filled(seed: int) -> Bench:
    """Two tables whose keys meet now and then, with duplicates and NULLs."""
    bench = Bench()
    source = random.Random(seed)
    await bench.run("create table l (id int primary key, a int, b bigint, t text, d date)")
    await bench.run("create table r (id int primary key, a bigint, b int, t varchar(9), d date)")
    for table in "lr":
        await bench.run(f"create index {table}_ab on {table} (a, b desc) include (id)")
        await bench.run(f"create index {table}_t on {table} (t desc) include (id)")
        await bench.run(f"create index {table}_d on {table} (d nulls first) include (id)")
        kinds = source.choice([3, 20, 300])

        def value(kinds: int = kinds) -> str:
            return "null" if source.random() < 0.15 else str(source.randrange(kinds))

        rows = [
            f"({number}, {value()}, {value()}, 't' || {value()}, date '2024-01-01' + {value()}::int)"
            for number in source.sample(range(400), source.choice([0, 1, 40, 300]))
        ]
        if rows:
            await bench.run(f"insert into {table} values {', '.join(rows)}")
    return bench


def queries() -> list[tuple[str, str]]:
    found = []
    for kind in WORDS:
        for on in (
            "l.id = r.id",
            "l.a = r.a",
            "l.a = r.a and l.b = r.b",
            "l.d = r.d",
            "l.a = r.a and l.id < r.id",
            "l.a = r.a and l.b = r.b and l.id % 3 <> r.id % 2",
        ):
            sql = f"select l.id, r.id from l {kind} r on {on}"
            found.append((sql, WORDS[kind]))
    for no, word in (("", "Merge Semi Join"), ("not ", "Merge Anti Join")):
        for more in ("", " and r.id > l.id"):
            sql = f"select id from l where {no}exists (select from r where r.a = l.a{more})"
            found.append((sql, word))
    return found


@pytest.mark.parametrize("seed", range(6))
async def test_rows_are_those_of_a_hash_join(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = await filled(seed)
    merged = 0
    for sql, word in queries():
        expected = Counter(await bench.rows(sql))
        with monkeypatch.context() as patch:
            patch.setattr(merges, "HASHED", 1e9)
            # Another text is another plan.
            other = sql + " --"
            merged += word in await bench.explain(other)
            assert Counter(await bench.rows(other)) == expected, sql
    assert merged == len(queries())


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.usefixtures("merging")
async def test_a_large_run_goes_to_a_file(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    written: list[int] = []
    original = spill.Spill.append

    async def append(self: spill.Spill, segment: spill.Segment, rows: Sequence[Any]) -> None:
        written.append(len(rows))
        await original(self, segment, rows)

    await bench.run("create table l (k int, n int, primary key (k, n))")
    await bench.run("create table r (k int, n int, e text, primary key (k, n))")
    await bench.run("insert into l select g / 3, g from generate_series(1, 9) g")
    await bench.run(
        "insert into r select 1 + g / 2500, g, repeat('x', 100) from generate_series(1, 2600) g"
    )
    sql = f"select count(*), count(l.n), count(r.n), sum(r.n) from l {kind} r on l.k = r.k"
    expected = await bench.rows(sql + " and l.n % 2 + r.n % 2 = 1")
    plain = await bench.rows(sql)
    monkeypatch.setattr(spill.Spill, "append", append)
    bench.engine._memory_bytes = 200_000
    assert await bench.rows(sql) == plain
    # A right join's rows are kept on the other side, where runs are short.
    assert (sum(written) > 1000) == (kind != "right join")
    assert await bench.rows(sql + " and l.n % 2 + r.n % 2 = 1") == expected


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.run("create table o (id int primary key, c int)")
    await made.run("create table l (o bigint, n int, v int, primary key (o, n))")
    await made.run("insert into o select g, g % 7 from generate_series(1, 900) g")
    await made.run(
        "insert into l select g, n, g * n from generate_series(300, 1200) g, generate_series(1, 2) n"
    )
    return made


@pytest.mark.parametrize(
    "sql",
    [
        "select o.id, l.n from o join l on o.id = l.o order by o.id",
        "select o.id, l.n from o join l on o.id = l.o order by l.o desc",
        "select o.id, l.n from o join l on o.id = l.o order by o.id desc limit 7",
        "select o.id, l.n from o left join l on o.id = l.o order by o.id limit 700",
        "select l.o, o.c from o right join l on o.id = l.o order by l.o",
    ],
)
async def test_an_order_that_is_wanted_above_needs_no_sort(bench: Bench, sql: str) -> None:
    text = await bench.explain(sql)
    assert "Merge" in text
    assert "Sort" not in text
    found = [int(row[0] or 0) for row in await bench.rows(sql)]
    assert found
    assert found == sorted(found, reverse="desc" in sql)


async def test_what_is_small_is_hashed(bench: Bench) -> None:
    assert "Hash Join" in await bench.explain("select o.id, l.n from o join l on o.id = l.o")


async def test_what_would_not_fit_is_merged(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merges, "KEPT_ROWS", 500.0)
    for kind, word in WORDS.items():
        text = await bench.explain(f"select o.id, l.n from o {kind} l on o.id = l.o")
        assert word in text


@pytest.mark.parametrize(
    "on", ["o.id = l.n + 0", "o.c = l.o", "o.id > l.o", "o.id = l.v", "o.id::text = l.o::text"]
)
@pytest.mark.usefixtures("merging")
async def test_what_has_no_common_order_is_not_merged(bench: Bench, on: str) -> None:
    assert "Merge" not in await bench.explain(f"select 1 from o join l on {on}")


async def test_a_lookup_keeps_the_order_of_its_left_side(bench: Bench) -> None:
    sql = "select o.id, l.v from o join l on l.o = o.id where o.id < 350 and l.n = 1 order by o.id"
    found = [int(row[0] or 0) for row in await bench.rows(sql)]
    assert found == list(range(300, 350))
