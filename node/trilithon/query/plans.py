"""What a statement becomes: its plan, the plan with its statement, the result of running it.

A plan is found again by `cache_key` and holds what it rests on; whether that is still so, the engine says.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.context import EvalContext
from trilithon.query.analyse.names import BY_ID
from trilithon.query.analyse.tree import Bound, OutputColumn
from trilithon.query.catalog.definitions import Function, Table, View
from trilithon.query.catalog.definitions import Sequence as SequenceObject
from trilithon.query.catalog_views import object_names
from trilithon.query.execute.operators import Operator
from trilithon.query.execute.scans import PointScan
from trilithon.query.parse import Statement
from trilithon.query.plan.estimates import RANGE
from trilithon.query.statistics.definitions import Watch
from trilithon.types import text_io
from trilithon.types.registry import RECORD, TypeRef
from trilithon.types.values import UnresolvedName

# Values are unusual that keep so many times more, or less, of a table than most; and twice so, thrice so, …
UNUSUAL: Final = 3.0
_MAGNITUDE_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class ResultColumn:
    name: str
    type: TypeRef
    table_oid: int = 0
    attnum: int = 0


@dataclass(slots=True, eq=False)
class Plan:
    """An executable statement, shared by everyone who may use it."""

    root: Operator
    parameter_types: tuple[TypeRef, ...]
    lifted_types: tuple[TypeRef, ...]
    columns: tuple[ResultColumn, ...] | None
    verb: str
    read_only: bool
    slots: int
    # Ids of the tables, views and sequences whose definitions the plan rests on.
    used: tuple[int, ...]
    lookups: tuple[tuple[Any, Any], ...]
    # The catalog that it was last known to be right for.
    catalog: Any
    # Readers of lifted strings by position; others are as they are.
    readers: tuple[tuple[int, TypeRef], ...] = ()
    # What it reads first, where it is rows by key.
    first: PointScan | None = None
    # (table, its statistics) that it was made by, and the generation in which they were last looked at.
    statistics: tuple[tuple[Table, Any], ...] = ()
    generation: int = 0
    types: tuple[Any, ...] = ()
    # Parameters whose values may ask for another plan, and the plans that were made for such values.
    watched: tuple[Watch, ...] = ()
    variants: dict[tuple[int, ...], Plan] = field(default_factory=dict)
    # Positions of the parameters that may come as names of catalog objects.
    named: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        kinds = object_names.KINDS
        self.named = tuple(n for n, ref in enumerate(self.parameter_types) if ref.oid in kinds)


@dataclass(slots=True, eq=False)
class Prepared:
    """One statement with its plan: what a session keeps."""

    statement: Statement
    plan: Any
    settings: Any

    @property
    def parameter_types(self) -> tuple[TypeRef, ...]:
        types: tuple[TypeRef, ...] = self.plan.parameter_types
        return types

    @property
    def columns(self) -> tuple[ResultColumn, ...] | None:
        columns: tuple[ResultColumn, ...] | None = self.plan.columns
        return columns

    @property
    def read_only(self) -> bool:
        return bool(self.plan.read_only)


@dataclass(slots=True)
class Result:
    """`rows` is a list, or an iterator of lists whose reader counts and completes the tag."""

    columns: tuple[ResultColumn, ...] | None
    rows: list[Any] | AsyncIterator[list[Any]]
    command_tag: str


# ---- what a plan rests on


def magnitude(watch: Watch, values: Sequence[Any]) -> int:
    """How far what a value keeps is from what most keep, in powers of UNUSUAL; 0: near enough."""
    number, operator, spread = watch
    part = spread.part(operator, values[number - 1])
    if part is None:
        return 0
    usual = spread.average(operator) or 1.0 / RANGE
    power = int(math.log(part / usual, UNUSUAL))
    return max(-_MAGNITUDE_MAX, min(power, _MAGNITUDE_MAX))


def cache_key(parameter_oids: Sequence[int], settings: Any) -> Any:
    io = settings.io
    return (
        tuple(parameter_oids),
        settings.search_path,
        settings.database,
        io.timezone,
        io.datestyle,
        io.intervalstyle,
    )


def look_up(catalog: Any, path: Sequence[str], name: Any) -> Any:
    if path and path[0] == BY_ID:
        return catalog.object_by_id(name)
    for place in path:
        found = catalog.relation((place,), name)
        if found is not None:
            return found
    return None


def result_column(column: OutputColumn) -> ResultColumn:
    type_ = RECORD if column.type.oid == RECORD.oid else column.type
    return ResultColumn(column.name, type_, column.table_oid, column.number)


def used_objects(bound: Bound) -> tuple[int, ...]:
    used = [table.id for table in bound.tables]
    for _, found in bound.lookups:
        if isinstance(found, View | SequenceObject):
            used.append(found.id)
        elif isinstance(found, tuple):
            used += [one.id for one in found if isinstance(one, Function)]
    used += [found.id for found in bound.types]
    return tuple(dict.fromkeys(used))


def require_same_shape(before: Plan, after: Plan) -> None:
    if (before.columns is None) != (after.columns is None) or (
        [(c.name, c.type) for c in before.columns or ()]
        != [(c.name, c.type) for c in after.columns or ()]
    ):
        raise SqlError("0A000", "cached plan must not change result type")


def resolve_names(plan: Plan, values: list[Any], catalog: Any, path: tuple[str, ...]) -> None:
    """Parameters that came as names become oids. SqlError as `object_names.resolve`."""
    for position in plan.named:
        if isinstance(values[position], UnresolvedName):
            kind = plan.parameter_types[position].oid
            values[position] = object_names.resolve(catalog, path, kind, values[position])


def read_lifted(plan: Plan, constants: Sequence[Any], context: EvalContext) -> Sequence[Any]:
    if not plan.readers:
        return constants
    values = list(constants)
    for position, type_ in plan.readers:
        values[position] = text_io.parse(type_, values[position], context.settings)
    return values


def words(tag: str) -> str:
    """ "DeclareCursorStmt" → "DECLARE CURSOR"."""
    text = "".join(" " + letter if letter.isupper() else letter for letter in tag)
    return text.removesuffix(" Stmt").strip().upper()
