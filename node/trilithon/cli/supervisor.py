"""Starts the processes of a plan, restarts those that die, stops all in order.

Plain and synchronous: its owner (the CLI's loop, a test's thread) calls `tick` a few times a
second; one owner at a time.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from trilithon.cli.plan import Command, Plan, environment, stop_order
from trilithon.cli.state import (
    ClusterState,
    Identity,
    ProcessState,
    end_process,
    identity_of,
)

STOP_SECONDS: Final = 15.0
_BACKOFF_MIN_S: Final = 0.2
_BACKOFF_MAX_S: Final = 5.0
# A process that lived this long was well: it is restarted with the shortest backoff.
_WELL_SECONDS: Final = 10.0
# So many deaths in a row without having been well: it is given up.
RESTARTS_IN_A_ROW_MAX: Final = 12
_LOG_BYTES_MAX: Final = 16 * 1024 * 1024


class AlreadyRunning(Exception):
    """Another supervisor owns this data folder."""


@dataclass(slots=True)
class Child:
    command: Command
    popen: subprocess.Popen[bytes] | None = None
    state: str = "stopped"
    restarts: int = 0
    deaths_in_a_row: int = 0
    started_at: float = 0.0
    # When it is to be started again.
    due: float = 0.0
    note: str = ""
    # Told to stay down (drills, tests).
    held: bool = False
    # No file may grow beyond it (drills, tests); None: no bound.
    file_bytes_max: int | None = None

    @property
    def pid(self) -> int:
        return self.popen.pid if self.popen is not None and self.popen.poll() is None else 0


def limit_files(pid: int, bytes_max: int | None) -> None:
    """Bound the size to which a child may write files. EFBIG is what its writes get (Python ignores SIGXFSZ)."""
    soft = resource.RLIM_INFINITY if bytes_max is None else bytes_max
    with contextlib.suppress(ProcessLookupError):
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft if soft >= 0 else hard, hard))


class Supervisor:
    """One per data folder; holds the folder's lock from `start` to `stop`."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.children = {command.name: Child(command) for command in plan.commands}
        self._lock: IO[str] | None = None
        # Told after every start and end which processes run.
        self.on_change: Callable[[list[Identity]], None] = lambda _: None

    def start(self) -> None:
        """Start everything. Raises AlreadyRunning; ends what an earlier supervisor left behind."""
        self._lock = self.plan.folder.lock()
        if self._lock is None:
            state = self.plan.folder.read_state()
            pid = f" (pid {state.supervisor.pid})" if state is not None else ""
            raise AlreadyRunning(f"a cluster already runs in {self.plan.folder.path}{pid}")
        left = self.plan.folder.read_state()
        if left is not None:
            for one in left.processes.values():
                end_process(one.identity, grace_s=STOP_SECONDS)
        for child in self.children.values():
            self._spawn(child)
        self._save()

    def tick(self) -> None:
        """Notice what died, start what is due."""
        now = time.monotonic()
        changed = False
        for child in self.children.values():
            if child.state in ("running", "paused") and child.popen is not None:
                code = child.popen.poll()
                if code is not None:
                    self._died(child, code, now)
                    changed = True
            if child.state == "restarting" and not child.held and child.due <= now:
                child.restarts += 1
                self._spawn(child)
                changed = True
        if changed:
            self._save()

    def _died(self, child: Child, code: int, now: float) -> None:
        child.deaths_in_a_row = (
            1 if now - child.started_at >= _WELL_SECONDS else child.deaths_in_a_row + 1
        )
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        child.note = f"ended with {how}"
        if child.held:
            child.state = "stopped"
        elif child.deaths_in_a_row > RESTARTS_IN_A_ROW_MAX:
            child.state = "failed"
            child.note += f", {RESTARTS_IN_A_ROW_MAX} restarts did not help"
        else:
            child.state = "restarting"
            exponent = min(child.deaths_in_a_row - 1, 10)
            child.due = now + min(_BACKOFF_MIN_S * 2**exponent, _BACKOFF_MAX_S)

    def _spawn(self, child: Child) -> None:
        log = self._open_log(child.command.name)
        try:
            child.popen = subprocess.Popen(
                child.command.arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(),
                # Ctrl-C in the terminal is ours to handle: everything stops in order.
                start_new_session=True,
            )
        finally:
            log.close()
        if child.file_bytes_max is not None:
            # Long before its interpreter is up.
            limit_files(child.popen.pid, child.file_bytes_max)
        child.started_at = time.monotonic()
        child.state = "running"
        child.held = False
        self.on_change([self.identity(name) for name in self.children])

    def _open_log(self, name: str) -> IO[bytes]:
        path = self.plan.folder.log_file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):
            if path.stat().st_size > _LOG_BYTES_MAX:
                path.replace(path.with_suffix(".log.old"))
        return open(path, "ab")

    def _save(self) -> None:
        state = ClusterState(
            config=str(self.plan.config_file),
            supervisor=identity_of(os.getpid()),
            processes={
                name: ProcessState(self.identity(name), child.state, child.restarts, child.note)
                for name, child in self.children.items()
            },
            proxy_control=self.plan.proxy_control,
        )
        self.plan.folder.write_state(state)
        self.on_change([one.identity for one in state.processes.values()])

    def identity(self, name: str) -> Identity:
        pid = self.children[name].pid
        return identity_of(pid) if pid else Identity(0, 0)

    @property
    def failed(self) -> list[Child]:
        """Given up: they died again and again."""
        return [child for child in self.children.values() if child.state == "failed"]

    # ---- for drills and tests

    def kill(self, names: Iterable[str], *, hold: bool = True) -> None:
        """SIGKILL, at once for all of them. With `hold` they stay down until `resume`."""
        chosen = [self.children[name] for name in names]
        for child in chosen:
            child.held = hold
            if child.popen is not None and child.popen.poll() is None:
                child.popen.kill()
        for child in chosen:
            if child.popen is not None:
                child.popen.wait(STOP_SECONDS)
        self.tick()

    def resume(self, names: Iterable[str]) -> None:
        """Start those that are down."""
        for name in names:
            child = self.children[name]
            if child.pid == 0:
                child.restarts += 1
                self._spawn(child)
        self._save()

    def pause(self, names: Iterable[str]) -> None:
        """SIGSTOP: alive, holding its connections, doing nothing."""
        self._signal(names, signal.SIGSTOP, "paused")

    def unpause(self, names: Iterable[str]) -> None:
        self._signal(names, signal.SIGCONT, "running")

    def limit_files(self, names: Iterable[str], bytes_max: int | None) -> None:
        """Writes of these processes beyond so many bytes of a file fail from now on, as on a full disk,
        after restarts too. None: no bound any more."""
        for name in names:
            child = self.children[name]
            child.file_bytes_max = bytes_max
            if child.pid:
                limit_files(child.pid, bytes_max)

    def _signal(self, names: Iterable[str], number: int, state: str) -> None:
        for name in names:
            child = self.children[name]
            if child.popen is not None and child.popen.poll() is None:
                child.popen.send_signal(number)
                child.state = state
        self._save()

    def stop_processes(self, names: Iterable[str]) -> None:
        """Stop in order and hold: SIGTERM, SIGKILL for those that do not listen."""
        chosen = [self.children[name] for name in names]
        for child in chosen:
            child.held = True
        for child in chosen:
            if child.popen is not None and child.popen.poll() is None:
                if child.state == "paused":
                    child.popen.send_signal(signal.SIGCONT)
                child.popen.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in chosen:
            if child.popen is None:
                continue
            try:
                child.popen.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.note = f"did not stop within {STOP_SECONDS:.0f} s and was killed"
                child.popen.kill()
                child.popen.wait(STOP_SECONDS)
            child.state = "stopped"
        self._save()

    def stop(self, progress: Callable[[str], None] | None = None) -> None:
        """Stop everything in order: query processors first, journals last; free the folder."""
        if self._lock is None:
            return
        for child in self.children.values():
            child.held = True
        for names in stop_order(self.plan.commands):
            if progress is not None:
                progress(", ".join(names))
            self.stop_processes(names)
        with contextlib.suppress(OSError):
            (self.plan.folder.path / "state.json").unlink()
        if self.plan.proxy_control:
            with contextlib.suppress(OSError):
                control = Path(self.plan.proxy_control)
                control.unlink(missing_ok=True)
                control.parent.rmdir()
        self._lock.close()
        self._lock = None
