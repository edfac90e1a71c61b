"""Showing a cluster to people."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from trilithon.cli.status import ClusterStatus, ProcessStatus
from trilithon.core.csn import format_csn

# From here on a process is one line, remarks included. A pipe (see main.py) is wider.
_WIDE_COLUMNS = 140
_PIPE_COLUMNS = 200
_STATE_STYLES = {"leader": "bold green", "down": "bold red"}


def status_table(status: ClusterStatus, width: int) -> RenderableType:
    """Every process: who, where, and how far. Where `width` columns are not enough for everything on
    one line, addresses and remarks follow below."""
    if width >= _WIDE_COLUMNS:
        return _table(status, one_line=True, fill=width < _PIPE_COLUMNS)
    below = Table.grid(padding=(0, 2))
    below.add_column(no_wrap=True)
    below.add_column(no_wrap=True)
    below.add_column(overflow="fold")
    for one in status.processes:
        below.add_row(one.name, one.address, _remark(one))
    return Group(_table(status, one_line=False, fill=False), Text(), below)


def _table(status: ClusterStatus, *, one_line: bool, fill: bool) -> Table:
    # Filling, the table cuts the remarks where it must, and nothing else.
    table = Table(
        box=None,
        pad_edge=False,
        header_style="dim",
        expand=fill,
        collapse_padding=not one_line,
    )
    table.add_column("process", no_wrap=True)
    table.add_column("pid", justify="right", no_wrap=True)
    if one_line:
        table.add_column("address", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for name in ("epoch", "lease", "last", "settled", "applied"):
        table.add_column(name, justify="right", no_wrap=True)
    if one_line:
        table.add_column("", overflow="ellipsis", no_wrap=True, ratio=1)
    region = None
    for one in status.processes:
        if region not in (None, one.region):
            table.add_row()
        region = one.region
        table.add_row(
            one.name,
            str(one.pid or "-"),
            *([one.address] if one_line else []),
            Text(one.state, style=_STATE_STYLES.get(one.state, "green")),
            "" if one.epoch is None else str(one.epoch),
            "" if one.lease_ms is None else f"{one.lease_ms} ms",
            _csn(one.last_csn),
            _csn(one.settled_csn),
            _csn(one.applied_csn),
            *([_remark(one)] if one_line else []),
        )
    return table


def _csn(csn: int | None) -> str:
    return "" if csn is None else format_csn(csn)


def _remark(one: ProcessStatus) -> Text:
    parts: list[str] = []
    if one.restarts:
        parts.append(f"restarted {one.restarts}×")
    if one.sessions is not None:
        parts.append(f"{one.sessions} sessions, {one.commits} commits, {one.conflicts} conflicts")
    if one.note:
        parts.append(one.note)
    return Text("; ".join(parts), style="" if one.up else "red")


def endpoints_text(endpoints: Mapping[str, Mapping[str, str]]) -> str:
    lines = [
        f"Region [bold]{escape(region)}[/]   PostgreSQL [cyan]{where['postgresql']}[/]   "
        f"gRPC [cyan]{where['grpc']}[/]"
        for region, where in endpoints.items()
    ]
    return "\n".join(lines)


def next_steps(endpoints: Mapping[str, Mapping[str, str]], program: str, options: str = "") -> str:
    """What to type next. `options` (" --data DIR") say which cluster, unless it is the default."""
    lines = ["", "What to type next, in another terminal:"]
    for where in endpoints.values():
        host, _, port = where["postgresql"].rpartition(":")
        lines.append(f"  [bold]psql -h {host} -p {port} -U admin postgres[/]")
    lines.append(f"  [bold]{program} demo banking{options}[/]")
    return "\n".join(lines)


def live_view(status: ClusterStatus, width: int, *, hint: str) -> RenderableType:
    leader = status.leader or "nobody"
    head = Text.from_markup(f"\nleader: [bold]{leader}[/]   [dim]{hint}[/]\n")
    return Group(head, status_table(status, width))
