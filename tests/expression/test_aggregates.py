"""Aggregates against PostgreSQL: by step, by batch, by merged parts, over columns of values."""

from __future__ import annotations

import pytest
from postgresql_oracle import Answer, Oracle
from sql_expressions import Translator

from trilithon.core.errors import SqlError
from trilithon.expression.build import Builder
from trilithon.expression.compile import EvalContext, compile_scalar
from trilithon.expression.functions import resolve_aggregate
from trilithon.types import text_io
from trilithon.types.registry import lookup_type
from trilithon.types.settings import IoSettings

SETTINGS = IoSettings()

COLUMNS: dict[str, list[list[str]]] = {
    "int2": [["1", "2", "NULL", "-5"], ["32767", "32767"]],
    "int4": [["1", "2", "2", "NULL"], ["2147483647", "2147483647"], ["NULL"], [], ["7"], ["1", "2", "4"]],
    "int8": [["9223372036854775807", "9223372036854775807"], ["1", "2", "4"], ["-3", "NULL"]],
    "numeric": [
        ["1.10", "2.200", "NULL"],
        ["0.1", "0.2", "0.3"],
        ["1e20", "1e-20", "3"],
        ["'NaN'", "1"],
        ["'Infinity'", "1"],
        ["100", "100"],
        [],
        ["12345678901234567890.123", "0.5", "-7"],
    ],
    "float4": [["0.1", "0.2", "NULL"], ["16777216", "1"], []],
    "float8": [["0.1", "0.2", "0.3"], ["1e308", "1e308"], ["'NaN'", "1"], ["'Infinity'", "1"], [], ["5"]],
    "text": [["'b'", "'a'", "NULL", "'B'"], []],
    "bpchar": [["'b '", "'a'"]],
    "bool": [["true", "false", "NULL"], ["NULL"], ["true"], []],
    "date": [["'2020-01-01'", "'2019-01-01'", "'infinity'"]],
    "timestamptz": [["'2020-01-01'", "'2019-01-01'"]],
    "interval": [["'1 month'", "'31 days'", "'1 hour'"], ["'1 day'", "'2 days'", "'1 mon'"], []],
    "int4[]": [["'{1,2}'", "'{1,3}'"], ["'{1}'", "'{}'"]],
    "jsonb": [["'{\"a\":1}'", "NULL"]],
    "bytea": [["'\\x01'", "'\\x02'"]],
}  # fmt: skip
NUMBERS = ("int2", "int4", "int8", "numeric", "float4", "float8")
SPREADS = ("stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp")
NAMES = (
    "count", "sum", "avg", "min", "max", *SPREADS, "bool_and", "bool_or", "every", "bit_and",
    "bit_or", "bit_xor", "array_agg", "json_agg", "jsonb_agg",
)  # fmt: skip


def query(name: str, kind: str, values: list[str], more: str = "") -> str:
    rows = ", ".join(f"({value}::{kind})" for value in values)
    source = f"(VALUES {rows}) t(x)" if values else f"(SELECT NULL::{kind} AS x WHERE false) t"
    return f"{name}(x{more}) FROM {source}"


def ours(
    name: str, kind: str, values: list[str], way: str, settings: IoSettings = SETTINGS
) -> Answer:
    ref = lookup_type(kind)
    builder = Builder(settings)
    try:
        resolved = resolve_aggregate(name, [ref])
        column = [
            compile_scalar(
                builder.coerce(Translator(builder).translate(f"{v}::{kind}"), resolved.arguments[0])
            )((), EvalContext(settings=settings))
            for v in values
        ]
        aggregate = resolved.aggregate
        state = aggregate.init()
        if way == "step":
            for value in column:
                if value is not None or not aggregate.strict:
                    state = aggregate.step(state, value)
        elif way == "many":
            state = aggregate.step_many(state, column)
        else:
            assert aggregate.merge is not None
            left = aggregate.step_many(state, column[:1])
            state = aggregate.merge(left, aggregate.step_many(aggregate.init(), column[1:]))
        result = aggregate.finish(state, EvalContext(settings=settings))
        text = None if result is None else text_io.render(resolved.result, result, settings)
        return Answer(text, resolved.result.oid)
    except SqlError as error:
        return Answer(None, 0, error.sqlstate, error.message)


