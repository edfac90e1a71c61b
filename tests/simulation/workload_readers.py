"""Transactions that only read."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from workload import Workload, row_key, table_range
from workload_append import Append
from workload_bank import Bank
from workload_unique import Unique

if TYPE_CHECKING:
    from cluster import QueryNode


class Reader(Workload):
    """Only reads, again and again: nothing that a cut or a lost leader keeps waiting."""

    name = "reader"
    pause_s = 0.03

    async def step(self, node: QueryNode, source: random.Random) -> None:
        key = row_key(Bank.table, source.randrange(Bank.accounts))
        transaction = await self.begin(node, source, key)
        await transaction.get([key])
        await transaction.commit()


class LongReader(Workload):
    """Reads the same again and again over seconds, from one snapshot."""

    name = "long reader"
    pause_s = 1.0

    async def step(self, node: QueryNode, source: random.Random) -> None:
        transaction = await self.begin(node, source)
        for _ in range(source.randint(2, 4)):
            table = source.choice([Bank.table, Append.table, Unique.table])
            start, end = table_range(table)
            await transaction.scan(start, end, reverse=source.random() < 0.5)
            await asyncio.sleep(source.uniform(0.1, 1.2))
        await transaction.commit()
