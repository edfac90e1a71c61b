"""Random expressions and conditions over a scope, of every kind of wide_schema.

Nothing here fails for a value (which row is met first is not defined): integers are cut before they are
multiplied, divisors are constants, texts are not parsed. Nothing tells equal values apart (1 and 1.0, '1 day' and
'24:00') inside an expression: numerics are trimmed before they become texts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from wide_choice import Choice, constant
from wide_schema import CONSTANT, VALUES

COMPARISONS = ("=", "=", "=", "<>", "<", "<=", ">", ">=")
NUMBERS = ("int", "num", "float")


@dataclass(slots=True)
class Relation:
    """What FROM offers under an alias ("" for merged columns): (name, kind) pairs. `unique` tells its rows
    apart; "table" is the base table's name."""

    alias: str
    columns: list[tuple[str, str]]
    unique: tuple[str, ...] = ()
    table: str = ""
    outer: bool = field(default=False)

    def all(self) -> list[str]:
        prefix = f"{self.alias}." if self.alias else ""
        return [prefix + name for name, _ in self.columns]


Scope = list[Relation]


class Expressions(Choice):
    """`value` and `condition`; subqueries come from the class that knows queries."""

    # How many subqueries the statement may still get.
    subqueries_left = 0

    def may_nest(self) -> bool:
        self.subqueries_left -= 1
        return self.subqueries_left >= 0

    def subquery_condition(self, scope: Scope, depth: int) -> str:
        raise NotImplementedError

    def scalar_subquery(self, scope: Scope, kind: str, depth: int) -> str:
        raise NotImplementedError

    def columns(self, scope: Scope, kind: str, with_outer: bool = True) -> list[str]:
        return [
            f"{relation.alias}.{name}" if relation.alias else name
            for relation in scope
            for name, its in relation.columns
            if its == kind and (with_outer or not relation.outer)
        ]

    def kind_of(self, scope: Scope, options: tuple[str, ...]) -> str:
        """One of the kinds, mostly one that the scope has columns of."""
        present = {kind for relation in scope for _, kind in relation.columns}
        there = [kind for kind in options if kind in present]
        return self.pick(there) if there and self.chance(0.85) else self.pick(options)

    def column(self, scope: Scope, kind: str) -> str:
        own = self.columns(scope, kind, with_outer=self.chance(0.3))
        found = own or self.columns(scope, kind)
        return self.pick(found) if found else self.constant(kind)

    def constant(self, kind: str) -> str:
        if self.chance(0.04):
            return f"null::{CONSTANT[kind]}"
        if kind == "int" and self.chance(0.05):
            return constant("int8", self.pick(("9223372036854775807", "2147483648", "-32769")))
        return constant(CONSTANT[kind], self.pick(VALUES[kind]))

    def value(self, scope: Scope, kind: str, depth: int) -> str:
        if depth <= 0 or self.chance(0.35):
            return self.column(scope, kind) if self.chance(0.85) else self.constant(kind)
        form = self.number(0, 11)
        inner = depth - 1
        if form == 0:
            return f"coalesce({self.value(scope, kind, inner)}, {self.value(scope, kind, inner)})"
        if form == 1:
            return self._case(scope, kind, inner)
        if form == 2:
            return f"nullif({self.value(scope, kind, inner)}, {self.constant(kind)})"
        if form == 3 and kind not in ("bool", "jsonb", "ints"):
            word = self.pick(("greatest", "least"))
            return f"{word}({self.value(scope, kind, inner)}, {self.value(scope, kind, inner)})"
        if form == 4 and kind not in ("char", "enum") and self.may_nest():
            return self.scalar_subquery(scope, kind, inner)
        return self._own(scope, kind, inner)

    def _case(self, scope: Scope, kind: str, depth: int) -> str:
        a, b = self.value(scope, kind, depth), self.value(scope, kind, depth)
        if self.chance(0.3):
            tested = self.pick(("int", "text", "enum", "bool"))
            subject = self.column(scope, tested)
            return f"case {subject} when {self.constant(tested)} then {a} when {self.constant(tested)} then {b} end"
        rest = f" else {b}" if self.chance(0.7) else ""
        return f"case when {self.condition(scope, depth)} then {a}{rest} end"

    def keyable(self, scope: Scope, kind: str, depth: int) -> str:
        """A value whose equals are the same text: for what is grouped, told apart or handed on."""
        value = self.value(scope, kind, depth)
        match kind:
            case "num":
                return f"round({value}, 2)"
            case "float":
                return f"({value} + 0)"
            case "interval":
                return f"justify_hours({value})"
            case "char":
                return f"({value})::char(3)"
            case _:
                return value

    def small(self, scope: Scope, depth: int) -> str:
        return f"({self.value(scope, 'int', depth)} % {self.pick((7, 10, 100))})"

    # ---- one kind's own operators and functions

    def _own(self, scope: Scope, kind: str, depth: int) -> str:
        maker = getattr(self, f"_own_{kind}", None)
        return maker(scope, depth) if maker else self.column(scope, kind)

    def _own_int(self, scope: Scope, depth: int) -> str:
        text = self.value(scope, "text", depth)
        forms = (
            lambda: f"({self.small(scope, depth)} {self.pick('+-*')} {self.small(scope, depth)})",
            lambda: f"({self.value(scope, 'int', depth)} / {self.number(1, 4)})",
            lambda: f"abs({self.small(scope, depth)})",
            lambda: f"length({text})",
            lambda: f"position('a' in {text})",
            lambda: (
                f"extract({self.pick(('day', 'month', 'year', 'isodow'))} from {self.value(scope, 'date', depth)})::int"
            ),
            lambda: f"cardinality({self.value(scope, 'ints', depth)})",
            lambda: f"({self.value(scope, 'ints', depth)})[{self.number(0, 3)}]",
            lambda: f"({self.value(scope, 'date', depth)} - {self.value(scope, 'date', depth)})",
            lambda: (
                f"({self.small(scope, depth)} {self.pick(('&', '|', '#'))} {self.number(0, 15)})"
            ),
            lambda: f"({self.condition(scope, depth)})::int",
            lambda: f"(-{self.small(scope, depth)})::{self.pick(('smallint', 'int', 'bigint'))}",
            lambda: f"num_nulls({self.column(scope, 'text')}, {self.column(scope, 'int')})",
            lambda: f"sign({self.value(scope, 'num', depth)})::int",
        )
        return self.pick(forms)()

    def _own_num(self, scope: Scope, depth: int) -> str:
        a = self.value(scope, "num", depth)
        forms = (
            lambda: f"({a} {self.pick('+-')} {self.value(scope, 'num', depth)})",
            lambda: f"({a} * {self.pick(('2', '0.5', '-1.1'))})",
            lambda: f"round({a}, {self.number(-1, 3)})",
            lambda: f"trunc({a})",
            lambda: f"abs({a})",
            lambda: f"({self.value(scope, 'int', depth)})::numeric",
            lambda: f"round({self.small(scope, depth)} / {self.pick(('4.0', '0.5', '3.0'))}, 2)",
            lambda: f"({a} + {self.value(scope, 'int', depth)})",
            lambda: f"{self.pick(('ceil', 'floor'))}({a})",
            lambda: f"(({self.value(scope, 'text', depth)} = 'a')::int * {a})",
        )
        return self.pick(forms)()

    def _own_float(self, scope: Scope, depth: int) -> str:
        a = self.value(scope, "float", depth)
        forms = (
            lambda: f"({a} {self.pick('+-')} {self.value(scope, 'float', depth)})",
            lambda: f"({a} * {self.pick(('2', '0.5'))})",
            lambda: f"({self.small(scope, depth)})::float8",
            lambda: f"abs({a})",
            lambda: f"{self.pick(('ceil', 'floor', 'trunc'))}({a})",
            lambda: f"({self.small(scope, depth)} + {a})",
        )
        return self.pick(forms)()

    def _own_text(self, scope: Scope, depth: int) -> str:
        a = self.value(scope, "text", depth)
        forms = (
            lambda: f"({a} || {self.value(scope, 'text', depth)})",
            lambda: (
                f"{self.pick(('upper', 'lower', 'reverse', 'trim', 'initcap', 'quote_literal'))}({a})"
            ),
            lambda: f"substr({a}, {self.number(-1, 3)}, {self.number(0, 3)})",
            lambda: f"replace({a}, 'a', {self.constant('text')})",
            lambda: f"{self.pick(('left', 'right'))}({a}, {self.number(-2, 3)})",
            lambda: f"lpad({a}, {self.number(0, 4)}, '*')",
            lambda: f"({self.value(scope, 'int', depth)})::text",
            lambda: f"trim_scale({self.value(scope, 'num', depth)})::text",
            lambda: (
                f"({self.value(scope, self.pick(('date', 'bool', 'uuid', 'enum', 'char', 'ints', 'tstz')), depth)})::text"
            ),
            lambda: (
                f"concat({a}, {self.value(scope, 'int', depth)}, null, {self.column(scope, 'char')})"
            ),
            lambda: f"concat_ws('-', {a}, {self.column(scope, 'date')})",
            lambda: f"split_part({a}, 'b', {self.number(1, 2)})",
            lambda: f"translate({a}, 'ab', 'x')",
            lambda: f"to_char({self.value(scope, 'date', depth)}, 'YYYY-MM-DD Dy')",
            lambda: f"({self.value(scope, 'jsonb', depth)} ->> 'a')",
            lambda: f"format('%s:%s', {a}, {self.value(scope, 'int', depth)})",
            lambda: f"md5({a})",
        )
        return self.pick(forms)()

    def _own_bool(self, scope: Scope, depth: int) -> str:
        return f"({self.condition(scope, depth)})"

    def _own_date(self, scope: Scope, depth: int) -> str:
        a = self.value(scope, "date", depth)
        forms = (
            lambda: f"({a} + {self.number(-40, 40)})",
            lambda: f"({a} + interval '1 month')::date",
            lambda: f"date_trunc('{self.pick(('month', 'year', 'week'))}', {a})::date",
            lambda: f"({self.value(scope, 'ts', depth)})::date",
            lambda: f"({a} - abs({self.small(scope, depth)})::int)",
        )
        return self.pick(forms)()

    def _own_ts(self, scope: Scope, depth: int) -> str:
        a = self.value(scope, "ts", depth)
        forms = (
            lambda: f"({a} + {self.value(scope, 'interval', depth)})",
            lambda: f"date_trunc('{self.pick(('hour', 'day', 'month'))}', {a})",
            lambda: f"({self.value(scope, 'date', depth)} + {self.value(scope, 'time', depth)})",
            lambda: f"({self.value(scope, 'tstz', depth)} at time zone 'UTC')",
            lambda: f"({self.value(scope, 'date', depth)})::timestamp",
        )
        return self.pick(forms)()

    def _own_tstz(self, scope: Scope, depth: int) -> str:
        a = self.value(scope, "tstz", depth)
        forms = (
            lambda: f"({a} + {self.value(scope, 'interval', depth)})",
            lambda: f"({self.value(scope, 'ts', depth)})::timestamptz",
            lambda: f"({self.value(scope, 'ts', depth)} at time zone 'America/New_York')",
            lambda: f"date_trunc('day', {a})",
        )
        return self.pick(forms)()

    def _own_interval(self, scope: Scope, depth: int) -> str:
        forms = (
            lambda: f"({self.value(scope, 'ts', depth)} - {self.value(scope, 'ts', depth)})",
            lambda: f"make_interval(days => ({self.small(scope, depth)})::int)",
            lambda: f"justify_hours({self.value(scope, 'interval', depth)} * 2)",
            lambda: f"(-{self.value(scope, 'interval', depth)})",
        )
        return self.pick(forms)()

    def _own_jsonb(self, scope: Scope, depth: int) -> str:
        a = self.value(scope, "jsonb", depth)
        forms = (
            lambda: (
                f"({a} -> {self.pick(('0', '1', chr(39) + 'a' + chr(39), chr(39) + 'b' + chr(39)))})"
            ),
            lambda: (
                f"to_jsonb({self.value(scope, self.pick(('int', 'text', 'bool', 'date')), depth)})"
            ),
            lambda: (
                f"jsonb_build_object('k', {self.value(scope, 'int', depth)}, 'v', {self.value(scope, 'text', depth)})"
            ),
            lambda: f"jsonb_build_array({self.value(scope, 'int', depth)}, {a})",
            lambda: f"jsonb_strip_nulls({a})",
        )
        return self.pick(forms)()

    def _own_ints(self, scope: Scope, depth: int) -> str:
        a = self.value(scope, "ints", depth)
        number = f"({self.small(scope, depth)})::int"
        forms = (
            lambda: f"array_append({a}, {number})",
            lambda: f"array[{number}, {self.number(0, 3)}]",
            lambda: f"array_remove({a}, {self.number(0, 3)})",
            lambda: f"({a} || {self.column(scope, 'ints')})",
            lambda: f"({a})[1:2]",
        )
        return self.pick(forms)()

    # ---- conditions

    def condition(self, scope: Scope, depth: int) -> str:
        if depth > 0 and self.chance(0.4):
            inner = depth - 1
            form = self.number(0, 7)
            if form <= 2:
                word = self.pick(("and", "and", "or"))
                return f"({self.condition(scope, inner)} {word} {self.condition(scope, inner)})"
            if form == 3:
                return f"not ({self.condition(scope, inner)})"
            if form == 4:
                word = self.pick(
                    ("true", "not true", "false", "not false", "unknown", "not unknown")
                )
                return f"({self.condition(scope, inner)}) is {word}"
            if not self.may_nest():
                return self.on_a_column(scope)
            return self.subquery_condition(scope, inner)
        if self.chance(0.5):
            return self.on_a_column(scope)
        return self._test(scope, max(depth - 1, 0))

    def on_a_column(self, scope: Scope) -> str:
        """A plain column beside constants: what an index may serve."""
        kinds = [kind for r in scope if not r.outer for _, kind in r.columns]
        kind = self.pick(kinds) if kinds else "int"
        column = self.column(scope, kind)
        if kind in ("jsonb", "ints") or self.chance(0.15):
            return f"{column} is {self.pick(('', 'not '))}null"
        if kind == "bool":
            return self.pick((column, f"not {column}", f"{column} = {self.constant('bool')}"))
        form = self.number(0, 9)
        a, b = self.constant(kind), self.constant(kind)
        if form <= 4:
            return f"{column} {self.pick(COMPARISONS)} {a}"
        if form == 5:
            return f"{column} {self.pick(('', 'not '))}between {self.pick(('', 'symmetric '))}{a} and {b}"
        if form <= 7:
            values = ", ".join(self.constant(kind) for _ in range(self.number(1, 4)))
            if self.chance(0.3):
                return f"{column} = any (array[{values}])"
            return f"{column} {self.pick(('', '', 'not '))}in ({values})"
        if form == 8:
            return f"{column} is {self.pick(('', 'not '))}distinct from {a}"
        return f"({column} >= {a} and {column} < {b})"

    def _test(self, scope: Scope, depth: int) -> str:
        form = self.number(0, 9)
        if form == 0:
            return self._rows(scope, depth)
        kind = self.kind_of(
            scope,
            (
                "int",
                "int",
                "num",
                "text",
                "text",
                "date",
                "float",
                "ts",
                "tstz",
                "char",
                "enum",
                "jsonb",
                "ints",
            ),
        )
        if form == 1:
            a, b = self.some(NUMBERS, 2, 2)
            return f"{self.value(scope, a, depth)} {self.pick(COMPARISONS)} {self.value(scope, b, depth)}"
        a = self.value(scope, kind, depth)
        if kind == "text" and self.chance(0.4):
            pattern = self.pick(("'a%'", "'%b'", "'_'", "'%'", "'a\\%'", "''"))
            word = self.pick(("like", "not like", "ilike", "similar to"))
            if self.chance(0.2):
                return f"{a} {self.pick(('~', '!~', '~*'))} {self.pick((chr(39) + '^a' + chr(39), chr(39) + 'b$' + chr(39)))}"
            return f"{a} {word} {pattern}"
        if kind == "jsonb":
            return self.pick(
                (
                    f"{a} @> '{{\"a\": 1}}'",
                    f"{a} ? 'a'",
                    f"jsonb_typeof({a}) = 'object'",
                    f"{a} = {self.constant('jsonb')}",
                )
            )
        if kind == "ints":
            number = f"({self.small(scope, depth)})::int"
            return self.pick(
                (
                    f"{number} = any ({a})",
                    f"{number} > all ({a})",
                    f"{a} @> array[1]",
                    f"{a} && array[2, 3]",
                    f"{a} < {self.constant('ints')}",
                )
            )
        if self.chance(0.15):
            return f"{a} is {self.pick(('', 'not '))}distinct from {self.value(scope, kind, depth)}"
        return f"{a} {self.pick(COMPARISONS)} {self.value(scope, kind, depth)}"

    def _rows(self, scope: Scope, depth: int) -> str:
        kinds = [self.kind_of(scope, ("int", "text", "date")) for _ in range(2)]
        left = ", ".join(self.value(scope, kind, depth) for kind in kinds)
        right = ", ".join(self.value(scope, kind, depth) for kind in kinds)
        if self.chance(0.3):
            other = ", ".join(self.constant(kind) for kind in kinds)
            return f"({left}) {self.pick(('in', 'not in'))} (({right}), ({other}))"
        return f"({left}) {self.pick(COMPARISONS)} ({right})"
