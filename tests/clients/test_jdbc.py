"""PostgreSQL's JDBC driver (Debian: libpostgresql-jdbc-java) on PostgreSQL and here: the same answers."""

from __future__ import annotations

import difflib
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from both_systems import Systems

HERE = Path(__file__).parent
JAR = Path("/usr/share/java/postgresql.jar")
# PostgreSQL shows the casts that it puts into an expression; the condition of an index among them.
FUNCTION_NUMBER = re.compile(r"\b(plus|rows_of)_\d+\b")


def answers(classes: Path, port: int, database: str) -> list[str]:
    url = f"jdbc:postgresql://127.0.0.1:{port}/{database}?user=admin&sslmode=disable&prepareThreshold=3"
    command = ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{classes}:{JAR}", "JdbcClient", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    text = FUNCTION_NUMBER.sub(r"\1_n", done.stdout + done.stderr)
    return text.replace(f"|{database}|", "|db|").splitlines()


@pytest.mark.skipif(
    shutil.which("javac") is None or not JAR.exists(),
    reason="no JDBC client: apt-get install default-jdk-headless libpostgresql-jdbc-java",
)
def test_jdbc_answers_alike(systems: Systems, tmp_path: Path) -> None:
    compiler = ["javac", "-J-XX:TieredStopAtLevel=1", "-cp", str(JAR), "-d", str(tmp_path)]
    subprocess.run([*compiler, str(HERE / "JdbcClient.java")], check=True, timeout=100)
    systems.run((HERE / "shop.sql").read_text("utf-8"))
    theirs, ours = (answers(tmp_path, port, name) for port, name in systems.both)
    # The one relation that is there before any user's.
    ours = [line for line in ours if "|sys|jobs|" not in line]
    assert len(theirs) > 150, "\n".join(theirs)
    assert ours == theirs, "\n".join(difflib.unified_diff(theirs, ours, lineterm="", n=0))
