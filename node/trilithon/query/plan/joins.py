"""Which join operator, and what it joins by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trilithon.expression import ir
from trilithon.expression.compile import compile_filter
from trilithon.expression.functions import get_function
from trilithon.query.analyse import tree
from trilithon.query.analyse.free import free_columns, used_columns
from trilithon.query.analyse.tree import Expr
from trilithon.query.execute import joins as run_joins
from trilithon.query.execute import merge_joins
from trilithon.query.execute.operators import Operator, Transform
from trilithon.query.plan import access, merges, rules, scans
from trilithon.query.plan.conditions import (
    conjunction,
    has_subquery,
    is_fetched,
    movable,
    replace_nodes,
    same_hash,
    split,
)
from trilithon.query.plan.explain import unsupported
from trilithon.query.plan.hints import NO_HINT, Hint
from trilithon.query.plan.lookups import find_lookup, lookup_cost, table_of
from trilithon.query.plan.places import keys_transform, positions_of, used_by
from trilithon.types.keys import key_prefix

if TYPE_CHECKING:
    from trilithon.query.plan.planner import Planner


@dataclass(slots=True)
class Equalities:
    """Equal keys of both sides, by position, and the conjuncts that are none."""

    left: list[Expr]
    right: list[Expr]
    rest: list[Expr]


def equalities(
    conjuncts: list[Expr], left: frozenset[int], right: frozenset[int]
) -> Equalities | None:
    """None where nothing is equal."""
    found = Equalities([], [], [])
    for conjunct in conjuncts:
        pair = _equality(conjunct, left, right)
        if pair is None:
            found.rest.append(conjunct)
        else:
            found.left.append(pair[0])
            found.right.append(pair[1])
    return found if found.left else None


def _equality(
    conjunct: Expr, left: frozenset[int], right: frozenset[int]
) -> tuple[Expr, Expr] | None:
    if not isinstance(conjunct, ir.Call) or len(conjunct.args) != 2:
        return None
    if get_function(conjunct.function).name != "=" or not movable(conjunct):
        return None
    one, other = conjunct.args
    if not same_hash(one.type, other.type) or has_subquery(conjunct):
        return None
    of_one, of_other = used_columns(one), used_columns(other)
    if not of_one or not of_other:
        return None
    if not of_one & right and not of_other & left and of_one & left and of_other & right:
        return one, other
    if not of_one & left and not of_other & right and of_one & right and of_other & left:
        return other, one
    return None


def build_join(planner: Planner, join: tree.Join, needed: frozenset[int], hint: Hint) -> Operator:
    if join.kind == "right":
        join = tree.Join(join.outputs, "left", join.right, join.left, join.condition, join.lateral)
    conjuncts = split(join.condition)
    if join.kind == "inner" and any(has_subquery(conjunct) for conjunct in conjuncts):
        hard = [conjunct for conjunct in conjuncts if has_subquery(conjunct)]
        plain = conjunction([c for c in conjuncts if not has_subquery(c)])
        inner = tree.Join(join.outputs, "inner", join.left, join.right, plain, join.lateral)
        source = build_join(planner, inner, needed | used_by(hard), hint)
        lifted, source = planner.lift(hard, source)
        return planner.filtered(source, lifted)
    left_ids, right_ids = rules.ids(join.left), rules.ids(join.right)
    join, conjuncts = _with_hard_ones_inside(join, conjuncts, left_ids, right_ids)
    wanted = needed | used_by(conjuncts)
    if free_columns(join.right) & left_ids:
        return _lateral(planner, join, conjuncts, wanted)
    lifts = any(has_subquery(conjunct) for conjunct in conjuncts)
    lookup = None if lifts else _lookup(planner, join, conjuncts, wanted, hint)
    if lookup is not None:
        return lookup
    merge = None
    pairs = None if lifts else equalities(conjuncts, left_ids, right_ids)
    if pairs is not None:
        merge = merges.find_merge(planner, join, pairs.left, pairs.right, wanted, hint)
    if merge is None and join.kind == "inner" and _should_swap(planner, join):
        # The smaller side is the one that is kept in memory.
        join = tree.Join(join.outputs, "inner", join.right, join.left, join.condition)
        left_ids, right_ids = right_ids, left_ids
    left = planner.build(join.left, wanted & left_ids, Hint(merge.left) if merge else NO_HINT)
    right = planner.build(join.right, wanted & right_ids, Hint(merge.right) if merge else NO_HINT)
    if lifts:
        conjuncts, left, right = _lift_sides(planner, conjuncts, left, right)
        left_ids, right_ids = left_ids | set(left.columns), right_ids | set(right.columns)
    columns = left.columns if join.kind in ("semi", "anti") else (*left.columns, *right.columns)
    both = (*left.columns, *right.columns)
    pairs = equalities(conjuncts, left_ids, right_ids)
    if pairs is None:
        condition = _condition(planner, conjuncts, both)
        return run_joins.NestedLoop(
            columns,
            join.kind,
            left,
            right,
            condition,
            len(right.columns),
            planner.text(conjunction(conjuncts)),
        )
    if merge is not None and id(left) in planner.ordered and id(right) in planner.ordered:
        return _merged(planner, join, merge, conjuncts, pairs, left, right)
    return run_joins.HashJoin(
        columns,
        join.kind,
        left,
        right,
        keys_transform(planner, pairs.left, positions_of(left.columns)),
        keys_transform(planner, pairs.right, positions_of(right.columns)),
        _condition(planner, pairs.rest, both),
        len(right.columns),
        planner.text(conjunction([c for c in conjuncts if c not in pairs.rest])),
    )


def _with_hard_ones_inside(
    join: tree.Join, conjuncts: list[Expr], left_ids: frozenset[int], right_ids: frozenset[int]
) -> tuple[tree.Join, list[Expr]]:
    """Subqueries over both sides of an outer join, or in the condition of a lateral one, filter the right side,
    which then is read for each row of the left."""
    if join.kind not in ("left", "semi", "anti"):
        return join, conjuncts
    is_lateral = bool(free_columns(join.right) & left_ids)

    def is_hard(conjunct: Expr) -> bool:
        return any(
            is_lateral or (used_columns(node) & left_ids and used_columns(node) & right_ids)
            for node in ir.post_order(conjunct)
            if is_fetched(node)
        )

    hard = [conjunct for conjunct in conjuncts if is_hard(conjunct)]
    condition = conjunction(hard)
    if condition is None:
        return join, conjuncts
    plain = [conjunct for conjunct in conjuncts if not is_hard(conjunct)]
    right = tree.Filter(join.right.outputs, join.right, condition)
    inside = tree.Join(join.outputs, join.kind, join.left, right, conjunction(plain), True)
    return inside, plain


def _lift_sides(
    planner: Planner, conjuncts: list[Expr], left: Operator, right: Operator
) -> tuple[list[Expr], Operator, Operator]:
    """Subqueries in an outer join's condition, each evaluated on the side whose columns it uses."""
    replaced: dict[int, Expr] = {}
    for conjunct in conjuncts:
        for node in ir.post_order(conjunct):
            if not is_fetched(node):
                continue
            used = used_columns(node)
            if used & set(left.columns) and used & set(right.columns):
                raise unsupported("a subquery over both sides of an outer join in its condition")
            if used & set(right.columns):
                (replaced[id(node)],), right = planner.lift([node], right)
            else:
                (replaced[id(node)],), left = planner.lift([node], left)
    return [replace_nodes(conjunct, replaced) for conjunct in conjuncts], left, right


