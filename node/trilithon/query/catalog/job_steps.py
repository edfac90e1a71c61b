"""What jobs over a table's rows have in common: a step is a batch of rows in one small transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog.definitions import Job, JobState, Table
from trilithon.query.catalog.jobs import put_job
from trilithon.query.catalog.rowkeys import pad_row, row_range

if TYPE_CHECKING:
    from trilithon.query.transaction.manager import TransactionManager
    from trilithon.query.transaction.transaction import Transaction

# Conflicts of one step in a row, each with half the rows, down to one.
CONFLICTS_MAX: Final = 50

# (transaction, job, rows at most) → whether there is more to do.
Look = Callable[["Transaction", Job, int], Awaitable[bool]]


async def run_step(
    manager: TransactionManager, job: Job, look: Look, batch: int, words: str
) -> bool:
    """One step, with fewer rows after each conflict. SqlError 40001 in the end, with `words` for what
    the job does; and what `look` and COMMIT raise."""
    for _ in range(CONFLICTS_MAX):
        transaction = await manager.begin()
        try:
            more = await look(transaction, job, batch)
            await transaction.commit()
        except SqlError as error:
            if error.sqlstate != "40001":
                raise
            batch = max(1, batch // 2)
            continue
        finally:
            transaction.rollback()
        return more
    raise SqlError("40001", f'the {words} "{job.object_name}" meets too many conflicts')


async def next_rows(
    transaction: Transaction, table: Table, job: Job, batch: int
) -> tuple[list[bytes], list[list[Any]]]:
    """Keys and rows that the job has not seen yet; fewer than `batch`: these are the last."""
    transaction.use_table(table)
    start, end = row_range(table)
    keys: list[bytes] = []
    rows: list[list[Any]] = []
    # A table with new storage (its id is larger) begins anew.
    async for chunk in transaction.scan(
        max(start, job.resume_key), end, limit=batch, with_keys=True
    ):
        keys += chunk.keys
        rows += (pad_row(table, row) for row in chunk.rows)
    return keys, rows


def move_on(transaction: Transaction, job: Job, keys: list[bytes], *, done: bool) -> None:
    """The job has seen these rows."""
    put_job(
        transaction,
        replace(
            job,
            state=JobState.COMPLETED if done else JobState.PROCESSING,
            rows_done=job.rows_done + len(keys),
            resume_key=keys[-1] + b"\0" if keys else job.resume_key,
        ),
    )
