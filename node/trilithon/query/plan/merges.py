"""When two inputs are joined by merging them: both have indexes that give the join's keys in one order.

A hash join reads its inputs as they are cheapest and keeps the right one; a merge join keeps nothing, and its rows
come in the left side's order, which may be what is wanted above. Costs are those of `access`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from trilithon.expression import ir
from trilithon.query.analyse import tree
from trilithon.query.analyse.tree import Expr, Relation, Scan
from trilithon.query.execute.sorting import SortColumn
from trilithon.query.plan import rules, scans
from trilithon.query.plan.access import Wish
from trilithon.query.plan.conditions import has_subquery, same_order, split
from trilithon.query.plan.hints import Hint
from trilithon.query.plan.places import used_by
from trilithon.types.ordering import sort_key
from trilithon.types.registry import type_info

if TYPE_CHECKING:
    from trilithon.query.plan.planner import Planner

# What a row costs beside being read.
HASHED: Final = 0.5
MERGED: Final = 0.6
# … and where the side that is kept will not fit into memory.
SPILLED: Final = 1.0
KEPT_ROWS: Final = 100_000.0
# … and to be sorted afterwards.
SORTED: Final = 0.3
# The part of a merge that a LIMIT above leaves.
FEW: Final = 0.05

# Types whose values are equal exactly where their places in the order are.
_TYPES: Final = frozenset(
    [
        "int2",
        "int4",
        "int8",
        "oid",
        "text",
        "varchar",
        "bpchar",
        "bool",
        "bytea",
        "uuid",
        "date",
        "time",
        "timestamp",
        "timestamptz",
    ]
)


@dataclass(frozen=True, slots=True)
class Merge:
    """The orders to ask of both sides, and which pairs of keys (by number) they are the order of."""

    left: Wish
    right: Wish
    pairs: tuple[int, ...]
    order: tuple[SortColumn, ...]
    # Whether the rows then come in the order that was wished for.
    satisfies: bool
    cost: float


def find_merge(
    planner: Planner,
    join: tree.Join,
    left_keys: Sequence[Expr],
    right_keys: Sequence[Expr],
    needed: frozenset[int],
    hint: Hint,
) -> Merge | None:
    """The cheapest merge, where it costs less than hashing. Looks at the inputs, builds nothing."""
    pairs = {
        number: (left.index, right.index)
        for number, (left, right) in enumerate(zip(left_keys, right_keys, strict=True))
        if isinstance(left, ir.Column)
        and isinstance(right, ir.Column)
        and same_order(left.type, right.type)
        and type_info(left.type.oid).name in _TYPES
    }
    left = _scan_of(join.left, [one for one, _ in pairs.values()], needed)
    right = _scan_of(join.right, [other for _, other in pairs.values()], needed)
    if not pairs or left is None or right is None:
        return None
    numbers = list(pairs)
    types = {number: left_keys[number].type.oid for number in numbers}
    best: Merge | None = None
    for order in _orders(left, numbers):
        found = _merge(planner, join.kind, left, right, numbers, order, types, hint)
        if found is not None and (best is None or _rank(found, hint) < _rank(best, hint)):
            best = found
    if best is None:
        return None
    rewriter = rules.Rewriter(planner.texts)
    left_rows = rules.guess_rows(rewriter, join.left)
    right_rows = rules.guess_rows(rewriter, join.right)
    rows = left_rows + right_rows
    hashed = HASHED * rows
    for side in (left, right):
        hashed += scans.choose_way(planner, side.scan, side.conjuncts, side.needed, None).cost
    kept = min(left_rows, right_rows) if join.kind == "inner" else right_rows
    if kept > KEPT_ROWS:
        hashed += SPILLED * rows
    merged = best.cost + MERGED * rows
    if hint.wish.order and best.satisfies:
        hashed += SORTED * rules.guess_rows(rewriter, join)
        if hint.limit is not None:
            merged *= FEW
    return best if merged < hashed else None


def _rank(merge: Merge, hint: Hint) -> tuple[bool, float]:
    return bool(hint.wish.order) and not merge.satisfies, merge.cost


@dataclass(frozen=True, slots=True)
class _Side:
    """A table below filters and projections. `columns`: the join's keys as the side calls them, and as the table
    does, pair by pair."""

    scan: Scan
    conjuncts: list[Expr]
    columns: list[tuple[int, int]]
    # Columns of the table that are wanted above its own conditions.
    needed: frozenset[int]


def _scan_of(relation: Relation, keys: list[int], needed: frozenset[int]) -> _Side | None:
    below = list(keys)
    conjuncts: list[Expr] = []
    while not isinstance(relation, Scan):
        if isinstance(relation, tree.Filter) and not has_subquery(relation.predicate):
            conjuncts += split(relation.predicate)
        elif isinstance(relation, tree.Project) and not conjuncts:
            by_id = dict(zip((o.id for o in relation.outputs), relation.expressions, strict=True))
            found = [by_id.get(key) for key in below]
            if not all(isinstance(one, ir.Column) for one in found):
                return None
            below = [one.index for one in found if isinstance(one, ir.Column)]
            needed = used_by(one for column, one in by_id.items() if column in needed)
        else:
            return None
        relation = relation.input
    return _Side(relation, conjuncts, list(zip(keys, below, strict=True)), needed)


def _orders(side: _Side, numbers: list[int]) -> Iterator[list[tuple[int, bool]]]:
    """(pair, descending): orders that an index of the side may give."""
    for index in side.scan.table.indexes:
        if not index.usable or index.predicate is not None:
            continue
        found: list[tuple[int, bool]] = []
        for column in index.columns:
            if not column.number:
                break
            column_id = side.scan.outputs[column.number - 1].id
            pair = next(
                (
                    n
                    for n, (_, below) in zip(numbers, side.columns, strict=True)
                    if below == column_id
                ),
                None,
            )
            if pair is None or any(pair == one for one, _ in found):
                break
            found.append((pair, column.descending))
        if found:
            yield found
            yield [(pair, not descending) for pair, descending in found]


def _merge(
    planner: Planner,
    kind: str,
    left: _Side,
    right: _Side,
    numbers: list[int],
    order: list[tuple[int, bool]],
    types: dict[int, int],
    hint: Hint,
) -> Merge | None:
    wished = _wished(kind, left, right, numbers, order, hint.wish)
    found_left = _way(planner, left, numbers, order, wished)
    found_right = _way(planner, right, numbers, order, None)
    if found_left is None or found_right is None:
        return None
    return Merge(
        found_left[0],
        found_right[0],
        tuple(pair for pair, _ in order),
        tuple(SortColumn(descending, False, sort_key(types[pair])) for pair, descending in order),
        wished is not None and found_left[0] == wished,
        found_left[1] + found_right[1],
    )


def _way(
    planner: Planner,
    side: _Side,
    numbers: list[int],
    order: list[tuple[int, bool]],
    wished: Wish | None,
) -> tuple[Wish, float] | None:
    """What to ask of the side so that it comes in this order, and the cost. Where NULLs come does not matter."""
    names = dict(zip(numbers, side.columns, strict=True))
    wishes = [wished] if wished is not None else []
    for flipped in (False, True):
        wishes.append(Wish(tuple((names[pair][0], down, down != flipped) for pair, down in order)))
    below = dict(side.columns)
    for wish in wishes:
        if any(column not in below for column, _, _ in wish.order):
            continue
        asked = Wish(tuple((below[column], down, first) for column, down, first in wish.order))
        choice = scans.choose_way(planner, side.scan, side.conjuncts, side.needed, asked)
        if choice.ordered:
            return wish, choice.cost
    return None


def _wished(
    kind: str,
    left: _Side,
    right: _Side,
    numbers: list[int],
    order: list[tuple[int, bool]],
    wish: Wish,
) -> Wish | None:
    """The order that is wished for above as one of the left side, where it and the join's are the same one."""
    if not wish.order or kind == "full" or len(wish.order) > len(order):
        return None
    names = dict(zip(numbers, left.columns, strict=True))
    others = dict(zip(numbers, right.columns, strict=True))
    made = []
    for (column, descending, nulls_first), (pair, down) in zip(wish.order, order, strict=False):
        same = column == names[pair][0] or (kind == "inner" and column == others[pair][0])
        if not same or descending != down:
            return None
        made.append((names[pair][0], down, nulls_first))
    for pair, down in order[len(made) :]:
        made.append((names[pair][0], down, down))
    return Wish(tuple(made))
