"""What a caller of a link may rely on, over gRPC and in memory alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from link_tools import Echo, failure, free_port, read, until

from trilithon.core.errors import Unavailable
from trilithon.core.invariant import InvariantViolation
from trilithon.link import GrpcNetwork, specs
from trilithon.link.local import LocalNetwork
from trilithon.v1 import storage_pb2

TIMEOUT = 10.0


@pytest.fixture(params=["grpc", "local"])
def network(request: pytest.FixtureRequest) -> Any:
    return GrpcNetwork() if request.param == "grpc" else LocalNetwork()


@asynccontextmanager
async def pair(network: Any, handler: Any, **callbacks: Any) -> AsyncIterator[tuple[Any, Any]]:
    server = await network.serve("127.0.0.1:0", {specs.STORAGE: handler}, {})
    link = network.link(specs.STORAGE, server.address, **callbacks)
    try:
        yield link, server
    finally:
        await link.close()
        await server.close(0)


async def test_each_reply_finds_its_caller(network: Any) -> None:
    echo = Echo()
    async with pair(network, echo) as (link, _):

        async def ask(number: int) -> None:
            key = str(number).encode()
            reply = await link.request(read(key), timeout=TIMEOUT)
            assert reply.point_rows.rows == key

        await asyncio.gather(*(ask(number) for number in range(500)))
        assert sum(echo.messages) == 500
        assert len(echo.messages) < 100, "500 concurrent requests are to be coalesced"


async def test_order_is_kept(network: Any) -> None:
    echo = Echo()
    async with pair(network, echo) as (link, _):
        await link.request(read(), timeout=TIMEOUT)
        for number in range(1000):
            link.post(read(str(number).encode()))
        await link.request(read(), timeout=TIMEOUT)
        assert [int(item.point_read.keys[0]) for item in echo.posted] == list(range(1000))


async def test_a_posted_item_may_be_changed_and_posted_again(network: Any) -> None:
    echo = Echo()
    async with pair(network, echo) as (link, _):
        item = read(b"first")
        await link.request(item, timeout=TIMEOUT)
        link.post(item)
        item.point_read.keys[0] = b"second"
        link.post(item)
        await link.request(read(), timeout=TIMEOUT)
        assert [one.point_read.keys[0] for one in echo.posted] == [b"first", b"second"]


async def test_pushes_come_a_message_at_a_time(network: Any) -> None:
    echo = Echo()
    pushed: list[list[Any]] = []
    async with pair(network, echo, pushed=lambda items: pushed.append(list(items))) as (link, _):
        await until(lambda: link.up and echo.peers)
        for number in range(50):
            echo.peers[0].send(failure(str(number)))
        await until(lambda: sum(map(len, pushed)) == 50)
        assert [int(one.failure.message) for part in pushed for one in part] == list(range(50))
        assert len(pushed) < 10


async def test_a_late_reply_times_out_and_harms_nobody(network: Any) -> None:
    echo = Echo()
    async with pair(network, echo) as (link, _):
        with pytest.raises(Unavailable, match="in time"):
            await link.request(read(b"silent"), timeout=0.05)
        # The reply comes after all: nobody waits for it.
        late = storage_pb2.StorageReply(correlation_id=echo.silent_ids[0])
        late.failure.message = "late"
        echo.peers[0].send(late)
        echo.peers[0].send(late)
        reply = await link.request(read(b"next"), timeout=TIMEOUT)
        assert reply.point_rows.rows == b"next"


async def test_a_cancelled_caller_leaves_nothing_behind(network: Any) -> None:
    echo = Echo()
    async with pair(network, echo) as (link, _):
        tasks = [
            asyncio.create_task(link.request(read(b"silent"), timeout=TIMEOUT)) for _ in range(20)
        ]
        await until(lambda: len(echo.silent_ids) == 20)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert all(task.cancelled() for task in tasks)
        assert len(link._pending) == 0
        assert (await link.request(read(b"ok"), timeout=TIMEOUT)).point_rows.rows == b"ok"


async def test_requests_made_while_down_wait_for_the_connection(network: Any) -> None:
    address = f"127.0.0.1:{free_port()}"
    link = network.link(specs.STORAGE, address)
    assert not link.up
    link.post(read(b"dropped silently"))
    waiting = asyncio.create_task(link.request(read(b"early"), timeout=TIMEOUT))
    expired = asyncio.create_task(link.request(read(b"expired"), timeout=0.05))
    cancelled = asyncio.create_task(link.request(read(b"cancelled"), timeout=TIMEOUT))
    with pytest.raises(Unavailable):
        await expired
    cancelled.cancel()
    await asyncio.wait([cancelled])
    echo = Echo()
    server = await network.serve(address, {specs.STORAGE: echo}, {})
    assert (await waiting).point_rows.rows == b"early"
    assert sum(echo.messages) == 1
    assert echo.posted == []
    await link.close()
    await server.close(0)


async def test_a_broken_stream_fails_who_waits_and_comes_back(network: Any) -> None:
    echo = Echo()
    events: list[str] = []
    callbacks = {
        "came_up": lambda: events.append("up"),
        "went_down": lambda: events.append("down"),
    }
    async with pair(network, echo, **callbacks) as (link, _):
        waiting = [
            asyncio.create_task(link.request(read(b"silent"), timeout=TIMEOUT)) for _ in range(5)
        ]
        await until(lambda: len(echo.silent_ids) == 5)
        with pytest.raises(Unavailable, match="broke"):
            await link.request(read(b"close"), timeout=TIMEOUT)
        for outcome in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(outcome, Unavailable)
        assert (await link.request(read(b"again"), timeout=TIMEOUT)).point_rows.rows == b"again"
        assert events == ["up", "down", "up"]
        await until(lambda: len(echo.ended) == 1)
    assert events == ["up", "down", "up", "down"]


async def test_a_server_that_restarts_is_found_again(network: Any) -> None:
    address = f"127.0.0.1:{free_port()}"
    link = network.link(specs.STORAGE, address)
    for life in range(3):
        server = await network.serve(address, {specs.STORAGE: Echo()}, {})
        key = f"life {life}".encode()
        assert (await link.request(read(key), timeout=TIMEOUT)).point_rows.rows == key
        await server.close(0)
        await until(lambda: not link.up)
    await link.close()


async def test_a_bug_in_a_handler_ends_only_that_stream(network: Any) -> None:
    echo = Echo()
    async with pair(network, echo) as (link, server):
        other = network.link(specs.STORAGE, server.address)
        waiting = asyncio.create_task(other.request(read(b"silent"), timeout=TIMEOUT))
        await until(lambda: echo.silent_ids)
        with pytest.raises(Unavailable):
            await link.request(read(b"raise"), timeout=TIMEOUT)
        assert other.up
        assert not waiting.done()
        assert (await other.request(read(b"fine"), timeout=TIMEOUT)).point_rows.rows == b"fine"
        waiting.cancel()
        await other.close()


async def test_a_bug_in_a_push_receiver_starts_the_stream_over(network: Any) -> None:
    echo = Echo()
    seen: list[str] = []
    ups: list[int] = []

    def pushed(items: Any) -> None:
        seen.extend(item.failure.message for item in items)
        if seen == ["poison"]:
            raise RuntimeError("a bug in the receiver")

    async with pair(network, echo, pushed=pushed, came_up=lambda: ups.append(1)) as (link, _):
        await until(lambda: link.up and echo.peers)
        echo.peers[0].send(failure("poison"))
        await until(lambda: len(ups) == 2 and len(echo.peers) == 1)
        echo.peers[0].send(failure("fine"))
        await until(lambda: seen == ["poison", "fine"])


async def test_a_conversation_gets_every_reply_until_it_is_done(network: Any) -> None:
    async with pair(network, Echo()) as (link, _):
        parts: list[bytes] = []
        failed: list[Exception] = []

        def received(item: Any) -> bool:
            parts.append(item.point_rows.rows)
            return item.point_rows.rows == b"99"

        link.converse(read(b"parts150"), received=received, failed=failed.append, timeout=TIMEOUT)
        await link.request(read(), timeout=TIMEOUT)
        assert parts == [str(number).encode() for number in range(100)]
        assert failed == []


async def test_a_conversation_fails_once_when_the_stream_breaks_or_time_runs_out(
    network: Any,
) -> None:
    echo = Echo()
    async with pair(network, echo) as (link, _):
        failed: list[Exception] = []
        talk = {"received": lambda _: False, "failed": failed.append}
        link.converse(read(b"silent"), timeout=0.05, **talk)
        await until(lambda: len(failed) == 1)
        link.converse(read(b"silent"), timeout=TIMEOUT, **talk)
        await until(lambda: len(echo.silent_ids) == 2)
        echo.peers[0].close()
        await until(lambda: len(failed) == 2)
        forgotten = link.converse(read(b"silent"), timeout=TIMEOUT, **talk)
        link.forget(forgotten)
        assert [type(error) for error in failed] == [Unavailable, Unavailable]
    assert len(failed) == 2


async def test_a_closed_link_refuses_and_fails_who_waited(network: Any) -> None:
    echo = Echo()
    async with pair(network, echo) as (link, _):
        waiting = asyncio.create_task(link.request(read(b"silent"), timeout=TIMEOUT))
        await until(lambda: echo.silent_ids)
        await link.close()
        with pytest.raises(Unavailable):
            await waiting
        with pytest.raises(Unavailable, match="closed"):
            await link.request(read(), timeout=TIMEOUT)
        await until(lambda: not echo.peers)
        await link.close()


async def test_unary_calls_and_their_failures(network: Any) -> None:
    async def status(_: Any) -> Any:
        return storage_pb2.StorageStatus(slot_last=7)

    async def checksum(request: Any) -> Any:
        if request.csn == 1:
            raise Unavailable("not caught up")
        raise RuntimeError("a bug")

    unary = {specs.STORAGE_STATUS: status, specs.STORAGE_CHECKSUM: checksum}
    server = await network.serve("127.0.0.1:0", {}, unary)

    async def call(method: str, request: Any) -> Any:
        return await network.call(server.address, method, request, timeout=TIMEOUT)

    reply = await call(specs.STORAGE_STATUS, storage_pb2.StorageStatusRequest())
    assert reply.slot_last == 7
    with pytest.raises(Unavailable, match="not caught up"):
        await call(specs.STORAGE_CHECKSUM, storage_pb2.StorageChecksumRequest(csn=1))
    with pytest.raises(Unavailable, match="bug"):
        await call(specs.STORAGE_CHECKSUM, storage_pb2.StorageChecksumRequest(csn=2))
    with pytest.raises(Unavailable):
        await call(specs.JOURNAL_STATUS, storage_pb2.StorageStatusRequest())
    await server.close(0)
    with pytest.raises(Unavailable):
        await call(specs.STORAGE_STATUS, storage_pb2.StorageStatusRequest())


async def test_two_servers_cannot_share_an_address(network: Any) -> None:
    server = await network.serve("127.0.0.1:0", {}, {})
    with pytest.raises(OSError, match="cannot listen"):
        await network.serve(server.address, {}, {})
    await server.close(0)


async def test_a_violated_invariant_reaches_the_loop() -> None:
    """gRPC would only end the call; the process has to stop."""

    class Violating(Echo):
        def received(self, peer: Any, items: Any) -> None:
            raise InvariantViolation("one csn names one entry")

    reported: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reported.append(context))
    async with pair(GrpcNetwork(), Violating()) as (link, _):
        with pytest.raises(Unavailable):
            await link.request(read(), timeout=TIMEOUT)
    assert isinstance(reported[0]["exception"], InvariantViolation)

    def pushed(_: Any) -> None:
        raise InvariantViolation("a mark never goes back")

    reported.clear()
    echo = Echo()
    async with pair(GrpcNetwork(), echo, pushed=pushed) as (link, _):
        await until(lambda: link.up and echo.peers)
        echo.peers[0].send(failure("x"))
        await until(lambda: reported)
    assert isinstance(reported[0]["exception"], InvariantViolation)
    loop.set_exception_handler(None)
