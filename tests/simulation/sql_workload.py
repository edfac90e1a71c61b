"""What clients of SQL do: the base of every `sql_*.py`. Clients are programs with the SDK, in both Regions."""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from history import History, Record

from trilithon.client.aio import AsyncClient, AsyncTransaction, Outcome
from trilithon.client.errors import (
    ConnectionLost,
    DatabaseError,
    IntegrityError,
    OutcomeUnknown,
    SerializationFailure,
)

if TYPE_CHECKING:
    from cluster import ClientNode, Cluster

# Not served just now; nothing follows from that.
PASSING = frozenset({"57P03", "53000", "57P01", "08006", "40001", "53300", "72000"})
_THERE_ALREADY = frozenset({"42P07", "23505", "42701", "42710"})

Work = Callable[[AsyncTransaction, Record, random.Random], Awaitable[None]]


class SqlWorkload(ABC):
    """`clients` of it run on every client machine, once `schema` has been executed."""

    name = ""
    clients = 2
    pause_s = 0.06
    serializable_share = 0.15
    schema: Sequence[str] = ()
    # Errors that a client may meet by what the others do, beside conflicts.
    expected: frozenset[str] = frozenset()

    def __init__(self, cluster: Cluster, history: History) -> None:
        self.cluster = cluster
        self.history = history
        history.strangers = True
        self._ready = False
        self._setting_up = False
        for _ in range(self.clients):
            cluster.clients.append(self._run)  # type: ignore[arg-type]

    async def _run(self, node: ClientNode) -> None:
        source = random.Random(self.cluster.kernel.random.getrandbits(64))
        if not self._setting_up:
            self._setting_up = True
            await asyncio.sleep(1.0)
            await self.set_up(node.client)
            self._ready = True
        while self.cluster.clients_run:
            await asyncio.sleep(source.expovariate(1 / self.pause_s) + 0.001)
            if self._ready and self.cluster.clients_run:
                await self.step(node, source)

    async def set_up(self, client: AsyncClient) -> None:
        for statement in self.schema:
            await insist(client, statement)

    @abstractmethod
    async def step(self, node: ClientNode, source: random.Random) -> None:
        """One thing that a client does, mostly `attempt`."""

    async def attempt(
        self,
        node: ClientNode,
        source: random.Random,
        work: Work,
        *,
        serializable: bool | None = None,
    ) -> Record:
        """One transaction, written down: what became of it is asked for where its COMMIT got lost."""
        history, kernel = self.history, self.cluster.kernel
        record = Record(history.next_number(), node.region.name, node.name, self.name, kernel.now_s)
        if serializable is None:
            serializable = source.random() < self.serializable_share
        record.serializable = serializable
        open_: list[AsyncTransaction] = []
        done: list[bool] = []
        try:
            async with node.client.transaction(serializable=serializable) as transaction:
                open_.append(transaction)
                await work(transaction, record, source)
                done.append(True)
        except (SerializationFailure, IntegrityError) as error:
            record.outcome = "aborted"
            history.count(f"{self.name} {error.sqlstate}")
            if "OC001" in str(error):
                history.count(f"{self.name} OC001")
        except (OutcomeUnknown, ConnectionLost) as error:
            if done and error.transaction_id:
                history.count("sql unknown")
                self._note(record)
                await self._ask(node, record, error.transaction_id, error.snapshot_csn)
                return record
            record.outcome = "aborted"
            history.count("sql connection lost")
        except DatabaseError as error:
            if error.sqlstate not in PASSING and error.sqlstate not in self.expected:
                raise
            record.outcome = "aborted"
            history.count(f"{self.name} {error.sqlstate}")
        else:
            state = open_[0]._session.state
            record.csn = state.commit_csn
            record.outcome = "committed" if record.csn else "read-only"
        self._note(record)
        record.told_s = kernel.now_s
        history.count(f"sql {record.outcome}")
        return record

    def _note(self, record: Record) -> None:
        """Only transactions that got a snapshot are judged."""
        if record.snapshot_csn:
            self.history.records.append(record)

    async def _ask(
        self, node: ClientNode, record: Record, transaction_id: bytes, snapshot_csn: int
    ) -> None:
        try:
            status = await node.client.transaction_status(
                transaction_id, snapshot_csn, timeout_s=10.0
            )
        except (ConnectionLost, DatabaseError):
            return
        outcome = {Outcome.COMMITTED: "committed", Outcome.ABORTED: "aborted"}.get(
            status.outcome, "unknown"
        )
        self.history.count(f"sql status {outcome}")
        record.answers.append((node.name, outcome, status.csn, self.cluster.kernel.now_s))

    async def query(
        self, transaction: AsyncTransaction, record: Record, sql: str
    ) -> list[tuple[Any, ...]]:
        """The rows; the record learns its id and its snapshot from the first of them."""
        result = await transaction.execute(sql)
        record.id, record.snapshot_csn = transaction.id, transaction.snapshot_csn
        return [tuple(row) for row in result.rows]

    def violated(self, text: str) -> None:
        self.cluster.observer.violated(text)


async def insist(client: AsyncClient, statement: str) -> Any:
    """Until it is done; the first value of a query's first row."""
    while True:
        try:
            rows = (await client.execute(statement)).rows
        except DatabaseError as error:
            if error.sqlstate in _THERE_ALREADY:
                return None
            if error.sqlstate not in PASSING and error.sqlstate != "40003":
                raise
        except ConnectionLost:
            pass
        else:
            return rows[0][0] if rows else None
        await asyncio.sleep(0.3)
