"""Roles without purpose that answer Status as a healthy cluster would, for tests of the supervisor,
the status and the harness. The adjudicator of Region a leads."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any

from trilithon.core.world import World
from trilithon.link import specs
from trilithon.v1 import adjudicator_pb2, journal_pb2, sql_pb2, storage_pb2, types_pb2


class DummyRole:
    def __init__(self, server: Any) -> None:
        self._server = server
        self.failed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    @property
    def address(self) -> str:
        return str(self._server.address)

    async def stop(self) -> None:
        await self._server.close(0.2)
        print("stopped in order", flush=True)

    def metrics(self) -> Mapping[str, float]:
        return {}


async def start(config: Any, process: Any, region: Any, world: World) -> DummyRole:
    identity = types_pb2.ProcessIdentity(
        cluster=config.cluster, region=region.name, name=process.name, pid=os.getpid()
    )
    role = process.name.partition("/")[2].partition("-")[0]
    leads = region.name == "a"

    async def status(_: Any) -> Any:
        match role:
            case "journal":
                return journal_pb2.JournalStatus(
                    identity=identity, promised_epoch=3, leader="a/adjudicator-0",
                    last_csn=3 << 40 | 7, settled_csn=3 << 40 | 5,
                    lease_left_us=0 if region.witness else 900_000,
                )  # fmt: skip
            case "storage":
                return storage_pb2.StorageStatus(identity=identity, applied_csn=3 << 40 | 4)
            case "adjudicator":
                return adjudicator_pb2.AdjudicatorStatus(
                    identity=identity, state="leader" if leads else "follower", epoch=3
                )
        return sql_pb2.QueryStatus(identity=identity, sessions=2, commits=9)

    method = {
        "journal": specs.JOURNAL_STATUS,
        "storage": specs.STORAGE_STATUS,
        "adjudicator": specs.ADJUDICATOR_STATUS,
        "query": specs.SQL_STATUS,
    }[role]
    return DummyRole(await world.network.serve(process.address, {}, {method: status}))
