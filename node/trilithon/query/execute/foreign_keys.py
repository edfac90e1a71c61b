"""Foreign keys, and deferrable keys, at work: at the end of a statement, and before COMMIT for deferred ones.

A statement's changes (`transaction.row_events`) become *units*: an action or a check of one constraint over
many rows. They are worked off in order; what an action changes itself makes units that come next, before
the ones that were waiting, as nested statements would. There is no recursion, so a chain of references may be
as long as a transaction is large.

- A row that refers: its key must be there, and is claimed KEY_SHARE (`catalog.references`).
- A key that went away: NO ACTION and RESTRICT look for rows that still refer to it; the other actions
  delete or change them, with all constraints of their table.
- A deferrable key that came: one row has it (`catalog.deferrable_keys`).

A constraint that is deferred takes notes instead of checking. Actions other than NO ACTION are never deferred.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from trilithon.core.errors import SqlError
from trilithon.expression.context import EvalContext
from trilithon.query.catalog.deferrable_keys import DeferrableKey, deferrable_key, deferrable_keys
from trilithon.query.catalog.definitions import Index, ReferenceAction, Table
from trilithon.query.catalog.references import (
    KeyedRow,
    Reference,
    existing,
    find_children,
    reference_from,
    references_to,
    require_referenced,
)
from trilithon.query.catalog.row_writer import RowChange, RowWriter
from trilithon.query.catalog.rowkeys import pad_row
from trilithon.query.execute.modify import WRITE_ROWS, Constraints
from trilithon.query.execute.run import Run
from trilithon.query.transaction.row_events import Change, ConstraintId, Note
from trilithon.query.transaction.transaction import Transaction

Values = Sequence[Any]
# References that go in circles end when nothing changes any more; this is the last line of defence.
UNITS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class RowRules:
    """What an action needs to write rows of a table: its constraints, and its columns' defaults."""

    constraints: Constraints
    # A column's default, by its number. SqlError 0A000 where it is a sequence's next value.
    default: Callable[[int, EvalContext], Any]


class RulesOf(Protocol):
    def row_rules(self, table: Table, catalog: Any) -> RowRules: ...


@dataclass(slots=True, eq=False)
class _Check:
    """Rows that refer to something must find it."""

    made: Reference
    keys: list[bytes]
    rows: list[Values]


@dataclass(slots=True, eq=False)
class _Came:
    """Values of a deferrable key that came."""

    made: DeferrableKey
    values: list[tuple[Any, ...]]


@dataclass(slots=True, eq=False)
class _Gone:
    """Referenced keys that went away → their values, and (updates) the values that came instead."""

    made: Reference
    old: dict[bytes, tuple[Any, ...]]
    new: dict[bytes, tuple[Any, ...]] | None

    @property
    def action(self) -> ReferenceAction:
        return self.made.key.on_delete if self.new is None else self.made.key.on_update


_Unit = _Check | _Gone | _Came


async def finish_statement(transaction: Transaction, context: EvalContext) -> None:
    """Work off what the statement changed. SqlError 23503, and what actions run into."""
    if transaction.row_events.has_changes:
        await _Work(transaction, context).run()


