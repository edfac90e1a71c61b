"""UNIQUE and PRIMARY KEY that are DEFERRABLE: two rows may have one key until somebody looks.

Entries of such an index have the row's suffix in their keys, like those of an index that is not unique, so the
write buffer and storage hold as many as there are. What is unique is looked at afterwards, at the end of the
statement. A deferred constraint takes notes of the keys that several rows have then, and looks at these again
at SET CONSTRAINTS and before COMMIT (`execute.foreign_keys`).

Whoever brings a key in looks for its entries, finds one, and claims the key EXCLUSIVE: the columns without any
suffix, where nothing is ever stored. So of two transactions that bring in the same key side by side one fails
to commit, and whoever begins later finds the other's entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from trilithon.core.errors import SqlError
from trilithon.query.catalog.definitions import Index, Table
from trilithon.query.catalog.references import RANGES_AT_ONCE, ranges
from trilithon.query.catalog.shadow_writer import unique_violation
from trilithon.types.keys import encoder, key_prefix
from trilithon.v1.types_pb2 import MODE_EXCLUSIVE

if TYPE_CHECKING:
    from trilithon.query.transaction.transaction import Transaction

Values = Sequence[Any]


class DeferrableKey:
    def __init__(self, table: Table, index: Index) -> None:
        self.table = table
        self.index = index
        self.prefix = key_prefix(table.storage_id, index.key_id)
        self._positions = [number - 1 for number in index.column_numbers]
        self._encode = encoder(index.types, index.descending, index.nulls_first)

    def values(self, row: Values) -> tuple[Any, ...] | None:
        """None where no other row can have the same."""
        found = tuple(row[position] for position in self._positions)
        return None if None in found and not self.index.nulls_not_distinct else found

    def key(self, values: Values) -> bytes:
        return self.prefix + self._encode(values)

    async def doubled(
        self, transaction: Transaction, found: Iterable[Values]
    ) -> list[tuple[Any, ...]]:
        """Which of these keys several rows have now. Those that one row has are claimed: nobody else
        brings them in."""
        wanted = {self.key(values): tuple(values) for values in found}
        if not wanted:
            return []
        transaction.use_table(self.table)
        several: list[tuple[Any, ...]] = []
        keys = list(wanted)
        for at in range(0, len(keys), RANGES_AT_ONCE):
            part = keys[at : at + RANGES_AT_ONCE]
            for key, entries in zip(part, await ranges(transaction, part, 2), strict=True):
                if len(entries) > 1:
                    several.append(wanted[key])
                elif entries:
                    transaction.lock(key, MODE_EXCLUSIVE)
        return several

    async def require_unique(self, transaction: Transaction, found: Iterable[Values]) -> None:
        """One row has each of these keys now, or none has. SqlError 23505."""
        several = await self.doubled(transaction, found)
        if several:
            raise unique_violation(self.table, self.index, list(several[0]))


@lru_cache(maxsize=512)
def deferrable_key(table: Table, index: Index) -> DeferrableKey:
    return DeferrableKey(table, index)


def deferrable_keys(table: Table) -> list[Index]:
    return [index for index in table.indexes if index.deferrable]


def refuse_deferrable_over_rows(table: Table) -> SqlError:
    return SqlError(
        "0A000",
        f'rows of table "{table.name}" cannot be given a DEFERRABLE key, or be rewritten under one',
        hint="Make a new table with the constraint, and copy the rows into it.",
    )
