"""The system tables' keys and rows. They live in the same store and go through the same commit.

| table | key | row |
|---|---|---|
| 1 objects | id | kind, document |
| 2 names | name class, schema id, name | id |
| 3 counters | name | next value |
| 4 sequence values | sequence id | last value, is called |
| 5 jobs | job id | document |
| 6 statistics | table id | document, see `trilithon.query.statistics` |

A row of *names* is written EXCLUSIVE, so that of two transactions that take one name one loses. Name
classes: "schema", "relation" (tables, views, sequences, indexes), "type", "role".
"""

from __future__ import annotations

from typing import Final

from trilithon.types.keys import encode_columns, key_prefix, prefix_end
from trilithon.types.registry import INT8, TEXT, UUID

OBJECTS: Final = 1
NAMES: Final = 2
COUNTERS: Final = 3
SEQUENCE_VALUES: Final = 4
JOBS: Final = 5

_OBJECTS_PREFIX: Final = key_prefix(OBJECTS, 0)
_NAMES_PREFIX: Final = key_prefix(NAMES, 0)
_COUNTERS_PREFIX: Final = key_prefix(COUNTERS, 0)
_SEQUENCE_PREFIX: Final = key_prefix(SEQUENCE_VALUES, 0)
_JOBS_PREFIX: Final = key_prefix(JOBS, 0)

OBJECTS_RANGE: Final = (_OBJECTS_PREFIX, prefix_end(_OBJECTS_PREFIX))
JOBS_RANGE: Final = (_JOBS_PREFIX, prefix_end(_JOBS_PREFIX))
# Writes here change the catalog; a conflict here is OC001.
CATALOG_TABLES: Final = frozenset({OBJECTS, NAMES})


def object_key(object_id: int) -> bytes:
    return _OBJECTS_PREFIX + encode_columns((INT8,), (object_id,))


def name_key(name_class: str, schema_id: int, name: str) -> bytes:
    return _NAMES_PREFIX + encode_columns((TEXT, INT8, TEXT), (name_class, schema_id, name))


def counter_key(name: str) -> bytes:
    return _COUNTERS_PREFIX + encode_columns((TEXT,), (name,))


def sequence_key(sequence_id: int) -> bytes:
    return _SEQUENCE_PREFIX + encode_columns((INT8,), (sequence_id,))


def job_key(job_id: bytes) -> bytes:
    return _JOBS_PREFIX + encode_columns((UUID,), (job_id,))


def is_catalog_key(key: bytes) -> bool:
    return int.from_bytes(key[:4], "big") in CATALOG_TABLES
