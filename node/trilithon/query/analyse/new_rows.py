"""A changed row's expressions: which columns a statement gives values, DEFAULT, generated and identity
columns, SET's lists in parentheses."""

from __future__ import annotations

from typing import NoReturn

from trilithon.expression import ir
from trilithon.query.analyse import coercion, comparisons, expressions, table_expressions
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.scope import Scope, Visible
from trilithon.query.analyse.tree import Expr, OutputColumn
from trilithon.query.catalog.definitions import Column, Identity, Table
from trilithon.query.parse.statement import Node

Provided = dict[int, tuple[Expr, bool]]


def row_columns(analysis: Analysis, table: Table) -> tuple[OutputColumn, ...]:
    """The table's columns under fresh ids: a row before or after a change."""
    return tuple(
        analysis.column(column.name, column.type, table.id, column.number)
        for column in table.columns
    )


def visible_row(
    analysis: Analysis, table: Table, alias: str, columns: tuple[OutputColumn, ...]
) -> list[Visible]:
    visible = []
    for column, output in zip(table.columns, columns, strict=False):
        if column.dropped:
            continue
        analysis.names[output.id] = f"{alias}.{column.name}"
        visible.append(
            Visible(column.name, ir.Column(output.id, output.type), alias, source=output)
        )
    return visible


def target_columns(analysis: Analysis, table: Table, cols: list[Node] | None) -> list[Column]:
    if cols is None:
        return list(table.visible_columns)
    found: list[Column] = []
    for node in cols:
        target = node["ResTarget"]
        column = _assigned_column(analysis, table, target)
        if column in found:
            analysis.fail(
                "42701",
                f'column "{column.name}" specified more than once',
                target.get("location", 0),
            )
        found.append(column)
    return found


def _assigned_column(analysis: Analysis, table: Table, target: Node) -> Column:
    location = target.get("location", 0)
    if "indirection" in target:
        analysis.unsupported("assigning to a part of a column", location)
    column = table.column(target["name"])
    if column is None:
        analysis.fail(
            "42703",
            f'column "{target["name"]}" of relation "{table.name}" does not exist',
            location,
        )
    return column


def assigned(analysis: Analysis, scope: Scope, column: Column, node: Node) -> Expr:
    expression = expressions.analyse(analysis, scope, node)
    return coercion.assign(
        analysis, expression, column.type, column.name, expressions.location_of(node)
    )


def insert_row(
    analysis: Analysis, table: Table, provided: Provided, override: str
) -> tuple[Expr, ...]:
    row: list[Expr] = []
    for column in table.columns:
        value, explicit = provided.get(column.number, (None, False))
        if column.dropped:
            row.append(ir.Constant(None, column.type))
            continue
        if explicit and column.generated is not None:
            _refuse_generated(analysis, "insert", column, "is a generated column")
        if explicit and column.identity is Identity.ALWAYS:
            if override == "OVERRIDING_NOT_SET":
                _refuse_generated(
                    analysis, "insert", column, "is an identity column defined as GENERATED ALWAYS"
                )
            if override == "OVERRIDING_USER_VALUE":
                value = None
        if value is None or column.generated is not None:
            value = table_expressions.default(analysis, table, column)
        row.append(value)
    return tuple(row)


def _refuse_generated(analysis: Analysis, verb: str, column: Column, why: str) -> None:
    identity = "identity" in why
    message = (
        f'cannot insert a non-DEFAULT value into column "{column.name}"'
        if verb == "insert"
        else f'column "{column.name}" can only be updated to DEFAULT'
    )
    analysis.fail(
        "428C9",
        message,
        detail=f'Column "{column.name}" {why}.',
        hint="Use OVERRIDING SYSTEM VALUE to override." if identity and verb == "insert" else "",
    )


def assignments(
    analysis: Analysis, scope: Scope, table: Table, nodes: list[Node], row: list[Expr]
) -> frozenset[int]:
    """Put SET's expressions into `row`; the numbers of the columns that were set."""
    seen: set[int] = set()
    before, scope.clause = scope.clause, "UPDATE"
    fields: list[Expr] = []
    for node in nodes:
        target = node["ResTarget"]
        column = _assigned_column(analysis, table, target)
        if column.number in seen:
            analysis.fail(
                "42601",
                f'multiple assignments to same column "{column.name}"',
                target.get("location", 0),
            )
        seen.add(column.number)
        value: Node | Expr = target["val"]
        location = None
        if "MultiAssignRef" in target["val"]:
            part = target["val"]["MultiAssignRef"]
            link = part["source"].get("SubLink", {})
            if part["colno"] == 1 and link.get("subLinkType") == "EXPR_SUBLINK":
                fields = _subquery_fields(analysis, scope, part)
            value = _part_of(analysis, part, fields)
            location = expressions.location_of(part["source"])
        if isinstance(value, dict):
            if "SetToDefault" in value:
                if column.generated is None:
                    row[column.number - 1] = table_expressions.default(analysis, table, column)
                continue
            _refuse_update(analysis, column)
            row[column.number - 1] = assigned(analysis, scope, column, value)
        else:
            _refuse_update(analysis, column)
            row[column.number - 1] = coercion.assign(
                analysis, value, column.type, column.name, location
            )
    scope.clause = before
    return frozenset(seen)


def _refuse_update(analysis: Analysis, column: Column) -> None:
    if column.generated is not None:
        _refuse_generated(analysis, "update", column, "is a generated column")
    if column.identity is Identity.ALWAYS:
        _refuse_generated(
            analysis, "update", column, "is an identity column defined as GENERATED ALWAYS"
        )


def _subquery_fields(analysis: Analysis, scope: Scope, part: Node) -> list[Expr]:
    """SET (a, b) = (SELECT ...): one field of the subquery's row for each column."""
    link = part["source"]["SubLink"]
    fields = comparisons.row_subquery(analysis, scope, link["subselect"])
    if len(fields) != part["ncolumns"]:
        _refuse_count(analysis, part["source"])
    return fields


def _part_of(analysis: Analysis, part: Node, fields: list[Expr]) -> Node | Expr:
    """What SET gives one column of a list in parentheses."""
    source = part["source"]
    if "SubLink" in source and source["SubLink"].get("subLinkType") == "EXPR_SUBLINK":
        return fields[part["colno"] - 1]
    if "RowExpr" not in source:
        analysis.fail(
            "0A000",
            "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression",
            expressions.location_of(source),
        )
    items = source["RowExpr"].get("args", [])
    if len(items) != part["ncolumns"]:
        _refuse_count(analysis, source)
    chosen: Node = items[part["colno"] - 1]
    return chosen


def _refuse_count(analysis: Analysis, source: Node) -> NoReturn:
    analysis.fail(
        "42601",
        "number of columns does not match number of values",
        expressions.location_of(source),
    )
