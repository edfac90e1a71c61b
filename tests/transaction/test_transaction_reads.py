"""Reads of a transaction against a dict: own writes merged in, both directions, limits, filters."""

import asyncio
from typing import Any

import pytest
from fake_cluster import FakeCluster, FakeSnapshot
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trilithon.core.errors import SqlError
from trilithon.expression import ir
from trilithon.expression.program import Program
from trilithon.query.catalog.catalog import empty_catalog
from trilithon.query.transaction.limits import TransactionLimits
from trilithon.query.transaction.transaction import FirstRead
from trilithon.types.keys import key_prefix
from trilithon.types.registry import INT4
from trilithon.types.rows import encode_row
from trilithon.v1.types_pb2 import MODE_BLIND, MODE_EXCLUSIVE, MODE_UPDATE

PREFIX = key_prefix(20000, 0)


def key(number: int) -> bytes:
    return PREFIX + bytes([0x19, number])


def odd_only() -> bytes:
    """WHERE value IN (1, 3, 5, 7, 9), SELECT value."""
    column = ir.Column(0, INT4)
    return Program(ir.InSet(column, (1, 3, 5, 7, 9)), (column,)).to_bytes()


async def put(cluster: FakeCluster, rows: dict[int, int]) -> None:
    transaction = await cluster.manager.begin()
    for number, value in rows.items():
        transaction.write(key(number), MODE_EXCLUSIVE, encode_row([value, number]))
    await transaction.commit()


async def collect(scan: Any) -> list[tuple[bytes, list[Any]]]:
    found = []
    async for chunk in scan:
        assert len(chunk.keys) == len(chunk.rows) > 0
        found += list(zip(chunk.keys, chunk.rows, strict=True))
    return found


STORED = st.dictionaries(st.integers(0, 20), st.integers(0, 9), max_size=20)
OWN = st.lists(st.tuples(st.integers(0, 20), st.none() | st.integers(0, 9)), max_size=20)


# Own tombstones hide what storage would have counted for the limit.
HIDDEN = {
    "stored": {1: 1, 2: 3, 3: 5, 4: 7},
    "own": [(1, None), (2, None)],
    "start": 0,
    "end": None,
    "limit": 2,
    "chunk_rows": 1,
}


@settings(max_examples=150, deadline=None)
@example(reverse=False, filtered=False, **HIDDEN)
@example(reverse=False, filtered=True, **HIDDEN)
@example(reverse=True, filtered=False, **(HIDDEN | {"own": [(4, None), (3, 2), (3, None)]}))
# An overwritten row must not come back because storage's version passes the filter.
@example(reverse=False, filtered=True, **(HIDDEN | {"own": [(2, 2)], "limit": 0}))
@given(
    stored=STORED,
    own=OWN,
    start=st.integers(0, 20),
    end=st.integers(0, 21) | st.none(),
    reverse=st.booleans(),
    limit=st.integers(0, 8),
    filtered=st.booleans(),
    chunk_rows=st.integers(1, 4),
)
def test_scan_and_get_agree_with_a_dict(
    stored: dict[int, int],
    own: list[tuple[int, int | None]],
    start: int,
    end: int | None,
    reverse: bool,
    limit: int,
    filtered: bool,
    chunk_rows: int,
) -> None:
    async def run() -> None:
        cluster = FakeCluster(TransactionLimits())
        cluster.reads.chunk_rows = chunk_rows
        await put(cluster, stored)
        transaction = await cluster.manager.begin()
        model: dict[int, int] = dict(stored)
        for number, value in own:
            encoded = None if value is None else encode_row([value, number])
            transaction.write(key(number), MODE_UPDATE, encoded)
            if value is None:
                model.pop(number, None)
            else:
                model[number] = value
        program = odd_only() if filtered else b""
        rows = {
            number: [value] if filtered else [value, number]
            for number, value in model.items()
            if not filtered or value % 2
        }
        expected = [
            (key(number), rows[number])
            for number in sorted(rows, reverse=reverse)
            if number >= start and (end is None or number < end)
        ]
        expected = expected[:limit] if limit else expected
        end_key = key(end) if end is not None else key_prefix(20000, 1)
        got = await collect(
            transaction.scan(
                key(start), end_key, reverse=reverse, limit=limit, program=program, with_keys=True
            )
        )
        assert got == expected
        without_keys: list[Any] = []
        async for chunk in transaction.scan(
            key(start), end_key, reverse=reverse, limit=limit, program=program
        ):
            assert chunk.keys == []
            without_keys += chunk.rows
        assert without_keys == [row for _, row in expected]
        numbers = [*range(21), 3, 3]
        points = await transaction.get([key(number) for number in numbers], program)
        assert points == [rows.get(number) for number in numbers]

    asyncio.run(run())


