"""Ends a cluster's processes when the program that embeds it is gone, however it went.

    python -m trilithon.cli.guard        (reads its orders from standard input)

Only the embedding program holds the other end of standard input: the end of it is its death. The guard then
kills what it was told of, paused processes too, and removes what was made for the occasion. Asking the kernel
for a signal at the parent's death would be one line, but it counts the parent's *thread*, and threads come and go.

Orders, one a line: `+PID STARTED` (watch it), `-PID` (no more), `rm FOLDER` (to be removed), `bye` (all is in
order: do nothing). A pid is ours only with the start time that was said.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from trilithon.cli.state import Identity


class Guard:
    """The embedding program's end."""

    def __init__(self, folder: Path | None, environment: dict[str, str]) -> None:
        """`folder` is removed when we die; None: nothing is."""
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "trilithon.cli.guard"],
            stdin=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        self._told: set[Identity] = set()
        if folder is not None:
            self._order(f"rm {folder}")

    @property
    def pid(self) -> int:
        return self._popen.pid

    def watch(self, running: Iterable[Identity]) -> None:
        """All processes that run now."""
        now = {one for one in running if one.started}
        if now == self._told:
            return
        for gone in self._told - now:
            self._order(f"-{gone.pid}")
        for new in now - self._told:
            self._order(f"+{new.pid} {new.started}")
        self._told = now

    def stop(self) -> None:
        self._order("bye")
        if self._popen.stdin is not None:
            with contextlib.suppress(OSError):
                self._popen.stdin.close()
        self._popen.wait()

    def _order(self, line: str) -> None:
        """A guard that was killed guards nothing; the cluster does not need it."""
        if self._popen.stdin is not None:
            with contextlib.suppress(OSError):
                self._popen.stdin.write(line.encode() + b"\n")
                self._popen.stdin.flush()


def obey(lines: Iterable[str]) -> None:
    """Returns when the lines end, everything done."""
    watched: dict[int, Identity] = {}
    folders: list[str] = []
    for line in lines:
        match line.rstrip("\n"):
            case "bye":
                return
            case order if order.startswith("+"):
                pid, started = map(int, order[1:].split())
                watched[pid] = Identity(pid, started)
            case order if order.startswith("-"):
                watched.pop(int(order[1:]), None)
            case order if order.startswith("rm "):
                folders.append(order[3:])
    for one in watched.values():
        one.signal(signal.SIGKILL)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    obey(sys.stdin)
