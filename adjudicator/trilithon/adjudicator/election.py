"""Standing for leader: silence, pre-votes, promises.

A follower asks every journal, about once per lease_ttl, whether it would promise (a pre-vote, which
has no effect). While a leader is heard the answers say how long they will hold on, and that is when
it asks again; so a dead leader is noticed as soon as a majority may promise, without guessing.
Only after a majority would promise does it become a candidate and burn an epoch.

Who must agree follows from the promised logs: the newest member list in the log with the highest
tail. While no log has a list, every configured journal must promise with an empty log.

A leader that resigns names its successor (see handover.py). That one becomes a candidate at once, and
journals that followed that leader do not make it wait. The leases of that leader may then still
run: the winner inherits them.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trilithon.adjudicator.outbox import Outbox
from trilithon.adjudicator.quorum import majority, newest_list, voters_of
from trilithon.adjudicator.settings import Settings
from trilithon.core.csn import EPOCH_MAX
from trilithon.core.invariant import require
from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import journal_pb2 as journal
from trilithon.v1 import types_pb2 as types

FOLLOWER = "follower"
PRE_CANDIDATE = "pre_candidate"
CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True)
class InheritedLease:
    """A journal may hold a lease of an earlier leader until `until_us` of this process's clock."""

    journal: str
    incarnation: bytes
    until_us: int


@dataclass(frozen=True, slots=True)
class Permission:
    """What a leader gave that resigned in favour of this adjudicator."""

    resignation: journal.Resignation
    inherited: tuple[InheritedLease, ...]
    # After this, silence alone decides again.
    until_us: int


@dataclass(frozen=True, slots=True)
class Won:
    """An election won: the promises by journal name, and the journal with the highest tail.

    `member_entries` of that journal say who counts; empty: nobody has a list, the cluster begins.
    """

    epoch: int
    best: str
    promises: Mapping[str, journal.Promised]
    member_entries: Sequence[types.Entry]
    # Who may still hold a read lease of the leader that handed over.
    inherited: Sequence[InheritedLease] = ()


