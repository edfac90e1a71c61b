"""What an expression may ask of its surroundings while it runs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from trilithon.types.settings import IoSettings


@dataclass(slots=True)
class EvalContext:
    """Times are µs since 2000-01-01 UTC. `session` is whatever session functions were written
    against (current_user and the like are registered by the query processor); None in storage.

    `clock_us` answers clock_timestamp(); without one the statement's time does.
    """

    parameters: Sequence[Any] = ()
    transaction_time_us: int = 0
    statement_time_us: int = 0
    settings: IoSettings = field(default_factory=IoSettings)
    random: random.Random = field(default_factory=random.SystemRandom)
    session: Any = None
    clock_us: Any = None

    def now_us(self) -> int:
        """The time of day right now, for clock_timestamp()."""
        return int(self.clock_us()) if self.clock_us is not None else self.statement_time_us
