"""CREATE [OR REPLACE] FUNCTION, DROP FUNCTION. What a body means is the analyser's business."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog.changes import (
    check_name,
    dependents_error,
    put_object,
    remove_object,
    schema_for_new_object,
)
from trilithon.query.catalog.ddl_tables import drop_views_over
from trilithon.query.catalog.definitions import Function
from trilithon.query.transaction.transaction import Transaction
from trilithon.types.registry import type_name

FUNCTIONS_MAX: Final = 10_000
BODY_BYTES_MAX: Final = 1024 * 1024


def signature(function: Function) -> str:
    """ "f(integer, text)", as messages say it."""
    types = ", ".join(type_name(argument.type) for argument in function.arguments)
    return f"{function.name}({types})"


async def create_function(
    transaction: Transaction, definition: Function, *, replace_it: bool
) -> Function:
    """`definition` has no ids yet. SqlError 42723, 42P13, 54000."""
    transaction.check_writable("CREATE FUNCTION")
    check_name(definition.name)
    if len(definition.sql.encode()) > BODY_BYTES_MAX:
        raise SqlError("54000", "function body too large")
    schema = schema_for_new_object(transaction, definition.schema, definition.name)
    catalog = transaction.catalog
    known = catalog.functions_named((schema.name,), definition.name)
    before = next((one for one in known if one.types == definition.types), None)
    if before is None:
        if len(catalog.functions) >= FUNCTIONS_MAX:
            raise SqlError("54000", f"creating more than {FUNCTIONS_MAX} functions not allowed")
        function_id, version = await transaction.manager.object_ids.take(), 1
    else:
        if not replace_it:
            raise SqlError(
                "42723", f'function "{definition.name}" already exists with same argument types'
            )
        _require_same_face(before, definition)
        function_id, version = before.id, before.version + 1
    function = replace(definition, id=function_id, schema_id=schema.id, version=version)
    put_object(transaction, function)
    return function


def _require_same_face(before: Function, after: Function) -> None:
    """Who calls a function must not notice that it was replaced."""
    hint = f"Use DROP FUNCTION {signature(before)} first."
    if (before.result, before.returns_set) != (after.result, after.returns_set) or [
        column.type for column in before.columns
    ] != [column.type for column in after.columns]:
        raise SqlError("42P13", "cannot change return type of existing function", hint=hint)
    for old, new in zip(before.arguments, after.arguments, strict=True):
        if old.name and old.name != new.name:
            raise SqlError(
                "42P13", f'cannot change name of input parameter "{old.name}"', hint=hint
            )
        if old.default is not None and new.default is None:
            raise SqlError(
                "42P13", "cannot remove parameter defaults from existing function", hint=hint
            )


def drop_function(transaction: Transaction, function: Function, *, cascade: bool) -> list[str]:
    """What CASCADE dropped besides, for notices. SqlError 2BP01."""
    transaction.check_writable("DROP FUNCTION")
    dependents = transaction.catalog.dependents_of(function.id)
    if dependents and not cascade:
        lines = [
            f"view {view.name} depends on function {signature(function)}" for view in dependents
        ]
        raise dependents_error(replace(function, name=signature(function)), lines)
    notices = drop_views_over(transaction, function.id, {function.id})
    remove_object(transaction, function.id)
    return notices
