"""The journal's rules: messages in; replies, durable writes and feed pushes out.

How to drive it (the service, the simulation and the tests do just this)

    machine = JournalMachine(settings, recovered, life, now_us)
    machine.receive(peer, request, now_us)      # any number of times: one JournalRequest each
    output = machine.take(now_us)               # once per batch

- `peer` is any hashable id of a stream. `now_us` is this journal's own monotonic clock; it never
  goes backwards within one machine. `recovered` is what the store gave back (a new journal:
  `RecoveredState(incarnation=...)`), `life` 16 random bytes of this process life.
- `output.replies`: (peer, JournalReply) in order; send them. Replies to peers that are gone are
  dropped by whoever drives. The machine never changes a message after it gave it out.
- `output.operations`, if there are any: make them durable, in order and after those of every
  smaller `output.write_number`, then call `machine.synced(write_number, now_us)` and `take` again.
  Batches may be merged: `synced(n)` says that everything up to n is durable.
- `output.reads`: entries that are not in memory any more. Read them from the store and call
  `machine.read_done(token, entries, now_us)`, then `take`. They never overlap a write under way.
- `machine.tick(now_us, log_bytes)` then `take`, a few times per lease_ttl: trimming, the feed's pace.
- `machine.disconnected(peer)`; `machine.block(peer)` and `machine.unblock(peer)` stop and start the
  feed of a peer whose connection is full.

Whoever adds an output to a reply: nothing that a promise rests on may be said before it is durable;
such replies go through `_after_sync`. An append's uncorrelated Ack after the sync goes to the peer
that sent it.

Raises InvariantViolation when a rule is broken that no message can break; bad messages get a Failure
(INVALID, WRONG_TARGET) and change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trilithon.core.csn import NO_CSN, SEQUENCE_BITS, epoch_of, format_csn
from trilithon.core.ids import format_id
from trilithon.core.invariant import require
from trilithon.journal.checks import check_append, check_candidate, check_promise
from trilithon.journal.feed import FeedView, PeerId
from trilithon.journal.log import Log
from trilithon.journal.operations import (
    AppendEntries,
    Cut,
    RecoveredState,
    SetBase,
    SetLeaseTtl,
    SetPromise,
    SetSettled,
)
from trilithon.journal.outbox import (
    INVALID,
    OVERLOADED,
    UNAVAILABLE,
    WRONG_TARGET,
    Counters,
    Outbox,
    Output,
)
from trilithon.journal.past import Freshness, past_snapshot, stale_snapshot
from trilithon.journal.quorum import Members, member_list_of
from trilithon.journal.readers import Readers
from trilithon.journal.settings import EPOCH_STEP_MAX, JournalSettings
from trilithon.journal.settling import Settling
from trilithon.journal.trimming import Window
from trilithon.journal.votes import Lease, Votes
from trilithon.journal.writes import Late, Writes
from trilithon.v1.journal_pb2 import (
    Ack,
    Append,
    Base,
    Candidate,
    Gap,
    JournalReply,
    JournalRequest,
    JournalStatus,
    PreVoteReply,
    Promised,
    Refused,
    Snapshot,
    SnapshotRequest,
)
from trilithon.v1.journal_pb2 import Applied as AppliedMessage
from trilithon.v1.types_pb2 import Entry


class JournalMachine:
    """See the module's docstring. `full` in the settings: may hold a lease and give snapshots."""

    def __init__(
        self, settings: JournalSettings, recovered: RecoveredState, life: bytes, now_us: int
    ) -> None:
        self.settings = settings
        self.incarnation = recovered.incarnation
        self.life = life
        self.log = Log(recovered)
        self._synced_csn: int = self.log.tail_csn
        self._log_bytes = recovered.log_bytes
        self._started_us = now_us
        self._votes = Votes(
            recovered.promised_epoch,
            recovered.candidate,
            recovered.lease_ttl_us,
            settings.lease_ttl_us,
            now_us,
        )
        self._lease = Lease()
        self._freshness = Freshness()
        # This life gives no more snapshots; and who sent the last append of this epoch.
        self._retired = False
        self._leader_peer: PeerId | None = None
        self._members = Members([*recovered.base.member_entries, *recovered.member_entries])
        self._settling = Settling(
            self.incarnation,
            recovered.promised_epoch,
            max(recovered.settled_csn, recovered.base.csn),
        )
        self._recover_unsettled(recovered)
        self._matched_csn: int = NO_CSN
        self._match(self.log.tail_csn if self._tail_is_current() else NO_CSN)
        self._window = Window(settings.window_us)
        # What collects until `take`.
        self._outbox = Outbox()
        self._writes = Writes()
        self._readers = Readers(settings, self._members, self._outbox)
        self._reply = self._outbox.reply
        self._fail = self._outbox.fail
        # Heartbeats are acknowledged only once this write is synced: it holds the promise of their
        # epoch, or a longer lease_ttl to be remembered.
        self._ack_barrier = 0
        self._gap_told: tuple[PeerId, int, int] | None = None
        self._settled_durable_csn = recovered.settled_csn
        self._settled_moved_us: int | None = None
        self._handlers: dict[str, Callable[[PeerId, int, JournalRequest, int], None]] = {
            "snapshot": self._on_snapshot,
            "append": self._on_append,
            "applied": self._on_applied,
            "subscribe": self._on_subscribe,
            "read_log": self._on_read_log,
            "pre_vote": self._on_pre_vote,
            "promise": self._on_promise,
        }

    def _recover_unsettled(self, recovered: RecoveredState) -> None:
        settled = self._settling.settled_csn
        first_recent = recovered.recent[0].csn if recovered.recent else self.log.tail_csn + 1
        for span in recovered.spans:
            first, last = max(span.first, settled + 1), min(span.last, first_recent - 1)
            if first <= last:
                self._settling.add_unknown(first, last)
        self._settling.add(entry for entry in recovered.recent if entry.csn > settled)

    # ---- what others may ask

    @property
    def counters(self) -> Counters:
        return self._outbox.counters

    @property
    def tail_csn(self) -> int:
        return self.log.tail_csn

    @property
    def synced_csn(self) -> int:
        return self._synced_csn

    @property
    def settled_csn(self) -> int:
        return self._settling.settled_csn

    @property
    def matched_csn(self) -> int:
        return self._matched_csn

    @property
    def promised_epoch(self) -> int:
        return self._votes.epoch

    @property
    def leader(self) -> str:
        return self._votes.leader

    @property
    def unsynced_bytes(self) -> int:
        return self._writes.unsynced_bytes

    @property
    def subscriber_count(self) -> int:
        return len(self._readers.feed.subscriptions)

    @property
    def is_member(self) -> bool:
        """The newest list of this log names this incarnation: it counts. Without a list nobody does."""
        newest = self._members.newest
        named = () if newest is None else newest.next or newest.members
        return any(member.incarnation == self.incarnation for member in named)

    def lease_left_us(self, now_us: int) -> int:
        return self._lease.left_us(now_us)

    def snapshot_csn(self, now_us: int) -> int | None:
        """The csn of a snapshot given now; None without a valid lease."""
        if self._lease.until_us <= now_us:
            return None
        # A lease is granted to a journal that has synced the beginning of its epoch.
        if self._synced_csn >> SEQUENCE_BITS != self._votes.epoch:
            return None
        return self._synced_csn

    def status(self, now_us: int) -> JournalStatus:
        """Everything but the process's identity."""
        return JournalStatus(
            incarnation=self.incarnation,
            promised_epoch=self._votes.epoch,
            leader=self._votes.leader,
            base_csn=self.log.base_csn,
            last_csn=self.log.tail_csn,
            synced_csn=self._synced_csn,
            settled_csn=self.settled_csn,
            catalog_csn=self.log.catalog_at(self._synced_csn),
            lease_left_us=self.lease_left_us(now_us),
            bytes_used=self._log_bytes,
            applied=[
                AppliedMessage(storage=storage, csn=csn)
                for storage, csn in sorted(self._readers.applied.by_storage.items())
            ],
            members=self._members.newest,
            lease_ttl_us=self._votes.restriction_us,
            subscribers=self.subscriber_count,
        )

    # ---- events

    def receive(self, peer: PeerId, request: JournalRequest, now_us: int) -> None:
        kind = request.WhichOneof("request")
        handler = self._handlers.get(kind) if kind is not None else None
        if handler is None:
            self._fail(peer, request.correlation_id, INVALID, "an item without a known request")
            return
        handler(peer, request.correlation_id, request, now_us)

    def disconnected(self, peer: PeerId) -> None:
        self._readers.feed.unsubscribe(peer)

    def block(self, peer: PeerId) -> None:
        if subscription := self._readers.feed.subscriptions.get(peer):
            subscription.blocked = True

    def unblock(self, peer: PeerId) -> None:
        if subscription := self._readers.feed.subscriptions.get(peer):
            subscription.blocked = False

    def retire(self, now_us: int) -> None:
        """Before an orderly stop: give the lease back, so that no commit waits for it to run out."""
        self._retired = True
        self._lease.end()
        if self._leader_peer is not None:
            life = self._votes.candidate.life if self._votes.candidate is not None else b""
            self._ack(self._leader_peer, 0, self._votes.epoch, life, now_us)

    def tick(self, now_us: int, log_bytes: int | None = None) -> None:
        """`log_bytes`: what the log takes in the store, where it is known."""
        if log_bytes is not None:
            self._log_bytes = log_bytes
        self._freshness.observe(now_us, self.snapshot_csn(now_us), self.settled_csn)
        self._readers.feed.refill()
        self._window.sample(now_us, self.settled_csn)
        self._trim(now_us)
        if self.settled_csn > self._settled_durable_csn:
            if self._settled_moved_us is None:
                self._settled_moved_us = now_us
            elif now_us - self._settled_moved_us >= self.settings.settled_hint_us:
                self._keep_settled()

    def synced(self, write_number: int, now_us: int) -> None:
        """Everything up to this write is durable."""
        synced_csn, late = self._writes.synced(write_number)
        if synced_csn is not None:
            # Never backwards: a cut takes the synced csn and the batches under way down by itself.
            self._synced_csn = max(self._synced_csn, synced_csn)
        require(self._synced_csn <= self.log.tail_csn, "nothing beyond the tail is synced")
        for one in late:
            self._answer_late(one, now_us)
        self.log.recent.shrink(self.settings.memory_bytes_max, self._synced_csn)

    def read_done(self, token: int, entries: Sequence[Entry], now_us: int) -> None:
        """What a Read found: entries as they were stored, from after_csn on."""
        self._readers.read_done(token, entries, self._view())

    def take(self, now_us: int) -> Output:
        """Settle, push and hand out what has collected since the last call."""
        groups = self._members.groups(self.settled_csn)
        self._settling.advance(self.log, groups, self.own_mark, self._matched_csn)
        if self._readers.feed.subscriptions:
            self._readers.pump(self._view())
        if self._writes.opened and self.settled_csn > self._settled_durable_csn:
            self._keep_settled()
        output = self._outbox.output
        output.operations, output.write_number, late = self._writes.close(self.log.tail_csn)
        for one in late:
            self._answer_late(one, now_us)
        self._outbox.output = Output()
        return output

    # ---- snapshots

    def _on_snapshot(self, peer: PeerId, corr: int, request: JournalRequest, now_us: int) -> None:
        if not self.settings.full:
            self._fail(peer, corr, INVALID, "a witness gives no snapshots")
            return
        csn = self.snapshot_csn(now_us)
        wanted = request.snapshot
        if wanted.at_csn or (csn is None and wanted.staleness_us > 0):
            self._reply(peer, corr, self._leaseless(wanted, csn, now_us))
            return
        if csn is None:
            self.counters.snapshots_refused += 1
            self._fail(peer, corr, UNAVAILABLE, "no valid read lease")
            return
        self.counters.snapshots += 1
        snapshot = Snapshot(
            csn=csn,
            catalog_csn=self.log.catalog_at(csn),
            settled_csn=min(self.settled_csn, csn),
        )
        self._reply(peer, corr, JournalReply(snapshot=snapshot))

    def _leaseless(self, wanted: SnapshotRequest, csn: int | None, now_us: int) -> JournalReply:
        log, settled = self.log, self.settled_csn
        if wanted.at_csn:
            return past_snapshot(log, wanted.at_csn, settled, csn, history=wanted.history)
        self._freshness.observe(now_us, csn, settled)
        return stale_snapshot(log, self._freshness, settled, wanted.staleness_us, now_us)

    # ---- the feed and the log

    def _view(self) -> FeedView:
        votes = self._votes
        return FeedView(
            self.log,
            self._synced_csn,
            self.settled_csn,
            votes.epoch,
            votes.candidate if votes.led else None,
        )

    def _on_subscribe(self, peer: PeerId, corr: int, request: JournalRequest, now_us: int) -> None:
        self._readers.subscribe(peer, corr, request, self._view())

    def _on_applied(self, peer: PeerId, corr: int, request: JournalRequest, now_us: int) -> None:
        self._readers.hear_applied(peer, corr, request, self._view())

    def _on_read_log(self, peer: PeerId, corr: int, request: JournalRequest, now_us: int) -> None:
        self._readers.read_log(peer, corr, request, self._view())

    # ---- votes

    def _on_pre_vote(self, peer: PeerId, corr: int, request: JournalRequest, now_us: int) -> None:
        asked = request.pre_vote
        if problem := check_candidate(asked.epoch, asked.candidate):
            self._fail(peer, corr, INVALID, problem)
            return
        left = self._votes.time_left_us(now_us)
        if self._votes.resigned(asked.resignation, asked.candidate.life):
            left = 0
        above = asked.epoch > self._votes.epoch and self._epoch_in_reach(asked.epoch)
        granted = (above and left == 0) or self._votes.holds(asked.epoch, asked.candidate.life)
        reply = PreVoteReply(
            granted=granted,
            promised_epoch=self._votes.epoch,
            time_left_us=0 if granted else left,
            incarnation=self.incarnation,
            tail_csn=self.log.tail_csn,
            base_csn=self.log.base_csn,
            member_entries=self._members.in_force(self.settled_csn),
            settled_csn=self.settled_csn,
        )
        self._reply(peer, corr, JournalReply(pre_vote=reply))

    def _on_promise(self, peer: PeerId, corr: int, request: JournalRequest, now_us: int) -> None:
        promise = request.promise
        problem = check_promise(promise)
        if not problem and not self._epoch_in_reach(promise.epoch):
            problem = f"epoch {promise.epoch} is too far above {self._votes.epoch}"
        if problem:
            self._fail(peer, corr, INVALID, problem)
            return
        if not self._votes.holds(promise.epoch, promise.candidate.life):
            above = promise.epoch > self._votes.epoch
            free = self._votes.time_left_us(now_us) == 0 or self._votes.resigned(
                promise.resignation, promise.candidate.life
            )
            if not above or not free:
                self._refuse(peer, corr, promise.epoch, now_us)
                return
            self._enter_epoch(promise.epoch, promise.candidate)
        self._remember_ttl(promise.lease_ttl_us)
        self._after_sync(peer, corr, promise.epoch, promise.candidate.life, promise=True)

    def _epoch_in_reach(self, epoch: int) -> bool:
        return self._votes.epoch == 0 or epoch <= self._votes.epoch + EPOCH_STEP_MAX

    def _enter_epoch(self, epoch: int, candidate: Candidate) -> None:
        require(epoch > self._votes.epoch, "the promised epoch only grows")
        self.counters.promises += 1
        kept = Candidate()
        kept.CopyFrom(candidate)
        self._lease.end()
        self._votes.promise(epoch, kept)
        self._settling.enter_epoch(epoch)
        self._matched_csn = NO_CSN
        self._leader_peer = None
        self._gap_told = None
        self._writes.add(SetPromise(epoch, kept))
        self._ack_barrier = self._writes.open_number

    def _remember_ttl(self, lease_ttl_us: int) -> None:
        if lease_ttl_us > self._votes.ttl_us:
            self._votes.ttl_us = lease_ttl_us
            self._writes.add(SetLeaseTtl(lease_ttl_us))
            self._ack_barrier = self._writes.open_number

    def _refuse(self, peer: PeerId, corr: int, epoch: int, now_us: int) -> None:
        self.counters.refusals += 1
        refused = Refused(
            epoch=epoch,
            promised_epoch=self._votes.epoch,
            time_left_us=self._votes.time_left_us(now_us),
            leader=self._votes.leader,
        )
        self._reply(peer, corr, JournalReply(refused=refused))

    def _promised(self) -> JournalReply:
        synced = self._synced_csn
        promised = Promised(
            epoch=self._votes.epoch,
            incarnation=self.incarnation,
            tail_csn=synced,
            base_csn=self.log.base_csn,
            history=self.log.history(synced),
            member_entries=self._members.in_force(self.settled_csn),
            lease_ttl_us=self._votes.ttl_us,
            settled_csn=min(self.settled_csn, synced),
        )
        return JournalReply(promised=promised)

    # ---- appends

    def _on_append(self, peer: PeerId, corr: int, request: JournalRequest, now_us: int) -> None:
        append = request.append
        if append.incarnation != self.incarnation:
            text = f"this is journal {format_id(self.incarnation)}"
            self._fail(peer, corr, WRONG_TARGET, text)
            return
        problem = check_append(append, self.settings) or self._check_grant(append, now_us)
        if not problem and not self._epoch_in_reach(append.epoch):
            problem = f"epoch {append.epoch} is too far above {self._votes.epoch}"
        if problem:
            self._fail(peer, corr, INVALID, problem)
            return
        if append.epoch <= self._votes.epoch and not self._votes.holds(
            append.epoch, append.leader.life
        ):
            self._refuse(peer, corr, append.epoch, now_us)
            return
        if problem := self._check_cut(append):
            self._fail(peer, corr, INVALID, problem)
            return
        if append.epoch > self._votes.epoch:
            self._enter_epoch(append.epoch, append.leader)
        self._leader_peer = peer
        self._votes.led = True
        self._votes.hear(append.heartbeat, now_us)
        self._remember_ttl(append.lease_ttl_us)
        fits = self._take_entries(append)
        self._hear_leader(append)
        self._answer_append(peer, corr, append, fits, now_us)

    def _check_grant(self, append: Append, now_us: int) -> str:
        if not append.HasField("grant"):
            return ""
        grant = append.grant
        if not 0 <= grant.duration_us <= append.lease_ttl_us:
            return f"a lease of {grant.duration_us} us is longer than lease_ttl"
        if grant.life == self.life and not self._started_us <= grant.reading_us <= now_us:
            return "a lease counts from a reading that this journal never gave"
        return ""

    def _check_cut(self, append: Append) -> str:
        """An append may replace entries of older epochs only, and none that is settled."""
        if not append.entries or not self.log.contains(append.previous_csn):
            return ""
        previous = self._common_csn(append)
        if previous == append.entries[-1].csn:
            return ""
        first_cut = self.log.next_csn(previous)
        if first_cut is None:
            return ""
        if first_cut <= self.settled_csn:
            return f"would cut settled entries: {format_csn(first_cut)} is settled"
        if epoch_of(first_cut) == append.epoch or (
            append.epoch == self._votes.epoch and first_cut <= self._matched_csn
        ):
            return f"would cut {format_csn(first_cut)}, which its own leader sent"
        return ""

    def _common_csn(self, append: Append) -> int:
        """The last csn of this append, previous_csn included, that is in the log."""
        common: int = append.previous_csn
        for entry in append.entries:
            if not self.log.contains(entry.csn):
                break
            common = entry.csn
        return common

    def _take_entries(self, append: Append) -> bool:
        """Cut and append what this log lacks. False: previous_csn is not in it, or no room."""
        if append.HasField("base") and self.log.empty:
            self._start_at(append.base)
        if not self.log.contains(append.previous_csn):
            return False
        self._match(append.previous_csn)
        if not append.entries:
            return True
        common = self._common_csn(append)
        if common != append.entries[-1].csn:
            if self._writes.unsynced_bytes > self.settings.unsynced_bytes_max:
                return False
            if common != self.log.tail_csn:
                self._cut(common)
            self._extend([entry for entry in append.entries if entry.csn > common])
        self._match(append.entries[-1].csn)
        return True

    def _extend(self, entries: list[Entry]) -> None:
        size = self.log.extend(entries)
        self.counters.entries += len(entries)
        self._settling.add(entries)
        for entry in entries:
            if not entry.transaction_id and member_list_of(entry) is not None:
                self._members.add(entry)
        self._writes.add(AppendEntries(entries), size)

    def _cut(self, csn: int) -> None:
        require(csn >= self.settled_csn, "settled entries are never cut")
        require(csn >= self._matched_csn, "entries of this epoch's leader are never cut")
        self.counters.cuts += 1
        self.log.cut(csn)
        self._synced_csn = min(self._synced_csn, csn)
        self._writes.cut(csn)
        self._members.cut(csn)
        self._settling.cut(csn)
        self._readers.feed.cut(csn)
        self._writes.add(Cut(csn))

    def _start_at(self, base: Base) -> None:
        self.log.start_at(base.csn, base.catalog_csn)
        for entry in base.member_entries:
            self._members.add(entry)
        self._settling.settled_csn = base.csn
        self._writes.add(SetBase(base))

    def _match(self, csn: int) -> None:
        self._matched_csn = max(self._matched_csn, csn)

    def _tail_is_current(self) -> bool:
        return self.log.tail_csn >> SEQUENCE_BITS == self._votes.epoch

    @property
    def own_mark(self) -> int:
        """Synced, and in the log of this epoch's leader: what an Ack says."""
        return min(self._matched_csn, self._synced_csn)

    def _hear_leader(self, append: Append) -> None:
        self._settling.hear_leader(append.settled_csn)
        for mark in append.marks:
            self._settling.hear_mark(mark.incarnation, mark.synced_csn)
        welcome = self.settings.full and not self._retired
        if append.HasField("grant") and welcome and append.grant.life == self.life:
            self._lease.extend(append.grant.reading_us + append.grant.duration_us)

    def _answer_append(
        self, peer: PeerId, corr: int, append: Append, fits: bool, now_us: int
    ) -> None:
        """At once for a heartbeat; after the sync for entries; a gap for what does not fit."""
        epoch, life = append.epoch, append.leader.life
        if fits and append.entries:
            if append.heartbeat:
                self._ack(peer, 0, epoch, life, now_us)
            if append.entries[-1].csn > self._synced_csn:
                self._after_sync(peer, corr, epoch, life)
            else:
                self._ack(peer, corr, epoch, life, now_us)
            return
        if fits:
            if append.heartbeat or corr:
                self._ack(peer, corr, epoch, life, now_us)
            return
        if append.heartbeat:
            self._ack(peer, 0, epoch, life, now_us)
        if self.log.contains(append.previous_csn):
            self._fail(peer, corr, OVERLOADED, "too much waits for this journal's disk")
        else:
            self._tell_gap(peer, corr, append)

    def _tell_gap(self, peer: PeerId, corr: int, append: Append) -> None:
        told = (peer, append.epoch, self.log.tail_csn)
        if not corr and not append.heartbeat and self._gap_told == told:
            return
        self._gap_told = told
        self.counters.gaps += 1
        gap = Gap(
            epoch=append.epoch,
            incarnation=self.incarnation,
            tail_csn=self.log.tail_csn,
            base_csn=self.log.base_csn,
            history=self.log.history(self.log.tail_csn),
        )
        self._reply(peer, corr, JournalReply(gap=gap))

    def _ack(self, peer: PeerId, corr: int, epoch: int, life: bytes, now_us: int) -> None:
        """Now, unless something that this Ack relies on is still on its way to the disk."""
        if self._ack_barrier > self._writes.synced_number:
            self._after_sync(peer, corr, epoch, life)
        else:
            self._reply(peer, corr, self._make_ack(now_us))

    def _make_ack(self, now_us: int) -> JournalReply:
        ack = Ack(
            epoch=self._votes.epoch,
            incarnation=self.incarnation,
            synced_csn=self.own_mark,
            heartbeat=self._votes.heartbeat,
            life=self.life,
            reading_us=now_us,
            retired=self._retired,
        )
        return JournalReply(ack=ack)

    # ---- replies that wait for a sync

    def _after_sync(
        self, peer: PeerId, corr: int, epoch: int, life: bytes, *, promise: bool = False
    ) -> None:
        """Answer once everything that was asked to be written so far is durable."""
        self._writes.wait(Late(peer, corr, epoch, life, promise))

    def _answer_late(self, late: Late, now_us: int) -> None:
        if not self._votes.holds(late.epoch, late.life):
            self._refuse(late.peer, late.correlation_id, late.epoch, now_us)
        elif late.promise:
            self._reply(late.peer, late.correlation_id, self._promised())
        else:
            self._reply(late.peer, late.correlation_id, self._make_ack(now_us))

    # ---- trimming, and what is kept of it

    def _trim(self, now_us: int) -> None:
        target = min(self._window.old_csn(now_us), self.settled_csn, self._synced_csn)
        if self._log_bytes < self.settings.log_bytes_max:
            target = min(target, self._needed_above())
        if target <= self.log.base_csn or not self.log.contains(target):
            return
        base_csn = self.log.step(self.log.base_csn, self.settings.trim_step_entries, target)
        self._writes.add(SetBase(self._readers.base(base_csn, self._view())))
        self.log.trim(base_csn)
        self._members.trim(base_csn)

    def _needed_above(self) -> int:
        """Nobody needs entries at or below this csn any more."""
        marks = self._settling.marks
        lowest = self.own_mark
        for group in self._members.groups(self.settled_csn):
            for incarnation in group:
                if incarnation != self.incarnation:
                    lowest = min(lowest, marks.get(incarnation, NO_CSN))
        applied = self._readers.applied.by_all()
        return lowest if applied is None else min(lowest, applied)

    def _keep_settled(self) -> None:
        self._settled_durable_csn = self.settled_csn
        self._settled_moved_us = None
        self._writes.add(SetSettled(self.settled_csn))
