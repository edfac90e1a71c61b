"""pg_sleep(), pg_sleep_for() and pg_sleep_until(): the session waits, nobody else does. A cancel and statement_timeout end it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from trilithon.query.execute.operators import Batches, Operator, Transform
from trilithon.query.execute.run import Run
from trilithon.types.values import Interval

# The transaction's age ends it long before.
SECONDS_MAX: Final = 86_400.0


@dataclass(slots=True, eq=False)
class Sleeps(Operator):
    """One wait for each input row, as one more column; `wanted` projects its argument: seconds, an
    interval, or the time (µs) until which to wait."""

    columns: tuple[int, ...]
    input: Operator
    wanted: Transform

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
        for row, (wanted,) in zip(rows, self.wanted(rows, run.context), strict=True):
            seconds = _seconds(wanted, run.context)
            if seconds is not None and seconds > 0 and not math.isnan(seconds):
                await asyncio.sleep(min(seconds, SECONDS_MAX))
            result.append((*row, None if seconds is None else ""))
        return result

    def children(self) -> Sequence[Operator]:
        return (self.input,)

    def title(self) -> str:
        return "Sleep"


def _seconds(wanted: Any, context: Any) -> float | None:
    match wanted:
        case Interval():
            return wanted.span_us() / 1_000_000
        case int():
            return float(wanted - context.now_us()) / 1_000_000
    return None if wanted is None else float(wanted)
