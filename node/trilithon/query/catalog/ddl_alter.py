"""ALTER TABLE. Each function makes one change and gives the table's next version.

Changes that existing rows must satisfy (SET NOT NULL, ADD CHECK, ...) are in `ddl_validation`.

Dropping a column keeps its number and, in existing rows, its values; nothing shows them any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.query.catalog.changes import (
    check_name,
    constraint_names,
    put_object,
    remove_object,
    require_free_relation_name,
    schema_for_new_object,
)
from trilithon.query.catalog.ddl_foreign_keys import drop_foreign_key, require_nothing_pending
from trilithon.query.catalog.ddl_indexes import (
    check_rows_unchanged,
    contains_nulls,
    count_rows,
    remove_index,
)
from trilithon.query.catalog.ddl_tables import (
    STORED_COLUMNS_MAX,
    check_column_name,
    drop_views_over,
    make_column,
    with_check,
)
from trilithon.query.catalog.default_sequences import (
    default_dependents,
    drop_defaults,
    owned_sequences,
)
from trilithon.query.catalog.definitions import (
    CheckDefinition,
    Column,
    ColumnDefinition,
    Index,
    Table,
    View,
)
from trilithon.query.catalog.definitions import (
    Sequence as SequenceObject,
)
from trilithon.query.transaction.transaction import Transaction

Row = Sequence[Any]


def require_column(table: Table, name: str) -> Column:
    """SqlError 42703."""
    column = table.column(name)
    if column is None:
        raise SqlError("42703", f'column "{name}" of relation "{table.name}" does not exist')
    return column


def _put(transaction: Transaction, table: Table, **fields: Any) -> Table:
    transaction.check_writable("ALTER TABLE")
    changed = table.changed(**fields)
    put_object(transaction, changed)
    return changed


def _with_column(table: Table, column: Column) -> tuple[Column, ...]:
    return tuple(column if other.number == column.number else other for other in table.columns)


# ---- columns


async def add_column(
    transaction: Transaction,
    table: Table,
    definition: ColumnDefinition,
    *,
    if_not_exists: bool = False,
) -> Table | None:
    """Existing rows have `definition.missing_value`; no row is touched. Values that differ from row to row
    are `ddl_rewrite`'s. None: it exists and IF NOT EXISTS was said. SqlError 42701, 54011, 23502."""
    transaction.check_writable("ALTER TABLE")
    if table.column(definition.name) is not None:
        if if_not_exists:
            return None
        raise SqlError(
            "42701", f'column "{definition.name}" of relation "{table.name}" already exists'
        )
    column = make_column(len(table.columns) + 1, definition)
    check_new_column(transaction, table, column)
    if column.not_null and column.missing is None:
        if await count_rows(transaction, table, 1):
            raise contains_nulls(table, column.name)
        check_rows_unchanged(transaction, table)
    return _put(transaction, table, columns=(*table.columns, column))


def check_new_column(transaction: Transaction, table: Table, column: Column) -> None:
    """SqlError 42701, 54011."""
    check_column_name(column.name)
    columns_max = transaction.manager.limits.columns_per_table
    if len(table.visible_columns) >= columns_max or len(table.columns) >= STORED_COLUMNS_MAX:
        raise SqlError("54011", f"tables can have at most {columns_max} columns")


def drop_column(
    transaction: Transaction, table: Table, name: str, *, cascade: bool = False
) -> tuple[Table, list[str]]:
    """Indexes and constraints over the column go with it. Also gives what CASCADE dropped besides.
    SqlError 42703, 2BP01."""
    transaction.check_writable("ALTER TABLE")
    column = require_column(table, name)
    number = column.number
    lines = _column_dependents(transaction, table, column)
    if lines and not cascade:
        raise SqlError(
            "2BP01",
            f"cannot drop column {name} of table {table.name} because other objects depend on it",
            detail="\n".join(lines),
            hint="Use DROP ... CASCADE to drop the dependent objects too.",
        )
    notices = _drop_views_of_column(transaction, table, number)
    for other in transaction.catalog.tables:
        for key in other.foreign_keys:
            own = other.id == table.id and number in key.columns
            pointing = key.referenced_table == table.id and number in key.referenced_columns
            if own or pointing:
                drop_foreign_key(transaction, other.id, key.name)
            if pointing and not own:
                notices.append(f"constraint {key.name} on table {other.name}")
    for index in table.indexes:
        if number in index.column_numbers or number in index.include:
            remove_index(transaction, _current(transaction, table), index)
    current = _current(transaction, table)
    dropped = replace(
        column,
        name=f"........pg.dropped.{number}........",
        dropped=True,
        not_null=False,
        default=None,
        generated=None,
        missing=None,
        sequence_id=0,
        default_uses=(),
    )
    changed = _put(
        transaction,
        current,
        columns=_with_column(current, dropped),
        checks=tuple(check for check in current.checks if number not in check.columns),
    )
    for sequence in owned_sequences(transaction, table.id, number):
        notices += drop_defaults(transaction, sequence)
        remove_object(transaction, sequence.id)
    return _current(transaction, changed), notices


