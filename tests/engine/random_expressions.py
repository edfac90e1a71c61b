"""Random calls of every function, operator and cast that PostgreSQL has over the types that both know,
with values on the edges, in text and binary, as literals, parameters and columns.

What there is to call comes from PostgreSQL's own catalogs, so a missing overload shows as a refusal. A seed
gives settings and expressions; the same seed gives the same ones.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from comparison import Outcome, difference, is_refusal
from compat import Pair, Report, Wrong
from edge_values import HUGE, LITERALS, SPECIAL, TO_CHAR
from psycopg import pq

POLYMORPHIC = {
    "any": tuple(LITERALS), "anyelement": tuple(LITERALS), "anynonarray": ("int4", "text", "numeric", "float8", "date", "bool"),
    "anycompatible": ("int4", "text", "numeric", "float8", "int8", "date", "timestamp", "int2"),
    "anyarray": ("_int4", "_text", "_numeric", "_float8", "_int2", "_date", "_interval", "_bool"),
    "anycompatiblearray": ("_int4", "_text", "_numeric", "_float8", "_int2", "_int8"),
}  # fmt: skip
# What reads the clock, the catalogs or the session, gives another answer each time, or is nothing that people call.
LEFT_OUT = re.compile(
    r"pg_(?!size_pretty|typeof|size_bytes)|has_|to_reg|current|session_user|obj_desc|col_desc|shobj|gen_random|random|uuid|clock_|timeofday|"
    r"statement_time|now$|transaction_|inet_|version|txid|lo_|lo[a-z]*(read|write|creat|open|close|import|export)|set_config|nextval|setval|lastval|"
    r"currval|query_to|table_to|schema_to|database_to|cursor_to|.*hash|amvalid|getdatab|binary_up|icu_|xml|oidvectortypes|row_security|format_type|"
    r"make_?acl|acl|nameconcat|jsonb?_(populate|to_record|agg|object_agg)|row_to|brin|gin|gist|spg|(array|range|enum)_(in|out|recv|send)|setseed|inter_|"
    r".*(cmp|cmp_\w+|_sel|joinsel|support|accum|combine|serialize|trans|transfn|finalfn|final|accum_inv|subscript_handler|typanalyze|equalimage|subdiff)$|"
    r"(bt|btint|btfloat)\w*cmp|(float[48]|numeric|int[248]\w*|interval)_(avg|sum|var|stddev|corr|covar|regr|poly|inc|inc_\w+|exp|ln|log|sqrt|div_trunc)|"
    r"int(2int4_sum|4inc)|in_range|unique_key|satisfies|getpg|ts_|to_ts(?!$)|to_ascii|postgresql_fdw|d(exp|log1|log10|round|trunc)$|textlen|"
    r"generate_subscripts$|(not)?(i?c?like)(?!_escape)"
)
# Reads the clock when it is called with one argument.
CLOCK = frozenset({("age", 1)})
# What is as large as an argument says.
SMALL_ONLY = frozenset(
    {
        "repeat",
        "lpad",
        "rpad",
        "generate_series",
        "array_fill",
        "format",
        "factorial",
        "round",
        "trunc",
        "^",
        "power",
        "pow",
    }
)
MODES = ("literal", "literal", "literal", "column", "text parameter", "binary parameter")
ZONES = (
    "Europe/Berlin",
    "UTC",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
)


@dataclass(frozen=True, slots=True)
class Callable_:
    """`kind`: function, set, aggregate, window, operator, cast."""

    kind: str
    name: str
    arguments: tuple[str, ...]
    result: str
    variadic: bool = False

    def shown(self) -> str:
        return f"{self.kind} {self.name}({', '.join(self.arguments)})"


def everything(connection: pq.abc.PGconn) -> list[Callable_]:
    """All that PostgreSQL's catalogs have over the known types, in a fixed order."""
    known = set(LITERALS) | set(POLYMORPHIC)
    found = [
        entry
        for entry in _catalog(connection)
        if entry.arguments
        and set(entry.arguments) <= known
        and (entry.result in known or entry.result in ("record", "void"))
    ]
    assert len(found) > 1000
    return found


