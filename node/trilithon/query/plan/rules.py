"""The bound tree rewritten: CTEs inlined, filters pushed down, subqueries unnested, joins ordered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from trilithon.expression import ir
from trilithon.expression.compile import fold_constants
from trilithon.query.analyse import tree
from trilithon.query.analyse.free import expressions_of, free_columns, inputs_of, used_columns
from trilithon.query.analyse.tree import Expr, Relation, Subquery
from trilithon.query.plan import access, estimates, join_order, long_lists
from trilithon.query.plan.conditions import (
    conjunction,
    has_subquery,
    movable,
    split,
    strictly_uses,
)
from trilithon.query.plan.disjunctions import implied, split_factored


@dataclass(slots=True, eq=False)
class Rewriter:
    """`texts` analyses index expressions for the join order's guesses. Without `new_column` nothing becomes a
    relation of its own: for guesses alone."""

    texts: access.IndexTexts
    new_column: Callable[[], int] | None = None


def rewrite(rewriter: Rewriter, relation: Relation) -> Relation:
    for rule in RULES:
        relation = rule(rewriter, relation)
    return relation


def ids(relation: Relation) -> frozenset[int]:
    return frozenset(column.id for column in relation.outputs)


# ---- CTEs that are read once become part of the query


def inline_ctes(rewriter: Rewriter, relation: Relation) -> Relation:
    counts: dict[int, int] = {}
    _count_reads(relation, counts)
    return _inline(relation, counts, {})


def _count_reads(relation: Relation, counts: dict[int, int], weight: int = 1) -> None:
    if isinstance(relation, tree.CteScan):
        counts[relation.cte] = counts.get(relation.cte, 0) + weight
    for expression in expressions_of(relation):
        for node in ir.post_order(expression):
            if isinstance(node, Subquery):
                # A subquery may run for every row: what it reads is worth keeping.
                _count_reads(node.body, counts, 2)
    for inner in inputs_of(relation):
        _count_reads(inner, counts, weight)


def _inline(relation: Relation, counts: dict[int, int], bodies: dict[int, tree.Cte]) -> Relation:
    if isinstance(relation, tree.With):
        kept = []
        for cte in relation.ctes:
            cte.body = _inline(cte.body, counts, bodies)
            if cte.recursive is not None:
                cte.recursive = _inline(cte.recursive, counts, bodies)
            if _may_inline(cte, counts):
                bodies[cte.number] = cte
            else:
                kept.append(cte)
        body = _inline(relation.body, counts, bodies)
        left = tuple(cte for cte in kept if cte.number not in bodies)
        return tree.With(relation.outputs, left, body) if left else body
    if isinstance(relation, tree.CteScan) and relation.cte in bodies:
        cte = bodies[relation.cte]
        columns = tuple(ir.Column(column.id, column.type) for column in cte.body.outputs)
        return tree.Project(relation.outputs, cte.body, columns)
    _map_inputs(relation, lambda inner: _inline(inner, counts, bodies))
    return relation


def _may_inline(cte: tree.Cte, counts: dict[int, int]) -> bool:
    if cte.recursive is not None or cte.modifies or cte.materialized:
        return False
    return counts.get(cte.number, 0) == 1 and not is_volatile(cte.body)


def bodies_of(relation: tree.With) -> list[Relation]:
    """What its CTEs are made of, recursive terms included."""
    bodies = [cte.body for cte in relation.ctes]
    return bodies + [cte.recursive for cte in relation.ctes if cte.recursive is not None]


def read_by_subqueries(relation: tree.With) -> bool:
    """Whether a subquery in some expression, at any depth, reads one of its CTEs."""
    numbers = {cte.number for cte in relation.ctes}
    return any(inside and scan.cte in numbers for scan, inside in _cte_scans(relation))


def reads(relation: Relation, numbers: frozenset[int]) -> bool:
    """Whether it reads one of these CTEs."""
    return any(scan.cte in numbers for scan, _ in _cte_scans(relation))


def _cte_scans(relation: Relation) -> Iterator[tuple[tree.CteScan, bool]]:
    """Every one at any depth, and whether it is inside a subquery in some expression."""
    stack: list[tuple[Relation, bool]] = [(relation, False)]
    while stack:
        top, inside = stack.pop()
        if isinstance(top, tree.CteScan):
            yield top, inside
        stack += [(inner, inside) for inner in inputs_of(top)]
        for expression in expressions_of(top):
            for node in ir.post_order(expression):
                if isinstance(node, Subquery):
                    stack.append((node.body, True))


def is_volatile(relation: Relation) -> bool:
    """Whether running it twice may give something else, or do something twice."""
    if isinstance(relation, tree.Insert | tree.Update | tree.Delete | tree.Merge | tree.LockRows):
        return True
    if any(not movable(expression) for expression in expressions_of(relation)):
        return True
    return any(is_volatile(inner) for inner in inputs_of(relation))


def _map_inputs(relation: Relation, change: Callable[[Relation], Relation]) -> None:
    match relation:
        case tree.Join() | tree.SetOperation():
            relation.left = change(relation.left)
            relation.right = change(relation.right)
        case tree.With():
            for cte in relation.ctes:
                cte.body = change(cte.body)
                if cte.recursive is not None:
                    cte.recursive = change(cte.recursive)
            relation.body = change(relation.body)
        case tree.Insert() | tree.Update() | tree.Delete() | tree.Merge():
            relation.source = change(relation.source)
        case (
            tree.Project()
            | tree.Filter()
            | tree.Aggregate()
            | tree.Window()
            | tree.Sort()
            | tree.Limit()
            | tree.Distinct()
            | tree.LockRows()
        ):
            relation.input = change(relation.input)
        case _:
            return


# ---- filters


def push_filters(rewriter: Rewriter, relation: Relation) -> Relation:
    return _push(rewriter, relation, [])


def _push(rewriter: Rewriter, relation: Relation, conjuncts: list[Expr]) -> Relation:
    """The relation with the conjuncts applied, as far down as they go."""
    match relation:
        case tree.Filter():
            return _push_filter(rewriter, relation, conjuncts)
        case tree.Project():
            return _push_project(rewriter, relation, conjuncts)
        case tree.Join():
            return _push_join(rewriter, relation, conjuncts)
        case tree.Aggregate():
            groups = frozenset(g.index for g in relation.common if isinstance(g, ir.Column))
            own = ids(relation)
            down = [c for c in conjuncts if _only(c, groups, own) and used_columns(c) & own]
            relation.input = _push(rewriter, relation.input, down)
            return _keep(relation, [c for c in conjuncts if c not in down])
        case tree.Sort() | tree.LockRows():
            relation.input = _push(rewriter, relation.input, conjuncts)
            return relation
        case tree.Distinct() if relation.on is None:
            relation.input = _push(rewriter, relation.input, conjuncts)
            return relation
        case tree.SetOperation():
            return _push_set(rewriter, relation, conjuncts)
        case tree.With():
            for cte in relation.ctes:
                cte.body = _push(rewriter, cte.body, [])
                if cte.recursive is not None:
                    cte.recursive = _push(rewriter, cte.recursive, [])
            relation.body = _push(rewriter, relation.body, conjuncts)
            return relation
        case _:
            _map_inputs(relation, lambda inner: _push(rewriter, inner, []))
            return _keep(relation, conjuncts)


def _keep(relation: Relation, conjuncts: list[Expr]) -> Relation:
    condition = conjunction(conjuncts)
    return relation if condition is None else tree.Filter(relation.outputs, relation, condition)


def _only(conjunct: Expr, columns: frozenset[int], known: frozenset[int]) -> bool:
    """Whether it needs no more than `columns` of those that are `known` here; an outer query's are values."""
    used = used_columns(conjunct) & known
    return used <= columns and movable(conjunct) and not has_subquery(conjunct)


