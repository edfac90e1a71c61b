"""A role without any purpose, run by the chassis in tests. Its data folder says what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from trilithon.core.invariant import InvariantViolation, require
from trilithon.core.world import World
from trilithon.link import specs
from trilithon.v1 import journal_pb2


class DummyRole:
    def __init__(self, server: Any, world: World, behaviour: str) -> None:
        self._server = server
        self._world = world
        self._behaviour = behaviour
        self.failed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    @property
    def address(self) -> str:
        return str(self._server.address)

    async def stop(self) -> None:
        if self._behaviour == "hang":
            await asyncio.sleep(1000)
        await self._server.close(0.5)
        print("stopped in order", flush=True)

    def metrics(self) -> Mapping[str, float]:
        return {"synced_csn": 42, "commits_total": 7, "odd name": 1}


async def start(config: Any, process: Any, region: Any, world: World) -> DummyRole:
    behaviour = process.data.rpartition("/")[2]
    if behaviour == "refuse":
        raise OSError("the data folder belongs to another cluster")
    if behaviour == "slow":
        print("serving", flush=True)
        await asyncio.sleep(1000)

    async def status(_: Any) -> Any:
        return journal_pb2.JournalStatus(leader=region.name)

    server = await world.network.serve(process.address, {}, {specs.JOURNAL_STATUS: status})
    role = DummyRole(server, world, behaviour)
    loop = asyncio.get_running_loop()
    assert world.clock.monotonic_us() > 0
    match behaviour:
        case "fail":
            loop.call_later(0.05, role.failed.set_exception, OSError("sync failed"))
        case "violate-callback":
            loop.call_later(0.05, _violate)
        case "violate-task":
            role.task = asyncio.create_task(_violate_later())  # type: ignore[attr-defined]
        case "violate-thread":
            loop.run_in_executor(None, _violate)
        case "violate-directly":
            loop.call_soon(_raise_directly)
        case "bug":
            loop.call_later(0.05, _bug)
    print("serving", flush=True)
    return role


def _violate() -> None:
    require(1 > 2, "one is more than two")


async def _violate_later() -> None:
    await asyncio.sleep(0.05)
    try:
        _violate()
    except BaseException:
        # Even a handler that swallows everything cannot go on.
        print("went on", flush=True)


def _raise_directly() -> None:
    raise InvariantViolation("one is more than two")


def _bug() -> None:
    raise RuntimeError("a bug in a callback")
