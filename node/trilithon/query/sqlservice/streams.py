"""The stream method Exchange: which requests belong to which session of which peer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.core.world import Peer
from trilithon.query.pgwire.authentication import Roles, mock_verifier, wrong_password
from trilithon.query.session.session import Session, SessionServices
from trilithon.query.sqlservice.questions import StatusQuestions
from trilithon.query.sqlservice.sdk_session import SdkSession, failure_reply
from trilithon.v1 import sql_pb2

SESSIONS_PER_STREAM_MAX: Final = 1_000
SERVER_VERSION: Final = "0.1.0"


@dataclass(frozen=True, slots=True)
class StreamsOptions:
    region: str
    query_processor: str
    connections_max: int = 10_000
    authentication: str = "trust"
    databases: frozenset[str] = frozenset({"postgres"})


def shutting_down() -> SqlError:
    return SqlError(
        "57P01", "terminating connection due to administrator command", severity="FATAL"
    )


class SqlStreams:
    """A StreamHandler. `open_elsewhere` counts the sessions of the other listener."""

    def __init__(
        self,
        options: StreamsOptions,
        services: SessionServices,
        roles: Roles,
        questions: StatusQuestions,
        open_elsewhere: Callable[[], int] = lambda: 0,
    ) -> None:
        self.options = options
        self.services = services
        self.stopping = False
        self.session_count = 0
        self._roles = roles
        self._questions = questions
        self._open_elsewhere = open_elsewhere
        self._peers: dict[Peer, dict[int, SdkSession]] = {}
        # Logins that are being checked, by (peer, session id).
        self._logins: dict[tuple[Peer, int], asyncio.Task[None]] = {}

    # ---- StreamHandler

    def connected(self, peer: Peer) -> None:
        self._peers[peer] = {}

    def received(self, peer: Peer, items: Sequence[sql_pb2.SqlRequest]) -> None:
        sessions = self._peers.get(peer)
        if sessions is None:
            return
        for item in items:
            found = sessions.get(item.session_id)
            if found is not None:
                found.put(item)
            elif item.WhichOneof("request") == "open":
                self._open(peer, sessions, item)
            elif item.correlation_id:
                error = SqlError("08003", f"session {item.session_id} does not exist")
                peer.send(failure_reply(item, error))

    def disconnected(self, peer: Peer) -> None:
        for session in list(self._peers.pop(peer, {}).values()):
            session.lost()
        for key in [key for key in self._logins if key[0] is peer]:
            self._logins.pop(key).cancel()

    # ---- opening

    def _open(self, peer: Peer, sessions: dict[int, SdkSession], item: sql_pb2.SqlRequest) -> None:
        try:
            self._check_room(peer, sessions, item.session_id)
        except SqlError as error:
            peer.send(failure_reply(item, error))
            return
        if self.options.authentication == "trust":
            self._opened(peer, item)
            return
        key = (peer, item.session_id)
        self._logins[key] = asyncio.get_running_loop().create_task(self._log_in(peer, item))

    def _check_room(self, peer: Peer, sessions: dict[int, SdkSession], session_id: int) -> None:
        if self.stopping:
            raise shutting_down()
        logins = sum(1 for key in self._logins if key[0] is peer)
        if len(sessions) + logins >= SESSIONS_PER_STREAM_MAX:
            raise SqlError("53300", f"more than {SESSIONS_PER_STREAM_MAX} sessions on one stream")
        if self.session_count + self._open_elsewhere() >= self.options.connections_max:
            raise SqlError("53300", "sorry, too many clients already")
        if (peer, session_id) in self._logins:
            raise SqlError("08002", f"session {session_id} is open already")

    async def _log_in(self, peer: Peer, item: sql_pb2.SqlRequest) -> None:
        """The password travels in the request (which TLS must protect); hashing it takes
        milliseconds, so it happens beside the loop."""
        try:
            user = item.open.user
            verifier = await self._roles.verifier(user)
            checked = verifier or mock_verifier(user)
            right = await asyncio.to_thread(checked.matches, item.open.password)
            if verifier is None or not right:
                raise wrong_password(user)
        except SqlError as error:
            peer.send(failure_reply(item, error))
        except Exception as error:
            failed = SqlError("XX000", f"internal error: {type(error).__name__}")
            peer.send(failure_reply(item, failed))
        else:
            self._opened(peer, item)
        finally:
            self._logins.pop((peer, item.session_id), None)

    def _opened(self, peer: Peer, item: sql_pb2.SqlRequest) -> None:
        sessions = self._peers.get(peer)
        if sessions is None:
            return
        request = item.open
        try:
            session = self._make_session(peer, request)
        except SqlError as error:
            peer.send(failure_reply(item, error))
            return
        self.session_count += 1

        def ended(one: SdkSession) -> None:
            self.session_count -= 1
            if sessions.get(one.session_id) is one:
                del sessions[one.session_id]

        opened = SdkSession(item.session_id, session, self._questions, peer.send, ended)
        sessions[item.session_id] = opened
        reply = sql_pb2.SqlReply(
            opened=sql_pb2.SessionOpened(
                region=self.options.region,
                query_processor=self.options.query_processor,
                server_version=SERVER_VERSION,
            )
        )
        opened.reply(item.correlation_id, reply)

    def _make_session(self, peer: Peer, request: sql_pb2.OpenSession) -> Session:
        user = request.user or "admin"
        database = request.database or "postgres"
        if database not in self.options.databases:
            raise SqlError("3D000", f'database "{database}" does not exist', severity="FATAL")
        if "\0" in user:
            raise SqlError("28000", "a user name has no NUL", severity="FATAL")
        session = Session(self.services, user, database, client_address=peer.name)
        settings = dict(request.settings)
        if request.application_name:
            settings["application_name"] = request.application_name
        session.settings.start(settings)
        return session

    # ---- all sessions

    def sessions(self) -> list[Session]:
        return [one.session for sessions in self._peers.values() for one in sessions.values()]

    def sweep(self, now_us: int) -> None:
        for session in self.sessions():
            session.sweep(now_us)

    async def stop(self, grace_s: float) -> None:
        """Idle sessions end at once, others when their transaction ends or the grace time is over."""
        self.stopping = True
        everybody = [one for sessions in self._peers.values() for one in sessions.values()]
        for one in everybody:
            one.draining = True
            if one.idle:
                one.end(shutting_down())
        await _wait(everybody, grace_s)
        for one in everybody:
            one.end(shutting_down())
        await _wait(everybody, max(grace_s, 1.0))
        for one in everybody:
            one.task.cancel()
        await _wait(everybody, 1.0)


async def _wait(sessions: Sequence[SdkSession], timeout_s: float) -> None:
    tasks = [one.task for one in sessions if not one.task.done()]
    if tasks:
        await asyncio.wait(tasks, timeout=timeout_s)
