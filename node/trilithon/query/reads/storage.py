"""Rows by key and by range, from the storage processes of this Region."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.core.invariant import require
from trilithon.core.world import World
from trilithon.link.specs import STORAGE
from trilithon.query.reads import meter
from trilithon.query.reads.asking import StorageChannel
from trilithon.query.reads.owners import Owners, StorageTarget
from trilithon.query.reads.scan import OwnerScan, Row, Scan
from trilithon.types.rows import MalformedRow, decode_rows
from trilithon.v1 import storage_pb2

# Per item; storage accepts a few more.
KEYS_PER_REQUEST_MAX: Final = 4_096
KEY_BYTES_PER_REQUEST_MAX: Final = 1024 * 1024

PointRead = storage_pb2.PointRead
StorageRequest = storage_pb2.StorageRequest


@dataclass(frozen=True, slots=True)
class Speculation:
    """Rows read before the snapshot was known."""

    rows: list[Row | None]
    examined_csn: int
    position_csn: int

    def holds_at(self, snapshot_csn: int) -> bool:
        """Whether reading at this snapshot would give the very same rows."""
        return self.examined_csn <= snapshot_csn <= self.position_csn


class StorageReads:
    """All reads of one query processor. Raises ValueError when slots are owned twice or never."""

    def __init__(self, world: World, targets: Sequence[StorageTarget], *, timeout_s: float) -> None:
        self._owners = Owners(targets)
        self._channels = [
            StorageChannel(world, target, world.network.link(STORAGE, target.address), timeout_s)
            for target in targets
        ]
        self._only = self._channels[0] if len(self._channels) == 1 else None

    async def get(
        self, snapshot_csn: int, keys: Sequence[bytes], program: bytes = b""
    ) -> list[Row | None]:
        """Per key the row, None where there is none or the program's filter says no.

        SqlError 57P03 when storage cannot answer in time, 72000 for a snapshot older than what is
        kept, or what the program raised.
        """
        require(snapshot_csn > 0, "a transaction reads at a snapshot")
        if len(keys) == 1:
            # The hot path: one key, one item, nothing to put together.
            channel = self._only or self._channels[self._owners.of_key(keys[0])]
            reply = await channel.ask(
                StorageRequest(
                    point_read=PointRead(snapshot_csn=snapshot_csn, keys=keys, program=program)
                )
            )
            return _decode(reply.point_rows.rows)
        return (await self._get_many(snapshot_csn, keys, program)).rows

    async def speculative_get(self, keys: Sequence[bytes], program: bytes = b"") -> Speculation:
        """The newest rows, beside a snapshot request that is under way; see `holds_at`."""
        return await self._get_many(0, keys, program)

    async def _get_many(
        self, snapshot_csn: int, keys: Sequence[bytes], program: bytes
    ) -> Speculation:
        if not keys:
            return Speculation([], 0, (1 << 64) - 1)
        if self._only is not None:
            return await _get_from(self._only, snapshot_csn, keys, program)
        positions: dict[int, list[int]] = {}
        for position, key in enumerate(keys):
            positions.setdefault(self._owners.of_key(key), []).append(position)
        parts = await _all(
            [
                _get_from(self._channels[owner], snapshot_csn, [keys[one] for one in mine], program)
                for owner, mine in positions.items()
            ]
        )
        rows: list[Row | None] = [None] * len(keys)
        for mine, part in zip(positions.values(), parts, strict=True):
            for position, row in zip(mine, part.rows, strict=True):
                rows[position] = row
        return Speculation(
            rows,
            max(part.examined_csn for part in parts),
            min(part.position_csn for part in parts),
        )

    def scan(
        self,
        snapshot_csn: int,
        start: bytes,
        end: bytes,
        *,
        reverse: bool = False,
        limit: int = 0,
        program: bytes = b"",
        with_keys: bool = False,
        ordered: bool = True,
    ) -> Scan:
        """Rows with start <= key < end (empty end: no end) in key order, in chunks that are not
        empty. `limit` counts rows that passed the filter; 0: none. Failures as for `get`.

        Not `ordered`: chunks in any order, for programs that aggregate (no keys, no limit).
        Close it (`aclose`) when you stop before its end.
        """
        require(snapshot_csn > 0, "a transaction reads at a snapshot")
        require(ordered or not (limit or with_keys), "what has no order has no first rows")
        owners = self._owners.of_range(start, end)
        sources = [
            OwnerScan(
                self._channels[owner],
                snapshot_csn,
                start,
                end,
                reverse=reverse,
                limit=limit,
                program=program,
                with_keys=with_keys or (ordered and len(owners) > 1),
            )
            for owner in owners
        ]
        return Scan(sources, reverse=reverse, limit=limit, with_keys=with_keys, ordered=ordered)

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()


async def _get_from(
    channel: StorageChannel, snapshot_csn: int, keys: Sequence[bytes], program: bytes
) -> Speculation:
    """All of one owner's keys, in as many requests as their number and the rows' size need."""
    rows: list[Row | None] = []
    examined, position = 0, (1 << 64) - 1
    while len(rows) < len(keys):
        asked = _first_part(keys, len(rows))
        reply = await channel.ask(
            StorageRequest(
                point_read=PointRead(snapshot_csn=snapshot_csn, keys=asked, program=program)
            )
        )
        part = reply.point_rows
        found = _decode(part.rows)
        if not found or len(found) + part.unanswered_keys != len(asked):
            raise SqlError("XX000", "storage answered for another number of keys")
        rows += found
        examined = max(examined, part.examined_csn)
        position = min(position, part.position_csn)
    return Speculation(rows, examined, position)


def _first_part(keys: Sequence[bytes], start: int) -> Sequence[bytes]:
    """As many keys as one request may have, from `start`."""
    stop, size = start, 0
    limit = min(len(keys), start + KEYS_PER_REQUEST_MAX)
    while stop < limit and (stop == start or size + len(keys[stop]) <= KEY_BYTES_PER_REQUEST_MAX):
        size += len(keys[stop])
        stop += 1
    return keys[start:stop]


def _decode(blob: bytes) -> list[Row | None]:
    try:
        rows: list[Row | None] = decode_rows(blob)
        counting = meter.current.get()
        if counting is not None:
            counting.rows(len(rows), len(rows) - rows.count(None))
        return rows
    except MalformedRow as error:
        raise SqlError("XX001", f"storage holds a malformed row: {error}") from error


async def _all(work: list[Coroutine[Any, Any, Speculation]]) -> list[Speculation]:
    """Side by side; the first failure cancels the others and is raised as it is."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        return [await task for task in tasks]
    finally:
        for task in tasks:
            if not task.done():
                task.cancel()
            task.add_done_callback(_seen)


def _seen(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()
