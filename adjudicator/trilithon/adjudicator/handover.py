"""Moving leadership by order: `trilithon lead`, and a leader that stops in order.

The adjudicator that is to lead asks (HandOver). The leader, if the other's Region is near the tail, sends out
what it has judged, answers HandedOver and steps down in the same step: from then on it judges, beats
and grants nothing in its epoch. The answer is the successor's permission: journals that follow that
leader promise to that process life at once. What is pending anywhere is bound to the new epoch like
after any other election; a request that the old leader had sent to the journals is recognised by its id.

Invariants
- A leader resigns once per epoch, in favour of one process life; asked again, it says the same again.
- Read leases outlive a resignation. The answer names everyone who may hold one, and the successor's first
  entry already requires them: they settle nothing without having followed the successor, which ends
  their old lease, or until it has surely run out.

If the successor fails, nobody leads, and the journals' silence elects the next one as usual.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trilithon.adjudicator.leader import Leader
from trilithon.adjudicator.settings import Settings
from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import journal_pb2 as journal

# How much older than the leader's tail the successor's copy may be, in lease_ttl.
_NEAR_TTL: Final = 0.5


@dataclass(slots=True)
class Order:
    """This adjudicator is to lead, if that is possible before `until_us`."""

    token: int
    until_us: int
    ask_at_us: int = 0
    # Why it was not possible so far.
    hindrance: str = ""


class Handover:
    """Both sides of it; see the module's docstring."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._token = 1 << 63
        self.order: Order | None = None
        # The newest that this process gave as leader.
        self._given: adjudicator.HandedOver | None = None
        # This process is about to stop: it neither stands nor takes over, and offers what it has.
        self.retiring = False
        self._offers: dict[int, str] = {}
        self.given_count = 0
        self.taken_count = 0

    def next_token(self) -> int:
        """Unlike any token of what is pending."""
        self._token += 1
        return self._token

    # ---- to lead

    def want(self, now_us: int, until_us: int) -> Order:
        """Go on with the order under way, or begin one."""
        if self.order is None:
            self.order = Order(self.next_token(), until_us, now_us)
        self.order.until_us = max(self.order.until_us, until_us)
        return self.order

    def request_due(
        self,
        leader_name: str,
        leader_epoch: int,
        tail_csn: int,
        candidate: journal.Candidate,
        now_us: int,
    ) -> adjudicator.AdjudicatorRequest | None:
        """What to ask the leader now, if anything."""
        order = self.order
        if order is None:
            return None
        if now_us >= order.until_us or self.retiring:
            self.order = None
            return None
        if now_us < order.ask_at_us:
            return None
        if not leader_name:
            order.hindrance = order.hindrance or "nobody leads now"
            return None
        order.ask_at_us = now_us + self._settings.lease_ttl_us // 6
        return adjudicator.AdjudicatorRequest(
            token=order.token,
            hand_over=adjudicator.HandOver(
                epoch=leader_epoch, candidate=candidate, tail_csn=tail_csn
            ),
        )

    def refused(self, reply: adjudicator.AdjudicatorReply) -> bool:
        """Whether this was an answer to a HandOver or a TakeOver."""
        if self._offers.pop(reply.token, None) is not None:
            return True
        order = self.order
        if order is None or reply.token != order.token:
            return False
        order.hindrance = reply.not_judged.reason
        return True

    def granted(self, reply: adjudicator.AdjudicatorReply, life: bytes) -> bool:
        """Whether the leader has resigned in favour of this process life, by this order."""
        order = self.order
        if order is None or reply.token != order.token:
            return False
        if reply.handed_over.resignation.successor != life:
            return False
        self.order = None
        self.taken_count += 1
        return True

    # ---- to let another one lead

    def offers(self, epoch: int) -> list[tuple[str, adjudicator.AdjudicatorRequest]]:
        """To every other adjudicator: take over. Whoever asks first gets it."""
        items = []
        for target in self._settings.adjudicators:
            if target.name != self._settings.name:
                token = self.next_token()
                self._offers[token] = target.name
                offer = adjudicator.TakeOver(epoch=epoch)
                items.append(
                    (target.name, adjudicator.AdjudicatorRequest(token=token, take_over=offer))
                )
        return items

    def offered_to(self) -> set[str]:
        """Who has not declined."""
        return set(self._offers.values())

    def given_before(self, request: adjudicator.HandOver) -> adjudicator.HandedOver | None:
        """What was answered to the same request already."""
        given = self._given
        if given is None:
            return None
        resignation = given.resignation
        same = (
            resignation.epoch == request.epoch and resignation.successor == request.candidate.life
        )
        return given if same else None

    def hindrance(self, leader: Leader, request: adjudicator.HandOver, now_us: int) -> str:
        """Why this leader does not hand over to that candidate now; empty: it does."""
        replication = leader.replication
        candidate = request.candidate
        known = any(
            one.name == candidate.name and one.region == candidate.region
            for one in self._settings.adjudicators
        )
        if not known or candidate.name == self._settings.name or not candidate.life:
            return (
                f"{candidate.name or 'somebody'} is no adjudicator of this cluster's configuration"
            )
        if request.epoch != leader.epoch or not replication.may_judge(now_us):
            return "this adjudicator does not lead"
        if not replication.near(candidate.region, now_us):
            return f"no journal of Region {candidate.region} is near the log's tail"
        age_us = replication.age_us(request.tail_csn, now_us)
        if age_us > self._settings.lease_ttl_us * _NEAR_TTL:
            return f"{candidate.name} is {age_us // 1_000} ms behind"
        return ""

    def resign(
        self, leader: Leader, leader_life: bytes, successor_life: bytes, now_us: int
    ) -> adjudicator.HandedOver:
        """The caller steps down in the same step, having sent what was judged."""
        self._given = adjudicator.HandedOver(
            resignation=journal.Resignation(
                epoch=leader.epoch, life=leader_life, successor=successor_life
            ),
            holders=leader.replication.lease_holders(now_us),
        )
        self.given_count += 1
        return self._given
