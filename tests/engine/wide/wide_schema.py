"""A random schema: types, tables with keys, constraints and indexes, views, and rows to fill them with.

A column's *kind* says which expressions may hold it; several types are of one kind. Columns of one name are
of one kind in all tables of a schema, so NATURAL and USING join everything with everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from wide_choice import Choice, constant

KINDS = (
    "int", "num", "float", "text", "char", "bool", "date", "ts", "tstz", "interval", "time", "uuid", "enum",
    "jsonb", "bytea", "ints",
)  # fmt: skip
# What a key or an index may hold.
KEYABLE = frozenset(KINDS) - {"jsonb", "ints"}
_WEIGHTED = (
    "int", "int", "int", "int", "num", "num", "float", "text", "text", "text", "char", "bool", "date", "date",
    "ts", "tstz", "interval", "time", "uuid", "enum", "jsonb", "bytea", "ints",
)  # fmt: skip
TYPES = {
    "int": ("int", "int", "bigint", "smallint", "d_int"),
    "num": ("numeric(8,2)", "numeric", "numeric(10,3)"),
    "float": ("float8", "float8", "float4"),
    "text": ("text", "text", "varchar(6)", "d_text"),
    "char": ("char(3)",),
    "bool": ("bool",),
    "date": ("date",),
    "ts": ("timestamp", "timestamp(0)"),
    "tstz": ("timestamptz",),
    "interval": ("interval",),
    "time": ("time",),
    "uuid": ("uuid",),
    "enum": ("mood",),
    "jsonb": ("jsonb",),
    "bytea": ("bytea",),
    "ints": ("int[]",),
}
# The type that a constant of the kind has.
CONSTANT = {
    "int": "int4", "num": "numeric", "float": "float8", "text": "text", "char": "char(3)", "bool": "bool",
    "date": "date", "ts": "timestamp", "tstz": "timestamptz", "interval": "interval", "time": "time",
    "uuid": "uuid", "enum": "mood", "jsonb": "jsonb", "bytea": "bytea", "ints": "int4[]",
}  # fmt: skip
VALUES = {
    "int": ("0", "1", "2", "3", "4", "5", "6", "-1", "-3", "10"),
    "num": ("0", "0.00", "1", "1.0", "1.5", "-2", "2.25", "3", "100.10", "-0.5"),
    "float": ("0", "0.5", "1", "1.25", "-2", "3", "-0.75", "8"),
    "text": ("", "a", "b", "ab", "B", "Ab", "a%", "ä", "z_z", " a"),
    "char": ("a", "ab", "abc", "b", ""),
    "bool": ("true", "false"),
    "date": ("2024-01-01", "2024-01-31", "2024-02-29", "2023-12-31", "1999-05-05", "2024-03-31"),
    "ts": ("2024-01-01 00:00:00", "2024-02-29 12:30:00", "2023-12-31 23:59:59", "2024-03-31 02:30:00"),
    "tstz": ("2024-01-01 00:00:00+00", "2024-03-31 01:30:00+00", "2024-10-27 00:30:00+00", "2023-12-31 23:00:00+00"),
    "interval": ("0", "1 day", "2 hours", "-1 day", "1 day 03:00:00"),
    "time": ("00:00:00", "12:30:00", "23:59:59.5"),
    "uuid": ("00000000-0000-0000-0000-000000000001", "ffffffff-ffff-ffff-ffff-ffffffffffff", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    "enum": ("sad", "ok", "happy"),
    "jsonb": ("1", "null", '{"a": 1}', '{"a": 2, "b": [1, 2]}', "[1, 2, 3]", '"x"', "{}"),
    "bytea": (r"\x", r"\x00", r"\x61ff"),
    "ints": ("{}", "{1}", "{1,2,3}", "{3,NULL}", "{2,2}"),
}  # fmt: skip
_EDGES = {
    "smallint": ("32767", "-32768"),
    "int": ("2147483647", "-2147483648"),
    "bigint": ("9223372036854775807", "-9223372036854775808"),
    "numeric": ("NaN", "12345678901234567890.125"),
    "float8": ("Infinity", "NaN"),
    "float4": ("-Infinity",),
}
TYPE_STATEMENTS = (
    "create type mood as enum ('sad', 'ok', 'happy')",
    "create domain d_int as int check (value < 1000000)",
    "create domain d_text as text check (length(value) < 200)",
)


@dataclass(slots=True)
class Column:
    """`written`: INSERT and UPDATE may give it a value."""

    name: str
    kind: str
    type: str = ""
    nullable: bool = True
    written: bool = True
    more: str = ""


@dataclass(slots=True)
class Table:
    """`uniques` are constraints' columns, the primary key first if there is one; `targets` what ON CONFLICT
    may name. A view has none. `writable`: rows can be changed through it."""

    name: str
    columns: list[Column]
    primary: tuple[str, ...] = ()
    uniques: list[tuple[str, ...]] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    referring: set[str] = field(default_factory=set)
    is_view: bool = False
    writable: bool = True

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def of(self, *kinds: str) -> list[Column]:
        return [column for column in self.columns if column.kind in kinds]

    @property
    def keyable(self) -> list[Column]:
        return [column for column in self.columns if column.kind in KEYABLE]


class Schema(Choice):
    """Statements and what they make. `statements` come first, then `rows`, then `later`."""

    def __init__(self, seed: int | str, many_rows: bool = False) -> None:
        super().__init__(f"schema {seed}")
        self.many_rows = many_rows
        self.tables: list[Table] = []
        self.views: list[Table] = []
        self.statements: list[str] = list(TYPE_STATEMENTS)
        self.rows: list[str] = []
        self.later: list[str] = []
        self.indexes: dict[str, str] = {}
        # Columns that unique indexes look at, by table.
        self.unique_columns: dict[str, set[str]] = {}
        self.index_count = 0
        names = [("id", "int"), ("k", "int")]
        names += [(letter, self.pick(_WEIGHTED)) for letter in "abcdefghm"]
        self.names = names
        for number in range(self.number(2, 4)):
            self._table(f"t{number}")
        for table in self.tables:
            self._fill(table)
        for table in self.tables:
            for _ in range(self.pick((0, 1, 1, 2, 3))):
                self.later.append(self.index(table))
        for table in self.tables:
            self._reference(table)

    # ---- tables

    def _table(self, name: str) -> None:
        chosen = [self.names[0]] if self.chance(0.8) else []
        chosen += self.some(self.names[1:], 2, 6)
        if not any(kind in KEYABLE for _, kind in chosen):
            chosen.append(self.names[1])
        if self.chance(0.3):
            self.random.shuffle(chosen)
        columns = [Column(name, kind, self.pick(TYPES[kind])) for name, kind in chosen]
        table = Table(name, columns)
        for column in columns:
            if self.chance(0.15):
                column.nullable = False
                column.more += " not null"
            if self.chance(0.2):
                column.more += f" default {self.literal_of(column, edges=False)}"
        parts = self._constraints(table)
        self._generated(table)
        parts = [f"{c.name} {c.type}{c.more}" for c in table.columns] + parts
        self.statements.append(f"create table {name} ({', '.join(parts)})")
        self.tables.append(table)

    def _constraints(self, table: Table) -> list[str]:
        parts = []
        keyable = [c.name for c in table.keyable if c.kind != "float"]
        if keyable and self.chance(0.8):
            has_id = "id" in keyable
            key = ["id"] if has_id and self.chance(0.6) else self.some(keyable, 1, 3)
            table.primary = tuple(key)
            table.uniques.append(table.primary)
            for name in key:
                column = table.column(name)
                column.nullable = False
                if column.type.startswith("d_"):
                    column.type = "int" if column.kind == "int" else "text"
                column.more = column.more.replace(" not null", "")
            parts.append(f"primary key ({', '.join(key)})")
            table.targets.append(f"({', '.join(key)})")
        if keyable and self.chance(0.3):
            key = self.some(keyable, 1, 2)
            nulls = self.pick(("", "", " nulls not distinct"))
            table.uniques.append(tuple(key))
            parts.append(f"constraint {table.name}_u unique{nulls} ({', '.join(key)})")
            table.targets += [f"({', '.join(key)})", f"on constraint {table.name}_u"]
        numbers = table.of("int", "num")
        if numbers and self.chance(0.4):
            column = self.pick(numbers)
            parts.append(
                f"constraint {table.name}_c check ({column.name} {self.pick(('<> 9', '> -4', '< 5000 or ' + column.name + ' > 9000', 'is null or ' + column.name + ' <> 7'))})"
            )
        return parts

    def _generated(self, table: Table) -> None:
        numbers = [c for c in table.of("int") if c.type != "bigint"]
        texts = table.of("text")
        if numbers and self.chance(0.25):
            name = self.pick(numbers).name
            more = f" generated always as ({name}::bigint * 2 + 1) stored"
            table.columns.append(Column("gen", "int", "bigint", written=False, more=more))
        elif texts and self.chance(0.25):
            name = self.pick(texts).name
            more = f" generated always as (upper({name}) || '!') stored"
            table.columns.append(Column("gent", "text", "text", written=False, more=more))

    def _reference(self, table: Table) -> None:
        parents = [t for t in self.tables if len(t.primary) == 1]
        if not parents or not self.chance(0.5):
            return
        parent = self.pick(parents)
        kind = parent.column(parent.primary[0]).kind
        columns = [c for c in table.of(kind) if c.nullable and c.written and c.kind in KEYABLE]
        if not columns or kind in ("char", "num", "enum"):
            return
        name = self.pick(columns).name
        key = parent.primary[0]
        actions = ("no action", "restrict", "cascade", "set null")
        clause = f"on delete {self.pick(actions)} on update {self.pick(actions)}"
        clause += self.pick(("", "", " deferrable initially deferred"))
        self.later.append(
            f"update {table.name} set {name} = null where not exists "
            f"(select from {parent.name} p where p.{key} = {table.name}.{name})"
        )
        self.later.append(
            f"alter table {table.name} add foreign key ({name}) references {parent.name} ({key}) {clause}"
        )
        table.referring.add(name)

    # ---- indexes

    def index(self, table: Table) -> str:
        """CREATE INDEX of a random form; remembers its name."""
        self.index_count += 1
        name = f"i{self.index_count}"
        columns = [c.name for c in table.keyable]
        parts = []
        for column in self.some(columns, 1, 3):
            text = column
            if self.chance(0.2):
                text = self._expression(table.column(column))
            text += self.pick(("", "", " desc", " nulls first", " desc nulls last"))
            parts.append(text)
        unique = self.chance(0.15)
        sql = (
            f"create {'unique ' if unique else ''}index {name} on {table.name} ({', '.join(parts)})"
        )
        if self.chance(0.2):
            rest = [c.name for c in table.columns if c.name not in "".join(parts)]
            if rest:
                sql += f" include ({', '.join(self.some(rest, 1, 2))})"
        if self.chance(0.25):
            column_ = self.pick(table.columns)
            sql += f" where {self.predicate(column_)}"
        self.indexes[name] = table.name
        if unique:
            used = {c.name for c in table.columns if c.name in sql.split("(", 1)[1]}
            self.unique_columns.setdefault(table.name, set()).update(used)
        return sql

    def _expression(self, column: Column) -> str:
        match column.kind:
            case "int":
                return self.pick(
                    (
                        f"(({column.name}::bigint) + 1)",
                        f"(({column.name} % 3))",
                        f"(-({column.name}::bigint))",
                    )
                )
            case "num":
                return f"({column.name} * 2)"
            case "text":
                return self.pick(
                    (f"lower({column.name})", f"(upper({column.name}))", f"length({column.name})")
                )
            case "date":
                return f"(({column.name} + 1))"
            case _:
                return f"(({column.name} is null))"

    def predicate(self, column: Column) -> str:
        if column.kind in ("jsonb", "ints") or self.chance(0.3):
            return f"{column.name} is {self.pick(('', 'not '))}null"
        operator = self.pick(("=", "<>", "<", ">", "<=", ">="))
        value = self.pick(VALUES[column.kind])
        return f"{column.name} {operator} '{value}'"

    # ---- rows

    def literal_of(self, column: Column, edges: bool = True) -> str:
        """A value for the column, as a literal; NULL sometimes where it may."""
        if column.nullable and self.chance(0.2):
            return "null"
        base = column.type.split("(")[0]
        if edges and base in _EDGES and "," not in column.type and self.chance(0.03):
            return f"'{self.pick(_EDGES[base])}'"
        if column.name == "id" and self.chance(0.9):
            return str(self.number(0, 400 if self.many_rows else 60))
        return "'" + self.pick(VALUES[column.kind]) + "'"

    def row(self, table: Table) -> str:
        values = [self.literal_of(c) for c in table.columns if c.written]
        return f"({', '.join(values)})"

    def _fill(self, table: Table) -> None:
        columns = ", ".join(c.name for c in table.columns if c.written)
        count = self.pick((0, 4, 12, 24, 40)) * (4 if self.many_rows else 1)
        for _ in range(0, count, 4):
            rows = ", ".join(self.row(table) for _ in range(4))
            self.rows.append(
                f"insert into {table.name} ({columns}) values {rows} on conflict do nothing"
            )

    def constant_of(self, kind: str) -> str:
        return constant(CONSTANT[kind], self.pick(VALUES[kind]))
