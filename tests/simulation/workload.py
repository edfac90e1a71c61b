"""What clients of keys do: the base of every `workload_*.py`."""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from history import History, NotServed, Recorded

from trilithon.types.keys import encode_columns, key_prefix
from trilithon.types.registry import TypeRef

if TYPE_CHECKING:
    from cluster import Cluster, QueryNode

_INT4 = TypeRef(23)


def row_key(table_id: int, number: int) -> bytes:
    return key_prefix(table_id, 0) + encode_columns([_INT4], [number])


def table_range(table_id: int) -> tuple[bytes, bytes]:
    return key_prefix(table_id, 0), key_prefix(table_id, 1)


class Workload(ABC):
    """`clients` of it run in every query processor."""

    name = ""
    clients = 1
    pause_s = 0.04

    def __init__(self, cluster: Cluster, history: History) -> None:
        self.cluster = cluster
        self.history = history
        for _ in range(self.clients):
            cluster.clients.append(self._run)

    async def _run(self, node: QueryNode) -> None:
        source = random.Random(self.cluster.kernel.random.getrandbits(64))
        while self.cluster.clients_run:
            await asyncio.sleep(source.expovariate(1 / self.pause_s) + 0.001)
            if not self.cluster.clients_run:
                return
            try:
                await self.step(node, source)
            except NotServed:
                continue

    @abstractmethod
    async def step(self, node: QueryNode, source: random.Random) -> None: ...

    async def begin(self, node: QueryNode, source: random.Random, *first: bytes) -> Recorded:
        """Sometimes SERIALIZABLE, sometimes with the first read beside the snapshot."""
        return await Recorded(self.history, node, self.name).begin(
            serializable=source.random() < 0.15,
            first_read=first if source.random() < 0.4 else (),
        )
