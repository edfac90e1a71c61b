"""A hot copy: what travels from one storage process to another, and how the source reads it.

A copy *at csn C* is every version at or below C that a snapshot at or above the source's collected csn
can still see. Applied versions never change, so the copy needs no long read transaction at the source:
it is read in parts, each in steps of its own, while the source goes on applying and collecting. What is
collected meanwhile raises the copy's own collected csn, even beyond C: then nobody reads the copy until
the feed has brought it there.

The cursor of a copy is an LMDB key (key + inverted csn), so one key's versions may lie in two parts.

Here: the messages' digest, the source's job, and `CopyState`, what the target keeps of its progress.
The target itself is `rebuild`; what it writes is in `engine`.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

import msgspec

from trilithon.core.csn import format_csn
from trilithon.storage.jobs import REPLY_BYTES_MAX, Job, Step, View
from trilithon.storage.machine import slot_of
from trilithon.storage.walk import CSN_BYTES, csn_of
from trilithon.v1 import storage_pb2, types_pb2

PART_BYTES: Final = 1024 * 1024
# A part ends after so many versions at the latest, also when none of them was of the slots asked for.
_EXAMINED_MAX: Final = 50_000
# Of a version beside its key and value, in the message.
_VERSION_BYTES: Final = 8
# Slices end here too: a large value is more work than a small one.
_SLICE_BYTES: Final = 128 * 1024


class CopyState(msgspec.Struct, frozen=True, array_like=True):
    """A copy that is not complete yet, as the target keeps it durably."""

    csn: int
    # The newest collected csn that a source told.
    collected: int = 0
    # The range of slots that is being read begins here; those before it are complete.
    slot: int = 0
    # Where to go on within this range; empty: at its beginning.
    resume: bytes = b""
    # The newest LMDB key written in this range, and how many garbage records there are.
    last: bytes = b""
    garbage: int = 0
    versions_count: int = 0
    bytes_count: int = 0


def digest_of(part: storage_pb2.CopyPart) -> bytes:
    digest = blake2b(digest_size=16)
    for items in (part.keys, part.values):
        for item in items:
            digest.update(len(item).to_bytes(4, "big"))
            digest.update(item)
    return digest.digest()


class CopyJob(Job):
    """Reads one part. Needs nothing of the memory table: what is applied up to C is in LMDB."""

    __slots__ = ("_bytes_max", "_examined_count", "_part", "_request", "_size", "_start")

    def __init__(
        self,
        peer: Any,
        correlation_id: int,
        request: storage_pb2.CopyRead,
        deadline_us: int,
        reply_bytes_max: int = REPLY_BYTES_MAX,
    ) -> None:
        super().__init__(peer, correlation_id, request.csn, None, deadline_us)
        self._request = request
        self._start = request.start
        self._bytes_max = min(PART_BYTES, reply_bytes_max)
        self._part = storage_pb2.CopyPart()
        self._size = 0
        self._examined_count = 0

    def run(self, view: View) -> Step:
        machine, request = view.machine, self._request
        if not machine.slot_first <= request.slot_first <= request.slot_last <= machine.slot_last:
            return self.fail(
                types_pb2.Failure.CODE_INVALID,
                f"the slots {request.slot_first}..{request.slot_last} are not all kept here",
            )
        if not 0 < request.csn <= machine.applied:
            # Also when this process began to be rebuilt itself meanwhile.
            return self.fail(
                types_pb2.Failure.CODE_UNAVAILABLE,
                f"{format_csn(request.csn)} is not applied here, {format_csn(machine.applied)} is",
            )
        resume = self._read_some(view)
        if resume is None:
            return Step.SLICED
        part = self._part
        part.resume = resume
        # Told before anything is collected: nothing above has missed more than this.
        part.collected_csn = machine.collected
        part.digest = digest_of(part)
        return self._answer(copy_part=part)

    def _read_some(self, view: View) -> bytes | None:
        """Go on for a slice. Where the next part begins (empty: nowhere); None: this one goes on."""
        cursor, request, part = view.cursor, self._request, self._part
        csn, first, last = request.csn, request.slot_first, request.slot_last
        owned_key, owned, slice_bytes = b"", False, 0
        found = cursor.set_range(self._start)
        while found:
            raw: bytes = cursor.key()
            full = self._size >= self._bytes_max or self._examined_count >= _EXAMINED_MAX
            if full or view.budget <= 0 or slice_bytes >= _SLICE_BYTES:
                self._start = raw
                return raw if full else None
            view.budget -= 1
            self._examined_count += 1
            key = raw[:-CSN_BYTES]
            if key != owned_key:
                owned_key, owned = key, first <= slot_of(key) <= last
            if owned and csn_of(raw) <= csn:
                value: bytes = cursor.value()
                part.keys.append(raw)
                part.values.append(value)
                self._size += len(raw) + len(value) + _VERSION_BYTES
                slice_bytes += len(raw) + len(value)
            found = cursor.next()
        return b""


class DamagedPart(Exception):
    """A part of a copy is not what was asked for, or not what was sent."""


def check_part(
    part: storage_pb2.CopyPart, state: CopyState, slot_first: int, slot_last: int
) -> None:
    """Raises DamagedPart."""
    if part.digest != digest_of(part) or len(part.keys) != len(part.values):
        raise DamagedPart("a part of the copy does not match its digest")
    before = state.last
    for raw in part.keys:
        if raw <= before or len(raw) <= CSN_BYTES or csn_of(raw) > state.csn:
            raise DamagedPart("a part of the copy does not continue the one before")
        if not slot_first <= slot_of(raw[:-CSN_BYTES]) <= slot_last:
            raise DamagedPart("a part of the copy has keys of other slots")
        before = raw
    if part.resume and part.resume <= before:
        raise DamagedPart("a part of the copy goes on before its own end")


__all__ = ["CopyJob", "CopyState", "DamagedPart", "check_part", "digest_of"]
