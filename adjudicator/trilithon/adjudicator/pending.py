"""Requests taken from query processors, until they are answered.

A request is bound to the epoch of the leader that it was sent to; when another leader is known it is
bound anew and sent again with the same id. It is answered by the leader's verdict (an abort only if
it comes from the epoch that the request is bound to now), or by the own journal's feed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import types_pb2 as types

# One request may be asked about by so many.
ASKERS_MAX = 8


@dataclass(slots=True)
class Pending:
    transaction_id: bytes
    # What is forwarded: its epoch and resend flag are kept up to date.
    item: adjudicator.AdjudicatorRequest
    question: bool
    token: int
    received_us: int
    # (peer, correlation id) of those who wait.
    askers: list[tuple[int, int]] = field(default_factory=list)
    # The epoch that it is bound to now; 0: it was never sent nor judged.
    bound_epoch: int = 0
    send_at_us: int = 0
    wait_us: int = 0
    write_set: types.WriteSet | None = None
    # When it was first judged here or forwarded, when the append (or the request) left, when the
    # own Region's journal had it synced; 0: not yet.
    judged_us: int = 0
    left_us: int = 0
    synced_us: int = 0

    @property
    def ever_sent(self) -> bool:
        return self.bound_epoch != 0


def timings(pending: Pending, now_us: int) -> adjudicator.CommitTimings:
    """Where the time of a commit went that is settled now."""
    judged_us = pending.judged_us or now_us
    left_us = pending.left_us or judged_us
    return adjudicator.CommitTimings(
        queued_us=_span(pending.received_us, judged_us),
        judged_us=_span(judged_us, left_us),
        synced_us=_span(left_us, pending.synced_us),
        settled_us=_span(judged_us, now_us),
    )


def _span(from_us: int, to_us: int) -> int:
    """As the message takes it. After a change of leader the events may have another order."""
    return min(max(0, to_us - from_us), 0xFFFF_FFFF)


class PendingTable:
    def __init__(self) -> None:
        self._commits: dict[bytes, Pending] = {}
        self._questions: dict[bytes, Pending] = {}
        self._by_token: dict[int, Pending] = {}
        self._token = 0

    def __len__(self) -> int:
        return len(self._by_token)

    def __iter__(self) -> Iterator[Pending]:
        """A stable copy, in the order of arrival."""
        return iter(list(self._by_token.values()))

    def add(
        self,
        transaction_id: bytes,
        item: adjudicator.AdjudicatorRequest,
        *,
        question: bool,
        asker: tuple[int, int],
        now_us: int,
    ) -> Pending:
        self._token += 1
        pending = Pending(transaction_id, item, question, self._token, now_us, [asker])
        self._by_token[self._token] = pending
        (self._questions if question else self._commits)[transaction_id] = pending
        return pending

    def get(self, transaction_id: bytes, *, question: bool) -> Pending | None:
        return (self._questions if question else self._commits).get(transaction_id)

    def by_token(self, token: int) -> Pending | None:
        return self._by_token.get(token)

    def remove(self, pending: Pending) -> None:
        del self._by_token[pending.token]
        del (self._questions if pending.question else self._commits)[pending.transaction_id]

    def about(self, transaction_id: bytes) -> list[Pending]:
        """The commit and the question about this id, as far as there are any."""
        found = (self._commits.get(transaction_id), self._questions.get(transaction_id))
        return [pending for pending in found if pending is not None]

    def forget_peer(self, peer: int) -> None:
        """Nobody is left to be answered there. What was sent may still commit."""
        for pending in list(self._by_token.values()):
            if any(asker[0] == peer for asker in pending.askers):
                pending.askers = [asker for asker in pending.askers if asker[0] != peer]
                if not pending.askers:
                    self.remove(pending)
