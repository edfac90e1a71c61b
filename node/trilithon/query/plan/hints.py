"""What the operators above would like of those below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from trilithon.query.execute.run import Run
from trilithon.query.plan.access import Wish

# Rows of a run; negative: all.
Limit = Callable[[Run], int]

NO_WISH: Final = Wish()


@dataclass(frozen=True, slots=True)
class Hint:
    """What the operators above would like: an order, and at most so many rows."""

    wish: Wish = NO_WISH
    limit: Limit | None = None

    def without_limit(self) -> Hint:
        return Hint(self.wish) if self.limit is not None else self


NO_HINT: Final = Hint()
