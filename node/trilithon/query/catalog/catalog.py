"""One immutable view of everything the catalog knows, with lookups.

A `Catalog` changes by making the next one (`with_object`, `without`), which shares all that is the same.
Built-in schemas and the role admin are there without ever having been written; a stored object under
the same id (ALTER ROLE admin, COMMENT ON SCHEMA public) replaces the built-in one.

Lookups by name take schemas that exist or not (a search path may name what is not there). pg_catalog's
own tables and types are the analyser's, not listed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog import definitions
from trilithon.query.catalog.definitions import (
    Attribute,
    CatalogObject,
    Column,
    Composite,
    Domain,
    Enum,
    Function,
    Index,
    Relation,
    Role,
    Schema,
    Table,
    UserType,
    View,
    ViewColumn,
)
from trilithon.query.catalog.documents import Stored
from trilithon.types import user_types
from trilithon.types.registry import object_of

BUILT_IN: Final[tuple[Stored, ...]] = (
    Schema(definitions.PG_CATALOG_ID, "pg_catalog"),
    Schema(definitions.PUBLIC_SCHEMA_ID, "public"),
    Schema(definitions.INFORMATION_SCHEMA_ID, "information_schema"),
    Schema(definitions.SYS_SCHEMA_ID, "sys"),
    Role(definitions.ADMIN_ROLE_ID, "admin", login=True, superuser=True),
)
SYSTEM_SCHEMAS: Final = frozenset({"pg_catalog", "information_schema", "sys"})

SCHEMA_NAMES: Final = "schema"
RELATION_NAMES: Final = "relation"
TYPE_NAMES: Final = "type"
ROLE_NAMES: Final = "role"
FUNCTION_NAMES: Final = "function"

Name = tuple[str, int, str]


def names_of(value: Stored) -> Iterator[tuple[Name, int]]:
    """The (class, schema id, name) → id rows that belong to an object."""
    match value:
        case Schema():
            yield (SCHEMA_NAMES, 0, value.name), value.id
        case Role():
            yield (ROLE_NAMES, 0, value.name), value.id
        case Domain() | Enum() | Composite():
            yield (TYPE_NAMES, value.schema_id, value.name), value.id
        case Function():
            # Functions of one name differ in their arguments' types.
            signature = ",".join(map(str, value.types))
            yield (FUNCTION_NAMES, value.schema_id, f"{value.name}({signature})"), value.id
        case Table():
            yield (RELATION_NAMES, value.schema_id, value.name), value.id
            for index in value.indexes:
                yield (RELATION_NAMES, value.schema_id, index.name), index.id
        case _:
            yield (RELATION_NAMES, value.schema_id, value.name), value.id


class Catalog:
    """`csn` names it: the newest entry that changed the catalog at or below the snapshots it is for
    (0: none ever). A transaction's own view with DDL of its own keeps the csn it started from."""

    __slots__ = ("__dict__", "_names", "_objects", "_owners", "csn")

    def __init__(self, csn: int, stored: Iterable[Stored]) -> None:
        objects: dict[int, Stored] = {value.id: value for value in BUILT_IN}
        objects.update((value.id, value) for value in stored)
        names: dict[Name, int] = {}
        owners: dict[int, int] = {}
        for value in objects.values():
            for name, object_id in names_of(value):
                names[name] = object_id
            if isinstance(value, Table):
                owners.update((index.id, value.id) for index in value.indexes)
            elif isinstance(value, Enum | Domain):
                _register(value)
        self._fill(csn, objects, names, owners)

    def _fill(
        self,
        csn: int,
        objects: dict[int, Stored],
        names: dict[Name, int],
        owners: dict[int, int],
    ) -> None:
        self.csn = csn
        self._objects = objects
        self._names = names
        # Index id → table id.
        self._owners = owners

    # ---- the next catalog

    def with_object(self, value: Stored) -> Catalog:
        return self._changed(value.id, value)

    def without(self, object_id: int) -> Catalog:
        return self._changed(object_id, None)

    def _changed(self, object_id: int, value: Stored | None) -> Catalog:
        objects, names, owners = dict(self._objects), dict(self._names), dict(self._owners)
        before = objects.pop(object_id, None)
        if before is not None:
            for name, _ in names_of(before):
                names.pop(name, None)
            if isinstance(before, Table):
                for index in before.indexes:
                    owners.pop(index.id, None)
        if value is not None:
            objects[object_id] = value
            names.update(names_of(value))
            if isinstance(value, Table):
                owners.update((index.id, value.id) for index in value.indexes)
            elif isinstance(value, Enum | Domain) and before is None:
                # Labels that are added are known once their transaction is through.
                _register(value)
        catalog = Catalog.__new__(Catalog)
        catalog._fill(self.csn, objects, names, owners)
        return catalog

    # ---- by id

    def object_by_id(self, object_id: int) -> Stored | None:
        return self._objects.get(object_id)

    def table_by_id(self, table_id: int) -> Table | None:
        found = self._objects.get(table_id)
        return found if isinstance(found, Table) else None

    def index_by_id(self, index_id: int) -> tuple[Table, Index] | None:
        table = self.table_by_id(self._owners.get(index_id, 0))
        index = table.index_by_id(index_id) if table is not None else None
        return (table, index) if table is not None and index is not None else None

    def table_by_storage_id(self, storage_id: int) -> Table | None:
        return self._tables_by_storage_id.get(storage_id)

    @cached_property
    def _tables_by_storage_id(self) -> dict[int, Table]:
        return {table.storage_id: table for table in self.tables}

    # ---- schemas and roles

    def schema(self, name: str) -> Schema | None:
        found = self._objects.get(self._names.get((SCHEMA_NAMES, 0, name), 0))
        return found if isinstance(found, Schema) else None

    def require_schema(self, name: str) -> Schema:
        """SqlError 3F000."""
        found = self.schema(name)
        if found is None:
            raise SqlError("3F000", f'schema "{name}" does not exist', schema=name)
        return found

    def role(self, name: str) -> Role | None:
        found = self._objects.get(self._names.get((ROLE_NAMES, 0, name), 0))
        return found if isinstance(found, Role) else None

    @cached_property
    def schemas(self) -> tuple[Schema, ...]:
        return tuple(value for value in self._by_id if isinstance(value, Schema))

    @cached_property
    def roles(self) -> tuple[Role, ...]:
        return tuple(value for value in self._by_id if isinstance(value, Role))

    # ---- relations and types

    @cached_property
    def _by_id(self) -> tuple[Stored, ...]:
        return tuple(self._objects[object_id] for object_id in sorted(self._objects))

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        return tuple(value for value in self._by_id if isinstance(value, Table))

    @cached_property
    def views(self) -> tuple[View, ...]:
        return tuple(value for value in self._by_id if isinstance(value, View))

    @cached_property
    def sequences(self) -> tuple[definitions.Sequence, ...]:
        return tuple(value for value in self._by_id if isinstance(value, definitions.Sequence))

    @cached_property
    def types(self) -> tuple[UserType, ...]:
        return tuple(value for value in self._by_id if isinstance(value, UserType))

    def composite(self, oid: int) -> user_types.CompositeType | None:
        """The row type with that oid: a composite type, or a table's or view's own."""
        made = self._composites.get(oid)
        if made is None:
            found = self._objects.get(object_of(oid))
            fields: Sequence[Attribute | Column | ViewColumn]
            match found:
                case Composite():
                    fields = found.attributes
                case Table():
                    fields = found.visible_columns
                case View():
                    fields = found.columns
                case _:
                    return None
            made = user_types.CompositeType(
                oid,
                found.name,
                tuple(field.name for field in fields),
                tuple(field.type for field in fields),
            )
            self._composites[oid] = made
        return made

    @cached_property
    def _composites(self) -> dict[int, user_types.CompositeType]:
        return {}

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        return tuple(value for value in self._by_id if isinstance(value, Function))

    @cached_property
    def _functions_by_name(self) -> dict[str, tuple[Function, ...]]:
        found: dict[str, tuple[Function, ...]] = {}
        for function in self.functions:
            found[function.name] = (*found.get(function.name, ()), function)
        return found

    def functions_named(self, path: Sequence[str], name: str) -> tuple[Function, ...]:
        """In the path's order; of those with the same arguments only the first."""
        seen: dict[tuple[int, ...], Function] = {}
        known = self._functions_by_name.get(name, ())
        for schema_name in path if known else ():
            for function in known:
                if function.schema == schema_name:
                    seen.setdefault(function.types, function)
        return tuple(seen.values())

    def objects_in(self, schema_id: int) -> tuple[CatalogObject, ...]:
        return tuple(
            value
            for value in self._by_id
            if not isinstance(value, Schema | Role) and value.schema_id == schema_id
        )

    def _find(self, name_class: str, path: Sequence[str], name: str) -> int:
        names = self._names
        for schema_name in path:
            schema_id = names.get((SCHEMA_NAMES, 0, schema_name))
            if schema_id is not None:
                found = names.get((name_class, schema_id, name))
                if found is not None:
                    return found
        return 0

    def relation(self, path: Sequence[str], name: str) -> Relation | tuple[Table, Index] | None:
        """The first table, view, sequence or index of that name on the path."""
        found_id = self._find(RELATION_NAMES, path, name)
        found = self._objects.get(found_id)
        if isinstance(found, Table | View | definitions.Sequence):
            return found
        return self.index_by_id(found_id)

    def find_table(self, path: Sequence[str], name: str) -> Table | None:
        found = self.relation(path, name)
        return found if isinstance(found, Table) else None

    def table(self, path: Sequence[str], name: str) -> Table:
        """SqlError 42P01 when there is no such relation, 42809 when it is no table."""
        found = self.relation(path, name)
        if isinstance(found, Table):
            return found
        if found is None:
            raise undefined_relation(path, name)
        raise SqlError("42809", f'"{name}" is not a table')

    def find_sequence(self, path: Sequence[str], name: str) -> definitions.Sequence | None:
        found = self.relation(path, name)
        return found if isinstance(found, definitions.Sequence) else None

    def find_type(self, path: Sequence[str], name: str) -> UserType | None:
        found = self._objects.get(self._find(TYPE_NAMES, path, name))
        return found if isinstance(found, UserType) else None

    def find_row_type(self, path: Sequence[str], name: str) -> Composite | Table | View | None:
        """What a row type's name means: a composite type, a table or a view."""
        for place in path:
            made = self.find_type((place,), name)
            if made is not None:
                return made if isinstance(made, Composite) else None
            found = self.relation((place,), name)
            if isinstance(found, Table | View):
                return found
        return None

    def relation_name_taken(self, schema_id: int, name: str) -> bool:
        return (RELATION_NAMES, schema_id, name) in self._names

    def type_name_taken(self, schema_id: int, name: str) -> bool:
        return (TYPE_NAMES, schema_id, name) in self._names

    def dependents_of(self, object_id: int) -> tuple[View, ...]:
        """Views over this table, view, sequence or function."""
        return tuple(view for view in self.views if object_id in view.depends_on)


def _register(value: Enum | Domain) -> None:
    if isinstance(value, Domain):
        user_types.register_domain(value.id, value.name)
    else:
        user_types.register(user_types.make(value.id, value.name, value.labels, value.positions))


def undefined_relation(path: Sequence[str], name: str) -> SqlError:
    qualified = f"{path[0]}.{name}" if len(path) == 1 else name
    return SqlError("42P01", f'relation "{qualified}" does not exist')


def empty_catalog() -> Catalog:
    return Catalog(0, ())


def built_in_ids() -> Mapping[str, int]:
    return {value.name: value.id for value in BUILT_IN}
