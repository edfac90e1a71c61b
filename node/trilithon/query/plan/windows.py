"""Window functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trilithon.query.analyse import tree
from trilithon.query.execute import windows
from trilithon.query.execute.operators import Operator
from trilithon.query.plan.orders import sort_columns
from trilithon.query.plan.places import used_by
from trilithon.types.ordering import sort_key

if TYPE_CHECKING:
    from trilithon.query.plan.planner import Planner


def build_window(planner: Planner, relation: tree.Window, needed: frozenset[int]) -> Operator:

    made_here = frozenset(call.output.id for call in relation.calls)
    wanted = [*relation.partition, *(key.expression for key in relation.order)]
    for call in relation.calls:
        wanted += call.arguments
        if call.filter is not None:
            wanted.append(call.filter)
    source = planner.build(relation.input, (needed - made_here) | used_by(wanted))
    lifted, source = planner.lift(wanted, source)
    rest = iter(range(len(relation.partition) + len(relation.order), len(lifted)))
    calls = []
    for call in relation.calls:
        arguments = tuple(next(rest) for _ in call.arguments)
        condition = next(rest) if call.filter is not None else -1
        calls.append(windows.Call(call.function, arguments, condition))
    hashing = [sort_key(expression.type.oid) for expression in relation.partition]
    frame = relation.frame
    offsets = frame.start_offset is not None or frame.end_offset is not None
    return windows.WindowRows(
        (*source.columns, *(call.output.id for call in relation.calls)),
        source,
        planner.projection(lifted, source) if lifted else lambda rows, context: [()] * len(rows),
        len(relation.partition),
        tuple(hashing) if any(hashing) else None,
        sort_columns(relation.order),
        tuple(calls),
        windows.FramePlan(
            frame.mode,
            frame.start,
            frame.end,
            planner.scalar(frame.start_offset),
            planner.scalar(frame.end_offset),
            frame.exclude,
            relation.order[0].expression.type.oid if frame.mode == "range" and offsets else 0,
        ),
    )
