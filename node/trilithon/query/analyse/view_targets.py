"""INSERT, UPDATE and DELETE through simple views: the statement becomes one over the table below.

The view's columns are expressions over a row of the table, its condition (and those of views below it) picks
the rows; columns that are no plain columns of the table cannot be assigned to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from trilithon.expression import ir
from trilithon.query.analyse import coercion, expressions, names, new_rows, queries, view_sources
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.scope import Scope, Visible, WholeRow
from trilithon.query.analyse.tree import CheckExpression, Expr, OutputColumn
from trilithon.query.catalog.definitions import Column, Table, View
from trilithon.query.catalog_views.updatable import body_of, has_subquery, why_not
from trilithon.query.parse.statement import Node
from trilithon.types.registry import BOOL

_WAYS: Final = {
    "insert into": ("inserting into", "INSERT"),
    "update": ("updating", "UPDATE"),
    "delete from": ("deleting from", "DELETE"),
}


@dataclass(frozen=True, slots=True)
class _Level:
    """One view of the chain and its condition over the table's row; `subquery`: that has one."""

    view: View
    condition: Expr | None
    subquery: bool


def find_target(
    analysis: Analysis, node: Node, verb: str, assigned: Sequence[Node] = ()
) -> tuple[Table, View | None]:
    """The table that a statement changes, and the view through which it does; `assigned` are the columns
    that it names.

    Raises SqlError 55000 where the view cannot be changed through, and what `names.find_table` does.
    """
    found = names.find_relation(analysis, node)
    if not isinstance(found, View):
        return names.find_table(analysis, node, verb), None
    known = {column.name for column in found.columns}
    for item in assigned:
        if item["ResTarget"]["name"] not in known:
            _no_column(analysis, found, item["ResTarget"])
    return _table_below(analysis, found, verb), found


def _no_column(analysis: Analysis, view: View, target: Node) -> NoReturn:
    analysis.fail(
        "42703",
        f'column "{target["name"]}" of relation "{view.name}" does not exist',
        target.get("location"),
    )


def _table_below(analysis: Analysis, view: View, verb: str) -> Table:
    body = body_of(view)
    reason = why_not(body, columns=verb != "delete from")
    if reason:
        doing, statement = _WAYS[verb]
        analysis.fail(
            "55000",
            f'cannot {verb} view "{view.name}"',
            detail=reason,
            hint=f"To enable {doing} the view, provide an INSTEAD OF {statement} trigger or an "
            f"unconditional ON {statement} DO INSTEAD rule.",
        )
    analysis.silent += 1
    try:
        with view_sources.inside(analysis, view.sources):
            found = names.find_relation(analysis, body["fromClause"][0]["RangeVar"])
            if not isinstance(found, View):
                return names.find_table(analysis, body["fromClause"][0]["RangeVar"], verb)
        return _table_below(analysis, found, verb)
    finally:
        analysis.silent -= 1


def row_of(
    analysis: Analysis,
    table: Table,
    view: View | None,
    alias: str,
    outputs: tuple[OutputColumn, ...],
) -> list[Visible]:
    """What the statement sees of a row of the table."""
    if view is None:
        return new_rows.visible_row(analysis, table, alias, outputs)
    columns, _ = _levels(analysis, table, view, outputs)
    return _named(view, alias, columns)


def conditions(
    analysis: Analysis, table: Table, view: View | None, outputs: tuple[OutputColumn, ...]
) -> list[Expr]:
    """What the rows that the view shows satisfy."""
    if view is None:
        return []
    found = _levels(analysis, table, view, outputs)[1]
    return [level.condition for level in found if level.condition is not None]


def checks(
    analysis: Analysis, table: Table, view: View | None, outputs: tuple[OutputColumn, ...]
) -> tuple[CheckExpression, ...]:
    """WITH CHECK OPTION: a cascaded one holds for all views below it, too."""
    if view is None:
        return ()
    found = []
    cascaded = False
    # From the outermost one down.
    for level in reversed(_levels(analysis, table, view, outputs)[1]):
        wanted = cascaded or bool(level.view.check_option)
        cascaded = cascaded or level.view.check_option == "cascaded"
        if not wanted or level.condition is None:
            continue
        if level.subquery:
            analysis.unsupported("a subquery in the condition of a view WITH CHECK OPTION")
        # Unknown is no better than false.
        sure = ir.Coalesce((level.condition, ir.Constant(False, BOOL)), BOOL)
        found.append(CheckExpression(level.view.name, sure, view=True))
    return tuple(reversed(found))


def renamed(analysis: Analysis, table: Table, view: View, body: Node, verb: str) -> Node:
    """The statement with the table's column names where it assigns to the view's."""
    columns = _assignable(analysis, table, view)
    if "onConflictClause" in body:
        clause = _conflict(analysis, view, columns, body["onConflictClause"])
        body = {**body, "onConflictClause": clause}
    if verb == "update":
        return {**body, "targetList": [_target(analysis, view, columns, node, verb) for node in body["targetList"]]}  # fmt: skip
    wanted = body.get("cols")
    if wanted is None:
        wanted = [{"ResTarget": {"name": column.name}} for column in view.columns]
        wanted = wanted[: _width(body, len(wanted))]
    return {**body, "cols": [_target(analysis, view, columns, node, verb) for node in wanted]}


