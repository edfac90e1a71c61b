"""Columns of outer queries are values inside: they find keys. What an OR has in common does so too."""

from __future__ import annotations

import pytest
from engine_bench import Bench


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.run("create table one (id int primary key, g int, v text)")
    await made.run("create table many (id int, n int, g int, v int, primary key (id, n))")
    await made.run("create index many_g on many (g)")
    await made.run("insert into one select i, i % 10, 'v' || i % 3 from generate_series(1, 300) i")
    await made.run(
        "insert into many select i, j, i % 100, i from generate_series(1, 300) i, generate_series(1, 3) j"
    )
    return made


async def plan(bench: Bench, sql: str) -> str:
    return "\n".join(row[0] or "" for row in (await bench.run(f"explain {sql}")).rows)


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        ("select (select sum(v) from many where many.id = one.id) from one", "many_pkey"),
        ("select (select v from many where many.g = one.id limit 1) from one", "many_g"),
        (
            "select (select sum(many.v) from many, one o where many.id = o.id and many.g = one.g + 20) from one",
            "many_g",
        ),
        (
            "select * from one, lateral (select n from many where many.id = one.id order by n limit 2) x",
            "many_pkey",
        ),
        (
            "select * from one where v < (select max(m.v)::text from many m where m.id = one.id and m.n = one.g)",
            "many_pkey",
        ),
    ],
)
async def test_an_outer_column_finds_keys(bench: Bench, sql: str, index: str) -> None:
    found = await plan(bench, sql)
    assert f"using {index} on many" in found


async def test_what_all_arms_have_in_common_joins(bench: Bench) -> None:
    found = await plan(
        bench,
        "select count(*) from one, many where (one.id = many.id and one.v = 'v1' and n = 1) "
        "or (one.id = many.id and one.v = 'v2' and n = 2)",
    )
    assert "Index Cond: (one.id = many.id)" in found
    assert "Storage Filter: ((many.n = 1) OR (many.n = 2))" in found


async def test_an_or_over_two_tables_filters_each(bench: Bench) -> None:
    found = await plan(
        bench,
        "select count(*) from one a join many b using (id) "
        "where (a.g = 1 and b.n = 2 and a.v > b.v::text) or (a.g = 3 and b.n = 4)",
    )
    assert "(a.g = 1) OR (a.g = 3)" in found or "a.g IN (1, 3)" in found
    assert "(b.n = 2) OR (b.n = 4)" in found or "b.n IN (2, 4)" in found