def _condition(
    planner: Planner, conjuncts: list[Expr], columns: tuple[int, ...]
) -> Transform | None:
    condition = conjunction(conjuncts)
    if condition is None:
        return None
    positions = {column: position for position, column in enumerate(columns)}
    return compile_filter(planner.place(condition, positions))


def _lateral(
    planner: Planner, join: tree.Join, conjuncts: list[Expr], wanted: frozenset[int]
) -> Operator:
    if join.kind == "full":
        raise unsupported("a full join with LATERAL")
    free = free_columns(join.right)
    left_ids = rules.ids(join.left)
    left = planner.build(join.left, (wanted | free) & left_ids)
    available = {column: position for position, column in enumerate(left.columns)}
    bindings, right = planner.correlated(join.right, available)
    columns = left.columns if join.kind in ("semi", "anti") else (*left.columns, *right.columns)
    condition = _condition(planner, conjuncts, (*left.columns, *right.columns))
    return run_joins.LateralJoin(
        columns, join.kind, left, right, bindings, condition, len(right.columns)
    )


def _merged(
    planner: Planner,
    join: tree.Join,
    merge: merges.Merge,
    conjuncts: list[Expr],
    pairs: Equalities,
    left: Operator,
    right: Operator,
) -> Operator:
    left_keys = [pairs.left[number] for number in merge.pairs]
    right_keys = [pairs.right[number] for number in merge.pairs]
    keys = [one for one in conjuncts if not any(one is other for other in pairs.rest)]
    rest = pairs.rest + [one for at, one in enumerate(keys) if at not in merge.pairs]
    made = merge_joins.MergeJoin(
        left.columns if join.kind in ("semi", "anti") else (*left.columns, *right.columns),
        join.kind,
        left,
        right,
        planner.projection(left_keys, left),
        planner.projection(right_keys, right),
        merge.order,
        _condition(planner, rest, (*left.columns, *right.columns)),
        len(right.columns),
        planner.text(conjunction([keys[at] for at in merge.pairs])),
        planner.text(conjunction(rest)),
    )
    if merge.satisfies:
        planner.ordered[id(made)] = made
    return made


