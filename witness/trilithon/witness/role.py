"""A witness process: the journal, in a Region that is not full."""

from __future__ import annotations

from trilithon.chassis.config import ClusterConfig, ProcessConfig, RegionConfig
from trilithon.core.world import World
from trilithon.journal.role import JournalProcess, start_journal


async def start(
    config: ClusterConfig, process: ProcessConfig, region: RegionConfig, world: World
) -> JournalProcess:
    """Raises FolderRefused for a folder that is not this process's, OSError for a taken address."""
    return await start_journal(config, process, region, world, role="witness")
