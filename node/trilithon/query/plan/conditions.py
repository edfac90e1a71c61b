"""Conjuncts, and what they say about a table's columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trilithon.expression import ir
from trilithon.expression.coercion import caster
from trilithon.expression.compile import is_volatile
from trilithon.expression.functions import get_function
from trilithon.query.analyse.free import used_columns
from trilithon.query.analyse.tree import Expr, Subquery
from trilithon.types.registry import BOOL, TypeRef, array_type

_INTEGERS: Final = frozenset({20, 21, 23, 26})
_TEXTS: Final = frozenset({25, 1043})
_FLOATS: Final = frozenset({700, 701})
_FLIPPED: Final = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def split(expression: Expr | None) -> list[Expr]:
    """The conjuncts of a condition; none for None and for TRUE."""
    if expression is None or expression == ir.TRUE:
        return []
    if isinstance(expression, ir.And):
        return [conjunct for argument in expression.args for conjunct in split(argument)]
    return [expression]


def conjunction(conjuncts: Sequence[Expr]) -> Expr | None:
    if not conjuncts:
        return None
    return conjuncts[0] if len(conjuncts) == 1 else ir.And(tuple(conjuncts))


# Calls whose values operators fetch before a row's expressions are evaluated.
FETCHED: Final = frozenset(
    {
        "nextval(regclass)",
        "setval(regclass,int8)",
        "setval(regclass,int8,bool)",
        "wait_for_job(uuid)",
        "wait_for_job(text)",
        "pg_sleep(float8)",
        "pg_sleep_for(interval)",
        "pg_sleep_until(timestamptz)",
    }
)


def is_fetched(node: Expr) -> bool:
    return isinstance(node, Subquery) or (isinstance(node, ir.Call) and node.function in FETCHED)


def has_subquery(expression: Expr) -> bool:
    """Whether parts of it are operators' work: subqueries, sequences' values."""
    if isinstance(expression, ir.Column | ir.Constant | ir.Parameter):
        return False
    return any(is_fetched(node) for node in ir.post_order(expression))


def movable(expression: Expr) -> bool:
    """Whether it may be evaluated elsewhere, or more or less often."""
    return not is_volatile(expression)


@dataclass(frozen=True, slots=True)
class Condition:
    """`operand operator value`, with `operand` over the table's columns and `value` over none of them.

    `operator` is =, <, <=, >, >= or "in" (`value` gives an array, or a Constant a tuple).
    `exact`: a key with that value enforces the conjunct; there is nothing left to check.
    """

    operand: Expr
    operator: str
    value: Expr
    conjunct: Expr
    exact: bool


def strip(expression: Expr) -> Expr:
    """Without casts that keep the value (varchar to text)."""
    while isinstance(expression, ir.Cast) and expression.type.typmod < 0:
        if caster(expression.arg.type, expression.type, expression.explicit) is not None:
            break
        expression = expression.arg
    return expression


def same_order(left: TypeRef, right: TypeRef) -> bool:
    """Whether values of both types have the same keys where they are equal."""
    return left.oid == right.oid or any(
        left.oid in family and right.oid in family for family in (_INTEGERS, _TEXTS)
    )


def same_hash(left: TypeRef, right: TypeRef) -> bool:
    return same_order(left, right) or (left.oid in _FLOATS and right.oid in _FLOATS)


def find_conditions(conjuncts: Iterable[Expr], own: frozenset[int]) -> list[Condition]:
    """What the conjuncts say about expressions over `own` columns. Values may use any other column: it is the
    outer side's of a lookup, or an outer query's."""
    found: list[Condition] = []
    for conjunct in conjuncts:
        found += _conditions(conjunct, own)
    return found


def _conditions(conjunct: Expr, own: frozenset[int]) -> list[Condition]:
    match conjunct:
        case ir.Call():
            return _comparison(conjunct, own)
        case ir.InSet() if not conjunct.negated:
            operand = strip(conjunct.arg)
            if _over(operand, own) and same_order(operand.type, conjunct.arg.type):
                values = ir.Constant(conjunct.values, conjunct.arg.type)
                return [Condition(operand, "in", values, conjunct, True)]
        case ir.AnyAll() if not conjunct.all and get_function(conjunct.function).name == "=":
            operand = strip(conjunct.left)
            if _over(operand, own) and _value(conjunct.right, own):
                item = get_function(conjunct.function).arguments[1]
                if same_order(operand.type, TypeRef(item)):
                    return [Condition(operand, "in", conjunct.right, conjunct, True)]
        case ir.Or():
            return _alternatives(conjunct, own)
        case ir.Column() if conjunct.index in own:
            return [Condition(conjunct, "=", ir.TRUE, conjunct, True)]
        case ir.Not(arg=ir.Column() as column) if column.index in own:
            return [Condition(column, "=", ir.FALSE, conjunct, True)]
        case ir.RowCompare():
            return _row_bound(conjunct, own)
        case _:
            pass
    return []


def _over(operand: Expr, own: frozenset[int]) -> bool:
    columns = used_columns(operand)
    return bool(columns) and columns <= own and movable(operand)


def _value(value: Expr, own: frozenset[int]) -> bool:
    return not used_columns(value) & own and not has_subquery(value) and movable(value)


def _comparison(call: ir.Call, own: frozenset[int]) -> list[Condition]:
    if len(call.args) != 2:
        return []
    name = get_function(call.function).name
    if name not in _FLIPPED:
        return []
    for operand, value, operator in (
        (call.args[0], call.args[1], name),
        (call.args[1], call.args[0], _FLIPPED[name]),
    ):
        stripped = strip(operand)
        if (
            _over(stripped, own)
            and _value(value, own)
            and same_order(stripped.type, value.type)
            and same_order(operand.type, value.type)
        ):
            return [Condition(stripped, operator, value, call, operator == "=")]
    return []


def _alternatives(conjunct: ir.Or, own: frozenset[int]) -> list[Condition]:
    """x = 1 OR x = 2: the same as x IN (1, 2)."""
    items: list[Expr] = []
    operand: Expr | None = None
    for argument in conjunct.args:
        inner = _conditions(argument, own)
        if len(inner) != 1 or inner[0].operator != "=":
            return []
        one = inner[0]
        if operand is None:
            operand = one.operand
        if (
            one.operand != operand
            or one.value.type.oid != (items[0] if items else one.value).type.oid
        ):
            return []
        items.append(one.value)
    assert operand is not None
    element = TypeRef(items[0].type.oid)
    if element == BOOL:
        return []
    array = ir.ArrayLiteral(tuple(items), array_type(element))
    return [Condition(operand, "in", array, conjunct, True)]


def _row_bound(compare: ir.RowCompare, own: frozenset[int]) -> list[Condition]:
    """(a, b) > (x, y) says a >= x, which is what a range over a can use."""
    left, right = compare.pairs[0]
    for operand, value, operator in (
        (left, right, compare.operator[0] + "="),
        (right, left, _FLIPPED[compare.operator[0] + "="]),
    ):
        stripped = strip(operand)
        if _over(stripped, own) and _value(value, own) and same_order(stripped.type, value.type):
            return [Condition(stripped, operator, value, compare, False)]
    return []


def strictly_uses(expression: Expr, columns: frozenset[int]) -> bool:
    """Whether the expression is NULL or fails to be true when all of `columns` are NULL: then an
    outer join below it is an inner one."""
    match expression:
        case ir.Column():
            return expression.index in columns
        case ir.Call():
            entry: Any = get_function(expression.function)
            return entry.strict and any(strictly_uses(arg, columns) for arg in expression.args)
        case ir.Cast():
            return strictly_uses(expression.arg, columns)
        case ir.And():
            return any(strictly_uses(arg, columns) for arg in expression.args)
        case ir.Or():
            return all(strictly_uses(arg, columns) for arg in expression.args)
        case ir.IsNull():
            return expression.negated and strictly_uses(expression.arg, columns)
        case ir.InSet():
            return strictly_uses(expression.arg, columns)
        case _:
            return False


def replace_nodes(expression: Expr, replaced: dict[int, Expr]) -> Expr:
    """`ir.transform` by identity: subqueries are not compared, only recognised."""
    if id(expression) in replaced:
        return replaced[id(expression)]
    children = expression.children()
    if not children:
        return expression
    new = [replace_nodes(child, replaced) for child in children]
    if all(one is other for one, other in zip(new, children, strict=True)):
        return expression
    return expression.rebuild(new)
