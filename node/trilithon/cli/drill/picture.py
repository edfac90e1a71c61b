"""The timeline as a PNG. Needs matplotlib, the extra `trilithon[drill]`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from trilithon.cli.drill.numbers import BIN_S, Timeline
from trilithon.cli.drill.outcome import Mark, Outcome

MISSING: Final = "no picture: matplotlib is not installed (pip install 'trilithon[drill]')"
_COLOURS: Final = {"commit": "tab:blue", "raw": "tab:orange", "read": "tab:green"}
_NAMES: Final = {"commit": "transfers (SDK)", "raw": "transfers (psycopg)", "read": "reads"}
_MARKS_NAMED_MAX: Final = 20


def draw(outcome: Outcome, path: Path) -> bool:
    """Per Region: answers per second, and every answer's latency. False without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    timeline = Timeline(outcome)
    rows = max(2 * len(timeline.regions), 1)
    figure = Figure(figsize=(max(11.0, outcome.seconds / 4), 2.2 * rows), layout="constrained")
    axes: Any = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    for index, region in enumerate(timeline.regions):
        rate, latency = axes[2 * index], axes[2 * index + 1]
        for kind, colour in _COLOURS.items():
            counts = [len(found) / BIN_S for found in timeline.bins(region, kind)]
            times = [place * BIN_S for place in range(len(counts))]
            rate.step(times, counts, where="post", label=_NAMES[kind], color=colour)
            found = timeline.between(region, kind, 0.0, outcome.seconds)
            latency.plot(
                [at for at, _ in found],
                [seconds * 1e3 for _, seconds in found],
                linestyle="",
                marker=".",
                markersize=2,
                color=colour,
            )
        rate.set_ylabel("per second")
        rate.set_title(f"Region {region}", loc="left")
        rate.legend(loc="upper right", ncols=len(_COLOURS), fontsize=7)
        latency.set_ylabel("latency, ms")
        latency.set_yscale("log")
        _draw_marks(rate, outcome.marks, named=len(outcome.marks) <= _MARKS_NAMED_MAX)
        _draw_marks(latency, outcome.marks, named=False)
    axes[-1].set_xlabel("seconds")
    figure.suptitle(outcome.name)
    figure.savefig(path, dpi=110, format="png")
    return True


def _draw_marks(axis: Any, marks: list[Mark], *, named: bool) -> None:
    for mark in marks:
        axis.axvline(mark.at_s, color="tab:red", linewidth=0.8)
        if named:
            where = (mark.at_s, axis.get_ylim()[1])
            axis.annotate(mark.text, where, fontsize=7, rotation=15, annotation_clip=False)
