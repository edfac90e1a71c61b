"""Where a commit's time goes, asked over SQL in a whole cluster."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import psycopg
from harness import running_cluster

sys.path.insert(0, str(Path(__file__).parent.parent / "bench"))

import hops


def test_hops_are_told_in_both_regions() -> None:
    with running_cluster() as cluster:
        for region in "ab":
            found = dict(hops.measure(cluster, region, commits=5))
            assert len(found) == 1 + len(hops.HOPS)
            assert all(microseconds >= 0 for microseconds in found.values())
            whole, commit = (
                found["the whole UPDATE, as the client sees it"],
                found["commit: query processor to adjudicator and back"],
            )
            assert 0 < found["  judged, until settled everywhere"] <= commit <= whole
        with psycopg.connect(**cluster.postgresql("a"), autocommit=True) as connection:
            asked = "SHOW trilithon.last_commit_timings"
            row = connection.execute(asked).fetchone()
            assert row == ("{}",)
            connection.execute("SELECT n FROM hops")
            assert connection.execute(asked).fetchone() == ("{}",)
            with connection.transaction():
                connection.execute("INSERT INTO hops VALUES (2, 2)")
                connection.execute("UPDATE hops SET n = 3 WHERE id = 1")
            row = connection.execute(asked).fetchone()
            assert row is not None
            told = json.loads(row[0])
            assert told["reads"] >= 1
            assert told["commit_us"] >= told["settled_us"] > 0
