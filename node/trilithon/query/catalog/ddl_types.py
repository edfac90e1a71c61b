"""CREATE, ALTER and DROP of enumerated types and of domains; DROP of composite types.

Who uses a type in a table claims its row KEY_SHARE (`depend_on_types`), so it cannot be dropped meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog.changes import (
    check_name,
    dependents_error,
    put_object,
    remove_object,
    schema_for_new_object,
)
from trilithon.query.catalog.ddl_indexes import check_rows_unchanged
from trilithon.query.catalog.definitions import (
    Check,
    Column,
    Composite,
    Domain,
    Enum,
    Schema,
    Table,
    UserType,
)
from trilithon.query.catalog.rowkeys import pad_row, row_range
from trilithon.query.transaction.transaction import Transaction
from trilithon.types.registry import TypeRef, object_of

LABEL_BYTES_MAX: Final = 63


def new_type(transaction: Transaction, schema_name: str, name: str, command: str) -> Schema:
    transaction.check_writable(command)
    schema = schema_for_new_object(transaction, schema_name, name)
    require_free_type_name(transaction, schema, name)
    return schema


def require_free_type_name(transaction: Transaction, schema: Schema, name: str) -> None:
    """SqlError 42710."""
    check_name(name)
    catalog = transaction.catalog
    # Tables have row types of their names.
    if catalog.type_name_taken(schema.id, name) or catalog.relation_name_taken(schema.id, name):
        raise SqlError("42710", f'type "{name}" already exists')


# ---- enumerated types


async def create_enum(
    transaction: Transaction, schema_name: str, name: str, labels: tuple[str, ...]
) -> Enum:
    """SqlError 42710, 42622, 23505 for a label that is there twice."""
    schema = new_type(transaction, schema_name, name, "CREATE TYPE")
    for position, label in enumerate(labels):
        _check_label(label)
        if label in labels[:position]:
            raise SqlError(
                "23505",
                'duplicate key value violates unique constraint "pg_enum_typid_label_index"',
            )
    made = Enum(
        id=await transaction.manager.object_ids.take(),
        schema_id=schema.id,
        schema=schema.name,
        name=name,
        labels=labels,
        positions=tuple(float(number) for number in range(1, len(labels) + 1)),
    )
    put_object(transaction, made)
    return made


def _check_label(label: str) -> None:
    if not label or len(label.encode()) > LABEL_BYTES_MAX:
        raise SqlError(
            "42602",
            f'invalid enum label "{label}"',
            detail=f"Labels must be {LABEL_BYTES_MAX} bytes or less.",
        )


def add_label(
    transaction: Transaction,
    enum: Enum,
    label: str,
    *,
    neighbour: str | None = None,
    after: bool = True,
) -> None:
    """Behind all others, or beside `neighbour`. SqlError 42710 (it is there), 22023 (no neighbour)."""
    transaction.check_writable("ALTER TYPE")
    _check_label(label)
    if label in enum.labels:
        raise SqlError("42710", f'enum label "{label}" already exists')
    at = len(enum.labels)
    if neighbour is not None:
        if neighbour not in enum.labels:
            raise SqlError("22023", f'"{neighbour}" is not an existing enum label')
        at = enum.labels.index(neighbour) + after
    position = _between(enum.positions, at)
    put_object(
        transaction,
        replace(
            enum,
            labels=(*enum.labels[:at], label, *enum.labels[at:]),
            positions=(*enum.positions[:at], position, *enum.positions[at:]),
            version=enum.version + 1,
        ),
    )


def _between(positions: tuple[float, ...], at: int) -> float:
    if not positions:
        return 1.0
    if at == 0:
        return positions[0] - 1.0
    if at == len(positions):
        return positions[-1] + 1.0
    middle = (positions[at - 1] + positions[at]) / 2
    if not positions[at - 1] < middle < positions[at]:
        raise SqlError("54000", "there is no room between these two enum labels")
    return middle


# ---- domains


async def create_domain(
    transaction: Transaction,
    schema_name: str,
    name: str,
    base: TypeRef,
    *,
    not_null: bool = False,
    default: str | None = None,
    default_uses: tuple[int, ...] = (),
    checks: tuple[Check, ...] = (),
) -> Domain:
    """SqlError 42710."""
    schema = new_type(transaction, schema_name, name, "CREATE DOMAIN")
    made = Domain(
        id=await transaction.manager.object_ids.take(),
        schema_id=schema.id,
        schema=schema.name,
        name=name,
        base=base,
        not_null=not_null,
        default=default,
        checks=checks,
        default_uses=default_uses,
    )
    put_object(transaction, made)
    depend_on_types(transaction, [base])
    return made


def alter_domain(transaction: Transaction, domain: Domain) -> None:
    """The domain's next version; existing values have been checked by whoever calls."""
    transaction.check_writable("ALTER DOMAIN")
    put_object(transaction, replace(domain, version=domain.version + 1))


