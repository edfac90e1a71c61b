"""How values of a type compare, sort and hash: what Python's own operators get wrong.

For most types Python's `<` and `==` on in-memory values are SQL's. The exceptions are floats (NaN),
intervals, times with zone, arrays, rows, bpchar and jsonb; for those `sort_key` gives a function whose
results compare, and hash, as the values do in SQL.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.types import json_value
from trilithon.types.registry import TypeRef, is_row, type_info, type_name
from trilithon.types.values import ArrayValue, Interval, RecordValue, TimeTz


def _float_key(value: float) -> tuple[bool, float]:
    return (True, 0.0) if value != value else (False, value)


def _interval_key(value: Interval) -> int:
    return Interval(*value).span_us()


def _timetz_key(value: TimeTz) -> tuple[int, int]:
    return TimeTz(*value).order()


def _trimmed(value: str) -> str:
    return value.rstrip(" ")


def _text_key(value: str) -> bytes:
    return value.encode()


@lru_cache(maxsize=512)
def sort_key(oid: int) -> Callable[[Any], Any] | None:
    """The function to sort and group non-NULL values by, None when the values do it themselves.

    Text needs none: the order of Unicode code points is the order of UTF-8 bytes.
    """
    info = type_info(oid)
    if info.element_oid:
        return _array_key(sort_key(info.element_oid))
    if is_row(oid):
        return RecordKey
    match info.name:
        case "float4" | "float8":
            return _float_key
        case "interval":
            return _interval_key
        case "timetz":
            return _timetz_key
        case "bpchar":
            return _trimmed
        case "jsonb":
            return json_value.sort_key
        case _:
            return None


def _array_key(item_key: Callable[[Any], Any] | None) -> Callable[[ArrayValue], Any]:
    """Element by element with NULL last, then fewer dimensions, dimensions, bounds."""

    def key(value: ArrayValue) -> Any:
        items = tuple(
            (True, 0) if item is None else (False, item if item_key is None else item_key(item))
            for item in value.items
        )
        return items, len(value.dimensions), value.dimensions, value.lower_bounds

    return key


_NO_ORDER: Final = frozenset({"json", "jsonpath"})


class RecordKey:
    """A row as it sorts and hashes: field by field, NULL last. Rows of different types cannot be compared:
    SqlError 42804, as PostgreSQL finds it out when it compares."""

    __slots__ = ("fields", "types")

    def __init__(self, value: RecordValue) -> None:
        self.types = value.types
        self.fields = tuple(
            (True, 0) if item is None else (False, item if key is None else key(item))
            for item, key in zip(value, _field_keys(value.types), strict=True)
        )

    def _comparable(self, other: RecordKey) -> tuple[Any, Any]:
        """Both sides, up to the first field that differs: what is behind it may be of any type."""
        if self.types == other.types:
            return self.fields, other.fields
        pairs = zip(self.types, other.types, strict=False)
        for at, (ours, theirs) in enumerate(pairs):
            if ours != theirs:
                raise SqlError(
                    "42804",
                    f"cannot compare dissimilar column types {type_name(TypeRef(ours))} and "
                    f"{type_name(TypeRef(theirs))} at record column {at + 1}",
                )
            if self.fields[at] != other.fields[at]:
                return self.fields[at], other.fields[at]
        raise SqlError("42804", "cannot compare record types with different numbers of columns")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RecordKey):
            return NotImplemented
        ours, theirs = self._comparable(other)
        return bool(ours == theirs)

    def __lt__(self, other: RecordKey) -> bool:
        ours, theirs = self._comparable(other)
        return bool(ours < theirs)

    def __le__(self, other: RecordKey) -> bool:
        return not other < self

    def __gt__(self, other: RecordKey) -> bool:
        return other < self

    def __ge__(self, other: RecordKey) -> bool:
        return not self < other

    def __hash__(self) -> int:
        return hash(self.fields)


@lru_cache(maxsize=1024)
def _field_keys(types: tuple[int, ...]) -> tuple[Callable[[Any], Any] | None, ...]:
    """SqlError 42883 for a field without an order."""
    for oid in types:
        name = type_info(oid).name
        if name in _NO_ORDER:
            raise SqlError("42883", f"could not identify a comparison function for type {name}")
    return tuple(sort_key(oid) for oid in types)


def is_self_ordering(oid: int) -> bool:
    """Whether Python's operators on the in-memory values are SQL's."""
    return sort_key(oid) is None
