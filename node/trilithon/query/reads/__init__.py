"""Reading: snapshots from the Region's journal, rows from its storage processes.

Vocabulary
- *snapshot*: the csn that a transaction reads at, given by a journal under a valid lease.
- *owner*: the storage process that a key's slot belongs to.
- *speculative*: read without a snapshot, beside asking for one; right for the snapshots it names.

Modules: `snapshots` (one request in flight serves all who were waiting when it left), `owners` (slots
and ranges to processes), `asking` (one request with retries, failures as SqlErrors), `storage` (rows by
key), `scan` (ranges: chunks fetched ahead, owners merged in key order), `wiring` (from configuration).

Invariants
- A snapshot request leaves after the transactions that it serves began, never before.
- Reads may be repeated: the snapshot is fixed, so every answer to the same question is the same.
- Every wait ends within the availability timeout, with SQLSTATE 57P03.

Not here: own writes and serializable checks (query.transaction); what is visible when (storage).
"""

from trilithon.query.reads.owners import StorageTarget
from trilithon.query.reads.scan import Chunk, Scan
from trilithon.query.reads.snapshots import Snapshot, SnapshotSource
from trilithon.query.reads.storage import Speculation, StorageReads
from trilithon.query.reads.wiring import open_snapshots, open_storage

__all__ = [
    "Chunk",
    "Scan",
    "Snapshot",
    "SnapshotSource",
    "Speculation",
    "StorageReads",
    "StorageTarget",
    "open_snapshots",
    "open_storage",
]
