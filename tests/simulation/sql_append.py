"""Lists that only grow, in two tables: what Elle calls list-append, in SQL."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from history import Record
from sql_workload import SqlWorkload

from trilithon.client.aio import AsyncTransaction

if TYPE_CHECKING:
    from cluster import ClientNode

_LISTS = 5
_TABLES = ("lists_0", "lists_1")


class SqlAppend(SqlWorkload):
    """Values are numbers that are never used twice; the history is `history.appends`."""

    name = "append"
    schema = (
        *(f"CREATE TABLE {table} (k int PRIMARY KEY, v text NOT NULL)" for table in _TABLES),
        *(
            f"INSERT INTO {table} VALUES {', '.join(f'({n}, {chr(39) * 2})' for n in range(_LISTS))}"
            for table in _TABLES
        ),
    )

    async def step(self, node: ClientNode, source: random.Random) -> None:
        await self.attempt(node, source, self._transaction)

    async def _transaction(
        self, transaction: AsyncTransaction, record: Record, source: random.Random
    ) -> None:
        for _ in range(source.randint(1, 4)):
            table, number = source.choice(_TABLES), source.randrange(_LISTS)
            key = f"{table}/{number}"
            if source.random() < 0.5:
                sql = f"SELECT v FROM {table} WHERE k = {number}"
                rows = await self.query(transaction, record, sql)
                record.operations.append(("r", key, [int(one) for one in rows[0][0].split()]))
            else:
                value = self.history.next_value()
                await self.query(
                    transaction,
                    record,
                    f"UPDATE {table} SET v = v || ' {value}' WHERE k = {number}",
                )
                record.operations.append(("append", key, value))
