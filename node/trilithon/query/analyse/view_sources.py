"""What a view's text means by the relations and columns that it names.

A view keeps, beside its text, the ids of the relations in it, and the names that their columns had when it was made.
Inside the view these names hold: a relation or column that was renamed since is found by its old name, and columns
that were added since are not there, neither for `*` nor for NATURAL JOIN.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trilithon.query.analyse.scope import Visible
from trilithon.query.analyse.tree import OutputColumn
from trilithon.query.catalog.definitions import Table, View, ViewSource
from trilithon.query.parse.statement import Node

if TYPE_CHECKING:
    from trilithon.query.analyse.context import Analysis

Sources = Mapping[tuple[str, str], ViewSource]


def sources_of(lookups: list[tuple[Any, Any]]) -> tuple[ViewSource, ...]:
    """For the view whose query looked these up."""
    found = {one.id: one for _, one in lookups if isinstance(one, Table | View)}
    return tuple(ViewSource(one.schema, one.name, one.id, _columns(one)) for one in found.values())


def _columns(relation: Table | View) -> tuple[tuple[int, str], ...]:
    if isinstance(relation, Table):
        return tuple((column.number, column.name) for column in relation.visible_columns)
    return tuple((number, column.name) for number, column in enumerate(relation.columns, 1))


@contextlib.contextmanager
def inside(analysis: Analysis, sources: tuple[ViewSource, ...]) -> Iterator[None]:
    """While the text of a view, or of a function (which has none), is analysed."""
    before = analysis.sources
    analysis.sources = {(one.schema, one.name): one for one in sources}
    try:
        yield
    finally:
        analysis.sources = before


def named(analysis: Analysis, node: Node) -> ViewSource | None:
    """What a RangeVar means inside a view; None for what names mean today."""
    return analysis.sources.get((node.get("schemaname", ""), node["relname"]))


def outputs_of(
    analysis: Analysis, node: Node, outputs: tuple[OutputColumn, ...]
) -> tuple[OutputColumn, ...]:
    """The columns of the relation that a RangeVar names, as the text knows them."""
    source = named(analysis, node)
    if source is None:
        return outputs
    names = dict(source.columns)
    return tuple(replace(one, name=names[one.number]) for one in outputs if one.number in names)


def visible_in(
    analysis: Analysis, node: Node, columns: list[Visible], numbers: Sequence[int]
) -> list[Visible]:
    """As `outputs_of`, of columns that have names already."""
    source = named(analysis, node)
    if source is None:
        return columns
    names = dict(source.columns)
    if columns and columns[0].row is not None:
        columns[0].row.columns = columns
    return [
        replace(column, name=names[number])
        for column, number in zip(columns, numbers, strict=True)
        if number in names
    ]
