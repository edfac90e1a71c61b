"""Constraints and the rows that were there before them.

A constraint is validated in one of two ways, as an index is built (`ddl_indexes`):
- *inline*: the statement's transaction looks at all rows. For storage that nobody else can reach, for empty
  tables, and for small ones inside a transaction block or when the statement makes other changes too. A row
  written meanwhile makes it fail with 40001.
- *online*: the transaction adds the constraint, which every writer keeps from that csn on, and a job looks at
  older rows (see `validation`). With `wait` COMMIT returns when that is done, or raises what was found: then
  the constraint is gone, if the statement added it. Without, it stays NOT VALID until the job is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from trilithon.core.errors import SqlError
from trilithon.query.catalog.changes import check_name, put_object, require_free_relation_name
from trilithon.query.catalog.ddl_alter import require_column
from trilithon.query.catalog.ddl_foreign_keys import require_comparable
from trilithon.query.catalog.ddl_indexes import (
    becoming_not_null,
    check_rows_unchanged,
    fits_inline,
)
from trilithon.query.catalog.definitions import Column, Index, Job, JobKind, Table
from trilithon.query.catalog.jobs import new_job, submit, submit_and_wait
from trilithon.query.catalog.rowkeys import pad_row, row_range
from trilithon.query.catalog.validation import (
    CHECK,
    FOREIGN_KEY,
    NOT_NULL,
    PRIMARY_KEY,
    promoted,
    require_valid,
    validated,
)
from trilithon.query.transaction.transaction import Transaction


async def validate(
    transaction: Transaction,
    table: Table,
    name: str,
    *,
    wait: bool = False,
    together: bool = False,
    added: bool = False,
) -> None:
    """A CHECK or foreign key of the table. `added`: by this statement. SqlError 42704, 42809, 23503,
    23514."""
    check, key = table.check(name), table.foreign_key(name)
    found = check or key
    if found is None:
        if table.index(name) is not None:
            raise SqlError(
                "42809",
                f'constraint "{name}" of relation "{table.name}" is not a foreign key or check '
                "constraint",
            )
        raise SqlError("42704", f'constraint "{name}" of relation "{table.name}" does not exist')
    if found.validated:
        return
    job = new_job(transaction, JobKind.VALIDATE, table, 0, name)
    target = CHECK if key is None else FOREIGN_KEY
    job = replace(job, target=target, added=added)
    await _carry_out(transaction, table, job, wait, together)


async def set_not_null(
    transaction: Transaction,
    table: Table,
    name: str,
    *,
    wait: bool = False,
    together: bool = False,
) -> None:
    """SqlError 42703, 23502."""
    transaction.check_writable("ALTER TABLE")
    column = require_column(table, name)
    if column.not_null:
        return
    job = new_job(transaction, JobKind.VALIDATE, table, 0, name)
    job = replace(job, target=NOT_NULL, made_not_null=(column.number,))
    await _carry_out(transaction, table, job, wait, together)


async def _carry_out(
    transaction: Transaction, table: Table, job: Job, wait: bool, together: bool
) -> None:
    if await fits_inline(transaction, table, wait, together):
        check_rows_unchanged(transaction, table)
        start, end = row_range(table)
        async for chunk in transaction.scan(start, end, current=True):
            rows = [pad_row(table, row) for row in chunk.rows]
            await require_valid(
                transaction, table, job.target, job.object_name, job.made_not_null, rows
            )
        put_object(transaction, validated(table, job))
        return
    if job.made_not_null:
        columns = becoming_not_null(table, job.made_not_null)
        put_object(transaction, table.changed(columns=columns))
    if wait:
        submit_and_wait(transaction, job)
    else:
        submit(transaction, job)


# ---- an index becomes a constraint


async def use_index(
    transaction: Transaction,
    table: Table,
    index_name: str,
    constraint_name: str,
    *,
    primary: bool,
    wait: bool = False,
    together: bool = False,
) -> None:
    """ADD PRIMARY KEY / UNIQUE USING INDEX; the index gets the constraint's name. SqlError 42704, 42809,
    42P07, 42P16, 55000, 23502."""
    transaction.check_writable("ALTER TABLE")
    if primary and table.primary_key is not None:
        raise SqlError("42P16", f'multiple primary keys for table "{table.name}" are not allowed')
    index = _usable_index(transaction, table, index_name)
    if constraint_name != index.name:
        check_name(constraint_name)
        schema = transaction.catalog.require_schema(table.schema)
        require_free_relation_name(transaction, schema, constraint_name)
    nullable = tuple(
        number for number in index.column_numbers if not table.columns[number - 1].not_null
    )
    if not primary or not nullable:
        put_object(
            transaction,
            promoted(table.changed(), index.id, constraint_name, primary=primary),
        )
        return
    job = new_job(transaction, JobKind.VALIDATE, table, index.id, constraint_name)
    job = replace(job, target=PRIMARY_KEY, made_not_null=nullable)
    await _carry_out(transaction, table, job, wait, together)


def _usable_index(transaction: Transaction, table: Table, name: str) -> Index:
    found = transaction.catalog.relation((table.schema,), name)
    if not isinstance(found, tuple):
        raise SqlError("42704", f'index "{name}" does not exist')
    owner, index = found
    if owner.id != table.id:
        raise SqlError("55000", f'index "{name}" does not belong to table "{table.name}"')
    if index.constraint:
        raise SqlError("55000", f'index "{name}" is already associated with a constraint')
    if not index.usable:
        raise SqlError("55000", f'index "{name}" is not valid')
    problem = ""
    if not index.unique:
        problem = f'"{name}" is not a unique index'
    elif 0 in index.column_numbers:
        problem = f'index "{name}" contains expressions'
    elif index.predicate is not None:
        problem = f'"{name}" is a partial index'
    else:
        for number, column in enumerate(index.columns, 1):
            if column.descending or column.nulls_come_first:
                problem = (
                    f'index "{name}" column number {number} does not have default sorting behavior'
                )
                break
    if problem:
        raise SqlError(
            "42809",
            problem,
            detail="Cannot create a primary key or unique constraint using such an index.",
        )
    return index


# ---- a column's type changes


async def check_references_again(transaction: Transaction, table: Table, number: int) -> None:
    """After the column's values were rewritten: the foreign keys over it, from both sides. SqlError 42804,
    23503."""
    require_comparable_references(transaction, table, number)
    for owner, key_name in _keys_over(transaction, table, number):
        child = transaction.catalog.table_by_id(owner)
        assert child is not None
        key = child.foreign_key(key_name)
        assert key is not None
        check_rows_unchanged(transaction, child)
        start, end = row_range(child)
        async for chunk in transaction.scan(start, end, current=True):
            rows = [pad_row(child, row) for row in chunk.rows]
            await require_valid(transaction, child, FOREIGN_KEY, key.name, (), rows)


def _keys_over(transaction: Transaction, table: Table, number: int) -> Sequence[tuple[int, str]]:
    found = [(table.id, key.name) for key in table.foreign_keys if number in key.columns]
    for other_id in table.referenced_by:
        other = transaction.catalog.table_by_id(other_id)
        for key in other.foreign_keys if other is not None else ():
            if key.referenced_table == table.id and number in key.referenced_columns:
                found.append((other_id, key.name))
    return list(dict.fromkeys(found))


def require_comparable_references(transaction: Transaction, table: Table, number: int) -> None:
    """SqlError 42804, 0A000."""
    for owner, key_name in _keys_over(transaction, table, number):
        child = transaction.catalog.table_by_id(owner)
        assert child is not None
        key = child.foreign_key(key_name)
        assert key is not None
        parent = transaction.catalog.table_by_id(key.referenced_table)
        assert parent is not None
        for own, target in zip(key.columns, key.referenced_columns, strict=True):
            require_comparable(key.name, child.columns[own - 1], parent.columns[target - 1])


def refuse_references_online(transaction: Transaction, table: Table, column: Column) -> None:
    """SqlError 0A000: nobody looks at references again when rows are made online."""
    for _, name in _keys_over(transaction, table, column.number):
        raise SqlError(
            "0A000",
            f'rewriting column "{column.name}" of foreign key constraint "{name}" online is not supported',
            hint="Drop the constraint first, and add it again afterwards.",
        )
