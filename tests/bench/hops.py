"""Where the time of one commit goes, hop by hop, as the processes measure it themselves."""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

import psycopg
from harness import Cluster

COMMITS = 200
WARM_UP = 20

# What SHOW trilithon.last_commit_timings says, in the order of the way of a commit.
HOPS = (
    ("snapshot from the Region's journal", "snapshot_us"),
    ("row from storage (asked beside the snapshot)", "reads_us"),
    ("commit: query processor to adjudicator and back", "commit_us"),
    ("  adjudicator: waits until it is judged or sent on", "queued_us"),
    ("  adjudicator: judges, until the append leaves", "judged_us"),
    ("  append leaves, until the Region's journal has it synced", "synced_us"),
    ("  judged, until settled everywhere", "settled_us"),
)


def measure(cluster: Cluster, region: str, commits: int = COMMITS) -> list[tuple[str, float]]:
    """(hop, median in microseconds) of single-row updates, one at a time, through this Region."""
    samples: dict[str, list[float]] = {key: [] for _, key in HOPS}
    whole: list[float] = []
    with psycopg.connect(**cluster.postgresql(region), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS hops (id int PRIMARY KEY, n int NOT NULL)")
        connection.execute("INSERT INTO hops VALUES (1, 0) ON CONFLICT DO NOTHING")
        connection.prepare_threshold = 0
        for number in range(WARM_UP + commits):
            began = time.perf_counter()
            connection.execute("UPDATE hops SET n = n + 1 WHERE id = %s", (1,))
            took_us = (time.perf_counter() - began) * 1e6
            timings = _timings(connection)
            if number >= WARM_UP:
                whole.append(took_us)
                for key, values in samples.items():
                    values.append(timings[key])
    return [
        ("the whole UPDATE, as the client sees it", statistics.median(whole)),
        *((name, statistics.median(samples[key])) for name, key in HOPS),
    ]


def _timings(connection: psycopg.Connection[Any]) -> dict[str, float]:
    row = connection.execute("SHOW trilithon.last_commit_timings").fetchone()
    assert row is not None
    timings: dict[str, float] = json.loads(row[0])
    return timings
