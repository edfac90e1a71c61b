"""Every expression of the corpus gives what PostgreSQL 15 gives: value, type, SQLSTATE, message.

The same expressions then run in all the other ways an expression can: with columns for constants,
folded, and after a trip over the wire.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from postgresql_oracle import Answer, Oracle
from sql_expressions import Translator

from trilithon.core.errors import SqlError
from trilithon.expression import ir
from trilithon.expression.build import Builder
from trilithon.expression.compile import (
    EvalContext,
    compile_filter,
    compile_projection,
    compile_scalar,
    fold_constants,
)
from trilithon.expression.program import Program
from trilithon.types import binary_io, text_io
from trilithon.types.registry import BOOL, TypeRef, format_type, lookup_type, type_name
from trilithon.types.settings import IoSettings

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(path.stem for path in CORPUS.glob("*.sql"))
SETTINGS = IoSettings()


def expressions(name: str) -> list[str]:
    lines = (CORPUS / f"{name}.sql").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def context() -> EvalContext:
    return EvalContext(settings=SETTINGS)


def evaluate(sql: str, settings: IoSettings = SETTINGS) -> Answer:
    try:
        expr = Translator(Builder(settings)).translate(sql)
        value = compile_scalar(expr)((), EvalContext(settings=settings))
        text = None if value is None else text_io.render(expr.type, value, settings)
        return Answer(text, expr.type.oid)
    except SqlError as error:
        return Answer(None, 0, error.sqlstate, error.message)


@pytest.mark.parametrize("name", FILES)
def test_same_answers(oracle: Oracle, name: str) -> None:
    wrong: list[str] = []
    for sql in expressions(name):
        expected, found = oracle.ask(sql), evaluate(sql)
        expected = Answer(expected.text, expected.oid, expected.sqlstate, expected.message)
        if expected != found:
            wrong.append(f"{sql}\n    PostgreSQL {expected}\n    Trilithon  {found}")
    assert not wrong, "\n".join(wrong)


_SESSIONS = {
    "new york": IoSettings(timezone="America/New_York"),
    "kathmandu": IoSettings(timezone="Asia/Kathmandu", datestyle="ISO, DMY"),
    "verbose": IoSettings(
        intervalstyle="postgres_verbose", extra_float_digits=-3, bytea_output="escape"
    ),
    "iso": IoSettings(datestyle="ISO, YMD", intervalstyle="iso_8601", extra_float_digits=0),
    "standard": IoSettings(
        timezone="Asia/Tokyo", datestyle="ISO, DMY", intervalstyle="sql_standard"
    ),
}


@pytest.mark.parametrize("session", _SESSIONS)
@pytest.mark.parametrize("name", ["datetimes", "formatting", "json", "numbers", "strings"])
def test_same_answers_under_other_settings(oracle: Oracle, session: str, name: str) -> None:
    settings = _SESSIONS[session]
    wrong: list[str] = []
    oracle.execute("BEGIN")
    for parameter in (
        "timezone",
        "datestyle",
        "intervalstyle",
        "extra_float_digits",
        "bytea_output",
    ):
        oracle.execute(f"SET LOCAL {parameter} = '{getattr(settings, parameter)}'")
    for sql in expressions(name):
        oracle.execute("SAVEPOINT s")
        expected, found = oracle.ask(sql), evaluate(sql, settings)
        oracle.execute("ROLLBACK TO s")
        expected = Answer(expected.text, expected.oid, expected.sqlstate, expected.message)
        if expected != found:
            wrong.append(f"{sql}\n    PostgreSQL {expected}\n    Trilithon  {found}")
    oracle.execute("ROLLBACK")
    assert not wrong, "\n".join(wrong)


def columns_for_constants(expr: ir.Expr) -> tuple[ir.Expr, list[Any]]:
    row: list[Any] = []

    def change(node: ir.Expr) -> ir.Expr:
        if isinstance(node, ir.Constant):
            row.append(node.value)
            return ir.Column(len(row) - 1, node.type)
        return node

    return ir.transform(expr, change), row


def outcome(call: Any) -> Any:
    try:
        return repr(call())
    except SqlError as error:
        return error.sqlstate, error.message


@pytest.mark.parametrize("name", FILES)
def test_same_answers_in_every_form(name: str) -> None:
    for sql in expressions(name):
        if "random" in sql or "uuid()" in sql:
            continue
        try:
            expr = Translator(Builder(SETTINGS)).translate(sql)
        except SqlError:
            continue
        ctx = context()
        expected = outcome(lambda expr=expr, ctx=ctx: compile_scalar(expr)((), ctx))
        over_columns, row = columns_for_constants(expr)
        forms = {
            "columns": outcome(
                lambda e=over_columns, row=row, ctx=ctx: compile_projection([e, e])([row], ctx)[0][
                    1
                ]
            ),
            "folded": outcome(lambda e=expr, ctx=ctx: compile_scalar(fold_constants(e))((), ctx)),
            "wire": outcome(lambda e=over_columns, row=row, ctx=ctx: over_the_wire(e, row, ctx)),
        }
        if expr.type.oid == BOOL.oid:
            forms["filter"] = outcome(
                lambda e=over_columns, row=row, ctx=ctx: bool(compile_filter(e)([row], ctx))
            )
            forms["negated filter"] = outcome(
                lambda e=over_columns, row=row, ctx=ctx: bool(compile_filter(ir.Not(e))([row], ctx))
            )
            if isinstance(expected, str):
                assert forms.pop("filter") == str(expected == "True"), sql
                assert forms.pop("negated filter") == str(expected == "False"), sql
        assert forms == dict.fromkeys(forms, expected), sql


def over_the_wire(expr: ir.Expr, row: list[Any], ctx: EvalContext) -> Any:
    program = Program(None, (expr,))
    loaded = Program.from_bytes(program.to_bytes())
    assert repr(loaded) == repr(program)
    return loaded.compiled().run([row], ctx)[0][0]


@pytest.mark.parametrize("name", FILES)
def test_binary_format_is_postgresqls(oracle: Oracle, name: str) -> None:
    """Binary output equals PostgreSQL's *_send, and reading it back gives the same value."""
    connection = oracle.connection.pgconn
    for sql in expressions(name):
        try:
            expr = Translator(Builder(SETTINGS)).translate(sql)
            value = compile_scalar(expr)((), context())
        except SqlError:
            continue
        if value is None or expr.type.oid in (17, 2206, 2249):
            continue
        if "random" in sql or "now" in sql or "current" in sql or "uuid()" in sql:
            continue
        result = connection.exec_params(f"SELECT {sql}".encode(), [], result_format=1)
        expected = result.get_value(0, 0)
        assert binary_io.render(expr.type, value) == expected, sql
        again = binary_io.parse(expr.type, expected)
        assert text_io.render(expr.type, again) == text_io.render(expr.type, value), sql


