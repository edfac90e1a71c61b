"""Foreign keys as keys in the store: which key a row refers to, which rows refer to a key.

Vocabulary
- *Referenced key*: the key under which the referenced index keeps its row: the row's own key for a clustered
  primary key, the unique entry's otherwise. Whoever deletes the row, or changes a referenced column, writes
  it EXCLUSIVE; whoever changes other columns writes it UPDATE or not at all. So a KEY_SHARE on it conflicts
  with the former alone, whichever of both commits first.
- *Child*, *parent*: the table that refers, and the one that is referred to. They may be the same.

Everything here reads the current state: the snapshot and all of the transaction's own writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.core.invariant import require
from trilithon.expression import ir
from trilithon.expression.compile import compile_scalar
from trilithon.expression.context import EvalContext
from trilithon.expression.program import Program
from trilithon.query.catalog.definitions import ForeignKey, Index, Table
from trilithon.query.catalog.rowkeys import pad_row, row_range
from trilithon.query.transaction.conflicts import render
from trilithon.query.transaction.local_program import KEYS_ONLY
from trilithon.query.transaction.transaction import Transaction
from trilithon.query.transaction.write_buffer import KEY_BYTES_MAX
from trilithon.types.keys import encoder, key_prefix, prefix_end
from trilithon.types.registry import TypeRef
from trilithon.v1.types_pb2 import MODE_KEY_SHARE

Values = Sequence[Any]
# A row of a table with its key.
KeyedRow = tuple[bytes, list[Any]]

# Ranges of an index that are read side by side.
RANGES_AT_ONCE: Final = 32
# Rows that are fetched together behind index entries.
LOOKUP_ROWS: Final = 512
# More values than this are not worth sending to storage as a filter.
PUSHED_VALUES_MAX: Final = 1_000

_CONTEXT: Final = EvalContext()
# Types whose values look the same in memory and in keys.
_KINS: Final = (frozenset({20, 21, 23}), frozenset({25, 1043, 19}))
_PUSHED: Final = frozenset({20, 21, 23, 25, 1043, 2950})


def same_keys(left: TypeRef, right: TypeRef) -> bool:
    """Whether equal values of both types are the same value, and the same bytes in keys."""
    return left.oid == right.oid or any(left.oid in kin and right.oid in kin for kin in _KINS)


class Reference:
    """One foreign key, compiled for one version of both its tables."""

    __slots__ = (
        "_back",
        "_child_positions",
        "_converters",
        "_encode",
        "_parent_positions",
        "child",
        "key",
        "parent",
        "prefix",
    )

    def __init__(self, child: Table, key: ForeignKey, parent: Table) -> None:
        index = parent.index_by_id(key.referenced_index)
        require(index is not None, "a foreign key's referenced index is there")
        assert index is not None
        self.child, self.key, self.parent = child, key, parent
        self.prefix = key_prefix(parent.storage_id, index.key_id)
        self._encode = encoder(index.types, index.descending, index.nulls_first)
        self._parent_positions = tuple(number - 1 for number in index.column_numbers)
        pairs = dict(zip(key.referenced_columns, key.columns, strict=True))
        self._child_positions = tuple(pairs[number] - 1 for number in index.column_numbers)
        converters = tuple(
            _converter(child.columns[at].type, part.type)
            for at, part in zip(self._child_positions, index.columns, strict=True)
        )
        self._converters = converters if any(converters) else None
        self._back = {
            number: _assignment(parent.columns[target - 1].type, child.columns[number - 1].type)
            for number, target in zip(key.columns, key.referenced_columns, strict=True)
        }

    def of_child(self, row: Values) -> bytes | None:
        """The key that a row refers to; None where a column is NULL."""
        values = [row[position] for position in self._child_positions]
        if None in values:
            return None
        if self._converters is not None:
            values = [
                value if convert is None else convert((value,), _CONTEXT)
                for value, convert in zip(values, self._converters, strict=True)
            ]
        return self.prefix + self._encode(values)

    def of_parent(self, row: Values) -> bytes | None:
        """A row's referenced key; None where a column is NULL: nothing can refer to it."""
        values = [row[position] for position in self._parent_positions]
        return None if None in values else self.prefix + self._encode(values)

    def parent_values(self, row: Values) -> tuple[Any, ...]:
        """In the order of the constraint's columns."""
        return tuple(row[number - 1] for number in self.key.referenced_columns)

    def of_values(self, values: Values) -> bytes:
        """The referenced key of what `parent_values` gave."""
        by_number = dict(zip(self.key.referenced_columns, values, strict=True))
        return self.prefix + self._encode(
            [by_number[position + 1] for position in self._parent_positions]
        )

    def to_child(self, number: int, value: Any) -> Any:
        """A referenced value as the referring column `number` takes it. SqlError 22001, 22003, ..."""
        convert = self._back[number]
        return value if convert is None or value is None else convert((value,), _CONTEXT)

    # ---- what is wrong

    def missing(self, row: Values) -> SqlError:
        values = [row[number - 1] for number in self.key.columns]
        shown = _shown(self.child, self.key.columns, values)
        return self._violation(
            f'insert or update on table "{self.child.name}" violates foreign key constraint '
            f'"{self.key.name}"',
            f'Key {shown} is not present in table "{self.parent.name}".',
        )

    def mixed_nulls(self) -> SqlError:
        return self._violation(
            f'insert or update on table "{self.child.name}" violates foreign key constraint '
            f'"{self.key.name}"',
            "MATCH FULL does not allow mixing of null and nonnull key values.",
        )

    def still_referenced(self, values: Values) -> SqlError:
        shown = _shown(self.parent, self.key.referenced_columns, values)
        return self._violation(
            f'update or delete on table "{self.parent.name}" violates foreign key constraint '
            f'"{self.key.name}" on table "{self.child.name}"',
            f'Key {shown} is still referenced from table "{self.child.name}".',
        )

    def _violation(self, message: str, detail: str) -> SqlError:
        return SqlError(
            "23503",
            message,
            detail=detail,
            schema=self.child.schema,
            table=self.child.name,
            constraint=self.key.name,
        )


