"""Keeps the second form of a table whose rows are being rewritten (see `rewriting`).

A row has the same suffix in both forms, so its second form is found without being read. That form, and the
entries of indexes that do not depend on the column whose values are made, are written blind: the claims on
the row itself and on its own entries stand for them, and nobody is in the job's way.

Indexes that do depend on that column are *bound*. What a row's entry in one of them was is only known from its
second form as it is stored, so then that form is read before it is replaced, and claimed UPDATE. Unique entries
are claimed EXCLUSIVE; they carry the suffix of their row, so that entries of other rows are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from trilithon.core.errors import SqlError
from trilithon.core.invariant import require
from trilithon.query.catalog.definitions import Index, Table
from trilithon.query.catalog.rowkeys import Entry, IndexKeys, suffix_of
from trilithon.query.transaction.conflicts import describe_values
from trilithon.query.transaction.transaction import Transaction
from trilithon.types.rows import encode_row
from trilithon.v1.types_pb2 import MODE_BLIND, MODE_EXCLUSIVE, MODE_UPDATE

Values = Sequence[Any]
# Rows by their key in the table as it is.
KeyedRows = Sequence[tuple[bytes, Values]]
_Writes = dict[bytes, tuple[int, bytes | None]]


class ConversionLike(Protocol):
    """Makes rows of the second form, with all that its constraints say (23502, 23514)."""

    async def rows(self, transaction: Transaction, rows: Sequence[Values]) -> list[Any]: ...


class _Claim(NamedTuple):
    entry: Entry
    keys: IndexKeys
    row: Values
    suffix: bytes


class ShadowWriter:
    def __init__(self, transaction: Transaction, table: Table) -> None:
        shadow = table.shadow
        require(shadow is not None, "a table that is rewritten has a second form")
        assert shadow is not None
        self._transaction = transaction
        self._table = shadow
        self._keys = transaction.manager.table_keys(shadow)
        self._bound = bound_indexes(table)
        self._mode = MODE_UPDATE if self._bound else MODE_BLIND
        expressions: Any = transaction.manager.expressions
        self._conversion: ConversionLike = expressions.conversion(table, transaction.catalog)
        transaction.leave_uncounted(shadow.storage_id)

    async def change(self, old: KeyedRows, new: KeyedRows) -> None:
        """`old`: rows as they were that went or were replaced; `new`: rows as they are now. SqlError 23505,
        23502, 23514, and what the new column's expression raises."""
        transaction = self._transaction
        made = await self._conversion.rows(transaction, [row for _, row in new])
        writes: _Writes = {}
        freed: dict[bytes, set[bytes]] = {}
        claims: list[_Claim] = []
        for (key, _), before in zip(old, await self._before(old), strict=True):
            self._take_away(suffix_of(key), before, writes, freed)
        for (key, _), row in zip(new, made, strict=True):
            self._put(suffix_of(key), row, writes, claims)
        await self._settle(freed, claims, writes)
        transaction.write_all((key, mode, value) for key, (mode, value) in writes.items())

    async def missing(self, keys: Sequence[bytes]) -> list[bool]:
        """Which of these rows have no second form yet."""
        there = await self._transaction.get([self._own(suffix_of(key)) for key in keys])
        return [row is None for row in there]

    def _own(self, suffix: bytes) -> bytes:
        return self._keys.prefix + suffix

    async def _before(self, old: KeyedRows) -> list[Values | None]:
        if not self._bound:
            # Only for the entries, which do not look at the column that is made.
            width = len(self._table.columns)
            return [(*row, *[None] * (width - len(row))) for _, row in old]
        keys = [self._own(suffix_of(key)) for key, _ in old]
        return list(await self._transaction.get(keys, current=True)) if keys else []

    def _take_away(
        self, suffix: bytes, row: Values | None, writes: _Writes, freed: dict[bytes, set[bytes]]
    ) -> None:
        writes[self._own(suffix)] = self._mode, None
        if row is None:
            return
        for keys in self._keys.indexes:
            entry = keys.entry(row, suffix)
            if entry is None:
                continue
            if entry.unique and keys.index.id in self._bound:
                freed.setdefault(entry.key, set()).add(suffix)
            else:
                writes[entry.key] = MODE_BLIND, None

    def _put(self, suffix: bytes, row: Values, writes: _Writes, claims: list[_Claim]) -> None:
        writes[self._own(suffix)] = self._mode, encode_row(row)
        for keys in self._keys.indexes:
            entry = keys.entry(row, suffix)
            if entry is None:
                continue
            if entry.unique and keys.index.id in self._bound:
                claims.append(_Claim(entry, keys, row, suffix))
            else:
                writes[entry.key] = MODE_BLIND, entry.value

    async def _settle(
        self, freed: dict[bytes, set[bytes]], claims: list[_Claim], writes: _Writes
    ) -> None:
        asked = list(dict.fromkeys([*freed, *(claim.entry.key for claim in claims)]))
        if not asked:
            return
        found = await self._transaction.get(asked, current=True)
        owner = {key: row[0] for key, row in zip(asked, found, strict=True) if row is not None}
        for key, suffixes in freed.items():
            if key not in owner or owner[key] in suffixes:
                owner.pop(key, None)
                writes[key] = MODE_EXCLUSIVE, None
        for claim in claims:
            key = claim.entry.key
            if owner.setdefault(key, claim.suffix) != claim.suffix:
                values = claim.keys.values(claim.row)
                raise unique_violation(self._table, claim.keys.index, values)
            writes[key] = MODE_EXCLUSIVE, claim.entry.value


def bound_indexes(table: Table) -> frozenset[int]:
    """Ids of the second form's indexes that may depend on the column whose values are made."""
    made = table.rewrite
    assert made is not None
    added = made.number > len(table.columns)
    known = {index.id for index in table.indexes}

    def bound(index: Index) -> bool:
        if added:
            return index.id not in known
        texts = index.predicate is not None or 0 in index.column_numbers
        return texts or made.number in index.column_numbers

    return frozenset(index.id for index in made.indexes if index.maintained and bound(index))


def unique_violation(table: Table, index: Index, values: list[Any]) -> SqlError:
    return SqlError(
        "23505",
        f'duplicate key value violates unique constraint "{index.name}"',
        detail=f"Key {describe_values(table, index, values)} already exists.",
        schema=table.schema,
        table=table.name,
        constraint=index.name,
    )
