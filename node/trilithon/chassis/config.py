"""The cluster's configuration: one TOML file for every process of every Region.

Plain data here; `load` validates and names the key, the value and what was expected.
"""

from __future__ import annotations

import msgspec

SLOT_COUNT = 1024


class ProcessConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One process. `name` is unique in the cluster: "a/journal-0", "w/journal-0"."""

    name: str
    # host:port of the gRPC server.
    address: str
    # host:port of the PostgreSQL listener; query processors only.
    postgresql: str = ""
    # host:port of the Prometheus endpoint; empty: none.
    metrics: str = ""
    # The data folder; journals and storage only.
    data: str = ""
    # Storage only: the first and last slot of its key range, both inclusive.
    slot_first: int = 0
    slot_last: int = SLOT_COUNT - 1


class RegionConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    # A witness Region has journals and nothing else.
    witness: bool = False
    query: tuple[ProcessConfig, ...] = ()
    adjudicator: tuple[ProcessConfig, ...] = ()
    journal: tuple[ProcessConfig, ...] = ()
    storage: tuple[ProcessConfig, ...] = ()


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    transaction_rows: int = 3_000
    transaction_bytes: int = 10 * 1024 * 1024
    transaction_age_s: int = 300
    row_bytes: int = 2 * 1024 * 1024
    value_bytes: int = 1024 * 1024
    key_bytes: int = 1024
    key_columns: int = 8
    indexes_per_table: int = 24
    columns_per_table: int = 255
    tables: int = 1_000
    connections: int = 10_000
    query_memory_bytes: int = 128 * 1024 * 1024
    query_temp_bytes: int = 4 * 1024 * 1024 * 1024
    message_bytes: int = 16 * 1024 * 1024


class TlsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """PEM files; all empty: no TLS. With `ca`, processes also ask each other for certificates."""

    certificate: str = ""
    key: str = ""
    ca: str = ""


class ClusterConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    # The cluster's id; data folders of another cluster are refused.
    cluster: str
    regions: tuple[RegionConfig, ...]
    lease_ttl_ms: int = 1_500
    availability_timeout_ms: int = 5_000
    # How long old versions and the log are kept beyond the transaction age limit.
    retention_s: int = 600
    log_bytes_max: int = 4 * 1024 * 1024 * 1024
    limits: Limits = Limits()
    tls: TlsConfig = TlsConfig()
    postgresql_tls: TlsConfig = TlsConfig()
    # "trust" or "scram-sha-256"
    authentication: str = "trust"
    log_level: str = "info"

    def region(self, name: str) -> RegionConfig:
        return next(region for region in self.regions if region.name == name)
