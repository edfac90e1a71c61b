"""The logical checksum: equal in every Region at an equal csn, whatever LMDB's pages look like.

Sum modulo 2^64 of BLAKE2b-64(length of key, key, value) over all visible rows: sums of disjoint slot
ranges add up to that of the whole.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

from trilithon.storage.machine import StorageMachine
from trilithon.storage.walk import PROGRESS, UNSETTLED, walk

_MASK: Final = (1 << 64) - 1
# Keys per step on the event loop, about a millisecond.
STEP_KEYS: Final = 500


class Checksum:
    """Step until `done`. The machine's position must be at `csn` or above, all of it settled."""

    __slots__ = ("_start", "csn", "done", "rows", "value")

    def __init__(self, csn: int) -> None:
        self.csn = csn
        self.value = 0
        self.rows = 0
        self.done = False
        self._start = b""

    def step(self, cursor: Any, machine: StorageMachine[Any]) -> None:
        left = STEP_KEYS
        steps = walk(cursor, machine.table, self._start, b"", False, self.csn, machine.settled)
        for key, _, value in steps:
            assert value is not UNSETTLED, "a checksum reads what is settled"
            if value is PROGRESS:
                self._start = key
            else:
                self._start = key + b"\0"
                if value is not None:
                    self._add(key, value)
            left -= 1
            if left <= 0:
                return
        self.done = True

    def _add(self, key: bytes, value: bytes) -> None:
        digest = blake2b(len(key).to_bytes(4, "big"), digest_size=8)
        digest.update(key)
        digest.update(value)
        self.value = (self.value + int.from_bytes(digest.digest(), "big")) & _MASK
        self.rows += 1
