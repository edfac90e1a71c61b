"""Rows that are in no table: functions, the catalog's views; and locks on rows that are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trilithon.expression import registry
from trilithon.expression.compile import compile_projection
from trilithon.expression.functions import get_function
from trilithon.query.analyse import tree
from trilithon.query.execute import operators
from trilithon.query.execute.operators import Operator
from trilithon.query.plan import explain, scans
from trilithon.query.plan.hints import Hint
from trilithon.query.plan.places import positions_of

if TYPE_CHECKING:
    from trilithon.query.plan.planner import Planner


def build_virtual(planner: Planner, relation: tree.VirtualScan, needed: frozenset[int]) -> Operator:
    positions = [number for number, column in enumerate(relation.outputs) if column.id in needed]
    return operators.Virtual(
        tuple(relation.outputs[number].id for number in positions),
        relation.name,
        relation.rows,
        tuple(positions),
        planner.viewpoint,
    )


def build_function(planner: Planner, relation: tree.FunctionScan) -> Operator:
    entry = get_function(relation.function)
    source: Operator = operators.ConstantRows((), [()])
    arguments, source = planner.lift(relation.arguments, source)
    if source.columns:
        raise explain.unsupported("a correlated subquery in a function in FROM")
    call = registry.bind(entry, [argument.type for argument in arguments], relation.outputs[0].type)
    return operators.FunctionRows(
        tuple(column.id for column in relation.outputs),
        entry.name,
        compile_projection([planner.place(argument, {}) for argument in arguments])
        if arguments
        else lambda rows, context: [()],
        call,
        entry.context,
        entry.strict,
        relation.ordinality,
        bool(entry.columns),
    )


def build_functions_in_step(planner: Planner, relation: tree.FunctionsInStep) -> Operator:
    return operators.RowsInStep(
        tuple(column.id for column in relation.outputs),
        tuple(build_function(planner, function) for function in relation.functions),
        relation.ordinality,
    )


def build_lock(
    planner: Planner, relation: tree.LockRows, needed: frozenset[int], hint: Hint
) -> Operator:
    keys = frozenset(key for _, key, _ in relation.locks)
    source = planner.build(relation.input, needed | keys, hint)
    positions = positions_of(source.columns)
    locks = tuple(
        (positions[key], scans.LOCK_MODES[mode], table) for table, key, mode in relation.locks
    )
    made = operators.Locked(source.columns, source, locks)
    if id(source) in planner.ordered:
        planner.ordered[id(made)] = made
    return made
