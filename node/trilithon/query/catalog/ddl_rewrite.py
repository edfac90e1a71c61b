"""Changes that every row of a table must be written for: at once, or online.

- *inline*: the statement's transaction writes all rows into new storage, within its limits (54000 beyond).
  For storage that nobody else can reach, for empty tables, inside a transaction block, and when the
  statement makes other changes too. A row written meanwhile makes it fail with 40001.
- *online*: a statement that is a transaction of its own begins to rewrite the table, and COMMIT returns when a
  job has made all rows (see `rewriting`), or raises why it could not: then the table is what it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog.changes import put_object
from trilithon.query.catalog.ddl_indexes import (
    check_rows_unchanged,
    count_rows,
    require_no_rows,
    rewrite,
)
from trilithon.query.catalog.ddl_tables import with_check, with_index
from trilithon.query.catalog.deferrable_keys import deferrable_keys
from trilithon.query.catalog.definitions import (
    CheckDefinition,
    Column,
    Index,
    IndexDefinition,
    IndexState,
    JobKind,
    Rewrite,
    Table,
)
from trilithon.query.catalog.jobs import new_job, submit_and_wait
from trilithon.query.catalog.rewriting import about_old_rows, own_sequence
from trilithon.query.catalog.rowkeys import pad_row, row_range
from trilithon.query.catalog.shadow_writer import ConversionLike
from trilithon.query.transaction.transaction import Transaction
from trilithon.types.registry import TypeRef

_HINT: Final = (
    "A single change by a statement of its own, outside a transaction block, is made online, for any "
    "number of rows."
)


async def rewrite_table(
    transaction: Transaction,
    table: Table,
    column: Column,
    how: Rewrite,
    *,
    indexes: Sequence[IndexDefinition] = (),
    checks: Sequence[CheckDefinition] = (),
    alone: bool,
) -> bool:
    """Give the table this column (a new one, or one that is there, changed), and new indexes and checks. `how`
    says what the column's values are; its storage, columns, indexes and checks are filled in here. True: it
    is done when the transaction's follow-ups are; False: done. SqlError 23502, 23505, 23514, 54000, 55006,
    and what the values raise."""
    transaction.check_writable("ALTER TABLE")
    _require_quiet(table)
    if deferrable_keys(table) or any(definition.deferrable for definition in indexes):
        await require_no_rows(transaction, table)
    online = alone and not transaction.is_new_storage(table)
    online = online and await count_rows(transaction, table, 1) > 0
    columns = list(table.columns)
    columns[column.number - 1 : column.number] = [column]
    after = replace(table, columns=tuple(columns), indexes=_with_type(table.indexes, column))
    for definition in indexes:
        after = await with_index(
            transaction,
            after,
            definition,
            IndexState.BUILDING if online else IndexState.READY,
            clustered=False if online else None,
        )
    for check in checks:
        after = with_check(after, check)
    how = replace(
        how,
        storage_id=await transaction.manager.object_ids.take(),
        columns=tuple(replace(one, missing=None) for one in after.columns),
        indexes=tuple(_to_build(index, column) for index in after.indexes),
        checks=after.checks,
    )
    begun = table.changed(rewrite=how)
    expressions: Any = transaction.manager.expressions
    conversion: ConversionLike = expressions.conversion(begun, transaction.catalog)
    if not online:
        await _rewrite_inline(transaction, table, after, column, conversion)
        return False
    put_object(transaction, begun)
    job = new_job(transaction, JobKind.REWRITE, table, how.storage_id, table.name)
    submit_and_wait(transaction, job)
    return True


def _require_quiet(table: Table) -> None:
    """SqlError 55006 while other jobs rest on the definition."""
    building = any(index.state is IndexState.BUILDING for index in table.indexes)
    if building or table.rewrite or any(one.becoming_not_null for one in table.columns):
        raise SqlError(
            "55006",
            f'cannot rewrite table "{table.name}" while a job works on it',
            hint="sys.jobs shows its state.",
        )


def _with_type(indexes: tuple[Index, ...], column: Column) -> tuple[Index, ...]:
    return tuple(
        replace(
            index,
            columns=tuple(
                replace(part, type=column.type) if part.number == column.number else part
                for part in index.columns
            ),
        )
        for index in indexes
    )


def _to_build(index: Index, column: Column) -> Index:
    """An index of the second form. Its rows keep their places: a primary key over a column whose values
    change is a unique index like others from then on."""
    moved = index.clustered and column.number in index.column_numbers
    if index.state is IndexState.READY and (not index.clustered or moved):
        return replace(index, state=IndexState.BUILDING, clustered=False)
    return index


async def _rewrite_inline(
    transaction: Transaction,
    table: Table,
    after: Table,
    column: Column,
    conversion: ConversionLike,
) -> None:
    check_rows_unchanged(transaction, table)
    rows_max = transaction.manager.limits.buffer.rows
    rows: list[list[Any]] = []
    start, end = row_range(table)
    try:
        async for chunk in transaction.scan(start, end, current=True):
            if len(rows) + len(chunk.rows) > rows_max:
                raise SqlError(
                    "54000",
                    "transaction row limit exceeded",
                    detail=f"A transaction can change at most {rows_max} rows.",
                    hint=_HINT,
                )
            padded = [pad_row(table, row) for row in chunk.rows]
            rows += await conversion.rows(transaction, padded)
        changed = await rewrite(transaction, table, after, rows)
    except SqlError as error:
        raise about_old_rows(table, error) from error
    own_sequence(transaction, changed, column.number)


def alter_type_in_place(transaction: Transaction, table: Table, column: Column) -> None:
    """A type whose values, and whose keys, are those of the old one."""
    columns = tuple(column if one.number == column.number else one for one in table.columns)
    put_object(
        transaction, table.changed(columns=columns, indexes=_with_type(table.indexes, column))
    )


# Types whose values, and keys, are those of a narrower one.
_WIDER: Final = {21: (23, 20), 23: (20,), 1043: (25,)}
_VARCHAR, _TEXT = 1043, 25


def same_values(table: Table, column: Column, target: TypeRef) -> bool:
    """Whether rows and keys stay as they are with the new type. An index that evaluates something may
    evaluate something else then."""
    if any(index.predicate is not None or 0 in index.column_numbers for index in table.indexes):
        return False
    old = column.type
    if target == old:
        return True
    if target.oid == _VARCHAR and old.oid in (_VARCHAR, _TEXT):
        return target.typmod == -1 or (old.typmod != -1 and target.typmod >= old.typmod)
    return target.typmod == -1 and target.oid in _WIDER.get(old.oid, ())


def refuse_users_of_type(transaction: Transaction, table: Table, column: Column) -> None:
    """SqlError 0A000 where a view uses the column."""
    for view in transaction.catalog.views:
        if (table.id, column.number) in view.depends_on_columns:
            raise SqlError(
                "0A000",
                "cannot alter type of a column used by a view or rule",
                detail=f'rule _RETURN on view {view.name} depends on column "{column.name}"',
            )
