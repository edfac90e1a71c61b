"""Constraints that are added while the table is written: writers go on and keep them at once, no older row
is missed, and whoever dies meanwhile is replaced."""

from __future__ import annotations

import asyncio
import random
from types import SimpleNamespace
from typing import Any

import pytest
from engine_bench import Bench

from trilithon.core.errors import SqlError
from trilithon.query.catalog import backfill, ddl_indexes, jobs, validation
from trilithon.query.catalog.definitions import Job, JobState, Table
from trilithon.query.transaction.write_buffer import BufferLimits

ADD = {
    "check": "alter table c add constraint k check (n >= 0)",
    "not null": "alter table c alter column n set not null",
    "foreign key": "alter table c add constraint k foreign key (pid) references p",
    "primary key": "alter table c add constraint k primary key using index c_id",
    "unique": "alter table c add constraint k unique (id)",
}
BREAK = {
    "check": "update c set n = -1 where id = 7",
    "not null": "update c set n = null where id = 7",
    "foreign key": "update c set pid = 99 where id = 7",
    "primary key": "update c set id = null where id = 7",
    "unique": "update c set id = 8 where id = 7",
}
STATES = {
    "check": "23514",
    "not null": "23502",
    "foreign key": "23503",
    "primary key": "23502",
    "unique": "23505",
}
FOUND = {
    "check": 'check constraint "k" of relation "c" is violated by some row',
    "not null": 'column "n" of relation "c" contains null values',
    "foreign key": 'insert or update on table "c" violates foreign key constraint "k"',
    "primary key": 'column "id" of relation "c" contains null values',
    "unique": 'could not create unique index "k"',
}


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "BATCH_ROWS", 8)
    monkeypatch.setattr(backfill, "BATCH_ROWS", 8)
    monkeypatch.setattr(ddl_indexes, "INLINE_ROWS_MAX", 20)


async def prepared(rows: int = 60, **limits: Any) -> Bench:
    bench = Bench(**limits)
    await bench.run(
        "create table p (id int primary key); insert into p select generate_series(0, 9)"
    )
    await bench.run("create table c (id int, pid int, n int)")
    await bench.run("create unique index c_id on c (id)")
    await bench.run(f"insert into c select g, g % 10, g from generate_series(1, {rows}) g")
    # A session outside a transaction block: its statements wait for their jobs.
    bench.session.block = SimpleNamespace(name="IMPLICIT")  # type: ignore[attr-defined]
    return bench


def beside(bench: Bench) -> Bench:
    """Another session over the same store."""
    other = Bench()
    other.cluster = bench.cluster
    other.engine = bench.engine
    return other


async def table(bench: Bench, name: str = "c") -> Table:
    transaction = await bench.cluster.manager.begin(read_only=True)
    found = transaction.catalog.table(("public",), name)
    transaction.rollback()
    return found


async def all_jobs(bench: Bench) -> list[Job]:
    transaction = await bench.cluster.manager.begin(read_only=True)
    found = [job for job in await jobs.list_jobs(transaction) if job.kind != "reclaim"]
    transaction.rollback()
    return found


def in_force(found: Table, kind: str) -> bool:
    match kind:
        case "check":
            check = found.check("k")
            return check is not None and check.validated
        case "foreign key":
            key = found.foreign_key("k")
            return key is not None and key.validated
        case "not null":
            return found.columns[2].not_null
        case "primary key":
            primary = found.primary_key
            return primary is not None and primary.name == "k" and found.columns[0].not_null
        case _:
            index = found.index("k")
            return index is not None and index.constraint and index.usable


def leaves_nothing(found: Table) -> bool:
    return (
        not found.checks
        and not found.foreign_keys
        and found.index("k") is None
        and not any(column.not_null or column.becoming_not_null for column in found.columns)
    )


async def keep_writing(bench: Bench, seed: int, stop: asyncio.Event) -> int:
    """Rows that satisfy everything; only a new definition may stand in the way."""
    side, source, done = beside(bench), random.Random(seed), 0
    while not stop.is_set():
        row = source.randrange(1, 60)
        number = 1_000_000 * (seed + 1) + done
        sql = source.choice(
            (
                f"update c set n = {done} where id = {row}",
                f"insert into c values ({number}, {done % 10}, 1)",
                f"delete from c where id = {row}",
                f"update c set pid = {done % 10} where id = {row}",
            )
        )
        try:
            await side.run(sql)
            done += 1
        except SqlError as error:
            assert error.sqlstate == "40001", error
        await asyncio.sleep(0)
    return done


