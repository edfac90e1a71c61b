"""`trilithon up`: start, wait until ready, show, stop in order; or leave a supervisor behind."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.status import Status

from trilithon.chassis.config import ClusterConfig
from trilithon.chassis.load import load
from trilithon.cli.plan import Plan, environment
from trilithon.cli.state import DEFAULT_FOLDER, DataFolder, end_process
from trilithon.cli.status import collect, endpoints_of
from trilithon.cli.supervisor import STOP_SECONDS, Supervisor
from trilithon.cli.view import endpoints_text, live_view, next_steps

READY_SECONDS: Final = 90.0
_TICK_SECONDS: Final = 0.1
_REFRESH_SECONDS: Final = 1.0
# One group after the other, and what each may take.
_DOWN_SECONDS: Final = 6 * STOP_SECONDS
_LOG_LINES: Final = 12


class NotReady(Exception):
    """The cluster did not come up; the text says what was missing."""


async def supervise(plan: Plan, console: Console, *, program: str, watch: bool) -> int:
    """Run the cluster in the foreground until a signal asks to stop. Returns the exit code."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)
    supervisor = Supervisor(plan)
    supervisor.start()
    ticking = asyncio.create_task(_keep_ticking(supervisor))
    try:
        if not await _come_up(supervisor, console, stopping):
            return 1 if not stopping.is_set() else 0
        endpoints = endpoints_of(plan.config)
        console.print(endpoints_text(endpoints))
        console.print(next_steps(endpoints, program, which(plan.folder)))
        if watch:
            await _watch(plan, console, stopping)
        await stopping.wait()
        return 0
    finally:
        ticking.cancel()
        with console.status("stopping …") as status:

            def progress(names: str) -> None:
                status.update(f"stopping {escape(names)} …")

            await asyncio.to_thread(supervisor.stop, progress)
        console.print("stopped in order; the data is kept")


async def _keep_ticking(supervisor: Supervisor) -> None:
    while True:
        supervisor.tick()
        await asyncio.sleep(_TICK_SECONDS)


async def _come_up(supervisor: Supervisor, console: Console, stopping: asyncio.Event) -> bool:
    plan = supervisor.plan
    count = len(supervisor.children)
    with console.status(f"starting {count} processes …") as status:
        waiter = asyncio.create_task(
            wait_ready(plan.config, plan.folder, progress=_progress_on(status))
        )
        stop = asyncio.create_task(stopping.wait())
        await asyncio.wait({waiter, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not waiter.done():
            waiter.cancel()
            return False
        try:
            took = waiter.result()
        except NotReady as error:
            console.print(f"[red]{escape(str(error))}[/]")
            _show_logs(supervisor, console)
            return False
    console.print(f"[green]ready[/] after {took:.1f} s: {count} processes\n")
    return True


def _progress_on(status: Status) -> Callable[[str], None]:
    return lambda text: status.update(escape(text))


def _show_logs(supervisor: Supervisor, console: Console) -> None:
    for child in supervisor.children.values():
        if child.state in ("failed", "restarting") or child.restarts:
            path = supervisor.plan.folder.log_file(child.command.name)
            console.print(f"\n[bold]{child.command.name}[/] {escape(child.note)}, {path}:")
            console.print(tail(path, _LOG_LINES), markup=False, highlight=False)


def which(folder: DataFolder) -> str:
    """The option that later commands need to mean this cluster."""
    return "" if folder.path == DEFAULT_FOLDER else f" --data {folder.path}"


def tail(path: Path, lines: int) -> str:
    try:
        return "\n".join(path.read_text("utf-8", errors="replace").splitlines()[-lines:])
    except OSError as error:
        return str(error)


async def wait_ready(
    config: ClusterConfig,
    folder: DataFolder,
    *,
    timeout_s: float = READY_SECONDS,
    progress: Callable[[str], None] = lambda _: None,
) -> float:
    """Until everyone answers, someone leads and every full Region may read. Returns the seconds.

    Raises NotReady when that does not happen in time, or when a process was given up.
    """
    begun = time.monotonic()
    while True:
        state = folder.read_state()
        status = await collect(config, state)
        missing = status.missing()
        if not missing:
            return time.monotonic() - begun
        given_up = [
            f"{name} {one.note}"
            for name, one in (state.processes if state is not None else {}).items()
            if one.state == "failed"
        ]
        if given_up:
            raise NotReady("given up: " + "; ".join(given_up))
        if time.monotonic() - begun > timeout_s:
            raise NotReady(f"not ready after {timeout_s:.0f} s: " + "; ".join(missing))
        up = sum(one.up for one in status.processes)
        progress(f"{up} of {len(status.processes)} processes answer; {missing[-1]} …")
        await asyncio.sleep(_TICK_SECONDS)


async def _watch(plan: Plan, console: Console, stopping: asyncio.Event) -> None:
    hint = "Ctrl-C stops everything in order"

    if not console.is_terminal:
        return
    with Live(console=console, auto_refresh=False) as live:
        while not stopping.is_set():
            status = await collect(plan.config, plan.folder.read_state())
            live.update(live_view(status, console.width, hint=hint), refresh=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _REFRESH_SECONDS)


def detach(
    folder: DataFolder, config_file: Path, arguments: Sequence[str], console: Console, program: str
) -> int:
    """Start a supervisor that outlives us, wait until the cluster is ready. Returns the exit code."""
    path = folder.log_file("supervisor")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "trilithon.cli.main", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment(),
            start_new_session=True,
        )
    config = load(config_file)

    async def wait() -> float:
        waiter = asyncio.create_task(wait_ready(config, folder, progress=_progress_on(status)))
        while not waiter.done():
            if supervisor.poll() is not None:
                waiter.cancel()
                raise NotReady(f"the supervisor ended:\n{tail(path, _LOG_LINES)}")
            await asyncio.wait({waiter}, timeout=_TICK_SECONDS)
        return waiter.result()

    with console.status("starting …") as status:
        try:
            took = asyncio.run(wait())
        except NotReady as error:
            console.print(f"[red]{escape(str(error))}[/]")
            if supervisor.poll() is None:
                supervisor.terminate()
                supervisor.wait(_DOWN_SECONDS)
            return 1
    endpoints = endpoints_of(config)
    console.print(f"[green]ready[/] after {took:.1f} s, in the background\n")
    console.print(endpoints_text(endpoints))
    console.print(next_steps(endpoints, program, which(folder)))
    for command in ("status", "down"):
        console.print(f"  [bold]{program} {command}{which(folder)}[/]")
    return 0


def take_down(folder: DataFolder, console: Console) -> int:
    """Stop the folder's cluster, in order when its supervisor lives. Returns the exit code."""
    state = folder.read_state()
    if state is None:
        console.print(f"nothing runs in {folder.path}")
        return 0
    with console.status("stopping in order …"):
        end_process(state.supervisor, grace_s=_DOWN_SECONDS)
        left = folder.read_state()
        if left is not None:
            # Its supervisor was lost: ours by pid and start time all the same.
            for one in reversed(list(left.processes.values())):
                end_process(one.identity, grace_s=STOP_SECONDS)
            (folder.path / "state.json").unlink(missing_ok=True)
    console.print("stopped; the data is kept")
    return 0
