"""Three-valued logic, nesting, laziness, exactness: what the corpus cannot show."""

from __future__ import annotations

import itertools
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilithon.core.errors import SqlError
from trilithon.expression import ir
from trilithon.expression import numeric_math as nm
from trilithon.expression.build import Builder
from trilithon.expression.compile import (
    EvalContext,
    compile_filter,
    compile_projection,
    compile_rows,
    compile_scalar,
    fold_constants,
    is_volatile,
    pushable,
)
from trilithon.types import numeric
from trilithon.types.registry import BOOL, INT4, INT8, NUMERIC, TEXT

CONTEXT = EvalContext()
BUILD = Builder()


def column(index: int, nullable: bool = True) -> ir.Column:
    return ir.Column(index, BOOL, nullable)


# --- three-valued logic against a tree-walking model


def trees(depth: int) -> st.SearchStrategy[ir.Expr]:
    leaves: st.SearchStrategy[ir.Expr] = st.one_of(
        st.integers(0, 2).map(column),
        st.just(column(3, nullable=False)),
        st.sampled_from([ir.TRUE, ir.FALSE, ir.null(BOOL)]),
    )
    if not depth:
        return leaves
    inner = trees(depth - 1)
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        leaves,
        several.map(ir.And),
        several.map(ir.Or),
        inner.map(ir.Not),
        st.builds(ir.IsNull, inner, st.booleans()),
        st.builds(ir.BooleanTest, inner, st.sampled_from([True, False, None]), st.booleans()),
        st.builds(lambda args: ir.Coalesce(args, BOOL), several),
        st.builds(
            lambda whens, last: ir.Case(None, tuple(whens), last, BOOL),
            st.lists(st.tuples(inner, inner), min_size=1, max_size=2),
            st.one_of(st.none(), inner),
        ),
        st.builds(lambda a, b: ir.Call("bool = bool", (a, b), BOOL), inner, inner),
        st.builds(
            lambda a, b, n: ir.IsDistinct("bool = bool", a, b, n), inner, inner, st.booleans()
        ),
    )


def model(node: ir.Expr, row: tuple[Any, ...]) -> bool | None:
    match node:
        case ir.Column():
            return row[node.index]
        case ir.Constant():
            return node.value
        case ir.And() | ir.Or():
            values = [model(arg, row) for arg in node.args]
            decisive = isinstance(node, ir.Or)
            return decisive if decisive in values else None if None in values else not decisive
        case ir.Not():
            value = model(node.arg, row)
            return None if value is None else not value
        case ir.IsNull():
            return (model(node.arg, row) is None) != node.negated
        case ir.BooleanTest():
            return (model(node.arg, row) is node.expected) != node.negated
        case ir.Coalesce():
            return next((v for arg in node.args if (v := model(arg, row)) is not None), None)
        case ir.Case():
            for when, then in node.whens:
                if model(when, row) is True:
                    return model(then, row)
            return None if node.otherwise is None else model(node.otherwise, row)
        case ir.Call():
            left, right = (model(arg, row) for arg in node.args)
            return None if left is None or right is None else left == right
        case ir.IsDistinct():
            return (model(node.left, row) is not model(node.right, row)) != node.negated
    raise AssertionError(node)


ROWS = list(
    itertools.product([True, False, None], [True, False, None], [True, None], [True, False])
)


@given(trees(3))
def test_logic_agrees_with_the_model(expr: ir.Expr) -> None:
    expected = [model(expr, row) for row in ROWS]
    assert [value for (value,) in compile_projection([expr])(ROWS, CONTEXT)] == expected
    assert [compile_scalar(expr)(row, CONTEXT) for row in ROWS] == expected
    assert compile_filter(expr)(ROWS, CONTEXT) == [
        row for row, value in zip(ROWS, expected, strict=True) if value is True
    ]
    assert compile_filter(ir.Not(expr))(ROWS, CONTEXT) == [
        row for row, value in zip(ROWS, expected, strict=True) if value is False
    ]
    folded = fold_constants(expr)
    assert [compile_scalar(folded)(row, CONTEXT) for row in ROWS] == expected


