"""Following the log through one journal of the own Region, while somebody else leads.

Over a link of its own: first where to start (a fresh copy starts some way before the tail), then a
subscription, then updates in order. Whatever does not fit makes the follower subscribe again after
the newest entry that it knows to be settled, on a new link: so everything that is pushed on one link
belongs to one subscription, also what overtakes the answer to Subscribe.
"""

from __future__ import annotations

from trilithon.adjudicator.copy import LogCopy
from trilithon.adjudicator.log import entries_back, spans_of
from trilithon.adjudicator.outbox import Outbox
from trilithon.adjudicator.settings import Settings
from trilithon.v1 import journal_pb2 as journal
from trilithon.v1 import types_pb2 as types


class FeedFollower:
    def __init__(
        self, settings: Settings, copy: LogCopy, candidate: journal.Candidate, now_us: int
    ) -> None:
        self._settings = settings
        self._copy = copy
        self._candidate = candidate
        self._names = [
            target.name for target in settings.journals if target.region == settings.region
        ]
        self._chosen = 0
        self._up = False
        # Following is suspended while this adjudicator leads.
        self._wanted = True
        self._subscribed = False
        # Grows whenever a new link is wanted.
        self._generation = 0
        # The question under way, 0: none; and when to give up on it, or to ask again.
        self._correlation_id = 0
        self._act_at_us = now_us

    @property
    def wanted(self) -> tuple[str, int] | None:
        """Whose feed is wanted now; another number than before: over a new link."""
        if not self._names or not self._wanted:
            return None
        return self._names[self._chosen], self._generation

    def suspend(self) -> None:
        self._wanted = self._up = self._subscribed = False
        self._generation += 1
        self._correlation_id = 0

    def resume(self, now_us: int) -> None:
        self._wanted = True
        self._act_at_us = now_us + self._settings.lease_ttl_us

    def link_up(self, now_us: int, out: Outbox) -> None:
        self._up = True
        self._begin(now_us, out)

    def link_down(self, now_us: int) -> None:
        self._up = self._subscribed = False
        self._correlation_id = 0
        self._act_at_us = now_us + self._settings.lease_ttl_us

    def tick(self, now_us: int, out: Outbox) -> None:
        confirmed = self._subscribed and not self._correlation_id
        if not self._wanted or confirmed or now_us < self._act_at_us:
            return
        if len(self._names) > 1 and (not self._up or self._correlation_id):
            # Another journal of this Region may be better.
            self._chosen = (self._chosen + 1) % len(self._names)
            self.start_over(now_us)
        elif self._subscribed:
            self.start_over(now_us)
        elif self._up:
            self._begin(now_us, out)

    def start_over(self, now_us: int) -> None:
        """With a new link."""
        self._generation += 1
        self.link_down(now_us)

    def _ask(self, request: journal.JournalRequest, now_us: int, out: Outbox) -> None:
        self._correlation_id = request.correlation_id = out.correlation()
        self._act_at_us = now_us + self._settings.lease_ttl_us
        out.feed.append(request)

    def _begin(self, now_us: int, out: Outbox) -> None:
        copy = self._copy
        if copy.started:
            copy.cut_to(copy.settled_csn)
            self._subscribe(copy.settled_csn, now_us, out)
        else:
            question = journal.PreVote(epoch=1, candidate=self._candidate)
            self._ask(journal.JournalRequest(pre_vote=question), now_us, out)

    def _subscribe(self, after_csn: int, now_us: int, out: Outbox) -> None:
        self._subscribed = True
        wanted = journal.Subscribe(after_csn=after_csn)
        self._ask(journal.JournalRequest(subscribe=wanted), now_us, out)

    def answered(self, reply: journal.JournalReply, now_us: int, out: Outbox) -> None:
        """A reply to a question of this follower."""
        if reply.correlation_id != self._correlation_id or not self._correlation_id:
            return
        self._correlation_id = 0
        match reply.WhichOneof("reply"):
            case "pre_vote":
                read = journal.ReadLog(after_csn=reply.pre_vote.base_csn, max_bytes=1)
                self._ask(journal.JournalRequest(read_log=read), now_us, out)
            case "log_part":
                self._start(reply.log_part, now_us, out)
            case "feed":
                pass
            case "failure":
                self._failed(reply.failure, now_us)
            case _:
                self._act_at_us = now_us + self._settings.lease_ttl_us // 3

    def _start(self, part: journal.LogPart, now_us: int, out: Outbox) -> None:
        """A fresh copy starts at a settled csn, at most `warm_entries` before the tail."""
        spans = spans_of(part.history, part.base_csn)
        start = part.base_csn
        if part.history:
            start = entries_back(spans, part.base_csn, self._settings.warm_entries)
            start = max(min(start, part.settled_csn), part.base_csn)
        self._copy.start_at(start, spans)
        self._copy.learn_members(part.base.member_entries)
        self._subscribe(start, now_us, out)

    def _failed(self, failure: types.Failure, now_us: int) -> None:
        self._subscribed = False
        if failure.code == types.Failure.CODE_SNAPSHOT_TOO_OLD:
            self._copy.started = False
        self._act_at_us = now_us + self._settings.lease_ttl_us // 3

    def pushed(self, update: journal.FeedUpdate, now_us: int, out: Outbox) -> list[types.Entry]:
        """Take in one update; the entries that are newly settled."""
        copy = self._copy
        if not self._wanted or not self._subscribed:
            return []
        if update.HasField("cut_to_csn") and copy.log.contains(update.cut_to_csn):
            copy.cut_to(update.cut_to_csn)
        for entry in update.entries:
            if entry.previous_csn != copy.tail_csn:
                out.event("feed_did_not_fit", csn=entry.csn, tail_csn=copy.tail_csn)
                self.start_over(now_us)
                return []
            copy.append(entry, now_us)
        if update.settled_csn > copy.settled_csn and copy.log.contains(update.settled_csn):
            return copy.settle(update.settled_csn)
        return []
