"""Online index builds beside writers: no entry is missed, no duplicate is missed, whoever dies meanwhile."""

import asyncio
import random
from typing import Any

import pytest
from catalog_helpers import (
    check_indexes,
    current_table,
    index,
    make_table,
    new_cluster,
    primary,
    stored_rows,
    unique,
)
from fake_cluster import FakeCluster

from trilithon.core.errors import SqlError
from trilithon.query.catalog import backfill, jobs
from trilithon.query.catalog.ddl import add_primary_key, create_index, drop_index, truncate
from trilithon.query.catalog.definitions import IndexState, JobKind, JobState, Table
from trilithon.query.catalog.jobs import list_jobs
from trilithon.query.catalog.row_writer import RowChange, RowWriter
from trilithon.query.catalog.rowkeys import pad_row, row_range, storage_range
from trilithon.query.transaction.manager import TransactionManager
from trilithon.query.transaction.transaction import Transaction


async def fill(cluster: FakeCluster, table: Table, rows: list[list[Any]]) -> None:
    transaction = await cluster.manager.begin()
    await RowWriter(transaction, table).insert(rows)
    await transaction.commit()


async def random_write(manager: TransactionManager, source: random.Random, values: int) -> None:
    """One transaction: insert, update or delete, with the definition it sees."""
    transaction = await manager.begin()
    table = transaction.catalog.table(["public"], "t")
    start, end = row_range(table)
    rows = []
    async for chunk in transaction.scan(start, end, with_keys=True):
        rows += [
            (key, pad_row(table, row)) for key, row in zip(chunk.keys, chunk.rows, strict=True)
        ]
    writer = RowWriter(transaction, table)
    await asyncio.sleep(0)
    kind = source.random()
    if kind < 0.35 or not rows:
        await writer.insert([[source.randrange(200), source.randrange(values), 0]])
    elif kind < 0.75:
        key, row = source.choice(rows)
        changed = list(row)
        if source.random() < 0.5:
            changed[1] = source.randrange(values)
        if source.random() < 0.3:
            changed[0] = source.randrange(200)
        changed[2] = source.randrange(5)
        await writer.update([RowChange(key, row, changed)])
    else:
        key, row = source.choice(rows)
        await writer.delete([(key, row)])
    await transaction.commit()


async def keep_writing(
    manager: TransactionManager, seed: int, stop: asyncio.Event, values: int
) -> int:
    source = random.Random(seed)
    done = 0
    while not stop.is_set():
        try:
            await random_write(manager, source, values)
            done += 1
        except SqlError as error:
            assert error.sqlstate in ("40001", "23505"), error
        for _ in range(source.randrange(4)):
            await asyncio.sleep(0)
    return done


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["plain", "include", "unique", "clashing"])
async def test_builds_beside_writers(seed: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "BATCH_ROWS", 5)
    cluster = new_cluster()
    source = random.Random(seed)
    values = 12 if kind == "clashing" else 100_000 if kind == "unique" else 6
    indexes = [primary("a")] if seed % 2 else [unique("a")]
    table = await make_table(cluster, "t", "a int", "b int", "c int", indexes=indexes)
    rows = {
        source.randrange(200): source.randrange(values)
        for _ in range(12 if kind == "clashing" else 40)
    }
    await fill(cluster, table, [[a, b, 0] for a, b in rows.items()])
    definition = {
        "plain": index("b"),
        "include": index("b", include=("c",)),
        "unique": index("b", unique=True),
        "clashing": index("b", unique=True, include=("c",)),
    }[kind]
    stop = asyncio.Event()
    managers = [cluster.new_manager() for _ in range(3)]
    for manager in managers:
        manager.expressions = cluster.manager.expressions
    writers = [
        asyncio.create_task(keep_writing(manager, seed * 10 + at, stop, values))
        for at, manager in enumerate(managers)
    ]
    await asyncio.sleep(0)
    transaction = await cluster.manager.begin()
    created = await create_index(
        transaction, transaction.catalog.table(["public"], "t"), definition, wait=True
    )
    assert created is not None
    failure: SqlError | None = None
    try:
        await transaction.commit()
    except SqlError as error:
        failure = error
    for _ in range(20):
        await asyncio.sleep(0)
    stop.set()
    done = await asyncio.gather(*writers)
    assert sum(done) > 0
    table = await current_table(cluster)
    if failure is None:
        found = table.index_by_id(created.index.id)
        assert found is not None
        assert found.state is IndexState.READY
    else:
        assert kind in ("unique", "clashing")
        assert failure.sqlstate == "23505"
        assert failure.message.startswith("could not create unique index")
        assert table.index_by_id(created.index.id) is None
    check_indexes(cluster, table)
    await cluster.manager.close()


