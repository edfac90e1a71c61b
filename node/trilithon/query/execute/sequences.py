"""nextval and setval: their values are taken before the rows' expressions are evaluated, because taking
them may need a transaction of its own."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog.definitions import Sequence as SequenceObject
from trilithon.query.execute.operators import Batches, Operator, Transform
from trilithon.query.execute.run import Run

# What each session got last, by sequence, the newest last: currval and lastval.
_VALUES: Final[weakref.WeakKeyDictionary[Any, dict[int, int]]] = weakref.WeakKeyDictionary()


def values_of(session: Any) -> dict[int, int]:
    if session is None:
        return {}
    return _VALUES.setdefault(session, {})


def _remember(session: Any, oid: int, value: int) -> None:
    values = values_of(session)
    values.pop(oid, None)
    values[oid] = value


def sequence_of(run: Run, oid: Any) -> SequenceObject:
    found = run.transaction.catalog.object_by_id(oid)
    if not isinstance(found, SequenceObject):
        name = getattr(found, "name", oid)
        raise SqlError("42809", f'"{name}" is not a sequence')
    return found


@dataclass(slots=True, eq=False)
class NextValues(Operator):
    """One nextval for each input row, as one more column. `sequence` gives the sequence's oid."""

    columns: tuple[int, ...]
    input: Operator
    sequence: Callable[[Any, Any], Any]

    @property
    def small(self) -> bool:
        return self.input.small

    async def batches(self, run: Run) -> Batches:
        async for batch in self.input.batches(run):
            yield await self._with_values(run, batch)

    async def collect(self, run: Run) -> list[Any]:
        return await self._with_values(run, await self.input.collect(run))

    async def _with_values(self, run: Run, rows: list[Any]) -> list[Any]:
        oid = self.sequence((), run.context)
        if oid is None:
            return [(*row, None) for row in rows]
        if not rows:
            return []
        sequence = sequence_of(run, oid)
        transaction = run.transaction
        values = await transaction.manager.sequences.nextvals(transaction, sequence, len(rows))
        _remember(run.context.session, sequence.id, values[-1])
        return [(*row, value) for row, value in zip(rows, values, strict=True)]

    def children(self) -> Sequence[Operator]:
        return (self.input,)


@dataclass(slots=True, eq=False)
class SetValues(Operator):
    """setval for each input row. `arguments` projects (oid, value[, is called])."""

    columns: tuple[int, ...]
    input: Operator
    arguments: Transform

    @property
    def small(self) -> bool:
        return self.input.small

    async def batches(self, run: Run) -> Batches:
        transaction = run.transaction
        async for batch in self.input.batches(run):
            rows = []
            for row, given in zip(batch, self.arguments(batch, run.context), strict=True):
                if None in given:
                    rows.append((*row, None))
                    continue
                oid, value, *rest = given
                sequence = sequence_of(run, oid)
                is_called = rest[0] if rest else True
                sequences = transaction.manager.sequences
                await sequences.setval(transaction, sequence, value, is_called)
                if is_called:
                    _remember(run.context.session, sequence.id, value)
                rows.append((*row, value))
            yield rows

    def children(self) -> Sequence[Operator]:
        return (self.input,)
