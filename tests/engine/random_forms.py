"""More forms of random queries: windows, LATERAL, DISTINCT ON, set operations and CTEs over typed expressions.

What is left open by SQL is closed here: windows and LIMIT are over unique orders, floats are not summed.
"""

from __future__ import annotations

from random_queries import Queries

Tables = list[tuple[str, str]]
# A unique key of each table, as columns.
KEYS = {"ra": ("id",), "rb": ("k", "id"), "rc": ("id",)}
KINDS = ("int", "num", "text", "bool", "date")


class WideQueries(Queries):
    """Half of the time the plain forms, else one of these."""

    def query(self) -> str:
        if self.chance(0.4):
            return super().query()
        self.aliases = 0
        forms = (
            self.windowed,
            self.lateral,
            self.distinct_on,
            self.set_operation,
            self.limited,
            self.common,
            self.aggregated,
            self.nested,
        )
        return forms[self.random.randint(0, len(forms) - 1)]()

    # ---- parts

    def key(self, tables: Tables) -> str:
        """Columns that tell all rows of an inner join apart."""
        return ", ".join(f"{alias}.{name}" for alias, table in tables for name in KEYS[table])

    def inner(self, count: int) -> tuple[str, Tables]:
        alias, table = self.table()
        text, tables = f"{table} {alias}", [(alias, table)]
        for _ in range(count - 1):
            alias, table = self.table()
            both = [*tables, (alias, table)]
            text += f" join {table} {alias} on {self.condition(both, 1)}"
            tables = both
        return text, tables

    def typed(self, tables: Tables, kind: str, depth: int) -> str:
        """A value of the kind, more forms than `value` has."""
        if depth <= 0 or self.chance(0.4):
            return self.value(tables, kind, depth)
        form = self.random.randint(0, 4)
        a = self.typed(tables, kind, depth - 1)
        match kind:
            case "int":
                text = self.typed(tables, "text", depth - 1)
                return (
                    f"length({text})",
                    f"({a})::numeric::int",
                    f"(({a}) % {self.random.randint(2, 5)})",
                    f"greatest({a}, {self.constant('int')})",
                    f"(({a}) / {self.random.randint(1, 4)})",
                )[form]
            case "num":
                return (
                    f"round({a}, {self.random.randint(0, 2)})",
                    f"(({a}) * {self.pick(('1.5', '0.1', '-2'))})",
                    f"least({a}, {self.constant('num')})",
                    f"({self.value(tables, 'int', 1)})::numeric",
                    f"trunc({a})",
                )[form]
            case "text":
                number = self.value(tables, "int", 1)
                return (
                    f"substr({a}, {self.random.randint(-1, 3)}, {self.random.randint(0, 3)})",
                    f"lpad({a}, {self.random.randint(0, 4)}, '*')",
                    f"({number})::text",
                    f"replace({a}, 'a', 'xy')",
                    f"concat({a}, {number}, null)",
                )[form]
            case "date":
                return (
                    f"(({a}) + {self.random.randint(-40, 40)})",
                    f"(({a}) + interval '1 month')::date",
                    f"date_trunc('month', {a})::date",
                    f"coalesce({a}, date '2024-02-29')",
                    f"greatest({a}, date '2024-01-05')",
                )[form]
            case _:
                return f"({self.condition(tables, depth)})"

    # ---- forms

    def windowed(self) -> str:
        text, tables = self.inner(self.random.randint(1, 2))
        key = self.key(tables)
        partition = (
            f"partition by {self.typed(tables, self.pick(KINDS), 1)} " if self.chance(0.6) else ""
        )
        order = f"{self.typed(tables, 'int', 1)} {self.pick(('', 'desc', 'nulls first', 'desc nulls last'))}, {key}"
        kind = self.pick(("int", "num"))
        call = self.pick(
            (
                "row_number()",
                "rank()",
                "dense_rank()",
                f"ntile({self.random.randint(1, 4)})",
                f"lag({self.typed(tables, kind, 1)}, {self.random.randint(0, 3)})",
                f"lead({self.typed(tables, 'text', 1)})",
                f"first_value({self.typed(tables, kind, 1)})",
                f"sum({self.typed(tables, kind, 1)})",
                f"count({self.typed(tables, 'text', 1)})",
                f"max({self.typed(tables, 'date', 1)})",
                f"nth_value({self.typed(tables, 'text', 1)}, 2)",
            )
        )
        frame = ""
        if self.chance(0.5) and call.split("(")[0] in (
            "sum",
            "count",
            "max",
            "first_value",
            "nth_value",
        ):
            start = self.pick(("unbounded preceding", "2 preceding", "1 preceding", "current row"))
            end = self.pick(("current row", "1 following", "unbounded following"))
            exclude = self.pick(("", "", " exclude current row"))
            frame = f" {self.pick(('rows', 'groups'))} between {start} and {end}{exclude}"
        return (
            f"select {key}, {call} over ({partition}order by {order}{frame}) w from {text} "
            f"where {self.condition(tables, 1)} order by {key}"
        )

    def lateral(self) -> str:
        text, tables = self.inner(1)
        alias, table = self.table()
        both = [*tables, (alias, table)]
        inner = f"select {alias}.id as i, {self.typed(both, 'text', 1)} as s from {table} {alias} where {self.condition(both, 2)}"
        if self.chance(0.4):
            inner += f" order by {self.key([(alias, table)])} limit {self.random.randint(0, 3)}"
        elif self.chance(0.3):
            inner = f"select count(*) as i, max({alias}.s) as s from {table} {alias} where {self.condition(both, 2)}"
        join = self.pick(("cross join lateral ({}) q", "left join lateral ({}) q on true"))
        return f"select {self.key(tables)}, q.i, q.s from {text} {join.format(inner)}"

    def distinct_on(self) -> str:
        text, tables = self.inner(1)
        on = self.typed(tables, self.pick(("int", "text", "date")), 1)
        return (
            f"select distinct on ({on}) {self.key(tables)}, {on} as v from {text} "
            f"where {self.condition(tables, 1)} order by {on}, {self.key(tables)}"
        )

    def set_operation(self) -> str:
        kinds = [
            self.pick(("int", "text", "date", "bool")) for _ in range(self.random.randint(1, 2))
        ]

        def side() -> str:
            text, tables = self.inner(1)
            columns = ", ".join(self.typed(tables, kind, 1) for kind in kinds)
            return f"select {columns} from {text} where {self.condition(tables, 1)}"

        words = ("union", "union all", "intersect", "intersect all", "except", "except all")
        left = f"({side()}) {self.pick(words)} ({side()})"
        return f"({left}) {self.pick(words)} ({side()})" if self.chance(0.3) else left

    def limited(self) -> str:
        text, tables = self.inner(self.random.randint(1, 2))
        kind = self.pick(KINDS)
        order = f"{self.typed(tables, kind, 2)} {self.pick(('', 'desc', 'nulls first'))}, {self.key(tables)}"
        ends = f"limit {self.random.randint(0, 6)} offset {self.random.randint(0, 3)}"
        return f"select {self.key(tables)}, {self.typed(tables, kind, 2)} from {text} where {self.condition(tables, 2)} order by {order} {ends}"

    def common(self) -> str:
        text, tables = self.inner(1)
        body = f"select {tables[0][0]}.id as id, {self.typed(tables, 'int', 1)} as k, {self.typed(tables, 'text', 1)} as s from {text}"
        alias, table = self.table()
        materialized = self.pick(("", "materialized ", "not materialized "))
        word = self.pick(("join", "left join", "full join"))
        return (
            f"with c as {materialized}({body}) select c.id, c.k, {alias}.id from c {word} {table} {alias} "
            f"on c.{self.pick(('id', 'k'))} = {alias}.{self.pick(('id', 'k'))}"
        )

    def aggregated(self) -> str:
        text, tables = self.inner(self.random.randint(1, 2))
        group = self.typed(tables, self.pick(("int", "text", "bool", "date")), 1)
        calls = ", ".join(
            self.pick(
                (
                    f"count(distinct {self.typed(tables, 'text', 1)})",
                    f"sum({self.typed(tables, 'num', 1)})",
                    f"avg({self.typed(tables, 'int', 1)})",
                    f"array_agg({self.typed(tables, 'int', 1)} order by {self.key(tables)})",
                    f"string_agg({self.typed(tables, 'text', 1)}, ',' order by {self.key(tables)} desc)",
                    f"bool_or({self.condition(tables, 1)})",
                    f"count(*) filter (where {self.condition(tables, 1)})",
                    f"min({self.typed(tables, 'date', 1)})",
                    f"array_agg(distinct {self.typed(tables, 'text', 1)})",
                )
            )
            for _ in range(self.random.randint(1, 3))
        )
        having = f" having count(*) > {self.random.randint(0, 3)}" if self.chance(0.4) else ""
        return f"select {group} as g, {calls} from {text} where {self.condition(tables, 1)} group by 1{having}"

    def nested(self) -> str:
        text, tables = self.inner(1)
        alias, table = self.table()
        both = [*tables, (alias, table)]
        scalar = f"(select {self.pick(('max', 'min', 'count'))}({alias}.id) from {table} {alias} where {self.condition(both, 2)})"
        array = f"array(select {alias}.id from {table} {alias} where {self.condition(both, 1)} order by {self.key([(alias, table)])} limit 5)"
        return f"select {self.key(tables)}, {self.pick((scalar, array))} from {text} where {self.condition(tables, 2)}"
