"""Journals and adjudicators as real roles in one process, over gRPC on loopback."""

from __future__ import annotations

import asyncio
import random
import socket
from pathlib import Path
from typing import Any

from trilithon.adjudicator import role as adjudicator_role
from trilithon.chassis.clock import SystemClock
from trilithon.chassis.config import ClusterConfig, ProcessConfig, RegionConfig
from trilithon.core.ids import make_transaction_id
from trilithon.core.world import World
from trilithon.journal import role as journal_role
from trilithon.link import GrpcNetwork
from trilithon.link.specs import ADJUDICATOR, ADJUDICATOR_STATUS, JOURNAL
from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import journal_pb2 as journal
from trilithon.v1 import types_pb2 as types
from trilithon.witness import role as witness_role


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


class Cluster:
    """Regions a and b and witness w, one process of each role, by name."""

    def __init__(self, folder: Path, lease_ttl_ms: int = 400) -> None:
        def process(name: str, *, data: bool = False) -> ProcessConfig:
            path = folder / name.replace("/", "-")
            if data:
                path.mkdir(parents=True, exist_ok=True)
            return ProcessConfig(name=name, address=free_address(), data=str(path) if data else "")

        self.config = ClusterConfig(
            cluster="test",
            regions=(
                *(
                    RegionConfig(
                        name=name,
                        adjudicator=(process(f"{name}/adjudicator-0"),),
                        journal=(process(f"{name}/journal-0", data=True),),
                    )
                    for name in "ab"
                ),
                RegionConfig(name="w", witness=True, journal=(process("w/journal-0", data=True),)),
            ),
            lease_ttl_ms=lease_ttl_ms,
        )
        self.random = random.Random(7)
        self.network = GrpcNetwork()
        self.running: dict[str, Any] = {}
        self._links: list[Any] = []

    def world(self) -> World:
        return World(SystemClock(), random.Random(self.random.random()), GrpcNetwork())

    async def start(self, *names: str) -> None:
        for region in self.config.regions:
            for module, processes in (
                (witness_role if region.witness else journal_role, region.journal),
                (adjudicator_role, region.adjudicator),
            ):
                for process in processes:
                    if not names or process.name in names:
                        self.running[process.name] = await module.start(
                            self.config, process, region, self.world()
                        )

    async def stop(self, *names: str) -> None:
        for name in names or tuple(self.running):
            await self.running.pop(name).stop()

    async def close(self) -> None:
        for link in self._links:
            await link.close()
        await self.stop()

    def link(self, name: str) -> Any:
        process = next(
            process
            for region in self.config.regions
            for process in (*region.journal, *region.adjudicator)
            if process.name == name
        )
        spec = ADJUDICATOR if "adjudicator" in name else JOURNAL
        link = self.network.link(spec, process.address)
        self._links.append(link)
        return link

    async def status(self, name: str) -> adjudicator.AdjudicatorStatus:
        address = self.running[name].address
        status: adjudicator.AdjudicatorStatus = await self.network.call(
            address, ADJUDICATOR_STATUS, adjudicator.AdjudicatorStatusRequest(), timeout=5
        )
        return status

    async def leader(self, seconds: float = 20) -> str:
        async with asyncio.timeout(seconds):
            while True:
                for name in [one for one in self.running if "adjudicator" in one]:
                    if (await self.status(name)).state == "leader":
                        return name
                await asyncio.sleep(0.02)

    async def snapshot(self, link: Any, seconds: float = 20) -> int:
        async with asyncio.timeout(seconds):
            while True:
                request = journal.JournalRequest(snapshot=journal.SnapshotRequest())
                try:
                    reply = await link.request(request, timeout=5)
                except Exception:
                    await asyncio.sleep(0.05)
                    continue
                if reply.WhichOneof("reply") == "snapshot":
                    csn: int = reply.snapshot.csn
                    return csn
                await asyncio.sleep(0.02)

    def commit(self, snapshot: int, key: bytes, value: bytes) -> adjudicator.AdjudicatorRequest:
        write_set = types.WriteSet()
        write_set.writes.add(key=key, mode=types.MODE_UPDATE, value=value)
        return adjudicator.AdjudicatorRequest(
            commit=adjudicator.CommitRequest(
                transaction_id=make_transaction_id(SystemClock().wall_us(), self.random),
                snapshot_csn=snapshot,
                write_set=write_set.SerializeToString(),
            )
        )
