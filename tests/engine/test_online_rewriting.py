"""Rows that are made anew while the table is written: writers go on and keep both forms, no row is missed, and
whoever dies meanwhile is replaced."""

from __future__ import annotations

import asyncio
import copy
import random
from types import SimpleNamespace
from typing import Any

import pytest
from catalog_helpers import check_indexes
from engine_bench import Bench

from trilithon.core.errors import SqlError
from trilithon.query.catalog import jobs, rewriting
from trilithon.query.catalog.definitions import Job, JobState, Table
from trilithon.query.catalog.rowkeys import storage_range
from trilithon.query.engine import Engine
from trilithon.query.transaction.write_buffer import BufferLimits

# What is changed, and what is then wrong about a row.
CHANGES = {
    "serial": ("add column s serial", "s is null"),
    "volatile": ("add column s double precision not null default random()", "s is null"),
    "unique": ("add column s uuid default gen_random_uuid() unique", "s is null"),
    "generated": ("add column s int generated always as (n * 2) stored", "s <> n * 2"),
    "type": ("alter column n type text using n::text", "n !~ '^[0-9]+$'"),
    "key": ("alter column id type numeric", "id is null"),
}


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewriting, "BATCH_ROWS", 8)


async def prepared(rows: int = 60, **limits: Any) -> Bench:
    bench = Bench(**limits)
    await bench.run("create table c (id int primary key, n int not null, u int unique)")
    await bench.run("create index on c (n) include (u)")
    await bench.run(f"insert into c select g, g, g from generate_series(1, {rows}) g")
    # A session outside a transaction block: its statements wait for their jobs.
    bench.session.block = SimpleNamespace(name="IMPLICIT")  # type: ignore[attr-defined]
    return bench


def beside(bench: Bench) -> Bench:
    """A session of another query processor over the same store."""
    other = Bench()
    other.cluster = copy.copy(bench.cluster)
    other.cluster.manager = bench.cluster.new_manager()
    other.engine = Engine(other.cluster.manager)
    return other


async def table(bench: Bench) -> Table:
    transaction = await bench.cluster.manager.begin(read_only=True)
    found = transaction.catalog.table(("public",), "c")
    transaction.rollback()
    return found


async def rewrite_jobs(bench: Bench) -> list[Job]:
    transaction = await bench.cluster.manager.begin(read_only=True)
    found = [job for job in await jobs.list_jobs(transaction) if job.kind == "rewrite"]
    transaction.rollback()
    return found


async def keep_writing(bench: Bench, seed: int, stop: asyncio.Event) -> int:
    side, source, done = beside(bench), random.Random(seed), 0
    while not stop.is_set():
        row = source.randrange(1, 60)
        number = 1_000_000 * (seed + 1) + done
        sql = source.choice(
            (
                f"update c set n = {done} where id = {row}",
                f"update c set u = {number} where id = {row}",
                f"update c set id = {number} where id = {row}",
                f"insert into c values ({number}, {done}, {number})",
                f"delete from c where id = {row}",
                f"insert into c values ({row}, 1, {row}) on conflict do nothing",
                f"delete from c where id = {row}; insert into c values ({row}, 2, null)",
            )
        )
        try:
            await side.run(sql)
            done += 1
        except SqlError as error:
            # 42804: the column is text now, and its writers know.
            assert error.sqlstate in ("40001", "42804", "23505"), error
        await asyncio.sleep(0)
    return done


async def require_whole(bench: Bench, wrong: str) -> None:
    found = await table(bench)
    assert found.rewrite is None
    check_indexes(bench.cluster, found)
    assert (await bench.run(f"select count(*) from c where {wrong}")).values == [(0,)]
    if found.column("s") is not None and "double" not in wrong:
        (counts,) = (await bench.run("select count(*), count(s) from c")).values
        assert counts[0] == counts[1] > 0


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("seed", range(2))
async def test_beside_writers(kind: str, seed: int) -> None:
    bench = await prepared(150)
    change, wrong = CHANGES[kind]
    stop = asyncio.Event()
    writers = [asyncio.create_task(keep_writing(bench, seed * 3 + n, stop)) for n in range(3)]
    for _ in range(30):
        await asyncio.sleep(0)
    await bench.run(f"alter table c {change}")
    stop.set()
    assert min(await asyncio.gather(*writers)) > 0
    (job,) = await rewrite_jobs(bench)
    assert job.state is JobState.COMPLETED
    assert job.rows_done > 60
    await require_whole(bench, wrong)
    if kind in ("serial", "unique"):
        (counts,) = (await bench.run("select count(*), count(distinct s) from c")).values
        assert counts[0] == counts[1]


