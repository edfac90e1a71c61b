"""FROM: tables, views, subqueries, VALUES, functions and CTEs, joined in every way."""

from __future__ import annotations

from wide_expressions import Expressions, Relation, Scope
from wide_schema import KEYABLE, Schema, Table

JOINS = ("join", "join", "join", "left join", "left join", "right join", "full join")


class Sources(Expressions):
    """Needs `block` (a query and its columns' kinds), which the class of queries has."""

    def __init__(self, schema: Schema, seed: int | str) -> None:
        super().__init__(seed)
        self.schema = schema
        self.alias_count = 0
        self.common: Scope = []

    def block(
        self, outer: Scope, depth: int, kinds: list[str] | None = None, handed_on: bool = True
    ) -> tuple[str, list[str]]:
        raise NotImplementedError

    def begin(self) -> None:
        """Before each statement."""
        self.alias_count = 0
        self.common = []
        self.subqueries_left = self.pick((0, 1, 2, 2, 3, 4))

    def alias(self, letter: str = "x") -> str:
        self.alias_count += 1
        return f"{letter}{self.alias_count}"

    def outer_of(self, scope: Scope) -> Scope:
        """The scope as a subquery in it sees it."""
        return [Relation(r.alias, r.columns, r.unique, r.table, True) for r in scope if r.alias]

    # ---- one relation

    def relation(
        self, outer: Scope, depth: int, lateral: Scope | None = None
    ) -> tuple[str, Relation]:
        form = self.number(0, 19)
        if self.common and self.chance(0.4):
            chosen = self.pick(self.common)
            alias = self.alias("w")
            return f"{chosen.table} {alias}", Relation(alias, chosen.columns)
        if form >= 16 and depth > 0 and self.may_nest():
            return self._derived(outer, depth - 1, lateral)
        if form == 15:
            return self._values()
        if form == 14:
            return self._function(lateral or [])
        tables = self.schema.tables + (self.schema.views if self.chance(0.4) else [])
        return self.of_table(self.pick(tables))

    def of_table(self, table: Table) -> tuple[str, Relation]:
        alias = self.alias()
        columns = [(c.name, c.kind) for c in table.columns]
        return f"{table.name} {alias}", Relation(alias, columns, table.primary, table.name)

    def _derived(self, outer: Scope, depth: int, lateral: Scope | None) -> tuple[str, Relation]:
        visible = list(outer)
        word = ""
        if lateral and self.chance(0.7):
            visible += self.outer_of(lateral)
            word = "lateral "
        sql, kinds = self.block(visible, depth)
        alias = self.alias("d")
        names = [f"c{number}" for number in range(len(kinds))]
        text = f"{word}({sql}) {alias} ({', '.join(names)})"
        return text, Relation(alias, list(zip(names, kinds, strict=True)))

    def _values(self) -> tuple[str, Relation]:
        kinds = [
            self.pick(("int", "text", "num", "date", "bool")) for _ in range(self.number(1, 3))
        ]
        rows = ", ".join(
            f"({', '.join(self.constant(kind) for kind in kinds)})"
            for _ in range(self.number(1, 4))
        )
        alias = self.alias("v")
        names = [f"c{number}" for number in range(len(kinds))]
        return (
            f"(values {rows}) {alias} ({', '.join(names)})",
            Relation(alias, list(zip(names, kinds, strict=True))),
        )

    def _function(self, lateral: Scope) -> tuple[str, Relation]:
        alias = self.alias("f")
        form = self.number(0, 3)
        if form == 0:
            end = self.small(self.outer_of(lateral), 0) if lateral else str(self.number(0, 5))
            return f"generate_series(1, {end}) {alias} (c0)", Relation(alias, [("c0", "int")])
        array = self.value(self.outer_of(lateral), "ints", 0)
        if form == 1:
            return f"unnest({array}) {alias} (c0)", Relation(alias, [("c0", "int")])
        if form == 2:
            columns = [("c0", "int"), ("o", "int")]
            return f"unnest({array}) with ordinality {alias} (c0, o)", Relation(alias, columns)
        series = "generate_series(date '2024-01-30', date '2024-02-03', interval '2 days')"
        text = f"rows from (generate_series(1, {self.number(1, 4)}), {series}) {alias} (c0, c1)"
        return text, Relation(alias, [("c0", "int"), ("c1", "tstz")])

    # ---- joins

    def source(self, outer: Scope, depth: int, count: int | None = None) -> tuple[str, Scope]:
        """FROM's text, and what it offers. ON sees what stands since the last comma."""
        count = count or self.pick((1, 1, 1, 2, 2, 2, 3))
        text, first = self.relation(outer, depth)
        before: Scope = []
        item = [first]
        for _ in range(count - 1):
            form = self.number(0, 9)
            seen = [*before, *item]
            if form <= 1:
                other, relation = self.relation(outer, depth, lateral=seen)
                if form == 0:
                    text, before, item = f"{text}, {other}", seen, [relation]
                else:
                    text, item = f"{text} cross join {other}", [*item, relation]
                continue
            joined = self._using(text, item, outer) if form <= 3 else None
            text, item = joined or self._on(text, before, item, outer, depth)
        return text, _unambiguous([*before, *item])

    def _on(
        self, text: str, before: Scope, item: Scope, outer: Scope, depth: int
    ) -> tuple[str, Scope]:
        word = self.pick(JOINS)
        lateral = [*before, *item] if word in ("join", "left join") else None
        other, relation = self.relation(outer, depth, lateral=lateral)
        both = [*item, relation]
        seen = _unambiguous(both)
        on = self.join_condition(seen[:-1], relation)
        if word != "full join" and self.chance(0.35):
            on += f" and {self.condition(seen, 1)}"
        return f"{text} {word} {other} on {on}", both

    def join_condition(self, scope: Scope, relation: Relation) -> str:
        """An equality, so that FULL JOIN works; sometimes two."""
        shared = [
            (f"{r.alias}.{name}" if r.alias else name, f"{relation.alias}.{other}")
            for r in scope
            for name, kind in r.columns
            for other, its in relation.columns
            if kind == its and kind in KEYABLE
        ]
        if not shared:
            return f"{self.column(scope, 'int')} = {self.column([relation], 'int')}"
        return " and ".join(f"{a} = {b}" for a, b in self.some(shared, 1, self.pick((1, 1, 2))))

    def _using(self, text: str, scope: Scope, outer: Scope) -> tuple[str, Scope] | None:
        """A join by names that are unique on the left."""
        other, relation = self.relation(outer, 0)
        left = [name for r in scope for name, _ in r.columns]
        kinds = {name: kind for r in scope for name, kind in r.columns}
        shared = [
            name
            for name, kind in relation.columns
            if left.count(name) == 1 and kinds[name] == kind and kind in KEYABLE
        ]
        if not shared or any(not r.alias for r in scope):
            return None
        word = self.pick(JOINS)
        natural = all(
            name not in kinds or (left.count(name) == 1 and kinds[name] == kind in KEYABLE)
            for name, kind in relation.columns
        )
        if natural and self.chance(0.4):
            merged = Relation("", [(name, kinds[name]) for name in shared])
            return f"{text} natural {word} {other}", [*scope, relation, merged]
        names = self.some(shared, 1, 2)
        merged = Relation("", [(name, kinds[name]) for name in names])
        text = f"{text} {word} {other} using ({', '.join(names)})"
        if self.chance(0.3):
            merged.alias = self.alias("j")
            text += f" as {merged.alias}"
        return text, [*scope, relation, merged]


def _unambiguous(scope: Scope) -> Scope:
    """Without the merged columns whose bare name somebody else has, too."""
    kept = []
    for relation in scope:
        if relation.alias:
            kept.append(relation)
            continue
        names = [name for r in scope if r.alias for name, _ in r.columns]
        columns = [column for column in relation.columns if names.count(column[0]) == 2]
        if columns:
            kept.append(Relation("", columns))
    return kept
