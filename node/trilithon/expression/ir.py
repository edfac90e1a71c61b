"""The expression tree: frozen, typed, fully resolved nodes.

Every node has `type`. A node's SHAPE lists its fields in order with what they hold; that is all that
`children`, `rebuild` and the wire format (`program`) need to know. A new node is a class here, its
entry in NODES, and a case in `compile`.

Kinds of fields: "one" an expression, "many" a tuple of them, "maybe" one or None, "pairs" a tuple of
pairs of them; "type" a TypeRef, "data" a number, string, boolean or tuple of strings, "value" an
in-memory SQL value, "values" a tuple of those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Final

from trilithon.types.registry import BOOL, RECORD, TypeRef

Shape = tuple[tuple[str, str], ...]


class Expr:
    """The base of all nodes."""

    __slots__ = ()
    SHAPE: ClassVar[Shape] = ()

    if TYPE_CHECKING:

        @property
        def type(self) -> TypeRef: ...

    def children(self) -> list[Expr]:
        found: list[Expr] = []
        for name, kind in self.SHAPE:
            value = getattr(self, name)
            if kind == "one":
                found.append(value)
            elif kind == "many":
                found += value
            elif kind == "maybe":
                if value is not None:
                    found.append(value)
            elif kind == "pairs":
                for pair in value:
                    found += pair
        return found

    def rebuild(self, children: Sequence[Expr]) -> Expr:
        """The same node around other children (as many, in `children()`'s order)."""
        rest = iter(children)
        values: list[Any] = []
        for name, kind in self.SHAPE:
            value = getattr(self, name)
            if kind == "one":
                value = next(rest)
            elif kind == "many":
                value = tuple(next(rest) for _ in value)
            elif kind == "maybe":
                value = None if value is None else next(rest)
            elif kind == "pairs":
                value = tuple((next(rest), next(rest)) for _ in value)
            values.append(value)
        return type(self)(*values)


class _Boolean(Expr):
    """A node whose type is always boolean."""

    __slots__ = ()

    @property
    def type(self) -> TypeRef:
        return BOOL


@dataclass(frozen=True, slots=True)
class Column(Expr):
    """The value at `index` of the input row."""

    index: int
    type: TypeRef
    nullable: bool = True
    SHAPE: ClassVar[Shape] = (("index", "data"), ("type", "type"), ("nullable", "data"))


@dataclass(frozen=True, slots=True)
class Constant(Expr):
    """A literal; of type UNKNOWN its value is the text as written (or None)."""

    value: Any
    type: TypeRef
    SHAPE: ClassVar[Shape] = (("value", "value"), ("type", "type"))


@dataclass(frozen=True, slots=True)
class Parameter(Expr):
    """$number, counted from 1."""

    number: int
    type: TypeRef
    SHAPE: ClassVar[Shape] = (("number", "data"), ("type", "type"))


@dataclass(frozen=True, slots=True)
class Call(Expr):
    """A function or operator by its id; the arguments have its argument types already."""

    function: str
    args: tuple[Expr, ...]
    type: TypeRef
    SHAPE: ClassVar[Shape] = (("function", "data"), ("args", "many"), ("type", "type"))


@dataclass(frozen=True, slots=True)
class Cast(Expr):
    """To `type`, modifier included; `explicit` as CAST is (char(n) then truncates silently)."""

    arg: Expr
    type: TypeRef
    explicit: bool = True
    SHAPE: ClassVar[Shape] = (("arg", "one"), ("type", "type"), ("explicit", "data"))


@dataclass(frozen=True, slots=True)
class And(_Boolean):
    args: tuple[Expr, ...]
    SHAPE: ClassVar[Shape] = (("args", "many"),)


@dataclass(frozen=True, slots=True)
class Or(_Boolean):
    args: tuple[Expr, ...]
    SHAPE: ClassVar[Shape] = (("args", "many"),)


@dataclass(frozen=True, slots=True)
class Not(_Boolean):
    arg: Expr
    SHAPE: ClassVar[Shape] = (("arg", "one"),)


@dataclass(frozen=True, slots=True)
class IsNull(_Boolean):
    """IS NULL, or IS NOT NULL when negated. Of a scalar: rows are the analyser's business."""

    arg: Expr
    negated: bool = False
    SHAPE: ClassVar[Shape] = (("arg", "one"), ("negated", "data"))


@dataclass(frozen=True, slots=True)
class BooleanTest(_Boolean):
    """IS [NOT] TRUE, FALSE or UNKNOWN: `expected` is True, False or None."""

    arg: Expr
    expected: bool | None
    negated: bool = False
    SHAPE: ClassVar[Shape] = (("arg", "one"), ("expected", "data"), ("negated", "data"))


@dataclass(frozen=True, slots=True)
class IsDistinct(_Boolean):
    """IS DISTINCT FROM by the `equal` function; negated: IS NOT DISTINCT FROM."""

    equal: str
    left: Expr
    right: Expr
    negated: bool = False
    SHAPE: ClassVar[Shape] = (
        ("equal", "data"),
        ("left", "one"),
        ("right", "one"),
        ("negated", "data"),
    )


@dataclass(frozen=True, slots=True)
class NullIf(Expr):
    """NULL where `equal(left, right)`, else left."""

    equal: str
    left: Expr
    right: Expr
    type: TypeRef
    SHAPE: ClassVar[Shape] = (
        ("equal", "data"),
        ("left", "one"),
        ("right", "one"),
        ("type", "type"),
    )


@dataclass(frozen=True, slots=True)
class CaseOperand(Expr):
    """The operand of the nearest CASE around, evaluated once."""

    type: TypeRef
    SHAPE: ClassVar[Shape] = (("type", "type"),)


@dataclass(frozen=True, slots=True)
class Case(Expr):
    """CASE [operand] WHEN … THEN … ELSE … END. The conditions are booleans; with an operand they
    are comparisons with CaseOperand."""

    operand: Expr | None
    whens: tuple[tuple[Expr, Expr], ...]
    otherwise: Expr | None
    type: TypeRef
    SHAPE: ClassVar[Shape] = (
        ("operand", "maybe"),
        ("whens", "pairs"),
        ("otherwise", "maybe"),
        ("type", "type"),
    )


@dataclass(frozen=True, slots=True)
class Coalesce(Expr):
    args: tuple[Expr, ...]
    type: TypeRef
    SHAPE: ClassVar[Shape] = (("args", "many"), ("type", "type"))


@dataclass(frozen=True, slots=True)
class MinMax(Expr):
    """GREATEST or LEAST; NULLs are ignored. `less` is the type's "<" function."""

    less: str
    args: tuple[Expr, ...]
    type: TypeRef
    greatest: bool
    SHAPE: ClassVar[Shape] = (
        ("less", "data"),
        ("args", "many"),
        ("type", "type"),
        ("greatest", "data"),
    )


@dataclass(frozen=True, slots=True)
class InSet(_Boolean):
    """arg IN (values) by hashing; the values are of arg's type, None among them is NULL."""

    arg: Expr
    values: tuple[Any, ...]
    negated: bool = False
    SHAPE: ClassVar[Shape] = (("arg", "one"), ("values", "values"), ("negated", "data"))


@dataclass(frozen=True, slots=True)
class AnyAll(_Boolean):
    """left OPERATOR ANY (array), or ALL: `function` is a boolean operator's id."""

    function: str
    left: Expr
    right: Expr
    all: bool = False
    SHAPE: ClassVar[Shape] = (
        ("function", "data"),
        ("left", "one"),
        ("right", "one"),
        ("all", "data"),
    )


@dataclass(frozen=True, slots=True)
class ArrayLiteral(Expr):
    """ARRAY[…]; when `nested`, the items are arrays that become one of a dimension more."""

    items: tuple[Expr, ...]
    type: TypeRef
    nested: bool = False
    SHAPE: ClassVar[Shape] = (("items", "many"), ("type", "type"), ("nested", "data"))


@dataclass(frozen=True, slots=True)
class Subscript(Expr):
    """array[i][j]…: the element, NULL outside the bounds."""

    array: Expr
    indexes: tuple[Expr, ...]
    type: TypeRef
    SHAPE: ClassVar[Shape] = (("array", "one"), ("indexes", "many"), ("type", "type"))


@dataclass(frozen=True, slots=True)
class Slice(Expr):
    """array[a:b][c:d]…; a bound that was left out is a NULL Constant with `open` saying so:
    `open` has two characters a dimension, "1" where the bound was left out."""

    array: Expr
    bounds: tuple[tuple[Expr, Expr], ...]
    open: str
    type: TypeRef
    SHAPE: ClassVar[Shape] = (
        ("array", "one"),
        ("bounds", "pairs"),
        ("open", "data"),
        ("type", "type"),
    )


@dataclass(frozen=True, slots=True)
class Row(Expr):
    """ROW(…), a tuple."""

    args: tuple[Expr, ...]
    SHAPE: ClassVar[Shape] = (("args", "many"),)

    @property
    def type(self) -> TypeRef:
        return RECORD


@dataclass(frozen=True, slots=True)
class NamedRow(Expr):
    """A row of a named type, or one whose fields have names; without `names` they are the type's, or f1, …"""

    args: tuple[Expr, ...]
    names: tuple[str, ...]
    type: TypeRef
    SHAPE: ClassVar[Shape] = (("args", "many"), ("names", "data"), ("type", "type"))


@dataclass(frozen=True, slots=True)
class Field(Expr):
    """The field at `position` (from 0) of a row."""

    row: Expr
    position: int
    type: TypeRef
    SHAPE: ClassVar[Shape] = (("row", "one"), ("position", "data"), ("type", "type"))


@dataclass(frozen=True, slots=True)
class RowIsNull(_Boolean):
    """IS NULL of a row, as SQL has it: it, or each of its fields, is NULL; negated: none of them is."""

    row: Expr
    negated: bool = False
    SHAPE: ClassVar[Shape] = (("row", "one"), ("negated", "data"))


@dataclass(frozen=True, slots=True)
class RowCompare(_Boolean):
    """(a, b, …) < (x, y, …) and <=, >, >=; = and <> are And and Or of the columns' own.

    `equals` and `compares` are, by column, the ids of = and of `operator`'s strict form (< or >).
    """

    operator: str
    equals: tuple[str, ...]
    compares: tuple[str, ...]
    pairs: tuple[tuple[Expr, Expr], ...]
    SHAPE: ClassVar[Shape] = (
        ("operator", "data"),
        ("equals", "data"),
        ("compares", "data"),
        ("pairs", "pairs"),
    )


# The order is the wire format's numbering: append only.
NODES: Final[tuple[type[Expr], ...]] = (
    Column,
    Constant,
    Parameter,
    Call,
    Cast,
    And,
    Or,
    Not,
    IsNull,
    BooleanTest,
    IsDistinct,
    NullIf,
    CaseOperand,
    Case,
    Coalesce,
    MinMax,
    InSet,
    AnyAll,
    ArrayLiteral,
    Subscript,
    Slice,
    Row,
    RowCompare,
    NamedRow,
    Field,
    RowIsNull,
)

TRUE: Final = Constant(True, BOOL)
FALSE: Final = Constant(False, BOOL)


def null(ref: TypeRef) -> Constant:
    return Constant(None, ref)


def post_order(root: Expr) -> Iterator[Expr]:
    """All nodes, children before their parents, left to right; without recursion."""
    stack: list[tuple[Expr, bool]] = [(root, False)]
    while stack:
        node, entered = stack.pop()
        if entered:
            yield node
            continue
        stack.append((node, True))
        stack += [(child, False) for child in reversed(node.children())]


def transform(root: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """Rebuild bottom-up: `change` gets each node with its children already changed."""
    done: list[Expr] = []
    for node in post_order(root):
        count = len(node.children())
        if count:
            children = done[-count:]
            del done[-count:]
            if any(new is not old for new, old in zip(children, node.children(), strict=True)):
                node = node.rebuild(children)
        done.append(change(node))
    return done[0]


def columns_of(root: Expr) -> set[int]:
    """The indexes of all columns that the expression reads."""
    return {node.index for node in post_order(root) if isinstance(node, Column)}


def map_columns(root: Expr, new_index: Callable[[int], int]) -> Expr:
    """The same expression over rows laid out otherwise."""

    def change(node: Expr) -> Expr:
        if isinstance(node, Column):
            return Column(new_index(node.index), node.type, node.nullable)
        return node

    return transform(root, change)


def replace_parameters(root: Expr, values: Sequence[Any]) -> Expr:
    """Parameters as constants: how an expression gets ready for storage."""

    def change(node: Expr) -> Expr:
        if isinstance(node, Parameter):
            return Constant(values[node.number - 1], node.type)
        return node

    return transform(root, change)


def field_names(node: type[Expr]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(node))  # type: ignore[arg-type]
