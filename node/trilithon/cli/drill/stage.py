"""What a fault has at hand: the cluster, the timeline, and the ways to harm and to heal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from trilithon.cli.drill.outcome import Mark, Outcome, Strike
from trilithon.cli.embedded import Cluster

# A shortened fault lasts at least this, and so long after the surviving Regions commit again.
_HARM_MIN_S: Final = 1.5
_RESUMED_S: Final = 0.5
_LOOK_S: Final = 0.05


class Stage:
    """One drill's. A fault calls `harm`, does it, lets time pass, calls `heal`, undoes it, calls
    `recovered`; `lose` and `cut` are the two usual ways of doing so."""

    def __init__(
        self,
        cluster: Cluster,
        outcome: Outcome,
        began: float,
        harm_s: float,
        *,
        shorten: bool = False,
    ) -> None:
        self.cluster = cluster
        self.harm_s = harm_s
        self._shorten = shorten
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

    def end(self) -> None:
        """What clients see from now on does not count."""
        self._outcome.seconds = self.now_s()

    def leader(self) -> str:
        found = self.cluster.wait_until(lambda status: status.leader).leader
        assert found is not None
        return found

    def leaders_region(self) -> str:
        return self.leader().partition("/")[0]

    def other_region(self) -> str:
        """A full Region that does not lead."""
        leads = self.leaders_region()
        return next(region for region in self.cluster.endpoints if region != leads)

    # ---- a strike

    def harm(self, text: str, down: Iterable[str] = ()) -> None:
        """Right before the fault. `down`: Regions that cannot serve under it."""
        leader = self.leader()
        self.mark(text)
        self._outcome.strikes.append(Strike(self.now_s(), frozenset(down), leader))

    def let_harm(self) -> None:
        """As long as the fault is to last."""
        if not self._shorten:
            self.let_pass(self.harm_s)
            return
        strike = self._outcome.strikes[-1]
        self.let_pass(_HARM_MIN_S)
        while self.now_s() < strike.harm_s + self.harm_s and not self._resumed(strike):
            self.let_pass(_LOOK_S)
        self.let_pass(_RESUMED_S)

    def _resumed(self, strike: Strike) -> bool:
        """Every surviving Region has acknowledged something that was begun under the fault."""
        survivors = set(self.cluster.endpoints) - strike.down
        for sample in reversed(self._outcome.samples):
            if sample.at_s < strike.harm_s or not survivors:
                break
            if sample.kind == "commit" and sample.at_s - sample.latency_s > strike.harm_s:
                survivors.discard(sample.region)
        return not survivors

    def heal(self, text: str) -> None:
        """Right before the fault is undone."""
        self.mark(text)
        self._outcome.strikes[-1].heal_s = self.now_s()

    def restart(self, *which: str) -> None:
        """Start what is down, and note how long each takes until it serves."""
        began = time.monotonic()
        self.cluster.resume(*which)
        served = self._outcome.strikes[-1].served_after_s
        for name in self.cluster.wait_served([n for one in which for n in self.cluster.names(one)]):
            served[name] = time.monotonic() - began

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
        self.let_harm()
        self.heal(f"start {', '.join(which)}")
        self.restart(*which)
        self.recovered()

    def cut(self, text: str, harm: Callable[[], None], down: Iterable[str] = ()) -> None:
        """Do something to the links, wait, heal all links."""
        self.harm(text, down)
        harm()
        self.let_harm()
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
