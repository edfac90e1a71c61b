"""Plans as text: EXPLAIN, and expressions for its lines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.expression import ir
from trilithon.expression.functions import get_function
from trilithon.query.analyse.tree import Expr, Subquery
from trilithon.query.execute.metering import Meter
from trilithon.query.execute.operators import Operator, Transformed
from trilithon.types import text_io
from trilithon.types.registry import UNKNOWN, TypeRef, type_name
from trilithon.types.settings import DEFAULT_SETTINGS

LENGTH_MAX = 2_000


def unsupported(what: str) -> SqlError:
    return SqlError("0A000", f"{what} is not supported")


def show(expression: Expr | Sequence[Expr] | None, names: Mapping[int, str]) -> str:
    """An expression in SQL's notation, cut where it is very long."""
    if expression is None:
        return ""
    if isinstance(expression, list | tuple):
        return ", ".join(show(item, names) for item in expression)
    text = _show(expression, names, 0)
    return text if len(text) <= LENGTH_MAX else text[:LENGTH_MAX] + "..."


def _show(node: Any, names: Mapping[int, str], depth: int) -> str:
    if depth > 60:
        return "..."

    def inner(child: Any) -> str:
        return _show(child, names, depth + 1)

    match node:
        case ir.Column():
            return names.get(node.index, f"column{node.index}")
        case ir.Constant():
            return _constant(node.value, node.type)
        case ir.Parameter():
            return f"${node.number}"
        case ir.Call():
            return _call(node, inner)
        case ir.Cast():
            return f"({inner(node.arg)})::{type_name(node.type)}"
        case ir.And():
            return "(" + " AND ".join(map(inner, node.args)) + ")"
        case ir.Or():
            return "(" + " OR ".join(map(inner, node.args)) + ")"
        case ir.Not():
            return f"(NOT {inner(node.arg)})"
        case ir.IsNull():
            return f"({inner(node.arg)} IS {'NOT ' if node.negated else ''}NULL)"
        case ir.InSet():
            shown = ", ".join(_constant(value, node.arg.type) for value in node.values[:20])
            more = ", ..." if len(node.values) > 20 else ""
            return f"({inner(node.arg)} {'NOT ' if node.negated else ''}IN ({shown}{more}))"
        case ir.AnyAll():
            words = "ALL" if node.all else "ANY"
            name = get_function(node.function).name
            return f"({inner(node.left)} {name} {words} ({inner(node.right)}))"
        case ir.ArrayLiteral():
            return "ARRAY[" + ", ".join(map(inner, node.items)) + "]"
        case ir.Coalesce():
            return "COALESCE(" + ", ".join(map(inner, node.args)) + ")"
        case Subquery():
            return "(SubPlan)"
        case _:
            return type(node).__name__ + "(" + ", ".join(map(inner, node.children())) + ")"


def _call(node: ir.Call, inner: Any) -> str:
    entry = get_function(node.function)
    if entry.is_operator:
        if len(node.args) == 1:
            return f"({entry.name} {inner(node.args[0])})"
        return f"({inner(node.args[0])} {entry.name} {inner(node.args[1])})"
    return f"{entry.name}(" + ", ".join(map(inner, node.args)) + ")"


def _constant(value: Any, type_: TypeRef) -> str:
    if value is None:
        return f"NULL::{type_name(type_)}"
    if type_.oid == UNKNOWN.oid:
        return f"'{value}'"
    if type(value) is tuple:
        return "(" + ", ".join(_constant(item, type_) for item in value[:20]) + ")"
    text = text_io.render(type_, value, DEFAULT_SETTINGS)
    if isinstance(value, bool):
        return "true" if value else "false"
    if type(value) in (int, float) and type_.oid in (20, 21, 23, 700, 701):
        return text
    return f"'{text}'::{type_name(TypeRef(type_.oid))}"


# ---- whole plans


