"""CREATE [OR REPLACE] VIEW, DROP VIEW. What a view's query means is the analyser's business."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog.changes import (
    dependents_error,
    put_object,
    remove_object,
    require_free_relation_name,
    schema_for_new_object,
)
from trilithon.query.catalog.ddl_tables import drop_views_over
from trilithon.query.catalog.definitions import View, ViewColumn, ViewDefinition
from trilithon.query.transaction.transaction import Transaction
from trilithon.types.registry import type_name

VIEW_BYTES_MAX: Final = 1024 * 1024


async def create_view(
    transaction: Transaction, definition: ViewDefinition, *, replace: bool = False
) -> View:
    """SqlError 42P07, 42P16 (a replacement may only add columns), 42809, 54000."""
    transaction.check_writable("CREATE VIEW")
    if len(definition.sql.encode()) > VIEW_BYTES_MAX:
        raise SqlError("54000", "view definition too large")
    schema = schema_for_new_object(transaction, definition.schema, definition.name)
    before = transaction.catalog.relation((schema.name,), definition.name)
    if isinstance(before, View) and replace:
        _check_replaceable(before.columns, definition.columns)
        view_id, version = before.id, before.version + 1
        if before.id in definition.depends_on:
            raise SqlError("42P17", f'infinite recursion detected in view "{before.name}"')
    elif before is not None and replace:
        raise SqlError("42809", f'"{definition.name}" is not a view')
    else:
        require_free_relation_name(transaction, schema, definition.name)
        limit = transaction.manager.limits.views
        if len(transaction.catalog.views) >= limit:
            raise SqlError("54000", f"creating more than {limit} views not allowed")
        view_id, version = await transaction.manager.object_ids.take(), 1
    for object_id in definition.depends_on:
        transaction.depend_on_object(object_id)
    view = View(
        id=view_id,
        schema_id=schema.id,
        schema=schema.name,
        name=definition.name,
        columns=definition.columns,
        sql=definition.sql,
        depends_on=definition.depends_on,
        depends_on_columns=definition.depends_on_columns,
        check_option=definition.check_option,
        owner=definition.owner,
        version=version,
        sources=definition.sources,
    )
    put_object(transaction, view)
    return view


def _check_replaceable(old: Sequence[ViewColumn], new: Sequence[ViewColumn]) -> None:
    if len(new) < len(old):
        raise SqlError("42P16", "cannot drop columns from view")
    for before, after in zip(old, new, strict=False):
        if before.name != after.name:
            raise SqlError(
                "42P16",
                f'cannot change name of view column "{before.name}" to "{after.name}"',
                hint="Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.",
            )
        if before.type != after.type:
            raise SqlError(
                "42P16",
                f'cannot change data type of view column "{before.name}" from '
                f"{type_name(before.type)} to {type_name(after.type)}",
            )


def drop_views(
    transaction: Transaction, views: Sequence[View], *, cascade: bool = False
) -> list[str]:
    """What CASCADE dropped besides, for notices. SqlError 2BP01."""
    transaction.check_writable("DROP VIEW")
    dropped = {view.id for view in views}
    notices: list[str] = []
    for view in views:
        dependents = [
            other for other in transaction.catalog.dependents_of(view.id) if other.id not in dropped
        ]
        if dependents and not cascade:
            raise dependents_error(
                view, [f"view {other.name} depends on view {view.name}" for other in dependents]
            )
        notices += drop_views_over(transaction, view.id, dropped)
        remove_object(transaction, view.id)
    return notices
