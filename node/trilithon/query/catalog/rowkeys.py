"""Keys of rows and index entries, compiled once per version of a table. Pure.

| what | key | value |
|---|---|---|
| row | storage id, 0, clustered columns (or the hidden row id) | all columns in order of their numbers |
| entry | storage id, index id, index columns, *suffix* | [suffix, included columns...] |
| unique entry | storage id, index id, index columns | the same |

- *Suffix*: what follows the prefix in the row's own key. Row key = row prefix + suffix.
- An entry whose key would be longer than 1,900 bytes has the suffix's sha256 in its key instead; its value has
  the suffix itself.
- A unique index with a NULL among its columns, under NULLS DISTINCT, has the suffix in the key too: such
  rows never collide.
- An index of a deferrable constraint has entries as if it were not unique (see `deferrable_keys`).
- A row for which an index's predicate is not true has no entry in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, Protocol

from trilithon.core.errors import SqlError
from trilithon.query.catalog.definitions import Index, Table
from trilithon.types.keys import PREFIX_BYTES, encoder, key_prefix, prefix_end
from trilithon.types.registry import UUID
from trilithon.types.rows import encode_row

ENTRY_KEY_BYTES_MAX: Final = 1900
_HIDDEN_KEY: Final = (UUID,)

Values = Sequence[Any]


class ExpressionHook(Protocol):
    """Compiles an index's SQL texts; the engine gives it. Rows come whole, by column number - 1."""

    def index_expression(self, table: Table, sql: str) -> Callable[[Values], Any]: ...

    def index_predicate(self, table: Table, sql: str) -> Callable[[Values], bool]: ...


class Entry(NamedTuple):
    """`unique`: no other row may have this key."""

    key: bytes
    value: bytes
    unique: bool


def row_range(table: Table) -> tuple[bytes, bytes]:
    """[start, end) of all rows."""
    prefix = key_prefix(table.storage_id, 0)
    return prefix, prefix_end(prefix)


def index_range(table: Table, index: Index) -> tuple[bytes, bytes]:
    """[start, end) of all entries (of all rows, for the clustered index)."""
    prefix = key_prefix(table.storage_id, index.key_id)
    return prefix, prefix_end(prefix)


def storage_range(storage_id: int) -> tuple[bytes, bytes]:
    """[start, end) of everything a table has: rows and entries."""
    prefix = storage_id.to_bytes(4, "big")
    return prefix, prefix_end(prefix)


def pad_row(table: Table, row: list[Any]) -> list[Any]:
    """A stored row as the table's definition has it now: columns that are younger than the row get
    their missing value."""
    missing = len(table.columns) - len(row)
    return row + list(table.missing_values[len(row) :]) if missing > 0 else row


def key_size_error(size: int, limit: int) -> SqlError:
    return SqlError(
        "54000",
        "key size too large",
        detail=f"The key's columns take {size} bytes, the limit is {limit}.",
    )


class IndexKeys:
    """The entries of one index that is not clustered."""

    __slots__ = (
        "_encode",
        "_expressions",
        "_include",
        "_key_bytes_max",
        "_nulls_collide",
        "_positions",
        "_predicate",
        "index",
        "prefix",
    )

    def __init__(
        self, table: Table, index: Index, hook: ExpressionHook | None, key_bytes_max: int
    ) -> None:
        self.index = index
        self.prefix = key_prefix(table.storage_id, index.key_id)
        self._encode = encoder(index.types, index.descending, index.nulls_first)
        self._positions = tuple(column.number - 1 for column in index.columns)
        self._expressions = tuple(
            None
            if column.expression is None
            else _require(hook).index_expression(table, column.expression)
            for column in index.columns
        )
        self._predicate = (
            None
            if index.predicate is None
            else _require(hook).index_predicate(table, index.predicate)
        )
        self._include = tuple(number - 1 for number in index.include)
        self._nulls_collide = index.nulls_not_distinct
        self._key_bytes_max = key_bytes_max

    def values(self, row: Values) -> list[Any]:
        """The index columns' values."""
        return [
            row[position] if expression is None else expression(row)
            for position, expression in zip(self._positions, self._expressions, strict=True)
        ]

    def entry(self, row: Values, suffix: bytes) -> Entry | None:
        """None where the predicate excludes the row. SqlError 54000, and what expressions raise."""
        if self._predicate is not None and not self._predicate(row):
            return None
        values = self.values(row)
        columns = self._encode(values)
        if len(columns) > self._key_bytes_max:
            raise key_size_error(len(columns), self._key_bytes_max)
        key = self.prefix + columns
        unique = self.index.immediate and (self._nulls_collide or None not in values)
        if not unique:
            if len(key) + len(suffix) > ENTRY_KEY_BYTES_MAX:
                key += hashlib.sha256(suffix).digest()
            else:
                key += suffix
        value = encode_row([suffix, *[row[position] for position in self._include]])
        return Entry(key, value, unique)


class TableKeys:
    """All keys of one version of a table. `hook` is needed for expression and partial indexes."""

    __slots__ = ("__weakref__", "_encode", "_key_bytes_max", "_positions", "indexes", "prefix")

    def __init__(self, table: Table, hook: ExpressionHook | None, key_bytes_max: int) -> None:
        # No reference to the table itself: a cache by table must not keep it alive.
        clustered = table.clustered
        self.prefix = key_prefix(table.storage_id, 0)
        self._key_bytes_max = key_bytes_max
        self._positions: tuple[int, ...] | None = None
        self._encode = encoder(_HIDDEN_KEY)
        if clustered is not None:
            self._positions = tuple(column.number - 1 for column in clustered.columns)
            self._encode = encoder(clustered.types, clustered.descending, clustered.nulls_first)
        self.indexes = tuple(
            IndexKeys(table, index, hook, key_bytes_max)
            for index in table.entry_indexes
            if index.maintained
        )

    @property
    def has_hidden_key(self) -> bool:
        return self._positions is None

    def suffix(self, row: Values) -> bytes:
        """The suffix of a row of a table with a clustered primary key. SqlError 54000."""
        positions = self._positions
        assert positions is not None, "a hidden row id is not part of the row"
        suffix = self._encode([row[position] for position in positions])
        if len(suffix) > self._key_bytes_max:
            raise key_size_error(len(suffix), self._key_bytes_max)
        return suffix

    def hidden_suffix(self, row_id: bytes) -> bytes:
        return self._encode([row_id])

    def row_key(self, row: Values) -> bytes:
        return self.prefix + self.suffix(row)

    def index_keys(self, index_id: int) -> IndexKeys | None:
        return next((keys for keys in self.indexes if keys.index.id == index_id), None)


def suffix_of(row_key: bytes) -> bytes:
    return row_key[PREFIX_BYTES:]


def _require(hook: ExpressionHook | None) -> ExpressionHook:
    if hook is None:
        raise SqlError("0A000", "indexes over expressions and partial indexes are not supported")
    return hook
