"""Statements that do not fit into their memory give the answers that they give in memory."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from engine_bench import Bench

from trilithon.core.errors import SqlError
from trilithon.query.execute import spill
from trilithon.query.execute.run import Memory

ROWS = 4_000
SMALL = 400_000
SOURCE = (
    "(select g as a, g % 1000 as b, nullif(g % 7, 0) as c, g::numeric / 4 as d,"
    " repeat('x', g % 50) || g as e, array[g, -g] as f"
    f" from generate_series(1, {ROWS}) g) s"
)
OTHER = (
    "(select g as a, nullif(g % 1500, 3) as b, 'o' || g as e"
    f" from generate_series(1, {ROWS // 2}) g) o"
)

ANY_ORDER = [
    f"select distinct b, c from {SOURCE}",
    f"select distinct e from {SOURCE}",
    f"select a, count(*), sum(d), max(e) from {SOURCE} group by a",
    f"select e, array_agg(c order by c), count(distinct b) from {SOURCE} group by e",
    f"select a, b, c, count(*), sum(d) from {SOURCE} group by rollup (a, b), cube (c)",
    f"select f, count(*) filter (where c > 3) from {SOURCE} group by f having min(b) < 700",
    f"select s.a, s.e, o.e from {SOURCE} join {OTHER} on s.b = o.b",
    f"select s.a, o.e from {SOURCE} left join {OTHER} on s.a = o.b and o.a > 900",
    f"select s.a, o.a from {OTHER} full join {SOURCE} on s.a = o.b",
    f"select o.a, s.e from {OTHER} right join {SOURCE} on s.a = o.a and s.c is null",
    f"select a from {SOURCE} where exists (select from {OTHER} where o.b = s.a)",
    f"select a from {SOURCE} where not exists (select from {OTHER} where o.b = s.a and o.e < s.e)",
    f"select e, d from {SOURCE} except select e, b from {OTHER}",
    f"select b from {SOURCE} intersect all select b from {OTHER}",
    f"select b from {SOURCE} except all select b from {OTHER}",
    f"select a, sum(d) over (partition by e), rank() over (partition by a order by c) from {SOURCE}",
]
ORDERED = [
    f"select * from {SOURCE} order by e desc, a",
    f"select c, a from {SOURCE} order by c nulls first, a desc",
    f"select distinct on (e) e, a from {SOURCE} order by e, a",
    f"select distinct on (b, c) c, b, a from {SOURCE} order by c desc, b, a desc",
    f"select d from {SOURCE} order by b, e limit 70000 offset 5",
]


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what was written to files."""
    written: list[int] = []
    original = spill.Spill.append

    async def append(self: spill.Spill, segment: spill.Segment, rows: Sequence[Any]) -> None:
        written.append(len(rows))
        await original(self, segment, rows)

    monkeypatch.setattr(spill.Spill, "append", append)
    return written


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


async def both(sql: str, blocks: list[int]) -> tuple[list[Any], list[Any]]:
    bench = Bench()
    large = await bench.rows(sql)
    assert not blocks, "nothing is spilled that fits"
    before = open_files()
    for memory in (int(SMALL * 2.0**power) for power in range(5, -3, -1)):
        bench.engine._memory_bytes = memory
        small = await bench.rows(sql)
        if sum(blocks) > ROWS // 4:
            assert open_files() <= before
            return large, small
    pytest.fail("the case is large enough to be spilled")


@pytest.mark.parametrize("sql", ANY_ORDER)
async def test_rows_are_the_same(sql: str, blocks: list[int]) -> None:
    large, small = await both(sql, blocks)
    assert len(large) > 100
    assert Counter(map(repr, large)) == Counter(map(repr, small))


@pytest.mark.parametrize("sql", ORDERED)
async def test_rows_and_their_order_are_the_same(sql: str, blocks: list[int]) -> None:
    large, small = await both(sql, blocks)
    assert large == small


@pytest.mark.parametrize(
    "sql",
    [
        f"select count(*) from {SOURCE} join {OTHER} on s.c = o.a % 7 where s.a < 20",
        f"select count(*) from (select 1 as k, e from {SOURCE}) x join {SOURCE} on s.a - s.a + 1 = k"
        " where s.a < 9",
    ],
)
async def test_many_rows_of_one_key_end_in_an_answer_or_in_53200(
    sql: str, blocks: list[int]
) -> None:
    bench = Bench()
    expected = await bench.rows(sql)
    bench.engine._memory_bytes = SMALL
    try:
        assert await bench.rows(sql) == expected
    except SqlError as error:
        assert error.sqlstate == "53200"


async def test_one_group_that_is_too_large_is_refused() -> None:
    bench = Bench()
    bench.engine._memory_bytes = SMALL
    for call in ("array_agg(e)", "string_agg(e, ',')", "json_agg(e)", "jsonb_object_agg(a, e)"):
        with pytest.raises(SqlError) as caught:
            await bench.rows(f"select length({call}::text) from {SOURCE}")
        assert caught.value.sqlstate == "53200", call


async def test_files_are_bounded(blocks: list[int]) -> None:
    bench = Bench()
    bench.engine._memory_bytes = 4 * SMALL
    bench.engine._temp_bytes = 50_000
    before = open_files()
    with pytest.raises(SqlError) as caught:
        await bench.rows(f"select * from {SOURCE} order by e")
    assert caught.value.sqlstate == "53400"
    assert "query_temp_bytes" in caught.value.message
    assert open_files() <= before
    assert await bench.rows("select 1") == [("1",)]


class _Slow:
    """Takes until it is told to be pickled."""

    go = threading.Event()

    def __reduce__(self) -> tuple[type[int], tuple[int]]:
        assert self.go.wait(30)
        return int, (7,)


async def test_a_write_that_was_cancelled_touches_no_file_afterwards() -> None:
    memory = Memory()
    one = spill.Spill(memory)
    segment = spill.Segment()
    await one.append(segment, [1, 2])
    open_before = open_files()
    writing = asyncio.create_task(one.append(segment, [_Slow()]))
    while not any(thread.name.startswith("asyncio") for thread in threading.enumerate()):
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    one.close()
    assert open_files() == open_before - 1
    assert memory.temp_used == 0
    _Slow.go.set()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert open_files() <= open_before - 1
    assert memory.temp_used == 0
