"""How long a read waits for a part of its Region that does not answer.

One statement waits for up to the availability timeout, so that a leader's failover or a process's restart is
a pause and no error. But the wait is counted from when the part was *lost*, not anew by each statement:
once it has been gone for that long, the next one is refused at once.

A client that has other Regions to go to, and repeats the whole transaction by itself, says so
(`impatient`): it is refused after a quarter of the time. A failover ends before that, a Region that is cut
off or has lost its journal or storage does not.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

# Set for the statement that runs in this context.
impatient: ContextVar[bool] = ContextVar("impatient", default=False)

_IMPATIENT_SHARE: Final = 4


class Patience:
    """With one part of the Region: its journals, or one storage process. Times in microseconds."""

    __slots__ = ("_failed_us", "_timeout_us", "lost_us")

    def __init__(self, timeout_us: int) -> None:
        self._timeout_us = timeout_us
        # Since when every attempt failed; None: the newest one did not.
        self.lost_us: int | None = None
        self._failed_us = 0

    def found(self) -> None:
        self.lost_us = None

    def failed(self, now_us: int) -> None:
        if self.lost_us is None or now_us - self._failed_us > self._timeout_us:
            # Nobody asked for long: what was meanwhile is not known.
            self.lost_us = now_us
        self._failed_us = now_us

    def over(self, now_us: int, *, hurry: bool) -> bool:
        """Whether somebody who was just refused should wait no longer, whenever they came."""
        if self.lost_us is None:
            return False
        limit_us = self._timeout_us // _IMPATIENT_SHARE if hurry else self._timeout_us
        return now_us - self.lost_us >= limit_us
