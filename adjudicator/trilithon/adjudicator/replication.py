"""The leader's dealings with the journals: appends, gaps, marks, authority, leases, settling.

Vocabulary
- *mark*: the newest csn of this leader's log that a journal has synced. Counts within one epoch.
- *authority*: until when no other leader can have been elected, by this process's clock.
- *run*: consecutive entries of this epoch with equal `required`.

Invariants
- Nothing is settled, and no lease granted, before (epoch, 0) is synced by a majority.
- A lease ends no later than the authority it was granted under.
- A journal leaves `required` only when every lease that it was granted has surely run out.
- Settling is a prefix: an entry is settled when a majority of every group, and every journal of its
  `required` that has not left since, has synced it.

Sending is pipelined: appends in flight are not waited for, up to a bound in bytes; what gets lost
shows as a gap. Everything that collected during a step goes out as one append per journal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from trilithon.adjudicator.copy import LogCopy
from trilithon.adjudicator.election import InheritedLease
from trilithon.adjudicator.log import Span, common_csn, spans_of
from trilithon.adjudicator.outbox import Outbox
from trilithon.adjudicator.progress import Progress
from trilithon.adjudicator.quorum import NEVER, Voters, newest_list, voters_of
from trilithon.adjudicator.relay import RelayDesk
from trilithon.adjudicator.settings import Settings
from trilithon.core.csn import make_csn
from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import journal_pb2 as journal
from trilithon.v1 import types_pb2 as types

# How much older than the tail a journal's mark may be, in lease_ttl: to join `required`, and to stay.
_NEAR_TTL: Final = 0.5
_HOPELESS_TTL: Final = 2.0
# Whoever stayed for so many lease_ttl, the last one of them silent, did not leave for its slowness.
_WELL_TTL: Final = 2.0
# A journal that acknowledged no heartbeat sent within this many lease_ttl is silent.
_FRESH_TTL: Final = 0.6


class Replication:
    def __init__(
        self,
        settings: Settings,
        copy: LogCopy,
        epoch: int,
        candidate: journal.Candidate,
        out: Outbox,
        now_us: int,
    ) -> None:
        self._settings = settings
        self._copy = copy
        self._candidate = candidate
        self.epoch = epoch
        self.start_csn = make_csn(epoch, 0)
        self._elected_us = now_us
        self.serving = False
        self.voters = Voters(())
        self._members: types.MemberList | None = None
        # Who may hold leases: members of full Regions.
        self._full: set[bytes] = set()
        self.journals = {
            target.name: Progress(target.name, target.region) for target in settings.journals
        }
        # By incarnation: also those that no name leads to any more.
        self._by_incarnation: dict[bytes, Progress] = {}
        self._marks: dict[bytes, int] = {}
        self._heard: dict[bytes, int] = {}
        self._heartbeat = 0
        # Send times of heartbeats that may still be acknowledged.
        self._beats: dict[int, int] = {}
        self._next_beat_us = now_us
        # (time, tail csn) of the last beats, oldest first: how far behind a mark is, in time.
        self._tails: deque[tuple[int, int]] = deque()
        # (first csn, required) of each run that is not settled yet.
        self._runs: deque[tuple[int, tuple[bytes, ...]]] = deque([(self.start_csn, ())])
        self.required: tuple[bytes, ...] = ()
        self.relay = RelayDesk(settings, copy, self.journals, self._send_entries)
        self._out = out

    def inherit(self, leases: Iterable[InheritedLease]) -> None:
        """Journals that may hold a lease of a leader that resigned: required from the first entry on."""
        for lease in leases:
            named = self.journals.get(lease.journal)
            if named is not None and named.incarnation in (b"", lease.incarnation):
                progress = named
            else:
                # Another incarnation answers there by now, or nobody knows the name.
                region = "" if named is None else named.region
                progress = Progress(lease.journal, region)
            progress.incarnation = lease.incarnation
            progress.required = True
            progress.join_csn = self.start_csn
            progress.granted_until_us = lease.until_us
            self._by_incarnation[lease.incarnation] = progress
        self.required = tuple(sorted(self._by_incarnation))
        self._runs = deque([(self.start_csn, self.required)])

    def lease_holders(self, now_us: int) -> list[adjudicator.LeaseHolder]:
        """Who may hold a lease, and for how long still, this leader's grants being over."""
        return [
            adjudicator.LeaseHolder(
                journal=progress.name,
                incarnation=incarnation,
                left_us=max(0, progress.granted_until_us - now_us),
            )
            for incarnation, progress in self._by_incarnation.items()
            if progress.required or not self._leases_over(progress, now_us)
        ]

    def near(self, region: str, now_us: int) -> bool:
        """Whether a journal of this Region holds the log up to about now."""
        return any(
            progress.region == region
            and progress.up
            and progress.required
            and not progress.slow
            and self._fresh(progress, now_us)
            and self.lag_us(progress, now_us) <= self._settings.lease_ttl_us * _NEAR_TTL
            for progress in self.journals.values()
        )

    # ---- who counts

    def count_by(self, entries: Iterable[types.Entry]) -> None:
        """The newest of these entries' lists counts from now on."""
        self._members = newest_list(entries)
        self.voters = voters_of(self._members)
        self._full = {member.incarnation for member in self._named() if member.full}

    def _named(self) -> list[types.Member]:
        if self._members is None:
            return []
        return [*self._members.members, *self._members.next]

    def learn_incarnation(self, name: str, incarnation: bytes) -> Progress:
        """Whoever answers under this name is this incarnation now."""
        progress = self.journals[name]
        if progress.incarnation != incarnation:
            if progress.incarnation:
                # The old one keeps its marks and leases; nobody sends to it any more.
                target = self._settings.journal(name)
                progress.up = False
                progress = self._by_incarnation.get(incarnation) or Progress(name, target.region)
                progress.up = True
                self.journals[name] = progress
            progress.incarnation = incarnation
            progress.sent_csn = None
            progress.beat_due = True
            self._by_incarnation[incarnation] = progress
        progress.confirmed = True
        return progress

    # ---- authority

    @property
    def authority_until_us(self) -> int:
        heard = self.voters.reached(self._heard)
        if heard == NEVER:
            return NEVER
        return heard + self._settings.lease_ttl_us - self._settings.drift_margin_us

    def may_judge(self, now_us: int) -> bool:
        return self.serving and now_us < self.authority_until_us

    def expired(self, now_us: int) -> bool:
        """Out of authority; right after the election there has been no time to get any."""
        grace_until_us = self._elected_us + self._settings.lease_ttl_us
        return now_us >= max(self.authority_until_us, NEVER if self.serving else grace_until_us)

    # ---- what journals say

    def promised(self, name: str, promised: journal.Promised) -> None:
        progress = self.learn_incarnation(name, promised.incarnation)
        if progress.sent_csn is None:
            self._locate(
                progress,
                spans_of(promised.history, promised.base_csn),
                promised.tail_csn,
                promised.base_csn,
                0,
            )

    def gap(self, name: str, gap: journal.Gap, now_us: int) -> None:
        """It lacks what the last appends followed: find the newest common csn, go on from there."""
        if gap.epoch != self.epoch:
            return
        progress = self.learn_incarnation(name, gap.incarnation)
        if progress.relay is not None:
            return
        # Several appends in flight make several gaps; one of them is enough.
        repeated = (
            progress.gap_csn == gap.tail_csn
            and now_us - progress.gap_at_us < self._settings.heartbeat_us
        )
        if repeated:
            return
        progress.gap_csn = gap.tail_csn
        progress.gap_at_us = now_us
        self._locate(
            progress, spans_of(gap.history, gap.base_csn), gap.tail_csn, gap.base_csn, now_us
        )

    def _locate(
        self, progress: Progress, spans: list[Span], tail_csn: int, base_csn: int, now_us: int
    ) -> None:
        common = common_csn(self._copy.log.spans(), spans)
        if common is not None and self._copy.log.contains(common):
            progress.sent_csn = progress.floor_csn = common
            progress.beat_due = True
        else:
            progress.sent_csn = None
            fresh = tail_csn == 0 and base_csn == 0
            self.relay.need(progress, common, fresh=fresh, now_us=now_us)

    def pre_vote_reply(self, name: str, reply: journal.PreVoteReply) -> None:
        """Leaders ask for incarnations and bases by pre-votes."""
        self.learn_incarnation(name, reply.incarnation)
        self.relay.bases[name] = reply.base_csn

    def ack(self, name: str, ack: journal.Ack, now_us: int) -> bool:
        """Whether a mark moved."""
        if ack.epoch != self.epoch:
            return False
        progress = self.learn_incarnation(name, ack.incarnation)
        sent_us = self._beats.get(ack.heartbeat)
        if sent_us is not None and sent_us > progress.heard_us:
            progress.heard_us = sent_us
            self._heard[ack.incarnation] = sent_us
        if ack.life != progress.life or ack.reading_us > progress.reading_us:
            progress.life = ack.life
            progress.reading_us = ack.reading_us
        if ack.retired and ack.life != progress.retired_life:
            self._retired(progress, ack.life, now_us)
        progress.acked_csn = max(progress.acked_csn, ack.synced_csn)
        # A mark in a part of the log that this leader has not got (yet) says nothing.
        if not ack.synced_csn or not self._copy.log.contains(ack.synced_csn):
            return False
        if progress.sent_csn is None or progress.sent_csn < ack.synced_csn:
            progress.sent_csn = progress.floor_csn = ack.synced_csn
            progress.relay = None
        if ack.synced_csn <= progress.synced_csn:
            return False
        joined = progress.synced_csn < progress.join_csn <= ack.synced_csn
        progress.synced_csn = ack.synced_csn
        if progress.beyond_log or progress.trimmed_at:
            progress.beyond_log = progress.beyond_told = False
            progress.trimmed_at.clear()
        self._marks[ack.incarnation] = ack.synced_csn
        for other in self.journals.values():
            if other is not progress and other.incarnation in self._full:
                other.news_due = other.news_due or self._could_settle(other) > other.told_csn
        if progress.required and (joined or progress.granted_until_us < now_us):
            # Its first lease may be due: do not wait for the next beat.
            progress.beat_due = True
        return True

    def _retired(self, progress: Progress, life: bytes, now_us: int) -> None:
        """That life has given its lease back and uses no other one. A lease of another life, or one of
        an earlier leader, may still be in use."""
        progress.retired_life = life
        if life == progress.lease_life:
            progress.granted_until_us = NEVER
            self.tend_required(now_us)

    def wrong_target(self, name: str) -> None:
        """Another incarnation answers there: ask which."""
        self.journals[name].base_wanted = True

    def overloaded(self, name: str) -> None:
        """It turned an append away: find out again where it stands."""
        self.journals[name].sent_csn = None

    def journal_down(self, name: str) -> None:
        self.journals[name].up = False

    def journal_up(self, name: str) -> None:
        progress = self.journals[name]
        progress.up = True
        progress.confirmed = False
        progress.sent_csn = None
        progress.relay = None
        progress.beat_due = True
        progress.asked_at_us = NEVER
        progress.told_csn = NEVER

    # ---- the log

    def append(
        self, entry: types.Entry, now_us: int, write_set: types.WriteSet | None = None
    ) -> None:
        self._copy.append(entry, now_us, write_set)
        if entry.WhichOneof("content") in ("members", "epoch_start"):
            self.count_by(self._copy.member_entries)

    def _require_anew(self) -> None:
        """`required` changed: entries from the next one on carry it."""
        self.required = tuple(
            sorted(
                progress.incarnation
                for progress in self._by_incarnation.values()
                if progress.required
            )
        )
        first_csn = self._copy.tail_csn + 1
        if self._runs and self._runs[-1][0] == first_csn:
            self._runs.pop()
        self._runs.append((first_csn, self.required))

    def settled_now(self) -> int:
        """The newest settled csn, from marks and `required`; what was known before, if not newer."""
        settled = max(self._copy.settled_csn, self._settled_by(self._marks))
        runs = self._runs
        while len(runs) > 1 and runs[1][0] - 1 <= settled:
            runs.popleft()
        return settled

    def _settled_by(self, marks: Mapping[bytes, int]) -> int:
        """The newest csn that is settled if these are the marks; NEVER: none of this epoch is."""
        reached = self.voters.reached(marks)
        settled = NEVER
        if reached < self.start_csn:
            return settled
        last = len(self._runs) - 1
        for position, (first_csn, required) in enumerate(self._runs):
            last_csn = self._copy.tail_csn if position == last else self._runs[position + 1][0] - 1
            limit = min(reached, last_csn)
            for incarnation in required:
                if self._by_incarnation[incarnation].required:
                    limit = min(limit, marks.get(incarnation, NEVER))
            if limit < first_csn:
                break
            settled = limit
            if limit < last_csn:
                break
        return settled

    def _could_settle(self, progress: Progress) -> int:
        """The newest csn that this journal may deduce to be settled, once it has synced all there is.

        Marks that do not raise this need not be passed on to it at once: with the next append or
        heartbeat is soon enough.
        """
        return self._settled_by({**self._marks, progress.incarnation: self._copy.tail_csn})

    def started(self) -> bool:
        """Whether (epoch, 0) is committed."""
        return self.voters.reached(self._marks) >= self.start_csn

    # ---- leases

    def lag_us(self, progress: Progress, now_us: int) -> int:
        """For how long the journal has owed what comes after its mark."""
        return self.age_us(progress.synced_csn, now_us)

    def age_us(self, csn: int, now_us: int) -> int:
        """For how long the log has gone on after this csn."""
        for time_us, tail_csn in self._tails:
            if tail_csn > csn:
                return now_us - time_us
        return 0

    def _fresh(self, progress: Progress, now_us: int) -> bool:
        return now_us - progress.heard_us < self._settings.lease_ttl_us * _FRESH_TTL

    def answers(self, progress: Progress, now_us: int) -> bool:
        """Whether it is known who is behind the name: a link that is cut looks up for a while."""
        known = progress.up and progress.confirmed and bool(progress.incarnation)
        return known and self._fresh(progress, now_us)

    def tend_required(self, now_us: int) -> None:
        """Let journals join and leave `required`."""
        if not self.serving:
            return
        ttl_us = self._settings.lease_ttl_us
        changed = False
        for progress in self._by_incarnation.values():
            current = self.journals.get(progress.name) is progress
            lag_us = self.lag_us(progress, now_us)
            retired = bool(progress.life) and progress.life == progress.retired_life
            able = (
                current
                and not retired
                and progress.incarnation in self._full
                and self._fresh(progress, now_us)
            )
            if progress.required:
                if lag_us > ttl_us * _HOPELESS_TTL:
                    progress.slow = True
                elif lag_us < ttl_us * _NEAR_TTL:
                    progress.slow = False
                if (not able or progress.slow) and self._leases_over(progress, now_us):
                    self._drop(progress, now_us)
                    changed = True
            elif (
                able
                and lag_us <= ttl_us * _NEAR_TTL
                and progress.synced_csn
                and self._may_rejoin(progress, now_us)
            ):
                progress.required = True
                progress.joined_us = now_us
                progress.slow = False
                progress.join_csn = self._copy.tail_csn
                progress.beat_due = True
                changed = True
                self._out.event("required_joined", journal=progress.name)
        if changed:
            self._require_anew()

    def _leases_over(self, progress: Progress, now_us: int) -> bool:
        return now_us > progress.granted_until_us + self._settings.drift_margin_us

    def _drop(self, progress: Progress, now_us: int) -> None:
        """Out of `required`; the more often of late, the longer it stays out."""
        ttl_us = self._settings.lease_ttl_us
        if now_us - progress.dropped_us > 40 * ttl_us:
            progress.drop_count = 0
        progress.required = False
        if progress.life == progress.retired_life:
            # It went in order, and may be back at once.
            return
        progress.drop_count += 1
        progress.dropped_us = now_us
        served_well = now_us - progress.joined_us > ttl_us * _WELL_TTL
        progress.forgiven_life = progress.lease_life if served_well else b""
        back_off = 0 if progress.drop_count == 1 else ttl_us << min(progress.drop_count, 5)
        progress.rejoin_at_us = now_us + back_off
        self._out.event("required_left", journal=progress.name, slow=progress.slow)

    def _may_rejoin(self, progress: Progress, now_us: int) -> bool:
        """It has stayed out for long enough, or it is not the process that was dropped: one that was killed
        and started again does not limp, unless it never stays for long."""
        if now_us >= progress.rejoin_at_us:
            return True
        if progress.forgiven_life in (b"", progress.life):
            return False
        progress.drop_count = 0
        return True

    def _grant(self, progress: Progress, now_us: int) -> journal.LeaseGrant | None:
        left_us = self.authority_until_us - now_us
        if (
            not self.serving
            or not progress.required
            or progress.slow
            or not progress.life
            or progress.life == progress.retired_life
            or progress.synced_csn < progress.join_csn
            or left_us <= 0
            or not self._fresh(progress, now_us)
        ):
            return None
        progress.granted_until_us = max(progress.granted_until_us, now_us + left_us)
        progress.lease_life = progress.life
        return journal.LeaseGrant(
            life=progress.life, reading_us=progress.reading_us, duration_us=left_us
        )

    # ---- sending

    def beat(self, now_us: int) -> None:
        """Called on every tick: time for the next heartbeat?"""
        if now_us < self._next_beat_us:
            return
        self._next_beat_us = now_us + self._settings.heartbeat_us
        self._tails.append((now_us, self._copy.tail_csn))
        while self._tails[0][0] < now_us - 4 * self._settings.lease_ttl_us:
            self._tails.popleft()
        self.beat_soon()

    def beat_soon(self) -> None:
        for progress in self.journals.values():
            progress.beat_due = True
            if progress.beyond_log and not progress.beyond_told:
                progress.beyond_told = True
                order = f"`trilithon rebuild {progress.region}`"
                self._out.event("journal_beyond_the_log", journal=progress.name, needs=order)

    def flush(self, now_us: int) -> None:
        """Send each journal what it lacks, and heartbeats and marks where they are due."""
        for progress in self.journals.values():
            if not progress.up:
                continue
            if not progress.incarnation or progress.base_wanted:
                self._ask_incarnation(progress, now_us)
            if progress.incarnation:
                self._flush_one(progress, now_us)
        self.relay.tend(now_us, self._out)

    def _ask_incarnation(self, progress: Progress, now_us: int) -> None:
        if now_us - progress.asked_at_us >= self._settings.lease_ttl_us // 4:
            progress.asked_at_us = now_us
            progress.base_wanted = False
            request = journal.PreVote(epoch=self.epoch, candidate=self._candidate)
            self._out.journals.append((progress.name, journal.JournalRequest(pre_vote=request)))

    def _flush_one(self, progress: Progress, now_us: int) -> None:
        log = self._copy.log
        settings = self._settings
        sent_csn = progress.sent_csn
        while sent_csn is not None and sent_csn < log.tail_csn:
            acked_csn = max(progress.synced_csn, progress.floor_csn)
            if log.bytes_between(acked_csn, sent_csn) > settings.in_flight_bytes_max:
                break
            if not log.contains(sent_csn):
                # Trimmed away in the meantime.
                progress.sent_csn = sent_csn = None
                break
            entries = log.chunk(sent_csn, settings.append_bytes_max, settings.append_entries_max)
            self._send_entries(progress, sent_csn, entries, None, now_us)
            sent_csn = progress.sent_csn = entries[-1].csn
        if progress.beat_due or progress.news_due:
            # Before the beginning of a log that is not located yet stands its tail: no harm, a gap.
            previous_csn = log.tail_csn if sent_csn is None else sent_csn
            self._send_entries(progress, previous_csn, (), None, now_us)

    def _send_entries(
        self,
        progress: Progress,
        previous_csn: int,
        entries: Iterable[types.Entry],
        base: journal.Base | None,
        now_us: int,
    ) -> None:
        append = journal.Append(
            epoch=self.epoch,
            leader=self._candidate,
            previous_csn=previous_csn,
            entries=entries,
            settled_csn=self._copy.settled_csn if self.serving else 0,
            marks=[
                journal.Mark(incarnation=incarnation, synced_csn=csn)
                for incarnation, csn in self._marks.items()
                if incarnation != progress.incarnation
            ],
            lease_ttl_us=self._settings.lease_ttl_us,
            incarnation=progress.incarnation,
            base=base,
        )
        if progress.beat_due:
            append.heartbeat = self._new_heartbeat(now_us)
            grant = self._grant(progress, now_us)
            if grant is not None:
                append.grant.CopyFrom(grant)
        progress.beat_due = progress.news_due = False
        progress.told_csn = self._could_settle(progress)
        self._out.journals.append((progress.name, journal.JournalRequest(append=append)))

    def _new_heartbeat(self, now_us: int) -> int:
        self._heartbeat += 1
        self._beats[self._heartbeat] = now_us
        oldest = next(iter(self._beats))
        while self._beats[oldest] < now_us - 2 * self._settings.lease_ttl_us:
            del self._beats[oldest]
            oldest = next(iter(self._beats))
        return self._heartbeat

    # ---- for status

    def member_status(self, now_us: int) -> list[adjudicator.MemberStatus]:
        known = {member.incarnation: member for member in self._named()}
        status = []
        for incarnation, member in known.items():
            progress = self._by_incarnation.get(incarnation)
            one = adjudicator.MemberStatus(member=member)
            if progress is not None:
                one.synced_csn = progress.synced_csn
                one.required = progress.required
                one.lease_left_us = max(0, progress.granted_until_us - now_us)
                one.beyond_log = progress.beyond_log
                one.silent_us = now_us - max(progress.heard_us, self._elected_us)
            status.append(one)
        return status
