"""Common values and histograms: what ANALYZE finds, what estimates make of it, and plans for unusual values."""

from __future__ import annotations

import pytest
from engine_bench import Bench
from hypothesis import given, settings
from hypothesis import strategies as st

from trilithon.query import engine as engine_module
from trilithon.query.catalog.definitions import Column
from trilithon.query.statistics.sampling import column_statistics
from trilithon.query.statistics.spread import Spread
from trilithon.types.registry import INT4

OPERATORS = {
    "=": lambda one, other: one == other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    await bench.run("create table s (id int primary key, kind int, name text, note text, at date)")
    await bench.run("create index s_kind on s (kind)")
    await bench.run("create index s_name on s (name)")
    await bench.run("create index s_at on s (at)")
    await bench.run(
        "insert into s select g, case when g <= 20 then g else 0 end, 'n' || lpad(g::text, 5, '0'),"
        " case when g % 4 > 0 then 'x' end, date '2024-01-01' + g"
        " from generate_series(1, 2400) g"
    )
    (statement,) = bench.engine.parse("analyze")
    await bench.engine.gather_statistics(statement, bench.settings)
    return bench


@given(st.lists(st.integers(-50, 50) | st.sampled_from([0, 1, 2, None]), min_size=1, max_size=400))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_parts_are_about_right(values: list[int | None]) -> None:
    made = column_statistics(Column("a", 1, INT4), values, float(len(values)))
    spread = made.spread(INT4.oid, float(len(values)))
    present = [value for value in values if value is not None]
    for value in {*present[:5], -60, 60, 0}:
        for operator, holds in OPERATORS.items():
            part = spread.part(operator, value)
            truth = sum(1 for one in present if holds(one, value)) / len(values)
            if part is not None and len(present) > 1:
                assert abs(part - truth) <= 0.1 + 4 / len(values), (operator, value, part, truth)


def test_values_of_another_kind_are_no_estimate() -> None:
    spread = Spread(INT4.oid, 0.0, 5.0, [1, 2], [0.5, 0.1], [3, 4, 5])
    assert spread.part("<", "text") is None
    assert spread.part("=", None) == spread.part("<", None)
    assert spread.part("~", 1) is None


async def test_pg_stats_shows_them(bench: Bench) -> None:
    found = {
        row[0]: row[1:]
        for row in await bench.rows(
            "select attname, most_common_vals, most_common_freqs, histogram_bounds, correlation"
            " from pg_stats where tablename = 's'"
        )
    }
    common, parts, bounds, _ = found["kind"]
    assert common == "{0}"
    assert (parts or "").startswith("{0.99")
    assert bounds == "{" + ",".join(map(str, range(1, 21))) + "}"
    assert found["note"] == ("{x}", "{0.75}", None, "1")
    common, _, bounds, correlation = found["id"]
    assert common is None
    assert (bounds or "").startswith("{1,25,")
    assert (bounds or "").endswith(",2400}")
    assert correlation == "1"
    assert (found["at"][2] or "").startswith("{2024-01-02,")


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("kind = 0", ""),
        ("kind = 7", "s_kind"),
        ("kind in (0, 3)", ""),
        ("kind in (5, 3)", "s_kind"),
        ("kind > 0", "s_kind"),
        ("kind >= 0", ""),
        ("at < '2024-01-20'", "s_at"),
        ("at > '2024-01-20'", ""),
        ("at between '2024-02-01' and '2024-02-20'", "s_at"),
        ("at between '2024-02-01' and '2029-02-20'", ""),
        ("name > 'n02390'", "s_name"),
    ],
)
async def test_the_right_index_for_the_value(bench: Bench, condition: str, index: str) -> None:
    sql = f"select * from s where {condition}"
    text = await bench.explain(sql)
    assert (f"using {index}" in text) if index else ("Seq Scan" in text), text


async def test_literals_and_parameters_get_the_plan_for_their_value(bench: Bench) -> None:
    sql = "select count(*), min(note) from s where kind = {}"
    for _ in range(2):
        assert await bench.rows(sql.format(7)) == [("1", "x")]
        assert await bench.rows(sql.format(0)) == [("2380", "x")]
    made = bench.engine.plans_made
    for value, count in ((0, "2380"), (7, "1"), (8, "1"), (99, "0")):
        assert (await bench.rows(sql.format(value)))[0][0] == count
    assert bench.engine.plans_made == made, "plans for values are kept"
    (statement,) = bench.engine.parse("select note from s where kind = $1")
    for value, rows in ((0, 2380), (7, 1), (None, 0)):
        answer = await bench.run(statement.source, (value,), (23,))
        assert len(answer.rows) == rows


async def test_point_selects_have_one_plan(bench: Bench) -> None:
    await bench.rows("select * from s where id = 1")
    made = bench.engine.plans_made
    for number in range(2, 30):
        await bench.rows(f"select * from s where id = {number}")
    assert bench.engine.plans_made == made


async def test_plans_of_a_shape_are_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "VARIANTS_MAX", 2)
    sql = "select count(*) from s where at > date '2024-01-01' + {} and kind < {} and id < {}"
    for days in (0, 30, 500, 2000, 2399):
        for kind in (0, 1, 5, 30):
            for limit in (3, 100, 5000):
                ((found,),) = await bench.rows(sql.format(days, kind, limit))
                truth = sum(
                    1
                    for g in range(1, 2401)
                    if g > days and (g if g <= 20 else 0) < kind and g < limit
                )
                assert found == str(truth)
    assert bench.engine.plans_made < 20


async def test_like_with_a_prefix_is_a_range(bench: Bench) -> None:
    """The side with fewer rows is the one that is kept."""
    sql = (
        "select count(*) from s a join s b on a.kind + 0 = b.kind + 0"
        " where a.name like '{}' and b.name like '{}'"
    )
    one = await bench.explain(sql.format("n000%", "n0%"))
    assert one.index("n0%") < one.index("n000%")
    other = await bench.explain(sql.format("n0%", "n000%"))
    assert other.index("n0%") < other.index("n000%")