@lru_cache(maxsize=512)
def reference(child: Table, key: ForeignKey, parent: Table) -> Reference:
    return Reference(child, key, parent)


def reference_from(transaction: Transaction, child: Table, key: ForeignKey) -> Reference:
    """With the parent as the transaction sees it."""
    parent = transaction.catalog.table_by_id(key.referenced_table)
    require(parent is not None, "a foreign key's referenced table is there")
    assert parent is not None
    return reference(child, key, parent)


def references_to(transaction: Transaction, parent: Table) -> list[Reference]:
    """The foreign keys that refer to a table, oldest table's first."""
    found = []
    for child_id in parent.referenced_by:
        child = transaction.catalog.table_by_id(child_id)
        for key in child.foreign_keys if child is not None else ():
            if key.referenced_table == parent.id:
                found.append(reference(child, key, parent))
    return found


def _converter(source: TypeRef, target: TypeRef) -> Callable[[Any, EvalContext], Any] | None:
    if same_keys(source, target):
        return None
    return compile_scalar(ir.Cast(ir.Column(0, source), TypeRef(target.oid)))


def _assignment(source: TypeRef, target: TypeRef) -> Callable[[Any, EvalContext], Any] | None:
    if source == target:
        return None
    return compile_scalar(ir.Cast(ir.Column(0, source), target, explicit=False))


def _shown(table: Table, numbers: Iterable[int], values: Values) -> str:
    columns = [table.columns[number - 1] for number in numbers]
    names = ", ".join(column.name for column in columns)
    texts = ", ".join(
        render(column.type, value) for column, value in zip(columns, values, strict=True)
    )
    return f"({names})=({texts})"


# ---- is the referenced key there


async def existing(transaction: Transaction, keys: Sequence[bytes]) -> set[bytes]:
    """Which of these referenced keys are there now: one read."""
    asked = [key for key in keys if len(key) <= KEY_BYTES_MAX]
    if not asked:
        return set()
    rows = await transaction.get(asked, KEYS_ONLY, current=True)
    return {key for key, row in zip(asked, rows, strict=True) if row is not None}


async def require_referenced(
    transaction: Transaction, made: Reference, rows: Iterable[Values]
) -> None:
    """The key that each of these rows refers to is there, and is claimed KEY_SHARE: the commit fails if
    it goes away meanwhile. SqlError 23503 for the first row of which that is not so."""
    wanted: dict[bytes, Values] = {}
    full, columns = made.key.match_full, made.key.columns
    for row in rows:
        target = made.of_child(row)
        if target is not None:
            wanted.setdefault(target, row)
        elif full and any(row[number - 1] is not None for number in columns):
            raise made.mixed_nulls()
    if not wanted:
        return
    transaction.use_table(made.parent)
    there = await existing(transaction, list(wanted))
    for target, row in wanted.items():
        if target not in there:
            raise made.missing(row)
        transaction.lock(target, MODE_KEY_SHARE)


# ---- which rows refer to a key


async def find_children(
    transaction: Transaction,
    made: Reference,
    wanted: dict[bytes, tuple[Any, ...]],
    *,
    one_each: bool = False,
) -> list[KeyedRow]:
    """The child's rows that refer to one of these referenced keys; the values are in the order of the
    constraint's columns. By an index over the referring columns, or a scan of the table. `one_each`:
    one row for each key is enough. SqlError 54000 for more rows than a transaction may change."""
    child = made.child
    transaction.use_table(child)
    if not wanted:
        return []
    found = _child_index(made)
    if found is None:
        return await _scan_children(transaction, made, wanted, one_each)
    index, width = found
    encode = encoder(index.types[:width], index.descending[:width], index.nulls_first[:width])
    prefix = key_prefix(child.storage_id, index.key_id)
    places = [made.key.columns.index(number) for number in index.column_numbers[:width]]
    heads = dict.fromkeys(
        prefix + encode([values[place] for place in places]) for values in wanted.values()
    )
    starts = [head for head in heads if len(head) <= KEY_BYTES_MAX]
    limit = 1 if one_each and width == len(made.key.columns) else 0
    if index.clustered:
        rows = await _ranges(transaction, starts, limit)
    else:
        row_prefix = key_prefix(child.storage_id, 0)
        entries = await _ranges(transaction, starts, limit)
        rows = await _rows_behind(transaction, [row_prefix + entry[0] for _, entry in entries])
    found_rows: list[KeyedRow] = []
    _take(transaction, found_rows, _referring(made, rows, wanted), one_each)
    return found_rows


