"""pg_description: the comments on every kind of object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from trilithon.query.catalog.definitions import Domain, Table
from trilithon.query.catalog_views import builtin_rows, objects
from trilithon.query.catalog_views.provider import Viewpoint
from trilithon.types.registry import FIRST_USER_OID

_CLASS: Final = 1259
_CONSTRAINT: Final = 2606
_SCHEMA: Final = 2615
_TYPE: Final = 1247
_PROCEDURE: Final = 1255
# By the name that obj_description() takes.
CLASSES: Final = {
    "pg_class": _CLASS,
    "pg_constraint": _CONSTRAINT,
    "pg_namespace": _SCHEMA,
    "pg_type": _TYPE,
    "pg_proc": _PROCEDURE,
    "pg_operator": 2617,
    "pg_am": 2601,
    "pg_language": 2612,
    "pg_collation": 3456,
}
Description = tuple[int, int, int, str]


def descriptions(catalog: Any) -> Iterator[Description]:
    """(class, object, column, text)."""
    for relation in (*catalog.tables, *catalog.views, *catalog.sequences):
        yield _CLASS, relation.id, 0, relation.comment
    for table in catalog.tables:
        yield from _of_table(table)
    for schema in catalog.schemas:
        yield _SCHEMA, schema.id, 0, schema.comment
    for type_ in catalog.types:
        yield _TYPE, type_.id, 0, type_.comment
        for check in type_.checks if isinstance(type_, Domain) else ():
            yield _CONSTRAINT, objects.domain_check_oid(type_, check), 0, check.comment
    for function in catalog.functions:
        yield _PROCEDURE, function.id, 0, function.comment


def _of_table(table: Table) -> Iterator[Description]:
    for column in table.visible_columns:
        yield _CLASS, table.id, column.number, column.comment
    for index in table.indexes:
        yield _CLASS, index.id, 0, index.comment
        yield _CONSTRAINT, index.id, 0, index.constraint_comment
    for check in table.checks:
        yield _CONSTRAINT, objects.check_oid(table, check), 0, check.comment
    for key in table.foreign_keys:
        yield _CONSTRAINT, objects.foreign_key_oid(table, key), 0, key.comment


def rows(view: Viewpoint) -> Iterable[dict[str, Any]]:
    for class_, oid, column, text in descriptions(view.catalog):
        if text:
            yield {"objoid": oid, "classoid": class_, "objsubid": column, "description": text}


def find(catalog: Any, class_: int | None, oid: int) -> str | None:
    """The comment on an object; of a class, or (None) of whichever has that oid."""
    found = (
        text
        for kind, known, column, text in descriptions(catalog)
        if text and known == oid and not column and class_ in (None, kind)
    )
    return next(found, None) or _of_built_in(class_, oid)


def _of_built_in(class_: int | None, oid: int) -> str | None:
    if oid >= FIRST_USER_OID:
        return None
    known = builtin_rows.descriptions()
    return next((text for kind, one, text in known if one == oid and class_ in (None, kind)), None)
