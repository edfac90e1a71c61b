"""What a drill observed. All times are seconds since the load began, on one monotonic clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from trilithon.cli import demo
from trilithon.cli.drill.history import Operation
from trilithon.cli.drill.judge import Verdict


@dataclass(frozen=True, slots=True)
class Sample:
    """Something a client of a Region was given.

    `kind`: "commit" (a transfer through run_transaction), "raw" (one through psycopg), "read" (of a row
    that nobody writes), "busy" (of one that is being written).
    """

    at_s: float
    region: str
    kind: str
    latency_s: float


@dataclass(frozen=True, slots=True)
class Mark:
    at_s: float
    text: str


@dataclass(slots=True)
class Strike:
    """One fault. `down`: Regions whose own service it takes away, so that their pause is no surprise."""

    harm_s: float
    down: frozenset[str] = frozenset()
    # Which adjudicator led just before.
    leader: str = ""
    heal_s: float | None = None
    ready_s: float | None = None
    # Process -> from its start until it served.
    served_after_s: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Outcome:
    name: str
    samples: list[Sample] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    strikes: list[Strike] = field(default_factory=list)
    # What Region-bound clients were told, by SQLSTATE.
    errors: Counter[str] = field(default_factory=Counter)
    # Of the transfers; its errors are what `run_transaction` did not hide: there must be none.
    report: demo.LoadReport = field(default_factory=demo.LoadReport)
    seconds: float = 0.0
    # Whether clients with PostgreSQL's own protocol took part.
    psycopg: bool = False
    # Raw transfers whose commit was answered with nothing certain: there at most once.
    unknown_transfers: int = 0
    client_errors: list[str] = field(default_factory=list)
    history: list[Operation] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)
    # Which promise was not kept; empty: all were.
    broken: str = ""

    def pause_s(
        self, region: str, kind: str, start: float | None = None, end: float | None = None
    ) -> float:
        """The longest time without a sample of this kind; from the first mark to the end, if not told."""
        if start is None:
            start = self.marks[0].at_s if self.marks else 0.0
        if end is None:
            end = self.seconds
        found = (s.at_s for s in self.samples if s.region == region and s.kind == kind)
        times = sorted(at for at in found if start <= at <= end)
        return max(after - before for before, after in pairwise([start, *times, end]))
