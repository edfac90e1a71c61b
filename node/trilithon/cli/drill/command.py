"""The command `trilithon drill`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
errors = Console(stderr=True, highlight=False)


def drill(
    name: Annotated[str, typer.Argument(help="Which one, or all; none: the list.")] = "",
    lease_ttl_ms: Annotated[
        int, typer.Option(min=0, help="The cluster's lease_ttl_ms; 0: the default.")
    ] = 0,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the timeline as a PNG (needs matplotlib).")
    ] = None,
) -> None:
    """Failure drills: a fault in a cluster of its own, under load, and what it did."""
    from trilithon.cli.demo import CheckFailed
    from trilithon.cli.drill import report
    from trilithon.cli.drill.catalog import DRILLS, find_drill
    from trilithon.cli.drill.run import run_drill

    if not name:
        for one in DRILLS:
            console.print(f"{one.name:16} {one.about}")
        return
    try:
        chosen = DRILLS if name == "all" else (find_drill(name),)
    except KeyError as error:
        errors.print(escape(str(error.args[0])), style="red")
        raise typer.Exit(2) from None
    for one in chosen:
        try:
            with console.status(one.name) as status:
                outcome = run_drill(one, lease_ttl_ms=lease_ttl_ms, progress=status.update)
        except CheckFailed as error:
            errors.print(f"[red]{one.name}: a promise was broken:[/] {escape(str(error))}")
            raise typer.Exit(1) from None
        report.show(console, outcome)
        if picture is not None and not report.draw(outcome, picture):
            errors.print("no picture: matplotlib is not installed", style="yellow")
