"""Transfers."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from workload import Workload, row_key, table_range

if TYPE_CHECKING:
    from cluster import QueryNode


class Bank(Workload):
    """Transfers between few accounts; a row that is not there holds 100."""

    name = "bank"
    clients = 2
    table, accounts = 20_001, 8

    async def step(self, node: QueryNode, source: random.Random) -> None:
        one, other = source.sample(range(self.accounts), 2)
        keys = [row_key(self.table, one), row_key(self.table, other)]
        transaction = await self.begin(node, source, *keys)
        if source.random() < 0.2:
            rows = await transaction.scan(*table_range(self.table))
            total = sum(row[0] for row in rows.values()) + 100 * (self.accounts - len(rows))
            if total != 100 * self.accounts:
                self.cluster.observer.violated(
                    f"{transaction.record} saw {total} in all accounts, not {100 * self.accounts}"
                )
            await transaction.commit()
            return
        balances = [100 if row is None else row[0] for row in await transaction.get(keys)]
        amount = source.randint(1, 20)
        transaction.write(keys[0], 2, balances[0] - amount)
        transaction.write(keys[1], 2, balances[1] + amount)
        await transaction.commit()
