"""ORDER BY, DISTINCT, LIMIT: which outputs they name."""

from __future__ import annotations

from trilithon.expression import ir
from trilithon.query.analyse import coercion, expressions, undecided
from trilithon.query.analyse.block import Block, Target, written
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.scope import Scope
from trilithon.query.analyse.tree import Expr, Limit, Relation, Sort, SortKey
from trilithon.query.parse.statement import Node
from trilithon.types.registry import INT8


def distinct_clause(
    analysis: Analysis, scope: Scope, block: Block, body: Node
) -> tuple[int, ...] | None:
    """None: no DISTINCT; empty: DISTINCT; else the targets of DISTINCT ON."""
    clause = body.get("distinctClause")
    if clause is None:
        return None
    if clause == [{}] or not clause[0]:
        return ()
    return tuple(sort_target(analysis, scope, block, item, "SELECT DISTINCT ON") for item in clause)


def order_clause(
    analysis: Analysis,
    scope: Scope,
    block: Block,
    body: Node,
    distinct: tuple[int, ...] | None,
) -> list[tuple[int, bool, bool]]:
    order = []
    visible = len(block.targets)
    for item in body.get("sortClause", ()):
        sort = item["SortBy"]
        index = sort_target(analysis, scope, block, sort["node"], "ORDER BY")
        if distinct == () and index >= visible:
            analysis.fail(
                "42P10",
                "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                expressions.location_of(sort["node"]),
            )
        order.append((index, *sort_direction(analysis, sort)))
    if distinct and order:
        leading = {index for index, _, _ in order[: len(set(distinct))]}
        if not leading <= set(distinct):
            analysis.fail(
                "42P10", "SELECT DISTINCT ON expressions must match initial ORDER BY expressions"
            )
    return order


def sort_direction(analysis: Analysis, sort: Node) -> tuple[bool, bool]:
    """(descending, nulls first) of a SortBy."""
    direction = sort.get("sortby_dir", "SORTBY_DEFAULT")
    if direction == "SORTBY_USING":
        analysis.unsupported("ORDER BY USING", sort.get("location", 0))
    descending = direction == "SORTBY_DESC"
    nulls = sort.get("sortby_nulls", "SORTBY_NULLS_DEFAULT")
    first = descending if nulls == "SORTBY_NULLS_DEFAULT" else nulls == "SORTBY_NULLS_FIRST"
    return descending, first


def sort_target(analysis: Analysis, scope: Scope, block: Block, node: Node, words: str) -> int:
    """The target that an item of ORDER BY or DISTINCT ON names: an output's name first, its ordinal,
    or an expression (a hidden target, unless one of the list equals it)."""
    visible = [target for target in block.targets if not target.hidden]
    reference = node.get("ColumnRef")
    if (
        reference is not None
        and len(reference["fields"]) == 1
        and "String" in reference["fields"][0]
    ):
        name = reference["fields"][0]["String"].get("sval", "")
        found = [index for index, target in enumerate(visible) if target.name == name]
        distinct = {visible[index].expression for index in found}
        if len(distinct) > 1:
            analysis.fail("42702", f'{words} "{name}" is ambiguous', reference.get("location", 0))
        if found:
            return found[0]
    ordinal = ordinal_of(analysis, node, len(visible), words)
    if ordinal is not None:
        return ordinal
    expression = expressions.analyse(analysis, scope, node)
    text = written(node)
    for index, target in enumerate(block.targets):
        if target.expression == expression or (text and target.written == text):
            return index
    expression = coercion.settle(analysis, expression)
    block.targets.append(Target("?column?", expression, None, hidden=True, written=text))
    return len(block.targets) - 1


def ordinal_of(analysis: Analysis, node: Node, count: int, words: str) -> int | None:
    constant = node.get("A_Const")
    if constant is None:
        return None
    location = constant.get("location", 0)
    if "ival" not in constant:
        analysis.fail("42601", f"non-integer constant in {words}", location)
    ordinal: int = constant["ival"].get("ival", 0)
    if not 1 <= ordinal <= count:
        analysis.fail("42P10", f"{words} position {ordinal} is not in select list", location)
    return ordinal - 1


# ---- ORDER BY and LIMIT of VALUES and set operations


def tail(analysis: Analysis, scope: Scope, relation: Relation, body: Node) -> Relation:
    if "lockingClause" in body:
        analysis.fail("0A000", "FOR UPDATE is not allowed with UNION/INTERSECT/EXCEPT or VALUES")
    if "sortClause" in body:
        undecided.settle_outputs(analysis, relation)
    keys = []
    for item in body.get("sortClause", ()):
        sort = item["SortBy"]
        index = _output_index(analysis, relation, sort["node"])
        output = relation.outputs[index]
        keys.append(SortKey(ir.Column(output.id, output.type), *sort_direction(analysis, sort)))
    if keys:
        for key in keys:
            coercion.require_order(analysis, key.expression.type, None)
        relation = Sort(relation.outputs, relation, tuple(keys))
    return limit(analysis, scope, relation, body, tuple(keys))


def _output_index(analysis: Analysis, relation: Relation, node: Node) -> int:
    reference = node.get("ColumnRef")
    location = expressions.location_of(node)
    if (
        reference is not None
        and len(reference["fields"]) == 1
        and "String" in reference["fields"][0]
    ):
        name = reference["fields"][0]["String"].get("sval", "")
        found = [index for index, out in enumerate(relation.outputs) if out.name == name]
        if len(found) > 1:
            analysis.fail("42702", f'ORDER BY "{name}" is ambiguous', location)
        if found:
            return found[0]
        analysis.fail("42703", f'column "{name}" does not exist', location)
    ordinal = ordinal_of(analysis, node, len(relation.outputs), "ORDER BY")
    if ordinal is None:
        analysis.fail(
            "0A000",
            "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
            location,
            detail="Only result column names can be used, not expressions or functions.",
            hint="Add the expression/function to every SELECT, or move the UNION into a FROM clause.",
        )
    return ordinal


def limit(
    analysis: Analysis, scope: Scope, relation: Relation, body: Node, keys: tuple[SortKey, ...]
) -> Relation:
    count = _limit_value(analysis, scope, body.get("limitCount"), "LIMIT")
    offset = _limit_value(analysis, scope, body.get("limitOffset"), "OFFSET")
    ties = body.get("limitOption") == "LIMIT_OPTION_WITH_TIES"
    if ties and not keys:
        analysis.fail("42601", "WITH TIES cannot be specified without ORDER BY clause")
    if count is None and offset is None:
        return relation
    return Limit(relation.outputs, relation, count, offset, keys if ties else None)


def _limit_value(analysis: Analysis, scope: Scope, node: Node | None, words: str) -> Expr | None:
    if node is None:
        return None
    constant = node.get("A_Const")
    if constant is not None and constant.get("isnull"):
        return None
    before, scope.clause = scope.clause, words
    collector, scope.collector = scope.collector, None
    expression = expressions.analyse(analysis, scope, node)
    scope.clause, scope.collector = before, collector
    own = {column.expression for column in scope.columns}
    if any(column in own for column in ir_columns(expression)):
        analysis.fail(
            "42P10",
            f"argument of {words} must not contain variables",
            expressions.location_of(node),
        )
    return coercion.coerce_to(
        analysis, expression, INT8, "assignment", expressions.location_of(node), words
    )


def ir_columns(expression: Expr) -> list[Expr]:
    return [node for node in expressions.walk(expression) if isinstance(node, ir.Column)]
