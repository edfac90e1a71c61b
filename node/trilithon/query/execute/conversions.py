"""Rows of a table in the form that it is being rewritten to (see `catalog.rewriting`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.context import EvalContext
from trilithon.query.execute.modify import Constraints
from trilithon.query.execute.run import Run
from trilithon.query.execute.stages import Stage
from trilithon.types.settings import IoSettings

# Converted between two turns of others.
_ROWS: Final = 256
# Microseconds from 1970 to 2000, where SQL's time begins.
_EPOCH_2000_US: Final = 946_684_800_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Conversion:
    """`stage` makes whole new rows of whole old ones, `constraints` completes and checks them. No session
    takes part: it is the statement's settings that count, and the time at which it ran."""

    stage: Stage
    slots: int
    constraints: Constraints
    settings: IoSettings

    async def rows(self, transaction: Any, rows: Sequence[Sequence[Any]]) -> list[Any]:
        """SqlError 23502, 23514, and what the expression raises."""
        now_us = self.settings.now_us
        world = transaction.manager.world
        context = EvalContext(
            [None] * self.slots,
            now_us,
            now_us,
            self.settings,
            world.random,
            clock_us=lambda: world.clock.wall_us() - _EPOCH_2000_US,
        )
        run = Run(transaction, context)
        made: list[Any] = []
        try:
            for at in range(0, len(rows), _ROWS):
                part = await self.stage.rows(run, [tuple(row) for row in rows[at : at + _ROWS]])
                made += self.constraints.apply(run, part)
                await run.breathe()
        except AttributeError as error:
            if context.session is None and "NoneType" in str(error):
                raise SqlError(
                    "0A000", "rewriting rows with what only a session knows is not supported"
                ) from error
            raise
        return made
