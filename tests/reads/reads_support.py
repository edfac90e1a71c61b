"""A journal and storage processes that do as they are told, over the local network."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from trilithon.core.world import World
from trilithon.link.local import LocalNetwork
from trilithon.link.specs import JOURNAL, STORAGE
from trilithon.query.reads import StorageTarget
from trilithon.types import keys
from trilithon.types.registry import INT4
from trilithon.types.rows import encode_row, join_rows
from trilithon.v1 import journal_pb2, storage_pb2, types_pb2

Failure = types_pb2.Failure


class RealClock:
    def monotonic_us(self) -> int:
        return time.monotonic_ns() // 1000

    def wall_us(self) -> int:
        return time.time_ns() // 1000


def make_world(network: LocalNetwork | None = None) -> World:
    return World(RealClock(), random.Random(3), network or LocalNetwork())


def key(first: int, second: int = 0, table: int = 16384) -> bytes:
    return keys.key_prefix(table, 0) + keys.encode_columns([INT4, INT4], [first, second])


def failure(code: Any, message: str = "told so") -> types_pb2.Failure:
    return Failure(code=code, message=message)


class FakeJournal:
    """`answers` decides: a Snapshot, a Failure, or None for silence."""

    def __init__(self, network: LocalNetwork, address: str) -> None:
        self.network = network
        self.address = address
        self.csn = 100
        self.asked = 0
        self.answers: Callable[[], Any] = lambda: journal_pb2.Snapshot(
            csn=self.csn, catalog_csn=7, settled_csn=self.csn - 1
        )
        # While set, answers are held back.
        self.gate: asyncio.Event | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        await self.network.serve(self.address, {JOURNAL: self}, {})

    def connected(self, peer: Any) -> None:
        pass

    def disconnected(self, peer: Any) -> None:
        pass

    def received(self, peer: Any, items: Sequence[journal_pb2.JournalRequest]) -> None:
        for item in items:
            self.asked += 1
            task = asyncio.create_task(self._answer(peer, item.correlation_id, self.answers()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, peer: Any, correlation_id: int, answer: Any) -> None:
        if self.gate is not None:
            await self.gate.wait()
        reply = journal_pb2.JournalReply(correlation_id=correlation_id)
        if isinstance(answer, Failure):
            reply.failure.CopyFrom(answer)
        elif answer is not None:
            reply.snapshot.CopyFrom(answer)
        if answer is not None:
            peer.send(reply)


class FakeStorage:
    """Rows by key. Ranges come `chunk_rows` at a time; `examine_rows` may leave chunks empty."""

    def __init__(self, network: LocalNetwork, target: StorageTarget) -> None:
        self.network = network
        self.target = target
        self.rows: dict[bytes, list[Any]] = {}
        self.chunk_rows = 3
        self.position = 1000
        self.examined = 50
        self.requests: list[storage_pb2.StorageRequest] = []
        self.cancelled: list[int] = []
        # Answers given instead, in turn: a Failure, a SqlError, or None for silence.
        self.instead: list[Any] = []
        self.point_keys_max = 1 << 30
        self.keep: Callable[[list[Any]], bool] = lambda row: True

    async def start(self) -> None:
        await self.network.serve(self.target.address, {STORAGE: self}, {})

    def connected(self, peer: Any) -> None:
        pass

    def disconnected(self, peer: Any) -> None:
        pass

    def received(self, peer: Any, items: Sequence[storage_pb2.StorageRequest]) -> None:
        for item in items:
            if item.WhichOneof("request") == "cancel":
                self.cancelled.append(item.cancel.correlation_id)
                continue
            self.requests.append(item)
            reply = storage_pb2.StorageReply(correlation_id=item.correlation_id)
            if self.instead:
                answer = self.instead.pop(0)
                if answer is None:
                    continue
                if isinstance(answer, Failure):
                    reply.failure.CopyFrom(answer)
                else:
                    reply.error.CopyFrom(answer)
            elif item.WhichOneof("request") == "point_read":
                self._points(item.point_read, reply)
            else:
                self._range(item.range_read, reply)
            peer.send(reply)

    def _points(self, request: storage_pb2.PointRead, reply: storage_pb2.StorageReply) -> None:
        asked = list(request.keys)
        for one in asked:
            assert self.target.slot_first <= keys.key_slot(one) <= self.target.slot_last
        answered = asked[: self.point_keys_max]
        found = [self.rows.get(one) for one in answered]
        blob = join_rows([None if row is None else encode_row(row) for row in found])
        reply.point_rows.rows = blob
        reply.point_rows.unanswered_keys = len(asked) - len(answered)
        reply.point_rows.examined_csn = self.examined
        reply.point_rows.position_csn = self.position

    def _range(self, request: storage_pb2.RangeRead, reply: storage_pb2.StorageReply) -> None:
        start, end = request.range.start, request.range.end
        mine = [one for one in self.rows if start <= one and (not end or one < end)]
        mine.sort(reverse=request.reverse)
        looked_at = mine[: self.chunk_rows]
        kept = [one for one in looked_at if self.keep(self.rows[one])]
        part = reply.range_rows
        if request.limit and len(kept) >= request.limit:
            kept = kept[: request.limit]
        elif len(mine) > len(looked_at):
            last = looked_at[-1]
            part.resume_key = last if request.reverse else last + b"\0"
        part.rows = join_rows([encode_row(self.rows[one]) for one in kept])
        if request.with_keys:
            part.keys.extend(kept)
        part.rows_examined = len(looked_at)


def targets(count: int) -> list[StorageTarget]:
    edges = [1024 * n // count for n in range(count + 1)]
    return [
        StorageTarget(f"storage-{n}", f"storage-{n}:1", edges[n], edges[n + 1] - 1)
        for n in range(count)
    ]


async def start_storages(network: LocalNetwork, count: int) -> list[FakeStorage]:
    made = [FakeStorage(network, target) for target in targets(count)]
    for one in made:
        await one.start()
    return made


def put(storages: Sequence[FakeStorage], key: bytes, row: list[Any]) -> None:
    slot = keys.key_slot(key)
    for one in storages:
        if one.target.slot_first <= slot <= one.target.slot_last:
            one.rows[key] = row


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)
