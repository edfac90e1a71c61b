"""Which storage process owns a key, and which ones a range needs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

from trilithon.core.errors import SqlError
from trilithon.types import keys


@dataclass(frozen=True, slots=True)
class StorageTarget:
    """A storage process of the Region. Slots are inclusive."""

    name: str
    address: str
    slot_first: int = 0
    slot_last: int = keys.SLOT_COUNT - 1


class Owners:
    """Positions in the list of targets, by slot. Raises ValueError for slots owned twice or never."""

    __slots__ = ("_by_slot", "count")

    def __init__(self, targets: Sequence[StorageTarget]) -> None:
        self.count = len(targets)
        by_slot = [-1] * keys.SLOT_COUNT
        for position, target in enumerate(targets):
            if not 0 <= target.slot_first <= target.slot_last < keys.SLOT_COUNT:
                raise ValueError(
                    f"{target.name}: slots {target.slot_first}..{target.slot_last} are not within "
                    f"0..{keys.SLOT_COUNT - 1}"
                )
            for slot in range(target.slot_first, target.slot_last + 1):
                if by_slot[slot] >= 0:
                    raise ValueError(
                        f"slot {slot} belongs to {targets[by_slot[slot]].name} and to {target.name}"
                    )
                by_slot[slot] = position
        if -1 in by_slot:
            raise ValueError(f"slot {by_slot.index(-1)} belongs to no storage process")
        self._by_slot = by_slot

    def of_key(self, key: bytes) -> int:
        try:
            return self._by_slot[keys.key_slot(key)]
        except keys.MalformedKey as error:
            raise SqlError("XX000", f"malformed key: {error}") from error

    def of_range(self, start: bytes, end: bytes) -> range:
        """Those that may have keys in [start, end): one, when the first column is pinned, or all."""
        if self.count == 1:
            return range(1)
        try:
            column_end = keys.first_column_end(start)
        except keys.MalformedKey:
            return range(self.count)
        prefix = start[:column_end]
        if column_end > keys.PREFIX_BYTES and end and end <= keys.prefix_end(prefix):
            owner = self._by_slot[crc32(prefix) % keys.SLOT_COUNT]
            return range(owner, owner + 1)
        return range(self.count)
