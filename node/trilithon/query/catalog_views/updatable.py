"""Which views can be changed through: those over one table or view that leave its rows as they are.

The rules are PostgreSQL's (rewriteHandler.c, view_query_is_auto_updatable).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from trilithon.expression.registry import AGGREGATES_BY_NAME, FUNCTIONS_BY_NAME
from trilithon.query.catalog.definitions import View
from trilithon.query.parse.parser import parse_plain
from trilithon.query.parse.statement import Node

_CLAUSES: Final = (
    (("distinctClause",), "containing DISTINCT"),
    (("groupClause",), "containing GROUP BY"),
    (("havingClause",), "containing HAVING"),
    (("larg",), "containing UNION, INTERSECT, or EXCEPT"),
    (("withClause",), "containing WITH"),
    (("limitOffset", "limitCount"), "containing LIMIT or OFFSET"),
)
_SUBQUERY: Final = "SubLink"


def body_of(view: View) -> Node:
    """The view's SELECT."""
    node: Node = parse_plain(view.sql)[0].node["SelectStmt"]
    return node


def why_not(body: Node, *, columns: bool) -> str:
    """Why nothing can be changed through a view of this query, in PostgreSQL's words; "" where it can.
    `columns`: a column must be open to changes, which DELETE does not want."""
    reason = _structure(body)
    if not reason and columns and not any(map(_is_column, body["targetList"])):
        reason = "that have no updatable columns"
    return f"Views {reason} are not automatically updatable." if reason else ""


def _structure(body: Node) -> str:
    for keys, words in _CLAUSES:
        if any(key in body for key in keys):
            return words
    calls = list(_calls(body.get("targetList", [])))
    names = [call["funcname"][-1]["String"]["sval"] for call in calls]
    windows = [bool("over" in call) for call in calls]
    pairs = list(zip(names, windows, strict=True))
    if any(not window and name in AGGREGATES_BY_NAME for name, window in pairs):
        return "that return aggregate functions"
    if any(windows):
        return "that return window functions"
    if any(entry.returns_set for name in names for entry in FUNCTIONS_BY_NAME.get(name, ())):
        return "that return set-returning functions"
    items = body.get("fromClause", [])
    if len(items) != 1 or "RangeVar" not in items[0]:
        return "that do not select from a single table or view"
    return ""


def _calls(node: Any) -> Iterator[Node]:
    """Function calls that belong to the query itself, not to subqueries in it."""
    if isinstance(node, list):
        for item in node:
            yield from _calls(item)
    elif isinstance(node, dict):
        for key, item in node.items():
            if key == _SUBQUERY:
                continue
            if key == "FuncCall":
                yield item
            yield from _calls(item)


def _is_column(node: Node) -> bool:
    return "ColumnRef" in node["ResTarget"]["val"]


def has_subquery(node: Any) -> bool:
    if isinstance(node, list):
        return any(map(has_subquery, node))
    if isinstance(node, dict):
        return _SUBQUERY in node or any(map(has_subquery, node.values()))
    return False


def is_updatable(catalog: Any, view: View) -> bool:
    """Whether rows can be inserted, updated and deleted, the views below included."""
    body = body_of(view)
    if why_not(body, columns=True):
        return False
    named = body["fromClause"][0]["RangeVar"]
    schema, name = named.get("schemaname", "public"), named["relname"]
    ids = {(one.schema, one.name): one.id for one in view.sources}
    if (schema, name) in ids:
        below = catalog.object_by_id(ids[schema, name])
    else:
        below = catalog.relation((schema,), name)
    return is_updatable(catalog, below) if isinstance(below, View) else below is not None
