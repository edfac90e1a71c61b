"""What an OR says that is more useful outside of it.

    (a AND b) OR (a AND c)  is  a AND (b OR c)

so that `a` can join, find a key, or move down by itself. And an OR over several relations, each of whose arms
says something about one of them, lets that one be filtered before it is joined: (s.x AND t.y) OR (s.z AND t.u)
implies (s.x OR s.z). Both hold in three-valued logic too; for the second that matters as little as for any
filter: what it drops, the OR above it drops.
"""

from __future__ import annotations

from collections.abc import Sequence

from trilithon.expression import ir
from trilithon.query.analyse.free import used_columns
from trilithon.query.analyse.tree import Expr
from trilithon.query.plan.conditions import conjunction, has_subquery, movable, split


def split_factored(expression: Expr | None) -> list[Expr]:
    """The conjuncts of a condition, with what all arms of an OR have in common outside of it."""
    return [part for conjunct in split(expression) for part in _factored(conjunct)]


def _factored(conjunct: Expr) -> list[Expr]:
    if not isinstance(conjunct, ir.Or):
        return [conjunct]
    arms = [split(argument) for argument in conjunct.args]
    common = _common(arms)
    if not common:
        return [conjunct]
    rest = [conjunction([one for one in arm if one not in common]) for arm in arms]
    if any(arm is None for arm in rest):
        # One arm is just what is common: nothing more is asked for.
        return common
    return [*common, ir.Or(tuple(arm for arm in rest if arm is not None))]


def _common(arms: Sequence[Sequence[Expr]]) -> list[Expr]:
    common: list[Expr] = []
    for one in arms[0]:
        if one not in common and movable(one) and not has_subquery(one):
            common.append(one)
    for arm in arms[1:]:
        if not common:
            break
        common = [one for one in common if one in arm]
    return common


def implied(conjuncts: Sequence[Expr], columns: frozenset[int]) -> list[Expr]:
    """What ORs over more than `columns` say about these alone."""
    found: list[Expr] = []
    for conjunct in conjuncts:
        if isinstance(conjunct, ir.Or) and not used_columns(conjunct) <= columns:
            arms = [_about(argument, columns) for argument in conjunct.args]
            if all(arms):
                found.append(ir.Or(tuple(arm for arm in arms if arm is not None)))
    return found


def _about(argument: Expr, columns: frozenset[int]) -> Expr | None:
    return conjunction([one for one in split(argument) if _over(one, columns)])


def _over(conjunct: Expr, columns: frozenset[int]) -> bool:
    used = used_columns(conjunct)
    return bool(used) and used <= columns and movable(conjunct) and not has_subquery(conjunct)