@pytest.mark.parametrize("kind", CHANGES)
async def test_another_process_goes_on_after_a_crash(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await prepared()
    change, wrong = CHANGES[kind]
    real, left = jobs._step_of, [3]
    died = asyncio.Event()

    def dying(kind: Any) -> Any:
        step = real(kind)

        async def first(manager: Any, job: Job) -> bool:
            left[0] -= 1
            if left[0] < 0:
                died.set()
                await asyncio.Event().wait()
            return await step(manager, job)

        return first

    monkeypatch.setattr(jobs, "_step_of", dying)
    altering = asyncio.create_task(bench.run(f"alter table c {change}"))
    await asyncio.wait_for(died.wait(), 10)
    altering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await altering
    await bench.cluster.manager.jobs.close()
    monkeypatch.setattr(jobs, "_step_of", real)
    side = beside(bench)
    # Nobody sees anything of it yet, and writers keep what is there already.
    assert (await side.run("select * from c where id = 1")).values == [(1, 1, 1)]
    await side.run("update c set n = n + 1, u = u + 1000; delete from c where id in (2, 50)")
    await side.run("insert into c values (2000, 5, 5)")
    with pytest.raises(SqlError, match="55006"):
        await side.run("alter table c rename column u to v")
    (job,) = await rewrite_jobs(bench)
    await side.cluster.manager.jobs.run_now(job.id)
    await require_whole(bench, wrong)
    assert (await bench.run("select count(*) from c")).values == [(59,)]


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (
            "alter column n type smallint using case n when 40 then 'x' else '1' end::smallint",
            "22P02",
        ),
        ("alter column u type int using u % 30", "23505"),
        ("alter column id type int using id % 30", "23505"),
        ("add column s int generated always as (100 / (n - 40)) stored", "22012"),
        ("add column s int not null generated always as (nullif(n, 40)) stored", "23502"),
        ("add column s int generated always as (n) stored check (s <> 40)", "23514"),
        ("add column s serial check (s < 40)", "23514"),
    ],
)
async def test_what_cannot_be_made_leaves_the_table_as_it_was(change: str, state: str) -> None:
    bench = await prepared()
    before = await table(bench)
    with pytest.raises(SqlError) as raised:
        await bench.run(f"alter table c {change}")
    assert raised.value.sqlstate == state, raised.value
    after = await table(bench)
    assert (after.rewrite, after.columns, after.indexes) == (None, before.columns, before.indexes)
    check_indexes(bench.cluster, after)
    transaction = await bench.cluster.manager.begin()
    assert not transaction.catalog.sequences
    transaction.rollback()
    # Nothing is left of the second form, once its storage is reclaimed.
    (job,) = await rewrite_jobs(bench)
    assert job.state is JobState.FAILED
    while bench.cluster.manager.jobs._running:
        await asyncio.sleep(0.01)
    reader = await bench.cluster.manager.begin()
    rows = [row async for chunk in reader.scan(*storage_range(job.object_id)) for row in chunk.rows]
    assert not rows
    await bench.run(f"alter table c {CHANGES['serial'][0]}")
    await require_whole(bench, CHANGES["serial"][1])


@pytest.mark.parametrize(
    ("statement", "state"),
    [
        ("alter table c alter column n type int using 1 / (n - 40)", "22012"),
        ("create unique index twice on c ((n % 7))", "23505"),
        ("alter table c add check (n <> 40)", "23514"),
    ],
)
async def test_what_another_process_found_wrong_is_told_to_who_waits(
    statement: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await prepared()
    real, began, go_on = jobs._step_of, asyncio.Event(), asyncio.Event()

    def slow_here(kind: Any) -> Any:
        async def step(manager: Any, job: Job) -> bool:
            if manager is not bench.cluster.manager:
                return await real(kind)(manager, job)
            began.set()
            await go_on.wait()
            raise SqlError("40001", "somebody else has moved the job on")

        return step

    monkeypatch.setattr(jobs, "_step_of", slow_here)
    waiting = asyncio.create_task(bench.run(statement))
    await asyncio.wait_for(began.wait(), 10)
    transaction = await bench.cluster.manager.begin(read_only=True)
    (job,) = await jobs.list_jobs(transaction)
    transaction.rollback()
    side = beside(bench).cluster.manager
    side.jobs.start(job.id)
    finished = await asyncio.wait_for(side.jobs.wait(job.id), 10)
    assert finished is not None
    assert (finished.state, finished.sqlstate) == (JobState.FAILED, state)
    go_on.set()
    with pytest.raises(SqlError) as raised:
        await waiting
    assert raised.value.sqlstate == state
    assert raised.value.message == finished.details
    # Nothing is left of what it was to add.
    left = await table(bench)
    assert (len(left.indexes), left.checks, left.rewrite) == (3, (), None)
    check_indexes(bench.cluster, left)


async def test_more_rows_than_a_transaction_may_change() -> None:
    bench = await prepared(90, buffer=BufferLimits(rows=100))
    await bench.run("insert into c select g, g, g from generate_series(101, 190) g")
    await bench.begin()
    with pytest.raises(SqlError, match="54000"):
        await bench.run("alter table c add column t serial, add column w serial")
    await bench.run("alter table c add column s serial")
    await require_whole(bench, "s is null")


async def test_types_with_the_same_values_touch_no_row() -> None:
    bench = await prepared()
    before = await table(bench)
    await bench.run("alter table c alter column id type bigint, alter column n type bigint")
    after = await table(bench)
    assert after.storage_id == before.storage_id
    assert after.clustered is not None
    check_indexes(bench.cluster, after)
    await bench.run("insert into c values (5000000000, 5000000000)")
    assert (await bench.run("select n from c where id = 5000000000")).values == [(5_000_000_000,)]


async def test_dropping_the_table_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = await prepared()
    began, go_on = asyncio.Event(), asyncio.Event()
    real = rewriting._make

    async def late(*args: Any) -> bool:
        began.set()
        await go_on.wait()
        return await real(*args)

    monkeypatch.setattr(rewriting, "_make", late)
    altering = asyncio.create_task(bench.run("alter table c add column s serial"))
    await asyncio.wait_for(began.wait(), 10)
    await beside(bench).run("drop table c")
    go_on.set()
    with pytest.raises(SqlError, match="42P01"):
        await altering
    transaction = await bench.cluster.manager.begin()
    assert not transaction.catalog.tables
    assert not transaction.catalog.sequences
