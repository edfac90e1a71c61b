"""One adjudicator's machine, with journals that answer at once."""

from __future__ import annotations

import random
from typing import Any

from trilithon.adjudicator.machine import AdjudicatorMachine
from trilithon.adjudicator.outbox import Output
from trilithon.adjudicator.settings import AdjudicatorTarget, JournalTarget, Settings
from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import journal_pb2 as journal
from trilithon.v1 import types_pb2 as types

JOURNALS = (
    JournalTarget("a/journal-0", "a", True),
    JournalTarget("b/journal-0", "b", True),
    JournalTarget("w/journal-0", "w", False),
)
COMMITTED = adjudicator.Verdict.OUTCOME_COMMITTED
ABORTED = adjudicator.Verdict.OUTCOME_ABORTED
UNKNOWN = adjudicator.Verdict.OUTCOME_UNKNOWN
CLIENT = 1
FOLLOWER = 2


class Rig:
    """One adjudicator; journals that sync and answer everything, unless they are silent."""

    def __init__(self, **settings: Any) -> None:
        self.settings = Settings(
            name="a/adjudicator-0",
            region="a",
            address="a",
            journals=JOURNALS,
            adjudicators=(
                AdjudicatorTarget("a/adjudicator-0", "a", "a"),
                AdjudicatorTarget("b/adjudicator-0", "b", "b"),
            ),
            **settings,
        )
        self.now = 1_000_000
        self.machine = AdjudicatorMachine(self.settings, b"l" * 16, random.Random(1), self.now)
        self.silent: set[str] = set()
        self.tails = {target.name: 0 for target in JOURNALS}
        self.replies: list[tuple[int, adjudicator.AdjudicatorReply]] = []
        self.forwarded: list[tuple[str, adjudicator.AdjudicatorRequest]] = []
        self.appends: list[tuple[str, journal.Append]] = []
        for target in JOURNALS:
            self.machine.journal_up(target.name)

    def incarnation(self, name: str) -> bytes:
        return name[:1].encode() * 16

    def take(self) -> None:
        """Send what is due, and let the journals answer until nothing more comes of it."""
        for _ in range(30):
            output: Output = self.machine.take(self.now, self.now)
            self.replies += output.replies
            self.forwarded += [
                (name, adjudicator.AdjudicatorRequest.FromString(item.SerializeToString()))
                for name, item in output.adjudicators
            ]
            answers = [
                (name, answer)
                for name, request in output.journals
                if name not in self.silent and (answer := self._answer(name, request)) is not None
            ]
            if not answers:
                return
            for name, answer in answers:
                self.machine.journal_reply(name, answer, self.now, self.now)

    def _answer(self, name: str, request: journal.JournalRequest) -> journal.JournalReply | None:
        incarnation = self.incarnation(name)
        match request.WhichOneof("request"):
            case "pre_vote":
                return journal.JournalReply(
                    pre_vote=journal.PreVoteReply(granted=True, incarnation=incarnation)
                )
            case "promise":
                return journal.JournalReply(
                    promised=journal.Promised(epoch=request.promise.epoch, incarnation=incarnation)
                )
            case "append":
                append = request.append
                self.appends.append((name, append))
                if append.entries:
                    self.tails[name] = append.entries[-1].csn
                return (
                    journal.JournalReply(
                        ack=journal.Ack(
                            epoch=append.epoch,
                            incarnation=incarnation,
                            synced_csn=self.tails[name],
                            heartbeat=append.heartbeat,
                            life=b"j" * 16,
                            reading_us=self.now,
                        )
                    )
                    if append.entries or append.heartbeat
                    else None
                )
        return None

    def run(self, microseconds: int) -> None:
        end = self.now + microseconds
        while self.now < end:
            self.now += 50_000
            self.machine.tick(self.now, self.now)
            self.take()

    def lead(self) -> int:
        self.run(1_000_000)
        assert self.machine.state == "leader"
        return self.machine.leader_epoch

    def follow(self, epoch: int = 7, leader: str = "b/adjudicator-0") -> None:
        """Somebody else leads; the own journal's feed starts with an empty log."""
        machine = self.machine
        machine.feed_up(self.now)
        self._feed(pre_vote=journal.PreVoteReply())
        self._feed(log_part=journal.LogPart())
        self._feed(feed=journal.FeedUpdate(epoch=epoch, leader=leader))

    def _feed(self, **answer: Any) -> None:
        output = self.machine.take(self.now, self.now)
        reply = journal.JournalReply(correlation_id=output.feed[-1].correlation_id, **answer)
        self.machine.feed_reply(reply, self.now, self.now)

    def push(self, **update: Any) -> None:
        reply = journal.JournalReply(feed=journal.FeedUpdate(**update))
        self.machine.feed_reply(reply, self.now, self.now)
        self.take()

    def request(self, item: adjudicator.AdjudicatorRequest, peer: int = CLIENT) -> None:
        self.machine.receive(peer, item, self.now, self.now)

    def ask(self, item: adjudicator.AdjudicatorRequest, peer: int = CLIENT) -> Any:
        """The one reply to this request, at once."""
        before = len(self.replies)
        self.request(item, peer)
        self.take()
        assert len(self.replies) == before + 1
        assert self.replies[-1][0] == peer
        return self.replies[-1][1]


def commit(
    number: int, snapshot: int, key: bytes = b"key", mode: int = types.MODE_UPDATE, **more: Any
) -> adjudicator.AdjudicatorRequest:
    write_set = types.WriteSet()
    write_set.writes.add(key=key, mode=mode, value=b"value")
    return adjudicator.AdjudicatorRequest(
        correlation_id=number,
        commit=adjudicator.CommitRequest(
            transaction_id=number.to_bytes(16, "big"),
            snapshot_csn=snapshot,
            write_set=write_set.SerializeToString(),
            **more,
        ),
    )


def forwarded(item: adjudicator.AdjudicatorRequest, epoch: int) -> adjudicator.AdjudicatorRequest:
    item.token, item.correlation_id = item.correlation_id, 0
    item.commit.epoch = epoch
    return item


def question(number: int, snapshot: int) -> adjudicator.AdjudicatorRequest:
    return adjudicator.AdjudicatorRequest(
        correlation_id=1000 + number,
        transaction_status=adjudicator.TransactionStatusRequest(
            transaction_id=number.to_bytes(16, "big"), snapshot_csn=snapshot
        ),
    )
