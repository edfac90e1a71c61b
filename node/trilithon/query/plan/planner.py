"""Operators for the relations of a bound tree.

Every operator says which column ids its rows hold, in order; expressions are compiled over those
positions. A column id that an operator's input does not have belongs to an outer query: it is read
from the slot that the outer query fills.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from trilithon.expression import ir, registry
from trilithon.expression.compile import (
    compile_filter,
    compile_projection,
    compile_rows,
    compile_scalar,
    fold_constants,
)
from trilithon.expression.functions import get_function
from trilithon.expression.partial import hashable
from trilithon.query.analyse import tree
from trilithon.query.analyse.free import free_columns, used_columns
from trilithon.query.analyse.tree import Expr, Relation, Subquery
from trilithon.query.execute import operators, sequences, sleeping, sorting, subqueries
from trilithon.query.execute.operators import Operator, Transform
from trilithon.query.execute.run import Run
from trilithon.query.execute.waiting import JobWaits
from trilithon.query.plan import access, explain, grouping, joins, rules, scans
from trilithon.query.plan.access import Wish
from trilithon.query.plan.conditions import (
    conjunction,
    has_subquery,
    is_fetched,
    replace_nodes,
    split,
)
from trilithon.types.ordering import sort_key
from trilithon.types.registry import TypeRef

Viewpoints = Callable[[Run], Any]
Limit = Callable[[Run], int]


NO_WISH = Wish()


@dataclass(frozen=True, slots=True)
class Hint:
    """What the operators above would like: an order, and at most so many rows."""

    wish: Wish = NO_WISH
    limit: Limit | None = None

    def without_limit(self) -> Hint:
        return Hint(self.wish) if self.limit is not None else self


NO_HINT = Hint()


@dataclass(slots=True, eq=False)
class Planner:
    """One statement's planning. `outer` maps ids of outer columns to slots."""

    texts: access.IndexTexts
    viewpoint: Viewpoints
    new_column: Callable[[], int]
    first_slot: int
    outer: dict[int, int] = field(default_factory=dict)
    slots: int = 0
    init_plans: list[subqueries.InitPlan] = field(default_factory=list)
    ctes: dict[int, subqueries.CtePlan] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    # Operators whose rows come in the order that was wished for, by their identity.
    ordered: dict[int, Operator] = field(default_factory=dict)
    # Inside a correlated WITH: its CTEs are evaluated for each outer row.
    fresh_ctes: bool = False

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
        """The expressions without subqueries: their values come from slots, or from columns that
        operators over `source` add."""
        result = []
        rows: dict[int, list[Expr]] = {}
        for expression in expressions:
            if has_subquery(expression):
                expression, source = self._lift_one(expression, source, rows)
            result.append(expression)
        return result, source

    def _lift_one(
        self, expression: Expr, source: Operator, rows: dict[int, list[Expr]]
    ) -> tuple[Expr, Operator]:
        """`rows`: where the values of subqueries of kind "row" are, by their bodies' identity."""
        replaced: dict[int, Expr] = {}
        for node in ir.post_order(expression):
            if isinstance(node, ir.Call) and is_fetched(node):
                replaced[id(node)], source = self._sequence_call(node, source)
            elif isinstance(node, tree.RowField):
                body = node.subquery.body
                if id(body) not in rows:
                    rows[id(body)], source = self._subquery(node.subquery, source)
                replaced[id(node)] = rows[id(body)][node.position]
            elif isinstance(node, Subquery) and node.kind != "row" and id(node) not in replaced:
                if node.args and any(has_subquery(argument) for argument in node.args):
                    arguments, source = self.lift(node.args, source)
                    lifted = node.rebuild(arguments)
                else:
                    lifted = node
                found, source = self._subquery(lifted, source)
                replaced[id(node)] = found[0]
        return replace_nodes(expression, replaced), source

    def _sequence_call(self, node: ir.Call, source: Operator) -> tuple[Expr, Operator]:
        if any(has_subquery(argument) for argument in node.args):
            raise explain.unsupported(
                "a subquery in the arguments of nextval(), setval() or pg_sleep()"
            )
        column = self.new_column()
        columns = (*source.columns, column)
        made: Operator
        if node.function.startswith("pg_sleep"):
            made = sleeping.Sleeps(columns, source, self.projection(node.args, source))
        elif node.function.startswith("nextval"):
            if used_columns(node.args[0]):
                raise explain.unsupported("nextval() of a sequence that differs from row to row")
            sequence = compile_scalar(self.place(node.args[0], {}))
            made = sequences.NextValues(columns, source, sequence)
        elif node.function.startswith("wait_for_job"):
            made = JobWaits(columns, source, self.projection(node.args, source))
        else:
            made = sequences.SetValues(columns, source, self.projection(node.args, source))
        return ir.Column(column, node.type), made

    def _subquery(self, node: Subquery, source: Operator) -> tuple[list[Expr], Operator]:
        """Where its value is (of a row: its values), and the operator that has it."""
        free = free_columns(node)
        types = [node.type]
        if node.kind == "row":
            types = [column.type for column in node.body.outputs]
        if not free and node.kind not in ("any", "all"):
            slots = [self.slot() for _ in types]
            outer, self.outer = self.outer, {}
            plan = self.query(node.body)
            self.outer = outer
            self.init_plans.append(subqueries.InitPlan(slots[0], node.kind, plan, len(slots)))
            return [ir.Parameter(s + 1, t) for s, t in zip(slots, types, strict=True)], source
        available = positions_of(source.columns)
        bindings, plan = self.correlated(node.body, available)
        added = [self.new_column() for _ in types]
        columns = (*source.columns, *added)
        if node.kind in ("any", "all"):
            made: Operator = self._quantified(node, source, columns, plan, bindings)
        else:
            memo = bool(bindings) and not rules.is_volatile(node.body)
            made = subqueries.Applied(columns, source, node.kind, plan, bindings, memo, len(added))
        return [ir.Column(c, t) for c, t in zip(added, types, strict=True)], made

    def correlated(
        self, body: Relation, available: dict[int, int]
    ) -> tuple[tuple[tuple[int, int], ...], Operator]:
        """A plan whose outer columns are read from slots; the (slot, position) pairs to fill."""
        used = sorted(column for column in free_columns(body) if column in available)
        bindings = []
        before = dict(self.outer)
        for column in used:
            slot = self.slot()
            self.outer[column] = slot
            bindings.append((slot, available[column]))
        plan = self.query(body)
        self.outer = before
        return tuple(bindings), plan

    def _quantified(
        self,
        node: Subquery,
        source: Operator,
        columns: tuple[int, ...],
        plan: Operator,
        bindings: tuple[tuple[int, int], ...],
    ) -> Operator:
        plan = self.exactly(plan, [column.id for column in node.body.outputs])
        assert node.comparison is not None
        inner = [column.id for column in node.body.outputs]
        places = positions_of([*node.places, *inner])
        test = compile_scalar(self.place(node.comparison, places))
        arguments = self.projection(node.args, source)
        hashed = None
        pairs = joins.equalities(split(node.comparison), frozenset(node.places), frozenset(inner))
        if node.kind == "any" and not bindings and pairs is not None and not pairs.rest:
            hashed = (
                keys_transform(self, pairs.left, positions_of(node.places)),
                keys_transform(self, pairs.right, positions_of(inner)),
            )
        return subqueries.Quantified(
            columns, source, node.kind == "all", plan, bindings, arguments, test, hashed
        )

    # ---- relations

    def query(self, relation: Relation) -> Operator:
        """A whole query: rewritten, then built; its rows hold its outputs, in order."""
        relation = rules.rewrite(rules.Rewriter(self.texts), relation)
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
                return self._values(relation)
            case tree.Aggregate():
                return grouping.build_aggregate(self, relation)
            case tree.Window():
                return self._window(relation, needed)
            case tree.Sort():
                return self._sort(relation, needed, hint)
            case tree.Limit():
                return self._limit(relation, needed)
            case tree.Distinct():
                return self._distinct(relation, needed, hint)
            case tree.SetOperation():
                return self._set_operation(relation)
            case tree.With():
                return self._with(relation, needed, hint)
            case tree.CteScan():
                plan = self.ctes[relation.cte]
                return subqueries.CteRows(tuple(column.id for column in relation.outputs), plan)
            case tree.VirtualScan():
                return self._virtual(relation, needed)
            case tree.FunctionScan():
                return self._function(relation)
            case tree.FunctionsInStep():
                return self._functions_in_step(relation)
            case tree.LockRows():
                return self._lock(relation, needed, hint)
            case _:
                from trilithon.query.plan import statements

                return statements.build_statement(self, relation)

    def _filter(self, relation: tree.Filter, needed: frozenset[int], hint: Hint) -> Operator:
        conjuncts = split(relation.predicate)
        plain = [conjunct for conjunct in conjuncts if not has_subquery(conjunct)]
        hard = [conjunct for conjunct in conjuncts if has_subquery(conjunct)]
        hard, plain = self._init_plans_first(hard, plain)
        inner = relation.input
        wanted = needed | _used(hard)
        if isinstance(inner, tree.Scan):
            source = scans.build_scan(
                self, inner, plain, wanted, hint if not hard else hint.without_limit()
            )
        else:
            source = self.build(inner, wanted | _used(plain), hint.without_limit())
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
                lifted, _ = self._lift_one(conjunct, operators.ConstantRows((), [()]), {})
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
        source = self.build(relation.input, _used(expressions), inner)
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

    def _values(self, relation: tree.Values) -> Operator:
        columns = tuple(column.id for column in relation.outputs)
        rows = relation.rows
        if any(
            has_subquery(value) for row in rows for value in row if not isinstance(value, _LEAVES)
        ):
            return self._values_with_subqueries(columns, rows)
        constant = all(isinstance(value, ir.Constant) for row in rows for value in row)
        if constant:
            return operators.ConstantRows(
                columns, [tuple(value.value for value in row) for row in rows]
            )
        groups: dict[Any, Any] = {}
        for position, row in enumerate(rows):
            form, leaves, places = _form_of(
                [v if isinstance(v, _LEAVES) or not _outer(v) else self.place(v, {}) for v in row]
            )
            group = groups.setdefault((form, places), (form, [], []))
            group[1].append(leaves)
            group[2].append(position)
        made = [
            (compile_projection(form), leaves, places, positions)
            for (_, places), (form, leaves, positions) in groups.items()
        ]
        return operators.ValuesRows(columns, len(rows), made)

    def _values_with_subqueries(
        self, columns: tuple[int, ...], rows: tuple[tuple[Expr, ...], ...]
    ) -> Operator:
        parts = []
        for row in rows:
            source: Operator = operators.ConstantRows((), [()])
            expressions, source = self.lift(row, source)
            parts.append(
                operators.Transformed(columns, source, self.projection(expressions, source))
            )
        return parts[0] if len(parts) == 1 else operators.Appended(columns, tuple(parts))

    def _window(self, relation: tree.Window, needed: frozenset[int]) -> Operator:
        from trilithon.query.execute import windows

        made_here = frozenset(call.output.id for call in relation.calls)
        wanted = [*relation.partition, *(key.expression for key in relation.order)]
        for call in relation.calls:
            wanted += call.arguments
            if call.filter is not None:
                wanted.append(call.filter)
        source = self.build(relation.input, (needed - made_here) | _used(wanted))
        lifted, source = self.lift(wanted, source)
        rest = iter(range(len(relation.partition) + len(relation.order), len(lifted)))
        calls = []
        for call in relation.calls:
            arguments = tuple(next(rest) for _ in call.arguments)
            condition = next(rest) if call.filter is not None else -1
            calls.append(windows.Call(call.function, arguments, condition))
        hashing = [sort_key(expression.type.oid) for expression in relation.partition]
        frame = relation.frame
        return windows.WindowRows(
            (*source.columns, *(call.output.id for call in relation.calls)),
            source,
            self.projection(lifted, source) if lifted else lambda rows, context: [()] * len(rows),
            len(relation.partition),
            tuple(hashing) if any(hashing) else None,
            self.sort_columns(relation.order),
            tuple(calls),
            windows.FramePlan(
                frame.mode,
                frame.start,
                frame.end,
                self.scalar(frame.start_offset),
                self.scalar(frame.end_offset),
                frame.exclude,
            ),
        )

    # ---- order and limits

    def sort_columns(self, keys: Sequence[tree.SortKey]) -> tuple[sorting.SortColumn, ...]:
        return tuple(
            sorting.SortColumn(key.descending, key.nulls_first, sort_key(key.expression.type.oid))
            for key in keys
        )

    def _sort(self, relation: tree.Sort, needed: frozenset[int], hint: Hint) -> Operator:
        expressions = [key.expression for key in relation.keys]
        wish = Wish()
        if all(isinstance(expression, ir.Column) for expression in expressions):
            wish = Wish(
                tuple(
                    (key.expression.index, key.descending, key.nulls_first) for key in relation.keys
                )
            )
        inner = Hint(wish, hint.limit) if wish.order else NO_HINT
        source = self.build(relation.input, needed | _used(expressions), inner)
        if wish.order and id(source) in self.ordered:
            return source
        lifted, source = self.lift(expressions, source)
        keys = self.projection(lifted, source)
        order = self.sort_columns(relation.keys)
        text = ", ".join(
            self.text(key.expression) + (" DESC" if key.descending else "") for key in relation.keys
        )
        if hint.limit is not None:
            return sorting.TopRows(source.columns, source, keys, order, hint.limit, text)
        return sorting.Sorted(source.columns, source, keys, order, text)

    def _limit(self, relation: tree.Limit, needed: frozenset[int]) -> Operator:
        expressions = [e for e in (relation.count, relation.offset) if e is not None]
        lifted, _ = self.lift(expressions, operators.ConstantRows((), [()]))
        rest = iter(lifted)
        count = self.scalar(next(rest)) if relation.count is not None else None
        offset = self.scalar(next(rest)) if relation.offset is not None else None
        ties = relation.ties
        hint = NO_HINT if ties or count is None else Hint(limit=_limit_of(count, offset))
        wanted = needed | (_used([key.expression for key in ties]) if ties else frozenset())
        source = self.build(relation.input, wanted, hint)
        keys = None
        if ties:
            keys = self.projection([key.expression for key in ties], source)
        few = isinstance(relation.count, ir.Constant) and (relation.count.value or 0) <= 1000
        return operators.Limited(source.columns, source, count, offset, keys, few)

    def _distinct(self, relation: tree.Distinct, needed: frozenset[int], hint: Hint) -> Operator:
        if relation.on is None:
            columns = [column.id for column in relation.outputs]
            source = self.exactly(self.build(relation.input, frozenset(columns)), columns)
            keys = [ir.Column(column.id, column.type) for column in relation.outputs]
            return sorting.Unique(
                source.columns,
                source,
                keys_transform(self, keys, positions_of(source.columns)),
            )
        source = self.build(relation.input, needed | _used(relation.on), hint.without_limit())
        on = keys_transform(self, list(relation.on), positions_of(source.columns))
        made = sorting.Unique(source.columns, source, on, "Unique", _order_of_distinct(relation))
        if id(source) in self.ordered:
            self.ordered[id(made)] = made
        return made

    def _set_operation(self, relation: tree.SetOperation) -> Operator:
        columns = tuple(column.id for column in relation.outputs)
        sides = []
        for side in (relation.left, relation.right):
            wanted = [column.id for column in side.outputs]
            sides.append(self.exactly(self.build(side, frozenset(wanted)), wanted))
        keys = [
            keys_transform(
                self,
                [ir.Column(number, column.type) for number, column in enumerate(relation.outputs)],
                {number: number for number in range(len(columns))},
            )
            for _ in sides
        ]
        if relation.kind == "union":
            joined = operators.Appended(columns, tuple(sides))
            return joined if relation.all else sorting.Unique(columns, joined, keys[0])
        combined = sorting.Combined(
            columns, sides[0], sides[1], relation.kind, relation.all, keys[0], keys[1]
        )
        return combined if relation.all else sorting.Unique(columns, combined, keys[0])

    # ---- leaves and the rest

    def _with(self, relation: tree.With, needed: frozenset[int], hint: Hint) -> Operator:
        before = self.fresh_ctes
        correlated = any(map(free_columns, rules.bodies_of(relation)))
        self.fresh_ctes = bool(self.outer) and (before or correlated)
        if self.fresh_ctes and rules.read_by_subqueries(relation):
            raise explain.unsupported("a correlated WITH query that a subquery reads")
        plans = [self._cte(cte) for cte in relation.ctes]
        body = self.build(relation.body, needed, hint)
        made = subqueries.WithCtes(body.columns, body, tuple(plans), self.fresh_ctes)
        self.fresh_ctes = before
        if id(body) in self.ordered:
            self.ordered[id(made)] = made
        return made

    def _cte(self, cte: tree.Cte) -> subqueries.CtePlan:
        wanted = [column.id for column in cte.body.outputs]
        plan = subqueries.CtePlan(
            cte.number,
            cte.name,
            self.exactly(self.build(cte.body, frozenset(wanted)), wanted),
            distinct=cte.distinct,
            modifies=cte.modifies,
        )
        self.ctes[cte.number] = plan
        if cte.recursive is not None:
            inner = [column.id for column in cte.recursive.outputs]
            plan.recursive = self.exactly(self.build(cte.recursive, frozenset(inner)), inner)
            columns = [
                ir.Column(number, column.type) for number, column in enumerate(cte.body.outputs)
            ]
            same = {number: number for number in range(len(columns))}
            plan.keys = plan.recursive_keys = keys_transform(self, columns, same)
        return plan

    def _virtual(self, relation: tree.VirtualScan, needed: frozenset[int]) -> Operator:
        positions = [
            number for number, column in enumerate(relation.outputs) if column.id in needed
        ]
        return operators.Virtual(
            tuple(relation.outputs[number].id for number in positions),
            relation.name,
            relation.rows,
            tuple(positions),
            self.viewpoint,
        )

    def _function(self, relation: tree.FunctionScan) -> Operator:
        entry = get_function(relation.function)
        source: Operator = operators.ConstantRows((), [()])
        arguments, source = self.lift(relation.arguments, source)
        if source.columns:
            raise explain.unsupported("a correlated subquery in a function in FROM")
        call = registry.bind(
            entry, [argument.type for argument in arguments], relation.outputs[0].type
        )
        return operators.FunctionRows(
            tuple(column.id for column in relation.outputs),
            entry.name,
            compile_projection([self.place(argument, {}) for argument in arguments])
            if arguments
            else lambda rows, context: [()],
            call,
            entry.context,
            entry.strict,
            relation.ordinality,
            bool(entry.columns),
        )

    def _functions_in_step(self, relation: tree.FunctionsInStep) -> Operator:
        return operators.RowsInStep(
            tuple(column.id for column in relation.outputs),
            tuple(self._function(function) for function in relation.functions),
        )

    def _lock(self, relation: tree.LockRows, needed: frozenset[int], hint: Hint) -> Operator:
        keys = frozenset(key for _, key, _ in relation.locks)
        source = self.build(relation.input, needed | keys, hint)
        positions = positions_of(source.columns)
        locks = tuple(
            (positions[key], scans.LOCK_MODES[mode], table) for table, key, mode in relation.locks
        )
        made = operators.Locked(source.columns, source, locks)
        if id(source) in self.ordered:
            self.ordered[id(made)] = made
        return made


