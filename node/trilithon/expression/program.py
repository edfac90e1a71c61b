"""A filter and a projection as bytes: what the query processor sends to storage.

The format is msgpack: [version, missing values, filter, projection]; an expression is a list of nodes
in post-order, each [number, layout, fields…], so that reading and writing need no recursion. Columns,
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
from trilithon.expression import ir
from trilithon.expression.compile import EvalContext, compile_rows, pushable
from trilithon.expression.functions import get_function
from trilithon.types import rows
from trilithon.types.registry import TYPES, TypeRef

__all__ = ["CompiledProgram", "MalformedProgram", "Program", "pushable"]

VERSION: Final = 1
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
    """`projection` None: whole rows. `missing`: defaults of columns, for rows that are too short."""

    filter: ir.Expr | None = None
    projection: tuple[ir.Expr, ...] | None = None
    missing: tuple[Any, ...] = ()

    def to_bytes(self) -> bytes:
        return rows.encode_nested(
            [
                VERSION,
                list(map(rows.wrap, self.missing)),
                None if self.filter is None else _dump(self.filter),
                None if self.projection is None else [_dump(expr) for expr in self.projection],
            ]
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Program:
        """Raises MalformedProgram (a ValueError)."""
        try:
            version, missing, condition, projection = rows.decode_row(data)
            if version != VERSION:
                raise MalformedProgram(f"a program of version {version}, not {VERSION}")
            return cls(
                None if condition is None else _load(condition),
                None if projection is None else tuple(_load(expr) for expr in projection),
                tuple(missing),
            )
        except _BAD_PROGRAM as error:
            raise MalformedProgram(f"not a program: {error}") from error

    def compiled(self) -> CompiledProgram:
        return CompiledProgram(self.missing, compile_rows(self.filter, self.projection))


@lru_cache(maxsize=1024)
def compile_bytes(data: bytes) -> CompiledProgram:
    """A program as it arrived, ready to run; equal bytes are compiled once.

    Raises MalformedProgram; SqlError 54001.
    """
    return Program.from_bytes(data).compiled()


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


_NUMBER_FIELDS: Final = frozenset({"index", "number"})
_FLAG_FIELDS: Final = frozenset({"nullable", "explicit", "negated", "greatest", "all", "nested"})
_IDS_FIELDS: Final = frozenset({"equals", "compares"})


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
        case ir.Slice():
            if len(node.open) != 2 * len(node.bounds):
                raise MalformedProgram("a slice with too few bounds")
        case _:
            pass


def _check_binary(function_id: str) -> None:
    if len(get_function(function_id).arguments) != 2:
        raise MalformedProgram(f"{function_id} is no binary operator")
