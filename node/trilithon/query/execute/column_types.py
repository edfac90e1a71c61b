"""What stands in the way of another type for a column."""

from __future__ import annotations

from trilithon.core.errors import SqlError
from trilithon.query.analyse import table_expressions
from trilithon.query.catalog.definitions import Table


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
