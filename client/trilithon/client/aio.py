"""The asynchronous client: `async with await connect_async(...) as db`.

The synchronous one in `sync` is this one on a loop of its own; what is true is written here.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from trilithon.client.errors import (
    ConnectionLost,
    OutcomeUnknown,
    SerializationFailure,
    TrilithonError,
    UsageError,
    is_transient,
)
from trilithon.client.result import Result
from trilithon.client.retry import RetryPolicy, find_cause
from trilithon.client.session import IDLE, AsyncSession, Endpoints, Login
from trilithon.core.world import Network
from trilithon.link import GrpcNetwork
from trilithon.v1 import sql_pb2

T = TypeVar("T")

_IDLE_SESSIONS_MAX = 64
_STATUS_WAIT_S = 0.1


class Outcome(Enum):
    COMMITTED = "committed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TransactionStatus:
    """`csn` is 0 unless committed. UNKNOWN: the id is older than what the cluster remembers."""

    outcome: Outcome
    csn: int = 0


class AsyncTransaction:
    """An open transaction block; `client.transaction()` makes and ends it."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    @property
    def id(self) -> bytes:
        """The transaction id (UUIDv7, 16 bytes): what transaction_status() asks with."""
        return bytes(self._session.state.transaction_id)

    @property
    def snapshot_csn(self) -> int:
        return int(self._session.state.snapshot_csn)

    @property
    def region(self) -> str:
        return self._session.region

    async def execute(self, sql: str, parameters: Sequence[object] | None = None) -> Result:
        """One statement (the last one's result, if `sql` holds several)."""
        return _last(await self._session.execute(sql, parameters))


