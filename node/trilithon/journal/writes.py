"""Batches on their way to the disk, and the replies that wait for them.

Batches are numbered from 1 and become durable in order. A late reply waits for every operation that
was asked for before it, those of the open batch included.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from trilithon.core.invariant import require
from trilithon.journal.operations import Operation


@dataclass(slots=True)
class Late:
    """An Ack, or a Promised, for one epoch and leader's life, that waits for a sync."""

    peer: Hashable
    correlation_id: int
    epoch: int
    life: bytes
    promise: bool


@dataclass(slots=True)
class _Batch:
    number: int
    # Once durable, the log is synced up to here.
    tail_csn: int
    entry_bytes: int
    late: list[Late]


class Writes:
    __slots__ = (
        "_batches",
        "_entry_bytes",
        "_late",
        "_number",
        "_operations",
        "_synced_number",
        "unsynced_bytes",
    )

    def __init__(self) -> None:
        self._operations: list[Operation] = []
        self._late: dict[tuple[Hashable, int, bool], Late] = {}
        self._entry_bytes = 0
        self._batches: deque[_Batch] = deque()
        self._number = 0
        self._synced_number = 0
        # Entries in the open batch and in those under way.
        self.unsynced_bytes = 0

    @property
    def open_number(self) -> int:
        """The number that the open batch will have."""
        return self._number + 1

    @property
    def synced_number(self) -> int:
        return self._synced_number

    @property
    def opened(self) -> bool:
        return bool(self._operations)

    def add(self, operation: Operation, entry_bytes: int = 0) -> None:
        self._operations.append(operation)
        self._entry_bytes += entry_bytes
        self.unsynced_bytes += entry_bytes

    def wait(self, late: Late) -> None:
        """One late reply per peer, correlation id and kind is enough within a batch."""
        self._late[(late.peer, late.correlation_id, late.promise)] = late

    def cut(self, csn: int) -> None:
        """What is under way may sync entries above the cut, but those are gone."""
        for batch in self._batches:
            batch.tail_csn = min(batch.tail_csn, csn)

    def close(self, tail_csn: int) -> tuple[list[Operation], int, Iterable[Late]]:
        """Close the open batch: its operations and number (0: there were none), and the late
        replies that need not wait because everything is durable already."""
        late = list(self._late.values())
        self._late.clear()
        if not self._operations:
            if not self._batches:
                return [], 0, late
            self._batches[-1].late.extend(late)
            return [], 0, ()
        operations, self._operations = self._operations, []
        self._number += 1
        self._batches.append(_Batch(self._number, tail_csn, self._entry_bytes, late))
        self._entry_bytes = 0
        return operations, self._number, ()

    def synced(self, number: int) -> tuple[int | None, list[Late]]:
        """Everything up to `number` is durable: the csn that the log is now synced up to (None:
        unchanged), and who waited for it."""
        require(
            self._synced_number <= number <= self._number,
            "syncs are reported in order and only for writes that were given out",
        )
        self._synced_number = number
        tail_csn: int | None = None
        late: list[Late] = []
        while self._batches and self._batches[0].number <= number:
            batch = self._batches.popleft()
            self.unsynced_bytes -= batch.entry_bytes
            tail_csn = batch.tail_csn
            late += batch.late
        return tail_csn, late
