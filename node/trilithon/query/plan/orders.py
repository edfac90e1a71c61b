"""ORDER BY, LIMIT, DISTINCT."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from trilithon.expression import ir
from trilithon.query.analyse import tree
from trilithon.query.execute import operators, sorting
from trilithon.query.execute.operators import Operator
from trilithon.query.execute.run import Run
from trilithon.query.plan.access import Wish
from trilithon.query.plan.hints import NO_HINT, Hint, Limit
from trilithon.query.plan.places import keys_transform, positions_of, used_by
from trilithon.types.ordering import sort_key

if TYPE_CHECKING:
    from trilithon.query.plan.planner import Planner


def sort_columns(keys: Sequence[tree.SortKey]) -> tuple[sorting.SortColumn, ...]:
    return tuple(
        sorting.SortColumn(key.descending, key.nulls_first, sort_key(key.expression.type.oid))
        for key in keys
    )


def build_sort(
    planner: Planner, relation: tree.Sort, needed: frozenset[int], hint: Hint
) -> Operator:
    expressions = [key.expression for key in relation.keys]
    wish = Wish()
    if all(isinstance(expression, ir.Column) for expression in expressions):
        wish = Wish(
            tuple((key.expression.index, key.descending, key.nulls_first) for key in relation.keys)
        )
    inner = Hint(wish, hint.limit) if wish.order else NO_HINT
    source = planner.build(relation.input, needed | used_by(expressions), inner)
    if wish.order and id(source) in planner.ordered:
        return source
    lifted, source = planner.lift(expressions, source)
    keys = planner.projection(lifted, source)
    order = sort_columns(relation.keys)
    text = ", ".join(
        planner.text(key.expression) + (" DESC" if key.descending else "") for key in relation.keys
    )
    if hint.limit is not None:
        return sorting.TopRows(source.columns, source, keys, order, hint.limit, text)
    return sorting.Sorted(source.columns, source, keys, order, text)


def build_limit(planner: Planner, relation: tree.Limit, needed: frozenset[int]) -> Operator:
    inner = relation.input
    if isinstance(inner, tree.Project) and not relation.ties and relation.offset is None:
        # What the select list computes is computed for the rows that are told, and for no others.
        limit = tree.Limit(inner.input.outputs, inner.input, relation.count, None)
        return planner.build(tree.Project(inner.outputs, limit, inner.expressions), needed)
    expressions = [e for e in (relation.count, relation.offset) if e is not None]
    lifted, _ = planner.lift(expressions, operators.ConstantRows((), [()]))
    rest = iter(lifted)
    count = planner.scalar(next(rest)) if relation.count is not None else None
    offset = planner.scalar(next(rest)) if relation.offset is not None else None
    ties = relation.ties
    hint = NO_HINT if ties or count is None else Hint(limit=_limit_of(count, offset))
    wanted = needed | (used_by([key.expression for key in ties]) if ties else frozenset())
    source = planner.build(relation.input, wanted, hint)
    keys = None
    if ties:
        keys = planner.projection([key.expression for key in ties], source)
    few = isinstance(relation.count, ir.Constant) and (relation.count.value or 0) <= 1000
    return operators.Limited(source.columns, source, count, offset, keys, few)


def build_distinct(
    planner: Planner, relation: tree.Distinct, needed: frozenset[int], hint: Hint
) -> Operator:
    if relation.on is None:
        columns = [column.id for column in relation.outputs]
        source = planner.exactly(planner.build(relation.input, frozenset(columns)), columns)
        keys = [ir.Column(column.id, column.type) for column in relation.outputs]
        return sorting.Unique(
            source.columns,
            source,
            keys_transform(planner, keys, positions_of(source.columns)),
        )
    source = planner.build(relation.input, needed | used_by(relation.on), hint.without_limit())
    on = keys_transform(planner, list(relation.on), positions_of(source.columns))
    made = sorting.Unique(source.columns, source, on, "Unique", _order_of_distinct(relation))
    if id(source) in planner.ordered:
        planner.ordered[id(made)] = made
    return made


def _order_of_distinct(relation: tree.Distinct) -> str:
    """What DISTINCT ON knows of its input's order, see `sorting.Unique`."""
    if not isinstance(relation.input, tree.Sort):
        return "any"
    on = {expression.index for expression in relation.on or () if isinstance(expression, ir.Column)}
    leading = [key.expression for key in relation.input.keys[: len(on)]]
    columns = {expression.index for expression in leading if isinstance(expression, ir.Column)}
    return "adjacent" if columns == on else "kept"


def _limit_of(count: Callable[..., Any], offset: Callable[..., Any] | None) -> Limit:
    """LIMIT + OFFSET of a run; -1: all."""

    def limit(run: Run) -> int:
        wanted = count((), run.context)
        if wanted is None:
            return -1
        skipped = offset((), run.context) if offset is not None else 0
        return max(0, int(wanted)) + max(0, int(skipped or 0))

    return limit
