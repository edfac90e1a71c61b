"""When entries at the beginning of the log may go.

Never before they are settled and have been so for the whole window of this journal's own clock. And
then only when nobody needs them: every storage process of this Region has durably applied them, and
every member of the list in force has synced them; unless the log has reached its bound on bytes:
who is further behind then has to be rebuilt.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from trilithon.core.csn import NO_CSN

_SAMPLES: Final = 64


class Window:
    """What was settled how long ago: at most about `_SAMPLES` pairs of (time, settled csn)."""

    __slots__ = ("_samples", "_step_us", "_window_us")

    def __init__(self, window_us: int) -> None:
        self._window_us = window_us
        self._step_us = max(1, window_us // _SAMPLES)
        self._samples: deque[tuple[int, int]] = deque()

    def sample(self, now_us: int, settled_csn: int) -> None:
        if not self._samples or now_us - self._samples[-1][0] >= self._step_us:
            self._samples.append((now_us, settled_csn))

    def old_csn(self, now_us: int) -> int:
        """The highest csn known to have been settled for the whole window."""
        samples = self._samples
        while len(samples) > 1 and now_us - samples[1][0] >= self._window_us:
            samples.popleft()
        if samples and now_us - samples[0][0] >= self._window_us:
            return samples[0][1]
        return NO_CSN


class Applied:
    """How far each storage process of this Region has durably applied, in its own newest words."""

    __slots__ = ("_storages", "by_storage")

    def __init__(self, storages: tuple[str, ...]) -> None:
        self._storages = storages
        self.by_storage: dict[str, int] = {}

    def knows(self, storage: str) -> bool:
        return storage in self._storages

    def hear(self, storage: str, csn: int) -> None:
        self.by_storage[storage] = csn

    def needs_after(self, storage: str, csn: int) -> None:
        """A storage process that starts again at `csn` needs everything above it."""
        if storage in self._storages:
            self.by_storage[storage] = min(self.by_storage.get(storage, csn), csn)

    def by_all(self) -> int | None:
        """Applied by every storage process; None: there is none to wait for."""
        return min((self.by_storage.get(one, NO_CSN) for one in self._storages), default=None)