def _current(transaction: Transaction, table: Table) -> Table:
    current = transaction.catalog.table_by_id(table.id)
    if current is None:
        raise SqlError("42P01", f'relation "{table.name}" does not exist')
    return current


def _column_dependents(transaction: Transaction, table: Table, column: Column) -> list[str]:
    reference = (table.id, column.number)
    own = f"default value for column {column.name} of table {table.name} depends on "
    defaults = [
        line
        for sequence in owned_sequences(transaction, table.id, column.number)
        for line in default_dependents(transaction, sequence)
        if not line.startswith(own)
    ]
    lines = defaults + [
        f"view {view.name} depends on column {column.name} of table {table.name}"
        for view in transaction.catalog.views
        if reference in view.depends_on_columns
    ]
    for other in transaction.catalog.tables:
        lines += [
            f"constraint {key.name} on table {other.name} depends on column {column.name} of "
            f"table {table.name}"
            for key in other.foreign_keys
            if key.referenced_table == table.id
            and column.number in key.referenced_columns
            and not (other.id == table.id and column.number in key.columns)
        ]
    return lines


def _drop_views_of_column(transaction: Transaction, table: Table, number: int) -> list[str]:
    notices: list[str] = []
    for view in transaction.catalog.views:
        if (table.id, number) in view.depends_on_columns:
            notices += drop_views_over(transaction, view.id, set())
            if transaction.catalog.object_by_id(view.id) is not None:
                remove_object(transaction, view.id)
                notices.append(f"view {view.name}")
    return notices


def rename_column(
    transaction: Transaction,
    table: Table,
    name: str,
    new_name: str,
    *,
    rename_in_sql: Callable[[str], str] | None = None,
) -> Table:
    """`rename_in_sql` rewrites the texts of checks, generated columns, index expressions and
    predicates; without it a column that any text uses cannot be renamed (0A000). SqlError 42703,
    42701."""
    column = require_column(table, name)
    check_column_name(new_name)
    if table.column(new_name) is not None:
        raise SqlError("42701", f'column "{new_name}" of relation "{table.name}" already exists')
    columns = _with_column(table, replace(column, name=new_name))
    if rename_in_sql is None:
        if _uses_texts(table, column.number):
            raise SqlError(
                "0A000",
                f'column "{name}" cannot be renamed while checks or index expressions use columns',
            )
        return _put(transaction, table, columns=columns)
    rewrite_text = rename_in_sql
    return _put(
        transaction,
        table,
        columns=tuple(
            replace(other, generated=rewrite_text(other.generated)) if other.generated else other
            for other in columns
        ),
        checks=tuple(replace(check, sql=rewrite_text(check.sql)) for check in table.checks),
        indexes=tuple(_renamed_in(index, rewrite_text) for index in table.indexes),
    )


def _uses_texts(table: Table, number: int) -> bool:
    return (
        any(number in check.columns for check in table.checks)
        or any(column.generated for column in table.columns)
        or any(
            index.predicate is not None or any(part.expression for part in index.columns)
            for index in table.indexes
        )
    )


def _renamed_in(index: Index, rewrite_text: Callable[[str], str]) -> Index:
    return replace(
        index,
        predicate=None if index.predicate is None else rewrite_text(index.predicate),
        columns=tuple(
            part
            if part.expression is None
            else replace(part, expression=rewrite_text(part.expression))
            for part in index.columns
        ),
    )


def set_default(
    transaction: Transaction,
    table: Table,
    name: str,
    default: str | None,
    *,
    sequence_id: int = 0,
    uses: tuple[int, ...] = (),
) -> Table:
    """None drops it. `sequence_id`: the sequence that was made for it; `uses`: those that it names.
    SqlError 42703."""
    column = require_column(table, name)
    changed = replace(column, default=default, sequence_id=sequence_id, default_uses=uses)
    return _put(transaction, table, columns=_with_column(table, changed))


def drop_not_null(transaction: Transaction, table: Table, name: str) -> Table:
    """SqlError 42703, 42P16."""
    column = require_column(table, name)
    primary = table.primary_key
    if primary is not None and column.number in primary.column_numbers:
        raise SqlError("42P16", f'column "{name}" is in a primary key')
    if column.identity:
        raise SqlError("42601", f'column "{name}" of relation "{table.name}" is an identity column')
    changed = replace(column, not_null=False, becoming_not_null=False)
    return _put(transaction, table, columns=_with_column(table, changed))


# ---- constraints


def add_check(transaction: Transaction, table: Table, definition: CheckDefinition) -> Table:
    """NOT VALID: existing rows are not looked at. SqlError 42703, 42710."""
    transaction.check_writable("ALTER TABLE")
    changed = with_check(table, replace(definition, validated=False))
    return _put(transaction, table, checks=changed.checks)


def _no_constraint(table: Table, name: str) -> SqlError:
    return SqlError("42704", f'constraint "{name}" of relation "{table.name}" does not exist')


