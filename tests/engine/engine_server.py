"""The real wire protocol over the real engine, on a store in memory: for psql, pgbench and drivers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fake_cluster import FakeCluster

from trilithon.query.engine import Engine
from trilithon.query.execute.run import Memory
from trilithon.query.pgwire.listener import Listener, ListenerOptions
from trilithon.query.session.functions import register_session_functions
from trilithon.query.session.session import SessionServices
from trilithon.query.transaction.limits import TransactionLimits
from trilithon.query.transaction.write_buffer import BufferLimits


class Clock:
    def monotonic_us(self) -> int:
        return int(asyncio.get_running_loop().time() * 1e6)

    def wall_us(self) -> int:
        return 1_800_000_000_000_000 + self.monotonic_us()


@asynccontextmanager
async def serving(*, generous: bool = False, tight: bool = False) -> AsyncIterator[tuple[str, str]]:
    """(host, port) while it lasts. `generous`: transactions as large as pgbench's. `tight`: reads of few
    rows, and every operator spills as soon as it may."""
    register_session_functions()
    limits = TransactionLimits(BufferLimits(10**6, 10**9)) if generous else None
    cluster = FakeCluster(limits)
    manager = cluster.new_manager()
    cluster.reads.chunk_rows = 1000
    if tight:
        cluster.reads.chunk_rows = 3
        Memory.should_spill = lambda self, own: own > 0  # type: ignore[method-assign]
    services = SessionServices(Engine(manager), manager, Clock(), random.Random(5))
    listener = Listener(ListenerOptions("127.0.0.1:0"), services)
    await listener.start()
    host, _, port = listener.address.rpartition(":")
    try:
        yield host, port
    finally:
        await listener.stop(0.2)
        await manager.close()


async def run(*command: str, text: str = "") -> str:
    """A client's output, errors included."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PGCONNECT_TIMEOUT": "10", "PATH": "/usr/bin:/bin", "PGSSLMODE": "disable"},
    )
    output, _ = await asyncio.wait_for(process.communicate(text.encode()), 60)
    return output.decode()
