"""Writes rows with all their index entries, and keeps unique indexes unique.

One `RowWriter` serves one statement on one table. Give it many rows at a time: the keys that must not
exist yet are looked up together. Constraints on values (NOT NULL, CHECK, foreign keys) and defaults are
the executor's.

Modes: a row is claimed EXCLUSIVE by INSERT, DELETE and an update that changes a key of a unique index,
UPDATE otherwise. Unique entries are claimed EXCLUSIVE. Entries that have the row's own key in theirs are
written blind: the claim on the row stands for them.

Uniqueness holds at the end of a call: an UPDATE may pass values on from row to row, or exchange them.

A table whose rows are being rewritten has a second form, which is kept too (`shadow_writer`).

While a unique index is building, the table may hold duplicates which the build has not met yet. So a
row's entry there may belong to another row: it is looked at before it is replaced or removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, NamedTuple

from trilithon.core.errors import SqlError
from trilithon.query.catalog.deferrable_keys import deferrable_keys
from trilithon.query.catalog.definitions import Index, IndexState, Table
from trilithon.query.catalog.rowkeys import Entry, IndexKeys, suffix_of
from trilithon.query.catalog.shadow_writer import ShadowWriter, unique_violation
from trilithon.query.transaction.row_events import Change
from trilithon.query.transaction.transaction import Transaction
from trilithon.types.rows import encode_row
from trilithon.v1.types_pb2 import MODE_BLIND, MODE_EXCLUSIVE, MODE_UPDATE

Values = Sequence[Any]


class RowChange(NamedTuple):
    """One row of an UPDATE: the key it was read under, the row as it was (padded) and as it shall be."""

    key: bytes
    old: Values
    new: Values


class _Claim(NamedTuple):
    """A key that must be free. `position`: which row of the call wants it."""

    key: bytes
    constraint: Index
    position: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """What stands in the way of inserting a row: the row under `row_key`, or (`earlier` >= 0, no
    `row_key`) another row of the same call, by its position."""

    index: Index
    row_key: bytes
    earlier: int = -1


class RowWriter:
    """`watched` False: the rows are no new ones, foreign keys and deferrable keys need not look at them."""

    def __init__(self, transaction: Transaction, table: Table, *, watched: bool = True) -> None:
        self._transaction = transaction
        referring = bool(table.foreign_keys or table.referenced_by or deferrable_keys(table))
        self._events = transaction.row_events if watched and referring else None
        self._table = table
        self._keys = transaction.manager.table_keys(table)
        self._value_bytes_max = transaction.manager.limits.value_bytes
        self._shadow = ShadowWriter(transaction, table) if table.rewrite is not None else None
        transaction.use_table(table)

    # ---- insert

    async def insert(self, rows: Sequence[Values]) -> list[bytes]:
        """The new rows' keys. SqlError 23505, 54000."""
        suffixes, entries, claims = self._plan_inserts(rows)
        await self._require_free(claims, rows)
        prefix = self._keys.prefix
        keys = [prefix + suffix for suffix in suffixes]
        writes: list[tuple[bytes, int, bytes | None]] = []
        for key, row, row_entries in zip(keys, rows, entries, strict=True):
            writes.append((key, MODE_EXCLUSIVE, self._encode(row)))
            for entry in row_entries:
                if entry is not None:
                    mode = MODE_EXCLUSIVE if entry.unique else MODE_BLIND
                    writes.append((entry.key, mode, entry.value))
        self._transaction.write_all(writes)
        if self._shadow is not None:
            await self._shadow.change((), list(zip(keys, rows, strict=True)))
        if self._events is not None:
            self._events.record(Change(self._table, keys, None, rows))
        return keys

    def _plan_inserts(
        self, rows: Sequence[Values]
    ) -> tuple[list[bytes], list[list[Entry | None]], list[_Claim]]:
        keys = self._keys
        clustered = self._table.clustered
        suffixes: list[bytes] = []
        entries: list[list[Entry | None]] = []
        claims: list[_Claim] = []
        for position, row in enumerate(rows):
            if clustered is None:
                suffix = keys.hidden_suffix(self._transaction.new_row_id())
            else:
                suffix = keys.suffix(row)
                claims.append(_Claim(keys.prefix + suffix, clustered, position))
            suffixes.append(suffix)
            row_entries = [index.entry(row, suffix) for index in keys.indexes]
            entries.append(row_entries)
            for index, entry in zip(keys.indexes, row_entries, strict=True):
                if entry is not None and entry.unique:
                    claims.append(_Claim(entry.key, index.index, position))
        return suffixes, entries, claims

    async def find_conflicts(
        self, rows: Sequence[Values], arbiters: Iterable[Index] | None = None
    ) -> list[Conflict | None]:
        """For ON CONFLICT: per row, what it would collide with, in the order of the indexes. Rows that
        collide claim nothing. `arbiters` None: any unique index."""
        wanted = None if arbiters is None else {index.id for index in arbiters}
        for index in deferrable_keys(self._table):
            if wanted is None or index.id in wanted:
                raise SqlError(
                    "55000",
                    "ON CONFLICT does not support deferrable unique constraints/exclusion "
                    "constraints as arbiters",
                    table=self._table.name,
                    constraint=index.name,
                )
        _, _, claims = self._plan_inserts(rows)
        claims = [claim for claim in claims if wanted is None or claim.constraint.id in wanted]
        existing = await self._transaction.get([claim.key for claim in claims], current=True)
        by_row: list[list[tuple[_Claim, list[Any] | None]]] = [[] for _ in rows]
        for claim, found in zip(claims, existing, strict=True):
            by_row[claim.position].append((claim, found))
        claimed: dict[bytes, int] = {}
        result: list[Conflict | None] = []
        for position, row_claims in enumerate(by_row):
            conflict = self._first_conflict(row_claims, claimed)
            if conflict is None:
                claimed.update((claim.key, position) for claim, _ in row_claims)
            result.append(conflict)
        return result

    def _first_conflict(
        self, claims: list[tuple[_Claim, list[Any] | None]], claimed: dict[bytes, int]
    ) -> Conflict | None:
        for claim, found in claims:
            if found is not None:
                clustered = claim.constraint.clustered
                row_key = claim.key if clustered else self._keys.prefix + found[0]
                return Conflict(claim.constraint, row_key)
            if claim.key in claimed:
                return Conflict(claim.constraint, b"", claimed[claim.key])
        return None

    # ---- update

    async def update(self, changes: Sequence[RowChange]) -> list[bytes]:
        """The rows' keys after the update. SqlError 23505, 54000."""
        plan = _UpdatePlan()
        keys = [self._plan_update(plan, at, change) for at, change in enumerate(changes)]
        if len(plan.old_keys) < len(changes):
            raise SqlError("XX000", "an UPDATE named one row twice")
        foreign = await self._foreign_entries(plan.unsure)
        rows = [change.new for change in changes]
        kept: set[bytes] = set()
        for claim, entry in plan.rewritten:
            if entry.unique and (claim.key in foreign or claim.key in kept):
                raise self._duplicate(claim, rows[claim.position])
            kept.add(claim.key)
        await self._require_free(plan.claims, rows, plan.freed - foreign, kept)
        write = self._transaction.write
        for key, mode in plan.tombstones.items():
            if key not in foreign:
                write(key, mode, None)
        for claim, entry in plan.rewritten:
            write(claim.key, MODE_UPDATE if entry.unique else MODE_BLIND, entry.value)
        for key, mode, value in plan.puts:
            write(key, mode, value)
        if self._shadow is not None:
            before = [(change.key, change.old) for change in changes]
            await self._shadow.change(before, list(zip(keys, rows, strict=True)))
        if self._events is not None:
            olds = [change.old for change in changes]
            self._events.record(Change(self._table, keys, olds, rows))
        return keys

    def _plan_update(self, plan: _UpdatePlan, position: int, change: RowChange) -> bytes:
        table_keys, clustered = self._keys, self._table.clustered
        old_key, old, new = change
        plan.old_keys.add(old_key)
        old_suffix = suffix_of(old_key)
        new_suffix = old_suffix if clustered is None else table_keys.suffix(new)
        new_key = table_keys.prefix + new_suffix
        changes_key = new_key != old_key
        if changes_key:
            assert clustered is not None
            plan.free(old_key)
            plan.claims.append(_Claim(new_key, clustered, position))
        for index in table_keys.indexes:
            before = index.entry(old, old_suffix)
            after = index.entry(new, new_suffix)
            if before is not None and after is not None and before.key == after.key:
                # A building index may not have the entry yet, and its backfill counts on writers.
                building = index.index.state is IndexState.BUILDING
                if building or before.value != after.value:
                    plan.rewritten.append((_Claim(after.key, index.index, position), after))
                    self._distrust(plan, index, after, old_suffix)
                continue
            if before is not None:
                self._plan_removal(plan, index, before, old_suffix)
            if after is not None:
                mode = MODE_EXCLUSIVE if after.unique else MODE_BLIND
                plan.puts.append((after.key, mode, after.value))
                if after.unique:
                    plan.claims.append(_Claim(after.key, index.index, position))
            changes_key = changes_key or index.index.is_key
        row_mode = MODE_EXCLUSIVE if changes_key else MODE_UPDATE
        plan.puts.append((new_key, row_mode, self._encode(new)))
        return new_key

    def _plan_removal(
        self, plan: _UpdatePlan, index: IndexKeys, entry: Entry, suffix: bytes
    ) -> None:
        if not entry.unique:
            plan.tombstones[entry.key] = MODE_BLIND
            return
        plan.free(entry.key)
        self._distrust(plan, index, entry, suffix)

    def _distrust(self, plan: _UpdatePlan, index: IndexKeys, entry: Entry, suffix: bytes) -> None:
        if entry.unique and index.index.state is IndexState.BUILDING:
            plan.unsure.setdefault(entry.key, set()).add(suffix)

    # ---- delete

    async def delete(self, rows: Sequence[tuple[bytes, Values]]) -> None:
        """Rows by key, each with the row as it was (padded), for its entries."""
        plan = _UpdatePlan()
        for key, row in rows:
            plan.free(key)
            suffix = suffix_of(key)
            for index in self._keys.indexes:
                entry = index.entry(row, suffix)
                if entry is not None:
                    self._plan_removal(plan, index, entry, suffix)
        foreign = await self._foreign_entries(plan.unsure)
        for key, mode in plan.tombstones.items():
            if key not in foreign:
                self._transaction.write(key, mode, None)
        if self._shadow is not None:
            await self._shadow.change(rows, ())
        if self._events is not None and rows:
            self._events.record(Change(self._table, (), [row for _, row in rows], None))

    # ---- what both need

    async def _foreign_entries(self, unsure: dict[bytes, set[bytes]]) -> set[bytes]:
        """Which of these entries (key → suffixes of rows of this call) belong to another row."""
        if not unsure:
            return set()
        found = await self._transaction.get(list(unsure), current=True)
        return {
            key
            for (key, suffixes), entry in zip(unsure.items(), found, strict=True)
            if entry is not None and entry[0] not in suffixes
        }

    async def _require_free(
        self,
        claims: Sequence[_Claim],
        rows: Sequence[Values],
        freed: AbstractSet[bytes] = frozenset(),
        kept: AbstractSet[bytes] = frozenset(),
    ) -> None:
        """SqlError 23505 for the first claim that is taken, or claimed twice. `freed`: keys that this
        call gives up; `kept`: unique entries that it keeps."""
        if not claims:
            return
        asked = [claim.key for claim in claims if claim.key not in freed]
        found = await self._transaction.get(asked, current=True) if asked else []
        taken = {key for key, row in zip(asked, found, strict=True) if row is not None} | kept
        for claim in claims:
            if claim.key in taken:
                raise self._duplicate(claim, rows[claim.position])
            taken.add(claim.key)

    def _duplicate(self, claim: _Claim, row: Values) -> SqlError:
        table, index = self._table, claim.constraint
        keys = self._keys.index_keys(index.id)
        values = (
            [row[number - 1] for number in index.column_numbers]
            if keys is None
            else keys.values(row)
        )
        return unique_violation(table, index, values)

    def _encode(self, row: Values) -> bytes:
        data = encode_row(row)
        if len(data) > self._value_bytes_max:
            for value in row:
                if isinstance(value, str | bytes):
                    size = len(value.encode()) if isinstance(value, str) else len(value)
                    if size > self._value_bytes_max:
                        raise SqlError(
                            "54000",
                            "maximum column size exceeded",
                            detail=f"A value has {size} bytes, the limit is {self._value_bytes_max}.",
                            table=self._table.name,
                        )
        return data


class _UpdatePlan:
    """What an UPDATE or DELETE will write, collected before anything is checked."""

    __slots__ = ("claims", "freed", "old_keys", "puts", "rewritten", "tombstones", "unsure")

    def __init__(self) -> None:
        self.old_keys: set[bytes] = set()
        self.tombstones: dict[bytes, int] = {}
        # Keys (rows, unique entries) that the call itself makes free.
        self.freed: set[bytes] = set()
        self.puts: list[tuple[bytes, int, bytes]] = []
        self.claims: list[_Claim] = []
        self.rewritten: list[tuple[_Claim, Entry]] = []
        # Unique entries under construction that may belong to other rows → our rows' suffixes.
        self.unsure: dict[bytes, set[bytes]] = {}

    def free(self, key: bytes) -> None:
        self.freed.add(key)
        self.tombstones[key] = MODE_EXCLUSIVE
