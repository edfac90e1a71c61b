"""A query processor: sessions over two doors (PostgreSQL's protocol, gRPC) on one engine.

Made from parts that are handed in, so that tests and the simulation can put theirs in; `role` makes
the real ones. Stopping is orderly: no new sessions, running statements get a grace time, everybody
else is told 57P01, and only then the links are closed.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from trilithon.chassis.config import ClusterConfig, ProcessConfig, RegionConfig
from trilithon.chassis.identity import ProcessLife
from trilithon.core.world import Server, World
from trilithon.link.specs import SQL, SQL_STATUS
from trilithon.query.pgwire.authentication import FixedRoles, Roles
from trilithon.query.pgwire.listener import Listener, ListenerOptions
from trilithon.query.session.ports import EngineLike, TransactionLike
from trilithon.query.session.session import SessionCounters, SessionServices
from trilithon.query.sqlservice.questions import StatusQuestions
from trilithon.query.sqlservice.streams import SqlStreams, StreamsOptions
from trilithon.v1 import sql_pb2

_log = logging.getLogger("trilithon.query")

# The chassis gives a role ten seconds to stop.
GRACE_S: Final = 3.0
_SERVER_GRACE_S: Final = 0.5
_SWEEP_S: Final = 1.0


class Transactions(Protocol):
    """What a query processor asks of its transaction manager."""

    async def begin(
        self, *, read_only: bool = False, serializable: bool = False
    ) -> TransactionLike: ...

    async def transaction_status(self, transaction_id: bytes, snapshot_csn: int) -> Any: ...


@dataclass(frozen=True, slots=True)
class QuerySettings:
    """Everything of the configuration that a query processor itself uses."""

    cluster: str
    region: str
    name: str
    address: str
    postgresql: str
    connections: int = 10_000
    message_bytes: int = 16 * 1024 * 1024
    row_bytes: int = 2 * 1024 * 1024
    transaction_age_s: int = 300
    authentication: str = "trust"
    tls_certificate: str = ""
    tls_key: str = ""
    grace_s: float = GRACE_S

    @classmethod
    def of(
        cls, config: ClusterConfig, process: ProcessConfig, region: RegionConfig
    ) -> QuerySettings:
        limits = config.limits
        return cls(
            cluster=config.cluster,
            region=region.name,
            name=process.name,
            address=process.address,
            postgresql=process.postgresql,
            connections=limits.connections,
            message_bytes=limits.message_bytes,
            row_bytes=limits.row_bytes,
            transaction_age_s=limits.transaction_age_s,
            authentication=config.authentication,
            tls_certificate=config.postgresql_tls.certificate,
            tls_key=config.postgresql_tls.key,
        )


@dataclass(slots=True)
class Surroundings:
    """What else there is to tell and to close. `close` is called last, once no session is left."""

    close: Callable[[], Awaitable[None]]
    adjudicator: Callable[[], str] = lambda: ""
    journal: Callable[[], str] = lambda: ""
    metrics: Callable[[], Mapping[str, float]] = field(default_factory=lambda: dict)


class QueryService:
    """The running role. `failed` completes with an exception when the process has to stop."""

    def __init__(
        self,
        settings: QuerySettings,
        world: World,
        engine: EngineLike,
        transactions: Transactions,
        surroundings: Surroundings,
        *,
        roles: Roles | None = None,
        random_source: random.Random | None = None,
    ) -> None:
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.settings = settings
        self.counters = SessionCounters()
        self._world = world
        self._surroundings = surroundings
        self._life = ProcessLife(settings.cluster, settings.region, "query", settings.name, world)
        roles = roles or FixedRoles({})
        services = SessionServices(
            engine=engine,
            transactions=transactions,
            clock=world.clock,
            random=random_source or world.random,
            transaction_age_us=settings.transaction_age_s * 1_000_000,
            row_bytes=settings.row_bytes,
            counters=self.counters,
        )
        self._questions = StatusQuestions(transactions.transaction_status, world.clock)
        self.streams = SqlStreams(
            StreamsOptions(
                region=settings.region,
                query_processor=settings.name,
                connections_max=settings.connections,
                authentication=settings.authentication,
            ),
            services,
            roles,
            self._questions,
            lambda: self.listener.session_count if self.listener is not None else 0,
        )
        self.listener: Listener | None = None
        if settings.postgresql:
            self.listener = Listener(
                _listener_options(settings, roles),
                services,
                open_elsewhere=lambda: self.streams.session_count,
                failed=self._fail,
            )
        self._server: Server | None = None
        self._sweeper: asyncio.Task[None] | None = None

    # ---- life

    async def start(self) -> None:
        """Raises OSError for an address that is taken."""
        self._server = await self._world.network.serve(
            self.settings.address, {SQL: self.streams}, {SQL_STATUS: self.status}
        )
        if self.listener is not None:
            await self.listener.start()
            _log.info("PostgreSQL clients connect to %s", self.listener.address)
        self._sweeper = asyncio.create_task(self._sweep(), name="query sweep")
        self._sweeper.add_done_callback(self._swept)

    @property
    def address(self) -> str:
        """Of the gRPC server, as bound."""
        return self._server.address if self._server is not None else ""

    @property
    def postgresql_address(self) -> str:
        return self.listener.address if self.listener is not None else ""

    async def stop(self) -> None:
        grace_s = self.settings.grace_s
        doors = [self.streams.stop(grace_s)]
        if self.listener is not None:
            doors.append(self.listener.stop(grace_s))
        await asyncio.gather(*doors)
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._server is not None:
            await self._server.close(_SERVER_GRACE_S)
        await self._surroundings.close()
        if self.failed.done():
            self.failed.exception()  # seen
        else:
            self.failed.cancel()

    def _fail(self, error: BaseException) -> None:
        if not self.failed.done():
            self.failed.set_exception(error)

    async def _sweep(self) -> None:
        """Old transactions lose their buffers, and what they run is cancelled."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            now_us = self._world.clock.monotonic_us()
            self.streams.sweep(now_us)
            if self.listener is not None:
                self.listener.sweep(now_us)

    def _swept(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._fail(task.exception() or RuntimeError("the sweep ended"))

    # ---- administration

    @property
    def session_count(self) -> int:
        elsewhere = self.listener.session_count if self.listener is not None else 0
        return self.streams.session_count + elsewhere

    async def status(self, _: sql_pb2.QueryStatusRequest) -> sql_pb2.QueryStatus:
        counters = self.counters
        return sql_pb2.QueryStatus(
            identity=self._life.describe(),
            sessions=self.session_count,
            transactions=counters.transactions_open,
            postgresql_address=self.postgresql_address,
            adjudicator=self._surroundings.adjudicator(),
            journal=self._surroundings.journal(),
            commits=counters.commits,
            conflicts=counters.conflicts,
        )

    def metrics(self) -> Mapping[str, float]:
        counters = self.counters
        found: dict[str, float] = {
            "sessions": self.session_count,
            "sessions_postgresql": self.listener.session_count if self.listener else 0,
            "sessions_grpc": self.streams.session_count,
            "connections_accepted_total": self.listener.accepted if self.listener else 0,
            "transactions_open": counters.transactions_open,
            "statements_total": counters.statements,
            "commits_total": counters.commits,
            "rollbacks_total": counters.rollbacks,
            "conflicts_total": counters.conflicts,
            "unknown_outcomes_total": counters.unknown_outcomes,
            "errors_total": counters.errors,
            "status_questions_total": self._questions.asked,
        }
        found.update(self._surroundings.metrics())
        return found


def _listener_options(settings: QuerySettings, roles: Roles) -> ListenerOptions:
    tls: ssl.SSLContext | None = None
    certificate_pem = ""
    if settings.tls_certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(settings.tls_certificate, settings.tls_key or None)
        with open(settings.tls_certificate, encoding="ascii") as file:
            certificate_pem = file.read()
    return ListenerOptions(
        settings.postgresql,
        connections_max=settings.connections,
        message_bytes_max=settings.message_bytes,
        authentication=settings.authentication,
        roles=roles,
        tls=tls,
        certificate_pem=certificate_pem,
    )
