"""Reads that cannot be answered yet: for the feed's position, or for one unsettled entry alone.

Pure: time comes in as microseconds of the process's monotonic clock.
"""

from __future__ import annotations

import heapq
from typing import Generic, Protocol, TypeVar


class Waiter(Protocol):
    @property
    def deadline_us(self) -> int: ...

    @property
    def closed(self) -> bool:
        """Answered, cancelled or its peer is gone: nobody waits any more."""
        ...


W = TypeVar("W", bound=Waiter)


class Waiters(Generic[W]):
    """The lowest csn is woken first, equal ones in the order they came. Whoever adds waiters bounds
    their number."""

    __slots__ = ("_arrivals", "_for_entry", "_for_position")

    def __init__(self) -> None:
        self._arrivals = 0
        self._for_position: list[tuple[int, int, W]] = []
        self._for_entry: list[tuple[int, int, W]] = []

    def __len__(self) -> int:
        return len(self._for_position) + len(self._for_entry)

    @property
    def waiting_for_feed(self) -> int:
        return len(self._for_position)

    def wait_for_position(self, csn: int, waiter: W) -> None:
        self._arrivals += 1
        heapq.heappush(self._for_position, (csn, self._arrivals, waiter))

    def wait_for_entry(self, csn: int, waiter: W) -> None:
        self._arrivals += 1
        heapq.heappush(self._for_entry, (csn, self._arrivals, waiter))

    def moved(self, position: int, settled: int) -> list[W]:
        """Who has nothing to wait for any more."""
        return _pop(self._for_entry, settled) + _pop(self._for_position, position)

    def cut(self, csn: int) -> list[W]:
        """The entries above `csn` are gone: who waited for one of them looks again."""
        woken = sorted(item for item in self._for_entry if item[0] > csn)
        if woken:
            self._for_entry = [item for item in self._for_entry if item[0] <= csn]
            heapq.heapify(self._for_entry)
        return [waiter for _, _, waiter in woken if not waiter.closed]

    def expire(self, now_us: int) -> list[W]:
        """Who has waited too long; forgets the closed ones as well."""
        late: list[W] = []
        self._for_position = _sweep(self._for_position, now_us, late)
        self._for_entry = _sweep(self._for_entry, now_us, late)
        return late


def _pop(heap: list[tuple[int, int, W]], reached: int) -> list[W]:
    woken: list[W] = []
    while heap and heap[0][0] <= reached:
        waiter = heapq.heappop(heap)[2]
        if not waiter.closed:
            woken.append(waiter)
    return woken


def _sweep(heap: list[tuple[int, int, W]], now_us: int, late: list[W]) -> list[tuple[int, int, W]]:
    kept: list[tuple[int, int, W]] = []
    for item in heap:
        waiter = item[2]
        if waiter.closed:
            continue
        if waiter.deadline_us <= now_us:
            late.append(waiter)
        else:
            kept.append(item)
    heapq.heapify(kept)
    return kept