async def test_a_scan_shows_the_writes_of_its_start_only() -> None:
    cluster = FakeCluster()
    await put(cluster, {1: 1, 5: 5})
    transaction = await cluster.manager.begin()
    transaction.write(key(3), MODE_EXCLUSIVE, encode_row([3, 3]))
    scan = transaction.scan(PREFIX, key_prefix(20000, 1))
    # Written after the call, though nothing was read yet: INSERT ... SELECT must end.
    transaction.write(key(4), MODE_EXCLUSIVE, encode_row([4, 4]))
    transaction.write(key(5), MODE_EXCLUSIVE, None)
    rows = [row async for chunk in scan for row in chunk.rows]
    assert [row[0] for row in rows] == [1, 3, 5]


async def test_a_statement_does_not_see_its_own_writes() -> None:
    cluster = FakeCluster()
    await put(cluster, {1: 1})
    transaction = await cluster.manager.begin()
    transaction.begin_statement()
    transaction.write(key(1), MODE_UPDATE, encode_row([2, 1]))
    transaction.write(key(2), MODE_EXCLUSIVE, encode_row([9, 2]))
    assert await transaction.get([key(1), key(2)]) == [[1, 1], None]
    assert await transaction.get([key(1), key(2)], current=True) == [[2, 1], [9, 2]]
    rows = await collect(transaction.scan(PREFIX, b"", with_keys=True))
    assert [row for _, row in rows] == [[1, 1]]
    transaction.begin_statement()
    assert await transaction.get([key(1), key(2)]) == [[2, 1], [9, 2]]


async def test_savepoints_restore_rows_and_names_are_checked() -> None:
    cluster = FakeCluster()
    await put(cluster, {1: 1})
    transaction = await cluster.manager.begin()
    transaction.savepoint("s")
    transaction.write(key(1), MODE_EXCLUSIVE, None)
    transaction.savepoint("t")
    transaction.write(key(2), MODE_EXCLUSIVE, encode_row([2, 2]))
    transaction.rollback_to("t")
    assert await transaction.get([key(1), key(2)]) == [None, None]
    transaction.rollback_to("s")
    assert await transaction.get([key(1), key(2)]) == [[1, 1], None]
    with pytest.raises(SqlError, match=r'3B001: savepoint "t" does not exist'):
        transaction.rollback_to("t")
    assert not transaction.has_writes
    assert (await transaction.commit()).csn == 0


async def test_a_snapshot_does_not_move() -> None:
    cluster = FakeCluster()
    await put(cluster, {1: 1})
    reader = await cluster.manager.begin(read_only=True)
    await put(cluster, {1: 2, 2: 2})
    assert await reader.get([key(1), key(2)]) == [[1, 1], None]
    later = await cluster.manager.begin(read_only=True)
    assert await later.get([key(1), key(2)]) == [[2, 1], [2, 2]]


async def test_read_only_refuses_writes_and_locks() -> None:
    cluster = FakeCluster()
    transaction = await cluster.manager.begin(read_only=True)
    with pytest.raises(SqlError, match="25006"):
        transaction.write(key(1), MODE_EXCLUSIVE, b"")
    with pytest.raises(SqlError, match="25006"):
        transaction.lock(key(1), MODE_EXCLUSIVE)
    with pytest.raises(SqlError, match="25006: cannot execute UPDATE in a read-only transaction"):
        transaction.check_writable("UPDATE")


async def test_age_limit() -> None:
    cluster = FakeCluster()
    transaction = await cluster.manager.begin()
    cluster.clock.skew_us += 300_500_000
    for attempt in (
        lambda: transaction.write(key(1), MODE_EXCLUSIVE, b""),
        lambda: transaction.scan(b"", b""),
    ):
        with pytest.raises(SqlError) as raised:
            attempt()
        assert raised.value.sqlstate == "54000"
        assert raised.value.message == "transaction age limit of 300s exceeded"
    with pytest.raises(SqlError, match="age limit"):
        await transaction.commit()


async def test_nothing_works_after_the_end() -> None:
    cluster = FakeCluster()
    transaction = await cluster.manager.begin()
    transaction.rollback()
    with pytest.raises(SqlError, match="25P01"):
        await transaction.get([key(1)])
    with pytest.raises(SqlError, match="25P01"):
        await transaction.commit()


async def test_a_filter_that_fails_fails_on_own_rows_too() -> None:
    cluster = FakeCluster()
    transaction = await cluster.manager.begin()
    transaction.write(key(1), MODE_BLIND, encode_row(["text"]))
    program = Program(
        ir.Call("int4 > int4", (ir.Column(0, INT4), ir.Constant(1, INT4)), ir.BOOL)
    ).to_bytes()
    with pytest.raises(SqlError):
        await transaction.get([key(1)], program)


# ---- the first read beside the snapshot request


async def test_a_first_read_that_holds_is_used_once() -> None:
    cluster = FakeCluster()
    await put(cluster, {1: 1})
    catalog = (await cluster.manager.begin()).catalog
    read = FirstRead((key(1), key(2)), b"", catalog)
    transaction = await cluster.manager.begin(first_read=read)
    before = cluster.reads.gets
    assert await transaction.get([key(1), key(2)]) == [[1, 1], None]
    assert cluster.reads.gets == before
    assert await transaction.get([key(1), key(2)]) == [[1, 1], None]
    assert cluster.reads.gets == before + 1


