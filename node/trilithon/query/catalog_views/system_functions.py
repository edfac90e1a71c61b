"""What tools ask the server about itself: sizes, properties of indexes, key words, sequences, start time.

What has no honest answer here is NULL, or is not there (txid_current(), pg_export_snapshot()). Registered
when this module is imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.registry import IMMUTABLE, STABLE, function
from trilithon.query.catalog.definitions import Sequence, Table, View
from trilithon.query.catalog_views import facts, objects
from trilithon.query.catalog_views.registration import (
    catalog_of,
    constant,
    registered,
    stable,
)
from trilithon.query.catalog_views.updatable import is_updatable
from trilithon.types import text_io
from trilithon.types.registry import NUMERIC, format_type, type_info

# ---- sizes


def _size_of(context: Any, oid: int) -> int | None:
    """Storage does not count a table's bytes; what stores nothing has none."""
    found = catalog_of(context).object_by_id(oid)
    return 0 if isinstance(found, View | Sequence) else None


for _name in ("table", "relation", "total_relation", "indexes"):
    stable(f"pg_{_name}_size(regclass) -> int8")(_size_of)
stable("pg_relation_size(regclass, text) -> int8")(
    lambda context, oid, fork: _size_of(context, oid)
)


def _database_size(context: Any, name: str) -> None:
    if name != context.session.current_database:
        raise SqlError("3D000", f'database "{name}" does not exist')


stable("pg_database_size(name) -> int8")(_database_size)
constant("pg_database_size(oid) -> int8", None)
constant("pg_tablespace_size(name) -> int8", None)
constant("pg_tablespace_size(oid) -> int8", None)
constant("pg_relation_filenode(regclass) -> oid", None)
constant("pg_relation_filepath(regclass) -> text", None)
constant("pg_filenode_relation(oid, oid) -> regclass", None)

_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB", "PB")
_SIZE: Final = re.compile(
    r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S.*?)?\s*", re.DOTALL
)


def _define(signature: str, **flags: Any) -> Callable[[Any], Any]:
    def decorate(call: Any) -> Any:
        if not registered(signature):
            function(signature, **flags)(call)
        return call

    return decorate


@_define("pg_size_pretty(int8) -> text", volatility=IMMUTABLE)
def _size_pretty(size: int) -> str:
    """A unit up to 10,240 bytes or 10,239.5 of it, halves rounded away from zero (dbsize.c)."""
    if abs(size) < 10_240:
        return f"{size} bytes"
    # In halves of a unit, cut off towards zero.
    sign, halves, unit = (-1 if size < 0 else 1), abs(size) >> 9, 1
    while halves >= 20 * 1024 - 1 and unit < len(_UNITS) - 1:
        halves, unit = halves >> 10, unit + 1
    return f"{Decimal(sign * ((halves + 1) // 2)):f} {_UNITS[unit]}"


@_define("pg_size_pretty(numeric) -> text", volatility=IMMUTABLE)
def _size_pretty_numeric(size: Decimal) -> str:
    if not size.is_finite():
        return f"{text_io.render(NUMERIC, size)} PB"
    if abs(size) < 10_240:
        return f"{text_io.render(NUMERIC, size)} bytes"
    text: str = _size_pretty(int(size))
    return text


@_define("pg_size_bytes(text) -> int8", volatility=IMMUTABLE)
def _size_bytes(text: str) -> int:
    match = _SIZE.fullmatch(text)
    if match is None:
        raise SqlError("22023", f'invalid size: "{text}"')
    unit = (match[2] or "bytes").lower()
    names = [name.lower() for name in _UNITS]
    if unit not in names:
        raise SqlError(
            "22023",
            f'invalid size: "{text}"',
            detail=f'Invalid size unit: "{match[2]}".',
            hint='Valid units are "bytes", "kB", "MB", "GB", "TB", and "PB".',
        )
    amount = Decimal(match[1]) * 1024 ** names.index(unit)
    size = int(amount.to_integral_value("ROUND_HALF_UP"))
    if not -(1 << 63) <= size < 1 << 63:
        raise SqlError("22003", "bigint out of range")
    return size


@_define("pg_column_size(any) -> int4", typed=True, volatility=STABLE)
def _column_size(types: Any, _: Any) -> Callable[[Any], int]:
    """The bytes that PostgreSQL's form of a value takes."""
    info = type_info(types[0].oid)
    if info.length > 0:
        return lambda value: info.length
    if info.name in ("text", "varchar", "bpchar", "json", "unknown"):
        return lambda value: len(value.encode()) + 4
    if info.name == "bytea":
        return lambda value: len(value) + 4
    raise SqlError("0A000", f"pg_column_size() of type {info.sql_name} is not supported")


# ---- properties of access methods, indexes and their columns

# btree's answers (amutils.c); None: not a property of that kind of thing.
_METHOD: Final = {
    "can_order": True,
    "can_unique": True,
    "can_multi_col": True,
    "can_exclude": True,
    "can_include": True,
}
_INDEX: Final = {
    "clusterable": True,
    "index_scan": True,
    "bitmap_scan": True,
    "backward_scan": True,
}
_ORDERS: Final = ("asc", "desc", "nulls_first", "nulls_last", "orderable")
_COLUMN: Final = {
    "distance_orderable": False,
    "returnable": True,
    "search_array": True,
    "search_nulls": True,
}

