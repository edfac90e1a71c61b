"""Expressions over rows that a statement has in hand, subqueries among them.

RETURNING, ON CONFLICT's SET and MERGE's actions are evaluated over rows that come from no operator. A
*stage* is a projection of such rows: one compiled function where that is enough, else a plan whose
input they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trilithon.query.execute.operators import Operator, Small, Transform
from trilithon.query.execute.pacing import whole
from trilithon.query.execute.run import Run


@dataclass(slots=True, eq=False)
class RowsInHand(Small):
    """The rows that `Stage.rows` was called with."""

    columns: tuple[int, ...]
    slot: int

    async def collect(self, run: Run) -> list[Any]:
        rows: list[Any] = run.slots[self.slot]
        return rows

    def title(self) -> str:
        return "Rows"


@dataclass(slots=True, eq=False)
class Stage:
    """`plan` None: `transform` alone does it. One row out for each row in, in order."""

    transform: Transform | None
    plan: Operator | None = None
    slot: int = -1

    async def rows(self, run: Run, rows: list[Any]) -> list[Any]:
        if not rows:
            return []
        if self.plan is None:
            assert self.transform is not None
            return await whole(run, self.transform, rows)
        run.slots[self.slot] = rows
        result = await self.plan.collect(run)
        run.slots[self.slot] = None
        return result