def _rows(connection: pq.abc.PGconn, sql: str) -> list[tuple[str, ...]]:
    result = connection.exec_(sql.encode())
    assert result.status == pq.ExecStatus.TUPLES_OK, result.error_message
    return [
        tuple((result.get_value(r, c) or b"").decode() for c in range(result.nfields))
        for r in range(result.ntuples)
    ]


def _catalog(connection: pq.abc.PGconn) -> Iterator[Callable_]:
    functions = """
        select p.prokind, p.proretset, p.proname, r.typname, p.provariadic <> 0,
            array_to_string(array(select t.typname from unnest(p.proargtypes) with ordinality a(o, n) join pg_type t on t.oid = o order by n), ',')
        from pg_proc p join pg_type r on r.oid = p.prorettype
        where p.pronamespace = 'pg_catalog'::regnamespace and p.prokind in ('f', 'a', 'w')
            and p.oid not in (select oprcode from pg_operator) and p.oid not in (select castfunc from pg_cast)
            and p.oid not in (select f from pg_type, unnest(array[typinput, typoutput, typreceive, typsend, typmodin, typmodout]::oid[]) f)
            and p.oid not in (select aggfnoid from pg_aggregate where aggkind <> 'n')
            and p.oid not in (select f from pg_aggregate, unnest(array[aggtransfn, aggfinalfn, aggcombinefn, aggminvtransfn]::oid[]) f where f <> 0)
        order by 3, 6"""
    for kind, returns_set, name, result, variadic, arguments in _rows(connection, functions):
        names = tuple(filter(None, arguments.split(",")))
        if not LEFT_OUT.match(name) and (name, len(names)) not in CLOCK:
            word = {"a": "aggregate", "w": "window"}.get(
                kind, "set" if returns_set == "t" else "function"
            )
            yield Callable_(word, name, names, result, variadic == "t")
    operators = """
        select o.oprname, coalesce(l.typname, ''), r.typname, s.typname
        from pg_operator o left join pg_type l on l.oid = o.oprleft join pg_type r on r.oid = o.oprright join pg_type s on s.oid = o.oprresult
        where o.oprnamespace = 'pg_catalog'::regnamespace order by 1, 2, 3"""
    for name, left, right, result in _rows(connection, operators):
        yield Callable_("operator", name, (left, right) if left else (right,), result)
    casts = """
        select s.typname, t.typname from pg_cast c join pg_type s on s.oid = c.castsource join pg_type t on t.oid = c.casttarget
        where s.oid <> t.oid order by 1, 2"""
    for source, target in _rows(connection, casts):
        yield Callable_("cast", target, (source,), target)
    for name in LITERALS:
        if not name.startswith(("_", "jsonpath", "regtype", "char")):
            yield Callable_("cast", "text", (name,), "text")
            yield Callable_("cast", name, ("text",), name)
    modified = ("numeric(5,2)", "numeric(3,-1)", "varchar(3)", "char(4)", "timestamp(2)", "timestamptz(0)", "time(1)", "timetz(3)", "interval(1)", "interval year to month", "interval day to minute")  # fmt: skip
    for name in modified:
        base = {"char": "bpchar"}.get(re.split(r"[( ]", name)[0], re.split(r"[( ]", name)[0])
        yield Callable_("cast", name, (base,), base)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def written(type_name: str) -> str:
    """The type in SQL: "char" is a name, not the keyword."""
    if type_name.startswith("_"):
        return written(type_name[1:]) + "[]"
    return '"char"' if type_name == "char" else type_name


