"""Foreign keys under races: children are inserted and moved while their parents are deleted or renamed.

No snapshot and no final state (`state_checker`) has a child without its parent. One table refuses to lose
a parent that has children, one takes the children along, one lets them go.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from history import Record
from sql_workload import SqlWorkload

from trilithon.client.aio import AsyncTransaction

if TYPE_CHECKING:
    from cluster import ClientNode

_PARENTS = 6
_CHILDREN = 12
_TABLES = {
    "kept": "NO ACTION",
    "taken": "CASCADE",
    "freed": "SET NULL",
}


class SqlReferences(SqlWorkload):
    name = "references"
    clients = 3
    pause_s = 0.03
    schema = (
        "CREATE TABLE parents (id int PRIMARY KEY, name int UNIQUE, n int NOT NULL)",
        *(
            f"CREATE TABLE {table} (id int PRIMARY KEY, "
            f"parent int REFERENCES parents ON DELETE {action} ON UPDATE CASCADE, "
            f"name int REFERENCES parents (name) ON DELETE {action} ON UPDATE {action})"
            for table, action in _TABLES.items()
        ),
        # Without an index of its own the check of a deleted parent reads the whole table.
        "CREATE INDEX ON taken (parent)",
    )

    async def step(self, node: ClientNode, source: random.Random) -> None:
        work = source.choice([self._insert, self._insert, self._move, self._delete, self._look])
        await self.attempt(node, source, work)

    async def _insert(
        self, transaction: AsyncTransaction, record: Record, source: random.Random
    ) -> None:
        parent, child = source.randrange(_PARENTS), source.randrange(_CHILDREN)
        table = source.choice(sorted(_TABLES))
        if source.random() < 0.5:
            await self.query(
                transaction,
                record,
                f"INSERT INTO parents VALUES ({parent}, {100 + parent}, 0) ON CONFLICT DO NOTHING",
            )
        name = source.choice(["NULL", str(100 + parent)])
        await self.query(
            transaction,
            record,
            f"INSERT INTO {table} VALUES ({child}, {parent}, {name}) "
            "ON CONFLICT (id) DO UPDATE SET parent = EXCLUDED.parent, name = EXCLUDED.name",
        )

    async def _move(
        self, transaction: AsyncTransaction, record: Record, source: random.Random
    ) -> None:
        """Parents change: their names, their numbers, or only what nobody refers to."""
        parent = source.randrange(_PARENTS)
        change = source.choice(
            [
                "n = n + 1",
                "name = NULL",
                f"name = {100 + parent}",
                f"id = {source.randrange(_PARENTS)}",
            ]
        )
        await self.query(transaction, record, f"UPDATE parents SET {change} WHERE id = {parent}")

    async def _delete(
        self, transaction: AsyncTransaction, record: Record, source: random.Random
    ) -> None:
        if source.random() < 0.3:
            table = source.choice(sorted(_TABLES))
            sql = f"DELETE FROM {table} WHERE id < {source.randrange(_CHILDREN)}"
        else:
            sql = f"DELETE FROM parents WHERE id = {source.randrange(_PARENTS)}"
        await self.query(transaction, record, sql)

    async def _look(
        self, transaction: AsyncTransaction, record: Record, source: random.Random
    ) -> None:
        parents = await self.query(transaction, record, "SELECT id, name FROM parents")
        ids, names = {row[0] for row in parents}, {row[1] for row in parents}
        for table in _TABLES:
            rows = await self.query(transaction, record, f"SELECT id, parent, name FROM {table}")
            for row in rows:
                if not {row[1]} <= ids | {None} or not {row[2]} <= names | {None}:
                    self.violated(f"{record} saw the orphan {row} in {table}; parents {parents}")