# --- evaluation order and errors


def divide(left: ir.Expr, right: ir.Expr) -> ir.Expr:
    return BUILD.operator("/", left, right)


ONE, ZERO_INT = ir.Constant(1, INT4), ir.Constant(0, INT4)
A, B = ir.Column(0, INT4), ir.Column(1, INT4)


def test_case_and_coalesce_are_lazy() -> None:
    fails = divide(ONE, ir.Column(1, INT4))
    lazy = BUILD.case(None, [(BUILD.operator("=", A, ONE), ONE)], fails)
    assert compile_scalar(lazy)((1, 0), CONTEXT) == 1
    with pytest.raises(SqlError, match="22012"):
        compile_scalar(lazy)((2, 0), CONTEXT)
    assert compile_scalar(BUILD.coalesce([A, fails]))((1, 0), CONTEXT) == 1


def test_null_does_not_hide_the_error_of_another_argument() -> None:
    """As in PostgreSQL, arguments are evaluated before strictness is applied."""
    expr = BUILD.operator("+", A, divide(ONE, B))
    with pytest.raises(SqlError, match="22012"):
        compile_scalar(expr)((None, 0), CONTEXT)
    not_null = ir.Column(1, INT4, nullable=False)
    with pytest.raises(SqlError, match="22012"):
        compile_scalar(BUILD.operator("+", A, divide(ONE, not_null)))((None, 0), CONTEXT)


def test_the_case_operand_is_evaluated_once_and_nests() -> None:
    draws: list[float] = []

    class Source:
        def random(self) -> float:
            draws.append(0.5)
            return 0.5

    ctx = EvalContext(random=Source())  # type: ignore[arg-type]
    inner = BUILD.case(
        A, [(ir.Constant(n, INT4), ir.Constant(n * 10, INT4)) for n in range(40)], None
    )
    roll = BUILD.call("random", [])
    half = BUILD.cast(BUILD.literal("0.5"), roll.type)
    never = BUILD.cast(BUILD.literal("7"), roll.type)
    outer = BUILD.case(roll, [(never, ONE), (never, inner), (half, inner)], None)
    assert compile_scalar(outer)((33,), ctx) == 330
    assert draws == [0.5]
    assert is_volatile(outer)
    assert not pushable(outer)


# --- nesting


@pytest.mark.parametrize("depth", [1, 50, 199, 1000, 4900])
def test_deep_expressions_work(depth: int) -> None:
    expr: ir.Expr = A
    for _ in range(depth):
        expr = BUILD.operator("+", expr, ONE)
    assert compile_scalar(expr)((5,), CONTEXT) == 5 + depth
    assert compile_scalar(expr)((None,), CONTEXT) is None
    assert ir.columns_of(expr) == {0}


@pytest.mark.parametrize("shape", ["or", "not", "case", "coalesce", "distinct"])
def test_too_deep_is_an_error_not_a_crash(shape: str) -> None:
    makers = {
        "or": lambda e: ir.Or((ir.And((e, column(1))), column(0))),
        "not": lambda e: ir.Not(e),
        "case": lambda e: ir.Case(None, ((e, e if False else column(1)),), column(0), BOOL),
        "coalesce": lambda e: ir.Coalesce((column(0), e), BOOL),
        "distinct": lambda e: ir.IsDistinct("bool = bool", e, column(1)),
    }
    for depth in (100, 1000, 4000, 20_000):
        expr: ir.Expr = column(0)
        for _ in range(depth):
            expr = makers[shape](expr)
        try:
            compile_scalar(expr)((None, True), CONTEXT)
            compile_filter(expr)([(None, True)], CONTEXT)
        except SqlError as error:
            assert error.sqlstate == "54001"
            assert depth >= 1000


