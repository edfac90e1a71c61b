"""One session on one endpoint, and the endpoints to choose from.

A session is PostgreSQL's: settings, at most one transaction, statements one after another. Sessions
of one endpoint share one stream.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trilithon.client.errors import ConnectionLost, OutcomeUnknown, UsageError, from_wire
from trilithon.client.errors import Unavailable as RegionUnavailable
from trilithon.client.result import Column, Result
from trilithon.client.values import decode_rows, encode_parameter
from trilithon.core.errors import Overloaded, Unavailable
from trilithon.core.world import Link, Network
from trilithon.link.specs import SQL
from trilithon.v1 import sql_pb2

# How long other Regions are preferred to one that answered 57P03.
SHUN_S = 2.0
# A COMMIT that is not answered by then is asked about at another endpoint, where there is one: longer
# than a leader's failover takes.
COMMIT_PATIENCE_S = 2.5
IDLE = sql_pb2.SessionState.STATUS_IDLE


@dataclass(frozen=True, slots=True)
class Login:
    user: str
    password: str
    database: str
    application_name: str


class Endpoint:
    """One query processor's gRPC address and the stream to it."""

    def __init__(self, network: Network, address: str, woken: asyncio.Event) -> None:
        self.address = address
        self._session_ids = itertools.count(1)
        self._woken = woken
        # A stream that was lost took its sessions along: what was opened before counts no more.
        self.incarnation = 0
        # Its Region said that it cannot serve now; others are asked first until then (loop time).
        self.shunned_until = 0.0
        self.link: Link = network.link(
            SQL, address, came_up=self._came_up, went_down=self._went_down
        )

    def _came_up(self) -> None:
        self._woken.set()

    def _went_down(self) -> None:
        self.incarnation += 1

    def shun(self) -> None:
        """Ask others first for a while."""
        self.shunned_until = asyncio.get_running_loop().time() + SHUN_S

    def next_session_id(self) -> int:
        return next(self._session_ids)