async def test_a_duplicate_is_found_and_the_index_goes() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", indexes=[primary("a")])
    await fill(cluster, table, [[n, n % 7] for n in range(10)])
    transaction = await cluster.manager.begin()
    await create_index(transaction, table, index("b", unique=True), wait=True)
    with pytest.raises(SqlError) as raised:
        await transaction.commit()
    assert raised.value.sqlstate == "23505"
    assert raised.value.message == 'could not create unique index "t_b_idx"'
    assert "is duplicated." in raised.value.detail
    assert (await current_table(cluster)).index("t_b_idx") is None
    found = await list_jobs(await cluster.manager.begin())
    assert [job.state for job in found if job.kind is JobKind.INDEX_BUILD] == [JobState.FAILED]


async def test_in_the_background_a_failed_index_is_invalid_and_not_maintained() -> None:
    cluster = new_cluster(indexes_per_table=3)
    table = await make_table(cluster, "t", "a int", "b int", indexes=[primary("a")])
    await fill(cluster, table, [[n, n % 700] for n in range(1500)])
    transaction = await cluster.manager.begin()
    created = await create_index(transaction, table, index("b", unique=True))
    assert created is not None
    assert created.job_id
    await transaction.commit()
    job = await cluster.manager.jobs.wait(created.job_id, poll_seconds=0.005)
    assert job is not None
    assert job.state is JobState.FAILED
    table = await current_table(cluster)
    invalid = table.index("t_b_idx")
    assert invalid is not None
    assert invalid.state is IndexState.INVALID
    await fill(cluster, table, [[5000, 1], [5001, 1]])
    transaction = await cluster.manager.begin()
    drop_index(transaction, table, invalid)
    await transaction.commit()
    assert (await current_table(cluster)).index("t_b_idx") is None


async def test_a_crashed_runner_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "BATCH_ROWS", 4)
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", indexes=[primary("a")])
    await fill(cluster, table, [[n, n] for n in range(50)])
    transaction = await cluster.manager.begin()
    created = await create_index(transaction, table, index("b"), wait=True)
    assert created is not None
    task = asyncio.create_task(transaction.commit())
    while len((await current_table(cluster)).indexes) < 2:
        await asyncio.sleep(0)
    for _ in range(40):
        await asyncio.sleep(0)
    # The whole query processor dies: nothing of it runs on.
    monkeypatch.setattr(cluster.manager.jobs, "start", lambda _: None)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await current_table(cluster)).indexes[-1].state is IndexState.BUILDING
    other = cluster.new_manager()
    await other.jobs._adopt()
    assert not other.jobs._running, "a living runner is left alone"
    cluster.clock.skew_us += 31_000_000
    await other.jobs._adopt()
    job = await other.jobs.wait(created.job_id, poll_seconds=0.005)
    assert job is not None
    assert job.state is JobState.COMPLETED
    assert job.rows_done == 50
    table = await current_table(cluster)
    assert table.indexes[-1].usable
    check_indexes(cluster, table)


