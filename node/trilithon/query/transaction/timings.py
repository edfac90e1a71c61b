"""Where a transaction's time went: for SHOW trilithon.last_commit_timings and `make bench`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from trilithon.v1.adjudicator_pb2 import CommitTimings


@dataclass(slots=True)
class TransactionTimings:
    """Microseconds. The first four are the query processor's, the others the adjudicator's that
    answered it; each by its own process's clock."""

    # From asking for the snapshot until it was there.
    snapshot_us: int = 0
    # All waits for rows by key, added up, and how many there were. A first read that travelled
    # beside the snapshot request counts from when the statement wanted its rows.
    reads_us: int = 0
    reads: int = 0
    # From handing the commit over until its verdict.
    commit_us: int = 0
    # Until it was judged (or sent to the leader), and until the append (or request) left.
    queued_us: int = 0
    judged_us: int = 0
    # From then until the own Region's journal had it synced.
    synced_us: int = 0
    # From judged (or sent) to settled.
    settled_us: int = 0

    def take(self, told: CommitTimings) -> None:
        """What the verdict says."""
        self.queued_us = told.queued_us
        self.judged_us = told.judged_us
        self.synced_us = told.synced_us
        self.settled_us = told.settled_us

    def to_json(self) -> str:
        return json.dumps(asdict(self))
