"""SELECT, VALUES, set operations and WITH."""

from __future__ import annotations

from typing import Any

from trilithon.expression import ir
from trilithon.query.analyse import (
    coercion,
    expressions,
    fields,
    grouping,
    names,
    ordering,
    row_locks,
    set_operations,
    statements,
    undecided,
    view_sources,
    with_queries,
)
from trilithon.query.analyse.block import Block, Target, written
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.from_clause import analyse_from
from trilithon.query.analyse.scope import Scope, columns_of_alias
from trilithon.query.analyse.tree import (
    Distinct,
    Expr,
    Filter,
    LockRows,
    Project,
    Relation,
    Sort,
    SortKey,
    Values,
    With,
)
from trilithon.query.catalog.definitions import View
from trilithon.query.parse.parser import parse_plain
from trilithon.query.parse.statement import Node
from trilithon.types.registry import TEXT, UNKNOWN


def one_row() -> Values:
    """FROM nothing: one row without columns."""
    return Values((), ((),))


def analyse_query(
    analysis: Analysis, parent: Scope | None, node: Node, *, settle: bool = True
) -> Relation:
    """A query in any place, `parent` being the names it may refer to. With `settle`, outputs of
    unknown type become text."""
    tag = next(iter(node))
    if tag != "SelectStmt":
        return statements.analyse_modifying(analysis, parent, node)
    analysis.descend(None)
    relation = _select(analysis, parent, node["SelectStmt"])
    analysis.depth -= 1
    if settle:
        undecided.settle_outputs(analysis, relation)
    return relation


def analyse_view(analysis: Analysis, view: View) -> Relation:
    """A view's body, as relation over column ids of its own."""
    statement = parse_plain(view.sql)[0]
    analysis.texts.append(statement.node)
    analysis.silent += 1
    lifted, fixed = analysis.lifted, analysis.parameters_fixed
    analysis.parameters_fixed = True
    try:
        with view_sources.inside(analysis, view.sources):
            return analyse_query(analysis, None, statement.node)
    finally:
        analysis.silent -= 1
        analysis.lifted, analysis.parameters_fixed = lifted, fixed


def _select(analysis: Analysis, parent: Scope | None, body: Node) -> Relation:
    scope = Scope(parent=parent)
    ctes = (
        with_queries.with_clause(analysis, scope, body["withClause"])
        if "withClause" in body
        else ()
    )
    if "intoClause" in body:
        location = body["intoClause"]["rel"].get("location", 0)
        analysis.fail("42601", "SELECT ... INTO is not allowed here", location)
    if body.get("op", "SETOP_NONE") != "SETOP_NONE":
        relation = set_operations.set_query(analysis, scope, body)
    elif "valuesLists" in body:
        relation = ordering.tail(
            analysis, scope, values_relation(analysis, scope, body["valuesLists"]), body
        )
    else:
        relation = _simple(analysis, scope, body)
    return With(relation.outputs, ctes, relation) if ctes else relation


# ---- VALUES


def values_relation(analysis: Analysis, scope: Scope, lists: list[Node]) -> Relation:
    rows: list[list[Expr]] = []
    for item in lists:
        items = item["List"]["items"]
        if rows and len(items) != len(rows[0]):
            analysis.fail("42601", "VALUES lists must all be the same length")
        scope.clause = "VALUES"
        rows.append([expressions.analyse(analysis, scope, expression) for expression in items])
    width = len(rows[0])
    outputs = []
    for index in range(width):
        column = [row[index] for row in rows]
        type_ = coercion.common_type(analysis, column, "VALUES", None, keep_unknown=True)
        for row in rows:
            if type_.oid != UNKNOWN.oid:
                row[index] = coercion.coerce_implicit(analysis, row[index], type_, None)
        outputs.append(analysis.column(f"column{index + 1}", type_))
    return Values(tuple(outputs), tuple(tuple(row) for row in rows))


# ---- SELECT


def _simple(analysis: Analysis, scope: Scope, body: Node) -> Relation:
    block = Block()
    scope.collector = block
    relation = analyse_from(analysis, scope, body.get("fromClause", [])) or one_row()
    block.own = frozenset(column.id for column in relation.outputs)
    block.windows_by_name = {
        window["WindowDef"]["name"]: window["WindowDef"] for window in body.get("windowClause", ())
    }
    if "whereClause" in body:
        predicate = expressions.condition(analysis, scope, body["whereClause"], "WHERE")
        relation = Filter(relation.outputs, relation, predicate)
    scope.clause = ""
    block.targets = target_list(analysis, scope, body.get("targetList", []))
    having = None
    if "havingClause" in body:
        scope.clause = ""
        before = len(block.windows), len(block.set_functions)
        having = expressions.analyse_boolean(analysis, scope, body["havingClause"], "HAVING")
        if len(block.windows) > before[0]:
            analysis.fail("42P20", "window functions are not allowed in HAVING")
        if len(block.set_functions) > before[1]:
            analysis.fail("0A000", "set-returning functions are not allowed in HAVING")
    groups = grouping.group_clause(analysis, scope, block, body)
    distinct = ordering.distinct_clause(analysis, scope, block, body)
    order = ordering.order_clause(analysis, scope, block, body, distinct)
    locks = row_locks.row_locks(analysis, relation, block, body)
    # Sets come after groups and windows, unless they are what is grouped by.
    sets_first = grouping.groups_by_sets(block, groups)
    if sets_first:
        relation = block.apply_set_functions(relation)
    if groups.present or block.aggregates or block.groupings or having is not None:
        relation = grouping.apply(analysis, block, relation, groups, having)
    relation = grouping.apply_windows(analysis, block, relation)
    if not sets_first:
        relation = block.apply_set_functions(relation)
    relation = _project(analysis, block, relation)
    return _finish(analysis, scope, relation, body, block, distinct, order, locks)


