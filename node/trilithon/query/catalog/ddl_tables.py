"""CREATE TABLE, DROP TABLE, TRUNCATE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog import definitions
from trilithon.query.catalog.changes import (
    check_name,
    choose_name,
    constraint_names,
    dependents_error,
    put_object,
    remove_object,
    require_free_constraint,
    require_free_relation_name,
    schema_for_new_object,
)
from trilithon.query.catalog.ddl_foreign_keys import (
    drop_foreign_key,
    forget_reference,
    put_foreign_key,
    require_nothing_pending,
)
from trilithon.query.catalog.default_sequences import (
    default_dependents,
    drop_defaults,
    owned_sequences,
)
from trilithon.query.catalog.definitions import (
    Check,
    CheckDefinition,
    Column,
    ColumnDefinition,
    Index,
    IndexColumn,
    IndexColumnDefinition,
    IndexDefinition,
    IndexState,
    Table,
    TableDefinition,
    encode_missing,
)
from trilithon.query.catalog.jobs import submit_reclaim
from trilithon.query.transaction.transaction import Transaction
from trilithon.types.keys import encoder

SYSTEM_COLUMNS: Final = frozenset({"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"})
# Dropped columns included.
STORED_COLUMNS_MAX: Final = 1600


# ---- CREATE TABLE


async def create_table(
    transaction: Transaction, definition: TableDefinition, *, if_not_exists: bool = False
) -> Table | None:
    """None: it was there already and IF NOT EXISTS was said. SqlError 42P07, 3F000, 42701, 42703,
    42P16, 54011, 54000, 42704, 42830."""
    transaction.check_writable("CREATE TABLE")
    schema = transaction.catalog.require_schema(definition.schema)
    if if_not_exists and transaction.catalog.relation_name_taken(schema.id, definition.name):
        return None
    schema = schema_for_new_object(transaction, definition.schema, definition.name)
    require_free_relation_name(transaction, schema, definition.name)
    limits = transaction.manager.limits
    if len(transaction.catalog.tables) >= limits.tables:
        raise SqlError("54000", f"creating more than {limits.tables} tables not allowed")
    _check_columns(definition.columns, limits.columns_per_table)
    table_id = await transaction.manager.object_ids.take()
    table = Table(
        id=table_id,
        schema_id=schema.id,
        schema=schema.name,
        name=definition.name,
        columns=tuple(
            make_column(number, column) for number, column in enumerate(definition.columns, 1)
        ),
        storage_id=table_id,
        owner=definition.owner,
    )
    # The primary key first, as in PostgreSQL: names are chosen in this order.
    for index in sorted(definition.indexes, key=lambda index: not index.primary):
        table = await with_index(transaction, table, index, IndexState.READY)
    for check in definition.checks:
        table = with_check(table, check)
    for column in definition.columns:
        for sequence_id in {column.sequence_id, *column.default_uses} - {0}:
            transaction.depend_on_object(sequence_id)
    put_object(transaction, table)
    for foreign_key in definition.foreign_keys:
        table = put_foreign_key(transaction, table, foreign_key)
    return table


def _check_columns(columns: Sequence[ColumnDefinition], columns_max: int) -> None:
    if len(columns) > columns_max:
        raise SqlError("54011", f"tables can have at most {columns_max} columns")
    seen: set[str] = set()
    for column in columns:
        check_column_name(column.name)
        if column.name in seen:
            raise SqlError("42701", f'column "{column.name}" specified more than once')
        seen.add(column.name)


def check_column_name(name: str) -> None:
    check_name(name)
    if name in SYSTEM_COLUMNS:
        raise SqlError("42701", f'column name "{name}" conflicts with a system column name')


def make_column(number: int, definition: ColumnDefinition) -> Column:
    return Column(
        number=number,
        name=definition.name,
        type=definition.type,
        not_null=definition.not_null or bool(definition.identity),
        default=definition.default,
        identity=definition.identity,
        sequence_id=definition.sequence_id,
        default_uses=definition.default_uses,
        generated=definition.generated,
        missing=encode_missing(definition.missing_value),
        domain_id=definition.domain_id,
    )


# ---- indexes as part of a table


async def with_index(
    transaction: Transaction,
    table: Table,
    definition: IndexDefinition,
    state: IndexState,
    *,
    clustered: bool | None = None,
) -> Table:
    """The table with one more index. A primary key is clustered unless it is deferrable or told
    otherwise, and makes its
    columns NOT NULL. Nothing is written yet."""
    limits = transaction.manager.limits
    if len(table.indexes) >= limits.indexes_per_table:
        raise SqlError(
            "54000", f"more than {limits.indexes_per_table} indexes per table are not allowed"
        )
    if definition.primary and table.primary_key is not None:
        raise SqlError("42P16", f'multiple primary keys for table "{table.name}" are not allowed')
    if not 0 < len(definition.columns) <= limits.key_columns:
        raise SqlError(
            "54011",
            f"more than {limits.key_columns} column keys in an index are not supported",
        )
    columns = _index_columns(table, definition)
    index = Index(
        id=await transaction.manager.object_ids.take(),
        name=_index_name(transaction, table, definition),
        columns=columns,
        unique=definition.unique or definition.primary,
        primary=definition.primary,
        clustered=definition.primary and not definition.deferrable
        if clustered is None
        else clustered,
        constraint=definition.constraint or definition.primary,
        include=tuple(_key_column(table, name).number for name in definition.include),
        predicate=definition.predicate,
        state=state,
        nulls_not_distinct=definition.nulls_not_distinct,
        deferrable=definition.deferrable,
        initially_deferred=definition.initially_deferred,
    )
    # SqlError 42704 for types without an order.
    encoder(index.types, index.descending, index.nulls_first)
    changed = replace(table, indexes=(*table.indexes, index))
    if definition.primary:
        changed = replace(changed, columns=with_not_null(changed, index.column_numbers))
    return changed


def _key_column(table: Table, name: str) -> Column:
    column = table.column(name)
    if column is None:
        raise SqlError("42703", f'column "{name}" named in key does not exist')
    return column


def _index_columns(table: Table, definition: IndexDefinition) -> tuple[IndexColumn, ...]:
    columns: list[IndexColumn] = []
    seen: set[str] = set()
    for wanted in definition.columns:
        if wanted.name is not None and (definition.constraint or definition.primary):
            if wanted.name in seen:
                kind = "primary key" if definition.primary else "unique"
                raise SqlError(
                    "42701", f'column "{wanted.name}" appears twice in {kind} constraint'
                )
            seen.add(wanted.name)
        columns.append(_index_column(table, wanted, definition))
    return tuple(columns)


def _index_column(
    table: Table, wanted: IndexColumnDefinition, definition: IndexDefinition
) -> IndexColumn:
    if wanted.name is None:
        if wanted.expression is None or wanted.expression_type is None:
            raise SqlError("XX000", "an index column is a name or an expression with its type")
        return IndexColumn(
            0, wanted.expression_type, wanted.expression, wanted.descending, wanted.nulls_first
        )
    if definition.constraint or definition.primary:
        column = _key_column(table, wanted.name)
    else:
        found = table.column(wanted.name)
        if found is None:
            raise SqlError("42703", f'column "{wanted.name}" does not exist')
        column = found
    return IndexColumn(
        column.number,
        column.type,
        descending=wanted.descending,
        nulls_first=wanted.nulls_first,
    )


def _index_name(transaction: Transaction, table: Table, definition: IndexDefinition) -> str:
    catalog = transaction.catalog
    own = {index.name for index in table.indexes} | {table.name}

    def taken(name: str) -> bool:
        return name in own or catalog.relation_name_taken(table.schema_id, name)

    if definition.name is not None:
        check_name(definition.name)
        if taken(definition.name):
            raise SqlError("42P07", f'relation "{definition.name}" already exists')
        return definition.name
    if definition.primary:
        return choose_name(table.name, "", "pkey", taken)
    columns = "_".join(column.name or column.label for column in definition.columns)
    return choose_name(table.name, columns, "key" if definition.constraint else "idx", taken)


# ---- constraints as part of a table


def with_check(table: Table, definition: CheckDefinition) -> Table:
    taken = constraint_names(table)
    name = definition.name
    if name is None:
        column = definition.columns[0] if len(definition.columns) == 1 else ""
        name = choose_name(table.name, column, "check", taken.__contains__)
    require_free_constraint(table, name, taken)
    numbers = tuple(_check_column(table, column).number for column in definition.columns)
    check = Check(name, definition.sql, numbers, definition.validated)
    return replace(table, checks=(*table.checks, check))


def _check_column(table: Table, name: str) -> Column:
    column = table.column(name)
    if column is None:
        raise SqlError("42703", f'column "{name}" does not exist')
    return column


# ---- DROP TABLE


def drop_tables(
    transaction: Transaction, tables: Sequence[Table], *, cascade: bool = False
) -> list[str]:
    """Drop them together: what depends on one of them and is dropped too is in nobody's way.
    Gives what CASCADE dropped besides, for notices. SqlError 2BP01."""
    transaction.check_writable("DROP TABLE")
    for table in tables:
        require_nothing_pending(transaction, table, "DROP TABLE")
    dropped = {table.id for table in tables}
    notices: list[str] = []
    for table in tables:
        notices += _drop_table(transaction, table.id, dropped, cascade)
    return notices


def _drop_table(
    transaction: Transaction, table_id: int, dropped: set[int], cascade: bool
) -> list[str]:
    catalog = transaction.catalog
    table = catalog.table_by_id(table_id)
    if table is None:
        return []
    referencing = [
        (other, foreign_key)
        for other_id in table.referenced_by
        if other_id not in dropped and (other := catalog.table_by_id(other_id)) is not None
        for foreign_key in other.foreign_keys
        if foreign_key.referenced_table == table_id
    ]
    owned = owned_sequences(transaction, table_id)
    if not cascade:
        lines = [
            f"view {view.name} depends on table {table.name}"
            for view in catalog.dependents_of(table_id)
            if view.id not in dropped
        ]
        lines += [
            f"constraint {foreign_key.name} on table {other.name} depends on table {table.name}"
            for other, foreign_key in referencing
        ]
        for sequence in owned:
            lines += default_dependents(transaction, sequence, dropped)
        if lines:
            raise dependents_error(table, lines)
    notices = drop_views_over(transaction, table_id, dropped)
    for other, foreign_key in referencing:
        drop_foreign_key(transaction, other.id, foreign_key.name)
        notices.append(f"constraint {foreign_key.name} on table {other.name}")
    for foreign_key in table.foreign_keys:
        forget_reference(transaction, foreign_key.referenced_table, table_id, dropped)
    for sequence in owned:
        notices += drop_defaults(transaction, sequence, dropped)
        remove_object(transaction, sequence.id)
    remove_object(transaction, table_id)
    submit_reclaim(transaction, table)
    if table.rewrite is not None:
        # Imported late: it is written in terms of tables.
        from trilithon.query.catalog.rewriting import forget_rewrite

        forget_rewrite(transaction, table)
    return notices


def drop_views_over(transaction: Transaction, object_id: int, dropped: set[int]) -> list[str]:
    """CASCADE: the views over an object, and the views over those."""
    notices: list[str] = []
    for view in transaction.catalog.dependents_of(object_id):
        notices += drop_views_over(transaction, view.id, dropped)
        if view.id not in dropped and transaction.catalog.object_by_id(view.id) is not None:
            remove_object(transaction, view.id)
            notices.append(f"view {view.name}")
    return notices


# ---- TRUNCATE


async def truncate(
    transaction: Transaction,
    tables: Sequence[Table],
    *,
    cascade: bool = False,
    restart_identity: bool = False,
    restart_sequence: Callable[[Transaction, definitions.Sequence], None] | None = None,
) -> None:
    """Give the tables new, empty storage. SqlError 0A000 for tables that others refer to."""
    transaction.check_writable("TRUNCATE TABLE")
    wanted = {table.id: table for table in tables}
    if cascade:
        _add_referencing(transaction, wanted)
    for table in list(wanted.values()):
        for other_id in table.referenced_by:
            if other_id not in wanted:
                other = transaction.catalog.table_by_id(other_id)
                raise SqlError(
                    "0A000",
                    "cannot truncate a table referenced in a foreign key constraint",
                    detail=f'Table "{other.name if other else other_id}" references '
                    f'"{table.name}".',
                    hint=f'Truncate table "{other.name if other else other_id}" at the same '
                    "time, or use TRUNCATE ... CASCADE.",
                )
    for table in wanted.values():
        require_nothing_pending(transaction, table, "TRUNCATE")
    for table_id in wanted:
        current = transaction.catalog.table_by_id(table_id)
        if current is None:
            continue
        storage_id = await transaction.manager.object_ids.take()
        put_object(transaction, emptied(current, storage_id))
        submit_reclaim(transaction, current)
        if restart_identity and restart_sequence is not None:
            for sequence in transaction.catalog.sequences:
                if sequence.owned_by_table == table_id:
                    restart_sequence(transaction, sequence)


def emptied(table: Table, storage_id: int) -> Table:
    """The table with empty storage: what was being built is built, and no row is older than any
    column."""
    return built(table.changed(storage_id=storage_id))


def built(table: Table) -> Table:
    """For new storage, whose rows are all written with this definition: every index has them all."""
    primary = table.primary_key
    indexes = tuple(
        replace(index, state=IndexState.READY) if index.state is IndexState.BUILDING else index
        for index in table.indexes
    )
    columns = table.columns
    if primary is not None and primary.state is IndexState.BUILDING:
        columns = with_not_null(table, primary.column_numbers)
    return replace(table, indexes=indexes, columns=columns)


def with_not_null(table: Table, numbers: Sequence[int]) -> tuple[Column, ...]:
    return tuple(
        replace(column, not_null=True, becoming_not_null=False)
        if column.number in numbers
        else column
        for column in table.columns
    )


def without_not_null(table: Table, numbers: Sequence[int]) -> tuple[Column, ...]:
    """Columns that were on their way to NOT NULL are no more."""
    return tuple(
        replace(column, becoming_not_null=False) if column.number in numbers else column
        for column in table.columns
    )


def _add_referencing(transaction: Transaction, wanted: dict[int, Table]) -> None:
    waiting = list(wanted.values())
    while waiting:
        for other_id in waiting.pop().referenced_by:
            other = transaction.catalog.table_by_id(other_id)
            if other is not None and other_id not in wanted:
                wanted[other_id] = other
                waiting.append(other)
