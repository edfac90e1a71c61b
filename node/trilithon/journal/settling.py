"""What is settled, as far as this journal can tell.

Two sources, both only within the promised epoch:
- the leader says so (`settled_csn` of an append), believed for entries known to match its log;
- deduced: a majority of every group in force has synced the entry, and so has every journal that the
  entry requires. Entries of older epochs settle with the first entry of this epoch that does: until
  then a rival's longer log could still replace them, and their `required` bound leases of leaders
  whose authority is over.

Settled is a prefix, and only grows. Entries above it are kept as runs of equal `required`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from trilithon.core.csn import NO_CSN, SEQUENCE_BITS
from trilithon.journal.log import Log
from trilithon.journal.quorum import Group, quorum_csn
from trilithon.v1.types_pb2 import Entry

Required = tuple[bytes, ...]


class _Run:
    """Entries of one epoch from `first` to `last` with equal `required`; None: not known any more,
    only the leader's word settles them."""

    __slots__ = ("first", "last", "required")

    def __init__(self, first: int, last: int, required: Required | None) -> None:
        self.first = first
        self.last = last
        self.required = required


class Settling:
    __slots__ = ("_epoch", "_leader_settled", "_runs", "incarnation", "marks", "settled_csn")

    def __init__(self, incarnation: bytes, epoch: int, settled_csn: int) -> None:
        self.incarnation = incarnation
        self.settled_csn = settled_csn
        # What the other journals have synced, by incarnation; of this epoch.
        self.marks: dict[bytes, int] = {}
        self._epoch = epoch
        self._leader_settled: int = NO_CSN
        self._runs: deque[_Run] = deque()

    def enter_epoch(self, epoch: int) -> None:
        """Marks and words of an earlier leader do not count any more."""
        self._epoch = epoch
        self.marks.clear()
        self._leader_settled = NO_CSN

    def add_unknown(self, first: int, last: int) -> None:
        """Entries of one epoch above the settled csn, whose `required` is not at hand."""
        self._runs.append(_Run(first, last, None))

    def add(self, entries: Iterable[Entry]) -> None:
        runs = self._runs
        run = runs[-1] if runs else None
        for entry in entries:
            csn = entry.csn
            required = tuple(entry.required)
            if run is not None and run.last + 1 == csn and run.required == required:
                run.last = csn
            else:
                run = _Run(csn, csn, required)
                runs.append(run)

    def cut(self, csn: int) -> None:
        runs = self._runs
        while runs and runs[-1].first > csn:
            runs.pop()
        if runs:
            runs[-1].last = min(runs[-1].last, csn)

    def hear_leader(self, settled_csn: int) -> None:
        self._leader_settled = max(self._leader_settled, settled_csn)

    def hear_mark(self, incarnation: bytes, synced_csn: int) -> None:
        if incarnation != self.incarnation:
            self.marks[incarnation] = max(self.marks.get(incarnation, NO_CSN), synced_csn)

    def advance(self, log: Log, groups: Sequence[Group], own_mark: int, matched_csn: int) -> bool:
        """Settle what can be settled; True if the settled csn grew.

        `own_mark`: synced here and matched. `matched_csn`: in this log and in the leader's.
        """
        reached = log.floor(min(self._leader_settled, matched_csn))
        known = max(reached, self.settled_csn)
        if matched_csn > known:
            marks = {**self.marks, self.incarnation: own_mark}
            reached = max(reached, self._deduce(groups, marks, matched_csn, known))
        if reached <= self.settled_csn:
            return False
        self.settled_csn = reached
        runs = self._runs
        while runs and runs[0].last <= reached:
            runs.popleft()
        if runs:
            runs[0].first = max(runs[0].first, reached + 1)
        return True

    def _deduce(
        self, groups: Sequence[Group], marks: Mapping[bytes, int], matched_csn: int, known: int
    ) -> int:
        """What follows what is `known` to be settled."""
        limit = min(quorum_csn(groups, marks), matched_csn)
        if limit >> SEQUENCE_BITS != self._epoch:
            return NO_CSN
        reached: int = NO_CSN
        for run in self._runs:
            if run.first > limit:
                break
            if run.last <= known or run.first >> SEQUENCE_BITS < self._epoch:
                continue
            if run.required is None:
                break
            bound = min((marks.get(one, NO_CSN) for one in run.required), default=limit)
            bound = min(bound, limit, run.last)
            if bound < max(run.first, known + 1):
                break
            reached = bound
            if bound < run.last:
                break
        return reached
