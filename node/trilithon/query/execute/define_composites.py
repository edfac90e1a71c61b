"""CREATE TYPE … AS (…), and ALTER TYPE of attributes."""

from __future__ import annotations

from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.analyse import names
from trilithon.query.catalog import ddl_composites
from trilithon.query.catalog.definitions import Attribute, Composite
from trilithon.query.execute.definitions import Definer, Handler
from trilithon.query.execute.table_drafts import is_storable
from trilithon.query.parse.statement import Node
from trilithon.types.registry import type_info, type_name


async def _create(definer: Definer) -> str:
    body = definer.body
    variable = body["typevar"]
    attributes = [_attribute(definer, item["ColumnDef"]) for item in body.get("coldeflist", ())]
    await ddl_composites.create_composite(
        definer.transaction,
        definer.creation_schema(variable.get("schemaname")),
        variable["relname"],
        tuple(attributes),
    )
    return "CREATE TYPE"


def _attribute(definer: Definer, node: Node) -> Attribute:
    name = node.get("colname", "")
    if "collClause" in node:
        collation = names.strings(node["collClause"]["collname"])[-1]
        if collation not in ("C", "POSIX", "default", "ucs_basic"):
            raise SqlError("0A000", f'collation "{collation}" is not supported')
    type_ = names.resolve_type(definer.analysis, node["typeName"])
    if names.find_domain(definer.analysis, node["typeName"]) is not None:
        raise SqlError("0A000", "attributes that belong to a domain are not supported")
    if type_info(type_.oid).category == "P":
        words = type_name(type_)
        raise SqlError("42P16", f'column "{name}" has pseudo-type {words}')
    if not is_storable(definer.catalog, type_):
        raise SqlError("0A000", f"attributes of type {type_name(type_)} are not supported")
    return Attribute(name, type_)


def find(definer: Definer, variable: Node, *, missing_ok: bool = False) -> Composite | None:
    """SqlError 42P01, 42809."""
    places = (variable["schemaname"],) if "schemaname" in variable else definer.settings.search_path
    found = definer.catalog.find_type(tuple(places), variable["relname"])
    if isinstance(found, Composite):
        return found
    if definer.catalog.relation(tuple(places), variable["relname"]) is not None:
        raise SqlError("42809", f'"{variable["relname"]}" is not a composite type')
    if missing_ok:
        return None
    raise SqlError("42P01", f'relation "{names.relation_name(variable)}" does not exist')


async def alter_type(definer: Definer) -> str:
    """AlterTableStmt of a type."""
    composite = find(definer, definer.body["relation"])
    assert composite is not None
    for item in definer.body["cmds"]:
        command = item["AlterTableCmd"]
        subtype = command["subtype"].removeprefix("AT_")
        attributes = _changed(definer, composite, subtype, command)
        composite = ddl_composites.alter_composite(definer.transaction, composite, attributes)
    return "ALTER TYPE"


def _changed(
    definer: Definer, composite: Composite, subtype: str, command: Any
) -> tuple[Attribute, ...]:
    known = composite.attributes
    if subtype == "AddColumn":
        made = _attribute(definer, command["def"]["ColumnDef"])
        if any(one.name == made.name for one in known):
            raise SqlError(
                "42701", f'column "{made.name}" of relation "{composite.name}" already exists'
            )
        return (*known, made)
    name = command.get("name", "")
    if all(one.name != name for one in known):
        message = f'column "{name}" of relation "{composite.name}" does not exist'
        if command.get("missing_ok"):
            definer.notice(f"{message}, skipping")
            return known
        raise SqlError("42703", message)
    if subtype == "DropColumn":
        return tuple(one for one in known if one.name != name)
    if subtype == "AlterColumnType":
        changed = _attribute(definer, command["def"]["ColumnDef"] | {"colname": name})
        return tuple(changed if one.name == name else one for one in known)
    raise SqlError("0A000", f"ALTER TYPE ... {subtype} is not supported")


async def rename_attribute(definer: Definer) -> str:
    body = definer.body
    composite = find(definer, body["relation"])
    assert composite is not None
    ddl_composites.rename_attribute(
        definer.transaction, composite, body["subname"], body["newname"]
    )
    return "ALTER TYPE"


HANDLERS: Final[dict[str, Handler]] = {"CompositeTypeStmt": _create}
