"""Who a process is, from its start to its end: what every unary Status call begins with."""

from __future__ import annotations

import os
from importlib import metadata

from trilithon.core.ids import Life, make_random_id
from trilithon.core.world import World
from trilithon.v1.types_pb2 import ProcessIdentity


class ProcessLife:
    """One life of one process. `id` is random: a restarted process is another one."""

    def __init__(self, cluster: str, region: str, role: str, name: str, world: World) -> None:
        self.cluster = cluster
        self.region = region
        self.role = role
        self.name = name
        self.id = Life(make_random_id(world.random))
        self.started_us = world.clock.monotonic_us()
        self._clock = world.clock
        self._version = _version()

    def describe(self) -> ProcessIdentity:
        return ProcessIdentity(
            cluster=self.cluster,
            region=self.region,
            role=self.role,
            name=self.name,
            pid=os.getpid(),
            life=self.id,
            version=self._version,
            uptime_us=self._clock.monotonic_us() - self.started_us,
        )


def _version() -> str:
    try:
        return metadata.version("trilithon")
    except metadata.PackageNotFoundError:
        return "0"
