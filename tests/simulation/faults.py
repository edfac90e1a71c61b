"""Faults, and the chaos that mixes them.

A fault does its harm when called and returns how to take it back; it may overlap with any other. Each
family has a file `fault_*.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import fault_clocks
import fault_disks
import fault_journals
import fault_leadership
import fault_network
import fault_processes
import fault_rebuild
import fault_regions
import fault_streams

if TYPE_CHECKING:
    from cluster import Cluster

Undo = Callable[[], None]
# Returns None when there is nothing to harm just now.
Fault = Callable[["Cluster"], "Undo | None"]

FAULTS: dict[str, Fault] = {
    **fault_processes.FAULTS,
    **fault_network.FAULTS,
    **fault_streams.FAULTS,
    **fault_regions.FAULTS,
    **fault_disks.FAULTS,
    **fault_journals.FAULTS,
    **fault_rebuild.FAULTS,
    **fault_clocks.FAULTS,
    **fault_leadership.FAULTS,
}

# Mean seconds between two faults, and of one fault.
_BETWEEN_S = 1.2
_LENGTH_S = 1.5
_TOGETHER_MAX = 3


class Chaos:
    """Faults at random times for random lengths, until stopped."""

    def __init__(
        self, cluster: Cluster, names: Sequence[str] | None, *, storm: bool = False
    ) -> None:
        self._cluster = cluster
        self._between_s = _BETWEEN_S / 4 if storm else _BETWEEN_S
        self._together_max = _TOGETHER_MAX + 2 if storm else _TOGETHER_MAX
        self._names = sorted(FAULTS) if names is None else list(names)
        self._undos: dict[int, Undo] = {}
        self._number = 0
        self._stopped = False
        self.counts: dict[str, int] = {}

    def start(self) -> None:
        if self._names:
            self._later()

    def _later(self) -> None:
        draw = self._cluster.random
        self._cluster.kernel.at(draw.expovariate(1 / self._between_s) + 0.05, self._strike)

    def _strike(self) -> None:
        if self._stopped:
            return
        self._later()
        if len(self._undos) >= self._together_max:
            return
        draw = self._cluster.random
        name = draw.choice(self._names)
        undo = FAULTS[name](self._cluster)
        if undo is None:
            return
        self.counts[name] = self.counts.get(name, 0) + 1
        self._number += 1
        self._undos[self._number] = undo
        length_s = draw.expovariate(1 / _LENGTH_S) + 0.02
        self._cluster.kernel.at(length_s, self._undo, self._number)

    def _undo(self, number: int) -> None:
        undo = self._undos.pop(number, None)
        if undo is not None:
            undo()

    def stop(self) -> None:
        self._stopped = True
        for number in list(self._undos):
            self._undo(number)
