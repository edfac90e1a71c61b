"""How many rows there may be: by a table's statistics where it has some, else by habit.

Habits: a table has TABLE_ROWS rows, an equality keeps one row in EQUALITY, a range one in RANGE, any other
condition one in OTHER. Plans are shared by all values of their parameters, so values are not looked at.
Conditions are taken to be independent of each other (Selinger et al., "Access path selection in a
relational database management system", 1979).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from trilithon.expression import ir
from trilithon.expression.functions import get_function
from trilithon.query.analyse import tree
from trilithon.query.analyse.tree import Expr, Relation, Scan
from trilithon.query.catalog.definitions import Index, Table
from trilithon.query.statistics.definitions import TableStatistics

TABLE_ROWS: Final = 10_000.0
EQUALITY: Final = 50.0
RANGE: Final = 5.0
LIST: Final = 10.0
OTHER: Final = 3.0

# None where nothing is known.
StatisticsOf = Callable[[Table], TableStatistics | None]


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
    return LIST


def kept_part(scan: Scan, conjunct: Expr) -> float:
    """The part of a table's rows that a condition keeps."""
    numbers = {column.id: at for at, column in enumerate(scan.outputs[:-1], 1)}
    match conjunct:
        case ir.Call() if len(conjunct.args) == 2:
            number = _column_of(conjunct.args, numbers)
            if number:
                operator = get_function(conjunct.function).name
                if operator == "=":
                    return equal_part(scan, number)
                if operator in ("<", "<=", ">", ">="):
                    return 1.0 / RANGE
        case ir.IsNull() if isinstance(conjunct.arg, ir.Column):
            known = scan.statistics
            found = known.columns.get(numbers.get(conjunct.arg.index, 0)) if known else None
            if found is not None:
                part = 1.0 - found.null_fraction if conjunct.negated else found.null_fraction
                return max(part, 0.001)
        case ir.InSet() if isinstance(conjunct.arg, ir.Column) and not conjunct.negated:
            number = numbers.get(conjunct.arg.index, 0)
            return min(1.0, len(conjunct.values) * equal_part(scan, number))
        case ir.Or():
            return min(1.0, sum(kept_part(scan, argument) for argument in conjunct.args))
    return 1.0 / OTHER


def _column_of(arguments: Iterable[Expr], numbers: dict[int, int]) -> int:
    found = [numbers.get(a.index, 0) for a in arguments if isinstance(a, ir.Column)]
    return next((number for number in found if number), 0)


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
