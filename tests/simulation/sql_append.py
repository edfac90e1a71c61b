"""Lists that only grow, in two tables: what Elle calls list-append, in SQL."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from history import History, Record
from sql_workload import SqlWorkload
from state_checker import State, table_rows

from trilithon.cli.drill.history import Operation
from trilithon.client.aio import AsyncTransaction

if TYPE_CHECKING:
    from cluster import ClientNode, Cluster

_LISTS = 5
_TABLES = ("lists_0", "lists_1")


class SqlAppend(SqlWorkload):
    """Values are numbers that are never used twice; the history is `history.operations`."""

    name = "append"
    schema = (
        *(f"CREATE TABLE {table} (k int PRIMARY KEY, v text NOT NULL)" for table in _TABLES),
        *(
            f"INSERT INTO {table} VALUES {', '.join(f'({n}, {chr(39) * 2})' for n in range(_LISTS))}"
            for table in _TABLES
        ),
    )

    def __init__(self, cluster: Cluster, history: History) -> None:
        super().__init__(cluster, history)
        # Every client by its source of randomness: Elle's processes do one thing at a time.
        self._processes: dict[random.Random, int] = {}

    async def step(self, node: ClientNode, source: random.Random) -> None:
        process = self._processes.setdefault(source, len(self._processes))
        record = await self.attempt(node, source, self._transaction)
        if record.micros:
            self.history.operations.append(
                Operation(
                    process,
                    str(record),
                    record.started_s,
                    self.cluster.kernel.now_s,
                    outcome_of(record),
                    tuple(record.micros),
                )
            )

    async def _transaction(
        self, transaction: AsyncTransaction, record: Record, source: random.Random
    ) -> None:
        for _ in range(source.randint(1, 4)):
            which, number = source.randrange(len(_TABLES)), source.randrange(_LISTS)
            table, key = _TABLES[which], list_id(which, number)
            if source.random() < 0.5:
                sql = f"SELECT v FROM {table} WHERE k = {number}"
                rows = await self.query(transaction, record, sql)
                record.micros.append(("r", key, [int(one) for one in rows[0][0].split()]))
                continue
            value = self.history.next_value()
            sql = f"UPDATE {table} SET v = v || ' {value}' WHERE k = {number}"
            await self.query(transaction, record, sql)
            record.micros.append(("append", key, value))


def list_id(table: int, number: int) -> int:
    return 100 * (table + 1) + number


def outcome_of(record: Record) -> str:
    """ "info" where neither the COMMIT nor `transaction_status` could tell."""
    known = {outcome for _, outcome, _, _ in record.answers} | {record.outcome}
    if known & {"committed", "read-only"}:
        return "ok"
    return "fail" if "aborted" in known else "info"


def final_lists(state: State) -> dict[int, list[int]]:
    """Every list as it is stored in the end."""
    return {
        list_id(which, row[0]): [int(one) for one in row[1].split()]
        for which, table in enumerate(_TABLES)
        for row in table_rows(state, table)
    }
