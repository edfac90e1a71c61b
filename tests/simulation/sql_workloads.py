"""All workloads of SQL, by name; any of them run together."""

from __future__ import annotations

from sql_append import SqlAppend
from sql_backfill import SqlBackfill
from sql_bank import SqlBank
from sql_definitions import SqlDefinitions
from sql_references import SqlReferences
from sql_rewriting import SqlRewriting
from sql_skew import SqlSkew
from sql_workload import SqlWorkload

SQL_WORKLOADS: dict[str, type[SqlWorkload]] = {
    one.name: one
    for one in (
        SqlBank,
        SqlAppend,
        SqlSkew,
        SqlDefinitions,
        SqlBackfill,
        SqlReferences,
        SqlRewriting,
    )
}
