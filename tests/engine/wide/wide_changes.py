"""Random changes: INSERT with ON CONFLICT, UPDATE … FROM, DELETE … USING, MERGE, changes within WITH, through views.

What SQL leaves open is closed: a row of the target meets at most one of the source, where it matters which; columns
of keys are only set to constants (PostgreSQL checks uniqueness row by row, so other changes may fail there by order).
"""

from __future__ import annotations

from wide_choice import constant
from wide_expressions import Relation, Scope
from wide_queries import Queries
from wide_schema import CONSTANT, KEYABLE, Column, Table


class Changes(Queries):
    # ---- parts

    def writable(self) -> Table:
        views = [view for view in self.schema.views if view.writable]
        if views and self.chance(0.2):
            return self.pick(views)
        return self.pick(self.schema.tables)

    def key_columns(self, table: Table) -> set[str]:
        """Columns that decide on uniqueness."""
        names = {name for key in table.uniques for name in key} | table.referring
        names |= self.schema.unique_columns.get(table.name, set())
        return names

    def assigned(self, scope: Scope, table: Table, column: Column) -> str:
        """What UPDATE may set the column to."""
        if self.chance(0.06):
            return "default"
        if column.name in self.key_columns(table) or self.chance(0.2):
            return self.given(column)
        return self.fitting(self.value(scope, column.kind, 1), column)

    def fitting(self, value: str, column: Column) -> str:
        match column.kind:
            case "int":
                return f"{value} % 1000"
            case "num":
                return f"round(({value}) % 1000, 2)" if column.type != "numeric" else value
            case "text":
                return f"left({value}, {self.pick((3, 6))})"
            case "char":
                return f"left(({value})::text, 3)"
            case _:
                return value

    def given(self, column: Column) -> str:
        """A constant for the column."""
        if self.chance(0.15 if column.nullable else 0.01):
            return "null"
        if column.name == "id" and self.chance(0.8):
            return constant("int4", str(self.number(0, 70)))
        if column.kind != "int":
            return self.constant(column.kind)
        number = str(self.number(-3, 12))
        # An untyped literal, sometimes: what it is assigned to gives it its type.
        is_untyped = column.type.startswith("d_") or self.chance(0.1)
        return constant("unknown" if is_untyped else CONSTANT["int"], number)

    def returning(self, table: Table, alias: str) -> str:
        if self.chance(0.5):
            return ""
        scope = [Relation(alias, [(c.name, c.kind) for c in table.columns])]
        items = [self.value(scope, self.pick(("int", "text", "num", "date")), 1) for _ in range(2)]
        return f" returning {self.pick((f'{alias}.*', ', '.join(items), f'{alias}.*, {items[0]} as v'))}"

    def scope_of(self, table: Table, alias: str) -> Scope:
        return [
            Relation(alias, [(c.name, c.kind) for c in table.columns], table.primary, table.name)
        ]

    def written(self, table: Table) -> list[Column]:
        return [c for c in table.columns if c.written]

    # ---- statements

    def change(self) -> str:
        self.begin()
        form = self.number(0, 19)
        if form <= 6:
            return self.insert(self.writable())
        if form <= 11:
            return self.update(self.writable())
        if form <= 14:
            return self.delete(self.writable())
        if form <= 16:
            return self.merge(self.pick(self.schema.tables))
        return self.within_with()

    def insert(self, table: Table, returning: bool = True) -> str:
        columns = self.written(table)
        if self.chance(0.4):
            needed = [c for c in columns if not c.nullable]
            columns = needed + self.some([c for c in columns if c.nullable], 0, 4)
        if not columns:
            return f"insert into {table.name} default values"
        names = ", ".join(c.name for c in columns)
        if self.chance(0.25):
            body = self._inserted_query(columns)
        else:
            rows = ", ".join(self._row(columns) for _ in range(self.pick((1, 1, 1, 2, 4))))
            body = f"values {rows}"
        sql = f"insert into {table.name} ({names}) {body}"
        if self.chance(0.5) and not table.is_view:
            sql += self._on_conflict(table)
        return sql + (self.returning(table, table.name) if returning else "")

    def _row(self, columns: list[Column]) -> str:
        values = ["default" if self.chance(0.04) else self.given(c) for c in columns]
        return f"({', '.join(values)})"

    def _inserted_query(self, columns: list[Column]) -> str:
        text, scope = self.source([], 0, self.pick((1, 1, 2)))
        targets = []
        for column in columns:
            value = self.fitting(self.keyable(scope, column.kind, 1), column)
            if not column.nullable:
                value = f"coalesce({value}, {self.pick_value(column)})"
            targets.append(value)
        order = ", ".join(str(number + 1) for number in range(len(targets)))
        return f"select {', '.join(targets)} from {text} where {self.condition(scope, 1)} order by {order} limit {self.number(1, 3)}"

    def pick_value(self, column: Column) -> str:
        return (
            constant("int4", str(self.number(20, 70)))
            if column.kind == "int"
            else self.constant(column.kind)
        )

    def _on_conflict(self, table: Table) -> str:
        target = self.pick(table.targets) if table.targets else ""
        if not target or self.chance(0.4):
            return f" on conflict {target if self.chance(0.5) else ''} do nothing"
        scope = self.scope_of(table, table.name)
        excluded = self.scope_of(table, "excluded")
        free = [c for c in self.written(table) if c.name not in self.key_columns(table)]
        chosen = self.some(free or self.written(table), 1, 2)
        sets = ", ".join(
            f"{c.name} = {self.assigned([*scope, *excluded], table, c)}" for c in chosen
        )
        sql = f" on conflict {target} do update set {sets}"
        if self.chance(0.4):
            sql += f" where {self.condition([*scope, *excluded], 1)}"
        return sql

    def update(self, table: Table, returning: bool = True) -> str:
        alias = self.alias("u")
        scope = self.scope_of(table, alias)
        text, seen = "", scope
        if self.chance(0.3):
            text, relation = self._unique_source(table, alias)
            seen = [*scope, relation]
            text = f" from {text}"
        free = [c for c in self.written(table) if c.name not in self.key_columns(table)]
        pool = free if free and self.chance(0.75) else self.written(table)
        chosen = self.some(pool, 1, 3)
        sets = [f"{c.name} = {self.assigned(seen, table, c)}" for c in chosen]
        if len(chosen) > 1 and free and all(c in free for c in chosen) and self.chance(0.2):
            names = ", ".join(c.name for c in chosen)
            values = ", ".join(self.fitting(self.value(seen, c.kind, 1), c) for c in chosen)
            sets = [
                f"({names}) = (select {values})"
                if self.chance(0.5)
                else f"({names}) = row({values})"
            ]
        where = self.condition(seen, 1)
        if text:
            relation = seen[1]
            where = (
                f"{self._match(table, alias, relation)} and {where}"
                if self.chance(0.6)
                else self._match(table, alias, relation)
            )
        sql = f"update {table.name} {alias} set {', '.join(sets)}{text}"
        if where and (text or self.chance(0.9)):
            sql += f" where {where}"
        return sql + (self.returning(table, alias) if returning else "")

    def _key_of(self, table: Table) -> Column:
        pool = [
            c
            for c in table.columns
            if c.kind in KEYABLE and c.kind not in ("float", "num", "interval")
        ]
        return self.pick(pool or table.columns)

    def _unique_source(self, table: Table, alias: str) -> tuple[str, Relation]:
        """A source with each value of its column c0 once; what it is matched with is `self.matched`."""
        column = self._key_of(table)
        self.matched = column.name
        text, scope = self.source([], 0, self.pick((1, 1, 2)))
        others = [self.pick(("int", "text", "num", "date")) for _ in range(2)]
        key = self.keyable(scope, column.kind, 0)
        calls = [self.aggregate(scope, kind)[0] for kind in others]
        source = self.alias("s")
        sql = f"(select {key}, {', '.join(calls)} from {text} where {self.condition(scope, 1)} group by 1) {source} (c0, c1, c2)"
        return sql, Relation(source, [("c0", column.kind), ("c1", others[0]), ("c2", others[1])])

    def _match(self, table: Table, alias: str, relation: Relation) -> str:
        return f"{alias}.{self.matched} = {relation.alias}.c0"

    def delete(self, table: Table, returning: bool = True) -> str:
        alias = self.alias("u")
        scope = self.scope_of(table, alias)
        sql = f"delete from {table.name} {alias}"
        seen = scope
        where = ""
        if self.chance(0.3):
            text, other = self.source([], 0, self.pick((1, 1, 2)))
            seen = [*scope, *other]
            sql += f" using {text}"
            where = self.join_condition(other, scope[0]) + " and "
        sql += f" where {where}{self.on_a_column(scope)} and {self.condition(seen, 1)}"
        return sql + (self.returning(table, alias) if returning else "")

    def merge(self, table: Table) -> str:
        alias = self.alias("u")
        scope = self.scope_of(table, alias)
        text, relation = self._unique_source(table, alias)
        seen = [*scope, relation]
        sql = (
            f"merge into {table.name} {alias} using {text} on {self._match(table, alias, relation)}"
        )
        for _ in range(self.number(1, 2)):
            condition = f" and {self.condition(seen, 1)}" if self.chance(0.6) else ""
            sql += f" when matched{condition} then {self._merged(table, seen)}"
        if self.chance(0.8):
            condition = f" and {self.condition([relation], 1)}" if self.chance(0.5) else ""
            sql += f" when not matched{condition} then {self._merge_insert(table, relation)}"
        return sql

    def _merged(self, table: Table, seen: Scope) -> str:
        form = self.number(0, 5)
        if form == 0:
            return "do nothing"
        if form == 1:
            return "delete"
        free = [c for c in self.written(table) if c.name not in self.key_columns(table)]
        chosen = self.some(free or self.written(table), 1, 2)
        return "update set " + ", ".join(
            f"{c.name} = {self.assigned(seen, table, c)}" for c in chosen
        )

    def _merge_insert(self, table: Table, relation: Relation) -> str:
        columns = self.written(table)
        values = []
        for column in columns:
            value = f"{relation.alias}.c0" if column.name == self.matched else self.given(column)
            if column.name != self.matched and self.chance(0.3):
                value = self.fitting(self.value([relation], column.kind, 0), column)
            values.append(value)
        return f"insert ({', '.join(c.name for c in columns)}) values ({', '.join(values)})"

    def within_with(self) -> str:
        """A change whose RETURNING another statement goes on with; both see the rows from before."""
        first, second = self.pick(self.schema.tables), self.pick(self.schema.tables)
        kept = self.some(list(first.columns), 1, 3)
        names = ", ".join(c.name for c in kept)
        make = self.pick((self.update, self.delete, self.insert))
        inner = make(first, returning=False)
        alias = "q9"
        relation = Relation(alias, [(c.name, c.kind) for c in kept])
        own = self._returned(inner, first, [c.name for c in kept])
        head = f"with {alias} ({names}) as ({inner} returning {own})"
        form = self.number(0, 2)
        if form == 0 or first is second:
            call, _ = self.aggregate([relation])
            other, scope = self.source([], 0, 1)
            return f"{head} select (select count(*) from {alias}), {call}, (select count(*) from {other} where {self.condition(scope, 1)}) from {alias}"
        columns = [
            c for c in self.written(second) if not c.nullable or self.chance(0.6)
        ] or self.written(second)
        values = []
        for column in columns:
            value = self.fitting(self.value([relation], column.kind, 0), column)
            values.append(
                value if column.nullable else f"coalesce({value}, {self.pick_value(column)})"
            )
        order = ", ".join(str(number + 1) for number in range(len(values)))
        target = ", ".join(c.name for c in columns)
        return f"{head} insert into {second.name} ({target}) select {', '.join(values)} from {alias} order by {order} limit 2"

    def _returned(self, inner: str, table: Table, names: list[str]) -> str:
        words = inner.split()
        alias = (
            words[2] if words[0] == "delete" else words[1] if words[0] == "update" else table.name
        )
        if words[0] == "delete":
            alias = words[3]
        elif words[0] == "update":
            alias = words[2]
        return ", ".join(f"{alias}.{name}" for name in names)
