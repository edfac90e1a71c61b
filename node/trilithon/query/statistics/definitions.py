"""A table's statistics and their row in the system table of statistics."""

from __future__ import annotations

from typing import Final

import msgspec

from trilithon.query.catalog.definitions import Table
from trilithon.types.keys import encode_columns, key_prefix, prefix_end
from trilithon.types.registry import INT8

# See catalog.system_tables for the others.
STATISTICS: Final = 6
_PREFIX: Final = key_prefix(STATISTICS, 0)
STATISTICS_RANGE: Final = (_PREFIX, prefix_end(_PREFIX))


class ColumnStatistics(msgspec.Struct, frozen=True):
    """`null_fraction` in [0, 1]; `width` in bytes, of values that are there."""

    null_fraction: float
    distinct: float
    width: float

    def distinct_of(self, rows: float) -> float:
        """How many different values so many rows have; at least 1."""
        found = -self.distinct * rows if self.distinct < 0 else self.distinct
        return max(1.0, min(found, max(rows, 1.0)))


class TableStatistics(msgspec.Struct, frozen=True, eq=False):
    """`columns` by column number. `storage_id`: TRUNCATE gives a table a new one, and these are void.
    `at_us`: when, by the wall clock of whoever counted."""

    table_id: int
    storage_id: int
    rows: float
    columns: dict[int, ColumnStatistics]
    at_us: int

    def is_for(self, table: Table) -> bool:
        return self.storage_id == table.storage_id


def statistics_key(table_id: int) -> bytes:
    return _PREFIX + encode_columns((INT8,), (table_id,))


def encode_statistics(statistics: TableStatistics) -> bytes:
    return msgspec.msgpack.encode(statistics)


_decoder: Final = msgspec.msgpack.Decoder(TableStatistics)


def decode_statistics(data: bytes) -> TableStatistics | None:
    """None for what another version wrote: statistics can be gathered again."""
    try:
        return _decoder.decode(data)
    except msgspec.DecodeError:
        return None
