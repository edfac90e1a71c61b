"""An index is built, again and again, while its table is written and while whoever builds it is killed.

Writers never miss an entry: what an index says is what the table says, at every snapshot at which the index is
ready, and entry for entry in the end (`state_checker`). Builds, and the removal of what dropped indexes
leave, go on after every crash.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from history import History, Record
from sql_kills import BuilderKills
from sql_workload import SqlWorkload, insist

from trilithon.client.aio import AsyncClient, AsyncTransaction

if TYPE_CHECKING:
    from cluster import ClientNode, Cluster

_ROWS = 40
_INDEXES = ("by_v", "by_u")
_BUILD = {
    "by_v": "CREATE INDEX ASYNC by_v ON items (v) INCLUDE (who)",
    "by_u": "CREATE UNIQUE INDEX ASYNC by_u ON items (u)",
}


class SqlBackfill(SqlWorkload):
    name = "backfill"
    clients = 4
    pause_s = 0.03
    schema = ("CREATE TABLE items (id int PRIMARY KEY, v int NOT NULL, u int, who int)",)
    # An index that somebody else made or dropped; one whose build met duplicates.
    expected = frozenset({"42P07", "42704"})
    kills = True

    def __init__(self, cluster: Cluster, history: History) -> None:
        super().__init__(cluster, history)
        self._kills = BuilderKills(cluster, history)

    async def set_up(self, client: AsyncClient) -> None:
        await super().set_up(client)
        rows = ", ".join(f"({n}, {n % 5}, {n}, 0)" for n in range(_ROWS))
        await insist(client, f"INSERT INTO items VALUES {rows}")

    async def step(self, node: ClientNode, source: random.Random) -> None:
        if source.random() < 0.06:
            await self._build(node, source)
        else:
            work = source.choice([self._update, self._update, self._replace, self._look])
            await self.attempt(node, source, work, serializable=False)

    async def _build(self, node: ClientNode, source: random.Random) -> None:
        name = source.choice(_INDEXES)

        async def work(
            transaction: AsyncTransaction, record: Record, source: random.Random
        ) -> None:
            drop = source.random() < 0.4
            await transaction.execute(f"DROP INDEX {name}" if drop else _BUILD[name])
            record.id, record.snapshot_csn = transaction.id, transaction.snapshot_csn

        record = await self.attempt(node, source, work, serializable=False)
        if record.outcome == "committed" and self.kills and self._kills.due():
            self._kills.kill(source)

    async def _update(
        self, transaction: AsyncTransaction, record: Record, source: random.Random
    ) -> None:
        number = source.randrange(_ROWS)
        column = source.choice(["v = (v + 1) % 5", "v = v", "u = u + 100", "u = NULL", "who = 1"])
        column = column.replace("who = 1", f"who = {record.number}")
        await self.query(
            transaction, record, f"UPDATE items SET {column} WHERE id IN ({number}, {number + 1})"
        )

    async def _replace(
        self, transaction: AsyncTransaction, record: Record, source: random.Random
    ) -> None:
        number, new = source.randrange(_ROWS), source.randrange(_ROWS)
        await self.query(transaction, record, f"DELETE FROM items WHERE id = {number}")
        # At times a value that another row has: then only one of the two may keep the index unique.
        unique = new if source.random() < 0.9 else source.randrange(_ROWS)
        await transaction.execute(
            f"INSERT INTO items VALUES ({new}, {source.randrange(5)}, {unique}, {record.number}) "
            "ON CONFLICT DO NOTHING"
        )

    async def _look(
        self, transaction: AsyncTransaction, record: Record, source: random.Random
    ) -> None:
        rows = await self.query(transaction, record, "SELECT id, v, u, who FROM items")
        value = source.randrange(5)
        found = await self.query(
            transaction, record, f"SELECT id, v, u, who FROM items WHERE v = {value}"
        )
        wanted = sorted(row[0] for row in rows if row[1] == value)
        if sorted(row[0] for row in found) != wanted:
            self.violated(f"{record}: v = {value} found {sorted(found)}, not the rows {wanted}")
        unique = source.randrange(_ROWS)
        found = await self.query(transaction, record, f"SELECT id FROM items WHERE u = {unique}")
        wanted = sorted(row[0] for row in rows if row[2] == unique)
        if sorted(row[0] for row in found) != wanted:
            self.violated(f"{record}: u = {unique} found {sorted(found)}, not the rows {wanted}")
