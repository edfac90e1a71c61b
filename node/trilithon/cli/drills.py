"""Failure drills: a fault in a cluster of real processes under a real load, and what it did to it.

    trilithon drill            the list
    trilithon drill NAME       one drill, with its timeline and its verdicts

Vocabulary
- A drill's *fault* is a function that harms the cluster and heals it again, marking the timeline.
- A Region's *pause* is its longest time without an acknowledged commit (or a read) between two marks.

Every drill checks the same promises at its end: no acknowledged transfer missing, none there twice, every
balance adds up, no reader ever saw another sum.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Final

import trilithon.client
from trilithon.cli import banking, demo
from trilithon.cli.embedded import Cluster, running_cluster

OPENING: Final = Decimal("500.00")
ACCOUNTS: Final = 40
# Before the fault, between fault and repair, and after it.
CALM_S: Final = 3.0
HARM_S: Final = 6.0
_READ_TIMEOUT_S: Final = 10.0
# The load is well again after so many more transfers.
_HEALTHY_COMMITS: Final = 20


@dataclass(frozen=True, slots=True)
class Sample:
    """Something a client was given: `at_s` since the drill began."""

    at_s: float
    region: str
    kind: str
    latency_s: float


@dataclass(frozen=True, slots=True)
class Mark:
    at_s: float
    text: str


@dataclass(slots=True)
class Outcome:
    """All that a drill observed."""

    name: str
    samples: list[Sample] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    # What Region-bound readers were told, by SQLSTATE.
    errors: Counter[str] = field(default_factory=Counter)
    # Of the transfers; its errors are what `run_transaction` did not hide: there must be none.
    report: demo.LoadReport = field(default_factory=demo.LoadReport)
    seconds: float = 0.0

    def pause_s(self, region: str, kind: str) -> float:
        """The longest time without a sample of this kind, from the first mark to the end."""
        start = self.marks[0].at_s if self.marks else 0.0
        times = [s.at_s for s in self.samples if s.region == region and s.kind == kind]
        times = [start, *(t for t in times if t >= start), self.seconds]
        return max(after - before for before, after in pairwise(times))


class Stage:
    """What a fault has at hand."""

    def __init__(self, cluster: Cluster, outcome: Outcome, began: float, harm_s: float) -> None:
        self.cluster = cluster
        self.harm_s = harm_s
        self._outcome = outcome
        self._began = began
        self._over = threading.Event()

    def mark(self, text: str) -> None:
        self._outcome.marks.append(Mark(time.monotonic() - self._began, text))

    def let_pass(self, seconds: float) -> None:
        """The load goes on meanwhile."""
        self._over.wait(seconds)

    def leader(self) -> str:
        found = self.cluster.wait_until(lambda status: status.leader).leader
        assert found is not None
        return found

    def lose(self, *which: str) -> None:
        """Kill, wait, start again, wait until all is well."""
        self.mark(f"kill {', '.join(which)}")
        self.cluster.kill(*which)
        self.let_pass(self.harm_s)
        self.mark(f"start {', '.join(which)}")
        self.cluster.resume(*which)
        self.cluster.wait_ready()
        self.mark("ready")

    def cut(self, text: str, harm: Callable[[], None]) -> None:
        self.mark(text)
        harm()
        self.let_pass(self.harm_s)
        self.mark("heal")
        self.cluster.proxy.heal()
        self.cluster.wait_ready()
        self.mark("ready")


Fault = Callable[[Stage], None]


@dataclass(frozen=True, slots=True)
class Drill:
    name: str
    about: str
    fault: Fault
    # Cuts need the proxy between Regions.
    rtt_ms: float | None = None


def _lose(*which: str) -> Fault:
    return lambda stage: stage.lose(*which)


def _lose_leader(stage: Stage) -> None:
    stage.lose(stage.leader())


def _lose_leaders_region(stage: Stage) -> None:
    stage.lose(stage.leader().partition("/")[0])


def _pause_leader(stage: Stage) -> None:
    leader = stage.leader()
    stage.mark(f"pause {leader}")
    stage.cluster.pause(leader)
    stage.let_pass(stage.harm_s)
    stage.mark(f"unpause {leader}")
    stage.cluster.unpause(leader)
    stage.cluster.wait_ready()
    stage.mark("ready")


def _rolling_restart(stage: Stage) -> None:
    for name in [name for region in "abw" for name in stage.cluster.names(region)]:
        stage.mark(f"restart {name}")
        stage.cluster.stop_processes(name)
        stage.cluster.resume(name)
        stage.cluster.wait_ready()
    stage.mark("ready")


def _rebuild_storage(stage: Stage) -> None:
    """The journal still has the whole log of so young a cluster."""
    name = "b/storage-0"
    stage.mark(f"kill {name} and lose its folder")
    stage.cluster.kill(name)
    stage.cluster.lose_data(name)
    stage.let_pass(1.0)
    stage.mark(f"start {name}")
    stage.cluster.resume(name)
    stage.cluster.wait_ready()
    stage.mark("ready")


def _isolate(region: str) -> Fault:
    return lambda stage: stage.cut(f"isolate {region}", lambda: stage.cluster.proxy.isolate(region))


def _cut_between(one: str, other: str) -> Fault:
    return lambda stage: stage.cut(
        f"cut {one} from {other}", lambda: stage.cluster.proxy.cut_between(one, other)
    )


DRILLS: Final = (
    Drill("region-a", "Region a's processes are killed, all at once", _lose("a")),
    Drill("region-b", "Region b's processes are killed, all at once", _lose("b")),
    Drill("leader-region", "the leader's whole Region is killed", _lose_leaders_region),
    Drill("leader", "the leading adjudicator is killed", _lose_leader),
    Drill("paused-leader", "the leader stands still for longer than its lease", _pause_leader),
    Drill("journal", "a full Region's journal is killed", _lose("a/journal-0")),
    Drill("storage", "a storage process is killed", _lose("a/storage-0")),
    Drill("storage-rebuild", "a storage process loses its folder and rebuilds", _rebuild_storage),
    Drill("query", "a query processor is killed", _lose("a/query-0")),
    Drill("witness", "the witness is killed", _lose("w")),
    Drill("isolate-a", "Region a is cut off from both others", _isolate("a"), rtt_ms=2),
    Drill("isolate-b", "Region b is cut off from both others", _isolate("b"), rtt_ms=2),
    Drill("isolate-w", "the witness is cut off", _isolate("w"), rtt_ms=2),
    Drill("cut-a-b", "the link between the full Regions is cut", _cut_between("a", "b"), rtt_ms=2),
    Drill("cut-a-w", "the link between a and w is cut", _cut_between("a", "w"), rtt_ms=2),
    Drill("rolling-restart", "every process is restarted, one after the other", _rolling_restart),
)


def find_drill(name: str) -> Drill:
    """Raises KeyError with the names that there are."""
    for drill in DRILLS:
        if drill.name == name:
            return drill
    raise KeyError(f"no drill {name!r}; there are {', '.join(one.name for one in DRILLS)}")


class _Recorder:
    """Clients' answers, from many threads."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._lock = threading.Lock()
        self.began = time.monotonic()

    def answered(self, region: str, kind: str, latency_s: float) -> None:
        sample = Sample(time.monotonic() - self.began, region, kind, latency_s)
        with self._lock:
            self._outcome.samples.append(sample)

    def refused(self, sqlstate: str) -> None:
        with self._lock:
            self._outcome.errors[sqlstate] += 1


