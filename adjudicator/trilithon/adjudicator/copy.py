"""This adjudicator's copy of the log: its tail, the conflict window over it, and what is settled.

The copy may hold unsettled entries that a new epoch cuts away again; settled ones it never loses.
Settling is a prefix: `settle` hands out each entry exactly once, in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trilithon.adjudicator.log import LogTail, Span
from trilithon.adjudicator.quorum import members_of
from trilithon.adjudicator.settings import Settings
from trilithon.adjudicator.window import Bounds, Window
from trilithon.core.invariant import require
from trilithon.v1 import types_pb2 as types


class LogCopy:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.log = LogTail()
        self.window = self._fresh_window(0)
        self.settled_csn = 0
        # Some log held this csn as settled: every log of a later leader must reach it.
        self.settled_floor_csn = 0
        # False until this copy was started at some place of a journal's log.
        self.started = False
        # The newest wall-clock time in the log; a leader never goes below it.
        self.committed_at_us = 0
        # Entries with member lists that this copy has seen, oldest first.
        self.member_entries: list[types.Entry] = []

    def _fresh_window(self, start_csn: int) -> Window:
        settings = self._settings
        bounds = Bounds(
            settings.window_age_us,
            settings.window_entries_max,
            settings.window_keys_max,
            settings.window_bytes_max,
        )
        return Window(bounds, start_csn)

    def start_at(self, base_csn: int, older: Sequence[Span] = ()) -> None:
        """Begin anew after `base_csn`, which is settled. Nothing below it is known but its epochs.

        What was known to be settled above it is learned again: the journal that this copy follows
        now may be behind, on a branch that will be cut away.
        """
        self.settled_floor_csn = max(self.settled_floor_csn, self.settled_csn, base_csn)
        self.log = LogTail(base_csn, older)
        self.window = self._fresh_window(base_csn)
        self.settled_csn = base_csn
        self.member_entries = []
        self.started = True

    def learn_members(self, entries: Iterable[types.Entry]) -> None:
        """Member lists that stand below the start of this copy, told by a journal."""
        known = {entry.csn for entry in self.member_entries}
        self.member_entries.extend(
            entry for entry in entries if entry.csn not in known and entry.csn <= self.log.tail_csn
        )
        self.member_entries.sort(key=lambda entry: entry.csn)

    def newest_members(self) -> types.MemberList | None:
        return members_of(self.member_entries[-1]) if self.member_entries else None

    @property
    def tail_csn(self) -> int:
        return self.log.tail_csn

    def append(
        self, entry: types.Entry, now_us: int, write_set: types.WriteSet | None = None
    ) -> None:
        self.log.append(entry)
        self.window.apply(entry, now_us, write_set)
        if entry.committed_at_us > self.committed_at_us:
            self.committed_at_us = entry.committed_at_us
        if members_of(entry) is not None:
            self.member_entries.append(entry)

    def cut_to(self, csn: int) -> None:
        require(csn >= self.settled_csn, "what is settled is never cut away")
        if csn < self.tail_csn:
            self.log.cut_to(csn)
            self.window.cut_to(csn)
            self.member_entries = [entry for entry in self.member_entries if entry.csn <= csn]

    def settle(self, csn: int) -> list[types.Entry]:
        """Everything up to `csn`, which this copy holds, is settled. The entries newly so."""
        if csn <= self.settled_csn:
            return []
        require(self.log.contains(csn), "only entries of the own copy are settled")
        entries = self.log.between(self.settled_csn, csn)
        self.settled_csn = csn
        self.settled_floor_csn = max(self.settled_floor_csn, csn)
        self.window.settle(csn)
        return entries

    def shrink(self, now_us: int) -> None:
        """Keep to the bounds; what is not settled is kept whatever the bounds say."""
        self.window.shrink(now_us)
        excess = self.log.excess_csn(self._settings.log_bytes_max)
        if excess > self.log.base_csn:
            self.log.trim_to(min(excess, self.settled_csn))
