"""Garbage, oversized messages, dead peers, slow peers, TLS: the others are unharmed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from link_tools import Echo, failure, free_port, read, until

from trilithon.core.errors import Overloaded, Unavailable
from trilithon.link import GrpcNetwork, LinkTls, specs
from trilithon.link.options import LinkOptions
from trilithon.v1 import storage_pb2

TIMEOUT = 10.0
SMALL = LinkOptions(
    item_bytes_max=100_000, queue_items_max=50, queue_bytes_max=400_000, waiting_max=60
)


@asynccontextmanager
async def pair(
    handler: Any, options: LinkOptions | None = None, **callbacks: Any
) -> AsyncIterator[tuple[Any, Any]]:
    network = GrpcNetwork(options=options)
    server = await network.serve("127.0.0.1:0", {specs.STORAGE: handler}, {})
    link = network.link(specs.STORAGE, server.address, **callbacks)
    try:
        yield link, server
    finally:
        await link.close()
        await server.close(0)


async def works(link: Any) -> bool:
    reply = await link.request(read(b"still here"), timeout=TIMEOUT)
    return bool(reply.point_rows.rows == b"still here")


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00" * 4096,
        b"GET / HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 1024,
        os.urandom(8192),
        b"",
    ],
    ids=["zeros", "http1", "bad-frames", "random", "half-open"],
)
async def test_garbage_on_the_port(garbage: bytes) -> None:
    async with pair(Echo()) as (link, server):
        host, port = server.address.split(":")
        assert await works(link)
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(garbage)
        await writer.drain()
        assert await works(link)
        writer.close()
        assert await works(link)


async def test_garbage_in_a_stream_ends_that_stream_only() -> None:
    echo = Echo()
    async with pair(echo) as (link, server), grpc.aio.insecure_channel(server.address) as channel:
        call = channel.stream_stream(specs.STORAGE.name)()
        await call.write(b"\xff\xff\xff no protobuf")
        assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert await works(link)
        await until(lambda: len(echo.peers) == 1)


async def test_an_oversized_message_ends_that_stream_only() -> None:
    echo = Echo()
    async with (
        pair(echo, SMALL) as (link, server),
        grpc.aio.insecure_channel(server.address) as channel,
    ):
        assert await works(link)
        call = channel.stream_stream(specs.STORAGE.name)()
        item = read(size=300_000)
        await call.write(storage_pb2.StorageRequests(items=[item]).SerializeToString())
        assert await call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await works(link)


async def test_unknown_methods_are_unimplemented() -> None:
    async with pair(Echo()) as (link, server), grpc.aio.insecure_channel(server.address) as channel:
        for path in ("/trilithon.v1.Storage/Nothing", "/x.Y/Z", specs.JOURNAL.name):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary(path)(b"")
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
        network = GrpcNetwork()
        wrong = network.link(specs.JOURNAL, server.address)
        await until(lambda: "UNIMPLEMENTED" in wrong.last_failure)
        assert not wrong.up
        await wrong.close()
        assert await works(link)


async def test_an_oversized_request_is_refused_before_it_is_sent() -> None:
    async with pair(Echo(), SMALL) as (link, _):
        with pytest.raises(Overloaded, match="message_bytes"):
            await link.request(read(size=100_001), timeout=TIMEOUT)
        assert await works(link)
        assert link.waiting_count == 0


async def test_an_oversized_reply_becomes_an_error_of_its_request() -> None:
    async with pair(Echo(), SMALL) as (link, _):
        reply = await link.request(read(b"big100001"), timeout=TIMEOUT)
        assert reply.error.sqlstate == "54000"
        assert "message_bytes" in reply.error.message
        assert await works(link)


async def test_large_items_travel_beside_small_ones() -> None:
    async with pair(Echo()) as (link, _):
        big = [link.request(read(b"big3000000", size=2_000_000), timeout=30) for _ in range(4)]
        small = [works(link) for _ in range(200)]
        replies = await asyncio.gather(*big, *small)
        assert all(len(reply.point_rows.rows) == 3_000_000 for reply in replies[:4])
        assert all(replies[4:])


async def test_requests_beyond_the_bound_are_refused() -> None:
    echo = Echo()
    async with pair(echo, SMALL) as (link, _):
        assert await works(link)
        tasks = [
            asyncio.create_task(link.request(read(b"silent"), timeout=TIMEOUT)) for _ in range(70)
        ]
        done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        assert all(isinstance(task.exception(), Overloaded) for task in done)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        assert await works(link)
        assert link.waiting_count == 0


async def test_what_waits_while_the_link_is_down_is_bounded() -> None:
    link = GrpcNetwork(options=SMALL).link(specs.STORAGE, f"127.0.0.1:{free_port()}")
    tasks = [
        asyncio.create_task(link.request(read(size=90_000), timeout=TIMEOUT)) for _ in range(10)
    ]
    done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    assert all(isinstance(task.exception(), Overloaded) for task in done)
    assert len(waiting) == 4
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert link._unsent_bytes == 0
    # Callers who gave up by deadline make room as well.
    with pytest.raises(Unavailable):
        await link.request(read(size=99_000), timeout=0.03)
    for _ in range(20):
        with pytest.raises(Unavailable):
            await link.request(read(size=99_000), timeout=0.0)
    await link.close()


async def test_a_peer_that_does_not_read_is_disconnected() -> None:
    echo = Echo()
    options = LinkOptions(queue_items_max=200, queue_bytes_max=2_000_000)
    async with (
        pair(echo, options) as (link, server),
        grpc.aio.insecure_channel(server.address) as channel,
    ):
        assert await works(link)
        call = channel.stream_stream(specs.STORAGE.name)()
        await call.initial_metadata()
        await until(lambda: len(echo.peers) == 2)
        slow = echo.peers[1]
        push = failure("x" * 100_000)
        async with asyncio.timeout(30):
            while slow in echo.peers:
                slow.send(push)
                await asyncio.sleep(0)
        slow.send(push)
        assert slow.pending_bytes <= 2_100_000
        assert await works(link)


STOPPABLE_SERVER = """
import asyncio, sys
sys.path.insert(0, sys.argv[2])
from link_tools import Echo
from trilithon.link import GrpcNetwork, specs

