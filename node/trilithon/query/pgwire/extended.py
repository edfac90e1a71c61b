"""The extended protocol: Parse, Bind, Describe, Execute, Close, Flush, Sync.

After an error everything up to the next Sync is skipped. What runs outside a block is one implicit
transaction that ends at Sync: CommandComplete of its last Execute is held back until that commit is
done, so that a client is never told of something that a conflict then undid (PostgreSQL would say
CommandComplete first and the error after it; both orders are within the protocol).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog_views import object_names
from trilithon.query.pgwire import backend, frontend
from trilithon.query.pgwire.frontend import Bind, decode_text
from trilithon.query.pgwire.transfer import run_copy, send_rows
from trilithon.query.session import control
from trilithon.query.session.block import Block
from trilithon.query.session.prepared import (
    PORTALS_MAX,
    PREPARED_MAX,
    Portal,
    PreparedStatement,
)
from trilithon.types import binary_io, text_io
from trilithon.types.registry import TypeRef
from trilithon.types.values import UnresolvedName

if TYPE_CHECKING:
    from trilithon.query.pgwire.connection import Connection
    from trilithon.query.session.session import Session

Handler = Callable[["Connection", "Session", bytes], Awaitable[None]]


def _guarded(step: Handler) -> Handler:
    """An error of an extended message is reported and skips to Sync."""

    async def guarded(connection: Connection, session: Session, body: bytes) -> None:
        try:
            await step(connection, session, body)
        except BaseException as error:
            connection.skipping = True
            connection.report(session, error)

    return guarded


async def _parse(connection: Connection, session: Session, body: bytes) -> None:
    message = frontend.decode_parse(body)
    name = message.name
    if not name:
        session.statements.pop("", None)
    elif name in session.statements:
        raise SqlError("42P05", f'prepared statement "{name}" already exists')
    elif len(session.statements) >= PREPARED_MAX:
        raise SqlError("53400", f"more than {PREPARED_MAX} prepared statements in one session")
    session.query_text = message.sql
    statements = await session.parse(message.sql)
    if len(statements) > 1:
        raise SqlError("42601", "cannot insert multiple commands into a prepared statement")
    # "unknown" declares nothing.
    oids = [0 if oid == 705 else oid for oid in message.parameter_oids]
    statement = statements[0] if statements else None
    session.statements[name] = await session.prepare(name, statement, oids)
    connection.channel.write(backend.PARSE_COMPLETE)


def find_statement(session: Session, name: str) -> PreparedStatement:
    prepared = session.statements.get(name)
    if prepared is None:
        if name:
            raise SqlError("26000", f'prepared statement "{name}" does not exist')
        raise SqlError("26000", "unnamed prepared statement does not exist")
    return prepared


def find_portal(session: Session, name: str) -> Portal:
    portal = session.portals.get(name)
    if portal is None:
        raise SqlError("34000", f'portal "{name}" does not exist')
    return portal


async def _bind(connection: Connection, session: Session, body: bytes) -> None:
    bind = frontend.decode_bind(body)
    prepared = find_statement(session, bind.statement)
    _check_counts(bind, prepared)
    if session.block is Block.FAILED and prepared.statement is not None:
        control.check_failed(prepared.statement)
    if bind.portal:
        if bind.portal in session.portals:
            raise SqlError("42P03", f'cursor "{bind.portal}" already exists')
        if len(session.portals) >= PORTALS_MAX:
            raise SqlError("53400", f"more than {PORTALS_MAX} portals in one session")
    if session.block is Block.IDLE and prepared.plan is not None:
        # Parameters such as 'now' need the transaction's time.
        session.enter(Block.IMPLICIT)
    values = _values(session, prepared, bind) if bind.values else ()
    session.portals[bind.portal] = Portal(
        bind.portal,
        prepared,
        values,
        bind.result_formats,
        depth=len(session.savepoints),
        created_at_us=session.statement_time_us,
    )
    connection.channel.write(backend.BIND_COMPLETE)


def _check_counts(bind: Bind, prepared: PreparedStatement) -> None:
    given, codes = len(bind.values), len(bind.parameter_formats)
    if codes > 1 and codes != given:
        raise SqlError(
            "08P01", f"bind message has {codes} parameter formats but {given} parameters"
        )
    if given != len(prepared.parameter_types):
        raise SqlError(
            "08P01",
            f"bind message supplies {given} parameters, but prepared statement "
            f'"{prepared.name}" requires {len(prepared.parameter_types)}',
        )
    formats, columns = len(bind.result_formats), prepared.columns
    if formats > 1 and formats != (len(columns) if columns is not None else 0):
        raise SqlError(
            "08P01",
            f"bind message has {formats} result formats but query has "
            f"{len(columns) if columns is not None else 0} columns",
        )


def _values(session: Session, prepared: PreparedStatement, bind: Bind) -> Sequence[Any]:
    formats: Sequence[int] = bind.parameter_formats or (0,)
    if len(formats) == 1:
        formats = tuple(formats) * len(bind.values)
    key = ("parameters", tuple(formats))
    parsers = prepared.cache.get(key)
    if parsers is None:
        parsers = prepared.cache[key] = [
            _binary_parser(ref, number) if code else _text_parser(ref)
            for number, (ref, code) in enumerate(
                zip(prepared.parameter_types, formats, strict=True), 1
            )
        ]
    settings = session.settings.io
    return [
        None if value is None else parse(value, settings)
        for parse, value in zip(parsers, bind.values, strict=True)
    ]


def _text_parser(ref: TypeRef) -> Callable[[bytes, Any], Any]:
    oid = ref.oid
    if oid in (20, 21, 23):
        bits = {20: 63, 21: 15, 23: 31}[oid]
        low, high = -(1 << bits), (1 << bits) - 1

        def parse_integer(data: bytes, settings: Any) -> Any:
            # The common spelling at once; anything else is the type's own business.
            if data.isdigit() or (data[1:].isdigit() and data[:1] == b"-"):
                number = int(data) if len(data) < 20 else high + 1
                if low <= number <= high:
                    return number
            return text_io.parse(ref, decode_parameter(data), settings)

        return parse_integer
    if oid in object_names.KINDS:
        return lambda data, settings: UnresolvedName(decode_parameter(data))
    return lambda data, settings: text_io.parse(ref, decode_parameter(data), settings)


def decode_parameter(data: bytes) -> str:
    if b"\0" in data:
        raise SqlError("22021", 'invalid byte sequence for encoding "UTF8": 0x00')
    return decode_text(data)


def _binary_parser(ref: TypeRef, number: int) -> Callable[[bytes, Any], Any]:
    def parse(data: bytes, settings: Any) -> Any:
        try:
            return binary_io.parse(ref, data)
        except SqlError as error:
            if not error.where:
                error.where = f"unnamed portal parameter ${number}"
            raise

    return parse


async def _describe(connection: Connection, session: Session, body: bytes) -> None:
    target = frontend.decode_target(body)
    channel = connection.channel
    if target.kind == "S":
        prepared = find_statement(session, target.name)
        formats: Sequence[int] = ()
        channel.write(backend.parameter_description(prepared.parameter_types))
    else:
        portal = find_portal(session, target.name)
        prepared, formats = portal.prepared, portal.formats
    columns = prepared.columns
    if columns is None:
        channel.write(backend.NO_DATA)
        return
    if session.block is Block.FAILED and prepared.statement is not None:
        control.check_failed(prepared.statement)
    channel.write(connection.listener.shapes.find(columns, formats, session)[1])


async def _execute(connection: Connection, session: Session, body: bytes) -> None:
    message = frontend.decode_execute(body)
    portal = find_portal(session, message.portal)
    prepared = portal.prepared
    channel = connection.channel
    if prepared.statement is None:
        channel.write(backend.EMPTY_QUERY_RESPONSE)
        return
    if portal.outcome is None:
        session.query_text = prepared.statement.text
        portal.start(await session.run(prepared.statement, prepared, portal.parameters))
    else:
        session.resume()
        if portal.outcome.columns is None:
            raise SqlError("55000", f'portal "{portal.name}" cannot be run')
    outcome = portal.outcome
    if outcome is None:
        raise SqlError("55000", f'portal "{portal.name}" cannot be run')
    if outcome.copy is not None:
        tag = await run_copy(connection, outcome.copy)
    elif outcome.columns is None:
        tag = outcome.tag
    else:
        if prepared.columns is None:
            prepared.columns = outcome.columns
        count, ended = await _send_portal(connection, session, portal, message.rows_max)
        if not ended:
            if session.notices:
                connection.write_notices(session)
            channel.write(backend.PORTAL_SUSPENDED)
            return
        tag = portal.tag(count)
    if session.notices:
        connection.write_notices(session)
    complete = backend.command_complete(tag)
    if session.block is Block.IMPLICIT:
        connection.held = complete
    else:
        channel.write(complete)


async def _send_portal(
    connection: Connection, session: Session, portal: Portal, rows_max: int
) -> tuple[int, bool]:
    """How many rows were sent, and whether the portal is at its end."""
    columns = portal.outcome.columns if portal.outcome is not None else None
    _, _, encode = connection.listener.shapes.find(columns or (), portal.formats, session)
    if rows_max:
        rows, ended = await portal.fetch(rows_max)
        await send_rows(connection, encode, rows)
        return len(rows), ended
    count, ended = 0, False
    while not ended:
        rows, ended = await portal.fetch(0)
        count += len(rows)
        await send_rows(connection, encode, rows)
    return count, True


async def _close(connection: Connection, session: Session, body: bytes) -> None:
    target = frontend.decode_target(body)
    if target.kind == "S":
        session.statements.pop(target.name, None)
    else:
        portal = session.portals.pop(target.name, None)
        if portal is not None:
            await portal.close()
    connection.channel.write(backend.CLOSE_COMPLETE)


async def _flush(connection: Connection, session: Session, body: bytes) -> None:
    connection.channel.flush()


async def _sync(connection: Connection, session: Session, body: bytes) -> None:
    connection.skipping = False
    held, connection.held = connection.held, b""
    try:
        await session.end_implicit()
    except BaseException as error:
        connection.report(session, error)
    else:
        if held:
            connection.channel.write(held)
        if session.notices:
            connection.write_notices(session)
    if session.block is Block.IDLE and session.portals:
        session.portals = {name: one for name, one in session.portals.items() if one.depth < 0}
    connection.ready(session)


HANDLERS: Final[Mapping[int, Handler]] = {
    frontend.PARSE: _guarded(_parse),
    frontend.BIND: _guarded(_bind),
    frontend.DESCRIBE: _guarded(_describe),
    frontend.EXECUTE: _guarded(_execute),
    frontend.CLOSE: _guarded(_close),
    frontend.FLUSH: _guarded(_flush),
    frontend.SYNC: _sync,
}
