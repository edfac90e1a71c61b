"""Rules of rebuilding that can be switched off; see `mutations`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from disk import JournalDisk

from trilithon.journal.readers import Readers
from trilithon.storage.engine import Engine
from trilithon.storage.machine import StorageMachine
from trilithon.storage.rebuild import Rebuild

Patch = Callable[[Any, str, Any], None]


def an_empty_journal_has_the_old_name(patch: Patch) -> None:
    """It votes, and counts, as if it remembered."""
    original = JournalDisk.lose

    def lose(self: JournalDisk) -> None:
        incarnation = self.state.incarnation
        original(self)
        self.state.incarnation = incarnation

    patch(JournalDisk, "lose", lose)


def a_part_of_a_copy_is_taken_for_the_whole(patch: Patch) -> None:
    original = Engine._open_databases

    def open_databases(self: Engine, identity: Any) -> None:
        original(self, identity)
        if self.copy is not None:
            self.applied, self.collected, self.copy = self.copy.csn, self.copy.collected, None

    patch(Engine, "_open_databases", open_databases)


def a_copy_goes_on_one_version_late(patch: Patch) -> None:
    original = Rebuild._read

    async def read(self: Rebuild, source: Any, state: Any, slots: Any) -> Any:
        later = state.resume and state.resume + b"\0"
        return await original(self, source, msgspec.structs.replace(state, resume=later), slots)

    patch(Rebuild, "_read", read)


def a_journal_claims_the_log_before_its_start(patch: Patch) -> None:
    """It lets a storage begin where its own log does, whatever that lacks."""
    original = Readers.subscribe

    def subscribe(self: Readers, peer: Any, corr: int, request: Any, view: Any) -> None:
        request.subscribe.after_csn = max(request.subscribe.after_csn, view.log.base_csn)
        original(self, peer, corr, request, view)

    patch(Readers, "subscribe", subscribe)


def storage_follows_a_log_with_a_hole(patch: Patch) -> None:
    """Journals claim what they have not got, and storage believes it."""
    a_journal_claims_the_log_before_its_start(patch)
    patch(StorageMachine, "_check_chain", lambda self, update, cut_to: None)