# ---- helpers


def positions_of(columns: Sequence[int]) -> dict[int, int]:
    return {column: position for position, column in enumerate(columns)}


def _used(expressions: Iterable[Expr]) -> frozenset[int]:
    found: set[int] = set()
    for expression in expressions:
        found |= used_columns(expression)
    return frozenset(found)


def _order_of_distinct(relation: tree.Distinct) -> str:
    """What DISTINCT ON knows of its input's order, see `sorting.Unique`."""
    if not isinstance(relation.input, tree.Sort):
        return "any"
    on = {expression.index for expression in relation.on or () if isinstance(expression, ir.Column)}
    leading = [key.expression for key in relation.input.keys[: len(on)]]
    columns = {expression.index for expression in leading if isinstance(expression, ir.Column)}
    return "adjacent" if columns == on else "kept"


def _outer(expression: Expr) -> bool:
    return any(isinstance(node, ir.Column) for node in ir.post_order(expression))


def _form_of(
    row: Sequence[Expr],
) -> tuple[tuple[Expr, ...], tuple[Any, ...], tuple[tuple[int, int], ...]]:
    """A row of VALUES as (form, leaves, parameter places): the form reads the leaves as columns, so
    that rows that differ in their constants only share one compiled projection."""
    leaves: list[Any] = []
    places: list[tuple[int, int]] = []

    def change(node: Expr) -> Expr:
        if isinstance(node, ir.Constant):
            leaves.append(node.value)
            return ir.Column(len(leaves) - 1, node.type)
        if isinstance(node, ir.Parameter):
            places.append((len(leaves), 0))
            leaves.append(node.number)
            return ir.Column(len(leaves) - 1, node.type)
        return node

    form: list[Expr] = []
    for value in row:
        # Leaves, and leaves that are cast, need no walk; they are nearly all there is.
        if isinstance(value, _LEAVES):
            form.append(change(value))
        elif isinstance(value, ir.Cast) and isinstance(value.arg, _LEAVES):
            form.append(ir.Cast(change(value.arg), value.type, value.explicit))
        else:
            form.append(ir.transform(value, change))
    return tuple(form), tuple(leaves), tuple(places)


_LEAVES: Final = (ir.Constant, ir.Parameter)


def keys_transform(
    planner: Planner, expressions: Sequence[Expr], positions: dict[int, int]
) -> Transform:
    """Rows to tuples that are equal exactly where SQL says so."""
    project = compile_rows(None, [planner.place(e, positions) for e in expressions])
    if not expressions:
        return lambda rows, context: [()] * len(rows)
    converters = tuple(sort_key(expression.type.oid) for expression in expressions)
    if not any(converters):
        return project
    return lambda rows, context: [hashable(values, converters) for values in project(rows, context)]


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


def _limit_of(count: Callable[..., Any], offset: Callable[..., Any] | None) -> Limit:
    """LIMIT + OFFSET of a run; -1: all."""

    def limit(run: Run) -> int:
        wanted = count((), run.context)
        if wanted is None:
            return -1
        skipped = offset((), run.context) if offset is not None else 0
        return max(0, int(wanted)) + max(0, int(skipped or 0))

    return limit
