"""What every DDL statement does in the end: put an object's next version, or remove it.

Both buffer the system tables' writes and give the transaction its next catalog. Rules:
- An object's row and its names' rows are written EXCLUSIVE.
- Whoever makes an object in a schema, or over a table, claims that one KEY_SHARE: it cannot be dropped or
  changed meanwhile, and two such makers do not disturb each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog import definitions
from trilithon.query.catalog.catalog import SYSTEM_SCHEMAS, Name, names_of
from trilithon.query.catalog.definitions import Domain, Enum, Schema, Table, View
from trilithon.query.catalog.documents import Stored, encode_object
from trilithon.query.catalog.system_tables import name_key, object_key
from trilithon.query.transaction.transaction import Transaction
from trilithon.types.rows import encode_row
from trilithon.v1.types_pb2 import MODE_EXCLUSIVE

NAME_BYTES_MAX: Final = 63


def put_object(transaction: Transaction, value: Stored) -> None:
    """Create an object, or replace its definition."""
    before = transaction.catalog.object_by_id(value.id)
    old_names = dict(names_of(before)) if before is not None else {}
    new_names = dict(names_of(value))
    transaction.check_writable("DDL")
    if isinstance(before, Table) and isinstance(value, Table):
        _refuse_beside_rewrite(before, value)
    transaction.write(object_key(value.id), MODE_EXCLUSIVE, encode_object(value))
    _write_names(transaction, old_names, new_names)
    transaction.change_catalog(transaction.catalog.with_object(value))


def _refuse_beside_rewrite(before: Table, value: Table) -> None:
    """The form that a table is being made into rests on its definition. SqlError 55006."""
    if before.rewrite is not None and value.rewrite is not None:
        raise SqlError(
            "55006",
            f'cannot change table "{before.name}" because its rows are being rewritten',
            hint="sys.jobs shows the job's state.",
        )


def remove_object(transaction: Transaction, object_id: int) -> None:
    before = transaction.catalog.object_by_id(object_id)
    transaction.check_writable("DDL")
    transaction.write(object_key(object_id), MODE_EXCLUSIVE, None)
    _write_names(transaction, dict(names_of(before)) if before is not None else {}, {})
    transaction.change_catalog(transaction.catalog.without(object_id))


def _write_names(transaction: Transaction, old: dict[Name, int], new: dict[Name, int]) -> None:
    for name in old:
        if name not in new:
            transaction.write(name_key(*name), MODE_EXCLUSIVE, None)
    for name, object_id in new.items():
        if old.get(name) != object_id:
            transaction.write(name_key(*name), MODE_EXCLUSIVE, encode_row([object_id]))


def schema_for_new_object(transaction: Transaction, schema_name: str, name: str) -> Schema:
    """The schema that an object is made in. SqlError 3F000, 42501 for the system's own."""
    schema = transaction.catalog.require_schema(schema_name)
    if schema.name in SYSTEM_SCHEMAS:
        raise SqlError(
            "42501",
            f'permission denied to create "{schema.name}.{name}"',
            detail="System catalog modifications are currently disallowed.",
        )
    transaction.depend_on_object(schema.id)
    return schema


def check_name(name: str) -> None:
    """Names come truncated by the parser, as PostgreSQL's do; this is the last line of defence."""
    if not name:
        raise SqlError("42601", 'zero-length delimited identifier at or near """"')
    if len(name.encode()) > NAME_BYTES_MAX:
        raise SqlError("42622", f'identifier "{name}" is too long')


def require_free_relation_name(transaction: Transaction, schema: Schema, name: str) -> None:
    """SqlError 42P07."""
    check_name(name)
    if transaction.catalog.relation_name_taken(schema.id, name):
        raise SqlError("42P07", f'relation "{name}" already exists', schema=schema.name)


def constraint_names(table: Table) -> set[str]:
    names = {check.name for check in table.checks}
    names.update(foreign_key.name for foreign_key in table.foreign_keys)
    names.update(index.name for index in table.indexes if index.constraint)
    return names


def require_free_constraint(table: Table, name: str, taken: set[str]) -> None:
    """SqlError 42710."""
    check_name(name)
    if name in taken:
        raise SqlError("42710", f'constraint "{name}" for relation "{table.name}" already exists')


def make_name(first: str, second: str, label: str) -> str:
    """first_second_label within 63 bytes: the longer of the first two is cut (PostgreSQL's
    makeObjectName)."""
    left, right = first.encode(), second.encode()
    overhead = (1 if second else 0) + (1 + len(label.encode()) if label else 0)
    available = NAME_BYTES_MAX - overhead
    left_size, right_size = len(left), len(right)
    while left_size + right_size > available:
        if left_size > right_size:
            left_size -= 1
        else:
            right_size -= 1
    parts = [left[:left_size].decode(errors="ignore")]
    if second:
        parts.append(right[:right_size].decode(errors="ignore"))
    if label:
        parts.append(label)
    return "_".join(parts)


def choose_name(first: str, second: str, label: str, taken: Callable[[str], bool]) -> str:
    """The first free one of first_second_label, ..._label1, ..._label2 (ChooseRelationName)."""
    name = make_name(first, second, label)
    attempt = 0
    while taken(name):
        attempt += 1
        name = make_name(first, second, f"{label}{attempt}")
    return name


def kind_name(value: Stored) -> str:
    match value:
        case Table():
            return "table"
        case View():
            return "view"
        case definitions.Sequence():
            return "sequence"
        case Domain() | Enum() | definitions.Composite():
            return "type"
        case definitions.Function():
            return "function"
        case Schema():
            return "schema"
        case _:
            return "role"


def dependents_error(value: Stored, dependents: list[str]) -> SqlError:
    """`dependents`: "view v depends on table t", one a line."""
    return SqlError(
        "2BP01",
        f"cannot drop {kind_name(value)} {value.name} because other objects depend on it",
        detail="\n".join(dependents),
        hint="Use DROP ... CASCADE to drop the dependent objects too.",
    )