def test_wide_expressions_work() -> None:
    tests = [BUILD.operator("=", A, ir.Constant(n, INT4)) for n in range(5000)]
    expr = BUILD.any_or(tests)
    assert compile_filter(expr)([(4999,), (5000,), (None,)], CONTEXT) == [(4999,)]
    assert compile_scalar(ir.Not(expr))((5000,), CONTEXT) is True
    assert compile_scalar(expr)((None,), CONTEXT) is None
    whens = [(test, ir.Constant(n, INT4)) for n, test in enumerate(tests)]
    assert compile_scalar(BUILD.case(None, whens, None))((4321,), CONTEXT) == 4321
    nulls = [ir.null(INT4)] * 2000
    assert compile_scalar(BUILD.coalesce([*nulls, A]))((7,), CONTEXT) == 7
    inside = BUILD.in_list(A, [ir.Constant(n, INT4) for n in range(5000)])
    assert isinstance(inside, ir.InSet)
    assert compile_scalar(inside)((42,), CONTEXT) is True


def test_filter_and_projection_in_one_pass() -> None:
    condition = BUILD.operator(">", A, ONE)
    double = BUILD.operator("*", A, ir.Constant(2, INT4))
    assert compile_rows(condition, [double, B])([[1, 2], [3, None], [None, 1]], CONTEXT) == [
        (6, None)
    ]
    assert compile_rows(None, [B, A])([[1, 2]], CONTEXT) == [(2, 1)]
    assert compile_rows(None, [B])([[1, 2]], CONTEXT) == [(2,)]
    assert compile_rows(None, [])([[1, 2]], CONTEXT) == [()]
    assert compile_rows(condition, None)([[1, 2], [2, 3]], CONTEXT) == [[2, 3]]


def test_parameters_and_pushing_down() -> None:
    expr = BUILD.operator("=", A, BUILD.parameter(1))
    assert BUILD.parameters[1] == INT4
    ctx = EvalContext(parameters=[5])
    assert compile_filter(expr)([(5,), (6,)], ctx) == [(5,)]
    assert not pushable(expr)
    assert pushable(ir.replace_parameters(expr, [5]))
    assert not pushable(BUILD.call("now", []))
    with pytest.raises(SqlError, match="42P08"):
        BUILD.operator(
            "||", ir.Column(0, TEXT), ir.Parameter(1, ir.null(INT4).type and BUILD.literal("").type)
        )


# --- exactness

ints = st.integers(-(10**45), 10**45)
decimals = st.builds(
    lambda digits, scale: numeric.normal(Decimal(digits).scaleb(-scale, numeric.EXACT)),
    ints,
    st.integers(0, 30),
)


def exact(value: Decimal) -> Fraction:
    return Fraction(value)


@given(decimals, decimals)
def test_numeric_arithmetic_is_exact(a: Decimal, b: Decimal) -> None:
    x, y = ir.Column(0, NUMERIC), ir.Column(1, NUMERIC)
    row = (a, b)
    for name, expected in (
        ("+", exact(a) + exact(b)),
        ("-", exact(a) - exact(b)),
        ("*", exact(a) * exact(b)),
    ):
        result = compile_scalar(BUILD.operator(name, x, y))(row, CONTEXT)
        assert exact(result) == expected
        assert not str(result).startswith("-0") or result != 0
        scales = numeric.scale_of(a), numeric.scale_of(b)
        assert numeric.scale_of(result) == (sum(scales) if name == "*" else max(scales))
    if b:
        assert exact(nm.remainder(a, b)) == exact(a) - exact(b) * int(exact(a) / exact(b))
        quotient = nm.divide(a, b)
        unit = Fraction(1, 10 ** numeric.scale_of(quotient))
        error = abs(exact(quotient) - exact(a) / exact(b))
        assert error <= unit / 2
        if error == unit / 2:
            # Half away from zero.
            assert abs(exact(quotient)) > abs(exact(a) / exact(b))


