"""Catalogs by their csn: each is loaded once per process, however many transactions wait for it.

The snapshot names the newest entry that changed the catalog at or below it. A catalog loaded at any
snapshot with that name is exact for every snapshot with that name, so most transactions read nothing. A
catalog is loaded by one scan of the system table of objects; documents that did not change are not
decoded again, and tables that did not change stay the same objects, so plans over them stay valid.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

from trilithon.query.catalog.catalog import Catalog
from trilithon.query.catalog.documents import Stored, decode_object
from trilithon.query.catalog.system_tables import OBJECTS_RANGE
from trilithon.query.transaction.ports import SnapshotLike, StorageReadsLike

# Old snapshots of long transactions are few; new ones share the newest.
CATALOGS_MAX: Final = 8


class CatalogCache:
    def __init__(self, reads: StorageReadsLike) -> None:
        self._reads = reads
        self._catalogs: OrderedDict[int, Catalog] = OrderedDict()
        self._loading: dict[int, asyncio.Task[Catalog]] = {}
        # Key of the object's row → (kind, document), object: of the newest load.
        self._decoded: dict[bytes, tuple[tuple[str, bytes], Stored]] = {}
        self._decoded_csn = -1
        self.loads = 0

    def peek(self, catalog_csn: int) -> Catalog | None:
        return self._catalogs.get(catalog_csn)

    async def at(self, snapshot: SnapshotLike) -> Catalog:
        """The catalog of a snapshot. Raises what reading storage raises."""
        name = snapshot.catalog_csn
        found = self._catalogs.get(name)
        if found is not None:
            if next(reversed(self._catalogs)) != name:
                self._catalogs.move_to_end(name)
            return found
        task = self._loading.get(name)
        if task is None:
            # A task of its own: one waiter's cancellation must not fail the others.
            task = asyncio.create_task(self._load(name, snapshot.csn))
            self._loading[name] = task
            task.add_done_callback(lambda done: self._loaded(name, done))
        return await asyncio.shield(task)

    def _loaded(self, name: int, task: asyncio.Task[Catalog]) -> None:
        self._loading.pop(name, None)
        # Whoever still waits gets the exception; nobody may be left, and that is no failure.
        if not task.cancelled():
            task.exception()

    async def _load(self, name: int, snapshot_csn: int) -> Catalog:
        self.loads += 1
        decoded: dict[bytes, tuple[tuple[str, bytes], Stored]] = {}
        start, end = OBJECTS_RANGE
        async for chunk in self._reads.scan(snapshot_csn, start, end, with_keys=True):
            for key, row in zip(chunk.keys, chunk.rows, strict=True):
                raw = (row[0], bytes(row[1]))
                known = self._decoded.get(key)
                decoded[key] = (
                    known if known is not None and known[0] == raw else (raw, decode_object(row))
                )
        catalog = Catalog(name, (value for _, value in decoded.values()))
        if name > self._decoded_csn:
            self._decoded, self._decoded_csn = decoded, name
        self._catalogs[name] = catalog
        while len(self._catalogs) > CATALOGS_MAX:
            self._catalogs.popitem(last=False)
        return catalog
