"""Routing, batching, merging, retries and failures of reads, against storage that obeys."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reads_support import FakeStorage, failure, key, make_world, put, start_storages, targets, until

from trilithon.core.errors import SqlError
from trilithon.core.invariant import InvariantViolation
from trilithon.link.local import LocalNetwork
from trilithon.query.reads import Speculation, StorageReads, StorageTarget, meter
from trilithon.query.reads import storage as storage_module
from trilithon.query.reads.owners import Owners
from trilithon.types import keys
from trilithon.v1 import types_pb2

Failure = types_pb2.Failure


async def start(
    count: int = 1, rows: int = 20, timeout_s: float = 5.0
) -> tuple[StorageReads, list[FakeStorage]]:
    network = LocalNetwork()
    storages = await start_storages(network, count)
    for number in range(rows):
        put(storages, key(number), [number])
    return StorageReads(make_world(network), targets(count), timeout_s=timeout_s), storages


async def collect(scan: Any) -> list[list[Any]]:
    rows = []
    async for chunk in scan:
        assert chunk.rows
        rows += chunk.rows
    return rows


@pytest.mark.parametrize("count", [1, 3])
async def test_rows_come_back_in_the_order_of_the_keys(count: int) -> None:
    reads, storages = await start(count)
    wanted = [7, 3, 99, 3, 12]
    assert await reads.get(5, [key(n) for n in wanted]) == [[7], [3], None, [3], [12]]
    assert await reads.get(5, [key(4)]) == [[4]]
    assert await reads.get(5, []) == []
    assert all(one.point_read.snapshot_csn == 5 for s in storages for one in s.requests)
    await reads.close()


async def test_many_keys_go_as_one_item_per_owner_and_no_larger_than_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads, storages = await start(2, rows=300)
    wanted = [key(n) for n in range(300)]
    assert await reads.get(5, wanted) == [[n] for n in range(300)]
    assert [len(one.requests) for one in storages] == [1, 1]
    monkeypatch.setattr(storage_module, "KEYS_PER_REQUEST_MAX", 50)
    monkeypatch.setattr(storage_module, "KEY_BYTES_PER_REQUEST_MAX", 300)
    storages[0].point_keys_max = 2
    assert await reads.get(5, wanted) == [[n] for n in range(300)]
    assert all(len(r.point_read.keys) <= 50 for r in storages[1].requests[1:])
    await reads.close()


async def test_speculation_tells_for_which_snapshots_it_holds() -> None:
    reads, storages = await start(2)
    storages[0].examined, storages[0].position = 40, 90
    storages[1].examined, storages[1].position = 60, 80
    found = await reads.speculative_get([key(n) for n in range(20)])
    assert found.rows == [[n] for n in range(20)]
    assert [s for s in range(100) if found.holds_at(s)] == list(range(60, 81))
    assert all(one.point_read.snapshot_csn == 0 for s in storages for one in s.requests)
    assert Speculation([], 5, 5).holds_at(5)
    with pytest.raises(InvariantViolation):
        await reads.get(0, [key(1)])
    await reads.close()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    count=st.integers(1, 4),
    numbers=st.sets(st.integers(0, 300), max_size=60),
    chunk_rows=st.integers(1, 7),
    limit=st.integers(0, 30),
    bounds=st.tuples(st.integers(0, 300), st.integers(0, 300)),
    reverse=st.booleans(),
    with_keys=st.booleans(),
    modulus=st.integers(1, 4),
)
def test_scans_give_all_rows_once_in_key_order(
    count: int,
    numbers: set[int],
    chunk_rows: int,
    limit: int,
    bounds: tuple[int, int],
    reverse: bool,
    with_keys: bool,
    modulus: int,
) -> None:
    async def run() -> None:
        network = LocalNetwork()
        storages = await start_storages(network, count)
        for storage in storages:
            storage.chunk_rows = chunk_rows
            storage.keep = lambda row: row[0] % modulus == 0
        for number in numbers:
            put(storages, key(number), [number])
        reads = StorageReads(make_world(network), targets(count), timeout_s=5)
        low, high = bounds
        right = sorted(
            (n for n in numbers if low <= n < high and n % modulus == 0), reverse=reverse
        )
        right = right[:limit] if limit else right
        rows: list[int] = []
        found_keys: list[bytes] = []
        scan = reads.scan(9, key(low), key(high), reverse=reverse, limit=limit, with_keys=with_keys)
        async for chunk in scan:
            assert chunk.rows
            rows += [row[0] for row in chunk.rows]
            found_keys += chunk.keys
        assert rows == right
        assert found_keys == ([key(n) for n in right] if with_keys else [])
        assert scan.rows_examined >= len(right)
        await reads.close()

    asyncio.run(run())


@pytest.mark.parametrize("count", [1, 4])
async def test_without_an_order_all_owners_are_heard_in_turn(count: int) -> None:
    reads, storages = await start(count, rows=90)
    scan = reads.scan(9, b"", b"", ordered=False)
    assert sorted(await collect(scan)) == [[n] for n in range(90)]
    assert not any(one.range_read.with_keys for s in storages for one in s.requests)
    assert scan.rows_examined == 90
    with pytest.raises(InvariantViolation):
        reads.scan(9, b"", b"", ordered=False, limit=3)
    early = reads.scan(9, b"", b"", ordered=False)
    assert (await anext(early)).rows
    await early.aclose()
    assert [chunk async for chunk in early] == []
    await reads.close()


async def test_a_range_that_pins_the_first_column_asks_one_owner() -> None:
    reads, storages = await start(4, rows=0)
    for second in range(10):
        put(storages, key(5, second), [5, second])
    prefix = key(5, 0)[: keys.first_column_end(key(5, 0))]
    found = await collect(reads.scan(9, prefix, keys.prefix_end(prefix)))
    assert found == [[5, n] for n in range(10)]
    found = await collect(reads.scan(9, key(5, 3), key(5, 6)))
    assert found == [[5, n] for n in (3, 4, 5)]
    assert sum(1 for one in storages if one.requests) == 1
    await collect(reads.scan(9, key(5, 3), key(6, 0)))
    assert all(one.requests for one in storages)
    await reads.close()


async def test_the_end_of_the_key_space_is_no_bound() -> None:
    reads, _ = await start(3)
    assert await collect(reads.scan(9, b"", b"")) == [[n] for n in range(20)]
    assert await collect(reads.scan(9, b"", b"", reverse=True, limit=2)) == [[19], [18]]
    assert await collect(reads.scan(9, key(5), key(3))) == []
    await reads.close()


async def test_the_next_chunk_is_fetched_ahead_and_cancelled_when_nobody_wants_it() -> None:
    reads, (storage,) = await start(1)
    scan = reads.scan(9, b"", b"")
    await anext(scan)
    assert len(storage.requests) == 1
    await anext(scan)
    await until(lambda: len(storage.requests) == 3)
    storage.instead = [None]
    await anext(scan)
    await until(lambda: len(storage.requests) == 4)
    await scan.aclose()
    await until(lambda: storage.cancelled)
    assert storage.cancelled == [storage.requests[3].correlation_id]
    with pytest.raises(StopAsyncIteration):
        await anext(scan)
    await reads.close()


async def test_a_limit_ends_the_scan_without_another_question() -> None:
    reads, (storage,) = await start(1)
    assert await collect(reads.scan(9, b"", b"", limit=3)) == [[0], [1], [2]]
    assert len(storage.requests) == 1
    assert await collect(reads.scan(9, b"", b"", limit=1 << 40)) == [[n] for n in range(20)]
    await reads.close()


async def test_a_cancelled_get_is_cancelled_in_storage() -> None:
    reads, storages = await start(2)
    for one in storages:
        one.instead = [None]
    task = asyncio.create_task(reads.get(9, [key(n) for n in range(20)]))
    await until(lambda: all(one.requests for one in storages))
    task.cancel()
    await asyncio.wait([task])
    await until(lambda: all(one.cancelled for one in storages))
    await reads.close()


@pytest.mark.parametrize(
    ("answer", "sqlstate", "asked"),
    [
        (failure(Failure.CODE_SNAPSHOT_TOO_OLD), "72000", 1),
        (failure(Failure.CODE_INVALID), "XX000", 1),
        (failure(Failure.CODE_WRONG_TARGET), "XX000", 1),
        (failure(Failure.CODE_INTERNAL), "58000", 1),
        (types_pb2.SqlError(sqlstate="22012", message="division by zero", hint="h"), "22012", 1),
    ],
)
async def test_failures_become_sql_errors(answer: Any, sqlstate: str, asked: int) -> None:
    reads, (storage,) = await start(1)
    storage.instead = [answer]
    with pytest.raises(SqlError) as caught:
        await reads.get(9, [key(1)])
    assert caught.value.sqlstate == sqlstate
    assert len(storage.requests) == asked
    storage.instead = [answer]
    with pytest.raises(SqlError) as caught:
        await collect(reads.scan(9, b"", b""))
    assert caught.value.sqlstate == sqlstate
    if sqlstate == "72000":
        assert caught.value.message == "snapshot too old"
    assert await reads.get(9, [key(1)]) == [[1]]
    await reads.close()


@pytest.mark.parametrize("code", [Failure.CODE_OVERLOADED, Failure.CODE_UNAVAILABLE])
async def test_what_may_pass_is_asked_again(code: Any) -> None:
    reads, (storage,) = await start(1)
    storage.instead = [failure(code)] * 3
    assert await reads.get(9, [key(1)]) == [[1]]
    assert len(storage.requests) == 4
    await reads.close()


async def test_a_broken_link_is_asked_again() -> None:
    reads, (storage,) = await start(1)
    storage.instead = [None]
    task = asyncio.create_task(reads.get(9, [key(1)]))
    await until(lambda: storage.requests)
    storage.network.cut(storage.target.address)
    storage.network.heal(storage.target.address)
    assert await task == [[1]]
    await reads.close()


async def test_storage_that_is_gone_is_57p03_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trilithon.query.reads.asking._SLACK_S", 0.0)
    reads, storages = await start(2, timeout_s=0.1)
    storages[1].network.cut(storages[1].target.address)
    for work in (
        reads.get(9, [key(n) for n in range(20)]),
        collect(reads.scan(9, b"", b"")),
        reads.speculative_get([key(n) for n in range(20)]),
    ):
        with pytest.raises(SqlError) as caught:
            await work
        assert caught.value.sqlstate == "57P03"
        assert "storage-1" in caught.value.detail
    await reads.close()


async def test_answers_that_make_no_sense_are_errors() -> None:
    reads, (storage,) = await start(1)
    storage.point_keys_max = 0
    with pytest.raises(SqlError, match="another number of keys"):
        await reads.get(9, [key(1), key(2)])
    await reads.close()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ([StorageTarget("s", "s:1", 0, 1000)], "slot 1001 belongs to no"),
        (
            [StorageTarget("s", "s:1"), StorageTarget("t", "t:1", 5, 5)],
            "slot 5 belongs to s and to t",
        ),
        ([StorageTarget("s", "s:1", 0, 1024)], "not within"),
        ([], "slot 0 belongs to no"),
    ],
)
def test_slots_are_owned_exactly_once(wrong: list[StorageTarget], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Owners(wrong)


def test_malformed_keys_are_errors() -> None:
    with pytest.raises(SqlError, match="malformed"):
        Owners(targets(2)).of_key(b"\0" * 8 + b"\xee\xee")
    assert list(Owners(targets(2)).of_range(b"\0" * 8 + b"\x50", b"")) == [0, 1]


@pytest.mark.parametrize("count", [1, 3])
async def test_reads_are_counted_for_whoever_asks(count: int) -> None:
    reads, storages = await start(count)
    counter = meter.ReadMeter()
    meter.current.set(counter)
    assert await collect(reads.scan(5, key(0), b"")) == [[n] for n in range(20)]
    assert counter.rows_returned == 20
    assert await reads.get(5, [key(1), key(99), key(2)]) == [[1], None, [2]]
    assert (counter.rows_returned, counter.round_trips) == (
        22,
        sum(len(s.requests) for s in storages),
    )
    assert counter.bytes_received > 0
    assert set(counter.processes) == {s.target.name for s in storages if s.requests}
    meter.current.set(None)
    await reads.get(5, [key(1)])
    assert counter.rows_returned == 22
    await reads.close()
