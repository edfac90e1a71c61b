"""Whole rows: an alias where a value is wanted, t.* inside of an expression.

A row that an outer join made up is NULL as a whole, which its columns do not tell. So each item of FROM has a
column that says whether its row is there: a table's key, or one that is added below the outer join.
"""

from __future__ import annotations

from typing import Any

from trilithon.expression import ir
from trilithon.query.analyse import fields
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.scope import FromItem, Scope, Visible, WholeRow, columns_of_alias
from trilithon.query.analyse.tree import Expr, Project
from trilithon.query.parse.statement import Node
from trilithon.types.registry import BOOL, USER_COMPOSITE, TypeRef


def type_of(object_id: int) -> TypeRef:
    """The row type of a table or view."""
    return TypeRef(object_id | USER_COMPOSITE)


def is_alias(scope: Scope, name: str) -> bool:
    return any(name in level.aliases for level in scope.levels())


def whole_row(analysis: Analysis, scope: Scope, alias: str, location: int | None) -> Expr:
    """The row of an alias. Raises 42P01."""
    columns = columns_of_alias(analysis, scope, alias, location)
    if len(columns) == 1 and columns[0].whole:
        return columns[0].expression
    for column in columns:
        if isinstance(column.expression, ir.Column) and location is not None:
            analysis.mentioned.setdefault(column.expression.index, location)
    whole = columns[0].row if columns else None
    row = row_of(analysis, columns, whole)
    if whole is None or not whole.nullable:
        return row
    if whole.present is None:
        analysis.unsupported(f'the whole-row reference "{alias}" beside outer joins', location)
    missing = ir.IsNull(whole.present, False)
    return ir.Case(None, ((missing, ir.Constant(None, row.type)),), row, row.type)


def row_of(analysis: Analysis, columns: list[Visible], whole: WholeRow | None) -> ir.NamedRow:
    if whole is not None and whole.columns is not None:
        columns = whole.columns
    pairs = [(column.name, column.expression.type) for column in columns]
    type_ = fields.record_type(analysis, pairs)
    field_names = tuple(column.name for column in columns)
    if whole is not None and whole.object_id:
        type_ = type_of(whole.object_id)
        shape = fields.shape_of(analysis, type_)
        if shape is not None:
            field_names = shape.names
    return ir.NamedRow(tuple(column.expression for column in columns), field_names, type_)


# ---- outer joins


def may_be_missing(analysis: Analysis, item: FromItem) -> None:
    """An outer join may make up this side's rows."""
    added: ir.Column | None = None
    for column in item.columns:
        whole = column.row
        if whole is None or whole.nullable:
            continue
        whole.nullable = True
        if whole.present is None and column.alias in _mentioned_alone(analysis):
            if added is None:
                added = _with_presence(analysis, item)
            whole.present = added


def _with_presence(analysis: Analysis, item: FromItem) -> ir.Column:
    output = analysis.column("(present)", BOOL)
    below = item.relation
    passed = tuple(ir.Column(column.id, column.type) for column in below.outputs)
    # NULL-able as all columns of outer joins' sides are: nothing may fold it.
    item.relation = Project((*below.outputs, output), below, (*passed, ir.TRUE))
    return ir.Column(output.id, BOOL)


def _mentioned_alone(analysis: Analysis) -> set[str]:
    """What may be a whole row in the statement's texts: names that stand alone, or before a star."""
    count, found = analysis.alone
    texts = [analysis.statement.node, *analysis.texts]
    for tree in texts[count:]:
        stack: list[Any] = [tree]
        while stack:
            top = stack.pop()
            if isinstance(top, dict):
                reference = top.get("ColumnRef")
                if reference is not None:
                    parts: list[Node] = reference["fields"]
                    if len(parts) == 1 or "A_Star" in parts[-1]:
                        found.update(fields.strings(parts))
                stack.extend(top.values())
            elif isinstance(top, list):
                stack.extend(top)
    analysis.alone = len(texts), found
    return found
