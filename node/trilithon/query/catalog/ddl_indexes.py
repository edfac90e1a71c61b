"""CREATE INDEX, DROP INDEX, and constraints that are indexes.

An index is built in one of two ways:
- *inline*: its entries are written by the transaction that makes it. For storage that nobody else can
  reach (made by this transaction), for empty tables, and inside a transaction block for small ones. The
  table's rows are READ-checked as a range: a row written meanwhile makes the DDL fail with 40001.
- *online*: the transaction makes it *building*; from that csn on every writer maintains it (whoever does not
  know of it fails with OC001). A job fills in the rest (see `backfill`), then it becomes *ready*. With
  `wait` (outside a transaction block) COMMIT returns when that is done, or failed: then the index is gone
  and COMMIT raises the reason. Without, the job runs in the background and a failed index stays *invalid*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog.changes import put_object, require_free_relation_name
from trilithon.query.catalog.ddl_foreign_keys import require_nothing_pending
from trilithon.query.catalog.ddl_tables import built, with_index
from trilithon.query.catalog.deferrable_keys import refuse_deferrable_over_rows
from trilithon.query.catalog.definitions import (
    Column,
    Index,
    IndexDefinition,
    IndexState,
    JobKind,
    Table,
)
from trilithon.query.catalog.jobs import new_job, submit, submit_and_wait, submit_reclaim
from trilithon.query.catalog.row_writer import RowWriter
from trilithon.query.catalog.rowkeys import pad_row, row_range, suffix_of
from trilithon.query.transaction.conflicts import describe_values
from trilithon.query.transaction.local_program import KEYS_ONLY
from trilithon.query.transaction.read_checks import ReadRange
from trilithon.query.transaction.transaction import Transaction
from trilithon.v1.types_pb2 import MODE_BLIND, MODE_EXCLUSIVE

# Inside a transaction block tables up to this many rows are indexed inline.
INLINE_ROWS_MAX: Final = 1000
_WRITE_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class CreatedIndex:
    """`job_id` is empty when the index is ready as soon as the transaction commits."""

    table: Table
    index: Index
    job_id: bytes = b""


async def create_index(
    transaction: Transaction,
    table: Table,
    definition: IndexDefinition,
    *,
    if_not_exists: bool = False,
    wait: bool = False,
    together: bool = False,
) -> CreatedIndex | None:
    """None: there was one of that name, and IF NOT EXISTS was said. `wait`: the statement is a
    transaction of its own; `together`: and makes other changes too. SqlError 42P07, 42703, 42704, 54011, 54000, 23505.

    For primary keys see `add_primary_key`."""
    transaction.check_writable("CREATE INDEX")
    name = definition.name
    if (
        if_not_exists
        and name is not None
        and transaction.catalog.relation_name_taken(table.schema_id, name)
    ):
        return None
    require_nothing_pending(transaction, table, "CREATE INDEX")
    if definition.deferrable:
        return await _add_deferrable(transaction, table, definition)
    if await fits_inline(transaction, table, wait, together):
        changed = await with_index(transaction, table, definition, IndexState.READY)
        index = changed.indexes[-1]
        changed = changed.changed()
        put_object(transaction, changed)
        await _fill_inline(transaction, changed, index)
        return CreatedIndex(changed, index)
    changed = await with_index(transaction, table, definition, IndexState.BUILDING, clustered=False)
    return start_build(transaction, changed.changed(), changed.indexes[-1], wait)


async def _add_deferrable(
    transaction: Transaction, table: Table, definition: IndexDefinition
) -> CreatedIndex:
    """Builders know only entries that are unique by their keys. SqlError 0A000 if there are rows."""
    require_nothing_pending(transaction, table, "ALTER TABLE")
    changed = await with_index(transaction, table, definition, IndexState.READY)
    await require_no_rows(transaction, table)
    changed = changed.changed()
    put_object(transaction, changed)
    return CreatedIndex(changed, changed.indexes[-1])


async def require_no_rows(transaction: Transaction, table: Table) -> None:
    """SqlError 0A000 if there are rows; the commit fails if some come meanwhile."""
    check_rows_unchanged(transaction, table)
    if await count_rows(transaction, table, 1):
        raise refuse_deferrable_over_rows(table)


def start_build(
    transaction: Transaction,
    table: Table,
    index: Index,
    wait: bool,
    made_not_null: tuple[int, ...] = (),
) -> CreatedIndex:
    put_object(transaction, table)
    job = new_job(transaction, JobKind.INDEX_BUILD, table, index.id, index.name)
    job = replace(job, made_not_null=made_not_null)
    if wait:
        submit_and_wait(transaction, job)
    else:
        submit(transaction, job)
    return CreatedIndex(table, index, job.id)


async def fits_inline(transaction: Transaction, table: Table, wait: bool, together: bool) -> bool:
    """Whether this transaction looks at the table's rows itself. `wait`: it is one statement;
    `together`: which makes other changes too, and they stand or fall with this one."""
    if transaction.is_new_storage(table):
        return True
    # A conflict with a busy writer would fail the statement; online building does not.
    rows_max = 0 if wait and not together else INLINE_ROWS_MAX
    return await count_rows(transaction, table, rows_max + 1) <= rows_max


async def count_rows(transaction: Transaction, table: Table, limit: int) -> int:
    start, end = row_range(table)
    count = 0
    async for chunk in transaction.scan(start, end, limit=limit, program=KEYS_ONLY, current=True):
        count += len(chunk.rows)
    return count


def check_rows_unchanged(transaction: Transaction, table: Table) -> None:
    """The commit shall fail if any row of the table is written meanwhile."""
    transaction.use_table(table)
    if not transaction.is_new_storage(table):
        transaction.check_read(ReadRange(*row_range(table)))


async def _fill_inline(transaction: Transaction, table: Table, index: Index) -> None:
    check_rows_unchanged(transaction, table)
    index_keys = transaction.manager.table_keys(table).index_keys(index.id)
    if index_keys is None:
        return
    unique_keys: set[bytes] = set()
    start, end = row_range(table)
    async for chunk in transaction.scan(start, end, with_keys=True, current=True):
        for key, stored in zip(chunk.keys, chunk.rows, strict=True):
            row = pad_row(table, stored)
            entry = index_keys.entry(row, suffix_of(key))
            if entry is None:
                continue
            if entry.unique:
                if entry.key in unique_keys:
                    raise duplicate_in_build(table, index, index_keys.values(row))
                unique_keys.add(entry.key)
            mode = MODE_EXCLUSIVE if entry.unique else MODE_BLIND
            transaction.write(entry.key, mode, entry.value)


def duplicate_in_build(table: Table, index: Index, values: list[Any]) -> SqlError:
    return SqlError(
        "23505",
        f'could not create unique index "{index.name}"',
        detail=f"Key {describe_values(table, index, values)} is duplicated.",
        schema=table.schema,
        table=table.name,
        constraint=index.name,
    )


# ---- primary keys of existing tables


async def add_primary_key(
    transaction: Transaction, table: Table, definition: IndexDefinition, *, wait: bool = False
) -> CreatedIndex:
    """A table that fits into one transaction is rewritten in the key's order. A larger one keeps its
    row ids and gets a unique index, built online. SqlError 42P16, 23502, 23505, ..."""
    transaction.check_writable("ALTER TABLE")
    if definition.deferrable:
        return await _add_deferrable(transaction, table, definition)
    changed = await with_index(transaction, table, definition, IndexState.READY)
    index = changed.indexes[-1]
    rows = await _rows_for_rewrite(transaction, table, index)
    if rows is not None:
        check_rows_unchanged(transaction, table)
        try:
            rewritten = await rewrite(transaction, table, changed, rows)
        except SqlError as error:
            if error.sqlstate == "23505":
                error.message = f'could not create unique index "{index.name}"'
                error.detail = error.detail.replace("already exists", "is duplicated")
            raise
        return CreatedIndex(rewritten, rewritten.indexes[-1])
    online = replace(index, clustered=False, state=IndexState.BUILDING)
    made_not_null = tuple(
        number for number in online.column_numbers if not table.columns[number - 1].not_null
    )
    changed = table.changed(
        indexes=(*table.indexes, online), columns=becoming_not_null(table, made_not_null)
    )
    return start_build(transaction, changed, online, wait, made_not_null)


async def _rows_for_rewrite(
    transaction: Transaction, table: Table, index: Index
) -> list[list[Any]] | None:
    """All rows, or None as soon as they do not fit into this transaction. SqlError 23502 for NULLs."""
    limits = transaction.manager.limits.buffer
    budget = limits.rows - transaction.row_count
    key_columns = [number - 1 for number in index.column_numbers]
    start, end = row_range(table)
    rows: list[list[Any]] = []
    # A rough measure: rows come out about as large as they are stored.
    byte_count = 0
    async for chunk in transaction.scan(start, end, current=True):
        for stored in chunk.rows:
            row = pad_row(table, stored)
            for position in key_columns:
                if row[position] is None:
                    raise contains_nulls(table, table.columns[position].name)
            byte_count += 64 + sum(
                len(value) if isinstance(value, str | bytes) else 8 for value in row
            )
            rows.append(row)
            if len(rows) > budget or byte_count * 2 > limits.bytes:
                return None
    return rows


def becoming_not_null(table: Table, numbers: Sequence[int]) -> tuple[Column, ...]:
    """From now on writers keep these columns free of NULL."""
    return tuple(
        replace(column, becoming_not_null=True) if column.number in numbers else column
        for column in table.columns
    )


def contains_nulls(table: Table, column: str) -> SqlError:
    return SqlError(
        "23502",
        f'column "{column}" of relation "{table.name}" contains null values',
        schema=table.schema,
        table=table.name,
        column=column,
    )


async def rewrite(
    transaction: Transaction, table: Table, changed: Table, rows: list[list[Any]]
) -> Table:
    """Give `changed` (the next definition of `table`) new storage that holds these rows. The caller
    has READ-checked the old ones. SqlError 23505, 54000."""
    storage_id = await transaction.manager.object_ids.take()
    next_table = built(
        changed.changed(
            storage_id=storage_id,
            # The rows are written whole.
            columns=tuple(replace(column, missing=None) for column in changed.columns),
        )
    )
    put_object(transaction, next_table)
    submit_reclaim(transaction, table)
    writer = RowWriter(transaction, next_table, watched=False)
    for at in range(0, len(rows), _WRITE_ROWS):
        await writer.insert(rows[at : at + _WRITE_ROWS])
    return next_table


# ---- DROP INDEX


def drop_index(transaction: Transaction, table: Table, index: Index) -> Table:
    """SqlError 2BP01 for the index of a constraint."""
    transaction.check_writable("DROP INDEX")
    if index.constraint:
        raise SqlError(
            "2BP01",
            f"cannot drop index {index.name} because constraint {index.name} on table "
            f"{table.name} requires it",
            hint=f"You can drop constraint {index.name} on table {table.name} instead.",
        )
    return remove_index(transaction, table, index)


def remove_index(transaction: Transaction, table: Table, index: Index) -> Table:
    """Also for constraints. A clustered index leaves the rows where they are: their keys then are
    just row ids."""
    for other_id in table.referenced_by:
        other = transaction.catalog.table_by_id(other_id)
        for foreign_key in other.foreign_keys if other is not None else ():
            if foreign_key.referenced_index == index.id:
                what = f"index {index.name}"
                if index.constraint:
                    what = f"constraint {index.name} on table {table.name}"
                raise SqlError(
                    "2BP01",
                    f"cannot drop {what} because other objects depend on it",
                    detail=f"constraint {foreign_key.name} on table "
                    f"{other.name if other else other_id} depends on index {index.name}",
                    hint="Use DROP ... CASCADE to drop the dependent objects too.",
                )
    rest = tuple(other for other in table.indexes if other.id != index.id)
    changed = table.changed(indexes=rest)
    put_object(transaction, changed)
    if not index.clustered:
        submit_reclaim(transaction, table, index)
    return changed


def rename_index(transaction: Transaction, table: Table, index: Index, name: str) -> Table:
    """SqlError 42P07, 55006: what waits for a deferred constraint knows it by its name."""
    if index.deferrable:
        require_nothing_pending(transaction, table, "ALTER INDEX")
    schema = transaction.catalog.require_schema(table.schema)
    require_free_relation_name(transaction, schema, name)
    changed = table.changed(
        indexes=tuple(
            replace(other, name=name) if other.id == index.id else other for other in table.indexes
        )
    )
    put_object(transaction, changed)
    return changed