def _should_swap(planner: Planner, join: tree.Join) -> bool:
    rewriter = rules.Rewriter(planner.texts)
    return rules.guess_rows(rewriter, join.left) * 2 < rules.guess_rows(rewriter, join.right)


def _lookup(
    planner: Planner, join: tree.Join, conjuncts: list[Expr], wanted: frozenset[int], hint: Hint
) -> Operator | None:
    """The right table by key for each batch of left rows, where that is cheaper than reading it."""
    if join.kind == "full":
        return None
    found = table_of(join.right)
    if found is None:
        return None
    scan, own = found
    left_ids, right_ids = rules.ids(join.left), rules.ids(join.right)
    choice = find_lookup(scan, own + conjuncts, planner.texts, left_ids)
    if choice is None or choice.index is None:
        return None
    rewriter = rules.Rewriter(planner.texts)
    outer_rows = rules.guess_rows(rewriter, join.left)
    alone = access.choose(scan, own, planner.texts)
    if lookup_cost(outer_rows, choice) > alone.cost:
        return None
    ours = all(column in left_ids for column, _, _ in hint.wish.order)
    left = planner.build(join.left, wanted & left_ids, Hint(hint.wish) if ours else NO_HINT)
    index, table = choice.index, scan.table
    positions = {column: position for position, column in enumerate(left.columns)}
    path = scans.make_path(planner, scan, choice, positions)

    def enforced(conjunct: Expr) -> bool:
        return any(conjunct is done for done in choice.enforced)

    mine = [c for c in own if not enforced(c)]
    rest = [c for c in conjuncts if not enforced(c)]
    columns_of_right, layout = scans.whole_layout(planner, scan, mine, wanted & right_ids)
    columns = left.columns if join.kind in ("semi", "anti") else (*left.columns, *columns_of_right)
    for column in scan.outputs:
        planner.names.setdefault(column.id, f"{scan.alias}.{column.name}")
    made = run_joins.LookupJoin(
        columns,
        join.kind,
        left,
        path,
        table,
        choice.points,
        None if index.clustered else key_prefix(table.storage_id, 0),
        layout,
        _condition(planner, rest, (*left.columns, *columns_of_right)),
        len(columns_of_right),
        scans.about_lookup(planner, scan, choice, mine + rest),
    )
    if ours and id(left) in planner.ordered:
        planner.ordered[id(made)] = made
    return made
