"""Bounds and times of one journal. Times are microseconds of the journal's own monotonic clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Longer leases than this are refused as nonsense: they would keep a cluster without a leader for as long.
LEASE_TTL_US_MAX: Final = 300_000_000
# A message may raise the epoch by at most this much, so that one bad number cannot use them all up.
EPOCH_STEP_MAX: Final = 1 << 16
MARKS_MAX: Final = 64
REQUIRED_MAX: Final = 64
MEMBERS_MAX: Final = 32
NAME_BYTES_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """What the machine needs to know of the configuration."""

    # This journal's Region serves reads: it may hold a lease. False for a witness.
    full: bool = True
    # This process's own lease_ttl; the largest one ever seen counts for votes.
    lease_ttl_us: int = 1_500_000
    # Entries younger than this (by their settling, as this journal saw it) are never trimmed.
    window_us: int = 900_000_000
    log_bytes_max: int = 4 * 1024**3
    # Storage processes of this Region; the log is kept until all of them have applied it.
    storages: tuple[str, ...] = ()
    # Recent entries kept in memory.
    memory_bytes_max: int = 64 * 1024**2
    # Entries that wait for the disk; appends beyond this are turned down.
    unsynced_bytes_max: int = 128 * 1024**2
    entry_bytes_max: int = 16 * 1024**2
    feed_chunk_bytes: int = 1024**2
    # Pushed to one subscriber between two ticks.
    feed_burst_bytes: int = 8 * 1024**2
    subscribers_max: int = 256
    # Read requests under way in the store, for everybody together.
    reads_max: int = 256
    read_log_bytes_max: int = 4 * 1024**2
    trim_step_entries: int = 2_000
    # A settled mark without any write of its own is made durable after this long.
    settled_hint_us: int = 1_000_000
