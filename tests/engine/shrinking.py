"""Makes a statement smaller as long as it still shows what is looked for.

Works on PostgreSQL's parse tree: parts are left out or replaced by their own parts, and the rest is
written as SQL again. What comes out need not be valid: whoever judges it will say so.
"""

from __future__ import annotations

import copy
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.query.parse.deparse import statement_text
from trilithon.query.parse.grammar import parse_json

_DROPPABLE = (
    "whereClause", "havingClause", "limitCount", "limitOffset", "distinctClause", "groupClause",
    "withClause", "returningList", "agg_filter", "quals", "defresult", "windowClause", "over",
)  # fmt: skip
_ORDERS = frozenset({"sortClause", "agg_order"})
_PLAIN = {"A_Const": {"ival": {"ival": 1}}}


def is_ordered(sql: str) -> bool:
    """Whether the statement's own rows are ordered, not only a subquery's or an aggregate's."""
    try:
        statement = parse_json(sql)[0]["stmt"]
    except SqlError:
        return False
    return "sortClause" in statement.get("SelectStmt", {})


def smaller(sql: str, shows: Callable[[str], bool]) -> str:
    """The smallest variant found for which `shows` still holds; `sql` itself if there is none."""
    try:
        tree = parse_json(sql)[0]["stmt"]
    except SqlError:
        return sql
    best = sql
    improved = True
    writer = _Writer()
    try:
        while improved:
            improved = False
            for candidate in _variants(tree):
                text = writer.text(candidate)
                if text and len(text) < len(best) and shows(text):
                    tree, best, improved = candidate, text, True
                    break
    finally:
        writer.close()
    return best


class _Writer:
    """Trees as SQL, in a process of its own: the grammar's library may crash at a tree that no text has."""

    def __init__(self) -> None:
        self.pool: ProcessPoolExecutor | None = None

    def text(self, tree: Any) -> str:
        """ "" where there is none."""
        if self.pool is None:
            self.pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        try:
            return self.pool.submit(_text, tree).result()
        except BrokenProcessPool:
            self.close()
            return ""

    def close(self) -> None:
        if self.pool is not None:
            self.pool.shutdown()
            self.pool = None


def _text(tree: Any) -> str:
    try:
        return statement_text(tree)
    except SqlError:
        return ""


def _variants(tree: Any) -> Iterator[Any]:
    """Copies of the tree with one thing left out or replaced, larger cuts first."""
    for path in sorted(_paths(tree), key=len):
        if not _ORDERS.isdisjoint(path):
            continue  # what is left would be in no order
        yield from _at(tree, path)


def _paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for key, value in items:
        if isinstance(value, dict | list):
            yield from _paths(value, (*path, key))


def _get(tree: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def _at(tree: Any, path: tuple[Any, ...]) -> Iterator[Any]:
    node = _get(tree, path)
    if isinstance(node, list) and len(node) > 1:
        for index in range(len(node)):
            changed = copy.deepcopy(tree)
            del _get(changed, path)[index]
            yield changed
    if isinstance(node, dict) and path:
        for key in _DROPPABLE:
            if key in node:
                changed = copy.deepcopy(tree)
                del _get(changed, path)[key]
                yield changed
        for part in _parts(node):
            changed = copy.deepcopy(tree)
            _get(changed, path[:-1])[path[-1]] = copy.deepcopy(part)
            yield changed


def _parts(node: dict[str, Any]) -> Iterator[Any]:
    """What an expression, a join or a set operation may be replaced by."""
    for kind, body in node.items():
        if not isinstance(body, dict):
            continue
        for key in ("lexpr", "rexpr", "arg", "larg", "rarg", "testexpr", "defresult"):
            if isinstance(body.get(key), dict):
                yield body[key]
        if kind == "SelectStmt" and "larg" in body:
            yield {"SelectStmt": body["larg"]}
            yield {"SelectStmt": body["rarg"]}
        if kind in ("BoolExpr", "FuncCall", "CoalesceExpr", "MinMaxExpr", "CaseExpr"):
            yield from body.get("args", [])
        if kind in ("A_Expr", "FuncCall", "SubLink", "CaseExpr", "BoolExpr"):
            yield _PLAIN