_INCLUDED: Final = {"orderable": False, "distance_orderable": False, "returnable": True}


@stable("pg_indexam_has_property(oid, text) -> bool")
def _method_property(context: Any, oid: int, name: str) -> bool | None:
    return _METHOD.get(name.lower()) if oid == objects.BTREE_AM else None


@stable("pg_index_has_property(regclass, text) -> bool")
def _index_property(context: Any, oid: int, name: str) -> bool | None:
    found = catalog_of(context).index_by_id(oid)
    return None if found is None else _INDEX.get(name.lower())


@stable("pg_index_column_has_property(regclass, int4, text) -> bool")
def _column_property(context: Any, oid: int, number: int, name: str) -> bool | None:
    found = catalog_of(context).index_by_id(oid)
    wanted = name.lower()
    if found is None or number < 1:
        return None
    index = found[1]
    if number > len(index.columns):
        # Columns that are only included have no order and can be returned.
        included = number <= len(index.columns) + len(index.include)
        return _INCLUDED.get(wanted) if included else None
    column = index.columns[number - 1]
    first = column.nulls_come_first
    orders = (not column.descending, column.descending, first, not first, True)
    return dict(zip(_ORDERS, orders, strict=True)).get(wanted, _COLUMN.get(wanted))


# ---- relations


@stable("pg_relation_is_updatable(regclass, bool) -> int4")
def _relation_is_updatable(context: Any, oid: int, triggers: bool) -> int:
    """Bits: 4 UPDATE, 8 INSERT, 16 DELETE."""
    catalog = catalog_of(context)
    found = catalog.object_by_id(oid)
    changes = isinstance(found, Table) or (isinstance(found, View) and is_updatable(catalog, found))
    return 28 if changes else 0


@stable("pg_column_is_updatable(regclass, int2, bool) -> bool")
def _column_is_updatable(context: Any, oid: int, number: int, triggers: bool) -> bool:
    return number > 0 and _relation_is_updatable(context, oid, triggers) == 28


@stable("row_security_active(oid) -> bool")
@stable("row_security_active(text) -> bool")
def _row_security(context: Any, relation: object) -> bool:
    return False


constant("pg_get_replica_identity_index(regclass) -> regclass", None)

_PARAMETERS: Final = (
    ("start_value", 20),
    ("minimum_value", 20),
    ("maximum_value", 20),
    ("increment", 20),
    ("cycle_option", 16),
    ("cache_size", 20),
    ("data_type", 26),
)


@stable("pg_sequence_parameters(oid) -> setof record", columns=_PARAMETERS)
def _sequence_parameters(context: Any, oid: int) -> list[tuple[Any, ...]]:
    found = catalog_of(context).object_by_id(oid)
    if not isinstance(found, Sequence):
        raise SqlError("42809", f"could not open sequence with OID {oid}")
    limits = found.start, found.minimum, found.maximum, found.increment
    return [(*limits, found.cycle, found.cache, found.type.oid)]


# ---- key words and zones

_KEYWORD_COLUMNS: Final = (
    ("word", 25),
    ("catcode", 18),
    ("barelabel", 16),
    ("catdesc", 25),
    ("baredesc", 25),
)
_CATEGORIES: Final = {
    "U": "unreserved",
    "C": "unreserved (cannot be function or type name)",
    "T": "reserved (can be function or type name)",
    "R": "reserved",
}


@stable("pg_get_keywords() -> setof record", columns=_KEYWORD_COLUMNS)
def _keywords(context: Any) -> Iterable[tuple[Any, ...]]:
    for word, category, bare in facts.keywords():
        yield (
            word,
            category,
            bare,
            _CATEGORIES[category],
            "can be bare label" if bare else "requires AS",
        )


_OPTION_COLUMNS: Final = (("option_name", 25), ("option_value", 25))


@stable("pg_options_to_table(text[]) -> setof record", columns=_OPTION_COLUMNS)
def _options(context: Any, options: Any) -> Iterable[tuple[str, str | None]]:
    for option in options.items:
        name, equals, value = option.partition("=")
        yield name, value if equals else None


@stable("oidvectortypes(oidvector) -> text")
def _vector_types(context: Any, vector: Any) -> str:
    return ", ".join(format_type(oid, None) for oid in vector.items)


@stable("pg_collation_for(any) -> text", typed=True, strict=False)
def _collation_for(types: Any, _: Any) -> Callable[[Any, Any], str | None]:
    info = type_info(types[0].oid)
    element = type_info(info.element_oid) if info.element_oid and info.category == "A" else info
    if element.category != "S" and element.name != "unknown":
        raise SqlError("42804", f"collations are not supported by type {info.sql_name}")
    return lambda context, value: '"C"' if element.name == "name" else '"default"'


@_define("pg_encoding_max_length(int4) -> int4", volatility=IMMUTABLE, nullable=True)
def _encoding_max_length(number: int) -> int | None:
    return {0: 1, 6: 4}.get(number)


# ---- what never happens here

constant("pg_trigger_depth() -> int4", 0)
constant("pg_jit_available() -> bool", False)
constant("pg_notification_queue_usage() -> float8", 0.0)
constant("pg_last_xact_replay_timestamp() -> timestamptz", None)
for _signature in (
    "pg_listening_channels() -> setof text",
    "pg_tablespace_databases(oid) -> setof oid",
):
    stable(_signature)(lambda context, *arguments: ())
