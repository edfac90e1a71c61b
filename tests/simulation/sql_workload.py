"""SQL through the SDK and whole query processors: transfers, inserts, selects through an index.

Rows are [id, balance, tag] with the tag naming the transaction that wrote them, so what is selected can
be held against the log like reads of keys.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from history import History, Record, Row
from workloads import row_key, table_range

from trilithon.client.aio import AsyncClient, AsyncTransaction, Outcome
from trilithon.client.errors import (
    ConnectionLost,
    DatabaseError,
    OutcomeUnknown,
    SerializationFailure,
    UniqueViolation,
)

if TYPE_CHECKING:
    from cluster import ClientNode, Cluster

_SCHEMA = (
    "CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL, tag text)",
    "CREATE INDEX ASYNC by_balance ON accounts (balance)",
)
_ACCOUNTS = 8
_CLIENTS = 4
# Not served just now; nothing follows from that.
_PASSING = frozenset({"57P03", "53000", "57P01", "08006", "40001", "53300", "72000"})


class SqlBank:
    def __init__(self, cluster: Cluster, history: History) -> None:
        self.cluster = cluster
        self.history = history
        history.strangers = True
        self.table_id = 0
        for _ in range(_CLIENTS):
            cluster.clients.append(self._run)  # type: ignore[arg-type]
        self._setting_up = False

    async def _run(self, node: ClientNode) -> None:
        source = random.Random(self.cluster.kernel.random.getrandbits(64))
        if not self._setting_up:
            self._setting_up = True
            await self._set_up(node.client)
        while self.cluster.clients_run:
            await asyncio.sleep(source.expovariate(1 / 0.06) + 0.001)
            if self.table_id and self.cluster.clients_run:
                await self._one(node, source)

    async def _set_up(self, client: AsyncClient) -> None:
        await asyncio.sleep(1.0)
        for statement in _SCHEMA:
            await self._insist(client, statement)
        for number in range(_ACCOUNTS):
            await self._insist(
                client, f"INSERT INTO accounts VALUES ({number}, 100, 'start {number}')"
            )
        result = await self._insist(client, "SELECT 'accounts'::regclass::oid::int")
        self.table_id = result

    async def _insist(self, client: AsyncClient, statement: str) -> int:
        while True:
            try:
                rows = (await client.execute(statement)).rows
            except DatabaseError as error:
                if error.sqlstate in ("42P07", "23505"):
                    return 0
                if error.sqlstate not in _PASSING and error.sqlstate != "40003":
                    raise
            except ConnectionLost:
                pass
            else:
                return int(rows[0][0]) if statement.startswith("SELECT") else 0  # type: ignore[call-overload]
            await asyncio.sleep(0.3)

    async def _one(self, node: ClientNode, source: random.Random) -> None:
        history, kernel = self.history, self.cluster.kernel
        record = Record(history.next_number(), node.region.name, node.name, "sql", kernel.now_s)
        record.serializable = source.random() < 0.15
        work = source.choice([self._transfer, self._transfer, self._insert, self._look])
        open_: list[AsyncTransaction] = []
        done: list[bool] = []
        try:
            async with node.client.transaction(serializable=record.serializable) as transaction:
                open_.append(transaction)
                await work(transaction, record, source)
                done.append(True)
        except SerializationFailure:
            record.outcome = "aborted"
        except UniqueViolation:
            record.outcome = "aborted"
        except (OutcomeUnknown, ConnectionLost) as error:
            if done and error.transaction_id:
                history.count("sql unknown")
                self._note(record, open_)
                await self._ask(node, record, error.transaction_id, error.snapshot_csn)
                return
            record.outcome = "aborted"
            history.count("sql connection lost")
        except DatabaseError as error:
            if error.sqlstate not in _PASSING:
                raise
            record.outcome = "aborted"
            history.count(f"sql {error.sqlstate}")
        else:
            state = open_[0]._session.state
            record.csn = state.commit_csn
            record.outcome = "committed" if record.csn else "read-only"
        self._note(record, open_)
        record.told_s = kernel.now_s
        history.count(f"sql {record.outcome}")

    def _note(self, record: Record, open_: list[AsyncTransaction]) -> None:
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

    # ---- what transactions do

    async def _select(
        self, transaction: AsyncTransaction, record: Record, where: str
    ) -> dict[bytes, Row]:
        result = await transaction.execute(f"SELECT id, balance, tag FROM accounts WHERE {where}")
        record.id, record.snapshot_csn = transaction.id, transaction.snapshot_csn
        record.read_s = self.cluster.kernel.now_s
        return {row_key(self.table_id, int(row[0])): list(row) for row in result.rows}  # type: ignore[call-overload]

    async def _read(self, transaction: AsyncTransaction, record: Record, number: int) -> Row | None:
        found = await self._select(transaction, record, f"id = {number}")
        key = row_key(self.table_id, number)
        record.reads[key] = found.get(key)
        return found.get(key)

    async def _transfer(
        self, transaction: AsyncTransaction, record: Record, source: random.Random
    ) -> None:
        numbers = source.sample(range(_ACCOUNTS), 2)
        rows = [await self._read(transaction, record, number) for number in numbers]
        amount = source.randint(1, 20)
        for number, row, change in zip(numbers, rows, (-amount, amount), strict=True):
            assert row is not None, "accounts are never deleted"
            if source.random() < 0.5:
                value = str(row[1] + change)
            else:
                value = f"balance + {change}"
            await transaction.execute(
                f"UPDATE accounts SET balance = {value}, tag = 't{record.number}-{number}-"
                f"{record.started_s:.6f}' WHERE id = {number}"
            )

    async def _insert(
        self, transaction: AsyncTransaction, record: Record, source: random.Random
    ) -> None:
        """A row beyond the accounts: inserted where it is missing, else deleted."""
        number = source.randrange(_ACCOUNTS, _ACCOUNTS + 6)
        if await self._read(transaction, record, number) is None or source.random() < 0.1:
            await transaction.execute(
                f"INSERT INTO accounts VALUES ({number}, 0, 't{record.number}-"
                f"{record.started_s:.6f}')"
            )
        else:
            await transaction.execute(f"DELETE FROM accounts WHERE id = {number}")

    async def _look(
        self, transaction: AsyncTransaction, record: Record, source: random.Random
    ) -> None:
        """The whole table, then a part of it through the index, at one snapshot."""
        rows = await self._select(transaction, record, "true")
        record.ranges.append((*table_range(self.table_id), rows))
        total = sum(row[1] for row in rows.values())
        if total != 100 * _ACCOUNTS:
            self.cluster.observer.violated(f"{record} saw {total} in all accounts")
        await asyncio.sleep(source.choice([0, 0, 0.05, 0.5]))
        bound = source.randint(60, 140)
        found = await self._select(transaction, record, f"balance < {bound}")
        record.selects.append((*table_range(self.table_id), lambda row: row[1] < bound, found))
        result = await transaction.execute("SELECT count(*), sum(balance) FROM accounts")
        count, total_text = result.rows[0]
        if (int(count), int(str(total_text))) != (len(rows), total):  # type: ignore[call-overload]
            self.cluster.observer.violated(f"{record} counts {count} rows, but read {len(rows)}")
