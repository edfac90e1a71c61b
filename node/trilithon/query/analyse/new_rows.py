"""A changed row's expressions: which columns a statement gives values, DEFAULT, generated and identity
columns, SET's lists in parentheses."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from trilithon.expression import ir
from trilithon.query.analyse import coercion, comparisons, expressions, parts, table_expressions
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.scope import Scope, Visible, WholeRow
from trilithon.query.analyse.tree import Expr, OutputColumn
from trilithon.query.catalog.definitions import Column, Identity, Table
from trilithon.query.parse.statement import Node
from trilithon.types.registry import TypeRef

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
    row = WholeRow(table.id)
    for column, output in zip(table.columns, columns, strict=False):
        if column.dropped:
            continue
        analysis.names[output.id] = f"{alias}.{column.name}"
        visible.append(
            Visible(column.name, ir.Column(output.id, output.type), alias, source=output, row=row)
        )
    return visible


def target_columns(
    analysis: Analysis,
    scope: Scope,
    table: Table,
    cols: list[Node] | None,
    partial: dict[int, parts.Part],
) -> list[Column]:
    """The columns that INSERT names. For parts of columns there are stand-ins, whose numbers are those of
    their parts in `partial`."""
    if cols is None:
        return list(table.visible_columns)
    found: list[Column] = []
    for node in cols:
        target = node["ResTarget"]
        column = _assigned_column(analysis, table, target)
        part = parts.of(column, target)
        whole = {one.column.number for one in partial.values()}
        if part is not None and column not in found:
            type_ = parts.type_of(analysis, scope, part)
            partial[-1 - len(partial)] = part
            found.append(replace(column, number=-len(partial), type=type_))
            continue
        if column in found or column.number in whole:
            analysis.fail(
                "42701",
                f'column "{column.name}" specified more than once',
                target.get("location", 0),
            )
        found.append(column)
    return found


def _assigned_column(analysis: Analysis, table: Table, target: Node) -> Column:
    location = target.get("location", 0)
    column = table.column(target["name"])
    if column is None:
        analysis.fail(
            "42703",
            f'column "{target["name"]}" of relation "{table.name}" does not exist',
            location,
        )
    return column


def assigned(analysis: Analysis, scope: Scope, column: Column, node: Node) -> Expr:
    expression = expressions.typed_row(analysis, scope, node, column.type) or expressions.analyse(
        analysis, scope, node
    )
    return coercion.assign(
        analysis, expression, column.type, column.name, expressions.location_of(node)
    )


def with_parts(
    analysis: Analysis, scope: Scope, provided: Provided, partial: dict[int, parts.Part]
) -> None:
    """Columns of which INSERT names parts: the parts, in NULLs."""
    for number, part in partial.items():
        value, _ = provided.pop(number)
        column = part.column
        base, _ = provided.get(column.number, (ir.Constant(None, column.type), True))

        def known(type_: TypeRef, value: Expr = value) -> Expr:
            return value

        provided[column.number] = parts.changed(analysis, scope, part, base, known), True


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
    in_parts: set[int] = set()
    before, scope.clause = scope.clause, "UPDATE"
    fields: list[Expr] = []
    for node in nodes:
        target = node["ResTarget"]
        column = _assigned_column(analysis, table, target)
        part = parts.of(column, target)
        if column.number in seen and not (part is not None and column.number in in_parts):
            analysis.fail(
                "42601",
                f'multiple assignments to same column "{column.name}"',
                target.get("location", 0),
            )
        seen.add(column.number)
        if part is not None:
            in_parts.add(column.number)
        value: Node | Expr = target["val"]
        location = None
        if "MultiAssignRef" in target["val"]:
            several = target["val"]["MultiAssignRef"]
            link = several["source"].get("SubLink", {})
            if several["colno"] == 1 and link.get("subLinkType") == "EXPR_SUBLINK":
                fields = _subquery_fields(analysis, scope, several)
            value = _part_of(analysis, several, fields)
            location = expressions.location_of(several["source"])
        if part is not None:
            _refuse_update(analysis, column)
            base = row[column.number - 1]
            row[column.number - 1] = _in_part(analysis, scope, part, base, value, location)
        elif isinstance(value, dict):
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


def _in_part(
    analysis: Analysis,
    scope: Scope,
    part: parts.Part,
    base: Expr,
    value: Node | Expr,
    location: int | None,
) -> Expr:
    if isinstance(value, dict):
        made = parts.given(analysis, scope, part, value)
    else:

        def made(type_: TypeRef) -> Expr:
            return parts.assigned(analysis, part, value, type_, location)

    return parts.changed(analysis, scope, part, base, made)


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