@dataclass(frozen=True, slots=True)
class Look:
    """What to show of each operator: its columns by these names, and what was measured."""

    names: Mapping[int, str] = field(default_factory=dict)
    meters: Mapping[int, Meter] | None = None
    timing: bool = True

    def output(self, operator: Operator) -> list[str]:
        """Columns without a name of their own are left out."""
        found = [self.names.get(column, "column") for column in operator.columns]
        return [name for name in found if not name.startswith("column")]


def as_text(plan: Operator, look: Look | None = None) -> list[str]:
    lines: list[str] = []
    _lines(plan, 0, lines, look or Look())
    return lines


def _lines(operator: Operator, depth: int, lines: list[str], look: Look) -> None:
    operator = _shown(operator)
    arrow = "" if depth == 0 else "  " * (3 * depth - 2) + "->  "
    margin = "  " if depth == 0 else "  " * (3 * depth - 2) + "      "
    lines.append(arrow + operator.title() + _actual(operator, look))
    output = look.output(operator)
    if output:
        lines.append(f"{margin}Output: {', '.join(output)}")
    lines.extend(f"{margin}{label}: {text}" for label, text in operator.details() if text)
    meter = (look.meters or {}).get(id(operator))
    if meter is not None and meter.reads.round_trips:
        lines.append(f"{margin}Storage: {_reads_text(meter)}")
    for child in operator.children():
        _lines(child, depth + 1, lines, look)


def _actual(operator: Operator, look: Look) -> str:
    if look.meters is None:
        return ""
    meter = look.meters.get(id(operator))
    if meter is None or not meter.loops:
        return " (never executed)"
    loops = meter.loops
    times = ""
    if look.timing:
        times = f"time={meter.first_row_s * 1e3 / loops:.3f}..{meter.total_s * 1e3 / loops:.3f} "
    return f" (actual {times}rows={_each(meter)} loops={loops})"


def _each(meter: Meter) -> int:
    """Rows of one loop, as PostgreSQL rounds them."""
    return math.floor(meter.rows / meter.loops + 0.5) if meter.loops else 0


def _reads_text(meter: Meter) -> str:
    reads = meter.reads
    return (
        f"round trips={reads.round_trips} rows read={reads.rows_read} "
        f"returned={reads.rows_returned} bytes={reads.bytes_received} "
        f"processes={', '.join(sorted(reads.processes))}"
    )


def _shown(operator: Operator) -> Operator:
    """Projections say nothing that is worth a line."""
    while isinstance(operator, Transformed) and operator.name == "Projection":
        operator = operator.input
    return operator


def as_document(plan: Operator, look: Look | None = None) -> dict[str, Any]:
    """EXPLAIN (FORMAT JSON)."""
    look = look or Look()
    operator = _shown(plan)
    document: dict[str, Any] = {"Node Type": operator.title()}
    if look.meters is not None:
        _measured(document, look.meters.get(id(operator)), look)
    output = look.output(operator)
    if output:
        document["Output"] = output
    document.update((label, text) for label, text in operator.details() if text)
    children = [as_document(child, look) for child in operator.children()]
    if children:
        document["Plans"] = children
    return document


def _measured(document: dict[str, Any], meter: Meter | None, look: Look) -> None:
    loops = meter.loops if meter is not None else 0
    if look.timing:
        first, total = (meter.first_row_s, meter.total_s) if meter is not None else (0.0, 0.0)
        document["Actual Startup Time"] = round(first * 1e3 / max(loops, 1), 3)
        document["Actual Total Time"] = round(total * 1e3 / max(loops, 1), 3)
    document["Actual Rows"] = _each(meter) if meter is not None else 0
    document["Actual Loops"] = loops
    if meter is not None and meter.reads.round_trips:
        document["Storage"] = {
            "Round Trips": meter.reads.round_trips,
            "Rows Read": meter.reads.rows_read,
            "Rows Returned": meter.reads.rows_returned,
            "Bytes": meter.reads.bytes_received,
            "Processes": dict(sorted(meter.reads.processes.items())),
        }