@pytest.mark.parametrize("kind", ADD)
@pytest.mark.parametrize("seed", range(3))
async def test_beside_writers(kind: str, seed: int) -> None:
    bench = await prepared(200)
    stop = asyncio.Event()
    writers = [asyncio.create_task(keep_writing(bench, seed * 3 + n, stop)) for n in range(3)]
    for _ in range(30):
        await asyncio.sleep(0)
    await bench.run(ADD[kind])
    stop.set()
    assert min(await asyncio.gather(*writers)) > 0
    assert in_force(await table(bench), kind)
    (job,) = await all_jobs(bench)
    assert job.state is JobState.COMPLETED
    assert job.rows_done > 100
    with pytest.raises(SqlError) as caught:
        await bench.run("insert into c values (7, 0, 1), (8, 0, 1) on conflict do nothing")
        await bench.run(BREAK[kind])
    assert caught.value.sqlstate == STATES[kind]


@pytest.mark.parametrize("kind", ADD)
async def test_writers_keep_it_before_older_rows_are_looked_at(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await prepared()
    began, go_on = asyncio.Event(), asyncio.Event()
    real = jobs._step_of

    def held(kind: Any) -> Any:
        step = real(kind)

        async def late(manager: Any, job: Job) -> bool:
            began.set()
            await go_on.wait()
            return await step(manager, job)

        return late

    monkeypatch.setattr(jobs, "_step_of", held)
    adding = asyncio.create_task(bench.run(ADD[kind]))
    await asyncio.wait_for(began.wait(), 10)
    side = beside(bench)
    if kind != "unique":
        with pytest.raises(SqlError) as caught:
            await side.run(BREAK[kind])
        assert caught.value.sqlstate == STATES[kind]
    await side.run("update c set n = n + 1 where id = 7")
    assert not in_force(await table(bench), kind)
    go_on.set()
    await adding
    assert in_force(await table(bench), kind)


@pytest.mark.parametrize("kind", ADD)
async def test_a_violation_is_found_and_nothing_stays(kind: str) -> None:
    bench = await prepared()
    if kind in ("unique", "primary key"):
        await bench.run("drop index c_id")
        await bench.run(BREAK[kind])
        if kind == "primary key":
            await bench.run("create unique index c_id on c (id)")
    else:
        await bench.run(BREAK[kind])
    with pytest.raises(SqlError) as caught:
        await bench.run(ADD[kind])
    assert caught.value.sqlstate == STATES[kind]
    assert caught.value.message == FOUND[kind]
    assert leaves_nothing(await table(bench))
    (job,) = [job for job in await all_jobs(bench) if job.state is not JobState.COMPLETED]
    assert job.state is JobState.FAILED
    assert FOUND[kind] in job.details
    # What the new rule forbade is allowed again.
    await beside(bench).run(BREAK[kind])


@pytest.mark.parametrize("kind", ["check", "foreign key"])
async def test_in_the_background_a_violated_constraint_stays_not_valid(kind: str) -> None:
    bench = await prepared()
    await bench.run(BREAK[kind])
    del bench.session.block  # type: ignore[attr-defined]
    await bench.begin()
    await bench.run(ADD[kind])
    await bench.commit()
    (job,) = await all_jobs(bench)
    finished = await asyncio.wait_for(bench.cluster.manager.jobs.wait(job.id, poll_seconds=0), 10)
    assert finished is not None
    assert finished.state is JobState.FAILED
    found = await table(bench)
    assert found.check("k") or found.foreign_key("k")
    assert not in_force(found, kind)
    await bench.run("update c set n = 5, pid = 5 where id = 7")
    bench.session.block = SimpleNamespace(name="IMPLICIT")  # type: ignore[attr-defined]
    await bench.run("alter table c validate constraint k")
    assert in_force(await table(bench), kind)


@pytest.mark.parametrize("kind", ADD)
async def test_another_process_goes_on_after_a_crash(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await prepared()
    steps = 0
    real = jobs._step_of

    def dying(kind: Any) -> Any:
        step = real(kind)

        async def once(manager: Any, job: Job) -> bool:
            nonlocal steps
            steps += 1
            if steps == 4:
                raise RuntimeError("the process died")
            return await step(manager, job)

        return once

    monkeypatch.setattr(jobs, "_step_of", dying)
    with pytest.raises(RuntimeError):
        await bench.run(ADD[kind])
    monkeypatch.setattr(jobs, "_step_of", real)
    (job,) = await all_jobs(bench)
    assert job.state is JobState.PROCESSING
    assert job.rows_done == 24
    assert not in_force(await table(bench), kind)
    survivor = bench.cluster.new_manager()
    survivor.expressions = bench.engine
    finished = await asyncio.wait_for(survivor.jobs.wait(job.id, poll_seconds=0), 10)
    assert finished is not None
    assert finished.state is JobState.COMPLETED
    assert finished.rows_done == 60, "nothing was looked at twice"
    assert in_force(await table(bench), kind)
    await survivor.jobs.close()


@pytest.mark.parametrize("seed", range(8))
async def test_parents_that_go_while_references_are_validated(seed: int) -> None:
    """Whatever becomes of the constraint: if it is there in the end, no row lacks its parent."""
    bench = await prepared(120)
    source = random.Random(seed)
    stop = asyncio.Event()

    async def delete_parents() -> None:
        side = beside(bench)
        while not stop.is_set():
            number = source.randrange(10)
            sql = source.choice(
                (
                    f"delete from p where id = {number}",
                    f"update p set id = {number} + 100 where id = {number}",
                    f"insert into p values ({number}) on conflict do nothing",
                    f"update c set pid = {number} where id = {source.randrange(120)}",
                )
            )
            try:
                await side.run(sql)
            except SqlError as error:
                assert error.sqlstate in ("40001", "23503"), error
            for _ in range(source.randrange(5)):
                await asyncio.sleep(0)

    meddler = asyncio.create_task(delete_parents())
    await asyncio.sleep(0)
    try:
        await bench.run(ADD["foreign key"])
        added = True
    except SqlError as error:
        assert error.sqlstate in ("23503", "40001"), error
        added = False
    stop.set()
    await meddler
    found = await table(bench)
    assert in_force(found, "foreign key") is added
    if added:
        orphans = "select c.* from c left join p on p.id = c.pid where p.id is null"
        assert await bench.rows(orphans) == []


async def test_a_dropped_constraint_ends_its_job() -> None:
    bench = await prepared()
    del bench.session.block  # type: ignore[attr-defined]
    await bench.begin()
    await bench.run(ADD["check"])
    bench.cluster.manager.jobs.start = lambda job_id: None  # type: ignore[method-assign,assignment]
    await bench.commit()
    await bench.run("alter table c drop constraint k")
    (job,) = await all_jobs(bench)
    survivor = bench.cluster.new_manager()
    survivor.expressions = bench.engine
    finished = await asyncio.wait_for(survivor.jobs.wait(job.id, poll_seconds=0), 10)
    assert finished is not None
    assert finished.state is JobState.CANCELLED
    await survivor.jobs.close()


async def test_a_large_table_gets_its_primary_key_beside_writers() -> None:
    bench = await prepared(100, buffer=BufferLimits(rows=110))
    await bench.run("insert into c select g, g % 10, g from generate_series(101, 200) g")
    stop = asyncio.Event()
    writers = [asyncio.create_task(keep_writing(bench, n, stop)) for n in range(2)]
    await asyncio.sleep(0)
    await bench.run("alter table c add primary key (id)")
    stop.set()
    await asyncio.gather(*writers)
    found = await table(bench)
    assert found.primary_key is not None
    assert found.primary_key.usable
    assert found.columns[0].not_null


async def test_jobs_are_told_of_and_waited_for() -> None:
    bench = await prepared()
    await bench.run(ADD["check"])
    rows = await bench.rows(
        "select status, job_type, object_name, table_name, rows_done from sys.jobs"
        " where job_type = 'VALIDATE' and update_time >= start_time"
    )
    assert rows == [("completed", "VALIDATE", "k", "c", "60")]
    await bench.run("update c set n = 0 where id = 7")
    (made,) = await bench.rows("create index async on c (n)")
    assert await bench.rows(f"select sys.wait_for_job('{made[0]}')") == [("t",)]
    assert await bench.rows(
        "select sys.wait_for_job(job_id), status from sys.jobs where job_type = 'INDEX_BUILD'"
    ) == [("t", "completed")]
    (made,) = await bench.rows("create unique index async on c ((n * 0))")
    assert await bench.rows(f"select sys.wait_for_job('{made[0]}')") == [("f",)]
    assert await bench.rows("select status, details from sys.jobs where status = 'failed'") == [
        ("failed", 'could not create unique index "c_expr_idx" Key (n * 0)=(0) is duplicated.')
    ]
    for wrong, state in (("zero", "22P02"), ("00000000-0000-0000-0000-000000000000", "42704")):
        with pytest.raises(SqlError) as caught:
            await bench.run(f"select sys.wait_for_job('{wrong}')")
        assert caught.value.sqlstate == state


async def test_a_primary_key_over_nulls_is_given_up() -> None:
    bench = await prepared(100, buffer=BufferLimits(rows=110))
    await bench.run("insert into c select g, g % 10, g from generate_series(101, 200) g")
    await bench.run("insert into c values (null, 1, 1)")
    with pytest.raises(SqlError) as caught:
        await bench.run("alter table c add constraint k primary key (id)")
    assert caught.value.sqlstate == "23502"
    assert leaves_nothing(await table(bench))
    await bench.run("insert into c values (null, 2, 2)")