class AsyncClient:
    """Sessions on the first endpoint that is up, pooled. Safe to share between tasks."""

    def __init__(
        self,
        endpoints: Sequence[str],
        login: Login,
        *,
        network: Network | None = None,
        connect_timeout_s: float = 10.0,
        statement_timeout_s: float = 60.0,
    ) -> None:
        if not endpoints:
            raise UsageError("connect() needs at least one endpoint, as host:port")
        self._own_network = network or GrpcNetwork()
        self._endpoints = Endpoints(self._own_network, endpoints)
        self._login = login
        self._connect_timeout_s = connect_timeout_s
        self._statement_timeout_s = statement_timeout_s
        self._idle: list[AsyncSession] = []
        self._random = random.Random()
        self._closed = False

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every session and stream. Open transactions are rolled back by the server."""
        if not self._closed:
            self._closed = True
            await asyncio.gather(*(session.close() for session in self._idle))
            self._idle.clear()
            await self._endpoints.close()

    # -- statements

    async def execute(self, sql: str, parameters: Sequence[object] | None = None) -> Result:
        """Run `sql` in a transaction of its own.

        Raises ConnectionLost with `sent` when the endpoint was lost meanwhile: the statement may or
        may not have taken effect. `run_transaction` knows how to find out; use it for writes.
        """
        return _last(await self.execute_all(sql, parameters))

    async def execute_all(
        self, sql: str, parameters: Sequence[object] | None = None
    ) -> list[Result]:
        """Run one or more statements, together in one implicit transaction; a Result for each."""
        async with self._lend() as session:
            return await session.execute(sql, parameters)

    @asynccontextmanager
    async def transaction(
        self, *, read_only: bool = False, serializable: bool = False
    ) -> AsyncIterator[AsyncTransaction]:
        """A transaction block: COMMIT when it ends, ROLLBACK when it raises.

        Raises SerializationFailure at the end when another transaction was faster. When the
        endpoint is lost during COMMIT, the ConnectionLost carries the transaction's id.
        """
        async with self._block(read_only, serializable, impatient=False) as transaction:
            yield transaction

    @asynccontextmanager
    async def _block(
        self, read_only: bool, serializable: bool, *, impatient: bool
    ) -> AsyncIterator[AsyncTransaction]:
        async with self._lend() as session:
            session.impatient = impatient
            level = "SERIALIZABLE" if serializable else "REPEATABLE READ"
            access = "READ ONLY" if read_only else "READ WRITE"
            await session.execute(f"BEGIN ISOLATION LEVEL {level} {access}")
            try:
                yield AsyncTransaction(session)
            except BaseException:
                await _roll_back(session)
                raise
            await _commit(session)

    async def run_transaction(
        self,
        function: Callable[[AsyncTransaction], Awaitable[T]],
        *,
        policy: RetryPolicy = RetryPolicy(),  # noqa: B008 - immutable
        read_only: bool = False,
        serializable: bool = False,
    ) -> T:
        """Run `function(transaction)` and commit; again, from the start, when it lost a conflict or
        its endpoint. It runs *once or more*, so it must do nothing but SQL; its effects happen once.

        A commit whose outcome was lost on the way is looked up by its id before anything is run
        again. Raises what `function` raises, and the last conflict or fault when `policy` is used
        up.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + policy.deadline_s
        conflicts = 0
        for wait_s in policy.waits(self._random):
            result: T | None = None
            try:
                async with self._block(
                    read_only, serializable, impatient=self._endpoints.several
                ) as transaction:
                    result = await function(transaction)
            except (ConnectionLost, OutcomeUnknown) as error:
                if await self._did_commit(error, deadline):
                    return result  # type: ignore[return-value]
                last: BaseException = error
            except Exception as error:
                if (cause := find_cause(error)) is None:
                    raise
                conflicts += isinstance(cause, SerializationFailure)
                last = error
            else:
                return result
            if conflicts >= policy.attempts_max or loop.time() + wait_s > deadline:
                raise last
            await asyncio.sleep(wait_s)
        raise AssertionError("waits() is endless")

    async def _did_commit(self, error: ConnectionLost | OutcomeUnknown, deadline: float) -> bool:
        """Whether the transaction behind a lost answer committed. Raises `error` if unknowable."""
        if not error.transaction_id:
            return False
        left = deadline - asyncio.get_running_loop().time()
        try:
            status = await self.transaction_status(
                error.transaction_id, error.snapshot_csn, timeout_s=max(left, 1.0)
            )
        except TrilithonError:
            raise error from None
        if status.outcome is Outcome.UNKNOWN:
            raise error
        return status.outcome is Outcome.COMMITTED

    async def transaction_status(
        self, transaction_id: bytes, snapshot_csn: int = 0, *, timeout_s: float = 30.0
    ) -> TransactionStatus:
        """Settle what became of a commit: once this answers ABORTED it can never commit any more.

        Asks through whichever endpoint answers, until `timeout_s`. Raises ConnectionLost.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            try:
                async with self._lend() as session:
                    answer = await session.transaction_status(transaction_id, snapshot_csn)
                return _status(answer)
            except TrilithonError as error:
                if not is_transient(error) or loop.time() > deadline:
                    raise
            await asyncio.sleep(_STATUS_WAIT_S)

    # -- sessions

    @asynccontextmanager
    async def _lend(self) -> AsyncIterator[AsyncSession]:
        session = await self._take()
        try:
            yield session
        finally:
            await self._give_back(session)

    async def _take(self) -> AsyncSession:
        if self._closed:
            raise UsageError("this client is closed")
        endpoint = await self._endpoints.pick(self._connect_timeout_s)
        while self._idle:
            session = self._idle.pop()
            if session.endpoint is endpoint and session.usable:
                return session
            # Its endpoint is gone, or a better one (the own Region's) is back.
            await session.close()
        session = AsyncSession(endpoint, self._login, self._statement_timeout_s)
        await session.open()
        return session

    async def _give_back(self, session: AsyncSession) -> None:
        reusable = session.usable and session.state.status in (0, IDLE) and not self._closed
        session.impatient = False
        if reusable and len(self._idle) < _IDLE_SESSIONS_MAX:
            self._idle.append(session)
        else:
            await session.close()


def connect_async(
    endpoints: str | Sequence[str],
    *,
    user: str = "admin",
    password: str = "",
    database: str = "postgres",
    application_name: str = "trilithon-python",
    network: Network | None = None,
    connect_timeout_s: float = 10.0,
    statement_timeout_s: float = 60.0,
) -> AsyncClient:
    """A client for `endpoints`, "host:port" each (a list, or one comma-separated string), own Region
    first: the others serve while it is gone. Nothing is sent before the first statement; must be
    called with a running loop."""
    return AsyncClient(
        split_endpoints(endpoints),
        Login(user, password, database, application_name),
        network=network,
        connect_timeout_s=connect_timeout_s,
        statement_timeout_s=statement_timeout_s,
    )


def split_endpoints(endpoints: str | Sequence[str]) -> list[str]:
    parts = endpoints.split(",") if isinstance(endpoints, str) else list(endpoints)
    cleaned = [part.strip() for part in parts if part.strip()]
    for part in cleaned:
        host, _, port = part.rpartition(":")
        if not host or not port.isdigit():
            raise UsageError(f"endpoint {part!r}: expected host:port")
    return cleaned


async def _commit(session: AsyncSession) -> None:
    transaction_id = bytes(session.state.transaction_id)
    snapshot_csn = session.state.snapshot_csn
    try:
        results = await session.commit()
    except ConnectionLost as error:
        raise ConnectionLost(
            f"{error}; the outcome of the commit is not known",
            sent=True,
            transaction_id=transaction_id,
            snapshot_csn=snapshot_csn,
        ) from error
    if _last(results).command_tag == "ROLLBACK":
        raise UsageError("the transaction had failed before its end and was rolled back")


async def _roll_back(session: AsyncSession) -> None:
    """The block's own exception matters more than whether ROLLBACK got through."""
    if session.usable:
        try:
            await session.execute("ROLLBACK")
        except TrilithonError:
            session.broken = True


def _last(results: list[Result]) -> Result:
    return results[-1] if results else Result()


_OUTCOMES = {
    sql_pb2.TransactionStatusAnswer.OUTCOME_COMMITTED: Outcome.COMMITTED,
    sql_pb2.TransactionStatusAnswer.OUTCOME_ABORTED: Outcome.ABORTED,
}


def _status(answer: sql_pb2.TransactionStatusAnswer) -> TransactionStatus:
    return TransactionStatus(_OUTCOMES.get(answer.outcome, Outcome.UNKNOWN), answer.csn)
