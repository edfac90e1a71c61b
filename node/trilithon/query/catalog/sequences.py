"""Sequences: their definitions, and nextval.

A sequence's position is a row of the system table of sequence values: [last value, is called]. nextval takes
values in transactions of its own, at least `cache` at a time, and hands them out to all sessions of this
query processor; while one such transaction is under way the calls that come in wait and share the next.
So values are unique, and rise per query processor, but not across them, and those that are taken and not
used are lost (PostgreSQL with CACHE > 1 does the same per session). A sequence that the calling
transaction itself created or restarted lives in that transaction until it commits.

`currval` and `lastval` are the session's.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence as Values
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog import definitions
from trilithon.query.catalog.changes import (
    dependents_error,
    put_object,
    remove_object,
    require_free_relation_name,
    schema_for_new_object,
)
from trilithon.query.catalog.default_sequences import default_dependents, drop_defaults
from trilithon.query.catalog.definitions import Sequence, SequenceDefinition
from trilithon.query.catalog.system_tables import sequence_key
from trilithon.query.transaction.conflicts import CATALOG_CONFLICT
from trilithon.types.registry import INT2, INT4, INT8
from trilithon.types.rows import encode_row
from trilithon.v1.types_pb2 import MODE_EXCLUSIVE

if TYPE_CHECKING:
    from trilithon.query.transaction.manager import TransactionManager
    from trilithon.query.transaction.transaction import Transaction

_LARGEST: Final = {INT2.oid: (1 << 15) - 1, INT4.oid: (1 << 31) - 1, INT8.oid: (1 << 63) - 1}
# Values taken for callers that are waiting together.
BATCH_MAX: Final = 1000
CACHED_SEQUENCES_MAX: Final = 10_000


# ---- definitions


async def create_sequence(
    transaction: Transaction, definition: SequenceDefinition, *, if_not_exists: bool = False
) -> Sequence | None:
    """None: it exists and IF NOT EXISTS was said. SqlError 42P07, 22023, 54000."""
    transaction.check_writable("CREATE SEQUENCE")
    schema = schema_for_new_object(transaction, definition.schema, definition.name)
    if if_not_exists and transaction.catalog.relation_name_taken(schema.id, definition.name):
        return None
    require_free_relation_name(transaction, schema, definition.name)
    limit = transaction.manager.limits.sequences
    if len(transaction.catalog.sequences) >= limit:
        raise SqlError("54000", f"creating more than {limit} sequences is not allowed")
    largest = _LARGEST.get(definition.type.oid)
    if largest is None:
        raise SqlError("22023", "sequence type must be smallint, integer, or bigint")
    ascending = definition.increment > 0
    minimum = definition.minimum
    maximum = definition.maximum
    sequence = Sequence(
        id=await transaction.manager.object_ids.take(),
        schema_id=schema.id,
        schema=schema.name,
        name=definition.name,
        type=definition.type,
        increment=definition.increment,
        minimum=(1 if ascending else -largest - 1) if minimum is None else minimum,
        maximum=(largest if ascending else -1) if maximum is None else maximum,
        cache=definition.cache,
        cycle=definition.cycle,
        owner=definition.owner,
    )
    start = sequence.minimum if ascending else sequence.maximum
    sequence = replace(sequence, start=start if definition.start is None else definition.start)
    _check(sequence, largest)
    put_object(transaction, sequence)
    restart_sequence(transaction, sequence)
    return sequence


def _check(sequence: Sequence, largest: int) -> None:
    """PostgreSQL's rules and words."""
    if sequence.increment == 0:
        raise SqlError("22023", "INCREMENT must not be zero")
    for label, value in (("MAXVALUE", sequence.maximum), ("MINVALUE", sequence.minimum)):
        if not -largest - 1 <= value <= largest:
            name = {INT2.oid: "smallint", INT4.oid: "integer"}.get(sequence.type.oid, "bigint")
            raise SqlError(
                "22023", f"{label} ({value}) is out of range for sequence data type {name}"
            )
    if sequence.minimum >= sequence.maximum:
        raise SqlError(
            "22023",
            f"MINVALUE ({sequence.minimum}) must be less than MAXVALUE ({sequence.maximum})",
        )
    if sequence.start < sequence.minimum:
        raise SqlError(
            "22023",
            f"START value ({sequence.start}) cannot be less than MINVALUE ({sequence.minimum})",
        )
    if sequence.start > sequence.maximum:
        raise SqlError(
            "22023",
            f"START value ({sequence.start}) cannot be greater than MAXVALUE ({sequence.maximum})",
        )
    if sequence.cache < 1:
        raise SqlError("22023", f"CACHE ({sequence.cache}) must be greater than zero")


def alter_sequence(transaction: Transaction, changed: Sequence) -> None:
    """`changed` is the next definition (also for OWNED BY). SqlError 22023."""
    transaction.check_writable("ALTER SEQUENCE")
    _check(changed, _LARGEST[changed.type.oid])
    put_object(transaction, replace(changed, version=changed.version + 1))
    transaction.on_committed(lambda _: transaction.manager.sequences.forget(changed.id))


def drop_sequence(
    transaction: Transaction, sequence: Sequence, *, cascade: bool = False
) -> list[str]:
    """Gives what CASCADE dropped besides, for notices: defaults that call it. SqlError 2BP01, and as
    `drop_defaults`."""
    transaction.check_writable("DROP SEQUENCE")
    dependents = default_dependents(transaction, sequence)
    if dependents and not cascade:
        raise dependents_error(sequence, dependents)
    notices = drop_defaults(transaction, sequence)
    remove_object(transaction, sequence.id)
    transaction.write(sequence_key(sequence.id), MODE_EXCLUSIVE, None)
    return notices