def target_list(analysis: Analysis, scope: Scope, nodes: list[Node]) -> list[Target]:
    targets: list[Target] = []
    for node in nodes:
        target = node["ResTarget"]
        value = target["val"]
        star = _star(analysis, scope, value) or _fields(analysis, scope, value)
        if star is not None:
            targets.extend(star)
            continue
        expression = expressions.analyse(analysis, scope, value)
        source = expressions.source_of(analysis, scope, value) if "ColumnRef" in value else None
        name = target.get("name") or expressions.column_name(value, analysis.subquery_names)
        location = target.get("location", 0)
        targets.append(Target(name, expression, source, location=location, written=written(value)))
    return targets


def _star(analysis: Analysis, scope: Scope, value: Node) -> list[Target] | None:
    reference = value.get("ColumnRef")
    if reference is None or "A_Star" not in reference["fields"][-1]:
        return None
    location = reference.get("location", 0)
    path = names.strings(reference["fields"][:-1])
    if path:
        columns = columns_of_alias(analysis, scope, path[-1], location)
    else:
        if not scope.aliases and not scope.columns:
            analysis.fail("42601", "SELECT * with no tables specified is not valid", location)
        columns = [column for column in scope.columns if not (column.hidden or column.system)]
    return [
        Target(column.name, column.expression, column.source, location=location)
        for column in columns
    ]


def _fields(analysis: Analysis, scope: Scope, value: Node) -> list[Target] | None:
    """(row).*"""
    if not fields.star_of(value):
        return None
    node = value["A_Indirection"]
    row = expressions.indirect(analysis, scope, node["arg"], node["indirection"][:-1])
    location = expressions.location_of(node["arg"])
    return [
        Target(name, part, None, location=location or 0)
        for name, part in fields.all_fields(analysis, row, location)
    ]


def _project(analysis: Analysis, block: Block, relation: Relation) -> Relation:
    """All targets, hidden ones included, under new column ids."""
    outputs = []
    for target in block.targets:
        source = target.source
        output = analysis.column(
            target.name,
            target.expression.type,
            source.table_oid if source else 0,
            source.number if source else 0,
        )
        target.output = output
        outputs.append(output)
    return Project(tuple(outputs), relation, tuple(target.expression for target in block.targets))


def _finish(
    analysis: Analysis,
    scope: Scope,
    relation: Relation,
    body: Node,
    block: Block,
    distinct: tuple[int, ...] | None,
    order: list[tuple[int, bool, bool]],
    locks: list[tuple[Any, int, str]],
) -> Relation:
    """DISTINCT, ORDER BY, LIMIT, FOR UPDATE over the projected targets; then the hidden ones go."""
    if distinct is not None or order:
        # Comparing needs types: a literal that nobody typed is text.
        for index, target in enumerate(relation.outputs):
            if target.type.oid == UNKNOWN.oid and (
                distinct is not None or any(index == key for key, _, _ in order)
            ):
                undecided.retarget(analysis, relation, index, TEXT)
    outputs = relation.outputs
    for index, _, _ in order:
        coercion.require_order(analysis, outputs[index].type, None)
    for index, shown in enumerate(block.targets):
        compared = not shown.hidden if distinct == () else index in (distinct or ())
        if compared:
            coercion.require_equality(analysis, outputs[index].type, None)
    keys = tuple(
        SortKey(ir.Column(outputs[index].id, outputs[index].type), descending, nulls_first)
        for index, descending, nulls_first in order
    )
    if distinct is not None and not distinct:
        relation = Distinct(outputs, relation)
    if keys:
        relation = Sort(outputs, relation, keys)
    if distinct:
        on = tuple(ir.Column(outputs[index].id, outputs[index].type) for index in distinct)
        relation = Distinct(outputs, relation, on)
    relation = ordering.limit(analysis, scope, relation, body, keys)
    if locks:
        relation = LockRows(
            outputs, relation, tuple((table, outputs[key].id, mode) for table, key, mode in locks)
        )
    visible = [index for index, target in enumerate(block.targets) if not target.hidden]
    if len(visible) < len(outputs):
        kept = tuple(relation.outputs[index] for index in visible)
        expressions_ = tuple(ir.Column(column.id, column.type) for column in kept)
        renamed = tuple(
            analysis.column(column.name, column.type, column.table_oid, column.number)
            for column in kept
        )
        relation = Project(renamed, relation, expressions_)
    return relation
