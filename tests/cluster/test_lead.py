"""`trilithon lead` and the orderly stop of a leader, on real processes."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from harness import Cluster

import trilithon.client
from trilithon.cli.lead import CannotLead, lead
from trilithon.client.sync import background_loop


def run_lead(cluster: Cluster, region: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable, "-m", "trilithon.cli.main",
            "lead", region, "--config", str(cluster.plan.config_file),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip


def leading_region(cluster: Cluster) -> str:
    found = cluster.wait_until(lambda status: status.leader).leader
    assert found is not None
    return found.partition("/")[0]


class Counting:
    """`run_transaction` in both Regions, as fast as it goes; every acknowledged one counts."""

    def __init__(self, cluster: Cluster, table: str) -> None:
        self.table = table
        self.acknowledged = 0
        self.errors: list[BaseException] = []
        self._over = threading.Event()
        self._lock = threading.Lock()
        with trilithon.client.connect(cluster.grpc("a")) as db:
            db.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, n int)")
            db.execute(f"INSERT INTO {table} VALUES (0, 0), (1, 0)")
        self._threads = [
            threading.Thread(target=self._run, args=(number, cluster.grpc(region)))
            for number, region in enumerate("ab")
        ]

    def _run(self, number: int, endpoint: str) -> None:
        def work(tx: trilithon.client.Transaction) -> None:
            tx.execute(f"UPDATE {self.table} SET n = n + 1 WHERE id = $1", [number])

        try:
            with trilithon.client.connect(endpoint) as db:
                while not self._over.is_set():
                    db.run_transaction(work)
                    with self._lock:
                        self.acknowledged += 1
        except BaseException as error:
            self.errors.append(error)

    def __enter__(self) -> Counting:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def check(self, cluster: Cluster) -> None:
        assert not self.errors
        with trilithon.client.connect(cluster.grpc("b")) as db:
            rows = db.execute(f"SELECT sum(n) FROM {self.table}").rows
        assert rows == [(self.acknowledged,)], "nothing is lost and nothing is done twice"
        assert self.acknowledged > 0


@pytest.mark.timeout(120)
def test_leadership_moves_under_load(cluster: Cluster) -> None:
    with Counting(cluster, "moved") as load:
        for _ in range(3):
            old = leading_region(cluster)
            new = "b" if old == "a" else "a"
            led = background_loop.run(lead(cluster.config, new))
            assert led.leader.startswith(f"{new}/")
            assert led.before is not None
            assert led.before.startswith(f"{old}/")
            assert leading_region(cluster) == new
    load.check(cluster)


@pytest.mark.timeout(120)
def test_a_leader_that_is_terminated_hands_over_first(cluster: Cluster) -> None:
    with Counting(cluster, "handed_over") as load:
        old = cluster.wait_until(lambda status: status.leader).leader
        assert old is not None
        cluster.stop_processes(old)
        try:
            new = cluster.wait_until(lambda status: status.leader not in (None, old)).leader
            assert new is not None
            # It did not stand because a lease had run out.
            assert cluster.log(new).rstrip().count("taking_over") >= 1
            assert "leads by order" in cluster.log(old)
        finally:
            cluster.resume(old)
            cluster.wait_ready()
    load.check(cluster)


@pytest.mark.timeout(120)
def test_the_command_says_what_it_did_and_why_not(cluster: Cluster) -> None:
    region = leading_region(cluster)
    done = run_lead(cluster, region)
    assert done.returncode == 0
    assert f"{region}/adjudicator-0 leads already" in done.stdout
    other = "b" if region == "a" else "a"
    done = run_lead(cluster, other)
    assert done.returncode == 0
    assert f"{other}/adjudicator-0 leads now, after {region}/adjudicator-0" in done.stdout
    for wrong, text in (("w", "a witness"), ("nowhere", "a, b can lead")):
        done = run_lead(cluster, wrong)
        assert done.returncode == 1
        assert text in done.stderr.replace("\n", " ")


@pytest.mark.timeout(120)
def test_a_region_whose_adjudicator_is_gone_cannot_lead(cluster: Cluster) -> None:
    region = leading_region(cluster)
    other = "b" if region == "a" else "a"
    cluster.kill(f"{other}/adjudicator-0")
    try:
        with pytest.raises(CannotLead, match="answers"):
            background_loop.run(lead(cluster.config, other))
        assert leading_region(cluster) == region
    finally:
        cluster.resume(f"{other}/adjudicator-0")
        cluster.wait_ready()
