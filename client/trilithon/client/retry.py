"""When to run a transaction again, and how long to wait before.

Full jitter (a uniformly random wait below an exponentially growing cap) keeps rivals for one row
from meeting again and again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from trilithon.client.errors import SerializationFailure, is_transient


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`attempts_max` bounds conflicts (40001); `deadline_s` bounds everything, waiting included.

    Faults (a lost endpoint, a Region without a lease) are retried until the deadline only.
    """

    attempts_max: int = 30
    deadline_s: float = 60.0
    wait_first_s: float = 0.005
    wait_max_s: float = 1.0

    def waits(self, source: random.Random) -> Iterator[float]:
        """Seconds to wait before each next attempt; endless."""
        cap = self.wait_first_s
        while True:
            yield source.uniform(0, cap)
            cap = min(cap * 2, self.wait_max_s)


def find_cause(error: BaseException) -> BaseException | None:
    """The conflict or fault behind `error`, even when a caller's code wrapped it."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        if isinstance(current, SerializationFailure) or is_transient(current):
            return current
        seen.add(id(current))
        current = current.__cause__ or current.__context__
    return None
