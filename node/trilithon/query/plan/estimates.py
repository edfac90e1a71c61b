"""How many rows there may be: by a table's statistics where it has some, else by habit.

Habits: a table has TABLE_ROWS rows, an equality keeps one row in EQUALITY, a range one in RANGE, any other
condition one in OTHER. A value that a column is compared with counts where it is known: plans are shared by all
values of their parameters, but one that was made for some values (`engine`) knows these. Conditions are taken to be
independent of each other (Selinger et al., "Access path selection in a relational database management
system", 1979), except for the two ends of a range.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from trilithon.expression import ir
from trilithon.expression.functions import get_function
from trilithon.query.analyse import tree
from trilithon.query.analyse.tree import Expr, Relation, Scan
from trilithon.query.catalog.definitions import Index, Table
from trilithon.types.registry import TEXT

TABLE_ROWS: Final = 10_000.0
EQUALITY: Final = 50.0
RANGE: Final = 5.0
LIST: Final = 10.0
OTHER: Final = 3.0
# Of a longer list the first values stand for the others.
_LIST_LOOKED_AT: Final = 100
_FLIPPED: Final = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def table_rows(scan: Scan) -> float:
    known = scan.statistics
    return TABLE_ROWS if known is None else max(known.rows, 1.0)


def equal_part(scan: Scan, number: int) -> float:
    """The part of a table's rows that one value of a column has; `number` 0: an expression."""
    rows = table_rows(scan)
    if number and _is_unique(scan.table, number):
        return 1.0 / rows
    known = scan.statistics
    column = known.columns.get(number) if known is not None else None
    if column is None:
        return max(1.0 / EQUALITY, 1.0 / rows)
    return max(1.0 - column.null_fraction, 0.0) / column.distinct_of(rows)


def _is_unique(table: Table, number: int) -> bool:
    return any(
        index.unique and index.usable and index.predicate is None and _only(index, number)
        for index in table.indexes
    )


def _only(index: Index, number: int) -> bool:
    return len(index.columns) == 1 and index.columns[0].number == number


def list_length(value: Expr) -> float:
    if isinstance(value, ir.Constant) and isinstance(value.value, tuple | list):
        return float(max(len(value.value), 1))
    if isinstance(value, ir.ArrayLiteral):
        return float(max(len(value.items), 1))
    return LIST


def compared_part(scan: Scan, number: int, operator: str, value: Expr) -> float:
    """The part of a table's rows for which `column operator value`. `number` 0: an expression."""
    found = _known_part(scan, number, operator, value)
    if found is not None:
        return found
    return equal_part(scan, number) if operator == "=" else 1.0 / RANGE


def _known_part(scan: Scan, number: int, operator: str, value: Expr) -> float | None:
    known = scan.statistics
    column = known.columns.get(number) if known is not None and number else None
    if known is None or column is None or (_is_unique(scan.table, number) and operator == "="):
        return None
    spread = column.spread(scan.table.columns[number - 1].type.oid, table_rows(scan))
    while isinstance(value, ir.Cast):
        value = value.arg
    if isinstance(value, ir.Constant):
        return spread.part(operator, value.value)
    if isinstance(value, ir.Parameter):
        if value.number in known.values:
            return spread.part(operator, known.values[value.number])
        if spread.watchful if operator == "=" else spread.ordered:
            known.watched[value.number, operator, id(spread)] = (value.number, operator, spread)
    return None


def range_part(scan: Scan, number: int, ends: Sequence[tuple[str, Expr]]) -> float:
    """The part between one or two ends, each a comparison of the column with a value."""
    parts = [_known_part(scan, number, operator, value) for operator, value in ends]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return math.prod(1.0 / RANGE if part is None else part for part in parts)
    return max(sum(known) - (len(known) - 1), 1.0 / table_rows(scan))


