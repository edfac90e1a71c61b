"""Makes a table's rows anew, in small transactions of a job, while the table is read and written.

ADD COLUMN with values that differ from row to row, and ALTER COLUMN ... TYPE, give a table a second form
(`Table.rewrite`): new storage, with the rows and all index entries as they will be. Readers know nothing of
it. The job makes the second form of rows that have none yet; the last step, which finds no more rows,
publishes: the table's definition then names the new storage, and the old one is reclaimed.

Why no row is missed. Every writer whose commit comes after the csn at which the rewriting began knows of it (its
READ check of the table's definition sees to it) and keeps the second form of the rows that it touches
(`shadow_writer`). The job reads a batch of rows at a snapshot after that csn. A row that has a second form
already needs nothing. For any other row the job writes it and READ-checks the row itself: if anyone writes the
row meanwhile, the step conflicts and is done again, and then finds what that writer made. Whoever publishes
changes the definition, so no writer with the old one comes after it.

Why a failure leaves nothing. The second form is only ever found through the definition. When a row cannot be
converted, the definition forgets it, and its storage is reclaimed. A writer whose new row cannot be converted fails
itself, as it would a moment later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog.changes import put_object, remove_object
from trilithon.query.catalog.ddl_indexes import contains_nulls
from trilithon.query.catalog.ddl_tables import built
from trilithon.query.catalog.default_sequences import drop_defaults
from trilithon.query.catalog.definitions import Job, JobKind, JobState, Table
from trilithon.query.catalog.definitions import Sequence as SequenceObject
from trilithon.query.catalog.job_steps import move_on, next_rows, run_step
from trilithon.query.catalog.jobs import UNFINISHED, failed, get_job, put_job, submit_reclaim
from trilithon.query.catalog.shadow_writer import ShadowWriter
from trilithon.query.catalog.validation import check_violated

if TYPE_CHECKING:
    from trilithon.query.transaction.manager import TransactionManager
    from trilithon.query.transaction.transaction import Transaction

BATCH_ROWS: Final = 256
# Roughly, of rows that one step writes.
_BATCH_BYTES: Final = 2 * 1024 * 1024

Rows = Sequence[Sequence[Any]]


async def rewrite_step(manager: TransactionManager, job: Job) -> bool:
    """One batch. False: the new form is published, or nobody wants it any more. SqlError 23502, 23505, 23514,
    42P01 and what expressions raise: it cannot be made; 40001, 40003, 57P03: try again."""
    return await run_step(manager, job, _make, BATCH_ROWS, "rewriting of table")


async def _make(transaction: Transaction, job: Job, batch: int) -> bool:
    table = transaction.catalog.table_by_id(job.table_id)
    if table is None:
        # The statement that waits for it has not done what it says.
        raise SqlError("42P01", f'relation "{job.object_name}" was dropped meanwhile')
    if not _is_wanted(table, job):
        details = "nobody wants it any more"
        put_job(transaction, replace(job, state=JobState.CANCELLED, details=details))
        return False
    keys, rows = await next_rows(transaction, table, job, batch)
    count = _within(rows, _BATCH_BYTES)
    done = len(keys) < batch and count == len(keys)
    keys, rows = keys[:count], rows[:count]
    await _make_missing(transaction, table, keys, rows)
    if done:
        publish(transaction, table)
    move_on(transaction, job, keys, done=done)
    return not done


def _is_wanted(table: Table | None, job: Job) -> bool:
    return (
        table is not None
        and table.rewrite is not None
        and table.rewrite.storage_id == job.object_id
    )


def _within(rows: Rows, bytes_max: int) -> int:
    """How many of these rows a step takes; at least one."""
    total = 0
    for count, row in enumerate(rows):
        total += 64 + sum(len(value) if isinstance(value, str | bytes) else 16 for value in row)
        if total > bytes_max and count:
            return count
    return len(rows)


async def _make_missing(
    transaction: Transaction, table: Table, keys: list[bytes], rows: list[list[Any]]
) -> None:
    shadow = ShadowWriter(transaction, table)
    wanted = [
        (key, row)
        for key, row, missing in zip(keys, rows, await shadow.missing(keys), strict=True)
        if missing
    ]
    for key, _ in wanted:
        transaction.check_read(key)
    try:
        await shadow.change((), wanted)
    except SqlError as error:
        raise about_old_rows(table, error) from error


def about_old_rows(table: Table, error: SqlError) -> SqlError:
    """A constraint that a new row would break, said of rows that are there."""
    if error.sqlstate == "23502" and error.column:
        return contains_nulls(table, error.column)
    if error.sqlstate == "23514" and error.constraint:
        return check_violated(table, error.constraint)
    if error.sqlstate == "23505":
        error.message = f'could not create unique index "{error.constraint}"'
        error.detail = error.detail.replace("already exists", "is duplicated")
    return error


def publish(transaction: Transaction, table: Table) -> None:
    """The second form becomes the table."""
    made = table.rewrite
    assert made is not None
    published = built(
        table.changed(
            storage_id=made.storage_id,
            columns=made.columns,
            indexes=made.indexes,
            checks=made.checks,
            rewrite=None,
        )
    )
    put_object(transaction, published)
    submit_reclaim(transaction, table)
    own_sequence(transaction, published, made.number)


def own_sequence(transaction: Transaction, table: Table, number: int) -> None:
    """The sequence that was made for a column goes with it."""
    sequence = transaction.catalog.object_by_id(table.columns[number - 1].sequence_id)
    if isinstance(sequence, SequenceObject) and not sequence.owned_by_table:
        owned = replace(
            sequence,
            owned_by_table=table.id,
            owned_by_column=number,
            version=sequence.version + 1,
        )
        put_object(transaction, owned)


def forget_rewrite(transaction: Transaction, table: Table) -> None:
    """What was made so far is of no use any more; the definition is the caller's."""
    made, shadow = table.rewrite, table.shadow
    if made is None or shadow is None:
        return
    submit_reclaim(transaction, shadow)
    if made.number > len(table.columns):
        sequence = transaction.catalog.object_by_id(made.columns[made.number - 1].sequence_id)
        if isinstance(sequence, SequenceObject) and not sequence.owned_by_table:
            drop_defaults(transaction, sequence, {table.id})
            remove_object(transaction, sequence.id)


async def rewrite_failed(manager: TransactionManager, job_id: bytes, error: SqlError) -> None:
    """The table stays what it was."""

    async def work(transaction: Transaction) -> None:
        job = await get_job(transaction, job_id)
        if job is None or job.state not in UNFINISHED or job.kind is not JobKind.REWRITE:
            return
        put_job(transaction, failed(job, error))
        table = transaction.catalog.table_by_id(job.table_id)
        if table is not None and _is_wanted(table, job):
            put_object(transaction, table.changed(rewrite=None))
            forget_rewrite(transaction, table)

    await manager.run(work)