def _push_filter(rewriter: Rewriter, relation: tree.Filter, conjuncts: list[Expr]) -> Relation:
    own: list[Expr] = []
    inner = relation.input
    for conjunct in split_factored(relation.predicate):
        listed = None
        if rewriter.new_column is not None:
            listed = long_lists.as_values(conjunct, rewriter.new_column)
        if listed is not None:
            inner = tree.Join(inner.outputs, "semi", inner, *listed)
        elif has_subquery(conjunct):
            own.append(conjunct)
        else:
            own += split(fold_constants(long_lists.as_set(conjunct)))
    plain: list[Expr] = []
    for conjunct in own:
        joined = _unnest(inner, conjunct)
        if joined is None:
            plain.append(conjunct)
        else:
            inner = joined
    return _push(rewriter, inner, plain + conjuncts)


def _push_project(rewriter: Rewriter, relation: tree.Project, conjuncts: list[Expr]) -> Relation:
    by_id = {
        column.id: expression
        for column, expression in zip(relation.outputs, relation.expressions, strict=True)
    }
    down, kept = [], []
    for conjunct in conjuncts:
        used = used_columns(conjunct)
        simple = not has_subquery(conjunct) and all(
            not has_subquery(by_id[column]) and movable(by_id[column])
            for column in used
            if column in by_id
        )
        if simple and movable(conjunct):
            down.append(substitute(conjunct, by_id))
        else:
            kept.append(conjunct)
    relation.input = _push(rewriter, relation.input, down)
    return _keep(relation, kept)


def substitute(expression: Expr, by_id: dict[int, Expr]) -> Expr:
    def change(node: Expr) -> Expr:
        if isinstance(node, ir.Column):
            return by_id.get(node.index, node)
        return node

    return ir.transform(expression, change)