async def test_two_runners_of_one_job_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "BATCH_ROWS", 4)
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", indexes=[primary("a")])
    await fill(cluster, table, [[n, n] for n in range(40)])
    transaction = await cluster.manager.begin()
    created = await create_index(transaction, table, index("b", unique=True), wait=True)
    assert created is not None
    other = cluster.new_manager()
    task = asyncio.create_task(transaction.commit())
    while len((await current_table(cluster)).indexes) < 2:
        await asyncio.sleep(0)
    other.jobs.start(created.job_id)
    await task
    await asyncio.gather(*other.jobs._running.values())
    table = await current_table(cluster)
    assert table.indexes[-1].usable
    check_indexes(cluster, table)


@pytest.mark.parametrize("how", ["drop", "truncate"])
async def test_the_index_or_the_table_goes_while_it_is_built(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "BATCH_ROWS", 2)
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", indexes=[primary("a")])
    await fill(cluster, table, [[n, n] for n in range(40)])
    transaction = await cluster.manager.begin()
    created = await create_index(transaction, table, index("b"), wait=True)
    assert created is not None
    task = asyncio.create_task(transaction.commit())
    while len((await current_table(cluster)).indexes) < 2:
        await asyncio.sleep(0)

    async def interfere(transaction: Any) -> None:
        table = transaction.catalog.table(["public"], "t")
        if how == "drop":
            drop_index(transaction, table, table.indexes[-1])
        else:
            await truncate(transaction, [table])

    await cluster.manager.run(interfere)
    await task
    job = await cluster.manager.jobs.wait(created.job_id)
    assert job is not None
    assert job.state is (JobState.CANCELLED if how == "drop" else JobState.COMPLETED)
    check_indexes(cluster, await current_table(cluster))


async def test_a_row_that_is_written_all_the_time_does_not_hold_the_build_up() -> None:
    """Its writers change another column; they write the building index's entry all the same."""
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", "c int", indexes=[primary("a")])
    await fill(cluster, table, [[1, 7, 0]])
    transaction = await cluster.manager.begin()
    created = await create_index(transaction, table, index("b"), wait=True)
    assert created is not None
    # Nobody works on the job yet.
    transaction.follow_ups.clear()
    await transaction.commit()

    async def touch(transaction: Transaction) -> None:
        current = transaction.catalog.table(["public"], "t")
        key = transaction.manager.table_keys(current).row_key([1])
        (row,) = await transaction.get([key])
        assert row is not None
        await RowWriter(transaction, current).update([RowChange(key, row, [1, 7, row[2] + 1])])

    await cluster.manager.run(touch)
    # From here on every step of the build is beside a write to the row.
    begin = cluster.manager.begin

    async def begin_beside_a_write(**options: bool) -> Transaction:
        transaction = await begin(**options)
        other = await begin()
        await touch(other)
        await other.commit()
        return transaction

    job = (await list_jobs(await begin()))[0]
    cluster.manager.begin = begin_beside_a_write  # type: ignore[method-assign]
    try:
        assert not await backfill.backfill_step(cluster.manager, job)
    finally:
        cluster.manager.begin = begin  # type: ignore[method-assign]
    table = await current_table(cluster)
    assert table.indexes[-1].usable
    check_indexes(cluster, table)