async def test_a_first_read_that_does_not_hold_is_read_again() -> None:
    cluster = FakeCluster()
    await put(cluster, {1: 1})
    begun = await cluster.manager.begin()
    snapshot = cluster.manager._snapshots.snapshot

    async def late() -> FakeSnapshot:
        # The speculation saw more than the snapshot has.
        old = await snapshot()
        await put(cluster, {1: 2})
        await asyncio.sleep(0.01)
        return old

    class Late:
        calls = 0

        async def snapshot(self) -> FakeSnapshot:
            self.calls += 1
            return await (late() if self.calls == 1 else snapshot())

    cluster.manager._snapshots = Late()  # type: ignore[assignment]
    gate = asyncio.Event()
    speculate = cluster.reads.speculative_get

    async def gated(keys: Any, program: bytes = b"") -> Any:
        await gate.wait()
        return await speculate(keys, program)

    cluster.reads.speculative_get = gated  # type: ignore[method-assign]
    transaction = await cluster.manager.begin(first_read=FirstRead((key(1),), b"", begun.catalog))
    gate.set()
    assert await transaction.get([key(1)]) == [[1, 1]]


async def test_a_first_read_for_another_catalog_or_other_keys_is_thrown_away() -> None:
    cluster = FakeCluster()
    await put(cluster, {1: 1, 2: 2})
    catalog = (await cluster.manager.begin()).catalog
    transaction = await cluster.manager.begin(first_read=FirstRead((key(1),), b"", catalog))
    assert await transaction.get([key(2)]) == [[2, 2]]
    transaction = await cluster.manager.begin(first_read=FirstRead((key(1),), b"", empty_catalog()))
    assert await transaction.get([key(1)]) == [[1, 1]]
    transaction = await cluster.manager.begin(first_read=FirstRead((key(1),), b"", catalog))
    transaction.write(key(1), MODE_UPDATE, encode_row([5, 1]))
    assert await transaction.get([key(1)]) == [[5, 1]]
    transaction.rollback()
    await asyncio.sleep(0.01)


# ---- SERIALIZABLE


async def test_serializable_points_conflict_only_when_they_changed() -> None:
    cluster = FakeCluster()
    await put(cluster, {1: 1, 2: 2, 3: 3})
    for touched, conflicts in ((1, True), (3, False)):
        transaction = await cluster.manager.begin(serializable=True)
        await transaction.get([key(1)])
        await put(cluster, {touched: 7})
        transaction.write(key(2), MODE_UPDATE, encode_row([0, 2]))
        if conflicts:
            with pytest.raises(SqlError, match=r"40001.*OC000"):
                await transaction.commit()
        else:
            await transaction.commit()


@pytest.mark.parametrize(
    ("scan", "touched", "conflicts"),
    [
        ({}, 7, True),
        ({"limit": 2}, 2, True),
        ({"limit": 2}, 7, False),
        ({"limit": 2, "reverse": True}, 9, True),
        ({"limit": 2, "reverse": True}, 2, False),
        ({"limit": 100}, 20, True),
    ],
)
async def test_serializable_ranges_reach_as_far_as_was_read(
    scan: dict[str, Any], touched: int, conflicts: bool
) -> None:
    cluster = FakeCluster()
    await put(cluster, {1: 1, 3: 3, 6: 6, 8: 8, 10: 1})
    transaction = await cluster.manager.begin(serializable=True)
    async for _ in transaction.scan(PREFIX, key_prefix(20000, 1), **scan):
        pass
    # A phantom: nobody had this key before.
    await put(cluster, {touched: 7})
    transaction.write(key_prefix(20001, 0) + b"\x18", MODE_EXCLUSIVE, encode_row([]))
    if conflicts:
        with pytest.raises(SqlError, match="40001"):
            await transaction.commit()
    else:
        await transaction.commit()


async def test_snapshot_isolation_does_not_check_reads() -> None:
    cluster = FakeCluster()
    await put(cluster, {1: 1})
    transaction = await cluster.manager.begin()
    await transaction.get([key(1)])
    await put(cluster, {1: 5})
    transaction.write(key(2), MODE_EXCLUSIVE, encode_row([0, 2]))
    await transaction.commit()


async def test_many_reads_are_coalesced_and_still_checked() -> None:
    cluster = FakeCluster()
    await put(cluster, {200: 1})
    transaction = await cluster.manager.begin(serializable=True)
    numbers = list(range(0, 60_000, 3))
    await transaction.get([PREFIX + b"\x1a" + n.to_bytes(2, "big") for n in numbers])
    transaction.write(key(2), MODE_EXCLUSIVE, encode_row([0, 2]))
    request = transaction.commit_request()
    assert len(request.read_checks) <= 4096
    covered = [
        (check.range.start, check.range.end)
        for check in request.read_checks
        if check.HasField("range")
    ]
    for number in numbers[::371]:
        asked = PREFIX + b"\x1a" + number.to_bytes(2, "big")
        assert any(start <= asked < end for start, end in covered) or any(
            check.key == asked for check in request.read_checks
        )
