"""List-append."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from workload import Workload, row_key

if TYPE_CHECKING:
    from cluster import QueryNode


class Append(Workload):
    """Lists that only grow, over random keys: what Elle calls list-append."""

    name = "append"
    clients = 1
    table, lists = 20_002, 6

    async def step(self, node: QueryNode, source: random.Random) -> None:
        keys = [row_key(self.table, n) for n in source.sample(range(self.lists), 2)]
        transaction = await self.begin(node, source, keys[0])
        for key in keys:
            (row,) = await transaction.get([key])
            if source.random() < 0.5:
                text = row[0] if row is not None else ""
                transaction.write(key, source.choice([1, 2]), f"{text[-60:]} {transaction.tag}")
            elif source.random() < 0.3:
                transaction.transaction.lock(key, source.choice([1, 3]))
        await transaction.commit()
