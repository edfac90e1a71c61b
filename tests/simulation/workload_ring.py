"""One ring: every row names the next one. Three neighbours at a time change places."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from history import Row
from workload import Workload, row_key, table_range

if TYPE_CHECKING:
    from cluster import QueryNode


class Ring(Workload):
    """A lost or half-seen update would break the ring in two. A row that is not there names its
    successor by number."""

    name = "ring"
    table, size = 20_005, 7
    pause_s = 0.08

    async def step(self, node: QueryNode, source: random.Random) -> None:
        first = source.randrange(self.size)
        transaction = await self.begin(node, source, row_key(self.table, first))
        if source.random() < 0.3:
            found = await transaction.scan(*table_range(self.table), reverse=source.random() < 0.5)
            self._check(str(transaction.record), found)
            await transaction.commit()
            return
        # first → second → third → after becomes first → third → second → after.
        names = [first]
        for _ in range(3):
            (row,) = await transaction.get([row_key(self.table, names[-1])])
            names.append(self._next(names[-1], row))
        _, second, third, after = names
        transaction.write(row_key(self.table, first), 2, third)
        transaction.write(row_key(self.table, third), 2, second)
        transaction.write(row_key(self.table, second), 2, after)
        await transaction.commit()

    def _next(self, number: int, row: Row | None) -> int:
        return int(row[0]) if row is not None else (number + 1) % self.size

    def _check(self, who: str, found: dict[bytes, Row]) -> None:
        number, seen = 0, []
        while number not in seen:
            seen.append(number)
            number = self._next(number, found.get(row_key(self.table, number)))
        if number != 0 or len(seen) != self.size:
            self.cluster.observer.violated(
                f"{who} saw a ring that goes {' → '.join(map(str, [*seen, number]))}, "
                f"not once round all {self.size}"
            )
