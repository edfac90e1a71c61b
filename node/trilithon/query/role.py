"""A query processor from the cluster's configuration: links to its Region, engine, doors.

Started by the chassis. Holds no state: what it needs is in the journals and in storage.
"""

from __future__ import annotations

from collections.abc import Mapping

from trilithon.chassis.config import ClusterConfig, ProcessConfig, RegionConfig
from trilithon.core.world import World
from trilithon.query.engine import Engine
from trilithon.query.reads.wiring import open_snapshots, open_storage
from trilithon.query.service import QueryService, QuerySettings, Surroundings
from trilithon.query.session.functions import register_session_functions
from trilithon.query.transaction.committer import Committer
from trilithon.query.transaction.limits import TransactionLimits
from trilithon.query.transaction.manager import TransactionManager


async def start(
    config: ClusterConfig, process: ProcessConfig, region: RegionConfig, world: World
) -> QueryService:
    """Raises ValueError for a Region without journals or with gaps in its storage, OSError for an
    address that is taken."""
    snapshots = open_snapshots(config, region, world)
    reads = open_storage(config, region, world)
    others = [other for other in config.regions if other.name != region.name]
    committer = Committer(
        world,
        [one.address for one in region.adjudicator],
        far_addresses=[one.address for other in others for one in other.adjudicator],
    )
    manager = TransactionManager(
        world, snapshots, reads, committer, TransactionLimits.from_config(config.limits)
    )
    register_session_functions()
    engine = Engine(
        manager,
        query_memory_bytes=config.limits.query_memory_bytes,
        query_temp_bytes=config.limits.query_temp_bytes,
    )
    manager.jobs.open()
    manager.statistics.open()

    async def close() -> None:
        await manager.close()
        await reads.close()
        await snapshots.close()

    def metrics() -> Mapping[str, float]:
        return {
            "snapshot_requests_total": snapshots.requests_count,
            "snapshots_total": snapshots.served_count,
            "commits_handed_over_total": committer.commits_handed_over,
        }

    surroundings = Surroundings(
        close=close,
        adjudicator=lambda: committer.preferred_address,
        journal=lambda: region.journal[0].address if region.journal else "",
        metrics=metrics,
    )
    settings = QuerySettings.of(config, process, region)
    service = QueryService(settings, world, engine, manager, surroundings)
    try:
        await service.start()
    except BaseException:
        await service.stop()
        raise
    return service
