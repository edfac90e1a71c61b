"""What a machine hands out, as it collects between two calls of `take`."""

from __future__ import annotations

from dataclasses import dataclass, field

from trilithon.journal.feed import PeerId
from trilithon.journal.operations import Operation
from trilithon.v1.journal_pb2 import JournalReply
from trilithon.v1.types_pb2 import Failure

INVALID = Failure.CODE_INVALID
UNAVAILABLE = Failure.CODE_UNAVAILABLE
OVERLOADED = Failure.CODE_OVERLOADED
WRONG_TARGET = Failure.CODE_WRONG_TARGET


@dataclass(frozen=True, slots=True)
class Read:
    """Entries in (after, to], about `max_bytes` at most but at least one, wanted from the store."""

    token: int
    after_csn: int
    to_csn: int
    max_bytes: int


@dataclass(slots=True)
class Output:
    replies: list[tuple[PeerId, JournalReply]] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    # Of `operations`; 0 when there are none.
    write_number: int = 0
    reads: list[Read] = field(default_factory=list)


@dataclass(slots=True)
class Counters:
    """For metrics; nothing depends on them."""

    entries: int = 0
    snapshots: int = 0
    snapshots_refused: int = 0
    gaps: int = 0
    cuts: int = 0
    promises: int = 0
    refusals: int = 0
    invalid: int = 0


class Outbox:
    __slots__ = ("counters", "output")

    def __init__(self) -> None:
        self.output = Output()
        self.counters = Counters()

    def reply(self, peer: PeerId, corr: int, reply: JournalReply) -> None:
        """`reply` is the asker's own: a correlation id is written into it."""
        reply.correlation_id = corr
        self.output.replies.append((peer, reply))

    def push(self, peer: PeerId, reply: JournalReply) -> None:
        """`reply` may go to several peers."""
        self.output.replies.append((peer, reply))

    def fail(self, peer: PeerId, corr: int, code: Failure.Code, message: str) -> None:
        if code in (INVALID, WRONG_TARGET):
            self.counters.invalid += 1
        self.reply(peer, corr, JournalReply(failure=Failure(code=code, message=message)))