def kept_part(scan: Scan, conjunct: Expr) -> float:
    """The part of a table's rows that a condition keeps."""
    numbers = {column.id: at for at, column in enumerate(scan.outputs[:-1], 1)}
    match conjunct:
        case ir.Call() if len(conjunct.args) == 2:
            return _compared(scan, conjunct, numbers)
        case ir.IsNull() if isinstance(conjunct.arg, ir.Column):
            known = scan.statistics
            found = known.columns.get(numbers.get(conjunct.arg.index, 0)) if known else None
            if found is not None:
                part = 1.0 - found.null_fraction if conjunct.negated else found.null_fraction
                return max(part, 0.001)
        case ir.InSet() if isinstance(conjunct.arg, ir.Column) and not conjunct.negated:
            number = numbers.get(conjunct.arg.index, 0)
            return in_part(scan, number, ir.Constant(conjunct.values, conjunct.arg.type))
        case ir.Or():
            return min(1.0, sum(kept_part(scan, argument) for argument in conjunct.args))
        case ir.And():
            return math.prod(kept_part(scan, argument) for argument in conjunct.args)
    return 1.0 / OTHER


def _compared(scan: Scan, call: ir.Call, numbers: dict[int, int]) -> float:
    operator = get_function(call.function).name
    for one, other, flipped in (
        (call.args[0], call.args[1], operator),
        (call.args[1], call.args[0], _FLIPPED.get(operator, "")),
    ):
        number = numbers.get(one.index, 0) if isinstance(one, ir.Column) else 0
        if not number:
            continue
        if flipped in _FLIPPED:
            return compared_part(scan, number, flipped, other)
        if flipped == "~~":
            return _like_part(scan, number, other)
    return 1.0 / OTHER


def _like_part(scan: Scan, number: int, pattern: Expr) -> float:
    """LIKE 'prefix%': as a range."""
    known = scan.statistics
    text = pattern.value if isinstance(pattern, ir.Constant) else None
    if isinstance(pattern, ir.Parameter) and known is not None:
        text = known.values.get(pattern.number)
    if not isinstance(text, str):
        return 1.0 / OTHER
    prefix = text[: min((at for at in map(text.find, "%_\\") if at >= 0), default=len(text))]
    if prefix == text:
        return compared_part(scan, number, "=", ir.Constant(text, TEXT))
    if not prefix or ord(prefix[-1]) >= 0x10FFFF:
        return 1.0 / OTHER
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    return range_part(
        scan, number, [(">=", ir.Constant(prefix, TEXT)), ("<", ir.Constant(end, TEXT))]
    )


def in_part(scan: Scan, number: int, value: Expr) -> float:
    """The part of a table's rows whose column is one of a list's values."""
    items: Sequence[Expr] | None = None
    if isinstance(value, ir.ArrayLiteral):
        items = value.items
    elif isinstance(value, ir.Constant) and isinstance(value.value, tuple | list):
        items = [ir.Constant(item, value.type) for item in value.value[:_LIST_LOOKED_AT]]
    if not items:
        return min(1.0, list_length(value) * equal_part(scan, number))
    looked_at = items[:_LIST_LOOKED_AT]
    part = sum(compared_part(scan, number, "=", item) for item in looked_at)
    return min(1.0, part * list_length(value) / len(looked_at))


def distinct_values(relation: Relation, column: int) -> float | None:
    """How many values a column of a table below has; None where it is computed."""
    match relation:
        case Scan():
            for number, output in enumerate(relation.outputs[:-1], 1):
                if output.id == column:
                    return max(1.0, 1.0 / max(equal_part(relation, number), 1e-12))
            return None
        case tree.Filter() | tree.Sort() | tree.Limit() | tree.LockRows():
            return distinct_values(relation.input, column)
        case tree.Project():
            for output, expression in zip(relation.outputs, relation.expressions, strict=True):
                if output.id == column and isinstance(expression, ir.Column):
                    return distinct_values(relation.input, expression.index)
            return None
        case tree.Join():
            left = distinct_values(relation.left, column)
            return left if left is not None else distinct_values(relation.right, column)
        case _:
            return None


def joined_part(left: Relation, right: Relation, conjunct: Expr) -> float:
    """The part of all pairs of rows that a condition between two relations keeps."""
    if isinstance(conjunct, ir.Call) and len(conjunct.args) == 2:
        operator = get_function(conjunct.function).name
        if operator == "=":
            known = []
            for argument in conjunct.args:
                if isinstance(argument, ir.Column):
                    for side in (left, right):
                        found = distinct_values(side, argument.index)
                        if found is not None:
                            known.append(found)
            return 1.0 / max(known, default=EQUALITY)
        if operator in ("<", "<=", ">", ">="):
            return 1.0 / RANGE
    return 1.0 / OTHER
