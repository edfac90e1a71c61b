"""Rows that may exist once."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from workload import Workload, row_key

if TYPE_CHECKING:
    from cluster import QueryNode


class Unique(Workload):
    """Rows that may exist once: whoever finds none inserts it, whoever finds one deletes it."""

    name = "unique"
    table, rows = 20_003, 5

    async def step(self, node: QueryNode, source: random.Random) -> None:
        key = row_key(self.table, source.randrange(self.rows))
        transaction = await self.begin(node, source, key)
        (row,) = await transaction.get([key])
        if row is None:
            transaction.write(key, 1, "here")
        else:
            transaction.delete(key, 1)
        await transaction.commit()
