"""One simulated cluster: the services that run in production, one simulated process each.

A `Node` is a process of the configuration: it can be killed, restarted, paused; its disk outlives it.
What the world outside may know (what was ever settled, which entries ever existed) is in `observer`.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import msgspec
from disk import JournalDisk
from kernel import Kernel, Process
from network import SimNetwork
from observer import Observer
from topologies import make_config

from trilithon.adjudicator import role as adjudicator_role
from trilithon.adjudicator import settings as adjudicator_settings
from trilithon.chassis.config import ClusterConfig, ProcessConfig, RegionConfig
from trilithon.client.aio import AsyncClient, connect_async
from trilithon.core.world import World
from trilithon.disk import DiskFull
from trilithon.journal.role import JournalIdentity, JournalProcess
from trilithon.journal.role import settings_of as journal_settings
from trilithon.query import role as query_role
from trilithon.query.reads.wiring import open_snapshots, open_storage
from trilithon.query.transaction.committer import Committer
from trilithon.query.transaction.limits import TransactionLimits
from trilithon.query.transaction.manager import TransactionManager
from trilithon.storage.engine import Applied, Engine
from trilithon.storage.role import StorageProcess, StorageSettings


class Node:
    """One process, and what of it outlives a kill."""

    def __init__(self, cluster: Cluster, role: str, config: ProcessConfig, region: RegionConfig):
        self.cluster = cluster
        self.role = role
        self.config = config
        self.region = region
        rate = cluster.kernel.random.choice([0.98, 1.02, cluster.kernel.random.uniform(0.98, 1.02)])
        self.process: Process = cluster.kernel.process(config.name, rate)
        self.network = cluster.network.for_process(self.process, region.name)
        self.running: Any = None
        # A fault that makes the process stop itself is under way: that is then no violation.
        self.may_fail = False
        # Faults that keep it down; it is started again when there are none.
        self.held_down = 0
        self.lease_ttl_ms = 0

    @property
    def cluster_config(self) -> ClusterConfig:
        """As this process was given it."""
        config = self.cluster.config
        ttl_ms = self.lease_ttl_ms or config.lease_ttl_ms
        return msgspec.structs.replace(config, lease_ttl_ms=ttl_ms)

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def up(self) -> bool:
        return self.process.running and self.running is not None

    def start(self) -> None:
        if not self.process.running and not self.held_down:
            self.process.start(self._main)

    def kill(self) -> None:
        if self.process.running:
            self.process.kill()

    async def _main(self) -> None:
        kernel = self.cluster.kernel
        world = World(
            clock=self.process,
            random=random.Random(kernel.random.getrandbits(64)),
            network=self.network,
        )
        self.running = await self.make(world)
        self.started(world)
        await self.running.failed

    async def make(self, world: World) -> Any:
        raise NotImplementedError

    def started(self, world: World) -> None:
        pass

    def died(self) -> None:
        """The process is gone."""
        self.running = None


class JournalNode(Node):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.disk = JournalDisk(self.cluster.kernel, self.name, self.cluster.observer.appended)

    async def make(self, world: World) -> JournalProcess:
        config = self.cluster_config
        role = "witness" if self.region.witness else "journal"
        identity = JournalIdentity(
            config.cluster, self.region.name, role, self.name, self.config.address
        )
        settings = journal_settings(config, self.region)
        settings = replace(settings, **self.cluster.journal_settings)
        running = JournalProcess(identity, settings, self.disk.open(), world)
        self.cluster.observer.journals[running.machine] = self.name
        await running.start()
        return running

    def died(self) -> None:
        super().died()
        self.disk.killed()


class _Impatient(adjudicator_settings.Settings):
    """Forwards the same again and again, long before an answer can be there."""

    __slots__ = ()

    @property
    def resend_first_us(self) -> int:
        return 5_000

    @property
    def resend_max_us(self) -> int:
        return 30_000


class AdjudicatorNode(Node):
    async def make(self, world: World) -> Any:
        settings = adjudicator_role.settings_of(self.cluster_config, self.config, self.region)
        settings = replace(settings, **self.cluster.adjudicator_settings)
        if self.cluster.impatient:
            settings = _Impatient(
                **{one.name: getattr(settings, one.name) for one in fields(settings)}
            )
        running = adjudicator_role.AdjudicatorProcess(self.cluster.config, settings, world)
        self.cluster.observer.adjudicators[running.machine] = self.name
        await running.start()
        return running


class StorageNode(Node):
    """LMDB in a real folder; its worker runs on the event loop, in virtual time."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._engine: Engine | None = None
        self.apply_s = 0.003
        self.full = False

    async def make(self, world: World) -> StorageProcess:
        settings = StorageSettings.of(self.cluster.config, self.config, self.region)
        settings = replace(settings, **self.cluster.storage_settings)
        memory_bytes = self.cluster.storage_memory_bytes
        if memory_bytes:
            # As in production: applied long before memory is full.
            apply = replace(settings.apply, early_bytes=memory_bytes // 4)
            settings = replace(settings, apply=apply)
        self._engine = Engine.open(self.config.data, settings.identity)
        running = StorageProcess(settings, self._engine, world, self._work)
        if memory_bytes:
            options = running.service._options
            running.service._options = replace(options, memory_bytes_max=memory_bytes)
        await running.start()
        return running

    async def _work(self, work: Callable[[], Applied]) -> Applied:
        await asyncio.sleep(self.apply_s * self.cluster.kernel.random.uniform(0.3, 2.0))
        if self.full:
            raise DiskFull("the simulated disk is full")
        result = work()
        await asyncio.sleep(self.apply_s * self.cluster.kernel.random.uniform(0.0, 0.5))
        return result

    def died(self) -> None:
        super().died()
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def lose_disk(self) -> None:
        assert not self.process.running
        shutil.rmtree(self.config.data, ignore_errors=True)


class QueryProcess:
    """A query processor without its SQL: transactions on keys."""

    def __init__(self, config: ClusterConfig, region: RegionConfig, world: World) -> None:
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.world = world
        self.snapshots = open_snapshots(config, region, world)
        self.reads = open_storage(config, region, world)
        others = [other for other in config.regions if other.name != region.name]
        self.committer = Committer(
            world,
            [one.address for one in region.adjudicator],
            far_addresses=[one.address for other in others for one in other.adjudicator],
        )
        self.manager = TransactionManager(
            world,
            self.snapshots,
            self.reads,
            self.committer,
            TransactionLimits.from_config(config.limits),
        )


Client = Callable[["QueryNode"], Awaitable[None]]


class QueryNode(Node):
    """Its clients live and die with it: a client whose query processor is lost hears nothing."""

    async def make(self, world: World) -> QueryProcess:
        return QueryProcess(self.cluster.config, self.region, world)

    def started(self, world: World) -> None:
        if self.cluster.clients_run:
            for client in self.cluster.clients:
                self.process.run(client(self))  # type: ignore[arg-type]

    @property
    def manager(self) -> TransactionManager:
        manager: TransactionManager = self.running.manager
        return manager


class SqlQueryNode(Node):
    """A whole query processor; its clients are processes of their own."""

    async def make(self, world: World) -> Any:
        return await query_role.start(self.cluster.config, self.config, self.region, world)


class ClientNode(Node):
    """A machine with client programs, which use the SDK. Faults leave it alone, cuts do not."""

    client: AsyncClient

    async def make(self, world: World) -> Any:
        own = [one.address for one in self.region.query]
        others = [
            one.address
            for region in self.cluster.config.regions
            if region is not self.region
            for one in region.query
        ]
        self.client = connect_async(
            own + others, network=self.network, connect_timeout_s=3.0, statement_timeout_s=20.0
        )
        self.client._random = world.random
        return self

    def started(self, world: World) -> None:
        for client in self.cluster.clients:
            self.process.run(client(self))  # type: ignore[arg-type]

    @property
    def failed(self) -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_future()


_NODES: dict[str, type[Node]] = {
    "journal": JournalNode,
    "storage": StorageNode,
    "adjudicator": AdjudicatorNode,
    "query": QueryNode,
}


class Cluster:
    """Everything of one run. Make it with `running`."""

    def __init__(self, seed: int, topology: str, folder: str, *, sql: bool = False) -> None:
        self.seed = seed
        self.topology = topology
        self.kernel = Kernel(seed)
        self.random = random.Random(self.kernel.random.getrandbits(64))
        self.network = SimNetwork(self.kernel)
        self.observer = Observer(self.kernel)
        self.config = make_config(topology, folder)
        self.journal_settings: dict[str, Any] = {}
        self.adjudicator_settings: dict[str, Any] = {}
        self.storage_settings: dict[str, Any] = {}
        self.storage_memory_bytes = 0
        self.impatient = False
        # Started in every query processor.
        self.clients: list[Client] = []
        self.clients_run = True
        self.healing = False
        # The journal whose lost incarnation is being replaced.
        self.replacing = ""
        self.nodes: dict[str, Node] = {}
        self.client_nodes: dict[str, ClientNode] = {}
        # Journals whose name another one bears now, while they live.
        self.superseded: dict[str, JournalNode] = {}
        kinds = {**_NODES, "query": SqlQueryNode} if sql else _NODES
        for region in self.config.regions:
            for role, kind in kinds.items():
                for config in getattr(region, role):
                    self.nodes[config.name] = kind(self, role, config, region)
            if sql and not region.witness:
                name = f"{region.name}/client"
                config = ProcessConfig(name=name, address=f"{region.name}-client:1")
                self.client_nodes[name] = ClientNode(self, "client", config, region)
        self.kernel.killed_callbacks.append(self._killed)

    def of(self, kind: type[Any], region: str | None = None) -> list[Any]:
        return [
            node
            for node in self.nodes.values()
            if isinstance(node, kind) and region in (None, node.region.name)
        ]

    @property
    def regions(self) -> list[str]:
        return [region.name for region in self.config.regions]

    @property
    def full_regions(self) -> list[str]:
        return [region.name for region in self.config.regions if not region.witness]

    @property
    def log_is_trimmed(self) -> bool:
        """Then nothing that lost its disk can come back from the journals alone."""
        return "window_us" in self.journal_settings

    def _killed(self, process: Process) -> None:
        node = self.superseded.pop(process.name, None) or (
            self.nodes.get(process.name) or self.client_nodes[process.name]
        )
        failure = process.failure
        node.died()
        if failure is not None:
            if not node.may_fail:
                self.observer.violated(f"{node.name} stopped itself: {failure!r}", failure)
            self.kernel.at(1.0, node.start)

    def start(self) -> None:
        for node in self.nodes.values():
            self.kernel.at(self.kernel.random.uniform(0, 0.3), node.start)
        for node in self.client_nodes.values():
            self.kernel.at(0.5, node.start)

    def run(self, seconds: float) -> None:
        """Stops at the first violation that shows at once."""
        end = self.kernel.now_s + seconds
        while self.kernel.now_s < end:
            self.kernel.run(min(0.25, end - self.kernel.now_s))
            self.observer.check()

    def run_until(self, condition: Callable[[], bool], limit_s: float, what: str) -> None:
        end = self.kernel.now_s + limit_s
        while not condition():
            if self.kernel.now_s >= end:
                self.observer.violated(f"not within {limit_s:g} s of simulated time: {what}")
            self.observer.check()
            self.kernel.run(0.05)

    def leader(self) -> AdjudicatorNode | None:
        for node in self.of(AdjudicatorNode):
            if node.up and node.running.machine.leads(node.process.monotonic_us()):
                return node  # type: ignore[no-any-return]
        return None


@contextmanager
def running(seed: int, topology: str = "two", *, sql: bool = False) -> Iterator[Cluster]:
    """A cluster that starts now; everything is put away at the end."""
    base = "/dev/shm" if Path("/dev/shm").is_dir() else None
    folder = tempfile.mkdtemp(prefix="trilithon-simulation-", dir=base)
    cluster: Cluster | None = None
    try:
        cluster = Cluster(seed, topology, folder, sql=sql)
        with cluster.observer.watching():
            yield cluster
    finally:
        if cluster is not None:
            nodes = (cluster.nodes, cluster.client_nodes, cluster.superseded)
            for node in [node for kind in nodes for node in kind.values()]:
                if node.process.running:
                    node.kill()
            cluster.kernel.finish()
        shutil.rmtree(folder, ignore_errors=True)
