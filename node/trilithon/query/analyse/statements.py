"""INSERT, UPDATE, DELETE, and their RETURNING."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from trilithon.expression import ir
from trilithon.query.analyse import (
    coercion,
    expressions,
    merge,
    new_rows,
    parts,
    queries,
    table_expressions,
    undecided,
    view_targets,
    with_queries,
)
from trilithon.query.analyse.block import Target
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.from_clause import analyse_from, cross_join, scan_of
from trilithon.query.analyse.scope import Scope, Visible
from trilithon.query.analyse.tree import (
    CheckExpression,
    Delete,
    Expr,
    Filter,
    Insert,
    OnConflict,
    OutputColumn,
    Relation,
    Returning,
    Scan,
    Update,
    Values,
    With,
)
from trilithon.query.catalog.definitions import Column, Index, Table, View
from trilithon.query.parse.statement import Node
from trilithon.types.registry import UNKNOWN


def analyse_modifying(analysis: Analysis, parent: Scope | None, node: Node) -> Relation:
    tag = next(iter(node))
    body = node[tag]
    handler = {
        "InsertStmt": _insert,
        "UpdateStmt": _update,
        "DeleteStmt": _delete,
        "MergeStmt": merge.analyse_merge,
    }.get(tag)
    if handler is None:
        analysis.unsupported(tag)
    analysis.read_only = False
    analysis.descend(None)
    scope = Scope(parent=parent)
    ctes = (
        with_queries.with_clause(analysis, scope, body["withClause"])
        if "withClause" in body
        else ()
    )
    relation = handler(analysis, scope, body)
    analysis.depth -= 1
    return With(relation.outputs, ctes, relation) if ctes else relation


# ---- INSERT


def _insert(analysis: Analysis, scope: Scope, body: Node) -> Relation:
    node = body["relation"]
    table, view = view_targets.find_target(analysis, node, "insert into", body.get("cols", ()))
    analysis.tables[table.id] = table
    alias = node["alias"]["aliasname"] if "alias" in node else (view or table).name
    all_given = body.get("cols") is not None
    if view is not None:
        body = view_targets.renamed(analysis, table, view, body, "insert into")
    partial: dict[int, parts.Part] = {}
    columns = new_rows.target_columns(analysis, scope, table, body.get("cols"), partial)
    override = body.get("override", "OVERRIDING_NOT_SET")
    source, provided = _insert_source(analysis, scope, table, columns, body, all_given)
    new_rows.with_parts(analysis, scope, provided, partial)
    row = new_rows.insert_row(analysis, table, provided, override)
    target = new_rows.row_columns(analysis, table)
    conflict = None
    if "onConflictClause" in body:
        conflict = _on_conflict(analysis, scope, table, view, alias, body["onConflictClause"])
    visible = view_targets.row_of(analysis, table, view, alias, target)
    outputs, returning = _returning(analysis, scope, body, visible, {alias: ""})
    return Insert(
        outputs,
        table,
        source,
        row,
        target,
        _checks(analysis, table, view, target),
        table_expressions.generated(analysis, table, target),
        conflict,
        returning,
    )


def _checks(
    analysis: Analysis, table: Table, view: View | None, target: tuple[OutputColumn, ...]
) -> tuple[CheckExpression, ...]:
    return (
        *table_expressions.checks(analysis, table, target),
        *view_targets.checks(analysis, table, view, target),
    )


def _insert_source(
    analysis: Analysis,
    scope: Scope,
    table: Table,
    columns: list[Column],
    body: Node,
    all_given: bool,
) -> tuple[Relation, new_rows.Provided]:
    """The rows' source, and by column number the expression over it and whether it is a value of the
    statement's (a column whose VALUES all say DEFAULT is not)."""
    select = body.get("selectStmt")
    if select is None:
        return queries.one_row(), {}
    inner = select["SelectStmt"]
    plain = not any(
        key in inner for key in ("sortClause", "limitCount", "limitOffset", "withClause")
    )
    if "valuesLists" in inner and plain:
        return _values_source(analysis, scope, table, columns, inner["valuesLists"], all_given)
    source = queries.analyse_query(analysis, scope, select, settle=False)
    _check_count(analysis, len(source.outputs), columns, all_given)
    provided: new_rows.Provided = {}
    for index, column in enumerate(columns[: len(source.outputs)]):
        output = source.outputs[index]
        if output.type.oid == UNKNOWN.oid:
            undecided.retarget(analysis, source, index, type(column.type)(column.type.oid))
            output = source.outputs[index]
        value = coercion.assign(
            analysis, ir.Column(output.id, output.type), column.type, column.name, None
        )
        provided[column.number] = value, True
    return source, provided