TYPES = (
    "bool", "int2", "int4", "int8", "numeric", "numeric(10)", "numeric(10,2)", "numeric(5,-2)",
    "numeric(1000,1000)", "float4", "float8", "text", "varchar", "varchar(3)", "bpchar", "char(5)",
    '"char"', "name", "bytea", "uuid", "date", "time", "time(3)", "timetz", "timetz(0)", "timestamp",
    "timestamp(6)", "timestamptz", "timestamptz(0)", "interval", "interval(3)", "json", "jsonb", "oid",
    "regclass", "regtype", "int4[]", "numeric(4,1)[]", "varchar(7)[]", "text[]",
)  # fmt: skip


@pytest.mark.parametrize("text", TYPES)
def test_types_are_postgresqls(oracle: Oracle, text: str) -> None:
    result = oracle.connection.pgconn.exec_(f"SELECT NULL::{text}".encode())
    theirs = TypeRef(result.ftype(0), result.fmod(0))
    base, _, rest = text.removesuffix("[]").partition("(")
    typmods = [int(part) for part in rest.removesuffix(")").split(",") if part]
    if base == "interval" and typmods:
        typmods.insert(0, 0x7FFF)
    name = {"char": "bpchar", '"char"': "char"}.get(base, base)
    assert lookup_type(name, typmods, text.endswith("[]")) == theirs
    shown = oracle.ask(f"format_type({theirs.oid}, {theirs.typmod})").text
    assert format_type(theirs.oid, theirs.typmod) == shown
    assert type_name(theirs) == shown or text == "bpchar"
