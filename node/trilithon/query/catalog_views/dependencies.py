"""pg_depend: which objects rest on which, and pg_rewrite: the rules that PostgreSQL makes views by, which is where a
view's dependencies hang.

Of expressions only what the catalog knows of them is told: a CHECK's columns, a view's, a default's sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from trilithon.query.catalog.definitions import Domain, Function, Identity, Sequence, Table, View
from trilithon.query.catalog_views import objects
from trilithon.query.catalog_views.provider import Row, Viewpoint
from trilithon.types.registry import FIRST_USER_OID, USER_ARRAY

_CLASS, _CONSTRAINT, _SCHEMA, _TYPE = 1259, 2606, 2615, 1247
_PROCEDURE, _REWRITE, _DEFAULT = 1255, 2618, 2604
# Built-in schemas but public are pinned: nothing is said of them.
_PINNED: Final = frozenset({11, 13000, 13001})
Object = tuple[int, int, int]
# (what depends, on what, how: n normal, a automatic, i internal)
_Dependency = tuple[Object, Object, str]


def _dependencies(view: Viewpoint) -> Iterable[Row]:
    for (class_, oid, column), (on_class, on, on_column), kind in _all(view.catalog):
        yield {
            "classid": class_,
            "objid": oid,
            "objsubid": column,
            "refclassid": on_class,
            "refobjid": on,
            "refobjsubid": on_column,
            "deptype": kind,
        }


def _all(catalog: Any) -> Iterator[_Dependency]:
    for relation in (*catalog.tables, *catalog.views, *catalog.sequences):
        yield from _in_schema(_CLASS, relation)
    for made in (*catalog.types, *catalog.functions):
        yield from _in_schema(_PROCEDURE if isinstance(made, Function) else _TYPE, made)
    for relation in (*catalog.tables, *catalog.views):
        yield (_TYPE, objects.row_type_oid(relation), 0), (_CLASS, relation.id, 0), "i"
    for table in catalog.tables:
        yield from _of_columns(table)
        yield from _of_indexes(table)
        yield from _of_constraints(table)
    for view in catalog.views:
        yield from _of_view(catalog, view)
    for sequence in catalog.sequences:
        yield from _of_sequence(catalog, sequence)
    for domain in catalog.types:
        for check in domain.checks if isinstance(domain, Domain) else ():
            oid = objects.domain_check_oid(domain, check)
            yield (_CONSTRAINT, oid, 0), (_TYPE, domain.id, 0), "a"


def _in_schema(class_: int, value: Any) -> Iterator[_Dependency]:
    if value.schema_id not in _PINNED:
        yield (class_, value.id, 0), (_SCHEMA, value.schema_id, 0), "n"


def _of_columns(table: Table) -> Iterator[_Dependency]:
    for position, column in enumerate(table.columns):
        if column.dropped:
            continue
        own = (_CLASS, table.id, column.number)
        type_ = column.domain_id or column.type.oid & ~USER_ARRAY
        if type_ >= FIRST_USER_OID:
            yield own, (_TYPE, type_, 0), "n"
        if objects.default_text(table, position) is not None:
            default = (_DEFAULT, objects.synthetic_oid("default", table.id, column.number), 0)
            if column.generated is None:
                yield default, own, "a"
            else:
                yield default, own, "i"
            for sequence_id in sorted({column.sequence_id, *column.default_uses} - {0}):
                yield default, (_CLASS, sequence_id, 0), "n"


def _of_indexes(table: Table) -> Iterator[_Dependency]:
    constraints = {index.id for index in objects.constraint_indexes(table)}
    for index in table.indexes:
        own = (_CLASS, index.id, 0)
        if index.id in constraints:
            yield own, (_CONSTRAINT, index.id, 0), "i"
            own = (_CONSTRAINT, index.id, 0)
        numbers = {*index.column_numbers, *index.include} - {0}
        for number in sorted(numbers):
            yield own, (_CLASS, table.id, number), "a"


def _of_constraints(table: Table) -> Iterator[_Dependency]:
    for check in table.checks:
        own = (_CONSTRAINT, objects.check_oid(table, check), 0)
        for number in check.columns:
            yield own, (_CLASS, table.id, number), "a"
            yield own, (_CLASS, table.id, number), "n"
    for key in table.foreign_keys:
        own = (_CONSTRAINT, objects.foreign_key_oid(table, key), 0)
        for number in key.columns:
            yield own, (_CLASS, table.id, number), "a"
        for number in key.referenced_columns:
            yield own, (_CLASS, key.referenced_table, number), "n"
        yield own, (_CLASS, key.referenced_index, 0), "n"


def _of_view(catalog: Any, view: View) -> Iterator[_Dependency]:
    rule = (_REWRITE, objects.rule_oid(view), 0)
    yield rule, (_CLASS, view.id, 0), "i"
    yield rule, (_CLASS, view.id, 0), "n"
    used = set(view.depends_on_columns)
    for table, number in sorted(used):
        yield rule, (_CLASS, table, number), "n"
    for oid in view.depends_on:
        other = catalog.object_by_id(oid)
        if isinstance(other, Function):
            yield rule, (_PROCEDURE, oid, 0), "n"
        elif isinstance(other, View | Sequence):
            yield rule, (_CLASS, oid, 0), "n"


def _of_sequence(catalog: Any, sequence: Sequence) -> Iterator[_Dependency]:
    table = catalog.table_by_id(sequence.owned_by_table)
    if table is not None:
        column = table.columns[sequence.owned_by_column - 1]
        kind = "a" if column.identity is Identity.NONE else "i"
        yield (_CLASS, sequence.id, 0), (_CLASS, table.id, column.number), kind


def _rules(view: Viewpoint) -> Iterable[Row]:
    for found in view.catalog.views:
        yield {
            "oid": objects.rule_oid(found),
            "rulename": "_RETURN",
            "ev_class": found.id,
            "ev_type": "1",
            "ev_enabled": "O",
            "is_instead": True,
            "ev_qual": "<>",
        }


_BY_NAME: Final[dict[str, Callable[[Viewpoint], Iterable[Row]]]] = {
    "pg_depend": _dependencies,
    "pg_rewrite": _rules,
}
FILLS: Final = {("pg_catalog", name): fill for name, fill in _BY_NAME.items()}
