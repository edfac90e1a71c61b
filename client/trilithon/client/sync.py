"""The synchronous client: the asynchronous one, driven on one background loop per process.

Safe to share between threads; each call blocks its own thread only.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from trilithon.client.aio import AsyncClient, AsyncTransaction, TransactionStatus, connect_async
from trilithon.client.result import Result
from trilithon.client.retry import RetryPolicy

T = TypeVar("T")


class _LoopThread:
    """One daemon thread with an event loop, started at the first use and again after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = 0

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(coroutine, self._running_loop())
        try:
            return future.result()
        except BaseException:
            # Ctrl-C in the calling thread: the statement must not go on behind its back.
            future.cancel()
            raise

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._pid != os.getpid():
                self._loop = asyncio.new_event_loop()
                self._pid = os.getpid()
                threading.Thread(
                    target=self._loop.run_forever, name="trilithon-client", daemon=True
                ).start()
            return self._loop


# gRPC's asyncio support wants one event loop per process: whoever has none of its own shares this one.
background_loop = _LoopThread()


class Transaction:
    """An open transaction block; see AsyncTransaction."""

    def __init__(self, transaction: AsyncTransaction) -> None:
        self._transaction = transaction

    @property
    def id(self) -> bytes:
        return self._transaction.id

    @property
    def snapshot_csn(self) -> int:
        return self._transaction.snapshot_csn

    @property
    def region(self) -> str:
        return self._transaction.region

    def execute(self, sql: str, parameters: Sequence[object] | None = None) -> Result:
        return background_loop.run(self._transaction.execute(sql, parameters))


class Client:
    """See AsyncClient: the same calls, blocking."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        background_loop.run(self._client.close())

    def execute(self, sql: str, parameters: Sequence[object] | None = None) -> Result:
        return background_loop.run(self._client.execute(sql, parameters))

    def execute_all(self, sql: str, parameters: Sequence[object] | None = None) -> list[Result]:
        return background_loop.run(self._client.execute_all(sql, parameters))

    @contextmanager
    def transaction(
        self, *, read_only: bool = False, serializable: bool = False
    ) -> Iterator[Transaction]:
        block = self._client.transaction(read_only=read_only, serializable=serializable)
        transaction = Transaction(background_loop.run(block.__aenter__()))
        try:
            yield transaction
        except BaseException as error:
            # __aexit__ raises the error again unless it has something else to say.
            background_loop.run(block.__aexit__(type(error), error, error.__traceback__))
            raise
        background_loop.run(block.__aexit__(None, None, None))

    def run_transaction(
        self,
        function: Callable[[Transaction], T],
        *,
        policy: RetryPolicy = RetryPolicy(),  # noqa: B008 - immutable
        read_only: bool = False,
        serializable: bool = False,
    ) -> T:
        async def call(transaction: AsyncTransaction) -> T:
            # In a worker thread: `function` blocks on the loop that runs this coroutine.
            return await asyncio.to_thread(function, Transaction(transaction))

        return background_loop.run(
            self._client.run_transaction(
                call, policy=policy, read_only=read_only, serializable=serializable
            )
        )

    def transaction_status(
        self, transaction_id: bytes, snapshot_csn: int = 0, *, timeout_s: float = 30.0
    ) -> TransactionStatus:
        return background_loop.run(
            self._client.transaction_status(transaction_id, snapshot_csn, timeout_s=timeout_s)
        )


def connect(endpoints: str | Sequence[str], **options: Any) -> Client:
    """A blocking client; endpoints and options as in `connect_async`."""

    async def make() -> AsyncClient:
        return connect_async(endpoints, **options)

    return Client(background_loop.run(make()))


__all__ = ["Client", "Transaction", "background_loop", "connect"]
