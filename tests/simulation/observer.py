"""What only the simulation can see: every journal and every leader at once.

Checked as it happens
- One CSN never names two entries, on whatever disk.
- A snapshot that a journal gives holds everything that is settled anywhere at that moment (so no read
  is served without a valid lease).
- What journals and adjudicators hold for settled is one line of entries, whoever says so and when.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from kernel import Kernel

from trilithon.adjudicator.machine import AdjudicatorMachine
from trilithon.core.csn import format_csn
from trilithon.journal.machine import JournalMachine
from trilithon.v1.types_pb2 import Entry

# Events of adjudicators that say nothing.
_QUIET = frozenset({"journal_failed"})


class Violation(AssertionError):
    """A promise was broken; the text says which, in sentences."""


class Observer:
    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.violations: list[tuple[str, BaseException | None]] = []
        # Every entry that was ever handed to a disk.
        self.entries: dict[int, Entry] = {}
        self.settled_csn = 0
        self._settled_by = ""
        # Everything that was settled, by csn.
        self._settled = {0}
        self.journals: WeakKeyDictionary[JournalMachine, str] = WeakKeyDictionary()
        self.adjudicators: WeakKeyDictionary[AdjudicatorMachine, str] = WeakKeyDictionary()
        self.snapshots = 0
        self.epochs: set[int] = set()

    def violated(self, text: str, cause: BaseException | None = None) -> None:
        self._kernel.note(f"VIOLATION {text}")
        self.violations.append((text, cause))

    def check(self) -> None:
        if self.violations:
            text, cause = self.violations[0]
            raise Violation(f"at {self._kernel.now_s:.3f} s: {text}") from cause

    def appended(self, journal: str, entry: Entry) -> None:
        known = self.entries.setdefault(entry.csn, entry)
        if known is not entry and known != entry:
            self.violated(f"{format_csn(entry.csn)} names two entries; {journal} has the second")
        self.epochs.add(entry.csn >> 40)

    def settled(self, who: str, csn: int) -> None:
        """Someone holds everything up to `csn` for settled: it must be one line, whoever says so."""
        if csn in self._settled:
            return
        if csn < self.settled_csn:
            self.violated(
                f"{who} holds {format_csn(csn)} for settled, but {self._settled_by} has settled "
                f"{format_csn(self.settled_csn)}, and that log does not have it"
            )
            return
        line, at = [], csn
        while at > self.settled_csn and at in self.entries:
            line.append(at)
            at = self.entries[at].previous_csn
        if at > self.settled_csn:
            self.violated(f"{who} holds {format_csn(at)} for settled, which is on no disk")
        elif at < self.settled_csn:
            self.violated(
                f"{who} holds {format_csn(csn)} for settled, which follows {format_csn(at)}; but "
                f"{self._settled_by} has settled {format_csn(self.settled_csn)}: that would be lost"
            )
        self._settled.update(line)
        self.settled_csn = csn
        self._settled_by = who

    def snapshot(self, journal: str, csn: int) -> None:
        self.snapshots += 1
        if csn < self.settled_csn:
            self.violated(
                f"{journal} gave the snapshot {format_csn(csn)}, but {self._settled_by} had "
                f"already settled {format_csn(self.settled_csn)}"
            )

    @contextmanager
    def watching(self) -> Iterator[None]:
        journal_take, adjudicator_take = JournalMachine.take, AdjudicatorMachine.take
        snapshot_csn = JournalMachine.snapshot_csn
        observer = self

        def take(self: JournalMachine, now_us: int) -> Any:
            output = journal_take(self, now_us)
            observer.settled(observer.journals.get(self, "?"), self.settled_csn)
            return output

        def adjudicator_took(self: AdjudicatorMachine, now_us: int, wall_us: int) -> Any:
            output = adjudicator_take(self, now_us, wall_us)
            for event, details in output.events:
                if event not in _QUIET:
                    name = observer.adjudicators.get(self, "?")
                    observer._kernel.note(f"{name} {event} {details}")
            observer.settled(observer.adjudicators.get(self, "?"), self.copy.settled_csn)
            return output

        def snapshot(self: JournalMachine, now_us: int) -> int | None:
            csn = snapshot_csn(self, now_us)
            if csn is not None:
                observer.snapshot(observer.journals.get(self, "?"), csn)
            return csn

        JournalMachine.take = take  # type: ignore[method-assign]
        AdjudicatorMachine.take = adjudicator_took  # type: ignore[method-assign]
        JournalMachine.snapshot_csn = snapshot  # type: ignore[method-assign]
        try:
            yield
        finally:
            JournalMachine.take = journal_take  # type: ignore[method-assign]
            AdjudicatorMachine.take = adjudicator_take  # type: ignore[method-assign]
            JournalMachine.snapshot_csn = snapshot_csn  # type: ignore[method-assign]
