"""The command `trilithon`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.markup import escape

from trilithon.chassis.config import ClusterConfig
from trilithon.chassis.load import ConfigError, load
from trilithon.cli.drill.command import drill
from trilithon.cli.plan import Plan, Shape, find_or_make_config, make_plan
from trilithon.cli.state import DEFAULT_FOLDER, ClusterState, DataFolder
from trilithon.cli.status import ClusterStatus, collect, endpoints_of
from trilithon.cli.supervisor import AlreadyRunning
from trilithon.cli.up import detach, supervise, take_down
from trilithon.cli.view import live_view, status_table

app = typer.Typer(
    name="trilithon",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="An open, multi-Region, active-active SQL database that speaks PostgreSQL.",
)
demo_app = typer.Typer(no_args_is_help=True, help="Demonstrations against a running cluster.")
app.add_typer(demo_app, name="demo")

# For a file or a pipe nothing is cut.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
errors = Console(stderr=True, highlight=False)

DataOption = Annotated[
    Path, typer.Option("--data", help="The data folder.", envvar="TRILITHON_DATA")
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The cluster's configuration (TOML).")
]


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster that a command is about."""

    folder: DataFolder
    config: ClusterConfig
    state: ClusterState | None

    def endpoint(self, region: str | None) -> tuple[str, list[str]]:
        """The Region and the gRPC addresses to try: its own query processors."""
        full = [one for one in self.config.regions if not one.witness]
        for one in full:
            if region in (None, one.name):
                return one.name, [process.address for process in one.query]
        raise _Refused(f"--region {region}: expected one of {', '.join(one.name for one in full)}")


class _Refused(Exception):
    """The command cannot be done; the text says why."""


def _find(data: Path, config: Path | None) -> Cluster:
    folder = DataFolder(data)
    state = folder.read_state()
    if config is None:
        config = Path(state.config) if state is not None else folder.config_file
        if not config.exists():
            raise _Refused(
                f"there is no cluster in {data}; start one with `trilithon up`, "
                "or say --data DIR or --config FILE"
            )
    return Cluster(folder, load(config), state)