class _Work:
    def __init__(self, transaction: Transaction, context: EvalContext) -> None:
        self._transaction = transaction
        self._run = Run(transaction, context)
        # Whether actions have changed rows that waiting checks were made with.
        self._acted = False

    async def run(self) -> None:
        events = self._transaction.row_events
        waiting = deque(self._units(events.take()))
        for _ in range(UNITS_MAX):
            if not waiting:
                return
            unit = waiting.popleft()
            if isinstance(unit, _Check):
                await self._check(unit)
            elif isinstance(unit, _Came):
                await self._came(unit)
            else:
                await self._gone(unit)
            if events.has_changes:
                self._acted = True
                waiting.extendleft(reversed(self._units(events.take())))
            await self._run.breathe()
        raise SqlError("54001", "the statement's foreign keys refer to each other without end")

    # ---- from changes to units

    def _units(self, changes: Sequence[Change]) -> list[_Unit]:
        """Actions in the order of the changes, then the checks, one for each constraint."""
        gone: list[_Unit] = []
        came: dict[ConstraintId, _Came] = {}
        checks: dict[ConstraintId, _Check] = {}
        for change in changes:
            gone += self._gone_units(change)
            self._add_came(change, came)
            self._add_checks(change, checks)
        return [*gone, *came.values(), *checks.values()]

    def _add_came(self, change: Change, came: dict[ConstraintId, _Came]) -> None:
        for index in deferrable_keys(change.table):
            made = deferrable_key(change.table, index)
            for at, row in enumerate(change.new or ()):
                values = made.values(row)
                before = None if change.old is None else made.values(change.old[at])
                if values is None or (before is not None and made.key(before) == made.key(values)):
                    continue
                constraint = change.table.id, index.name
                came.setdefault(constraint, _Came(made, [])).values.append(values)

    def _gone_units(self, change: Change) -> list[_Gone]:
        if change.old is None:
            return []
        units = []
        for made in references_to(self._transaction, change.table):
            old: dict[bytes, tuple[Any, ...]] = {}
            new: dict[bytes, tuple[Any, ...]] = {}
            for position, before in enumerate(change.old):
                target = made.of_parent(before)
                if target is None:
                    continue
                if change.new is not None:
                    after = change.new[position]
                    if made.of_parent(after) == target:
                        continue
                    new[target] = made.parent_values(after)
                old[target] = made.parent_values(before)
            if old:
                units.append(_Gone(made, old, None if change.new is None else new))
        return units

    def _add_checks(self, change: Change, checks: dict[ConstraintId, _Check]) -> None:
        if change.new is None:
            return
        for key in change.table.foreign_keys:
            made = reference_from(self._transaction, change.table, key)
            positions = [number - 1 for number in key.columns]
            constraint = change.table.id, key.name
            check = checks.get(constraint)
            for at, row in enumerate(change.new):
                if change.old is not None:
                    before = change.old[at]
                    if all(before[position] == row[position] for position in positions):
                        continue
                if all(row[position] is None for position in positions):
                    continue
                if check is None:
                    check = checks.setdefault(constraint, _Check(made, [], []))
                check.keys.append(change.keys[at])
                check.rows.append(row)

    # ---- working them off

    async def _check(self, unit: _Check) -> None:
        made, transaction = unit.made, self._transaction
        constraint = made.child.id, made.key.name
        if transaction.row_events.is_deferred(made.child.id, made.key):
            _defer(transaction, constraint, [Note(made.child.id, key) for key in unit.keys])
            return
        rows: Sequence[Values] = unit.rows
        if self._acted:
            rows = await _as_they_are(transaction, made.child, unit.keys)
        await require_referenced(transaction, made, rows)

    async def _came(self, unit: _Came) -> None:
        made, transaction = unit.made, self._transaction
        if transaction.row_events.is_deferred(made.table.id, made.index):
            several = await made.doubled(transaction, unit.values)
            notes = [Note(made.table.id, b"", values) for values in several]
            _defer(transaction, (made.table.id, made.index.name), notes)
            return
        await made.require_unique(transaction, unit.values)

    async def _gone(self, unit: _Gone) -> None:
        made, transaction = unit.made, self._transaction
        match unit.action:
            case ReferenceAction.NO_ACTION:
                if transaction.row_events.is_deferred(made.child.id, made.key):
                    notes = [Note(made.parent.id, b"", values) for values in unit.old.values()]
                    _defer(transaction, (made.child.id, made.key.name), notes)
                    return
                await _require_unreferenced(transaction, made, unit.old, reborn=True)
            case ReferenceAction.RESTRICT:
                await _require_unreferenced(transaction, made, unit.old, reborn=False)
            case ReferenceAction.CASCADE if unit.new is None:
                children = await find_children(transaction, made, unit.old)
                if children:
                    await RowWriter(transaction, made.child).delete(children)
            case _:
                await self._change_children(unit)

    async def _change_children(self, unit: _Gone) -> None:
        made, transaction = unit.made, self._transaction
        children = await find_children(transaction, made, unit.old)
        if not children:
            return
        rules = _rules(transaction).row_rules(made.child, transaction.catalog)
        changes: list[RowChange] = []
        for at in range(0, len(children), WRITE_ROWS):
            part = children[at : at + WRITE_ROWS]
            rows = self._new_rows(unit, part, rules)
            rows = rules.constraints.apply(self._run, rows)
            changes += (
                RowChange(key, old, new) for (key, old), new in zip(part, rows, strict=True)
            )
        await RowWriter(transaction, made.child).update(changes)
        if unit.action is ReferenceAction.SET_DEFAULT:
            # A default that is the key that went away leaves the row as it was.
            await _require_unreferenced(transaction, made, unit.old, reborn=True)

    def _new_rows(self, unit: _Gone, children: Sequence[KeyedRow], rules: RowRules) -> list[Any]:
        key = unit.made.key
        rows = []
        if unit.action is ReferenceAction.CASCADE:
            assert unit.new is not None
            for _, old in children:
                target = unit.made.of_child(old)
                assert target is not None
                row = list(old)
                for number, value in zip(key.columns, unit.new[target], strict=True):
                    row[number - 1] = unit.made.to_child(number, value)
                rows.append(row)
            return rows
        numbers = key.columns
        if unit.new is None and key.set_columns:
            numbers = key.set_columns
        values: dict[int, Any] = dict.fromkeys(numbers)
        if unit.action is ReferenceAction.SET_DEFAULT:
            values = {number: rules.default(number, self._run.context) for number in numbers}
        for _, old in children:
            row = list(old)
            for number, value in values.items():
                row[number - 1] = value
            rows.append(row)
        return rows


