"""`trilithon up`, in the foreground and detached, `status`, `down`: the command itself, with roles
that only answer Status (they stand before the real ones on the import path)."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import harness  # noqa: F401  (one worker with everything that starts clusters, see tests/conftest.py)
import pytest

from trilithon.cli.state import DataFolder, Identity

ROLES = ("journal", "storage", "adjudicator", "query", "witness")


class Command:
    """The CLI in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        fakes = folder / "fakes"
        for role in ROLES:
            package = fakes / "trilithon" / role
            package.mkdir(parents=True)
            (package / "__init__.py").write_text("")
            (package / "role.py").write_text("from dummy_cluster_role import start\n")
        path = os.pathsep.join([str(fakes), str(Path(__file__).parent)])
        self.environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "160", "LINES": "50"}

    def arguments(self, *arguments: str) -> list[str]:
        command = [sys.executable, "-m", "trilithon.cli.main", *arguments]
        return [*command, "--data", str(self.data)]

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.arguments(*arguments),
            capture_output=True,
            text=True,
            timeout=100,
            env=self.environment,
            check=False,
        )

    def identities(self) -> list[Identity]:
        state = DataFolder(self.data).read_state()
        assert state is not None
        return [one.identity for one in state.processes.values()]


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    made = Command(tmp_path)
    yield made
    made("down")


def test_detached_up_status_down_and_up_again(command: Command) -> None:
    begun = command("up", "--detach", "--regions", "a,b")
    assert begun.returncode == 0, begun.stdout + begun.stderr + logs(command)
    assert "ready" in begun.stdout
    [a, b] = re.findall(r"psql -h 127.0.0.1 -p (\d+) -U admin postgres", begun.stdout)
    status = json.loads(command("status", "--json").stdout)
    assert status["endpoints"]["a"]["postgresql"] == f"127.0.0.1:{a}"
    assert status["endpoints"]["b"]["postgresql"] == f"127.0.0.1:{b}"
    assert len(status["processes"]) == 9
    first = command.identities()
    assert all(one.alive for one in first)

    again = command("up", "--detach")
    assert again.returncode == 2
    assert "already runs" in again.stderr
    other = command("up", "--regions", "a,b,c")
    assert other.returncode == 2
    assert "already has" in other.stderr

    ended = command("down")
    assert "stopped" in ended.stdout
    assert not any(one.alive for one in first)
    assert "nothing runs" in command("down").stdout

    assert command("up", "--detach").returncode == 0
    endpoints = json.loads(command("status", "--json").stdout)["endpoints"]
    assert endpoints == status["endpoints"], "ports are chosen once"
    # The supervisor is killed: what it left is still found, by pid and start time.
    state = DataFolder(command.data).read_state()
    assert state is not None
    left = command.identities()
    os.kill(state.supervisor.pid, signal.SIGKILL)
    assert command("down").returncode == 0
    assert not any(one.alive for one in left)


def logs(command: Command) -> str:
    return "\n".join(
        f"---- {path.name}\n{path.read_text()}" for path in sorted(command.data.glob("logs/*"))
    )


def test_a_cluster_that_cannot_start_says_why(command: Command) -> None:
    assert command("up", "--detach").returncode == 0
    command("down")
    config = command.data / "cluster.toml"
    config.write_text("lease_ttl_ms = 5\n" + config.read_text())
    refused = command("up", "--detach")
    assert refused.returncode == 2
    assert "lease_ttl_ms = 5: expected 100 to 60000" in refused.stderr


class Terminal:
    """A process on a pseudo-terminal."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        ours, theirs = pty.openpty()
        self._ours = ours
        self.text = ""
        self.process = subprocess.Popen(
            arguments,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**environment, "TERM": "xterm"},
            start_new_session=True,
        )
        os.close(theirs)

    def until(self, text: str, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.text:
            assert time.monotonic() < deadline, self.text
            ready, _, _ = select.select([self._ours], [], [], 0.2)
            if ready:
                with contextlib.suppress(OSError):
                    self.text += os.read(self._ours, 65536).decode(errors="replace")
            elif self.process.poll() is not None:
                assert text in self.text, self.text

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)


def test_the_foreground_shows_a_live_view_until_ctrl_c(command: Command) -> None:
    terminal = Terminal(command.arguments("up", "--rtt-ms", "2"), command.environment)
    try:
        terminal.until("What to type next")
        terminal.until("Ctrl-C stops everything in order")
        terminal.until("a/adjudicator-0")
        identities = command.identities()
        assert len(identities) == 10
        assert all(one.alive for one in identities)
        terminal.process.send_signal(signal.SIGINT)
        terminal.until("stopped in order")
        assert terminal.process.wait(30) == 0
        assert not any(one.alive for one in identities)
    finally:
        terminal.close()
