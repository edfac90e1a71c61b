"""How a table's rows are found: which index, which of its columns are fixed, which range.

Costs are rows that are looked at, see `estimates`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from trilithon.expression import ir
from trilithon.query.analyse.free import used_columns
from trilithon.query.analyse.tree import Expr, Scan
from trilithon.query.catalog.definitions import Index
from trilithon.query.plan import estimates
from trilithon.query.plan.conditions import Condition, find_conditions, same_order, split

# Asking all storage processes for a range costs as much as some rows; a few keys do not.
SCAN_COST: Final = 10.0
# A row that is found through a secondary index is read after its entry.
SECONDARY_COST: Final = 3.0
# … and of an entry that is enough by itself.
ENTRY_COST: Final = 1.2
# Alternatives that are looked up one by one.
ARMS_MAX: Final = 2_000
# Each range of a longer list is one more question.
LONG_LIST_COST: Final = 3.0

# The analysed texts of an index's expression columns and predicate, over a scan's column ids.
IndexTexts = Callable[[Scan, Index], tuple[tuple[Expr | None, ...], tuple[Expr, ...] | None]]
Covers = Callable[[Index, Sequence[Expr]], bool]


@dataclass(frozen=True, slots=True)
class Wish:
    """An order: (column id, descending, nulls first) by key."""

    order: tuple[tuple[int, bool, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to the rows. `index` None: the table has no clustered index, all its rows are read.

    `fixed` are the conditions on the leading columns, `low` and `high` (already in key order) bound
    the next one. `enforced` are the conjuncts that need no further check. `rows` is the guess.
    """

    index: Index | None
    fixed: tuple[Condition, ...] = ()
    low: Condition | None = None
    high: Condition | None = None
    enforced: tuple[Expr, ...] = ()
    rows: float = estimates.TABLE_ROWS
    cost: float = estimates.TABLE_ROWS
    ordered: bool = False
    reverse: bool = False
    # Alternatives that each fix the same number of leading columns: (a, b) IN ((1, 2), (3, 4)).
    arms: tuple[tuple[Expr, ...], ...] = ()
    # The conjunct that the arms come from.
    either: Expr | None = None

    @property
    def points(self) -> bool:
        """Whole keys of a unique index."""
        index = self.index
        width = len(self.arms[0]) if self.arms else len(self.fixed)
        return index is not None and index.immediate and width == len(index.columns)

    @property
    def counted(self) -> tuple[Expr, ...]:
        """The conjuncts that `rows` counts with."""
        used = [one.conjunct for one in (*self.fixed, self.low, self.high) if one is not None]
        return (*self.enforced, *used, *([self.either] if self.either is not None else []))

    def uses(self, columns: frozenset[int]) -> bool:
        """Whether a key depends on one of these (outer) columns."""
        values = [condition.value for condition in (*self.fixed, self.low, self.high) if condition]
        values += [value for arm in self.arms for value in arm]
        return any(used_columns(value) & columns for value in values)


def choose(
    scan: Scan,
    conjuncts: Sequence[Expr],
    texts: IndexTexts,
    wish: Wish | None = None,
    *,
    few: bool = False,
    covers: Covers | None = None,
) -> Choice:
    """The cheapest way. With `wish`, ways that give the order; `few`: not all rows will be read.
    `covers`: whether an index's own entries are enough, given the conjuncts that its keys enforce."""
    own = frozenset(column.id for column in scan.outputs)
    conditions = find_conditions(conjuncts, own)
    clustered = scan.table.clustered
    everything = estimates.table_rows(scan)
    best = Choice(clustered, rows=everything, cost=everything + SCAN_COST)
    best = _with_order(scan, best, wish)
    for index in scan.table.indexes:
        if not index.usable:
            continue
        choice = _through(scan, index, conditions, conjuncts, texts, wish, covers)
        if choice is None:
            continue
        if index.predicate is None and len(choice.fixed) < len(index.columns):
            either = _by_arms(scan, index, conjuncts, own)
            if either is not None and _effective(either, wish, few) < _effective(best, wish, few):
                best = either
        if not choice.fixed and choice.low is None and choice.high is None:
            alone = covers is not None and covers(index, choice.enforced)
            useful = wish is not None and choice.ordered and (index.clustered or few or alone)
            if not useful:
                continue
        if _effective(choice, wish, few) < _effective(best, wish, few):
            best = choice
    return best


