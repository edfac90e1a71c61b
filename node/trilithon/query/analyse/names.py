"""Names of relations and types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.analyse import view_sources
from trilithon.query.analyse.context import Analysis
from trilithon.query.catalog.definitions import Composite, Domain, Enum, Table, View
from trilithon.query.catalog.definitions import Sequence as SequenceObject
from trilithon.query.parse.statement import Node
from trilithon.types.registry import (
    ALIASES,
    BY_NAME,
    USER_COMPOSITE,
    TypeRef,
    array_type,
    lookup_type,
)

SYSTEM_SCHEMAS = ("pg_catalog",)
# The first element of a lookup's path that asks by id (see Analysis.lookups).
BY_ID: Final = "(by id)"


def strings(nodes: Sequence[Node]) -> list[str]:
    """The texts of a list of String nodes; "*" for A_Star."""
    return [node["String"].get("sval", "") if "String" in node else "*" for node in nodes]


def schema_path(analysis: Analysis, schema: str | None) -> tuple[str, ...]:
    return (schema,) if schema else tuple(analysis.settings.search_path)


def relation_name(node: Node) -> str:
    """A RangeVar as people write it."""
    return f"{node['schemaname']}.{node['relname']}" if "schemaname" in node else node["relname"]


def find_relation(analysis: Analysis, node: Node) -> Any:
    """The table, view or virtual relation that a RangeVar names.

    Raises 42P01, 3F000 for a schema that does not exist, 0A000 for another database.
    """
    name = node["relname"]
    schema = node.get("schemaname")
    if "catalogname" in node and node["catalogname"] != analysis.settings.database:
        analysis.fail(
            "0A000",
            f'cross-database references are not implemented: "{node["catalogname"]}.{schema}.{name}"',
            node.get("location", 0),
        )
    source = view_sources.named(analysis, node)
    found = lookup(analysis, schema, name) if source is None else by_id(analysis, source.id)
    if found is None:
        analysis.fail(
            "42P01", f'relation "{relation_name(node)}" does not exist', node.get("location", 0)
        )
    return found


def by_id(analysis: Analysis, object_id: int) -> Any:
    found = analysis.catalog.object_by_id(object_id)
    analysis.lookups.append((((BY_ID,), object_id), found))
    return found


def lookup(analysis: Analysis, schema: str | None, name: str) -> Any:
    """A table, view, sequence or virtual relation; None. pg_catalog is searched first, as in PostgreSQL."""
    path = (schema,) if schema else effective_path(analysis.settings.search_path)
    for place in path:
        virtual = analysis.virtual.get((place, name))
        if virtual is not None:
            return virtual
        found = analysis.catalog.relation((place,), name)
        if found is not None:
            analysis.lookups.append(((tuple(path), name), found))
            return found
    analysis.lookups.append(((tuple(path), name), None))
    return None


def effective_path(search_path: Sequence[str]) -> tuple[str, ...]:
    """The search path with the implicit pg_catalog in front, unless it is named."""
    if "pg_catalog" in search_path:
        return tuple(search_path)
    return ("pg_catalog", *search_path)


def find_table(analysis: Analysis, node: Node, verb: str) -> Table:
    """The stored table that a statement changes."""
    found = find_relation(analysis, node)
    location = node.get("location", 0)
    if isinstance(found, Table):
        return found
    if isinstance(found, tuple):
        analysis.fail("42809", f'"{node["relname"]}" is an index', location)
    if isinstance(found, View):
        # Some of ALTER TABLE is for views, too.
        sqlstate = "0A000" if verb == "alter" else "42809"
        analysis.fail(sqlstate, f'cannot {verb} view "{found.name}"', location)
    if isinstance(found, SequenceObject):
        analysis.fail("42809", f'cannot change sequence "{found.name}"', location)
    analysis.fail("42501", f'permission denied: "{node["relname"]}" is a system catalog', location)


def resolve_type(analysis: Analysis, node: Node) -> TypeRef:
    """A TypeName node (without its tag) as a type. Raises 42704, 22023, 0A000."""
    location = node.get("location", 0)
    if node.get("setof"):
        analysis.unsupported("SETOF", location)
    if node.get("pct_type"):
        analysis.unsupported("%TYPE", location)
    names = strings(node.get("names", []))
    schema = names[-2] if len(names) > 1 else None
    name = names[-1]
    modifiers = [_modifier(analysis, modifier) for modifier in node.get("typmods", ())]
    array = bool(node.get("arrayBounds"))
    if schema in (None, "pg_catalog"):
        try:
            return _builtin(name, modifiers, array)
        except SqlError as error:
            if error.sqlstate != "42704":
                error.position = analysis.position(location)
                raise
    full = ".".join(names)
    found = analysis.catalog.find_type(schema_path(analysis, schema), name)
    if found is None or isinstance(found, Composite):
        found = analysis.catalog.find_row_type(schema_path(analysis, schema), name)
    if found is None:
        analysis.fail("42704", f'type "{full}" does not exist', location)
    if modifiers:
        analysis.fail("42601", f'type modifier is not allowed for type "{full}"', location)
    analysis.types[found.id] = found
    if not isinstance(found, Domain):
        ref = TypeRef(found.id if isinstance(found, Enum) else found.id | USER_COMPOSITE)
        return array_type(ref) if array else ref
    if array:
        analysis.unsupported(f'an array of domain "{full}"', location)
    base: TypeRef = found.base
    return base


def find_domain(analysis: Analysis, node: Node) -> Domain | None:
    """The domain that a TypeName node names, if it is one."""
    names = strings(node.get("names", []))
    schema = names[-2] if len(names) > 1 else None
    if schema in (None, "pg_catalog") and (names[-1] in BY_NAME or names[-1] in ALIASES):
        return None
    found = analysis.catalog.find_type(schema_path(analysis, schema), names[-1])
    return found if isinstance(found, Domain) else None


def _builtin(name: str, modifiers: list[int], array: bool) -> TypeRef:
    if name in ("serial", "serial4", "bigserial", "serial8", "smallserial", "serial2"):
        raise SqlError("42704", f'type "{name}" does not exist')
    # char without a length is char(1); a bare bpchar has no limit.
    return lookup_type(name, modifiers, array)


def _modifier(analysis: Analysis, node: Node) -> int:
    constant = node.get("A_Const")
    if constant is not None and "ival" in constant:
        value: int = constant["ival"].get("ival", 0)
        return value
    analysis.fail("42601", "type modifiers must be simple constants or identifiers")
