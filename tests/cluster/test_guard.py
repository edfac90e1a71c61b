"""A program that embeds a cluster and dies leaves no process and no folder behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import harness  # noqa: F401 - puts this file with the others that start clusters
import pytest
import test_supervisor

from trilithon.cli.guard import obey
from trilithon.cli.plan import environment
from trilithon.cli.state import Identity, identity_of

EMBEDS = """
import json, sys, threading
sys.path.insert(0, sys.argv[1])
import test_supervisor

def hold():
    with test_supervisor.dummies() as cluster:
        cluster.kill("b/storage-0")
        cluster.resume("b/storage-0")
        cluster.pause("w/journal-0")
        pids = [cluster.pid(command.name) for command in cluster.plan.commands]
        print(json.dumps({"pids": pids, "folder": str(cluster.folder.path)}), flush=True)
        threading.Event().wait()

# Not the main thread: nothing may hang on the life of the thread that started the processes.
thread = threading.Thread(target=hold)
thread.start()
thread.join()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_the_program(how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", EMBEDS, str(Path(__file__).parent)],
        stdout=subprocess.PIPE,
        env=environment(),
    ) as program:
        assert program.stdout is not None
        told = json.loads(program.stdout.readline())
        processes = [identity_of(pid) for pid in told["pids"]]
        assert len(processes) == 9
        assert all(one.alive for one in processes)
        os.kill(program.pid, how)
        program.wait(30)
    test_supervisor.until(lambda: not any(one.alive for one in processes))
    test_supervisor.until(lambda: not Path(told["folder"]).exists())


def _sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])


def test_what_is_told_is_ended_and_nothing_else(tmp_path: Path) -> None:
    watched, left, stranger = _sleeper(), _sleeper(), _sleeper()
    try:
        (tmp_path / "folder").mkdir()
        obey(
            [
                f"+{watched.pid} {identity_of(watched.pid).started}\n",
                f"+{left.pid} {identity_of(left.pid).started}\n",
                f"-{left.pid}\n",
                # The same pid, but another process's start time.
                f"+{stranger.pid} {Identity(stranger.pid, 1).started}\n",
                f"rm {tmp_path / 'folder'}\n",
            ]
        )
        assert watched.wait(10) == -signal.SIGKILL
        assert left.poll() is None
        assert stranger.poll() is None
        assert not (tmp_path / "folder").exists()
        obey([f"+{left.pid} {identity_of(left.pid).started}\n", "bye\n"])
        assert left.poll() is None, "an orderly end ends nothing"
    finally:
        for one in (watched, left, stranger):
            one.kill()
            one.wait()
