"""The corpus on both systems: rows, types, column names, tags and SQLSTATEs must agree.

A statement that the engine refuses with 0A000 is no disagreement as long as PostgreSQL can do it, but it
is counted: `REFUSED_MAX` says how many there may be.
"""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from engine_bench import Bench

from trilithon.core.errors import SqlError

CORPUS = Path(__file__).parent / "corpus"
REFUSED_MAX = {
    "enums_and_domains": 0,
    "queries": 0,
    "changes": 0,
    "windows": 0,
    "grouping_sets": 0,
    "row_values": 0,
    "merge": 0,
    "create_table_as": 0,
}


@dataclass
class Outcome:
    sqlstate: str = ""
    message: str = ""
    tag: str = ""
    columns: tuple[tuple[str, int], ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    position: int = 0


def known_oid(oid: int) -> int:
    """Types that users make have other oids on every system."""
    return min(oid, 16384)


async def ours(bench: Bench, sql: str) -> Outcome:
    try:
        answer = await bench.run(sql)
    except SqlError as error:
        return Outcome(error.sqlstate, error.message, position=error.position)
    except Exception as error:
        return Outcome("defect", traceback.format_exc(limit=-4) + str(error))
    columns = tuple((name, known_oid(oid)) for name, oid in answer.columns)
    return Outcome("", "", answer.tag, columns, tuple(answer.rows))


def theirs(connection: psycopg.Connection[tuple[object, ...]], sql: str) -> Outcome:
    result = connection.pgconn.exec_(sql.encode())
    field = psycopg.pq.DiagnosticField
    state = result.error_field(field.SQLSTATE)
    if state:
        message = result.error_field(field.MESSAGE_PRIMARY) or b""
        position = result.error_field(field.STATEMENT_POSITION) or b"0"
        return Outcome(state.decode(), message.decode(), position=int(position))
    columns = tuple(
        ((result.fname(i) or b"").decode(), known_oid(result.ftype(i)))
        for i in range(result.nfields)
    )

    def value(row: int, column: int) -> str | None:
        data = result.get_value(row, column)
        return None if data is None else data.decode()

    rows = tuple(tuple(value(r, c) for c in range(result.nfields)) for r in range(result.ntuples))
    return Outcome("", "", (result.command_status or b"").decode(), columns, rows)


def differ(sql: str, mine: Outcome, other: Outcome) -> str:
    if mine.sqlstate != other.sqlstate:
        return f"SQLSTATE {mine.sqlstate or 'none'} ({mine.message}), PostgreSQL {other.sqlstate or 'none'} ({other.message})"
    if mine.sqlstate:
        return ""
    if mine.tag != other.tag:
        return f"tag {mine.tag}, PostgreSQL {other.tag}"
    if mine.columns != other.columns:
        return f"columns {mine.columns}, PostgreSQL {other.columns}"
    ordered = "order by" in sql.lower()
    left, right = list(mine.rows), list(other.rows)
    if not ordered:
        left.sort(key=repr)
        right.sort(key=repr)
    return "" if left == right else f"rows {left}, PostgreSQL {right}"


@pytest.mark.parametrize("name", sorted(REFUSED_MAX))
def test_the_corpus_agrees(name: str, postgresql: str) -> None:
    statements = [
        line for line in (CORPUS / f"{name}.sql").read_text("utf-8").splitlines() if line.strip()
    ]
    wrong: list[str] = []
    refused: list[str] = []

    async def run() -> None:
        bench = Bench()
        for sql in statements:
            mine = await ours(bench, sql)
            other = theirs(connection, sql)
            if mine.sqlstate == "0A000" and not other.sqlstate:
                refused.append(f"{sql}\n    {mine.message}")
                continue
            problem = differ(sql, mine, other)
            if problem:
                wrong.append(f"{sql}\n    {problem}")

    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"create schema corpus_{name}")
        connection.execute(f"set search_path to corpus_{name}")
        asyncio.run(run())
    assert not wrong, f"{len(wrong)} of {len(statements)} differ:\n" + "\n".join(wrong)
    assert len(refused) <= REFUSED_MAX[name], "\n".join(refused)
