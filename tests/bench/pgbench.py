"""pgbench's built-in scripts against one server; figures from its own report."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

SCRIPTS = {"select-only": "-S", "simple-update": "-N", "tpcb-like": "-b tpcb-like"}


@dataclass(frozen=True, slots=True)
class Figure:
    tps: float
    latency_ms: float
    failed: int
    processed: int


def initialise(host: str, port: int, scale: int) -> None:
    command = ["pgbench", "-i", "-q", "-s", str(scale), "-h", host, "-p", str(port), "-U", "admin"]
    done = subprocess.run([*command, "postgres"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pgbench -i failed: {done.stderr.strip()}")


def run(host: str, port: int, script: str, *, clients: int, seconds: int, protocol: str) -> Figure:
    """Conflicts (40001) are tried again by pgbench itself, as a client should."""
    command = ["pgbench", "-n", *SCRIPTS[script].split(), "-c", str(clients), "-j", "1"]
    command += ["-T", str(seconds), "-M", protocol, "--max-tries=100", "-h", host]
    done = subprocess.run(
        [*command, "-p", str(port), "-U", "admin", "postgres"],
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds * 4 + 120,
    )
    if done.returncode:
        raise RuntimeError(f"pgbench {script} failed: {done.stderr.strip()[-2000:]}")
    return Figure(
        tps=_number(r"tps = ([\d.]+)", done.stdout),
        latency_ms=_number(r"latency average = ([\d.]+)", done.stdout),
        failed=int(_number(r"number of failed transactions: (\d+)", done.stdout)),
        processed=int(_number(r"transactions actually processed: (\d+)", done.stdout)),
    )


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    return float(found.group(1)) if found else 0.0
