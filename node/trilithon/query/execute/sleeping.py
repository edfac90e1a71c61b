"""pg_sleep(): the session waits, nobody else does. A cancel and statement_timeout end it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from trilithon.query.execute.operators import Batches, Operator, Transform
from trilithon.query.execute.run import Run

# The transaction's age ends it long before.
SECONDS_MAX: Final = 86_400.0


@dataclass(slots=True, eq=False)
class Sleeps(Operator):
    """One wait for each input row, as one more column; `seconds` projects its argument."""

    columns: tuple[int, ...]
    input: Operator
    seconds: Transform

    @property
    def small(self) -> bool:
        return self.input.small

    async def batches(self, run: Run) -> Batches:
        async for batch in self.input.batches(run):
            yield await self._after_each(run, batch)

    async def collect(self, run: Run) -> list[Any]:
        return await self._after_each(run, await self.input.collect(run))

    async def _after_each(self, run: Run, rows: list[Any]) -> list[Any]:
        result = []
        for row, (seconds,) in zip(rows, self.seconds(rows, run.context), strict=True):
            if seconds is not None and seconds > 0 and not math.isnan(seconds):
                await asyncio.sleep(min(seconds, SECONDS_MAX))
            result.append((*row, None if seconds is None else ""))
        return result

    def children(self) -> Sequence[Operator]:
        return (self.input,)

    def title(self) -> str:
        return "Sleep"
