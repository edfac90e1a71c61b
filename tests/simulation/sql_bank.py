"""SQL through the SDK and whole query processors: transfers, inserts, selects through an index.

Rows are [id, balance, tag] with the tag naming the transaction that wrote them, so what is selected can
be held against the log like reads of keys.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from history import Record, Row
from sql_workload import SqlWorkload, insist
from workload import row_key, table_range

from trilithon.client.aio import AsyncClient, AsyncTransaction

if TYPE_CHECKING:
    from cluster import ClientNode

_ACCOUNTS = 8


class SqlBank(SqlWorkload):
    name = "bank"
    clients = 4
    schema = (
        "CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL, tag text)",
        "CREATE INDEX ASYNC by_balance ON accounts (balance)",
        *(
            f"INSERT INTO accounts VALUES ({number}, 100, 'start {number}')"
            for number in range(_ACCOUNTS)
        ),
    )
    table_id = 0

    async def set_up(self, client: AsyncClient) -> None:
        await super().set_up(client)
        self.table_id = await insist(client, "SELECT 'accounts'::regclass::oid::int")

    async def step(self, node: ClientNode, source: random.Random) -> None:
        work = source.choice([self._transfer, self._transfer, self._insert, self._look])
        await self.attempt(node, source, work)

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
