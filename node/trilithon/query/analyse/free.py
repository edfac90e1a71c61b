"""Which columns a relation uses without producing them: what makes a subquery correlated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trilithon.expression import ir
from trilithon.query.analyse import tree
from trilithon.query.analyse.tree import Expr, Relation, Subquery


def inputs_of(relation: Relation) -> tuple[Relation, ...]:
    """The relations that an operator reads, in order."""
    match relation:
        case tree.Join() | tree.SetOperation():
            return relation.left, relation.right
        case tree.With():
            bodies = [cte.body for cte in relation.ctes]
            recursive = [cte.recursive for cte in relation.ctes if cte.recursive is not None]
            return (*bodies, *recursive, relation.body)
        case tree.Insert() | tree.Update() | tree.Delete() | tree.Merge():
            return (relation.source,)
        case (
            tree.Project()
            | tree.Filter()
            | tree.Aggregate()
            | tree.Window()
            | tree.Sort()
            | tree.Limit()
            | tree.Distinct()
            | tree.LockRows()
        ):
            return (relation.input,)
        case _:
            return ()


def expressions_of(relation: Relation) -> Iterator[Expr]:
    """The expressions of one operator, its inputs' not included."""
    match relation:
        case tree.Project():
            yield from relation.expressions
        case tree.Filter():
            yield relation.predicate
        case tree.Join():
            if relation.condition is not None:
                yield relation.condition
        case tree.Values():
            for row in relation.rows:
                yield from row
        case tree.FunctionScan():
            yield from relation.arguments
        case tree.FunctionsInStep():
            for function in relation.functions:
                yield from function.arguments
        case tree.Aggregate():
            yield from relation.groups
            for call in relation.calls:
                yield from aggregate_expressions(call)
        case tree.Window():
            yield from relation.partition
            yield from (key.expression for key in relation.order)
            for window_call in relation.calls:
                yield from window_call.arguments
                if window_call.filter is not None:
                    yield window_call.filter
        case tree.Sort():
            yield from (key.expression for key in relation.keys)
        case tree.Limit():
            yield from (value for value in (relation.count, relation.offset) if value is not None)
            yield from (key.expression for key in relation.ties or ())
        case tree.Distinct():
            yield from relation.on or ()
        case tree.Insert() | tree.Update() | tree.Delete() | tree.Merge():
            yield from _statement_expressions(relation)
        case _:
            return


def aggregate_expressions(call: tree.AggregateCall) -> Iterator[Expr]:
    yield from call.arguments
    if call.filter is not None:
        yield call.filter
    yield from (expression for expression, _, _ in call.order)


def _statement_expressions(relation: Any) -> Iterator[Expr]:
    if isinstance(relation, tree.Merge):
        for action in relation.actions:
            yield from action.row
            if action.condition is not None:
                yield action.condition
    if isinstance(relation, tree.Insert | tree.Update):
        yield from relation.row
    if isinstance(relation, tree.Insert | tree.Update | tree.Merge):
        yield from (check.expression for check in relation.checks)
        yield from (value for _, value in relation.generated)
    if isinstance(relation, tree.Insert) and relation.conflict is not None:
        yield from relation.conflict.row or ()
        if relation.conflict.where is not None:
            yield relation.conflict.where
    if not isinstance(relation, tree.Merge) and relation.returning is not None:
        yield from relation.returning.expressions


def used_columns(expression: Expr) -> set[int]:
    """Columns that an expression reads from the row it is evaluated on."""
    found: set[int] = set()
    for node in ir.post_order(expression):
        if isinstance(node, ir.Column):
            found.add(node.index)
        elif isinstance(node, Subquery):
            found |= free_columns(node)
    return found


def columns_read(query: Relation) -> set[tuple[int, int]]:
    """(table's id, column's number) of the stored columns that a query's rows depend on."""
    used = {column.id for column in query.outputs}
    scans: list[tree.Scan] = []
    stack = [query]
    while stack:
        relation = stack.pop()
        if isinstance(relation, tree.Scan):
            scans.append(relation)
        for expression in expressions_of(relation):
            stack.extend(_bodies(expression, used))
        inputs = inputs_of(relation)
        if isinstance(relation, tree.SetOperation | tree.With):
            # They take their inputs' rows as they are.
            used.update(column.id for one in inputs for column in one.outputs)
        stack.extend(inputs)
    return {
        (scan.table.id, number)
        for scan in scans
        for number, column in enumerate(scan.outputs[:-1], 1)
        if column.id in used
    }


def _bodies(expression: Expr, used: set[int]) -> Iterator[Relation]:
    """The subqueries of an expression, those within their comparisons too; its columns are added to `used`."""
    for node in ir.post_order(expression):
        if isinstance(node, ir.Column):
            used.add(node.index)
        elif isinstance(node, Subquery):
            used.update(column.id for column in node.body.outputs)
            yield node.body
            if node.comparison is not None:
                yield from _bodies(node.comparison, used)


def free_columns(subject: Relation | Subquery) -> set[int]:
    """Ids of columns that `subject` uses and nothing inside it produces."""
    produced: set[int] = set()
    used: set[int] = set()
    stack: list[Relation] = []
    if isinstance(subject, Subquery):
        stack.append(subject.body)
        produced.update(subject.places)
        if subject.comparison is not None:
            used |= used_columns(subject.comparison)
    else:
        stack.append(subject)
    while stack:
        relation = stack.pop()
        produced.update(column.id for column in relation.outputs)
        for extra in _extra_outputs(relation):
            produced.update(column.id for column in extra)
        for expression in expressions_of(relation):
            used |= used_columns(expression)
        stack.extend(inputs_of(relation))
    return used - produced


def _extra_outputs(relation: Relation) -> Iterator[tuple[tree.OutputColumn, ...]]:
    if isinstance(relation, tree.Insert | tree.Update | tree.Merge):
        yield relation.target
    if isinstance(relation, tree.Insert) and relation.conflict is not None:
        yield relation.conflict.existing
        yield relation.conflict.excluded
    if isinstance(relation, tree.Update | tree.Delete | tree.Merge):
        yield relation.scan.outputs