async def main():
    server = await GrpcNetwork().serve(sys.argv[1], {specs.STORAGE: Echo()}, {})
    print("ready", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_stopped_process_is_noticed_and_found_again() -> None:
    """SIGSTOP looks like a cut cable: the connection stays open and nothing answers."""
    address = f"127.0.0.1:{free_port()}"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        STOPPABLE_SERVER,
        address,
        os.path.dirname(__file__),
        stdout=asyncio.subprocess.PIPE,
    )
    options = LinkOptions(keepalive_ms=100, connect_timeout_s=0.5)
    link = GrpcNetwork(options=options).link(specs.STORAGE, address)
    try:
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readline(), TIMEOUT)
        assert await works(link)
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(Unavailable, match="broke"):
            await link.request(read(), timeout=TIMEOUT)
        assert not link.up
        process.send_signal(signal.SIGCONT)
        assert await works(link)
    finally:
        process.kill()
        await process.wait()
        await link.close()


async def test_a_server_notices_a_stopped_client() -> None:
    options = LinkOptions(keepalive_ms=400)
    echo = Echo()
    async with pair(echo, options) as (link, server):
        code = (
            "import asyncio, sys\n"
            "from trilithon.link import GrpcNetwork, specs\n"
            "from trilithon.link.options import LinkOptions\n"
            "async def main():\n"
            "    options = LinkOptions(keepalive_ms=200)\n"
            "    link = GrpcNetwork(options=options).link(specs.STORAGE, sys.argv[1])\n"
            "    await asyncio.sleep(60)\n"
            "asyncio.run(main())\n"
        )
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, server.address)
        try:
            await until(lambda: len(echo.peers) == 2 and echo.peers[1]._liveness)  # type: ignore[attr-defined]
            process.send_signal(signal.SIGSTOP)
            await until(lambda: len(echo.ended) == 1)
            assert await works(link)
        finally:
            process.kill()
            await process.wait()


async def test_health_and_reflection() -> None:
    async with pair(Echo()) as (_, server), grpc.aio.insecure_channel(server.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", "trilithon.v1.Storage"):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        async for answer in stub.ServerReflectionInfo(iter([request])):
            names = {service.name for service in answer.list_services_response.service}
            assert {"trilithon.v1.Storage", "grpc.health.v1.Health"} <= names


async def test_an_orderly_stop_ends_streams() -> None:
    echo = Echo()
    network = GrpcNetwork()
    server = await network.serve("127.0.0.1:0", {specs.STORAGE: echo}, {})
    link = network.link(specs.STORAGE, server.address)
    assert await works(link)
    await server.close(5)
    await until(lambda: not link.up)
    assert server.stream_count == 0
    assert echo.peers == []
    await link.close()


async def test_an_orderly_stop_lets_queued_replies_out() -> None:
    """What was queued may be an acknowledgement: it arrives before the stream ends."""
    echo = Echo()
    network = GrpcNetwork()
    server = await network.serve("127.0.0.1:0", {specs.STORAGE: echo}, {})
    pushed: list[Any] = []
    link = network.link(specs.STORAGE, server.address, pushed=pushed.extend)
    assert await works(link)
    for _ in range(40):
        echo.peers[0].send(failure("x" * 1_000_000))
    await server.close(10)
    await until(lambda: not link.up)
    assert len(pushed) == 40
    await link.close()


class Authority:
    def __init__(self) -> None:
        self.ca = trustme.CA()
        self.ca_pem = self.ca.cert_pem.bytes()

    def tls(self, name: str = "127.0.0.1", *, ca: bool = True) -> LinkTls:
        issued = self.ca.issue_cert(name)
        return LinkTls(
            certificate=issued.cert_chain_pems[0].bytes(),
            key=issued.private_key_pem.bytes(),
            ca=self.ca_pem if ca else b"",
        )


async def tls_outcome(server_tls: LinkTls, client_tls: LinkTls | None) -> str:
    options = LinkOptions(connect_timeout_s=2.0)
    server = await GrpcNetwork(tls=server_tls).serve("127.0.0.1:0", {specs.STORAGE: Echo()}, {})
    network = GrpcNetwork(tls=client_tls, options=options)
    link = network.link(specs.STORAGE, server.address)
    try:
        return "works" if await works_soon(link) else "fails"
    finally:
        await link.close()
        await server.close(0)


async def works_soon(link: Any) -> bool:
    await until(lambda: link.up or link.last_failure not in ("", "not connected yet"))
    return bool(link.up and await works(link))


async def test_tls_between_processes() -> None:
    ours, theirs = Authority(), Authority()
    assert await tls_outcome(ours.tls(), ours.tls()) == "works"
    assert await tls_outcome(ours.tls(ca=False), LinkTls(ca=ours.ca_pem)) == "works"
    assert await tls_outcome(ours.tls(), LinkTls(ca=ours.ca_pem)) == "fails"
    assert await tls_outcome(ours.tls(), theirs.tls()) == "fails"
    assert await tls_outcome(ours.tls(), None) == "fails"
    assert await tls_outcome(ours.tls("other.example"), ours.tls()) == "fails"