@given(decimals, st.integers(-5, 20))
def test_rounding_is_half_away_from_zero(value: Decimal, scale: int) -> None:
    unit = Fraction(10) ** -scale
    scaled = abs(exact(value)) / unit
    expected = (scaled + Fraction(1, 2)).__floor__() * unit
    assert abs(exact(nm.round_half_away(value, scale))) == expected
    assert abs(exact(nm.truncate(value, scale))) == scaled.__floor__() * unit


@given(decimals.map(abs))
def test_square_roots_are_nearest(value: Decimal) -> None:
    root = nm.square_root(value)
    unit = Fraction(1, 10 ** numeric.scale_of(root))
    low, high = max(exact(root) - unit / 2, Fraction(0)), exact(root) + unit / 2
    assert low**2 <= exact(value) <= high**2


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_integer_arithmetic_is_exact_or_refused(a: int, b: int) -> None:
    x, y = ir.Column(0, INT8), ir.Column(1, INT8)
    for name, expected in (("+", a + b), ("-", a - b), ("*", a * b)):
        call = compile_scalar(BUILD.operator(name, x, y))
        if -(2**63) <= expected < 2**63:
            assert call((a, b), CONTEXT) == expected
        else:
            with pytest.raises(SqlError, match="22003"):
                call((a, b), CONTEXT)
    if b and (a, b) != (-(2**63), -1):
        quotient = compile_scalar(divide(x, y))((a, b), CONTEXT)
        remainder = compile_scalar(BUILD.operator("%", x, y))((a, b), CONTEXT)
        assert quotient * b + remainder == a
        assert abs(remainder) < abs(b)
        assert remainder == 0 or (remainder < 0) == (a < 0)


def test_numeric_overflow() -> None:
    huge = numeric.normal(Decimal("9e131071"))
    for call in (nm.add, nm.multiply):
        with pytest.raises(SqlError, match="22003"):
            call(huge, huge)
    assert nm.add(numeric.NAN, Decimal(1)) is numeric.NAN
    assert nm.subtract(numeric.INFINITY, numeric.INFINITY) is numeric.NAN


def test_computing_beyond_the_bound_is_refused() -> None:
    """PostgreSQL computes these (slowly); here they would hold the process up."""
    for call in (
        lambda: nm.exponential(Decimal(5000)),
        lambda: nm.power(Decimal(10), Decimal("1900.5")),
    ):
        with pytest.raises(SqlError, match="54000"):
            call()


def _matching(pattern: str) -> ir.Expr:
    return BUILD.operator("~", ir.Column(0, TEXT), ir.Constant(pattern, TEXT))


def test_a_search_that_explodes_is_refused() -> None:
    keep = compile_filter(_matching("(a|aa)+$"))
    with pytest.raises(SqlError) as caught:
        keep([("a" * 40 + "b",)], CONTEXT)
    assert caught.value.sqlstate == "54001"
    assert keep([("aaa",), ("x",)], CONTEXT) == [("aaa",)]


def test_a_batch_of_slow_searches_is_refused() -> None:
    """Each row alone is within bounds; together they would hold up everybody else."""
    keep = compile_filter(_matching("a.*b.*c.*d"))
    slow = ("a b c " * 60,)
    assert keep([slow], CONTEXT) == []
    with pytest.raises(SqlError) as caught:
        keep([slow] * 5000, CONTEXT)
    assert caught.value.sqlstate == "54001"
    # The next batch starts afresh.
    assert keep([slow, ("abcd",)], CONTEXT) == [("abcd",)]


def test_long_texts_may_take_their_time() -> None:
    text = "lorem ipsum " * 50_000
    expr = _matching("(lorem|ipsum) [xyz]")
    assert compile_filter(expr)([(text,)] * 3 + [(text + "lorem z",)], CONTEXT) == [
        (text + "lorem z",)
    ]
