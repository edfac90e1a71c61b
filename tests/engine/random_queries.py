"""Random queries over three small tables full of NULLs and duplicates, for comparison with PostgreSQL.

Every query is deterministic up to the order of its rows. Texts are valid SQL for both systems.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import ClassVar

SCHEMA = (
    "create table ra (id int primary key, k int, s text, n numeric(6,2), b boolean)",
    "create table rb (id int, k int, s text, d date, primary key (k, id))",
    "create table rc (id int primary key, k bigint unique, s varchar(5), n numeric(8,2))",
    "create index ra_k on ra (k)",
    "create index ra_sn on ra (s, n desc)",
    "create index rb_d on rb (d) include (s)",
    "create index rb_s on rb (s) where k > 1",
    "create index rc_e on rc ((n * 2))",
)
WORDS = ("'a'", "'b'", "'ab'", "'B'", "''", "null")


def rows(source: random.Random) -> list[str]:
    statements = []
    for number in range(40):
        statements.append(
            f"insert into ra values ({number}, {_maybe(source, 0, 6)}, {source.choice(WORDS)}, "
            f"{_maybe(source, -3, 3)}.{source.choice(('0', '5', '25'))}"
            f", {source.choice(('true', 'false', 'null'))})".replace("null.0", "null")
            .replace("null.5", "null")
            .replace("null.25", "null")
        )
    for number in range(40):
        day = source.choice(("null", f"'2024-01-{source.randint(1, 9):02d}'"))
        statements.append(
            f"insert into rb values ({number}, {source.randint(0, 4)}, {source.choice(WORDS)}, {day})"
        )
    for number in range(15):
        key = source.choice((str(number), "null"))
        statements.append(
            f"insert into rc values ({number}, {key}, {source.choice(WORDS)}, "
            f"{_maybe(source, -4, 4)})"
        )
    return statements


def _maybe(source: random.Random, low: int, high: int) -> str:
    return "null" if source.random() < 0.2 else str(source.randint(low, high))


class Queries:
    COLUMNS: ClassVar = {
        "ra": {"id": "int", "k": "int", "s": "text", "n": "num", "b": "bool"},
        "rb": {"id": "int", "k": "int", "s": "text", "d": "date"},
        "rc": {"id": "int", "k": "int", "s": "text", "n": "num"},
    }

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.aliases = 0

    def pick(self, options: Sequence[str]) -> str:
        return self.random.choice(options)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    # ---- expressions over (alias, table) pairs

    def column(self, tables: list[tuple[str, str]], kind: str) -> str:
        found = [
            f"{alias}.{name}"
            for alias, table in tables
            for name, its in self.COLUMNS[table].items()
            if its == kind
        ]
        return self.pick(found) if found else self.constant(kind)

    def constant(self, kind: str) -> str:
        match kind:
            case "int":
                return str(self.random.randint(-1, 7))
            case "num":
                return self.pick(("0", "1.5", "-2", "2.25", "3"))
            case "text":
                return self.pick(("'a'", "'b'", "'ab'", "'zz'"))
            case "date":
                return self.pick(("date '2024-01-03'", "date '2024-01-08'"))
            case _:
                return self.pick(("true", "false"))

    def value(self, tables: list[tuple[str, str]], kind: str, depth: int) -> str:
        if depth <= 0 or self.chance(0.5):
            return self.column(tables, kind) if self.chance(0.8) else self.constant(kind)
        inner = depth - 1
        match kind:
            case "int" | "num":
                form = self.random.randint(0, 4)
                if form == 0:
                    operator = self.pick(("+", "-", "*"))
                    return f"({self.value(tables, kind, inner)} {operator} {self.value(tables, kind, inner)})"
                if form == 1:
                    return f"coalesce({self.value(tables, kind, inner)}, {self.constant(kind)})"
                if form == 2:
                    return f"nullif({self.value(tables, kind, inner)}, {self.constant(kind)})"
                if form == 3:
                    return (
                        f"case when {self.condition(tables, inner)} then {self.value(tables, kind, inner)} "
                        f"else {self.value(tables, kind, inner)} end"
                    )
                return f"abs({self.value(tables, kind, inner)})"
            case "text":
                form = self.random.randint(0, 2)
                if form == 0:
                    return (
                        f"({self.value(tables, kind, inner)} || {self.value(tables, kind, inner)})"
                    )
                if form == 1:
                    return f"upper({self.value(tables, kind, inner)})"
                return f"coalesce({self.value(tables, kind, inner)}, 'q')"
            case "bool":
                return f"({self.condition(tables, inner)})"
            case _:
                return self.column(tables, kind)

    def condition(self, tables: list[tuple[str, str]], depth: int) -> str:
        if depth > 0 and self.chance(0.45):
            inner = depth - 1
            form = self.random.randint(0, 2)
            if form == 2:
                return f"not ({self.condition(tables, inner)})"
            word = "and" if form == 0 else "or"
            return f"({self.condition(tables, inner)} {word} {self.condition(tables, inner)})"
        if self.chance(0.06):
            return self.row_condition(tables)
        kind = self.pick(("int", "int", "int", "num", "text", "text", "date", "bool"))
        left = self.value(tables, kind, min(depth, 1))
        form = self.random.randint(0, 9)
        if kind == "bool":
            return f"{left} is {self.pick(('true', 'not true', 'null', 'false'))}"
        if form == 0:
            return f"{left} is {self.pick(('null', 'not null'))}"
        if form == 1:
            items = ", ".join(self.constant(kind) for _ in range(self.random.randint(1, 4)))
            items += self.pick(("", "", ", null"))
            return f"{left} {self.pick(('in', 'in', 'not in'))} ({items})"
        if form == 2:
            low, high = self.constant(kind), self.constant(kind)
            return f"{left} {self.pick(('between', 'not between'))} {low} and {high}"
        if form == 3 and depth > 0:
            return self.subquery_condition(tables, kind, left)
        if form == 4 and kind == "text":
            pattern = self.pick(("'a%'", "'%b'", "'_'"))
            return f"{left} {self.pick(('like', 'not like'))} {pattern}"
        operator = self.pick(("=", "=", "=", "<>", "<", "<=", ">", ">="))
        right = self.value(tables, kind, min(depth, 1)) if self.chance(0.4) else self.constant(kind)
        if form == 5:
            return f"{left} is {self.pick(('', 'not '))}distinct from {right}"
        return f"{left} {operator} {right}"

    def row_condition(self, tables: list[tuple[str, str]]) -> str:
        alias, _ = self.pick(tables)  # type: ignore[arg-type]
        pairs = [
            f"({self.constant('int')}, {self.random.randint(0, 39)})"
            for _ in range(self.random.randint(1, 4))
        ]
        form = self.random.randint(0, 2)
        if form == 0:
            return f"({alias}.k, {alias}.id) {self.pick(('in', 'not in'))} ({', '.join(pairs)})"
        if form == 1:
            return f"({alias}.k, {alias}.id) {self.pick(('<', '<=', '>', '>='))} {pairs[0]}"
        arms = [
            f"({alias}.k = {self.constant('int')} and {alias}.id {self.pick(('=', '=', '>'))} {self.random.randint(0, 39)})"
            for _ in range(2)
        ]
        return f"({' or '.join(arms)})"

    def subquery_condition(self, tables: list[tuple[str, str]], kind: str, left: str) -> str:
        alias, table = self.table()
        both = [*tables, (alias, table)]
        where = self.condition(both if self.chance(0.6) else [(alias, table)], 1)
        form = self.random.randint(0, 3)
        if form == 0:
            word = self.pick(("exists", "not exists"))
            return f"{word} (select 1 from {table} {alias} where {where})"
        inner = self.column([(alias, table)], kind)
        if form == 1:
            word = self.pick(("in", "in", "not in"))
            return f"{left} {word} (select {inner} from {table} {alias} where {where})"
        if form == 2:
            operator, word = self.pick(("=", "<", ">=", "<>")), self.pick(("any", "all"))
            return f"{left} {operator} {word} (select {inner} from {table} {alias} where {where})"
        aggregate = self.pick(("max", "min", "count")) if kind != "bool" else "count"
        if aggregate == "count":
            return f"(select count({inner}) from {table} {alias} where {where}) > {self.random.randint(0, 3)}"
        return f"{left} = (select {aggregate}({inner}) from {table} {alias} where {where})"

    # ---- queries

    def table(self) -> tuple[str, str]:
        self.aliases += 1
        return f"t{self.aliases}", self.pick(("ra", "rb", "rc"))

    def source(self, count: int) -> tuple[str, list[tuple[str, str]]]:
        alias, table = self.table()
        text, tables = f"{table} {alias}", [(alias, table)]
        for _ in range(count - 1):
            alias, table = self.table()
            word = self.pick(("join", "join", "left join", "right join", "full join"))
            both = [*tables, (alias, table)]
            kind = self.pick(("int", "int", "text"))
            on = f"{self.column(tables, kind)} = {self.column([(alias, table)], kind)}"
            if self.chance(0.3) and word != "full join":
                on += f" and {self.condition(both, 1)}"
            text, tables = f"{text} {word} {table} {alias} on {on}", both
        return text, tables

    def query(self) -> str:
        self.aliases = 0
        form = self.random.randint(0, 9)
        if form <= 4:
            return self.plain()
        if form <= 7:
            return self.grouped()
        if form == 8:
            word = self.pick(("union", "union all", "intersect", "except", "except all"))
            return f"{self.simple('int')} {word} {self.simple('int')}"
        inner, tables = self.source(1)
        alias, table = tables[0]
        names = ", ".join(f"{alias}.{name}" for name in self.COLUMNS[table])
        body = f"select {names} from {inner} where {self.condition(tables, 1)}"
        outer = [("q", table)]
        return f"with q as ({body}) select * from q where {self.condition(outer, 2)}"

    def simple(self, kind: str) -> str:
        text, tables = self.source(1)
        return f"select {self.value(tables, kind, 1)} as v from {text} where {self.condition(tables, 1)}"

    def plain(self) -> str:
        text, tables = self.source(self.pick((1, 1, 2, 2, 3)))  # type: ignore[arg-type]
        kinds = [self.pick(("int", "num", "text", "bool", "date")) for _ in range(2)]
        targets = ", ".join(self.value(tables, kind, 2) for kind in kinds)
        distinct = "distinct " if self.chance(0.15) else ""
        sql = f"select {distinct}{targets} from {text}"
        if self.chance(0.8):
            sql += f" where {self.condition(tables, 2)}"
        if self.chance(0.3) and not distinct:
            keys = [f"{alias}.{name}" for alias, table in tables for name in self.COLUMNS[table]]
            self.random.shuffle(keys)
            order = ", ".join(
                key + self.pick(("", " desc", " nulls first", " desc nulls last")) for key in keys
            )
            sql += f" order by {order}"
            if self.chance(0.5):
                sql += f" limit {self.random.randint(0, 9)}"
            if self.chance(0.3):
                sql += f" offset {self.random.randint(0, 3)}"
        return sql

    def grouped(self) -> str:
        text, tables = self.source(self.pick((1, 1, 2)))  # type: ignore[arg-type]
        kind = self.pick(("int", "text", "bool"))
        group = self.column(tables, kind)
        number = self.column(tables, "int")
        calls = self.pick(
            (
                f"count(*), sum({number})",
                f"min({number}), max({number}), count(distinct {number})",
                f"sum({self.column(tables, 'num')}), count({number}) filter (where {self.condition(tables, 1)})",
                f"avg({number}), bool_or({self.condition(tables, 1)})",
            )
        )
        sql = f"select {group}, {calls} from {text}"
        if self.chance(0.6):
            sql += f" where {self.condition(tables, 2)}"
        sql += f" group by {group}"
        if self.chance(0.3):
            sql += f" having count(*) > {self.random.randint(0, 3)}"
        return sql


class Changes(Queries):
    """Statements that change the tables; keys only get values that no other row of the statement gets."""

    def change(self) -> str:
        self.aliases = 0
        table = self.pick(("ra", "rb", "rc"))
        both = [(table, table)]
        where = self.condition(both, 2)
        form = self.random.randint(0, 6)
        if form == 0:
            return f"delete from {table} where {where}"
        if form <= 3:
            kind, column = self.pick((("int", "k"), ("text", "s")))  # type: ignore[arg-type]
            if column == "k" and table != "ra":
                kind, column = "text", "s"
            value = self.value(both, kind, 1) if table != "rc" else "'u'"
            return f"update {table} set {column} = {value} where {where} returning id, {column}"
        number = self.random.randint(30, 60)
        values = {
            "ra": f"({number}, {self.constant('int')}, {self.constant('text')}, {self.constant('num')}, null)",
            "rb": f"({number}, {self.random.randint(0, 4)}, {self.constant('text')}, {self.constant('date')})",
            "rc": f"({number}, {number}, {self.constant('text')}, {self.constant('num')})",
        }[table]
        insert = f"insert into {table} values {values}"
        if form == 4:
            return insert
        if form == 5:
            return insert + " on conflict do nothing"
        target = {"ra": "(id)", "rb": "(k, id)", "rc": "(id)"}[table]
        return (
            insert
            + f" on conflict {target} do update set s = 'C' where {table}.s is not null returning id, s"
        )
