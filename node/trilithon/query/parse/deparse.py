"""Parse nodes back to SQL text: what the catalog stores of defaults, checks, indexes and views.

libpg_query's own deparser, which takes its protobuf tree; the JSON is that tree's JSON form. It fails
beyond about a hundred levels, which then is SQLSTATE 54001.
"""

from __future__ import annotations

from typing import Final

from google.protobuf import json_format
from postgast import PgQueryError, deparse, pg_query_pb2

from trilithon.core.errors import SqlError
from trilithon.query.parse.statement import Node

_VERSION: Final = 180004
_SELECT: Final = "SELECT "


def statement_text(node: Node) -> str:
    """One statement as SQL."""
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


def expression_text(node: Node) -> str:
    """One expression as SQL."""
    text = statement_text(
        {
            "SelectStmt": {
                "targetList": [{"ResTarget": {"val": node}}],
                "limitOption": "LIMIT_OPTION_DEFAULT",
                "op": "SETOP_NONE",
            }
        }
    )
    return text.removeprefix(_SELECT)
