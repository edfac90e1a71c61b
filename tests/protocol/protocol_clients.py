"""Storage and clients of the simulated world: what reads and commits through the real machines.

`StoreNode` follows its Region's journal by the feed and answers reads by the rule of DESIGN.md ("Local
reads"). `Client` runs transactions: a snapshot, two reads, then nothing or a commit.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from protocol_world import SECOND, Connection, Node, World

from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import journal_pb2 as journal
from trilithon.v1 import types_pb2 as types

KEYS = [b"key%d" % number for number in range(6)]

# How stale a read may be in a Region without a lease.
STALENESS_US = 3 * SECOND

# A version: (csn, value); the first version of every key.
NOTHING = (0, b"")


class StoreNode(Node):
    """Keeps the whole feed; restarts from what was settled."""

    def __init__(self, world: World, name: str, region: str, journal_name: str) -> None:
        super().__init__(world, name, region)
        self._journal_name = journal_name
        self._durable: list[types.Entry] = []

    def start(self) -> None:
        self.life += 1
        self.entries: list[types.Entry] = list(self._durable)
        self.settled = self.entries[-1].csn if self.entries else 0
        self._waiting: list[Callable[[], bool]] = []
        self._asked = 0
        self._connect()

    def _connect(self) -> None:
        """One subscription per link: what is pushed belongs to it."""
        self._link = Connection(
            self,
            self.world.nodes[self._journal_name],
            came_up=self._subscribe,
            went_down=lambda: None,
            received=self._received,
        )

    def crash(self) -> None:
        self._link.close()

    def _subscribe(self) -> None:
        self._asked += 1
        self.entries = [entry for entry in self.entries if entry.csn <= self.settled]
        wanted = journal.Subscribe(after_csn=self.settled, storage=self.name)
        self._link.send(journal.JournalRequest(correlation_id=self._asked, subscribe=wanted))

    def _received(self, reply: journal.JournalReply) -> None:
        if reply.WhichOneof("reply") == "failure":
            if reply.failure.code == types.Failure.CODE_SNAPSHOT_TOO_OLD:
                self._rebuild()
            self._link.close()
            self.after(0.3, self._connect)
            return
        update = reply.feed
        if update.HasField("cut_to_csn"):
            assert update.cut_to_csn >= self.settled, "the feed cuts what is settled"
            self.entries = [entry for entry in self.entries if entry.csn <= update.cut_to_csn]
        for entry in update.entries:
            tail = self.entries[-1].csn if self.entries else 0
            assert entry.previous_csn == tail, ("the feed has a gap", entry.csn, tail)
            self.entries.append(entry)
        if update.settled_csn > self.settled:
            self.settled = update.settled_csn
            self._durable = [entry for entry in self.entries if entry.csn <= self.settled]
        self._waiting = [attempt for attempt in self._waiting if not attempt()]

        if self._link.up and update.settled_csn:
            applied = journal.Applied(storage=self.name, csn=self.settled)
            self._link.send(journal.JournalRequest(applied=applied))

    def _rebuild(self) -> None:
        """The journal does not go back that far: copy another Region's storage."""
        others = [
            node
            for node in self.world.nodes.values()
            if isinstance(node, StoreNode) and node.settled > self.settled
        ]
        if others:
            self.world.count("storage rebuilt")
            source = max(others, key=lambda node: node.settled)
            self.entries = [entry for entry in source.entries if entry.csn <= source.settled]
            self.settled = source.settled
            self._durable = list(self.entries)

    def read(self, key: bytes, snapshot: int, done: Callable[[Any], None]) -> None:
        """`done` gets (csn, value), or None after a second."""
        answered: list[bool] = []

        def attempt() -> bool:
            if answered:
                return True
            if not self._ready(key, snapshot):
                return False
            answered.append(True)
            done(self._newest(key, snapshot))
            return True

        def give_up() -> None:
            if not answered:
                answered.append(True)
                done(None)

        if not attempt():
            self.world.count("read waited")
            self._waiting.append(attempt)
            self.world.at(1.0, give_up)

    def _ready(self, key: bytes, snapshot: int) -> bool:
        position = self.entries[-1].csn if self.entries else 0
        if position < snapshot:
            return False
        for entry in reversed(self.entries):
            if entry.csn <= self.settled:
                return True
            if entry.csn <= snapshot and key in writes_of(entry):
                return False
        return True

    def _newest(self, key: bytes, snapshot: int) -> tuple[int, bytes]:
        for entry in reversed(self.entries):
            if entry.csn <= snapshot and key in writes_of(entry):
                return entry.csn, writes_of(entry)[key]
        return NOTHING


