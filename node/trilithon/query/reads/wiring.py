"""Reads from the cluster's configuration."""

from __future__ import annotations

from trilithon.chassis.config import ClusterConfig, RegionConfig
from trilithon.core.world import World
from trilithon.query.reads.owners import StorageTarget
from trilithon.query.reads.snapshots import SnapshotSource
from trilithon.query.reads.storage import StorageReads


def open_snapshots(config: ClusterConfig, region: RegionConfig, world: World) -> SnapshotSource:
    """Raises ValueError when the Region has no journal."""
    return SnapshotSource(
        world,
        [journal.address for journal in region.journal],
        timeout_s=config.availability_timeout_ms / 1000,
    )


def open_storage(config: ClusterConfig, region: RegionConfig, world: World) -> StorageReads:
    """Raises ValueError when the Region's storage does not own every slot once."""
    return StorageReads(
        world,
        [
            StorageTarget(one.name, one.address, one.slot_first, one.slot_last)
            for one in region.storage
        ],
        timeout_s=config.availability_timeout_ms / 1000,
    )
