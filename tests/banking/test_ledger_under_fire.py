"""Real processes killed during a running load of transfers: nothing acknowledged is missing, nothing
is there twice, every balance adds up, and the other Region goes on."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from harness import Cluster, running_cluster

import trilithon.client
from trilithon.cli import banking, demo
from trilithon.cli.demo import RegionEndpoints

OPENING = Decimal("500.00")
# DESIGN.md P6 says about 1.2 lease_ttl and two round trips; the issue asks for 3 s at 1.5 s.
PAUSE_MAX_S = 3.0
PROCESSES = tuple(
    f"{region}/{role}-0"
    for region in ("a", "b")
    for role in ("query", "adjudicator", "journal", "storage")
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as running:
        with trilithon.client.connect(running.grpc("a")) as db:
            for sql in (banking.DROP, *banking.SCHEMA):
                db.execute(sql)
        yield running


class Fire:
    """A load from every Region, and the check afterwards."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._db = trilithon.client.connect([cluster.grpc("a"), cluster.grpc("b")])
        self._accounts = demo.open_accounts(self._db, 20, OPENING)
        ends = [
            RegionEndpoints(region, found["postgresql"], found["grpc"])
            for region, found in cluster.endpoints.items()
        ]
        self.load = demo.Load(ends, self._accounts, workers=2)
        self.load.start()
        self.load.wait_for_commits(50, limit_s=60)

    def go_on(self, commits: int = 50) -> None:
        self.load.wait_for_commits(commits, limit_s=60)

    def check(self) -> demo.LoadReport:
        report = self.load.stop()
        assert not report.errors, report.errors
        demo.check_ledger(self._db, self._accounts, OPENING, report)
        self._db.close()
        return report


@pytest.mark.parametrize("name", [*PROCESSES, "w/journal-0"])
def test_any_one_process_killed_under_load(cluster: Cluster, name: str) -> None:
    fire = Fire(cluster)
    cluster.kill(name)
    fire.go_on()
    cluster.resume(name)
    cluster.wait_ready()
    fire.go_on()
    fire.check()


@pytest.mark.parametrize("lost", ["a", "b"])
def test_a_whole_region_killed_under_load(cluster: Cluster, lost: str) -> None:
    fire = Fire(cluster)
    survivor = "b" if lost == "a" else "a"
    cluster.kill(lost)
    fire.go_on()
    cluster.resume(lost)
    cluster.wait_ready()
    fire.go_on()
    report = fire.check()
    assert report.stalls_s[survivor] < PAUSE_MAX_S


def test_the_witness_may_be_gone_all_the_while(cluster: Cluster) -> None:
    cluster.kill("w")
    fire = Fire(cluster)
    cluster.kill("b/query-0")
    cluster.resume("b/query-0")
    fire.go_on()
    cluster.resume("w")
    fire.check()


def test_everything_killed_at_once_comes_back_with_all_that_was_acknowledged(
    cluster: Cluster,
) -> None:
    fire = Fire(cluster)
    cluster.kill("a", "b", "w")
    cluster.resume("a", "b", "w")
    cluster.wait_ready()
    fire.go_on()
    fire.check()
