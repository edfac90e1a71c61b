"""A throw-away PostgreSQL server on a free loopback port, and where its programs are.

Nothing but the standard library: the benchmark starts its peer with it too.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

# The version that Trilithon's answers are those of; another one is better than none.
VERSION_WANTED = 15
READY_TIMEOUT_S = 60
_ROOT = Path("/usr/lib/postgresql")


class PostgresqlMissing(Exception):
    """PostgreSQL's server is not installed here, or does not start."""


def bin_folder() -> Path:
    """That of PostgreSQL 15, else of the highest version there is. Raises PostgresqlMissing."""
    versions = [
        int(path.parents[1].name)
        for path in _ROOT.glob("*/bin/initdb")
        if path.parents[1].name.isdigit() and (path.parent / "postgres").exists()
    ]
    if not versions:
        raise PostgresqlMissing(f"no PostgreSQL server in {_ROOT} (Debian: postgresql-15)")
    version = VERSION_WANTED if VERSION_WANTED in versions else max(versions)
    return _ROOT / str(version) / "bin"


def as_postgres(*command: str | Path) -> list[str]:
    """PostgreSQL refuses to run as root."""
    plain = [str(part) for part in command]
    return ["runuser", "-u", "postgres", "--", *plain] if os.geteuid() == 0 else plain


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running_server(options: Mapping[str, str]) -> Iterator[int]:
    """The port of a server that listens on 127.0.0.1, trusts everyone, has the superuser postgres, and is
    gone with its data at the end. Raises PostgresqlMissing."""
    programs = bin_folder()
    folder = Path(tempfile.mkdtemp(prefix="trilithon-oracle-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        data = folder / "data"
        arguments = ("-U", "postgres", "-A", "trust", "--locale=C.UTF-8", "-E", "UTF8", "--no-sync")
        subprocess.run(
            as_postgres(programs / "initdb", "-D", data, *arguments),
            check=True,
            capture_output=True,
            cwd="/",
        )
        port = free_port()
        everything = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", **options}
        settings = [
            part for name, value in everything.items() for part in ("-c", f"{name}={value}")
        ]
        server = subprocess.Popen(
            as_postgres(programs / "postgres", "-D", data, "-p", str(port), *settings),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        try:
            _await_ready(programs, server, port)
            yield port
        finally:
            _stop(programs, server, data)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _await_ready(programs: Path, server: subprocess.Popen[bytes], port: int) -> None:
    command = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-t", "1", "-q"]
    for _ in range(READY_TIMEOUT_S * 10):
        if server.poll() is not None:
            raise PostgresqlMissing(f"PostgreSQL ended with {server.returncode} while starting")
        if subprocess.run(command, check=False).returncode == 0:
            return
        threading.Event().wait(0.1)
    raise PostgresqlMissing(f"PostgreSQL did not become ready within {READY_TIMEOUT_S} s")


def _stop(programs: Path, server: subprocess.Popen[bytes], data: Path) -> None:
    """An immediate stop through its own tool: the data is thrown away."""
    subprocess.run(
        as_postgres(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"),
        capture_output=True,
        cwd="/",
        check=False,
    )
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(10)
    if server.poll() is None:
        server.kill()
        server.wait(10)
