"""What a fault has at hand: the cluster, the timeline, and the ways to harm and to heal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from trilithon.cli.drill.outcome import Mark, Outcome, Strike
from trilithon.cli.embedded import Cluster


class Stage:
    """One drill's. A fault calls `harm`, does it, lets time pass, calls `heal`, undoes it, calls
    `recovered`; `lose` and `cut` are the two usual ways of doing so."""

    def __init__(self, cluster: Cluster, outcome: Outcome, began: float, harm_s: float) -> None:
        self.cluster = cluster
        self.harm_s = harm_s
        self._outcome = outcome
        self._began = began
        self._over = threading.Event()

    def now_s(self) -> float:
        return time.monotonic() - self._began

    def mark(self, text: str) -> None:
        self._outcome.marks.append(Mark(self.now_s(), text))

    def let_pass(self, seconds: float) -> None:
        """The load goes on meanwhile."""
        self._over.wait(seconds)

    def leader(self) -> str:
        found = self.cluster.wait_until(lambda status: status.leader).leader
        assert found is not None
        return found

    # ---- a strike

    def harm(self, text: str, down: Iterable[str] = ()) -> None:
        """Right before the fault. `down`: Regions that cannot serve under it."""
        leader = self.leader()
        self.mark(text)
        self._outcome.strikes.append(Strike(self.now_s(), frozenset(down), leader))

    def heal(self, text: str) -> None:
        """Right before the fault is undone."""
        self.mark(text)
        self._outcome.strikes[-1].heal_s = self.now_s()

    def recovered(self) -> None:
        """Wait until all is well."""
        self.cluster.wait_ready()
        self.mark("ready")
        self._outcome.strikes[-1].ready_s = self.now_s()

    # ---- the usual ones

    def lose(self, *which: str, down: Iterable[str] = ()) -> None:
        """Kill, wait, start again, wait until all is well."""
        self.harm(f"kill {', '.join(which)}", down)
        self.cluster.kill(*which)
        self.let_pass(self.harm_s)
        self.heal(f"start {', '.join(which)}")
        self.cluster.resume(*which)
        self.recovered()

    def cut(self, text: str, harm: Callable[[], None], down: Iterable[str] = ()) -> None:
        """Do something to the links, wait, heal all links."""
        self.harm(text, down)
        harm()
        self.let_pass(self.harm_s)
        self.heal("heal")
        self.cluster.proxy.heal()
        self.recovered()


Fault = Callable[[Stage], None]


@dataclass(frozen=True, slots=True)
class Drill:
    """One entry of the list."""

    name: str
    about: str
    fault: Fault
    # Distance between Regions; links can only be harmed where it is given (0 counts).
    rtt_ms: float | None = None
