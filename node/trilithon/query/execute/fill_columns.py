"""ADD COLUMN whose values differ from row to row: serial, identity, GENERATED, volatile defaults.

The rows are written by an UPDATE in the same transaction, so a table may have as many as a transaction
may change (54000 beyond). Other new columns need no writing: their rows have the default by omission.
"""

from __future__ import annotations

from dataclasses import replace

from trilithon.core.errors import SqlError
from trilithon.query.analyse import table_expressions
from trilithon.query.catalog.changes import put_object
from trilithon.query.catalog.ddl_indexes import check_rows_unchanged
from trilithon.query.catalog.definitions import ColumnDefinition, Table
from trilithon.query.catalog_views.objects import quote
from trilithon.query.execute.definitions import Definer


async def fill_column(definer: Definer, table: Table, wanted: ColumnDefinition) -> None:
    """Give the new column, added without NOT NULL and identity, what `wanted` says, and its values.
    SqlError 23502, 23514, 54000, and what computing them raises."""
    transaction = definer.transaction
    # A row that somebody inserts meanwhile would be left without a value.
    check_rows_unchanged(transaction, table)
    columns = tuple(
        replace(
            column,
            not_null=wanted.not_null,
            identity=wanted.identity,
            sequence_id=wanted.sequence_id,
        )
        if column.name == wanted.name
        else column
        for column in table.columns
    )
    put_object(transaction, table.changed(columns=columns))
    text = f"UPDATE {quote(table.schema)}.{quote(table.name)} SET {quote(wanted.name)} = DEFAULT"
    engine = definer.engine
    prepared = await engine.prepare(engine.parse(text)[0], transaction, (), definer.settings)
    await engine.execute(prepared, transaction, (), definer.eval_context())


def refuse_generated_users(table: Table, name: str) -> None:
    """A column's type stays while a generated column is computed from it. SqlError 0A000."""
    for column in table.visible_columns:
        if column.generated is None:
            continue
        used = table_expressions.referenced_columns(
            table_expressions.expression_node(column.generated)
        )
        if name in used:
            raise SqlError(
                "0A000",
                "cannot alter type of a column used by a generated column",
                detail=f'Column "{name}" is used by generated column "{column.name}".',
            )
