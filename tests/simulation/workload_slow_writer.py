"""Reads, thinks for seconds, writes: its snapshot may be older than the conflict window."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from workload import Workload, row_key
from workload_append import Append

if TYPE_CHECKING:
    from cluster import QueryNode


class SlowWriter(Workload):
    name = "slow writer"
    pause_s = 0.3

    async def step(self, node: QueryNode, source: random.Random) -> None:
        key = row_key(Append.table, source.randrange(Append.lists))
        transaction = await self.begin(node, source, key)
        (row,) = await transaction.get([key])
        await asyncio.sleep(source.uniform(0.2, 2.5))
        text = row[0] if row is not None else ""
        transaction.write(key, 2, f"{text[-60:]} {transaction.tag}")
        await transaction.commit()