def _push_set(rewriter: Rewriter, relation: tree.SetOperation, conjuncts: list[Expr]) -> Relation:
    down = [c for c in conjuncts if movable(c) and not has_subquery(c)]
    for side in ("left", "right"):
        inner: Relation = getattr(relation, side)
        by_id: dict[int, Expr] = {
            column.id: ir.Column(theirs.id, theirs.type)
            for column, theirs in zip(relation.outputs, inner.outputs, strict=True)
        }
        setattr(relation, side, _push(rewriter, inner, [substitute(c, by_id) for c in down]))
    return _keep(relation, [c for c in conjuncts if c not in down])


def _push_join(rewriter: Rewriter, join: tree.Join, conjuncts: list[Expr]) -> Relation:
    left, right = ids(join.left), ids(join.right)
    if join.kind in ("left", "full", "right") and conjuncts:
        _strengthen(join, conjuncts, left, right)
    if join.kind == "inner" and not join.lateral:
        return _push_inner(rewriter, join, conjuncts)
    own = split_factored(join.condition)
    both = left | right
    to_left: list[Expr] = []
    to_right: list[Expr] = []
    kept: list[Expr] = []
    above: list[Expr] = []
    inner = join.kind == "inner"
    for conjunct in conjuncts:
        if join.kind in ("inner", "left", "semi", "anti") and _only(conjunct, left, both):
            to_left.append(conjunct)
        elif join.kind in ("inner", "right") and not join.lateral and _only(conjunct, right, both):
            to_right.append(conjunct)
        else:
            above.append(conjunct)
    for conjunct in own:
        constant = not used_columns(conjunct) & both
        if inner and _only(conjunct, left, both) and not constant:
            to_left.append(conjunct)
        elif (
            join.kind in ("inner", "left", "semi", "anti")
            and _only(conjunct, right, both)
            and not join.lateral
        ):
            to_right.append(conjunct)
        elif (join.kind == "right" and _only(conjunct, left, both) and not constant) or (
            join.kind == "semi" and _only(conjunct, left, both) and not constant
        ):
            to_left.append(conjunct)
        else:
            kept.append(conjunct)
    join.left = _push(rewriter, join.left, to_left)
    join.right = _push(rewriter, join.right, to_right)
    join.condition = conjunction(kept)
    return _keep(join, above)


def _strengthen(
    join: tree.Join, conjuncts: list[Expr], left: frozenset[int], right: frozenset[int]
) -> None:
    """An outer join whose NULL rows a condition above throws away is less than that."""
    drops_left_nulls = any(strictly_uses(c, left) for c in conjuncts if not has_subquery(c))
    drops_right_nulls = any(strictly_uses(c, right) for c in conjuncts if not has_subquery(c))
    if join.kind == "full":
        if drops_left_nulls and drops_right_nulls:
            join.kind = "inner"
        elif drops_left_nulls:
            join.kind = "left"
        elif drops_right_nulls:
            join.kind = "right"
    elif (join.kind == "left" and drops_right_nulls) or (join.kind == "right" and drops_left_nulls):
        join.kind = "inner"


# ---- inner joins: all their inputs and conditions at once


def _push_inner(rewriter: Rewriter, join: tree.Join, conjuncts: list[Expr]) -> Relation:
    leaves: list[Relation] = []
    conditions: list[Expr] = list(conjuncts)
    _flatten(join, leaves, conditions)
    above = [c for c in conditions if has_subquery(c) or not movable(c)]
    conditions = [c for c in conditions if c not in above]
    known = frozenset().union(*map(ids, leaves))
    pushed: list[Relation] = []
    for leaf in leaves:
        columns = ids(leaf)
        mine = [c for c in conditions if frozenset() < used_columns(c) & known <= columns]
        conditions = [c for c in conditions if c not in mine]
        pushed.append(_push(rewriter, leaf, mine + implied(conditions, columns)))
    result, rest = join_order.joined(rewriter, pushed, conditions)
    return _keep(result, rest + above)


def _flatten(relation: Relation, leaves: list[Relation], conditions: list[Expr]) -> None:
    if isinstance(relation, tree.Join) and relation.kind == "inner" and not relation.lateral:
        _flatten(relation.left, leaves, conditions)
        _flatten(relation.right, leaves, conditions)
        conditions += split_factored(relation.condition)
    elif isinstance(relation, tree.Filter) and isinstance(relation.input, tree.Join):
        inner = relation.input
        if inner.kind == "inner" and not inner.lateral:
            _flatten(inner, leaves, conditions)
            conditions += split_factored(relation.predicate)
        else:
            leaves.append(relation)
    else:
        leaves.append(relation)