@dataclass(slots=True)
class Asked:
    """`values` are (type, text or None) of the arguments $1, $2, …"""

    entry: Callable_
    template: str
    values: list[tuple[str, str | None]]
    mode: str = "literal"

    def sql(self) -> str:
        texts = ["null" if text is None else quoted(text) for _, text in self.values]
        types = [written(name) if name else "" for name, _ in self.values]
        typed = [
            f"{text}::{name}" if name else text for text, name in zip(texts, types, strict=True)
        ]
        if self.mode == "literal":
            return f"select {self._filled(typed)}{self._end()}"
        if self.mode == "column":
            names = [f"v{number}" for number in range(len(typed))]
            return f"select {self._filled(names)} from (values ({', '.join(typed)})) v({', '.join(names)}){self._end()}"
        return (
            "select "
            + self._filled(
                [f"${number + 1}::{name or 'text'}" for number, name in enumerate(types)]
            )
            + self._end()
        )

    def _end(self) -> str:
        return " limit 12" if self.entry.kind == "set" else ""

    def _filled(self, parts: list[str]) -> str:
        return re.sub(r"«(\d+)»", lambda match: parts[int(match[1])], self.template)


class Expressions:
    """Random calls, each a little nested."""

    def __init__(self, entries: list[Callable_], seed: int) -> None:
        self.random = random.Random(seed)
        self.entries = entries
        self.by_result: dict[str, list[Callable_]] = {}
        for entry in entries:
            if entry.kind in ("function", "operator", "cast"):
                self.by_result.setdefault(entry.result, []).append(entry)

    def call(self, entry: Callable_) -> Asked:
        asked = Asked(entry, "", [])
        asked.template = self._call(entry, asked, self.random.choice((0, 0, 0, 1)))
        literal_only = entry.kind in ("aggregate", "window") or any(
            not name for name, _ in asked.values
        )
        asked.mode = "literal" if literal_only else self.random.choice(MODES)
        return asked

    def any(self) -> Asked:
        return self.call(self.random.choice(self.entries))

    def _call(self, entry: Callable_, asked: Asked, depth: int) -> str:
        concrete = self._concrete(entry)
        if entry.kind in ("aggregate", "window"):
            return self._over_rows(entry, concrete, asked)
        parts = [
            self._argument(entry, number, name, asked, depth)
            for number, name in enumerate(concrete)
        ]
        if entry.kind == "operator":
            return (
                f"({f' {entry.name} '.join(parts)})"
                if len(parts) == 2
                else f"({entry.name} {parts[0]})"
            )
        if entry.kind == "cast":
            return f"({parts[0]})::{written(entry.name)}"
        return f"{written_name(entry.name)}({', '.join(parts)})"

    def _concrete(self, entry: Callable_) -> list[str]:
        chosen = {name: self.random.choice(types) for name, types in POLYMORPHIC.items()}
        if "anyarray" in entry.arguments:
            chosen["anyelement"] = chosen["anyarray"][1:]
        if "anycompatiblearray" in entry.arguments:
            chosen["anycompatible"] = chosen["anycompatiblearray"][1:]
        names = [
            chosen.get(name, name) if name != "any" else self.random.choice(POLYMORPHIC["any"])
            for name in entry.arguments
        ]
        if entry.variadic:
            last = names.pop()
            if entry.arguments[-1] == "any":
                names += [
                    self.random.choice(POLYMORPHIC["any"]) for _ in range(self.random.randint(1, 3))
                ]
            else:
                names += [last.removeprefix("_")] * self.random.randint(1, 3)
        return names

    def _argument(self, entry: Callable_, number: int, name: str, asked: Asked, depth: int) -> str:
        special = self._special(entry, number, name)
        makers = self.by_result.get(name, [])
        if depth and makers and not special and self.random.random() < 0.5:
            return self._call(self.random.choice(makers), asked, depth - 1)
        kind = name
        roll = self.random.random()
        if roll < 0.04:
            kind = ""  # a literal without a type
        elif roll < 0.08:
            kind = self.random.choice(RELATED.get(name, (name,)))
        pool = special or LITERALS[kind or name]
        text: str | None = self.random.choice(pool)
        if self.random.random() < 0.03:
            text = None
        if entry.name in SMALL_ONLY and re.fullmatch(r"-?\d{3,}", text or ""):
            text = "3"
        if text in HUGE and (self.random.random() < 0.7 or depth):
            text = LITERALS[kind or name][0] if not special else special[0]
        asked.values.append((kind, text))
        return f"«{len(asked.values) - 1}»"

    def _special(self, entry: Callable_, number: int, name: str) -> list[str]:
        if self.random.random() < 0.1:
            return []
        if name not in ("text", "_text", "jsonb", "int4", "name", "interval", "bpchar"):
            return []
        if entry.name == "to_char" and number == 1:
            return TO_CHAR.get(entry.arguments[0], [])
        if name == "text" and number == 0 and entry.kind == "cast" and entry.result in LITERALS:
            return LITERALS[entry.result]
        found = SPECIAL.get((entry.name, number), [])
        if not found:
            return []
        # The same position of another overload wants another type.
        braced = found[0].startswith("{")
        fits = {
            "jsonb": found[0] == "{}",
            "_text": braced and found[0] != "{}",
            "int4": re.fullmatch(r"-?\d+", found[0]) is not None,
        }
        return found if fits.get(name, not braced) else []

    def _over_rows(self, entry: Callable_, concrete: list[str], asked: Asked) -> str:
        """A subquery over a few rows, in their order."""
        count = self.random.randint(0, 4)
        names = [f"c{number}" for number in range(len(concrete))]
        rows = []
        for row in range(count):
            parts = []
            for name in concrete:
                text: str | None = self.random.choice(
                    [t for t in LITERALS[name] if t not in HUGE] or ["0"]
                )
                asked.values.append((name, None if self.random.random() < 0.15 else text))
                parts.append(f"«{len(asked.values) - 1}»")
            rows.append(f"({row}, {', '.join(parts)})")
        empty = ", ".join(f"null::{written(name)}" for name in concrete)
        source = (
            f"(values {', '.join(rows)}) v(n, {', '.join(names)})"
            if rows
            else f"(select 1, {empty} limit 0) v(n, {', '.join(names)})"
        )
        call = f"{entry.name}({', '.join(names)}"
        if entry.kind == "window":
            body = f"select array_agg(x order by n) from (select n, {call}) over (order by n) x from {source}) w"
        elif self.random.random() < 0.3:
            frame = self.random.choice(
                (
                    "",
                    " rows between 1 preceding and current row",
                    " rows between current row and 1 following",
                )
            )
            body = f"select array_agg(x::text order by n) from (select n, {call}) over (order by n{frame}) x from {source}) w"
        else:
            distinct = "distinct " if len(names) == 1 and self.random.random() < 0.1 else ""
            order = "" if distinct else " order by n"
            body = f"select {entry.name}({distinct}{', '.join(names)}{order}) from {source}"
        return f"({body})"


