"""The expressions that a table's definition carries as SQL text: defaults, CHECK, generated columns,
index expressions and predicates.

They name the table's columns and nothing else, so they are analysed without parameters and without a
search path of anybody's. Their errors have no position: the text is not the statement's.
"""

from __future__ import annotations

from collections.abc import Sequence

from trilithon.core.errors import SqlError
from trilithon.expression import ir
from trilithon.query.analyse import coercion, comparisons, expressions
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.scope import Scope, Visible
from trilithon.query.analyse.tree import CheckExpression, Expr, OutputColumn
from trilithon.query.catalog.definitions import Column, Identity, Table
from trilithon.query.parse.parser import parse_plain
from trilithon.query.parse.statement import Node
from trilithon.types.registry import BOOL, REGCLASS


def expression_node(sql: str) -> Node:
    """The parse node of an SQL expression. Raises SqlError 42601."""
    statement = parse_plain("SELECT " + sql)[0]
    node: Node = statement.body["targetList"][0]["ResTarget"]["val"]
    return node


def analyse_text(
    analysis: Analysis, sql: str, table: Table | None, columns: Sequence[OutputColumn]
) -> Expr:
    return analyse_node(analysis, expression_node(sql), table, columns)


def analyse_node(
    analysis: Analysis, node: Node, table: Table | None, columns: Sequence[OutputColumn]
) -> Expr:
    """An expression over one table's columns, without parameters."""
    scope = Scope(clause="this place")
    if table is not None:
        scope.aliases = {table.name: table.schema}
        for column, output in zip(table.columns, columns, strict=False):
            if not column.dropped:
                scope.columns.append(
                    Visible(column.name, ir.Column(output.id, output.type), table.name)
                )
    analysis.silent += 1
    outside, analysis.built_in_only = analysis.built_in_only, True
    fixed, analysis.parameters_fixed = analysis.parameters_fixed, True
    parameters, analysis.parameters = analysis.parameters, []
    try:
        return expressions.analyse(analysis, scope, node)
    finally:
        analysis.silent -= 1
        analysis.built_in_only = outside
        analysis.parameters_fixed = fixed
        analysis.parameters = parameters


def default(analysis: Analysis, table: Table, column: Column) -> Expr:
    """What a column gets that nobody gave a value."""
    if column.identity is not Identity.NONE and column.sequence_id:
        sequence = ir.Constant(column.sequence_id, REGCLASS)
        value = comparisons.simple_call(analysis, "nextval", (sequence,), None)
        return coercion.assign(analysis, value, column.type, column.name, None)
    text = column.default
    if text is None and column.domain_id:
        domain = analysis.catalog.object_by_id(column.domain_id)
        analysis.types[column.domain_id] = domain
        text = domain.default
    if text is None or column.generated is not None:
        return ir.Constant(None, column.type)
    expression = analyse_text(analysis, text, None, ())
    analysis.silent += 1
    try:
        return coercion.assign(analysis, expression, column.type, column.name, None)
    finally:
        analysis.silent -= 1


def checks(
    analysis: Analysis, table: Table, target: Sequence[OutputColumn]
) -> tuple[CheckExpression, ...]:
    from trilithon.query.analyse import domains

    of_table = [
        CheckExpression(check.name, boolean(analysis, check.sql, table, target, "CHECK"))
        for check in table.checks
    ]
    return (*domains.column_rules(analysis, table, target), *of_table)


def boolean(
    analysis: Analysis, sql: str, table: Table, target: Sequence[OutputColumn], words: str
) -> Expr:
    expression = analyse_text(analysis, sql, table, target)
    return coercion.coerce_to(analysis, expression, BOOL, coercion.ASSIGNMENT, None, words)


def generated(
    analysis: Analysis, table: Table, target: Sequence[OutputColumn]
) -> tuple[tuple[int, Expr], ...]:
    found = []
    for column in table.visible_columns:
        if column.generated is not None:
            expression = analyse_text(analysis, column.generated, table, target)
            found.append(
                (
                    column.number,
                    coercion.assign(analysis, expression, column.type, column.name, None),
                )
            )
    return tuple(found)


def referenced_columns(node: Node) -> list[str]:
    """Names of the columns that an expression mentions, in order of appearance."""
    found: list[str] = []
    stack: list[object] = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, dict):
            reference = top.get("ColumnRef")
            if reference is not None:
                last = reference["fields"][-1]
                name = last.get("String", {}).get("sval", "")
                if name and name not in found:
                    found.append(name)
            stack.extend(reversed(list(top.values())))
        elif isinstance(top, list):
            stack.extend(reversed(top))
    return found


def label_of(node: Node) -> str:
    """What an index's name calls an expression."""
    name = expressions.column_name(node)
    return "expr" if name == "?column?" else name


def require_constant(node: Node) -> None:
    """A default refers to nothing."""
    require_no_subquery(node, "DEFAULT expression")
    if referenced_columns(node):
        raise SqlError("0A000", "cannot use column reference in DEFAULT expression")


def require_no_subquery(node: Node, words: str) -> None:
    stack: list[object] = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, dict):
            if "SubLink" in top:
                raise SqlError("0A000", f"cannot use subquery in {words}")
            stack.extend(top.values())
        elif isinstance(top, list):
            stack.extend(top)
