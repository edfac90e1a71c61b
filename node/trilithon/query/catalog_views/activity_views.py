"""What PostgreSQL counts per table and index, time zones, and lists that follow from others (pg_shadow …).

What nobody counts here is NULL.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from trilithon.query.catalog_views.provider import Row, Viewpoint
from trilithon.types import calendar as cal
from trilithon.types.datetime_text import ABBREVIATIONS
from trilithon.types.values import Interval

Rows = Iterable[Row]
_SUMMER_TIMES: Final = frozenset(
    [
        "west",
        "bst",
        "cest",
        "mest",
        "eest",
        "edt",
        "cdt",
        "mdt",
        "pdt",
        "akdt",
        "adt",
        "ndt",
        "aedt",
        "acdt",
        "nzdt",
    ]
)


def _table_counts(view: Viewpoint) -> Rows:
    for table in view.catalog.tables:
        known = view.statistics(table)
        yield {
            "relid": table.id,
            "schemaname": table.schema,
            "relname": table.name,
            "n_live_tup": None if known is None else round(known.rows),
        }


def _index_counts(view: Viewpoint) -> Rows:
    for table in view.catalog.tables:
        for index in table.indexes:
            yield {
                "relid": table.id,
                "indexrelid": index.id,
                "schemaname": table.schema,
                "relname": table.name,
                "indexrelname": index.name,
            }


def _table_reads(view: Viewpoint) -> Rows:
    for row in _table_counts(view):
        yield {name: row[name] for name in ("relid", "schemaname", "relname")}


def _sequence_reads(view: Viewpoint) -> Rows:
    for sequence in view.catalog.sequences:
        yield {"relid": sequence.id, "schemaname": sequence.schema, "relname": sequence.name}


@lru_cache(maxsize=1)
def _zone_names() -> tuple[str, ...]:
    names = zoneinfo.available_timezones()
    return tuple(sorted(name for name in names if name not in ("localtime", "posixrules")))


def _zones(view: Viewpoint) -> Rows:
    moment = getattr(view.session, "transaction_time_us", 0)
    for name in _zone_names():
        zone = zoneinfo.ZoneInfo(name)
        local = cal.to_local(moment, zone)
        at = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)
        yield {
            "name": name,
            "abbrev": cal.zone_abbreviation(moment, zone),
            "utc_offset": Interval(0, 0, local - moment),
            "is_dst": bool(at.astimezone(zone).dst()),
        }


def _zone_abbreviations(view: Viewpoint) -> Rows:
    for name, seconds in sorted(ABBREVIATIONS.items()):
        yield {
            "abbrev": name.upper(),
            "utc_offset": Interval(0, 0, seconds * cal.US_PER_SECOND),
            "is_dst": name in _SUMMER_TIMES,
        }


_BY_NAME: Final[dict[str, Callable[[Viewpoint], Rows]]] = {
    "pg_stat_user_tables": _table_counts,
    "pg_stat_all_tables": _table_counts,
    "pg_stat_user_indexes": _index_counts,
    "pg_stat_all_indexes": _index_counts,
    "pg_statio_user_tables": _table_reads,
    "pg_statio_all_tables": _table_reads,
    "pg_statio_user_indexes": _index_counts,
    "pg_statio_all_indexes": _index_counts,
    "pg_statio_user_sequences": _sequence_reads,
    "pg_statio_all_sequences": _sequence_reads,
    "pg_timezone_names": _zones,
    "pg_timezone_abbrevs": _zone_abbreviations,
}
FILLS: Final = {("pg_catalog", name): fill for name, fill in _BY_NAME.items()}
