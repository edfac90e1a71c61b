"""What a data folder remembers: the cluster's configuration, who supervises, which processes run.

A pid alone proves nothing, it may have been given to somebody else: a process is ours when its
start time is the remembered one as well.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from trilithon.chassis.render import write_file

DEFAULT_FOLDER: Final = Path(".trilithon")


@dataclass(frozen=True, slots=True)
class Identity:
    pid: int
    # Clock ticks from boot to the process's start.
    started: int

    @property
    def alive(self) -> bool:
        return self.started > 0 and start_ticks(self.pid) == self.started

    def signal(self, number: int) -> bool:
        """Send a signal if this still is the process that we mean."""
        if not self.alive:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
            return True
        return False


def start_ticks(pid: int) -> int:
    """When the process started; 0 when there is none (or only its zombie)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # The name, in parentheses, may contain anything.
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in ("Z", "X") else int(fields[19])


def identity_of(pid: int) -> Identity:
    return Identity(pid, start_ticks(pid))


@dataclass(slots=True)
class ProcessState:
    identity: Identity
    # starting, running, restarting, paused, stopped or failed.
    state: str = "running"
    restarts: int = 0
    # A restart in progress, or why it failed; for people.
    note: str = ""


@dataclass(slots=True)
class ClusterState:
    """The file state.json of a data folder."""

    config: str
    supervisor: Identity
    processes: dict[str, ProcessState] = field(default_factory=dict)
    # The control socket of the proxy between Regions; empty without one.
    proxy_control: str = ""


class DataFolder:
    """`cluster.toml`, `state.json`, `lock`, logs and run files below one folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def config_file(self) -> Path:
        return self.path / "cluster.toml"

    def log_file(self, process: str) -> Path:
        return self.path / "logs" / (process.replace("/", "-") + ".log")

    def run_file(self, name: str) -> Path:
        return self.path / "run" / name

    def read_state(self) -> ClusterState | None:
        try:
            raw: dict[str, Any] = json.loads((self.path / "state.json").read_text("utf-8"))
            return ClusterState(
                config=raw["config"],
                supervisor=Identity(**raw["supervisor"]),
                processes={
                    name: ProcessState(
                        Identity(**one["identity"]), one["state"], one["restarts"], one["note"]
                    )
                    for name, one in raw["processes"].items()
                },
                proxy_control=raw["proxy_control"],
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write_state(self, state: ClusterState) -> None:
        def identity(one: Identity) -> dict[str, int]:
            return {"pid": one.pid, "started": one.started}

        raw = {
            "config": state.config,
            "supervisor": identity(state.supervisor),
            "processes": {
                name: {
                    "identity": identity(one.identity),
                    "state": one.state,
                    "restarts": one.restarts,
                    "note": one.note,
                }
                for name, one in state.processes.items()
            },
            "proxy_control": state.proxy_control,
        }
        write_file(self.path / "state.json", json.dumps(raw, indent=1))

    def lock(self) -> IO[str] | None:
        """Held by the supervisor while it lives; None when another one holds it."""
        self.path.mkdir(parents=True, exist_ok=True)
        file = open(self.path / "lock", "a", encoding="utf-8")  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
        return file


def end_process(identity: Identity, *, grace_s: float) -> None:
    """SIGTERM, then SIGKILL after `grace_s`; returns once it is gone. For processes of ours that
    are nobody's children any more."""
    if not identity.signal(signal.SIGTERM):
        return
    deadline = time.monotonic() + grace_s
    while identity.alive and time.monotonic() < deadline:
        time.sleep(0.02)
    identity.signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while identity.alive and time.monotonic() < deadline:
        time.sleep(0.02)
