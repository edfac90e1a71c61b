"""Costly rows: others get their turns, and memory is accounted for, within one batch."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from typing import Any

import pytest
from engine_bench import Bench

from trilithon.core.errors import SqlError
from trilithon.expression.context import EvalContext
from trilithon.query.execute.pacing import PIECE_BYTES, pieces, whole
from trilithon.query.execute.run import Memory, Run, rows_size
from trilithon.types.values import ArrayValue


def run_of(memory: Memory | None = None) -> Run:
    return Run(None, EvalContext(), memory or Memory(), turn_began=0.0)


async def test_slices_keep_order_and_drop_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10**6))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock) * 0.0001)
    rows = [(n,) for n in range(3000)]
    seen: list[int] = []

    def odd(batch: list[Any], context: Any) -> list[Any]:
        seen.append(len(batch))
        return [row for row in batch if row[0] % 2]

    found = [row async for piece in pieces(run_of(), odd, rows) for row in piece]
    assert found == [row for row in rows if row[0] % 2]
    assert sum(seen) == 3000
    assert await whole(run_of(), odd, rows) == found
    assert [piece async for piece in pieces(run_of(), odd, [(2,)])] == []


async def test_slow_rows_come_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    sizes: list[int] = []

    def slow(batch: list[Any], context: Any) -> list[Any]:
        sizes.append(len(batch))
        now[0] += 0.1 * len(batch)
        return batch

    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    await whole(run_of(), slow, [(n,) for n in range(50)])
    beside.cancel()
    assert set(sizes) == {1}
    assert turns >= 49


async def test_large_rows_are_handed_on_in_pieces() -> None:
    def large(batch: list[Any], context: Any) -> list[Any]:
        return [("x" * (PIECE_BYTES // 3),) for _ in batch]

    counts = [len(piece) async for piece in pieces(run_of(), large, [()] * 100)]
    assert sum(counts) == 100
    assert max(counts) < 20
    with pytest.raises(SqlError) as caught:
        await whole(run_of(Memory(8 * PIECE_BYTES)), large, [()] * 100)
    assert caught.value.sqlstate == "53200"


@pytest.mark.parametrize(
    "value",
    [
        "x" * 100_000,
        b"x" * 100_000,
        ArrayValue.of(range(3000)),
        ArrayValue.of(["x" * 1000] * 100),
        ("x" * 1000,) * 100,
        Decimal("7" * 250_000),
    ],
)
def test_large_values_count(value: Any) -> None:
    assert rows_size([(value,)]) > 90_000


async def test_an_aggregate_over_large_values_ends_by_its_memory() -> None:
    bench = Bench()
    with pytest.raises(SqlError) as caught:
        await bench.run(
            "select string_agg(repeat('x', 1000000), '') from generate_series(1, 10000) g"
        )
    assert caught.value.sqlstate == "53200"
