"""From a table's rows to its statistics.

Sources: Li, "Reservoir-sampling algorithms of time complexity O(n(1 + log(N/n)))" (1994), Algorithm L;
Haas and Stokes, "Estimating the number of classes in a finite population" (1998), the estimator Duj1, which
PostgreSQL's ANALYZE uses as well.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any, Final

from trilithon.query.catalog.definitions import Column, Table
from trilithon.query.statistics.definitions import ColumnStatistics, TableStatistics
from trilithon.types.ordering import sort_key

SAMPLE_ROWS: Final = 10_000
# Values that are longer are told apart by nothing: as in PostgreSQL, they count as different.
_LONG: Final = 1_024


class Sample:
    """`SAMPLE_ROWS` rows, each row of all that were added being as likely as the others."""

    def __init__(self, source: random.Random, size: int = SAMPLE_ROWS) -> None:
        self.rows: list[Sequence[Any]] = []
        self.seen = 0
        self._random = source
        self._size = size
        self._weight = 1.0
        # The number of the next row that is taken, once the sample is full.
        self._next = 0

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        start, self.seen = self.seen, self.seen + len(rows)
        free = self._size - len(self.rows)
        if free > 0:
            self.rows += rows[:free]
            if len(self.rows) < self._size:
                return
            self._next = self._size - 1
            self._skip()
        while self._next < self.seen:
            if self._next >= start:
                self.rows[self._random.randrange(self._size)] = rows[self._next - start]
            self._skip()

    def _skip(self) -> None:
        self._weight *= math.exp(math.log(1.0 - self._random.random()) / self._size)
        gap = math.log(1.0 - self._random.random()) / math.log(1.0 - self._weight)
        self._next += int(gap) + 1


def statistics_of(table: Table, sample: Sample, rows: float, at_us: int) -> TableStatistics:
    """`rows`: of the whole table."""
    columns = {
        column.number: column_statistics(
            column, [row[position] if position < len(row) else None for row in sample.rows], rows
        )
        for position, column in enumerate(table.columns)
        if not column.dropped
    }
    return TableStatistics(table.id, table.storage_id, rows, columns, at_us)


def column_statistics(column: Column, values: Sequence[Any], rows: float) -> ColumnStatistics:
    present = [value for value in values if value is not None]
    if not present:
        return ColumnStatistics(1.0 if values else 0.0, 0.0, 0.0)
    fraction = 1.0 - len(present) / len(values)
    order = sort_key(column.type.oid)
    counts: Counter[Hashable] = Counter()
    long = 0
    width = 0
    for value in present:
        size = len(value) if isinstance(value, str | bytes) else 8
        width += size
        if size > _LONG:
            long += 1
            continue
        counts[_comparable(value if order is None else order(value))] += 1
    distinct = distinct_values(counts, long, len(present), rows * (1.0 - fraction))
    if distinct > rows / 10:
        distinct = -min(1.0, distinct / rows)
    return ColumnStatistics(fraction, distinct, width / len(present))


def _comparable(value: Any) -> Hashable:
    try:
        hash(value)
    except TypeError:
        return repr(value)
    result: Hashable = value
    return result


def distinct_values(counts: Counter[Hashable], long: int, sampled: int, rows: float) -> float:
    """How many different values `rows` rows have, by a sample of them."""
    found = len(counts) + long
    once = long + sum(1 for times in counts.values() if times == 1)
    if once == sampled:
        return rows
    if once == 0 or rows <= sampled:
        return float(found)
    estimate = sampled * found / (sampled - once + once * sampled / rows)
    return min(max(estimate, float(found)), rows)
