"""A whole cluster of real processes inside one program: start, kill, stop, pause, cut, look.

For drills and tests. Built on the CLI's own supervisor, so what they kill is what `trilithon up` runs.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from trilithon.chassis.config import ClusterConfig
from trilithon.chassis.proxy import ProxyControl
from trilithon.cli.guard import Guard
from trilithon.cli.plan import (
    Command,
    Plan,
    Shape,
    environment,
    find_or_make_config,
    make_plan,
)
from trilithon.cli.state import DataFolder
from trilithon.cli.status import ClusterStatus, collect, endpoints_of
from trilithon.cli.supervisor import Supervisor
from trilithon.cli.up import READY_SECONDS, tail, wait_ready
from trilithon.client.sync import background_loop

LOG_LINES = 40
_SERVED_LOOK_S = 0.03
_SERVED_CALL_S = 0.5


class Cluster:
    """One cluster. Names of processes are the configuration's ("a/journal-0"); a Region's name
    stands for all of its processes."""

    def __init__(self, plan: Plan, *, temporary: bool = False) -> None:
        """`temporary`: should this program die, its folder goes as well as its processes."""
        self.plan = plan
        self.config: ClusterConfig = plan.config
        self.folder = plan.folder
        self._supervisor = Supervisor(plan)
        # The supervisor has one owner at a time: the ticking thread or a test's call.
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._guard: Guard | None = None
        self._temporary = temporary

    def start(self) -> None:
        self._guard = Guard(self.folder.path if self._temporary else None, environment())
        self._supervisor.on_change = self._guard.watch
        self._supervisor.start()
        self._ticker.start()

    def stop(self) -> None:
        """Everything in order, as `trilithon down` does."""
        self._ending.set()
        if self._ticker.ident is not None:
            self._ticker.join()
        self._supervisor.stop()
        if self._guard is not None:
            self._guard.stop()

    def _tick(self) -> None:
        while not self._ending.wait(0.05):
            with self._lock:
                self._supervisor.tick()

    # ---- looking

    @property
    def endpoints(self) -> dict[str, dict[str, str]]:
        """{"a": {"postgresql": "127.0.0.1:15432", "grpc": ...}, ...}"""
        return endpoints_of(self.config)

    def postgresql(self, region: str) -> dict[str, Any]:
        """Keyword arguments for psycopg and its like."""
        host, _, port = self.endpoints[region]["postgresql"].rpartition(":")
        return {"host": host, "port": int(port), "user": "admin", "dbname": "postgres"}

    def grpc(self, region: str) -> str:
        return self.endpoints[region]["grpc"]

    def names(self, which: str) -> list[str]:
        """The processes of a Region, or the one process of that name."""
        names = [
            command.name
            for command in self.plan.commands
            if which in (command.name, command.region)
        ]
        if not names:
            raise ValueError(f"{which!r} is neither a process nor a Region")
        return names

    def pid(self, name: str) -> int:
        """0 while it is down."""
        return self._supervisor.children[name].pid

    def restarts(self, name: str) -> int:
        return self._supervisor.children[name].restarts

    def status(self) -> ClusterStatus:
        return background_loop.run(collect(self.config, self.folder.read_state()))

    def leader(self) -> str | None:
        return self.status().leader

    def log(self, name: str) -> str:
        return tail(self.folder.log_file(name), 10_000)

    def log_tails(self) -> str:
        """The end of every log: what a failed test prints."""
        return "\n\n".join(
            f"---- {command.name}\n{tail(self.folder.log_file(command.name), LOG_LINES)}"
            for command in self.plan.commands
        )

    # ---- waiting

    def wait_ready(self, timeout_s: float = READY_SECONDS) -> None:
        """Everyone answers, someone leads, every full Region may read."""
        try:
            background_loop.run(wait_ready(self.config, self.folder, timeout_s=timeout_s))
        except Exception as error:
            error.add_note(self.log_tails())
            raise

    def wait_until(
        self, condition: Callable[[ClusterStatus], object], timeout_s: float = READY_SECONDS
    ) -> ClusterStatus:
        """Ask for the status again and again until `condition` holds."""
        deadline = time.monotonic() + timeout_s
        while True:
            status = self.status()
            if condition(status):
                return status
            if time.monotonic() >= deadline:
                raise TimeoutError(f"did not happen: {status}\n{self.log_tails()}")

    def wait_served(self, names: Iterable[str], timeout_s: float = READY_SECONDS) -> Iterator[str]:
        """Each of these processes as soon as it serves. Raises TimeoutError."""
        left = set(names)
        deadline = time.monotonic() + timeout_s
        while left:
            status = background_loop.run(collect(self.config, timeout_s=_SERVED_CALL_S, only=left))
            for one in status.processes:
                if one.serves:
                    left.discard(one.name)
                    yield one.name
            if left and time.monotonic() >= deadline:
                raise TimeoutError(f"{', '.join(sorted(left))} did not serve\n{self.log_tails()}")
            self._ending.wait(_SERVED_LOOK_S)

    # ---- harming

    def kill(self, *which: str, restart: bool = False) -> None:
        """SIGKILL, all at once. They stay down until `resume`, or come back by themselves."""
        with self._lock:
            self._supervisor.kill(self._all(which), hold=not restart)

    def resume(self, *which: str) -> None:
        """Start those that are down."""
        with self._lock:
            self._supervisor.resume(self._all(which))

    def stop_processes(self, *which: str) -> None:
        """In order; they stay down until `resume`."""
        with self._lock:
            self._supervisor.stop_processes(self._all(which))

    def pause(self, *which: str) -> None:
        """SIGSTOP."""
        with self._lock:
            self._supervisor.pause(self._all(which))

    def unpause(self, *which: str) -> None:
        with self._lock:
            self._supervisor.unpause(self._all(which))

    def data_folder(self, name: str) -> Path:
        """Of a journal or a storage process."""
        for region in self.config.regions:
            for one in (*region.journal, *region.storage):
                if one.name == name:
                    return Path(one.data)
        raise ValueError(f"{name!r} has no data folder")

    def lose_data(self, name: str) -> None:
        """Delete the data folder of a process that is down."""
        if self.pid(name):
            raise ValueError(f"{name} runs: kill it before its disk is taken away")
        shutil.rmtree(self.data_folder(name))

    def fill_disk(self, name: str) -> None:
        """No file of this process grows any more, as if its disk was full; until `empty_disk`."""
        folder = self.data_folder(name)
        largest = max(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        with self._lock:
            self._supervisor.limit_files([name], largest)

    def empty_disk(self, name: str) -> None:
        with self._lock:
            self._supervisor.limit_files([name], None)

    @property
    def proxy(self) -> ProxyControl:
        """Cuts, delays and the like between Regions; for clusters started with `rtt_ms`."""
        if not self.plan.proxy_control:
            raise ValueError("start the cluster with rtt_ms to have a proxy")
        return ProxyControl(self.plan.proxy_control)

    def _all(self, which: Iterable[str]) -> list[str]:
        return [name for one in which for name in self.names(one)]


@contextlib.contextmanager
def running_cluster(
    *,
    regions: tuple[str, ...] = ("a", "b"),
    query: int = 1,
    adjudicator: int = 1,
    storage: int = 1,
    rtt_ms: float | None = None,
    lease_ttl_ms: int = 0,
    folder: Path | None = None,
    ready: bool = True,
    command: Callable[[Command], tuple[str, ...]] | None = None,
    **settings: object,
) -> Iterator[Cluster]:
    """A new cluster, or the one that `folder` holds, in real processes.

    `settings` are further top-level keys of the configuration; dots reach into tables, as in
    `**{"limits.transaction_rows": 10}`. `command` may replace what is run (tests of the harness).
    """
    made = folder is None
    path = Path(tempfile.mkdtemp(prefix="trilithon-test-")) if folder is None else folder
    data = DataFolder(path)
    shape = Shape(
        regions=regions,
        query=query,
        adjudicator=adjudicator,
        storage=storage,
        preferred_ports=False,
        lease_ttl_ms=lease_ttl_ms,
        extra=settings,
    )
    plan = make_plan(data, find_or_make_config(data, shape), rtt_ms=rtt_ms)
    if command is not None:
        commands = tuple(replace(one, arguments=command(one)) for one in plan.commands)
        plan = replace(plan, commands=commands)
    cluster = Cluster(plan, temporary=made)
    try:
        cluster.start()
        if ready:
            cluster.wait_ready()
        yield cluster
    finally:
        cluster.stop()
        if made:
            shutil.rmtree(path, ignore_errors=True)
