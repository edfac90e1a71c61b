"""MERGE: the join of target and source, and what to do with each of its rows."""

from __future__ import annotations

from typing import Any, Final, Literal

from trilithon.expression import ir
from trilithon.query.analyse import expressions, names, new_rows, table_expressions
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.from_clause import from_item, scan_of
from trilithon.query.analyse.scope import FromItem, Scope
from trilithon.query.analyse.tree import Expr, Join, Merge, MergeAction, OutputColumn, Relation
from trilithon.query.catalog.definitions import Table, View
from trilithon.query.parse.statement import Node

_KINDS: Final[dict[str, Literal["insert", "update", "delete", "nothing"]]] = {
    "CMD_INSERT": "insert",
    "CMD_UPDATE": "update",
    "CMD_DELETE": "delete",
    "CMD_NOTHING": "nothing",
}


def analyse_merge(analysis: Analysis, scope: Scope, body: Node) -> Relation:
    clauses = [item["MergeWhenClause"] for item in body["mergeWhenClauses"]]
    _refuse_unreachable(analysis, clauses)
    if "returningClause" in body:
        analysis.unsupported("MERGE with RETURNING")
    if body.get("withClause", {}).get("recursive"):
        analysis.fail("42601", "WITH RECURSIVE is not supported for MERGE statement")
    table = _target(analysis, body["relation"])
    node = body["relation"]
    alias = node["alias"]["aliasname"] if "alias" in node else table.name
    scan = scan_of(analysis, table, alias)
    item = from_item(analysis, scope, body["sourceRelation"], scope)
    if alias in item.aliases:
        analysis.fail(
            "42712",
            f'name "{alias}" specified more than once',
            detail="The name is used both as MERGE target table and data source.",
        )
    ours = new_rows.visible_row(analysis, table, alias, scan.outputs)
    both = Scope(parent=scope.parent, ctes=scope.ctes)
    both.columns = [*ours, *item.columns]
    both.aliases = {alias: table.schema, **item.aliases}
    condition = expressions.condition(analysis, both, body["joinCondition"], "JOIN/ON")
    inserts = any(_matches(clause) is False for clause in clauses)
    source = Join(
        (*item.relation.outputs, *scan.outputs),
        "left" if inserts else "inner",
        item.relation,
        scan,
        condition,
    )
    old: list[Expr] = [ir.Column(column.id, column.type) for column in scan.outputs[:-1]]
    alone = _source_scope(scope, item, alias)
    actions = tuple(
        _action(analysis, both if _matches(clause) else alone, table, old, clause)
        for clause in clauses
    )
    target: tuple[OutputColumn, ...] = new_rows.row_columns(analysis, table)
    return Merge(
        (),
        table,
        scan,
        source,
        actions,
        target,
        table_expressions.checks(analysis, table, target),
        table_expressions.generated(analysis, table, target),
    )


def _source_scope(scope: Scope, item: FromItem, alias: str) -> Scope:
    """What WHEN NOT MATCHED sees: there is no target row."""
    alone = Scope(parent=scope.parent, ctes=scope.ctes, invisible=frozenset({alias}))
    alone.columns = list(item.columns)
    alone.aliases = dict(item.aliases)
    return alone


def _matches(clause: Node) -> bool:
    return bool(clause.get("matchKind", "MERGE_WHEN_MATCHED") == "MERGE_WHEN_MATCHED")


def _refuse_unreachable(analysis: Analysis, clauses: list[Node]) -> None:
    unconditional: set[str] = set()
    for clause in clauses:
        kind = clause.get("matchKind", "MERGE_WHEN_MATCHED")
        if kind == "MERGE_WHEN_NOT_MATCHED_BY_SOURCE":
            analysis.unsupported("WHEN NOT MATCHED BY SOURCE")
        if kind in unconditional:
            analysis.fail(
                "42601", "unreachable WHEN clause specified after unconditional WHEN clause"
            )
        if "condition" not in clause:
            unconditional.add(kind)


def _target(analysis: Analysis, node: Node) -> Table:
    found = names.find_relation(analysis, node)
    if isinstance(found, View):
        analysis.fail(
            "0A000",
            f'cannot execute MERGE on relation "{found.name}"',
            node.get("location", 0),
            detail="This operation is not supported for views.",
        )
    return names.find_table(analysis, node, "merge into")


def _action(
    analysis: Analysis, scope: Scope, table: Table, old: list[Expr], clause: Node
) -> MergeAction:
    kind = _KINDS[clause.get("commandType", "CMD_NOTHING")]
    condition = None
    if "condition" in clause:
        scope.clause = "MERGE WHEN conditions"
        condition = expressions.analyse_boolean(analysis, scope, clause["condition"], "WHEN")
        scope.clause = ""
    row: tuple[Expr, ...] = ()
    assigned: frozenset[int] = frozenset()
    if kind == "insert":
        row = _insert_row(analysis, scope, table, clause)
    elif kind == "update":
        changed = list(old)
        assigned = new_rows.assignments(analysis, scope, table, clause["targetList"], changed)
        row = tuple(changed)
    return MergeAction(kind, _matches(clause), condition, row, assigned)


def _insert_row(analysis: Analysis, scope: Scope, table: Table, clause: Node) -> tuple[Expr, ...]:
    partial: dict[int, Any] = {}
    columns = new_rows.target_columns(analysis, scope, table, clause.get("targetList"), partial)
    if partial:
        analysis.unsupported("MERGE that inserts parts of columns")
    override = clause.get("override", "OVERRIDING_NOT_SET")
    values = clause.get("values")
    provided: new_rows.Provided = {}
    if values is None:
        return new_rows.insert_row(analysis, table, provided, override)
    if len(values) > len(columns):
        analysis.fail(
            "42601",
            "INSERT has more expressions than target columns",
            expressions.location_of(values[len(columns)]),
        )
    if len(values) < len(columns) and "targetList" in clause:
        analysis.fail("42601", "INSERT has more target columns than expressions")
    scope.clause = "VALUES"
    for node, column in zip(values, columns, strict=False):
        if "SetToDefault" not in node:
            provided[column.number] = new_rows.assigned(analysis, scope, column, node), True
    scope.clause = ""
    return new_rows.insert_row(analysis, table, provided, override)
