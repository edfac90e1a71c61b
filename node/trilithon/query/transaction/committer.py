"""Hands commits to an adjudicator of the Region and finds out what became of them.

Rules
- A commit is handed to one adjudicator. It may go to another one only where it is certain that nothing was
  done: the link was down or full before anything was sent, or the adjudicator answered that it did nothing.
- Once it may have been sent and the answer is lost, only `transaction_status` is asked, through another
  adjudicator or the same one when it is back. That question settles the matter: the transaction is
  committed, or never will be.
- When that gets no answer in time the outcome is unknown: SQLSTATE 40003 with the transaction's id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from trilithon.core.csn import format_csn
from trilithon.core.errors import Overloaded, SqlError, Unavailable
from trilithon.core.ids import format_id
from trilithon.core.world import Link, World
from trilithon.link.specs import ADJUDICATOR
from trilithon.v1.adjudicator_pb2 import (
    AdjudicatorReply,
    AdjudicatorRequest,
    CommitRequest,
    TransactionStatusRequest,
    Verdict,
)
from trilithon.v1.types_pb2 import Failure


@dataclass(frozen=True, slots=True)
class CommitterSettings:
    """All in seconds."""

    # How long to look for an adjudicator that takes the commit.
    handover_timeout: float = 5.0
    # How long to wait for the verdict before asking for the status instead.
    verdict_timeout: float = 10.0
    # How long to go on asking for the status, and how long one question may take.
    status_timeout: float = 10.0
    status_question_timeout: float = 2.0
    retry_delay: float = 0.02
    retry_delay_max: float = 0.5


@dataclass(slots=True)
class Handover:
    """One commit on its way. `sent`: it may have reached an adjudicator."""

    request: CommitRequest
    sent: bool = False


class _Adjudicator:
    __slots__ = ("address", "failed_us", "limits", "link", "quiet_count")

    def __init__(self, address: str, link: Link) -> None:
        self.address = address
        self.link = link
        # When it last failed, by the monotonic clock; -1: never.
        self.failed_us = -1
        # Of those who wait for its answer.
        self.limits: set[asyncio.Timeout] = set()
        self.quiet_count = 0

    async def ask(self, item: AdjudicatorRequest, timeout: float) -> AdjudicatorReply:
        """Raises Unavailable, also when it stands still meanwhile; Overloaded."""
        limit = asyncio.timeout(None)
        try:
            async with limit:
                self.limits.add(limit)
                reply: AdjudicatorReply = await self.link.request(item, timeout=timeout)
                return reply
        except TimeoutError:
            raise Unavailable(f"the adjudicator at {self.address} is silent") from None
        finally:
            self.limits.discard(limit)

    def give_up_when_quiet(self) -> None:
        """Another one can tell what became of what this one was given."""
        # Twice in a row: what has come may not have been read yet, if this process stood still.
        self.quiet_count = self.quiet_count + 1 if self.link.quiet else 0
        if self.limits and self.quiet_count > 1:
            now = asyncio.get_running_loop().time()
            for limit in self.limits:
                limit.reschedule(now)
            self.limits.clear()


class _Backoff:
    """Growing delays with jitter until a deadline."""

    def __init__(self, world: World, settings: CommitterSettings, seconds: float) -> None:
        self._world = world
        self._delay = settings.retry_delay
        self._delay_max = settings.retry_delay_max
        self._deadline_us = world.clock.monotonic_us() + int(seconds * 1_000_000)

    def left(self) -> float:
        return (self._deadline_us - self._world.clock.monotonic_us()) / 1_000_000

    async def pause(self) -> bool:
        """False: the time is up."""
        left = self.left()
        if left <= 0:
            return False
        delay = self._delay * self._world.random.uniform(0.5, 1.0)
        self._delay = min(self._delay * 2, self._delay_max)
        await asyncio.sleep(min(delay, left))
        return True


class Committer:
    """`addresses`: the adjudicators of this Region, in order of preference. `far_addresses`: those of
    other Regions, which judge as well but a round trip away: only while none of the own is up."""

    def __init__(
        self,
        world: World,
        addresses: Sequence[str],
        settings: CommitterSettings | None = None,
        *,
        far_addresses: Sequence[str] = (),
    ) -> None:
        self._world = world
        self._settings = settings or CommitterSettings()
        self._near = [self._link(address) for address in addresses]
        self._far = [self._link(address) for address in far_addresses]
        self._watch: asyncio.Task[None] | None = None
        self.commits_handed_over = 0
        self.status_questions = 0

    def _link(self, address: str) -> _Adjudicator:
        return _Adjudicator(address, self._world.network.link(ADJUDICATOR, address))

    async def _watch_silence(self) -> None:
        """An adjudicator that stands still is given up long before its link breaks: while the leader
        stands still another one is elected, and can tell."""
        everybody = (*self._near, *self._far)
        while any(adjudicator.limits for adjudicator in everybody):
            await asyncio.sleep(_WATCH_S)
            for adjudicator in everybody:
                adjudicator.give_up_when_quiet()
        self._watch = None

    async def _put_to(
        self, adjudicator: _Adjudicator, item: AdjudicatorRequest, timeout: float
    ) -> AdjudicatorReply:
        """Raises Unavailable, Overloaded."""
        asking = adjudicator.ask(item, timeout)
        if self._watch is None:
            self._watch = asyncio.create_task(self._watch_silence(), name="silent adjudicators")
        return await asking

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        for adjudicator in (*self._near, *self._far):
            await adjudicator.link.close()

    @property
    def preferred_address(self) -> str:
        """Who would get the next commit; empty: nobody is reachable."""
        chosen = self._choose()
        return chosen.address if chosen is not None else ""

    async def commit(self, handover: Handover) -> Verdict:
        """The verdict. SqlError 57P03 or 53000: nothing was done; 40003: nobody can tell."""
        backoff = _Backoff(self._world, self._settings, self._settings.handover_timeout)
        refusal = SqlError("57P03", "no adjudicator can be reached", hint=_RETRY_HINT)
        while True:
            adjudicator = self._choose()
            if adjudicator is not None:
                try:
                    reply = await self._hand_over(adjudicator, handover)
                except Overloaded:
                    self._failed(adjudicator)
                    refusal = _overloaded("too many commits are waiting to be sent")
                except Unavailable:
                    self._failed(adjudicator)
                    return await self.settle(handover.request, avoid=adjudicator)
                else:
                    kind = reply.WhichOneof("reply")
                    if kind == "verdict":
                        if reply.verdict.outcome == Verdict.OUTCOME_UNKNOWN:
                            # It was not settled in time there; the question may still settle it.
                            return await self.settle(handover.request)
                        return reply.verdict
                    self._failed(adjudicator)
                    if kind != "failure":
                        return await self.settle(handover.request, avoid=adjudicator)
                    refusal = _refusal(reply.failure)
                    # Nothing was done, says the answer, so this is no resend.
                    handover.sent = False
                    if reply.failure.code not in _TRY_AGAIN:
                        raise refusal
            if not await backoff.pause():
                raise refusal

    async def _hand_over(self, adjudicator: _Adjudicator, handover: Handover) -> AdjudicatorReply:
        item = AdjudicatorRequest(commit=handover.request)
        handover.sent = True
        self.commits_handed_over += 1
        try:
            return await self._put_to(adjudicator, item, self._settings.verdict_timeout)
        except Overloaded:
            handover.sent = False
            raise

    async def settle(self, request: CommitRequest, avoid: _Adjudicator | None = None) -> Verdict:
        """What became of a commit that may have been sent. SqlError 40003."""
        question = TransactionStatusRequest(
            transaction_id=request.transaction_id, snapshot_csn=request.snapshot_csn
        )
        backoff = _Backoff(self._world, self._settings, self._settings.status_timeout)
        while True:
            adjudicator = self._choose(avoid)
            if adjudicator is not None:
                verdict = await self._ask(adjudicator, question, backoff.left())
                if verdict is not None:
                    if verdict.outcome == Verdict.OUTCOME_UNKNOWN:
                        raise unknown_outcome(request)
                    return verdict
                avoid = None
            if not await backoff.pause():
                raise unknown_outcome(request)

    async def status(self, transaction_id: bytes, snapshot_csn: int) -> Verdict:
        """Settle the question for a client. The outcome may be UNKNOWN: 57P03 when nobody answers."""
        request = CommitRequest(transaction_id=transaction_id, snapshot_csn=snapshot_csn)
        try:
            return await self.settle(request)
        except SqlError as error:
            if error.sqlstate == "40003":
                return Verdict(outcome=Verdict.OUTCOME_UNKNOWN)
            raise

    async def _ask(
        self, adjudicator: _Adjudicator, question: TransactionStatusRequest, left: float
    ) -> Verdict | None:
        self.status_questions += 1
        timeout = max(0.001, min(left, self._settings.status_question_timeout))
        item = AdjudicatorRequest(transaction_status=question)
        try:
            reply = await self._put_to(adjudicator, item, timeout)
        except (Unavailable, Overloaded):
            self._failed(adjudicator)
            return None
        if reply.WhichOneof("reply") == "verdict":
            return reply.verdict
        self._failed(adjudicator)
        return None

    def _choose(self, avoid: _Adjudicator | None = None) -> _Adjudicator | None:
        """The reachable adjudicator that failed least recently, the own Region's first; one that stands
        still, and `avoid`, only if there is no other."""
        for group in (self._near, self._far):
            up = [one for one in group if one.link.up and one is not avoid and not one.link.quiet]
            if up:
                return min(up, key=lambda adjudicator: adjudicator.failed_us)
        still = [one for one in (*self._near, *self._far) if one.link.up and one is not avoid]
        if still:
            return min(still, key=lambda adjudicator: adjudicator.failed_us)
        return avoid if avoid is not None and avoid.link.up else None

    def _failed(self, adjudicator: _Adjudicator) -> None:
        adjudicator.failed_us = self._world.clock.monotonic_us()


_WATCH_S = 0.25
_RETRY_HINT = "Nothing was committed. Try again."
_TRY_AGAIN = frozenset({Failure.CODE_UNAVAILABLE, Failure.CODE_OVERLOADED})


def _overloaded(message: str) -> SqlError:
    return SqlError("53000", "the adjudicator is overloaded", detail=message, hint=_RETRY_HINT)


def _refusal(failure: Failure) -> SqlError:
    match failure.code:
        case Failure.CODE_OVERLOADED:
            return _overloaded(failure.message)
        case Failure.CODE_UNAVAILABLE:
            return SqlError(
                "57P03",
                "commits are not possible at the moment",
                detail=failure.message,
                hint=_RETRY_HINT,
            )
        case Failure.CODE_SNAPSHOT_TOO_OLD:
            return SqlError("40001", "the transaction's snapshot is too old", hint=_RETRY_HINT)
        case _:
            return SqlError("58000", f"the adjudicator refused the commit: {failure.message}")


def unknown_outcome(request: CommitRequest) -> SqlError:
    return SqlError(
        "40003",
        "the outcome of the commit is not known",
        detail=f"Transaction {format_id(request.transaction_id)} with snapshot "
        f"{format_csn(request.snapshot_csn)} was sent, but its verdict did not arrive.",
        hint="Ask transaction_status for this transaction id before doing its work again.",
    )
