"""Long lists of alternatives: x = 1 OR x = 2 OR …, (a, b) IN ((1, 2), (3, 4), …).

Thousands of expressions of one form are walked by every rule and compiled one by one. As a set of values, or a
VALUES list that is joined, they are data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from trilithon.expression import ir
from trilithon.expression.compile import fold_constants
from trilithon.query.analyse import tree
from trilithon.query.analyse.free import used_columns
from trilithon.query.analyse.tree import Expr, OutputColumn
from trilithon.query.plan.access import ARMS_MAX
from trilithon.query.plan.conditions import conjunction, has_subquery, movable

# More alternatives for one expression are a set.
SET_MIN: Final = 50


def as_set(conjunct: Expr) -> Expr:
    """x = 1 OR x = 2 OR … as x IN (1, 2, …); anything else as it is."""
    if not isinstance(conjunct, ir.Or) or len(conjunct.args) < SET_MIN:
        return conjunct
    found = _rows(conjunct)
    if found is None or len(found[0]) != 1:
        return conjunct
    ((operand, _),), rows = found
    if operand.type != rows[0][0].type:
        return conjunct
    return ir.InSet(operand, tuple(row[0].value for row in rows))


def as_values(conjunct: Expr, new_column: Callable[[], int]) -> tuple[tree.Values, Expr] | None:
    """The alternatives as rows, and the condition that joins them; None where there are few, or they are not of
    one form. More than `ARMS_MAX` are not looked up one by one anyway."""
    if not isinstance(conjunct, ir.Or) or len(conjunct.args) <= ARMS_MAX:
        return None
    found = _rows(conjunct)
    if found is None:
        return None
    operands, rows = found
    outputs = tuple(OutputColumn(new_column(), "column", value.type) for value in rows[0])
    condition = conjunction(
        [
            ir.Call(call.function, (operand, ir.Column(output.id, output.type)), call.type)
            for (operand, call), output in zip(operands, outputs, strict=True)
        ]
    )
    assert condition is not None
    return tree.Values(outputs, rows), condition


def _rows(
    conjunct: ir.Or,
) -> tuple[list[tuple[Expr, ir.Call]], tuple[tuple[ir.Constant, ...], ...]] | None:
    """What is compared, with the first arm's comparisons; and the values, arm by arm."""
    first: list[ir.Call] = []
    rows: list[tuple[ir.Constant, ...]] = []
    for argument in conjunct.args:
        calls: Any = argument.args if isinstance(argument, ir.And) else (argument,)
        if not all(isinstance(call, ir.Call) and len(call.args) == 2 for call in calls):
            return None
        if not first:
            first = list(calls)
            if not all(map(_is_equality, first)):
                return None
        if len(calls) != len(first):
            return None
        row: list[ir.Constant] = []
        for call, pattern in zip(calls, first, strict=True):
            value = call.args[1]
            if isinstance(value, ir.Cast) and isinstance(value.arg, ir.Constant):
                value = fold_constants(value)
            if not isinstance(value, ir.Constant) or call.function != pattern.function:
                return None
            if call.args[0] != pattern.args[0] or (rows and value.type != rows[0][len(row)].type):
                return None
            row.append(value)
        rows.append(tuple(row))
    return [(call.args[0], call) for call in first], tuple(rows)


def _is_equality(call: ir.Call) -> bool:
    from trilithon.expression.functions import get_function

    operand = call.args[0]
    return (
        get_function(call.function).name == "="
        and bool(used_columns(operand))
        and movable(operand)
        and not has_subquery(operand)
    )
