"""Rows of information_schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from trilithon.query.catalog.definitions import Domain, Identity
from trilithon.query.catalog_views import expression_text, information_system, objects
from trilithon.query.catalog_views.information_words import database_of as _database
from trilithon.query.catalog_views.information_words import type_words as _type_words
from trilithon.query.catalog_views.information_words import udt_of as _udt
from trilithon.query.catalog_views.information_words import usage as _usage
from trilithon.query.catalog_views.information_words import yes_or_no as _yes
from trilithon.query.catalog_views.provider import Viewpoint
from trilithon.query.catalog_views.updatable import is_updatable
from trilithon.types.registry import (
    TypeRef,
    character_length,
    numeric_precision,
    type_info,
)

Rows = Iterable[dict[str, Any]]
_INTEGER_BITS: Final = {20: 64, 21: 16, 23: 32}
_FLOAT_BITS: Final = {700: 24, 701: 53}
_NUMBERS: Final = (
    "character_maximum_length",
    "character_octet_length",
    "numeric_precision",
    "numeric_precision_radix",
    "numeric_scale",
    "datetime_precision",
)
_TIMES: Final = frozenset({1083, 1114, 1184, 1266, 1186})


def _schemata(view: Viewpoint) -> Rows:
    for schema in view.catalog.schemas:
        yield {
            "catalog_name": _database(view),
            "schema_name": schema.name,
            "schema_owner": schema.owner,
        }


def _tables(view: Viewpoint) -> Rows:
    for kind, relations in (
        ("BASE TABLE", view.catalog.tables),
        ("VIEW", view.catalog.views),
    ):
        for relation in relations:
            yield {
                "table_catalog": _database(view),
                "table_schema": relation.schema,
                "table_name": relation.name,
                "table_type": kind,
                "is_insertable_into": _yes(
                    kind == "BASE TABLE" or is_updatable(view.catalog, relation)
                ),
                "is_typed": "NO",
            }
    yield from information_system.tables(view)


def _columns(view: Viewpoint) -> Rows:
    for table in view.catalog.tables:
        for position, column in enumerate(table.columns):
            if column.dropped:
                continue
            made = _column(view, table, column.name, column.number, column.type)
            yield (
                made
                | _domain(view, column)
                | {
                    "column_default": _default(view, table, position),
                    "is_nullable": _yes(not (column.not_null or _domain_not_null(view, column))),
                    "is_identity": _yes(column.identity is not Identity.NONE),
                    "identity_generation": column.identity.value.upper() or None,
                    "is_generated": "ALWAYS" if column.generated is not None else "NEVER",
                    "generation_expression": _generation(view, table, position),
                    "is_updatable": "YES",
                }
            )
    for found in view.catalog.views:
        for number, viewed in enumerate(found.columns, 1):
            yield _column(view, found, viewed.name, number, viewed.type)
    yield from information_system.columns(view, _column)


def _domain(view: Viewpoint, column: Any) -> dict[str, Any]:
    found = view.catalog.object_by_id(column.domain_id) if column.domain_id else None
    if found is None:
        return {}
    return {
        "domain_catalog": _database(view),
        "domain_schema": found.schema,
        "domain_name": found.name,
    }


def _domain_not_null(view: Viewpoint, column: Any) -> bool:
    found = view.catalog.object_by_id(column.domain_id) if column.domain_id else None
    return found is not None and bool(found.not_null)


def _default(view: Viewpoint, table: Any, position: int) -> str | None:
    return None if table.columns[position].generated is not None else _stored(view, table, position)


def _generation(view: Viewpoint, table: Any, position: int) -> str | None:
    return None if table.columns[position].generated is None else _stored(view, table, position)


def _stored(view: Viewpoint, table: Any, position: int) -> str | None:
    text = objects.default_text(table, position)
    if text is None:
        return None
    point = expression_text.viewpoint(view.catalog, view.session)
    return point.expression(text, table, table.columns[position].type)


def _column(
    view: Viewpoint, relation: Any, name: str, number: int, type_: TypeRef
) -> dict[str, Any]:
    length = character_length(type_.typmod) if type_.oid in (1042, 1043) else -1
    precision = scale = radix = None
    if type_.oid in _INTEGER_BITS:
        precision, scale, radix = _INTEGER_BITS[type_.oid], 0, 2
    elif type_.oid in _FLOAT_BITS:
        precision, radix = _FLOAT_BITS[type_.oid], 2
    elif type_.oid == 1700:
        radix = 10
        numbers = numeric_precision(type_.typmod)
        if numbers is not None:
            precision, scale = numbers
    textual = type_.oid in (25, 1042, 1043)
    return {
        "table_catalog": _database(view),
        "table_schema": relation.schema,
        "table_name": relation.name,
        "column_name": name,
        "ordinal_position": number,
        "is_nullable": "YES",
        "data_type": _type_words(type_),
        "character_maximum_length": length if length > 0 else None,
        "character_octet_length": (length * 4 if length > 0 else 1 << 30) if textual else None,
        "numeric_precision": precision,
        "numeric_precision_radix": radix,
        "numeric_scale": scale,
        "datetime_precision": (6 if type_.typmod < 0 else type_.typmod & 0xFFFF)
        if type_.oid in _TIMES
        else 0
        if type_.oid == 1082
        else None,
        "udt_catalog": _database(view),
        **_udt(view, type_),
        "dtd_identifier": str(number),
        "is_self_referencing": "NO",
        "is_identity": "NO",
        "identity_cycle": "NO",
        "is_generated": "NEVER",
        "is_updatable": "NO",
    }


def _domains(view: Viewpoint) -> Rows:
    for found in view.catalog.types:
        if isinstance(found, Domain):
            column = _column(view, found, "", 1, found.base)
            names = (*_NUMBERS, "data_type", "udt_catalog", "udt_schema", "udt_name")
            yield {name: column[name] for name in names} | {
                "domain_catalog": _database(view),
                "domain_schema": found.schema,
                "domain_name": found.name,
                "domain_default": found.default,
                "dtd_identifier": "1",
            }


def _enabled_roles(view: Viewpoint) -> Rows:
    for role in view.catalog.roles:
        yield {"role_name": role.name}


def _not_null_name(table: Any, number: int) -> str:
    return f"{table.schema_id}_{table.id}_{number}_not_null"


def _views(view: Viewpoint) -> Rows:
    for found in view.catalog.views:
        yield {
            "table_catalog": _database(view),
            "table_schema": found.schema,
            "table_name": found.name,
            "view_definition": found.sql + ";",
            "check_option": found.check_option.upper() or "NONE",
            "is_updatable": _yes(is_updatable(view.catalog, found)),
            "is_insertable_into": _yes(is_updatable(view.catalog, found)),
            "is_trigger_updatable": "NO",
            "is_trigger_deletable": "NO",
            "is_trigger_insertable_into": "NO",
        }


def _constraints(view: Viewpoint) -> Rows:
    for table in view.catalog.tables:
        kinds = [
            (
                index.name,
                "PRIMARY KEY" if index.primary else "UNIQUE",
                index.deferrable,
                index.initially_deferred,
            )
            for index in objects.constraint_indexes(table)
        ]
        kinds += [(check.name, "CHECK", False, False) for check in table.checks]
        kinds += [
            (_not_null_name(table, column.number), "CHECK", False, False)
            for column in table.visible_columns
            if column.not_null
        ]
        kinds += [
            (key.name, "FOREIGN KEY", key.deferrable, key.initially_deferred)
            for key in table.foreign_keys
        ]
        for name, kind, deferrable, deferred in kinds:
            yield {
                "constraint_catalog": _database(view),
                "constraint_schema": table.schema,
                "constraint_name": name,
                "table_catalog": _database(view),
                "table_schema": table.schema,
                "table_name": table.name,
                "constraint_type": kind,
                "is_deferrable": _yes(deferrable),
                "initially_deferred": _yes(deferred),
                "enforced": "YES",
            }


def _key_columns(view: Viewpoint) -> Rows:
    for table in view.catalog.tables:
        for index in objects.constraint_indexes(table):
            for position, number in enumerate(index.column_numbers, 1):
                yield _usage(view, table, index.name, number) | {"ordinal_position": position}
        for key in table.foreign_keys:
            parent = view.catalog.table_by_id(key.referenced_table)
            index = parent.index_by_id(key.referenced_index)
            places = index.column_numbers
            pairs = zip(key.columns, key.referenced_columns, strict=True)
            for position, (number, target) in enumerate(pairs, 1):
                yield _usage(view, table, key.name, number) | {
                    "ordinal_position": position,
                    "position_in_unique_constraint": places.index(target) + 1,
                }


def _references(view: Viewpoint) -> Rows:
    for table in view.catalog.tables:
        for key in table.foreign_keys:
            parent = view.catalog.table_by_id(key.referenced_table)
            index = parent.index_by_id(key.referenced_index)
            named = bool(index.constraint or index.primary)
            yield {
                "constraint_catalog": _database(view),
                "constraint_schema": table.schema,
                "constraint_name": key.name,
                "unique_constraint_catalog": _database(view) if named else None,
                "unique_constraint_schema": parent.schema if named else None,
                "unique_constraint_name": index.name if named else None,
                "match_option": "FULL" if key.match_full else "NONE",
                "update_rule": key.on_update.value.upper(),
                "delete_rule": key.on_delete.value.upper(),
            }


def _constraint_columns(view: Viewpoint) -> Rows:
    for table in view.catalog.tables:
        for index in objects.constraint_indexes(table):
            for number in index.column_numbers:
                yield _usage(view, table, index.name, number)
        for key in table.foreign_keys:
            parent = view.catalog.table_by_id(key.referenced_table)
            for number in key.referenced_columns:
                # The referenced columns, under the constraint of the table that refers.
                yield _usage(view, parent, key.name, number) | {"constraint_schema": table.schema}
        for check in table.checks:
            for number in check.columns:
                yield _usage(view, table, check.name, number)


def _checks(view: Viewpoint) -> Rows:
    point = expression_text.viewpoint(view.catalog, view.session)
    for table in view.catalog.tables:
        for check in table.checks:
            yield {
                "constraint_catalog": _database(view),
                "constraint_schema": table.schema,
                "constraint_name": check.name,
                "check_clause": f"({point.check(check.sql, table)})",
            }
        for column in table.visible_columns:
            if column.not_null:
                yield {
                    "constraint_catalog": _database(view),
                    "constraint_schema": table.schema,
                    "constraint_name": _not_null_name(table, column.number),
                    "check_clause": f"{column.name} IS NOT NULL",
                }
    for domain in view.catalog.types:
        for check in domain.checks if isinstance(domain, Domain) else ():
            yield {
                "constraint_catalog": _database(view),
                "constraint_schema": domain.schema,
                "constraint_name": check.name,
                "check_clause": f"({point.domain_check(domain, check.sql)})",
            }


def _sequences(view: Viewpoint) -> Rows:
    for sequence in view.catalog.sequences:
        owner = view.catalog.table_by_id(sequence.owned_by_table)
        if owner is not None:
            column = owner.columns[sequence.owned_by_column - 1]
            if column.identity is not Identity.NONE:
                # An identity column's own business.
                continue
        yield {
            "sequence_catalog": _database(view),
            "sequence_schema": sequence.schema,
            "sequence_name": sequence.name,
            "data_type": type_info(sequence.type.oid).sql_name,
            "numeric_precision": _INTEGER_BITS.get(sequence.type.oid, 64),
            "numeric_precision_radix": 2,
            "numeric_scale": 0,
            "start_value": str(sequence.start),
            "minimum_value": str(sequence.minimum),
            "maximum_value": str(sequence.maximum),
            "increment": str(sequence.increment),
            "cycle_option": _yes(sequence.cycle),
        }


def _catalog_name(view: Viewpoint) -> Rows:
    yield {"catalog_name": _database(view)}


FILLS: Final[dict[tuple[str, str], Callable[[Viewpoint], Rows]]] = {
    ("information_schema", name): fill
    for name, fill in {
        "schemata": _schemata,
        "tables": _tables,
        "columns": _columns,
        "views": _views,
        "table_constraints": _constraints,
        "key_column_usage": _key_columns,
        "constraint_column_usage": _constraint_columns,
        "check_constraints": _checks,
        "referential_constraints": _references,
        "sequences": _sequences,
        "domains": _domains,
        "enabled_roles": _enabled_roles,
        "information_schema_catalog_name": _catalog_name,
    }.items()
}