def _read_forever(
    region: str, endpoint: str, key: uuid.UUID, recorder: _Recorder, stop: threading.Event
) -> None:
    """A reader bound to one Region: it shows when that Region serves, and what it says when not."""
    sql = banking.numbered(banking.BALANCE, 1)
    with trilithon.client.connect(
        endpoint, connect_timeout_s=_READ_TIMEOUT_S, statement_timeout_s=_READ_TIMEOUT_S
    ) as client:
        while not stop.is_set():
            began = time.monotonic()
            try:
                client.execute(sql, [key])
            except (trilithon.client.DatabaseError, trilithon.client.ConnectionLost) as error:
                recorder.refused(error.sqlstate)
                stop.wait(0.02)
            else:
                recorder.answered(region, "read", time.monotonic() - began)
                stop.wait(0.005)


def run_drill(
    drill: Drill,
    *,
    lease_ttl_ms: int = 0,
    calm_s: float = CALM_S,
    harm_s: float = HARM_S,
    progress: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """A fresh cluster, a load from every Region, the fault, the checks.

    Raises demo.CheckFailed when a promise is broken.
    """
    outcome = Outcome(drill.name)
    progress("starting a cluster")
    with running_cluster(rtt_ms=drill.rtt_ms, lease_ttl_ms=lease_ttl_ms) as cluster:
        ends = [
            demo.RegionEndpoints(region, found["postgresql"], found["grpc"])
            for region, found in cluster.endpoints.items()
        ]
        with trilithon.client.connect([end.grpc for end in ends]) as db:
            for sql in banking.SCHEMA:
                db.execute(sql)
            accounts = demo.open_accounts(db, ACCOUNTS, OPENING)
            _under_load(drill, cluster, ends, accounts, outcome, (calm_s, harm_s), progress)
            progress("checking the ledger")
            demo.check_ledger(db, accounts, OPENING, outcome.report)
    return outcome


def _under_load(
    drill: Drill,
    cluster: Cluster,
    ends: Sequence[demo.RegionEndpoints],
    accounts: Sequence[uuid.UUID],
    outcome: Outcome,
    durations_s: tuple[float, float],
    progress: Callable[[str], None],
) -> None:
    calm_s, harm_s = durations_s
    recorder = _Recorder(outcome)
    load = demo.Load(ends, accounts, workers=2, committed=recorder.answered)
    stop = threading.Event()
    readers = [
        threading.Thread(
            target=_read_forever,
            args=(end.region, end.grpc, accounts[0], recorder, stop),
            daemon=True,
        )
        for end in ends
    ]
    load.start()
    load.wait_for_commits(_HEALTHY_COMMITS, limit_s=60)
    for reader in readers:
        reader.start()
    stage = Stage(cluster, outcome, recorder.began, harm_s)
    try:
        progress("calm")
        stage.let_pass(calm_s)
        progress(drill.about)
        drill.fault(stage)
        load.wait_for_commits(_HEALTHY_COMMITS, limit_s=60)
        stage.let_pass(calm_s)
    finally:
        outcome.seconds = time.monotonic() - recorder.began
        stop.set()
        outcome.report = load.stop()
        for reader in readers:
            reader.join(timeout=2 * _READ_TIMEOUT_S)
    demo.check(not outcome.report.errors, "; ".join(outcome.report.errors[:3]))