RELATED = {
    "int2": ("int4",), "int4": ("int2", "int8"), "int8": ("int4", "int2"), "numeric": ("int4", "int8", "int2", "float8"), "float8": ("float4", "int4", "numeric"),
    "float4": ("int4", "float8"), "text": ("varchar", "bpchar", "name", "int4"), "timestamp": ("date", "timestamptz"), "timestamptz": ("date", "timestamp"),
    "date": ("timestamp",), "name": ("text",), "jsonb": ("json",), "interval": ("time",), "bpchar": ("text", "varchar"), "_text": ("_varchar",), "_numeric": ("_int4",),
}  # fmt: skip


def written_name(name: str) -> str:
    """Function names that the grammar wants quoted."""
    words = ("overlay", "position", "substring", "trim", "char", "overlaps", "timestamp", "timestamptz", "time", "timetz", "interval", "numeric", "bit", "varchar", "extract", "normalize", "coalesce", "xmlexists")  # fmt: skip
    return f'pg_catalog."{name}"' if name in words else name


class Runner:
    """One seed's sessions on both systems."""

    def __init__(self, pair: Pair, mine: pq.abc.PGconn, other: pq.abc.PGconn) -> None:
        self.pair = pair
        self.mine = mine
        self.other = other

    def compare(self, asked: Asked) -> tuple[str, Outcome, Outcome]:
        """Text first; where that agrees, binary."""
        sql = asked.sql()
        for binary in (False, True):
            answer = self._ask(self.mine, asked, sql, binary)
            expected = self._ask(self.other, asked, sql, binary)
            what = difference(sql, answer, expected, True)
            if what or expected.sqlstate:
                return (f"binary {what}" if what and binary else what), answer, expected
        return "", answer, expected

    def _ask(self, connection: pq.abc.PGconn, asked: Asked, sql: str, binary: bool) -> Outcome:
        values: list[bytes | None] = []
        formats: list[int] = []
        if "parameter" in asked.mode:
            for name, text in asked.values:
                value = None if text is None else text.encode()
                if asked.mode.startswith("binary") and value is not None:
                    given = self.other.exec_params(
                        f"select {quoted(text or '')}::{written(name)}".encode(),
                        [],
                        result_format=1,
                    )
                    value = given.get_value(0, 0) if given.ntuples else None
                values.append(value)
                formats.append(1 if asked.mode.startswith("binary") else 0)
        result = connection.exec_params(
            sql.encode(), values, param_formats=formats, result_format=int(binary)
        )
        return _outcome(result)


