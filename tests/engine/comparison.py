"""One statement on two systems, over PostgreSQL's protocol: what each answered, and whether that is the same.

Words: an *outcome* is everything a client sees of one statement. Of two outcomes the engine's is an
*agreement*, a *refusal* (PostgreSQL can, the engine says by its SQLSTATE that it cannot) or *wrong*.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import pq

# Feature not supported; no such function, operator, type or cast. Each names what is missing.
REFUSALS = frozenset({"0A000", "42883", "42704"})
# Rows, enums and domains get oids of their own, which no two systems share.
FIRST_USER_OID = 16384
NEVER_AN_ANSWER = "gone"


@dataclass(slots=True)
class Outcome:
    sqlstate: str = ""
    message: str = ""
    tag: str = ""
    columns: tuple[tuple[str, int, int], ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    parameters: tuple[int, ...] = ()
    copied: bytes = b""

    def shown(self) -> str:
        if self.sqlstate:
            return f"{self.sqlstate} {self.message}"
        columns = ", ".join(f"{name}:{oid}/{modifier}" for name, oid, modifier in self.columns)
        rows = (
            repr(list(self.rows))
            if len(self.rows) <= 12
            else f"{len(self.rows)} rows {self.rows[:12]!r} ..."
        )
        parts = [self.tag, f"({columns})" if columns else "", rows if columns else ""]
        if self.parameters:
            parts.append(f"parameters {self.parameters}")
        return " ".join(filter(None, [*parts, repr(self.copied) if self.copied else ""]))


@dataclass(frozen=True, slots=True)
class Step:
    """`parameters` (texts) go through the extended protocol; `data` is what COPY ... FROM STDIN gets."""

    sql: str
    parameters: tuple[str | None, ...] | None = None
    data: bytes = b""


def ask(connection: pq.abc.PGconn, step: Step) -> Outcome:
    try:
        if step.parameters is not None:
            return _extended(connection, step)
        return _result(connection, connection.exec_(step.sql.encode()), step)
    except psycopg.Error as error:
        return Outcome(NEVER_AN_ANSWER, str(error))


def _extended(connection: pq.abc.PGconn, step: Step) -> Outcome:
    assert step.parameters is not None
    prepared = connection.prepare(b"", step.sql.encode())
    if prepared.status != pq.ExecStatus.COMMAND_OK:
        return _result(connection, prepared, step)
    described = connection.describe_prepared(b"")
    types = tuple(described.param_type(i) for i in range(described.nparams))
    values = [None if value is None else value.encode() for value in step.parameters]
    outcome = _result(connection, connection.exec_prepared(b"", values), step)
    outcome.parameters = types
    return outcome


def _result(connection: pq.abc.PGconn, result: pq.abc.PGresult, step: Step) -> Outcome:
    if result.status == pq.ExecStatus.COPY_IN:
        if step.data:
            connection.put_copy_data(step.data)
        connection.put_copy_end()
        result = connection.get_result() or result
        while connection.get_result() is not None:
            pass
    copied = bytearray()
    if result.status == pq.ExecStatus.COPY_OUT:
        while True:
            size, piece = connection.get_copy_data(0)
            if size < 0:
                break
            copied += piece
        result = connection.get_result() or result
        while connection.get_result() is not None:
            pass
    field = pq.DiagnosticField
    if state := result.error_field(field.SQLSTATE):
        message = result.error_field(field.MESSAGE_PRIMARY) or b""
        return Outcome(state.decode(), message.decode("utf-8", "replace"))
    if result.status == pq.ExecStatus.FATAL_ERROR:
        return Outcome(NEVER_AN_ANSWER, result.error_message.decode("utf-8", "replace"))
    columns = tuple(
        ((result.fname(i) or b"").decode(), _type(result.ftype(i)), result.fmod(i))
        for i in range(result.nfields)
    )

    def value(row: int, column: int) -> str | None:
        data = result.get_value(row, column)
        return None if data is None else data.decode("utf-8", "replace")

    rows = tuple(tuple(value(r, c) for c in range(result.nfields)) for r in range(result.ntuples))
    tag = (result.command_status or b"").decode()
    return Outcome("", "", tag, columns, rows, (), bytes(copied))


def _type(oid: int) -> int:
    return min(oid, FIRST_USER_OID)


def difference(sql: str, mine: Outcome, other: Outcome, ordered: bool | None = None) -> str:
    """What a client could tell apart, in words; "" when nothing. `ordered` None: the order of the rows
    counts where the text has an ORDER BY anywhere."""
    if ordered is None:
        ordered = re.search(r"order\s+by", sql, re.IGNORECASE) is not None
    if mine.sqlstate != other.sqlstate:
        return "SQLSTATE"
    if mine.sqlstate:
        return ""
    for name in ("tag", "columns", "parameters", "copied"):
        if getattr(mine, name) != getattr(other, name):
            return name
    if ordered:
        return "" if mine.rows == other.rows else "rows"
    return "" if sorted(mine.rows, key=repr) == sorted(other.rows, key=repr) else "rows"


def is_refusal(mine: Outcome, other: Outcome) -> bool:
    """Where PostgreSQL answers, or fails only while it evaluates (class 42 is said of the text itself)."""
    known_to_postgresql = not other.sqlstate.startswith("42")
    return mine.sqlstate in REFUSALS and (known_to_postgresql or mine.sqlstate == "0A000")


def session(conninfo: str, settings: Sequence[str] = ()) -> psycopg.Connection[tuple[object, ...]]:
    connection = psycopg.connect(conninfo, autocommit=True)
    for statement in settings:
        connection.execute(statement.encode())
    return connection
