"""GROUP BY: one hashed operator for all grouping sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from trilithon.expression.partial import merging
from trilithon.query.analyse import tree
from trilithon.query.analyse.free import aggregate_expressions, used_columns
from trilithon.query.analyse.tree import Expr
from trilithon.query.execute import sorting
from trilithon.query.execute.aggregate import Call, GroupingSet, HashAggregate
from trilithon.query.execute.operators import Operator
from trilithon.query.plan.extremes import first_of_order
from trilithon.query.plan.partial_groups import storage_groups
from trilithon.types.ordering import sort_key

if TYPE_CHECKING:
    from trilithon.query.plan.planner import Planner


def build_aggregate(planner: Planner, relation: tree.Aggregate) -> Operator:
    wanted: list[Expr] = list(relation.groups)
    for call in relation.calls:
        wanted += aggregate_expressions(call)
    needed: set[int] = set()
    for expression in wanted:
        needed |= used_columns(expression)
    source = planner.build(first_of_order(planner, relation), frozenset(needed))
    prepared, source = planner.lift(wanted, source)
    width = len(relation.groups)
    rest = iter(range(width, len(prepared)))
    calls = tuple(_call(call, rest) for call in relation.calls)
    hashing = [sort_key(group.type.oid) for group in relation.groups]
    prepare = planner.projection(prepared, source) if prepared else _as_they_are
    partial = storage_groups(planner, relation, source, prepared, calls)
    if partial is not None:
        source, prepare = partial, _tuples
        calls = tuple(_merging(call, width + number) for number, call in enumerate(calls))
    return HashAggregate(
        tuple(column.id for column in relation.outputs),
        source,
        prepare,
        width,
        tuple(hashing) if any(hashing) else None,
        calls,
        _sets(relation),
        _texts(planner, relation),
    )


def _as_they_are(rows: list[Any], context: Any) -> list[Any]:
    return rows


def _tuples(rows: list[Any], context: Any) -> list[Any]:
    return list(map(tuple, rows))


def _merging(call: Call, position: int) -> Call:
    """The call over partial rows that hold its states at `position`."""
    return Call(merging(call.function), (position,), False, -1, (), (), (None,))


def _sets(relation: tree.Aggregate) -> tuple[GroupingSet, ...]:
    """GROUPING()'s values are the same for all groups of a set: a bit for each argument, the last one
    lowest, set where the set does not group by it."""
    sets = relation.sets
    if sets is None:
        sets = (tuple(range(len(relation.groups))),)
    found = []
    for one in sets:
        values = []
        for arguments in relation.groupings:
            mask = 0
            for position in arguments:
                mask = mask << 1 | (position not in one)
            values.append(mask)
        found.append(GroupingSet(tuple(sorted(one)), tuple(values)))
    return tuple(found)


def _texts(planner: Planner, relation: tree.Aggregate) -> tuple[tuple[str, str], ...]:
    if relation.sets is None:
        keys: tuple[tuple[Expr, ...], ...] = (relation.groups,)
    else:
        keys = tuple(tuple(relation.groups[at] for at in one) for one in relation.sets)
    return tuple(
        ("Group Key", planner.text(key) if key else "()")
        for key in keys
        if key or relation.sets is not None
    )


def _call(call: tree.AggregateCall, positions: Iterator[int]) -> Call:
    arguments = tuple(next(positions) for _ in call.arguments)
    condition = next(positions) if call.filter is not None else -1
    order_positions = tuple(next(positions) for _ in call.order)
    order = tuple(
        sorting.SortColumn(descending, nulls_first, sort_key(expression.type.oid))
        for expression, descending, nulls_first in call.order
    )
    if call.distinct and not order:
        # PostgreSQL finds duplicates by sorting, and what is made of the values shows it.
        order_positions = arguments
        order = tuple(
            sorting.SortColumn(False, False, sort_key(argument.type.oid))
            for argument in call.arguments
        )
    return Call(
        call.function,
        arguments,
        call.distinct,
        condition,
        order_positions,
        order,
        tuple(sort_key(argument.type.oid) for argument in call.arguments),
    )
