"""Helpers of the journal's tests: messages in short words, and a machine with its disk in one hand."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trilithon.core.csn import make_csn
from trilithon.journal.machine import JournalMachine
from trilithon.journal.operations import DurableState, Operation
from trilithon.journal.outbox import Output, Read
from trilithon.journal.settings import JournalSettings
from trilithon.journal.store import LogFile
from trilithon.v1.journal_pb2 import (
    Append,
    Applied,
    Base,
    Candidate,
    JournalReply,
    JournalRequest,
    LeaseGrant,
    Mark,
    PreVote,
    Promise,
    ReadLog,
    SnapshotRequest,
    Subscribe,
)
from trilithon.v1.types_pb2 import Entry, EpochStart, Member, MemberList

TTL_US = 1_000_000


def inc(letter: str) -> bytes:
    """The incarnation (or process life) that tests call by a letter."""
    return letter.encode().ljust(16, b".")


ME = inc("a")
LIFE = inc("life")


def c(text: str) -> int:
    """ "3.7" → csn; "-" → none."""
    if text == "-":
        return 0
    epoch, _, sequence = text.partition(".")
    return make_csn(int(epoch), int(sequence))


def members(now: str, then: str = "") -> MemberList:
    def group(letters: str) -> list[Member]:
        return [
            Member(region=one, journal=one, incarnation=inc(one), full=one != "w")
            for one in letters
        ]

    return MemberList(members=group(now), next=group(then))


def entry(
    csn: int,
    previous: int,
    *,
    required: str = "",
    catalog: bool = False,
    lists: MemberList | None = None,
    size: int = 10,
) -> Entry:
    made = Entry(csn=csn, previous_csn=previous, required=[inc(one) for one in required])
    if csn & ((1 << 40) - 1) == 0:
        made.epoch_start.CopyFrom(EpochStart(leader="x", members=lists))
    elif lists is not None:
        made.members.CopyFrom(lists)
    else:
        made.transaction_id = csn.to_bytes(16, "big")
        made.write_set = b"w" * size
        made.catalog = catalog
    return made


def entries_of(texts: Iterable[str], previous: str = "-", **options: Any) -> list[Entry]:
    made: list[Entry] = []
    last = c(previous)
    for text in texts:
        made.append(entry(c(text), last, **options))
        last = c(text)
    return made


def candidate(token: str) -> Candidate:
    """ "x" and "x'" are two lives of the process x."""
    return Candidate(
        name=token.rstrip("'"), region="a", life=inc("life of " + token), address=f"{token}:1"
    )


def append(
    leader: str,
    epoch: int,
    previous: str | int = "-",
    entries: Sequence[Entry] = (),
    *,
    settled: str | int = "-",
    marks: dict[str, str] | None = None,
    heartbeat: int = 0,
    grant: LeaseGrant | None = None,
    incarnation: bytes = ME,
    base: Base | None = None,
    corr: int = 0,
    ttl_us: int = TTL_US,
) -> JournalRequest:
    return JournalRequest(
        correlation_id=corr,
        append=Append(
            epoch=epoch,
            leader=candidate(leader),
            previous_csn=c(previous) if isinstance(previous, str) else previous,
            entries=entries,
            settled_csn=c(settled) if isinstance(settled, str) else settled,
            marks=[
                Mark(incarnation=inc(who), synced_csn=c(csn)) for who, csn in (marks or {}).items()
            ],
            heartbeat=heartbeat,
            grant=grant,
            lease_ttl_us=ttl_us,
            incarnation=incarnation,
            base=base,
        ),
    )


def promise(who: str, epoch: int, *, corr: int = 0, ttl_us: int = TTL_US) -> JournalRequest:
    asked = Promise(epoch=epoch, candidate=candidate(who), lease_ttl_us=ttl_us)
    return JournalRequest(correlation_id=corr, promise=asked)


def pre_vote(who: str, epoch: int, *, corr: int = 0) -> JournalRequest:
    asked = PreVote(epoch=epoch, candidate=candidate(who))
    return JournalRequest(correlation_id=corr, pre_vote=asked)


def snapshot(corr: int = 1) -> JournalRequest:
    return JournalRequest(correlation_id=corr, snapshot=SnapshotRequest())


def subscribe(after: str | int = "-", storage: str = "", corr: int = 0) -> JournalRequest:
    after_csn = c(after) if isinstance(after, str) else after
    return JournalRequest(
        correlation_id=corr, subscribe=Subscribe(after_csn=after_csn, storage=storage)
    )


def applied(storage: str, csn: str, corr: int = 0) -> JournalRequest:
    return JournalRequest(correlation_id=corr, applied=Applied(storage=storage, csn=c(csn)))


def read_log(after: str = "-", to: str = "-", max_bytes: int = 0, corr: int = 1) -> JournalRequest:
    wanted = ReadLog(after_csn=c(after), to_csn=c(to), max_bytes=max_bytes)
    return JournalRequest(correlation_id=corr, read_log=wanted)


def grant(reading_us: int, duration_us: int = TTL_US, life: bytes = LIFE) -> LeaseGrant:
    return LeaseGrant(life=life, reading_us=reading_us, duration_us=duration_us)


class Driver:
    """A machine and a list as its disk. Nothing reaches the disk before `sync`."""

    def __init__(
        self, disk: DurableState | None = None, *, recent: int | None = None, **settings: Any
    ) -> None:
        self.disk = disk or DurableState(ME)
        self.settings = JournalSettings(**{"lease_ttl_us": TTL_US, **settings})
        self.now_us = 10_000_000
        self.unsynced: list[tuple[int, list[Operation]]] = []
        self.reads: list[Read] = []
        self.start(recent=recent)

    def start(self, *, life: bytes = LIFE, recent: int | None = None) -> None:
        """A new process life on what is durable."""
        self.unsynced.clear()
        self.reads.clear()
        self.machine = JournalMachine(self.settings, self.disk.recover(recent), life, self.now_us)

    def send(self, peer: str, *requests: JournalRequest) -> list[tuple[Any, JournalReply]]:
        """One batch; as it would come over a wire."""
        for request in requests:
            copy = JournalRequest.FromString(request.SerializeToString())
            self.machine.receive(peer, copy, self.now_us)
        return self.take()

    def ask(self, peer: str, request: JournalRequest) -> JournalReply:
        """The one reply to this peer."""
        (reply,) = (reply for to, reply in self.send(peer, request) if to == peer)
        return reply

    def take(self) -> list[tuple[Any, JournalReply]]:
        output: Output = self.machine.take(self.now_us)
        if output.operations:
            self.unsynced.append((output.write_number, list(output.operations)))
        self.reads += output.reads
        return output.replies

    def tick(self, log_bytes: int | None = None) -> list[tuple[Any, JournalReply]]:
        self.machine.tick(self.now_us, log_bytes)
        return self.take()

    def sync(self, count: int | None = None) -> list[tuple[Any, JournalReply]]:
        """The oldest `count` batches (all, by default) become durable as one."""
        batches = self.unsynced[:count]
        del self.unsynced[:count]
        if not batches:
            return []
        for _, operations in batches:
            self.disk.apply(operations)
        self.machine.synced(batches[-1][0], self.now_us)
        return self.take()

    def read(self) -> list[tuple[Any, JournalReply]]:
        """The store answers what is asked of it."""
        reads, self.reads = self.reads, []
        for one in reads:
            found = self.disk.read_entries(one.after_csn, one.to_csn, one.max_bytes)
            self.machine.read_done(one.token, found, self.now_us)
        return self.take()

    def led(
        self, epoch: int = 1, *texts: str, leader: str = "x", lists: str = "abw", **options: Any
    ) -> None:
        """A leader that has appended its beginning and `texts`, all of it durable here."""
        first = make_csn(epoch, 0)
        previous = self.machine.tail_csn
        brings = members(lists) if lists and not previous else None
        started = entry(first, previous, lists=brings)
        rest: list[Entry] = []
        last = first
        for text in texts:
            rest.append(entry(c(text), last, **options))
            last = c(text)
        request = append(leader, epoch, previous, [started, *rest], heartbeat=1)
        self.send(leader, request)
        self.sync()

    @property
    def csns(self) -> list[int]:
        return [one.csn for one in self.disk.entries]


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """On a RAM disk where there is one: syncs are what these tests would wait for."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="trilithon-test-", dir=place) as folder:
        yield Path(folder)


def open_file(folder: Path, **options: Any) -> LogFile:
    values: dict[str, Any] = {
        "cluster": "cluster",
        "source": random.Random(1),
        "recent_bytes": 1 << 20,
        **options,
    }
    return LogFile(folder, **values)
