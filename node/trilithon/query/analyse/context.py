"""What one statement's analysis carries along: ids, parameters, the catalog, locations of errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, Protocol

from trilithon.core.errors import SqlError
from trilithon.query.analyse.notes import Notes
from trilithon.query.analyse.tree import Cte, OutputColumn
from trilithon.query.catalog.definitions import ViewSource
from trilithon.query.parse.statement import Lifted, Statement, character_position
from trilithon.types.registry import TEXT, UNKNOWN, TypeRef

DEPTH_MAX: Final = 450
PARAMETERS_MAX: Final = 65_535
# Types whose literals name catalog objects (regproc, regclass and their like): read while analysing.
_BY_NAME: Final = frozenset({24, 2202, 2205, 2206, 4089, 4096})


class SettingsLike(Protocol):
    """What analysis needs of a session."""

    @property
    def search_path(self) -> Sequence[str]: ...
    @property
    def io(self) -> Any: ...
    @property
    def user(self) -> str: ...
    @property
    def database(self) -> str: ...


@dataclass(slots=True)
class CteBinding:
    """A WITH query's name in a scope. `columns` are its outputs; `used` counts references."""

    name: str
    cte: Cte | None
    columns: tuple[OutputColumn, ...]
    used: int = 0


@dataclass(slots=True, eq=False)
class Analysis:
    """One statement being analysed."""

    statement: Statement
    catalog: Any
    settings: Any
    virtual: Mapping[tuple[str, str], Any]
    parameters: list[TypeRef]
    # True: a $n beyond the declared ones is an error (inside views and defaults: all are).
    parameters_fixed: bool = False
    lifted: dict[int, TypeRef] = field(default_factory=dict)
    tables: dict[int, Any] = field(default_factory=dict)
    lookups: list[tuple[Any, Any]] = field(default_factory=list)
    cacheable: bool = True
    read_only: bool = True
    depth: int = 0
    # Inside a SQL function's body: what $n means, and the functions around it.
    arguments: tuple[Any, ...] | None = None
    functions: tuple[int, ...] = ()
    # In a table's definition, where functions of the catalog may not be called.
    built_in_only: bool = False
    # Shapes of records, by the modifiers of their types (see `fields`).
    shapes: list[Any] = field(default_factory=list)
    # The parse trees of views and functions that the statement uses; how many trees, its own first, have
    # been searched for names that stand alone, and those (see `whole_rows`).
    texts: list[Any] = field(default_factory=list)
    alone: tuple[int, set[str]] = field(default_factory=lambda: (0, set()))
    next_column: int = 1
    next_cte: int = 1
    # Where each column id was first mentioned, for errors about it.
    mentioned: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    # What the columns of scalar subqueries are called, by the identity of the subquery's node.
    subquery_names: dict[int, str] = field(default_factory=dict)
    # Domains and enumerated types that the statement rests on, by id.
    types: dict[int, Any] = field(default_factory=dict)
    # What is known of a table's contents, for the planner.
    statistics: Callable[[Any], Any] = lambda table: None
    # Literals that are still untyped, by identity, with their places: for errors about their texts.
    literals: dict[int, tuple[Any, int]] = field(default_factory=dict)
    # Nested sources (views, defaults) have no position in the statement's own text.
    silent: int = 0
    # What was found out about each parse node, where somebody wants to know.
    notes: Notes | None = None
    # Inside a view: what it means by the relations that it names (see `view_sources`).
    sources: Mapping[tuple[str, str], ViewSource] = field(default_factory=dict)

    def column(
        self, name: str, type_: TypeRef, table_oid: int = 0, number: int = 0
    ) -> OutputColumn:
        identifier = self.next_column
        self.next_column += 1
        return OutputColumn(identifier, name, type_, table_oid, number)

    # ---- errors

    def position(self, location: int | None) -> int:
        if location is None or self.silent:
            return 0
        return character_position(self.statement.source, location)

    def fail(
        self,
        sqlstate: str,
        message: str,
        location: int | None = None,
        *,
        detail: str = "",
        hint: str = "",
    ) -> NoReturn:
        raise SqlError(
            sqlstate, message, detail=detail, hint=hint, position=self.position(location)
        )

    def unsupported(self, what: str, location: int | None = None) -> NoReturn:
        self.fail("0A000", f"{what} is not supported", location)

    def at(self, location: int | None, call: Callable[..., Any], *arguments: Any) -> Any:
        """Call a resolver; its SqlError gets this place's position."""
        try:
            return call(*arguments)
        except SqlError as error:
            if not error.position:
                error.position = self.position(location)
            raise

    def descend(self, location: int | None) -> None:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            self.fail(
                "54001",
                "stack depth limit exceeded",
                location,
                hint=f"Expressions and subqueries nest at most {DEPTH_MAX} levels deep.",
            )

    # ---- parameters

    def parameter_type(self, number: int, location: int | None) -> TypeRef:
        if number < 1 or number > PARAMETERS_MAX:
            self.fail("42P02", f"there is no parameter ${number}", location)
        if number > len(self.parameters):
            if self.parameters_fixed:
                self.fail("42P02", f"there is no parameter ${number}", location)
            self.parameters.extend([UNKNOWN] * (number - len(self.parameters)))
        return self.parameters[number - 1]

    def decide_parameter(self, number: int, type_: TypeRef, location: int | None) -> TypeRef:
        """Give an undecided parameter its type, as its first context asks for it."""
        known = self.parameters[number - 1]
        if known.oid == UNKNOWN.oid:
            known = TypeRef(type_.oid)
            self.parameters[number - 1] = known
        elif known.oid != type_.oid:
            self.fail(
                "42P08",
                f"inconsistent types deduced for parameter ${number}",
                location,
            )
        return known

    def lifted_type(self, lifted: Lifted) -> TypeRef:
        return self.lifted.setdefault(lifted.number, TypeRef(lifted.type_oid))

    def decide_lifted(self, number: int, type_: TypeRef) -> TypeRef:
        """Like a literal, a lifted one stands in one place; should two contexts ask for different
        types, the plan without lifting is the one to use."""
        known = self.lifted[number]
        if type_.oid in _BY_NAME:
            raise NotLiftable
        if known.oid == UNKNOWN.oid:
            known = self.lifted[number] = TypeRef(type_.oid)
        elif known.oid != type_.oid:
            raise NotLiftable
        return known

    def finish_parameters(self) -> tuple[TypeRef, ...]:
        for number, type_ in enumerate(self.parameters, 1):
            if type_.oid == UNKNOWN.oid:
                self.fail("42P18", f"could not determine data type of parameter ${number}")
        return tuple(self.parameters)

    def finish_lifted(self) -> tuple[TypeRef, ...]:
        return tuple(
            TEXT if self.lifted[number].oid == UNKNOWN.oid else self.lifted[number]
            for number in sorted(self.lifted)
        )


class NotLiftable(Exception):
    """This shape cannot be planned with its literals lifted; plan the text as it stands."""
