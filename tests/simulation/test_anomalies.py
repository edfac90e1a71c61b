"""One script per named anomaly, on keys and in SQL: what concurrent transactions may see of each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from anomaly_script import AnomalyScript, KeyScript, SqlScript
from cluster import running
from golden_script import check_script
from run import quiet

FOLDER = Path(__file__).parent / "anomalies"
NAMES = [
    "dirty_write",
    "dirty_read",
    "aborted_read",
    "intermediate_read",
    "lost_update",
    "read_skew",
    "write_skew",
    "phantom",
    "long_fork",
    "stale_read",
]

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("level", "kind"), [("keys", KeyScript), ("sql", SqlScript)])
def test_anomaly(level: str, kind: type[AnomalyScript], name: str) -> None:
    with quiet(), running(1, "two", sql=level == "sql") as cluster:
        check_script(FOLDER / level / f"{name}.txt", kind(cluster).execute)
        cluster.observer.check()


def test_every_script_is_run() -> None:
    for level in ("keys", "sql"):
        assert sorted(path.stem for path in (FOLDER / level).glob("*.txt")) == sorted(NAMES)
