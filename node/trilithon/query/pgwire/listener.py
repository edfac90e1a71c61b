"""The listener: accepts sockets, knows every connection, cancels, limits, stops in order."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.core.invariant import InvariantViolation
from trilithon.query.pgwire import backend
from trilithon.query.pgwire.authentication import FixedRoles, Roles
from trilithon.query.pgwire.channel import Channel
from trilithon.query.pgwire.connection import Connection
from trilithon.query.pgwire.frontend import CancelRequest
from trilithon.query.pgwire.transfer import Shapes
from trilithon.query.session.block import Block
from trilithon.query.session.session import Session, SessionServices

_log = logging.getLogger("trilithon.query")

_SECRET_BYTES: Final = 4
_BACKEND_IDS: Final = (1 << 31) - 1
# Sockets beyond the limit that may still hear why they are turned away.
_TURNED_AWAY_MAX: Final = 256
STARTUP_TIMEOUT_S: Final = 60.0


@dataclass(slots=True)
class ListenerOptions:
    """`address` is host:port, port 0: any free one. `tls` None: connections are not encrypted."""

    address: str
    connections_max: int = 10_000
    message_bytes_max: int = 16 * 1024 * 1024
    authentication: str = "trust"
    roles: Roles = field(default_factory=lambda: FixedRoles({}))
    tls: ssl.SSLContext | None = None
    certificate_pem: str = ""
    databases: frozenset[str] = frozenset({"postgres"})
    startup_timeout_s: float = STARTUP_TIMEOUT_S


def shutting_down() -> SqlError:
    return SqlError(
        "57P01", "terminating connection due to administrator command", severity="FATAL"
    )


class Listener:
    """`sessions` by backend id. `failed` is called when a connection's task ends with a broken
    invariant: the process must stop."""

    def __init__(
        self,
        options: ListenerOptions,
        services: SessionServices,
        *,
        open_elsewhere: Callable[[], int] = lambda: 0,
        failed: Callable[[BaseException], None] | None = None,
    ) -> None:
        self.options = options
        self.services = services
        self.tls = options.tls
        self.certificate_pem = options.certificate_pem
        self.authentication = options.authentication
        self.roles = options.roles
        self.databases = options.databases
        self.startup_timeout_s = options.startup_timeout_s
        self.shapes = Shapes()
        self.address = ""
        self.accepted = 0
        self.stopping = False
        self._open_elsewhere = open_elsewhere
        self._failed = failed
        self._server: asyncio.Server | None = None
        # Every connection, authenticated or not.
        self._connections: dict[Channel, Connection] = {}
        self._registered: dict[int, tuple[bytes, Connection]] = {}
        self._next_id = secrets.randbelow(_BACKEND_IDS)

    # ---- sockets

    async def start(self) -> None:
        host, _, port = self.options.address.rpartition(":")
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Channel(self.options.message_bytes_max, self._accepted, self._lost),
            host.strip("[]") or None,
            int(port),
            backlog=1024,
        )
        bound = self._server.sockets[0].getsockname()
        self.address = f"{bound[0]}:{bound[1]}"

    def _accepted(self, channel: Channel) -> None:
        self.accepted += 1
        if len(self._connections) >= self.options.connections_max + _TURNED_AWAY_MAX:
            error = SqlError("53300", "sorry, too many clients already", severity="FATAL")
            channel.write(backend.error_response(error))
            channel.close()
            return
        connection = Connection(self, channel)
        self._connections[channel] = connection
        connection.task = asyncio.get_running_loop().create_task(connection.run())
        connection.task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            _log.critical("a connection broke an invariant", exc_info=error)
            if self._failed is not None and isinstance(error, InvariantViolation):
                self._failed(error)

    def _lost(self, channel: Channel) -> None:
        connection = self._connections.get(channel)
        if connection is not None:
            connection.lost()

    def ended(self, connection: Connection) -> None:
        """The connection's conversation is over."""
        self._connections.pop(connection.channel, None)
        self._registered.pop(connection.backend_id, None)

    # ---- sessions

    @property
    def full(self) -> bool:
        return self.session_count + self._open_elsewhere() >= self.options.connections_max

    @property
    def session_count(self) -> int:
        return len(self._registered)

    def sessions(self) -> list[Session]:
        return [
            connection.session
            for _, connection in self._registered.values()
            if connection.session is not None
        ]

    def register(self, connection: Connection) -> int:
        """A fresh backend id. Raises SqlError when there are too many sessions."""
        if self.full:
            raise SqlError("53300", "sorry, too many clients already", severity="FATAL")
        while True:
            self._next_id = self._next_id % _BACKEND_IDS + 1
            if self._next_id not in self._registered:
                break
        self._registered[self._next_id] = (secrets.token_bytes(_SECRET_BYTES), connection)
        return self._next_id

    def secret_of(self, backend_id: int) -> bytes:
        return self._registered[backend_id][0]

    def cancel(self, request: CancelRequest) -> None:
        """Cancel what a session runs, if the secret is right. The asker is never told."""
        found = self._registered.get(request.backend_id)
        if found is None or not hmac.compare_digest(found[0], request.secret):
            return
        session = found[1].session
        if session is not None:
            session.cancel()

    def sweep(self, now_us: int) -> None:
        for _, connection in self._registered.values():
            if connection.session is not None:
                connection.session.sweep(now_us)

    # ---- the end

    def check_stopping(self, connection: Connection, session: Session) -> None:
        """Called when a connection becomes idle. Raises SqlError (FATAL) while stopping."""
        if self.stopping and session.block is Block.IDLE:
            raise shutting_down()

    async def stop(self, grace_s: float) -> None:
        """No new connections; idle sessions end at once, others when their transaction ends or the
        grace time is over. A commit that is under way is waited for a little longer."""
        self.stopping = True
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections.values()):
            session = connection.session
            if session is None or (session.block is Block.IDLE and not session.busy):
                connection.end(shutting_down())
        await self._wait(grace_s)
        for connection in list(self._connections.values()):
            connection.end(shutting_down())
        await self._wait(max(grace_s, 1.0))
        for connection in list(self._connections.values()):
            if connection.task is not None:
                connection.task.cancel()
            connection.channel.abort()
        await self._wait(1.0)

    async def _wait(self, timeout_s: float) -> None:
        tasks = [one.task for one in self._connections.values() if one.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=timeout_s)
