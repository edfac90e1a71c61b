"""Expressions as Python functions: one generated function per plan, no tree walking per row.

    compile_scalar(expr)       → (row, ctx) → value
    compile_filter(expr)       → (rows, ctx) → the rows for which the value is TRUE
    compile_projection(exprs)  → (rows, ctx) → a tuple per row
    compile_rows(filter, exprs)→ both in one pass

Rows are lists or tuples. All functions raise SqlError for what fails in an expression.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.expression import ir
from trilithon.expression.codegen import Fragment, Generator
from trilithon.expression.context import EvalContext
from trilithon.expression.functions import get_function
from trilithon.expression.registry import IMMUTABLE
from trilithon.expression.search_budget import begin_batch

__all__ = [
    "EvalContext",
    "compile_filter",
    "compile_projection",
    "compile_rows",
    "compile_scalar",
    "fold_constants",
    "is_volatile",
    "pushable",
]

Row = Sequence[Any]
Scalar = Callable[[Row, EvalContext], Any]
Filter = Callable[[list[Any], EvalContext], list[Any]]
Projection = Callable[[list[Any], EvalContext], list[tuple[Any, ...]]]


def _define(generator: Generator, body: str) -> Callable[..., Any]:
    source = "\n".join([*generator.helpers, body])
    generator.namespace["begin_batch"] = begin_batch
    try:
        code = compile(source, "<expression>", "exec")
    except (RecursionError, MemoryError, SyntaxError) as error:
        # Only size can bring Python's compiler down: the source is ours.
        raise SqlError("54001", "stack depth limit exceeded", hint=str(error)[:200]) from error
    exec(code, generator.namespace)
    run: Callable[..., Any] = generator.namespace["run"]
    return run


def compile_scalar(expr: ir.Expr) -> Scalar:
    if isinstance(expr, ir.Constant):
        value = expr.value
        return lambda row, ctx: value
    generator = Generator()
    fragment = generator.generate(expr)
    return _define(
        generator,
        f"def run(row, ctx):\n    begin_batch()\n    P = ctx.parameters\n    return {fragment.value}\n",
    )


def compile_filter(expr: ir.Expr) -> Filter:
    generator = Generator()
    fragment = generator.generate(expr)
    return _define(generator, _loop(fragment, "row"))


def compile_projection(exprs: Sequence[ir.Expr]) -> Projection:
    return compile_rows(None, exprs)


def compile_rows(condition: ir.Expr | None, exprs: Sequence[ir.Expr] | None) -> Filter:
    """Filter and project in one pass; None for either leaves it out."""
    if exprs is not None and condition is None and len(exprs) > 1:
        indexes = [expr.index for expr in exprs if isinstance(expr, ir.Column)]
        if len(indexes) == len(exprs):
            pick = operator.itemgetter(*indexes)
            return lambda rows, ctx: list(map(pick, rows))
    generator = Generator()
    test = None if condition is None else generator.generate(condition)
    item = "row"
    if exprs is not None:
        fragments = [generator.generate(expr) for expr in exprs]
        item = "(" + "".join(f"{fragment.value}, " for fragment in fragments) + ")"
    return _define(generator, _loop(test, item))


def _loop(test: Fragment | None, item: str) -> str:
    """A comprehension where nothing is bound on the way, else a loop, whose names are fast."""
    condition = "" if test is None else test.truth
    if ":=" not in item and ":=" not in condition:
        clause = f" if {condition}" if test is not None else ""
        body = f"    return [{item} for row in rows{clause}]\n"
    else:
        indent, clause = "        ", ""
        if test is not None:
            clause, indent = f"        if {condition}:\n", "            "
        body = (
            "    out = []\n    add = out.append\n    for row in rows:\n"
            f"{clause}{indent}add({item})\n    return out\n"
        )
    return f"def run(rows, ctx):\n    begin_batch()\n    P = ctx.parameters\n{body}"


def _volatilities(expr: ir.Expr) -> set[str]:
    """The volatilities of everything in the expression but its leaves."""
    from trilithon.expression.coercion import caster

    found: set[str] = set()
    for node in ir.post_order(expr):
        match node:
            case ir.Call() | ir.AnyAll():
                found.add(get_function(node.function).volatility)
            case ir.IsDistinct() | ir.NullIf():
                found.add(get_function(node.equal).volatility)
            case ir.MinMax():
                found.add(get_function(node.less).volatility)
            case ir.RowCompare():
                found.update(get_function(name).volatility for name in node.equals + node.compares)
            case ir.Cast():
                step = caster(node.arg.type, node.type, node.explicit)
                found.add(IMMUTABLE if step is None else step.volatility)
            case _:
                pass
    return found


def pushable(expr: ir.Expr) -> bool:
    """Whether storage may evaluate it: immutable throughout, no parameters (replace them first)."""
    if any(isinstance(node, ir.Parameter) for node in ir.post_order(expr)):
        return False
    return _volatilities(expr) <= {IMMUTABLE}


def is_volatile(expr: ir.Expr) -> bool:
    """Whether each evaluation may differ, so that it must not be moved, repeated or left out."""
    return "volatile" in _volatilities(expr)


_NEVER_FOLDED = (ir.Constant, ir.Column, ir.Parameter, ir.CaseOperand)
_NO_CONTEXT = EvalContext()


def fold_constants(expr: ir.Expr) -> ir.Expr:
    """Evaluate immutable parts that read nothing. What fails is left to fail at run time."""

    def change(node: ir.Expr) -> ir.Expr:
        if isinstance(node, ir.And | ir.Or):
            return _fold_logical(node)
        if isinstance(node, _NEVER_FOLDED):
            return node
        if isinstance(node, ir.Case) and node.operand is not None:
            return node
        children = node.children()
        if not all(isinstance(child, ir.Constant) for child in children):
            return node
        if isinstance(node, ir.Row | ir.NamedRow) or not _volatilities(node) <= {IMMUTABLE}:
            return node
        try:
            return ir.Constant(compile_scalar(node)((), _NO_CONTEXT), node.type)
        except SqlError:
            return node

    return ir.transform(expr, change)


def _fold_logical(node: ir.And | ir.Or) -> ir.Expr:
    decisive = isinstance(node, ir.Or)
    args: list[ir.Expr] = []
    for arg in node.args:
        if isinstance(arg, type(node)):
            args += arg.args
        elif isinstance(arg, ir.Constant) and arg.value is decisive:
            return ir.TRUE if decisive else ir.FALSE
        elif not (isinstance(arg, ir.Constant) and arg.value is (not decisive)):
            args.append(arg)
    if not args:
        return ir.FALSE if decisive else ir.TRUE
    return args[0] if len(args) == 1 else type(node)(tuple(args))
