"""What a statement's reads cost, for EXPLAIN ANALYZE: counted where storage is asked.

The counter of the plan node that is at work is a context variable: tasks that fetch ahead inherit it.
Nobody counts unless it is set.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class ReadMeter:
    """`rows_read` are the versions and keys that storage looked at, `rows_returned` what it sent."""

    round_trips: int = 0
    rows_read: int = 0
    rows_returned: int = 0
    bytes_received: int = 0
    processes: dict[str, int] = field(default_factory=dict)

    def answered(self, process: str, size_bytes: int) -> None:
        self.round_trips += 1
        self.bytes_received += size_bytes
        self.processes[process] = self.processes.get(process, 0) + 1

    def rows(self, read: int, returned: int) -> None:
        self.rows_read += read
        self.rows_returned += returned


current: ContextVar[ReadMeter | None] = ContextVar("reads", default=None)
