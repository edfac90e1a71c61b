"""What a drill's strikes cost, in numbers. Seconds unless a name says otherwise."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any, Final

from trilithon.cli.drill.outcome import Outcome, Strike

KINDS: Final = ("commit", "raw", "read", "busy")
BIN_S: Final = 0.25


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all values do not exceed; 0.0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


class Timeline:
    """Samples by Region and kind, in the order of their times."""

    def __init__(self, outcome: Outcome) -> None:
        found: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
        for one in outcome.samples:
            found[one.region, one.kind].append((one.at_s, one.latency_s))
        self._samples = {key: sorted(samples) for key, samples in found.items()}
        self._times = {key: [at for at, _ in kept] for key, kept in self._samples.items()}
        self.regions = sorted({region for region, _ in found})
        self.seconds = outcome.seconds

    def between(
        self, region: str, kind: str, start: float, end: float
    ) -> list[tuple[float, float]]:
        """(when, latency) from `start` to `end`."""
        times = self._times.get((region, kind), [])
        return self._samples.get((region, kind), [])[
            bisect_left(times, start) : bisect_right(times, end)
        ]

    def pause(self, region: str, kind: str, start: float, end: float) -> float:
        """The longest time without a sample."""
        times = [start, *(at for at, _ in self.between(region, kind, start, end)), end]
        return max(after - before for before, after in pairwise(times))

    def bins(self, region: str, kind: str, width_s: float = BIN_S) -> Iterator[list[float]]:
        """The latencies of each stretch of time."""
        for index in range(int(self.seconds / width_s) + 1):
            start = index * width_s
            found = self.between(region, kind, start, start + width_s)
            yield [latency for at, latency in found if at < start + width_s]


@dataclass(slots=True)
class Costs:
    """One value per strike and Region (or process) that it is about.

    `survivors`: Regions that the fault leaves able to serve. The *leader Region* is the one whose adjudicator
    led when it struck.
    """

    # Longest time without a commit of a surviving Region's clients: under the fault, and after its end.
    commit_pause: list[float] = field(default_factory=list)
    commit_pause_after: list[float] = field(default_factory=list)
    # The same of reads bound to the surviving Region, of rows that nobody writes; and of those being written.
    read_pause_leader: list[float] = field(default_factory=list)
    read_pause_follower: list[float] = field(default_factory=list)
    busy_pause: list[float] = field(default_factory=list)
    # Before the fault, for comparison: what this machine does to commits without any.
    calm_pause: list[float] = field(default_factory=list)
    # From a process's start until it serves, and until its Region's own reads are answered.
    process_serves: list[float] = field(default_factory=list)
    region_serves: list[float] = field(default_factory=list)
    # By process.
    serves: dict[str, list[float]] = field(default_factory=dict)


def costs(outcome: Outcome) -> Costs:
    timeline = Timeline(outcome)
    found = Costs()
    ends = [strike.harm_s for strike in outcome.strikes[1:]] + [outcome.seconds]
    before = 0.0
    for strike, end in zip(outcome.strikes, ends, strict=True):
        _add_strike(found, timeline, strike, before, end)
        before = strike.ready_s or end
    return found


def _add_strike(
    found: Costs, timeline: Timeline, strike: Strike, before: float, end: float
) -> None:
    healed = end if strike.heal_s is None else strike.heal_s
    for region in timeline.regions:
        calm_from = max(before, strike.harm_s - 2.0)
        found.calm_pause.append(timeline.pause(region, "commit", calm_from, strike.harm_s))
        if region in strike.down:
            reads = timeline.between(region, "read", healed, end)
            found.region_serves.append((reads[0][0] if reads else end) - healed)
            continue
        harmed = strike.harm_s
        found.commit_pause.append(timeline.pause(region, "commit", harmed, healed))
        found.commit_pause_after.append(timeline.pause(region, "commit", healed, end))
        found.busy_pause.append(timeline.pause(region, "busy", harmed, healed))
        leads = strike.leader.partition("/")[0] == region
        pauses = found.read_pause_leader if leads else found.read_pause_follower
        pauses.append(timeline.pause(region, "read", harmed, healed))
    for name, seconds in strike.served_after_s.items():
        found.process_serves.append(seconds)
        found.serves.setdefault(name, []).append(seconds)


def to_json(outcome: Outcome) -> dict[str, Any]:
    """Everything, for programs."""
    timeline = Timeline(outcome)
    return {
        "drill": outcome.name,
        "seconds": outcome.seconds,
        "broken": outcome.broken,
        "psycopg": outcome.psycopg,
        "marks": [asdict(mark) for mark in outcome.marks],
        "strikes": [asdict(strike) | {"down": sorted(strike.down)} for strike in outcome.strikes],
        "costs": asdict(costs(outcome)),
        "errors": dict(outcome.errors),
        "transfers": {
            "acknowledged": len(outcome.report.acknowledged),
            "refused": len(outcome.report.refused),
            "unknown": outcome.unknown_transfers,
            "run_again": dict(outcome.report.conflicts),
            "sums_read": dict(outcome.report.totals_read),
        },
        "history": asdict(outcome.verdict),
        "bin_s": BIN_S,
        "timeline": {
            region: {
                kind: [
                    {
                        "per_s": len(found) / BIN_S,
                        "p50_ms": round(percentile(found, 0.5) * 1e3, 2),
                        "p99_ms": round(percentile(found, 0.99) * 1e3, 2),
                    }
                    for found in timeline.bins(region, kind)
                ]
                for kind in KINDS
            }
            for region in timeline.regions
        },
    }
