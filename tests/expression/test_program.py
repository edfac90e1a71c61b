"""Programs: what arrives over the wire is data, whatever it is."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilithon.core.errors import SqlError
from trilithon.expression import ir
from trilithon.expression.build import Builder
from trilithon.expression.compile import EvalContext
from trilithon.expression.program import MalformedProgram, Program, compile_bytes
from trilithon.types.registry import BOOL, INT4, NUMERIC, TypeRef

BUILD = Builder()
CONTEXT = EvalContext()
AMOUNT = ir.Column(1, NUMERIC)
EXAMPLE = Program(
    BUILD.all_and(
        [
            BUILD.operator(">=", AMOUNT, BUILD.literal("100.00")),
            BUILD.in_list(ir.Column(0, INT4), [ir.Constant(1, INT4), ir.null(INT4)]),
        ]
    ),
    (ir.Column(0, INT4), BUILD.operator("*", AMOUNT, BUILD.literal("2"))),
    (None, Decimal("1.50")),
)


def test_round_trip_and_run() -> None:
    data = EXAMPLE.to_bytes()
    assert Program.from_bytes(data) == EXAMPLE
    run = compile_bytes(data).run
    assert run([[1, Decimal("100.00")], [1, Decimal("99")], [2, Decimal("100")]], CONTEXT) == [
        (1, Decimal("200.00"))
    ]
    assert run([[1]], CONTEXT) == []
    assert compile_bytes(Program().to_bytes()).run([[1]], CONTEXT) == [[1]]


def test_short_rows_get_their_missing_values() -> None:
    program = Program(None, (AMOUNT,), (None, Decimal("1.50")))
    assert program.compiled().run([[1], [1, None], []], CONTEXT) == [
        (Decimal("1.50"),),
        (None,),
        (Decimal("1.50"),),
    ]


def test_deep_programs_travel() -> None:
    expr: ir.Expr = ir.Column(0, INT4)
    for _ in range(3000):
        expr = BUILD.operator("+", expr, ir.Constant(1, INT4))
    loaded = Program.from_bytes(Program(None, (expr,)).to_bytes())
    assert loaded.compiled().run([[1]], CONTEXT) == [(3001,)]


def test_another_version_is_refused() -> None:
    with pytest.raises(MalformedProgram, match="version 99"):
        Program.from_bytes(msgspec.msgpack.encode([99, [], None, None]))


@given(st.binary(max_size=200))
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedProgram):
        Program.from_bytes(data)


@given(st.integers(0, len(EXAMPLE.to_bytes()) - 1), st.integers(0, 255))
def test_flipped_bytes_do_no_harm(at: int, byte: int) -> None:
    """Whatever still loads also runs, or fails with an SqlError."""
    data = bytearray(EXAMPLE.to_bytes())
    data[at] = byte
    with contextlib.suppress(MalformedProgram, SqlError):
        Program.from_bytes(bytes(data)).compiled().run([[1, Decimal(100)], [None, None]], CONTEXT)


json_like = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 30), st.text(max_size=3)),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=20,
)


@given(json_like, json_like)
def test_plausible_structures_do_no_harm(condition: Any, projection: Any) -> None:
    data = msgspec.msgpack.encode([1, [], condition, projection])
    with contextlib.suppress(MalformedProgram, SqlError):
        Program.from_bytes(data).compiled().run([[1, 2]], CONTEXT)


@pytest.mark.parametrize(
    "name", ["__import__('os')", "now()", "no_such(int4)", "generate_series(int4,int4)"]
)
def test_only_registered_functions_can_be_named(name: str) -> None:
    call = ir.Call(name, (), BOOL)
    program = Program(call)
    if name == "now()":
        assert Program.from_bytes(program.to_bytes()) == program
        return
    with pytest.raises(MalformedProgram):
        Program.from_bytes(program.to_bytes())


def test_unknown_types_are_refused() -> None:
    with pytest.raises(MalformedProgram, match="unknown type"):
        Program.from_bytes(Program(ir.Column(0, TypeRef(9_999))).to_bytes())