def guess_rows(rewriter: Rewriter, relation: Relation) -> float:
    """How many rows a relation may have."""
    match relation:
        case tree.Scan():
            return estimates.table_rows(relation)
        case tree.Filter(input=tree.Scan() as scan):
            conjuncts = split(relation.predicate)
            choice = access.choose(scan, conjuncts, rewriter.texts)
            rows = choice.rows
            counted = choice.counted
            for conjunct in conjuncts:
                if not any(conjunct is done for done in counted):
                    rows *= estimates.kept_part(scan, conjunct)
            return max(rows, 0.5)
        case tree.Filter():
            return max(guess_rows(rewriter, relation.input) / estimates.OTHER, 0.5)
        case tree.Project() | tree.Sort() | tree.Distinct() | tree.LockRows():
            return guess_rows(rewriter, relation.input)
        case tree.Limit():
            if isinstance(relation.count, ir.Constant) and relation.count.value is not None:
                return float(relation.count.value)
            return min(guess_rows(rewriter, relation.input), 100.0)
        case tree.Values():
            return float(len(relation.rows))
        case tree.Aggregate():
            return guess_rows(rewriter, relation.input) / 10 if relation.groups else 1.0
        case tree.Join():
            return _guess_join(rewriter, relation)
        case tree.VirtualScan():
            return 300.0
        case _:
            return 1000.0


def _guess_join(rewriter: Rewriter, join: tree.Join) -> float:
    left = guess_rows(rewriter, join.left)
    if join.kind in ("semi", "anti"):
        return max(left / 2, 0.5)
    rows = left * guess_rows(rewriter, join.right)
    for conjunct in split(join.condition):
        rows *= estimates.joined_part(join.left, join.right, conjunct)
    return max(rows, left if join.kind in ("left", "full") else 0.5)


# ---- EXISTS and IN as joins


def _unnest(outer: Relation, conjunct: Expr) -> tree.Join | None:
    """outer WHERE [NOT] EXISTS (…) or x IN (…) as a semi or anti join; None where that is not so."""
    negated = False
    if isinstance(conjunct, ir.Not):
        negated, conjunct = True, conjunct.arg
    if not isinstance(conjunct, Subquery):
        return None
    if conjunct.kind == "exists":
        return _unnest_exists(outer, conjunct, "anti" if negated else "semi")
    if conjunct.kind == "any" and not negated:
        return _unnest_any(outer, conjunct)
    return None


def _unnest_exists(outer: Relation, subquery: Subquery, kind: tree.JoinKind) -> tree.Join | None:
    body = subquery.body
    if not free_columns(body) & ids(outer):
        # Uncorrelated: one evaluation for all rows is cheaper.
        return None
    while isinstance(body, tree.Project | tree.Sort) or (
        isinstance(body, tree.Distinct) and body.on is None
    ):
        body = body.input
    pulled = _pull_correlated(body)
    if pulled is None:
        return None
    inner, conditions = pulled
    return tree.Join(outer.outputs, kind, outer, inner, conjunction(conditions))


def _unnest_any(outer: Relation, subquery: Subquery) -> tree.Join | None:
    if any(has_subquery(argument) or not movable(argument) for argument in subquery.args):
        return None
    places: dict[int, Expr] = dict(zip(subquery.places, subquery.args, strict=True))
    assert subquery.comparison is not None
    condition = substitute(subquery.comparison, places)
    body = subquery.body
    if not free_columns(body):
        return tree.Join(outer.outputs, "semi", outer, body, condition)
    if not isinstance(body, tree.Project):
        return None
    if any(has_subquery(e) or not movable(e) for e in body.expressions):
        return None
    by_id = {
        column.id: expression
        for column, expression in zip(body.outputs, body.expressions, strict=True)
    }
    pulled = _pull_correlated(body.input)
    if pulled is None:
        return None
    inner, conditions = pulled
    conditions = [substitute(condition, by_id), *conditions]
    return tree.Join(outer.outputs, "semi", outer, inner, conjunction(conditions))


def _pull_correlated(body: Relation) -> tuple[Relation, list[Expr]] | None:
    """The body without its correlated conditions, and those; None where correlation sits deeper."""
    if not isinstance(body, tree.Filter):
        return None if free_columns(body) else (body, [])
    if free_columns(body.input):
        return None
    produced = ids(body.input)
    local: list[Expr] = []
    pulled: list[Expr] = []
    for conjunct in split(body.predicate):
        if used_columns(conjunct) <= produced:
            local.append(conjunct)
        elif has_subquery(conjunct) or not movable(conjunct):
            return None
        else:
            pulled.append(conjunct)
    return _keep(body.input, local), pulled


RULES: Final[tuple[Callable[[Rewriter, Relation], Relation], ...]] = (inline_ctes, push_filters)
