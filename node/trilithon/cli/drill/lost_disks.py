"""Drills in which disks are lost for good and replaced by empty ones, and somebody types `rebuild`."""

from __future__ import annotations

from typing import Final

from trilithon.chassis.main import read_tls
from trilithon.cli.drill.stage import Drill, Stage
from trilithon.cli.rebuild import Rebuilding
from trilithon.client.sync import background_loop
from trilithon.link import GrpcNetwork


def _lose_disks(stage: Stage) -> None:
    """A full Region's journal and storage: readmitted, and refilled from the log."""
    cluster, region = stage.cluster, stage.other_region()
    names = [f"{region}/journal-0", f"{region}/storage-0"]
    stage.harm(f"{', '.join(names)}: disks lost", region)
    cluster.kill(*names)
    for name in names:
        cluster.lose_data(name)
    stage.let_harm()
    stage.heal(f"empty disks for {', '.join(names)}")
    cluster.resume(*names)
    cluster.wait_until(lambda status: all(one.up for one in status.processes if one.name in names))
    rebuilding = Rebuilding(
        cluster.config,
        GrpcNetwork(tls=read_tls(cluster.config.tls)),
        told=stage.mark,
        progress=lambda _: None,
    )
    background_loop.run(rebuilding.run(region))
    stage.recovered()


DRILLS: Final = (
    Drill("lost-disk", "a full Region's disks are lost, replaced and rebuilt", _lose_disks),
)
