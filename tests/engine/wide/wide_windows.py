"""Aggregates, window functions and their frames, each with one answer only.

Where rows that are equal in the order may be told apart (row_number, ROWS frames, lag ...) the order is by all
columns of the scope, so that what may be exchanged is the same.
"""

from __future__ import annotations

from wide_expressions import Scope
from wide_sources import Sources

_BOUNDS = (
    "unbounded preceding",
    "{} preceding",
    "current row",
    "{} following",
    "unbounded following",
)


class Aggregates(Sources):
    def total_order(self, scope: Scope) -> str:
        """Columns that leave only rows that are the same in no order."""
        own = [r for r in scope if not r.outer and (r.alias or "." in r.columns[0][0])]
        if len(own) == 1 and own[0].unique and self.chance(0.8):
            return ", ".join(f"{own[0].alias}.{name}" for name in own[0].unique)
        names = [name for r in own for name in r.all()]
        return ", ".join(name + self.pick(("", "", " desc", " nulls first")) for name in names)

    def aggregate(self, scope: Scope, kind: str | None = None) -> tuple[str, str]:
        """(call, kind of its result). Of the kind that is asked for, if any."""
        kind = kind or self.kind_of(
            scope, ("int", "int", "num", "text", "float", "date", "bool", "jsonb", "ints")
        )
        call = self._call(scope, kind)
        if self.chance(0.2):
            call += f" filter (where {self.condition(scope, 1)})"
        return call, kind

    def _call(self, scope: Scope, kind: str) -> str:
        def of(its: str) -> str:
            return self.value(scope, its, 1)

        distinct = self.pick(("", "", "distinct "))
        order = self.total_order(scope)
        match kind:
            case "int":
                any_kind = self.kind_of(
                    scope, ("int", "text", "num", "date", "bool", "enum", "float", "uuid")
                )
                return self.pick((
                    "count(*)", "count(*)", f"count({of(any_kind)})", f"count(distinct {of(any_kind)})",
                    f"sum({distinct}{self.small(scope, 1)})::int8", f"min({of('int')})", f"max({of('int')})",
                    f"bit_or({self.small(scope, 1)})", f"bit_and({self.small(scope, 1)})",
                    f"percentile_disc({self.pick(('0', '0.5', '0.75', '1'))}) within group (order by {of('int')} {self.pick(('', 'desc'))})",
                    f"mode() within group (order by {of('int')})",
                    f"rank({self.number(0, 4)}) within group (order by {of('int')})",
                    f"dense_rank({self.number(0, 4)}) within group (order by {of('int')} desc)",
                    f"bit_xor({self.small(scope, 1)})",
                ))  # fmt: skip
            case "num":
                return self.pick((
                    f"sum({distinct}{of('num')})", f"sum({distinct}{of('int')})::numeric", f"avg({distinct}{of('int')})",
                    f"min({of('num')})", f"max({of('num')})", f"round(avg({of('num')}), 4)",
                    f"round(stddev({self.small(scope, 1)}), 6)", f"round(var_pop({of('num')}), 4)",
                    f"percentile_disc(0.25) within group (order by {of('num')})",
                ))  # fmt: skip
            case "float":
                return self.pick((
                    f"sum({of('float')})", f"min({of('float')})", f"max({of('float')})", f"avg({self.small(scope, 1)}::float8)",
                    f"percentile_cont({self.pick(('0.25', '0.5', '1'))}) within group (order by {self.small(scope, 1)})",
                ))  # fmt: skip
            case "text":
                return self.pick((
                    f"min({of('text')})", f"max({of('text')})", f"string_agg({of('text')}, ',' order by {order})",
                    f"string_agg(distinct {of('text')}, '|')",
                        self._distinct_in_order(of("text")),
                    f"mode() within group (order by {of('text')})",
                    f"array_agg({of('text')} order by {order})::text",
                    f"array_agg(distinct {of('text')})::text",
                ))  # fmt: skip
            case "bool":
                return f"{self.pick(('bool_and', 'bool_or', 'every'))}({self.condition(scope, 1)})"
            case "jsonb":
                return self.pick(
                    (
                        f"jsonb_agg({of(self.pick(('int', 'text', 'date')))} order by {order})",
                        f"jsonb_object_agg(coalesce({of('text')}, ''), {of('int')} order by {order})",
                    )
                )
            case "ints":
                return self.pick(
                    (
                        f"array_agg({self.small(scope, 1)}::int order by {order})",
                        f"array_agg(distinct {self.small(scope, 1)}::int)",
                        f"array_agg({self.small(scope, 1)}::int order by {of('int')} desc, {order})",
                    )
                )
            case "char" | "enum" | "date" | "ts" | "tstz" | "interval" | "time":
                return f"{self.pick(('min', 'max'))}({of(kind)})"
            case _:
                return f"(array_agg({of(kind)} order by {order}))[1]"

    def _distinct_in_order(self, value: str) -> str:
        return f"string_agg(distinct {value}, ',' order by {value}{self.pick(('', ' desc', ' nulls first'))})"

    # ---- windows

    def window_call(self, scope: Scope, group_calls: list[str] | None = None) -> tuple[str, str]:
        """(`f(...) over (...)`, kind). `group_calls`: aggregates of the query's groups, which windows may use."""
        kind = self.kind_of(scope, ("int", "num", "text", "float", "date"))
        total = self.total_order(scope)
        form = self.number(0, 9)
        partition = ""
        if self.chance(0.6):
            its = self.kind_of(scope, ("int", "text", "bool", "date", "num"))
            partition = f"partition by {self.value(scope, its, 1)} "
        direction = self.pick(("", "", " desc", " nulls first", " desc nulls last"))
        keys = [
            self.value(scope, self.kind_of(scope, ("int", "text", "num", "date")), 1) + direction
        ]
        if group_calls and self.chance(0.6):
            keys = [self.pick(group_calls) + direction]
        if form <= 2:
            call = self.pick(("rank()", "dense_rank()", "percent_rank()", "cume_dist()"))
            result = "int" if "rank()" in call and "percent" not in call else "float"
            return f"{call} over ({partition}order by {', '.join(keys)})", result
        if form <= 4:
            value = self.value(scope, kind, 1)
            call, result = self.pick((
                ("row_number()", "int"), (f"ntile({self.number(1, 4)})", "int"),
                (f"lag({value})", kind), (f"lag({value}, {self.number(0, 3)}, {self.constant(kind) if kind != 'float' else value})", kind),
                (f"lead({value}, {self.number(0, 2)})", kind), (f"lead({value}, ({self.small(scope, 0)})::int)", kind),
            ))  # fmt: skip
            return f"{call} over ({partition}order by {', '.join(keys)}, {total})", result
        value = self.value(scope, kind, 1)
        if form <= 6:
            call, result = self.aggregate_for_window(scope)
        else:
            call, result = self.pick((
                (f"first_value({value})", kind), (f"last_value({value})", kind),
                (f"nth_value({value}, {self.number(1, 3)})", kind),
            ))  # fmt: skip
        peers = not call.startswith(("first", "last", "nth"))
        return f"{call} over ({partition}{self._frame(scope, keys, total, peers)})", result

    def aggregate_for_window(self, scope: Scope) -> tuple[str, str]:
        kind = self.kind_of(scope, ("int", "num", "text", "bool", "float"))
        value = self.value(scope, kind, 1)
        if kind in ("int", "num", "float"):
            value = self.small(scope, 1) if kind == "int" else value
            call, result = self.pick((
                (f"sum({value})", "num" if kind == "int" else kind), (f"count({value})", "int"), (f"min({value})", kind), (f"max({value})", kind),
                (f"avg({self.small(scope, 1)})", "num"), ("count(*)", "int"),
            ))  # fmt: skip
        elif kind == "text":
            call, result = self.pick(
                ((f"min({value})", kind), (f"max({value})", kind), (f"count({value})", "int"))
            )
        else:
            call, result = f"{self.pick(('bool_and', 'bool_or'))}({value})", kind
        if self.chance(0.2):
            call += f" filter (where {self.condition(scope, 1)})"
        return call, result

    def _frame(self, scope: Scope, keys: list[str], total: str, peers: bool) -> str:
        """ORDER BY and a frame. `peers`: the call takes peers all together, so RANGE and GROUPS need no total order."""
        mode = self.pick(("", "rows", "range", "range offset", "groups"))
        start, end = self._bounds(offsets=mode != "range")
        offset = "{}"
        order = ", ".join(keys)
        if mode == "range offset":
            kind = self.kind_of(scope, ("int", "num", "date", "ts", "float"))
            key = {
                "int": self.small(scope, 0),
                "num": f"round({self.column(scope, 'num')}, 2)",
            }.get(kind, self.column(scope, kind))
            offset = {
                "int": str(self.number(0, 3)), "num": self.pick(("0", "0.5", "1.5")), "date": "interval '1 month'",
                "ts": "interval '36 hours'", "float": self.pick(("0.5::float8", "2::float8")),
            }[kind]  # fmt: skip
            order = key + self.pick(("", " desc", " nulls first"))
        elif mode == "rows" or not peers:
            order = f"{order}, {total}"
        if mode == "range offset" and not peers:
            # Which of several peers comes first is open: only the order key itself is the same.
            mode, offset, order = "rows", "{}", f"{order}, {total}"
        if not mode:
            return f"order by {order}" if peers or self.chance(0.7) else f"order by {total}"
        if offset == "{}":
            start, end = start.format(self.number(0, 3)), end.format(self.number(0, 3))
        start, end = start.format(offset), end.format(offset)
        exclude = self.pick(
            (
                "",
                "",
                "",
                " exclude current row",
                " exclude group",
                " exclude ties",
                " exclude no others",
            )
        )
        if not peers and "row" not in exclude:
            exclude = ""
        if peers and mode != "rows" and exclude in (" exclude current row", " exclude ties"):
            exclude = ""  # they tell peers apart
        word = mode.split()[0]
        return f"order by {order} {word} between {start} and {end}{exclude}"

    def _bounds(self, offsets: bool) -> tuple[str, str]:
        choice = _BOUNDS if offsets else (_BOUNDS[0], _BOUNDS[2], _BOUNDS[4])
        while True:
            start, end = self.pick(choice), self.pick(choice)
            if (
                start != _BOUNDS[4]
                and end != _BOUNDS[0]
                and _BOUNDS.index(start) <= _BOUNDS.index(end)
            ):
                return start, end
