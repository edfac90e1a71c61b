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

import msgspec

from trilithon.query.catalog.definitions import Column, Table
from trilithon.query.statistics.definitions import ColumnStatistics, TableStatistics
from trilithon.types.ordering import sort_key
from trilithon.types.registry import type_info
from trilithon.types.rows import encode_row

SAMPLE_ROWS: Final = 10_000
# Values that are longer are told apart by nothing and count as different.
_LONG: Final = 256
# As PostgreSQL's default_statistics_target.
COMMON_MAX: Final = 100
BOUNDS_MAX: Final = 101
# A value stands out that is so much more common than most.
_STANDS_OUT: Final = 1.25
# Common values and bounds of all columns of a table together.
SPREAD_BYTES: Final = 256 * 1024
_SPREAD_TYPES: Final = frozenset(
    [
        "int2",
        "int4",
        "int8",
        "oid",
        "float4",
        "float8",
        "numeric",
        "text",
        "varchar",
        "bpchar",
        "bool",
        "bytea",
        "uuid",
        "date",
        "time",
        "timetz",
        "timestamp",
        "timestamptz",
        "interval",
    ]
)


class Sample:
    """`SAMPLE_ROWS` rows, each row of all that were added being as likely as the others."""

    def __init__(self, source: random.Random, size: int = SAMPLE_ROWS) -> None:
        self.rows: list[Sequence[Any]] = []
        # The number of each of them among all rows.
        self.places: list[int] = []
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
            self.places += range(start, start + min(free, len(rows)))
            if len(self.rows) < self._size:
                return
            self._next = self._size - 1
            self._skip()
        while self._next < self.seen:
            if self._next >= start:
                at = self._random.randrange(self._size)
                self.rows[at] = rows[self._next - start]
                self.places[at] = self._next
            self._skip()

    def _skip(self) -> None:
        self._weight *= math.exp(math.log(1.0 - self._random.random()) / self._size)
        gap = math.log(1.0 - self._random.random()) / math.log(1.0 - self._weight)
        self._next += int(gap) + 1


def statistics_of(table: Table, sample: Sample, rows: float, at_us: int) -> TableStatistics:
    """`rows`: of the whole table."""
    budget = SPREAD_BYTES
    in_order = sorted(range(len(sample.rows)), key=sample.places.__getitem__)
    columns = {}
    for position, column in enumerate(table.columns):
        if column.dropped:
            continue
        found = [sample.rows[at] for at in in_order]
        values = [row[position] if position < len(row) else None for row in found]
        made = column_statistics(column, values, rows)
        budget -= len(made.common) + len(made.bounds)
        if budget < 0:
            made = msgspec.structs.replace(made, common=b"", common_parts=(), bounds=b"")
        columns[column.number] = made
    return TableStatistics(table.id, table.storage_id, rows, columns, at_us)


def column_statistics(column: Column, values: Sequence[Any], rows: float) -> ColumnStatistics:
    """`values` in the order of their rows."""
    present = [value for value in values if value is not None]
    if not present:
        return ColumnStatistics(1.0 if values else 0.0, 0.0, 0.0)
    fraction = 1.0 - len(present) / len(values)
    order = sort_key(column.type.oid)
    counts: Counter[Hashable] = Counter()
    examples: dict[Hashable, Any] = {}
    keys: list[Hashable] = []
    long = 0
    width = 0
    for value in present:
        size = len(value) if isinstance(value, str | bytes) else 8
        width += size
        if size > _LONG:
            long += 1
            continue
        key = _comparable(value if order is None else order(value))
        counts[key] += 1
        keys.append(key)
        examples.setdefault(key, value)
    distinct = distinct_values(counts, long, len(present), rows * (1.0 - fraction))
    complete = len(counts) == distinct
    if distinct > rows / 10:
        distinct = -min(1.0, distinct / rows)
    made = ColumnStatistics(fraction, distinct, width / len(present))
    if type_info(column.type.oid).name not in _SPREAD_TYPES or long:
        return made
    common = common_values(counts, complete)
    chosen = {key for key, _ in common}
    bounds = _bounds([key for key in keys if key not in chosen])
    return msgspec.structs.replace(
        made,
        common=encode_row([examples[key] for key, _ in common]) if common else b"",
        common_parts=tuple(times / len(values) for _, times in common),
        bounds=encode_row([examples[key] for key in bounds]) if bounds else b"",
        correlation=_correlation(keys),
    )


def common_values(counts: Counter[Hashable], complete: bool) -> list[tuple[Hashable, int]]:
    """The most common values with how often they are there, most often first: all of them where they are few and none is
    there once (`complete`: the sample seems to have every value); else those that stand out."""
    if complete and len(counts) <= COMMON_MAX and 1 not in counts.values():
        return sorted(counts.items(), key=lambda item: -item[1])
    usual = counts.total() / len(counts) if counts else 0.0
    return [
        (key, times)
        for key, times in counts.most_common(COMMON_MAX)
        if times > 1 and times > usual * _STANDS_OUT
    ]


def _bounds(keys: list[Any]) -> list[Any]:
    if len(set(keys)) < 2:
        return []
    keys.sort()
    parts = min(BOUNDS_MAX, len(keys)) - 1
    return [keys[round(at * (len(keys) - 1) / parts)] for at in range(parts + 1)]


def _correlation(keys: list[Any]) -> float | None:
    """Of the places of the values in their order and in the table's."""
    count = len(keys)
    if count < 2:
        return None
    in_order = sorted(range(count), key=keys.__getitem__)
    products = sum(place * rank for rank, place in enumerate(in_order))
    mean = (count - 1) / 2
    spread = (count * count - 1) / 12 * count
    return max(-1.0, min(1.0, (products - count * mean * mean) / spread))


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