class Endpoints:
    """The addresses in order of preference: the first that is up, and whose Region did not just say
    that it cannot serve, is used."""

    def __init__(self, network: Network, addresses: Sequence[str]) -> None:
        self._woken = asyncio.Event()
        self.all = [Endpoint(network, address, self._woken) for address in addresses]

    @property
    def several(self) -> bool:
        return len(self.all) > 1

    async def pick(self, timeout_s: float) -> Endpoint:
        """The best endpoint now; waits up to `timeout_s` for any. Raises ConnectionLost."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            self._woken.clear()
            up = [endpoint for endpoint in self.all if endpoint.link.up]
            now = loop.time()
            serving = [endpoint for endpoint in up if endpoint.shunned_until <= now]
            if up:
                return (serving or up)[0]
            left = deadline - loop.time()
            if left <= 0:
                names = ", ".join(endpoint.address for endpoint in self.all)
                raise ConnectionLost(f"none of the endpoints can be reached: {names}")
            try:
                await asyncio.wait_for(self._woken.wait(), left)
            except TimeoutError:
                continue

    async def close(self) -> None:
        await asyncio.gather(*(endpoint.link.close() for endpoint in self.all))


class AsyncSession:
    """Statements go one at a time; the client hands a session to one user at a time."""

    def __init__(self, endpoint: Endpoint, login: Login, timeout_s: float) -> None:
        self.endpoint = endpoint
        self._login = login
        self._timeout_s = timeout_s
        self._id = endpoint.next_session_id()
        self._incarnation = endpoint.incarnation
        self.region = ""
        self.state = sql_pb2.SessionState()
        self.broken = False
        # See Execute.impatient.
        self.impatient = False

    @property
    def usable(self) -> bool:
        """Whether the session still exists on the other side, as far as one can tell."""
        return (
            not self.broken
            and self.endpoint.link.up
            and self._incarnation == self.endpoint.incarnation
        )

    async def open(self) -> None:
        login = self._login
        reply = await self._request(
            open=sql_pb2.OpenSession(
                user=login.user,
                password=login.password,
                database=login.database,
                application_name=login.application_name,
            )
        )
        self.region = reply.opened.region

    async def close(self) -> None:
        """Best effort: a session that cannot be closed goes away with its stream."""
        if self.usable:
            self.broken = True
            self.endpoint.link.post(
                sql_pb2.SqlRequest(session_id=self._id, close=sql_pb2.CloseSession())
            )

    async def execute(self, sql: str, parameters: Sequence[object] | None = None) -> list[Result]:
        """All statements of `sql`, one Result each. Raises DatabaseError, ConnectionLost."""
        values = [encode_parameter(value) for value in parameters or ()]
        request: dict[str, Any] = {"execute": _execute(sql, values, self.impatient)}
        results: list[Result] = []
        while True:
            reply = await self._request(**request)
            for part in reply.results.parts:
                _add_part(results, part)
            if not reply.results.more:
                return results
            request = {"fetch_more": sql_pb2.FetchMore()}

    async def commit(self) -> list[Result]:
        """COMMIT. Whoever is impatient gets ConnectionLost when no answer came for so long."""
        if not self.impatient:
            return await self.execute("COMMIT")
        try:
            async with asyncio.timeout(COMMIT_PATIENCE_S):
                return await self.execute("COMMIT")
        except TimeoutError:
            self.endpoint.shun()
            raise ConnectionLost(f"{self.endpoint.address} does not answer", sent=True) from None

    async def transaction_status(
        self, transaction_id: bytes, snapshot_csn: int
    ) -> sql_pb2.TransactionStatusAnswer:
        question = sql_pb2.TransactionStatusQuestion(
            transaction_id=transaction_id, snapshot_csn=snapshot_csn
        )
        reply = await self._request(transaction_status=question)
        return reply.transaction_status

    async def _request(self, **request: Any) -> sql_pb2.SqlReply:
        if self._incarnation != self.endpoint.incarnation:
            self.broken = True
            raise ConnectionLost(f"the session on {self.endpoint.address} is gone")
        item = sql_pb2.SqlRequest(session_id=self._id, **request)
        try:
            reply = await self.endpoint.link.request(item, timeout=self._timeout_s)
        except Overloaded as error:
            raise UsageError(f"too much is in flight to {self.endpoint.address}") from error
        except Unavailable as error:
            self.broken = True
            raise ConnectionLost(f"lost {self.endpoint.address}: {error}", sent=True) from error
        except asyncio.CancelledError:
            self._cancel()
            raise
        if reply.HasField("state"):
            self.state = reply.state
        if reply.HasField("error"):
            raise self._failure(reply)
        return reply  # type: ignore[no-any-return]

    def _failure(self, reply: sql_pb2.SqlReply) -> Exception:
        failure = from_wire(reply.error)
        if isinstance(failure, OutcomeUnknown):
            failure.transaction_id = reply.state.transaction_id
            failure.snapshot_csn = reply.state.snapshot_csn
        if isinstance(failure, RegionUnavailable):
            self.endpoint.shun()
        if reply.error.severity in ("FATAL", "PANIC"):
            self.broken = True
        return failure

    def _cancel(self) -> None:
        """The caller gave up while a statement ran: its answer would meet the next one."""
        self.broken = True
        for request in ({"cancel": sql_pb2.CancelExecution()}, {"close": sql_pb2.CloseSession()}):
            self.endpoint.link.post(sql_pb2.SqlRequest(session_id=self._id, **request))


def _execute(sql: str, values: list[sql_pb2.Value], impatient: bool) -> sql_pb2.Execute:
    return sql_pb2.Execute(sql=sql, parameters=values, impatient=impatient)


def _add_part(results: list[Result], part: sql_pb2.ResultPart) -> None:
    while len(results) <= part.statement:
        results.append(Result())
    result = results[part.statement]
    if part.columns:
        result.columns = tuple(
            Column(column.name, column.type_oid, column.type_modifier) for column in part.columns
        )
    if part.rows:
        result.rows += decode_rows(part.rows, [column.type_oid for column in result.columns])
    if part.HasField("command_tag"):
        result.command_tag = part.command_tag
