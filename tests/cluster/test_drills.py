"""Drills on real processes, shortened; and what they say about what they saw."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import harness  # noqa: F401 - puts this file with the others that start clusters
import pytest
from rich.console import Console

from trilithon.cli import demo
from trilithon.cli.drill import goals, picture
from trilithon.cli.drill import report as drill_report
from trilithon.cli.drill.catalog import DRILLS, find_drill
from trilithon.cli.drill.goals import results
from trilithon.cli.drill.numbers import costs, percentile
from trilithon.cli.drill.outcome import Mark, Outcome, Sample, Strike
from trilithon.cli.drill.run import DrillFailed, run_drill
from trilithon.cli.drill.stage import Drill, Stage


@pytest.mark.parametrize(
    ("name", "repeat"),
    [("isolate-b", 1), ("lost-disk", 1), ("full-disk-journal", 1), ("paused-leader", 2)],
)
def test_a_drill_keeps_every_promise(name: str, repeat: int) -> None:
    """`run_drill` itself raises when a promise is broken."""
    outcome = run_drill(find_drill(name), repeat=repeat, calm_s=0.5, harm_s=3.0)
    console = Console(record=True, width=160, quiet=True)
    drill_report.show(console, outcome)
    assert outcome.marks[-1].text == "ready"
    assert len(outcome.strikes) == repeat
    assert all(strike.harm_s < strike.heal_s < strike.ready_s for strike in outcome.strikes)  # type: ignore[operator]
    assert len(outcome.report.acknowledged) > 20
    assert {(one.region, one.kind) for one in outcome.samples} == {
        (region, kind) for region in "ab" for kind in ("commit", "raw", "read", "busy")
    }
    assert outcome.verdict.transactions > 20
    assert outcome.verdict.violations == []
    assert {one.client.split()[0] for one in outcome.history} == {"SDK", "psycopg"}


def test_a_broken_promise_fails_the_drill_and_all_that_was_seen_is_kept() -> None:
    def lies(stage: Stage) -> None:
        raise demo.CheckFailed("1 acknowledged transfers are missing")

    with pytest.raises(DrillFailed, match="are missing") as failed:
        run_drill(Drill("lies", "nothing", lies), calm_s=0.2)
    assert failed.value.outcome.broken
    assert failed.value.outcome.samples
    assert "a/journal-0" in failed.value.__notes__[0], "the ends of all logs"


def test_every_drill_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "drills.md").read_text("utf-8")
    assert [drill.name for drill in DRILLS if f"\n| `{drill.name}` | " not in page] == []
    names = [drill.name for drill in DRILLS]
    assert len(set(names)) == len(names)


def test_an_unknown_drill_is_told_which_there_are() -> None:
    with pytest.raises(KeyError, match="region-a"):
        find_drill("nonsense")


def _outcome() -> Outcome:
    """Region b is killed at 1.0 s and back at 3.0 s; a, which leads, goes on at 2.5 s."""
    outcome = Outcome("region-b", seconds=6.0)
    outcome.marks = [Mark(1.0, "kill b"), Mark(3.0, "start b"), Mark(4.0, "ready")]
    outcome.strikes = [
        Strike(1.0, frozenset("b"), "a/adjudicator-0", 3.0, 4.0, {"b/query-0": 0.75})
    ]
    times = [*(0.25 * n for n in range(5)), *(2.5 + 0.25 * n for n in range(14))]
    for at in times:
        outcome.samples.append(Sample(at, "a", "commit", 0.01))
        if not 1.0 < at < 3.5:
            outcome.samples += [Sample(at, "b", kind, 0.02) for kind in ("commit", "read")]
    outcome.samples += [Sample(n / 10, "a", "read", 0.001) for n in range(60)]
    return outcome


def test_a_pause_is_the_longest_time_without_an_answer_from_the_first_mark_on() -> None:
    outcome = _outcome()
    assert outcome.pause_s("a", "commit") == pytest.approx(1.5)
    assert outcome.pause_s("a", "raw") == pytest.approx(5.0), "no answer at all is a pause too"
    outcome.seconds = 9.0
    assert outcome.pause_s("a", "commit") == pytest.approx(3.25), "up to the very end"


def test_costs_are_counted_where_the_fault_left_a_region_able_to_serve() -> None:
    found = costs(_outcome())
    assert found.commit_pause == pytest.approx([1.5])
    assert found.commit_pause_after == pytest.approx([0.25])
    assert found.read_pause_leader == pytest.approx([0.1])
    assert found.read_pause_follower == []
    assert found.region_serves == pytest.approx([0.5])
    assert found.process_serves == [0.75]
    judged = {one.goal.name: one for one in results("region-b", found)}
    assert judged["commits resume, p50"].met
    assert judged["a restarted process serves"].met
    assert not any("witness" in name or "other Region" in name for name in judged)
    slow = _outcome()
    slow.strikes[0].served_after_s["b/storage-0"] = 3.5
    assert not all(one.met for one in results("region-b", costs(slow)))


def test_the_report_shows_every_region_and_mark() -> None:
    console = Console(record=True, width=160)
    drill_report.show(console, _outcome())
    text = console.export_text()
    assert "1.00 s  kill b" in text
    assert "1.50 / 1.50" in text
    assert "strongly snapshot isolated" in text
    broken = _outcome()
    broken.broken = "1 acknowledged transfers are missing"
    drill_report.show(console, broken)
    text = console.export_text()
    assert "1 acknowledged transfers are missing" in text
    assert "strongly snapshot isolated" not in text
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0
    assert percentile([], 0.99) == 0.0


def test_the_numbers_are_json_and_the_goals_a_table(tmp_path: Path) -> None:
    goals.write_json(_outcome(), tmp_path / "region-b.json")
    raw = json.loads((tmp_path / "region-b.json").read_text())
    assert raw["timeline"]["a"]["commit"][0]["per_s"] == 4.0
    assert raw["strikes"][0]["down"] == ["b"]
    # What a folder holds is not measured again: no cluster is started here.
    [kept] = goals.measure(tmp_path, 1, drills=["region-b"])
    assert kept.costs.commit_pause == pytest.approx([1.5])
    text = (tmp_path / "goals.md").read_text()
    assert "| `region-b` | 1 | 1.50 / 1.50 / 1.50 / 1.50 |" in text
    assert "| commits resume, p50 | 2.0 s | met, 1.50 |" in text


def test_the_timeline_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert picture.draw(_outcome(), tmp_path / "timeline.png")
    assert (tmp_path / "timeline.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_there_is_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert not picture.draw(_outcome(), tmp_path / "timeline.png")
    assert "trilithon[drill]" in picture.MISSING
