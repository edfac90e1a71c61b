"""The conversation with one client: startup, authentication, then message after message, in one task.

Simple queries are here; `extended` holds Parse … Sync, `transfer` rows and COPY. Every error of a
statement becomes an ErrorResponse and the conversation goes on; a FATAL one ends it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from trilithon.core.errors import SqlError
from trilithon.query.pgwire import backend, extended, frontend
from trilithon.query.pgwire.authentication import (
    MECHANISM,
    MECHANISM_PLUS,
    ScramConversation,
)
from trilithon.query.pgwire.channel import Channel, ConnectionLost
from trilithon.query.pgwire.frontend import CancelRequest, Startup, violation
from trilithon.query.pgwire.transfer import send_outcome
from trilithon.query.session.block import Block
from trilithon.query.session.session import Session

if TYPE_CHECKING:
    from trilithon.query.pgwire.listener import Listener

_log = logging.getLogger("trilithon.query")

_READY: Final = {
    Block.IDLE: backend.READY_IDLE,
    Block.IMPLICIT: backend.READY_IDLE,
    Block.BLOCK: backend.READY_IN_TRANSACTION,
    Block.FAILED: backend.READY_FAILED,
}


class Ended(Exception):
    """The conversation is over, orderly; everything was said."""


class Connection:
    """`session` is None until the client is authenticated."""

    def __init__(self, listener: Listener, channel: Channel) -> None:
        self.listener = listener
        self.channel = channel
        self.session: Session | None = None
        self.backend_id = 0
        self.skipping = False
        # CommandComplete of an implicit transaction: told once its commit is done (see extended).
        self.held = b""
        self.ending: SqlError | None = None
        self.task: asyncio.Task[None] | None = None
        self._certificate = ""
        self._reported_version = -1
        self._reported: dict[str, str] = {}

    # ---- life

    async def run(self) -> None:
        """The whole conversation. Never raises but for broken invariants."""
        channel = self.channel
        try:
            async with asyncio.timeout(self.listener.startup_timeout_s):
                session = await self._start()
            if session is not None:
                self.session = session
                await self._work(session)
        except ConnectionLost:
            pass
        except Ended:
            pass
        except TimeoutError:
            self._say_fatal(SqlError("57014", "canceling authentication due to timeout"))
        except SqlError as error:
            self._say_fatal(error)
        except asyncio.CancelledError:
            if self.ending is not None:
                self._say_fatal(self.ending)
        except Exception as error:
            _log.error("the connection from %s failed unexpectedly", channel.peer, exc_info=error)
            self._say_fatal(SqlError("XX000", "internal error"))
        finally:
            channel.close()
            if self.session is not None:
                await self._close_session(self.session)
            self.listener.ended(self)

    async def _close_session(self, session: Session) -> None:
        session.terminate = None
        try:
            await session.close()
        except Exception as error:
            _log.error("a session could not be closed", exc_info=error)

    def _say_fatal(self, error: SqlError) -> None:
        error.severity = "FATAL"
        self.channel.write(backend.error_response(error))

    def end(self, error: SqlError) -> None:
        """End the conversation with a FATAL error, as soon as no commit is under way."""
        self.ending = error
        self._stop()

    def lost(self) -> None:
        """The socket is gone."""
        self._stop()

    def _stop(self) -> None:
        if self.task is not None and not (self.session is not None and self.session.deaf):
            self.task.cancel()

    # ---- startup

    async def _start(self) -> Session | None:
        """None: the client only wanted to cancel something."""
        startup = await self._negotiate()
        if startup is None:
            return None
        options = dict(startup.options)
        user = options.pop("user")
        database = options.pop("database", user)
        if startup.minor > 0 or startup.protocol_options:
            self.channel.write(backend.negotiate_protocol_version(0, startup.protocol_options))
        if self.listener.full:
            raise SqlError("53300", "sorry, too many clients already")
        if options.pop("replication", "false").lower() not in ("false", "off", "no", "0"):
            raise SqlError("0A000", "replication connections are not supported")
        self.channel.start_messages()
        await self._authenticate(user)
        session = self._open(user, database, options)
        self._greet(session)
        return session

    async def _negotiate(self) -> Startup | None:
        channel, listener = self.channel, self.listener
        encrypted = refused_gss = False
        while True:
            packet = frontend.decode_startup(await channel.startup_packet())
            if isinstance(packet, Startup):
                return packet
            if isinstance(packet, CancelRequest):
                listener.cancel(packet)
                return None
            if packet == frontend.SSL_REQUEST and not encrypted:
                if listener.tls is None:
                    channel.write(backend.SSL_NO)
                    channel.flush()
                    continue
                if channel.has_early_data:
                    raise violation("received unencrypted data after SSL request")
                channel.write(backend.SSL_YES)
                channel.flush()
                await channel.start_tls(listener.tls)
                encrypted = True
                self._certificate = listener.certificate_pem
            elif packet == frontend.GSSENC_REQUEST and not refused_gss:
                refused_gss = True
                channel.write(backend.SSL_NO)
                channel.flush()
            else:
                raise violation("unsupported encryption request")

    async def _authenticate(self, user: str) -> None:
        if self.listener.authentication == "trust":
            return
        channel = self.channel
        verifier = await self.listener.roles.verifier(user)
        offered = [MECHANISM_PLUS, MECHANISM] if self._certificate else [MECHANISM]
        channel.write(backend.authentication_sasl(offered))
        mechanism, first = frontend.decode_sasl_initial(await self._password_message())
        conversation = ScramConversation(mechanism, user, verifier, self._certificate)
        channel.write(backend.authentication_sasl_continue(conversation.first(first)))
        final = conversation.final(await self._password_message())
        channel.write(backend.authentication_sasl_final(final))

    async def _password_message(self) -> bytes:
        channel = self.channel
        channel.flush()
        await channel.wait()
        kind, body = channel.messages.popleft()
        channel.consumed(body)
        if kind == frontend.TERMINATE:
            raise Ended
        if kind != frontend.PASSWORD:
            raise violation(f"expected SASL response, got message type {kind}")
        return body

    def _open(self, user: str, database: str, options: dict[str, str]) -> Session:
        listener = self.listener
        if database not in listener.databases:
            raise SqlError("3D000", f'database "{database}" does not exist')
        self.backend_id = listener.register(self)
        session = Session(
            listener.services,
            user,
            database,
            backend_id=self.backend_id,
            client_address=self.channel.peer,
        )
        session.task = self.task
        session.terminate = self.end
        command_line = options.pop("options", "")
        settings = {name: value for name, value in options.items() if name.lower() != "role"}
        session.settings.start({**frontend.split_command_line(command_line), **settings})
        return session

    def _greet(self, session: Session) -> None:
        channel = self.channel
        channel.write(backend.AUTHENTICATION_OK)
        self._report_parameters(session)
        channel.write(
            backend.backend_key_data(self.backend_id, self.listener.secret_of(self.backend_id))
        )
        self.ready(session)
        channel.flush()

    def _report_parameters(self, session: Session) -> None:
        """ParameterStatus for everything that differs from what the client was told last."""
        self._reported_version = session.settings.version
        for name, value in session.settings.reported():
            if self._reported.get(name) != value:
                self._reported[name] = value
                self.channel.write(backend.parameter_status(name, value))

    # ---- the loop

    async def _work(self, session: Session) -> None:
        channel = self.channel
        messages = channel.messages
        while True:
            if not messages:
                channel.flush()
                if session.busy:
                    session.work_done()
                if self.ending is not None:
                    raise self.ending
                self.listener.check_stopping(self, session)
                await channel.wait()
                session.work_begins()
                session.start_statement()
            kind, body = messages.popleft()
            channel.consumed(body)
            if self.held and kind != frontend.SYNC:
                channel.write(self.held)
                self.held = b""
            if kind == frontend.TERMINATE:
                raise Ended
            if self.skipping and kind != frontend.SYNC:
                continue
            if kind == frontend.QUERY:
                await self._query(session, body)
            else:
                await self._other(session, kind, body)
            if channel.output_bytes >= 64 * 1024:
                await channel.flush_if_large()

    async def _other(self, session: Session, kind: int, body: bytes) -> None:
        handler = extended.HANDLERS.get(kind)
        if handler is not None:
            await handler(self, session, body)
        elif kind in frontend.COPYING:
            # Left over from a COPY that failed meanwhile: accepted and ignored.
            pass
        elif kind == frontend.FUNCTION_CALL:
            self.report(session, SqlError("0A000", "the function call message is not supported"))
            self.ready(session)
        else:
            raise violation(f"invalid frontend message type {kind}")

    async def _query(self, session: Session, body: bytes) -> None:
        try:
            sql = frontend.decode_query(body)
            session.query_text = sql
            statements = await session.parse(sql)
            session.statements.pop("", None)
            session.portals.pop("", None)
            if not statements:
                self.channel.write(backend.EMPTY_QUERY_RESPONSE)
            last = len(statements) - 1
            for index, statement in enumerate(statements):
                outcome = await session.run(statement)
                tag = await send_outcome(self, session, outcome)
                if index == last:
                    await session.end_implicit()
                if session.notices:
                    self.write_notices(session)
                self.channel.write(backend.command_complete(tag))
        except BaseException as error:
            self.report(session, error)
        self.ready(session)

    # ---- answers

    def ready(self, session: Session) -> None:
        if session.settings.version != self._reported_version:
            self._report_parameters(session)
        self.channel.write(_READY[session.block])

    def report(self, session: Session, error: BaseException) -> None:
        """Tell the client of an error. Raises what is none of the statement's business, and FATAL."""
        if isinstance(error, ConnectionLost | Ended):
            raise error
        reported = session.fail(error)
        self.held = b""
        if session.notices:
            self.write_notices(session)
        if reported.severity == "FATAL":
            raise reported
        self.channel.write(backend.error_response(reported))

    def write_notices(self, session: Session) -> None:
        for notice in session.notices:
            self.channel.write(backend.notice_response(notice))
        session.notices.clear()
