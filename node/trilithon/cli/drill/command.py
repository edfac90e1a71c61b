"""The command `trilithon drill`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from trilithon.cli.drill.outcome import Outcome

console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
errors = Console(stderr=True, highlight=False)


def drill(
    name: Annotated[str, typer.Argument(help="Which one, all, or goals; none: the list.")] = "",
    repeat: Annotated[
        int, typer.Option(min=1, max=1000, help="So many faults, one after the other.")
    ] = 1,
    lease_ttl_ms: Annotated[
        int, typer.Option(min=0, help="The cluster's lease_ttl_ms; 0: the default.")
    ] = 0,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the timeline as a PNG (needs matplotlib).")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write all numbers to this file.")
    ] = None,
    history: Annotated[
        Path | None, typer.Option(help="Write the list-append history, in Elle's form.")
    ] = None,
    into: Annotated[
        Path, typer.Option(help="The folder of `goals`: what it holds is not measured again.")
    ] = Path(".trilithon-drills"),
) -> None:
    """Failure drills: a fault in a cluster of its own, under load, and what it did.

    `goals` measures the drills that have goals, --repeat times each, and writes a table.
    """
    from trilithon.cli.drill.catalog import DRILLS, find_drill
    from trilithon.cli.drill.run import DrillFailed, run_drill

    if not name:
        for one in DRILLS:
            console.print(f"{one.name:18} {one.about}")
        return
    if name == "goals":
        raise typer.Exit(_measure_goals(into, repeat, lease_ttl_ms))
    try:
        chosen = DRILLS if name == "all" else (find_drill(name),)
    except KeyError as error:
        errors.print(escape(str(error.args[0])), style="red")
        raise typer.Exit(2) from None
    broken = False
    for one in chosen:
        try:
            with console.status(one.name) as status:
                outcome = run_drill(
                    one, repeat=repeat, lease_ttl_ms=lease_ttl_ms, progress=status.update
                )
        except DrillFailed as error:
            outcome, broken = error.outcome, True
        _tell(outcome, [_named(path, one.name, name) for path in (picture, json_file, history)])
    raise typer.Exit(1 if broken else 0)


def _named(path: Path | None, drill_name: str, asked: str) -> Path | None:
    """One file per drill when there are several."""
    if path is None or asked != "all":
        return path
    return path.with_stem(f"{path.stem}-{drill_name}")


def _tell(outcome: Outcome, files: list[Path | None]) -> None:
    from trilithon.cli.drill import goals, picture, report
    from trilithon.cli.drill.history import write_history

    picture_file, json_file, history_file = files
    report.show(console, outcome)
    if picture_file is not None and not picture.draw(outcome, picture_file):
        errors.print(escape(picture.MISSING), style="yellow")
    if json_file is not None:
        goals.write_json(outcome, json_file)
    if history_file is not None:
        write_history(outcome.history, history_file)


def _measure_goals(into: Path, repeat: int, lease_ttl_ms: int) -> int:
    """The exit code: 1 when a promise is broken. A goal that is missed is said in the table."""
    from trilithon.cli.drill import goals
    from trilithon.cli.drill.run import DrillFailed

    try:
        with console.status("goals") as status:
            found = goals.measure(into, repeat, lease_ttl_ms=lease_ttl_ms, progress=status.update)
    except DrillFailed as error:
        _tell(error.outcome, [None, into / f"{error.outcome.name}.json", into / "history.json"])
        return 1
    console.print(goals.markdown(found), markup=False, soft_wrap=True)
    for one in found:
        for result in goals.results(one.name, one.costs):
            mark = "[green]✓[/]" if result.met else "[red]✗[/]"
            limit = f"{result.measured_s:.2f} of {result.goal.limit_s:.1f} s"
            console.print(f"{mark} {one.name:10} {result.goal.name}: {limit}")
    console.print(f"written to {into / 'goals.md'}")
    return 0
