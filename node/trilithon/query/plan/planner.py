"""Operators for the relations of a bound tree.

Every operator says which column ids its rows hold, in order; expressions are compiled over those
positions. A column id that an operator's input does not have belongs to an outer query: it is read
from the slot that the outer query fills.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from trilithon.expression import ir
from trilithon.expression.compile import (
    compile_filter,
    compile_projection,
    compile_scalar,
    fold_constants,
)
from trilithon.query.analyse import tree
from trilithon.query.analyse.free import free_columns
from trilithon.query.analyse.tree import Expr, Relation, Subquery
from trilithon.query.execute import operators
from trilithon.query.execute.operators import Operator, Transform
from trilithon.query.execute.run import Run
from trilithon.query.execute.subqueries import CtePlan, CteRows, InitPlan, WorkingRows
from trilithon.query.plan import (
    access,
    explain,
    grouping,
    joins,
    orders,
    rules,
    scans,
    sets,
    sources,
    subqueries,
    values,
    windows,
)
from trilithon.query.plan.access import Wish
from trilithon.query.plan.conditions import conjunction, has_subquery, is_fetched, split
from trilithon.query.plan.hints import NO_HINT, Hint
from trilithon.query.plan.places import positions_of, used_by
from trilithon.types.registry import TypeRef

Viewpoints = Callable[[Run], Any]


@dataclass(slots=True, eq=False)
class Planner:
    """One statement's planning. `outer` maps ids of outer columns to slots."""

    texts: access.IndexTexts
    viewpoint: Viewpoints
    new_column: Callable[[], int]
    first_slot: int
    outer: dict[int, int] = field(default_factory=dict)
    slots: int = 0
    init_plans: list[InitPlan] = field(default_factory=list)
    ctes: dict[int, CtePlan] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    # Operators whose rows come in the order that was wished for, by their identity.
    ordered: dict[int, Operator] = field(default_factory=dict)
    # Inside a correlated WITH: its CTEs are evaluated for each outer row.
    fresh_ctes: bool = False
    # Inside the recursive terms of these CTEs: they are read as the round before made them.
    recursing: frozenset[int] = frozenset()

    def slot(self) -> int:
        self.slots += 1
        return self.first_slot + self.slots - 1

    # ---- expressions

    def place(self, expression: Expr, positions: dict[int, int]) -> Expr:
        """The expression over a row laid out as `positions` say."""

        def change(node: Expr) -> Expr:
            if isinstance(node, ir.Column):
                position = positions.get(node.index)
                if position is None:
                    return ir.Parameter(self.outer[node.index] + 1, node.type)
                return ir.Column(position, node.type)
            return node

        return fold_constants(ir.transform(expression, change))

    def place_all(self, expressions: Iterable[Expr], operator: Operator) -> list[Expr]:
        positions = positions_of(operator.columns)
        return [self.place(expression, positions) for expression in expressions]

    def projection(self, expressions: Sequence[Expr], operator: Operator) -> Transform:
        return compile_projection(self.place_all(expressions, operator))

    def scalar(self, expression: Expr | None) -> Callable[[Any, Any], Any] | None:
        """An expression without columns of its own."""
        return None if expression is None else compile_scalar(self.place(expression, {}))

    def text(self, expressions: Expr | Sequence[Expr] | None) -> str:
        return explain.show(expressions, self.names)

    # ---- subqueries in expressions

    def lift(self, expressions: Sequence[Expr], source: Operator) -> tuple[list[Expr], Operator]:
        """See `subqueries.lift`."""
        return subqueries.lift(self, expressions, source)

    def correlated(
        self, body: Relation, available: dict[int, int]
    ) -> tuple[tuple[tuple[int, int], ...], Operator]:
        """See `subqueries.correlated`."""
        return subqueries.correlated(self, body, available)

    # ---- relations

    def query(self, relation: Relation) -> Operator:
        """A whole query: rewritten, then built; its rows hold its outputs, in order."""
        relation = rules.rewrite(rules.Rewriter(self.texts, self.new_column), relation)
        wanted = [column.id for column in relation.outputs]
        return self.exactly(self.build(relation, frozenset(wanted)), wanted)

    def exactly(self, operator: Operator, columns: Sequence[int]) -> Operator:
        """Rows that hold these columns and no others, in this order."""
        if operator.columns == tuple(columns):
            return operator
        positions = positions_of(operator.columns)
        if not columns:
            transform: Transform = lambda rows, context: [()] * len(rows)  # noqa: E731
        else:
            picks = [ir.Column(positions[column], TypeRef(705)) for column in columns]
            transform = compile_projection(picks)
        made = operators.Transformed(tuple(columns), operator, transform, "Projection")
        if id(operator) in self.ordered:
            self.ordered[id(made)] = made
        return made

    def build(self, relation: Relation, needed: frozenset[int], hint: Hint = NO_HINT) -> Operator:
        """An operator whose rows hold at least the needed columns of the relation."""
        match relation:
            case tree.Scan():
                return scans.build_scan(self, relation, [], needed, hint)
            case tree.Filter():
                return self._filter(relation, needed, hint)
            case tree.Project():
                return self._project(relation, needed, hint)
            case tree.Join():
                return joins.build_join(self, relation, needed, hint)
            case tree.Values():
                return values.build_values(self, relation)
            case tree.Aggregate():
                return grouping.build_aggregate(self, relation)
            case tree.Window():
                return windows.build_window(self, relation, needed)
            case tree.Sort():
                return orders.build_sort(self, relation, needed, hint)
            case tree.Limit():
                return orders.build_limit(self, relation, needed)
            case tree.Distinct():
                return orders.build_distinct(self, relation, needed, hint)
            case tree.SetOperation():
                return sets.build_set_operation(self, relation)
            case tree.With():
                return sets.build_with(self, relation, needed, hint)
            case tree.CteScan():
                plan = self.ctes[relation.cte]
                columns = tuple(column.id for column in relation.outputs)
                return (WorkingRows if plan.number in self.recursing else CteRows)(columns, plan)
            case tree.VirtualScan():
                return sources.build_virtual(self, relation, needed)
            case tree.FunctionScan():
                return sources.build_function(self, relation)
            case tree.FunctionsInStep():
                return sources.build_functions_in_step(self, relation)
            case tree.LockRows():
                return sources.build_lock(self, relation, needed, hint)
            case _:
                from trilithon.query.plan import statements

                return statements.build_statement(self, relation)

    def _filter(self, relation: tree.Filter, needed: frozenset[int], hint: Hint) -> Operator:
        conjuncts = split(relation.predicate)
        plain = [conjunct for conjunct in conjuncts if not has_subquery(conjunct)]
        hard = [conjunct for conjunct in conjuncts if has_subquery(conjunct)]
        hard, plain = self._init_plans_first(hard, plain)
        inner = relation.input
        wanted = needed | used_by(hard)
        if isinstance(inner, tree.Scan):
            source = scans.build_scan(
                self, inner, plain, wanted, hint if not hard else hint.without_limit()
            )
        else:
            source = self.build(inner, wanted | used_by(plain), hint.without_limit())
            source = self.filtered(source, plain)
        if hard:
            lifted, source = self.lift(hard, source)
            source = self.filtered(source, lifted)
        return source

    def _init_plans_first(
        self, hard: list[Expr], plain: list[Expr]
    ) -> tuple[list[Expr], list[Expr]]:
        """Conditions whose subqueries are evaluated once are plain ones: a key may use them."""
        rest = []
        for conjunct in hard:
            found = [n for n in ir.post_order(conjunct) if is_fetched(n)]
            if all(
                isinstance(n, Subquery) and not free_columns(n) and n.kind not in ("any", "all")
                for n in found
            ):
                lifted, _ = subqueries.lift_one(
                    self, conjunct, operators.ConstantRows((), [()]), {}
                )
                plain.append(lifted)
            else:
                rest.append(conjunct)
        return rest, plain

    def filtered(self, source: Operator, conjuncts: Sequence[Expr]) -> Operator:
        condition = conjunction(conjuncts)
        if condition is None:
            return source
        transform = compile_filter(self.place(condition, positions_of(source.columns)))
        made = operators.Transformed(
            source.columns, source, transform, "Filter", (("Filter", self.text(condition)),)
        )
        if id(source) in self.ordered:
            self.ordered[id(made)] = made
        return made

    def _project(self, relation: tree.Project, needed: frozenset[int], hint: Hint) -> Operator:
        pairs = [
            (column.id, expression)
            for column, expression in zip(relation.outputs, relation.expressions, strict=True)
            if column.id in needed
        ]
        expressions = [expression for _, expression in pairs]
        for column, expression in pairs:
            self.names.setdefault(column, self.text(expression))
        by_id = dict(pairs)
        wish = _mapped_wish(hint.wish, by_id)
        inner = NO_HINT if wish is None else Hint(wish, hint.limit)
        source = self.build(relation.input, used_by(expressions), inner)
        satisfied = wish is not None and id(source) in self.ordered
        expressions, source = self.lift(expressions, source)
        columns = tuple(column for column, _ in pairs)
        picked = [e.index for e in expressions if isinstance(e, ir.Column)]
        if len(picked) == len(expressions) and tuple(picked) == source.columns:
            # The same rows under new ids.
            setattr(source, "columns", columns)  # noqa: B010 (the subclasses' slot)
            made: Operator = source
        elif not columns:
            made = self.exactly(source, ())
        else:
            made = operators.Transformed(
                columns, source, self.projection(expressions, source), "Projection"
            )
        if satisfied:
            self.ordered[id(made)] = made
        return made


def _mapped_wish(wish: Wish, by_id: dict[int, Expr]) -> Wish | None:
    """A wish about a projection's outputs as one about its input; None where it is computed."""
    if not wish.order:
        return Wish()
    mapped = []
    for column, descending, nulls_first in wish.order:
        expression = by_id.get(column)
        if not isinstance(expression, ir.Column):
            return None
        mapped.append((expression.index, descending, nulls_first))
    return Wish(tuple(mapped))
