"""The shown tree: an analysed expression with everything that PostgreSQL displays of it.

Unlike a parse tree it has types and coercions, unlike the bound tree it has the forms that were written
(IN, CASE, named arguments). Every node has a `type`; `domain` is the domain that its values belong to.
*Implicit* casts are those that the context asked for; they are shown only within other expressions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from trilithon.query.catalog.definitions import Domain
from trilithon.types.registry import BOOL, RECORD, TypeRef

Shown = Any  # one of the classes below
CastKind = Literal["function", "relabel", "io", "array", "domain"]


class Unshown(Exception):
    """A form that is not known here: the definition is shown as it was written."""


@dataclass(frozen=True, slots=True, eq=False)
class Const:
    """`type` UNKNOWN: a literal that nothing typed; its value is its text."""

    value: Any
    type: TypeRef
    domain: Domain | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    name: str
    type: TypeRef
    domain: Domain | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """CURRENT_DATE, VALUE, a function's argument: what stands as it is."""

    text: str
    type: TypeRef
    # A key word, as opposed to a name.
    function: bool = False
    domain: Domain | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """A prefix operator has no `left`."""

    name: str
    left: Shown | None
    right: Shown
    type: TypeRef
    domain: Domain | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """`syntax`: written in SQL's own way (EXTRACT (a FROM b)). `labels`: names of named arguments."""

    name: str
    arguments: tuple[Shown, ...]
    type: TypeRef
    syntax: bool = False
    labels: tuple[str, ...] = ()
    domain: Domain | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """`type` with its modifier, or `domain`."""

    argument: Shown
    type: TypeRef
    kind: CastKind
    implicit: bool
    domain: Domain | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Logic:
    """AND, OR or NOT."""

    word: str
    arguments: tuple[Shown, ...]
    type: TypeRef = BOOL
    domain: Domain | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AnyAll:
    operator: str
    all: bool
    left: Shown
    right: Shown
    type: TypeRef = BOOL
    domain: Domain | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Test:
    """IS NULL, IS NOT TRUE and kin."""

    argument: Shown
    words: str
    type: TypeRef = BOOL
    domain: Domain | None = None


@dataclass(frozen=True, slots=True, eq=False)
class IsDistinct:
    left: Shown
    right: Shown
    type: TypeRef = BOOL
    domain: Domain | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """COALESCE, GREATEST, LEAST, NULLIF, GROUPING."""

    word: str
    arguments: tuple[Shown, ...]
    type: TypeRef
    domain: Domain | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    operand: Shown | None
    whens: tuple[tuple[Shown, Shown], ...]
    otherwise: Shown
    type: TypeRef
    domain: Domain | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Array:
    items: tuple[Shown, ...]
    type: TypeRef
    domain: Domain | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    items: tuple[Shown, ...]
    type: TypeRef = RECORD
    domain: Domain | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RowCompare:
    operator: str
    left: tuple[Shown, ...]
    right: tuple[Shown, ...]
    type: TypeRef = BOOL
    domain: Domain | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Subscript:
    """`steps` are (lower, upper, slice)."""

    argument: Shown
    steps: tuple[tuple[Shown | None, Shown | None, bool], ...]
    type: TypeRef
    domain: Domain | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Collate:
    argument: Shown
    name: str
    type: TypeRef
    domain: Domain | None = None
