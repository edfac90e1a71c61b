"""What a drill showed, for people: a timeline, tables, verdicts."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trilithon.cli.drill.goals import four, results
from trilithon.cli.drill.numbers import BIN_S, Timeline, costs, percentile
from trilithon.cli.drill.outcome import Outcome

_BARS: Final = " ▁▂▃▄▅▆▇█"
_SECONDS_SHOWN_MAX: Final = 60
_NAMES: Final = (("commit", "commits"), ("raw", "psycopg"), ("read", "reads"), ("busy", "busy"))


def show(console: Console, outcome: Outcome) -> None:
    """A long run, one of many faults, is shown by its numbers alone."""
    timeline = Timeline(outcome)
    console.print(f"[bold]{outcome.name}[/]  ({outcome.seconds:.1f} s)")
    if outcome.seconds <= _SECONDS_SHOWN_MAX:
        for region in timeline.regions:
            for kind in ("commit", "read"):
                console.print(f"  {region} {kind:6} {_sparkline(timeline, region, kind)}")
        console.print(f"           {_ruler(outcome)}")
        console.print(_seconds_table(outcome, timeline))
    console.print(_regions_table(outcome, timeline))
    if outcome.strikes:
        console.print(_costs_table(outcome))
    if outcome.broken:
        console.print(f"[red]✗ a promise was broken:[/] {escape(outcome.broken)}")
        return
    for line in verdicts(outcome):
        console.print(f"[green]✓[/] {line}")


def verdicts(outcome: Outcome) -> list[str]:
    """Said of a drill that raised nothing: its checks are behind it."""
    told = ", ".join(f"{state}: {count}" for state, count in sorted(outcome.errors.items()))
    verdict = outcome.verdict
    clients = (
        "psycopg and the SDK" if outcome.psycopg else "the SDK alone: psycopg is not installed"
    )
    return [
        f"acknowledged transfers lost: 0 of {len(outcome.report.acknowledged)}",
        "transfers there twice: 0; there although refused: 0 of"
        f" {len(outcome.report.refused)}; unknown to their clients: {outcome.unknown_transfers}",
        f"sums that readers saw change: 0 of {sum(outcome.report.totals_read.values())}",
        f"history: {verdict.transactions} list-append transactions, {verdict.reads} reads and"
        f" {verdict.appends} appends are strongly snapshot isolated, in real time and in every Region",
        "errors that run_transaction let through: 0",
        f"errors that clients bound to one Region saw ({clients}): {told or 'none'}",
    ]


def _regions_table(outcome: Outcome, timeline: Timeline) -> Table:
    table = Table("Region", "", "answers", "p50 ms", "p99 ms", "longest pause")
    for region in timeline.regions:
        for kind, name in _NAMES:
            found = timeline.between(region, kind, 0.0, outcome.seconds)
            if not found:
                continue
            latencies = [latency for _, latency in found]
            table.add_row(
                region,
                name,
                str(len(found)),
                f"{percentile(latencies, 0.5) * 1e3:.1f}",
                f"{percentile(latencies, 0.99) * 1e3:.1f}",
                f"{outcome.pause_s(region, kind):.2f} s",
            )
    return table


def _costs_table(outcome: Outcome) -> Table:
    """What the strikes cost, and which goals that meets."""
    found = costs(outcome)
    table = Table(f"{len(outcome.strikes)} faults, seconds", "p50 / p90 / p99 / max", "goal")
    goals = {
        cost: "; ".join(
            f"p{round(one.goal.share * 100)} ≤ {one.goal.limit_s} s "
            + ("[green]met[/]" if one.met else "[red]missed[/]")
            for one in results(outcome.name, found)
            if one.goal.cost == cost
        )
        for cost in {one.goal.cost for one in results(outcome.name, found)}
    }
    for name, cost in (
        ("commits of surviving Regions resume", "commit_pause"),
        ("their longest pause after the repair", "commit_pause_after"),
        ("reads pause, surviving leader's Region", "read_pause_leader"),
        ("reads pause, other surviving Region", "read_pause_follower"),
        ("reads of rows being written pause", "busy_pause"),
        ("commits pause without a fault", "calm_pause"),
        ("a restarted process serves after", "process_serves"),
        ("its Region's reads are answered after", "region_serves"),
    ):
        values: list[float] = getattr(found, cost)
        if values:
            table.add_row(name, four(values), goals.get(cost, ""))
    if len(found.serves) > 1:
        for name, values in sorted(found.serves.items()):
            table.add_row(f"  {name} serves after", four(values), "")
    return table


def _seconds_table(outcome: Outcome, timeline: Timeline) -> Table:
    """Second by second: answers and their median latency."""
    table = Table("second", box=None)
    columns = [
        (region, kind) for region in timeline.regions for kind, _ in _NAMES if kind != "busy"
    ]
    bins = {one: list(timeline.bins(*one, width_s=1.0)) for one in columns}
    for region, kind in columns:
        table.add_column(f"{region} {dict(_NAMES)[kind]}/s", justify="right")
        table.add_column("ms", justify="right", style="dim")
    table.add_column("")
    for second in range(int(outcome.seconds) + 1):
        cells = []
        for one in columns:
            found = bins[one][second]
            cells += [str(len(found)), f"{percentile(found, 0.5) * 1e3:.0f}" if found else ""]
        marks = "; ".join(
            f"{mark.at_s:.2f} s  {mark.text}" for mark in outcome.marks if int(mark.at_s) == second
        )
        table.add_row(str(second), *cells, escape(marks))
    return table


def _sparkline(timeline: Timeline, region: str, kind: str) -> str:
    counts = [len(found) for found in timeline.bins(region, kind)]
    top = max(counts) or 1
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // top)] for count in counts)


def _ruler(outcome: Outcome) -> str:
    cells = [" "] * (int(outcome.seconds / BIN_S) + 1)
    for mark in outcome.marks:
        cells[min(int(mark.at_s / BIN_S), len(cells) - 1)] = "^"
    return "".join(cells)
