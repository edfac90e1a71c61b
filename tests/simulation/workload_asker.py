"""Questions for outcomes."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from history import ask_status
from workload import Workload

if TYPE_CHECKING:
    from cluster import QueryNode


class Asker(Workload):
    """Asks what became of transactions that are under way or lost, from anywhere, racing them."""

    name = "asker"
    pause_s = 0.25

    async def step(self, node: QueryNode, source: random.Random) -> None:
        unknown = self.history.unknown
        if not unknown:
            return
        record = source.choice(unknown[-3:] if source.random() < 0.7 else unknown)
        await asyncio.sleep(source.uniform(0, 0.05))
        await ask_status(self.history, node, record)