def _outcome(result: pq.abc.PGresult) -> Outcome:
    if state := result.error_field(pq.DiagnosticField.SQLSTATE):
        message = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b""
        return Outcome(state.decode(), message.decode("utf-8", "replace"))
    if result.status == pq.ExecStatus.FATAL_ERROR:
        return Outcome("gone", result.error_message.decode("utf-8", "replace"))
    columns = tuple(
        ((result.fname(i) or b"").decode(), result.ftype(i), result.fmod(i))
        for i in range(result.nfields)
    )

    def shown(row: int, column: int) -> str | None:
        data = result.get_value(row, column)
        return (
            None
            if data is None
            else data.hex()
            if result.fformat(column)
            else data.decode("utf-8", "replace")
        )

    rows = tuple(tuple(shown(r, c) for c in range(result.nfields)) for r in range(result.ntuples))
    return Outcome("", "", (result.command_status or b"").decode(), columns, rows)


def settings_of(seed: int) -> tuple[str, ...]:
    source = random.Random(seed)
    return (
        "set statement_timeout to '3s'",
        f"set timezone to '{source.choice(ZONES)}'",
        f"set intervalstyle to '{source.choice(('postgres', 'postgres', 'iso_8601', 'sql_standard', 'postgres_verbose'))}'",
        f"set extra_float_digits to {source.choice((1, 1, 1, 0, 3, -3))}",
        f"set bytea_output to {source.choice(('hex', 'hex', 'escape'))}",
        f"set datestyle to '{source.choice(('ISO, MDY', 'ISO, MDY', 'ISO, DMY', 'ISO, YMD'))}'",
    )


def run_expressions(pair: Pair, seed: int, rounds: int, sample: int = 0) -> Report:
    """`rounds` calls of everything there is, or `sample` calls of any of it."""
    report = Report(f"random_expressions_{seed}")
    with pair.sessions(f"random_expressions_{seed}") as (mine, other):
        for statement in settings_of(seed):
            for connection in (mine, other):
                connection.exec_(statement.encode())
        entries = everything(other)
        expressions = Expressions(entries, seed)
        runner = Runner(pair, mine, other)
        calls: Iterator[Asked] = (
            (expressions.any() for _ in range(sample))
            if sample
            else (expressions.call(entry) for entry in entries for _ in range(rounds))
        )
        for number, asked in enumerate(calls):
            what, answer, expected = runner.compare(asked)
            report.statements += 1
            if not what:
                report.agree += 1
            elif is_refusal(answer, expected):
                report.refused.append((f"{asked.entry.shown()}: {asked.sql()}", answer.shown()))
            else:
                shown = f"{asked.entry.shown()}: {asked.sql()} [{asked.mode}] {asked.values if 'parameter' in asked.mode else ''}"
                report.wrong.append(Wrong(report.heading, number, shown, what, answer, expected))
            if answer.sqlstate == "gone":
                break
    return report