def _rules(transaction: Transaction) -> RulesOf:
    rules: Any = transaction.manager.expressions
    found: RulesOf = rules
    return found


async def _as_they_are(
    transaction: Transaction, table: Table, keys: Sequence[bytes]
) -> list[list[Any]]:
    """The rows under these keys now: own writes all of them, so nothing is asked of storage."""
    rows = await transaction.get(list(dict.fromkeys(keys)), current=True)
    return [pad_row(table, row) for row in rows if row is not None]


async def _require_unreferenced(
    transaction: Transaction, made: Reference, old: dict[bytes, tuple[Any, ...]], *, reborn: bool
) -> None:
    """SqlError 23503 if a row still refers to one of these keys. `reborn`: keys that are there again
    are no matter."""
    if reborn:
        again = await existing(transaction, list(old))
        old = {key: values for key, values in old.items() if key not in again}
    children = await find_children(transaction, made, old, one_each=True)
    if children:
        referred = {made.of_child(row) for _, row in children}
        first = next(values for key, values in old.items() if key in referred)
        raise made.still_referenced(first)


# ---- deferred constraints


def _defer(transaction: Transaction, constraint: ConstraintId, notes: list[Note]) -> None:
    events = transaction.row_events
    events.defer(constraint, notes)
    if not events.watched:
        events.watched = True
        transaction.before_commit.append(lambda: check_deferred(transaction))


async def check_deferred(transaction: Transaction, *, only_immediate: bool = False) -> None:
    """Look at what deferred constraints noted. `only_immediate`: of those that are not deferred any
    more (SET CONSTRAINTS ... IMMEDIATE). SqlError 23503, 23505."""
    events = transaction.row_events
    for constraint, notes in events.pending().items():
        table_id, name = constraint
        child = transaction.catalog.table_by_id(table_id)
        key = None if child is None else child.foreign_key(name) or child.index(name)
        if child is None or key is None:
            # Dropped meanwhile.
            events.looked_at(constraint)
            continue
        if only_immediate and events.is_deferred(table_id, key):
            continue
        if isinstance(key, Index):
            came = [note.values for note in notes]
            await deferrable_key(child, key).require_unique(transaction, came)
            events.looked_at(constraint)
            continue
        made = reference_from(transaction, child, key)
        rows = await _as_they_are(
            transaction, child, [note.row_key for note in notes if note.row_key]
        )
        await require_referenced(transaction, made, rows)
        gone = {made.of_values(note.values): note.values for note in notes if not note.row_key}
        if gone:
            await _require_unreferenced(transaction, made, gone, reborn=True)
        events.looked_at(constraint)
