"""Judges what is stored in the end: every table against its indexes, its columns, and what is left over.

Works on keys and values of the final state alone, with the catalog that is among them. Tables whose
indexes have expressions or predicates are left out. Raises Violation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from observer import Violation

from trilithon.query.catalog.catalog import Catalog
from trilithon.query.catalog.definitions import FIRST_USER_STORAGE_ID, IndexState, Job, Table
from trilithon.query.catalog.documents import decode_job, decode_object
from trilithon.query.catalog.jobs import UNFINISHED
from trilithon.query.catalog.rowkeys import (
    TableKeys,
    index_range,
    pad_row,
    row_range,
    storage_range,
    suffix_of,
)
from trilithon.query.catalog.system_tables import JOBS_RANGE, OBJECTS_RANGE
from trilithon.types.rows import decode_row

State = Mapping[bytes, bytes]


def check_state(state: State) -> None:
    """`state`: all live keys with their values, after everything has come to rest."""
    catalog = Catalog(0, [decode_object(row) for _, row in _rows(state, OBJECTS_RANGE)])
    for job in unfinished_jobs(state):
        raise Violation(f"the job {job.kind} of {job.object_name} was never finished")
    owned: list[tuple[bytes, bytes]] = []
    for table in catalog.tables:
        _check_table(state, table)
        owned.append(row_range(table))
        owned += [index_range(table, index) for index in table.indexes]
    _check_references(state, catalog)
    _check_leftovers(state, owned)


def unfinished_jobs(state: State) -> list[Job]:
    jobs = [decode_job(row) for _, row in _rows(state, JOBS_RANGE)]
    return [job for job in jobs if job.state in UNFINISHED]


def _rows(state: State, within: tuple[bytes, bytes]) -> list[tuple[bytes, list[Any]]]:
    start, end = within
    return [(key, decode_row(state[key])) for key in sorted(state) if start <= key < end]


def table_rows(state: State, name: str) -> list[list[Any]]:
    """The rows of a table of the catalog, by its name."""
    catalog = Catalog(0, [decode_object(row) for _, row in _rows(state, OBJECTS_RANGE)])
    for table in catalog.tables:
        if table.name == name:
            return [pad_row(table, row) for _, row in _rows(state, row_range(table))]
    return []


def named_rows(state: State, name: str) -> list[dict[str, Any]]:
    """The same, each by the names of its columns."""
    catalog = Catalog(0, [decode_object(row) for _, row in _rows(state, OBJECTS_RANGE)])
    (table,) = [one for one in catalog.tables if one.name == name]
    names = [(column.number - 1, column.name) for column in table.visible_columns]
    return [{one: row[at] for at, one in names} for row in table_rows(state, name)]


def _check_table(state: State, table: Table) -> None:
    if table.rewrite is not None:
        raise Violation(f"the rows of {table.name} are still being rewritten, and nobody does it")
    if any(
        index.predicate is not None or any(column.expression for column in index.columns)
        for index in table.indexes
    ):
        return
    rows = [(key, pad_row(table, row)) for key, row in _rows(state, row_range(table))]
    for key, row in rows:
        for column in table.columns:
            if column.not_null and not column.dropped and row[column.number - 1] is None:
                raise Violation(f"{table.name}.{column.name} of {key.hex()} is NULL: {row}")
    keys = TableKeys(table, None, 1 << 20)
    for index in table.entry_indexes:
        if index.state is IndexState.BUILDING:
            raise Violation(f"the index {index.name} is still building, and nobody builds it")
        index_keys = keys.index_keys(index.id)
        if index_keys is None:
            continue
        wanted: dict[bytes, bytes] = {}
        for key, row in rows:
            entry = index_keys.entry(row, suffix_of(key))
            assert entry is not None
            if entry.key in wanted:
                raise Violation(f"{index.name} is unique, but {row} of {table.name} is a duplicate")
            wanted[entry.key] = entry.value
        start, end = index_range(table, index)
        found = {key: value for key, value in state.items() if start <= key < end}
        _compare(table.name, index.name, wanted, found)


def _check_references(state: State, catalog: Catalog) -> None:
    """No row refers to a row that is not there, by any foreign key that is validated."""
    by_id = {table.id: table for table in catalog.tables}
    rows = {
        table.id: [pad_row(table, row) for _, row in _rows(state, row_range(table))]
        for table in catalog.tables
    }
    for table in catalog.tables:
        for one in table.foreign_keys:
            if not one.validated:
                continue
            there = {
                tuple(row[number - 1] for number in one.referenced_columns)
                for row in rows[one.referenced_table]
            }
            for row in rows[table.id]:
                wanted = tuple(row[number - 1] for number in one.columns)
                if None not in wanted and wanted not in there:
                    parent = by_id[one.referenced_table].name
                    raise Violation(f"orphan: {row} of {table.name} refers to no row of {parent}")


def _compare(table: str, index: str, wanted: State, found: State) -> None:
    for key in sorted({*wanted, *found}):
        if wanted.get(key) != found.get(key):
            what = "misses" if key not in found else "has" if key not in wanted else "is wrong in"
            raise Violation(f"the index {index} of {table} {what} the entry {key.hex()}")


def _check_leftovers(state: State, owned: Sequence[tuple[bytes, bytes]]) -> None:
    """Whatever no table and no index owns: written by someone who did not know that it is gone."""
    first, _ = storage_range(FIRST_USER_STORAGE_ID)
    for key in sorted(state):
        if key >= first and not any(start <= key < end for start, end in owned):
            raise Violation(f"{key.hex()} belongs to no table and no index")
