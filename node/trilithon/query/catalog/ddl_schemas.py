"""CREATE SCHEMA, DROP SCHEMA, roles."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog import definitions
from trilithon.query.catalog.catalog import BUILT_IN, SYSTEM_SCHEMAS
from trilithon.query.catalog.changes import (
    check_name,
    dependents_error,
    kind_name,
    put_object,
    remove_object,
)
from trilithon.query.catalog.ddl_tables import drop_tables, drop_views_over
from trilithon.query.catalog.default_sequences import drop_defaults
from trilithon.query.catalog.definitions import Role, Schema, Table
from trilithon.query.transaction.transaction import Transaction

_PINNED: Final = frozenset(value.id for value in BUILT_IN)


async def create_schema(
    transaction: Transaction, name: str, *, owner: str = "admin", if_not_exists: bool = False
) -> Schema | None:
    """None: it exists and IF NOT EXISTS was said. SqlError 42P06, 42939."""
    transaction.check_writable("CREATE SCHEMA")
    check_name(name)
    if transaction.catalog.schema(name) is not None:
        if if_not_exists:
            return None
        raise SqlError("42P06", f'schema "{name}" already exists', schema=name)
    if name.startswith("pg_"):
        raise SqlError(
            "42939",
            f'unacceptable schema name "{name}"',
            detail='The prefix "pg_" is reserved for system schemas.',
        )
    schema = Schema(await transaction.manager.object_ids.take(), name, owner)
    put_object(transaction, schema)
    return schema


def drop_schema(transaction: Transaction, schema: Schema, *, cascade: bool = False) -> list[str]:
    """What CASCADE dropped, for notices. SqlError 2BP01."""
    transaction.check_writable("DROP SCHEMA")
    if schema.id in _PINNED:
        raise SqlError(
            "2BP01",
            f"cannot drop schema {schema.name} because it is required by the database system",
        )
    contents = transaction.catalog.objects_in(schema.id)
    if contents and not cascade:
        raise dependents_error(
            schema,
            [
                f"{kind_name(value)} {schema.name}.{value.name} depends on schema {schema.name}"
                for value in contents
            ],
        )
    notices = [f"{kind_name(value)} {schema.name}.{value.name}" for value in contents]
    dropped = {value.id for value in contents}
    for value in contents:
        notices += drop_views_over(transaction, value.id, dropped)
    tables = [value for value in contents if isinstance(value, Table)]
    notices += drop_tables(transaction, tables, cascade=True)
    for value in contents:
        if isinstance(value, definitions.Sequence):
            notices += drop_defaults(transaction, value)
    for value in contents:
        if transaction.catalog.object_by_id(value.id) is not None:
            remove_object(transaction, value.id)
    remove_object(transaction, schema.id)
    return notices


def rename_schema(transaction: Transaction, schema: Schema, name: str) -> None:
    """Every object in it carries the schema's name, so all are written anew."""
    check_name(name)
    if schema.id in _PINNED or schema.name in SYSTEM_SCHEMAS or name.startswith("pg_"):
        raise SqlError("42939", f'unacceptable schema name "{name}"')
    if transaction.catalog.schema(name) is not None:
        raise SqlError("42P06", f'schema "{name}" already exists', schema=name)
    put_object(transaction, replace(schema, name=name))
    for value in transaction.catalog.objects_in(schema.id):
        if isinstance(value, Table):
            put_object(transaction, value.changed(schema=name))
        else:
            put_object(transaction, replace(value, schema=name, version=value.version + 1))


async def create_role(
    transaction: Transaction,
    name: str,
    *,
    login: bool = False,
    superuser: bool = False,
    password: str = "",
) -> Role:
    """SqlError 42710, 42939. `password` is a SCRAM verifier."""
    transaction.check_writable("CREATE ROLE")
    check_name(name)
    if name.startswith("pg_"):
        raise SqlError("42939", f'role name "{name}" is reserved')
    if transaction.catalog.role(name) is not None:
        raise SqlError("42710", f'role "{name}" already exists')
    role = Role(await transaction.manager.object_ids.take(), name, login, superuser, password)
    put_object(transaction, role)
    return role


def alter_role(
    transaction: Transaction,
    role: Role,
    *,
    login: bool | None = None,
    superuser: bool | None = None,
    password: str | None = None,
) -> Role:
    transaction.check_writable("ALTER ROLE")
    changed = replace(
        role,
        login=role.login if login is None else login,
        superuser=role.superuser if superuser is None else superuser,
        password=role.password if password is None else password,
    )
    put_object(transaction, changed)
    return changed


def drop_role(transaction: Transaction, role: Role) -> None:
    """SqlError 2BP01 when it owns something, or is built in."""
    transaction.check_writable("DROP ROLE")
    if role.id in _PINNED:
        raise SqlError(
            "2BP01",
            f"cannot drop role {role.name} because it is required by the database system",
        )
    catalog = transaction.catalog
    owned = [schema for schema in catalog.schemas if schema.owner == role.name]
    relations: tuple[definitions.CatalogObject, ...] = (
        *catalog.tables,
        *catalog.views,
        *catalog.sequences,
        *catalog.types,
    )
    lines = [f"owner of schema {schema.name}" for schema in owned]
    lines += [
        f"owner of {kind_name(value)} {value.name}"
        for value in relations
        if value.owner == role.name
    ]
    if lines:
        raise SqlError(
            "2BP01",
            f'role "{role.name}" cannot be dropped because some objects depend on it',
            detail="\n".join(lines),
        )
    remove_object(transaction, role.id)
