"""Random histories: leaders of several epochs, their messages repeated, overtaken and lost, slow syncs,
kills, trimming. Held against a journal that is a plain list, and against what must never happen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from journal_support import ME, TTL_US, Driver, append, entry, inc, members, promise, subscribe

from trilithon.core.csn import epoch_of, make_csn
from trilithon.v1.journal_pb2 import JournalReply, Mark
from trilithon.v1.types_pb2 import Entry

LEADERS = "xyz"
OTHERS = (inc("b"), inc("w"))
REQUIRED = ("", "a", "ab", "b", "abw")


@dataclass
class Leader:
    """A leader of one epoch as it might have been. `survives`: how much of its log every later
    leader has as well; what it calls settled, and what the others have synced, is never above it."""

    epoch: int
    log: list[Entry]
    survives: int = 0

    @property
    def name(self) -> str:
        return LEADERS[self.epoch % len(LEADERS)]

    @property
    def csns(self) -> list[int]:
        return [one.csn for one in self.log]

    def below(self, csn: int) -> list[int]:
        return [one for one in self.csns if one <= csn]


def make_leaders(plan: Sequence[tuple[int, int, int]]) -> list[Leader]:
    """From (how many entries it keeps of the one before, how many it adds, what they require)."""
    leaders: list[Leader] = []
    for epoch, (kept, added, wants) in enumerate(plan, start=1):
        before = leaders[-1].log if leaders else []
        log = before[: max(1, len(before) - kept)]
        previous = log[-1].csn if log else 0
        lists = None if log else members("abw")
        log = [*log, entry(make_csn(epoch, 0), previous, lists=lists)]
        for number in range(1, added + 1):
            csn = make_csn(epoch, number)
            required = REQUIRED[(wants + number // 3) % len(REQUIRED)]
            catalog = (wants + number) % 5 == 0
            log.append(entry(csn, csn - 1, required=required, catalog=catalog))
        leaders.append(Leader(epoch, log))
    for index, leader in enumerate(leaders):
        common = set(leader.csns)
        for later in leaders[index + 1 :]:
            common &= set(later.csns)
        leader.survives = max((one for one in leader.csns if one in common), default=0)
    return leaders


@dataclass
class Plain:
    """The journal as simply as it can be said."""

    log: list[Entry] = field(default_factory=list)
    base: int = 0
    epoch: int = 0
    matched: int = 0
    word: int = 0
    settled: int = 0
    marks: dict[bytes, int] = field(default_factory=dict)

    @property
    def csns(self) -> list[int]:
        return [self.base, *(one.csn for one in self.log)]

    def append(self, leader: Leader, previous: int, entries: list[Entry], settled: int) -> bool:
        if leader.epoch < self.epoch:
            return False
        if leader.epoch > self.epoch:
            self.enter(leader.epoch)
        if previous in self.csns:
            self.matched = max(self.matched, previous)
            for one in entries:
                if one.csn not in self.csns:
                    self.log = [mine for mine in self.log if mine.csn <= one.previous_csn]
                    self.log.append(one)
                self.matched = max(self.matched, one.csn)
        self.word = max(self.word, settled)
        return True

    def enter(self, epoch: int) -> None:
        self.epoch, self.matched, self.word, self.marks = epoch, 0, 0, {}

    def settle(self, synced: int) -> None:
        """DESIGN.md: a majority and everybody required, counted within the epoch; or the leader's word."""
        marks = {**self.marks, ME: min(self.matched, synced)}
        best = max(self.settled, min(self.word, self.matched))
        for one in self.log:
            if epoch_of(one.csn) == self.epoch and best < one.csn <= self.matched:
                have = [who for who in (ME, *OTHERS) if marks.get(who, 0) >= one.csn]
                if len(have) < 2 or not all(who in have for who in one.required):
                    break
                best = max(best, one.csn)
        self.settled = max(
            self.settled, *(one for one in self.csns if one <= max(best, self.settled))
        )


