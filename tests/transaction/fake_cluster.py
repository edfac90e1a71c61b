"""A whole cluster in memory: a dict of versions, a first-committer-wins judge, links that fail on request."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_left
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from trilithon.core.csn import make_csn
from trilithon.core.errors import Overloaded, Unavailable
from trilithon.core.world import World
from trilithon.expression.program import Program
from trilithon.query.reads.owners import Owners, StorageTarget
from trilithon.query.transaction.committer import Committer, CommitterSettings
from trilithon.query.transaction.limits import TransactionLimits
from trilithon.query.transaction.local_program import run_locally
from trilithon.query.transaction.manager import TransactionManager
from trilithon.query.transaction.merge import Chunk
from trilithon.storage.programs import PushedProgram
from trilithon.types.keys import SLOT_COUNT
from trilithon.types.rows import decode_row
from trilithon.v1.adjudicator_pb2 import AdjudicatorReply, CommitRequest, Verdict
from trilithon.v1.types_pb2 import (
    MODE_BLIND,
    MODE_EXCLUSIVE,
    MODE_KEY_SHARE,
    MODE_UPDATE,
    Failure,
    WriteSet,
)

CONFLICTS = {
    MODE_EXCLUSIVE: {MODE_EXCLUSIVE, MODE_UPDATE, MODE_KEY_SHARE},
    MODE_UPDATE: {MODE_EXCLUSIVE, MODE_UPDATE},
    MODE_KEY_SHARE: {MODE_EXCLUSIVE},
    MODE_BLIND: set(),
}


# As if the rows were spread over several storage processes.
OWNERS = Owners(
    [
        StorageTarget(str(n), "", n * SLOT_COUNT // 4, (n + 1) * SLOT_COUNT // 4 - 1)
        for n in range(4)
    ]
)


class FakeClock:
    """Follows the loop's time; `skew_us` lets a test jump ahead."""

    def __init__(self) -> None:
        self.skew_us = 0

    def monotonic_us(self) -> int:
        return int(asyncio.get_event_loop().time() * 1_000_000) + self.skew_us

    def wall_us(self) -> int:
        return 1_750_000_000_000_000 + self.monotonic_us()


@dataclass(frozen=True, slots=True)
class FakeSnapshot:
    csn: int
    catalog_csn: int
    settled_csn: int


@dataclass(slots=True)
class _Committed:
    csn: int
    claims: dict[bytes, int]
    written: set[bytes]


@dataclass
class FakeStore:
    versions: dict[bytes, list[tuple[int, bytes | None]]] = field(default_factory=dict)
    entries: list[_Committed] = field(default_factory=list)
    csn: int = make_csn(1, 0)
    catalog_csn: int = 0
    outcomes: dict[bytes, Verdict] = field(default_factory=dict)
    refused: set[bytes] = field(default_factory=set)
    commits_judged: int = 0

    def value_at(self, key: bytes, snapshot: int) -> bytes | None:
        for csn, value in reversed(self.versions.get(key, ())):
            if csn <= snapshot:
                return value
        return None

    def visible(self, snapshot: int, start: bytes = b"", end: bytes = b"") -> dict[bytes, bytes]:
        found = {}
        for key in sorted(self.versions):
            if start <= key and (not end or key < end):
                value = self.value_at(key, snapshot)
                if value is not None:
                    found[key] = value
        return found

    def judge(self, request: CommitRequest) -> Verdict:
        self.commits_judged += 1
        known = self.outcomes.get(request.transaction_id)
        if known is not None:
            return known
        verdict = self._judge(request)
        self.outcomes[request.transaction_id] = verdict
        return verdict

    def _judge(self, request: CommitRequest) -> Verdict:
        if request.transaction_id in self.refused:
            return self._abort(b"", 0, False)
        write_set = WriteSet.FromString(request.write_set)
        claims = {write.key: write.mode for write in write_set.writes}
        assert len(claims) == len(write_set.writes), "a key is written twice in one write set"
        keys = [write.key for write in write_set.writes]
        assert keys == sorted(keys)
        for lock in write_set.locks:
            if lock.mode == MODE_KEY_SHARE or lock.key not in claims:
                claims.setdefault(lock.key, lock.mode)
        for entry in self.entries:
            if entry.csn <= request.snapshot_csn:
                continue
            for key, mode in claims.items():
                if entry.claims.get(key) in CONFLICTS[mode]:
                    return self._abort(key, entry.csn, False)
            for check in request.read_checks:
                for key in entry.written:
                    if check.WhichOneof("what") == "key":
                        hit = key == check.key
                    else:
                        end = check.range.end
                        hit = check.range.start <= key and (not end or key < end)
                    if hit:
                        return self._abort(key, entry.csn, check.catalog)
                if check.WhichOneof("what") == "key" and (
                    entry.claims.get(check.key) in (MODE_EXCLUSIVE, MODE_UPDATE)
                ):
                    return self._abort(check.key, entry.csn, check.catalog)
        self.csn += 1
        for write in write_set.writes:
            # Every key must have a place.
            OWNERS.of_key(write.key)
            value = write.value if write.HasField("value") else None
            self.versions.setdefault(write.key, []).append((self.csn, value))
        if request.catalog:
            self.catalog_csn = self.csn
        self.entries.append(_Committed(self.csn, claims, set(keys)))
        return Verdict(outcome=Verdict.OUTCOME_COMMITTED, csn=self.csn, committed_at_us=self.csn)

    def _abort(self, key: bytes, csn: int, catalog: bool) -> Verdict:
        verdict = Verdict(outcome=Verdict.OUTCOME_ABORTED, conflict_key=key, conflict_csn=csn)
        verdict.error.sqlstate = "40001"
        verdict.error.message = (
            "schema has been updated by another transaction (OC001)"
            if catalog
            else "change conflicts with another transaction (OC000)"
        )
        return verdict

    def status(self, transaction_id: bytes) -> Verdict:
        known = self.outcomes.get(transaction_id)
        if known is not None:
            return known
        self.refused.add(transaction_id)
        return Verdict(outcome=Verdict.OUTCOME_ABORTED)


