"""GROUP BY, HAVING and windows: which expressions a grouped query may still mention."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from trilithon.expression import ir
from trilithon.query.analyse import coercion, expressions, ordering
from trilithon.query.analyse.block import Block, written
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.free import free_columns
from trilithon.query.analyse.grouping_sets import Groups, group_sets, grouping_positions
from trilithon.query.analyse.scope import Scope
from trilithon.query.analyse.tree import (
    Aggregate,
    Expr,
    Filter,
    FunctionScan,
    Grouping,
    Join,
    Project,
    Relation,
    Scan,
    SortKey,
    Subquery,
    Window,
)
from trilithon.query.parse.statement import Node


def group_clause(analysis: Analysis, scope: Scope, block: Block, body: Node) -> Groups:
    def item(node: Node) -> Expr:
        expression = _group_item(analysis, scope, block, node)
        expression = coercion.settle(analysis, expression)
        coercion.require_equality(analysis, expression.type, expressions.location_of(node))
        return expression

    return group_sets(analysis, body.get("groupClause", []), bool(body.get("groupDistinct")), item)


def _group_item(analysis: Analysis, scope: Scope, block: Block, node: Node) -> Expr:
    """A bare name is an input column first, an output's name second (the other way round than in
    ORDER BY); an integer is an ordinal."""
    before = len(block.aggregates)
    reference = node.get("ColumnRef")
    if (
        reference is not None
        and len(reference["fields"]) == 1
        and "String" in reference["fields"][0]
    ):
        name = reference["fields"][0]["String"].get("sval", "")
        if not any(column.name == name and not column.hidden for column in scope.columns):
            found = [t for t in block.targets if t.name == name and not t.hidden]
            if len({target.expression for target in found}) > 1:
                analysis.fail(
                    "42702", f'GROUP BY "{name}" is ambiguous', reference.get("location", 0)
                )
            if found:
                return _without_aggregates(analysis, block, found[0].expression, node)
    ordinal = ordering.ordinal_of(analysis, node, len(block.targets), "GROUP BY")
    if ordinal is not None:
        return _without_aggregates(analysis, block, block.targets[ordinal].expression, node)
    if text := written(node):
        for target in block.targets:
            if target.written == text:
                return _without_aggregates(analysis, block, target.expression, node)
    scope.clause = "GROUP BY"
    expression = expressions.analyse(analysis, scope, node)
    scope.clause = ""
    if len(block.aggregates) > before:
        _refuse_aggregates(analysis, node)
    return expression


def _without_aggregates(analysis: Analysis, block: Block, expression: Expr, node: Node) -> Expr:
    calls = {call.output.id for call in block.aggregates}
    if calls & ir.columns_of(expression):
        _refuse_aggregates(analysis, node)
    return expression


def _refuse_aggregates(analysis: Analysis, node: Node) -> None:
    analysis.fail(
        "42803",
        "aggregate functions are not allowed in GROUP BY",
        expressions.location_of(node),
    )


def apply(
    analysis: Analysis,
    block: Block,
    relation: Relation,
    clause: Groups,
    having: Expr | None,
) -> Relation:
    """The Aggregate operator, and the block's targets rewritten over its outputs."""
    groups = clause.expressions
    dependent = _dependent_columns(relation, clause.common)
    mentioned: set[int] = set()
    rest = [target.expression for target in block.targets] + ([having] if having else [])
    rest += [e for definition, call in block.windows for e in _window_expressions(definition, call)]
    later = [] if groups_by_sets(block, clause) else _plain_sets(analysis, block)
    rest += [argument for function in later for argument in function.arguments]
    for expression in rest:
        mentioned |= _mentioned(expression)
    extra = tuple(
        ir.Column(column.id, column.type)
        for column in relation.outputs
        if column.id in dependent & mentioned and column.id not in _ids(groups)
    )
    all_groups = (*groups, *extra)
    outputs = []
    replaced: dict[Expr, ir.Column] = {}
    for expression in all_groups:
        known = next(
            (
                c
                for c in relation.outputs
                if isinstance(expression, ir.Column) and c.id == expression.index
            ),
            None,
        )
        output = known or analysis.column("?column?", expression.type)
        outputs.append(output)
        replaced[expression] = ir.Column(output.id, output.type)
    outputs.extend(call.output for call in block.aggregates)
    sets = clause.sets
    if sets is not None:
        sets = tuple((*one, *range(len(groups), len(all_groups))) for one in sets)
    groupings = _groupings(analysis, groups, rest)
    for call in groupings:
        output = analysis.column("grouping", call.type)
        outputs.append(output)
        replaced[call] = ir.Column(output.id, output.type)
    result: Relation = Aggregate(
        tuple(outputs),
        relation,
        all_groups,
        tuple(block.aggregates),
        sets,
        tuple(groupings.values()),
    )
    allowed = frozenset(column.id for column in outputs)
    allowed |= {function.outputs[0].id for function in later}

    def rewrite(expression: Expr) -> Expr:
        return _regroup(analysis, block, expression, replaced, allowed)

    if having is not None:
        result = Filter(result.outputs, result, rewrite(having))
    for target in block.targets:
        target.expression = rewrite(target.expression)
    block.windows = [
        (_map_definition(definition, rewrite), _map_call(call, rewrite))
        for definition, call in block.windows
    ]
    if later:
        block.set_functions = [
            FunctionScan(f.outputs, f.function, tuple(map(rewrite, f.arguments))) for f in later
        ]
    return result


