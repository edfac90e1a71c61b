"""What an adjudicator is told when it starts. Durations in microseconds of the monotonic clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JournalTarget:
    """A journal of the configuration. `full`: its Region serves reads."""

    name: str
    region: str
    full: bool


@dataclass(frozen=True, slots=True)
class AdjudicatorTarget:
    name: str
    region: str
    address: str


@dataclass(frozen=True, slots=True)
class Settings:
    name: str
    region: str
    # Where the other adjudicators reach this one.
    address: str
    journals: tuple[JournalTarget, ...]
    adjudicators: tuple[AdjudicatorTarget, ...]
    lease_ttl_us: int = 1_500_000
    # A request that could not be sent to any leader for this long is turned down.
    availability_timeout_us: int = 5_000_000
    # A request whose outcome cannot be told for this long is answered UNKNOWN.
    pending_timeout_us: int = 10_000_000
    pending_max: int = 20_000
    # The conflict window: at least the transaction age limit, bounded by entries and key bytes too.
    window_age_us: int = 360_000_000
    window_entries_max: int = 1_000_000
    window_keys_max: int = 2_000_000
    window_bytes_max: int = 256 * 1024 * 1024
    # Entries kept in memory for journals that are behind; older ones are read from another journal.
    log_bytes_max: int = 64 * 1024 * 1024
    # How many entries before the tail a cold start reads.
    warm_entries: int = 200_000
    append_bytes_max: int = 1024 * 1024
    append_entries_max: int = 4_096
    in_flight_bytes_max: int = 16 * 1024 * 1024
    # A leader with more than this not yet settled turns new commits away.
    unsettled_entries_max: int = 50_000
    unsettled_bytes_max: int = 256 * 1024 * 1024
    # The largest write set, serialised; an entry must fit into one message of a link.
    write_set_bytes_max: int = 15 * 1024 * 1024
    read_checks_max: int = 10_000
    # What storage can keep: a longer key must never reach the log, where nobody could apply it.
    key_bytes_max: int = 1_970
    # transaction_status: how many may be asked per second here, and how many at once.
    status_per_second: int = 200

    @property
    def heartbeat_us(self) -> int:
        return self.lease_ttl_us // 10

    @property
    def drift_margin_us(self) -> int:
        """Covers clocks that run apart by up to 2 % in either direction, over one lease_ttl."""
        return self.lease_ttl_us // 20

    @property
    def resend_first_us(self) -> int:
        return self.lease_ttl_us // 3

    @property
    def resend_max_us(self) -> int:
        return self.lease_ttl_us * 2

    def journal(self, name: str) -> JournalTarget:
        return next(target for target in self.journals if target.name == name)