def _check_count(analysis: Analysis, count: int, columns: list[Column], all_given: bool) -> None:
    if count > len(columns):
        analysis.fail("42601", "INSERT has more expressions than target columns")
    if count < len(columns) and all_given:
        analysis.fail("42601", "INSERT has more target columns than expressions")


def _values_source(
    analysis: Analysis,
    scope: Scope,
    table: Table,
    columns: list[Column],
    lists: list[Node],
    all_given: bool,
) -> tuple[Relation, new_rows.Provided]:
    width = len(lists[0]["List"]["items"])
    rows: list[tuple[Expr, ...]] = []
    explicit = [False] * width
    scope.clause = "VALUES"
    used = columns[:width]
    for item in lists:
        nodes = item["List"]["items"]
        if len(nodes) != width:
            analysis.fail("42601", "VALUES lists must all be the same length")
        if width > len(columns):
            analysis.fail(
                "42601",
                "INSERT has more expressions than target columns",
                expressions.location_of(nodes[len(columns)]),
            )
        row = []
        for index, (node, column) in enumerate(zip(nodes, used, strict=True)):
            if "SetToDefault" in node:
                if column.number < 0:
                    analysis.fail("0A000", "cannot set an array element to DEFAULT")
                row.append(table_expressions.default(analysis, table, column))
                continue
            explicit[index] = True
            row.append(new_rows.assigned(analysis, scope, column, node))
        rows.append(tuple(row))
    if width < len(columns) and all_given:
        analysis.fail("42601", "INSERT has more target columns than expressions")
    outputs = tuple(analysis.column(column.name, column.type) for column in used)
    provided = {
        column.number: (ir.Column(output.id, output.type), explicit[index])
        for index, (column, output) in enumerate(zip(used, outputs, strict=True))
    }
    return Values(outputs, tuple(rows)), provided


# ---- ON CONFLICT


def _on_conflict(
    analysis: Analysis,
    scope: Scope,
    table: Table,
    view: View | None,
    alias: str,
    clause: Node,
) -> OnConflict:
    updates = clause["action"] == "ONCONFLICT_UPDATE"
    indexes = _arbiters(analysis, table, clause.get("infer"), updates)
    existing = new_rows.row_columns(analysis, table)
    excluded = new_rows.row_columns(analysis, table)
    if not updates:
        return OnConflict(indexes, existing, excluded, None, None)
    inner = Scope(parent=scope)
    inner.columns = view_targets.row_of(analysis, table, view, alias, existing)
    inner.columns += view_targets.row_of(analysis, table, view, "excluded", excluded)
    inner.aliases = {alias: "", "excluded": ""}
    base: list[Expr] = [ir.Column(column.id, column.type) for column in existing]
    new_rows.assignments(analysis, inner, table, clause["targetList"], base)
    where = None
    if "whereClause" in clause:
        where = expressions.condition(analysis, inner, clause["whereClause"], "WHERE")
    return OnConflict(indexes, existing, excluded, tuple(base), where)


def _arbiters(
    analysis: Analysis, table: Table, infer: Node | None, updates: bool
) -> tuple[Index, ...]:
    if infer is None:
        if updates:
            analysis.fail(
                "42601",
                "ON CONFLICT DO UPDATE requires inference specification or constraint name",
                hint="For example, ON CONFLICT (column_name).",
            )
        return ()
    if "conname" in infer:
        index = table.index(infer["conname"])
        if index is None or not index.constraint:
            analysis.fail(
                "42704",
                f'constraint "{infer["conname"]}" for table "{table.name}" does not exist',
                infer.get("location", 0),
            )
        return (index,)
    if "whereClause" in infer:
        analysis.unsupported("ON CONFLICT with a partial index", infer.get("location", 0))
    wanted = set()
    for item in infer.get("indexElems", ()):
        element = item["IndexElem"]
        if "name" not in element:
            analysis.unsupported("ON CONFLICT over an expression", infer.get("location", 0))
        column = table.column(element["name"])
        if column is None:
            analysis.fail(
                "42703", f'column "{element["name"]}" does not exist', infer.get("location", 0)
            )
        wanted.add(column.number)
    found = tuple(
        index
        for index in table.indexes
        if index.unique
        and index.predicate is None
        and index.usable
        and set(index.column_numbers) == wanted
    )
    if not found:
        analysis.fail(
            "42P10",
            "there is no unique or exclusion constraint matching the ON CONFLICT specification",
        )
    return found


