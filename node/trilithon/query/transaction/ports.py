"""What a transaction needs from reads, as protocols; query.reads implements them, tests use fakes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any, Protocol, cast

from trilithon.query.reads.past import Leaseless, PastSnapshot

Row = list[Any]


class SnapshotLike(Protocol):
    @property
    def csn(self) -> int: ...
    @property
    def catalog_csn(self) -> int: ...


class SnapshotSourceLike(Protocol):
    async def snapshot(self) -> SnapshotLike:
        """SqlError 57P03 when no journal gives one in time."""
        ...

    async def leaseless(self, wish: Leaseless) -> PastSnapshot:
        """Of the past, or stale: SqlError 72000, 22023, 57P03."""
        ...


class ChunkLike(Protocol):
    """Part of a scan, in key order; `keys` is as long as `rows` when keys were asked for."""

    @property
    def rows(self) -> list[Row]: ...
    @property
    def keys(self) -> list[bytes]: ...


class SpeculationLike(Protocol):
    """Rows read beside asking for the snapshot."""

    @property
    def rows(self) -> list[Row | None]: ...
    def holds_at(self, snapshot_csn: int) -> bool: ...


class StorageReadsLike(Protocol):
    async def get(
        self, snapshot_csn: int, keys: Sequence[bytes], program: bytes = b""
    ) -> list[Row | None]: ...

    async def speculative_get(
        self, keys: Sequence[bytes], program: bytes = b""
    ) -> SpeculationLike: ...

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
    ) -> AsyncIterator[ChunkLike]: ...


def closing(chunks: AsyncIterator[ChunkLike]) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
    """Ends a scan (`aclose`) when its reader stops early."""
    return cast("AbstractAsyncContextManager[AsyncIterator[Any]]", aclosing(cast(Any, chunks)))
