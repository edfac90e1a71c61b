"""Fills a building index from the rows that were there before it, in ordinary small transactions.

Why no entry is missed. Every writer whose commit comes after the csn at which the index became building
knows the index (its READ check of the table's definition sees to it) and writes the entries of the rows
it touches, unconditionally. The backfill reads a batch of rows at a snapshot after that csn. A row whose
entry is already there needs nothing: from now on its writers keep it. For any other row the backfill
writes the entry and READ-checks the row: if anyone writes the row meanwhile, the step conflicts and is done
again, and then finds the entry which that writer made. So a row that is written all the time does not hold
the backfill up.

Why no duplicate is missed. An entry of a unique index is written EXCLUSIVE under a key that all rows with the
same values share, and never replaced or removed for a row that it does not belong to (`row_writer`). The
backfill looks at each row's entry: if it belongs to another row, both rows have these values at the same
snapshot.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from trilithon.core.errors import SqlError
from trilithon.core.invariant import require
from trilithon.query.catalog.changes import put_object
from trilithon.query.catalog.ddl_indexes import contains_nulls, duplicate_in_build
from trilithon.query.catalog.ddl_tables import with_not_null, without_not_null
from trilithon.query.catalog.definitions import Index, IndexState, Job, JobKind, JobState, Table
from trilithon.query.catalog.job_steps import move_on, next_rows, run_step
from trilithon.query.catalog.jobs import failed, fails, get_job, put_job, submit_reclaim
from trilithon.query.catalog.rowkeys import Entry, IndexKeys, suffix_of
from trilithon.types.rows import decode_row
from trilithon.v1.types_pb2 import MODE_BLIND, MODE_EXCLUSIVE

if TYPE_CHECKING:
    from trilithon.query.transaction.manager import TransactionManager
    from trilithon.query.transaction.transaction import Transaction

BATCH_ROWS: Final = 256


async def backfill_step(manager: TransactionManager, job: Job) -> bool:
    """One batch. False: the index is ready, or gone. SqlError 23505 and what expressions raise: the
    build failed; 40001, 40003, 57P03: try again."""
    return await run_step(manager, job, _fill, BATCH_ROWS, "build of index")


async def _fill(transaction: Transaction, job: Job, batch: int) -> bool:
    found = transaction.catalog.index_by_id(job.object_id)
    if found is None:
        put_job(
            transaction, replace(job, state=JobState.CANCELLED, details="the index was dropped")
        )
        return False
    table, index = found
    if index.state is not IndexState.BUILDING:
        put_job(transaction, replace(job, state=JobState.COMPLETED))
        return False
    keys, rows = await next_rows(transaction, table, job, batch)
    for number in job.made_not_null:
        if any(row[number - 1] is None for row in rows):
            raise contains_nulls(table, table.columns[number - 1].name)
    await _write_missing(transaction, table, index, keys, rows)
    done = len(keys) < batch
    if done:
        _set_state(transaction, table, index, IndexState.READY)
    move_on(transaction, job, keys, done=done)
    return not done


async def _write_missing(
    transaction: Transaction,
    table: Table,
    index: Index,
    keys: list[bytes],
    rows: list[list[Any]],
) -> None:
    index_keys = transaction.manager.table_keys(table).index_keys(index.id)
    require(index_keys is not None, "a building index is maintained")
    assert index_keys is not None
    wanted: list[tuple[bytes, list[Any], Entry]] = []
    for key, row in zip(keys, rows, strict=True):
        entry = index_keys.entry(row, suffix_of(key))
        if entry is not None:
            wanted.append((key, row, entry))
    existing = await transaction.get([entry.key for _, _, entry in wanted])
    claimed: set[bytes] = set()
    for (key, row, entry), there in zip(wanted, existing, strict=True):
        if entry.unique and (entry.key in claimed or _is_foreign(there, entry)):
            raise duplicate_in_build(table, index, _values(index_keys, row))
        claimed.add(entry.key)
        if there is not None and there == decode_row(entry.value):
            continue
        transaction.check_read(key)
        mode = MODE_EXCLUSIVE if entry.unique else MODE_BLIND
        transaction.write(entry.key, mode, entry.value)


def _is_foreign(there: list[Any] | None, entry: Entry) -> bool:
    return there is not None and there[0] != decode_row(entry.value)[0]


def _values(index_keys: IndexKeys, row: list[Any]) -> list[Any]:
    return index_keys.values(row)


def _set_state(transaction: Transaction, table: Table, index: Index, state: IndexState) -> None:
    numbers = index.column_numbers if index.primary else ()
    became = with_not_null if state is IndexState.READY else without_not_null
    put_object(
        transaction,
        table.changed(
            indexes=tuple(
                replace(other, state=state) if other.id == index.id else other
                for other in table.indexes
            ),
            columns=became(table, numbers),
        ),
    )


async def build_failed(
    manager: TransactionManager, job_id: bytes, error: SqlError, *, drop: bool
) -> None:
    """The index becomes invalid, or is dropped when somebody waits for it and hears the reason."""

    async def work(transaction: Transaction) -> None:
        job = await get_job(transaction, job_id)
        if job is None or job.kind is not JobKind.INDEX_BUILD or not fails(job, drop=drop):
            return
        left = IndexState.INVALID if job.state is JobState.FAILED else IndexState.BUILDING
        put_job(transaction, failed(job, error))
        found = transaction.catalog.index_by_id(job.object_id)
        if found is None or found[1].state is not left:
            return
        table, index = found
        if drop:
            rest = tuple(other for other in table.indexes if other.id != index.id)
            columns = without_not_null(table, job.made_not_null)
            put_object(transaction, table.changed(indexes=rest, columns=columns))
            submit_reclaim(transaction, table, index)
        else:
            _set_state(transaction, table, index, IndexState.INVALID)

    await manager.run(work)
