"""Helpers: definitions in short, an expression hook, and the check that indexes say what the rows say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fake_cluster import FakeCluster

from trilithon.query.catalog.catalog import Catalog
from trilithon.query.catalog.ddl import create_table
from trilithon.query.catalog.definitions import (
    ColumnDefinition,
    IndexColumnDefinition,
    IndexDefinition,
    Table,
    TableDefinition,
    ViewColumn,
    ViewDefinition,
)
from trilithon.query.catalog.row_writer import RowWriter
from trilithon.query.catalog.rowkeys import TableKeys, pad_row, row_range, storage_range, suffix_of
from trilithon.query.transaction.limits import TransactionLimits
from trilithon.types.registry import INT4, TEXT
from trilithon.types.rows import decode_row

TYPES = {"int": INT4, "text": TEXT}


class Hook:
    """Expressions are Python over the row: "row[1] % 2"."""

    def index_expression(self, table: Table, sql: str) -> Callable[[Sequence[Any]], Any]:
        return eval(f"lambda row: {sql}")

    def index_predicate(self, table: Table, sql: str) -> Callable[[Sequence[Any]], bool]:
        return eval(f"lambda row: bool({sql})")


def new_cluster(**limits: Any) -> FakeCluster:
    cluster = FakeCluster(TransactionLimits(**limits))
    cluster.manager.expressions = Hook()
    return cluster


def index(*columns: str, **fields: Any) -> IndexDefinition:
    parts = []
    for column in columns:
        name, _, order = column.partition(" ")
        if name.startswith("row["):
            parts.append(IndexColumnDefinition(expression=name, expression_type=INT4))
        else:
            parts.append(IndexColumnDefinition(name, descending=order == "desc"))
    return IndexDefinition(tuple(parts), **fields)


def primary(*columns: str) -> IndexDefinition:
    return index(*columns, primary=True)


def unique(*columns: str, **fields: Any) -> IndexDefinition:
    return index(*columns, unique=True, constraint=True, **fields)


def table_definition(
    name: str, *columns: str, indexes: Sequence[IndexDefinition] = (), **fields: Any
) -> TableDefinition:
    """Columns as "a int" or "a int not null"."""
    parsed = []
    for column in columns:
        column_name, kind, *rest = column.split()
        parsed.append(ColumnDefinition(column_name, TYPES[kind], not_null=bool(rest)))
    return TableDefinition("public", name, tuple(parsed), tuple(indexes), **fields)


async def fill(cluster: FakeCluster, table: Table, rows: list[list[Any]]) -> None:
    transaction = await cluster.manager.begin()
    await RowWriter(transaction, table).insert(rows)
    await transaction.commit()


def view_definition(
    name: str, *depends_on: int, sql: str = "SELECT 1", **fields: Any
) -> ViewDefinition:
    return ViewDefinition("public", name, (ViewColumn("a", INT4),), sql, depends_on, **fields)


async def make_table(cluster: FakeCluster, *args: Any, **fields: Any) -> Table:
    transaction = await cluster.manager.begin()
    table = await create_table(transaction, table_definition(*args, **fields))
    await transaction.commit()
    assert table is not None
    return table


async def catalog(cluster: FakeCluster) -> Catalog:
    return (await cluster.manager.begin(read_only=True)).catalog


async def current_table(cluster: FakeCluster, name: str = "t") -> Table:
    return (await catalog(cluster)).table(["public"], name)


def stored_rows(cluster: FakeCluster, table: Table) -> dict[bytes, list[Any]]:
    start, end = row_range(table)
    return {
        key: pad_row(table, decode_row(value))
        for key, value in cluster.store.visible(cluster.store.csn, start, end).items()
    }


def check_indexes(cluster: FakeCluster, table: Table) -> None:
    """The store holds exactly the rows and, for every index that is ready, exactly their entries."""
    rows = stored_rows(cluster, table)
    keys = TableKeys(table, Hook(), 1024)
    if table.clustered is not None:
        for key, row in rows.items():
            assert key == keys.row_key(row)
    expected: dict[bytes, bytes] = {}
    for part in keys.indexes:
        if not part.index.usable:
            continue
        for key, row in rows.items():
            entry = part.entry(row, suffix_of(key))
            if entry is not None:
                assert entry.key not in expected, f"two rows share an entry of {part.index.name}"
                expected[entry.key] = entry.value
    ready = {part.prefix for part in keys.indexes if part.index.usable}
    start, end = storage_range(table.storage_id)
    found = {
        key: value
        for key, value in cluster.store.visible(cluster.store.csn, start, end).items()
        if key[:8] in ready
    }
    assert found == expected
