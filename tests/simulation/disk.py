"""The simulated disk of a journal: what is synced survives a kill, nothing else.

A write takes a sync's time and is durable at its end. A kill while it is under way leaves a prefix of
its operations, or nothing (a torn last write). Faults are plain fields.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

from kernel import Kernel

from trilithon.core.ids import make_random_id
from trilithon.journal.operations import AppendEntries, DurableState, Operation, RecoveredState
from trilithon.v1.types_pb2 import Entry


class DiskFailed(OSError):
    """A sync that failed: nobody knows what is on the disk."""


class JournalDisk:
    """Outlives the process. `appended` hears of every entry that was handed to any disk."""

    def __init__(self, kernel: Kernel, name: str, appended: Callable[[str, Entry], None]) -> None:
        self._kernel = kernel
        self._random = random.Random(kernel.random.getrandbits(64))
        self._appended = appended
        self.name = name
        self.state = DurableState(make_random_id(self._random))
        # Of the write under way.
        self._operations: Sequence[Operation] = ()
        self._writing = False
        # Faults.
        self.sync_s = 0.002
        # Not a member any more.
        self.retired = False
        self.extra_s = 0.0
        self.fail_next = False
        self.full = False

    def lose(self) -> None:
        """The folder is gone: what comes back is another incarnation and remembers nothing."""
        self.state = DurableState(make_random_id(self._random))

    def killed(self) -> None:
        operations, self._operations = self._operations, ()
        if self._writing and operations and self._random.random() < 0.5:
            self.state.apply(operations[: self._random.randint(0, len(operations))])
        self._writing = False

    def open(self) -> OpenDisk:
        self._writing = False
        return OpenDisk(self)

    def sync_delay_s(self) -> float:
        delay = self.sync_s * self._random.uniform(0.3, 2.0) + self.extra_s
        if self._random.random() < 0.01:
            delay += self._random.expovariate(1 / 0.05)
        return delay

    async def write(self, operations: Sequence[Operation]) -> None:
        if self.full:
            raise DiskFailed(28, "no space left on the simulated disk")
        for operation in operations:
            if isinstance(operation, AppendEntries):
                for entry in operation.entries:
                    self._appended(self.name, entry)
        self._operations, self._writing = operations, True
        await asyncio.sleep(self.sync_delay_s())
        if self.fail_next:
            self.fail_next = False
            raise DiskFailed(5, "the simulated sync failed")
        self.state.apply(operations)
        self._operations, self._writing = (), False

    def recent_count(self) -> int | None:
        """How much of the log a start brings into memory: all, little, nothing."""
        return self._random.choice([None, None, None, 50, 3, 0])


class OpenDisk:
    """`trilithon.journal.store.JournalStore` of one process life."""

    def __init__(self, disk: JournalDisk) -> None:
        self._disk = disk

    def load(self) -> RecoveredState:
        return self._disk.state.recover(self._disk.recent_count())

    async def write(self, operations: Sequence[Operation]) -> None:
        await self._disk.write(operations)

    async def read_entries(self, after_csn: int, to_csn: int, max_bytes: int) -> list[Entry]:
        await asyncio.sleep(0.0005)
        return self._disk.state.read_entries(after_csn, to_csn, max_bytes)

    async def log_bytes(self) -> int:
        return sum(entry.ByteSize() for entry in self._disk.state.entries)

    async def close(self) -> None:
        pass
