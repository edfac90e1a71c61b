"""One term of leadership: recovering the log, judging, refusing, changing members.

Recovering: the journal with the highest tail among the promises has the log that goes on. This
adjudicator's own copy is brought to it, (epoch, 0) is appended, and only when that is committed does
judging begin. Requests that are bound to this epoch already wait for that moment.

Everything here is dropped when leadership ends; the copy of the log stays.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from trilithon.adjudicator import judging
from trilithon.adjudicator.copy import LogCopy
from trilithon.adjudicator.election import Won
from trilithon.adjudicator.log import common_csn, entries_back, spans_of
from trilithon.adjudicator.outbox import Outbox
from trilithon.adjudicator.quorum import members_of
from trilithon.adjudicator.replication import Replication
from trilithon.adjudicator.settings import Settings
from trilithon.core.csn import epoch_of, format_csn
from trilithon.core.invariant import require
from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import journal_pb2 as journal
from trilithon.v1 import types_pb2 as types

Reply = adjudicator.AdjudicatorReply

_HELD_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why members cannot be changed now; `passing`: asking again may help."""

    text: str
    passing: bool


@dataclass(frozen=True, slots=True)
class Waiter:
    """Who gets an answer, and under which numbers."""

    peer: int
    correlation_id: int
    token: int


