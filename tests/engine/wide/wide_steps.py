"""A seed as a list of steps: a schema, its rows, then queries, changes in transactions, indexes that come and go."""

from __future__ import annotations

from dataclasses import dataclass

from wide_changes import Changes
from wide_choice import with_other_constants
from wide_schema import CONSTANT, TYPES, VALUES, Column, Schema, Table

MODES = ("simple", "simple", "simple", "text", "binary")


@dataclass(frozen=True, slots=True)
class Step:
    """`sql` has markers for constants. `mode`: simple, or through a prepared statement with parameters, whose
    rows come as text or binary. `ordered`: output columns that the rows are ordered by. `kind`: setup, query,
    change, control (transactions and definitions) or contents."""

    sql: str
    kind: str
    mode: str = "simple"
    ordered: tuple[int, ...] | None = None


class Steps(Changes):
    """`next` gives a group of steps; a group leaves no transaction open."""

    def __init__(self, seed: int | str) -> None:
        many = str(seed).isdigit() and int(seed) % 7 == 0
        super().__init__(Schema(seed, many), f"steps {seed}")
        self.recent: list[Step] = []
        self.views_made = 0

    def setup(self) -> list[Step]:
        found = [
            Step(sql, "setup")
            for sql in (*self.schema.statements, *self.schema.rows, *self.schema.later)
        ]
        return found + [self._view() for _ in range(self.number(0, 3))]

    def query_step(self) -> Step:
        made = self.query()
        step = Step(made.sql, "query", self.pick(MODES), made.ordered)
        self.recent = [*self.recent[-9:], step]
        return step

    def contents(self) -> list[Step]:
        return [Step(f"select * from {table.name}", "contents") for table in self.schema.tables]

    def next(self) -> list[Step]:
        form = self.number(0, 19)
        if form <= 11:
            return [self.query_step()]
        if form <= 15:
            return self.transaction()
        if form == 16 and self.recent:
            return [self._varied(step) for step in self.some(self.recent, 1, 3)]
        if form == 17 and self.recent:
            # The same queries with other indexes and statistics.
            again = self.some(self.recent, 1, 4)
            return [*self._definition(), *again]
        if form == 18 and self.recent:
            table = self.pick(self.schema.tables).name
            return [Step(f"analyze {table}", "control"), *self.some(self.recent, 1, 4)]
        return self._definition()

    def _varied(self, step: Step) -> Step:
        """The same query with other constants: plans are shared by the values of their literals."""

        def other(type_name: str, text: str) -> str:
            kinds = [kind for kind, its in CONSTANT.items() if its == type_name]
            return self.pick(VALUES[kinds[0]]) if kinds and self.chance(0.6) else text

        return Step(with_other_constants(step.sql, other), step.kind, step.mode, step.ordered)

    # ---- transactions

    def transaction(self) -> list[Step]:
        steps = [Step("begin isolation level repeatable read", "control")]
        saved = 0
        for _ in range(self.number(1, 4)):
            form = self.number(0, 9)
            if form == 0:
                saved += 1
                steps.append(Step(f"savepoint s{saved}", "control"))
            elif form == 1 and saved:
                word = self.pick(("rollback to", "rollback to", "release"))
                number = self.number(1, saved)
                steps.append(Step(f"{word} s{number}", "control"))
                saved = number if word != "release" else number - 1
            elif form == 2:
                steps.append(self.query_step())
            elif form == 3 and self.chance(0.3):
                steps += self._definition()
            elif form == 3 and self.chance(0.4):
                steps += self._cursor()
            elif form == 3 and self.chance(0.1):
                steps.append(
                    Step(f"truncate {self.pick(self.schema.tables).name} cascade", "change")
                )
            else:
                steps.append(Step(self.change(), "change", self.pick(MODES)))
                if self.chance(0.3):
                    steps.append(self.pick(self.contents()))
        steps.append(Step(self.pick(("commit", "commit", "commit", "rollback")), "control"))
        return steps + self.contents()

    def _cursor(self) -> list[Step]:
        """A query through a cursor."""
        made = self.query()
        name = self.alias("cur")
        steps = [Step(f"declare {name} cursor for {made.sql}", "control")]
        steps.append(Step(f"fetch all from {name}", "query"))
        return [*steps, Step(f"close {name}", "control")]

    # ---- definitions

    def _definition(self) -> list[Step]:
        form = self.number(0, 9)
        if form <= 4 or not self.schema.indexes:
            return [Step(self.schema.index(self.pick(self.schema.tables)), "control")]
        if form <= 7:
            name = self.pick(sorted(self.schema.indexes))
            del self.schema.indexes[name]
            return [Step(f"drop index if exists {name}", "control")]
        if form == 8:
            return [self._view()]
        return [self._alteration(self.pick(self.schema.tables))]

    def _alteration(self, table: Table) -> Step:
        taken = {column.name for column in table.columns}
        free = [
            (name, kind) for name, kind in self.schema.names if name not in taken and name != "id"
        ]
        if free and self.chance(0.6):
            name, kind = self.pick(free)
            column = Column(name, kind, self.pick(TYPES[kind]))
            default = self.schema.literal_of(column, edges=False)
            if self.chance(0.5) and default != "null":
                column.more = f" default {default}"
            table.columns.append(column)
            return Step(
                f"alter table {table.name} add column if not exists {name} {column.type}{column.more}",
                "control",
            )
        texts = [c for c in table.columns if c.type in ("int", "varchar(6)") and c.written]
        if texts and not self.schema.views:
            column = self.pick(texts)
            column.type = "bigint" if column.type == "int" else "text"
            return Step(
                f"alter table {table.name} alter column {column.name} type {column.type}", "control"
            )
        return Step(f"analyze {table.name}", "control")

    def _view(self) -> Step:
        self.views_made += 1
        self.begin()
        name = f"w{self.views_made}"
        table = self.pick(self.schema.tables)
        if self.chance(0.5):
            chosen = self.some(table.columns, 2, len(table.columns))
            sql = f"create view {name} as select {', '.join(c.name for c in chosen)} from {table.name}"
            if self.chance(0.6):
                sql += f" where {self.schema.predicate(self.pick(table.columns))}"
                sql += self.pick(("", "", " with check option", " with local check option"))
            columns = [Column(c.name, c.kind, c.type, c.nullable, c.written) for c in chosen]
            names = {c.name for c in chosen}
            fit = all(c.nullable or not c.written or c.name in names for c in table.columns)
            view = Table(name, columns, is_view=True, writable=fit)
            view.uniques = [(n,) for n in self.key_columns(table) if n in names]
        else:
            body, kinds = self.block([], 1)
            names_ = [f"c{number}" for number in range(len(kinds))]
            sql = f"create view {name} ({', '.join(names_)}) as {body}"
            view = Table(
                name,
                [Column(n, k, "") for n, k in zip(names_, kinds, strict=True)],
                is_view=True,
                writable=False,
            )
        self.schema.views.append(view)
        return Step(sql, "control")
