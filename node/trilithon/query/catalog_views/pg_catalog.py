"""Rows of pg_catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from trilithon.query.catalog.definitions import (
    Composite,
    Domain,
    Enum,
    Identity,
    Index,
    IndexState,
    Table,
)
from trilithon.query.catalog_views import (
    builtin_objects,
    descriptions,
    expression_text,
    objects,
    procedures,
    type_facts,
)
from trilithon.query.catalog_views.facts import vector_of
from trilithon.query.catalog_views.provider import Viewpoint
from trilithon.types import text_io
from trilithon.types.registry import BOOL, USER_ARRAY, TypeRef, array_type, type_info
from trilithon.types.settings import DEFAULT_SETTINGS
from trilithon.types.values import ArrayValue

Rows = Iterable[dict[str, Any]]
_CATALOG: Final = 11
_IDENTITY: Final = {Identity.NONE: "", Identity.ALWAYS: "a", Identity.BY_DEFAULT: "d"}
_BY_VALUE: Final = frozenset({1, 2, 4, 8})


def _namespaces(view: Viewpoint) -> Rows:
    for schema in view.catalog.schemas:
        yield {
            "oid": schema.id,
            "nspname": schema.name,
            "nspowner": objects.owner_oid(view.catalog, schema.owner),
        }


def _classes(view: Viewpoint) -> Rows:
    catalog = view.catalog
    for table in catalog.tables:
        yield _class(catalog, table, "r") | {
            "relam": objects.HEAP_AM,
            "relnatts": len(table.columns),
            "reltype": objects.row_type_oid(table),
            "relchecks": len(table.checks),
            "relhasindex": bool(table.indexes),
            # PostgreSQL checks foreign keys by triggers; psql asks for them where there are any.
            "relhastriggers": bool(table.foreign_keys or table.referenced_by),
            "reltuples": _row_count(view, table),
        }
        for index in table.indexes:
            yield _class(catalog, table, "i") | {
                "oid": index.id,
                "relname": index.name,
                "relam": objects.BTREE_AM,
                "relnatts": len(index.columns) + len(index.include),
                "relfilenode": index.id,
                "relreplident": "n",
                "reltuples": _row_count(view, table),
            }
    for found in catalog.views:
        yield _class(catalog, found, "v") | {
            "relnatts": len(found.columns),
            "reltype": objects.row_type_oid(found),
            "relhasrules": True,
            "relfilenode": 0,
            "relreplident": "n",
        }
    for made in catalog.types:
        if isinstance(made, Composite):
            yield _class(catalog, made, "c") | {
                "relnatts": len(made.attributes),
                "reltype": objects.row_type_oid(made),
                "relfilenode": 0,
                "relreplident": "n",
            }
    for sequence in catalog.sequences:
        yield _class(catalog, sequence, "S") | {"relnatts": 3, "relreplident": "n"}


def _row_count(view: Viewpoint, table: Any) -> float:
    """-1: never counted."""
    known = view.statistics(table)
    return -1.0 if known is None else float(known.rows)


def _class(catalog: Any, relation: Any, kind: str) -> dict[str, Any]:
    return {
        "oid": relation.id,
        "relname": relation.name,
        "relnamespace": relation.schema_id,
        "relowner": objects.owner_oid(catalog, relation.owner),
        "relfilenode": relation.id,
        "relpersistence": "p",
        "relkind": kind,
        "relreplident": "d",
        "relispopulated": True,
        "reltuples": -1.0,
    }


def _attributes(view: Viewpoint) -> Rows:
    for table in view.catalog.tables:
        for position, column in enumerate(table.columns):
            yield attribute(table.id, column.number, column.name, column.type) | {
                "atttypid": 0 if column.dropped else column.domain_id or column.type.oid,
                "attname": f"........pg.dropped.{column.number}........"
                if column.dropped
                else column.name,
                "attnotnull": column.not_null,
                "atthasdef": objects.default_text(table, position) is not None,
                "attidentity": _IDENTITY[column.identity],
                "attgenerated": "s" if column.generated is not None else "",
                "attisdropped": column.dropped,
                "atthasmissing": column.missing is not None,
            }
        for index in table.indexes:
            yield from _index_attributes(table, index)
    for found in view.catalog.views:
        for number, viewed in enumerate(found.columns, 1):
            yield attribute(found.id, number, viewed.name, viewed.type)
    for made in view.catalog.types:
        for number, part in enumerate(made.attributes if isinstance(made, Composite) else (), 1):
            row = attribute(made.id, number, part.name, part.type)
            yield row | ({"atttypid": part.domain_id} if part.domain_id else {})


def attribute(relation: int, number: int, name: str, type_: TypeRef) -> dict[str, Any]:
    info = type_info(type_.oid)
    align, storage = ("i", "p" if info.length > 0 else "x")
    if type_.oid in builtin_objects.TYPES_OF_POSTGRESQL:
        align, storage = type_facts.align_and_storage(type_.oid, info.element_oid)
    return {
        "attrelid": relation,
        "attname": name,
        "atttypid": type_.oid,
        "attstattarget": -1,
        "attlen": info.length,
        "attnum": number,
        "attndims": 1 if info.element_oid and info.category == "A" else 0,
        "attcacheoff": -1,
        "atttypmod": type_.typmod,
        "attbyval": info.length in _BY_VALUE,
        "attalign": align,
        "attstorage": storage,
        "attislocal": True,
        "attcollation": type_facts.collation_of(type_.oid),
    }


def _index_attributes(table: Table, index: Index) -> Iterator[dict[str, Any]]:
    number = 0
    taken: set[str] = set()
    for column in index.columns:
        number += 1
        name = objects.index_column_name(table, column, taken)
        taken.add(name)
        yield attribute(index.id, number, name, column.type)
    for included in index.include:
        number += 1
        source = table.columns[included - 1]
        yield attribute(index.id, number, source.name, source.type)


def _types(view: Viewpoint) -> Rows:
    yield from _user_types(view)
    made = [one for one in view.catalog.types if isinstance(one, Composite)]
    for relation in (*view.catalog.tables, *view.catalog.views, *made):
        oid = objects.row_type_oid(relation)
        common = {
            "typnamespace": relation.schema_id,
            "typowner": objects.owner_oid(view.catalog, relation.owner),
            "typlen": -1,
            "typisdefined": True,
            "typdelim": ",",
            "typtypmod": -1,
        }
        yield (
            common
            | {
                "oid": oid,
                "typname": relation.name,
                "typrelid": relation.id,
                "typtype": "c",
                "typcategory": "C",
                "typarray": oid | USER_ARRAY,
            }
            | type_facts.row_columns()
        )
        yield (
            common
            | {
                "oid": oid | USER_ARRAY,
                "typname": "_" + relation.name,
                "typtype": "b",
                "typcategory": "A",
                "typelem": oid,
            }
            | type_facts.columns_of(oid | USER_ARRAY, oid)
        )


def _user_types(view: Viewpoint) -> Rows:
    for value in view.catalog.types:
        common = {
            "typnamespace": value.schema_id,
            "typowner": objects.owner_oid(view.catalog, value.owner),
            "typisdefined": True,
            "typdelim": ",",
            "typalign": "i",
            "typtypmod": -1,
        }
        if isinstance(value, Domain):
            base = type_info(value.base.oid)
            yield (
                common
                | {
                    "oid": value.id,
                    "typname": value.name,
                    "typlen": base.length,
                    "typbyval": base.length in _BY_VALUE,
                    "typtype": "d",
                    "typcategory": base.category,
                    "typbasetype": value.base.oid,
                    "typtypmod": value.base.typmod,
                    "typnotnull": value.not_null,
                    "typdefault": value.default,
                    "typcollation": type_facts.collation_of(base.oid),
                }
                | type_facts.domain_columns(value.base.oid, base.element_oid)
            )
            continue
        if isinstance(value, Composite):
            continue
        own, array = type_info(value.id), type_info(value.id | USER_ARRAY)
        yield (
            common
            | {
                "oid": own.oid,
                "typname": value.name,
                "typlen": own.length,
                "typbyval": True,
                "typtype": "e",
                "typcategory": "E",
                "typarray": array.oid,
            }
            | type_facts.enum_columns()
        )
        yield (
            common
            | {
                "oid": array.oid,
                "typname": "_" + value.name,
                "typlen": -1,
                "typtype": "b",
                "typcategory": "A",
                "typelem": own.oid,
            }
            | type_facts.columns_of(array.oid, own.oid)
        )


def _enums(view: Viewpoint) -> Rows:
    for value in view.catalog.types:
        if isinstance(value, Enum):
            for number, (label, position) in enumerate(
                zip(value.labels, value.positions, strict=True)
            ):
                yield {
                    # PostgreSQL's labels have oids of their own; these name nothing else.
                    "oid": (value.id << 10 | number) & 0x7FFF_FFFF,
                    "enumtypid": value.id,
                    "enumsortorder": position,
                    "enumlabel": label,
                }


def _indexes(view: Viewpoint) -> Rows:
    for table in view.catalog.tables:
        for index in table.indexes:
            numbers = (*index.column_numbers, *index.include)
            options = [
                int(column.descending) | 2 * int(column.nulls_come_first)
                for column in index.columns
            ]
            expressions = [c.expression for c in index.columns if c.expression is not None]
            yield {
                "indexrelid": index.id,
                "indrelid": table.id,
                "indnatts": len(numbers),
                "indnkeyatts": len(index.columns),
                "indisunique": index.unique,
                "indnullsnotdistinct": index.nulls_not_distinct,
                "indisprimary": index.primary,
                "indimmediate": not index.deferrable,
                "indisvalid": index.state is IndexState.READY,
                "indisready": index.maintained,
                "indislive": True,
                "indkey": vector_of(numbers),
                "indcollation": vector_of(
                    type_facts.collation_of(c.type.oid) for c in index.columns
                ),
                "indclass": vector_of(builtin_objects.class_of(c.type.oid) for c in index.columns),
                "indoption": vector_of(options),
                "indexprs": ", ".join(expressions) or None,
                "indpred": index.predicate,
            }


# What of a foreign key other constraints have instead.
_NO_REFERENCE: Final = {"confupdtype": " ", "confdeltype": " ", "confmatchtype": " "}


def _constraints(view: Viewpoint) -> Rows:
    for table in view.catalog.tables:
        for index in objects.constraint_indexes(table):
            yield {
                "oid": index.id,
                "conname": index.name,
                "connamespace": table.schema_id,
                "contype": "p" if index.primary else "u",
                **_NO_REFERENCE,
                "convalidated": True,
                "conrelid": table.id,
                "conindid": index.id,
                "condeferrable": index.deferrable,
                "condeferred": index.initially_deferred,
                "conislocal": True,
                "connoinherit": True,
                "conkey": ArrayValue.of(index.column_numbers),
            }
        for check in table.checks:
            yield {
                "oid": objects.check_oid(table, check),
                "conname": check.name,
                "connamespace": table.schema_id,
                "contype": "c",
                **_NO_REFERENCE,
                "convalidated": check.validated,
                "conrelid": table.id,
                "conislocal": True,
                "conkey": ArrayValue.of(check.columns) if check.columns else None,
                "conbin": expression_text.for_type(BOOL, check.sql),
            }
        for key in table.foreign_keys:
            yield {
                "oid": objects.foreign_key_oid(table, key),
                "conname": key.name,
                "connamespace": table.schema_id,
                "contype": "f",
                "condeferrable": key.deferrable,
                "condeferred": key.initially_deferred,
                "convalidated": key.validated,
                "conrelid": table.id,
                "conindid": key.referenced_index,
                "confrelid": key.referenced_table,
                "confupdtype": objects.ACTION_LETTERS[key.on_update],
                "confdeltype": objects.ACTION_LETTERS[key.on_delete],
                "confmatchtype": "f" if key.match_full else "s",
                "conislocal": True,
                "connoinherit": True,
                "conkey": ArrayValue.of(key.columns),
                "confkey": ArrayValue.of(key.referenced_columns),
                "confdelsetcols": ArrayValue.of(key.set_columns) if key.set_columns else None,
            }

    for domain in view.catalog.types:
        for check in domain.checks if isinstance(domain, Domain) else ():
            yield {
                "oid": objects.domain_check_oid(domain, check),
                "conname": check.name,
                "connamespace": domain.schema_id,
                "contype": "c",
                **_NO_REFERENCE,
                "convalidated": check.validated,
                "contypid": domain.id,
                "conislocal": True,
                "conbin": expression_text.for_domain(domain, check.sql),
            }


def _defaults(view: Viewpoint) -> Rows:
    for table in view.catalog.tables:
        for position, column in enumerate(table.columns):
            text = objects.default_text(table, position)
            if text is not None:
                yield {
                    "oid": objects.synthetic_oid("default", table.id, column.number),
                    "adrelid": table.id,
                    "adnum": column.number,
                    "adbin": expression_text.for_type(column.type, text),
                }


def _databases(view: Viewpoint) -> Rows:
    name = getattr(view.session, "current_database", "postgres")
    yield {
        "oid": objects.DATABASE_OID,
        "datname": name,
        "datdba": 10,
        "encoding": 6,
        "datlocprovider": "c",
        "datallowconn": True,
        "datconnlimit": -1,
        "dattablespace": 1663,
        "datcollate": "C",
        "datctype": "C",
    }


def _sequences(view: Viewpoint) -> Rows:
    for sequence in view.catalog.sequences:
        yield {
            "seqrelid": sequence.id,
            "seqtypid": sequence.type.oid,
            "seqstart": sequence.start,
            "seqincrement": sequence.increment,
            "seqmax": sequence.maximum,
            "seqmin": sequence.minimum,
            "seqcache": sequence.cache,
            "seqcycle": sequence.cycle,
        }


def _table_list(view: Viewpoint) -> Rows:
    for table in view.catalog.tables:
        yield {
            "schemaname": table.schema,
            "tablename": table.name,
            "tableowner": table.owner,
            "hasindexes": bool(table.indexes),
            "hasrules": False,
            "hastriggers": False,
            "rowsecurity": False,
        }


def _view_list(view: Viewpoint) -> Rows:
    for found in view.catalog.views:
        yield {
            "schemaname": found.schema,
            "viewname": found.name,
            "viewowner": found.owner,
            "definition": found.sql + ";",
        }


def _index_list(view: Viewpoint) -> Rows:
    for table in view.catalog.tables:
        for index in table.indexes:
            yield {
                "schemaname": table.schema,
                "tablename": table.name,
                "indexname": index.name,
                "indexdef": objects.index_definition(
                    expression_text.viewpoint(view.catalog, view.session), table, index
                ),
            }


def _sequence_list(view: Viewpoint) -> Rows:
    for sequence in view.catalog.sequences:
        yield {
            "schemaname": sequence.schema,
            "sequencename": sequence.name,
            "sequenceowner": sequence.owner,
            "data_type": sequence.type.oid,
            "start_value": sequence.start,
            "min_value": sequence.minimum,
            "max_value": sequence.maximum,
            "increment_by": sequence.increment,
            "cycle": sequence.cycle,
            "cache_size": sequence.cache,
        }


def _statistics(view: Viewpoint) -> Rows:
    for table in view.catalog.tables:
        known = view.statistics(table)
        schema = view.catalog.object_by_id(table.schema_id)
        for column in table.columns if known is not None else ():
            one = known.columns.get(column.number)
            if one is not None and not column.dropped:
                yield {
                    "schemaname": schema.name,
                    "tablename": table.name,
                    "attname": column.name,
                    "inherited": False,
                    "null_frac": one.null_fraction,
                    "avg_width": round(one.width),
                    "n_distinct": one.distinct,
                    "most_common_vals": _any_array(column.type, one.common_values),
                    "most_common_freqs": ArrayValue.of(list(one.common_parts))
                    if one.common
                    else None,
                    "histogram_bounds": _any_array(column.type, one.bound_values),
                    "correlation": one.correlation,
                }


def _any_array(type_: TypeRef, values: Sequence[Any]) -> str | None:
    """Values of anyarray are told as texts."""
    if not values:
        return None
    array = array_type(TypeRef(type_.oid))
    return text_io.render(array, ArrayValue.of(list(values)), DEFAULT_SETTINGS)


FILLS: Final[dict[tuple[str, str], Callable[[Viewpoint], Rows]]] = {
    ("pg_catalog", name): fill
    for name, fill in {
        "pg_namespace": _namespaces,
        "pg_class": _classes,
        "pg_attribute": _attributes,
        "pg_type": _types,
        "pg_index": _indexes,
        "pg_enum": _enums,
        "pg_constraint": _constraints,
        "pg_attrdef": _defaults,
        "pg_database": _databases,
        "pg_description": descriptions.rows,
        "pg_sequence": _sequences,
        "pg_tables": _table_list,
        "pg_views": _view_list,
        "pg_indexes": _index_list,
        "pg_sequences": _sequence_list,
        "pg_stats": _statistics,
        "pg_proc": procedures.rows,
    }.items()
}
