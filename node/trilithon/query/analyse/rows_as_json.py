"""Whole rows where JSON is made of them: row_to_json(t), json_agg(t), to_jsonb(ROW(…)).

A row has no type of its own here; it becomes a call of json_of_fields() with its columns' names and values.
A row that an outer join made up is NULL as a whole, which columns do not tell: such statements are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trilithon.expression import ir
from trilithon.query.analyse import coercion, expressions, names
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.scope import Scope, columns_of_alias, find_column
from trilithon.query.analyse.tree import Expr
from trilithon.query.parse.statement import Node
from trilithon.types.registry import JSON, TEXT

MAKERS: Final = frozenset(
    ("row_to_json", "to_json", "to_jsonb", "json_agg", "jsonb_agg", "json_build_array",
     "jsonb_build_array", "json_build_object", "jsonb_build_object", "json_object_agg",
     "jsonb_object_agg")
)  # fmt: skip
_FUNCTION: Final = "json_of_fields(any)"


def argument(analysis: Analysis, scope: Scope, node: Node) -> Expr | None:
    """The JSON of a row; None where the argument is none."""
    fields: list[tuple[str, Expr]]
    if "RowExpr" in node:
        parts = node["RowExpr"].get("args", ())
        values = [expressions.analyse(analysis, scope, part) for part in parts]
        fields = [(f"f{number}", value) for number, value in enumerate(values, 1)]
    else:
        alias = _alias(analysis, scope, node)
        if alias is None:
            return None
        location = node["ColumnRef"].get("location", 0)
        if analysis.outer_joins:
            analysis.unsupported(f'the whole-row reference "{alias}" beside outer joins', location)
        columns = columns_of_alias(analysis, scope, alias, location)
        fields = [(column.name, column.expression) for column in columns]
    if not fields:
        return None
    arguments: list[Expr] = []
    for name, value in fields:
        arguments += [ir.Constant(name, TEXT), coercion.settle(analysis, value)]
    return ir.Call(_FUNCTION, tuple(arguments), JSON)


def is_row(expression: Expr) -> bool:
    return isinstance(expression, ir.Call) and expression.function == _FUNCTION


def aggregate_name(name: str, arguments: Sequence[Expr]) -> str:
    """json_agg() writes rows on lines of their own."""
    return "json_agg_rows" if name == "json_agg" and any(map(is_row, arguments)) else name


def _alias(analysis: Analysis, scope: Scope, node: Node) -> str | None:
    """The alias that a name means, where no column has that name."""
    fields = node.get("ColumnRef", {}).get("fields", ())
    if len(fields) != 1 or "String" not in fields[0]:
        return None
    (name,) = names.strings(fields)
    if not any(name in level.aliases for level in scope.levels()):
        return None
    return None if find_column(analysis, scope, [name], None) is not None else name
