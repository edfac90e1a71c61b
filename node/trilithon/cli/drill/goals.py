"""What failures may cost, and whether they do: the drills again and again, judged by their numbers.

    trilithon drill goals --repeat 30 --into FOLDER

Each drill runs in one cluster, `repeat` faults one after the other, and leaves FOLDER/NAME.json; a drill that
has left enough is not run again. FOLDER/goals.md is the table of all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from trilithon.cli.drill.catalog import find_drill
from trilithon.cli.drill.numbers import Costs, percentile, to_json
from trilithon.cli.drill.outcome import Outcome
from trilithon.cli.drill.run import run_drill

GOAL_DRILLS: Final = (
    "region-a",
    "region-b",
    "leader",
    "follower",
    "journal",
    "storage",
    "witness",
    "query",
)
CALM_S: Final = 1.0
HARM_S: Final = 6.0
# Shorter than this nobody calls it a stall: a machine with few cores does as much without any fault.
NOT_STALLED_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound for a percentile of one of the costs. `drills`: empty means every one."""

    name: str
    cost: str
    share: float
    limit_s: float
    drills: tuple[str, ...] = ()

    def applies(self, drill: str) -> bool:
        return not self.drills or drill in self.drills

    def measured(self, found: Costs) -> float | None:
        values: list[float] = getattr(found, self.cost)
        return percentile(values, self.share) if values else None


_RESUMING: Final = tuple(name for name in GOAL_DRILLS if name != "witness")
GOALS: Final = (
    Goal("commits resume, p50", "commit_pause", 0.5, 2.0, _RESUMING),
    Goal("commits resume, p99", "commit_pause", 0.99, 3.5, _RESUMING),
    Goal("reads in the leader's Region do not stall", "read_pause_leader", 1.0, NOT_STALLED_S),
    Goal("reads in the other Region resume, p50", "read_pause_follower", 0.5, 2.0),
    Goal("reads in the other Region resume, p99", "read_pause_follower", 0.99, 3.5),
    Goal("the witness's loss is not seen", "commit_pause", 1.0, NOT_STALLED_S, ("witness",)),
    Goal("a restarted process serves", "process_serves", 0.99, 3.0),
)


@dataclass(frozen=True, slots=True)
class Result:
    goal: Goal
    measured_s: float

    @property
    def met(self) -> bool:
        return self.measured_s <= self.goal.limit_s


def results(drill: str, found: Costs) -> list[Result]:
    """Goals that have nothing to measure in this drill are left out."""
    judged = []
    for goal in GOALS:
        if goal.applies(drill) and (measured := goal.measured(found)) is not None:
            judged.append(Result(goal, measured))
    return judged


@dataclass(frozen=True, slots=True)
class Measured:
    """One drill's JSON."""

    raw: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.raw["drill"])

    @property
    def strikes(self) -> int:
        return len(self.raw["strikes"])

    @property
    def costs(self) -> Costs:
        return Costs(**{one.name: self.raw["costs"][one.name] for one in fields(Costs)})


def measure(
    into: Path,
    repeat: int,
    *,
    drills: Sequence[str] = GOAL_DRILLS,
    lease_ttl_ms: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Measured]:
    """Run what is missing. Raises demo.CheckFailed when a promise is broken."""
    into.mkdir(parents=True, exist_ok=True)
    found = []
    for name in drills:
        path = into / f"{name}.json"
        kept = _read(path)
        if kept is None or kept.strikes < repeat:
            drill = find_drill(name)

            def say(text: str, name: str = name) -> None:
                progress(f"{name}: {text}")

            outcome = run_drill(
                drill,
                repeat=repeat,
                lease_ttl_ms=lease_ttl_ms,
                calm_s=CALM_S,
                harm_s=HARM_S,
                progress=say,
            )
            write_json(outcome, path)
            kept = Measured(to_json(outcome))
        found.append(kept)
        (into / "goals.md").write_text(markdown(found), "utf-8")
    return found


def write_json(outcome: Outcome, path: Path) -> None:
    path.write_text(json.dumps(to_json(outcome)) + "\n", "utf-8")


def _read(path: Path) -> Measured | None:
    try:
        found = Measured(json.loads(path.read_text("utf-8")))
        return None if found.raw["broken"] else found if found.costs else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


_COLUMNS: Final = (
    ("commits resume", "commit_pause"),
    ("commits, after the repair", "commit_pause_after"),
    ("reads, leader's Region", "read_pause_leader"),
    ("reads, other Region", "read_pause_follower"),
    ("reads of rows being written", "busy_pause"),
    ("a process serves", "process_serves"),
    ("its Region's reads", "region_serves"),
    ("commits, no fault", "calm_pause"),
)


def four(values: Sequence[float]) -> str:
    """p50 / p90 / p99 / max; a dash of nothing."""
    if not values:
        return "–"
    return " / ".join(f"{percentile(values, share):.2f}" for share in (0.5, 0.9, 0.99, 1.0))


def markdown(found: Sequence[Measured]) -> str:
    """The table, and which goals are met."""
    heads = ["drill", "faults", *(title for title, _ in _COLUMNS)]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for one in found:
        cells = [f"`{one.name}`", str(one.strikes)]
        cells += [four(getattr(one.costs, cost)) for _, cost in _COLUMNS]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "| goal | limit | " + " | ".join(f"`{one.name}`" for one in found) + " |"]
    lines.append("|" + "---|" * (2 + len(found)))
    for goal in GOALS:
        cells = []
        for one in found:
            measured = goal.measured(one.costs) if goal.applies(one.name) else None
            if measured is None:
                cells.append("–")
            else:
                met = "met" if measured <= goal.limit_s else "**missed**"
                cells.append(f"{met}, {measured:.2f}")
        lines.append(f"| {goal.name} | {goal.limit_s:.1f} s | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
