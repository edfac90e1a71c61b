"""CREATE and ALTER of composite types.

Stored values have their type's attributes in order, so a type that a column uses, be it through an array, a
domain or another type, keeps them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog.changes import put_object
from trilithon.query.catalog.ddl_types import (
    depend_on_types,
    new_type,
    type_of,
    used_through,
    users_of_type,
)
from trilithon.query.catalog.definitions import Attribute, Composite
from trilithon.query.transaction.transaction import Transaction

ATTRIBUTES_MAX: Final = 1600


async def create_composite(
    transaction: Transaction, schema_name: str, name: str, attributes: tuple[Attribute, ...]
) -> Composite:
    """SqlError 42710, 42701, 54011."""
    schema = new_type(transaction, schema_name, name, "CREATE TYPE")
    _check(attributes)
    made = Composite(
        id=await transaction.manager.object_ids.take(),
        schema_id=schema.id,
        schema=schema.name,
        name=name,
        attributes=attributes,
    )
    put_object(transaction, made)
    depend_on_types(transaction, [attribute.type for attribute in attributes])
    return made


def _check(attributes: tuple[Attribute, ...]) -> None:
    seen: set[str] = set()
    for attribute in attributes:
        if attribute.name in seen:
            raise SqlError("42701", f'column "{attribute.name}" specified more than once')
        seen.add(attribute.name)
    if len(attributes) > ATTRIBUTES_MAX:
        raise SqlError("54011", f"tables can have at most {ATTRIBUTES_MAX} columns")


def alter_composite(
    transaction: Transaction, composite: Composite, attributes: tuple[Attribute, ...]
) -> Composite:
    """Other attributes. SqlError 0A000 where a column, a view or a function uses the type."""
    transaction.check_writable("ALTER TYPE")
    _check(attributes)
    catalog = transaction.catalog
    around = (composite.id, *used_through(catalog, composite.id))
    if any(type_of(attribute.type) in around for attribute in attributes):
        raise SqlError(
            "42P16", f"composite type {composite.name} cannot be made a member of itself"
        )
    for type_id in around:
        for table, column in users_of_type(transaction, type_id):
            raise SqlError(
                "0A000",
                f'cannot alter type "{composite.name}" because column "{table.name}.{column.name}" '
                "uses it",
            )
        _refuse_views(catalog, composite, type_id)
    made = replace(composite, attributes=attributes, version=composite.version + 1)
    put_object(transaction, made)
    # Whoever begins to store values meanwhile claims the type, too.
    depend_on_types(transaction, [attribute.type for attribute in attributes])
    return made


def _refuse_views(catalog: Any, composite: Composite, type_id: int) -> None:
    """Their texts name attributes."""
    users = [*catalog.dependents_of(type_id)]
    users += [
        view for view in catalog.views if type_id in [type_of(one.type) for one in view.columns]
    ]
    if users:
        raise SqlError(
            "0A000", f'cannot alter type "{composite.name}" because view "{users[0].name}" uses it'
        )


def rename_attribute(transaction: Transaction, composite: Composite, old: str, new: str) -> None:
    """SqlError 42703, 42701."""
    transaction.check_writable("ALTER TYPE")
    if all(attribute.name != old for attribute in composite.attributes):
        raise SqlError("42703", f'column "{old}" does not exist')
    if any(attribute.name == new for attribute in composite.attributes):
        raise SqlError("42701", f'column "{new}" of relation "{composite.name}" already exists')
    _refuse_views(transaction.catalog, composite, composite.id)
    attributes = tuple(
        replace(one, name=new) if one.name == old else one for one in composite.attributes
    )
    put_object(
        transaction, replace(composite, attributes=attributes, version=composite.version + 1)
    )