# ---- both


async def find_row(
    transaction: Transaction, table: Table, wanted: Callable[[Sequence[Any]], bool]
) -> Sequence[Any] | None:
    """The first row that `wanted` is true of; the commit fails if rows change meanwhile."""
    check_rows_unchanged(transaction, table)
    async for chunk in transaction.scan(*row_range(table), current=True):
        for stored in chunk.rows:
            row = pad_row(table, stored)
            if wanted(row):
                return row
    return None


def type_of(ref: TypeRef) -> int:
    """The id of the object behind a user's type or its array; 0: a built-in one."""
    return object_of(ref.oid)


def depend_on_types(
    transaction: Transaction, refs: Iterable[TypeRef], domain_ids: Iterable[int] = ()
) -> None:
    """They cannot be dropped while this transaction is under way."""
    for object_id in {*map(type_of, refs), *domain_ids} - {0}:
        transaction.depend_on_object(object_id)


def users_of_type(transaction: Transaction, type_id: int) -> list[tuple[Table, Column]]:
    return [
        (table, column)
        for table in transaction.catalog.tables
        for column in table.columns
        if not column.dropped and type_id in (type_of(column.type), column.domain_id)
    ]


def used_through(catalog: Any, type_id: int) -> list[int]:
    """Ids of the types that have values of a type inside."""
    found: list[int] = []
    pending = [type_id]
    while pending:
        wanted = pending.pop()
        for value in catalog.types:
            inside = [value.base] if isinstance(value, Domain) else []
            if isinstance(value, Composite):
                inside = [attribute.type for attribute in value.attributes]
            if value.id not in found and wanted in map(type_of, inside):
                found.append(value.id)
                pending.append(value.id)
    return found


def drop_type(
    transaction: Transaction, value: UserType, *, cascade: bool = False
) -> list[tuple[Table, Column]]:
    """SqlError 2BP01 while something uses it; with CASCADE, the columns that have to go first."""
    transaction.check_writable("DROP TYPE")
    users = users_of_type(transaction, value.id)
    views = [
        view
        for view in transaction.catalog.views
        if value.id in view.depends_on or any(type_of(c.type) == value.id for c in view.columns)
    ]
    around = set(used_through(transaction.catalog, value.id))
    others = [one for one in transaction.catalog.types if one.id in around]
    functions = [
        function
        for function in transaction.catalog.functions
        if value.id in map(type_of, (*(a.type for a in function.arguments), function.result))
        or any(type_of(column.type) == value.id for column in function.columns)
    ]
    if (users and not cascade) or views or others or functions:
        lines = [
            f"column {column.name} of table {table.name} depends on type {value.name}"
            for table, column in users
        ]
        lines += [f"view {view.name} depends on type {value.name}" for view in views]
        lines += [f"type {one.name} depends on type {value.name}" for one in others]
        lines += [f"function {one.name} depends on type {value.name}" for one in functions]
        raise dependents_error(value, lines)
    if not users:
        remove_object(transaction, value.id)
    return users
