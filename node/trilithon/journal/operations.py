"""What the machine wants made durable, and what a store gives back after a start.

A store applies operations in order; a batch is durable as a whole or, after a crash, in a prefix.
`DurableState` is the meaning of the operations, in memory: the model that stores are tested against
and that simulations use as their disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from trilithon.core.csn import NO_CSN, epoch_of
from trilithon.core.invariant import require
from trilithon.journal.quorum import member_list_of
from trilithon.v1.journal_pb2 import Base, Candidate
from trilithon.v1.types_pb2 import Entry


@dataclass(frozen=True, slots=True)
class AppendEntries:
    """Put these behind the tail; their csns grow."""

    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Cut:
    """Remove every entry above `csn`."""

    csn: int


@dataclass(frozen=True, slots=True)
class SetPromise:
    epoch: int
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class SetLeaseTtl:
    """The largest lease_ttl seen."""

    lease_ttl_us: int


@dataclass(frozen=True, slots=True)
class SetSettled:
    """A lower bound of what is settled."""

    csn: int


@dataclass(frozen=True, slots=True)
class SetBase:
    """Remove every entry at or below `base.csn`, or start a new log there."""

    base: Base


Operation = AppendEntries | Cut | SetPromise | SetLeaseTtl | SetSettled | SetBase


@dataclass(frozen=True, slots=True)
class Span:
    """The entries of one epoch in a log: all csns from `first` to `last`."""

    epoch: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class RecoveredState:
    """All that is durable, as a machine needs it to start."""

    incarnation: bytes
    promised_epoch: int = 0
    candidate: Candidate | None = None
    lease_ttl_us: int = 0
    settled_csn: int = NO_CSN
    base: Base = field(default_factory=Base)
    spans: tuple[Span, ...] = ()
    # The newest entries, without gaps up to the tail; not necessarily all.
    recent: tuple[Entry, ...] = ()
    # Of the entries above the base, oldest first: those that changed the catalog, and those that
    # carry a member list.
    catalog_csns: tuple[int, ...] = ()
    member_entries: tuple[Entry, ...] = ()
    log_bytes: int = 0

    @property
    def tail_csn(self) -> int:
        return self.spans[-1].last if self.spans else self.base.csn


def spans_of(csns: Iterable[int]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for csn in csns:
        epoch = epoch_of(csn)
        if spans and spans[-1].epoch == epoch:
            require(csn == spans[-1].last + 1, "csns are dense within an epoch")
            spans[-1] = Span(epoch, spans[-1].first, csn)
        else:
            spans.append(Span(epoch, csn, csn))
    return tuple(spans)


@dataclass(slots=True)
class DurableState:
    """A disk that is a list."""

    incarnation: bytes
    promised_epoch: int = 0
    candidate: Candidate | None = None
    lease_ttl_us: int = 0
    settled_csn: int = NO_CSN
    base: Base = field(default_factory=Base)
    entries: list[Entry] = field(default_factory=list)

    def apply(self, operations: Iterable[Operation]) -> None:
        for operation in operations:
            match operation:
                case AppendEntries(entries):
                    self.entries.extend(entries)
                case Cut(csn):
                    while self.entries and self.entries[-1].csn > csn:
                        self.entries.pop()
                case SetPromise(epoch, candidate):
                    self.promised_epoch, self.candidate = epoch, candidate
                case SetLeaseTtl(lease_ttl_us):
                    self.lease_ttl_us = lease_ttl_us
                case SetSettled(csn):
                    self.settled_csn = csn
                case SetBase(base):
                    self.base = base
                    self.entries = [entry for entry in self.entries if entry.csn > base.csn]

    def read_entries(self, after_csn: int, to_csn: int, max_bytes: int) -> list[Entry]:
        """As `JournalStore.read_entries`."""
        found: list[Entry] = []
        size = 0
        for entry in self.entries:
            if after_csn < entry.csn <= to_csn:
                size += entry.ByteSize()
                if found and size > max_bytes:
                    break
                found.append(entry)
        return found

    def recover(self, recent_count: int | None = None) -> RecoveredState:
        """`recent_count` limits how many entries count as recent."""
        recent = self.entries if recent_count is None else self.entries[-recent_count:]
        if recent_count == 0:
            recent = []
        return RecoveredState(
            incarnation=self.incarnation,
            promised_epoch=self.promised_epoch,
            candidate=self.candidate,
            lease_ttl_us=self.lease_ttl_us,
            settled_csn=self.settled_csn,
            base=self.base,
            spans=spans_of(entry.csn for entry in self.entries),
            recent=tuple(recent),
            catalog_csns=tuple(entry.csn for entry in self.entries if entry.catalog),
            member_entries=tuple(
                entry for entry in self.entries if member_list_of(entry) is not None
            ),
            log_bytes=sum(entry.ByteSize() for entry in self.entries),
        )