class FakeSnapshots:
    def __init__(self, store: FakeStore) -> None:
        self.store = store

    async def snapshot(self) -> FakeSnapshot:
        await asyncio.sleep(0)
        return FakeSnapshot(self.store.csn, self.store.catalog_csn, self.store.csn)


@dataclass(frozen=True, slots=True)
class FakeSpeculation:
    rows: list[list[Any] | None]
    examined_csn: int
    position_csn: int

    def holds_at(self, snapshot_csn: int) -> bool:
        return self.examined_csn <= snapshot_csn <= self.position_csn


class FakeReads:
    """Scans come in chunks of `chunk_rows`."""

    def __init__(self, store: FakeStore) -> None:
        self.store = store
        self.chunk_rows = 3
        # Partial rows of groups that were given out.
        self.partial_rows = 0
        self.gets = 0
        self.speculations = 0
        self.keys_asked = 0

    async def get(
        self, snapshot_csn: int, keys: Sequence[bytes], program: bytes = b""
    ) -> list[list[Any] | None]:
        self.gets += 1
        self.keys_asked += len(keys)
        return await self._rows(snapshot_csn, keys, program)

    async def _rows(
        self, snapshot_csn: int, keys: Sequence[bytes], program: bytes
    ) -> list[list[Any] | None]:
        await asyncio.sleep(0)
        result: list[list[Any] | None] = []
        for key in keys:
            value = self.store.value_at(key, snapshot_csn)
            result.append(None if value is None else run_locally(program, value))
        return result

    async def speculative_get(self, keys: Sequence[bytes], program: bytes = b"") -> FakeSpeculation:
        self.speculations += 1
        csn = self.store.csn
        rows = await self._rows(csn, keys, program)
        newest = [self.store.versions[key][-1][0] for key in keys if key in self.store.versions]
        return FakeSpeculation(rows, max(newest, default=0), csn)

    async def scan(
        self,
        snapshot_csn: int,
        start: bytes,
        end: bytes,
        *,
        reverse: bool = False,
        limit: int = 0,
        program: bytes = b"",
        with_keys: bool = False,
        ordered: bool = True,
    ) -> AsyncIterator[Chunk]:
        if program and Program.from_bytes(program).aggregation is not None:
            assert not ordered
            assert not limit
            assert not with_keys
            async for chunk in self._partial_groups(snapshot_csn, start, end, program):
                yield chunk
            return
        rows = []
        owners = OWNERS.of_range(start, end)
        # As with real storage: the snapshot decides, however late the rows are read.
        keys = sorted(self.store.versions)
        keys = keys[bisect_left(keys, start) : bisect_left(keys, end) if end else None]
        for key in reversed(keys) if reverse else keys:
            value = self.store.value_at(key, snapshot_csn)
            row = None if value is None else run_locally(program, value)
            if row is not None:
                assert OWNERS.of_key(key) in owners, "a range was routed past its keys"
                rows.append((key, row))
        if limit:
            rows = rows[:limit]
        for at in range(0, len(rows), self.chunk_rows):
            await asyncio.sleep(0)
            part = rows[at : at + self.chunk_rows]
            yield Chunk([row for _, row in part], [key for key, _ in part] if with_keys else [])

    async def _partial_groups(
        self, snapshot_csn: int, start: bytes, end: bytes, program: bytes
    ) -> AsyncIterator[Chunk]:
        """As storage processes would, each for its own keys, in parts of `chunk_rows` rows."""
        pushed = PushedProgram(Program.from_bytes(program))
        parts: dict[int, list[bytes]] = {}
        for key in sorted(self.store.versions):
            value = self.store.value_at(key, snapshot_csn)
            if value is not None and start <= key and (not end or key < end):
                parts.setdefault(OWNERS.of_key(key), []).append(value)
        for values in parts.values():
            for at in range(0, len(values), self.chunk_rows):
                await asyncio.sleep(0)
                groups = pushed.new_groups()
                groups.add(pushed.prepared(values[at : at + self.chunk_rows]))
                self.partial_rows += len(groups.rows())
                yield Chunk([decode_row(row) for row in groups.encoded()], [])


