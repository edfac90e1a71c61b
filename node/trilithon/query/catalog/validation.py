"""Looks at the rows that are older than a constraint, in small transactions of a job.

Why no row is missed. Every writer whose commit comes after the csn at which the constraint was added knows it
(its READ check of the table's definition sees to it) and checks what it writes. The job reads at snapshots
after that csn: it looks at each row as it was then or as such a writer left it, and rows that come later need
no look. So what it only reads needs no check at COMMIT, and nobody is in anybody's way.

Why no reference is missed. A row's referenced key is claimed KEY_SHARE by the step that found it. Whoever
deletes it with an older snapshot conflicts with that; whoever deletes it later knows the constraint and looks
for rows that refer to it.

Targets of a job (`Job.target`)
- check, foreign_key: the constraint `object_name` becomes validated.
- not_null: the columns `made_not_null`, which writers keep free of NULL already, become NOT NULL.
- primary_key: the same, and then the unique index `object_id` becomes the primary key, named `object_name`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from trilithon.core.errors import SqlError
from trilithon.core.invariant import require
from trilithon.expression.context import EvalContext
from trilithon.query.catalog.changes import put_object
from trilithon.query.catalog.ddl_foreign_keys import drop_foreign_key
from trilithon.query.catalog.ddl_indexes import contains_nulls
from trilithon.query.catalog.ddl_tables import with_not_null, without_not_null
from trilithon.query.catalog.definitions import Job, JobKind, JobState, Table
from trilithon.query.catalog.job_steps import move_on, next_rows, run_step
from trilithon.query.catalog.jobs import failed, fails, get_job, put_job
from trilithon.query.catalog.references import reference_from, require_referenced

if TYPE_CHECKING:
    from trilithon.query.transaction.manager import TransactionManager
    from trilithon.query.transaction.transaction import Transaction

CHECK: Final = "check"
FOREIGN_KEY: Final = "foreign_key"
NOT_NULL: Final = "not_null"
PRIMARY_KEY: Final = "primary_key"

BATCH_ROWS: Final = 512
# Microseconds from 1970 to 2000, where SQL's time begins.
_EPOCH_2000_US: Final = 946_684_800_000_000

Rows = Sequence[Sequence[Any]]


async def validation_step(manager: TransactionManager, job: Job) -> bool:
    """One batch. False: the constraint is valid, or gone. SqlError 23502, 23503, 23514 and what
    expressions raise: it is violated; 40001, 40003, 57P03: try again."""
    return await run_step(manager, job, _look, BATCH_ROWS, "validation of")


async def _look(transaction: Transaction, job: Job, batch: int) -> bool:
    table = transaction.catalog.table_by_id(job.table_id)
    state = _state_of(table, job)
    if table is None or state is not JobState.PROCESSING:
        details = "" if state is JobState.COMPLETED else "the constraint was dropped"
        put_job(transaction, replace(job, state=state, details=details))
        return False
    keys, rows = await next_rows(transaction, table, job, batch)
    await require_valid(transaction, table, job.target, job.object_name, job.made_not_null, rows)
    done = len(keys) < batch
    if done:
        put_object(transaction, validated(table, job))
    move_on(transaction, job, keys, done=done)
    return not done


def _state_of(table: Table | None, job: Job) -> JobState:
    """COMPLETED: somebody else did it; CANCELLED: there is nothing to do any more."""
    if table is None:
        return JobState.CANCELLED
    if job.target in (CHECK, FOREIGN_KEY):
        found = _constraint(table, job)
        if found is None:
            return JobState.CANCELLED
        return JobState.COMPLETED if found.validated else JobState.PROCESSING
    columns = [table.columns[number - 1] for number in job.made_not_null]
    if any(not (column.not_null or column.becoming_not_null) for column in columns):
        return JobState.CANCELLED
    if job.target == PRIMARY_KEY:
        index = table.index_by_id(job.object_id)
        gone = index is None or index.constraint or table.primary_key is not None
        return JobState.CANCELLED if gone else JobState.PROCESSING
    done = all(column.not_null for column in columns)
    return JobState.COMPLETED if done else JobState.PROCESSING


def _constraint(table: Table, job: Job) -> Any:
    if job.target == FOREIGN_KEY:
        return table.foreign_key(job.object_name)
    return table.check(job.object_name)


# ---- what is right


async def require_valid(
    transaction: Transaction,
    table: Table,
    target: str,
    name: str,
    columns: Sequence[int],
    rows: Rows,
) -> None:
    """These rows satisfy the constraint. SqlError 23502, 23503, 23514."""
    if target == FOREIGN_KEY:
        key = table.foreign_key(name)
        require(key is not None, "a constraint that is validated is there")
        assert key is not None
        await require_referenced(transaction, reference_from(transaction, table, key), rows)
    elif target == CHECK:
        if _failing(transaction, table, name)(rows):
            raise check_violated(table, name)
    else:
        for number in columns:
            if any(row[number - 1] is None for row in rows):
                raise contains_nulls(table, table.columns[number - 1].name)


def _failing(transaction: Transaction, table: Table, name: str) -> Callable[[Rows], Rows]:
    """Finds the rows that break a CHECK, with the time of day as now()."""
    expressions: Any = transaction.manager.expressions
    rules = expressions.row_rules(table, transaction.catalog).constraints.checks
    checks = {check: failing for check, failing, domain in rules if not domain}
    now_us = transaction.manager.world.clock.wall_us() - _EPOCH_2000_US
    context = EvalContext(transaction_time_us=now_us, statement_time_us=now_us)
    failing = checks[name]
    return lambda rows: failing(list(rows), context)


def check_violated(table: Table, name: str) -> SqlError:
    return SqlError(
        "23514",
        f'check constraint "{name}" of relation "{table.name}" is violated by some row',
        schema=table.schema,
        table=table.name,
        constraint=name,
    )


# ---- the table afterwards


def validated(table: Table, job: Job) -> Table:
    """With the constraint in force for all rows."""
    name = job.object_name
    if job.target == CHECK:
        return table.changed(checks=_marked(table.checks, name))
    if job.target == FOREIGN_KEY:
        return table.changed(foreign_keys=_marked(table.foreign_keys, name))
    changed = table.changed(columns=with_not_null(table, job.made_not_null))
    if job.target == PRIMARY_KEY:
        changed = promoted(changed, job.object_id, name, primary=True)
    return changed


def _marked(constraints: tuple[Any, ...], name: str) -> tuple[Any, ...]:
    return tuple(replace(one, validated=True) if one.name == name else one for one in constraints)


def promoted(table: Table, index_id: int, name: str, *, primary: bool) -> Table:
    """A unique index becomes a constraint."""
    return replace(
        table,
        indexes=tuple(
            replace(index, name=name, constraint=True, primary=primary)
            if index.id == index_id
            else index
            for index in table.indexes
        ),
    )


async def validation_failed(
    manager: TransactionManager, job_id: bytes, error: SqlError, *, drop: bool
) -> None:
    """The constraint stays as it is, for new rows only; or goes, when the statement that added it waits
    and hears the reason. Columns need not be free of NULL any more."""

    async def work(transaction: Transaction) -> None:
        job = await get_job(transaction, job_id)
        if job is None or job.kind is not JobKind.VALIDATE or not fails(job, drop=drop):
            return
        put_job(transaction, failed(job, error))
        table = transaction.catalog.table_by_id(job.table_id)
        if table is None or _state_of(table, job) is not JobState.PROCESSING:
            return
        if job.target in (NOT_NULL, PRIMARY_KEY):
            columns = without_not_null(table, job.made_not_null)
            put_object(transaction, table.changed(columns=columns))
        elif drop and job.added and job.target == FOREIGN_KEY:
            drop_foreign_key(transaction, table.id, job.object_name)
        elif drop and job.added:
            rest = tuple(check for check in table.checks if check.name != job.object_name)
            put_object(transaction, table.changed(checks=rest))

    await manager.run(work)
