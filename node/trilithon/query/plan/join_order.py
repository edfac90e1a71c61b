"""The order of inner joins: by cost, over all left-deep orders of a few inputs; greedily of many.

Source: Selinger et al., "Access path selection in a relational database management system" (1979).
The cost of a join is what finding the right rows costs (by key for each left row, or reading the
input once and hashing it) and the rows that come out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from trilithon.query.analyse import tree
from trilithon.query.analyse.free import used_columns
from trilithon.query.analyse.tree import Expr, Relation
from trilithon.query.plan import access, estimates
from trilithon.query.plan.access import Choice
from trilithon.query.plan.conditions import conjunction
from trilithon.query.plan.lookups import find_lookup, lookup_cost, table_of

if TYPE_CHECKING:
    from trilithon.query.plan.rules import Rewriter

# Subsets double with each input.
EXHAUSTIVE_MAX: Final = 6
# Joining what nothing connects multiplies; it comes last wherever there is another way.
_CROSS: Final = 1e6


@dataclass(frozen=True, slots=True)
class _Input:
    relation: Relation
    columns: frozenset[int]
    # Rows after its own conditions, and what reading them costs.
    rows: float
    cost: float


@dataclass(frozen=True, slots=True)
class _Order:
    inputs: tuple[int, ...]
    rows: float
    cost: float


class JoinOrder:
    """One set of inputs with the conditions between them."""

    def __init__(
        self, rewriter: Rewriter, leaves: Sequence[Relation], conditions: Sequence[Expr]
    ) -> None:
        self._rewriter = rewriter
        from trilithon.query.plan.rules import ids

        # An outer query's columns are values.
        known = frozenset().union(*map(ids, leaves))
        self._conditions = [(one, used_columns(one) & known) for one in conditions]
        self._inputs = [self._input(leaf) for leaf in leaves]
        # By (input, numbers of the conditions that may be keys).
        self._lookups: dict[tuple[int, tuple[int, ...]], Choice | None] = {}

    def _input(self, leaf: Relation) -> _Input:
        from trilithon.query.plan.rules import guess_rows, ids

        rows = guess_rows(self._rewriter, leaf)
        cost = rows
        found = table_of(leaf)
        if found is not None:
            cost = access.choose(found[0], found[1], self._rewriter.texts).cost
        return _Input(leaf, ids(leaf), rows, cost)

    def best(self) -> tuple[int, ...]:
        """The numbers of the inputs, in the order in which to join them."""
        count = len(self._inputs)
        if count <= EXHAUSTIVE_MAX:
            return self._exhaustive(count)
        return self._greedy(count)

    def _exhaustive(self, count: int) -> tuple[int, ...]:
        best: dict[frozenset[int], _Order] = {
            frozenset({number}): self._alone(number) for number in range(count)
        }
        for size in range(1, count):
            for members in [key for key in best if len(key) == size]:
                for number in range(count):
                    if number in members:
                        continue
                    order = self._joined(best[members], number)
                    key = members | {number}
                    if key not in best or order.cost < best[key].cost:
                        best[key] = order
        return best[frozenset(range(count))].inputs

    def _greedy(self, count: int) -> tuple[int, ...]:
        order = min((self._alone(number) for number in range(count)), key=lambda one: one.rows)
        while len(order.inputs) < count:
            rest = [number for number in range(count) if number not in order.inputs]
            order = min((self._joined(order, number) for number in rest), key=lambda one: one.cost)
        return order.inputs

    def _alone(self, number: int) -> _Order:
        one = self._inputs[number]
        return _Order((number,), one.rows, one.cost)

    def _joined(self, left: _Order, number: int) -> _Order:
        right = self._inputs[number]
        known: frozenset[int] = frozenset().union(*(self._inputs[at].columns for at in left.inputs))
        both = known | right.columns
        ready = tuple(
            at
            for at, (_, used) in enumerate(self._conditions)
            if used & right.columns and used & known and used <= both
        )
        rows = left.rows * right.rows
        for at in ready:
            rows *= self._part(left, number, self._conditions[at][0])
        rows = max(rows, 1.0)
        by_hash = right.cost + right.rows * 0.5 + left.rows * 0.5
        if not ready:
            by_hash += left.rows * right.rows + _CROSS
        cost = by_hash
        lookup = self._lookup(number, ready, known)
        if lookup is not None:
            cost = min(cost, lookup_cost(left.rows, lookup))
        return _Order((*left.inputs, number), rows, left.cost + cost + rows * 0.1)

    def _part(self, left: _Order, number: int, condition: Expr) -> float:
        used = used_columns(condition)
        for at in left.inputs:
            if used & self._inputs[at].columns:
                return estimates.joined_part(
                    self._inputs[at].relation, self._inputs[number].relation, condition
                )
        return 1.0

    def _lookup(self, number: int, ready: tuple[int, ...], known: frozenset[int]) -> Choice | None:
        key = (number, ready)
        if key not in self._lookups:
            self._lookups[key] = self._find_lookup(number, ready, known)
        return self._lookups[key]

    def _find_lookup(
        self, number: int, ready: tuple[int, ...], known: frozenset[int]
    ) -> Choice | None:
        found = table_of(self._inputs[number].relation)
        if found is None or not ready:
            return None
        scan, own = found
        everything = own + [self._conditions[at][0] for at in ready]
        return find_lookup(scan, everything, self._rewriter.texts, known)


def joined(
    rewriter: Rewriter, leaves: Sequence[Relation], conditions: Sequence[Expr]
) -> tuple[Relation, list[Expr]]:
    """The leaves joined in the best order, each condition where its columns first meet; and the
    conditions that found no place."""
    from trilithon.query.plan.rules import ids

    order = JoinOrder(rewriter, leaves, conditions).best() if len(leaves) > 1 else (0,)
    rest = list(conditions)
    known = frozenset().union(*map(ids, leaves))
    result = leaves[order[0]]
    for position, number in enumerate(order[1:], 2):
        leaf = leaves[number]
        columns = ids(result) | ids(leaf)
        last = position == len(order)
        ready = [c for c in rest if used_columns(c) & known <= columns or last]
        rest = [c for c in rest if not any(c is one for one in ready)]
        outputs = (*result.outputs, *leaf.outputs)
        result = tree.Join(outputs, "inner", result, leaf, conjunction(ready))
    return result, rest