def restart_sequence(
    transaction: Transaction, sequence: Sequence, value: int | None = None
) -> None:
    """ALTER SEQUENCE RESTART, TRUNCATE RESTART IDENTITY: with the transaction, not before."""
    start = sequence.start if value is None else value
    _check_in_range(sequence, start)
    transaction.write(sequence_key(sequence.id), MODE_EXCLUSIVE, encode_row([start, False]))
    transaction.on_committed(lambda _: transaction.manager.sequences.forget(sequence.id))


def _check_in_range(sequence: Sequence, value: int) -> None:
    if not sequence.minimum <= value <= sequence.maximum:
        raise SqlError(
            "22003",
            f'setval: value {value} is out of bounds for sequence "{sequence.name}" '
            f"({sequence.minimum}..{sequence.maximum})",
        )


# ---- values


def _advance(sequence: Sequence, last: int, is_called: bool, count: int) -> list[int]:
    """The next values, at least one and at most `count`. SqlError 2200H at the end."""
    values: list[int] = []
    current = last
    while len(values) < count:
        if not values and not is_called:
            following = current
        else:
            following = current + sequence.increment
            if not sequence.minimum <= following <= sequence.maximum:
                if values:
                    break
                following = _wrapped(sequence)
        values.append(following)
        current = following
    return values


def _wrapped(sequence: Sequence) -> int:
    ascending = sequence.increment > 0
    if sequence.cycle:
        return sequence.minimum if ascending else sequence.maximum
    bound, limit = ("maximum", sequence.maximum) if ascending else ("minimum", sequence.minimum)
    raise SqlError(
        "2200H", f'nextval: reached {bound} value of sequence "{sequence.name}" ({limit})'
    )


@dataclass(slots=True)
class _Cached:
    version: int
    values: list[int] = field(default_factory=list)  # next one last
    waiting: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class SequenceValues:
    """One per query processor."""

    def __init__(self, manager: TransactionManager) -> None:
        self._manager = manager
        self._cached: OrderedDict[int, _Cached] = OrderedDict()

    def forget(self, sequence_id: int) -> None:
        self._cached.pop(sequence_id, None)

    async def nextval(self, transaction: Transaction, sequence: Sequence) -> int:
        """SqlError 2200H at the end, 25006, 40001 when it was dropped meanwhile, and what commits raise."""
        return (await self.nextvals(transaction, sequence, 1))[0]

    async def nextvals(
        self, transaction: Transaction, sequence: Sequence, count: int
    ) -> Values[int]:
        """For a statement that inserts many rows."""
        transaction.check_writable("nextval()")
        values: list[int] = []
        if transaction.wrote(sequence_key(sequence.id)):
            while len(values) < count:
                values += await _take_inside(transaction, sequence, count - len(values))
            return values
        cached = self._cached.get(sequence.id)
        if cached is None or cached.version != sequence.version:
            cached = self._cached[sequence.id] = _Cached(sequence.version)
            if len(self._cached) > CACHED_SEQUENCES_MAX:
                self._cached.popitem(last=False)
        cached.waiting += count
        try:
            while len(values) < count:
                if not cached.values:
                    async with cached.lock:
                        if not cached.values:
                            await self._refill(sequence, cached)
                wanted = count - len(values)
                taken = cached.values[-wanted:]
                del cached.values[-wanted:]
                values += reversed(taken)
                cached.waiting -= len(taken)
        except BaseException:
            cached.waiting -= count - len(values)
            raise
        return values

    async def _refill(self, sequence: Sequence, cached: _Cached) -> None:
        count = max(sequence.cache, min(cached.waiting, BATCH_MAX))

        async def take(transaction: Transaction) -> list[int]:
            return await _take(transaction, sequence.id, count)

        taken = await self._manager.run(take)
        if not taken:
            # The caller's snapshot has it still: its next attempt will not.
            raise SqlError(
                "40001",
                CATALOG_CONFLICT,
                detail=f'The sequence "{sequence.name}" was dropped.',
                hint="The transaction might succeed if retried.",
            )
        cached.values = list(reversed(taken))

    async def setval(
        self, transaction: Transaction, sequence: Sequence, value: int, is_called: bool = True
    ) -> int:
        """At once, and not undone by a rollback, as in PostgreSQL. SqlError 22003."""
        transaction.check_writable("setval()")
        _check_in_range(sequence, value)
        key = sequence_key(sequence.id)
        position = encode_row([value, is_called])
        if transaction.wrote(key):
            transaction.write(key, MODE_EXCLUSIVE, position)
            return value

        async def put(own: Transaction) -> None:
            own.use_table(sequence.id)
            own.write(key, MODE_EXCLUSIVE, position)

        await self._manager.run(put)
        self.forget(sequence.id)
        return value


async def _take(transaction: Transaction, sequence_id: int, count: int) -> list[int]:
    """No values: it is dropped."""
    found = transaction.catalog.object_by_id(sequence_id)
    if not isinstance(found, definitions.Sequence):
        return []
    transaction.use_table(sequence_id)
    return await _take_inside(transaction, found, count)


async def _take_inside(transaction: Transaction, sequence: Sequence, count: int) -> list[int]:
    key = sequence_key(sequence.id)
    (row,) = await transaction.get([key], current=True)
    last, is_called = row if row is not None else (sequence.start, False)
    values = _advance(sequence, last, is_called, count)
    transaction.write(key, MODE_EXCLUSIVE, encode_row([values[-1], True]))
    return values