# ---- UPDATE


def _update(analysis: Analysis, scope: Scope, body: Node) -> Relation:
    table, view, alias, scan = _target_scan(analysis, body, "update")
    if view is not None:
        body = view_targets.renamed(analysis, table, view, body, "update")
    source = _source_with_from(analysis, scope, scan, view, alias, body.get("fromClause", []))
    row: list[Expr] = [ir.Column(column.id, column.type) for column in scan.outputs[:-1]]
    assigned = new_rows.assignments(analysis, scope, table, body["targetList"], row)
    if "whereClause" in body:
        predicate = expressions.condition(analysis, scope, body["whereClause"], "WHERE")
        source = Filter(source.outputs, source, predicate)
    target = new_rows.row_columns(analysis, table)
    visible = view_targets.row_of(analysis, table, view, alias, target)
    others = [column for column in scope.columns if column.alias != alias]
    outputs, returning = _returning(analysis, scope, body, visible + others, {**scope.aliases})
    return Update(
        outputs,
        table,
        scan,
        source,
        tuple(row),
        assigned,
        target,
        _checks(analysis, table, view, target),
        table_expressions.generated(analysis, table, target),
        returning,
    )


def _target_scan(analysis: Analysis, body: Node, verb: str) -> tuple[Table, View | None, str, Scan]:
    table, view = view_targets.find_target(
        analysis, body["relation"], verb, body.get("targetList", ())
    )
    node = body["relation"]
    alias = node["alias"]["aliasname"] if "alias" in node else (view or table).name
    return table, view, alias, scan_of(analysis, table, alias)


def _source_with_from(
    analysis: Analysis,
    scope: Scope,
    scan: Scan,
    view: View | None,
    alias: str,
    items: list[Node],
) -> Relation:
    """The target's rows, joined with FROM or USING; all names go into `scope`."""
    table = scan.table
    scope.columns = view_targets.row_of(analysis, table, view, alias, scan.outputs)
    scope.aliases = {alias: (view or table).schema}
    extra = analyse_from(analysis, scope, items)
    source: Relation = cross_join(scan, extra, False) if extra is not None else scan
    for condition in view_targets.conditions(analysis, table, view, scan.outputs):
        source = Filter(source.outputs, source, condition)
    return source


# ---- DELETE


def _delete(analysis: Analysis, scope: Scope, body: Node) -> Relation:
    table, view, alias, scan = _target_scan(analysis, body, "delete from")
    source = _source_with_from(analysis, scope, scan, view, alias, body.get("usingClause", []))
    if "whereClause" in body:
        predicate = expressions.condition(analysis, scope, body["whereClause"], "WHERE")
        source = Filter(source.outputs, source, predicate)
    outputs, returning = _returning(analysis, scope, body, scope.columns, dict(scope.aliases))
    return Delete(outputs, table, scan, source, returning)


# ---- RETURNING


def _returning(
    analysis: Analysis,
    scope: Scope,
    body: Node,
    visible: list[Visible],
    aliases: dict[str, str],
) -> tuple[tuple[OutputColumn, ...], Returning | None]:
    clause = body.get("returningClause")
    if clause is None:
        return (), None
    if "options" in clause:
        analysis.unsupported("RETURNING WITH")
    inner = Scope(parent=scope.parent, ctes=scope.ctes)
    inner.columns = visible
    inner.aliases = aliases
    inner.clause = "RETURNING"
    targets = queries.target_list(analysis, inner, clause["exprs"])
    expressions_ = tuple(coercion.settle(analysis, target.expression) for target in targets)
    outputs = tuple(
        _output(analysis, target, expression)
        for target, expression in zip(targets, expressions_, strict=True)
    )
    return outputs, Returning(expressions_)


def _output(analysis: Analysis, target: Target, expression: Any) -> OutputColumn:
    source = target.source
    output = analysis.column(target.name, expression.type)
    if source is not None:
        output = replace(output, table_oid=source.table_oid, number=source.number)
    return output
