"""Foreign keys as parts of tables: made, dropped, validated.

Both tables know: the one that refers has the constraint, the one that is referred to has the other's id in
`referenced_by`. So whoever writes either of them with a definition from before gets OC001.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.expression.functions import can_coerce
from trilithon.query.catalog.changes import (
    choose_name,
    constraint_names,
    put_object,
    require_free_constraint,
)
from trilithon.query.catalog.definitions import (
    Column,
    ForeignKey,
    ForeignKeyDefinition,
    Index,
    ReferenceAction,
    Table,
)
from trilithon.query.catalog.references import same_keys
from trilithon.query.transaction.transaction import Transaction
from trilithon.types.registry import TypeRef, type_name

_SETTING: Final = frozenset({ReferenceAction.SET_NULL, ReferenceAction.SET_DEFAULT})
# Types that PostgreSQL compares with each other without a cast: date, timestamp and timestamptz; real and
# double precision. A value of one may have no equal in the other, so there is no key to look for.
_COMPARED: Final = (frozenset({1082, 1114, 1184}), frozenset({700, 701}))


def put_foreign_key(
    transaction: Transaction, table: Table, definition: ForeignKeyDefinition
) -> Table:
    """Puts the table with the constraint, and the referenced table, whose writers must know. Existing
    rows are not looked at. SqlError 42P01, 42703, 42704, 42710, 42804, 42830, 42P10, 42601, 54011."""
    referenced = transaction.catalog.table(
        (definition.referenced_schema,), definition.referenced_table
    )
    if referenced.id == table.id:
        referenced = table
    columns = [_column(table, name) for name in definition.columns]
    if len(columns) > transaction.manager.limits.key_columns:
        raise SqlError(
            "54011",
            f"cannot have more than {transaction.manager.limits.key_columns} keys in a foreign key",
        )
    index, targets = _referenced_index(referenced, definition)
    set_columns = tuple(_set_column(table, definition, name) for name in definition.set_columns)
    for column in columns:
        _refuse_generated(column, definition)
    if len(targets) != len(columns):
        raise SqlError(
            "42830",
            "number of referencing and referenced columns for foreign key disagree",
        )
    taken = constraint_names(table)
    name = definition.name or choose_name(
        table.name, "_".join(definition.columns), "fkey", taken.__contains__
    )
    require_free_constraint(table, name, taken)
    for column, number in zip(columns, targets, strict=True):
        require_comparable(name, column, referenced.columns[number - 1])
    foreign_key = ForeignKey(
        name=name,
        columns=tuple(column.number for column in columns),
        referenced_table=referenced.id,
        referenced_columns=targets,
        referenced_index=index.id,
        on_delete=definition.on_delete,
        on_update=definition.on_update,
        match_full=definition.match_full,
        deferrable=definition.deferrable,
        initially_deferred=definition.initially_deferred,
        validated=definition.validated,
        set_columns=set_columns,
    )
    table = table.changed(foreign_keys=(*table.foreign_keys, foreign_key))
    if referenced.id == table.id:
        table = replace(table, referenced_by=_with(table.referenced_by, table.id))
    else:
        put_object(
            transaction,
            referenced.changed(referenced_by=_with(referenced.referenced_by, table.id)),
        )
    put_object(transaction, table)
    return table


def _column(table: Table, name: str) -> Column:
    column = table.column(name)
    if column is None:
        raise SqlError(
            "42703", f'column "{name}" referenced in foreign key constraint does not exist'
        )
    return column


def _set_column(table: Table, definition: ForeignKeyDefinition, name: str) -> int:
    column = _column(table, name)
    if name not in definition.columns:
        raise SqlError(
            "42P10",
            f'column "{name}" referenced in ON DELETE SET action must be part of foreign key',
        )
    return column.number


def _refuse_generated(column: Column, definition: ForeignKeyDefinition) -> None:
    if column.generated is None:
        return
    words = ""
    if definition.on_update in _SETTING or definition.on_update is ReferenceAction.CASCADE:
        words = "ON UPDATE"
    elif definition.on_delete in _SETTING:
        words = "ON DELETE"
    if words:
        raise SqlError(
            "42601",
            f"invalid {words} action for foreign key constraint containing generated column",
        )


def _with(ids: tuple[int, ...], added: int) -> tuple[int, ...]:
    return ids if added in ids else (*ids, added)


def _referenced_index(
    referenced: Table, definition: ForeignKeyDefinition
) -> tuple[Index, tuple[int, ...]]:
    if not definition.referenced_columns:
        primary = referenced.primary_key
        if primary is None:
            raise SqlError(
                "42704", f'there is no primary key for referenced table "{referenced.name}"'
            )
        if primary.deferrable:
            raise SqlError(
                "55000",
                f'cannot use a deferrable primary key for referenced table "{referenced.name}"',
            )
        _require_ready(referenced, primary)
        return primary, primary.column_numbers
    targets = [_column(referenced, name).number for name in definition.referenced_columns]
    if len(set(targets)) < len(targets):
        raise SqlError("42830", "foreign key referenced-columns list must not contain duplicates")
    building: Index | None = None
    for index in referenced.indexes:
        if index.is_key and index.maintained and sorted(index.column_numbers) == sorted(targets):
            if index.usable:
                return index, tuple(targets)
            building = index
    if building is not None:
        _require_ready(referenced, building)
    if any(
        index.deferrable and sorted(index.column_numbers) == sorted(targets)
        for index in referenced.indexes
    ):
        raise SqlError(
            "55000",
            f'cannot use a deferrable unique constraint for referenced table "{referenced.name}"',
        )
    raise SqlError(
        "42830",
        "there is no unique constraint matching given keys for referenced table "
        f'"{referenced.name}"',
    )


def _require_ready(referenced: Table, index: Index) -> None:
    if not index.usable:
        raise SqlError(
            "55000",
            f'index "{index.name}" of referenced table "{referenced.name}" is not ready',
            hint="sys.jobs shows its state.",
        )


def require_comparable(name: str, column: Column, target: Column) -> None:
    """SqlError 42804, 0A000: PostgreSQL's rules, but for types that only some of its operators join."""
    if same_keys(column.type, target.type):
        return
    pair = {column.type.oid, target.type.oid}
    if any(pair <= kin for kin in _COMPARED):
        raise SqlError(
            "0A000",
            f'foreign key constraint "{name}" between {type_name(TypeRef(column.type.oid))} and '
            f"{type_name(TypeRef(target.type.oid))} is not supported",
        )
    if not can_coerce(TypeRef(column.type.oid), TypeRef(target.type.oid)):
        raise SqlError(
            "42804",
            f'foreign key constraint "{name}" cannot be implemented',
            detail=f'Key columns "{column.name}" and "{target.name}" are of incompatible types: '
            f"{type_name(TypeRef(column.type.oid))} and {type_name(TypeRef(target.type.oid))}.",
        )


