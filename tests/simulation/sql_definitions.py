"""DDL beside DML, from both Regions: columns, indexes, tables, checks and TRUNCATE come and go.

The table `shape` says what there is, and every DDL transaction writes it too. So whoever reads `shape` and the
tables at one snapshot must find them alike: the columns that it names, with values that belong to them. A
column's values lie within ten of its base, which is drawn anew for every column that is added.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from history import Record
from sql_workload import SqlWorkload

from trilithon.client.aio import AsyncTransaction

if TYPE_CHECKING:
    from cluster import ClientNode

_COLUMNS = ("c0", "c1", "c2")
_TABLES = ("extra0", "extra1")
_ROWS = 12
_DDL_SHARE = 0.3

Shape = dict[str, dict[str, int]]


class SqlDefinitions(SqlWorkload):
    name = "definitions"
    clients = 4
    pause_s = 0.03
    schema = (
        "CREATE TABLE shaped (id int PRIMARY KEY, n int NOT NULL)",
        "CREATE TABLE shape (name text PRIMARY KEY, kind text NOT NULL, base int NOT NULL)",
    )

    async def step(self, node: ClientNode, source: random.Random) -> None:
        define = source.random() < _DDL_SHARE
        work = self._define if define else source.choice([self._write, self._write, self._look])
        record = await self.attempt(node, source, work, serializable=False)
        if define:
            self.history.count(f"ddl {record.outcome}")

    async def _shape(self, transaction: AsyncTransaction, record: Record) -> Shape:
        rows = await self.query(transaction, record, "SELECT kind, name, base FROM shape")
        shape: Shape = {"column": {}, "index": {}, "table": {}, "check": {}}
        for kind, name, base in rows:
            shape[kind][name] = base
        return shape

    # ---- DDL

    async def _define(
        self, transaction: AsyncTransaction, record: Record, source: random.Random
    ) -> None:
        shape = await self._shape(transaction, record)
        base = 10 * (record.number + 1)
        columns = shape["column"]
        kind = source.choice(
            ["column", "column", "index", "index", "swap", "table", "truncate", "check"]
        )
        statements: list[str]
        match kind:
            case "column":
                statements = _toggle_column(source.choice(_COLUMNS), shape, base)
            case "index" if columns:
                statements = _toggle_index(source.choice(sorted(columns)), shape)
            case "swap" if len(columns) > 1:
                statements = _swap(*source.sample(sorted(columns), 2), shape)
            case "table":
                statements = _toggle_table(source.choice(_TABLES), shape, base)
            case "check":
                statements = _toggle_check(shape, source.randint(1, 9))
            case "truncate" if source.random() < 0.3:
                statements = ["TRUNCATE shaped", "UPDATE shape SET base = base"]
            case _:
                return
        for statement in statements:
            await transaction.execute(statement)

    # ---- DML

    async def _write(
        self, transaction: AsyncTransaction, record: Record, source: random.Random
    ) -> None:
        shape = await self._shape(transaction, record)
        columns = shape["column"]
        number = source.randrange(_ROWS)
        table = source.choice([*shape["table"], *["shaped"] * 3])
        chosen = {
            name: columns[name] + source.randrange(10) for name in columns if source.random() < 0.7
        }
        if table != "shaped":
            await transaction.execute(
                f"INSERT INTO {table} VALUES ({number}, {shape['table'][table]}) ON CONFLICT DO NOTHING"
            )
        elif source.random() < 0.4:
            names = ["id", "n", *chosen]
            values = [number, source.randrange(10), *chosen.values()]
            await transaction.execute(
                f"INSERT INTO shaped ({', '.join(names)}) VALUES ({', '.join(map(str, values))})"
            )
        elif source.random() < 0.3:
            await transaction.execute(f"DELETE FROM shaped WHERE id = {number}")
        else:
            chosen["n"] = source.randrange(10)
            sets = ", ".join(f"{name} = {value}" for name, value in chosen.items())
            await transaction.execute(f"UPDATE shaped SET {sets} WHERE id >= {number}")

    async def _look(
        self, transaction: AsyncTransaction, record: Record, source: random.Random
    ) -> None:
        shape = await self._shape(transaction, record)
        result = await transaction.execute("SELECT * FROM shaped")
        names = [column.name for column in result.columns]
        rows: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in result.rows]
        # Until a job has looked at the older rows the constraint is NOT VALID.
        valid = await self.query(
            transaction,
            record,
            "SELECT 1 FROM pg_constraint WHERE conname = 'limited' AND convalidated",
        )
        limits = shape["check"].values() if valid else ()
        columns = shape["column"]
        if sorted(names) != sorted(["id", "n", *columns]):
            self.violated(f"{record} saw the columns {names}, but `shape` says {sorted(columns)}")
        for row in rows:
            for name, base in columns.items():
                if not base <= row.get(name, -1) < base + 10:
                    self.violated(f"{record} saw {row}, but {name} belongs to {base}..{base + 9}")
            for limit in limits:
                if row["n"] > limit:
                    self.violated(f"{record} saw {row}, but a CHECK says n <= {limit}")
        for column in shape["index"]:
            name = column.removeprefix("i_")
            value = source.choice(rows)[name] if rows else columns[name]
            found = await self.query(
                transaction, record, f"SELECT id FROM shaped WHERE {name} = {value}"
            )
            wanted = sorted(row["id"] for row in rows if row[name] == value)
            if sorted(one for (one,) in found) != wanted:
                self.violated(f"{record}: {name} = {value} found {sorted(found)}, not {wanted}")
        for name, base in shape["table"].items():
            found = await self.query(transaction, record, f"SELECT DISTINCT base FROM {name}")
            if found not in ([], [(base,)]):
                self.violated(f"{record} saw {found} in {name}, which began with {base}")


def _toggle_column(name: str, shape: Shape, base: int) -> list[str]:
    if name in shape["column"]:
        return [
            f"ALTER TABLE shaped DROP COLUMN {name}",
            f"DELETE FROM shape WHERE name IN ('{name}', 'i_{name}')",
        ]
    return [
        f"ALTER TABLE shaped ADD COLUMN {name} int NOT NULL DEFAULT {base}",
        f"INSERT INTO shape VALUES ('{name}', 'column', {base})",
    ]


def _toggle_index(column: str, shape: Shape) -> list[str]:
    name = f"i_{column}"
    if name in shape["index"]:
        return [f"DROP INDEX {name}", f"DELETE FROM shape WHERE name = '{name}'"]
    return [
        f"CREATE INDEX {name} ON shaped ({column})",
        f"INSERT INTO shape VALUES ('{name}', 'index', 0)",
    ]


def _swap(one: str, other: str, shape: Shape) -> list[str]:
    """The columns' names change places; their indexes, which go by the columns' names, are dropped."""
    dropped = [f"i_{name}" for name in (one, other) if f"i_{name}" in shape["index"]]
    columns = shape["column"]
    return [
        *(f"DROP INDEX {name}" for name in dropped),
        *(f"DELETE FROM shape WHERE name = '{name}'" for name in dropped),
        f"ALTER TABLE shaped RENAME COLUMN {one} TO aside",
        f"ALTER TABLE shaped RENAME COLUMN {other} TO {one}",
        f"ALTER TABLE shaped RENAME COLUMN aside TO {other}",
        f"UPDATE shape SET base = {columns[other]} WHERE name = '{one}'",
        f"UPDATE shape SET base = {columns[one]} WHERE name = '{other}'",
    ]


def _toggle_table(name: str, shape: Shape, base: int) -> list[str]:
    if name in shape["table"]:
        return [f"DROP TABLE {name}", f"DELETE FROM shape WHERE name = '{name}'"]
    return [
        f"CREATE TABLE {name} (id int PRIMARY KEY, base int NOT NULL)",
        f"INSERT INTO {name} VALUES (0, {base})",
        f"INSERT INTO shape VALUES ('{name}', 'table', {base})",
    ]


def _toggle_check(shape: Shape, limit: int) -> list[str]:
    if shape["check"]:
        return [
            "ALTER TABLE shaped DROP CONSTRAINT limited",
            "DELETE FROM shape WHERE name = 'limited'",
        ]
    return [
        f"ALTER TABLE shaped ADD CONSTRAINT limited CHECK (n <= {limit})",
        f"INSERT INTO shape VALUES ('limited', 'check', {limit})",
    ]
