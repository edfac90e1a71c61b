"""Parse nodes back to SQL text: what the catalog stores of defaults, checks, indexes and views.

libpg_query's own deparser, which takes its protobuf tree; the JSON is that tree's JSON form. It fails
beyond about a hundred levels, which then is SQLSTATE 54001.

It forgets parentheses (`(NOT a) IS NULL`, `(CASE … END)[1]`), so what it wrote is parsed again. If that is
another tree, every operand gets its own parentheses: operands are written apart, with placeholders for them.
A text that still means something else is never given.
"""

from __future__ import annotations

import re
from typing import Any, Final

from google.protobuf import json_format
from postgast import PgQueryError, deparse, pg_query_pb2

from trilithon.core.errors import SqlError
from trilithon.query.parse.grammar import parse_json
from trilithon.query.parse.statement import Node

_VERSION: Final = 180004
_SELECT: Final = "SELECT "
_PLACES: Final = frozenset(
    {"location", "list_start", "list_end", "rexpr_list_start", "rexpr_list_end"}
)
# Below these keys of these nodes stand operands.
_OPERANDS: Final = {
    "A_Expr": ("lexpr", "rexpr"),
    "BoolExpr": ("args",),
    "NullTest": ("arg",),
    "BooleanTest": ("arg",),
    "A_Indirection": ("arg",),
    "TypeCast": ("arg",),
    "CollateClause": ("arg",),
    "SubLink": ("testexpr",),
    "FuncCall": ("args",),
}
# Operands of these kinds stand in parentheses.
_COMPOSITE: Final = frozenset(
    {"A_Expr", "BoolExpr", "NullTest", "BooleanTest", "CaseExpr", "CollateClause", "SubLink"}
)
_PLACEHOLDER: Final = re.compile(r"\btrilithon_operand_(\d+)_\b")


def statement_text(node: Node) -> str:
    """One statement as SQL: what it is parsed to is the node. SqlError 54001, or 0A000 where there is no such text."""
    text = _deparsed(node)
    if _means(text, node):
        return text
    text = _with_parentheses(node)
    if not _means(text, node):
        raise SqlError("0A000", "this expression cannot be stored as text", detail=text[:200])
    return text


def expression_text(node: Node) -> str:
    """One expression as SQL. Errors as of statement_text."""
    return statement_text(_selected(node)).removeprefix(_SELECT)


def _selected(node: Node) -> Node:
    return {
        "SelectStmt": {
            "targetList": [{"ResTarget": {"val": node}}],
            "limitOption": "LIMIT_OPTION_DEFAULT",
            "op": "SETOP_NONE",
        }
    }


def _deparsed(node: Node) -> str:
    try:
        tree = json_format.ParseDict(
            {"version": _VERSION, "stmts": [{"stmt": node}]}, pg_query_pb2.ParseResult()
        )
        text: str = deparse(tree)
    except (json_format.ParseError, RecursionError, PgQueryError) as error:
        raise SqlError(
            "54001", "an expression is too complex to be stored", detail=str(error)[:200]
        ) from error
    return text


def _means(text: str, node: Node) -> bool:
    try:
        statements = parse_json(text)
    except SqlError:
        return False
    return len(statements) == 1 and bare(statements[0]["stmt"]) == bare(node)


def bare(node: Any) -> Any:
    """Without places, and without what says nothing (a field that has its default)."""
    if isinstance(node, list):
        return [bare(one) for one in node]
    if isinstance(node, dict):
        return {
            key: bare(value)
            for key, value in node.items()
            if key not in _PLACES and value not in (0, "", False, None, [])
        }
    return node


def _with_parentheses(node: Node) -> str:
    operands: list[Node] = []
    text = _deparsed(_apart(node, operands))

    def operand(found: re.Match[str]) -> str:
        inner = _with_parentheses(_selected(operands[int(found[1])])).removeprefix(_SELECT)
        return f"({inner})"

    return _PLACEHOLDER.sub(operand, text)


def _apart(node: Any, operands: list[Node]) -> Any:
    """A copy with placeholders for the composite operands, which go into the list."""
    if isinstance(node, list):
        return [_apart(one, operands) for one in node]
    if not isinstance(node, dict):
        return node
    copied: dict[str, Any] = {}
    for kind, body in node.items():
        keys = _OPERANDS.get(kind, ())
        if not keys or not isinstance(body, dict):
            copied[kind] = _apart(body, operands)
            continue
        copied[kind] = {
            key: _placed(value, operands) if key in keys else _apart(value, operands)
            for key, value in body.items()
        }
    return copied


def _placed(value: Any, operands: list[Node]) -> Any:
    if isinstance(value, list):
        return [_placed(one, operands) for one in value]
    if "List" in value:
        return {"List": {**value["List"], "items": _placed(value["List"]["items"], operands)}}
    if _COMPOSITE.isdisjoint(value):
        return _apart(value, operands)
    operands.append(value)
    name = f"trilithon_operand_{len(operands) - 1}_"
    return {"ColumnRef": {"fields": [{"String": {"sval": name}}]}}
