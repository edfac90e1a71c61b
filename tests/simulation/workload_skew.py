"""Write skew, which SERIALIZABLE forbids."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from history import Recorded
from workload import Workload, row_key, table_range

if TYPE_CHECKING:
    from cluster import QueryNode


class Skew(Workload):
    """Write skew: reads two rows, writes one of them; always SERIALIZABLE."""

    name = "skew"
    table = 20_004

    async def step(self, node: QueryNode, source: random.Random) -> None:
        keys = [row_key(self.table, n) for n in (0, 1)]
        transaction = await Recorded(self.history, node, self.name).begin(serializable=True)
        if source.random() < 0.5:
            await transaction.get(keys)
        else:
            await transaction.scan(*table_range(self.table), reverse=source.random() < 0.5)
        transaction.write(source.choice(keys), 2, "on call")
        await transaction.commit()
