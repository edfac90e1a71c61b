"""Write skew: a pair of doctors, of whom one must stay on call. Every transaction reads both and writes one.

All of them SERIALIZABLE, by key and by range; so no reader ever sees both off call.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from history import Record
from sql_workload import SqlWorkload

from trilithon.client.aio import AsyncTransaction

if TYPE_CHECKING:
    from cluster import ClientNode

_PAIRS = 3


class SqlSkew(SqlWorkload):
    name = "skew"
    schema = (
        "CREATE TABLE doctors (pair int, number int, on_call bool NOT NULL, "
        "PRIMARY KEY (pair, number))",
        "CREATE INDEX on_call_index ON doctors (on_call, pair)",
        *(
            f"INSERT INTO doctors VALUES ({pair}, {number}, true)"
            for pair in range(_PAIRS)
            for number in (0, 1)
        ),
    )

    async def step(self, node: ClientNode, source: random.Random) -> None:
        await self.attempt(node, source, self._transaction, serializable=True)

    async def _transaction(
        self, transaction: AsyncTransaction, record: Record, source: random.Random
    ) -> None:
        pair, number = source.randrange(_PAIRS), source.randrange(2)
        where = source.choice(
            [
                f"on_call AND pair = {pair}",
                f"on_call AND pair = {pair} AND number IN (0, 1)",
                f"on_call AND (pair, number) IN (({pair}, 0), ({pair}, 1))",
            ]
        )
        rows = await self.query(transaction, record, f"SELECT number FROM doctors WHERE {where}")
        if not rows:
            self.violated(f"{record}: nobody of pair {pair} is on call")
        on_call = len(rows) < 2
        await transaction.execute(
            f"UPDATE doctors SET on_call = {on_call} WHERE pair = {pair} AND number = {number}"
        )
