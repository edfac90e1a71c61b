"""Which defaults call which sequences, and what becomes of them when a sequence goes.

A default that names a sequence holds it: the sequence is dropped with CASCADE only, and the default goes with
it. A serial or identity column holds the one that was made for it (`Column.sequence_id`), any other default
the ones that its text names (`default_uses`; the text names them by their ids).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from trilithon.core.errors import SqlError
from trilithon.query.catalog.changes import put_object
from trilithon.query.catalog.definitions import Column, Domain, Sequence, Table

if TYPE_CHECKING:
    from trilithon.query.transaction.transaction import Transaction


def owned_sequences(transaction: Transaction, table_id: int, number: int = 0) -> list[Sequence]:
    """Those that go with a table, or with one of its columns."""
    return [
        sequence
        for sequence in transaction.catalog.sequences
        if sequence.owned_by_table == table_id and number in (0, sequence.owned_by_column)
    ]


def _calls(column: Column, sequence: Sequence) -> bool:
    return sequence.id == column.sequence_id or sequence.id in column.default_uses


def _users(
    transaction: Transaction, sequence: Sequence, besides: Collection[int]
) -> Iterator[tuple[Table, list[Column]]]:
    """Tables, but those of these ids, with the columns whose defaults call the sequence."""
    for table in transaction.catalog.tables:
        if table.id in besides:
            continue
        columns = table.columns
        if table.rewrite is not None:
            columns += tuple(one for one in table.rewrite.columns if one not in columns)
        found = {one.number: one for one in columns if not one.dropped and _calls(one, sequence)}
        if found:
            yield table, list(found.values())


def default_dependents(
    transaction: Transaction, sequence: Sequence, besides: Collection[int] = ()
) -> list[str]:
    """What stands in the way of dropping it, but defaults of tables of these ids; one a line."""
    lines = [
        f"default value for column {column.name} of table {table.name} depends on "
        f"sequence {sequence.name}"
        for table, columns in _users(transaction, sequence, besides)
        for column in columns
    ]
    lines += [
        f"type {domain.name} depends on sequence {sequence.name}"
        for domain in transaction.catalog.types
        if isinstance(domain, Domain) and sequence.id in domain.default_uses
    ]
    return lines


def drop_defaults(
    transaction: Transaction, sequence: Sequence, besides: Collection[int] = ()
) -> list[str]:
    """CASCADE: defaults that call the sequence go; for notices. SqlError 0A000 where a domain calls it, 55006."""
    for domain in transaction.catalog.types:
        if isinstance(domain, Domain) and sequence.id in domain.default_uses:
            raise SqlError(
                "0A000",
                "CASCADE to a domain is not supported",
                detail=f"type {domain.name} depends on sequence {sequence.name}",
                hint="Drop the domain's default first.",
            )
    notices: list[str] = []
    for table, users in list(_users(transaction, sequence, besides)):
        notices += [f"default value for column {one.name} of table {table.name}" for one in users]
        columns = tuple(
            replace(one, default=None, default_uses=(), sequence_id=0)
            if _calls(one, sequence)
            else one
            for one in table.columns
        )
        put_object(transaction, table.changed(columns=columns))
    return notices