def set_deferrable(
    transaction: Transaction,
    table: Table,
    name: str,
    *,
    deferrable: bool,
    initially_deferred: bool,
) -> None:
    """SqlError 42704, 42809."""
    transaction.check_writable("ALTER TABLE")
    if table.foreign_key(name) is None:
        if name not in constraint_names(table):
            raise SqlError(
                "42704", f'constraint "{name}" of relation "{table.name}" does not exist'
            )
        raise SqlError(
            "42809",
            f'constraint "{name}" of relation "{table.name}" is not a foreign key constraint',
        )
    keys = tuple(
        replace(key, deferrable=deferrable, initially_deferred=initially_deferred)
        if key.name == name
        else key
        for key in table.foreign_keys
    )
    put_object(transaction, table.changed(foreign_keys=keys))


# ---- dropping


def drop_foreign_key(transaction: Transaction, table_id: int, name: str) -> None:
    table = transaction.catalog.table_by_id(table_id)
    if table is None:
        return
    gone = next(key for key in table.foreign_keys if key.name == name)
    rest = tuple(key for key in table.foreign_keys if key.name != name)
    put_object(transaction, table.changed(foreign_keys=rest))
    if all(key.referenced_table != gone.referenced_table for key in rest):
        forget_reference(transaction, gone.referenced_table, table_id, set())


def forget_reference(
    transaction: Transaction, referenced_id: int, table_id: int, dropped: set[int]
) -> None:
    referenced = transaction.catalog.table_by_id(referenced_id)
    if referenced is None or referenced_id in dropped or table_id not in referenced.referenced_by:
        return
    rest = tuple(other for other in referenced.referenced_by if other != table_id)
    put_object(transaction, referenced.changed(referenced_by=rest))


# ---- pending checks


def require_nothing_pending(transaction: Transaction, table: Table, command: str) -> None:
    """SqlError 55006: a deferred constraint still has to look at rows as they are stored now."""
    if transaction.row_events.has_pending(table.id):
        raise SqlError(
            "55006", f'cannot {command} "{table.name}" because it has pending trigger events'
        )