_parsed: dict[bytes, dict[bytes, bytes]] = {}


def writes_of(entry: types.Entry) -> dict[bytes, bytes]:
    if not entry.write_set:
        return {}
    found = _parsed.get(entry.write_set)
    if found is None:
        found = {
            write.key: write.value for write in types.WriteSet.FromString(entry.write_set).writes
        }
        _parsed[entry.write_set] = found
    return found


@dataclass(slots=True)
class Transaction:
    """What one transaction did, for the checker. Times are virtual seconds."""

    region: str
    started: float
    snapshot: int
    # The journal had no lease and said that its settled log was complete so many seconds ago.
    stale: float = 0.0
    reads: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    ended: float = 0.0
    id: bytes = b""
    write_set: types.WriteSet | None = None
    checks: list[bytes] = field(default_factory=list)
    check_all: bool = False
    # "committed", "aborted", or "" where the client was never told.
    outcome: str = ""
    csn: int = 0


class Client(Node):
    """One session after another; lives outside the faults, in its Region."""

    def __init__(self, world: World, name: str, region: str, journal_name: str) -> None:
        super().__init__(world, name, region)
        self._journal_name = journal_name
        self.history: list[Transaction] = []
        # Whoever also commits stands still in a Region that is cut off.
        self.only_reads = False
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Callable[[Any], None]] = {}

    def start(self) -> None:
        self.life += 1
        nodes = self.world.nodes
        self._journal = self._connect(nodes[self._journal_name])
        own = [
            node
            for node in nodes.values()
            if node.name.startswith("adjudicator") and node.region == self.region
        ]
        others = [
            node
            for node in nodes.values()
            if node.name.startswith("adjudicator") and node.region != self.region
        ]
        self._adjudicators = [self._connect(node) for node in own]
        self._foreign = [self._connect(node) for node in others]
        self._store = next(
            node
            for node in nodes.values()
            if isinstance(node, StoreNode) and node.region == self.region
        )
        self.after(self.world.random.uniform(0, 1), self._next)

    def _connect(self, server: Node) -> Connection:
        return Connection(
            self,
            server,
            came_up=lambda: None,
            went_down=lambda: None,
            received=self._received,
        )

    def _received(self, item: Any) -> None:
        waiting = self._waiting.pop(item.correlation_id, None)
        if waiting is not None:
            waiting(item)

    def _ask(
        self, link: Connection, item: Any, timeout_s: float, answered: Callable[[Any], None]
    ) -> None:
        """`answered` gets the reply, or None."""
        number = item.correlation_id = next(self._numbers)
        self._waiting[number] = answered
        generation = link.generation
        link.send(item)

        def watch(left_s: float) -> None:
            if number not in self._waiting:
                return
            broken = not link.up or link.generation != generation
            if broken or left_s <= 0:
                self._waiting.pop(number)(None)
            else:
                self.after(min(0.1, left_s), watch, left_s - 0.1)

        self.after(min(0.1, timeout_s), watch, timeout_s - 0.1)

    def _next(self) -> None:
        self.after(self.world.random.expovariate(1 / 0.05) + 0.005, self._begin)

    def _begin(self, staleness_us: int = 0) -> None:
        if self.world.stopping:
            return
        if not self._journal.up:
            self.after(0.1, self._begin)
            return
        transaction = Transaction(self.region, self.world.now, 0)

        def snapshot(reply: Any) -> None:
            if reply is None or reply.WhichOneof("reply") != "snapshot":
                self.world.count("no snapshot")
                self.after(0.05, self._begin, 0 if staleness_us else STALENESS_US)
                return
            transaction.snapshot = reply.snapshot.csn
            transaction.stale = reply.snapshot.stale_us / SECOND
            self._read(transaction)

        self._ask(
            self._journal,
            journal.JournalRequest(snapshot=journal.SnapshotRequest(staleness_us=staleness_us)),
            0.5,
            snapshot,
        )

    def _read(self, transaction: Transaction) -> None:
        random = self.world.random
        keys = random.sample(KEYS, 2)
        failed: list[bool] = []

        def have(key: bytes, version: Any) -> None:
            if version is None:
                failed.append(True)
            else:
                transaction.reads[key] = version
            if len(transaction.reads) + len(failed) == 2:
                if failed:
                    self.world.count("read failed")
                    self._next()
                else:
                    self._decide(transaction, keys)

        for key in keys:
            self.after(random.uniform(0.0002, 0.03), self._read_one, key, transaction, have)

    def _read_one(
        self, key: bytes, transaction: Transaction, have: Callable[[bytes, Any], None]
    ) -> None:
        store = self._store
        if store.name in self.world.down:
            have(key, None)
            return
        life = store.life

        def done(version: Any) -> None:
            have(key, version if store.life == life else None)

        store.read(key, transaction.snapshot, done)

    def _decide(self, transaction: Transaction, keys: list[bytes]) -> None:
        random = self.world.random
        if random.random() < 0.4 or transaction.stale or self.only_reads:
            transaction.ended = self.world.now
            self.world.count("read stale" if transaction.stale else "read-only")
            self.history.append(transaction)
            self._next()
            return
        transaction.id = random.getrandbits(128).to_bytes(16, "big")
        write_set = types.WriteSet()
        written = keys if random.random() < 0.7 else keys[:1]
        for key in written:
            mode = random.choice([types.MODE_EXCLUSIVE, types.MODE_UPDATE])
            write_set.writes.add(key=key, mode=mode, value=transaction.id + key)
        request = adjudicator.CommitRequest(
            transaction_id=transaction.id, snapshot_csn=transaction.snapshot
        )
        if len(written) == 1:
            if random.random() < 0.5:
                write_set.locks.add(key=keys[1], mode=types.MODE_EXCLUSIVE)
            else:
                transaction.checks = [keys[1]]
                request.read_checks.add(key=keys[1])
        if random.random() < 0.1:
            transaction.check_all = True
            request.read_checks.add(range=types.KeyRange(start=b"key", end=b"kez"))
        transaction.write_set = write_set
        request.write_set = write_set.SerializeToString(deterministic=True)
        self.history.append(transaction)
        link = random.choice(self._adjudicators)
        if not link.up:
            self.world.count("no adjudicator")
            transaction.ended = self.world.now
            self.after(0.1, self._begin)
            return
        impatient = random.random() < 0.05
        self._ask(
            link,
            adjudicator.AdjudicatorRequest(commit=request),
            random.uniform(0.0, 0.1) if impatient else 8.0,
            lambda reply: self._verdict(transaction, reply, 0),
        )

    def _verdict(self, transaction: Transaction, reply: Any, asked: int) -> None:
        kind = reply.WhichOneof("reply") if reply is not None else None
        outcome = reply.verdict.outcome if kind == "verdict" else None
        if outcome == adjudicator.Verdict.OUTCOME_COMMITTED:
            transaction.outcome = "committed"
            transaction.csn = reply.verdict.csn
        elif outcome == adjudicator.Verdict.OUTCOME_ABORTED or (
            kind == "failure" and not asked and reply.failure.code != types.Failure.CODE_INTERNAL
        ):
            assert kind != "failure" or reply.failure.code != types.Failure.CODE_INVALID, reply
            transaction.outcome = "aborted"
        elif asked < 3:
            self.after(
                self.world.random.choice([0.0, 0.05]), self._ask_status, transaction, asked + 1
            )
            return
        transaction.ended = self.world.now
        self.world.count(transaction.outcome or "unknown")
        self._next()

    def _ask_status(self, transaction: Transaction, asked: int) -> None:
        """Another adjudicator is asked; the commit is never handed over again."""
        self.world.count("status asked")
        links = [link for link in (*self._adjudicators, *self._foreign) if link.up]
        if not links:
            self.after(0.3, self._verdict, transaction, None, asked)
            return
        question = adjudicator.TransactionStatusRequest(
            transaction_id=transaction.id, snapshot_csn=transaction.snapshot
        )
        self._ask(
            self.world.random.choice(links),
            adjudicator.AdjudicatorRequest(transaction_status=question),
            5.0,
            lambda reply: self._verdict(transaction, reply, asked),
        )