class Follower:
    """A subscriber: what it was told must always be the journal's synced log."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.entries: list[int] = []
        self.settled = 0

    def hear(self, reply: JournalReply) -> bool:
        if reply.WhichOneof("reply") == "failure":
            return False
        update = reply.feed
        if update.HasField("cut_to_csn"):
            assert update.cut_to_csn >= self.settled, "what is settled is never cut away"
            self.entries = [one for one in self.entries if one <= update.cut_to_csn]
        for one in update.entries:
            assert one.previous_csn == (self.entries[-1] if self.entries else self.after)
            self.entries.append(one.csn)
        last = self.entries[-1] if self.entries else self.after
        assert self.settled <= update.settled_csn <= max(last, self.after)
        self.settled = update.settled_csn
        return True


class History:
    def __init__(self, leaders: list[Leader], **options: Any) -> None:
        self.leaders = leaders
        self.driver = Driver(window_us=5 * TTL_US, **options)
        self.plain = Plain()
        # What the disk must hold after each write.
        self.written: dict[int, list[int]] = {}
        self.exact = True
        self.heartbeat = 0
        self.sent: list[Any] = []
        self.follower: Follower | None = None
        self.settled_max = 0

    def run(self, steps: Sequence[tuple[str, int, int, int]]) -> None:
        for kind, one, two, three in steps:
            self.hear(getattr(self, kind)(one, two, three))
            self.check()

    # ---- what can happen

    def message(self, one: int, two: int, three: int) -> list[Any]:
        leader = self.leaders[one % len(self.leaders)]
        start = two % (len(leader.log) + 1)
        entries = leader.log[start : start + three % 6]
        previous = leader.log[start - 1].csn if start else 0
        known = leader.below(leader.survives)
        settled = [0, *known][(one + two + three) % (len(known) + 1)]
        marks = {
            who: known[(two * 7 + three * (index + 3)) % len(known)]
            for index, who in enumerate(OTHERS)
            if known and (three + index) % 3 == 0
        }
        self.heartbeat += 1
        self.sent.append((leader, previous, entries, settled, marks, self.heartbeat * (three % 2)))
        return self.deliver(self.sent[-1])

    def again(self, one: int, two: int, three: int) -> list[Any]:
        return self.deliver(self.sent[one % len(self.sent)]) if self.sent else []

    def deliver(self, message: Any) -> list[Any]:
        leader, previous, entries, settled, marks, heartbeat = message
        request = append(
            leader.name, leader.epoch, previous, entries, settled=settled, heartbeat=heartbeat
        )
        request.append.marks.extend(
            Mark(incarnation=who, synced_csn=csn) for who, csn in marks.items()
        )
        if self.plain.append(leader, previous, entries, settled):
            for who, csn in marks.items():
                self.plain.marks[who] = max(csn, self.plain.marks.get(who, 0))
        return self.driver.send(leader.name, request)

    def vote(self, one: int, two: int, three: int) -> list[Any]:
        leader = self.leaders[one % len(self.leaders)]
        early = self.driver.machine._votes.time_left_us(self.driver.now_us) > 0
        replies = self.driver.send(leader.name, promise(leader.name, leader.epoch))
        if leader.epoch > self.plain.epoch and not early:
            self.plain.enter(leader.epoch)
        return replies

    def sync(self, one: int, two: int, three: int) -> list[Any]:
        count = one % (len(self.driver.unsynced) + 1)
        if not count:
            return []
        number = self.driver.unsynced[count - 1][0]
        replies = self.driver.sync(count)
        assert self.driver.csns == self.written[number]
        return replies

    def read(self, one: int, two: int, three: int) -> list[Any]:
        return self.driver.read()

    def tick(self, one: int, two: int, three: int) -> list[Any]:
        self.driver.now_us += one * TTL_US // 10
        replies = self.driver.tick(one * 100)
        base = self.driver.machine.log.base_csn
        assert base <= self.plain.settled
        self.plain.base = base
        self.plain.log = [mine for mine in self.plain.log if mine.csn > base]
        return replies

    def kill(self, one: int, two: int, three: int) -> list[Any]:
        """Of the writes under way a prefix is there."""
        if self.driver.unsynced:
            for _, operations in self.driver.unsynced[: one % (len(self.driver.unsynced) + 1)]:
                self.driver.disk.apply(operations)
        recent = (None, 0, 2)[two % 3]
        self.driver.start(recent=recent)
        self.written.clear()
        self.follower = None
        disk, plain = self.driver.disk, self.plain
        plain.log, plain.base, plain.epoch = list(disk.entries), disk.base.csn, disk.promised_epoch
        plain.enter(plain.epoch)
        if epoch_of(plain.csns[-1]) == plain.epoch:
            plain.matched = plain.csns[-1]
        plain.settled = max(disk.settled_csn, plain.base)
        # Of entries that are not in memory only the leader's word tells.
        self.exact = self.exact and recent is None
        return []

    def follow(self, one: int, two: int, three: int) -> list[Any]:
        csns = [csn for csn in self.plain.csns if csn <= self.driver.machine.synced_csn]
        after = csns[one % len(csns)]
        self.follower = Follower(after)
        return self.driver.send("s", subscribe(after))

    # ---- what must hold

    def hear(self, replies: list[Any]) -> None:
        for number, _ in self.driver.unsynced:
            self.written.setdefault(number, self.plain.csns[1:])
        for peer, reply in replies:
            kind = reply.WhichOneof("reply")
            if peer == "s" and self.follower is not None:
                if not self.follower.hear(reply):
                    self.follower = None
            elif kind == "ack":
                self.check_ack(reply.ack.epoch, reply.ack.synced_csn)
            elif kind == "promised":
                assert self.driver.disk.promised_epoch >= reply.promised.epoch
                # Its own entries may be cutting this log already.
                disk = self.driver.disk
                assert reply.promised.tail_csn in (disk.base.csn, *self.driver.csns)
                if not self.driver.unsynced:
                    assert reply.promised.tail_csn == disk.recover().tail_csn
            else:
                assert kind in ("gap", "refused"), reply

    def check_ack(self, epoch: int, csn: int) -> None:
        """Durable here, and the leader's log up to there is ours."""
        leader = self.leaders[epoch - 1]
        assert self.driver.disk.promised_epoch >= epoch
        if csn > self.driver.disk.base.csn:
            base = self.driver.disk.base.csn
            mine = [one for one in self.driver.csns if one <= csn]
            assert mine == [one for one in leader.below(csn) if one > base]

    def check(self) -> None:
        machine, plain = self.driver.machine, self.plain
        assert machine.promised_epoch == plain.epoch
        assert machine.tail_csn == plain.csns[-1]
        assert machine.matched_csn == plain.matched
        assert machine.log.recent.bytes >= 0
        plain.settle(machine.synced_csn)
        if self.exact:
            assert machine.settled_csn == plain.settled
        assert machine.settled_csn <= plain.settled
        plain.settled = machine.settled_csn
        assert machine.synced_csn in plain.csns
        assert all(machine.log.contains(one) for one in plain.csns)
        # What was settled once is in every later leader's log.
        leader = self.leaders[-1]
        assert machine.settled_csn in (0, *leader.csns)
        last = machine.tail_csn
        catalog = [one.csn for one in plain.log if one.catalog]
        if catalog:
            assert machine.log.catalog_at(last) == catalog[-1]
        if self.follower is not None and not self.driver.reads:
            # What it got before it was trimmed away it keeps.
            kept = max(self.follower.after, plain.base)
            synced = [one for one in plain.csns if kept < one <= machine.synced_csn]
            assert [one for one in self.follower.entries if one > kept] == synced


KINDS = ("message",) * 6 + ("again", "again", "sync", "sync", "sync", "vote", "tick", "kill")
KINDS += ("follow", "read", "read")
numbers = st.integers(0, 40)
steps = st.lists(
    st.tuples(st.sampled_from(KINDS), numbers, numbers, numbers), min_size=10, max_size=60
)
plans = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 8), numbers), min_size=1, max_size=4)


@settings(max_examples=250, deadline=None)
@given(plans, steps)
def test_any_history(plan: list[tuple[int, int, int]], todo: list[Any]) -> None:
    History(make_leaders(plan)).run(todo)


@settings(max_examples=250, deadline=None)
@given(plans, steps)
def test_any_history_with_little_memory(plan: list[tuple[int, int, int]], todo: list[Any]) -> None:
    options = {"memory_bytes_max": 150, "feed_chunk_bytes": 100, "trim_step_entries": 2}
    History(make_leaders(plan), **options, log_bytes_max=2_000).run(todo)
