"""Notices a peer from which nothing comes any more.

An empty message is the ping: clients send one each period, servers answer each with another. So
both ends hear something every period, whatever the traffic. A server only minds silence once its
client has pinged: clients of other languages need not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Liveness:
    """Calls `tick` each period and `silent`, once, after `silent_ticks_max` periods without
    `heard`. It counts periods, not time: a process that was stopped itself does not blame its peer."""

    __slots__ = ("_heard", "_limit", "_loop", "_period_s", "_silent", "_tick", "_ticks", "_timer")

    def __init__(
        self,
        period_s: float,
        silent_ticks_max: int,
        *,
        silent: Callable[[], None],
        tick: Callable[[], None] | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._period_s = period_s
        self._limit = silent_ticks_max
        self._silent = silent
        self._tick = tick
        self._heard = False
        self._ticks = 0
        self._timer = self._loop.call_later(period_s, self._count)

    @property
    def quiet(self) -> bool:
        """A whole period has passed without `heard`."""
        return self._ticks > 0 and not self._heard

    def heard(self) -> None:
        self._heard = True

    def stop(self) -> None:
        self._timer.cancel()

    def _count(self) -> None:
        self._ticks = 0 if self._heard else self._ticks + 1
        self._heard = False
        if self._ticks >= self._limit:
            self._silent()
            return
        self._timer = self._loop.call_later(self._period_s, self._count)
        if self._tick is not None:
            self._tick()
