"""PostgreSQL (Debian's package) on a free loopback port, as the peer of a comparison."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "expression"))

from postgresql_server import PostgresqlMissing as PeerMissing
from postgresql_server import bin_folder, free_port

__all__ = ["Peer", "PeerMissing", "postgresql"]


@dataclass(frozen=True, slots=True)
class Peer:
    host: str
    port: int
    version: str


def _drop_privileges() -> dict[str, object]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    entry = next((pwd.getpwnam(name) for name in ("postgres", "nobody") if _exists(name)), None)
    return {} if entry is None else {"user": entry.pw_uid, "group": entry.pw_gid}


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


@contextmanager
def postgresql(settings: tuple[str, ...] = ()) -> Iterator[Peer]:
    """A fresh server with durable defaults; gone, with its data, at the end."""
    programs = bin_folder()
    identity = _drop_privileges()
    home = Path(tempfile.mkdtemp(prefix="trilithon-peer-"))
    if identity:
        os.chown(home, int(identity["user"]), int(identity["group"]))  # type: ignore[call-overload]
    data = home / "data"
    port = free_port()
    run = {"cwd": home, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, **identity}
    try:
        initdb = [programs / "initdb", "-D", data, "-U", "admin", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*initdb, "--locale=C"], check=True, **run)  # type: ignore[call-overload]
        command = [
            programs / "postgres",
            "-D",
            data,
            "-p",
            str(port),
            "-h",
            "127.0.0.1",
            "-k",
            home,
        ]
        for setting in ("max_connections=200", *settings):
            command += ["-c", setting]
        server = subprocess.Popen(command, **run)  # type: ignore[call-overload]
        try:
            _wait_ready(programs, port, server)
            version = subprocess.run(
                [programs / "postgres", "--version"], capture_output=True, text=True, check=True
            ).stdout.strip()
            yield Peer("127.0.0.1", port, version)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _wait_ready(programs: Path, port: int, server: subprocess.Popen[bytes]) -> None:
    command = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-t", "1", "-q"]
    for _ in range(240):
        if server.poll() is not None:
            raise PeerMissing(f"PostgreSQL stopped with exit code {server.returncode}")
        if subprocess.run(command, check=False).returncode == 0:
            return
        threading.Event().wait(0.25)
    raise PeerMissing("PostgreSQL did not become ready within 60 s")
