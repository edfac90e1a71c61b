"""What the machine wants sent. Filled during a step, handed to the service at its end."""

from __future__ import annotations

from dataclasses import dataclass, field

from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import journal_pb2 as journal


@dataclass(slots=True)
class Output:
    # To journals, by name. A correlation id marks a request whose reply is awaited; the service may
    # use another one on the wire but gives this one back.
    journals: list[tuple[str, journal.JournalRequest]] = field(default_factory=list)
    # The same over the link that carries the feed of the own Region's journal.
    feed: list[journal.JournalRequest] = field(default_factory=list)
    # To peers (query processors and adjudicators that sent something), by the service's peer id.
    replies: list[tuple[int, adjudicator.AdjudicatorReply]] = field(default_factory=list)
    # To other adjudicators, by name.
    adjudicators: list[tuple[str, adjudicator.AdjudicatorRequest]] = field(default_factory=list)
    # For the log: what happened, in the past tense, and its details.
    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)


class Outbox(Output):
    def __init__(self) -> None:
        super().__init__()
        self._correlation_id = 0

    def correlation(self) -> int:
        """A correlation id that was never used before."""
        self._correlation_id += 1
        return self._correlation_id

    def event(self, name: str, **details: object) -> None:
        self.events.append((name, details))

    def take(self) -> Output:
        taken = Output(self.journals, self.feed, self.replies, self.adjudicators, self.events)
        self.journals = []
        self.feed = []
        self.replies = []
        self.adjudicators = []
        self.events = []
        return taken