def _plain_sets(analysis: Analysis, block: Block) -> list[FunctionScan]:
    """The select list's set-returning functions, whose arguments can be rewritten over groups."""
    for function in block.set_functions:
        if not isinstance(function, FunctionScan):
            analysis.unsupported("a set-returning SQL function in the select list of groups")
    return [function for function in block.set_functions if isinstance(function, FunctionScan)]


def groups_by_sets(block: Block, clause: Groups) -> bool:
    """Whether a set-returning function of the select list is among what is grouped by."""
    sets = {function.outputs[0].id for function in block.set_functions}
    return any(sets & _mentioned(expression) for expression in clause.expressions)


def _groupings(
    analysis: Analysis, groups: tuple[Expr, ...], found: list[Expr]
) -> dict[Grouping, tuple[int, ...]]:
    """Each GROUPING() among the expressions with its arguments' positions."""
    return {
        node: grouping_positions(analysis, node, groups)
        for expression in found
        for node in ir.post_order(expression)
        if isinstance(node, Grouping)
    }


def _ids(groups: Iterable[Expr]) -> set[int]:
    return {group.index for group in groups if isinstance(group, ir.Column)}


def _dependent_columns(relation: Relation, groups: tuple[Expr, ...]) -> set[int]:
    """Columns of tables whose whole primary key is grouped by: they depend on it functionally."""
    grouped = _ids(groups)
    found: set[int] = set()
    for scan in _scans(relation):
        key = scan.table.primary_key
        if key is None or key.deferrable:
            continue
        if all(scan.outputs[number - 1].id in grouped for number in key.column_numbers):
            found.update(column.id for column in scan.outputs)
    return found


def _scans(relation: Relation) -> list[Scan]:
    match relation:
        case Scan():
            return [relation]
        case Filter():
            return _scans(relation.input)
        case Join():
            return _scans(relation.left) + _scans(relation.right)
        case _:
            return []


def scans_below(analysis: Analysis, relation: Relation, words: str) -> list[Scan]:
    """The tables whose rows FOR UPDATE locks."""
    match relation:
        case Scan():
            return [relation]
        case Filter():
            return scans_below(analysis, relation.input, words)
        case Join():
            for side, kinds in (
                (relation.left, ("right", "full")),
                (relation.right, ("left", "full")),
            ):
                if relation.kind in kinds and _scans(side):
                    analysis.fail(
                        "0A000", f"{words} cannot be applied to the nullable side of an outer join"
                    )
            return scans_below(analysis, relation.left, words) + scans_below(
                analysis, relation.right, words
            )
        case Project():
            analysis.unsupported(f"{words} of a subquery or view")
        case _:
            return []


def _mentioned(expression: Expr) -> set[int]:
    found: set[int] = set()
    for node in ir.post_order(expression):
        if isinstance(node, ir.Column):
            found.add(node.index)
        elif isinstance(node, Subquery):
            found |= free_columns(node)
    return found


def _regroup(
    analysis: Analysis,
    block: Block,
    expression: Expr,
    replaced: dict[Expr, ir.Column],
    allowed: frozenset[int],
) -> Expr:
    """The expression over the Aggregate's outputs. Raises 42803 for an ungrouped column."""
    known = replaced.get(expression)
    if known is not None:
        return known
    if isinstance(expression, ir.Column):
        if expression.index in block.own and expression.index not in allowed:
            _ungrouped(analysis, expression.index, "")
        return expression
    if isinstance(expression, Subquery):
        for column in sorted(free_columns(expression)):
            if column in block.own and column not in allowed:
                _ungrouped(analysis, column, "subquery uses ungrouped")
    children = expression.children()
    if not children:
        return expression
    return expression.rebuild(
        [_regroup(analysis, block, child, replaced, allowed) for child in children]
    )


def _ungrouped(analysis: Analysis, column: int, prefix: str) -> None:
    name = analysis.names.get(column, "?")
    message = (
        f'{prefix} column "{name}" from outer query'
        if prefix
        else f'column "{name}" must appear in the GROUP BY clause or be used in an aggregate function'
    )
    analysis.fail("42803", message, analysis.mentioned.get(column))


# ---- windows


def _window_expressions(definition: Any, call: Any) -> list[Expr]:
    found = [*definition.partition, *(key.expression for key in definition.order), *call.arguments]
    if call.filter is not None:
        found.append(call.filter)
    return found


def _map_definition(definition: Any, change: Any) -> Any:
    return type(definition)(
        tuple(change(expression) for expression in definition.partition),
        tuple(
            SortKey(change(key.expression), key.descending, key.nulls_first)
            for key in definition.order
        ),
        definition.frame,
    )


def _map_call(call: Any, change: Any) -> Any:
    return type(call)(
        call.output,
        call.function,
        tuple(change(expression) for expression in call.arguments),
        change(call.filter) if call.filter is not None else None,
    )


def apply_windows(analysis: Analysis, block: Block, relation: Relation) -> Relation:
    """One Window operator for each definition, in order of appearance."""
    by_definition: dict[Any, list[Any]] = {}
    for definition, call in block.windows:
        by_definition.setdefault(definition, []).append(call)
    for definition, calls in by_definition.items():
        outputs = (*relation.outputs, *(call.output for call in calls))
        relation = Window(
            outputs,
            relation,
            tuple(calls),
            definition.partition,
            definition.order,
            definition.frame,
        )
    return relation
