"""The configurable limits of transactions and definitions, as the configuration has them."""

from __future__ import annotations

from dataclasses import dataclass, field

from trilithon.chassis.config import Limits
from trilithon.query.transaction.write_buffer import BufferLimits


@dataclass(frozen=True, slots=True)
class TransactionLimits:
    buffer: BufferLimits = field(default_factory=BufferLimits)
    age_s: float = 300.0
    value_bytes: int = 1024 * 1024
    # Of a key's columns, encoded.
    key_bytes: int = 1024
    key_columns: int = 8
    indexes_per_table: int = 24
    columns_per_table: int = 255
    tables: int = 1_000
    views: int = 5_000
    sequences: int = 5_000

    @classmethod
    def from_config(cls, limits: Limits) -> TransactionLimits:
        return cls(
            buffer=BufferLimits(
                limits.transaction_rows, limits.transaction_bytes, limits.row_bytes
            ),
            age_s=limits.transaction_age_s,
            value_bytes=limits.value_bytes,
            key_bytes=limits.key_bytes,
            key_columns=limits.key_columns,
            indexes_per_table=limits.indexes_per_table,
            columns_per_table=limits.columns_per_table,
            tables=limits.tables,
        )
