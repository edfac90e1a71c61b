"""Whole clusters of the real roles: they come up in every shape, keep their data, and notice each
other's absence. What transactions promise under fire is in tests/banking."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Cluster, running_cluster

import trilithon.client

NewCluster = Callable[..., Cluster]


def write_and_read(cluster: Cluster, table: str) -> None:
    """A row of each Region, seen at once in every other."""
    regions = list(cluster.endpoints)
    clients = {region: trilithon.client.connect(cluster.grpc(region)) for region in regions}
    try:
        first = clients[regions[0]]
        first.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, body text)")
        for number, region in enumerate(regions):
            clients[region].execute(f"INSERT INTO {table} VALUES ($1, $2)", [number, region])
            for reader in clients.values():
                found = reader.execute(f"SELECT body FROM {table} WHERE id = $1", [number])
                assert found.rows == [(region,)]
    finally:
        for client in clients.values():
            client.close()


def test_the_default_cluster(cluster: Cluster) -> None:
    status = cluster.status()
    assert status.missing() == []
    assert {one.role for one in status.processes} == {
        "query", "adjudicator", "journal", "storage", "witness",
    }  # fmt: skip
    assert len({one.epoch for one in status.processes if one.role == "journal"}) == 1
    write_and_read(cluster, "default_cluster")


@pytest.mark.parametrize(
    "options",
    [
        {"regions": ("a",), "storage": 3, "query": 2, "adjudicator": 2},
        {"regions": ("a", "b", "c"), "storage": 2},
        {"regions": ("a", "b"), "rtt_ms": 8},
    ],
    ids=["one-region-three-journals", "three-full-regions", "distance"],
)
@pytest.mark.timeout(240)
def test_other_shapes(new_cluster: NewCluster, options: dict[str, object]) -> None:
    write_and_read(new_cluster(**options), "shapes")


@pytest.mark.timeout(300)
def test_data_survives_stops_and_the_loss_of_all_processes_at_once(tmp_path: Path) -> None:
    with running_cluster(folder=tmp_path) as cluster:
        write_and_read(cluster, "kept")
        everything = [command.name for command in cluster.plan.commands]
        cluster.kill(*everything)
        cluster.resume(*everything)
        cluster.wait_ready()
        with trilithon.client.connect(cluster.grpc("b")) as client:
            rows = client.execute("SELECT id, body FROM kept ORDER BY id").rows
            assert rows == [(0, "a"), (1, "b")]
            client.execute("INSERT INTO kept VALUES (2, 'after the fall')")
    with (
        running_cluster(folder=tmp_path) as again,
        trilithon.client.connect(again.grpc("a")) as client,
    ):
        rows = client.execute("SELECT id, body FROM kept ORDER BY id").rows
        assert rows == [(0, "a"), (1, "b"), (2, "after the fall")]


@pytest.mark.timeout(240)
def test_a_folder_of_another_cluster_is_refused(tmp_path: Path) -> None:
    with running_cluster(folder=tmp_path, regions=("a",)) as cluster:
        config = cluster.plan.config_file
    text = config.read_text()
    config.write_text(text.replace(cluster.config.cluster, "somebody-else"))
    with running_cluster(folder=tmp_path, regions=("a",), ready=False) as stranger:
        stranger.wait_until(lambda _: stranger.restarts("a/journal-0") > 0)
        assert stranger.config.cluster == "somebody-else"
        assert cluster.config.cluster in stranger.log("a/journal-0")