def drop_constraint(
    transaction: Transaction, table: Table, name: str, *, cascade: bool = False
) -> Table:
    """Checks, keys and foreign keys. SqlError 42704, 2BP01."""
    transaction.check_writable("ALTER TABLE")
    for check in table.checks:
        if check.name == name:
            rest = tuple(other for other in table.checks if other.name != name)
            return _put(transaction, table, checks=rest)
    for key in table.foreign_keys:
        if key.name == name:
            drop_foreign_key(transaction, table.id, name)
            return _current(transaction, table)
    index = table.index(name)
    if index is None or not index.constraint:
        raise _no_constraint(table, name)
    if cascade:
        for other_id in table.referenced_by:
            other = transaction.catalog.table_by_id(other_id)
            for key in other.foreign_keys if other is not None else ():
                if key.referenced_index == index.id:
                    drop_foreign_key(transaction, other_id, key.name)
    return remove_index(transaction, _current(transaction, table), index)


def rename_constraint(transaction: Transaction, table: Table, name: str, new_name: str) -> Table:
    """SqlError 42704, 42710, 42P07."""
    transaction.check_writable("ALTER TABLE")
    require_nothing_pending(transaction, table, "ALTER TABLE")
    names = constraint_names(table)
    if name not in names:
        raise _no_constraint(table, name)
    check_name(new_name)
    if new_name in names:
        raise SqlError(
            "42710", f'constraint "{new_name}" for relation "{table.name}" already exists'
        )
    index = table.index(name)
    if index is not None and index.constraint:
        schema = transaction.catalog.require_schema(table.schema)
        require_free_relation_name(transaction, schema, new_name)
    return _put(
        transaction,
        table,
        checks=tuple(_renamed(check, name, new_name) for check in table.checks),
        foreign_keys=tuple(_renamed(key, name, new_name) for key in table.foreign_keys),
        indexes=tuple(
            _renamed(index, name, new_name) if index.constraint else index
            for index in table.indexes
        ),
    )


def _renamed(value: Any, name: str, new_name: str) -> Any:
    return replace(value, name=new_name) if value.name == name else value


# ---- the relation itself


def rename_relation(
    transaction: Transaction, relation: Table | View | SequenceObject, name: str
) -> None:
    """SqlError 42P07; 0A000 where a view knows it by its name only."""
    transaction.check_writable("ALTER TABLE")
    schema = transaction.catalog.require_schema(relation.schema)
    require_free_relation_name(transaction, schema, name)
    _require_known_by_id(transaction, relation, "renamed")
    put_object(transaction, replace(relation, name=name, version=relation.version + 1))


def _require_known_by_id(
    transaction: Transaction, relation: Table | View | SequenceObject, what: str
) -> None:
    """Views that find the relation by its name would not find it any more."""
    dependents = [
        view
        for view in transaction.catalog.dependents_of(relation.id)
        if all(source.id != relation.id for source in view.sources)
    ]
    if dependents:
        raise SqlError(
            "0A000",
            f'"{relation.name}" cannot be {what} while views use it by its name',
            detail="\n".join(f"view {view.name}" for view in dependents),
            hint="Make the views anew with CREATE OR REPLACE VIEW.",
        )


def set_schema(
    transaction: Transaction, relation: Table | View | SequenceObject, schema_name: str
) -> None:
    """SqlError 3F000, 42P07."""
    transaction.check_writable("ALTER TABLE")
    schema = schema_for_new_object(transaction, schema_name, relation.name)
    if schema.id == relation.schema_id:
        return
    if transaction.catalog.relation_name_taken(schema.id, relation.name):
        raise SqlError(
            "42P07", f'relation "{relation.name}" already exists in schema "{schema.name}"'
        )
    _require_known_by_id(transaction, relation, "moved to another schema")
    put_object(
        transaction,
        replace(relation, schema_id=schema.id, schema=schema.name, version=relation.version + 1),
    )


def set_owner(
    transaction: Transaction, relation: Table | View | SequenceObject, owner: str
) -> None:
    """SqlError 42704."""
    transaction.check_writable("ALTER TABLE")
    if transaction.catalog.role(owner) is None:
        raise SqlError("42704", f'role "{owner}" does not exist')
    put_object(transaction, replace(relation, owner=owner, version=relation.version + 1))


def set_comment(transaction: Transaction, found: Any, comment: str) -> None:
    """On any object of the catalog."""
    put_changed(transaction, found, comment=comment)


def put_changed(transaction: Transaction, found: Any, **fields: Any) -> None:
    """An object with other comments."""
    transaction.check_writable("COMMENT")
    if hasattr(found, "version"):
        fields["version"] = found.version + 1
    put_object(transaction, replace(found, **fields))


def set_column_comment(transaction: Transaction, table: Table, name: str, comment: str) -> Table:
    transaction.check_writable("COMMENT")
    column = replace(require_column(table, name), comment=comment)
    return _put(transaction, table, columns=_with_column(table, column))
