"""Object ids: from one counter, in blocks, in transactions of their own.

A block that was taken is never given back, so ids are unique though they have gaps, and CREATE TABLE in
one session does not conflict with CREATE TABLE in another one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog.definitions import FIRST_USER_ID
from trilithon.query.catalog.system_tables import counter_key
from trilithon.types.rows import encode_row
from trilithon.v1.types_pb2 import MODE_EXCLUSIVE

if TYPE_CHECKING:
    from trilithon.query.transaction.manager import TransactionManager
    from trilithon.query.transaction.transaction import Transaction

BLOCK: Final = 32
# An id is four bytes in every key.
ID_MAX: Final = (1 << 32) - 1
_KEY: Final = counter_key("object id")


class ObjectIds:
    def __init__(self, manager: TransactionManager) -> None:
        self._manager = manager
        self._next = 0
        self._end = 0
        self._lock = asyncio.Lock()

    async def take(self) -> int:
        """A new id. SqlError 54000 when four bytes are used up, and what commits raise."""
        async with self._lock:
            if self._next == self._end:
                first = await self._manager.run(_take_block)
                self._next, self._end = first, first + BLOCK
            taken = self._next
            self._next += 1
            return taken


async def _take_block(transaction: Transaction) -> int:
    (row,) = await transaction.get([_KEY])
    first: int = row[0] if row is not None else FIRST_USER_ID
    if first + BLOCK > ID_MAX:
        raise SqlError("54000", "all object ids are used up")
    transaction.write(_KEY, MODE_EXCLUSIVE, encode_row([first + BLOCK]))
    return first
