"""Rows that are kept and grow as somebody asks for more of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trilithon.query.execute.operators import BATCH_ROWS, Batches
from trilithon.query.execute.run import Held, Run, rows_size


@dataclass(slots=True, eq=False)
class Growing:
    """The rows of `source`, made as far as they were asked for, and accounted to the run's memory. Each reader
    counts for itself how many it has had; readers take turns, `more` is never awaited by two at once."""

    source: Batches
    run: Run
    rows: list[Any] = field(default_factory=list)
    ended: bool = False
    held: Held = field(init=False)

    def __post_init__(self) -> None:
        self.held = Held(self.run.memory)

    async def more(self) -> bool:
        """Whether there were more rows. SqlError 53200, and as the source."""
        while not self.ended:
            batch = await anext(self.source, None)
            if batch is None:
                self.ended = True
            elif batch:
                self.held.take(rows_size(batch))
                self.rows += batch
                return True
        return False

    async def batches(self) -> Batches:
        at = 0
        while at < len(self.rows) or await self.more():
            batch = self.rows[at : at + BATCH_ROWS]
            at += len(batch)
            yield batch

    async def all(self) -> list[Any]:
        while await self.more():
            pass
        return self.rows

    async def close(self) -> None:
        """Nobody reads on; safe to repeat."""
        self.ended = True
        self.held.give()
        closing = getattr(self.source, "aclose", None)
        if closing is not None:
            await closing()