def _child_index(made: Reference) -> tuple[Index, int] | None:
    """The index with the most leading columns among the referring ones, and how many they are."""
    comparable = {
        number
        for number, target in zip(made.key.columns, made.key.referenced_columns, strict=True)
        if same_keys(made.child.columns[number - 1].type, made.parent.columns[target - 1].type)
    }
    best: tuple[Index, int] | None = None
    for index in made.child.indexes:
        if not index.usable or index.predicate is not None:
            continue
        width = 0
        for number in index.column_numbers:
            if number not in comparable:
                break
            width += 1
        if width and (best is None or width > best[1]):
            best = index, width
    return best


async def _ranges(transaction: Transaction, heads: Sequence[bytes], limit: int) -> list[KeyedRow]:
    """Everything (or the first `limit` for each) whose key begins with one of these."""
    result: list[KeyedRow] = []
    for at in range(0, len(heads), RANGES_AT_ONCE):
        for part in await ranges(transaction, heads[at : at + RANGES_AT_ONCE], limit):
            result += part
    return result


async def ranges(
    transaction: Transaction, heads: Sequence[bytes], limit: int
) -> list[list[KeyedRow]]:
    """For each of a few heads: everything (or the first `limit`) whose key begins with it, read together."""

    async def one(head: bytes) -> list[KeyedRow]:
        found: list[KeyedRow] = []
        async for chunk in transaction.scan(
            head, prefix_end(head), limit=limit, with_keys=True, current=True
        ):
            _take(transaction, found, zip(chunk.keys, chunk.rows, strict=True), False)
        return found

    return await _side_by_side([one(head) for head in heads])


async def _side_by_side(
    work: list[Coroutine[Any, Any, list[KeyedRow]]],
) -> list[list[KeyedRow]]:
    """The first failure cancels the others and is raised as it is."""
    if len(work) == 1:
        return [await work[0]]
    tasks = [asyncio.create_task(one) for one in work]
    try:
        return [await task for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _rows_behind(transaction: Transaction, keys: Sequence[bytes]) -> list[KeyedRow]:
    result: list[KeyedRow] = []
    for at in range(0, len(keys), LOOKUP_ROWS):
        part = keys[at : at + LOOKUP_ROWS]
        rows = await transaction.get(part, current=True)
        result += ((key, row) for key, row in zip(part, rows, strict=True) if row is not None)
    return result


def _referring(
    made: Reference, rows: Iterable[KeyedRow], wanted: dict[bytes, tuple[Any, ...]]
) -> list[KeyedRow]:
    found = []
    for key, stored in rows:
        row = pad_row(made.child, stored)
        if made.of_child(row) in wanted:
            found.append((key, row))
    return found


def _take(
    transaction: Transaction, found: list[KeyedRow], more: Iterable[KeyedRow], bounded: bool
) -> None:
    """SqlError 54000: these are to be changed, and are too many for that."""
    found += more
    if not bounded and len(found) > transaction.manager.limits.buffer.rows:
        raise SqlError(
            "54000",
            "transaction row limit exceeded",
            detail=f"A transaction can change at most {transaction.manager.limits.buffer.rows} rows.",
        )


async def _scan_children(
    transaction: Transaction,
    made: Reference,
    wanted: dict[bytes, tuple[Any, ...]],
    one_each: bool,
) -> list[KeyedRow]:
    start, end = row_range(made.child)
    found: list[KeyedRow] = []
    met: set[bytes | None] = set()
    async for chunk in transaction.scan(
        start, end, program=_filter(made, wanted), with_keys=True, current=True
    ):
        rows = _referring(made, zip(chunk.keys, chunk.rows, strict=True), wanted)
        if one_each:
            rows = [row for row in rows if made.of_child(row[1]) not in met]
            met.update(made.of_child(row) for _, row in rows)
        _take(transaction, found, rows, one_each)
    return found


def _filter(made: Reference, wanted: dict[bytes, tuple[Any, ...]]) -> bytes:
    """What storage can tell of the rows beforehand: the first column has one of the values."""
    column = made.child.columns[made.key.columns[0] - 1]
    target = made.parent.columns[made.key.referenced_columns[0] - 1]
    if (
        column.type.oid not in _PUSHED
        or not same_keys(column.type, target.type)
        or len(wanted) > PUSHED_VALUES_MAX
    ):
        return b""
    values = tuple(dict.fromkeys(values[0] for values in wanted.values()))
    condition = ir.InSet(ir.Column(column.number - 1, column.type), values)
    return Program(condition, None, made.child.missing_values).to_bytes()