@pytest.mark.parametrize("how", ["delete", "update", "both"])
async def test_a_duplicate_that_goes_leaves_the_others_entry(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows 1 and 2 have the same value; the build has done row 1 when row 2 goes away."""
    monkeypatch.setattr(backfill, "BATCH_ROWS", 1)
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", indexes=[primary("a")])
    await fill(cluster, table, [[1, 7], [2, 7]])
    transaction = await cluster.manager.begin()
    created = await create_index(transaction, table, index("b", unique=True), wait=True)
    assert created is not None
    transaction.follow_ups.clear()
    await transaction.commit()
    (job,) = await list_jobs(await cluster.manager.begin())
    assert await backfill.backfill_step(cluster.manager, job)
    table = await current_table(cluster)
    keys = cluster.manager.table_keys(table)
    one, two = keys.row_key([1]), keys.row_key([2])
    transaction = await cluster.manager.begin()
    writer = RowWriter(transaction, table)
    match how:
        case "delete":
            await writer.delete([(two, [2, 7])])
        case "update":
            await writer.update([RowChange(two, [2, 7], [2, 8])])
        case "both":
            await writer.delete([(two, [2, 7]), (one, [1, 7])])
    await transaction.commit()
    await cluster.manager.jobs.run_now(job.id)
    table = await current_table(cluster)
    assert table.indexes[-1].usable
    check_indexes(cluster, table)


async def test_a_duplicate_is_not_papered_over_by_an_update(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backfill, "BATCH_ROWS", 1)
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", "c int", indexes=[primary("a")])
    await fill(cluster, table, [[1, 7, 0], [2, 7, 0]])
    transaction = await cluster.manager.begin()
    definition = index("b", unique=True, include=("c",))
    created = await create_index(transaction, table, definition, wait=True)
    assert created is not None
    transaction.follow_ups.clear()
    await transaction.commit()
    (job,) = await list_jobs(await cluster.manager.begin())
    assert await backfill.backfill_step(cluster.manager, job)
    table = await current_table(cluster)
    keys = cluster.manager.table_keys(table)
    one, two = keys.row_key([1]), keys.row_key([2])
    transaction = await cluster.manager.begin()
    for changes in (
        [RowChange(two, [2, 7, 0], [2, 7, 5])],
        [RowChange(one, [1, 7, 0], [1, 7, 5]), RowChange(two, [2, 7, 0], [2, 7, 5])],
    ):
        with pytest.raises(SqlError, match="23505"):
            await RowWriter(transaction, table).update(changes)
    transaction.rollback()
    with pytest.raises(SqlError, match="23505"):
        await cluster.manager.jobs.run_now(job.id)


async def test_a_dropped_table_is_reclaimed() -> None:
    from trilithon.query.catalog.ddl import drop_tables

    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", indexes=[primary("a"), unique("b")])
    await fill(cluster, table, [[n, n] for n in range(700)])
    before = await cluster.manager.begin()
    transaction = await cluster.manager.begin()
    drop_tables(transaction, [table])
    await transaction.commit()
    await asyncio.gather(*cluster.manager.jobs._running.values())
    assert not cluster.store.visible(cluster.store.csn, *storage_range(table.storage_id))
    # An older snapshot still has all of it.
    rows = [row async for chunk in before.scan(*row_range(table)) for row in chunk.rows]
    assert len(rows) == 700
    found = await list_jobs(await cluster.manager.begin())
    assert [(job.kind, job.state) for job in found] == [(JobKind.RECLAIM, JobState.COMPLETED)]
    cluster.clock.skew_us += 31 * 60 * 1_000_000
    await cluster.manager.jobs._adopt()
    assert not await list_jobs(await cluster.manager.begin())


async def test_dropping_one_index_reclaims_only_its_entries() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", indexes=[primary("a")])
    await fill(cluster, table, [[n, n] for n in range(20)])
    for name in ("one", "two"):
        transaction = await cluster.manager.begin()
        await create_index(transaction, await current_table(cluster), index("b", name=name))
        await transaction.commit()
    table = await current_table(cluster)
    one = table.index("one")
    assert one is not None
    transaction = await cluster.manager.begin()
    drop_index(transaction, table, one)
    await transaction.commit()
    await asyncio.gather(*cluster.manager.jobs._running.values())
    visible = cluster.store.visible(cluster.store.csn, *storage_range(table.storage_id))
    assert len(visible) == 40
    check_indexes(cluster, await current_table(cluster))


# ---- primary keys for tables that are there


async def test_adding_a_primary_key_rewrites_a_small_table() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", indexes=[unique("b")])
    await fill(cluster, table, [[n, -n] for n in (3, 1, 2)])
    transaction = await cluster.manager.begin()
    created = await add_primary_key(transaction, table, primary("a"))
    rows = [row async for c in transaction.scan(*row_range(created.table)) for row in c.rows]
    assert rows == [[1, -1], [2, -2], [3, -3]]
    await transaction.commit()
    table = await current_table(cluster)
    assert table.clustered is table.primary_key is not None
    assert table.columns[0].not_null
    check_indexes(cluster, table)
    assert len(stored_rows(cluster, table)) == 3


@pytest.mark.parametrize("limits", [{"rows": 10}, {"bytes": 2000}])
async def test_adding_a_primary_key_to_a_large_table_builds_an_index(
    limits: dict[str, int],
) -> None:
    from trilithon.query.transaction.write_buffer import BufferLimits

    cluster = new_cluster(buffer=BufferLimits(**limits))
    table = await make_table(cluster, "t", "a int", "b int")
    for start in (0, 8, 16):
        await fill(cluster, table, [[start + n, 0] for n in range(8)])
    transaction = await cluster.manager.begin()
    created = await add_primary_key(transaction, table, primary("a"), wait=True)
    assert created.job_id
    await transaction.commit()
    table = await current_table(cluster)
    assert table.clustered is None
    assert table.primary_key is not None
    assert table.primary_key.usable
    check_indexes(cluster, table)
    with pytest.raises(SqlError, match="23505"):
        await fill(cluster, table, [[3, 0]])


async def test_a_primary_key_that_fails_online_leaves_nothing() -> None:
    from trilithon.query.transaction.write_buffer import BufferLimits

    cluster = new_cluster(buffer=BufferLimits(rows=10))
    table = await make_table(cluster, "t", "a int", "b int not null")
    for start in (0, 8):
        await fill(cluster, table, [[n, 0] for n in range(start, start + 9)])
    transaction = await cluster.manager.begin()
    await add_primary_key(transaction, table, primary("b", "a"), wait=True)
    with pytest.raises(SqlError, match="23505"):
        await transaction.commit()
    table = await current_table(cluster)
    assert table.primary_key is None
    assert [column.not_null for column in table.columns] == [False, True]


async def test_the_runner_looks_after_jobs_until_it_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "POLL_SECONDS", 0.005)
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", indexes=[primary("a")])
    await fill(cluster, table, [[n, n] for n in range(20)])
    transaction = await cluster.manager.begin()
    created = await create_index(transaction, table, index("b"), wait=True)
    assert created is not None
    transaction.follow_ups.clear()
    await transaction.commit()
    other = cluster.new_manager()
    other.jobs.open()
    cluster.clock.skew_us += 31_000_000
    while not (await current_table(cluster)).indexes[-1].usable:
        await asyncio.sleep(0.005)
    await other.close()
    assert other.jobs._forever is None


async def test_adding_a_primary_key_over_duplicates_or_nulls_fails() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int")
    await fill(cluster, table, [[1, 1], [1, None]])
    transaction = await cluster.manager.begin()
    with pytest.raises(SqlError) as raised:
        await add_primary_key(transaction, table, primary("a"))
    assert raised.value.sqlstate == "23505"
    assert raised.value.message == 'could not create unique index "t_pkey"'
    assert raised.value.detail == "Key (a)=(1) is duplicated."
    transaction = await cluster.manager.begin()
    with pytest.raises(SqlError) as raised:
        await add_primary_key(transaction, table, primary("b"))
    assert raised.value.sqlstate == "23502"
    assert raised.value.message == 'column "b" of relation "t" contains null values'


async def test_a_row_written_beside_an_inline_build_conflicts() -> None:
    cluster = new_cluster()
    table = await make_table(cluster, "t", "a int", "b int", indexes=[primary("a")])
    await fill(cluster, table, [[1, 1]])
    transaction = await cluster.manager.begin()
    created = await create_index(transaction, table, index("b"))
    assert created is not None
    assert not created.job_id
    await fill(cluster, table, [[2, 2]])
    with pytest.raises(SqlError, match="40001"):
        await transaction.commit()
    check_indexes(cluster, await current_table(cluster))
