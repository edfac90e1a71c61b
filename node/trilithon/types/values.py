"""The in-memory values that Python has no type for: intervals, times with zone, labels, arrays, rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from trilithon.core.errors import SqlError


class Interval(NamedTuple):
    """months, days and µs are independent, as in PostgreSQL. Python's tuple order is NOT the SQL
    order: compare `span_us`."""

    months: int
    days: int
    microseconds: int

    def span_us(self) -> int:
        """What comparisons use: a month is 30 days, a day 24 hours. Up to 128 bits."""
        return (self.months * 30 + self.days) * 86_400_000_000 + self.microseconds


class TimeTz(NamedTuple):
    """µs since local midnight, and the zone in seconds WEST of UTC (PostgreSQL's sign)."""

    microseconds: int
    zone: int

    def order(self) -> tuple[int, int]:
        """What comparisons use: UTC first, then the zone."""
        return self.microseconds + self.zone * 1_000_000, self.zone


@dataclass(frozen=True, slots=True, order=True)
class EnumValue:
    """A label of an enumerated type. `position` orders it (PostgreSQL's enumsortorder) and is no other
    label's of the type, so Python's comparisons are SQL's."""

    position: float
    label: str


class NamedOid(int):
    """An oid on its way to a client, which sees `name` where it asked for text."""

    name: str

    def __new__(cls, value: int, name: str) -> NamedOid:
        made = super().__new__(cls, value)
        made.name = name
        return made

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ArrayValue:
    """An array of any number of dimensions; `items` is flat, in row-major order.

    An empty array has no dimensions. `lower_bounds` are 1 unless someone asked otherwise.
    """

    items: tuple[Any, ...]
    dimensions: tuple[int, ...]
    lower_bounds: tuple[int, ...]

    @classmethod
    def of(cls, items: Any) -> ArrayValue:
        """A one-dimensional array."""
        flat = tuple(items)
        return cls(flat, (len(flat),), (1,)) if flat else EMPTY_ARRAY

    @classmethod
    def stacked(cls, arrays: Sequence[Any]) -> ArrayValue:
        """Arrays of one shape as an array of one more dimension. SqlError 22004, 2202E."""
        if not arrays:
            return EMPTY_ARRAY
        if any(value is None for value in arrays):
            raise SqlError("22004", "cannot accumulate null arrays")
        shape = arrays[0].dimensions
        if not shape:
            raise SqlError("2202E", "cannot accumulate empty arrays")
        if any(value.dimensions != shape for value in arrays):
            raise SqlError("2202E", "cannot accumulate arrays of different dimensionality")
        items = tuple(item for value in arrays for item in value.items)
        return cls(items, (len(arrays), *shape), (1,) * (len(shape) + 1))


class RecordValue(tuple[Any, ...]):
    """A row value that knows its fields' types (oids): text, order and hashes are by them. `names` are its
    fields' for JSON; without them they are its type's, or f1, f2, …"""

    types: tuple[int, ...]
    names: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, values: tuple[Any, ...], types: tuple[int, ...], names: tuple[str, ...] = ()
    ) -> RecordValue:
        record = cls(values)
        record.types = types
        if names:
            record.names = names
        return record


class UnresolvedName(str):
    """A parameter's text that names a catalog object: the transaction's catalog says which."""

    __slots__ = ()


EMPTY_ARRAY = ArrayValue((), (), ())
