"""CREATE TABLE (LIKE source INCLUDING ...): what a new table takes over from another relation."""

from __future__ import annotations

from typing import Final

from trilithon.core.errors import SqlError
from trilithon.query.analyse import names, table_expressions
from trilithon.query.catalog import ddl
from trilithon.query.catalog.definitions import (
    Column,
    ColumnDefinition,
    Identity,
    Index,
    IndexColumnDefinition,
    IndexDefinition,
    SequenceDefinition,
    Table,
    View,
)
from trilithon.query.catalog.definitions import Sequence as SequenceObject
from trilithon.query.execute.definitions import Definer
from trilithon.query.parse.statement import Node

# PostgreSQL's TableLikeOption bits.
COMMENTS: Final = 1
CONSTRAINTS: Final = 4
DEFAULTS: Final = 8
GENERATED: Final = 16
IDENTITY: Final = 32
INDEXES: Final = 64


def source_of(definer: Definer, node: Node) -> Table | View:
    """Raises 42P01, 42809."""
    found = names.find_relation(definer.analysis, node["relation"])
    if isinstance(found, Table | View):
        return found
    raise SqlError("42809", f'relation "{node["relation"]["relname"]}" is invalid in LIKE clause')


def columns_of(source: Table | View, options: int) -> list[ColumnDefinition]:
    """The columns without identity: that needs a sequence of its own (`identity_of`)."""
    if isinstance(source, View):
        return [ColumnDefinition(column.name, column.type) for column in source.columns]
    return [_column(column, options) for column in source.visible_columns]


def _column(column: Column, options: int) -> ColumnDefinition:
    identity = Identity.NONE
    if options & IDENTITY:
        identity = column.identity
    generated = column.generated if options & GENERATED else None
    default = column.default if options & DEFAULTS and column.identity is Identity.NONE else None
    uses = tuple(dict.fromkeys((column.sequence_id, *column.default_uses)))
    return ColumnDefinition(
        column.name,
        column.type,
        not_null=column.not_null,
        default=default if column.generated is None else None,
        identity=identity,
        default_uses=tuple(filter(None, uses)) if default is not None else (),
        generated=generated,
    )


def identity_sequences(
    definer: Definer, source: Table | View, options: int, schema: str, table: str
) -> list[tuple[str, SequenceDefinition]]:
    """Sequences like those of the source's identity columns."""
    made: list[tuple[str, SequenceDefinition]] = []
    if isinstance(source, View) or not options & IDENTITY:
        return made
    for column in source.visible_columns:
        if column.identity is Identity.NONE:
            continue
        like = definer.catalog.object_by_id(column.sequence_id)
        if not isinstance(like, SequenceObject):
            continue
        definition = SequenceDefinition(
            schema,
            f"{table}_{column.name}_seq",
            like.type,
            start=like.start,
            increment=like.increment,
            minimum=like.minimum,
            maximum=like.maximum,
            cache=like.cache,
            cycle=like.cycle,
        )
        made.append((column.name, definition))
    return made


def indexes_of(source: Table | View, options: int) -> list[IndexDefinition]:
    if isinstance(source, View) or not options & INDEXES:
        return []
    return [_index(source, index) for index in source.indexes if index.usable]


def _index(table: Table, index: Index) -> IndexDefinition:
    def name_of(number: int) -> str:
        return table.columns[number - 1].name

    return IndexDefinition(
        tuple(
            IndexColumnDefinition(
                None if column.expression is not None else name_of(column.number),
                column.expression,
                column.type if column.expression is not None else None,
                column.descending,
                column.nulls_first,
                _label(column.expression),
            )
            for column in index.columns
        ),
        unique=index.unique,
        primary=index.primary,
        constraint=index.constraint,
        include=tuple(map(name_of, index.include)),
        predicate=index.predicate,
        nulls_not_distinct=index.nulls_not_distinct,
        deferrable=index.deferrable,
        initially_deferred=index.initially_deferred,
    )


def _label(expression: str | None) -> str:
    if expression is None:
        return "expr"
    return table_expressions.label_of(table_expressions.expression_node(expression))


def copy_comments(definer: Definer, source: Table | View, table: Table) -> None:
    if isinstance(source, View):
        return
    for column in source.visible_columns:
        if column.comment:
            current = definer.catalog.table_by_id(table.id) or table
            ddl.set_column_comment(definer.transaction, current, column.name, column.comment)
