"""A filter, a projection and an aggregation as bytes: what the query processor sends to storage.

The format is msgpack: [version, missing values, filter, projection], with an aggregation (version 2)
also [width, calls]; an expression is a list of nodes in post-order, each [number, layout, fields…], so that reading and writing need no recursion. Columns,
values and function ids only: nothing that arrives is ever evaluated as code, and ids are looked up in
the registry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import msgspec

from trilithon.core.errors import SqlError
from trilithon.core.invariant import require
from trilithon.expression import ir
from trilithon.expression.compile import EvalContext, compile_rows, pushable
from trilithon.expression.functions import get_function
from trilithon.expression.partial import Aggregation, PartialCall
from trilithon.types import rows
from trilithon.types.registry import TYPES, TypeRef

__all__ = ["CompiledProgram", "MalformedProgram", "Program", "pushable"]

VERSION: Final = 1
# With an aggregation. Programs without one stay readable for older storage.
VERSION_AGGREGATING: Final = 2
_NUMBERS: Final = {node: number for number, node in enumerate(ir.NODES)}


# What reading a program of a wrong shape can run into.
_BAD_PROGRAM: Final = (
    ValueError,
    TypeError,
    LookupError,
    StopIteration,
    RuntimeError,
    OverflowError,
    SqlError,
    msgspec.MsgspecError,
)


class MalformedProgram(ValueError):
    """Bytes that are no program of this version."""


@dataclass(frozen=True, slots=True)
class CompiledProgram:
    """`run` maps rows to the rows that pass, projected. Rows shorter than `missing` (written before
    a column was added) are padded from it."""

    missing: tuple[Any, ...]
    _run: Any

    def run(self, batch: list[Any], ctx: EvalContext) -> list[Any]:
        """Raises SqlError."""
        width = len(self.missing)
        if width:
            batch = [
                row if len(row) >= width else [*row, *self.missing[len(row) :]] for row in batch
            ]
        try:
            result: list[Any] = self._run(batch, ctx)
        except (TypeError, ValueError, IndexError, ArithmeticError, AttributeError) as error:
            # A program that does not fit the rows: a defect of whoever sent it, not of this process.
            raise SqlError("XX000", f"an expression does not fit its rows: {error}") from error
        except RecursionError as error:
            raise SqlError("54001", "stack depth limit exceeded") from error
        return result


@dataclass(frozen=True, slots=True)
class Program:
    """`projection` None: whole rows. `missing`: defaults of columns, for rows that are too short.
    With `aggregation` the projection makes prepared rows, and partial rows come out (`partial`)."""

    filter: ir.Expr | None = None
    projection: tuple[ir.Expr, ...] | None = None
    missing: tuple[Any, ...] = ()
    aggregation: Aggregation | None = None

    def to_bytes(self) -> bytes:
        parts: list[Any] = [
            VERSION if self.aggregation is None else VERSION_AGGREGATING,
            list(map(rows.wrap, self.missing)),
            None if self.filter is None else _dump(self.filter),
            None if self.projection is None else [_dump(expr) for expr in self.projection],
        ]
        if self.aggregation is not None:
            calls = [[c.function, list(c.arguments), c.filter] for c in self.aggregation.calls]
            parts.append([self.aggregation.width, calls])
        return rows.encode_nested(parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> Program:
        """Raises MalformedProgram (a ValueError)."""
        try:
            version, missing, condition, projection, *more = rows.decode_row(data)
            if version not in (VERSION, VERSION_AGGREGATING):
                raise MalformedProgram(
                    f"a program of version {version}, not {VERSION} or {VERSION_AGGREGATING}"
                )
            made = None if projection is None else tuple(_load(expr) for expr in projection)
            aggregation = None
            if version == VERSION_AGGREGATING:
                ((width, calls),) = more
                aggregation = _load_aggregation(width, calls, made)
            elif more:
                raise MalformedProgram("more than a program")
            return cls(
                None if condition is None else _load(condition), made, tuple(missing), aggregation
            )
        except _BAD_PROGRAM as error:
            raise MalformedProgram(f"not a program: {error}") from error

    def compiled(self) -> CompiledProgram:
        """Of rows to rows: an aggregation is not looked at."""
        return CompiledProgram(self.missing, compile_rows(self.filter, self.projection))


@lru_cache(maxsize=1024)
def compile_bytes(data: bytes) -> CompiledProgram:
    """A program as it arrived, ready to run; equal bytes are compiled once.

    Raises MalformedProgram; SqlError 54001.
    """
    program = Program.from_bytes(data)
    require(program.aggregation is None, "an aggregating program gives no rows one by one")
    return program.compiled()


def _load_aggregation(
    width: Any, calls: Any, projection: tuple[ir.Expr, ...] | None
) -> Aggregation:
    made = tuple(
        PartialCall(function, tuple(arguments), condition)
        for function, arguments, condition in calls
    )
    numbers = [width, *(at for call in made for at in (*call.arguments, call.filter))]
    if any(type(number) is not int for number in numbers):
        raise MalformedProgram("an aggregation's positions are numbers")
    aggregation = Aggregation(width, made)
    if projection is None or not aggregation.fits(len(projection)):
        raise MalformedProgram("an aggregation that does not fit its projection")
    return aggregation


def _dump(root: ir.Expr) -> list[Any]:
    nodes: list[Any] = []
    for node in ir.post_order(root):
        layout: list[int] = []
        fields: list[Any] = []
        for name, kind in node.SHAPE:
            value = getattr(node, name)
            match kind:
                case "many" | "pairs":
                    layout.append(len(value))
                case "maybe":
                    layout.append(0 if value is None else 1)
                case "type":
                    fields.append([value.oid, value.typmod])
                case "data":
                    fields.append(list(value) if isinstance(value, tuple) else value)
                case "value":
                    fields.append(rows.wrap(value))
                case "values":
                    fields.append([rows.wrap(item) for item in value])
        nodes.append([_NUMBERS[type(node)], layout, *fields])
    return nodes


def _load(nodes: Sequence[Any]) -> ir.Expr:
    done: list[ir.Expr] = []
    for number, layout, *fields in nodes:
        if not isinstance(number, int) or not 0 <= number < len(ir.NODES):
            raise MalformedProgram(f"unknown node {number!r}")
        done.append(_load_node(ir.NODES[number], iter(layout), iter(fields), done))
    if len(done) != 1:
        raise MalformedProgram("the nodes do not make one expression")
    return done[0]


def _load_node(kind: type[ir.Expr], layout: Any, fields: Any, done: list[ir.Expr]) -> ir.Expr:
    counts: dict[str, int] = {}
    for name, shape in kind.SHAPE:
        if shape in ("many", "maybe"):
            counts[name] = _count(next(layout, None))
        elif shape == "pairs":
            counts[name] = 2 * _count(next(layout, None))
        elif shape == "one":
            counts[name] = 1
    total = sum(counts.values())
    if total > len(done):
        raise MalformedProgram("a node lacks its children")
    children = iter(done[len(done) - total :])
    del done[len(done) - total :]
    values: list[Any] = []
    for name, shape in kind.SHAPE:
        match shape:
            case "one":
                values.append(next(children))
            case "many":
                values.append(tuple(next(children) for _ in range(counts[name])))
            case "maybe":
                values.append(next(children) if counts[name] else None)
            case "pairs":
                values.append(
                    tuple((next(children), next(children)) for _ in range(counts[name] // 2))
                )
            case "type":
                values.append(_load_type(next(fields)))
            case "value":
                values.append(next(fields))
            case "values":
                values.append(tuple(next(fields)))
            case _:
                values.append(_load_data(name, next(fields)))
    node = kind(*values)
    _check(node)
    return node


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise MalformedProgram("a node's layout is wrong")
    return value


def _load_type(pair: Any) -> TypeRef:
    oid, typmod = pair
    if oid not in TYPES or type(typmod) is not int:
        raise MalformedProgram(f"unknown type {oid!r}")
    return TypeRef(oid, typmod)


_NUMBER_FIELDS: Final = frozenset({"index", "number", "position"})
_FLAG_FIELDS: Final = frozenset({"nullable", "explicit", "negated", "greatest", "all", "nested"})
_IDS_FIELDS: Final = frozenset({"equals", "compares", "names"})


def _load_data(name: str, value: Any) -> Any:
    if name in _NUMBER_FIELDS:
        good = type(value) is int and 0 <= value < 1 << 16
    elif name in _FLAG_FIELDS:
        good = type(value) is bool
    elif name in _IDS_FIELDS:
        value = tuple(value)
        good = all(type(item) is str for item in value)
    elif name == "expected":
        good = value is None or type(value) is bool
    else:
        good = type(value) is str
    if not good:
        raise MalformedProgram(f"field {name} has a wrong value")
    return value


def _check(node: ir.Expr) -> None:
    """What the compiler relies on and a shape cannot say."""
    match node:
        case ir.Call():
            entry = get_function(node.function)
            if entry.returns_set:
                raise MalformedProgram(f"{entry.id} gives a set")
            if not entry.variadic and len(entry.arguments) != len(node.args):
                raise MalformedProgram(f"{entry.id} has another number of arguments")
        case ir.AnyAll():
            _check_binary(node.function)
        case ir.IsDistinct() | ir.NullIf():
            _check_binary(node.equal)
        case ir.MinMax():
            _check_binary(node.less)
        case ir.RowCompare():
            if not len(node.equals) == len(node.compares) == len(node.pairs):
                raise MalformedProgram("a row comparison with too few operators")
            for function_id in node.equals + node.compares:
                _check_binary(function_id)
        case ir.NamedRow():
            if node.names and len(node.names) != len(node.args):
                raise MalformedProgram("a row with too few names")
        case ir.Slice():
            if len(node.open) != 2 * len(node.bounds):
                raise MalformedProgram("a slice with too few bounds")
        case _:
            pass


def _check_binary(function_id: str) -> None:
    if len(get_function(function_id).arguments) != 2:
        raise MalformedProgram(f"{function_id} is no binary operator")
