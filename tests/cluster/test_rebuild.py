"""Lost disks on real processes: what an operator does then, under load, and what is there afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal

import pytest
from harness import Cluster

import trilithon.client
from trilithon.cli import banking, demo
from trilithon.client.sync import background_loop
from trilithon.link import GrpcNetwork, specs
from trilithon.v1 import journal_pb2, storage_pb2

OPENING = Decimal("500.00")
NewCluster = Callable[..., Cluster]


def journal_status(cluster: Cluster, name: str) -> journal_pb2.JournalStatus:
    return ask(cluster, name, specs.JOURNAL_STATUS, journal_pb2.JournalStatusRequest())


def storage_status(cluster: Cluster, name: str) -> storage_pb2.StorageStatus:
    return ask(cluster, name, specs.STORAGE_STATUS, storage_pb2.StorageStatusRequest())


def ask(cluster: Cluster, name: str, method: str, request: object) -> object:
    address = next(
        one.address
        for region in cluster.config.regions
        for one in (*region.journal, *region.storage)
        if one.name == name
    )
    return background_loop.run(GrpcNetwork().call(address, method, request, timeout=10))


def rebuild(cluster: Cluster, which: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trilithon.cli.main", "rebuild", which]
    return subprocess.run(
        [*command, "--data", str(cluster.folder.path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def replace_disks(cluster: Cluster, *names: str) -> None:
    cluster.kill(*names)
    for name in names:
        cluster.lose_data(name)
    cluster.resume(*names)
    cluster.wait_until(lambda status: all(one.up for one in status.processes))


@pytest.mark.timeout(300)
def test_a_region_that_lost_its_disks_is_rebuilt_under_load_when_the_log_is_trimmed(
    new_cluster: NewCluster,
) -> None:
    # The log and old versions are kept for ten seconds; two storage processes per Region.
    cluster = new_cluster(storage=2, retention_s=0, **{"limits.transaction_age_s": 10})
    ends = [
        demo.RegionEndpoints(region, found["postgresql"], found["grpc"])
        for region, found in cluster.endpoints.items()
    ]
    storages = [f"{region}/storage-{n}" for region in "ab" for n in range(2)]
    with trilithon.client.connect([end.grpc for end in ends]) as db:
        for sql in banking.SCHEMA:
            db.execute(sql)
        accounts = demo.open_accounts(db, 20, OPENING)
        load = demo.Load(ends, accounts, workers=1)
        load.start()
        try:
            lost = journal_status(cluster, "b/journal-0")
            cluster.wait_until(
                lambda _: all(
                    journal_status(cluster, f"{region}/journal-0").base_csn for region in "abw"
                )
            )
            # A leader that has led from the beginning still has everything in memory.
            cluster.kill("a/adjudicator-0", "b/adjudicator-0", restart=True)
            cluster.wait_ready()
            replace_disks(cluster, "b/journal-0", "b/storage-0", "b/storage-1")
            cluster.wait_until(
                lambda _: all(
                    storage_status(cluster, name).state == "refused" for name in storages[2:]
                )
            )
            fresh = journal_status(cluster, "b/journal-0")
            assert fresh.incarnation != lost.incarnation
            assert fresh.base_csn > 0, "the log begins where another journal's does"
            assert fresh.lease_left_us == 0, "it is no member"
            status = cluster.status()
            notes = {one.name: one.note for one in status.processes if one.note}
            assert notes.keys() == {"b/journal-0", "b/storage-0", "b/storage-1"}
            assert all("trilithon rebuild b" in note for note in notes.values()), notes
            missing = status.missing()
            assert missing == ["no read lease in Region b yet"], missing

            done = rebuild(cluster, "b")
            assert done.returncode == 0, done.stdout + done.stderr + cluster.log_tails()
            for text in ("is a member again", "b/storage-1 begins a hot copy", "b: rebuilt"):
                assert text in done.stdout, done.stdout
            cluster.wait_ready()
            with trilithon.client.connect(ends[1].grpc) as reader:
                total = reader.execute("SELECT sum(balance) FROM accounts").rows
                assert total == [(len(accounts) * OPENING,)]

            replace_disks(cluster, "w/journal-0")
            done = rebuild(cluster, "w")
            assert done.returncode == 0, done.stdout + done.stderr
            load.wait_for_commits(50, limit_s=60)
        finally:
            report = load.stop()
        demo.check_ledger(db, accounts, OPENING, report)
    at = max(storage_status(cluster, name).settled_csn for name in storages)
    found = {name: checksum(cluster, name, at) for name in storages}
    assert found["a/storage-0"] == found["b/storage-0"]
    assert found["a/storage-1"] == found["b/storage-1"]
    assert "b: nothing to rebuild" in rebuild(cluster, "b").stdout

    # What cannot be done is said.
    assert "no Region" in rebuild(cluster, "x").stderr
    cluster.kill("b/journal-0")
    assert "b/journal-0 does not answer" in rebuild(cluster, "b").stderr
    cluster.kill("w/journal-0")
    cluster.lose_data("w/journal-0")
    cluster.resume("w/journal-0")
    refused = " ".join(rebuild(cluster, "w").stderr.split())
    assert "nobody leads" in refused
    assert "b/journal-0, w/journal-0" in refused


def checksum(cluster: Cluster, name: str, csn: int) -> tuple[int, int]:
    request = storage_pb2.StorageChecksumRequest(csn=csn)
    reply = ask(cluster, name, specs.STORAGE_CHECKSUM, request)
    return reply.checksum, reply.rows  # type: ignore[attr-defined]
