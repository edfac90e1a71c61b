"""The machine's clocks."""

import time


class SystemClock:
    """Implements `trilithon.core.world.Clock`."""

    def monotonic_us(self) -> int:
        # Unlike CLOCK_MONOTONIC it counts suspend: a lease must not outlive a closed lid.
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000

    def wall_us(self) -> int:
        return time.time_ns() // 1000
