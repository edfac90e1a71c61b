"""Constraints on both systems, in transactions too: rows, tags, SQLSTATEs, messages, and the fields that
name what was violated must agree."""

from __future__ import annotations

import asyncio
import re
import traceback
from pathlib import Path
from typing import Any

import psycopg
from engine_bench import Bench

from trilithon.core.errors import SqlError

CORPUS = Path(__file__).parent / "corpus" / "foreign_keys.sql"
# Errors whose words are about a place in the statement or a way of storing things.
WORDS_DIFFER = frozenset({"42601", "55006"})
_ENDS = ("commit", "rollback")


class Ours:
    def __init__(self) -> None:
        self.bench = Bench()
        self.open = self.failed = False

    async def run(self, sql: str) -> dict[str, Any]:
        if sql == "begin":
            self.open = True
            await self.bench.begin()
            return {"tag": "BEGIN"}
        if sql in _ENDS:
            return await self._end(sql)
        if self.failed:
            return {"sqlstate": "25P02"}
        try:
            answer = await self.bench.run(sql)
        except SqlError as error:
            self.failed = self.open
            return _failure(error)
        except Exception:
            return {"sqlstate": "defect", "message": traceback.format_exc(limit=-4)}
        return {"tag": answer.tag, "rows": answer.rows}

    async def _end(self, sql: str) -> dict[str, Any]:
        failed, self.failed, self.open = self.failed, False, False
        if failed:
            return {"tag": "ROLLBACK"}
        try:
            if sql == "commit":
                await self.bench.commit()
            else:
                self.bench.rollback()
        except SqlError as error:
            return _failure(error)
        return {"tag": sql.upper()}


def _failure(error: SqlError) -> dict[str, Any]:
    return {
        "sqlstate": error.sqlstate,
        "message": error.message,
        "detail": error.detail,
        "schema": error.schema,
        "table": error.table,
        "constraint": error.constraint,
    }


def theirs(connection: psycopg.Connection[tuple[object, ...]], sql: str) -> dict[str, Any]:
    result = connection.pgconn.exec_(sql.encode())
    field = psycopg.pq.DiagnosticField
    state = result.error_field(field.SQLSTATE)
    if state:
        names = {
            "sqlstate": field.SQLSTATE,
            "message": field.MESSAGE_PRIMARY,
            "detail": field.MESSAGE_DETAIL,
            "schema": field.SCHEMA_NAME,
            "table": field.TABLE_NAME,
            "constraint": field.CONSTRAINT_NAME,
        }
        return {name: (result.error_field(one) or b"").decode() for name, one in names.items()}

    def value(row: int, column: int) -> str | None:
        data = result.get_value(row, column)
        return None if data is None else data.decode()

    rows = [tuple(value(r, c) for c in range(result.nfields)) for r in range(result.ntuples)]
    return {"tag": (result.command_status or b"").decode(), "rows": rows}


def differ(sql: str, mine: dict[str, Any], other: dict[str, Any]) -> str:
    if mine.get("sqlstate") != other.get("sqlstate"):
        return f"{mine}, PostgreSQL {other}"
    if "sqlstate" in mine:
        state = mine["sqlstate"]
        names = [] if state == "25P02" or state in WORDS_DIFFER else ["message"]
        if state.startswith("23"):
            names += ["detail", "schema", "table", "constraint"]
        wrong = [
            f"{name} {mine[name]!r}, PostgreSQL {_unqualified(other[name])!r}"
            for name in names
            if _unqualified(mine[name]) != _unqualified(other[name])
        ]
        return "; ".join(wrong)
    if mine["tag"] != other["tag"]:
        return f"tag {mine['tag']}, PostgreSQL {other['tag']}"
    left, right = mine.get("rows", []), other.get("rows", [])
    if "order by" not in sql:
        left, right = sorted(left, key=repr), sorted(right, key=repr)
    return "" if left == right else f"rows {left}, PostgreSQL {right}"


def _unqualified(text: str) -> str:
    """The schemas have different names on both sides."""
    return re.sub(r"\b(constraint_corpus|public)\b\.?", "", text)


def test_constraints_agree(postgresql: str) -> None:
    statements = [line for line in CORPUS.read_text("utf-8").splitlines() if line.strip()]
    assert len(statements) > 200
    wrong: list[str] = []

    async def run() -> None:
        bench = Ours()
        for sql in statements:
            problem = differ(sql, await bench.run(sql), theirs(connection, sql))
            if problem:
                wrong.append(f"{sql}\n    {problem}")

    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("create schema constraint_corpus")
        connection.execute("set search_path to constraint_corpus")
        asyncio.run(run())
        connection.execute("drop schema constraint_corpus cascade")
    assert not wrong, f"{len(wrong)} of {len(statements)} differ:\n" + "\n".join(wrong)
