"""node-postgres (Debian: node-pg, unpacked by tests/prepare) on PostgreSQL and here: the same answers."""

from __future__ import annotations

import difflib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from both_systems import Systems

CLIENT = Path(__file__).parent / "node_client.js"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
# As in tests/prepare.
MODULES = CACHE / "trilithon" / "node-postgres" / "usr" / "share" / "nodejs"
# What PostgreSQL does and we refuse.
REFUSED = ("listening", "notifying")


def answers(port: int, database: str) -> list[str]:
    done = subprocess.run(
        ["node", str(CLIENT), str(port), database],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "NODE_PATH": str(MODULES), "TZ": "UTC"},
    )
    return (done.stdout + done.stderr).splitlines()


@pytest.mark.skipif(
    shutil.which("node") is None or not (MODULES / "pg").exists(),
    reason="no node-postgres: run tests/prepare",
)
def test_node_postgres_answers_alike(systems: Systems) -> None:
    theirs, ours = (answers(port, name) for port, name in systems.both)
    assert len(theirs) > 140, "\n".join(theirs)
    refused = [line for line in ours if line.startswith(REFUSED)]
    assert refused == [f"{what} | 0A000" for what in REFUSED]
    theirs, ours = (
        [line for line in one if not line.startswith(REFUSED)] for one in (theirs, ours)
    )
    assert ours == theirs, "\n".join(difflib.unified_diff(theirs, ours, lineterm="", n=0))
