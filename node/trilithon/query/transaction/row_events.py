"""What a transaction did to rows that foreign keys watch, and which constraints it checks when. Pure.

Vocabulary
- *Change*: the rows of one call of the row writer, recorded when the table refers to another one, is
  referred to or has deferrable keys. The changes of a statement are worked off at its end (`execute.foreign_keys`).
- *Note*: what a deferred constraint must look at before COMMIT: the key of a row that refers, or the values
  of a key that went away.

Invariants: notes are only ever added; how many of a constraint's notes have been looked at is counted apart.
So a rollback to a savepoint brings back both, also where SET CONSTRAINTS IMMEDIATE looked in between.

Not here: what a foreign key asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trilithon.query.catalog.definitions import ForeignKey, Index, Table

# A constraint's table and its name there.
ConstraintId = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Change:
    """Rows of one table. `old` None: they were inserted; `new` None: deleted. `keys` are those of the
    new rows."""

    table: Table
    keys: Sequence[bytes]
    old: Sequence[Sequence[Any]] | None
    new: Sequence[Sequence[Any]] | None


@dataclass(frozen=True, slots=True)
class Note:
    """`row_key`: a row that refers; or (empty) `values`, in the order of the referenced columns: a key
    of the referenced table that went away, or (a deferrable key's) that came. `table_id`: where the change was."""

    table_id: int
    row_key: bytes
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class RowEventsMark:
    lengths: dict[ConstraintId, int]
    done: dict[ConstraintId, int]
    modes: dict[ConstraintId, bool]
    all_deferred: bool | None


class RowEvents:
    __slots__ = ("_all_deferred", "_changes", "_done", "_modes", "_notes", "watched")

    def __init__(self) -> None:
        self._changes: list[Change] = []
        self._notes: dict[ConstraintId, list[Note]] = {}
        self._done: dict[ConstraintId, int] = {}
        # What SET CONSTRAINTS said: for one constraint, for all of them.
        self._modes: dict[ConstraintId, bool] = {}
        self._all_deferred: bool | None = None
        # Whether the commit looks at the notes.
        self.watched = False

    # ---- the running statement

    def record(self, change: Change) -> None:
        self._changes.append(change)

    @property
    def has_changes(self) -> bool:
        return bool(self._changes)

    def take(self) -> list[Change]:
        changes, self._changes = self._changes, []
        return changes

    # ---- deferred constraints

    def is_deferred(self, table_id: int, key: ForeignKey | Index) -> bool:
        """Whether the constraint is checked before COMMIT only, as things stand."""
        if not key.deferrable:
            return False
        chosen = self._modes.get((table_id, key.name), self._all_deferred)
        return key.initially_deferred if chosen is None else chosen

    def set_all(self, deferred: bool) -> None:
        self._modes = {}
        self._all_deferred = deferred

    def set_one(self, constraint: ConstraintId, deferred: bool) -> None:
        self._modes = {**self._modes, constraint: deferred}

    def defer(self, constraint: ConstraintId, notes: Sequence[Note]) -> None:
        self._notes.setdefault(constraint, []).extend(notes)

    def pending(self) -> dict[ConstraintId, list[Note]]:
        """What nobody has looked at yet, in the order in which the constraints were first deferred."""
        found = {}
        for constraint, notes in self._notes.items():
            left = notes[self._done.get(constraint, 0) :]
            if left:
                found[constraint] = left
        return found

    def looked_at(self, constraint: ConstraintId) -> None:
        """All its notes are settled."""
        self._done[constraint] = len(self._notes.get(constraint, ()))

    def has_pending(self, table_id: int) -> bool:
        """Whether changes of this table wait for a deferred constraint."""
        return bool(self._notes) and any(
            note.table_id == table_id for notes in self.pending().values() for note in notes
        )

    # ---- savepoints

    def mark(self) -> RowEventsMark:
        return RowEventsMark(
            {constraint: len(notes) for constraint, notes in self._notes.items()},
            dict(self._done),
            self._modes,
            self._all_deferred,
        )

    def back_to(self, mark: RowEventsMark) -> None:
        self._changes = []
        self._notes = {
            constraint: self._notes[constraint][:length]
            for constraint, length in mark.lengths.items()
        }
        self._done = dict(mark.done)
        self._modes = mark.modes
        self._all_deferred = mark.all_deferred
