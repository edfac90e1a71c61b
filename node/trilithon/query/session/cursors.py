"""DECLARE, FETCH, MOVE, CLOSE. A cursor is a portal with a position.

Without SCROLL a cursor only moves forward and its rows are streamed; with SCROLL its rows are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trilithon.core.errors import SqlError
from trilithon.query.parse.statement import Node, Statement, derive
from trilithon.query.session.block import Block
from trilithon.query.session.ports import ResultColumnLike, Row
from trilithon.query.session.prepared import PORTALS_MAX, Portal
from trilithon.query.session.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trilithon.query.session.session import Session

_BINARY, _SCROLL, _NO_SCROLL, _INSENSITIVE, _ASENSITIVE, _HOLD = 1, 2, 4, 8, 16, 32
_ALL: Final = 9223372036854775807


async def all_rows(outcome: Outcome) -> list[Row]:
    if isinstance(outcome.rows, list):
        return outcome.rows
    return [row async for part in outcome.rows for row in part]


async def cursor_statement(session: Session, statement: Statement) -> Outcome:
    match statement.tag:
        case "DeclareCursorStmt":
            return await _declare(session, statement)
        case "FetchStmt":
            return await _fetch(session, statement.body)
        case _:
            return await _close(session, statement.body)


def describe(session: Session, statement: Statement) -> Sequence[ResultColumnLike] | None:
    if statement.tag != "FetchStmt" or statement.body.get("ismove"):
        return None
    return _find(session, statement.body["portalname"]).prepared.columns


def _find(session: Session, name: str) -> Portal:
    portal = session.portals.get(name)
    if portal is None:
        raise SqlError("34000", f'cursor "{name}" does not exist')
    return portal


async def _declare(session: Session, statement: Statement) -> Outcome:
    body = statement.body
    options = body.get("options", 0)
    name = body["portalname"]
    hold = bool(options & _HOLD)
    if not hold and session.block is not Block.BLOCK:
        raise SqlError("25P01", "DECLARE CURSOR can only be used in transaction blocks")
    if name in session.portals:
        raise SqlError("42P03", f'cursor "{name}" already exists')
    if len(session.portals) >= PORTALS_MAX:
        raise SqlError("53400", f"more than {PORTALS_MAX} cursors in one session")
    if "SelectStmt" not in body["query"]:
        raise SqlError("42601", "DECLARE CURSOR must contain a SELECT")
    inner = derive(statement, body["query"])
    prepared = await session.prepare(name, inner, ())
    portal = Portal(
        name,
        prepared,
        (),
        formats=(1,) if options & _BINARY else (),
        depth=len(session.savepoints),
        scroll=bool(options & _SCROLL),
        hold=hold,
        created_at_us=session.statement_time_us,
    )
    portal.start(await session.run(inner, prepared, ()))
    session.portals[name] = portal
    return Outcome("DECLARE CURSOR")


async def _fetch(session: Session, body: Node) -> Outcome:
    portal = _find(session, body["portalname"])
    count = int(body.get("howMany", 0))
    direction = body.get("direction", "FETCH_FORWARD")
    if portal.outcome is None or portal.outcome.columns is None:
        raise SqlError("42P11", f'cursor "{portal.name}" returns no rows')
    if not portal.scroll and _is_forward(portal, direction, count):
        rows = await _forward(portal, direction, count)
    else:
        rows = await _scroll(portal, direction, count)
    if body.get("ismove"):
        return Outcome(f"MOVE {len(rows)}")
    return Outcome("FETCH", portal.outcome.columns, rows, portal.formats)


def _is_forward(portal: Portal, direction: str, count: int) -> bool:
    match direction:
        case "FETCH_FORWARD":
            return count > 0
        case "FETCH_RELATIVE":
            return count > 0
        case "FETCH_ABSOLUTE":
            return count > portal.position
        case _:
            return False


async def _forward(portal: Portal, direction: str, count: int) -> list[Row]:
    """Forward without keeping rows."""
    if direction == "FETCH_ABSOLUTE":
        count -= portal.position
    if direction in ("FETCH_ABSOLUTE", "FETCH_RELATIVE"):
        rows = await _take(portal, count)
        return rows[-1:] if len(rows) == count else []
    return await _take(portal, count)


async def _take(portal: Portal, count: int) -> list[Row]:
    if portal.finished:
        return []
    if count == _ALL:
        rows: list[Row] = []
        ended = False
        while not ended:
            part, ended = await portal.fetch(0)
            rows += part
    else:
        rows, ended = await portal.fetch(count)
    portal.position += len(rows) + (1 if ended else 0)
    return rows


async def _scroll(portal: Portal, direction: str, count: int) -> list[Row]:
    """Any direction, over rows that are kept."""
    if not portal.scroll:
        raise SqlError(
            "55000",
            "cursor can only scan forward",
            hint="Declare it with SCROLL option to enable backward scan.",
        )
    rows = await portal.materialise()
    total = len(rows)
    at = portal.position
    if direction == "FETCH_BACKWARD" and count < 0:
        direction, count = "FETCH_FORWARD", -count
    elif direction == "FETCH_FORWARD" and count < 0:
        direction, count = "FETCH_BACKWARD", -count
    match direction:
        case "FETCH_ABSOLUTE" | "FETCH_RELATIVE":
            target = at + count if direction == "FETCH_RELATIVE" else count
            if direction == "FETCH_ABSOLUTE" and count < 0:
                target = total + 1 + count
            portal.position = max(0, min(target, total + 1))
            return rows[target - 1 : target] if 1 <= target <= total else []
        case _ if count == 0:
            return rows[at - 1 : at] if 1 <= at <= total else []
        case "FETCH_FORWARD":
            found = rows[at : min(at + count, total)]
            portal.position = at + len(found) if len(found) == count else total + 1
            return found
        case _:
            first = max(0, at - 1 - count)
            found = rows[first : max(at - 1, 0)][::-1]
            portal.position = first + 1 if len(found) == count else 0
            return found


async def _close(session: Session, body: Node) -> Outcome:
    name = body.get("portalname")
    if name is None:
        await close_all(session)
        return Outcome("CLOSE CURSOR ALL")
    portal = _find(session, name)
    del session.portals[name]
    await portal.close()
    return Outcome("CLOSE CURSOR")


async def close_all(session: Session) -> None:
    portals, session.portals = session.portals, {}
    for portal in portals.values():
        await portal.close()
