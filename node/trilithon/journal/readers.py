"""Those who read the log: the feed's subscribers, and who asks for a part of it.

Both get what is synced, never more. What memory no longer has is read from the store; until that is
back the log may have been cut or trimmed, so it is looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trilithon.core.csn import format_csn
from trilithon.journal.feed import Behind, Feed, FeedView, PeerId, Subscription, too_old
from trilithon.journal.outbox import INVALID, OVERLOADED, UNAVAILABLE, Outbox, Read
from trilithon.journal.quorum import Members
from trilithon.journal.settings import NAME_BYTES_MAX, JournalSettings
from trilithon.journal.trimming import Applied
from trilithon.v1.journal_pb2 import (
    Base,
    FeedUpdate,
    JournalReply,
    JournalRequest,
    LogPart,
    ReadLog,
)
from trilithon.v1.types_pb2 import Entry


@dataclass(frozen=True, slots=True)
class _LogReader:
    peer: PeerId
    correlation_id: int
    after_csn: int


class Readers:
    """`applied`: how far the storage processes among them are."""

    __slots__ = ("_members", "_outbox", "_read_token", "_reads", "_settings", "applied", "feed")

    def __init__(self, settings: JournalSettings, members: Members, outbox: Outbox) -> None:
        self.feed = Feed(settings.feed_chunk_bytes, settings.feed_burst_bytes)
        self.applied = Applied(settings.storages)
        self._settings = settings
        self._members = members
        self._outbox = outbox
        self._reads: dict[int, Subscription | _LogReader] = {}
        self._read_token = 0

    def subscribe(self, peer: PeerId, corr: int, request: JournalRequest, view: FeedView) -> None:
        after = request.subscribe.after_csn
        storage = request.subscribe.storage
        log, known, fail = view.log, self.feed.subscriptions, self._outbox.fail
        if len(storage) > NAME_BYTES_MAX:
            fail(peer, corr, INVALID, "a storage's name is too long")
        elif peer not in known and len(known) >= self._settings.subscribers_max:
            fail(peer, corr, OVERLOADED, f"{len(known)} subscribers already")
        elif after < log.base_csn:
            self._outbox.reply(peer, corr, too_old(after, log.base_csn))
        elif after > log.tail_csn:
            text = f"{format_csn(after)} is above this log's tail {format_csn(log.tail_csn)}"
            fail(peer, corr, UNAVAILABLE, text)
        elif not log.contains(after):
            fail(peer, corr, INVALID, f"{format_csn(after)} is not in this log")
        else:
            if storage:
                self.applied.needs_after(storage, after)
            self.feed.subscribe(peer, storage, after)
            if corr:
                update = FeedUpdate(
                    settled_csn=min(view.settled_csn, after),
                    epoch=view.epoch,
                    leader="" if view.leader is None else view.leader.name,
                )
                self._outbox.reply(peer, corr, JournalReply(feed=update))

    def hear_applied(
        self, peer: PeerId, corr: int, request: JournalRequest, view: FeedView
    ) -> None:
        applied, log = request.applied, view.log
        if not self.applied.knows(applied.storage):
            name = applied.storage[:NAME_BYTES_MAX]
            self._outbox.fail(peer, corr, INVALID, f"no storage process {name!r} in this Region")
        elif applied.csn > log.base_csn and not log.contains(applied.csn):
            text = f"applied csn {format_csn(applied.csn)} is not in this log"
            self._outbox.fail(peer, corr, INVALID, text)
        else:
            self.applied.hear(applied.storage, applied.csn)

    def read_log(self, peer: PeerId, corr: int, request: JournalRequest, view: FeedView) -> None:
        wanted: ReadLog = request.read_log
        after, log = wanted.after_csn, view.log
        if after < log.base_csn:
            self._outbox.reply(peer, corr, too_old(after, log.base_csn))
            return
        if not log.contains(after):
            self._outbox.fail(peer, corr, INVALID, f"{format_csn(after)} is not in this log")
            return
        to = min(wanted.to_csn or view.synced_csn, view.synced_csn)
        limit = self._settings.read_log_bytes_max
        max_bytes = min(wanted.max_bytes or limit, limit)
        entries = log.recent.after(after, to, max_bytes) if after < to else []
        if entries is not None:
            self._reply_log_part(peer, corr, entries, view)
        elif len(self._reads) >= self._settings.reads_max:
            self._outbox.fail(peer, corr, OVERLOADED, "too many reads of the log under way")
        else:
            self._start_read(_LogReader(peer, corr, after), after, to, max_bytes)

    def read_done(self, token: int, entries: Sequence[Entry], view: FeedView) -> None:
        reader = self._reads.pop(token)
        if isinstance(reader, Subscription):
            pushed = self.feed.deliver(reader, entries, view)
            if pushed is not None:
                self._outbox.push(*pushed)
            return
        peer, corr, after = reader.peer, reader.correlation_id, reader.after_csn
        if after < view.log.base_csn:
            self._outbox.reply(peer, corr, too_old(after, view.log.base_csn))
        elif view.fits(after, entries):
            self._reply_log_part(peer, corr, entries, view)
        else:
            self._outbox.fail(peer, corr, UNAVAILABLE, "the log was cut while it was being read")

    def _reply_log_part(
        self, peer: PeerId, corr: int, entries: Sequence[Entry], view: FeedView
    ) -> None:
        log, synced = view.log, view.synced_csn
        part = LogPart(
            entries=entries,
            base_csn=log.base_csn,
            tail_csn=synced,
            base=self.base(log.base_csn, view),
            settled_csn=min(view.settled_csn, synced),
            history=log.history(synced),
        )
        self._outbox.reply(peer, corr, JournalReply(log_part=part))

    def base(self, csn: int, view: FeedView) -> Base:
        """What remains of the entries up to `csn` when they are trimmed."""
        return Base(
            csn=csn,
            catalog_csn=view.log.catalog_at(csn),
            member_entries=self._members.base_entries(csn),
        )

    def pump(self, view: FeedView) -> None:
        """Push what can be pushed now."""
        for step in self.feed.pump(view):
            if not isinstance(step, Behind):
                self._outbox.push(*step)
            elif len(self._reads) >= self._settings.reads_max:
                # Tried again with the next batch or tick.
                step.subscription.reading = False
            else:
                # What memory still has need not be read.
                to = min(view.log.recent.floor, view.synced_csn)
                subscription = step.subscription
                self._start_read(
                    subscription, subscription.cursor, to, self._settings.feed_chunk_bytes
                )

    def _start_read(
        self, reader: Subscription | _LogReader, after: int, to: int, max_bytes: int
    ) -> None:
        self._read_token += 1
        self._reads[self._read_token] = reader
        self._outbox.output.reads.append(Read(self._read_token, after, to, max_bytes))