def _effective(choice: Choice, wish: Wish | None, few: bool) -> float:
    """The cost, with the sort that an unordered way needs; an ordered one may stop early."""
    if wish is None or not wish.order:
        return choice.cost
    if not choice.ordered:
        return choice.cost * 1.3 + 1
    return choice.cost * 0.05 if few and choice.rows > 100 else choice.cost


def _through(
    scan: Scan,
    index: Index,
    conditions: list[Condition],
    conjuncts: Sequence[Expr],
    texts: IndexTexts,
    wish: Wish | None,
    covers: Covers | None,
) -> Choice | None:
    expressions: tuple[Expr | None, ...] = (None,) * len(index.columns)
    enforced: list[Expr] = []
    if index.predicate is not None or any(not column.number for column in index.columns):
        expressions, predicate = texts(scan, index)
        if predicate is not None:
            # The predicate must be among the query's own conditions, word for word.
            if any(part not in conjuncts for part in predicate):
                return None
            enforced += predicate
    fixed: list[Condition] = []
    low = high = None
    for position, column in enumerate(index.columns):
        operand = operand_of(scan, index, position, expressions)
        mine = [condition for condition in conditions if _matches(condition.operand, operand)]
        equal = next((c for c in mine if c.operator == "="), None) or next(
            (c for c in mine if c.operator == "in"), None
        )
        if equal is not None:
            fixed.append(equal)
            if equal.exact:
                enforced.append(equal.conjunct)
            continue
        for condition in mine:
            upward = condition.operator in (">", ">=")
            if upward != column.descending:
                low = low or condition
            else:
                high = high or condition
        break
    rows, points = _guess(scan, index, fixed, low, high)
    cost = rows
    if not index.clustered:
        alone = not points and covers is not None and covers(index, enforced)
        cost = rows * (ENTRY_COST if alone else SECONDARY_COST) + 1.0
    if not points:
        cost += 1.0 + LONG_LIST_COST * max(_lists(fixed) - ARMS_MAX, 0.0)
    choice = Choice(index, tuple(fixed), low, high, tuple(enforced), rows, cost)
    return _with_order(scan, choice, wish)


def _by_arms(
    scan: Scan,
    index: Index,
    conjuncts: Sequence[Expr],
    own: frozenset[int],
) -> Choice | None:
    """An OR whose every arm fixes the same two or more leading columns of the index."""
    if len(index.columns) < 2 or not all(column.number for column in index.columns):
        return None
    for conjunct in conjuncts:
        if not isinstance(conjunct, ir.Or) or len(conjunct.args) > ARMS_MAX:
            continue
        arms = [_arm(scan, index, argument, own) for argument in conjunct.args]
        width = min(len(values) for values, _ in arms)
        if width < 2:
            continue
        exact = all(complete and len(values) == width for values, complete in arms)
        rows = 1.0 if index.immediate and width == len(index.columns) else 5.0
        rows *= len(arms)
        return Choice(
            index,
            enforced=(conjunct,) if exact else (),
            rows=rows,
            cost=rows if index.clustered else rows * SECONDARY_COST + 1.0,
            arms=tuple(tuple(values[:width]) for values, _ in arms),
            either=conjunct,
        )
    return None


