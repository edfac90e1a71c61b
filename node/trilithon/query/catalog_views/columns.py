"""The relations of pg_catalog and information_schema with their columns, as PostgreSQL 15 has them.

Types that do not exist here are text; domains of information_schema stand as their base types.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog_views import facts
from trilithon.types.registry import TEXT, TIMESTAMPTZ, VARCHAR, TypeRef, lookup_type

# Relations of our own, beside PostgreSQL's. Oids from 9000 to 9999 are nobody's in PostgreSQL.
_OWN: Final = (
    (
        "sys",
        "jobs",
        9901,
        "v",
        "job_id uuid, status text, details text?, job_type text, class_id oid, object_id oid, object_name text, "
        "table_name text?, rows_done int8, start_time timestamptz, update_time timestamptz",
    ),
)
_DOMAINS: Final = {
    "sql_identifier": TypeRef(19),
    "cardinal_number": TypeRef(23),
    "character_data": VARCHAR,
    "yes_or_no": TypeRef(VARCHAR.oid, 7),
    "time_stamp": TypeRef(TIMESTAMPTZ.oid, 2),
}
# What these say of a server of PostgreSQL's has no counterpart here: they are missing rather than wrong.
MISSING: Final = frozenset(
    {
        "pg_backend_memory_contexts",
        "pg_config",
        "pg_file_settings",
        "pg_hba_file_rules",
        "pg_ident_file_mappings",
        "pg_shmem_allocations",
        "pg_stat_archiver",
        "pg_stat_bgwriter",
        "pg_stat_gssapi",
        "pg_stat_recovery_prefetch",
        "pg_stat_slru",
        "pg_stat_ssl",
        "pg_stat_wal",
        "pg_stat_xact_all_tables",
        "pg_stat_xact_sys_tables",
        "pg_stat_xact_user_functions",
        "pg_stat_xact_user_tables",
        "pg_statistic",
        "pg_statistic_ext_data",
    }
)

# Columns that came with PostgreSQL 16, which psql and its like ask for of a server that names itself so: they stand
# behind those of 15.
LATER: Final = {
    "pg_auth_members": "oid oid, inherit_option bool, set_option bool",
    "pg_collation": "collicurules text?",
    "pg_database": "daticurules text?",
    "pg_prepared_statements": "result_types regtype[]?",
    "pg_subscription": "subpasswordrequired bool, subrunasowner bool, suborigin text?",
    "pg_stat_all_indexes": "last_idx_scan timestamptz?",
    "pg_stat_user_indexes": "last_idx_scan timestamptz?",
    "pg_stat_all_tables": "last_seq_scan timestamptz?, last_idx_scan timestamptz?, n_tup_newpage_upd int8?",
    "pg_stat_user_tables": "last_seq_scan timestamptz?, last_idx_scan timestamptz?, n_tup_newpage_upd int8?",
}


@dataclass(frozen=True, slots=True)
class Described:
    """A relation's shape. `kind` is relkind; a column's flag tells whether NULL may occur."""

    schema: str
    name: str
    oid: int
    kind: str
    columns: tuple[tuple[str, TypeRef, bool], ...]


@cache
def described() -> tuple[Described, ...]:
    known = list(facts.lines("relations"))[1:]
    own = [(schema, name, str(oid), kind, text) for schema, name, oid, kind, text in _OWN]
    return tuple(
        Described(schema, name, int(oid), kind, tuple(map(_column, _with_later(name, text))))
        for schema, name, oid, kind, text in (*known, *own)
        if name not in MISSING
    )


def _with_later(name: str, text: str) -> list[str]:
    later = LATER.get(name)
    return [*text.split(", "), *(later.split(", ") if later else ())]


@cache
def columns_of(schema: str, name: str) -> tuple[tuple[str, TypeRef], ...]:
    found = next(one for one in described() if (one.schema, one.name) == (schema, name))
    return tuple((column, type_) for column, type_, _ in found.columns)


def _column(text: str) -> tuple[str, TypeRef, bool]:
    name, _, word = text.partition(" ")
    return name, _type(word.rstrip("?")), word.endswith("?")


def _type(word: str) -> TypeRef:
    if word == "char":
        # PostgreSQL's one-byte "char" is not the character type of that name in SQL.
        return TypeRef(18)
    if word in _DOMAINS:
        return _DOMAINS[word]
    try:
        return lookup_type(word)
    except SqlError:
        return TEXT