class FakeLink:
    """`plan` says what happens to the next requests, in order: "ok" (the default), "lose_reply" (done, then
    Unavailable), "lose_request" (not done, Unavailable), "overloaded", "unavailable", "internal",
    "not_judged", "too_slow" (done, but answered as unknown), "hang" (until the timeout), "hang_done"
    (done, then hangs)."""

    def __init__(self, store: FakeStore) -> None:
        self.store = store
        self.up = True
        self.quiet = False
        self.plan: list[str] = []
        self.requests: list[Any] = []
        self.gate: asyncio.Event | None = None

    def post(self, item: Any) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        self.up = False

    async def request(self, item: Any, *, timeout: float) -> Any:
        step = self.plan.pop(0) if self.plan else "ok"
        if step == "overloaded":
            raise Overloaded("the queue is full")
        # What arrives is a copy.
        self.requests.append(type(item).FromString(item.SerializeToString()))
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(0)
        reply = AdjudicatorReply()
        match step:
            case "lose_request":
                raise Unavailable("the link broke")
            case "unavailable":
                reply.failure.code = Failure.CODE_UNAVAILABLE
                return reply
            case "internal":
                reply.failure.code = Failure.CODE_INTERNAL
                return reply
            case "not_judged":
                reply.not_judged.reason = "nobody leads"
                return reply
            case "hang":
                await asyncio.sleep(timeout)
                raise Unavailable("timeout")
        if item.WhichOneof("request") == "commit":
            verdict = self.store.judge(item.commit)
        else:
            verdict = self.store.status(item.transaction_status.transaction_id)
        if step == "lose_reply":
            raise Unavailable("the link broke")
        if step == "too_slow":
            verdict = Verdict(outcome=Verdict.OUTCOME_UNKNOWN)
        if step == "hang_done":
            await asyncio.sleep(timeout)
            raise Unavailable("timeout")
        reply.verdict.CopyFrom(verdict)
        return reply


class FakeNetwork:
    def __init__(self, links: dict[str, FakeLink]) -> None:
        self.links = links

    def link(self, spec: Any, address: str, **_: Any) -> FakeLink:
        return self.links[address]


FAST = CommitterSettings(
    handover_timeout=0.2,
    verdict_timeout=0.2,
    status_timeout=0.3,
    status_question_timeout=0.1,
    retry_delay=0.001,
    retry_delay_max=0.01,
)


class FakeCluster:
    """One store, two adjudicators, and managers over them (as many query processors as wanted)."""

    def __init__(self, limits: TransactionLimits | None = None, seed: int = 1) -> None:
        self.store = FakeStore()
        self.links = {"one": FakeLink(self.store), "two": FakeLink(self.store)}
        self.clock = FakeClock()
        self.random = random.Random(seed)
        self.limits = limits
        self.manager = self.new_manager()

    def new_manager(self) -> TransactionManager:
        world = World(self.clock, self.random, FakeNetwork(self.links))  # type: ignore[arg-type]
        self.reads = FakeReads(self.store)
        return TransactionManager(
            world,
            FakeSnapshots(self.store),
            self.reads,
            Committer(world, ["one", "two"], FAST),
            self.limits,
        )
