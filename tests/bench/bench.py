"""`make bench`: pgbench's built-in scripts and five statements of everyday kinds against this cluster and
against PostgreSQL, in one run.

    make bench ARGS="--seconds 10 --clients 1,8,32 --protocol prepared --region a"

Figures are ratios on purpose: both systems share the machine with the load generator, one after the
other, in turns. At the end, where the time of a commit goes, hop by hop, as measured by the processes.
`--parts pgbench,statements,hops` leaves out what is not named.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "cluster"))

import hops
import pgbench
import statements
from harness import Cluster, running_cluster
from peer import Peer, PeerMissing, postgresql
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

# pgbench -i loads its table in one COPY transaction.
BULK_LIMITS = {
    "limits.transaction_rows": 1_000_000,
    "limits.transaction_bytes": 100 << 20,
    "limits.message_bytes": 128 << 20,
}


@dataclass(frozen=True, slots=True)
class Row:
    script: str
    clients: int
    ours: pgbench.Figure
    peer: pgbench.Figure | None


def main() -> int:
    options = _options()
    console = Console()
    with running_cluster(rtt_ms=options.rtt_ms or None, **BULK_LIMITS) as cluster:  # type: ignore[arg-type]
        try:
            with postgresql() as peer:
                console.print(f"beside {peer.version}, durable defaults, same machine, same run")
                _compare(console, options, cluster, peer)
        except PeerMissing as missing:
            console.print(f"[yellow]no peer: {missing}; figures without ratios[/]")
            _compare(console, options, cluster, None)
        if "hops" in options.parts:
            _show_hops(console, cluster, options.region)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5, help="per figure")
    parser.add_argument("--clients", default="1,8,32")
    parser.add_argument("--parts", default="pgbench,statements,hops")
    parser.add_argument("--scripts", default=",".join(pgbench.SCRIPTS))
    parser.add_argument(
        "--protocol", default="prepared", choices=("simple", "extended", "prepared")
    )
    parser.add_argument("--scale", type=int, default=1, help="pgbench's scale: 100,000 rows each")
    parser.add_argument("--region", default="a")
    parser.add_argument("--rtt-ms", type=float, default=0.0, help="distance between the Regions")
    return parser.parse_args()


def _compare(
    console: Console, options: argparse.Namespace, cluster: Cluster, peer: Peer | None
) -> None:
    host, _, port = cluster.endpoints[options.region]["postgresql"].rpartition(":")
    targets = [(host, int(port)), *([(peer.host, peer.port)] if peer else [])]
    if "pgbench" in options.parts:
        _compare_scripts(console, options, targets)
    if "statements" in options.parts:
        _compare_statements(console, options, targets)


def _compare_scripts(
    console: Console, options: argparse.Namespace, targets: list[tuple[str, int]]
) -> None:
    clients = [int(count) for count in options.clients.split(",")]
    scripts = options.scripts.split(",")
    rows: list[Row] = []
    with Progress(console=console, transient=True) as progress:
        steps = len(targets) * (1 + len(scripts) * len(clients))
        task = progress.add_task("pgbench -i", total=steps)
        for target in targets:
            pgbench.initialise(*target, options.scale)
            progress.advance(task)
        for script in scripts:
            for count in clients:
                progress.update(task, description=f"{script}, {count} clients")
                figures = []
                for target in targets:
                    figures.append(
                        pgbench.run(
                            *target,
                            script,
                            clients=count,
                            seconds=options.seconds,
                            protocol=options.protocol,
                        )
                    )
                    progress.advance(task)
                rows.append(
                    Row(script, count, figures[0], figures[1] if len(figures) > 1 else None)
                )
    console.print(_table(rows, options.protocol))


def _compare_statements(
    console: Console, options: argparse.Namespace, targets: list[tuple[str, int]]
) -> None:
    table = Table(title="statements, one client, prepared: medians")
    for name in ("statement", "runs", "trilithon ms", "peer ms", "ratio"):
        table.add_column(name, justify="left" if name == "statement" else "right")
    with ExitStack() as open_connections:
        connections = [
            open_connections.enter_context(closing(statements.prepare(*target)))
            for target in targets
        ]
        for result in statements.measure(connections, options.seconds):
            peer = result.peer_ms
            table.add_row(
                result.name,
                str(result.runs),
                f"{result.ours_ms:.2f}",
                f"{peer:.2f}" if peer is not None else "-",
                f"{peer / result.ours_ms:.3f}" if peer is not None else "-",
            )
    console.print(table)


def _table(rows: list[Row], protocol: str) -> Table:
    table = Table(title=f"pgbench, -M {protocol}")
    for name in ("script", "clients", "trilithon /s", "ms", "failed", "peer /s", "ratio"):
        table.add_column(name, justify="left" if name == "script" else "right")
    for row in rows:
        peer = row.peer
        table.add_row(
            row.script,
            str(row.clients),
            f"{row.ours.tps:,.0f}",
            f"{row.ours.latency_ms:.2f}",
            str(row.ours.failed),
            f"{peer.tps:,.0f}" if peer else "-",
            f"{row.ours.tps / peer.tps:.3f}" if peer and peer.tps else "-",
        )
    return table


def _show_hops(console: Console, cluster: Cluster, region: str) -> None:
    table = Table(title=f"one commit at a time through Region {region}, microseconds (medians)")
    table.add_column("hop")
    table.add_column("µs", justify="right")
    for hop, microseconds in hops.measure(cluster, region):
        table.add_row(hop, f"{microseconds:,.0f}")
    console.print(table)


if __name__ == "__main__":
    raise SystemExit(main())