def _arm(scan: Scan, index: Index, argument: Expr, own: frozenset[int]) -> tuple[list[Expr], bool]:
    """The values of the leading columns that one arm fixes, and whether that is all it says."""
    conjuncts = split(argument)
    equal: dict[int, Condition] = {}
    for condition in find_conditions(conjuncts, own):
        if condition.operator == "=" and isinstance(condition.operand, ir.Column):
            equal.setdefault(condition.operand.index, condition)
    values: list[Expr] = []
    used: list[Expr] = []
    for column in index.columns:
        condition_ = equal.get(scan.outputs[column.number - 1].id)
        if condition_ is None:
            break
        values.append(condition_.value)
        used.append(condition_.conjunct)
    complete = all(any(conjunct is one for one in used) for conjunct in conjuncts)
    return values, complete


def operand_of(scan: Scan, index: Index, position: int, expressions: Sequence[Expr | None]) -> Expr:
    column = index.columns[position]
    if column.number:
        output = scan.outputs[column.number - 1]
        return ir.Column(output.id, output.type)
    expression = expressions[position]
    assert expression is not None
    return expression


def _matches(operand: Expr, wanted: Expr) -> bool:
    if isinstance(operand, ir.Column) and isinstance(wanted, ir.Column):
        return operand.index == wanted.index
    return bool(operand == wanted) and same_order(operand.type, wanted.type)


def _guess(
    scan: Scan,
    index: Index,
    fixed: Sequence[Condition],
    low: Condition | None,
    high: Condition | None,
) -> tuple[float, bool]:
    """How many rows, and whether by whole keys."""
    lists = _lists(fixed)
    if index.immediate and len(fixed) == len(index.columns):
        return min(lists, max(estimates.table_rows(scan), 1.0)), True
    rows = estimates.table_rows(scan)
    part = 1.0
    for column, condition in zip(index.columns, fixed, strict=False):
        if condition.operator == "in":
            part *= estimates.in_part(scan, column.number, condition.value)
        else:
            part *= estimates.compared_part(scan, column.number, "=", condition.value)
    if low is not None or high is not None:
        ends = [(end.operator, end.value) for end in (low, high) if end is not None]
        part *= estimates.range_part(scan, index.columns[len(fixed)].number, ends)
    return max(rows * min(part, 1.0), 1.0), False


def _lists(fixed: Sequence[Condition]) -> float:
    """How many combinations of values the fixed columns have."""
    return math.prod(
        estimates.list_length(condition.value) for condition in fixed if condition.operator == "in"
    )


def _with_order(scan: Scan, choice: Choice, wish: Wish | None) -> Choice:
    """Whether reading in key order (or against it) gives the wished order."""
    if wish is None or not wish.order:
        return choice
    for reverse in (False, True):
        if _gives(scan, choice, wish, reverse):
            return Choice(
                choice.index,
                choice.fixed,
                choice.low,
                choice.high,
                choice.enforced,
                choice.rows,
                choice.cost,
                True,
                reverse,
            )
    return choice


def _gives(scan: Scan, choice: Choice, wish: Wish, reverse: bool) -> bool:
    if choice.arms or any(condition.operator == "in" for condition in choice.fixed):
        return False
    constant = {
        condition.operand.index
        for condition in choice.fixed
        if isinstance(condition.operand, ir.Column)
    }
    wanted = [key for key in wish.order if key[0] not in constant]
    if not wanted:
        return True
    index = choice.index
    if index is None:
        return False
    columns = index.columns[len(choice.fixed) :]
    for number, (column_id, descending, nulls_first) in enumerate(wanted):
        if number >= len(columns):
            # A unique index without NULLs leaves no ties to order any further.
            return (
                index.immediate
                and all(
                    scan.table.columns[column.number - 1].not_null
                    for column in index.columns
                    if column.number
                )
                and all(column.number for column in index.columns)
            )
        column = columns[number]
        if not column.number or scan.outputs[column.number - 1].id != column_id:
            return False
        if column.descending != (descending != reverse):
            return False
        not_null = scan.table.columns[column.number - 1].not_null
        if not not_null and column.nulls_come_first != (nulls_first != reverse):
            return False
    return True
