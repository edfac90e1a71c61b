"""Gathers statistics and knows the newest.

A query processor counts the rows that its own commits change; when a table has changed by more than
`CHANGED_ROWS` and `CHANGED_PART` of it, it is read and counted again, one table at a time. Whatever
another query processor gathered is found by `refresh`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog.definitions import Table
from trilithon.query.statistics.definitions import (
    STATISTICS_RANGE,
    TableStatistics,
    decode_statistics,
    encode_statistics,
    statistics_key,
)
from trilithon.query.statistics.sampling import Sample, statistics_of
from trilithon.query.transaction.write_buffer import is_row_key
from trilithon.types.keys import key_prefix, prefix_end
from trilithon.types.rows import encode_row
from trilithon.v1.types_pb2 import MODE_BLIND

if TYPE_CHECKING:
    from trilithon.query.transaction.manager import TransactionManager
    from trilithon.query.transaction.transaction import Transaction

_log = logging.getLogger("trilithon.query.statistics")

CHANGED_ROWS: Final = 50
CHANGED_PART: Final = 0.1
ROUND_SECONDS: Final = 30.0
# More rows than these are not read; the table then has at least as many.
READ_ROWS_MAX: Final = 1_000_000
# Reading leaves others their turns.
_PAUSE_SECONDS: Final = 0.002
_TRACKED_TABLES_MAX: Final = 10_000


class StatisticsKeeper:
    """One per query processor."""

    def __init__(self, manager: TransactionManager) -> None:
        self._manager = manager
        self._tables: dict[int, TableStatistics] = {}
        # Row-key prefix → rows that this process changed since it was last counted.
        self._changed: Counter[bytes] = Counter()
        self._task: asyncio.Task[None] | None = None
        # Changes whenever any table's statistics do.
        self.generation = 0
        self.gathered = 0

    def of(self, table: Table) -> TableStatistics | None:
        found = self._tables.get(table.id)
        return found if found is not None and found.is_for(table) else None

    # ---- by itself

    def changed(self, keys: Iterable[bytes]) -> None:
        """Keys that a committed transaction wrote."""
        for key in keys:
            if is_row_key(key):
                self._changed[key[:8]] += 1
        if len(self._changed) > _TRACKED_TABLES_MAX:
            self._changed.clear()

    def open(self) -> None:
        """Begin to look after statistics, until `close`."""
        if self._task is None:
            self._task = asyncio.create_task(self._run_forever(), name="statistics")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run_forever(self) -> None:
        while True:
            jitter = self._manager.world.random.uniform(0.7, 1.3)
            await asyncio.sleep(ROUND_SECONDS * jitter)
            try:
                await self._round()
            except SqlError as error:
                _log.debug("statistics are put off: %s", error)
            except Exception:
                _log.exception("statistics are put off")

    async def _round(self) -> None:
        await self.refresh()
        transaction = await self._manager.begin(read_only=True)
        catalog = transaction.catalog
        transaction.rollback()
        gone = [table_id for table_id in self._tables if catalog.table_by_id(table_id) is None]
        if gone:
            await self._forget(gone)
        for table in catalog.tables:
            if self._is_due(table):
                await self.analyse(table)

    async def _forget(self, table_ids: list[int]) -> None:
        transaction = await self._manager.begin()
        for table_id in table_ids:
            transaction.write(statistics_key(table_id), MODE_BLIND, None)
            self._tables.pop(table_id)
        await transaction.commit()

    def _is_due(self, table: Table) -> bool:
        changed = self._changed[key_prefix(table.storage_id, 0)]
        known = self.of(table)
        return changed > CHANGED_ROWS + CHANGED_PART * (known.rows if known else 0.0)

    # ---- by order

    async def refresh(self) -> None:
        """Take over what others have gathered. SqlError as reading."""
        transaction = await self._manager.begin(read_only=True)
        found: dict[int, TableStatistics] = {}
        try:
            async for chunk in transaction.scan(*STATISTICS_RANGE):
                for row in chunk.rows:
                    one = decode_statistics(bytes(row[0]))
                    if one is not None:
                        found[one.table_id] = one
        finally:
            transaction.rollback()
        for table_id, one in found.items():
            known = self._tables.get(table_id)
            if known is None or (known.storage_id, known.at_us) != (one.storage_id, one.at_us):
                self._take(one)

    def _take(self, statistics: TableStatistics) -> None:
        self._tables[statistics.table_id] = statistics
        self._changed.pop(key_prefix(statistics.storage_id, 0), None)
        self.generation += 1

    async def analyse(self, table: Table) -> TableStatistics:
        """Count a table's committed rows and keep the result. SqlError as reading and committing."""
        transaction = await self._manager.begin()
        try:
            made = await self._count(transaction, table)
            row = encode_row([encode_statistics(made)])
            # Blind: whoever counted last is right, nobody has to lose.
            transaction.write(statistics_key(table.id), MODE_BLIND, row)
            await transaction.commit()
        finally:
            transaction.rollback()
        self._take(made)
        self.gathered += 1
        return made

    async def _count(self, transaction: Transaction, table: Table) -> TableStatistics:
        world = self._manager.world
        sample = Sample(world.random)
        prefix = key_prefix(table.storage_id, 0)
        rows = 0.0
        async for chunk in transaction.scan(prefix, prefix_end(prefix)):
            sample.add(chunk.rows)
            if sample.seen >= READ_ROWS_MAX:
                known = self.of(table)
                rows = known.rows if known is not None else 0.0
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        rows = max(rows, float(sample.seen))
        return statistics_of(table, sample, rows, world.clock.wall_us())