class Election:
    def __init__(
        self,
        settings: Settings,
        candidate: journal.Candidate,
        source: random.Random,
        now_us: int,
    ) -> None:
        self._settings = settings
        self._candidate = candidate
        self._random = source
        self.state = FOLLOWER
        # The epoch that we stand for; below `epoch_seen` unless we are a candidate.
        self.epoch = 0
        # The newest epoch that anybody told us of.
        self.epoch_seen = 0
        self._stand_at_us = now_us + self._jitter(0.05, 0.3)
        self._deadline_us = 0
        self._ask_again_us = 0
        self._pre_votes: dict[str, journal.PreVoteReply] = {}
        # When each of them may vote for us, as far as it knew.
        self._free_at_us: dict[str, int] = {}
        self._promises: dict[str, journal.Promised] = {}
        self._refused: dict[str, journal.Refused] = {}
        # The newest one given, and the one that the promises of this candidacy were asked with.
        self._permission: Permission | None = None
        self._used: Permission | None = None

    def _jitter(self, low: float, high: float) -> int:
        return int(self._random.uniform(low, high) * self._settings.lease_ttl_us)

    def saw_epoch(self, epoch: int) -> None:
        self.epoch_seen = max(self.epoch_seen, epoch)

    def fall_back(self, now_us: int, left_us: int = 0) -> None:
        """Follow; do not stand before `left_us` and a random while have passed."""
        self.state = FOLLOWER
        self._stand_at_us = now_us + max(left_us, 0) + self._jitter(0.03, 0.15)

    def stand_by_permission(
        self, handed_over: adjudicator.HandedOver, now_us: int, out: Outbox
    ) -> None:
        """The leader resigned in favour of this process life: nobody has to be silent first.

        Told again while standing by it: a second epoch would find the first one promised, and wait.
        """
        standing = self.state == CANDIDATE and self.epoch >= self.epoch_seen
        permission = self._valid_permission(now_us)
        if standing and permission and permission.resignation == handed_over.resignation:
            return
        ttl_us = self._settings.lease_ttl_us
        inherited = tuple(
            InheritedLease(one.journal, one.incarnation, now_us + one.left_us)
            for one in handed_over.holders
        )
        resignation = handed_over.resignation
        self.saw_epoch(resignation.epoch)
        self._permission = Permission(resignation, inherited, now_us + ttl_us)
        self._stand(now_us, out)

    def _valid_permission(self, now_us: int) -> Permission | None:
        permission = self._permission
        return permission if permission is not None and now_us < permission.until_us else None

    def tick(self, now_us: int, out: Outbox) -> None:
        if self.state == FOLLOWER:
            if now_us >= self._stand_at_us:
                self._ask_pre_votes(now_us, out)
        elif self.state == PRE_CANDIDATE:
            if now_us >= self._deadline_us:
                self._end_pre_vote(now_us)
        elif now_us >= self._deadline_us:
            out.event("candidacy_failed", epoch=self.epoch, promises=len(self._promises))
            self.fall_back(now_us, self._jitter(0.1, 0.5))
        elif now_us >= self._ask_again_us:
            self._ask_promises(now_us, out)

    # ---- pre-votes

    def _ask_pre_votes(self, now_us: int, out: Outbox) -> None:
        self.state = PRE_CANDIDATE
        self._pre_votes = {}
        self._free_at_us = {}
        self._deadline_us = now_us + self._settings.lease_ttl_us // 3
        permission = self._valid_permission(now_us)
        question = journal.PreVote(
            epoch=self.epoch_seen + 1,
            candidate=self._candidate,
            resignation=permission.resignation if permission is not None else None,
        )
        for target in self._settings.journals:
            out.journals.append((target.name, journal.JournalRequest(pre_vote=question)))

    def pre_vote_reply(
        self, name: str, reply: journal.PreVoteReply, now_us: int, out: Outbox
    ) -> None:
        self.saw_epoch(reply.promised_epoch)
        if self.state != PRE_CANDIDATE:
            return
        self._pre_votes[name] = reply
        self._free_at_us[name] = now_us + (0 if reply.granted else max(reply.time_left_us, 0))
        if self._would_win():
            self._stand(now_us, out)
            return
        # A journal that is gone never answers: it is waited for only while its grant could matter, and
        # no longer than until those that did answer are free.
        journals = len(self._settings.journals)
        refusals = sum(not known.granted for known in self._pre_votes.values())
        needed = majority(journals)
        if journals - refusals < needed or len(self._pre_votes) == journals:
            self._end_pre_vote(now_us)
        elif len(self._free_at_us) >= needed:
            free_us = sorted(self._free_at_us.values())[needed - 1]
            if free_us > now_us:
                self._deadline_us = min(self._deadline_us, free_us)

    def _would_win(self) -> bool:
        granted = {name: reply for name, reply in self._pre_votes.items() if reply.granted}
        if not granted:
            return False
        best = max(granted.values(), key=lambda reply: reply.tail_csn)
        if not any(reply.member_entries for reply in self._pre_votes.values()):
            return len(granted) == len(self._settings.journals)
        voters = voters_of(newest_list(best.member_entries))
        return voters.satisfied_by({reply.incarnation for reply in granted.values()})

    def _end_pre_vote(self, now_us: int) -> None:
        """Ask again when a majority may be free."""
        free_at = sorted(self._free_at_us.values())
        needed = majority(len(self._settings.journals))
        held = any(not one.granted and one.time_left_us > 0 for one in self._pre_votes.values())
        if len(free_at) < needed or not held:
            # Too few answered, or only the epoch was too low, or a list wants others.
            self.fall_back(now_us, self._settings.lease_ttl_us // 8)
        else:
            # What is free by now is asked at once, but not in a loop.
            again_us = max(free_at[needed - 1] - now_us, self._settings.lease_ttl_us // 64)
            self.fall_back(now_us, again_us)

    # ---- promises

    def _next_epoch(self) -> int:
        """An epoch that no other candidate, and hardly an earlier life of this one, stands for.

        A journal that promised an epoch to somebody else could not follow its leader.
        """
        names = sorted(target.name for target in self._settings.adjudicators)
        place = names.index(self._settings.name)
        epoch = self.epoch_seen + 1
        epoch += (place - epoch) % len(names) + len(names) * self._random.randrange(4)
        require(epoch <= EPOCH_MAX, "epochs do not run out")
        return epoch

    def _stand(self, now_us: int, out: Outbox) -> None:
        self.state = CANDIDATE
        self.epoch = self.epoch_seen = self._next_epoch()
        self._promises = {}
        self._refused = {}
        self._used = self._valid_permission(now_us)
        self._deadline_us = now_us + self._settings.lease_ttl_us
        out.event("stood_for_leader", epoch=self.epoch)
        self._ask_promises(now_us, out)

    def _ask_promises(self, now_us: int, out: Outbox) -> None:
        self._ask_again_us = now_us + self._settings.lease_ttl_us // 3
        for target in self._settings.journals:
            if target.name not in self._promises:
                request = journal.JournalRequest(
                    promise=journal.Promise(
                        epoch=self.epoch,
                        candidate=self._candidate,
                        lease_ttl_us=self._settings.lease_ttl_us,
                        resignation=self._used.resignation if self._used is not None else None,
                    )
                )
                out.journals.append((target.name, request))

    def refused(self, name: str, reply: journal.Refused, now_us: int, out: Outbox) -> None:
        self.saw_epoch(reply.promised_epoch)
        if self.state != CANDIDATE or reply.epoch != self.epoch or name in self._promises:
            return
        self._refused[name] = reply
        journals = len(self._settings.journals)
        if journals - len(self._refused) < majority(journals):
            out.event("candidacy_refused", epoch=self.epoch, by=sorted(self._refused))
            left = max(refusal.time_left_us for refusal in self._refused.values())
            self.fall_back(now_us, min(left, self._settings.lease_ttl_us))

    def promised(self, name: str, reply: journal.Promised, now_us: int) -> Won | None:
        self.saw_epoch(reply.epoch)
        if self.state != CANDIDATE or reply.epoch != self.epoch:
            return None
        if self.epoch_seen > self.epoch:
            # Somebody got further meanwhile: these promises are worth nothing any more, and what
            # is settled by now may not be in them.
            self.fall_back(now_us, self._settings.lease_ttl_us)
            return None
        self._promises[name] = reply
        self._refused.pop(name, None)
        region = self._settings.region
        best = max(
            self._promises,
            key=lambda name: (
                self._promises[name].tail_csn,
                self._settings.journal(name).region == region,
                name,
            ),
        )
        chosen = self._promises[best]
        if not chosen.member_entries:
            if not self._may_begin():
                return None
        elif not voters_of(newest_list(chosen.member_entries)).satisfied_by(
            {promise.incarnation for promise in self._promises.values()}
        ):
            return None
        self.state = FOLLOWER
        inherited = self._used.inherited if self._used is not None else ()
        return Won(self.epoch, best, dict(self._promises), tuple(chosen.member_entries), inherited)

    def _may_begin(self) -> bool:
        """Whether every configured journal promised with an empty log, each a journal of its own."""
        promises = self._promises.values()
        return (
            len(promises) == len(self._settings.journals)
            and all(promise.tail_csn == 0 and promise.base_csn == 0 for promise in promises)
            and not any(promise.member_entries for promise in promises)
            and len({promise.incarnation for promise in promises}) == len(promises)
        )