class Leader:
    def __init__(
        self,
        settings: Settings,
        copy: LogCopy,
        won: Won,
        candidate: journal.Candidate,
        journals_up: Iterable[str],
        out: Outbox,
        now_us: int,
    ) -> None:
        self._settings = settings
        self._copy = copy
        self._won = won
        self._candidate = candidate
        self._out = out
        self.epoch = won.epoch
        self.replication = Replication(settings, copy, won.epoch, candidate, out, now_us)
        for name in journals_up:
            self.replication.journal_up(name)
        self.replication.inherit(won.inherited)
        # Who waits for an id to be settled, besides this adjudicator's own query processors.
        self._waiters: dict[bytes, list[Waiter]] = {}
        # Requests bound to this epoch that came before judging began.
        self.held: deque[tuple[Waiter, adjudicator.AdjudicatorRequest]] = deque()
        self._fetch_id = 0
        self._fetched_us = now_us
        self._complete = False

    @property
    def recovering(self) -> bool:
        return not self.replication.serving

    # ---- recovering

    def begin(self, now_us: int, wall_us: int) -> None:
        """Bring the own copy to the chosen log's branch, and fetch what it lacks."""
        copy = self._copy
        chosen = self._won.promises[self._won.best]
        require(
            chosen.tail_csn >= copy.settled_floor_csn,
            "a majority's promises hold everything that was settled",
        )
        spans = spans_of(chosen.history, chosen.base_csn)
        common = common_csn(copy.log.spans(), spans) if copy.started else None
        if common is not None and copy.log.contains(common):
            copy.cut_to(common)
        else:
            start = entries_back(spans, chosen.base_csn, self._settings.warm_entries)
            copy.start_at(max(min(start, chosen.settled_csn), chosen.base_csn), spans)
        copy.learn_members(chosen.member_entries)
        self.replication.count_by(chosen.member_entries)
        self._out.event("recovering", epoch=self.epoch, tail=format_csn(chosen.tail_csn))
        self._fetch(now_us, wall_us)

    def _fetch(self, now_us: int, wall_us: int) -> None:
        tail_csn = self._won.promises[self._won.best].tail_csn
        if self._copy.tail_csn == tail_csn:
            self._start_epoch(now_us, wall_us)
            return
        self._fetch_id = self._out.correlation()
        read = journal.ReadLog(
            after_csn=self._copy.tail_csn,
            to_csn=tail_csn,
            max_bytes=self._settings.append_bytes_max,
        )
        request = journal.JournalRequest(correlation_id=self._fetch_id, read_log=read)
        self._out.journals.append((self._won.best, request))

    def log_part(
        self, correlation_id: int, part: journal.LogPart, now_us: int, wall_us: int
    ) -> bool:
        """An answer to ReadLog. False: the recovery cannot go on."""
        if correlation_id != self._fetch_id:
            self.replication.relay.log_part(correlation_id, part, now_us)
            return True
        self._fetch_id = 0
        if not part.entries or part.entries[0].previous_csn != self._copy.tail_csn:
            return False
        for entry in part.entries:
            self._copy.append(entry, now_us)
        self._fetched_us = now_us
        self._fetch(now_us, wall_us)
        return True

    def read_failed(self, correlation_id: int, *, trimmed: bool = False) -> bool:
        """`trimmed`: what was to be read is in that log no more. False: the recovery cannot go on."""
        if correlation_id == self._fetch_id:
            return False
        self.replication.relay.failed(correlation_id, trimmed=trimmed)
        return True

    def stalled(self, now_us: int) -> bool:
        return bool(self._fetch_id) and now_us - self._fetched_us > self._settings.lease_ttl_us

    def _start_epoch(self, now_us: int, wall_us: int) -> None:
        self._complete = True
        start = types.EpochStart(leader=self._candidate.name, leader_life=self._candidate.life)
        if not self._won.member_entries:
            start.members.CopyFrom(self._first_members())
        entry = self._entry(wall_us, b"", 0)
        entry.csn = self.replication.start_csn
        entry.epoch_start.CopyFrom(start)
        self.replication.append(entry, now_us)
        for name, promised in self._won.promises.items():
            self.replication.promised(name, promised)

    def _first_members(self) -> types.MemberList:
        return types.MemberList(
            members=[
                types.Member(
                    region=target.region,
                    journal=target.name,
                    incarnation=self._won.promises[target.name].incarnation,
                    full=target.full,
                )
                for target in self._settings.journals
            ]
        )

    def gap(self, name: str, gap: journal.Gap, now_us: int) -> None:
        if self._complete:
            self.replication.gap(name, gap, now_us)

    # ---- judging

    def refuses_to_judge(self, epoch: int, snapshot_csn: int, now_us: int) -> str:
        """Why a request bound to `epoch` cannot be judged now; empty: it can."""
        if epoch != self.epoch:
            return "bound to another epoch"
        if not self.replication.may_judge(now_us):
            return "no authority"
        if epoch_of(snapshot_csn) > self.epoch:
            return "the snapshot is of a later epoch"
        return ""

    def judge_commit(
        self,
        request: adjudicator.CommitRequest,
        write_set: types.WriteSet,
        waiter: Waiter | None,
        now_us: int,
        wall_us: int,
    ) -> Reply | None:
        """The answer; None: when the transaction is settled, `waiter` gets it (see `settled`).

        The caller has asked `refuses_to_judge`.
        """
        copy = self._copy
        window = copy.window
        transaction_id = request.transaction_id
        snapshot_csn = request.snapshot_csn
        if window.known(transaction_id) is not None:
            return self._answer_known(transaction_id, waiter)
        if snapshot_csn > copy.tail_csn:
            text = f"the snapshot {format_csn(snapshot_csn)} is above the log's tail"
            return judging.failure(types.Failure.CODE_INVALID, text)
        if not window.covers(snapshot_csn):
            if request.resend:
                return judging.unknown(self.epoch)
            return judging.too_old(snapshot_csn, window.start_csn, self.epoch)
        conflict = window.conflict(snapshot_csn, write_set, request.read_checks)
        if conflict is not None:
            return judging.conflicting(conflict, self.epoch)
        if self._overloaded():
            text = "too many commits wait for the journals"
            return judging.failure(types.Failure.CODE_OVERLOADED, text)
        entry = self._entry(wall_us, transaction_id, snapshot_csn)
        entry.catalog = request.catalog
        entry.write_set = request.write_set
        self.replication.append(entry, now_us, write_set)
        self._wait(transaction_id, waiter)
        return None

    def settle_status(
        self,
        request: adjudicator.TransactionStatusRequest,
        waiter: Waiter | None,
        now_us: int,
        wall_us: int,
    ) -> Reply | None:
        """As `judge_commit`: an id that is not known is refused from now on."""
        copy = self._copy
        transaction_id = request.transaction_id
        if copy.window.known(transaction_id) is not None:
            return self._answer_known(transaction_id, waiter)
        if request.snapshot_csn > copy.tail_csn:
            text = f"the snapshot {format_csn(request.snapshot_csn)} is above the log's tail"
            return judging.failure(types.Failure.CODE_INVALID, text)
        if not copy.window.covers(request.snapshot_csn):
            return judging.unknown(self.epoch)
        if self._overloaded():
            text = "too many commits wait for the journals"
            return judging.failure(types.Failure.CODE_OVERLOADED, text)
        entry = self._entry(wall_us, b"", request.snapshot_csn)
        entry.refusal.transaction_id = transaction_id
        self.replication.append(entry, now_us)
        self._wait(transaction_id, waiter)
        return None

    def _answer_known(self, transaction_id: bytes, waiter: Waiter | None) -> Reply | None:
        known = self._copy.window.known(transaction_id)
        require(known is not None, "the id is in the window")
        assert known is not None
        if known.csn <= self._copy.settled_csn:
            return judging.known_outcome(known, self._copy.log.get(known.csn), self.epoch)
        self._wait(transaction_id, waiter)
        return None

    def _wait(self, transaction_id: bytes, waiter: Waiter | None) -> None:
        if waiter is not None:
            waiting = self._waiters.setdefault(transaction_id, [])
            if waiter not in waiting:
                waiting.append(waiter)

    def _overloaded(self) -> bool:
        copy = self._copy
        settings = self._settings
        return (
            copy.log.count_after(copy.settled_csn) >= settings.unsettled_entries_max
            or copy.log.bytes_between(copy.settled_csn, copy.tail_csn)
            >= settings.unsettled_bytes_max
        )

    def _entry(self, wall_us: int, transaction_id: bytes, snapshot_csn: int) -> types.Entry:
        copy = self._copy
        return types.Entry(
            csn=copy.tail_csn + 1,
            previous_csn=copy.tail_csn,
            transaction_id=transaction_id,
            snapshot_csn=snapshot_csn,
            committed_at_us=max(wall_us, copy.committed_at_us),
            required=self.replication.required,
        )

    def hold(self, waiter: Waiter, request: adjudicator.AdjudicatorRequest) -> bool:
        """Keep a request until judging begins. False: there are too many."""
        if len(self.held) >= _HELD_MAX:
            return False
        self.held.append((waiter, request))
        return True

    # ---- time and marks

    def tick(self, now_us: int) -> None:
        self.replication.beat(now_us)
        self.replication.tend_required(now_us)

    def advance(self, now_us: int) -> list[types.Entry]:
        """Settle what the marks allow; the entries newly settled."""
        replication = self.replication
        copy = self._copy
        if not replication.serving:
            if not self._complete or not replication.started():
                return []
            replication.serving = True
            # Leases at once, also for those who waited for this moment only.
            replication.beat_soon()
            self._out.event("led", epoch=self.epoch)
        settled_csn = replication.settled_now()
        if settled_csn <= copy.settled_csn:
            return []
        first = copy.settled_csn < replication.start_csn
        entries = copy.settle(settled_csn)
        if first:
            replication.tend_required(now_us)
        return entries

    def waiters_of(self, transaction_id: bytes) -> list[Waiter]:
        """Those who waited for this id, which is settled now."""
        return self._waiters.pop(transaction_id, [])

    def forget_peer(self, peer: int) -> None:
        for transaction_id in list(self._waiters):
            waiting = [one for one in self._waiters[transaction_id] if one.peer != peer]
            if waiting:
                self._waiters[transaction_id] = waiting
            else:
                del self._waiters[transaction_id]
        self.held = deque((one, item) for one, item in self.held if one.peer != peer)

    def all_waiters(self) -> list[Waiter]:
        waiting = [one for waiters in self._waiters.values() for one in waiters]
        return waiting + [one for one, _ in self.held]

    # ---- members

    def replace_journal(
        self, name: str, now_us: int, wall_us: int, incarnation: bytes = b""
    ) -> Hindrance | None:
        """Begin to replace a member by the incarnation that answers under its name, or by this one.

        None: the change is on its way, or done already.
        """
        progress = self.replication.journals.get(name)
        members = self._copy.newest_members()
        if progress is None:
            return Hindrance(f"there is no journal {name} in the configuration", False)
        if not self.replication.may_judge(now_us) or members is None:
            return Hindrance("this adjudicator does not lead", False)
        if not any(member.journal == name for member in members.members):
            return Hindrance(f"{name} is no member", False)
        if not self.replication.answers(progress, now_us):
            return Hindrance(f"{name} does not answer", True)
        if incarnation not in (b"", progress.incarnation):
            return Hindrance(f"another journal still answers as {name}", True)
        named = members.next or members.members
        if any(member.incarnation == progress.incarnation for member in named):
            return None
        if members.next or self._copy.member_entries[-1].csn > self._copy.settled_csn:
            return Hindrance("another change of members is not settled", True)
        lag_us = self.replication.lag_us(progress, now_us)
        if not progress.synced_csn or lag_us > self._settings.lease_ttl_us:
            return Hindrance(f"{name} is not near the log's tail", True)
        joint = types.MemberList(members=members.members, next=members.members)
        for member in joint.next:
            if member.journal == name:
                member.incarnation = progress.incarnation
        self._append_members(joint, now_us, wall_us)
        return None

    def close_change(self, now_us: int, wall_us: int) -> None:
        """After a joint list is settled, the new list stands alone."""
        entries = self._copy.member_entries
        if not entries or not self.replication.may_judge(now_us):
            return
        members = members_of(entries[-1])
        if members is not None and members.next and entries[-1].csn <= self._copy.settled_csn:
            self._append_members(types.MemberList(members=members.next), now_us, wall_us)

    def _append_members(self, members: types.MemberList, now_us: int, wall_us: int) -> None:
        entry = self._entry(wall_us, b"", 0)
        entry.members.CopyFrom(members)
        self.replication.append(entry, now_us)
        self._out.event("members_changed", csn=format_csn(entry.csn), joint=bool(members.next))
