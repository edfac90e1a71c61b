"""Scopes: what a name can mean at one place of a statement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from trilithon.expression import ir
from trilithon.query.analyse.context import Analysis, CteBinding
from trilithon.query.analyse.tree import Expr, OutputColumn, Relation


@dataclass(slots=True, eq=False)
class WholeRow:
    """What the columns of one alias are together. `object_id`: the table or view whose row it is, 0 none.
    `present` is NULL where the row is not there, which it may be if `nullable`. `columns`: all of them, where
    not all have names here."""

    object_id: int = 0
    present: Expr | None = None
    nullable: bool = False
    columns: list[Visible] | None = None


@dataclass(slots=True)
class Visible:
    """One column that names can find. `hidden`: only through its alias (the twin of a USING column)."""

    name: str
    expression: Expr
    alias: str
    hidden: bool = False
    # The column of a stored table; for results' metadata and functional dependency.
    source: OutputColumn | None = None
    # tableoid: no part of `*`, and found only where no other column has its name.
    system: bool = False
    # The alias alone means this column: what a function in FROM gives.
    whole: bool = False
    # Shared by all columns of an item of FROM.
    row: WholeRow | None = None


@dataclass(slots=True)
class FromItem:
    """What FROM, or one join of it, yields."""

    relation: Relation
    columns: list[Visible]
    # alias → its schema ("" for subqueries): tells t.x from s.t.x.
    aliases: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Scope:
    """One level of names. `parent` is the enclosing query's level."""

    parent: Scope | None = None
    columns: list[Visible] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    ctes: dict[str, CteBinding] = field(default_factory=dict)
    # What aggregates, windows and set-returning functions of this level are collected in; None where
    # they are not allowed.
    collector: Any = None
    # Where we are, for "aggregate functions are not allowed in WHERE".
    clause: str = ""
    # Aliases that exist but may not be referred to from here, for 42P01's hint.
    invisible: frozenset[str] = frozenset()

    def child(self) -> Scope:
        return Scope(parent=self)

    def add(self, item: FromItem) -> None:
        self.columns.extend(item.columns)
        self.aliases.update(item.aliases)

    def levels(self) -> Iterator[Scope]:
        level: Scope | None = self
        while level is not None:
            yield level
            level = level.parent

    def cte(self, name: str) -> CteBinding | None:
        for level in self.levels():
            if name in level.ctes:
                return level.ctes[name]
        return None


def visible_of(
    alias: str, outputs: tuple[OutputColumn, ...], row: WholeRow | None = None
) -> list[Visible]:
    shared = row or WholeRow()
    return [
        Visible(column.name, ir.Column(column.id, column.type), alias, source=column, row=shared)
        for column in outputs
    ]


def find_column(
    analysis: Analysis, scope: Scope, path: list[str], location: int | None
) -> Visible | None:
    """The column that `x`, `t.x` or `s.t.x` names; None where there is none.

    Raises 42702 (ambiguous), 42P01 (no such alias).
    """
    if len(path) == 1:
        return _find_unqualified(analysis, scope, path[0], location)
    return _find_qualified(analysis, scope, path, location)


def _find_unqualified(
    analysis: Analysis, scope: Scope, name: str, location: int | None
) -> Visible | None:
    for level in scope.levels():
        found = _nearest(
            [column for column in level.columns if column.name == name and not column.hidden]
        )
        if len(found) > 1 and found[0].system:
            # Of several tables' nobody's.
            analysis.fail("42703", f'column "{name}" does not exist', location)
        if len(found) > 1:
            analysis.fail("42702", f'column reference "{name}" is ambiguous', location)
        if found:
            return found[0]
    for level in scope.levels():
        for column in level.columns:
            if column.whole and column.alias == name:
                return column
    return None


def _nearest(found: list[Visible]) -> list[Visible]:
    """A column of a table's own hides a system column of its name."""
    own = [column for column in found if not column.system]
    return own or found


def _find_qualified(
    analysis: Analysis, scope: Scope, path: list[str], location: int | None
) -> Visible | None:
    *qualifiers, name = path
    alias = qualifiers[-1]
    schema = qualifiers[-2] if len(qualifiers) > 1 else None
    for level in scope.levels():
        if alias not in level.aliases or (schema is not None and level.aliases[alias] != schema):
            continue
        found = _nearest([c for c in level.columns if c.name == name and c.alias == alias])
        if len(found) > 1:
            analysis.fail("42702", f'column reference "{name}" is ambiguous', location)
        return found[0] if found else None
    missing_alias(analysis, scope, alias, location)


def missing_alias(analysis: Analysis, scope: Scope, alias: str, location: int | None) -> NoReturn:
    if any(alias in level.invisible for level in scope.levels()):
        analysis.fail(
            "42P01",
            f'invalid reference to FROM-clause entry for table "{alias}"',
            location,
            detail=f'There is an entry for table "{alias}", but it cannot be referenced from this part of the query.',
        )
    analysis.fail("42P01", f'missing FROM-clause entry for table "{alias}"', location)


def columns_of_alias(
    analysis: Analysis, scope: Scope, alias: str, location: int | None
) -> list[Visible]:
    """`t.*`: every column of an alias, hidden twins included."""
    for level in scope.levels():
        if alias in level.aliases:
            return [c for c in level.columns if c.alias == alias and not c.system]
    missing_alias(analysis, scope, alias, location)
    return []
