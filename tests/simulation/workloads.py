"""What clients do. Each workload is a class in a file `workload_*.py`; any of them run together."""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from history import History, NotServed, Recorded, ask_status

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


class Bank(Workload):
    """Transfers between few accounts; a row that is not there holds 100."""

    name = "bank"
    clients = 2
    table, accounts = 20_001, 8

    async def step(self, node: QueryNode, source: random.Random) -> None:
        one, other = source.sample(range(self.accounts), 2)
        keys = [row_key(self.table, one), row_key(self.table, other)]
        transaction = await self.begin(node, source, *keys)
        if source.random() < 0.2:
            rows = await transaction.scan(*table_range(self.table))
            total = sum(row[0] for row in rows.values()) + 100 * (self.accounts - len(rows))
            if total != 100 * self.accounts:
                self.cluster.observer.violated(
                    f"{transaction.record} saw {total} in all accounts, not {100 * self.accounts}"
                )
            await transaction.commit()
            return
        balances = [100 if row is None else row[0] for row in await transaction.get(keys)]
        amount = source.randint(1, 20)
        transaction.write(keys[0], 2, balances[0] - amount)
        transaction.write(keys[1], 2, balances[1] + amount)
        await transaction.commit()


class Append(Workload):
    """Lists that only grow, over random keys: what Elle calls list-append."""

    name = "append"
    clients = 1
    table, lists = 20_002, 6

    async def step(self, node: QueryNode, source: random.Random) -> None:
        keys = [row_key(self.table, n) for n in source.sample(range(self.lists), 2)]
        transaction = await self.begin(node, source, keys[0])
        for key in keys:
            (row,) = await transaction.get([key])
            if source.random() < 0.5:
                text = row[0] if row is not None else ""
                transaction.write(key, source.choice([1, 2]), f"{text[-60:]} {transaction.tag}")
            elif source.random() < 0.3:
                transaction.transaction.lock(key, source.choice([1, 3]))
        await transaction.commit()


class Unique(Workload):
    """Rows that may exist once: whoever finds none inserts it, whoever finds one deletes it."""

    name = "unique"
    table, rows = 20_003, 5

    async def step(self, node: QueryNode, source: random.Random) -> None:
        key = row_key(self.table, source.randrange(self.rows))
        transaction = await self.begin(node, source, key)
        (row,) = await transaction.get([key])
        if row is None:
            transaction.write(key, 1, "here")
        else:
            transaction.delete(key, 1)
        await transaction.commit()


class Skew(Workload):
    """Write skew: reads two rows, writes one of them; always SERIALIZABLE."""

    name = "skew"
    table = 20_004

    async def step(self, node: QueryNode, source: random.Random) -> None:
        keys = [row_key(self.table, n) for n in (0, 1)]
        transaction = await Recorded(self.history, node, self.name).begin(serializable=True)
        if source.random() < 0.5:
            await transaction.get(keys)
        else:
            await transaction.scan(*table_range(self.table), reverse=source.random() < 0.5)
        transaction.write(source.choice(keys), 2, "on call")
        await transaction.commit()


class Reader(Workload):
    """Only reads, again and again: nothing that a cut or a lost leader keeps waiting."""

    name = "reader"
    pause_s = 0.03

    async def step(self, node: QueryNode, source: random.Random) -> None:
        key = row_key(Bank.table, source.randrange(Bank.accounts))
        transaction = await self.begin(node, source, key)
        await transaction.get([key])
        await transaction.commit()


class LongReader(Workload):
    """Reads the same again and again over seconds, from one snapshot."""

    name = "long reader"
    pause_s = 1.0

    async def step(self, node: QueryNode, source: random.Random) -> None:
        transaction = await self.begin(node, source)
        for _ in range(source.randint(2, 4)):
            table = source.choice([Bank.table, Append.table, Unique.table])
            start, end = table_range(table)
            await transaction.scan(start, end, reverse=source.random() < 0.5)
            await asyncio.sleep(source.uniform(0.1, 1.2))
        await transaction.commit()


class Asker(Workload):
    """Asks what became of transactions that are under way or lost, from anywhere, racing them."""

    name = "asker"
    pause_s = 0.25

    async def step(self, node: QueryNode, source: random.Random) -> None:
        unknown = self.history.unknown
        if not unknown:
            return
        record = source.choice(unknown[-3:] if source.random() < 0.7 else unknown)
        await asyncio.sleep(source.uniform(0, 0.05))
        await ask_status(self.history, node, record)


WORKLOADS: dict[str, type[Workload]] = {
    one.name: one for one in (Bank, Append, Unique, Skew, Reader, LongReader, Asker)
}
