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
