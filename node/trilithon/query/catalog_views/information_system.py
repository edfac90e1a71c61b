"""The catalogs themselves, as information_schema lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from trilithon.query.catalog_views import columns as facts_of_columns
from trilithon.query.catalog_views.information_words import database_of, yes_or_no
from trilithon.query.catalog_views.provider import Row, Viewpoint

_KINDS: Final = {"r": "BASE TABLE", "v": "VIEW"}
# Databases whose rows are kept: there is one.
_KEPT: Final = 2


def tables(view: Viewpoint) -> Iterable[Row]:
    return _tables(database_of(view))


@lru_cache(maxsize=_KEPT)
def _tables(database: str) -> list[Row]:
    return [
        {
            "table_catalog": database,
            "table_schema": one.schema,
            "table_name": one.name,
            "table_type": _KINDS[one.kind],
            "is_insertable_into": "NO",
            "is_typed": "NO",
        }
        for one in facts_of_columns.described()
    ]


_kept: dict[str, list[Row]] = {}


def columns(view: Viewpoint, column: Callable[..., Row]) -> Iterable[Row]:
    """`column(view, relation, name, number, type)` makes a row as for a relation of users."""
    database = database_of(view)
    if database not in _kept:
        if len(_kept) >= _KEPT:
            _kept.clear()
        _kept[database] = [
            column(view, one, name, number, type_) | {"is_nullable": yes_or_no(nullable)}
            for one in facts_of_columns.described()
            for number, (name, type_, nullable) in enumerate(one.columns, 1)
        ]
    return _kept[database]
