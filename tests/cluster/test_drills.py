"""Drills on real processes, shortened; and what they say about what they saw."""

from __future__ import annotations

import harness  # noqa: F401 - puts this file with the others that start clusters
import pytest
from rich.console import Console

from trilithon.cli.drill import report as drill_report
from trilithon.cli.drill.catalog import find_drill
from trilithon.cli.drill.outcome import Mark, Outcome, Sample
from trilithon.cli.drill.run import run_drill


@pytest.mark.parametrize("name", ["isolate-b", "storage-rebuild", "paused-leader"])
def test_a_drill_keeps_every_promise(name: str) -> None:
    """`run_drill` itself raises when a promise is broken."""
    outcome = run_drill(find_drill(name), calm_s=0.5, harm_s=3.0)
    console = Console(record=True, width=160, quiet=True)
    drill_report.show(console, outcome)
    assert outcome.marks[-1].text == "ready"
    assert len(outcome.report.acknowledged) > 20
    assert {sample.region for sample in outcome.samples} == {"a", "b"}


def test_an_unknown_drill_is_told_which_there_are() -> None:
    with pytest.raises(KeyError, match="region-a"):
        find_drill("nonsense")


def _outcome() -> Outcome:
    times = [0.1, 0.9, 1.0, 3.5, 3.6]
    samples = [Sample(at, "a", "commit", 0.01 * n) for n, at in enumerate(times, 1)]
    return Outcome("x", samples=samples, marks=[Mark(0.95, "kill")], seconds=4.0)


def test_a_pause_is_the_longest_time_without_an_answer_from_the_first_mark_on() -> None:
    outcome = _outcome()
    assert outcome.pause_s("a", "commit") == pytest.approx(2.5)
    assert outcome.pause_s("a", "read") == pytest.approx(3.05), "no answer at all is a pause too"
    outcome.seconds = 9.0
    assert outcome.pause_s("a", "commit") == pytest.approx(5.4), "up to the very end"


def test_the_report_shows_every_region_and_mark() -> None:
    console = Console(record=True, width=160)
    drill_report.show(console, _outcome())
    text = console.export_text()
    assert "0.95 s  kill" in text
    assert "2.50 s" in text
    assert drill_report.percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0
    assert drill_report.percentile([], 0.99) == 0.0
