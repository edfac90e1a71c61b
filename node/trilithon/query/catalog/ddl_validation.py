"""Constraints and the rows that were there before them."""

from __future__ import annotations

from dataclasses import replace

from trilithon.query.catalog.changes import put_object
from trilithon.query.catalog.ddl_indexes import check_rows_unchanged
from trilithon.query.catalog.definitions import ForeignKey, Table
from trilithon.query.catalog.references import reference_from, require_referenced
from trilithon.query.catalog.rowkeys import pad_row, row_range
from trilithon.query.transaction.transaction import Transaction


async def validate_inline(transaction: Transaction, table: Table, key: ForeignKey) -> Table:
    """Looks at all rows within this transaction; rows written meanwhile make its commit fail. SqlError
    23503."""
    check_rows_unchanged(transaction, table)
    made = reference_from(transaction, table, key)
    start, end = row_range(table)
    async for chunk in transaction.scan(start, end, current=True):
        await require_referenced(transaction, made, [pad_row(table, row) for row in chunk.rows])
    current = transaction.catalog.table_by_id(table.id)
    assert current is not None
    changed = with_validated(current, key.name)
    put_object(transaction, changed)
    return changed


def with_validated(table: Table, name: str) -> Table:
    return table.changed(
        foreign_keys=tuple(
            replace(key, validated=True) if key.name == name else key for key in table.foreign_keys
        )
    )
