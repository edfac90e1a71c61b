"""Promises: which epoch, whose, and for how long nobody else may have it.

The rule that leases rest on: a journal promises only if it has heard no valid leader for lease_ttl
of its own clock, where lease_ttl is the largest value that it has ever seen (durable) and a restart
counts as having heard one. A journal that never promised anything owes nobody: it need not wait.
The one exception is a leader's own word that it has resigned (see `resigned`): what its leases need
after that is its successor's care.
"""

from __future__ import annotations

from trilithon.v1.journal_pb2 import Candidate, Resignation


class Votes:
    """`epoch` and `candidate` are what was promised (0 and None: nothing), synced or on the way."""

    __slots__ = (
        "_heard_us",
        "_settings_ttl_us",
        "candidate",
        "epoch",
        "heartbeat",
        "led",
        "ttl_us",
    )

    def __init__(
        self,
        epoch: int,
        candidate: Candidate | None,
        ttl_us: int,
        settings_ttl_us: int,
        now_us: int,
    ) -> None:
        self.epoch = epoch
        self.candidate = candidate
        # The largest lease_ttl seen in a message; what is durable.
        self.ttl_us = ttl_us
        self._settings_ttl_us = settings_ttl_us
        self._heard_us: int | None = now_us if epoch else None
        # The newest heartbeat of this epoch; 0: none in this process life.
        self.heartbeat = 0
        # The epoch's candidate has become a leader: an append of it was accepted.
        self.led = False

    @property
    def restriction_us(self) -> int:
        return max(self.ttl_us, self._settings_ttl_us)

    @property
    def leader(self) -> str:
        return self.candidate.name if self.led and self.candidate is not None else ""

    def time_left_us(self, now_us: int) -> int:
        """How long until this journal would promise a higher epoch."""
        if self._heard_us is None:
            return 0
        return max(0, self._heard_us + self.restriction_us - now_us)

    def holds(self, epoch: int, life: bytes) -> bool:
        """This epoch is promised to this process life."""
        candidate = self.candidate
        return epoch == self.epoch and candidate is not None and candidate.life == life

    def resigned(self, resignation: Resignation, successor: bytes) -> bool:
        """The leader that this journal follows gave its office away, to this process life."""
        return self.holds(resignation.epoch, resignation.life) and (
            resignation.successor == successor
        )

    def promise(self, epoch: int, candidate: Candidate) -> None:
        self.epoch = epoch
        self.candidate = candidate
        self.heartbeat = 0
        self.led = False

    def hear(self, heartbeat: int, now_us: int) -> None:
        """A heartbeat of the promised leader. A repeated or overtaken one proves nothing new."""
        if heartbeat > self.heartbeat:
            self.heartbeat = heartbeat
            self._heard_us = now_us


class Lease:
    """The right to give snapshots until `until_us` of this journal's clock, within one epoch."""

    __slots__ = ("until_us",)

    def __init__(self) -> None:
        self.until_us = 0

    def end(self) -> None:
        self.until_us = 0

    def extend(self, until_us: int) -> None:
        self.until_us = max(self.until_us, until_us)

    def left_us(self, now_us: int) -> int:
        return max(0, self.until_us - now_us)
