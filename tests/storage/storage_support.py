"""Helpers of the storage tests: entries, a driver of machine and engine, and what is right."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from trilithon.core.csn import make_csn
from trilithon.storage.engine import Engine, FolderIdentity
from trilithon.storage.jobs import Job, PointJob, RangeJob, Step, View
from trilithon.storage.machine import StorageMachine
from trilithon.types.rows import decode_rows
from trilithon.v1 import journal_pb2, storage_pb2, types_pb2

IDENTITY = FolderIdentity("cluster", 0, 1023)
NO_DEADLINE = 1 << 62


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """On a RAM disk where there is one: syncs are what these tests would wait for."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="trilithon-test-", dir=place) as folder:
        yield Path(folder)


def row(value: object) -> bytes:
    return msgspec.msgpack.encode([value])


def entry(
    csn: int, previous: int, writes: Sequence[tuple[bytes, bytes | None]] = ()
) -> types_pb2.Entry:
    made = types_pb2.Entry(csn=csn, previous_csn=previous)
    write_set = types_pb2.WriteSet()
    for key, value in writes:
        write = write_set.writes.add(key=key, mode=types_pb2.MODE_EXCLUSIVE)
        if value is not None:
            write.value = value
    made.write_set = write_set.SerializeToString()
    return made


def update(
    *entries: types_pb2.Entry, settled: int = 0, cut_to: int | None = None
) -> journal_pb2.FeedUpdate:
    made = journal_pb2.FeedUpdate(entries=entries, settled_csn=settled)
    if cut_to is not None:
        made.cut_to_csn = cut_to
    return made


class Store:
    """Machine and engine without a service: apply when told, read until answered or waiting."""

    def __init__(self, folder: Path, identity: FolderIdentity = IDENTITY, **options: Any) -> None:
        self.folder = folder
        self.identity = identity
        self.options = options
        self.open()

    def open(self) -> None:
        self.engine = Engine.open(self.folder, self.identity, **self.options)
        self.machine: StorageMachine[Job] = StorageMachine(
            applied=self.engine.applied,
            collected=self.engine.collected,
            slot_first=self.identity.slot_first,
            slot_last=self.identity.slot_last,
        )

    def reopen(self) -> None:
        self.engine.close()
        self.open()

    def apply(self, collect_to: int = 0, collect_max: int = 1_000_000) -> None:
        entries = self.machine.freeze()
        self.machine.collect_below(min(collect_to, self.machine.applied))
        result = self.engine.apply(
            entries, collect_to=min(collect_to, self.machine.applied), collect_max=collect_max
        )
        if entries:
            self.machine.applied_up_to(result.applied)

    def run(self, job: Job, budget: int = 1 << 30) -> Step:
        """Step until the job is answered or has to wait; `budget` bounds each step."""
        while True:
            with self.engine.reading() as cursor:
                step = job.run(View(cursor, self.machine, budget))
            if step is not Step.SLICED:
                return step

    def point(self, snapshot: int, *keys: bytes, **options: Any) -> storage_pb2.PointRows:
        job = PointJob(None, 1, snapshot, None, NO_DEADLINE, list(keys))
        step = self.run(job, **options)
        assert step is Step.ANSWERED, (step, job.wait_csn)
        assert job.reply.WhichOneof("reply") == "point_rows", job.reply
        return job.reply.point_rows

    def get(self, snapshot: int, key: bytes) -> Any:
        (found,) = decode_rows(self.point(snapshot, key).rows)
        return None if found is None else found[0]

    def range(self, request: storage_pb2.RangeRead, budget: int = 1 << 30) -> storage_pb2.RangeRows:
        job = RangeJob(None, 1, request, None, NO_DEADLINE)
        step = self.run(job, budget)
        assert step is Step.ANSWERED, (step, job.wait_csn)
        assert job.reply.WhichOneof("reply") == "range_rows", job.reply
        return job.reply.range_rows

    def scan(
        self,
        snapshot: int,
        start: bytes = b"",
        end: bytes = b"",
        *,
        reverse: bool = False,
        limit: int = 0,
        chunk_bytes: int = 0,
        budget: int = 1 << 30,
    ) -> list[tuple[bytes, Any]]:
        """All chunks of a range, resumed as a reader would."""
        found: list[tuple[bytes, Any]] = []
        while True:
            request = storage_pb2.RangeRead(
                snapshot_csn=snapshot,
                range=types_pb2.KeyRange(start=start, end=end),
                reverse=reverse,
                limit=limit - len(found) if limit else 0,
                with_keys=True,
                chunk_bytes=chunk_bytes,
            )
            reply = self.range(request, budget)
            rows = decode_rows(reply.rows)
            found += [(key, one[0]) for key, one in zip(reply.keys, rows, strict=True) if one]
            if not reply.resume_key or (limit and len(found) >= limit):
                return found
            if reverse:
                assert not end or reply.resume_key < end, "a scan makes progress"
                end = reply.resume_key
            else:
                assert reply.resume_key > start, "a scan makes progress"
                start = reply.resume_key


class Model:
    """All versions by key; settled and not. What reading means, in the plainest words."""

    def __init__(self) -> None:
        self.versions: dict[bytes, list[tuple[int, Any]]] = {}
        self.csns: list[int] = [0]

    @property
    def tail(self) -> int:
        return self.csns[-1]

    def write(self, csn: int, writes: dict[bytes, Any]) -> types_pb2.Entry:
        made = entry(
            csn,
            self.tail,
            [(key, None if value is None else row(value)) for key, value in writes.items()],
        )
        for key, value in writes.items():
            self.versions.setdefault(key, []).append((csn, value))
        self.csns.append(csn)
        return made

    def cut(self, csn: int) -> None:
        self.csns = [one for one in self.csns if one <= csn]
        for key in self.versions:
            self.versions[key] = [one for one in self.versions[key] if one[0] <= csn]

    def newest(self, key: bytes, snapshot: int) -> tuple[int, Any]:
        visible = [one for one in self.versions.get(key, []) if one[0] <= snapshot]
        return visible[-1] if visible else (0, None)

    def scan(
        self, snapshot: int, start: bytes, end: bytes, reverse: bool = False, limit: int = 0
    ) -> list[tuple[bytes, Any]]:
        found = [
            (key, self.newest(key, snapshot)[1])
            for key in sorted(self.versions, reverse=reverse)
            if start <= key and (not end or key < end)
        ]
        found = [pair for pair in found if pair[1] is not None]
        return found[:limit] if limit else found


def csn(sequence: int, epoch: int = 1) -> int:
    return make_csn(epoch, sequence)
