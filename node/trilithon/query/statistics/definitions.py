"""A table's statistics and their row in the system table of statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import msgspec

from trilithon.query.catalog.definitions import Table
from trilithon.query.statistics.spread import Spread
from trilithon.types.keys import encode_columns, key_prefix, prefix_end
from trilithon.types.registry import INT8
from trilithon.types.rows import decode_row

# See catalog.system_tables for the others.
STATISTICS: Final = 6
_PREFIX: Final = key_prefix(STATISTICS, 0)
STATISTICS_RANGE: Final = (_PREFIX, prefix_end(_PREFIX))


class ColumnStatistics(msgspec.Struct, frozen=True):
    """`null_fraction` in [0, 1]; `width` in bytes, of values that are there.

    `common` and `bounds` are rows of values, encoded as rows are stored: the most common ones, with their parts
    of all rows in `common_parts`; and those that cut the others into parts of the same size, in order.
    `correlation` of the values' order and the rows', in [-1, 1]."""

    null_fraction: float
    distinct: float
    width: float
    common: bytes = b""
    common_parts: tuple[float, ...] = ()
    bounds: bytes = b""
    correlation: float | None = None

    @property
    def common_values(self) -> Sequence[Any]:
        return decode_row(self.common) if self.common else ()

    @property
    def bound_values(self) -> Sequence[Any]:
        return decode_row(self.bounds) if self.bounds else ()

    def spread(self, oid: int, rows: float) -> Spread:
        """Of a column of that type, in a table of so many rows."""
        return _spread(self, oid, self.distinct_of(rows))

    def distinct_of(self, rows: float) -> float:
        """How many different values so many rows have; at least 1."""
        found = -self.distinct * rows if self.distinct < 0 else self.distinct
        return max(1.0, min(found, max(rows, 1.0)))


@lru_cache(maxsize=1024)
def _spread(column: ColumnStatistics, oid: int, distinct: float) -> Spread:
    return Spread(
        oid,
        column.null_fraction,
        distinct,
        column.common_values,
        column.common_parts,
        column.bound_values,
    )


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


# (number of a parameter, how it is compared, the column's spread)
Watch = tuple[int, str, Spread]


@dataclass(slots=True, eq=False)
class Known:
    """A table's statistics as one planning knows them: with the values of some parameters (by number), and with
    a note of the others whose values would have been worth knowing."""

    statistics: TableStatistics
    values: Mapping[int, Any] = field(default_factory=dict)
    watched: dict[tuple[int, str, int], Watch] = field(default_factory=dict)

    @property
    def rows(self) -> float:
        return self.statistics.rows

    @property
    def columns(self) -> dict[int, ColumnStatistics]:
        return self.statistics.columns


StatisticsOf = Callable[[Table], TableStatistics | None]


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