@pytest.mark.parametrize("name", NAMES)
def test_same_as_postgresql(oracle: Oracle, name: str) -> None:
    wrong: list[str] = []
    for kind, columns in COLUMNS.items():
        for values in columns:
            expected = oracle.ask(query(name, kind, values))
            expected = Answer(expected.text, expected.oid, expected.sqlstate, expected.message)
            ways = ["step", "many"]
            if (
                not expected.sqlstate
                and resolve_aggregate(name, [lookup_type(kind)]).aggregate.merge
            ):
                ways.append("merge")
            for way in ways:
                found = ours(name, kind, values, way)
                if found != expected:
                    wrong.append(f"{name} {kind} {values} {way}\n    {expected}\n    {found}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["json_agg", "jsonb_agg"])
def test_settings_at_the_end(oracle: Oracle, name: str) -> None:
    """What a JSON aggregate writes depends on the session that asks, as to_json() does."""
    settings = IoSettings(
        timezone="Asia/Kathmandu",
        intervalstyle="iso_8601",
        extra_float_digits=-6,
        bytea_output="escape",
    )
    oracle.execute("BEGIN")
    for parameter in ("timezone", "intervalstyle", "extra_float_digits", "bytea_output"):
        oracle.execute(f"SET LOCAL {parameter} = '{getattr(settings, parameter)}'")
    cases = {
        "float8": ["0.1234567890123456", "NULL", "1e300", "'NaN'"],
        "float4": ["0.12345678"],
        "interval": ["'1 mon 2 days -3:04:05.6'"],
        "bytea": ["'\\x0041ff'"],
        "timestamptz": ["'2020-01-01 00:00:00+00'", "'infinity'"],
        "float8[]": ["'{0.1234567890123456,NULL}'"],
    }
    pairs = [
        (kind, oracle.ask(query(name, kind, values)), ours(name, kind, values, "many", settings))
        for kind, values in cases.items()
    ]
    oracle.execute("ROLLBACK")
    for kind, expected, found in pairs:
        assert found == expected, kind


def test_two_arguments(oracle: Oracle) -> None:
    resolved = resolve_aggregate("string_agg", [lookup_type("text")] * 2)
    state = resolved.aggregate.init()
    for value in ("a", None, "b"):
        state = resolved.aggregate.step(state, value, ", ")
    assert resolved.aggregate.finish(state, EvalContext()) == "a, b"
    expected = oracle.ask("json_object_agg(k, v) FROM (VALUES ('a', 1), ('b', null)) t(k, v)")
    resolved = resolve_aggregate("json_object_agg", [lookup_type("text"), lookup_type("int4")])
    state = resolved.aggregate.init()
    for key, number in (("a", 1), ("b", None)):
        state = resolved.aggregate.step(state, key, number)
    assert resolved.aggregate.finish(state, EvalContext()) == expected.text


def test_count_of_rows() -> None:
    aggregate = resolve_aggregate("count", []).aggregate
    assert aggregate.finish(aggregate.step(aggregate.init()), EvalContext()) == 1


PAIRS = (
    "corr", "covar_pop", "covar_samp", "regr_avgx", "regr_avgy", "regr_count", "regr_intercept",
    "regr_r2", "regr_slope", "regr_sxx", "regr_sxy", "regr_syy",
)  # fmt: skip
PAIR_ROWS: list[list[tuple[str, str]]] = [
    [],
    [("1", "2")],
    [("NULL", "2"), ("1", "NULL")],
    [("1", "2"), ("2.5", "3"), ("NULL", "4"), ("-7", "0.1")],
    [("1", "5"), ("2", "5")],
    [("3", "1"), ("3", "2"), ("3", "7")],
    [("1e200", "1e200"), ("1e-200", "-1e200")],
    [("1e308", "1"), ("1e308", "2")],
    [("'Infinity'", "1"), ("2", "2")],
    [("2", "2"), ("'-Infinity'", "1")],
    [("'NaN'", "1"), ("2", "2")],
    [("1e-170", "1e-170"), ("2e-170", "3e-170")],
]


@pytest.mark.parametrize("name", PAIRS)
def test_pairs(oracle: Oracle, name: str) -> None:
    wrong: list[str] = []
    for pairs in PAIR_ROWS:
        rows = ", ".join(f"({y}::float8, {x}::float8)" for y, x in pairs)
        source = f"(VALUES {rows})" if pairs else "(SELECT 1::float8, 1::float8 WHERE false)"
        expected = oracle.ask(f"{name}(y, x) FROM {source} t(y, x)")
        resolved = resolve_aggregate(name, [lookup_type("float8")] * 2)
        try:
            state = resolved.aggregate.init()
            for y, x in pairs:
                if "NULL" not in (y, x):
                    state = resolved.aggregate.step(state, float(y.strip("'")), float(x.strip("'")))
            value = resolved.aggregate.final(state)
            text = None if value is None else text_io.render(resolved.result, value, SETTINGS)
            found = Answer(text, resolved.result.oid)
        except SqlError as error:
            found = Answer(None, 0, error.sqlstate, error.message)
        if found != Answer(expected.text, expected.oid, expected.sqlstate, expected.message):
            wrong.append(f"{name} {pairs}\n    {expected}\n    {found}")
    assert not wrong, "\n".join(wrong)


ORDERED = {
    "percentile_disc(0.5)": ["int4", "text", "numeric", "timestamptz", "float8"],
    "percentile_disc(0)": ["int4"],
    "percentile_disc(array[0, 0.3, NULL, 1]::float8[])": ["int4", "text"],
    "percentile_disc('{{0.1,0.5},{0.9,1}}'::float8[])": ["int4"],
    "percentile_disc('{}'::float8[])": ["int4"],
    "percentile_disc(NULL::float8)": ["int4"],
    "percentile_disc(1.5)": ["int4"],
    "percentile_disc(array[0.5, 1.5]::float8[])": ["int4"],
    "percentile_cont(0.5)": ["int4", "numeric", "float8", "interval"],
    "percentile_cont(0.37)": ["int4", "numeric", "float8", "interval"],
    "percentile_cont(array[0.25, 0.5, 0.99]::float8[])": ["float8", "interval"],
    "mode()": ["int4", "text", "numeric", "float8", "interval"],
}
ORDERED_VALUES = {
    "int4": ["5", "1", "NULL", "3", "3", "9"],
    "text": ["'b'", "'a'", "'b'", "NULL", "'c'", "'c'"],
    "numeric": ["1.10", "1.1", "7", "0.5", "2"],
    "float8": ["0.1", "0.7", "'NaN'", "-3", "'NaN'"],
    "timestamptz": ["'2020-01-01'", "'2019-01-01'"],
    "interval": ["'1 month'", "'30 days'", "'1 hour'", "'7 days'", "'1 month 1 us'"],
}


@pytest.mark.parametrize("call", ORDERED)
def test_ordered_sets(oracle: Oracle, call: str) -> None:
    for kind in ORDERED[call]:
        for values in (ORDERED_VALUES[kind], ORDERED_VALUES[kind][:1], ["NULL"]):
            rows = ", ".join(f"({value}::{kind})" for value in values)
            source = f"FROM (VALUES {rows}) t(x)"
            expected = oracle.ask(f"{call} WITHIN GROUP (ORDER BY x) {source}")
            if expected.sqlstate and values == ["NULL"]:
                # Without a row the percentile is never looked at.
                continue
            found = _ordered_set(call, kind, oracle, source)
            wanted = Answer(expected.text, expected.oid, expected.sqlstate, expected.message)
            assert found == wanted, (call, kind, values)


def _ordered_set(call: str, kind: str, oracle: Oracle, source: str) -> Answer:
    """The rows come in PostgreSQL's order: sorting is the executor's."""
    builder = Builder(SETTINGS)
    ordered = oracle.ask(f"array_agg(x ORDER BY x) {source}").text or "{}"
    name, _, rest = call.partition("(")
    direct = [rest[:-1]] if rest != ")" else []
    refs = [lookup_type("float8", [], "[]" in rest) for _ in direct]
    try:
        resolved = resolve_aggregate(name, [*refs, lookup_type(kind)], within_group=True)
        asked = [
            _constant(builder, f"({sql})::{'float8[]' if '[]' in rest else 'float8'}")
            for sql in direct
        ]
        array = text_io.parse(lookup_type(kind, [], True), ordered, SETTINGS)
        convert = float if name == "percentile_cont" and kind != "interval" else lambda value: value
        state = resolved.aggregate.init()
        for value in array.items:
            if value is not None or not resolved.aggregate.strict:
                state = resolved.aggregate.step(
                    state, *asked, None if value is None else convert(value)
                )
        result = resolved.aggregate.final(state)
        text = None if result is None else text_io.render(resolved.result, result, SETTINGS)
        return Answer(text, resolved.result.oid)
    except SqlError as error:
        return Answer(None, 0, error.sqlstate, error.message)


def _constant(builder: Builder, sql: str) -> object:
    return compile_scalar(Translator(builder).translate(sql))((), EvalContext())


def test_within_group_or_not() -> None:
    for name, kinds, within in (("mode", ["int4"], False), ("sum", ["int4"], True)):
        with pytest.raises(SqlError) as caught:
            resolve_aggregate(name, [lookup_type(kind) for kind in kinds], within_group=within)
        assert caught.value.sqlstate == "42809"
