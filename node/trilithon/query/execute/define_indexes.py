"""CREATE INDEX."""

from __future__ import annotations

from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.analyse import coercion, names, table_expressions
from trilithon.query.analyse.tree import OutputColumn
from trilithon.query.catalog import ddl
from trilithon.query.catalog.definitions import (
    IndexColumnDefinition,
    IndexDefinition,
    Table,
)
from trilithon.query.execute import table_drafts
from trilithon.query.execute.definitions import (
    Definer,
    Handler,
)
from trilithon.query.parse.deparse import expression_text
from trilithon.query.parse.statement import Node
from trilithon.types.keys import is_indexable
from trilithon.types.registry import BOOL, type_name


async def _create_index(definer: Definer) -> Any:
    body = definer.body
    table = names.find_table(definer.analysis, body["relation"], "create an index on")
    method = body.get("accessMethod", "btree")
    if method not in ("btree", "btree_index"):
        raise SqlError("0A000", f'access method "{method}" is not supported')
    if "tableSpace" in body:
        raise SqlError("0A000", "TABLESPACE is not supported")
    for item in body.get("options", ()):
        if item["DefElem"]["defname"] not in ("fillfactor", "deduplicate_items"):
            raise SqlError("22023", f'unrecognized parameter "{item["DefElem"]["defname"]}"')
    analysis = definer.analysis
    outputs = tuple(
        analysis.column(column.name, column.type, table.id, column.number)
        for column in table.columns
    )
    columns = tuple(
        _index_column(definer, table, outputs, item["IndexElem"]) for item in body["indexParams"]
    )
    predicate = None
    if "whereClause" in body:
        predicate = _predicate(definer, table, outputs, body["whereClause"])
    definition = IndexDefinition(
        columns,
        name=body.get("idxname"),
        unique=bool(body.get("unique")),
        include=tuple(item["IndexElem"]["name"] for item in body.get("indexIncludingParams", ())),
        predicate=predicate,
        nulls_not_distinct=bool(body.get("nulls_not_distinct")),
    )
    asynchronous = bool(body.get("asynchronous"))
    made = await ddl.create_index(
        definer.transaction,
        table,
        definition,
        if_not_exists=bool(body.get("if_not_exists")),
        wait=definer.alone and not asynchronous,
    )
    if made is None:
        definer.notice(f'relation "{definition.name}" already exists, skipping', "42P07")
    if asynchronous:
        job_id = made.job_id if made is not None else b""
        return "CREATE INDEX", [(job_id or None,)]
    return "CREATE INDEX"


def _index_column(
    definer: Definer, table: Table, outputs: tuple[OutputColumn, ...], node: Node
) -> IndexColumnDefinition:
    for key, words in (("opclass", "operator classes"), ("opclassopts", "operator classes")):
        if key in node:
            raise SqlError("0A000", f"{words} are not supported")
    if "collation" in node and names.strings(node["collation"])[-1] not in (
        "C",
        "POSIX",
        "default",
    ):
        raise SqlError("0A000", "collations other than C are not supported")
    descending = node.get("ordering") == "SORTBY_DESC"
    nulls = node.get("nulls_ordering", "SORTBY_NULLS_DEFAULT")
    first = None if nulls == "SORTBY_NULLS_DEFAULT" else nulls == "SORTBY_NULLS_FIRST"
    if "name" in node:
        return IndexColumnDefinition(node["name"], descending=descending, nulls_first=first)
    expression = table_expressions.analyse_node(definer.analysis, node["expr"], table, outputs)
    table_expressions.require_no_subquery(node["expr"], "index expression")
    expression = coercion.settle(definer.analysis, expression)
    table_drafts.require_immutable(
        expression, "functions in index expression must be marked IMMUTABLE"
    )
    if not is_indexable(expression.type.oid):
        raise SqlError(
            "42704",
            f'data type {type_name(expression.type)} has no default operator class for access method "btree"',
        )
    return IndexColumnDefinition(
        None,
        expression_text(node["expr"]),
        expression.type,
        descending,
        first,
        table_expressions.label_of(node["expr"]),
    )


def _predicate(
    definer: Definer, table: Table, outputs: tuple[OutputColumn, ...], node: Node
) -> str:
    table_expressions.require_no_subquery(node, "index predicate")
    expression = table_expressions.analyse_node(definer.analysis, node, table, outputs)
    expression = coercion.coerce_to(
        definer.analysis, expression, BOOL, coercion.ASSIGNMENT, None, "WHERE"
    )
    table_drafts.require_immutable(
        expression, "functions in index predicate must be marked IMMUTABLE"
    )
    return expression_text(node)


HANDLERS: Final[dict[str, Handler]] = {"IndexStmt": _create_index}