def _conflict(
    analysis: Analysis, view: View, columns: dict[str, Column | None], clause: Node
) -> Node:
    made = dict(clause)
    infer = clause.get("infer", {})
    if "conname" in infer:
        analysis.fail(
            "42704",
            f'constraint "{infer["conname"]}" for table "{view.name}" does not exist',
            infer.get("location"),
        )
    if "indexElems" in infer:
        elements = []
        for item in infer["indexElems"]:
            element = item["IndexElem"]
            column = columns.get(element.get("name", ""))
            if "name" in element and element["name"] not in columns:
                analysis.fail(
                    "42703", f'column "{element["name"]}" does not exist', infer.get("location")
                )
            if column is None:
                analysis.unsupported("ON CONFLICT over an expression", infer.get("location"))
            elements.append({"IndexElem": {**element, "name": column.name}})
        made["infer"] = {**infer, "indexElems": elements}
    if "targetList" in clause:
        for node in clause["targetList"]:
            if node["ResTarget"]["name"] not in columns:
                _no_column(analysis, view, node["ResTarget"])
        made["targetList"] = [
            _target(analysis, view, columns, node, "update") for node in clause["targetList"]
        ]
    return made


def _width(body: Node, most: int) -> int:
    """How many values a row of INSERT has, where its source tells."""
    select = body.get("selectStmt", {}).get("SelectStmt", {})
    if "valuesLists" in select:
        return len(select["valuesLists"][0]["List"]["items"])
    targets = select.get("targetList", [])
    stars = any("A_Star" in str(node) for node in targets)
    return len(targets) if targets and not stars else most


def _target(
    analysis: Analysis, view: View, columns: dict[str, Column | None], node: Node, verb: str
) -> Node:
    target = node["ResTarget"]
    name = target["name"]
    column = columns[name]
    if column is None:
        doing = "insert into" if verb == "insert into" else "update"
        analysis.fail(
            "0A000",
            f'cannot {doing} column "{name}" of view "{view.name}"',
            detail="View columns that are not columns of their base relation are not updatable.",
        )
    made = {**target, "name": column.name}
    if verb == "update":
        made["val"] = _without_default(target["val"])
    return {"ResTarget": made}


def _without_default(value: Node) -> Node:
    """A view's columns have no defaults of their own, so SET column = DEFAULT is NULL, as in PostgreSQL."""
    if "SetToDefault" in value:
        return {"A_Const": {"isnull": True}}
    source = value.get("MultiAssignRef", {}).get("source", {})
    if "RowExpr" not in source:
        return value
    row = source["RowExpr"]
    row = {**row, "args": [_without_default(one) for one in row.get("args", ())]}
    return {"MultiAssignRef": {**value["MultiAssignRef"], "source": {"RowExpr": row}}}


def _assignable(analysis: Analysis, table: Table, view: View) -> dict[str, Column | None]:
    outputs = new_rows.row_columns(analysis, table)
    numbers = {output.id: output.number for output in outputs}
    columns, _ = _levels(analysis, table, view, outputs)
    found: dict[str, Column | None] = {}
    for column, (expression, _) in zip(view.columns, columns, strict=True):
        number = numbers.get(expression.index) if isinstance(expression, ir.Column) else None
        found[column.name] = None if number is None else table.columns[number - 1]
    return found


# --- the chain of views

_Columns = list[tuple[Expr, OutputColumn | None]]


def _levels(
    analysis: Analysis, table: Table, view: View, outputs: tuple[OutputColumn, ...]
) -> tuple[_Columns, list[_Level]]:
    """The view's columns over a row of the table, and the levels from the table up."""
    body = body_of(view)
    node = body["fromClause"][0]["RangeVar"]
    analysis.descend(None)
    analysis.silent += 1
    lifted, fixed = analysis.lifted, analysis.parameters_fixed
    analysis.parameters_fixed = True
    try:
        with view_sources.inside(analysis, view.sources):
            return _level(analysis, table, view, outputs, body, node)
    finally:
        analysis.depth -= 1
        analysis.silent -= 1
        analysis.lifted, analysis.parameters_fixed = lifted, fixed


def _level(
    analysis: Analysis,
    table: Table,
    view: View,
    outputs: tuple[OutputColumn, ...],
    body: Node,
    node: Node,
) -> tuple[_Columns, list[_Level]]:
    found = names.find_relation(analysis, node)
    alias = node["alias"]["aliasname"] if "alias" in node else found.name
    levels: list[_Level] = []
    if isinstance(found, View):
        below, levels = _levels(analysis, table, found, outputs)
        visible = _named(found, alias, below)
        numbers: list[int] = list(range(1, len(visible) + 1))
    else:
        visible = new_rows.visible_row(analysis, table, alias, outputs)
        numbers = [column.number for column in table.visible_columns]
    visible = view_sources.visible_in(analysis, node, visible, numbers)
    for column, name in zip(visible, _alias_columns(node), strict=False):
        column.name = name
    scope = Scope(columns=visible, aliases={alias: found.schema})
    targets = queries.target_list(analysis, scope, body["targetList"])
    condition = None
    if "whereClause" in body:
        condition = expressions.condition(analysis, scope, body["whereClause"], "WHERE")
    level = _Level(view, condition, has_subquery(body.get("whereClause")))
    columns = [(coercion.settle(analysis, one.expression), one.source) for one in targets]
    return columns, [*levels, level]


def _alias_columns(node: Node) -> list[str]:
    return names.strings(node.get("alias", {}).get("colnames", []))


def _named(view: View, alias: str, columns: Any) -> list[Visible]:
    row = WholeRow(view.id)
    return [
        Visible(column.name, expression, alias, source=source, row=row)
        for column, (expression, source) in zip(view.columns, columns, strict=True)
    ]
