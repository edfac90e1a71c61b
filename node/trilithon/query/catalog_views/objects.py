"""The catalog's objects as the catalogs' rows need them: numbers, definitions as text."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Any, Final

from trilithon.expression.builtins.quoting import quote_identifier
from trilithon.query.catalog.definitions import (
    Check,
    Composite,
    Domain,
    ForeignKey,
    Identity,
    Index,
    IndexColumn,
    ReferenceAction,
    Sequence,
    Table,
    View,
)
from trilithon.types.registry import USER_COMPOSITE, type_name

BTREE_AM: Final = 403
HEAP_AM: Final = 2
DATABASE_OID: Final = 5
quote: Final = quote_identifier


def synthetic_oid(kind: str, owner: int, name: str | int) -> int:
    """An oid for what has none of its own (a CHECK, a default): the same everywhere and always, above
    all that are given out."""
    return 0x4000_0000 | zlib.crc32(f"{kind}/{owner}/{name}".encode()) & 0x3FFF_FFFF


def owner_oid(catalog: Any, name: str) -> int:
    role = catalog.role(name)
    return role.id if role is not None else 10


def qualified(catalog: Any, search_path: tuple[str, ...], relation: Any, name: str = "") -> str:
    """A relation's name, with its schema where the search path does not find it."""
    own = name or relation.name
    found = catalog.relation(tuple(search_path), own)
    first = found[1] if isinstance(found, tuple) else found
    if first is not None and getattr(first, "name", None) == own:
        schema = found[0].schema if isinstance(found, tuple) else found.schema
        if schema == relation.schema:
            return quote(own)
    return f"{quote(relation.schema)}.{quote(own)}"


def constraint_indexes(table: Table) -> Iterator[Index]:
    return (index for index in table.indexes if index.constraint or index.primary)


def check_oid(table: Table, check: Check) -> int:
    return synthetic_oid("check", table.id, check.name)


def column_list(table: Table, numbers: tuple[int, ...]) -> str:
    return ", ".join(quote(table.columns[number - 1].name) for number in numbers)


def constraint_definition(table: Table, index: Index) -> str:
    words = "PRIMARY KEY" if index.primary else "UNIQUE"
    if index.nulls_not_distinct:
        words += " NULLS NOT DISTINCT"
    text = f"{words} ({column_list(table, index.column_numbers)})"
    if index.include:
        text += f" INCLUDE ({column_list(table, index.include)})"
    return text + deferral(index)


def deferral(constraint: Index | ForeignKey) -> str:
    """When it is looked at, where that is not at once."""
    text = " DEFERRABLE" if constraint.deferrable else ""
    return text + " INITIALLY DEFERRED" if constraint.initially_deferred else text


ACTION_LETTERS: Final = {
    ReferenceAction.NO_ACTION: "a",
    ReferenceAction.RESTRICT: "r",
    ReferenceAction.CASCADE: "c",
    ReferenceAction.SET_NULL: "n",
    ReferenceAction.SET_DEFAULT: "d",
}


def foreign_key_oid(table: Table, key: ForeignKey) -> int:
    return synthetic_oid("foreign", table.id, key.name)


def foreign_key_definition(
    catalog: Any, search_path: tuple[str, ...], table: Table, key: ForeignKey
) -> str:
    referenced = catalog.table_by_id(key.referenced_table)
    name = qualified(catalog, search_path, referenced)
    text = (
        f"FOREIGN KEY ({column_list(table, key.columns)}) "
        f"REFERENCES {name}({column_list(referenced, key.referenced_columns)})"
    )
    if key.match_full:
        text += " MATCH FULL"
    if key.on_update is not ReferenceAction.NO_ACTION:
        text += f" ON UPDATE {key.on_update.value.upper()}"
    if key.on_delete is not ReferenceAction.NO_ACTION:
        text += f" ON DELETE {key.on_delete.value.upper()}"
    if key.set_columns:
        text += f" ({column_list(table, key.set_columns)})"
    text += deferral(key)
    return text if key.validated else text + " NOT VALID"


def domain_check_oid(domain: Domain, check: Check) -> int:
    return synthetic_oid("domain check", domain.id, check.name)


def row_type_oid(relation: Table | View | Composite) -> int:
    """The type of a relation's rows, or of a composite type's values."""
    return relation.id | USER_COMPOSITE


def rule_oid(view: View) -> int:
    """Of the rule that PostgreSQL makes a view by."""
    return synthetic_oid("rule", view.id, "")


def check_definition(check: Check, shown: str) -> str:
    """`shown`: its condition as text."""
    text = f"CHECK ({shown})"
    return text if check.validated else text + " NOT VALID"


def index_column_text(view: Any, table: Table, column: IndexColumn) -> str:
    """`view`: a `shown.definitions.Viewpoint`."""
    if column.number:
        return quote(table.columns[column.number - 1].name)
    return str(view.index_expression(column.expression or "", table))


def index_column_name(table: Table, column: IndexColumn, taken: set[str]) -> str:
    """An expression's column is called after its function, with a number where that is taken."""
    if column.number:
        return table.columns[column.number - 1].name
    call = re.match(r"(?:\w+\.)?(\w+)\(", column.expression or "")
    name = base = call[1] if call and quote(call[1]) == call[1] else "expr"
    number = 0
    while name in taken:
        number += 1
        name = f"{base}{number}"
    return name


def index_definition(view: Any, table: Table, index: Index) -> str:
    """`view`: a `shown.definitions.Viewpoint`; when pretty, the schema is left out where the path finds it."""
    parts = []
    for column in index.columns:
        text = index_column_text(view, table, column)
        if column.descending:
            text += " DESC"
        if column.nulls_first is not None and column.nulls_first != column.descending:
            text += " NULLS FIRST" if column.nulls_first else " NULLS LAST"
        parts.append(text)
    unique = "UNIQUE " if index.unique else ""
    name = f"{quote(table.schema)}.{quote(table.name)}"
    if view.pretty:
        name = qualified(view.catalog, view.path, table)
    text = f"CREATE {unique}INDEX {quote(index.name)} ON {name} USING btree ({', '.join(parts)})"
    if index.include:
        text += f" INCLUDE ({column_list(table, index.include)})"
    if index.nulls_not_distinct:
        text += " NULLS NOT DISTINCT"
    if index.predicate is not None:
        text += f" WHERE {view.check(index.predicate, table)}"
    return text


def default_text(table: Table, position: int) -> str | None:
    """What pg_attrdef holds for a column; identity columns have no entry there."""
    column = table.columns[position]
    if column.dropped or column.identity is not Identity.NONE:
        return None
    if column.generated is not None:
        return column.generated
    is_null = (column.default or "").upper() == "NULL"
    # A bare NULL is no default; the domain's own, or a length to keep to, make it one.
    return None if is_null and column.type.typmod < 0 and not column.domain_id else column.default


def relation_kind(relation: Any) -> str:
    if isinstance(relation, Table):
        return "r"
    if isinstance(relation, View):
        return "v"
    return "S" if isinstance(relation, Sequence) else "i"


def column_type_text(column: Any) -> str:
    return type_name(column.type)
