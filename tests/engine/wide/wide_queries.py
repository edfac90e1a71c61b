"""Random queries: blocks with joins, groups, windows, DISTINCT, LIMIT; set operations; CTEs; recursion."""

from __future__ import annotations

from dataclasses import dataclass

from wide_expressions import NUMBERS, Relation, Scope
from wide_schema import KINDS
from wide_windows import Aggregates

OUTPUT_KINDS = (*KINDS, "int", "int", "int", "text", "text", "num", "date", "bool")
SET_WORDS = ("union", "union all", "intersect", "intersect all", "except", "except all")


@dataclass(frozen=True, slots=True)
class Query:
    """`ordered`: by these output columns the rows come in order; None when in no order."""

    sql: str
    ordered: tuple[int, ...] | None = None


class Queries(Aggregates):
    # ---- subqueries of expressions

    def subquery_condition(self, scope: Scope, depth: int) -> str:
        outer = self.outer_of(scope)
        form = self.number(0, 5)
        if form <= 1:
            text, inner = self.source(outer, 0, self.pick((1, 1, 2)))
            where = self.condition([*inner, *outer], 1)
            if outer and self.chance(0.7):
                where = f"{self.correlation(inner, outer)} and {where}"
            return f"{self.pick(('', 'not '))}exists (select {self.pick(('', '1', '*'))} from {text} where {where})"
        kind = self.kind_of(scope, ("int", "int", "text", "num", "date"))
        left = self.value(scope, kind, 0)
        if form == 2 and self.chance(0.4):
            sql, _ = self.simple([*outer], [kind, "int"])
            return f"({left}, {self.value(scope, 'int', 0)}) {self.pick(('in', 'not in'))} ({sql})"
        sql, _ = self.block(outer, 0, [kind]) if self.chance(0.3) else self.simple(outer, [kind])
        if form <= 3:
            return f"{left} {self.pick(('in', 'in', 'not in'))} ({sql})"
        return f"{left} {self.pick(('=', '<>', '<', '>='))} {self.pick(('any', 'all'))} ({sql})"

    def scalar_subquery(self, scope: Scope, kind: str, depth: int) -> str:
        outer = self.outer_of(scope)
        text, inner = self.source(outer, 0, self.pick((1, 1, 2)))
        where = self.condition([*inner, *outer], 1)
        if outer and self.chance(0.6):
            where = f"{self.correlation(inner, outer)} and {where}"
        if self.chance(0.6):
            call, _ = self.aggregate(inner, kind)
            return f"(select {call} from {text} where {where})"
        if kind == "ints" and self.chance(0.5):
            number = f"({self.small(inner, 1)})::int"
            return f"array(select {number} from {text} where {where} order by 1 {self.pick(('', 'desc'))} limit 3)"
        value = self.keyable([*inner], kind, 0)
        return f"(select {value} from {text} where {where} order by 1 {self.pick(('', 'desc'))} limit 1)"

    def correlation(self, inner: Scope, outer: Scope) -> str:
        kind = self.kind_of(inner, ("int", "int", "text", "date", "num", "enum"))
        return f"{self.column(inner, kind)} {self.pick(('=', '=', '=', '<', '<>'))} {self.column(outer, kind)}"

    def simple(self, outer: Scope, kinds: list[str]) -> tuple[str, list[str]]:
        text, inner = self.source(outer, 0, 1)
        targets = ", ".join(self.keyable(inner, kind, 1) for kind in kinds)
        where = self.condition([*inner, *outer], 1)
        return f"select {targets} from {text} where {where}", kinds

    # ---- blocks

    def block(
        self, outer: Scope, depth: int, kinds: list[str] | None = None, handed_on: bool = True
    ) -> tuple[str, list[str]]:
        """A SELECT and its columns' kinds. `handed_on`: others go on with its values, so equal ones must be the same."""
        if depth > 0 and self.chance(0.15):
            return self.set_operation(outer, depth - 1, kinds)
        form = self.number(0, 9)
        if form <= 4:
            return self._plain(outer, depth, kinds, handed_on)
        if form <= 7:
            return self._grouped(outer, depth, kinds)
        if form == 8 and not kinds:
            return self._windowed(outer, depth)
        return self._distinct_on(outer, depth, kinds)

    def chosen_kinds(self, kinds: list[str] | None, scope: Scope) -> list[str]:
        return kinds or [self.kind_of(scope, OUTPUT_KINDS) for _ in range(self.number(1, 4))]

    def targets(self, scope: Scope, kinds: list[str], handed_on: bool) -> list[str]:
        make = self.keyable if handed_on else self.value
        return [make(scope, kind, 2) for kind in kinds]

    def _plain(
        self, outer: Scope, depth: int, kinds: list[str] | None, handed_on: bool
    ) -> tuple[str, list[str]]:
        text, scope = self.source(outer, depth)
        seen = [*scope, *outer]
        chosen = self.chosen_kinds(kinds, scope)
        distinct = self.chance(0.15)
        targets = self.targets(seen, chosen, handed_on or distinct)
        limited = self.chance(0.2)
        if not limited and not distinct and not kinds and self.chance(0.06):
            targets.append(
                self.pick(
                    (
                        f"generate_series(1, {self.number(0, 3)})",
                        f"unnest({self.column(scope, 'ints')})",
                    )
                )
            )
            chosen = [*chosen, "int"]
        sql = f"select {'distinct ' if distinct else ''}{', '.join(targets)} from {text}"
        if self.chance(0.8):
            sql += f" where {self.condition(seen, 2)}"
        return (sql + self.limit(len(targets)) if limited else sql), chosen

    def limit(self, count: int) -> str:
        """ORDER BY everything, and a part of it."""
        order = self.order(list(range(count)))
        form = self.number(0, 4)
        if form == 0:
            return f"{order} fetch first {self.number(1, 4)} rows with ties"
        if form == 1:
            return f"{order} offset {self.number(0, 3)}"
        if form == 2:
            return f"{order} limit {self.number(0, 5)} offset {self.number(0, 3)}"
        return f"{order} limit {self.number(0, 6)}"

    def order(self, positions: list[int]) -> str:
        return " order by " + ", ".join(
            f"{position + 1}{self.pick(('', '', ' desc', ' nulls first', ' desc nulls last'))}"
            for position in positions
        )

    def _grouped(self, outer: Scope, depth: int, kinds: list[str] | None) -> tuple[str, list[str]]:
        text, scope = self.source(outer, depth)
        own = [
            (name, kind)
            for r in scope
            for name, (_, kind) in zip(r.all(), r.columns, strict=True)
            if r.alias
        ]
        keys = self.some(own, 0, 3)
        if keys and self.chance(0.3):
            keys = [self._expression_of(key) for key in keys]
        grouped = [Relation("", keys)] if keys else []
        clause, extra = self._group_clause(scope, keys)
        targets, result = [], []
        calls = []
        for kind in self.chosen_kinds(kinds, scope):
            if grouped and self.chance(0.4) and any(its == kind for _, its in keys):
                # Nothing but the columns of the groups.
                targets.append(self._of_group(grouped, kind))
            else:
                call, _ = self.aggregate([*scope, *outer] if self.chance(0.04) else scope, kind)
                if self._made_of(call, scope):
                    calls.append(call)
                targets.append(f"round({call}, 2)" if kind == "num" else call)
            result.append(kind)
        if not kinds and calls and not extra and self.chance(0.1):
            call, kind = (
                self.window_call(grouped, calls) if grouped else ("count(*) over ()", "int")
            )
            targets.append(call)
            result.append(kind)
        if extra and not kinds:
            targets.append(extra)
            result.append("int")
        sql = f"select {', '.join(targets)} from {text}"
        if self.chance(0.6):
            sql += f" where {self.condition([*scope, *outer], 1)}"
        sql += clause
        if self.chance(0.25):
            call, _ = self.aggregate(scope, "int")
            sql += f" having {call} {self.pick(('>', '<', '<>'))} {self.number(0, 4)}"
        return sql, result

    def _expression_of(self, key: tuple[str, str]) -> tuple[str, str]:
        """An expression to group by, of the same kind; what is selected is written in the same way."""
        name, kind = key
        match kind:
            case "int":
                return self.pick(
                    (f"({name} % 3)", f"coalesce({name}, 1)", f"abs({name} % 5)")
                ), kind
            case "text":
                return self.pick(
                    (f"upper({name})", f"left({name}, 1)", f"coalesce({name}, '')")
                ), kind
            case "date":
                return f"({name} - 1)", kind
            case "num":
                return f"round({name})", kind
            case _:
                return f"nullif({name}, {name})" if self.chance(0.1) else name, kind

    def _made_of(self, call: str, scope: Scope) -> bool:
        return any(f"{r.alias}." in call for r in scope if r.alias) or "count(*)" in call

    def _of_group(self, grouped: Scope, kind: str) -> str:
        column = self.column(grouped, kind)
        match kind:
            case "num":
                return f"round({column}, 2)"
            case "int":
                return self.pick((column, f"({column} % 10 + 1)", f"coalesce({column}, 0)"))
            case "text":
                return self.pick((column, f"({column} || '!')", f"upper({column})"))
            case "float":
                return f"({column} + 0)"
            case "interval":
                return f"justify_hours({column})"
            case _:
                return column

    def _group_clause(self, scope: Scope, keys: list[tuple[str, str]]) -> tuple[str, str]:
        """(GROUP BY …, a call of GROUPING or "")."""
        names = [name for name, _ in keys]
        if not names:
            return self.pick(("", "", " group by ()")), ""
        listed = ", ".join(names)
        form = self.number(0, 7)
        if form <= 4:
            return f" group by {listed}", ""
        grouping = f"grouping({', '.join(self.some(names, 1, 2))})"
        if form == 5:
            return f" group by rollup ({listed})", grouping
        if form == 6:
            return f" group by cube ({listed})", grouping
        sets = ", ".join(f"({', '.join(self.some(names, 0, 2))})" for _ in range(self.number(1, 3)))
        word = self.pick(("", "distinct "))
        if len(names) > 1 and self.chance(0.3):
            return (
                f" group by {word}{names[0]}, rollup ({', '.join(names[1:])}), grouping sets ({sets})",
                grouping,
            )
        return f" group by {word}grouping sets (({listed}), {sets})", grouping

    def _windowed(self, outer: Scope, depth: int) -> tuple[str, list[str]]:
        text, scope = self.source(outer, depth)
        seen = [*scope, *outer]
        kinds = self.chosen_kinds(None, scope)[:2]
        targets = self.targets(seen, kinds, True)
        for _ in range(self.pick((1, 1, 2))):
            call, kind = self.window_call(scope)
            targets.append({"num": f"round({call}, 2)", "float": f"({call} + 0)"}.get(kind, call))
            kinds.append(kind)
        sql = f"select {', '.join(targets)} from {text}"
        if self.chance(0.6):
            sql += f" where {self.condition(seen, 1)}"
        return (sql + self.limit(len(targets)) if self.chance(0.15) else sql), kinds

    def _distinct_on(
        self, outer: Scope, depth: int, kinds: list[str] | None
    ) -> tuple[str, list[str]]:
        text, scope = self.source(outer, depth)
        chosen = self.chosen_kinds(kinds, scope)
        ons = [
            self.keyable(scope, self.kind_of(scope, ("int", "text", "date", "num")), 1)
            for _ in range(self.number(1, 2))
        ]
        ons = [
            on if any(f"{r.alias}." in on for r in scope if r.alias) else self._any_column(scope)
            for on in ons
        ]
        targets = self.targets([*scope, *outer], chosen, True)
        order = ", ".join(f"{on}{self.pick(('', ' desc'))}" for on in ons)
        total = ", ".join(name for r in scope if r.alias for name in r.all())
        sql = f"select distinct on ({', '.join(ons)}) {', '.join(targets)} from {text}"
        if self.chance(0.6):
            sql += f" where {self.condition([*scope, *outer], 1)}"
        return f"{sql} order by {order}, {total}", chosen

    def _any_column(self, scope: Scope) -> str:
        return self.pick([name for r in scope if r.alias for name in r.all()])

    # ---- set operations

    def set_operation(
        self, outer: Scope, depth: int, kinds: list[str] | None = None
    ) -> tuple[str, list[str]]:
        chosen = kinds or [self.pick(OUTPUT_KINDS) for _ in range(self.number(1, 3))]
        mixed = kinds is None and self.chance(0.3)
        result = list(chosen)

        def side() -> str:
            own = list(chosen)
            for at, kind in enumerate(chosen):
                if mixed and kind in NUMBERS and self.chance(0.4):
                    own[at] = self.pick(NUMBERS)
                    # What is common to numbers: the one further to the right in the list.
                    result[at] = max(result[at], own[at], key=NUMBERS.index)
            if depth > 0 and self.chance(0.2):
                return f"({self.set_operation(outer, depth - 1, own)[0]})"
            if self.chance(0.6):
                return f"({self.simple(outer, own)[0]})"
            return f"({self.block(outer, max(depth - 1, 0), own)[0]})"

        sql = f"{side()} {self.pick(SET_WORDS)} {side()}"
        if self.chance(0.25):
            sql += f" {self.pick(SET_WORDS)} {side()}"
        return (sql + self.limit(len(result)) if self.chance(0.15) else sql), result

    # ---- whole statements

    def query(self) -> Query:
        self.begin()
        form = self.number(0, 19)
        if form == 0:
            return self._star()
        if form <= 2:
            return self._recursive()
        if form <= 5:
            return self._common()
        if form <= 7:
            return self._ordered(*self.set_operation([], 1))
        if form <= 9:
            return self._ordered(*self._windowed([], 1))
        if form == 10:
            return self._by_expressions()
        if form == 11 and self.chance(0.3):
            text, relation = self._values()
            body = text[1 : text.rindex(")", 0, text.rindex(") v")) + 1]
            width = len(relation.columns)
            return Query(body + self.limit(width), tuple(range(width)))
        return self._ordered(*self.block([], 2, handed_on=self.chance(0.3)))

    def _ordered(self, sql: str, kinds: list[str]) -> Query:
        """With an ORDER BY of some columns, if it has none yet."""
        if "order by" in sql or self.chance(0.5) or "distinct on" in sql:
            return Query(sql)
        positions = self.some(list(range(len(kinds))), 1, len(kinds))
        return Query(sql + self.order(positions), tuple(positions))

    def _by_expressions(self) -> Query:
        """ORDER BY expressions that are not selected, closed by all columns."""
        text, scope = self.source([], 1)
        kinds = self.chosen_kinds(None, scope)
        targets = self.targets(scope, kinds, False)
        key = self.value(scope, self.kind_of(scope, ("int", "text", "date", "num")), 2)
        if not any(f"{r.alias}." in key for r in scope if r.alias):
            key = self._any_column(scope)
        total = ", ".join(name for r in scope if r.alias for name in r.all())
        sql = f"select {', '.join(targets)} from {text} where {self.condition(scope, 2)}"
        end = self.pick(("", f" limit {self.number(0, 6)}", f" offset {self.number(0, 4)}"))
        order = f"{key}{self.pick(('', ' desc', ' nulls first'))}, {total}"
        return Query(f"{sql} order by {order}{end}", tuple(range(len(kinds))))

    def _star(self) -> Query:
        text, scope = self.source([], 1)
        where = f" where {self.condition(scope, 1)}" if self.chance(0.6) else ""
        star = self.pick(("*", "*", ", ".join(f"{r.alias}.*" for r in scope if r.alias)))
        return Query(f"select {star} from {text}{where}")

    def _common(self) -> Query:
        parts = []
        for _ in range(self.pick((1, 1, 2))):
            sql, kinds = self.block([], 1)
            name = self.alias("q")
            names = [f"c{number}" for number in range(len(kinds))]
            word = self.pick(("", "", "materialized ", "not materialized "))
            parts.append(f"{name} ({', '.join(names)}) as {word}({sql})")
            self.common.append(Relation("", list(zip(names, kinds, strict=True)), (), name))
        sql, kinds = self.block([], 1)
        self.common = []
        return self._ordered(f"with {', '.join(parts)} {sql}", kinds)

    def _recursive(self) -> Query:
        form = self.number(0, 2)
        if form == 0:
            step = self.number(1, 3)
            sql = (
                f"with recursive r (n, s) as (select {self.number(0, 2)}, {self.constant('text')} union all "
                f"select n + {step}, s || n from r where n < {self.number(3, 9)})"
            )
            self.common = [Relation("", [("n", "int"), ("s", "text")], (), "r")]
        else:
            tables = [t for t in self.schema.tables if len(t.of("int")) > 1]
            if not tables:
                return self._ordered(*self.block([], 1))
            text, relation = self.of_table(self.pick(tables))
            a, b = self.some(self.columns([relation], "int"), 2, 2)
            start, first = self.of_table(self.schema.tables[0])
            begin = self.column([first], "int")
            word = self.pick(("union", "union", "union all"))
            depth = f" and r.d < {self.number(1, 2)}"
            sql = (
                f"with recursive r (n, d) as (select {begin}::int8, 0 from {start} where {self.condition([first], 1)} {word} "
                f"select {a}::int8, {'r.d' if word == 'union' else 'r.d + 1'} from r join {text} on r.n = {b}"
                f"{'' if word == 'union' else depth} where {self.condition([relation], 0)})"
            )
            self.common = [Relation("", [("n", "int"), ("d", "int")], (), "r")]
        body, kinds = self.block([], 1)
        self.common = []
        return self._ordered(f"{sql} {body}", kinds)