def _program() -> str:
    """How the user called us, for what we tell them to type next."""
    called = Path(sys.argv[0])
    if called.name != "trilithon":
        return f"{sys.executable} -m trilithon.cli.main"
    try:
        return str(called.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(called)


@app.command()
def up(
    data: DataOption = DEFAULT_FOLDER,
    config: ConfigOption = None,
    in_background: Annotated[
        bool, typer.Option("--detach", help="Leave it running in the background.")
    ] = False,
    rtt_ms: Annotated[
        float | None,
        typer.Option(min=0, max=10_000, help="Put so much distance between the Regions."),
    ] = None,
    regions: Annotated[
        str, typer.Option(help="A new cluster's full Regions, separated by commas.")
    ] = "a,b",
    query: Annotated[
        int, typer.Option(min=1, max=16, help="A new cluster's query processors per Region.")
    ] = 1,
    adjudicators: Annotated[
        int, typer.Option(min=1, max=16, help="A new cluster's adjudicators per Region.")
    ] = 1,
    storage: Annotated[
        int, typer.Option(min=1, max=64, help="A new cluster's storage processes per Region.")
    ] = 1,
    background: Annotated[bool, typer.Option("--supervisor", hidden=True)] = False,
) -> None:
    """Start a whole cluster on this machine. Started again it finds its data."""
    folder = DataFolder(data)
    names = tuple(name.strip() for name in regions.split(",") if name.strip())
    shape = Shape(names, query, adjudicators, storage)
    config_file = config or find_or_make_config(folder, shape)
    plan = make_plan(folder, config_file, rtt_ms=rtt_ms)
    if config is None:
        _check_shape(plan, shape)
    if in_background:
        raise typer.Exit(_detach(plan, rtt_ms))
    console.print(f"[bold]Trilithon[/] in {escape(str(data))}: {_describe(plan.config)}")
    running = supervise(plan, console, program=_program(), watch=not background)
    raise typer.Exit(asyncio.run(running))


def _check_shape(plan: Plan, wanted: Shape) -> None:
    """Options that differ from what the data folder already is are refused, not ignored."""
    full = [region for region in plan.config.regions if not region.witness]
    default = Shape()
    for option, given, usual, found in (
        ("--regions", wanted.regions, default.regions, tuple(region.name for region in full)),
        ("--query", wanted.query, default.query, len(full[0].query)),
        ("--adjudicators", wanted.adjudicator, default.adjudicator, len(full[0].adjudicator)),
        ("--storage", wanted.storage, default.storage, len(full[0].storage)),
    ):
        if given not in (usual, found):
            raise _Refused(
                f"{option} {given}: the cluster in {plan.folder.path} already has {found}; "
                f"change {plan.config_file} or choose another --data"
            )


def _describe(config: ClusterConfig) -> str:
    return ", ".join(
        f"witness {region.name}" if region.witness else f"Region {region.name}"
        for region in config.regions
    )


def _detach(plan: Plan, rtt_ms: float | None) -> int:
    lock = plan.folder.lock()
    if lock is None:
        raise AlreadyRunning(f"a cluster already runs in {plan.folder.path}")
    lock.close()
    arguments = ["up", "--supervisor", "--data", str(plan.folder.path)]
    arguments += ["--config", str(plan.config_file)]
    if rtt_ms is not None:
        arguments += ["--rtt-ms", str(rtt_ms)]
    return detach(plan.folder, plan.config_file, arguments, console, _program())


@app.command()
def down(data: DataOption = DEFAULT_FOLDER) -> None:
    """Stop the cluster of a data folder, in order."""
    raise typer.Exit(take_down(DataFolder(data), console))


@app.command()
def status(
    data: DataOption = DEFAULT_FOLDER,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Again every second.")] = False,
) -> None:
    """Every process: Region, role, pid, address, epoch, leader, lease, how far it is."""
    cluster = _find(data, config)

    async def once() -> ClusterStatus:
        return await collect(cluster.config, cluster.folder.read_state())

    async def forever() -> None:
        with Live(console=console, auto_refresh=False) as live:
            while True:
                live.update(
                    live_view(await once(), console.width, hint="Ctrl-C leaves"), refresh=True
                )
                await asyncio.sleep(1)

    if watch and not as_json:
        asyncio.run(forever())
    found = asyncio.run(once())
    if as_json:
        sys.stdout.write(json.dumps(found.to_json(), indent=2) + "\n")
    else:
        console.print(status_table(found, console.width))
        console.print(f"\nleader: [bold]{found.leader or 'nobody'}[/]")
    raise typer.Exit(0 if any(one.up for one in found.processes) else 1)


@app.command()
def lead(
    region: Annotated[str, typer.Argument(help="The Region that is to lead.")],
    data: DataOption = DEFAULT_FOLDER,
    config: ConfigOption = None,
) -> None:
    """Move leadership to a Region, in order: commits pause for about two round trips."""
    from trilithon.cli import lead as leading

    try:
        led = asyncio.run(leading.lead(_find(data, config).config, region))
    except leading.CannotLead as error:
        errors.print(escape(str(error)), style="red")
        raise typer.Exit(1) from None
    how = (
        "leads already"
        if led.before == led.leader
        else f"leads now, after {led.before or 'nobody'}"
    )
    console.print(f"{led.leader} {how} (epoch {led.epoch})")


@app.command()
def sql(
    data: DataOption = DEFAULT_FOLDER,
    config: ConfigOption = None,
    region: Annotated[str | None, typer.Option(help="Which Region to ask.")] = None,
    command: Annotated[str | None, typer.Option("-c", help="Run this and leave.")] = None,
    file: Annotated[Path | None, typer.Option("-f", help="Run this file and leave.")] = None,
    user: Annotated[str, typer.Option("-U", help="The role to be.")] = "admin",
) -> None:
    """A small SQL shell over the gRPC SDK."""
    from trilithon.chassis.main import read_tls
    from trilithon.cli.shell import Conversation, interact, run_sql
    from trilithon.link import GrpcNetwork

    cluster = _find(data, config)
    name, addresses = cluster.endpoint(region)
    tls = read_tls(cluster.config.tls)
    with Conversation(lambda: GrpcNetwork(tls=tls), addresses, user) as conversation:
        if command is None and file is None and sys.stdin.isatty():
            raise typer.Exit(interact(conversation, name, console))
        if command is not None:
            text = command
        elif file is not None:
            try:
                text = file.read_text("utf-8")
            except OSError as error:
                raise _Refused(f"-f {file}: {error.strerror}") from None
        else:
            text = sys.stdin.read()
        raise typer.Exit(run_sql(conversation, text, console, sys.stderr))


@app.command()
def rebuild(
    which: Annotated[
        str, typer.Argument(metavar="REGION", help="A Region, or one journal or storage process.")
    ],
    data: DataOption = DEFAULT_FOLDER,
    config: ConfigOption = None,
) -> None:
    """After disks were lost and replaced by empty ones: readmit the journals, refill the storage."""
    from trilithon.chassis.main import read_tls
    from trilithon.cli.rebuild import RebuildFailed, Rebuilding
    from trilithon.link import GrpcNetwork

    cluster = _find(data, config)

    async def work() -> int:
        with console.status("looking …") as status:
            rebuilding = Rebuilding(
                cluster.config,
                GrpcNetwork(tls=read_tls(cluster.config.tls)),
                told=lambda text: console.print(escape(text)),
                progress=lambda text: status.update(escape(text)),
            )
            await rebuilding.run(which)
            return rebuilding.changes_count

    try:
        changes = asyncio.run(work())
    except RebuildFailed as error:
        raise _Refused(str(error)) from None
    console.print(f"{escape(which)}: {'rebuilt' if changes else 'nothing to rebuild'}")


@demo_app.command()
def banking(
    data: DataOption = DEFAULT_FOLDER,
    config: ConfigOption = None,
    seconds: Annotated[float, typer.Option(min=1, help="How long the transfers run.")] = 10.0,
    accounts: Annotated[int, typer.Option(min=2, help="How many accounts.")] = 50,
) -> None:
    """The core-banking ledger, end to end, through psql, psycopg and the SDK, in every Region."""
    from trilithon.cli.demo import CheckFailed, RegionEndpoints, run_banking

    cluster = _find(data, config)
    endpoints = [
        RegionEndpoints(region, where["postgresql"], where["grpc"])
        for region, where in endpoints_of(cluster.config).items()
    ]
    try:
        run_banking(endpoints, console, seconds=seconds, accounts=accounts)
    except CheckFailed as error:
        errors.print(f"[red]a promise was broken:[/] {escape(str(error))}")
        raise typer.Exit(1) from None


app.command()(drill)


@app.command()
def run(
    process: Annotated[str, typer.Option(help='The process\'s name, e.g. "a/journal-0".')],
    config: Annotated[Path, typer.Option(help="The cluster's configuration (TOML).")],
) -> None:
    """Run one process of a cluster by itself, in the foreground."""
    module = "trilithon.chassis.main"
    arguments = [sys.executable, "-m", module, "--config", str(config), "--process", process]
    os.execv(sys.executable, arguments)


def main() -> None:
    try:
        app()
    except (ConfigError, AlreadyRunning, _Refused) as error:
        errors.print(escape(str(error)), style="red")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
