"""What a drill showed, for people: a timeline, a table per Region, verdicts; a picture where matplotlib is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from trilithon.cli.drill.outcome import Mark, Outcome

_BIN_S: Final = 0.25
_BARS: Final = " ▁▂▃▄▅▆▇█"


def show(console: Console, outcome: Outcome) -> None:
    regions = sorted({sample.region for sample in outcome.samples})
    console.print(f"[bold]{outcome.name}[/]  ({outcome.seconds:.1f} s)")
    for region in regions:
        for kind in ("commit", "read"):
            console.print(f"  {region} {kind:6} {_sparkline(outcome, region, kind)}")
    console.print(f"           {_ruler(outcome)}")
    for mark in outcome.marks:
        console.print(f"  {mark.at_s:6.2f} s  {mark.text}")
    console.print(_table(outcome, regions))
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


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of all values do not exceed; 0.0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _table(outcome: Outcome, regions: list[str]) -> Table:
    table = Table("Region", "commits", "p50 ms", "p99 ms", "commit pause", "reads", "read pause")
    for region in regions:
        commits = [s.latency_s for s in outcome.samples if (s.region, s.kind) == (region, "commit")]
        reads = [s for s in outcome.samples if (s.region, s.kind) == (region, "read")]
        table.add_row(
            region,
            str(len(commits)),
            f"{percentile(commits, 0.5) * 1e3:.1f}",
            f"{percentile(commits, 0.99) * 1e3:.1f}",
            f"{outcome.pause_s(region, 'commit'):.2f} s",
            str(len(reads)),
            f"{outcome.pause_s(region, 'read'):.2f} s",
        )
    return table


def _bins(outcome: Outcome, region: str, kind: str) -> list[int]:
    counts = [0] * (int(outcome.seconds / _BIN_S) + 1)
    for sample in outcome.samples:
        if (sample.region, sample.kind) == (region, kind) and sample.at_s <= outcome.seconds:
            counts[int(sample.at_s / _BIN_S)] += 1
    return counts


def _sparkline(outcome: Outcome, region: str, kind: str) -> str:
    counts = _bins(outcome, region, kind)
    top = max(counts) or 1
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // top)] for count in counts)


def _ruler(outcome: Outcome) -> str:
    cells = [" "] * (int(outcome.seconds / _BIN_S) + 1)
    for mark in outcome.marks:
        cells[min(int(mark.at_s / _BIN_S), len(cells) - 1)] = "^"
    return "".join(cells)


def draw(outcome: Outcome, path: Path) -> bool:
    """A PNG of the timeline; False when matplotlib is not installed."""
    try:
        import matplotlib as mpl  # type: ignore[import-not-found]
    except ImportError:
        return False
    mpl.use("Agg")
    from matplotlib import pyplot

    regions = sorted({sample.region for sample in outcome.samples})
    figure, axes = pyplot.subplots(len(regions), 1, sharex=True, figsize=(11, 2.6 * len(regions)))
    for axis, region in zip([axes] if len(regions) == 1 else axes, regions, strict=True):
        for kind, colour in (("commit", "tab:blue"), ("read", "tab:green")):
            rate = [count / _BIN_S for count in _bins(outcome, region, kind)]
            times = [index * _BIN_S for index in range(len(rate))]
            axis.step(times, rate, where="post", label=f"{kind}s per second", color=colour)
        _draw_marks(axis, outcome.marks)
        axis.set_title(f"Region {region}")
        axis.legend(loc="upper right")
    figure.suptitle(outcome.name)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
    return True


def _draw_marks(axis: object, marks: list[Mark]) -> None:
    for mark in marks:
        axis.axvline(mark.at_s, color="tab:red", linewidth=0.8)  # type: ignore[attr-defined]
        axis.text(mark.at_s, axis.get_ylim()[1], mark.text, fontsize=7, rotation=20)  # type: ignore[attr-defined]
