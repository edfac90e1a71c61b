"""How old is old enough: which versions no allowed snapshot can still ask for.

Ages are told by this process's own monotonic clock: "csn X was settled when the clock said T". A
fresh process knows nothing and starts counting anew, so it collects later, never too early.

Pure.
"""

from __future__ import annotations

from collections import deque
from typing import Final

SAMPLES_MAX: Final = 512


class Horizon:
    """Samples of (clock, settled csn), at most `SAMPLES_MAX` over one `age_us`."""

    __slots__ = ("_csn", "_samples", "_step_us", "age_us")

    def __init__(self, age_us: int) -> None:
        self.age_us = age_us
        self._step_us = max(1, age_us // (SAMPLES_MAX - 1))
        self._samples: deque[tuple[int, int]] = deque()
        self._csn = 0

    def observe(self, now_us: int, settled: int) -> None:
        if self._samples:
            at_us, csn = self._samples[-1]
            if csn == settled or now_us - at_us < self._step_us:
                return
        self._samples.append((now_us, settled))

    def csn(self, now_us: int) -> int:
        """The newest csn known to have been settled `age_us` ago; 0: none. Never falls."""
        while self._samples and now_us - self._samples[0][0] >= self.age_us:
            self._csn = max(self._csn, self._samples.popleft()[1])
        return self._csn
